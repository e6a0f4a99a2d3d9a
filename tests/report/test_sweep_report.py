"""The report of a sweep: what it shows of each state of its runs, and sentences in the place of what makes no sense."""

import json
import re
from pathlib import Path

import plotly.graph_objects as go
import pytest

from quatrain.__main__ import main
from quatrain.core.errors import UserError
from quatrain.report.sweep_report import write_sweep_report

from .report_runs import HOSTILE
from .sweep_folders import hostile_sweep, one_run, sweep_of

CONTENT = re.compile(r'<script type="application/json">(.*?)</script>', re.DOTALL)


def text_of(folder: Path) -> str:
    """The page of ``folder`` without plotly.js."""
    text = write_sweep_report(folder).read_text(encoding="utf-8")
    return text[: text.index("<script>")]


def figures(text: str) -> list[go.Figure]:
    """The figures of a page, each as plotly itself takes it."""
    return [go.Figure(json.loads(one)) for one in CONTENT.findall(text)]


def part(text: str, title: str) -> str:
    """The section with the heading ``title``."""
    return text.split(f"<h2>{title}</h2>")[1].split("</section>")[0]


def lines(text: str) -> list[list[str]]:
    """The texts of the cells of the table of runs."""
    rows = re.findall(r"<tr>(.*?)</tr>", part(text, "Runs").split("<tbody>")[1])
    return [[re.sub(r"<.*?>", "", cell) for cell in re.findall(r"<td.*?</td>", row)] for row in rows]


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    return sweep_of(tmp_path / "tried")


def test_the_head_counts_the_runs_and_leads_to_the_report_of_the_best(grid: Path) -> None:
    best = grid / "lr-0.003_seed-1"
    assert '<a href="./lr-0.003_seed-1/" title="lr-0.003_seed-1">' in text_of(grid)
    (best / "report.html").write_text("its own", encoding="utf-8")
    one_run(grid, "lr-1_seed-1", lr=1.0, status="failed", why="It broke.")
    one_run(grid, "lr-2_seed-1", lr=2.0, status="running")
    one_run(grid, "lr-3_seed-1", lr=3.0, loss=1.0, status="pruned")
    text = text_of(grid)
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text))
    assert {name: facts[name] for name in ("runs", "done", "failed", "running", "pruned")} == {
        "runs": "9",
        "done": "6",
        "failed": "1",
        "running": "1",
        "pruned": "1",
    }
    assert facts["best"].startswith("val/loss 1.55")  # not the pruned one's 1.0
    assert 'href="./lr-0.003_seed-1/report.html"' in facts["best"]
    assert "<h1>tried</h1>" in text


def test_the_table_has_the_swept_keys_and_the_best_run_first(grid: Path) -> None:
    text = text_of(grid)
    headings = re.findall(r"<th scope=\"col\" title=\"(.*?)\"", part(text, "Runs"))
    assert headings[:5] == ["run directory", "status", "seed", "optimizer.lr", "val/loss"]
    assert [line[0] for line in lines(text)][:3] == ["lr-0.003_seed-1", "lr-0.003_seed-2", "lr-0.001_seed-1"]
    assert lines(text)[0][2:5] == ["1", "0.003", "1.5500"]
    assert 'title="val/loss" data-kind="number" aria-sort="ascending"' in text


def test_no_column_claims_an_order_that_the_runs_do_not_have(grid: Path) -> None:
    one_run(grid, "cut", lr=1.0, loss=0.5, status="pruned")
    text = text_of(grid)
    assert lines(text)[-1][0] == "cut"  # below those that are done, though its value is lower
    assert "aria-sort" not in part(text, "Runs")


def test_groups_are_those_of_quatrain_compare(grid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(grid)]) == 0
    told = capsys.readouterr()
    said = [line.split() for line in told.out.splitlines() if re.match(r"0\.0", line)]
    groups = re.findall(r"<tr>(.*?)</tr>", part(text_of(grid), "Groups over seeds").split("<tbody>")[1])
    cells = [re.sub(r"<.*?>", " ", group).split() for group in groups]
    assert len(said) == 3
    assert cells == said


def test_every_figure_fits_plotlys_schema_and_shows_the_runs(grid: Path) -> None:
    text = text_of(grid)
    drawn = figures(text)
    assert len(drawn) == 4  # val/loss, train/loss, parallel coordinates, importance
    parallel = next(one.data[0] for one in drawn if one.data[0].type == "parcoords")
    assert [axis.label for axis in parallel.dimensions] == ["lr", "val/loss"]
    assert all(len(axis["values"]) == 6 for axis in parallel.dimensions)
    assert parallel.dimensions[0].ticktext == ("0.001", "0.003", "0.01")
    mean = next(trace for trace in drawn[0].data if trace.name == "lr=0.003")
    assert mean.y[-1] == pytest.approx(1.575)  # of 1.55 and 1.6
    bands = [trace for trace in drawn[0].data if trace.fill == "tonexty" and trace.legendgroup == mean.legendgroup]
    assert [band.y[-1] for band in bands] == pytest.approx([1.6])


def test_a_failure_has_its_sentence_and_its_log(grid: Path) -> None:
    bad = one_run(grid, "lr-1_seed-1", lr=1.0, status="failed", why="The loss is not finite.")
    bad.log.write_text("words", encoding="utf-8")
    (grid / "lr-9.attempt1").mkdir()
    said = part(text_of(grid), "Failures")
    assert "The loss is not finite." in said
    assert 'href="./lr-1_seed-1/run.log"' in said
    assert "1 attempt at a job failed before" in said


def test_what_makes_no_sense_of_one_run_is_said_in_a_sentence(tmp_path: Path) -> None:
    one_run(tmp_path / "one", "alone")
    text = text_of(tmp_path / "one")
    assert "nothing to lay side by side" in part(text, "Parallel coordinates")
    assert "no knob to weigh" in part(text, "Which knob matters")
    assert "<h2>Failures</h2>" not in text
    assert "<h2>Search</h2>" not in text


@pytest.mark.parametrize("status", ["failed", "running", "queued"])
def test_without_any_result_there_is_the_table_and_a_sentence(tmp_path: Path, status: str) -> None:
    one_run(tmp_path / "one", "alone", status=status, why="It broke.")  # type: ignore[arg-type]
    text = text_of(tmp_path / "one")
    assert "No run has a result yet" in part(text, "Groups over seeds")
    assert lines(text)[0][:2] == ["alone", status]
    assert "plotly" not in text


def test_a_value_that_is_not_finite_is_no_best(tmp_path: Path) -> None:
    one_run(tmp_path / "one", "wild", loss=float("nan"))
    text = text_of(tmp_path / "one")
    assert "No run has a finite val/loss" in part(text, "Groups over seeds")
    assert "<dt>best</dt>" not in text
    assert "nan" not in "".join(lines(text)[0])


def test_files_that_are_damaged_are_named_and_the_rest_is_shown(grid: Path) -> None:
    (grid / "lr-0.001_seed-1" / "result.json").write_text("{", encoding="utf-8")
    (grid / "lr-0.01_seed-1" / "status.json").write_text("[]", encoding="utf-8")
    (grid / "lr-0.01_seed-2" / "overrides.yaml").write_text("{a: 1}", encoding="utf-8")
    broken = one_run(grid, "huge", status="interrupted")
    broken.metrics_file.write_text(f"step,epoch,val/loss\n1,0,{'9' * 400}\n{'9' * 400},0,1.0\n", encoding="utf-8")
    text = text_of(grid)
    said = part(text, "Failures")
    assert all(name in said for name in ("result.json", "status.json", "overrides.yaml"))
    assert len(lines(text)) == 7


def test_every_text_is_escaped(tmp_path: Path) -> None:
    text = text_of(hostile_sweep(tmp_path / "hostile", HOSTILE))
    assert "<img" not in text
    assert "\u202e" not in text
    assert "\u2028" not in text
    assert "href='javascript" not in text
    assert set(re.findall(r'href="(.)', text)) == {".", "#"}
    assert "odd-%FF/run" in text
    assert len(lines(text)) == 4
    for one in figures(text):
        assert not re.search(r"[<>]", re.sub(r"<br>|<extra></extra>", "", json.dumps(one.to_dict(), default=list)))


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lies no run directory"):
        write_sweep_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_written_elsewhere_it_still_leads_to_the_runs(grid: Path, tmp_path: Path) -> None:
    page = write_sweep_report(grid, tmp_path / "report of all.html")
    assert 'href="./tried/lr-0.003_seed-1/"' in page.read_text(encoding="utf-8")


def test_the_other_commands_see_the_same_runs_beside_a_report(grid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def seen() -> list[str]:
        for command in (["runs"], ["compare"], ["clean", "--leftovers"], ["clean", "--status", "done"]):
            assert main([command[0], str(grid), *command[1:]]) == 0
        return re.sub(r"\d+ (s|min) ", "", capsys.readouterr().out).splitlines()

    before = seen()
    assert main(["report", str(grid)]) == 0
    assert capsys.readouterr().out.strip() == str(grid / "report.html")
    assert seen() == before
    assert main(["clean", str(grid), "--status", "done", "--yes"]) == 0
    assert (grid / "report.html").exists()
