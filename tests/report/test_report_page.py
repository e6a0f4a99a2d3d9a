"""A page is one file: it names its scripts by checksum, asks for nothing, and every text in it is only text."""

import base64
import hashlib
import re
from pathlib import Path

import pytest
from markupsafe import Markup

from quatrain.report.figures import figure
from quatrain.report.page import Section, plotly_js, write_page
from quatrain.report.rendering import joined, properties, table

from .report_runs import HOSTILE


def page(folder: Path, *sections: Section, **kwargs: object) -> str:
    path = write_page(
        folder / "report.html", title=HOSTILE, lead=HOSTILE, facts={HOSTILE: HOSTILE}, sections=sections, **kwargs
    )  # type: ignore[arg-type]
    return path.read_text(encoding="utf-8")


def test_the_policy_allows_the_pages_own_scripts_and_no_request(tmp_path: Path) -> None:
    text = page(tmp_path, Section("one", figure([{"type": "scatter"}], label="x")), scripts=["let own = 1;"])
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    directives = dict(part.strip().split(" ", 1) for part in policy[1].replace("&#39;", "'").split(";"))
    assert directives["default-src"] == "'none'"
    assert set(directives) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
    assert directives["img-src"] == "data: blob:"
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    sums = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert directives["script-src"].split() == [f"'sha256-{one}'" for one in sums]
    assert len(scripts) == 4
    assert scripts[0] == plotly_js()


def test_only_a_figure_that_needs_it_may_make_code_of_text(tmp_path: Path) -> None:
    assert "unsafe-eval" in page(tmp_path, Section("one", figure([{"type": "parcoords"}], label="x")))
    assert "unsafe-eval" not in page(tmp_path, Section("one", figure([{"type": "scatter"}], label='"parcoords"')))


def test_a_page_without_figures_goes_without_plotly(tmp_path: Path) -> None:
    assert len(page(tmp_path, Section("one", table(["a"], [[1]])))) < 20_000


def test_every_text_is_escaped_and_turns_nothing(tmp_path: Path) -> None:
    parts = joined(table([HOSTILE], [[HOSTILE]], caption=HOSTILE), properties({HOSTILE: HOSTILE}))
    text = page(tmp_path, Section(HOSTILE, parts))
    assert "<img" not in text
    assert "\u202e" not in text
    assert "\u2028" not in text
    assert text.count("<script") == 1
    assert text.count("&lt;img") == 11


def test_half_a_surrogate_pair_can_be_written(tmp_path: Path) -> None:
    assert "\\ud800" in page(tmp_path, Section("one", table(["a"], [["\ud800"]])))


def test_empty_sections_are_left_out_and_numbers_stand_to_the_right(tmp_path: Path) -> None:
    text = page(
        tmp_path, Section("nothing here", Markup("\n")), Section("some", table(["a", "b"], [[1.5, "x"], [None, True]]))
    )
    assert "nothing here" not in text
    assert '<td class="number">1.5</td><td>x</td>' in text
    assert "<td></td><td>True</td>" in text


def test_a_script_that_could_end_early_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="its own end"):
        page(tmp_path, scripts=["'</SCRIPT>'"])
    assert not (tmp_path / "report.html").exists()
