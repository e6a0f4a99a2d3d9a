"""quatrain sync: upload to Weights & Biases what was tracked offline.

    quatrain sync                                all runs below outputs
    quatrain sync RUN [SWEEP FOLDER ...]         these runs, or all that a folder holds
    quatrain sync --list                         only say what would be uploaded

For example, after quatrain train logger=wandb logger.wandb.mode=offline run.dir=outputs/sonnets:

    quatrain sync --list outputs/sonnets

Each file is uploaded once: what is done is marked beside it (.synced), as W&B's own command does. A run that was
resumed has a file for each time, which are uploaded in their order into one run. Other trackers write straight to where
they are looked at. docs/wandb.md tells more.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quatrain.tracking.wandb_sync import Waiting

OUTPUTS = Path("outputs")


def main(arguments: list[str]) -> int:
    """Run ``quatrain sync``; return its exit code: 1 where a file could not be uploaded."""
    from quatrain.commands.arguments import arguments_of, read_arguments

    parser = arguments_of("sync", __doc__)
    parser.add_argument("paths", nargs="*", metavar="RUN", help="a run, a sweep, or a folder that holds some; outputs")
    parser.add_argument("--list", action="store_true", dest="only_list", help="say what would be uploaded, and stop")
    asked = read_arguments(parser, arguments)
    if asked is None:
        return 0
    from quatrain.core.terminal import one_line
    from quatrain.tracking.wandb_sync import waiting

    files = waiting(_trackings([Path(path) for path in asked.paths] or [OUTPUTS]))
    if asked.only_list:
        for one in files:
            print(one_line(str(one.segment.file.parent)))
    if not files or asked.only_list:
        print(f"{len(files)} to upload" if files else "Nothing is left to upload.", file=sys.stderr)
        return 0
    return _upload(files)


def _upload(files: "Sequence[Waiting]") -> int:
    from importlib.util import find_spec

    from quatrain.core.errors import UserError
    from quatrain.core.progress_line import ProgressLine
    from quatrain.tracking.wandb_sync import check_server, upload

    if find_spec("wandb") is None:
        raise UserError("quatrain sync needs wandb, which is not installed; run pip install 'quatrain[wandb]'.")
    address = check_server()
    count = 0

    def done(one: "Waiting") -> None:
        nonlocal count
        count += 1
        line.show(count, count)

    with ProgressLine("uploading", total=len(files), unit="files", millions=False) as line:
        wrong = upload(files, done)
    print(f"{count} of {len(files)} uploaded to {address}", file=sys.stderr)
    for sentence in UserError(wrong).sentences:
        print(f"error: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


def _trackings(paths: Sequence[Path]) -> list[Path]:
    """The folders ``tracking`` of all runs in or below ``paths``, each once, but of those that are under way.

    Raises:
        UserError: a path does not exist, or something in a run is a link that leads out of it.
    """
    from quatrain.core.errors import UserError
    from quatrain.core.terminal import one_line
    from quatrain.runs.directory import load_run

    absent = [path for path in paths if not path.exists()]
    if absent:
        raise UserError(f"{path} does not exist; name a run, a sweep, or a folder that holds some." for path in absent)
    found: dict[Path, None] = {}
    for path in paths:
        for config in sorted(path.absolute().rglob("config.yaml")):
            if not (config.parent / "tracking").is_dir():
                continue
            run = load_run(config.parent)
            if run.status_file.exists() and run.status().status == "running":
                print(f"{one_line(str(run.path))} is under way, and left for later", file=sys.stderr)
            else:
                found[run.tracking] = None
    return list(found)
