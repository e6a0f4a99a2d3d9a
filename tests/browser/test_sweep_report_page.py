"""The report of a sweep in Chromium: its table sorts, filters and grows, and every figure is drawn; no request."""

from pathlib import Path

import pytest

from quatrain.report.sweep_report import write_sweep_report

from ..report.sweep_folders import HOSTILE, copied_run, grid, study, swept_run
from .conftest import PHONE, Opening

VALUES = "rows => rows.map(row => row.cells[{place}].textContent)"
LINES = """place => [...place.querySelectorAll('canvas')].some(canvas => {
  const gl = canvas.getContext('webgl'), pixels = new Uint8Array(4 * canvas.width * canvas.height);
  gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  return pixels.some((value, at) => at % 4 === 3 && value > 0);
})"""


@pytest.fixture(scope="session")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = grid(tmp_path_factory.mktemp("swept"))
    swept_run(folder, "hostile-0123abcd", status="failed", why=HOSTILE, extra=[f"model.name={HOSTILE}"])
    scored = {"state": "COMPLETE", "scores": [3.0, 2.0], "folder": HOSTILE}
    study(folder, [{**scored, "value": 2.0}, {"state": "PRUNED", "scores": [4.0]}, {"state": "FAIL", "why": HOSTILE}])
    return write_sweep_report(folder)


def test_a_click_or_a_key_on_a_heading_sorts(opened: Opening, swept: Path) -> None:
    page = opened(swept)
    column = page.locator("table.runs thead tr").first.locator("th").all_text_contents().index("val/loss")
    heading = page.locator("table.runs thead th").nth(column)
    rows = page.locator("table.runs tbody tr")
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    shown = [float(text) for text in rows.evaluate_all(VALUES.format(place=column)) if text != "—"]
    assert shown == sorted(shown, reverse=True)
    assert len(shown) == 15
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    status = page.locator("table.runs thead th").nth(1)
    status.locator("button").press("Space")
    assert heading.get_attribute("aria-sort") is None
    assert rows.evaluate_all(VALUES.format(place=1))[0] == "done"


def test_typing_filters_and_clearing_brings_all_back(opened: Opening, swept: Path) -> None:
    page = opened(swept)
    rows, said = page.locator("table.runs tbody tr"), page.locator(".runs-controls output")
    page.get_by_label("filter", exact=True).type("seed-1")
    assert rows.count() == 5
    assert said.text_content() == "5 of 15 runs"
    page.get_by_label("filter by val/loss").fill("<1.4")
    assert 0 < rows.count() < 5
    page.get_by_role("button", name="clear filters").click()
    assert rows.count() == 15
    page.get_by_label("filter by status").select_option("failed")
    assert rows.count() == 2
    assert said.text_content() == "2 of 15 runs"


def test_parallel_coordinates_and_all_other_figures_are_drawn(opened: Opening, swept: Path) -> None:
    page = opened(swept)
    assert page.evaluate("window.hurt") is None
    assert page.locator(".plot .main-svg").count() >= 6
    plot = page.locator(".plot:has(.parcoords)")
    plot.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    assert plot.locator(".axis-title").all_text_contents() == ["n_layer", "lr", "val/loss"]
    assert plot.evaluate(LINES)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_scrolls_in_one_direction(opened: Opening, swept: Path, scheme: str) -> None:
    page = opened(swept, PHONE, scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_thousands_of_rows_answer_at_once(opened: Opening, tmp_path: Path) -> None:
    first = swept_run(tmp_path, "first-0123abcd")
    for number in range(3000):
        copied_run(first, tmp_path / "large" / f"run-{number}-{number:08x}", seed=number, lr=1e-3)
    page = opened(write_sweep_report(tmp_path / "large"))
    assert page.locator("table.runs tbody tr").count() == 25
    took = page.evaluate(
        """() => {
          const began = performance.now();
          document.querySelector("table.runs th button").click();
          const field = document.querySelector("input.all");
          field.value = "run-29";
          field.dispatchEvent(new Event("input"));
          document.querySelector("table.runs").getBoundingClientRect();
          return performance.now() - began;
        }"""
    )
    assert took < 500
    assert page.locator(".runs-controls output").text_content() == "111 of 3000 runs, 25 shown"
    page.get_by_role("button", name="show 86 more").click()
    assert page.locator("table.runs tbody tr").count() == 111
