"""quatrain evaluate: numbers on standard output, words on standard error, evaluation.json in the run; and refusals."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quatrain.__main__ import main
from quatrain.inference.target import find_target
from quatrain.runs.directory import RunDirectory
from quatrain.runs.evaluations import read_evaluations

from ..inference.evaluation_runs import PLAIN, maker

QUICK = ("--resamples", "20", "--precision", "32-true", "--device", "cpu")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., RunDirectory]:
    return maker(tmp_path_factory.mktemp("commanded"))


@pytest.fixture
def run(finished: Any, tmp_path: Path) -> RunDirectory:
    """A finished classifier of the test's own."""
    shutil.copytree(finished("experiment=quick_mrpc", *PLAIN).path, tmp_path / "run")
    return RunDirectory(tmp_path / "run")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one sentence of a refusal, before which nothing is printed."""
    assert main(["evaluate", *words]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert "Traceback" not in told.err
    return told.err


def test_a_table_and_what_is_kept(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run.path), *QUICK]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0] == "test: 8 examples of verse"
    assert lines[2].split() == ["metric", "value", "95", "%", "interval"]
    assert [line.split()[0] for line in lines[3:6]] == ["loss", "accuracy", "f1"]
    assert lines[6].startswith("accuracy of the largest class alone, ")
    assert lines[8].split() == ["label", "\\", "predicted", "not_equivalent", "equivalent"]
    assert "kept as test in" in told.err
    (entry,) = read_evaluations(run).values()
    result = {name: f"{entry['metrics'][name]['value']:.4f}" for name in ("loss", "accuracy", "f1")}
    assert {line.split()[0]: line.split()[1] for line in lines[3:6]} == result
    assert sum(map(sum, entry["confusion"]["counts"])) == entry["examples"] == 8
    wanted = {"task", "split", "source", "fingerprint", "resamples", "seed", "level", "precision", "device"}
    assert wanted < set(entry)
    provenance = json.loads(run.provenance.read_text())
    assert entry["fingerprint"] == provenance["fingerprints"]["data"]


def test_splits_and_sources_side_by_side(run: RunDirectory, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Each in its place, the same one replaced; of other weights none stays."""
    from transformers import AutoModelForSequenceClassification

    from quatrain.runs.weights import weights_fingerprint

    source = tmp_path / "new.tsv"
    source.write_text("sentence1\tsentence2\tlabel\na moon\tthe moon\t1\na river\tthe mill\t0\n")
    export = str(run.path / "export")
    for words in ([], ["--split", "validation"], ["--source", str(source)], ["--split", "validation", "--seed", "3"]):
        assert main(["evaluate", export, *words, *QUICK]) == 0
    found = read_evaluations(run)
    assert set(found) == {"test", "validation", f"test of {source}"}
    assert found["validation"]["seed"] == 3
    assert find_target(export, "evaluate").run is not None
    content = json.loads(run.evaluation.read_text())
    plain = AutoModelForSequenceClassification.from_pretrained(export)
    assert content["weights"] == weights_fingerprint(plain)  # whatever quicker parts it was scored with
    run.evaluation.write_text(json.dumps({**content, "weights": "those of before"}))
    assert main(["evaluate", export, *QUICK]) == 0
    assert set(read_evaluations(run)) == {"test"}
    capsys.readouterr()


def test_json_alone_on_standard_output(run: RunDirectory, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    output = tmp_path / "scores.json"
    assert main(["evaluate", str(run.path), "--json", "--output", str(output), *QUICK]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(output.read_text()) == read_evaluations(run)["test"]
    assert "exists already" in refused(capsys, str(run.path), "--output", str(output), *QUICK)
    lost = tmp_path / "missing" / "scores.json"
    assert f"there is no folder {lost.parent}" in refused(capsys, str(run.path), "--output", str(lost), *QUICK)


def test_a_foreign_folder_is_left_as_it_is(
    run: RunDirectory, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder, output = tmp_path / "stranger", tmp_path / "scores.json"
    shutil.copytree(run.export, folder)
    before = sorted(folder.iterdir())
    words = ["--source", "verse", "--output", str(output), *QUICK]
    assert main(["evaluate", str(folder), *words]) == 0
    assert json.loads(output.read_text())["examples"] == 4000
    assert sorted(folder.iterdir()) == before
    assert "kept" not in capsys.readouterr().err


def test_what_is_refused(run: RunDirectory, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    place = str(run.path)
    assert "has no held-out split tset: it has validation, test" in refused(capsys, place, "--split", "tset", *QUICK)
    assert "is neither a file nor a folder" in refused(capsys, place, "--source", str(tmp_path / "absent"), *QUICK)
    assert "--resamples: 0 must be a whole number from 1 on" in refused(capsys, place, "--resamples", "0")
    assert "did you mean --source?" in refused(capsys, place, "--sorce", "x")
    assert "--label is for other data" in refused(capsys, place, "--label", "stars", *QUICK)
    assert "is no task of GLUE" in refused(capsys, place, "--source", "verse2", "--glue-task", "mrcp", *QUICK)
    (tmp_path / "empty.csv").write_text("")
    assert "empty.csv" in refused(capsys, place, "--source", str(tmp_path / "empty.csv"), *QUICK)
    (tmp_path / "bad.jsonl").write_text('{"sentence1": "a", "sentence2": "b", "label": 1}\n{"sentence1": 3}\n')
    assert "bad.jsonl, line 2" in refused(capsys, place, "--source", str(tmp_path / "bad.jsonl"), *QUICK)
    assert not run.evaluation.exists()
    run.evaluation.write_text("[]")
    assert "was not written by quatrain" in refused(capsys, place, *QUICK)
    run.set_status("interrupted", "By hand.")
    assert "is not done but interrupted" in refused(capsys, place, *QUICK)


def test_a_config_that_cannot_be_built(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a run that someone else handed over."""
    import yaml

    config = run.read_config()
    for data, sentence in (
        ({**config["data"], "_target_": "os.system"}, "may not be named"),
        ({**config["data"], "_target_": "quatrain.worker.os.system"}, "cannot be found"),
        ({**config["data"], "_target_": "quatrain.worker.RunDirectory"}, "is no LanguageData"),
        ({**config["data"], "_target_": "quatrain.tokenizers.trained.WordPiece"}, "is no LanguageData"),
        ({**config["data"], "max_length": "many"}, "its data cannot be built"),
        ({**config["data"], "nonsense": 1}, "its data cannot be built"),
        ({**config["data"], "source": str(run.path / "gone.csv")}, "gone.csv"),
        (None, "has no data that can be built"),
    ):
        run.config.write_text(yaml.safe_dump({**config, "data": data}))
        assert sentence in refused(capsys, str(run.path), *QUICK)


def test_a_label_that_would_command_a_terminal_is_escaped(
    run: RunDirectory, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "stranger"
    shutil.copytree(run.export, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"id2label": {"0": "\x1b[2Jno", "1": "yes\nyes"}, "label2id": {"\x1b[2Jno": 0, "yes\nyes": 1}}
    (folder / "config.json").write_text(json.dumps(config))
    assert main(["evaluate", str(folder), "--source", "verse", *QUICK]) == 0
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err
    assert "\\x1b[2Jno" in told.out


def test_json_is_ascii_without_controls(run: RunDirectory, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Controls of C1, DEL and what turns the direction of text come as escapes, and mean what they did."""
    folder, names = tmp_path / "stranger", ["\x9b2Jno\x7f", "\u202eyes"]
    shutil.copytree(run.export, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"id2label": dict(enumerate(names)), "label2id": {name: place for place, name in enumerate(names)}}
    (folder / "config.json").write_text(json.dumps(config))
    assert main(["evaluate", str(folder), "--source", "verse", "--json", *QUICK]) == 0
    told = capsys.readouterr()
    assert told.out.isascii()
    assert "\x7f" not in told.out
    assert json.loads(told.out)["confusion"]["labels"] == names


def test_device_and_precision_are_told_before_the_work(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    """A split that is not there is found out when the data is built."""
    assert main(["evaluate", str(run.path), "--split", "tset"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("device ")
    assert "precision " in told[0]
    assert told[1].startswith("error: ")


def test_the_account_of_a_url_is_kept_nowhere(
    run: RunDirectory, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from quatrain.inference import evaluation

    url, find = "https://someone:hunter2@example.org/x.csv", evaluation.find_held_out

    def of_the_url(loaded: Any, split: Any, source: Any, options: Any) -> Any:
        assert source == url
        return replace(find(loaded, split, None, options), source=url, own=False, notes=(f"rows of {url}",))

    monkeypatch.setattr(evaluation, "find_held_out", of_the_url)
    assert main(["evaluate", str(run.path), "--source", url, *QUICK]) == 0
    told = capsys.readouterr()
    assert "https://***@example.org/x.csv" in told.out
    assert "rows of https://***@" in told.err
    assert "hunter2" not in told.out + told.err + run.evaluation.read_text()


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--help"]) == 0
    assert "quatrain evaluate outputs/sonnets\n" in capsys.readouterr().out
    assert "the following arguments are required: TARGET" in refused(capsys)
