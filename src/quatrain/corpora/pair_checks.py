"""Checking a source of pairs before any work: what can be told from its name and its first rows."""

from collections.abc import Sequence

from quatrain.core.errors import UserError
from quatrain.corpora.hub import is_hub_name
from quatrain.corpora.pair_assembly import check_columns, first_row
from quatrain.corpora.pair_recipe import PairRecipe
from quatrain.corpora.pair_sources import HUB_PREFIX, VERSE, open_pair_source


def check_pair_source(
    source: str,
    *,
    glue_task: str | None = "mrpc",
    text_columns: Sequence[str] | None = None,
    label_column: str = "label",
    label_names: Sequence[str] | None = None,
    validation_share: float = 0.1,
    test_share: float = 0.1,
    verse_size: int = 4000,
) -> list[str]:
    """Return what is wrong with the arguments of `load_pairs`, one sentence for each mistake.

    Looks at each local file's first row; asks no hub, makes no verse, and leaves the other rows to `load_pairs`.
    """
    recipe = PairRecipe(glue_task, text_columns, label_column, label_names, validation_share, test_share, split_seed=0)
    wrong = recipe.sentences()
    if source == VERSE:
        return wrong + ([] if verse_size >= 1 else [f"data.verse_size={verse_size} must be at least 1."])
    if source.startswith(HUB_PREFIX):
        name = source.removeprefix(HUB_PREFIX).partition(":")[0]
        fix = "write data.source=hub:OWNER/NAME, with :CONFIG behind it where the data set has several"
        return wrong + ([] if is_hub_name(name) else [f"data.source={source} is no name of the hub; {fix}."])
    return wrong or _file_sentences(source, recipe)


def _file_sentences(source: str, recipe: PairRecipe) -> list[str]:
    try:
        opened = open_pair_source(source, task_name=recipe.glue_task, revision=None)
    except UserError as error:
        return error.sentences
    wrong = []
    for split, stream in opened.splits.items():
        try:
            check_columns(split, stream, first_row(split, stream), opened, recipe)
        except UserError as error:
            wrong += error.sentences
    return wrong
