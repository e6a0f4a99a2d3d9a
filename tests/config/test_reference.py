"""docs/reference.md is what the files and the sources say now, and names every key that there is."""

import re
from pathlib import Path

from quatrain.config.compose import hydra_at
from quatrain.config.composition import composition
from quatrain.config.folder import conf_folder
from quatrain.config.markdown_tables import slug, table, text
from quatrain.config.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "python -m quatrain.config.reference > docs/reference.md"


def test_every_key_of_every_experiment_stands_in_it() -> None:
    told = set(re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(encoding="utf-8"), re.M))
    for path in (conf_folder() / "experiment").glob("*.yaml"):
        with hydra_at(conf_folder()):
            found = composition([f"experiment={path.stem}"], [])
        keys = {key for key in found.every_key() if not isinstance(found.value(key), dict)}
        keys = {key for key in keys if not key.endswith(("._target_", ".model_type"))}
        assert not keys - told


def test_the_table_of_contents_leads_to_headings() -> None:
    page = PAGE.read_text(encoding="utf-8")
    links = re.findall(r"\]\(#([^)]+)\)", page)
    headings = [slug(heading) for heading in re.findall(r"^#{2,3} (.+)$", page, re.M)]
    assert links == headings
    assert len(set(links)) == len(links) > 30


def test_nothing_in_a_cell_ends_it_or_becomes_markup() -> None:
    assert text("a|b `c|d` <e> *f* [g]") == r"a\|b `c\|d` \<e> \*f\* \[g\]"
    assert list(table(("a", "b", "c"), [("1", "", "3")])) == ["| a | c |", "| --- | --- |", "| 1 | 3 |"]
