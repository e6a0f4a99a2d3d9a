"""Which columns hold the texts that a model is asked about."""

from collections.abc import Mapping, Sequence
from typing import Any

from quatrain.core.errors import UserError
from quatrain.corpora.glue import GLUE_TASKS
from quatrain.corpora.pair_columns import text_columns_of, texts_in_row
from quatrain.corpora.records import missing_column
from quatrain.inference.rows import TEXT_OPTIONS, Choose
from quatrain.inference.sources import LINE, Source
from quatrain.inference.target import Target


def check_options(text: str | None, text_pair: str | None) -> None:
    """Raise UserError where the second text of a pair is named without the first."""
    if text_pair and not text:
        raise UserError(f"--text-pair={text_pair} names the second text of a pair; name the first with --text COLUMN.")


def to_predict(target: Target, text: str | None, text_pair: str | None) -> Choose:
    """The columns of one text or two: those that are named, else those of the target's run, else the customary ones.

    What is returned raises UserError where they are not there, cannot be told, or are another number than the run was
    trained on.
    """
    data = data_of(target)
    own = _own_columns(data)
    wanted = tuple(name for name in (text, text_pair) if name) or tuple(own)
    task = _glue_task(data)
    trained_on = texts_in_training(target)

    def choose(source: Source, columns: Sequence[str]) -> tuple[str, ...]:
        lines = source.form == "txt" and not text
        names = (LINE,) if lines else _among(columns, source, wanted, task)
        if trained_on and trained_on != len(names):
            raise UserError(_other_number(target, source, names))
        return names

    return choose


def to_embed(text: str | None) -> Choose:
    """The column of the one text: the one that is named, else the customary one.

    What is returned raises UserError where it is not there or cannot be told.
    """

    def choose(source: Source, columns: Sequence[str]) -> tuple[str, ...]:
        names = _among(columns, source, (text,) if text else (), None)
        if len(names) > 1:
            raise UserError(f"{source.origin} has pairs of texts ({', '.join(names)}); name one with --text COLUMN.")
        return names

    return choose


def _among(columns: Sequence[str], source: Source, wanted: Sequence[str], task: str | None) -> tuple[str, ...]:
    missing = [(option, name) for option, name in zip(TEXT_OPTIONS, wanted, strict=False) if name not in columns]
    if missing:
        free = [name for name in columns if name not in wanted]
        raise UserError([missing_column(source.origin, name, columns, option, free) for option, name in missing])
    if wanted:
        return tuple(wanted)
    try:
        return text_columns_of(columns, source.origin, asked=None, task_name=task)
    except UserError as error:
        what = error.sentences[0].rpartition("; ")[0]
        fix = "name the text with --text COLUMN, and the second of a pair with --text-pair COLUMN."
        raise UserError(f"{what}; {fix}") from error


def data_of(target: Target) -> Mapping[str, Any]:
    """What the config of the target's run says of its data; nothing where it is no run."""
    config = target.run.read_config() if target.run else {}
    found = config.get("data")
    return found if isinstance(found, Mapping) else {}


def texts_in_training(target: Target) -> int | None:
    """How many texts a row had in the training of the target's run; None where that is not known."""
    return texts_in_row(data_of(target))


def _own_columns(data: Mapping[str, Any]) -> Sequence[str]:
    return data["text_columns"] if "text_columns" in data and isinstance(data["text_columns"], list) else []


def _glue_task(data: Mapping[str, Any]) -> str | None:
    return data["glue_task"] if "glue_task" in data and data["glue_task"] in GLUE_TASKS else None


def _other_number(target: Target, source: Source, names: Sequence[str]) -> str:
    if len(names) == 1:
        return (
            f"{target.given} was trained on pairs of texts, and {source.origin} gives one text a {source.unit}; give"
            " both as columns of a .csv, .tsv, .jsonl or .parquet file (on standard input with --input-format), and"
            " name them with --text and --text-pair."
        )
    return (
        f"{target.given} was trained on single texts, and {source.origin} gives pairs ({', '.join(names)}); name the"
        " one text with --text COLUMN."
    )
