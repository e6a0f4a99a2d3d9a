"""Figures are what plotly takes, hold no text that plotly or a script would act on, and say the same in words."""

import json
import re

import plotly.graph_objects as go
import pytest

from quatrain.report.curves import smoothed
from quatrain.report.figures import COLOURS, faded, figure, in_script, plain, styled

from .report_runs import HOSTILE


def test_json_in_a_script_cannot_end_it_and_reads_back_the_same() -> None:
    content = {"text": HOSTILE + "<!-- & ]]>"}
    text = in_script(content)
    assert not re.search(r"[<>&\u2028\u2029\u202e]", text)
    assert json.loads(text) == content


def test_what_is_not_finite_becomes_a_gap() -> None:
    body = figure([{"type": "scatter", "y": [1.0, float("nan"), float("inf"), 2.123456789]}], label="x")
    assert '"y":[1.0,null,null,2.12346]' in body


def test_a_text_of_data_is_plain_to_plotly_and_of_one_short_line() -> None:
    assert plain("<b>bold</b> &amp;\nnext") == "&lt;b&gt;bold&lt;/b&gt; &amp;amp; next"
    assert len(plain("x" * 500)) == 60
    assert "\u202e" not in plain(HOSTILE)


def test_the_words_about_a_figure_are_escaped() -> None:
    body = figure([{"type": "scatter"}], label=HOSTILE, numbers=([HOSTILE], [[HOSTILE]]))
    assert "<img" not in body
    assert "&lt;img" in body


@pytest.mark.parametrize("place", range(9))
def test_styles_and_the_theme_fit_plotlys_schema(place: int) -> None:
    from quatrain.report.figures import themed

    layout = themed({"xaxis": {"title": {"text": "step"}}, "yaxis2": {"overlaying": "y"}}, 300)
    drawn = go.Figure(
        {"data": [{"type": "scatter", **styled(place), "fillcolor": faded(COLOURS[0])}], "layout": layout}
    )
    assert drawn.layout.xaxis.automargin
    assert drawn.layout.yaxis2.automargin
    assert drawn.data[0].line.color in COLOURS


def test_no_two_curves_share_all_of_their_style() -> None:
    styles = [json.dumps(styled(place)) for place in range(42)]
    assert len(set(styles)) == 42


def test_smoothing_keeps_a_constant_and_has_no_bias_at_the_beginning() -> None:
    assert smoothed([3.0] * 500) == pytest.approx([3.0] * 500)
    assert smoothed([5.0, 5.0, 1.0])[0] == 5.0
