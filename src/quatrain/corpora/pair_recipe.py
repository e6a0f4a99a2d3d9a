"""How rows become a corpus of pairs, apart from where they come from; and what may be wrong with that by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from quatrain.core.errors import UserError
from quatrain.corpora.glue import GLUE_TASKS, GlueTask, glue_task
from quatrain.corpora.pair_columns import asked_columns_sentences
from quatrain.corpora.pair_split import share_sentences

IncompleteRows = Literal["refuse", "drop"]
"""What becomes of a row whose text is empty, or that needs a label and has none."""


@dataclass(frozen=True)
class PairRecipe:
    """The choices of `load_pairs` that bear on rows, under the same names."""

    glue_task: str | None
    text_columns: Sequence[str] | None
    label_column: str
    label_names: Sequence[str] | None
    validation_share: float
    test_share: float
    split_seed: int
    incomplete_rows: IncompleteRows = "refuse"

    @property
    def task(self) -> GlueTask | None:
        """The GLUE task, if one is named."""
        return GLUE_TASKS[self.glue_task] if self.glue_task else None

    def sentences(self) -> list[str]:
        """What is wrong with the choices, whatever the rows hold: one sentence for each mistake."""
        wrong = share_sentences(self.validation_share, self.test_share)
        wrong += asked_columns_sentences(self.text_columns, self.label_column)
        if self.glue_task is not None:
            try:
                glue_task(self.glue_task)
            except UserError as error:
                wrong += error.sentences
        names = self.label_names
        if names is not None and (len(names) < 2 or len(set(names)) != len(names) or not all(names)):
            wrong.append(f"data.label_names=[{','.join(map(str, names))}] must name two or more different classes.")
        return wrong
