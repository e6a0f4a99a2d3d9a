"""How the data of another source are read: what the command line says, and its words in sentences about them."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from quatrain.core.errors import UserError
from quatrain.corpora.glue import glue_task

FLAGS: Mapping[str, str] = {
    "max_length": "--max-length",
    "batch_size": "--batch-size",
    "text": "--text",
    "text_pair": "--text-pair",
    "label": "--label",
    "glue_task": "--glue-task",
    "documents": "--documents",
    "sha256": "--sha256",
}
_OF_CLASSIFIERS = ("text_pair", "label", "glue_task")
_KEYS: Mapping[str, str] = {
    "data.source": "--source",
    "data.text_columns": "--text",
    "data.text_column": "--text",
    "data.label_column": "--label",
    "data.glue_task=null": "no --glue-task",
    "data.glue_task": "--glue-task",
    "data.max_length": "--max-length",
    "data.batch_size": "--batch-size",
    "data.documents": "--documents",
    "data.sha256": "--sha256",
}
"""What the keys of an experiment are called here; one that begins another one's name comes after it."""

_KEY = re.compile(rf"(?<![\w./\\=-])({'|'.join(map(re.escape, _KEYS))})(?![\w/\\-]|\.\w)")
"""A key in a sentence, where it is not part of a path or of another word."""


@dataclass(frozen=True)
class DataOptions:
    """What the user says of the data; None leaves it to the run, else to the data module and the model.

    ``text``, ``text_pair``, ``label``: columns. ``glue_task``: a task of GLUE, for its columns, classes and metrics.
    ``documents``: what a document of a text is. ``sha256``: of the file that a URL names.
    """

    max_length: int | None = None
    batch_size: int | None = None
    text: str | None = None
    text_pair: str | None = None
    label: str | None = None
    glue_task: str | None = None
    documents: str | None = None
    sha256: str | None = None

    def refuse_for_own_data(self) -> None:
        """Raise a `UserError` where something is said of data that a run reads as it was trained."""
        given = [name for name in FLAGS if name != "batch_size" and getattr(self, name) is not None]
        if given:
            raise UserError(
                f"{FLAGS[given[0]]} is for other data, and a run's own are read as it was trained; add --source"
                f" DATA, or leave {FLAGS[given[0]]} out."
            )

    def settings(self, task: str, longest: int | None) -> dict[str, Any]:
        """What changes in the arguments of the data module of ``task``, whose model has ``longest`` positions.

        Raises:
            UserError: an option that is not for this task, or cannot be meant.
        """
        classifies = task == "sequence_classification"
        for name in ("documents",) if classifies else _OF_CLASSIFIERS:
            if getattr(self, name) is not None:
                of = "language models, whose data is text" if classifies else "classifiers"
                raise UserError(f"{FLAGS[name]} is for {of}; leave it out.")
        if self.text_pair is not None and self.text is None:
            raise UserError(f"--text-pair {self.text_pair} names the second text; name the first with --text.")
        if self.max_length is not None and longest is not None and self.max_length > longest:
            raise UserError(
                f"--max-length {self.max_length} is longer than the {longest} positions of the model; give at most"
                f" {longest}."
            )
        if self.glue_task is not None:
            glue_task(self.glue_task, "--glue-task")
        texts = [name for name in (self.text, self.text_pair) if name is not None]
        said = {
            "max_length": self.max_length,
            "batch_size": self.batch_size,
            "eval_batch_size": self.batch_size,
            "text_columns" if classifies else "text_column": (texts if classifies else self.text) if texts else None,
            "label_column": self.label,
            "glue_task": self.glue_task,
            "documents": self.documents,
        }
        return {name: value for name, value in said.items() if value is not None}


@contextmanager
def in_words() -> Iterator[None]:
    """Have the sentences about another source name options of the command, not the keys of an experiment."""
    try:
        yield
    except UserError as error:
        told = [_KEY.sub(lambda found: _KEYS[found[1]], sentence) for sentence in error.sentences]
        raise type(error)(told) from error
