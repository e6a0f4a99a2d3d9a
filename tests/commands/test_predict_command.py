"""quatrain predict and embed on a run, its export and folders made elsewhere; rows in, rows out, words apart."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quatrain.__main__ import main
from quatrain.runs.directory import RunDirectory

from .conftest import SMALL

ROWS = [
    {"sentence1": "the river runs", "sentence2": "a river runs", "label": 1},
    {"sentence1": 'she said "hello"', "sentence2": "a, b\nc", "label": 0},
    {"sentence1": "the hill", "sentence2": "the mill " * 20, "label": 0},
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A finished run of quick_mrpc, two steps long."""
    from quatrain import worker
    from quatrain.config.compose import compose
    from quatrain.runs.run_log import run_log
    from quatrain.training.preemption import StopRequest

    overrides = ["experiment=quick_mrpc", *SMALL, "trainer.max_steps=2", "tokenizer.vocab_size=400"]
    made = RunDirectory.create(tmp_path_factory.mktemp("runs") / "run", compose(overrides), overrides)
    with run_log(made.log):
        assert worker.guarded(made, StopRequest()) == 0, made.log.read_text()
    return made


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of pairs, in the working folder."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    return file


@pytest.fixture
def distilbert(tmp_path: Path) -> Path:
    """A sentiment classifier of a family that quatrain has no experiment for."""
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    from quatrain.corpora.verse import poems
    from quatrain.tokenizers.trained import WordPiece

    tokenizer = WordPiece(vocab_size=300).fit(lambda: poems(20, 0))
    config = DistilBertConfig(
        vocab_size=tokenizer.vocab_size, dim=16, n_layers=1, n_heads=2, hidden_dim=32, id2label={0: "NEG", 1: "POS"}
    )
    DistilBertForSequenceClassification(config).save_pretrained(tmp_path / "sentiment")
    tokenizer.save(tmp_path / "sentiment")
    return tmp_path / "sentiment"


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """What a command says; the device is named, so that it is not told, and a precision unless one is in ``words``."""
    known = [] if "--help" in words or "--precision" in words else ["--precision", "32-true"]
    named = [] if "--help" in words else ["--device", "cpu"]
    code = main([*map(str, words), *named, *known])
    said = capsys.readouterr()
    return code, said.out, said.err


def give(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_a_run_and_its_export_say_what_the_pipeline_says(
    run: RunDirectory, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from transformers import pipeline

    pipe = pipeline("text-classification", str(run.export), device="cpu")
    asked = [{"text": row["sentence1"], "text_pair": row["sentence2"]} for row in ROWS]
    wanted = [pipe(row, truncation=True, max_length=40) for row in asked]
    for target in (run.path, run.export):
        code, out, err = told(capsys, "predict", target, rows, "--precision", "32-true", "--max-length", "40")
        assert (code, err) == (0, "1 of 3 rows were cut to 40 tokens\n")
        said = [json.loads(line) for line in out.splitlines()]
        assert [{name: row[name] for name in ROWS[0]} for row in said] == ROWS
        assert [row["predicted_label"] for row in said] == [one["label"] for one in wanted]
        assert [row["probability"] for row in said] == pytest.approx([one["score"] for one in wanted], abs=1e-5)


def test_every_label_and_every_format_of_files(
    run: RunDirectory, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pyarrow.parquet

    for name in ("out.csv", "out.parquet"):
        code, out, err = told(capsys, "predict", run.path, rows, "--all", "--output", name)
        assert (code, out, err) == (0, "", f"3 rows written to {name}\n1 of 3 rows were cut to 64 tokens\n")
    row = pyarrow.parquet.read_table("out.parquet").to_pylist()[1]
    assert {name: row[name] for name in ROWS[1]} == ROWS[1]
    assert row["probability_equivalent"] + row["probability_not_equivalent"] == pytest.approx(1)
    assert row["probability"] == row[f"probability_{row['predicted_label']}"]
    code, _, err = told(capsys, "predict", run.path, "out.parquet")
    assert (code, err) == (2, "error: The rows have columns label and predicted_label already; rename one.\n")


def test_lines_from_standard_input_and_a_folder_of_others(
    distilbert: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give(monkeypatch, "the river\n\na hill, a mill\n")
    code, out, err = told(capsys, "predict", distilbert, "-")
    assert (code, err) == (0, "")
    head, first, second = out.splitlines()
    assert head == "text,label,probability"
    assert first.startswith(("the river,NEG,0.", "the river,POS,0."))
    assert second.startswith('"a hill, a mill",')


def test_bad_rows_are_skipped_counted_and_told(
    distilbert: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = '{"text": "a"}\n{"text": 1}\n{"text": "b"}\n'
    give(monkeypatch, content)
    code, out, err = told(capsys, "predict", distilbert, "-", "--input-format", "jsonl", "--on-error", "skip")
    assert code == 0
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["a", "b"]
    assert "skipped: standard input, line 2: column text is int 1, not a text" in err
    assert err.endswith("1 bad row skipped\n")
    give(monkeypatch, content)
    code, out, err = told(capsys, "predict", distilbert, "-", "--input-format", "jsonl")
    assert code == 2
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["a"]
    assert err.startswith("error: standard input, line 2: column text is int 1, not a text")


def test_vectors_of_a_run_are_those_of_its_body(
    run: RunDirectory, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    code, out, err = told(
        capsys, "embed", run.path, rows, "--text", "sentence1", "--output", "out.npy", "--precision", "32-true"
    )
    assert (code, out, err) == (0, "", "3 rows written to out.npy\n")
    model, tokenizer = AutoModel.from_pretrained(run.export).eval(), AutoTokenizer.from_pretrained(run.export)
    with torch.no_grad():
        for row, found in zip(ROWS, np.load("out.npy"), strict=True):
            hidden = model(**tokenizer(row["sentence1"], return_tensors="pt")).last_hidden_state[0]
            np.testing.assert_allclose(found, hidden.mean(dim=0).numpy(), atol=1e-5)
    code, out, _ = told(capsys, "embed", run.path, rows, "--text", "sentence1", "--pool", "none")
    assert code == 0
    assert [np.asarray(json.loads(line)["embedding"]).ndim for line in out.splitlines()] == [2, 2, 2]


REFUSED: list[tuple[list[str], str]] = [
    (["predict", "RUN", "none.csv"], "none.csv does not exist; name a file"),
    (["predict", "RUN", "row.jsonl"], "did you mean rows.jsonl?"),
    (["predict", "RUN", "rows.jsonl", "--output", "rows.jsonl"], "--output=rows.jsonl exists already"),
    (
        ["predict", "RUN", "rows.jsonl", "--output", "out.csv", "--output-format", "csv"],
        "--output-format=csv is of standard output, and the ending of --output=out.csv tells its format; leave one out",
    ),
    (["predict", "RUN", "rows.jsonl", "--output", "out.txt"], "must end in .csv or .tsv or .jsonl or .parquet"),
    (["predict", "RUN", "rows.jsonl", "--text", "sentence2"], "was trained on pairs of texts"),
    (["predict", "RUN", "rows.jsonl", "--text-pair", "sentence2"], "name the first with --text COLUMN"),
    (
        ["predict", "RUN", "rows.jsonl", "--text", "sentence", "--text-pair", "sentence2"],
        "--text=sentence: rows.jsonl has no such column, only sentence1, sentence2, label; did you mean --text=",
    ),
    (["predict", "RUN", "rows.jsonl", "--batch-size", "0"], "0 must be a whole number of at least 1"),
    (["predict", "RUN", "rows.jsonl", "--max-length", "4096"], "and a length of 4096 was asked for"),
    (["predict", "RUN", "-"], "was trained on pairs of texts, and standard input gives one text a line"),
    (["embed", "RUN", "rows.jsonl"], "has pairs of texts (sentence1, sentence2); name one with --text COLUMN"),
    (
        ["embed", "RUN", "rows.jsonl", "--text", "sentence1", "--pool", "none", "--output", "out.npy"],
        "--output=out.npy holds one vector for each row, and --pool none gives one for each token",
    ),
    (["embed", "RUN", "rows.jsonl", "--output", "out.csv"], "must end in .parquet or .npy or .jsonl"),
]


@pytest.mark.parametrize(("words", "sentence"), REFUSED)
def test_what_cannot_be_done_is_refused_in_a_sentence_and_leaves_nothing(
    run: RunDirectory,
    rows: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
) -> None:
    give(monkeypatch, "a line\n")
    code, out, err = told(capsys, *(str(run.path) if word == "RUN" else word for word in words))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert sentence in err
    assert list(rows.parent.iterdir()) == [rows]
    assert rows.read_text().count("\n") == len(ROWS)


def test_device_and_precision_are_told_where_they_are_left_to_us(
    distilbert: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("predict", "embed"):
        give(monkeypatch, "the river\n")
        assert main([command, str(distilbert), "-", "--device", "cpu"]) == 0
        assert capsys.readouterr().err.startswith("precision ")
        give(monkeypatch, "the river\n")
        assert main([command, str(distilbert), "-", "--precision", "32-true"]) == 0
        assert capsys.readouterr().err.startswith("device ")


def test_all_mistakes_are_told_at_once(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["none.csv", "--output", "rows.jsonl", "--output-format", "csv", "--text-pair", "sentence2"]
    code, out, err = told(capsys, "predict", "no/such", *words)
    assert (code, out) == (2, "")
    for sentence in ("none.csv does not exist", "rows.jsonl exists already", "--output-format=csv", "--text-pair="):
        assert sentence in err
    code, out, err = told(capsys, "embed", rows.parent, "none.csv", "--output", "rows.csv")
    assert (code, out) == (2, "")
    for sentence in ("none.csv does not exist", "--output=rows.csv must end in", str(rows.parent)):
        assert sentence in err


def test_a_reader_that_leaves_ends_it_quietly(distilbert: Path, tmp_path: Path) -> None:
    """More rows than a pipe holds, of which one is read."""
    file = tmp_path / "many.txt"
    file.write_text("the river runs below the hill\n" * 20_000)
    command = [sys.executable, "-m", "quatrain", "predict", str(distilbert), str(file)]
    command += ["--device", "cpu", "--precision", "32-true"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"text,label,probability\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def test_help_has_an_example_and_loads_nothing_heavy(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("predict", "embed"):
        code, out, _ = told(capsys, command, "--help")
        assert code == 0
        assert "For example, after quatrain train" in out
        assert "run.dir=" in out
    script = (
        "import sys; from quatrain.__main__ import main; main(['predict', '--help']);"
        "sys.exit(bool({'torch', 'transformers', 'pyarrow'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_a_masked_language_model_cannot_predict(bert_folder: Path, rows: Path, capsys: Any) -> None:
    code, _, err = told(capsys, "predict", str(bert_folder), str(rows))
    assert code == 2
    assert "quatrain predict needs a classifier; what fits it: " in err
