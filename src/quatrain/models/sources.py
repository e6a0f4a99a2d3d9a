"""Where a model's weights lie: a folder, a run of ours, or the hub. Loads no torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quatrain.core.brought_files import stray
from quatrain.core.errors import NotNow, UserError
from quatrain.models.folder_checks import KEY, check_folder, read_json


def weights_folder(weights: str) -> Path | None:
    """The local folder that ``weights`` names, a run directory's ``export/`` for a run of ours; None for a hub name."""
    folder = Path(weights).expanduser()
    if not folder.exists():
        return None
    is_run = (folder / "config.yaml").is_file()
    return folder / "export" if is_run else folder


def model_config_of(weights: str) -> dict[str, Any] | None:
    """The ``config.json`` of a local folder or run as a dict; None where there is none to read (such as a hub name)."""
    folder = weights_folder(weights)
    if folder is None or not (folder / "config.json").is_file() or stray(folder / "config.json", folder, KEY):
        return None
    try:
        return read_json(folder / "config.json")
    except UserError:
        return None


def check_weights(weights: str) -> list[str]:
    """What is wrong with the local folder that ``weights`` names; a hub name cannot be judged here and passes."""
    folder = weights_folder(weights)
    if folder is None:
        return [] if _looks_like_hub(weights) else [_missing(weights)]
    if not folder.is_dir():
        if folder.name == "export":
            return [f"{KEY}={weights} is a run that has exported no model; finish it, or name another run or folder."]
        return [f"{KEY}={weights} is a file; name the folder that holds config.json and model.safetensors."]
    run = Path(weights).expanduser()
    if folder != run and (sentence := stray(folder, run, KEY)):
        return [sentence]
    if not (folder / "config.json").is_file():
        return [f"{KEY}={weights} has no readable config.json; name the folder that save_pretrained wrote."]
    return check_folder(folder, weights)


def resolve(weights: str, revision: str | None) -> tuple[str, str | None]:
    """What ``from_pretrained`` is to be given: a path and None, or a hub name and its commit.

    Raises:
        UserError: as `check_weights`, or the hub does not know the name.
        NotNow: the hub cannot be reached.
    """
    wrong = check_weights(weights)
    if wrong:
        raise UserError(wrong)
    folder = weights_folder(weights)
    if folder is not None:
        return str(folder), None
    from quatrain.corpora.hub import resolve_commit

    return weights, resolve_commit(weights, "model", revision, KEY)


def fetched(source: str, commit: str | None, files: Sequence[str]) -> Path:
    """The folder with the ``files`` (patterns) of what `resolve` returned; of a hub name they are downloaded.

    Raises:
        NotNow: the hub does not give them.
    """
    if commit is None:
        return Path(source)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(source, revision=commit, allow_patterns=list(files)))
    except Exception as error:  # any of the many errors of the network
        what = " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__
        raise NotNow(
            f"{KEY}={source} could not be fetched from the hub ({what}); try again, or name a local folder with"
            f" {KEY}=DIR."
        ) from error


def _looks_like_hub(weights: str) -> bool:
    from quatrain.corpora.hub import is_hub_name

    return is_hub_name(weights)


def _missing(weights: str) -> str:
    from difflib import get_close_matches

    path = Path(weights).expanduser()
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, siblings, n=1)
    hint = f"did you mean {path.parent / near[0]}?" if near else "name a folder, a run directory or a hub name."
    return f"{KEY}={weights} does not exist; {hint}"
