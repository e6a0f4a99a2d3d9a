"""quatrain train-tokenizer: a tokenizer alone, from the training split of a corpus, saved for AutoTokenizer.

    quatrain train-tokenizer tokenizer=bpe data.source=FILE
    quatrain train-tokenizer tokenizer=wordpiece tokenizer.vocab_size=4000 run.dir=my_tokenizer
    quatrain train tokenizer=pretrained tokenizer.source=my_tokenizer

The second line works on any machine: without data.source the corpus is the embedded verse. Takes the overrides of
quatrain train, which quatrain train --help lists; only data and tokenizer matter. A run with the folder has the ids
of a run that trains the tokenizer itself. The folder (outputs/tokenizers/TIME-... unless run.dir names one) goes to
standard output, what is worth knowing of the tokenizer to standard error.
"""

import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from quatrain.core.terminal import one_line

if TYPE_CHECKING:
    from quatrain.runs.tokenizer_training import TrainedTokenizer


def main(arguments: list[str]) -> int:
    """Run ``quatrain train-tokenizer``; return its exit code."""
    from quatrain.config.command_line import read
    from quatrain.sweeps.job import Job

    if {"--help", "-h"} & set(arguments):
        print(__doc__)
        return 0
    asked = read("train-tokenizer", arguments, _refuse_ready)
    if isinstance(asked, Job):
        from quatrain.runs.tokenizer_training import train_tokenizer

        trained = train_tokenizer(asked.config, asked.overrides)
        for name, value in _lines(trained):
            print(f"{name:<22}{one_line(value)}", file=sys.stderr)
        print(trained.folder, flush=True)
        print(f"train on it with {_use(trained, asked.config['tokenizer'])}", file=sys.stderr)
    return 0


def _refuse_ready(config: dict[str, Any]) -> None:
    """Refuse a tokenizer that needs no training, before its files are looked for."""
    from quatrain.core.build import locate
    from quatrain.core.errors import UserError
    from quatrain.runs.tokenizer_training import no_training

    node = config.get("tokenizer")
    try:
        found = (
            locate(node["_target_"], "tokenizer._target_") if isinstance(node, dict) and "_target_" in node else None
        )
    except UserError:
        return  # the check tells it
    if isinstance(node, dict) and getattr(found, "needs_training", None) is False:
        raise UserError(no_training(node))


def _lines(trained: "TrainedTokenizer") -> Iterator[tuple[str, str]]:
    from quatrain.runs.tokenizer_facts import special_lines

    facts, counts = trained.facts, trained.counts
    tokens = max(1, counts["tokens"])
    yield "class", facts["class"]
    yield "vocabulary", f"{facts['vocabulary']:,}"
    yield "special tokens", special_lines(facts["special_tokens"])
    yield (
        "training text",
        f"{counts['characters']:,} characters, {counts['words']:,} words, {counts['tokens']:,} tokens",
    )
    yield "tokens per word", f"{counts['tokens'] / max(1, counts['words']):.3f}"
    yield "characters per token", f"{counts['characters'] / tokens:.3f}"
    yield "longest tokens", ", ".join(json.dumps(token, ensure_ascii=False) for token in trained.longest)
    yield "unknown", f"{counts['unknown']:,} ({counts['unknown'] / tokens:.2%})"


def _use(trained: "TrainedTokenizer", node: Mapping[str, Any]) -> str:
    """The overrides that take the tokenizer: what may stand in a text is not in its files."""
    words = ["tokenizer=pretrained", f"tokenizer.source={trained.folder}"]
    if "allowed_special" in node and node["allowed_special"] is not None:
        words.append(f"tokenizer.allowed_special={json.dumps(node['allowed_special'], ensure_ascii=False)}")
    return shlex.join(words)
