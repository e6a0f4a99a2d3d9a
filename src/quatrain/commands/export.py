"""quatrain export: hand a finished run on, as a folder for transformers or as one ONNX file.

    quatrain export outputs/quick_sonnets/*                          into RUN/export, made again from the checkpoint
    quatrain export outputs/quick_sonnets/* --to my-model            into a new folder
    quatrain export outputs/quick_sonnets/* --format onnx            into RUN/export-onnx; needs 'quatrain[onnx]'

(after one quatrain train; with several runs name one of them). The model is built from the run's config, its checkpoint
and nothing else, adapters are merged, and what is written is loaded again and held against the checkpoint's own logits
before it appears. The folder has the model, its config, the tokenizer and a model card; it is printed on standard
output. docs/export.md tells the rest.
"""

import sys
from pathlib import Path

from quatrain.core.exit_codes import DONE, FAILED
from quatrain.core.terminal import one_line


def main(arguments: list[str]) -> int:
    """Run ``quatrain export``; return its exit code."""
    from quatrain.commands.arguments import arguments_of, read_arguments

    parser = arguments_of("export", __doc__)
    parser.add_argument("run", metavar="RUN", help="the run directory")
    parser.add_argument("--to", metavar="DIR", help="a new folder; without it one in RUN, replaced whole")
    parser.add_argument(
        "--format",
        choices=("safetensors", "onnx"),
        default="safetensors",
        help="safetensors: for transformers; onnx: model.onnx for ONNX Runtime",
    )
    parser.add_argument(
        "--checkpoint",
        choices=("best", "last"),
        default="best",
        help="best: of the best validation score; last: of the last step, which needs --to",
    )
    asked = read_arguments(parser, arguments)
    if asked is None:
        return DONE
    from quatrain.runs.directory import load_run
    from quatrain.runs.export import ExportMismatch
    from quatrain.runs.exporting import hand_on

    place = Path(asked.to).expanduser().absolute() if asked.to else None
    try:
        folder = hand_on(load_run(asked.run), place=place, form=asked.format, which=asked.checkpoint, tell=_tell)
    except ExportMismatch as error:
        _tell(f"error: {asked.run} could not be handed on, and nothing was written: {error}.")
        return FAILED
    print(one_line(str(folder)))
    return DONE


def _tell(sentence: str) -> None:
    print(one_line(sentence), file=sys.stderr, flush=True)
