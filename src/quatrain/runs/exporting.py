"""A finished run handed on: its model written once more, in the form that is asked for, and proved."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from quatrain.core.errors import UserError
from quatrain.runs.chosen_checkpoint import Which
from quatrain.runs.directory import RunDirectory
from quatrain.runs.finished import require_done

if TYPE_CHECKING:
    from quatrain.runs.forms import Form

FOLDERS: "Mapping[Form, str]" = {"safetensors": "export", "onnx": "export-onnx"}
"""Where a form goes in the run directory, if no other place is named."""

ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def hand_on(
    run: RunDirectory,
    *,
    place: Path | None = None,
    form: "Form" = "safetensors",
    which: Which = "best",
    tell: Callable[[str], None],
) -> Path:
    """Write the model of ``run`` to a folder of its own, prove that it computes the same, and return the folder.

    Args:
        run: a run that is done.
        place: a new folder; None is that of `FOLDERS` in the run directory, whose content is replaced whole.
        form: safetensors for transformers, or one ONNX file.
        which: the checkpoint; ``last`` needs a ``place``, so that the run's own folders keep the best weights.
        tell: gets sentences on what is done.

    Raises:
        UserError: the run is not done, the place is taken, or missing for the last checkpoint, a package is missing, or
            the checkpoint cannot be used.
        NotNow: the folder cannot be written.
        ExportMismatch: what was written does not compute what the checkpoint does; nothing is left of it.
    """
    require_done(run)
    if which == "last" and place is None:
        raise UserError(
            f"--checkpoint last needs a folder of its own, for {run.path / FOLDERS[form]} holds the best weights, which"
            " other commands take; add --to DIR."
        )
    if form == "onnx":
        _require_onnx()
    if place is not None and os.path.lexists(place):
        raise UserError(f"--to={place} exists already; name a new folder.")
    folder = place or run.path / FOLDERS[form]
    with _alone(run, folder) if place is None else nullcontext():
        require_done(run)  # it may have been resumed before the lock was ours
        from quatrain.runs.forms import write
        from quatrain.runs.run_log import quiet_libraries
        from quatrain.runs.trained_model import trained_model

        trained = trained_model(run, which, tell)
        quiet_libraries()
        proof = write(run, trained, folder, form, replacing=place is None)
    tell(
        f"verified on {proof.rows} rows of 1 to {proof.longest} tokens: no logit differs by more than"
        f" {proof.apart:.2g} from the checkpoint's"
    )
    return folder


def _require_onnx() -> None:
    if missing := [package for package in ONNX_PACKAGES if find_spec(package) is None]:
        raise UserError(f"--format onnx needs {', '.join(missing)}; get it by: pip install 'quatrain[onnx]'")


@contextmanager
def _alone(run: RunDirectory, folder: Path) -> Iterator[None]:
    """No other command works on the run within the block, and what a killed one left half-written is gone."""
    import shutil

    from quatrain.runs.lock import locked

    with locked(run, run.command_lock):
        for left in folder.parent.glob(f".{folder.name}.*.tmp"):
            shutil.rmtree(left, ignore_errors=True)
        yield
