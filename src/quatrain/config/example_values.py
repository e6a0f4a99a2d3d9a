"""A value to try for a key: one that fits and differs from the one it has."""

from typing import Any

from quatrain.config.allowed import CHOICES, range_of
from quatrain.config.describing import Described
from quatrain.config.plain_settings import PLAIN
from quatrain.config.search_checks import WORDS as SEARCH_WORDS
from quatrain.config.shape import written
from quatrain.config.values import misfit, words_of

TRIED = {
    "callbacks.checkpoints.every_n_steps": 500,
    "data.cleaning": None,
    "data.glue_task": "rte",
    "data.label_column": "class",
    "data.label_names": ["no", "yes"],
    "data.revision": "main",
    "data.source": "my_text.txt",
    "data.stride": 64,
    "data.test_share": 0.1,
    "data.text_columns": ["first", "second"],
    "model.lora": {"r": 8},
    "model.weights": "outputs/quick_sonnets/RUN",
    "model.layer_lr_decay": 0.9,
    "name": "mine",
    "run.dir": "runs/first",
    "run.root": "runs",
    "speed.attention": "sdpa",
    "speed.precision": "32-true",
    "sweep.name": "first",
    "tokenizer.allowed_special": "all",
    "tokenizer.source": "roberta-base",
    "trainer.devices": 2,
    "trainer.max_epochs": 3,
    "trainer.max_steps": 200,
    "trainer.max_time": "00:12:00:00",
    "trainer.limit_train_batches": 0.1,
    "trainer.limit_val_batches": 10,
    "trainer.precision": "32-true",
    "trainer.val_check_interval": 0.5,
}
"""Where a good example needs more than a value of the right kind."""

GUESSES: tuple[Any, ...] = (True, 1, 0.5, "NAME", ["NAME"], {})


def example(key: str, value: Any, described: Described, option: str | None) -> str:
    """A command line that sets ``key``, which has ``value`` now; empty where no value can be told."""
    tried = TRIED[key] if TRIED.get(key, value) != value else _other(key, value, described)
    if tried is ...:
        return ""
    command = "quatrain preprocess" if key.startswith("preprocess.") else "quatrain train"
    setting = f"{key}={_on_command_line(tried)}"
    quoted = f"'{setting}'" if set(setting) & set("[]{}* ") else setting
    search = " -m" if option and option.startswith("sweep=") else ""
    return " ".join(part for part in (f"{command}{search}", option, quoted) if part)


def _other(key: str, value: Any, described: Described) -> Any:
    words = CHOICES.get(key) or SEARCH_WORDS.get(key.removeprefix("sweep.")) or ()
    if described.argument is not None:
        words = words or words_of(described.argument)
    other = next((word for word in words if word != value and " " not in str(word)), ...)
    if other is not ...:
        return other
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return _near(key, value)
    if key in PLAIN and value is None:
        return 0 if int in PLAIN[key] else "NAME"
    if described.argument is None:
        return ...
    fitting = (guess for guess in GUESSES if guess != value and misfit(described.argument, guess) is None)
    return next(fitting, ...) if described.allowed else ...


def _near(key: str, value: int | float) -> int | float:
    """Twice as much, or half as much where that is out of range."""
    allowed = range_of(key)
    most = allowed and (allowed.most if allowed.most is not None else allowed.below)
    if isinstance(value, int):
        return 1 if value == 0 else value + 1 if value < 2 else value * 2
    bound = 1.0 if most is None and 0 <= value < 1 else most
    return 0.1 if value == 0 else value * 2 if bound is None or value * 2 < bound else value / 2


def _on_command_line(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_on_command_line, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{name}:{_on_command_line(item)}' for name, item in value.items())}}}"
    return value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else written(value)
