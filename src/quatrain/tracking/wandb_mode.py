"""Whether a run is shown by W&B's server as it goes on, or kept on disk to be uploaded later."""

import json
import os
from contextlib import suppress
from typing import Any, Literal, NamedTuple

from quatrain.core.errors import UserError
from quatrain.tracking.probe import ask
from quatrain.tracking.wandb_words import WORDS

Mode = Literal["auto", "online", "offline", "disabled"]

QUERY = "query Viewer { viewer { id username } }"


class Server(NamedTuple):
    """W&B's server by its address, and why it is of no use now, as half a sentence; None where it is ready."""

    address: str
    why: str | None


def choose_mode(asked: Mode) -> tuple[str, str]:
    """Return online, offline or disabled, and the reason; nothing is ever asked of a person.

    ``WANDB_MODE`` (or what ``wandb offline`` wrote) that forbids the network wins over all. ``auto`` is online where a
    key is configured and the server takes it within `quatrain.tracking.probe.PATIENCE` seconds.

    Raises:
        UserError: ``online`` was asked for and cannot be had.
    """
    if asked in ("offline", "disabled"):
        return asked, f"logger.wandb.mode={asked}"
    try:
        settings = wandb_settings()
    except UserError as error:
        if asked == "online":
            raise
        return "offline", str(error)
    mode = {"dryrun": "offline"}.get(settings.mode, settings.mode)
    if mode in ("offline", "disabled"):
        by = f"WANDB_MODE={os.environ['WANDB_MODE']}" if os.environ.get("WANDB_MODE") else f"W&B's settings say {mode}"
        return mode, by
    server = find_server(settings)
    if server.why is None:
        return "online", f"{server.address} takes the key"
    if asked == "online":
        raise UserError(f"logger.wandb.mode=online: {server.why}; mend that, or leave logger.wandb.mode=auto.")
    return "offline", f"{server.why}; quatrain sync uploads it later"


def wandb_settings() -> Any:
    """Return W&B's settings, from its variables and files.

    Raises:
        UserError: they cannot be read.
    """
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # no reports of its own troubles to W&B
    import wandb
    from wandb.sdk import wandb_setup

    try:
        found = wandb_setup.singleton().settings
        wandb.termsetup(wandb.Settings(silent=True), WORDS)
        return found
    except Exception as error:
        what = " ".join(str(error).split())[:300]
        raise UserError(f"W&B refuses its settings; mend the variables WANDB_...: {what}") from error


def find_server(settings: Any) -> Server:
    """Return W&B's server, and whether it takes the key that is configured."""
    from wandb.errors import AuthenticationError
    from wandb.sdk.lib import wbauth

    address = str(settings.base_url).rstrip("/")
    try:
        found = wbauth.authenticate_session(host=address, source="quatrain", prompt=False, update_session=False)
    except (AuthenticationError, ValueError) as error:
        return Server(address, f"the W&B key is malformed ({' '.join(str(error).split())[:120]})")
    if found is None:
        return Server(address, "no W&B key is configured (set WANDB_API_KEY, or run wandb login)")
    key = getattr(found, "api_key", None)
    proxies = {name: url for name in ("http", "https") if (url := getattr(settings, f"{name}_proxy"))}
    answer = ask(
        "POST",
        f"{address}/graphql",
        json={"query": QUERY},
        auth=("api", key) if key else None,
        proxies=proxies or None,
        verify=not settings.insecure_disable_ssl,
    )
    return Server(address, _wrong(address, answer.status, answer.text, answer.why, key is not None))


def _wrong(address: str, status: int, text: str, why: str | None, has_key: bool) -> str | None:
    if why is not None:
        return f"{address} {why}"
    if status in (401, 403):
        return f"{address} refuses the key"
    if status != 200:
        return f"{address} answers with HTTP status {status}"
    viewer: Any = None
    with suppress(ValueError, KeyError, TypeError):
        viewer = json.loads(text)["data"]["viewer"]
    return f"{address} refuses the key" if has_key and not viewer else None
