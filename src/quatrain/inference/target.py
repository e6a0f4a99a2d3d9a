"""TARGET: the model that a command is to use. A run, its export, any Hugging Face folder, or a hub name.

Nothing here loads torch, and nothing in a folder is ever run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

from quatrain.core.errors import UserError
from quatrain.models.folder_checks import KEY, WEIGHT_FILES, read_json
from quatrain.models.sources import fetched, resolve
from quatrain.runs.directory import RunDirectory, load_run
from quatrain.runs.export import auto_class
from quatrain.runs.finished import require_done
from quatrain.tokenizers.sources import TOKENIZER_FILES

Task = Literal["sequence_classification", "masked_lm", "causal_lm", "encoder"]

TASKS: Mapping[str, Task] = {
    "AutoModelForSequenceClassification": "sequence_classification",
    "AutoModelForMaskedLM": "masked_lm",
    "AutoModelForPreTraining": "masked_lm",
    "AutoModelForCausalLM": "causal_lm",
}
"""What the head of an architecture is for, by the Auto class of its name; any other one is an ``encoder``."""

NAMES: Mapping[Task, str] = {
    "sequence_classification": "a classifier",
    "masked_lm": "a masked language model",
    "causal_lm": "a causal language model",
    "encoder": "a model without a head that these commands know",
}

FITS: Mapping[str, tuple[Task, ...]] = {
    "evaluate": ("sequence_classification", "masked_lm", "causal_lm"),
    "predict": ("sequence_classification",),
    "generate": ("causal_lm",),
    "fill": ("masked_lm",),
    "embed": ("encoder", "masked_lm", "causal_lm", "sequence_classification"),
    "tokenize": ("encoder", "masked_lm", "causal_lm", "sequence_classification"),
}
"""The tasks that each command of a TARGET is for."""

MARKS = ("config.yaml", "config.json")
"""Either of these makes a folder a run or a model."""

Given = ParamSpec("Given")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Target:
    """A model on this machine that can be loaded.

    ``given``: as the user wrote it. ``folder``: with config.json, safetensors and tokenizer files. ``architecture``:
    the class of transformers that wrote it, such as ``RobertaForMaskedLM``; empty where its config tells none. ``run``:
    the finished run that it comes from; None for a folder or hub name of anyone's.
    """

    given: str
    folder: Path
    architecture: str
    task: Task
    run: RunDirectory | None = None


def in_its_own_words(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """``function``, whose sentences name the folder alone, not the keys that an experiment would name it by."""

    @wraps(function)
    def told(*given: Given.args, **named: Given.kwargs) -> Found:
        try:
            return function(*given, **named)
        except UserError as error:
            raise type(error)([_without_keys(sentence) for sentence in error.sentences]) from error

    return told


@in_its_own_words
def find_target(given: str, command: str) -> Target:
    """Return what ``given`` names, for a command of `FITS`; of a hub name the files are fetched.

    Raises:
        UserError: there is no such folder, it holds no model that may be loaded, the run is not done, or the model's
            task does not fit the command.
        NotNow: the hub does not give the files.
    """
    run = _run_of(Path(given).expanduser())
    try:
        source, commit = resolve(given, None)
        folder = fetched(source, commit, ("config.json",))  # judged before gigabytes of weights are fetched
    except UserError as error:
        raise type(error)([sentence + _here_instead(given) for sentence in error.sentences]) from error
    architecture = _architecture(read_json(folder / "config.json"))
    target = Target(given, folder, architecture, TASKS.get(auto_class(architecture), "encoder"), run)
    _fit(target, command)
    return replace(target, folder=fetched(source, commit, (*WEIGHT_FILES, *TOKENIZER_FILES)))


def _here_instead(given: str) -> str:
    """What a name that is no folder can have been meant for: a run or a model that lies beside where it would."""
    path = Path(given).expanduser()
    try:
        beside = [one for one in path.parent.iterdir() if any((one / name).is_file() for name in MARKS)]
    except OSError:
        beside = []
    near = get_close_matches(path.name, [one.name for one in beside], 1, 0.7) if not path.exists() else []
    return f" There is a folder {path.with_name(near[0])}: did you mean that?" if near else ""


def _run_of(path: Path) -> RunDirectory | None:
    """The run that ``path``, or the folder that it lies in as ``export``, is.

    Raises:
        UserError: it is not done.
    """
    place = path.absolute()
    place = place.parent if place.name == "export" else place
    if not (place / "config.yaml").is_file():
        return None
    run = load_run(place)
    require_done(run)
    return run


def _architecture(config: Mapping[str, Any]) -> str:
    named = config.get("architectures")
    return str(named[0]) if isinstance(named, list) and named else ""


def _fit(target: Target, command: str) -> None:
    if target.task in FITS[command]:
        return
    fitting = [name for name, tasks in FITS.items() if target.task in tasks]
    wanted = " or ".join(NAMES[task] for task in FITS[command] if task != "encoder")
    architecture = f" ({target.architecture})" if target.architecture else ""
    raise UserError(
        f"{target.given} is {NAMES[target.task]}{architecture}, and quatrain {command} needs {wanted};"
        f" what fits it: {', '.join(fitting)}."
    )


def _without_keys(sentence: str) -> str:
    for key in (KEY, "tokenizer.source"):
        sentence = sentence.replace(f"{key}=", "").removeprefix(f"{key}: ")
    return sentence
