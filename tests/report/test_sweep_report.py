"""The report of a sweep: every run is there, figures fit plotly's schema, no text is markup, and it is quick."""

import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from quatrain.__main__ import main
from quatrain.core.errors import UserError
from quatrain.report.sweep_report import write_sweep_report
from quatrain.sweeps.ending import tell_report
from quatrain.sweeps.job import Ended, Job

from .sweep_folders import HOSTILE, copied_run, figures_of, grid, study, swept_run


class Tags(HTMLParser):
    """The rows of the table of runs, the facts, and every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self._runs = False
        self._cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        self._runs = found.get("class") == "runs" if tag == "table" else self._runs
        if self._runs and tag == "tr":
            self.rows.append([])
        if self._runs and tag in ("td", "th"):
            self._cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._runs and self._cell:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = grid(tmp_path_factory.mktemp("swept") / "a grid")
    write_sweep_report(folder)
    return folder


@pytest.fixture(scope="module")
def page(swept: Path) -> str:
    return (swept / "report.html").read_text(encoding="utf-8")


def test_every_run_has_a_row_with_its_overrides_and_the_best_comes_first(page: str) -> None:
    heading, *rows = Tags(page).rows
    named = "run, status, seed, lr, n_layer, val/loss, train/loss, test/accuracy, seconds, tokens/s"
    assert ", ".join(heading) == named
    assert len(rows) == 14
    assert rows[0][1:6] == ["done", "1", "0.001", "2", "1.1300"]
    assert [row[1] for row in rows] == ["done"] * 12 + ["failed", "running"]
    assert [float(row[5]) for row in rows[:12]] == sorted(float(row[5]) for row in rows[:12])
    assert "All runs share" in page
    assert "trainer.max_steps=100" in page


def test_the_head_counts_all_and_links_the_best_run_to_its_own_report(page: str, swept: Path) -> None:
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page, re.DOTALL))
    assert (facts["runs"], facts["done"], facts["failed"], facts["running"]) == ("14", "12", "1", "1")
    link = re.search(r'href="(.*?)"', facts["best"])
    assert "val/loss 1.1300" in facts["best"]
    assert link
    assert (swept / link[1]).is_file()
    links = [attributes["href"] for tag, attributes in Tags(page).tags if tag == "a" and "title" in attributes]
    assert all(str(address).startswith("./") for address in links)


def test_a_failure_has_its_sentence_and_its_log(page: str, swept: Path) -> None:
    part = page[page.index("<h2>Failures</h2>") : page.index("<h2>Groups over seeds</h2>")]
    assert "The loss of step 3 is nan." in part
    log = re.search(r'href="(.*?run\.log)"', part)
    assert log
    assert (swept / log[1]).is_file()


def test_groups_are_those_of_compare(page: str, swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(swept), "--format", "csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    part = page[page.index("<h2>Groups over seeds</h2>") : page.index("<h2>Curves</h2>")]
    assert part.count("<tr>") == len(lines) == 5
    assert "p (Holm)" in part
    assert "95 % interval" in part


def test_figures_fit_the_schema_of_plotly(page: str) -> None:
    """And show what they should: bands of the seeds, an axis for each knob with its values, a bar for each knob."""
    import plotly.graph_objects as go

    figures = [go.Figure(content) for content in figures_of(page)]
    kinds = [figure.data[0].type for figure in figures]
    assert kinds == ["scatter", "scatter", "parcoords", "bar"]
    loss = figures[0]
    named = [trace for trace in loss.data if trace.showlegend is not False]
    assert len(named) == 4
    assert sum(trace.fill == "tonexty" for trace in loss.data) == 4
    low, high = loss.data[0], loss.data[1]
    assert all(one < other for one, other in zip(low.y, high.y, strict=True))
    rate, depth, metric = figures[2].data[0].dimensions[1], *figures[2].data[0].dimensions[::2]
    assert {rate.label, depth.label, metric.label} == {"lr", "n_layer", "val/loss"}
    assert sorted(set(rate.values)) == [-3, -1]
    assert list(rate.ticktext) == ["0.001", "0.1"]
    assert len(metric.values) == 12
    assert set(figures[3].data[0].y) == {"lr", "n_layer"}


def test_results_that_were_copied_alone_are_enough(swept: Path, tmp_path: Path) -> None:
    for file in swept.glob("*/result.json"):
        there = tmp_path / "copied" / file.parent.name
        there.mkdir(parents=True)
        (there / "result.json").write_bytes(file.read_bytes())
    heading, *rows = Tags(write_sweep_report(tmp_path / "copied").read_text(encoding="utf-8")).rows
    assert heading[2:5] == ["seed", "data.seed", "lr"] or {"lr", "n_layer"} <= set(heading)
    assert [row[1] for row in rows] == ["done"] * 12


def test_one_run_gets_sentences_where_nothing_can_be_compared(tmp_path: Path) -> None:
    swept_run(tmp_path / "one", "seed-1-0123abcd")
    page = write_sweep_report(tmp_path / "one").read_text(encoding="utf-8")
    assert "One setting alone was tried" in page
    assert "no knob to weigh" in page
    assert [content["data"][0]["type"] for content in figures_of(page)] == ["scatter", "scatter"]


def test_nothing_done_and_nothing_there(tmp_path: Path) -> None:
    swept_run(tmp_path / "bad", "seed-1-0123abcd", status="failed", why="It broke.")
    page = write_sweep_report(tmp_path / "bad", not_started=3).read_text(encoding="utf-8")
    assert "No run has a result yet" in page
    assert "<dt>not started</dt><dd>3</dd>" in page
    assert "plotly" not in page
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="lies no run directory"):
        write_sweep_report(tmp_path / "empty")


def test_files_that_cannot_be_read_are_told_and_their_runs_stay(tmp_path: Path) -> None:
    for name, file in (("a-0123abcd", "status_file"), ("b-0123abce", "result"), ("c-0123abcf", "overrides")):
        run = swept_run(tmp_path / "torn", name, seed=ord(name[0]))
        getattr(run, file).write_text("{", encoding="utf-8")
    swept_run(tmp_path / "torn", "d-0123abd0.attempt1", status="failed", why="It broke.")
    page = write_sweep_report(tmp_path / "torn").read_text(encoding="utf-8")
    assert len(Tags(page).rows) == 4
    assert "status.json cannot be read" in page
    assert "result.json cannot be read" in page
    assert "overrides.yaml" in page
    assert "1 attempt at a job failed before" in page


def test_texts_are_no_markup(tmp_path: Path) -> None:
    """In the name of a folder, in an override, in the sentence of a failure, and in what a trial was refused for."""
    folder = tmp_path / "<script>window.hurt=1<"
    swept_run(folder, "<img src=x onerror=hurt>-0123abcd", extra=[f"model.name={HOSTILE}"])
    swept_run(folder, "b-0123abce", lr=2.0, extra=["model.name=plain"])
    swept_run(folder, "c-0123abcf", status="failed", why=HOSTILE, extra=[f"model.name={HOSTILE}2"])
    study(folder, [{"state": "PRUNED", "refused": HOSTILE}, {"state": "COMPLETE", "value": 1.0, "folder": HOSTILE}])
    page = write_sweep_report(folder).read_text(encoding="utf-8")
    tags = Tags(page).tags
    assert not {"img", "iframe", "object"} & {tag for tag, _ in tags}
    assert not [attributes for _, attributes in tags if any(name.startswith("on") for name in attributes)]
    assert "\u202e" not in page
    assert page.count("window.hurt=1</script>") == 0
    assert "&lt;/script&gt;&lt;script&gt;window.hurt=1" in page


def test_200_runs_take_two_seconds_at_most_and_a_bounded_page(tmp_path: Path) -> None:
    first = swept_run(tmp_path, "first-0123abcd", loss=1.5)
    for number in range(200):
        seed, lr = number % 4, 10 ** -(1 + number % 50 / 20)
        copied_run(first, tmp_path / "large" / f"run-{number}-{number:08x}", seed=seed, lr=lr)
    began = time.process_time()
    path = write_sweep_report(tmp_path / "large")
    assert time.process_time() - began < 2
    assert sum(len(content["data"]) for content in figures_of(path.read_text(encoding="utf-8"))) < 400


def test_elsewhere_the_links_lead_back(swept: Path, tmp_path: Path) -> None:
    page = write_sweep_report(swept, tmp_path / "there.html").read_text(encoding="utf-8")
    link = re.search(r'href="(\./\.\.[^"]*report\.html)"', page)
    assert link
    assert (tmp_path / link[1].replace("%20", " ")).is_file()


@pytest.mark.parametrize("wanted", [True, False])
def test_the_end_of_a_sweep_tells_its_report(tmp_path: Path, capsys: pytest.CaptureFixture[str], wanted: bool) -> None:
    run = swept_run(tmp_path / "sweep", "seed-1-0123abcd")
    ended = Ended(Job(0, {"run": {"report": wanted}}, []), "done", run)
    tell_report([ended], tmp_path / "sweep", total=1)
    said = capsys.readouterr().err
    assert said == (f"report: {tmp_path}/sweep/report.html\n" if wanted else "")
    assert (tmp_path / "sweep" / "report.html").exists() == wanted


def test_a_report_that_cannot_be_written_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = swept_run(tmp_path / "sweep", "seed-1-0123abcd")
    (tmp_path / "sweep" / "report.html").mkdir()
    tell_report([Ended(Job(0, {"run": {"report": True}}, []), "done", run)], tmp_path / "sweep", total=1)
    said = capsys.readouterr().err
    assert said.startswith("No report is written: ")
    assert said.count("\n") == 1
