"""A sweep's report in Chromium: its table sorts and filters by mouse and keyboard, all is drawn, no text executed."""

from pathlib import Path
from typing import Any

import pytest

from quatrain.report.sweep_report import write_sweep_report

from ..report.report_runs import HOSTILE
from ..report.sweep_folders import hostile_sweep, one_run, search_of, sweep_of
from .conftest import PHONE, Opening

RUNS = "table.runs tbody tr"
SHOWN = "[...document.querySelectorAll('table.runs tbody tr')].map(row => row.cells[0].textContent)"


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sweeps")
    grid = sweep_of(folder / "grid", seeds=(1, 2, 10))
    one_run(grid, "broken", lr=0.5, status="failed", why="The loss is not finite.").metrics_file.unlink()
    many = sweep_of(folder / "many", lrs=[1e-4 * number for number in range(1, 41)], seeds=(1, 2, 3, 4))
    every = {"grid": grid, "many": many, "search": search_of(folder / "search", trials=12)}
    every["hostile"] = hostile_sweep(folder / "hostile", HOSTILE)
    return {name: write_sweep_report(one) for name, one in every.items()}


def heading(page: Any, name: str) -> Any:
    return page.locator("table.runs thead th", has=page.get_by_role("button", name=name, exact=True))


def column(page: Any, place: int) -> list[str]:
    return [row.split("\t")[place] for row in page.locator(RUNS).all_inner_texts()]


def test_a_click_on_a_heading_sorts_by_number_and_again_the_other_way(opened: Opening, pages: dict[str, Path]) -> None:
    page = opened(pages["grid"])
    assert page.evaluate(SHOWN)[0] == "lr-0.003_seed-1"
    assert heading(page, "val/loss").get_attribute("aria-sort") == "ascending"
    heading(page, "val/loss").get_by_role("button").click()
    assert heading(page, "val/loss").get_attribute("aria-sort") == "descending"
    assert page.evaluate(SHOWN)[0] == "lr-0.01_seed-10"
    heading(page, "seed").get_by_role("button").click()
    assert column(page, 2) == ["1"] * 4 + ["2"] * 3 + ["10"] * 3  # as numbers, not as words
    assert heading(page, "val/loss").get_attribute("aria-sort") is None
    heading(page, "val/accuracy").get_by_role("button").click()
    assert page.evaluate(SHOWN)[-1] == "broken"  # what has no value stays last


def test_the_keyboard_sorts(opened: Opening, pages: dict[str, Path]) -> None:
    page = opened(pages["grid"])
    heading(page, "lr").get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert heading(page, "lr").get_attribute("aria-sort") == "ascending"
    assert page.evaluate(SHOWN)[0].startswith("lr-0.001")
    page.keyboard.press("Space")
    assert heading(page, "lr").get_attribute("aria-sort") == "descending"
    assert page.evaluate(SHOWN)[0] == "broken"  # of rate 0.5
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "BUTTON"


def test_typing_filters_and_says_how_many_are_left(opened: Opening, pages: dict[str, Path]) -> None:
    page = opened(pages["grid"])
    said = page.locator(".runs-controls output")
    page.get_by_placeholder("any text").press_sequentially("0.01 seed-2")
    assert page.evaluate(SHOWN) == ["lr-0.01_seed-2"]
    assert said.inner_text() == "1 of 10 runs"
    page.get_by_role("button", name="clear filters").click()
    assert page.locator(RUNS).count() == 10
    page.get_by_label("filter by val/loss").fill("<1.7")
    assert sorted(page.evaluate(SHOWN)) == ["lr-0.003_seed-1", "lr-0.003_seed-2"]
    page.get_by_label("filter by val/loss").fill("")
    page.get_by_label("filter by status").select_option("failed")
    assert page.evaluate(SHOWN) == ["broken"]


def test_a_long_table_grows_as_one_asks_and_filters_all_of_it(opened: Opening, pages: dict[str, Path]) -> None:
    page = opened(pages["many"])
    assert page.locator(RUNS).count() == 25
    page.get_by_role("button", name="show 100 more").click()
    assert page.locator(RUNS).count() == 125
    page.get_by_role("button", name="show 35 more").click()
    assert page.locator(RUNS).count() == 160
    page.get_by_placeholder("any text").fill("seed-4")
    assert page.locator(RUNS).count() == 25
    assert page.locator(".runs-controls output").inner_text() == "40 of 160 runs, 25 shown"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["grid", "search", "many"])
def test_parallel_coordinates_are_drawn(opened: Opening, pages: dict[str, Path], name: str, scheme: str) -> None:
    page = opened(pages[name], scheme=scheme)
    plot = page.locator(".plot:has(.parcoords)")
    plot.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    assert plot.locator(".y-axis .axis-title").all_text_contents()[-1] == "val/loss"
    lines = plot.locator("canvas.gl-canvas-focus").evaluate(
        """canvas => {
            const kept = document.createElement("canvas");
            [kept.width, kept.height] = [canvas.width, canvas.height];
            const pen = kept.getContext("2d");
            pen.drawImage(canvas, 0, 0);
            const bytes = pen.getImageData(0, 0, kept.width, kept.height).data;
            return bytes.filter((value, at) => at % 4 === 3 && value).length;
        }"""
    )
    assert lines > 500  # pixels of lines


def test_a_search_shows_each_trial(opened: Opening, pages: dict[str, Path]) -> None:
    page = opened(pages["search"])
    plot = page.locator("section:has(h2:text-is('Search')) .plot").first
    names = plot.evaluate("place => place.data.map(trace => [trace.name, trace.x.length])")
    assert [name for name, _ in names] == ["complete", "pruned, its last score", "best so far"]
    assert plot.locator(".scatterlayer .point").count() == sum(count for name, count in names if name != "best so far")


def test_no_text_is_executed_and_links_lead_to_files_below(opened: Opening, pages: dict[str, Path]) -> None:
    page = opened(pages["hostile"])
    page.evaluate("for (const place of document.querySelectorAll('details')) place.open = true")
    page.get_by_placeholder("any text").fill("<img")
    page.wait_for_timeout(300)
    assert page.evaluate("window.hurt") is None
    assert page.locator("img, iframe, object").count() == 0
    links = page.evaluate("[...document.querySelectorAll('main a')].map(link => link.href)")
    assert links
    assert all(link.startswith(pages["hostile"].parent.as_uri() + "/") for link in links)


@pytest.mark.parametrize("name", ["grid", "search", "many", "hostile"])
def test_a_phone_scrolls_down_only(opened: Opening, pages: dict[str, Path], name: str) -> None:
    page = opened(pages[name], PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_paper_has_all_runs_and_no_filters(opened: Opening, pages: dict[str, Path]) -> None:
    page = opened(pages["many"])
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(RUNS).count() == 160
    assert not page.get_by_placeholder("any text").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.locator(RUNS).count() == 25


def test_without_javascript_the_whole_table_is_there(chromium: Any, pages: dict[str, Path]) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["many"].as_uri())
    assert page.locator(RUNS).count() == 160
    assert not page.get_by_placeholder("any text").is_visible()
    context.close()
