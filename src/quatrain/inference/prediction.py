"""What a classifier says of texts: labels with their probabilities, or scores."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quatrain.core.errors import UserError
from quatrain.corpora.records import Refuse, stop
from quatrain.inference.forward import called, named_rows
from quatrain.inference.loading import Loaded
from quatrain.inference.rows import Row
from quatrain.inference.streaming import Answers, Arrays, Tally, encoder_of, fill_of
from quatrain.inference.text_columns import texts_in_training


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one text or pair.

    ``label``: the most probable one, with its ``probability``; ``probabilities``: of every label, in the model's order,
    their sum 1. ``score``: what a regression says, which has no label, no probability and no probabilities.
    """

    label: str | None
    probability: float | None
    probabilities: Mapping[str, float]
    score: float | None = None


def predict_texts(
    loaded: Loaded, texts: Iterable[str | tuple[str, str]], *, batch_size: int = 32, max_length: int | None = None
) -> Iterator[Prediction]:
    """Yield the prediction of each text, or of each pair, in order; ``texts`` is read as far as is needed.

    Of texts with more than ``max_length`` tokens, special ones included (None: the model's positions), the longer one
    is cut at its end.

    Raises:
        UserError: texts beside pairs, or what a run was not trained on; something else than text, a model whose answers
            are no numbers, a ``max_length`` that does not fit, or a model of several labels at once.
    """
    return (said for _, said in predict_rows(loaded, named_rows(texts), batch_size=batch_size, max_length=max_length))


def predict_rows(
    loaded: Loaded,
    rows: Iterable[Row],
    *,
    batch_size: int = 32,
    max_length: int | None = None,
    tally: Tally | None = None,
    refuse: Refuse = stop,
) -> Iterator[tuple[Row, Prediction]]:
    """Yield each row with its prediction, in order; see `predict_texts`. All rows have one text, or all have two.

    ``tally`` is counted up on the way; ``refuse`` gets the error of a row without a token.

    Raises:
        UserError: as `predict_texts`, with the row's place.
    """
    read = reads(loaded.model.config)
    source = iter(rows)
    first = next(source, None)
    if first is None:
        return
    trained_on = texts_in_training(loaded.target)
    if trained_on and trained_on != len(first.texts):
        kinds = {1: "one text", 2: "a pair of texts"}
        raise UserError(
            f"{loaded.target.given} was trained on {kinds[trained_on]} a row, and {first.place} is"
            f" {kinds[len(first.texts)]}; give {'(text, text)' if trained_on == 2 else 'single texts'}."
        )
    encoder = encoder_of(loaded, pairs=len(first.texts) == 2, max_length=max_length)
    fill = fill_of(loaded)
    if loaded.model.config.pad_token_id is None:
        loaded.model.config.pad_token_id = fill  # GPT-2 answers at the last token that is no padding
    compute = partial(_predictions, loaded, read)
    answers = Answers(encoder, compute, fill=fill, batch_size=batch_size, tally=tally, refuse=refuse)
    for row, said in answers(chain([first], source)):
        if said is None:
            raise UserError(
                f"{row.place}: the model's answer holds infinite numbers or none at all (NaN), so nothing can be"
                f" predicted; {loaded.target.given} may have diverged in training, or try --precision 32-true."
            )
        yield row, said


def labels_of(config: Any) -> tuple[str, ...] | None:
    """Return the labels of a classifier in the order of its logits; None for a regression.

    Raises:
        UserError: it answers with several labels or numbers at once, or two of its labels have the same name.
    """
    regression = config.problem_type == "regression" or config.num_labels == 1
    if config.problem_type == "multi_label_classification" or (regression and config.num_labels > 1):
        what = "numbers" if regression else "labels"
        raise UserError(
            f"A model with several {what} at once (problem_type={config.problem_type}) has no one prediction for a"
            " row; quatrain predict is for one label of several, or one number."
        )
    if regression:
        return None
    given = config.id2label
    names = tuple(str(given[place]) if place in given else f"LABEL_{place}" for place in range(config.num_labels))
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"The model's config names two labels {twice[0]!r}; give each its own name in id2label.")
    return names


def reads(config: Any) -> Callable[[NDArray[np.float64]], list[Prediction | None]]:
    """Return what turns logits [batch, classes] into predictions; None stands for a row that is not all finite.

    Raises:
        UserError: as `labels_of`.
    """
    labels = labels_of(config)

    def scores(logits: NDArray[np.float64]) -> list[Prediction | None]:
        return [Prediction(None, None, {}, one) for one in logits[:, 0].tolist()]

    def most_probable(logits: NDArray[np.float64]) -> list[Prediction | None]:
        assert labels is not None
        said: list[Prediction | None] = []
        for place, row in zip(logits.argmax(axis=1).tolist(), _softmax(logits).tolist(), strict=True):
            said.append(Prediction(labels[place], row[place], dict(zip(labels, row, strict=True))))
        return said

    def read(logits: NDArray[np.float64]) -> list[Prediction | None]:
        finite: NDArray[np.bool_] = np.isfinite(logits).min(axis=1)
        said = (scores if labels is None else most_probable)(np.where(finite[:, None], logits, 0))
        return [one if good else None for one, good in zip(said, finite.tolist(), strict=True)]

    return read


def _predictions(
    loaded: Loaded,
    read: Callable[[NDArray[np.float64]], list[Prediction | None]],
    batches: Iterable[Arrays],
) -> Iterator[Sequence[Prediction | None]]:
    with loaded.computing(nearer=True):
        for batch in batches:
            logits = called(loaded, batch)[0].logits
            yield read(logits.float().cpu().numpy().astype(np.float64))


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    raised: NDArray[np.float64] = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)
