"""quatrain preprocess -m: its jobs composed and checked, and run by whichever launcher."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from quatrain.config.compose import compose_here, hydra_at, hydra_composed, searched
from quatrain.config.folder import conf_folder
from quatrain.config.sweeping import folder_of, jobs_of, lines_of, unswept
from quatrain.core.errors import UserError
from quatrain.runs.preprocessing import preprocess_shard
from quatrain.sweeps.corpus_jobs import Made, make_all, tell
from quatrain.sweeps.job import Job

OURS = "hydra_plugins.quatrain.launcher.LocalLauncher"


@dataclass(frozen=True)
class Preprocessed:
    """How the jobs ended that could be started, out of how many."""

    ended: list[Made]
    total: int


def check_shard(config: Any) -> None:
    """Refuse shards without the number of one.

    Raises:
        UserError: in one sentence.
    """
    shards, shard = config["preprocess"]["shards"], config["preprocess"]["shard"]
    if shards > 1 and shard is None:
        raise UserError(
            f"preprocess.shards={shards} needs preprocess.shard, 0 to {shards - 1}; to make all of them add -m"
            f" 'preprocess.shard=range({shards})'."
        )


def sweep(arguments: list[str], folders: list[str]) -> Preprocessed:
    """Run the jobs that ``arguments`` span; must run inside of `quatrain.config.compose.hydra_at`.

    Raises:
        UserError: before anything is written, with every mistake of every job.
        SweepInterrupted: a signal ended it.
    """
    lines = lines_of(arguments, folders)
    jobs = jobs_of(lines, folders=folders, one_folder=True)
    for job in jobs:
        check_shard(job.config)
    _check_targets(jobs)
    composed = hydra_composed([*searched(folders), *unswept(arguments)], return_hydra_config=True)
    if composed.hydra.launcher._target_ == OURS:
        settings = composed.sweep
        return Preprocessed(make_all(jobs, at_once=settings.jobs, fail_fast=settings.fail_fast), len(jobs))
    return Preprocessed(_elsewhere(jobs, lines, [*searched(folders), *unswept(arguments)]), len(jobs))


def _check_targets(jobs: Sequence[Job]) -> None:
    """Refuse several corpora in one folder."""
    wanted = {job.config["run"]["dir"] for job in jobs} - {None}
    if not wanted or len(jobs) < 2:
        return
    for folder in wanted:
        there = [job for job in jobs if job.config["run"]["dir"] == folder]
        made = [_but_shard(job.config) for job in there]
        if any(one != made[0] for one in made):
            apart = next(job for job, one in zip(there, made, strict=True) if one != made[0])
            shown = " ".join(text for text in apart.apart if not text.startswith("preprocess.shard="))
            raise UserError(
                f"run.dir={folder} holds one corpus, and the jobs make several ({shown}); leave run.dir out, and each"
                " goes to a folder of its own, or sweep preprocess.shard alone."
            )


def _but_shard(config: Any) -> dict[str, Any]:
    return {**config, "preprocess": {"shards": config["preprocess"]["shards"]}}


def _elsewhere(jobs: Sequence[Job], lines: Sequence[Sequence[str]], arguments: list[str]) -> list[Made]:
    """Have another launcher than ours run the jobs, whose overrides Hydra has as ``lines``."""
    from hydra._internal.callbacks import Callbacks
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.plugins import Plugins
    from hydra.types import HydraContext, RunMode

    loader = GlobalHydra.instance().config_loader()
    name = "sweep.name=preprocess"
    config = loader.load_configuration("config", [*arguments, name], run_mode=RunMode.MULTIRUN)
    context = HydraContext(config_loader=loader, callbacks=Callbacks(config))
    launcher = Plugins.instance().instantiate_launcher(hydra_context=context, task_function=shard_here, config=config)
    folder = folder_of(config)
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    returned = launcher.launch([[*line, name] for line in lines], initial_job_idx=0)
    for place in new:
        with suppress(OSError):  # launchers make the sweep's folder, and some leave it empty
            place.rmdir()
    ended = [_made(job, account) for job, account in zip(jobs, returned, strict=True)]
    for made in ended:
        tell(made)
    return ended


def _made(job: Job, account: Any) -> Made:
    """What a launcher's account of a job says."""
    if account.status.name == "COMPLETED":
        return Made.of(job, account.return_value)
    error = account._return_value
    return Made(job, None, error.sentences if isinstance(error, UserError) else [f"{type(error).__name__}: {error}"])


def shard_here(_: Any) -> dict[str, Any]:
    """What launchers other than ours call for each job, in the process that they made for it."""
    config = _composed_here()
    said: list[str] = []
    outcome = preprocess_shard(config, said.append)
    return {
        "said": said,
        "sentence": outcome.sentence(config["preprocess"]["shard"] or 0, config["preprocess"]["shards"]),
        "published": outcome.published and str(outcome.published),
    }


def _composed_here() -> dict[str, Any]:
    """The config of the job that a launcher other than ours runs here."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig

    settings = HydraConfig.get()
    overrides = [str(text).removeprefix("++") for text in settings.overrides.task]
    if GlobalHydra.instance().is_initialized():  # as launchers leave it, the users' own folders included
        return compose_here(overrides, [])
    own = [str(source.path) for source in settings.runtime.config_sources if source.provider == "command-line"]
    with hydra_at(conf_folder()):
        return compose_here(overrides, own)
