"""hydra/sweeper=quatrain: Hydra's grid, but every job is composed and checked before the first one starts."""

from dataclasses import dataclass
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore


@dataclass
class QuatrainSweeperConf:
    """The sweeper's own settings, under the names of Hydra's basic sweeper."""

    _target_: str = "hydra_plugins.quatrain.sweeper.QuatrainSweeper"
    max_batch_size: int | None = None
    params: dict[str, str] | None = None


ConfigStore.instance().store(group="hydra/sweeper", name="quatrain", node=QuatrainSweeperConf, provider="quatrain")


class QuatrainSweeper(BasicSweeper):
    """The grid of all swept values."""

    def sweep(self, arguments: list[str]) -> Any:
        """Check every job, then hand all to the launcher."""
        from quatrain.config.sweeping import sweep

        return sweep(self, arguments)
