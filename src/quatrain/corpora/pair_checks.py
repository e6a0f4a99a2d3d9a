"""Checking a source of pairs before any work: what can be told from its name and its first rows."""

from collections.abc import Sequence

from quatrain.core.errors import UserError
from quatrain.corpora.hub import HUB
from quatrain.corpora.locations import check_hash_form, check_hub_name, check_url, is_url
from quatrain.corpora.pair_assembly import check_columns, first_row
from quatrain.corpora.pair_files import PAIR_SUFFIXES
from quatrain.corpora.pair_recipe import PairRecipe
from quatrain.corpora.pair_sources import VERSE, open_pair_source


def check_pair_source(
    source: str,
    *,
    sha256: str | None = None,
    glue_task: str | None = "mrpc",
    text_columns: Sequence[str] | None = None,
    label_column: str = "label",
    label_names: Sequence[str] | None = None,
    validation_share: float = 0.1,
    test_share: float = 0.1,
    verse_size: int = 4000,
) -> list[str]:
    """Return what is wrong with the arguments of `load_pairs`, one sentence for each mistake.

    Looks at each local file's first row; asks no hub, fetches no address, makes no verse, and leaves the other rows to
    `load_pairs`.
    """
    recipe = PairRecipe(glue_task, text_columns, label_column, label_names, validation_share, test_share, split_seed=0)
    wrong = recipe.sentences() + check_hash_form(source, "data.source", sha256, (VERSE,))
    if source == VERSE:
        return wrong + ([] if verse_size >= 1 else [f"data.verse_size={verse_size} must be at least 1."])
    if source.startswith(HUB):
        return wrong + check_hub_name(source, "data.source")
    if not source.strip():
        return [*wrong, f"data.source is empty; name {VERSE}, a file, a folder, a glob, a URL or hub:NAME."]
    return wrong or _place_sentences(source, sha256, recipe)


def _place_sentences(source: str, sha256: str | None, recipe: PairRecipe) -> list[str]:
    try:
        if is_url(source):
            return check_url(source, "data.source", sha256, PAIR_SUFFIXES)
        opened = open_pair_source(source, task_name=recipe.glue_task, revision=None, sha256=sha256)
    except UserError as error:
        return error.sentences
    wrong = []
    for split, stream in opened.splits.items():
        for part in stream.parts or (stream,):
            try:
                check_columns(split, part, first_row(split, part), opened, recipe)
            except UserError as error:
                wrong += error.sentences
    return wrong
