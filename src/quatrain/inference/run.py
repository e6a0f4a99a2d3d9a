"""A run as Python asks it: its model and tokenizer, what they say, what was logged, and what they score.

run = quatrain.load_run("outputs/quick_mrpc/20261122-101500-default-1a2b3c4d")
run.predict([("the moon is bright", "bright is the moon")])
run.metrics()["val/f1"].dropna()
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from quatrain.core.errors import UserError
from quatrain.inference.target import find_target
from quatrain.runs.card_facts import PIPELINES
from quatrain.runs.directory import RunDirectory
from quatrain.runs.directory import load_run as directory_of

if TYPE_CHECKING:
    import pandas

    from quatrain.inference.evaluation import Evaluation
    from quatrain.inference.loading import Loaded


class Run(RunDirectory):
    """The files of a run, and the model that it made; nothing is loaded before it is asked for.

    Args:
        path: the run directory.
        precision: what the model computes in: ``auto`` is the quickest that is exact to about 1e-2 in a probability,
            ``32-true`` float32.
        device: where it computes; ``auto`` is a GPU if one is here.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        precision: Literal["auto", "32-true", "bf16-mixed"] = "auto",
        device: Literal["auto", "cpu", "gpu", "mps"] = "auto",
    ) -> None:
        super().__init__(path)
        self._precision, self._device = precision, device

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @cached_property
    def loaded(self) -> "Loaded":
        """Model and tokenizer as the commands have them.

        Raises:
            UserError: the run is not done, or its export cannot be used.
        """
        from quatrain.inference.loading import load

        return load(find_target(str(self.path), "evaluate"), precision=self._precision, device=self._device)

    @property
    def model(self) -> Any:
        """The model of transformers with the best weights, in evaluation mode; the same one each time."""
        return self.loaded.model

    @property
    def tokenizer(self) -> Any:
        """The tokenizer of transformers."""
        return self.loaded.tokenizer.hf

    def predict(self, texts: Sequence[Any], **options: Any) -> list[Any]:
        """Return what the model says to each of ``texts``, in their order.

        A classifier: label and probability of each text, or pair of texts, see `predict_texts`. A masked language
        model: the guesses for each mask, see `fill_texts`. A causal one: how the text goes on, see `generate`.
        ``options`` are those of these functions.

        Raises:
            UserError: as they do, or the run is not done.
        """
        if isinstance(texts, str):
            raise UserError("run.predict takes a list of texts; write run.predict([text]).")
        loaded = self.loaded
        if loaded.target.task == "sequence_classification":
            from quatrain.inference.prediction import predict_texts

            return list(predict_texts(loaded, texts, **options))
        if loaded.target.task == "masked_lm":
            from quatrain.inference.filling import fill_texts

            return list(fill_texts(loaded, texts, **options))
        from quatrain.inference.generation import generate

        return ["".join(generate(loaded, text, **options)) for text in texts]

    def metrics(self) -> "pandas.DataFrame":
        """Return what was logged, a row for each step, in the order of the steps; NaN where a step logged nothing.

        Raises:
            UserError: metrics.csv is not one of ours.
        """
        import pandas

        by_step: dict[int | float, dict[str, int | float]] = {}
        for row in self.read_metrics():
            by_step.setdefault(row["step"], {}).update(row)
        table = pandas.DataFrame(list(by_step.values()))
        return table.set_index("step").sort_index() if by_step else table

    def pipeline(self, **options: Any) -> Any:
        """Return the pipeline of transformers for the run's task, of this model; ``options`` are its own.

        Raises:
            UserError: the run is not done.
        """
        from transformers import pipeline

        loaded = self.loaded
        task = PIPELINES[loaded.target.task]
        return pipeline(task, model=loaded.model, tokenizer=self.tokenizer, device=loaded.device, **options)

    def evaluate(
        self, split: str | None = None, *, source: str | None = None, resamples: int = 1000, seed: int = 0
    ) -> "Evaluation":
        """Score the model on a split, as ``quatrain evaluate`` does, and keep the numbers in ``evaluation.json``.

        Raises:
            UserError: as the command refuses.
        """
        from quatrain.inference.bootstrap import Resampling
        from quatrain.inference.evaluation import evaluate
        from quatrain.inference.evaluation_file import record
        from quatrain.runs.weights import weights_fingerprint

        found = evaluate(self.loaded, split=split, source=source, resampling=Resampling(resamples, seed))
        record(self, found, weights_fingerprint(self.model))
        return found


def load_run(
    path: str | Path,
    *,
    precision: Literal["auto", "32-true", "bf16-mixed"] = "auto",
    device: Literal["auto", "cpu", "gpu", "mps"] = "auto",
) -> Run:
    """Return the run in the directory ``path``; the other arguments are those of `Run`.

    Raises:
        UserError: there is none, or something in it is a link that leads out of it.
    """
    return Run(directory_of(path).path, precision=precision, device=device)
