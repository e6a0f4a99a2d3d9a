"""The report of a run shows what its files say, whichever of them are there, and whatever they hold."""

import html
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import plotly.graph_objects as go
import pytest
import yaml
from markupsafe import Markup

from quatrain.core.errors import UserError
from quatrain.report.page import plotly_js
from quatrain.report.run_facts import facts_of, lead_of, title_of
from quatrain.report.run_files import read_run
from quatrain.report.run_report import sections_of, write_run_report
from quatrain.runs.directory import RunDirectory

from .report_runs import HOSTILE, TASKS, hostile_run

FILES = (
    "config.yaml",
    "overrides.yaml",
    "metrics.csv",
    "result.json",
    "evaluation.json",
    "provenance.json",
    "samples.jsonl",
    "examples.json",
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunDirectory]:
    folder = tmp_path_factory.mktemp("runs")
    return {task: hostile_run(folder / task, task) for task in TASKS}


def written(run: RunDirectory, output: Path) -> str:
    """The page without plotly.js."""
    return write_run_report(run, output).read_text(encoding="utf-8").replace(plotly_js(), "")


def figures(page: str) -> Iterator[dict]:
    for text in re.findall(r'<script type="application/json">(.*?)</script>', page):
        yield json.loads(text)


def _texts(value: object) -> Iterator[str]:
    """Every text of a figure, each of which plotly may take for its pseudo-HTML."""
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item)


def shown(page: str) -> str:
    return " ".join(
        html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<(script|style).*?</\1>", "", page, flags=re.S))).split()
    )


@pytest.mark.parametrize("task", TASKS)
def test_every_figure_fits_plotlys_schema_and_no_text_is_markup(
    runs: dict[str, RunDirectory], task: str, tmp_path: Path
) -> None:
    page = written(runs[task], tmp_path / "page.html")
    drawn = [go.Figure(figure) for figure in figures(page)]
    assert len(drawn) >= 9  # losses, scores, five of the pace, lengths, and the task's own
    assert all(len(trace.x) for figure in drawn for trace in figure.data)
    assert page.count('role="img" aria-label=') == len(drawn)
    for text in (text for figure in figures(page) for text in _texts(figure)):
        assert "<" not in text.replace("<br>", "").replace("<extra></extra>", "")
    for figure in figures(page):
        assert all("window.hurt" not in trace.get("hovertemplate", "") for trace in figure["data"])
    assert "<img" not in page
    assert "window.hurt=1</script>" not in page
    assert "Not shown" not in page


def test_it_shows_scores_with_intervals_beside_best_and_last(runs: dict[str, RunDirectory], tmp_path: Path) -> None:
    page = written(runs["sequence_classification"], tmp_path / "page.html")
    assert "<td>val/accuracy</td><td>0.75</td><td>0.75</td><td>0.71 to 0.79</td><td>0.75</td>" in page
    assert "<td>test/accuracy</td><td>0.7</td><td></td><td></td><td></td>" in page
    text = shown(page)
    for words in (
        "best val/accuracy 0.75 at step 300",
        "training took 1 min 15 s",
        "2026-01-02 03:04 UTC",
        "75 of 100 are right",
        "25 of 100 are wrong; these most confidently",
        "99.0% sure",
        "16.6% are longer than 16 tokens, where they are cut",
        "share of the largest class",
    ):
        assert words in text + str(list(figures(page)))


def test_the_config_marks_what_was_named_and_what_is_no_default(runs: dict[str, RunDirectory], tmp_path: Path) -> None:
    page = written(runs["masked_lm"], tmp_path / "page.html")
    assert "<tr><td>optimizer.lr</td><td>0.5</td><td>0.001</td><td>yes</td></tr>" in page
    assert "<tr><td>model.frozen_layers</td><td>3</td><td>0</td><td></td></tr>" in page
    assert "<td>optimizer.betas</td>" not in page  # a list equal to the class's tuple
    assert "<td>seed</td>" not in page


def test_each_task_shows_its_own_examples(runs: dict[str, RunDirectory], tmp_path: Path) -> None:
    pages = {task: shown(written(run, tmp_path / f"{task}.html")) for task, run in runs.items()}
    assert "right b" in pages["masked_lm"]
    assert "40.0%" in pages["masked_lm"]
    assert "Line chart of the loss by position" in written(runs["causal_lm"], tmp_path / "again.html")
    assert all("step said 20" in page for page in pages.values())


@pytest.mark.parametrize("name", FILES)
def test_any_file_may_be_missing(name: str, tmp_path: Path) -> None:
    run = hostile_run(tmp_path / "run", rows=20)
    (run.path / name).unlink()
    page = written(run, tmp_path / "page.html")
    assert "done" in shown(page)
    if name == "config.yaml":
        assert "config.yaml does not exist" in shown(page)
    else:
        assert "Not shown" not in page


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_shape_is_told_and_the_rest_is_shown(name: str, tmp_path: Path) -> None:
    run = hostile_run(tmp_path / "run", rows=20)
    wrong = {"metrics.csv": "step\nx\n", "samples.jsonl": "[]\n", "overrides.yaml": "a: 1\n"}
    (run.path / name).write_text(wrong.get(name, "[1, 2"), encoding="utf-8")
    page = shown(written(run, tmp_path / "page.html"))
    assert "Not shown" in page
    assert name in page
    assert "status done" in page


@pytest.mark.parametrize("name", ["evaluation.json", "examples.json", "provenance.json", "result.json"])
def test_no_value_of_another_kind_breaks_it(name: str, tmp_path: Path) -> None:
    """Each value of the file in turn becomes a number, a list, a mapping: every part is made or told all the same."""
    run = hostile_run(tmp_path / "run", rows=20)
    file = run.path / name
    content = json.loads(file.read_text(encoding="utf-8"))
    places = [place for place in _places(content) if place]
    for number, place in enumerate(places):
        changed = json.loads(json.dumps(content))
        node = changed
        for step in place[:-1]:
            node = node[step]
        node[place[-1]] = (7, [], {}, "x", [HOSTILE], None, float("inf"))[number % 7]
        file.write_text(json.dumps(changed), encoding="utf-8")
        files = read_run(run)
        made = [*(section.body for section in sections_of(files)), title_of(files), lead_of(files), *facts_of(files)]
        assert not any("<img" in body for body in made if isinstance(body, Markup)), place
    assert len(places) >= 15


def _places(node: object, path: tuple = ()) -> Iterator[tuple]:
    yield path
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield from _places(value, (*path, key))


def test_failed_and_running_runs_have_a_report_that_says_so(tmp_path: Path) -> None:
    failed = RunDirectory.create(tmp_path / "failed", {"name": "x", "seed": 1}, [])
    failed.set_status("failed", "The loss is <b>not finite</b> at step 3.")
    assert "It failed: The loss is <b>not finite</b> at step 3." in shown(written(failed, tmp_path / "1.html"))
    running = hostile_run(tmp_path / "running", rows=20)
    running.set_status("running")
    assert "It is under way" in shown(written(running, tmp_path / "2.html"))
    queued = RunDirectory.create(tmp_path / "queued", {"name": "x", "seed": 1}, [])
    assert "It has not begun" in shown(written(queued, tmp_path / "3.html"))


def test_many_steps_stay_small_and_quick(tmp_path: Path) -> None:
    run = hostile_run(tmp_path / "run", rows=20_000)
    began = time.perf_counter()
    page = written(run, tmp_path / "page.html")
    assert time.perf_counter() - began < 5  # about half a second on an idle core
    assert len(page) < 1_000_000
    assert max(len(trace["x"]) for figure in figures(page) for trace in figure["data"]) <= 1003


def test_a_config_cannot_have_its_report_read_files_or_import_modules(tmp_path: Path) -> None:
    run = hostile_run(tmp_path / "run", rows=20)
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    config = yaml.safe_load(run.config.read_text(encoding="utf-8"))
    config["data"] = {"_target_": "trap.Data", "a": 1}
    config["model"]["config"] = {"model_type": "../../etc/passwd", "b": 2}
    run.config.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert "trap.Data" in shown(written(run, tmp_path / "page.html"))


def test_a_folder_without_a_status_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="never started"):
        write_run_report(RunDirectory(tmp_path))
    assert not (tmp_path / "report.html").exists()
