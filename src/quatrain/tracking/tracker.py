"""What all trackers have in common: each row once, and nothing that happens to a tracker ends a training."""

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Literal

from pytorch_lightning.loggers import Logger

from quatrain.tracking.facts import Row, RunFacts

log = logging.getLogger("quatrain.tracking")

HELD_OUT = ("val/", "val_")

Kind = Literal["training", "validation", "samples"]
"""What is shown at a step, each by itself."""

KINDS: tuple[Kind, ...] = ("training", "validation", "samples")


class Tracker(Logger):
    """A logger of Lightning's that is told of a whole run: `begin`, rows, samples, `conclude`, `finish`.

    All of these are called on rank 0 alone, and before `begin` and after `finish` they do nothing. Each row is shown
    once, also where a run that goes on comes past its step again. Whatever goes wrong within a tracker is told once;
    from then on it shows nothing, and the run goes on.

    Args:
        save_dir: the folder for its files.
    """

    key: ClassVar[str]
    """Its name on the command line."""

    label: ClassVar[str]
    """Its name for people."""

    def __init__(self, save_dir: str) -> None:
        super().__init__()
        self._folder = Path(save_dir)
        self._begun = self._shows = False
        self._shown: dict[Kind, int] = dict.fromkeys(KINDS, -1)
        self._tokens: int | float = 0
        self._tell: Callable[[str], None] = log.warning

    @property
    def name(self) -> str | None:
        """None: it takes no part in the names of folders."""
        return None

    @property
    def version(self) -> int | str | None:
        """None, as `name`."""
        return None

    @property
    def save_dir(self) -> str | None:
        """The folder for its files."""
        return str(self._folder)

    def choose(self) -> tuple[str, str] | None:
        """Decide what is left open, before any work: the choice and its reason; None where nothing is.

        Raises:
            UserError: what was asked for cannot be had.
        """
        return None

    def begin(self, facts: RunFacts, tell: Callable[[str], None]) -> None:
        """Show ``facts``; of a run that goes on, also the rows that are not shown yet. ``tell`` hears of troubles."""
        self._tell = tell
        self._begun = self._shows = True
        self._try(lambda: self._catch_up(facts))

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the config comes with `begin`."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Show what Lightning or a callback logs; validation scores come by `log_row`, once and at their step."""
        own = {name: value for name, value in metrics.items() if name != "epoch" and not name.startswith(HELD_OUT)}
        if own:
            self._try(lambda: self._log({**own, "step": step or 0}))

    def log_row(self, row: Row) -> None:
        """Show a row of ``metrics.csv``, unless it is shown already."""
        self._try(lambda: self._row(row))

    def log_samples(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Show rows of ``samples.jsonl``, all of one step, unless they are shown already."""
        if rows and self._is_new("samples", rows[0]["step"]):
            self._try(lambda: self._samples(rows))

    def conclude(self, result: Mapping[str, Any], export: Path) -> None:
        """Show what ``result.json`` says of a run that is done or was pruned; ``export`` may be absent."""
        self._try(lambda: self._conclude(result, export))

    def finish(self, code: int, status: str, why: str | None) -> None:
        """Show how the run ended, and let go of all that is open."""
        if self._begun and not self._shows:  # it went wrong before and that was told; the end may still be shown
            with suppress(Exception):
                self._finish(code, status, why)
        self._try(lambda: self._finish(code, status, why))
        self._begun = self._shows = False

    def _try(self, work: Callable[[], None]) -> None:
        if not self._shows:
            return
        try:
            work()
        except Exception as error:
            self._shows = False
            log.warning("%s stopped showing the run.", self.label, exc_info=error)
            what = " ".join(str(error).split())[:300] or "no message"
            self._tell(f"{self.label} shows no more of this run, which goes on: {type(error).__name__}: {what}")

    def _catch_up(self, facts: RunFacts) -> None:
        self._shown |= self._start(facts)
        for row in facts.rows if self._shows else ():
            self._row(row)

    def _row(self, row: Row) -> None:
        self._tokens = row.get("train/tokens", self._tokens)
        if self._is_new(kind_of(row) or "training", row["step"]):
            self._log({**row, "tokens": self._tokens})

    def _is_new(self, kind: Kind, step: int | float) -> bool:
        """Whether nothing of ``kind`` is shown of ``step`` yet; from now on it is."""
        new = step > self._shown[kind]
        if new:
            self._shown[kind] = int(step)
        return new

    @abstractmethod
    def _start(self, facts: RunFacts) -> dict[Kind, int]:
        """Open all that is needed; return the step of the last that is shown of each kind, if anything is."""

    @abstractmethod
    def _log(self, values: Row) -> None:
        """Show ``values``, of which ``step``, ``epoch`` and ``tokens`` are axes."""

    @abstractmethod
    def _samples(self, rows: Sequence[Mapping[str, Any]]) -> None: ...

    @abstractmethod
    def _conclude(self, result: Mapping[str, Any], export: Path) -> None: ...

    @abstractmethod
    def _finish(self, code: int, status: str, why: str | None) -> None: ...


def kind_of(names: Iterable[str]) -> Kind | None:
    """What a row with ``names`` is; None for what is none of ours."""
    found = list(names)
    if any(name.startswith("train/") for name in found):
        return "training"
    if any(name.startswith(HELD_OUT) for name in found):
        return "validation"
    # a table of W&B's is many entries: samples.path, samples.nrows, ...
    return "samples" if any(name.split(".")[0] == "samples" for name in found) else None


def concluding_numbers(result: Mapping[str, Any]) -> dict[str, int | float]:
    """What a run came to, for a summary: the best scores and their step as ``best/...``, test scores, speed."""
    best = {f"best/{name}": value for name, value in result.get("best", {}).items() if _is_number(value)}
    scores = {name: value for name, value in result.get("metrics", {}).items() if name.startswith("test")}
    rest = {name: value for name, value in result.items() if _is_number(value) and name != "seed"}
    return {**best, **scores, **rest}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
