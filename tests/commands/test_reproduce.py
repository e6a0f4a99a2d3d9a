"""quatrain reproduce: the same run is identical to the bit, another one is told by its first step and its cause."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from quatrain.__main__ import main
from quatrain.config.compose import compose
from quatrain.corpora.verse import poems
from quatrain.runs import processes
from quatrain.runs.directory import RunDirectory

pytestmark = pytest.mark.slow

SMALL = (
    *("experiment=quick_sonnets", "data.batch_size=8", "tokenizer.vocab_size=300", "model.config.num_hidden_layers=1"),
    *(
        "trainer.max_steps=3",
        "run.report=false",
        "trainer.accelerator=cpu",
        "trainer.limit_val_batches=2",
        "trainer.log_every_n_steps=1",
    ),
)

Say = Callable[[], Any]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("corpus") / "poems.txt"
    file.write_text("\n\n".join(poems(60, 0)), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def trained(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run of three steps, made once."""
    place = tmp_path_factory.mktemp("trained") / "run"
    overrides = [*SMALL, f"data.source={corpus}", "data.documents=paragraphs"]
    run = RunDirectory.create(place, compose(overrides), overrides)
    assert processes.start_worker(run.path) == 0, run.log.read_text()
    return run


@pytest.fixture
def original(trained: RunDirectory, tmp_path: Path) -> RunDirectory:
    """A copy of the trained run, to be changed."""
    shutil.copytree(trained.path, tmp_path / "original")
    return RunDirectory(tmp_path / "original")


def reproduction(tmp_path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The verdict and the provenance of the one reproduction beside the original."""
    (new,) = tmp_path.glob("*reproduce*")
    return json.loads((new / "reproduction.json").read_text()), json.loads((new / "provenance.json").read_text())


def test_the_same_run_again_is_identical_to_the_bit(
    original: RunDirectory, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in original.path.rglob("*") if path.is_file()}
    assert main(["reproduce", str(original.path)]) == 0
    said = capfd.readouterr()
    assert "identical to the bit" in said.out
    assert "differ" not in said.out
    verdict, provenance = reproduction(tmp_path)
    assert verdict["identical"]
    assert verdict["weights"]["identical"]
    assert verdict["last_step"] == 3
    assert verdict["values"] > 12
    assert verdict["config"] == verdict["surroundings"] == []
    assert provenance["command"] == ["quatrain", "reproduce", str(original.path)]
    assert {path: path.read_bytes() for path in original.path.rglob("*") if path.is_file()} == before


def test_another_seed_and_exact_arithmetic_are_named(
    original: RunDirectory, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = original.read_config()
    config["seed"] += 1
    original.config.write_text(yaml.safe_dump(config))
    assert main(["reproduce", str(original.path), "--exact"]) == 1
    said = capfd.readouterr()
    assert "the original ran without" in said.err
    assert "not identical" in said.out
    verdict, provenance = reproduction(tmp_path)
    assert not verdict["identical"]
    assert (verdict["first"]["step"], verdict["first"]["metric"]) == (1, "train/loss")
    assert verdict["first"]["absolute"] > 0
    assert verdict["weights"]["largest"] > 0
    changed = {change["what"]: (change["before"], change["now"]) for change in verdict["config"]}
    assert changed["seed"] == (1, 2)
    assert changed["trainer.deterministic"] == (None, True)
    assert "the initial weights" in {change["what"] for change in verdict["surroundings"]}
    assert provenance["environment"]["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_a_changed_corpus_is_named_as_soon_as_it_is_known(
    original: RunDirectory, corpus: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = corpus.read_text(encoding="utf-8")
    corpus.write_text(whole.replace("the ", "a "), encoding="utf-8")
    try:
        assert main(["reproduce", str(original.path)]) == 1
    finally:
        corpus.write_text(whole, encoding="utf-8")
    said = capfd.readouterr()
    assert "the corpus: " in said.err  # said while the worker goes on, so how far that has come is not certain
    verdict, _ = reproduction(tmp_path)
    assert {change["what"] for change in verdict["surroundings"]} >= {"the corpus"}
    assert verdict["config"] == []
    assert verdict["first"]["step"] == 1


def test_a_corpus_that_is_gone_is_named_and_nothing_is_left_behind(
    original: RunDirectory, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = original.read_config()
    config["data"]["source"] = str(tmp_path / "gone.txt")
    original.config.write_text(yaml.safe_dump(config))
    assert main(["reproduce", str(original.path)]) == 2
    assert "gone.txt" in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["original"]


FAKE = """
import sys, time
from quatrain.runs.directory import RunDirectory
from quatrain.runs.metrics_file import MetricsFile
run = RunDirectory(sys.argv[1])
run.set_status("running")
run.write_provenance({})
metrics = MetricsFile(run.metrics_file)
for row in RunDirectory(sys.argv[2]).read_metrics():
    metrics.append(row)
    time.sleep(0.01)
time.sleep(100)
"""


def test_an_interrupted_original_is_run_until_beyond_its_last_step(
    original: RunDirectory, trained: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = original.metrics_file.read_text().splitlines(keepends=True)
    original.metrics_file.write_text("".join(lines[:3]))
    original.set_status("interrupted", "A signal ended it.")

    def worker(run: Path, **_: Any) -> int:
        return subprocess.run([sys.executable, "-c", FAKE, str(run), str(trained.path)], check=False).returncode

    monkeypatch.setattr("quatrain.runs.attempts.start_worker", worker)
    assert main(["reproduce", str(original.path), "--dir", str(tmp_path / "new")]) == 0
    verdict = json.loads((tmp_path / "new" / "reproduction.json").read_text())
    assert verdict["identical"]
    assert verdict["last_step"] == 2
    assert verdict["status"]["original"] == "interrupted"
    assert "the reproduction was stopped where the original ends" in verdict["notes"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "the following arguments are required: RUN"),
        (["one", "two"], "unrecognized arguments: two"),
        (["one", "--exakt"], "did you mean --exact?"),
        (["one", "--dir"], "expected one argument"),
        (["nowhere"], "nowhere does not exist"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", *words]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.startswith("error: ")
    assert said.count("\n") == 1


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "--help"]) == 0
    said = capsys.readouterr().out
    assert "quatrain reproduce outputs/" in said
    assert "--exact" in said


def test_a_config_that_names_code_is_refused_before_anything_is_written(
    original: RunDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = original.read_config()
    config["callbacks"]["x"] = {"_target_": "os.system", "command": "true"}
    original.config.write_text(yaml.safe_dump(config))
    assert main(["reproduce", str(original.path)]) == 2
    assert "may not be named" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["original"]
