"""Preprocessing by a frozen config, all or one shard; as a process: python -m quatrain.runs.preprocessing FOLDER."""

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.core.exit_codes import DONE, FAILED
from quatrain.corpora.sharded import Outcome, Place, Shardable, make_shard

REQUEST, ANSWER = "request.json", "answer.json"


def place_of(config: Mapping[str, Any]) -> Place:
    """Where the corpus of a config goes."""
    own = config["run"]["dir"]
    return Place(Path(own).absolute() if own else None, (Path(config["run"]["root"]) / "preprocessed").absolute())


def preprocess(config: Mapping[str, Any]) -> Path:
    """Write the processed files of a composed config's data to ``run.dir``, or to a folder named after its content.

    Raises:
        UserError: the input cannot be used, or the folder exists.
    """
    from quatrain.corpora.processed import write_text
    from quatrain.corpora.processed_pairs import write_pairs
    from quatrain.corpora.text import TextCorpus

    corpus = _data(config).corpus()
    place = place_of(config)
    folder = place.folder or place.named(corpus.name, corpus.fingerprint)
    if isinstance(corpus, TextCorpus):
        write_text(corpus, folder, key="run.dir")
    else:
        write_pairs(corpus, folder)
    return folder


def preprocess_shard(config: Mapping[str, Any], say: Callable[[str], None]) -> Outcome:
    """Make the shard ``preprocess.shard`` of ``preprocess.shards``, and publish the corpus if it was the last.

    Raises:
        UserError: as `make_shard`, or the data cannot be made in shards.
    """
    shards = config["preprocess"]["shards"]
    return make_shard(_shardable(config), place_of(config), config["preprocess"]["shard"] or 0, shards, say)


def _shardable(config: Mapping[str, Any]) -> Shardable:
    from quatrain.corpora.sharded_pairs import ShardedPairs
    from quatrain.corpora.sharded_text import ShardedText
    from quatrain.corpora.text import TextCorpus

    data = _data(config)
    if hasattr(data, "unread"):
        return ShardedPairs(data.unread())
    corpus = data.corpus()
    if isinstance(corpus, TextCorpus):
        return ShardedText(corpus)
    raise UserError(
        f"data._target_={config['data']['_target_']} gives no corpus that can be made in shards; leave out"
        " preprocess.shards and --multirun (-m)."
    )


def _data(config: Mapping[str, Any]) -> Any:
    from quatrain.core.build import build

    workers = {"num_workers": 0} if "num_workers" in config["data"] else {}  # no batch is loaded here
    return build(config["data"], "data", tokenizer=None, **workers)


def main(arguments: list[str]) -> int:
    """Make the shard that the request in a folder asks for, and leave an answer there; return the exit code."""
    from quatrain.core.asking import ASKING, let_in
    from quatrain.runs.processes import end_with_parent

    end_with_parent()
    for number in ASKING:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    let_in()
    folder = Path(arguments[0])
    config = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    said: list[str] = []
    try:
        outcome = preprocess_shard(config, said.append)
        sentence = outcome.sentence(config["preprocess"]["shard"] or 0, config["preprocess"]["shards"])
        answer: dict[str, Any] = {
            "said": said,
            "sentence": sentence,
            "published": outcome.published and str(outcome.published),
        }
    except UserError as error:
        answer = {"said": said, "mistakes": error.sentences}
    except KeyboardInterrupt:
        return FAILED
    partial = folder / f"{ANSWER}.partial"
    partial.write_text(json.dumps(answer), encoding="utf-8")
    os.replace(partial, folder / ANSWER)  # noqa: PTH105 - as a whole
    return DONE if "sentence" in answer else FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
