"""quatrain evaluate: score a model on held-out data, with intervals.

    quatrain train run.dir=outputs/sonnets
    quatrain evaluate outputs/sonnets
    quatrain evaluate outputs/sonnets --split validation --json

    quatrain evaluate FOLDER --source reviews.csv --text review --label stars --output scores.json

Of a run (RUN, or its export) the data is its own, tokenized, cut and masked as in its validation; --source takes other
data, all of it where it brings no splits. The metrics are those of training, each with the 95 % interval of a bootstrap
over examples. The table goes to standard output; a run keeps the numbers in its evaluation.json. docs/evaluate.md
explains every number.
"""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from quatrain.commands.asked import load_target, tell
from quatrain.core.json_text import ascii_json


def main(arguments: list[str]) -> int:
    """Run ``quatrain evaluate``; return its exit code."""
    from quatrain.commands.arguments import add_target, arguments_of, read_arguments

    parser = arguments_of("evaluate", __doc__)
    add_target(parser)
    _add_options(parser)
    asked = read_arguments(parser, arguments)
    if asked is None:
        return 0
    output = Path(asked.output).expanduser() if asked.output else None
    for sentence in _evaluated(asked, output):
        tell(sentence)
    return 0


def _wrong(output: Path | None) -> list[str]:
    """What is wrong with the place of the JSON, told before the work and not after."""
    if output is None:
        return []
    if os.path.lexists(output):
        return [f"--output {output} exists already; name a new file."]
    if not output.absolute().parent.is_dir():
        return [f"--output {output}: there is no folder {output.absolute().parent}; make it, or name another place."]
    return []


def _add_options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--split", help="which split; without it test where that has labels, else validation")
    add("--source", metavar="DATA", help="other data: a file, folder, glob, URL or hub:NAME, as data.source takes them")
    add("--text", metavar="COLUMN", help="of --source: the column of the text, of the first of a pair")
    add("--text-pair", metavar="COLUMN", help="the column of the second text")
    add("--label", metavar="COLUMN", help="the column of the label; label without it")
    add("--glue-task", metavar="TASK", help="a task of GLUE, for its columns, classes and metrics")
    add("--documents", choices=("whole", "paragraphs", "lines", "sonnets"), help="what a document of a text is")
    add("--sha256", metavar="HASH", help="of the file, where --source is a URL")
    add("--max-length", type=_count, metavar="N", help="tokens of an example; else the run's, or the model's positions")
    add("--batch-size", type=_count, metavar="N", help="examples scored at once; else the run's")
    add("--resamples", type=_count, default=1000, metavar="N", help="of the bootstrap; 1000 without it")
    add("--seed", type=int, default=0, metavar="N", help="of the bootstrap; 0 without it")
    add("--json", action="store_true", help="print JSON in place of the table")
    add("--output", metavar="FILE", help="write the JSON to this new file too")


def _evaluated(asked: Namespace, output: Path | None) -> list[str]:
    """Score, show, and keep the numbers; return what is to be said besides."""
    loaded = load_target(asked, "evaluate", _wrong(output))
    target = loaded.target
    from quatrain.inference.bootstrap import Resampling
    from quatrain.inference.data_options import FLAGS, DataOptions
    from quatrain.inference.evaluation import evaluate
    from quatrain.inference.evaluation_file import record
    from quatrain.inference.evaluation_table import table
    from quatrain.runs.directory import write_json
    from quatrain.runs.evaluations import read_evaluations
    from quatrain.runs.run_log import quiet_libraries
    from quatrain.runs.weights import weights_fingerprint

    if target.run:
        read_evaluations(target.run)  # refuses a file of someone else's before the work, not after
    if target.task == "sequence_classification" and not sys.stderr.isatty():
        import datasets

        datasets.disable_progress_bars()
    quiet_libraries()
    options = DataOptions(**{name: getattr(asked, name) for name in FLAGS})
    resampling = Resampling(asked.resamples, asked.seed)
    evaluation = evaluate(loaded, split=asked.split, source=asked.source, options=options, resampling=resampling)
    told = list(evaluation.notes)
    try:
        if target.run:
            name = record(target.run, evaluation, weights_fingerprint(loaded.model))
            told.append(f"kept as {name} in {target.run.evaluation}")
        if output:
            write_json(output, evaluation.plain())
            told.append(f"written to {output}")
    finally:  # a full disk does not take what was scored, and who reads no further does not take what is kept
        sys.stdout.write(ascii_json(evaluation.plain()) if asked.json else table(evaluation))
        sys.stdout.flush()
    return told


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text} must be a whole number from 1 on")
    return int(text)
