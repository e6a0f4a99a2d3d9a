"""Reading pretrained weights: safetensors only, in float32, and loud about what is truly missing."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from quatrain.core.errors import UserError

KEY = "model.weights"
NEW_BY_DESIGN = ("pooler",)
"""Parts of a body that a pretrained masked LM lacks and a classifier brings."""

log = logging.getLogger(__name__)


def load_weights(
    found: Any, source: str, revision: str | None, config: Any, attention: str | None
) -> tuple[Any, list[str]]:
    """The model of class ``found`` with the weights of ``source``, and the names of parameters that had none.

    A head that is absent or of another size (other labels) starts at random; the body must be whole.

    Raises:
        UserError: no safetensors file, an architecture that the class does not know, or a body that does not fit.
    """
    try:
        with _quiet():
            model, report = found.from_pretrained(
                source,
                revision=revision or "main",
                config=config,
                attn_implementation=attention,
                use_safetensors=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
                **_plainly(),
            )
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        what = " ".join(str(error).split())[:300].rstrip(".")
        raise UserError(
            f"{KEY}={source} cannot be loaded as {found.__name__} ({what}); "
            "name weights in the safetensors format whose architecture fits the task."
        ) from error
    missing = sorted({*report["missing_keys"], *(entry[0] for entry in report["mismatched_keys"])})
    _check_body(model, missing, source)
    if missing:
        log.info("New and random, because %s has no weights for them: %s", source, ", ".join(missing))
    names = {name for name, _ in model.named_parameters()}
    return model, [name for name in missing if name in names]


def load_config(source: str, revision: str | None) -> Any:
    """The config that lies beside the weights.

    Raises:
        UserError: it cannot be read or is of no family that transformers knows.
    """
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(source, revision=revision or "main", trust_remote_code=False)
    except (OSError, ValueError) as error:
        what = " ".join(str(error).split())[:300].rstrip(".")
        raise UserError(f"{KEY}={source}: its config.json cannot be used ({what}); name other weights.") from error


def _check_body(model: Any, missing: list[str], source: str) -> None:
    from quatrain.models.layers import body_name

    body = body_name(model)
    lost = [
        name
        for name in missing
        if name.startswith(body) and body and not any(f".{part}." in name for part in NEW_BY_DESIGN)
    ]
    if lost:
        raise UserError(
            f"{KEY}={source} lacks {len(lost)} parameters of the body of {type(model).__name__}, or has them in "
            f"another size (such as {lost[0]}); name weights of this architecture, whose config.json belongs to them."
        )


def _plainly() -> dict[str, Any]:
    import torch

    return {"dtype": torch.float32, "trust_remote_code": False}


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bar and no report of new heads while loading; what is wrong is judged from the report itself."""
    from transformers.utils import logging as theirs

    level, bar = theirs.get_verbosity(), theirs.is_progress_bar_enabled()
    theirs.set_verbosity_error()
    theirs.disable_progress_bar()
    try:
        yield
    finally:
        theirs.set_verbosity(level)
        if bar:
            theirs.enable_progress_bar()
