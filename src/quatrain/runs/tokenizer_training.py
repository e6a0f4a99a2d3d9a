"""A tokenizer alone: trained on the training split of a frozen config's data, as a run would, and saved for anyone."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.core.progress_line import ProgressLine

MADE_OF = "provenance.json"
Texts = Callable[[], Iterable[str]]


@dataclass(frozen=True)
class TrainedTokenizer:
    """What came of it.

    ``folder``: tokenizer.json and what belongs to it, and `MADE_OF`. ``facts``: as `tokenizer_facts` tells them.
    ``counts``: ``characters``, ``words`` (between white space), ``tokens`` and ``unknown`` ones of the training text.
    ``longest``: the longest tokens but special ones, as text.
    """

    folder: Path
    facts: dict[str, Any]
    counts: dict[str, int]
    longest: list[str]


def train_tokenizer(config: Mapping[str, Any], overrides: Sequence[str]) -> TrainedTokenizer:
    """Train the tokenizer of ``config`` and save it in ``run.dir``, or below ``run.root`` in a folder named by content.

    The texts are streamed. The folder appears when it is whole, and a run that trains by the same config finds the
    tokenizer in the cache.

    Raises:
        UserError: the folder exists or cannot be made, the tokenizer needs no training, or the input cannot be used.
    """
    from quatrain.core.build import build
    from quatrain.corpora.processed import publish
    from quatrain.data.module import fitted
    from quatrain.runs.tokenizer_facts import longest_tokens, tokenizer_facts

    own = config["run"]["dir"]
    if own and Path(own).expanduser().exists():
        raise UserError(f"run.dir={own} exists already; name a new folder, or remove this one.")
    recipe = build(config["tokenizer"], "tokenizer")
    if not recipe.needs_training:
        raise UserError(no_training(config["tokenizer"]))
    corpus = _corpus(config, recipe)
    texts, characters = _training(corpus, config["data"]["_target_"])
    tokenizer = fitted(recipe, _told("training the tokenizer", texts, characters), corpus.fingerprint)
    counts = count_tokens(tokenizer, texts, characters)

    def fill(folder: Path) -> None:
        tokenizer.save(folder)
        made_of = _made_of(config, overrides, corpus, counts)
        made_of["tokenizer"] |= {"recipe": recipe.fingerprint(), "fingerprint": tokenizer.fingerprint}
        (folder / MADE_OF).write_text(json.dumps(made_of, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    place = Path(own) if own else _free_name(Path(config["run"]["root"]) / "tokenizers", overrides, tokenizer)
    folder = publish(place, fill, key="run.dir")
    return TrainedTokenizer(folder, tokenizer_facts(tokenizer), counts, longest_tokens(tokenizer))


def no_training(node: Mapping[str, Any]) -> str:
    """Say that the tokenizer of a config, which ``node`` describes, is there already."""
    source = node.get("source")
    what = f"tokenizer.source={source}" if source else f"tokenizer._target_={node['_target_']}"
    return (
        f"{what} names a tokenizer that needs no training; choose tokenizer=bpe or tokenizer=wordpiece to train one, or"
        " take this one as it is in quatrain train."
    )


def count_tokens(tokenizer: Any, texts: Texts, characters: int) -> dict[str, int]:
    """Encode ``texts()``, of so many ``characters``, as a stream, and return the counts of `TrainedTokenizer`."""
    counts = {"characters": 0, "words": 0, "tokens": 0, "unknown": 0}

    def read() -> Iterator[str]:
        for text in texts():
            counts["characters"] += len(text)
            counts["words"] += len(text.split())
            yield text

    # GPT-2 calls its end of text unknown too, and its bytes leave nothing so
    unknown = -1 if tokenizer.unk_id in (None, tokenizer.eos_id) else tokenizer.unk_id
    with ProgressLine("encoding", total=characters, unit="tokens") as line:
        for ids in tokenizer.encode_stream(read()):
            counts["tokens"] += len(ids)
            counts["unknown"] += int((ids == unknown).sum())
            line.show(counts["characters"], counts["tokens"])
    return counts


def _corpus(config: Mapping[str, Any], recipe: Any) -> Any:
    from quatrain.core.build import build

    workers = {"num_workers": 0} if "num_workers" in config["data"] else {}  # no batch is loaded here
    data = build(config["data"], "data", tokenizer=recipe, **workers)
    return data.corpus() if hasattr(data, "corpus") else None


def _training(corpus: Any, target: str) -> tuple[Texts, int]:
    """The texts of the training split, as often as wanted, and how many characters they have.

    Raises:
        UserError: a data module of the user's own gives no corpus of ours.
    """
    from quatrain.corpora.pair_corpus import PairCorpus
    from quatrain.corpora.text import TextCorpus
    from quatrain.data import pairs, text_rows

    if isinstance(corpus, PairCorpus):
        return lambda: pairs.training_texts(corpus), sum(map(len, pairs.training_texts(corpus)))
    if isinstance(corpus, TextCorpus):
        return lambda: text_rows.training_texts(corpus), corpus.characters("train")
    raise UserError(
        f"data._target_={target} gives no corpus of text or pairs to train a tokenizer on; choose data=masked_text,"
        " data=windows or data=pairs with the same data.source."
    )


def _told(what: str, texts: Texts, characters: int) -> Texts:
    """``texts``, each pass over which is told on a terminal where it takes long."""

    def read() -> Iterator[str]:
        done = 0
        with ProgressLine(what, total=characters, unit="characters") as line:
            for text in texts():
                yield text
                done += len(text)
                line.show(done, done)

    return read


def _free_name(root: Path, overrides: Sequence[str], tokenizer: Any) -> Path:
    """``<root>/<time>-<tag>-<hash>`` with the hash of the tokenizer's content, numbered where that is taken."""
    from quatrain.runs.naming import readable_tag, time_part

    name = f"{time_part()}-{readable_tag(overrides)}-{tokenizer.fingerprint[:8]}"
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(root / one for one in names if not (root / one).exists())


def _made_of(
    config: Mapping[str, Any], overrides: Sequence[str], corpus: Any, counts: Mapping[str, int]
) -> dict[str, Any]:
    from quatrain.runs.launch_command import launch_command
    from quatrain.runs.packages import code_fingerprint, versions
    from quatrain.runs.provenance import without_secrets

    return {
        "command": launch_command(overrides),
        "time": datetime.now().astimezone().isoformat(timespec="seconds"),
        "data": {
            "corpus": corpus.name,
            "fingerprint": corpus.fingerprint,
            "split": "train",
            "config": without_secrets(config["data"]),
        },
        "training_text": dict(counts),
        "tokenizer": {"config": without_secrets(config["tokenizer"])},
        "versions": versions(),
        "code": code_fingerprint(),
    }
