"""Reading pretrained weights: safetensors only, in float32, and loud about what is truly missing."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from quatrain.core.brought_files import keep_inside
from quatrain.core.errors import UserError
from quatrain.models.folder_checks import CONFIG_FILES, KEY, WEIGHT_FILES, check_folder, plain_config, read_json
from quatrain.models.limits import check_size
from quatrain.models.sources import fetched

NEW_BY_DESIGN = ("pooler",)
"""Parts of a body that a pretrained masked LM lacks and a classifier brings."""

log = logging.getLogger(__name__)


def load_weights(
    found: Any, source: str, revision: str | None, config: Any, attention: str | None
) -> tuple[Any, list[str]]:
    """The model of class ``found`` with the weights of ``source``, and the names of parameters that had none.

    A head that is absent or of another size (other labels) starts at random; the body must be whole. Only safetensors
    files of the folder itself are read, and ``config`` must be that of `load_config`.

    Raises:
        UserError: no safetensors file, an architecture that the class does not know, or a body that does not fit.
        NotNow: the hub does not give the files.
    """
    from safetensors import SafetensorError

    folder = fetched(source, revision, WEIGHT_FILES)
    if wrong := check_folder(folder, source):
        raise UserError(wrong)
    try:
        with _quiet():
            model, report = found.from_pretrained(
                folder,
                config=config,
                attn_implementation=attention,
                use_safetensors=True,
                local_files_only=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
                **_plainly(),
            )
    except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
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
    """The config that lies beside the weights, without what it says of code, kernels and other places.

    Raises:
        UserError: it cannot be read or is of no family that transformers knows.
        NotNow: the hub does not give it.
    """
    from transformers import CONFIG_MAPPING

    folder = fetched(source, revision, CONFIG_FILES)
    config = plain_config(read_json(keep_inside(folder / "config.json", folder, KEY)))
    if wrong := check_size(config, KEY):
        raise UserError(wrong)
    family = config.get("model_type") or _family_by_name(source)
    if not isinstance(family, str) or family not in CONFIG_MAPPING:
        raise UserError(
            f"{KEY}={source}: its config.json names model_type={family!r:.100}, a family that transformers has not, and"
            " a model's own code is never run; name other weights."
        )
    try:
        return CONFIG_MAPPING[family].from_dict(config)
    except Exception as error:  # each family validates in its own way
        what = " ".join(str(error).split())[:300].rstrip(".")
        raise UserError(f"{KEY}={source}: its config.json cannot be used ({what}); name other weights.") from error


def _family_by_name(source: str) -> str | None:
    """The family that the name of weights tells, where an old config.json does not."""
    from transformers import CONFIG_MAPPING

    return next((family for family in sorted(CONFIG_MAPPING, key=len, reverse=True) if family in source), None)


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
