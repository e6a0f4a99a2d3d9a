"""hydra/sweeper=quatrain_optuna: trials that Optuna suggests. Imported at every start, so nothing heavy at the top."""

from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper


@dataclass
class OptunaSweeperConf:
    """What is searched, under the name that Hydra's sweepers have for it; the settings stand under ``sweep``."""

    _target_: str = "hydra_plugins.quatrain.optuna_sweeper.OptunaSweeper"
    params: dict[str, str] | None = None


ConfigStore.instance().store(group="hydra/sweeper", name="quatrain_optuna", node=OptunaSweeperConf, provider="quatrain")


class OptunaSweeper(Sweeper):
    """The search of ``sweep=optuna``."""

    def __init__(self, params: dict[str, str] | None = None) -> None:
        self.params = params

    def setup(self, *, hydra_context: Any, task_function: Any, config: Any) -> None:
        """Take what Hydra hands in, and make the launcher."""
        self.hydra_context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Check what can be checked, then run trials."""
        from quatrain.config.searching import search

        return search(self, arguments)
