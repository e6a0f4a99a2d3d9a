"""Every link between the pages leads to a file that is there, and to a heading of it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def links(page: Path) -> list[tuple[str, str]]:
    """Return the file and the heading of each link of ``page`` that stays within the repository."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"\]\(\s*([^)\s#]*)(?:#([^)\s]*))?\s*\)", text)
    return [(file, heading) for file, heading in found if not file.startswith(("http:", "https:", "mailto:"))]


def headings(page: Path) -> set[str]:
    """Return the names under which a page's headings can be linked to, as GitHub makes them."""
    lines = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    anchors = re.findall(r'<a (?:id|name)="([^"]+)"', page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines} | set(anchors)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for file, heading in links(page):
        target = (page.parent / file).resolve() if file else page
        if not target.is_file():
            wrong.append(f"{file} is not there")
        elif heading and target.suffix == ".md" and heading not in headings(target):
            wrong.append(f"{file}#{heading}: no such heading")
    assert not wrong


def test_the_index_names_every_page() -> None:
    named = {(ROOT / "docs" / file).resolve() for file, _ in links(ROOT / "docs" / "index.md")}
    assert {page for page in PAGES if page.parent == ROOT / "docs"} - named == {ROOT / "docs" / "index.md"}
