"""What a finished run shows of its best weights: how sure its scores are, and examples of what it says."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from quatrain.core.errors import UserError
from quatrain.inference.bootstrap import Resampling
from quatrain.inference.evaluation import evaluation_of, score
from quatrain.inference.evaluation_file import add
from quatrain.inference.held_out import HeldOut, validation_sets
from quatrain.inference.loading import Loaded, Precision, load
from quatrain.inference.pair_examples import largest_errors, wrong_pairs
from quatrain.inference.part import at_most, rows_of_a_validation
from quatrain.inference.scoring import ClassScores
from quatrain.inference.target import find_target
from quatrain.inference.token_examples import fills, loss_by_position
from quatrain.runs.directory import RunDirectory, write_json
from quatrain.runs.evaluations import read_evaluations
from quatrain.runs.reading import read_json, read_mapping
from quatrain.runs.recorded import read_provenance
from quatrain.runs.text_facts import text_facts
from quatrain.runs.tokenizer_facts import kind_of, longest_tokens
from quatrain.runs.weights import weights_fingerprint

MOST_TOKENS = 1 << 20
"""That are scored of a validation set."""

LONGEST_TOKENS = 20

log = logging.getLogger("quatrain.run")


def keep_examples(run: RunDirectory) -> None:
    """Write ``examples.json`` of a run that is done, and score its validation sets in ``evaluation.json``.

    Where the examples are there for these weights nothing is done. The scores, with their intervals, stand under the
    name of the split. No more is scored than one validation of the training did, and no more than about `MOST_TOKENS`
    tokens; if that is a part of the split, evenly spread over it, the name begins with ``part of``, and ``of`` says of
    how many examples. What cannot be made, for want of a validation set or with a data module of the user's own, is
    left out, and run.log says why.

    It takes no lock: who calls it works on the run alone.

    Raises:
        UserError: the run is not done, or its export cannot be used.
        NotNow: a file cannot be written.
    """
    loaded = load(find_target(str(run.path), "evaluate"), precision=_precision(run))
    weights = weights_fingerprint(loaded.model)
    if _is_there(run, weights):
        return
    result, tokenizer = run.read_result(), loaded.tokenizer
    examples: dict[str, Any] = {
        "task": loaded.target.task,
        "split": None,
        "step": result["best"]["step"] if result else None,
        "weights": weights,
    }
    sets = _tried("the validation split", lambda: _bounded(run, validation_sets(loaded))) or []
    for number, held_out in enumerate(sets):
        found = _tried(f"the examples of {held_out.split}", partial(_scored, run, loaded, held_out, weights))
        if number == 0:
            examples |= {"split": held_out.split, **(found or {})}
    examples["tokenizer"] = {
        "kind": kind_of(tokenizer),
        "vocab_size": tokenizer.vocab_size,
        "tokens_per_word": None,
        "longest": [[token, len(token)] for token in _longest(tokenizer)],
        **(_tried("the lengths of the texts", lambda: text_facts(_data(loaded, sets), tokenizer)) or {}),
    }
    write_json(run.examples, examples)


def _precision(run: RunDirectory) -> Precision:
    """That of the training, so that the scores are those which it logged, where the commands know it."""
    choices = read_provenance(run).get("choices") or {}
    value: Any = choices["precision"]["value"] if "precision" in choices else None
    return value if value in ("32-true", "bf16-mixed") else "auto"


def _longest(tokenizer: Any) -> list[str]:
    """The longest tokens without the space before a word."""
    tokens = longest_tokens(tokenizer, LONGEST_TOKENS)
    return sorted((token.strip() or token for token in tokens), key=len, reverse=True)


def _is_there(run: RunDirectory, weights: str) -> bool:
    """Whether the examples are of these weights; one that cannot be read is made anew."""
    try:
        return run.examples.exists() and read_mapping(run.examples, read_json, "").get("weights") == weights
    except UserError:
        return False


def _bounded(run: RunDirectory, sets: list[HeldOut]) -> list[HeldOut]:
    trainer = run.read_config()["trainer"]
    rows = [rows_of_a_validation(held_out, trainer) for held_out in sets]
    pairs = zip(sets, rows, strict=True)
    return [at_most(held_out, tokens=MOST_TOKENS, rows=most) for held_out, most in pairs if most != 0]


def _scored(run: RunDirectory, loaded: Loaded, held_out: HeldOut, weights: str) -> dict[str, Any]:
    """Keep the scores of ``held_out``, unless they are there; return the examples of the task."""
    classifies = loaded.target.task == "sequence_classification"
    missing = not {held_out.split, f"part of {held_out.split}"} & read_evaluations(run, weights).keys()
    scores = score(loaded, held_out) if missing or classifies else None
    if missing and scores is not None:
        add(run, evaluation_of(loaded, held_out, scores, Resampling()), weights)
    if isinstance(scores, ClassScores):
        if held_out.regression:
            return {"errors": largest_errors(loaded, held_out, scores)}
        return {"pairs": wrong_pairs(loaded, held_out, scores)}
    if loaded.target.task == "masked_lm":
        return {"fills": fills(loaded, held_out)}
    return {"loss_by_position": loss_by_position(loaded, held_out)}


def _data(loaded: Loaded, sets: list[HeldOut]) -> Any:
    """The run's data module, prepared."""
    from quatrain.inference.data_options import DataOptions
    from quatrain.inference.model_data import data_for

    if sets:
        return sets[0].data
    data = data_for(loaded, DataOptions())
    data.load()
    return data


def _tried(what: str, make: Callable[[], Any]) -> Any:
    """What ``make`` returns; None where it cannot, whatever a module of the user's own raises."""
    try:
        return make()
    except Exception as error:
        log.info("%s cannot be shown: %s: %s", what, type(error).__name__, " ".join(str(error).split()))
        return None
