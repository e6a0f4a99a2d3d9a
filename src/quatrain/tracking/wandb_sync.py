"""Uploading what W&B kept on disk, by W&B's own code, each run's files in their order and once."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from quatrain.core.errors import NotNow, UserError
from quatrain.tracking.wandb_files import Segment, marker, segments
from quatrain.tracking.wandb_mode import find_server, wandb_settings

POLL_SECONDS = 0.1
ERROR = 40
"""W&B's severities are those of Python's logging."""


class Waiting(NamedTuple):
    """A file to upload, and whether it goes on with what was uploaded before."""

    segment: Segment
    goes_on: bool


def waiting(trackings: Iterable[Path]) -> list[Waiting]:
    """What is not uploaded yet below the ``tracking`` folders of runs, in the order in which it must be."""
    found = []
    for tracking in trackings:
        seen: set[str] = set()
        for segment in segments(tracking):
            if not segment.uploaded:
                found.append(Waiting(segment, segment.run_id in seen))
            seen.add(segment.run_id)
    return found


def check_server() -> str:
    """Return the address of W&B's server, which takes the key that is configured.

    Raises:
        NotNow: it cannot be used now, with the reason.
    """
    server = find_server(wandb_settings())
    if server.why:
        raise NotNow(f"Nothing is uploaded: {server.why}.")
    return server.address


def upload(files: Iterable[Waiting], done: Callable[[Waiting], None]) -> list[str]:
    """Upload ``files``, one after the other; ``done`` hears of each that is uploaded.

    A file that fails stays as it is, and so do those that go on with it; return a sentence for each failure. A file
    that starts a run replaces what an earlier, broken upload of it has left.
    """
    import wandb

    wrong: list[str] = []
    broken: set[str] = set()
    try:
        for one in files:
            file, run_id = one.segment.file, one.segment.run_id
            if run_id in broken:
                wrong.append(f"{file} waits for the part of the run before it.")
            elif why := _upload(one):
                broken.add(run_id)
                marker(file).unlink(missing_ok=True)  # W&B sets it also where the network failed
                wrong.append(f"{file} could not be uploaded: {why}")
            else:
                marker(file).touch()
                done(one)
    finally:
        wandb.teardown()
    return wrong


def _upload(one: Waiting) -> str | None:
    """Why W&B could not upload a file; None where it could."""
    from wandb.sdk import wandb_setup
    from wandb.sdk.lib import wbauth

    singleton = wandb_setup.singleton()
    settings = wandb_settings().model_copy()
    address = str(settings.base_url)
    found = wbauth.authenticate_session(host=address, source="quatrain", prompt=False, update_session=False)
    if found is None:
        raise UserError("Nothing is uploaded: no W&B key is configured any more.")
    wbauth.settings.set_auth_settings(settings, found)
    settings.mode = "online"
    settings.resume = "allow" if one.goes_on else None
    service = singleton.ensure_service()
    said = singleton.asyncer.run(lambda: _replay(service, one.segment.file, settings))
    errors = [" ".join(message.content.split()) for message in said if message.severity >= ERROR]
    return "; ".join(errors)[:500] or None


async def _replay(service: Any, file: Path, settings: Any) -> list[Any]:
    """Have W&B's service replay ``file`` to its server; return what it said."""
    begun = await service.init_sync(
        {file}, settings, cwd=None, live=False, entity="", project="", run_id="", job_type="", tag_replacements={}
    )
    number = (await begun.wait_async(timeout=5)).id
    handle = await service.sync(number, parallelism=1)
    task = asyncio.ensure_future(handle.wait_async(timeout=None))
    said: list[Any] = []
    while not task.done():
        await asyncio.wait([task], timeout=POLL_SECONDS)
        status = await (await service.sync_status(number)).wait_async(timeout=None)
        said += status.new_messages
    return [*said, *task.result().messages]
