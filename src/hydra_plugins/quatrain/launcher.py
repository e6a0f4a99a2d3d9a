"""hydra/launcher=local: jobs side by side on this machine. Imported at every start, so nothing heavy at the top."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher


@dataclass
class LocalLauncherConf:
    """The launcher has no settings of its own; those of the sweep stand under ``sweep``."""

    _target_: str = "hydra_plugins.quatrain.launcher.LocalLauncher"


ConfigStore.instance().store(group="hydra/launcher", name="local", node=LocalLauncherConf, provider="quatrain")


class LocalLauncher(Launcher):
    """Starts a fresh process for each job, ``sweep.jobs`` at a time."""

    def setup(self, *, hydra_context: Any, task_function: Any, config: Any) -> None:
        """Take what Hydra hands in."""
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run jobs that a sweeper other than ours chose, who has composed none of them."""
        from quatrain.config.sweeping import launch

        return launch(self, job_overrides, initial_job_idx)

    def run(self, source: Any) -> list[Any]:
        """Run the jobs of a `quatrain.sweeps.job.Source`, and return how each ended."""
        from quatrain.config.sweeping import run

        return run(self, source)
