"""quatrain preprocess: clean and validate raw data, and write files ready to train on.

    quatrain preprocess data=sonnets data.source=FILE run.dir=DIR
    quatrain train experiment=sonnets_roberta data.source=DIR

Writes train, validation and test as JSON lines, and report.json and report.md: what was changed and dropped, with
counts and examples. Training runs the same code. Takes the overrides of quatrain train, which quatrain train --help
lists.

Several jobs make one corpus, the same to the byte, on any launcher:

    quatrain preprocess -m preprocess.shards=8 'preprocess.shard=range(8)' data.source=FILE run.dir=DIR sweep.jobs=2
    quatrain preprocess preprocess.shards=8 preprocess.shard=3 data.source=FILE run.dir=DIR       one of them by hand

Each makes its part, and the last one joins them. The same command again does what is missing.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quatrain.core.terminal import printable


def main(arguments: list[str]) -> int:
    """Run ``quatrain preprocess``; return its exit code."""
    from quatrain.config.command_line import read
    from quatrain.config.preprocessing import Preprocessed
    from quatrain.sweeps.corpus_jobs import tell_all
    from quatrain.sweeps.job import Job
    from quatrain.sweeps.local import SweepInterrupted

    if {"--help", "-h"} & set(arguments):
        print(__doc__)
        return 0
    try:
        asked = read("preprocess", arguments)
    except SweepInterrupted as interrupted:
        print(interrupted, file=sys.stderr)
        return interrupted.code
    if isinstance(asked, Preprocessed):
        return tell_all(asked.ended, asked.total)
    if isinstance(asked, Job) and (folder := preprocess(asked.config)):
        print(printable((folder / "report.md").read_text(encoding="utf-8")))
        print(f"written to {folder}; train on it with data.source={folder}", file=sys.stderr)
    return 0


def preprocess(config: Mapping[str, Any]) -> Path | None:
    """Preprocess the data of a composed config, or one shard of them; return the folder, where it is complete.

    Raises:
        UserError: the input cannot be used, the folder holds something else, or the shard's number is missing.
    """
    from quatrain.config.preprocessing import check_shard
    from quatrain.runs.preprocessing import preprocess as at_once
    from quatrain.runs.preprocessing import preprocess_shard

    check_shard(config)
    shard, shards = config["preprocess"]["shard"], config["preprocess"]["shards"]
    if shard is None:
        return at_once(config)
    outcome = preprocess_shard(config, lambda sentence: print(sentence, file=sys.stderr, flush=True))
    print(outcome.sentence(shard, shards), file=sys.stderr)
    return outcome.published
