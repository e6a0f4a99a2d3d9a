"""A report in Chromium: it draws, answers, follows light and dark, phone and printer; no request, no text executed."""

from pathlib import Path
from typing import Any

import pytest

from quatrain.report.run_report import write_run_report

from ..report.report_runs import TASKS, hostile_run
from .conftest import PHONE, Opening

VISIBLE = "(place, name) => place.data.filter(trace => trace.name === name).map(trace => trace.visible ?? true)"
CURVES = ".plot:has(.legend) >> nth=0"


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    return {task: write_run_report(hostile_run(folder / task, task)) for task in TASKS}


@pytest.mark.parametrize("task", TASKS)
def test_every_figure_is_drawn_and_no_text_is_executed(opened: Opening, reports: dict[str, Path], task: str) -> None:
    page = opened(reports[task])
    assert page.evaluate("window.hurt") is None
    assert page.locator(".plot .main-svg").count() >= 9
    assert page.locator("img, iframe, object, a:not([href^='#'])").count() == 0
    page.evaluate("for (const place of document.querySelectorAll('details')) place.open = true")
    page.wait_for_timeout(200)
    assert page.evaluate("window.hurt") is None


def test_a_click_on_the_legend_hides_a_curve_and_dark_keeps_it_hidden(
    opened: Opening, reports: dict[str, Path]
) -> None:
    page = opened(reports["masked_lm"])
    plot = page.locator(CURVES)
    assert plot.evaluate(VISIBLE, "val/loss") == [True]
    plot.locator(".legend .traces", has_text="val/loss").locator(".legendtoggle").click()
    page.wait_for_timeout(500)  # plotly waits for a double click
    assert plot.evaluate(VISIBLE, "val/loss") == ["legendonly"]
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    assert plot.evaluate(VISIBLE, "val/loss") == ["legendonly"]


def test_hovering_shows_step_and_value(opened: Opening, reports: dict[str, Path]) -> None:
    page = opened(reports["causal_lm"])
    plot = page.locator(CURVES)
    plot.scroll_into_view_if_needed()
    box = plot.locator(".nsewdrag").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2 - 3, box["y"] + box["height"] / 2)
    words = plot.locator(".hoverlayer").text_content()
    x, y = box["x"] + box["width"] / 2, box["y"]
    for height in range(0, int(box["height"]), 6):  # down until a curve is met
        page.mouse.move(x, y + height)
        page.wait_for_timeout(60)
        words = plot.locator(".hoverlayer").text_content()
        if words:
            break
    assert "step " in words


def test_the_button_makes_the_axis_logarithmic_and_linear_again(opened: Opening, reports: dict[str, Path]) -> None:
    page = opened(reports["causal_lm"])
    button, plot = page.locator("button.log").first, page.locator(CURVES)
    kinds = [plot.evaluate("place => place._fullLayout.yaxis.type")]
    for pressed in ("true", "false"):
        button.click()
        assert button.get_attribute("aria-pressed") == pressed
        kinds.append(plot.evaluate("place => place._fullLayout.yaxis.type"))
    assert kinds == ["linear", "log", "linear"]


def test_dragging_zooms_and_a_double_click_shows_all_again(opened: Opening, reports: dict[str, Path]) -> None:
    page = opened(reports["causal_lm"])
    plot = page.locator(CURVES)
    plot.scroll_into_view_if_needed()
    box = plot.locator(".nsewdrag").bounding_box()
    middle = box["y"] + box["height"] / 2
    before = plot.evaluate("place => place._fullLayout.xaxis.range")
    page.mouse.move(box["x"] + 100, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, middle, steps=5)
    page.mouse.up()
    page.wait_for_timeout(400)
    zoomed = plot.evaluate("place => place._fullLayout.xaxis.range")
    assert zoomed[1] - zoomed[0] < (before[1] - before[0]) / 2
    page.mouse.dblclick(box["x"] + 200, middle)
    page.wait_for_timeout(600)
    assert plot.evaluate("place => place._fullLayout.xaxis.range") == pytest.approx(before)


def colours(page: Any) -> tuple[str, str, str]:
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    curve = page.locator(CURVES).evaluate("place => place._fullData[1].line.color")
    ink = page.locator(CURVES).evaluate("place => getComputedStyle(place.querySelector('.xtick text')).fill")
    return paper, curve, ink


def test_light_and_dark_differ_also_when_it_changes_while_one_looks(opened: Opening, reports: dict[str, Path]) -> None:
    light = colours(opened(reports["causal_lm"]))
    page = opened(reports["causal_lm"], scheme="dark")
    dark = colours(page)
    assert all(one != other for one, other in zip(light, dark, strict=True))
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(300)
    assert colours(page) == light


@pytest.mark.parametrize("task", TASKS)
def test_a_phone_scrolls_down_only(opened: Opening, reports: dict[str, Path], task: str) -> None:
    page = opened(reports[task], PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    wide = page.evaluate(
        "[...document.querySelectorAll('.plot')].filter(plot => plot.getBoundingClientRect().right > innerWidth).length"
    )
    assert wide == 0
    assert page.locator(CURVES).evaluate("place => place._fullLayout.dragmode") is False  # a finger scrolls the page


def test_paper_is_light_has_no_buttons_and_holds_the_figures(opened: Opening, reports: dict[str, Path]) -> None:
    page = opened(reports["causal_lm"], scheme="dark")
    before = colours(page)
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert 2 <= printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") + printed.count(b"/Type /Page/") <= 20
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_timeout(300)
    paper, curve, ink = colours(page)
    assert paper == "rgb(255, 255, 255)"
    assert (curve, ink) != before[1:]
    assert not page.locator("button.log").first.is_visible()
    assert (
        page.locator(CURVES).evaluate("place => place.querySelector('.main-svg').getBoundingClientRect().width") == 680
    )
    page.emulate_media(media="screen", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.wait_for_timeout(300)
    assert colours(page) == before


def test_a_report_is_drawn_within_a_second_or_two(opened: Opening, tmp_path: Path) -> None:
    page = opened(write_run_report(hostile_run(tmp_path / "run", rows=5000)))
    assert page.evaluate("performance.now()") < 10_000  # about 1.5 s on an idle core


def test_without_javascript_the_page_is_readable(chromium: Any, reports: dict[str, Path]) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(reports["causal_lm"].as_uri())
    assert page.get_by_text("Without JavaScript there are no figures").is_visible()
    page.get_by_text("the numbers").first.click()
    assert page.locator("figure table").first.is_visible()
    context.close()
