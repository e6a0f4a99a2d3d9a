"""Which columns of a table hold the texts and the label."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from quatrain.core.errors import UserError
from quatrain.corpora.glue import GLUE_TASKS

_VERSE = "verse"  # its rows are pairs

_CUSTOMARY = (
    *dict.fromkeys(task.columns for task in GLUE_TASKS.values()),
    ("text_a", "text_b"),
    ("text1", "text2"),
    ("text",),
)


def text_columns_of(
    columns: Sequence[str], origin: str, *, asked: Sequence[str] | None, task_name: str | None
) -> tuple[str, ...]:
    """Return the names of the one or two text columns among ``columns``.

    Those that were ``asked`` for; else the GLUE task's; else, of as many texts as the task has, the one customary name
    or pair of names that is there (such as ``sentence1`` and ``sentence2``, ``text``).

    Raises:
        UserError: they are missing, or several customary ones are there.
    """
    if asked is not None:
        missing = [name for name in asked if name not in columns]
        if missing:
            raise UserError([_missing("data.text_columns", name, columns, origin) for name in missing])
        return tuple(asked)
    wanted = GLUE_TASKS[task_name].columns if task_name else None
    if wanted is not None and set(wanted) <= set(columns):
        return wanted
    fitting = [names for names in _CUSTOMARY if set(names) <= set(columns)]
    fitting = [names for names in fitting if not any(set(names) < set(other) for other in fitting)]
    if wanted is not None:
        fitting = [names for names in fitting if len(names) == len(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    raise UserError(_undecided(columns, origin, fitting, wanted, task_name))


def check_label_column(columns: Collection[str], origin: str, label_column: str) -> None:
    """Raise UserError, with the nearest spelling, unless ``label_column`` is among ``columns``."""
    if label_column not in columns:
        raise UserError(_missing("data.label_column", label_column, columns, origin))


def texts_in_row(data: Mapping[str, Any]) -> int | None:
    """How many texts a row of ``data``, a config's group, holds; None where it does not tell."""
    if "source" in data and data["source"] == _VERSE:
        return 2
    if "text_columns" in data and isinstance(data["text_columns"], list) and len(data["text_columns"]) in (1, 2):
        return len(data["text_columns"])
    named = "glue_task" in data and data["glue_task"] in GLUE_TASKS
    return len(GLUE_TASKS[data["glue_task"]].columns) if named else None


def asked_columns_sentences(asked: Sequence[str] | None, label_column: str) -> list[str]:
    """What is wrong with the names of columns that the user asked for, whatever the file holds."""
    if asked is None:
        return []
    written = f"data.text_columns=[{','.join(map(str, asked))}]"
    if len(asked) not in (1, 2) or len(set(asked)) != len(asked):
        return [f"{written} must name one column, or two different ones; write data.text_columns=[FIRST,SECOND]."]
    if label_column in asked:
        return [f"{written} holds data.label_column={label_column}; name the label's own column."]
    return []


def _missing(key: str, name: str, columns: Collection[str], origin: str) -> str:
    near = get_close_matches(name, columns, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"{key}: {origin} has no column {name}{hint} but {_listed(columns)}; set {key} to what is there."


def _undecided(
    columns: Collection[str],
    origin: str,
    fitting: list[tuple[str, ...]],
    wanted: tuple[str, ...] | None,
    task_name: str | None,
) -> str:
    fix = "name the text columns with data.text_columns=[...]"
    if fitting:
        several = " or ".join("/".join(names) for names in fitting)
        return f"{origin} has several columns that may be the text ({several}); {fix}."
    if wanted is None:
        return f"{origin} has no column that is known as text among {_listed(columns)}; {fix}."
    near = {name: get_close_matches(name, columns, n=1) for name in wanted if name not in columns}
    hints = "".join(f" (did you mean {found[0]} by {name}?)" for name, found in near.items() if found)
    return (
        f"{origin} has no columns {', '.join(wanted)}, which data.glue_task={task_name} reads, but"
        f" {_listed(columns)}{hints}; {fix}, or set data.glue_task=null for a task of your own."
    )


def _listed(columns: Collection[str]) -> str:
    return ", ".join(map(str, list(columns)[:12])) + (", ..." if len(columns) > 12 else "")
