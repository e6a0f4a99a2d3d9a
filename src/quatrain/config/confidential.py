"""Nothing confidential reaches a frozen config: no key, no password, nothing of the environment."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from quatrain.core.errors import UserError
from quatrain.core.secrets import is_plain, is_secret_name, secret_kind

VARIABLES = {
    "wandb": "WANDB_API_KEY",
    "hf": "HF_TOKEN",
    "hub": "HF_TOKEN",
    "huggingface": "HF_TOKEN",
    "mlflow": "MLFLOW_TRACKING_TOKEN",
    "comet": "COMET_API_KEY",
    "neptune": "NEPTUNE_API_TOKEN",
}
"""Where libraries look for their keys themselves, by a word of the setting's name."""

_OWN = "the variable that the library reads itself, such as WANDB_API_KEY or HF_TOKEN,"
_READ_BY_ALL = "and config.yaml is for everyone to read"


def secrets_in(config: Any, key: str = "") -> Iterator[str]:
    """Yield a sentence for every value of ``config`` that is a secret; the value itself is never told.

    A value is one by its setting's name, or by itself: a URL with an account or a token, what has the form of a key,
    and what is the value of an environment variable with a secret's name.
    """
    if isinstance(config, dict):
        for name, value in config.items():
            place = f"{key}.{name}" if key else str(name)
            if kind := secret_kind(str(name)):
                yield f"A name under {key or 'the config'} holds {kind}, {_fix(place)}"
            elif is_secret_name(str(name)) and _could_be_secret(str(name), value):
                yield f"{place} holds a secret by its name, {_fix(place)}"
            else:
                yield from secrets_in(value, place)
    elif isinstance(config, list):
        for number, value in enumerate(config):
            yield from secrets_in(value, f"{key}[{number}]")
    elif isinstance(config, str) and (kind := secret_kind(config)):
        yield f"{key} holds {kind}, {_fix(key)}"


@contextmanager
def without_environment() -> Iterator[None]:
    """Within the block an interpolation of the environment (``${oc.env:NAME}``) is refused.

    Raises:
        UserError: a value asks for the environment.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from omegaconf.resolvers import oc

    OmegaConf.register_new_resolver("oc.env", _refuse, replace=True)
    try:
        yield
    except OmegaConfBaseException as error:
        if (name := _asked_for(error)) is None:
            raise
        key = error.full_key or "the config"
        raise UserError(
            f"{key} takes {name} from the environment by ${{oc.env:...}}, and config.yaml must say all itself; let the"
            f" shell write the value ({key}=${name}), or leave a secret to the library that reads its own variable."
        ) from error
    finally:
        OmegaConf.register_new_resolver("oc.env", oc.env, replace=True)


class _EnvironmentError(ValueError):
    """An interpolation of the environment was met; the message is the variable's name."""


def _refuse(name: str, default: Any = None) -> str:
    raise _EnvironmentError(name)


def _asked_for(error: BaseException | None) -> str | None:
    """The variable that an interpolation asked for, from anywhere in the chain of an error; None where none did."""
    while error is not None and not isinstance(error, _EnvironmentError):
        error = error.__cause__ or error.__context__
    return None if error is None else str(error)


def _could_be_secret(name: str, value: Any) -> bool:
    if isinstance(value, dict | list):
        held = value.values() if isinstance(value, dict) else value
        return any(_could_be_secret(name, item) for item in held)
    if isinstance(value, str):
        return not is_plain(name, value)
    return isinstance(value, int | float) and not isinstance(value, bool) and "token" not in name.lower()


def _fix(key: str) -> str:
    words = key.lower().replace("_", ".").split(".")
    found = next((variable for word, variable in VARIABLES.items() if word in words), None)
    if found is None and words[-1] in ("source", "weights"):
        return f"{_READ_BY_ALL}; fetch the file yourself and name your copy, or a public address."
    return f"{_READ_BY_ALL}; leave it out and set {found or _OWN} in the environment instead."
