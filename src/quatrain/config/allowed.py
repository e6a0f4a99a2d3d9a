"""What each key may be, in words: its type, the values to choose from, and the range of a number."""

from quatrain.config.check import BESIDES
from quatrain.config.plain_settings import PLAIN
from quatrain.config.plain_settings import WORDS as KINDS
from quatrain.config.ranges import NUMBERS, PRECISIONS, THEIRS, WORDS, Range
from quatrain.config.search_checks import LARGEST_SEED, LEAST
from quatrain.config.search_checks import WORDS as SEARCH_WORDS
from quatrain.config.values import in_words
from quatrain.core.signatures import Argument
from quatrain.models.recipe import ATTENTIONS

CHOICES = {**WORDS, "speed.precision": PRECISIONS, "speed.attention": ATTENTIONS}
"""Keys that are one of some words, beside what annotations say."""

TOLD = {
    "data.batch_size": "1 or more",
    "data.eval_batch_size": "1 or more",
    "data.glue_task": "one of cola, sst2, mrpc, qqp, stsb, mnli, qnli, rte, wnli",
    "data.mask_probability": "between 0 and 1, both excluded",
    "data.max_length": "4 or more; 1 or more for windows; the model's positions must suffice",
    "data.num_proc": "1 or more",
    "data.num_workers": "0 or more",
    "data.stride": "1 or more",
    "data.test_share": "0 to below 1",
    "data.validation_share": "0 to below 1",
    "data.verse_size": "1 or more",
    "model.frozen_layers": "0 to the number of blocks",
    "model.label_smoothing": "0 to below 1",
    "model.layer_lr_decay": "above 0, at most 1",
    "schedule.warmup": "a whole number counts steps, from 0 on; one with a point is a share of all steps, 0.0 to 1.0",
    "trainer.devices": "a number from 1 on, auto, -1 for all, or a list of different devices such as [0,1]",
    "trainer.max_time": "DD:HH:MM:SS, such as 00:12:00:00",
    "trainer.limit_train_batches": "0.0 to 1.0 is a share, a whole number counts batches",
    "trainer.limit_val_batches": "0.0 to 1.0 is a share, a whole number counts batches",
    "trainer.limit_test_batches": "0.0 to 1.0 is a share, a whole number counts batches",
    "trainer.overfit_batches": "0.0 to 1.0 is a share, a whole number counts batches",
    "callbacks.checkpoints.every_n_steps": "1 or more",
    "callbacks.checkpoints.every_minutes": "0 or more",
    "callbacks.checkpoints.keep": "0 or more",
    "callbacks.samples.count": "1 or more",
    "callbacks.samples.new_tokens": "1 or more",
    "tokenizer.vocab_size": "large enough for the special tokens and the 256 bytes, or all characters",
    "run.dir": "a new folder, or an empty one",
    "sweep.name": "the name of one folder",
    "name": "the name of one folder",
}
"""What is checked by the parts themselves, of ours and of Lightning's."""


def allowed(key: str, argument: Argument | None, target: str = "") -> str:
    """What ``key`` may be; ``argument`` of the class ``target`` where one takes it."""
    known = not target or target.startswith(THEIRS.get(key.partition(".")[0], ("quatrain.", "pytorch_lightning.")))
    kind = in_words(argument) if argument else _plain_kind(key)
    if not known:
        return kind
    if key in CHOICES:
        null = " or null" if kind.endswith("null") else ""
        return f"one of {', '.join(CHOICES[key])}{null}"
    search = key.removeprefix("sweep.")
    if key.startswith("sweep.") and search in SEARCH_WORDS:
        return f"one of {', '.join(SEARCH_WORDS[search])}"
    if key in BESIDES:
        kind = f"{kind} or {BESIDES[key]}"
    limits = _limits(key)
    return "; ".join(part for part in (kind, limits) if part)


def range_of(key: str) -> Range | None:
    """The range that numbers of ``key`` must keep, where one is stated."""
    search = key.removeprefix("sweep.")
    if key.startswith("sweep.") and search in LEAST:
        return Range(LEAST[search], LARGEST_SEED if search == "seed" else None)
    return NUMBERS.get(key)


def _limits(key: str) -> str:
    found = range_of(key)
    return TOLD.get(key) or (f"{found.what}{found.in_words()}" if found else "")


def _plain_kind(key: str) -> str:
    if key.startswith("sweep.") and key.removeprefix("sweep.") in LEAST:
        return KINDS[int]
    return " or ".join(KINDS[kind] for kind in PLAIN.get(key, ()))
