"""quatrain compare: what goes where, in every format; its sentences; and a real sweep from its folder alone."""

import csv
import io
import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from quatrain.__main__ import main
from quatrain.compare import plots
from quatrain.runs.directory import RunDirectory

Write = Callable[..., Path]
LOSSES = {(1e-3, 1): 2.0, (1e-3, 2): 2.1, (1e-3, 3): 2.3, (3e-3, 1): 1.5, (3e-3, 2): 1.7, (3e-3, 3): 1.6}


@pytest.fixture
def sweep(write: Write, tmp_path: Path) -> str:
    """Two learning rates, three seeds each; the last loss is above the best."""
    for (lr, seed), loss in LOSSES.items():
        curves = {"val/loss": [3.0, loss, loss + 0.5], "val/accuracy": [0.1, 0.5, 0.4 + lr * seed]}
        write(f"lr-{lr}_seed-{seed}-{seed:07x}{int(lr * 1000)}", lr=lr, seed=seed, values=curves)
    return str(tmp_path / "sweep")


def as_json(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["compare", *words, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["compare", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert all(line.startswith("error: ") for line in said.err.splitlines())
    return said.err


def test_groups_that_came_to_the_same_are_no_best(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two of three on top, then all; where one alone is on top nothing is said."""
    for lr, loss in ((1e-3, 2.0), (3e-3, 2.0), (1e-2, 2.5)):
        write(f"lr-{lr}", lr=lr, values={"val/loss": [loss], "val/accuracy": [0.52], "val/f1": [loss]})
    sweep = str(tmp_path / "sweep")
    said = "groups have the same mean, {}: none of them is the best, and their order says nothing."
    for metric, expected in (
        ("val/loss", f"The first 2 {said.format(2)}"),
        ("val/accuracy", f"All {said.format(0.52)}"),
    ):
        assert expected in as_json(capsys, sweep, "--metric", metric)["notes"]
    assert not any("the same mean" in note for note in as_json(capsys, sweep, "--metric", "val/f1")["notes"])


def test_what_a_score_is_to_be_compared_with(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """How many are no better, where single precision is a hair above; nothing where runs are of different data."""
    for seed, accuracy in ((1, 0.5199999809265137), (2, 0.52000001), (3, 0.7)):
        write(f"seed-{seed}", seed=seed, values={"val/accuracy": [accuracy]}, references={"val/accuracy": 0.52})
    sweep, asked = str(tmp_path / "sweep"), ("--metric", "val/accuracy")
    notes = as_json(capsys, sweep, *asked)["notes"]
    assert "Compare val/accuracy with the share of the largest class, 0.52; 2 of 3 runs are no better." in notes
    write("seed-4", seed=4, values={"val/accuracy": [0.8]}, references={"val/accuracy": 0.6})
    assert not any(note.startswith("Compare") for note in as_json(capsys, sweep, *asked)["notes"])


def test_the_table_and_the_words(sweep: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Means 1.6 and 2.1333; differences .5, .4, .7: t = .5333 / (.1528 / root 3) = 6.05, p = .0263 with 2 degrees."""
    assert main(["compare", sweep]) == 0
    said = capsys.readouterr()
    heading, best, other, _, _, knob, chance = [line.split() for line in said.out.splitlines()]
    assert heading[:5] == ["lr", "runs", "mean", "val/loss", "sd"]
    assert " ".join(best) == "0.003 3 1.60 0.10 1.35 to 1.85 the best — —"
    assert " ".join(other) == "0.001 3 2.13 0.15 1.75 to 2.51 +0.53 0.026 (n=3) 1.00 (1.00 to 1.00)"
    assert knob == ["lr", "86%", "20%"]
    assert chance[-2:] == ["14%", "—"]
    assert said.err.startswith("val/loss, the best value of each run; lower is better\n")
    assert "is of 3 equal seeds. With 3 it finds a difference only if its mean is at least 2.5 times its" in said.err


def test_json_has_every_number(sweep: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, sweep)
    assert (found["metric"], found["mode"], found["value"]) == ("val/loss", "min", "best")
    best, other = found["groups"]
    assert best["settings"] == {"optimizer.lr": 3e-3}
    assert [run["value"] for run in best["of_runs"]] == [1.5, 1.7, 1.6]
    assert other["mean"] == pytest.approx(statistics.mean([2.0, 2.1, 2.3]))
    assert other["sd"] == pytest.approx(statistics.stdev([2.0, 2.1, 2.3]))
    assert (other["pairs"], other["p"]) == (3, pytest.approx(0.02628, abs=1e-5))
    assert best["seconds"] == 10.0
    assert found["importance"]["knobs"][0]["keys"] == ["optimizer.lr"]


def test_last_and_other_metrics(sweep: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert [one["mean"] for one in as_json(capsys, sweep, "--last")["groups"]] == pytest.approx(
        [2.1, 2.1333 + 0.5], 1e-4
    )
    accuracy = as_json(capsys, sweep, "--metric", "val/accuracy", "--last")
    assert accuracy["mode"] == "max"
    assert [one["settings"]["optimizer.lr"] for one in accuracy["groups"]] == [3e-3, 1e-3]
    assert as_json(capsys, sweep, "--metric", "seconds")["mode"] == "min"
    assert as_json(capsys, sweep, "--metric", "val/loss", "--mode", "max")["groups"][0]["settings"] == {
        "optimizer.lr": 1e-3
    }


def test_markdown_and_csv(sweep: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", sweep, "--format", "markdown"]) == 0
    text = capsys.readouterr().out
    assert "| lr | runs | mean val/loss | sd | 95 % interval | vs best | p (Holm) | P(best wins) |" in text
    assert "| 0.003 | 3 | 1.60 | 0.10 | 1.35 to 1.85 | the best | — | — |" in text
    assert main(["compare", sweep, "--format", "csv"]) == 0
    best, other = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (best["optimizer.lr"], best["seeds"], best["p"]) == ("0.003", "1 2 3", "")
    assert float(other["mean"]) == statistics.fmean([2.0, 2.1, 2.3])


def test_the_names_of_the_files_do_not_matter(sweep: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = as_json(capsys, sweep)
    folders = sorted(Path(sweep).iterdir())
    Random(0).shuffle(folders)
    for place, folder in enumerate(folders):
        folder.rename(folder.with_name(f"moved-{place}"))
    after = as_json(capsys, sweep)
    for found in (before, after):
        for one in found["groups"]:
            one["of_runs"] = [(run["seed"], run["value"]) for run in one["of_runs"]]
    assert before == after


def test_one_run_has_no_interval(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(write("only-1"))]) == 0
    said = capsys.readouterr()
    assert "one run" in said.out
    assert "no interval from one run" in said.err
    assert "P(best wins)" not in said.out, "there is nothing to compare it with"


def test_groups_of_one_run_each(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place, lr in enumerate((1e-3, 2e-3)):
        write(f"a-{place}", seed=place, lr=lr)
    found = as_json(capsys, str(tmp_path))
    assert found["groups"][1]["why_no_p"] == "no equal seeds"
    assert any("2 groups have one run: no interval from one run" in note for note in found["notes"])
    assert any("no equal seeds (1)" in note for note in found["notes"])


def test_a_changed_input_and_an_old_attempt(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("lr-1-0123abcd", values={"val/loss": [9.0]})
    write("lr-1-0123abcd-2", values={"val/loss": [1.0]})
    write("lr-1-0123abcd.attempt1", values={"val/loss": [5.0]})
    found = as_json(capsys, str(tmp_path))
    assert [run["value"] for one in found["groups"] for run in one["of_runs"]] == [1.0]
    assert found["notes"][0].startswith("1 result has a newer one of the same experiment and seed")
    assert found["notes"][0].endswith("not lr-1-0123abcd.")


def test_runs_without_the_metric_are_left_out(sweep: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write("other-1", values={"val/loss": [1.0]}, seed=9)
    found = as_json(capsys, sweep, "--metric", "val/accuracy")
    assert "1 run is left out, without a finite val/accuracy: other-1." in found["notes"]


def test_different_monitors_need_a_metric(sweep: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write("other-1", monitor="val/accuracy", mode="max", values={"val/loss": [1.0], "val/accuracy": [0.5]})
    said = refused(capsys, sweep)
    assert "different metrics: val/accuracy (1), val/loss (6)" in said
    assert "--metric with one that all have: seconds, tokens_per_second, val/accuracy, val/loss" in said
    assert as_json(capsys, sweep, "--metric", "val/loss")["mode"] == "min"


def test_runs_that_were_never_validated(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(write("a-1", monitor=None, mode=None, values={"train/loss": [1.0]}))
    assert "no metric; give --metric with one that all have: seconds, tokens_per_second, train/loss" in refused(
        capsys, folder
    )
    assert as_json(capsys, folder, "--metric", "train/loss")["mode"] == "min"


def test_mistakes(sweep: str, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--metric val/los: no run has it; did you mean val/loss? There are seconds, " in refused(
        capsys, sweep, "--metric", "val/los"
    )
    assert "did you mean --metric?" in refused(capsys, sweep, "--metrik", "val/loss")
    assert "invalid choice: 'xml'" in refused(capsys, sweep, "--format", "xml")
    assert "FOLDER" in refused(capsys)
    assert "There is no folder" in refused(capsys, str(tmp_path / "none"))
    own = str(write("own-1", sweep="own", values={"val/loss": [1.0], "val/mine": [2.0]}))
    assert "--metric val/mine: nothing tells which of its values are good; add --mode" in refused(
        capsys, own, "--metric", "val/mine"
    )
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refused(capsys, sweep, "--output", str(tmp_path / "file"))


def test_a_metric_that_is_nowhere_finite(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write("a-1", history={"val/loss": {"step": [1], "value": [None]}})
    assert "--metric val/loss: no run has a finite value of it" in refused(capsys, str(folder))


def test_a_reader_that_has_seen_enough_breaks_nothing(write: Write, tmp_path: Path) -> None:
    for seed in range(40):
        write(f"a-{seed}", seed=seed, config={"note": "long " * 20_000 + str(seed)})
    command = [sys.executable, "-m", "quatrain", "compare", str(tmp_path), "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "{\n"
        process.stdout.close()
        assert "Error" not in process.stderr.read()
    assert process.returncode == 0


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--help"]) == 0
    assert "quatrain compare outputs/sweeps/NAME" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from quatrain.__main__ import main; main(['compare', '--help']);"
        "heavy = {'torch', 'transformers', 'scipy', 'matplotlib', 'optuna'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


HOSTILE = "[red]\x1b]0;owned\x07|<img src=x>$\\frac{`*\n\x7f\ud800"


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "json"])
def test_what_configs_say_commands_no_terminal(
    form: str, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (1, 2):
        write(f"a\x1b[2J-{seed}", seed=seed, config={f"op\x07{HOSTILE}": {HOSTILE: "plain"}})
        write(f"b-{seed}", seed=seed, config={f"op\x07{HOSTILE}": {HOSTILE: HOSTILE}})
    words = ["--output", str(tmp_path / "out")] if form == "table" else []
    assert main(["compare", str(tmp_path / "sweep"), "--format", form, *words]) == 0
    said = capsys.readouterr()
    written = [path.read_text() for path in (tmp_path / "out").glob("compare.*")]
    for text in (said.out, said.err, *written):
        assert not set("\x1b\x07\x7f") & set(text)
        text.encode()
    if form == "markdown":
        assert "<img" not in said.out
    if form == "table":
        assert "[red]" in said.out, "no markup of ours"


def test_output_holds_tables_and_pictures(sweep: str, write: Write, tmp_path: Path) -> None:
    for lr, seed in LOSSES:
        write(f"wide-{lr}-{seed}", lr=lr, seed=seed, config={"model": {"width": 8}}, values={"val/loss": [lr + seed]})
    out = tmp_path / "deep" / "out"
    assert main(["compare", sweep, "--output", str(out)]) == 0
    pictures = {f"{name}.{form}" for name in ("curves", "boxes", "heat_map") for form in ("svg", "png")}
    assert {path.name for path in out.iterdir()} == pictures | {"compare.md", "compare.csv", "compare.json"}
    assert "![heat_map](heat_map.svg)" in (out / "compare.md").read_text()
    assert all((out / name).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" for name in pictures if name.endswith("png"))
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert main(["compare", sweep, "--output", str(out)]) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before, "the same comparison is the same file"


def test_without_matplotlib_the_rest_goes_on(
    sweep: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    assert main(["compare", sweep, "--output", str(tmp_path / "out")]) == 0
    assert "No plots: they need Matplotlib; pip install 'quatrain[plots]'." in capsys.readouterr().err
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".md", ".csv", ".json"}


@pytest.mark.parametrize(("columns", "left"), [("200", []), ("80", ["P(best wins)"]), ("30", ["P(best wins)", "sd"])])
def test_a_narrow_terminal_breaks_no_number(
    columns: str, left: list[str], sweep: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"TTY_COMPATIBLE": "1", "TERM": "xterm", "COLUMNS": columns}.items():
        monkeypatch.setenv(name, value)
    assert main(["compare", sweep]) == 0
    said = capsys.readouterr()
    out = re.sub(r"\x1b\[\d*m", "", said.out)  # bold
    heading = out.splitlines()[0]
    assert [name for name in ("P(best wins)", "sd") if name not in heading] == left
    assert ("terminal is too narrow" in said.err) == bool(left)
    if columns == "30":
        assert "1: lr=0.003\n2: lr=0.001\n" in out


def test_a_real_sweep_is_compared_from_its_folder(tmp_path: Path) -> None:
    """Four runs of two steps; then their result files alone, copied elsewhere, say the same."""
    small = (
        "data.verse_size=60",
        "data.batch_size=8",
        "trainer.max_steps=2",
        "run.report=false",
        "trainer.accelerator=cpu",
    )
    swept = ("seed=1,2", "optimizer.lr=1e-3,3e-3", "data.max_length=16", "data.stride=16")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def quatrain(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "quatrain", *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    done = quatrain("train", "-m", "experiment=quick_windows", *small, *swept)
    assert done.returncode == 0, done.stderr
    compared = quatrain("compare", "outputs", "--format", "json")
    assert compared.returncode == 0, compared.stderr
    found = json.loads(compared.stdout)
    assert sorted(one["settings"]["optimizer.lr"] for one in found["groups"]) == [1e-3, 3e-3]
    assert all([run["seed"] for run in one["of_runs"]] == [1, 2] for one in found["groups"])
    for one in found["groups"]:
        for run in one["of_runs"]:
            result = RunDirectory(tmp_path / run["folder"]).read_result()
            assert result is not None
            assert run["value"] == result["best"][found["metric"]]
            assert result["history"]["train/loss"]["step"] == [1, 2]
            assert not {"run", "logger", "sweep", "hydra"} & set(result["config"])
    for file in (tmp_path / "outputs").rglob("result.json"):
        copy = tmp_path / "copied" / file.parent.name / file.name
        copy.parent.mkdir(parents=True)
        copy.write_bytes(file.read_bytes())
    again = json.loads(quatrain("compare", "copied", "--format", "json").stdout)
    assert [one["mean"] for one in again["groups"]] == [one["mean"] for one in found["groups"]]
