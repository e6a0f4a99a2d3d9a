"""One row of the benchmark: what is done, by whom, and what is to be reached."""

from dataclasses import dataclass, replace

from bench.contenders import Contender
from bench.goals import Goal
from bench.place import Place


@dataclass(frozen=True)
class Row:
    """A job that ours and the peers do; subclasses say how."""

    key: str
    title: str
    setting: str
    """What all contenders have in common, in words."""

    goals: tuple[Goal, ...]
    minutes: float
    """How long it takes on two cores, or on a GPU."""

    rounds: int = 3
    """How often each contender runs; ``minutes`` is for as many."""

    gpu: bool = False
    anywhere: bool = False
    """Whether what is for a GPU is tried without one."""

    by_default: bool = True
    """Whether it is measured without being named."""

    def lacks(self, place: Place) -> str | None:
        """Why it cannot be measured here, in words; None where it can."""
        return "no CUDA GPU is here" if self.gpu and place.gpu is None and not self.anywhere else None

    def contenders(self, place: Place) -> list[Contender]:
        """Those that can run here, ours first; what they need is made."""
        raise NotImplementedError

    def score(self, place: Place, models: list[str]) -> list[str] | None:
        """The command that prints the held-out losses of ``models`` as a JSON list; None where none are compared."""
        return None

    def with_rounds(self, rounds: int | None) -> "Row":
        """The same in another number of rounds; None leaves it."""
        return replace(self, rounds=rounds, minutes=self.minutes * rounds / self.rounds) if rounds else self

    def quick(self) -> "Row":
        """The same in a few steps, to see that it runs."""
        return self
