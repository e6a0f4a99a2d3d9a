"""quatrain preprocess: clean and validate raw data, and write files ready to train on.

    quatrain preprocess data=sonnets data.source=FILE run.dir=DIR
    quatrain train experiment=sonnets_roberta data.source=DIR

Writes train, validation and test as JSON lines, and report.json and report.md: what was changed and dropped, with
counts and examples. Training runs the same code. Takes the overrides of quatrain train, which quatrain train --help
lists.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quatrain.core.terminal import printable


def main(arguments: list[str]) -> int:
    """Run ``quatrain preprocess``; return its exit code."""
    from quatrain.config.command_line import read
    from quatrain.sweeps.job import Job

    if {"--help", "-h"} & set(arguments):
        print(__doc__)
        return 0
    asked = read("preprocess", arguments)
    if isinstance(asked, Job):
        folder = preprocess(asked.config)
        print(printable((folder / "report.md").read_text(encoding="utf-8")))
        print(f"written to {folder}; train on it with data.source={folder}", file=sys.stderr)
    return 0


def preprocess(config: Mapping[str, Any]) -> Path:
    """Write the processed files of a composed config's data to ``run.dir``, or to a folder named after its content.

    Raises:
        UserError: the input cannot be used, or the folder exists.
    """
    from quatrain.core.build import build
    from quatrain.corpora.processed import write_text
    from quatrain.corpora.processed_pairs import write_pairs
    from quatrain.corpora.text import TextCorpus

    workers = {"num_workers": 0} if "num_workers" in config["data"] else {}  # no batch is loaded here
    corpus = build(config["data"], "data", tokenizer=None, **workers).corpus()
    made = Path(config["run"]["root"]) / "preprocessed" / f"{corpus.name}-{corpus.fingerprint[:8]}"
    folder = Path(config["run"]["dir"] or made).absolute()
    if isinstance(corpus, TextCorpus):
        write_text(corpus, folder, key="run.dir")
    else:
        write_pairs(corpus, folder)
    return folder
