"""Whether what a launcher asks its cluster for is what the jobs of a sweep need."""

from collections.abc import Iterator, Sequence
from typing import Any

from quatrain.config.handed_over import ranks_of
from quatrain.sweeps.job import Job


def unfit(name: str, settings: Any, jobs: Sequence[Job]) -> Iterator[str]:
    """Say what the jobs need and the launcher does not ask for."""
    tasks = settings.get("tasks_per_node") or 1
    nodes = settings.get("nodes") or 1
    if name == "submitit_local" and tasks * nodes != 1:
        yield (
            "hydra.launcher.tasks_per_node and hydra.launcher.nodes are 1 on one machine, where a run starts its ranks"
            " itself: leave them out, and give trainer.devices."
        )
    for job in jobs:
        wanted = job.config["trainer"]["num_nodes"] or 1
        devices = job.config["trainer"]["devices"]
        if wanted > 1 and name != "submitit_slurm":
            yield f"trainer.num_nodes={wanted}: only hydra/launcher=submitit_slurm starts a job on several nodes."
        elif name == "submitit_slurm" and wanted != nodes:
            yield (
                f"trainer.num_nodes={wanted}, but hydra.launcher.nodes={nodes} (job {job.number}); give both the same"
                " number."
            )
        elif name == "submitit_slurm" and nodes > 1 and ranks_of(job.config) not in (tasks * nodes, None):
            yield (
                f"trainer.devices={devices}, but hydra.launcher.tasks_per_node={tasks} (job {job.number}); on several"
                " nodes Slurm starts the ranks, so give both the same number."
            )
