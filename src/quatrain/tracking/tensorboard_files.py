"""TensorBoard's event files, in the run directory."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from quatrain.tracking.facts import Row, RunFacts, flat
from quatrain.tracking.tracker import KINDS, Kind, Tracker, concluding_numbers

FLUSH_SECONDS = 10


class TensorBoard(Tracker):
    """Writes scalars against the optimizer step, hyperparameters, and samples as text.

    A run that goes on writes a new file, which has TensorBoard drop all that older ones say of later steps.

    Args:
        save_dir: the folder for its files.
    """

    key: ClassVar[str] = "tensorboard"
    label: ClassVar[str] = "TensorBoard"

    def __init__(self, save_dir: str) -> None:
        super().__init__(save_dir)
        self._writer: Any = None
        self._hyperparameters: dict[str, Any] = {}

    def _start(self, facts: RunFacts) -> dict[Kind, int]:
        from torch.utils.tensorboard import SummaryWriter

        start = -1 if facts.start_step is None else facts.start_step
        folder = self._folder / "tensorboard"
        purge = start + 1 if folder.exists() else None
        self._writer = SummaryWriter(str(folder), purge_step=purge, flush_secs=FLUSH_SECONDS)
        self._hyperparameters = {name: _plain(value) for name, value in flat(facts.config)}
        lines = [f"{name}: {value}" for name, value in self._hyperparameters.items()]
        if facts.start_step is None:
            self._writer.add_text("config", _verbatim("\n".join(lines)), 0)
            self._writer.add_text("run", _verbatim(f"{facts.group}\n{facts.tag}\n{facts.directory}"), 0)
        return dict.fromkeys(KINDS, start)

    def _log(self, values: Row) -> None:
        for name, value in values.items():
            if name != "step":
                self._writer.add_scalar(name, value, values["step"])

    def _samples(self, rows: Sequence[Mapping[str, Any]]) -> None:
        asked = ("shown", "said", "right")
        texts = ["\n".join(f"{name:>5}: {row.get(name)}" for name in asked) for row in rows]
        self._writer.add_text("samples", _verbatim("\n\n".join(texts)), rows[0]["step"])

    def _conclude(self, result: Mapping[str, Any], export: Path) -> None:
        from torch.utils.tensorboard.summary import hparams

        numbers = concluding_numbers(result)
        known, begun, ended = hparams(self._hyperparameters, dict(numbers))
        for summary in (known, begun, ended):
            self._writer.file_writer.add_summary(summary)
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, result.get("best", {}).get("step", 0))

    def _finish(self, code: int, status: str, why: str | None) -> None:
        self._writer.add_text("status", _verbatim(status if why is None else f"{status}: {why}"), 0)
        self._writer.close()


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else str(value)


def _verbatim(text: str) -> str:
    """Text for TensorBoard, which reads Markdown and HTML in it."""
    return f"<pre>{html.escape(text)}</pre>"
