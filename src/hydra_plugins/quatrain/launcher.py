"""hydra/launcher=quatrain: one fresh process for each job. Imported at every start, so nothing heavy at the top."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher


@dataclass
class QuatrainLauncherConf:
    """The launcher's own settings."""

    _target_: str = "hydra_plugins.quatrain.launcher.QuatrainLauncher"


ConfigStore.instance().store(group="hydra/launcher", name="quatrain", node=QuatrainLauncherConf, provider="quatrain")


class QuatrainLauncher(Launcher):
    """Starts a worker for each job, one after the other."""

    def __init__(self) -> None:
        self.checked: dict[tuple[str, ...], dict[str, Any]] = {}
        """Configs that the sweeper has composed and checked already, by their overrides."""

    def setup(self, *, hydra_context: Any, task_function: Any, config: Any) -> None:
        """Take what Hydra hands in."""
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs; a failed one stops nothing."""
        from quatrain.config.launching import launch

        return launch(self, job_overrides, initial_job_idx)
