"""Every kind of bad input gets its sentence and exit code 2 before training, and no run starts."""

import gzip
import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from quatrain.config.compose import compose
from quatrain.core.errors import UserError

from .conftest import SMALL

PAIRS = ("experiment=quick_mrpc", "data.glue_task=null", *SMALL)


NUMBERS = count()


def told(run_here: Callable[..., Any], *overrides: str) -> str:
    """All that is said against ``overrides``, whether composing or the worker finds it."""
    try:
        run, code = run_here(*overrides, name=f"run{next(NUMBERS)}")
    except UserError as error:
        return "\n".join(error.sentences)
    assert code == 2, run.log.read_text()
    assert not run.checkpoints.exists()
    assert not run.export.exists()
    why = run.status().why
    assert why is not None
    assert "Error:" not in why
    return why


def _rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _pair(number: int, label: Any = 1) -> dict[str, Any]:
    return {"sentence1": f"the {number} first", "sentence2": f"the {number} second", "label": label}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.txt", b"", "empty"),
        ("blank.txt", b"\n \n", "holds no text"),
        ("binary.txt", b"\x00\x01\x02" * 50, "binary"),
        ("latin.txt", "caf\u00e9 au lait\n".encode("latin-1") * 20, "UTF-8"),
        ("wrong.xyz", b"text", ".xyz"),
        ("broken.jsonl", b'{"text": "fine"}\n{"text": \n', "broken.jsonl, line 2"),
        ("column.jsonl", b'{"txt": "fine"}\n', "did you mean data.text_column=txt?"),
    ],
)
def test_files_that_are_no_text(
    name: str, content: bytes, sentence: str, tmp_path: Path, run_here: Callable[..., Any]
) -> None:
    (tmp_path / name).write_bytes(content)
    said = told(run_here, *SMALL, f"data.source={tmp_path / name}")
    assert sentence in said
    assert "data." in said


def test_a_missing_file_and_its_nearest_name(tmp_path: Path, run_here: Callable[..., Any]) -> None:
    (tmp_path / "sonnets.txt").write_text("a line\n", encoding="utf-8")
    said = told(run_here, *SMALL, f"data.source={tmp_path / 'sonnet.txt'}")
    assert "sonnets.txt" in said


def test_a_compressed_file_that_is_cut_short(tmp_path: Path, run_here: Callable[..., Any]) -> None:
    whole = gzip.compress(b"A line of text.\n\n" * 500)
    (tmp_path / "cut.txt.gz").write_bytes(whole[: len(whole) // 2])
    assert "cut.txt.gz" in told(run_here, *SMALL, f"data.source={tmp_path / 'cut.txt.gz'}")


def test_a_text_shorter_than_one_window(tmp_path: Path, run_here: Callable[..., Any]) -> None:
    (tmp_path / "short.txt").write_text("Only a few words stand here. " * 30, encoding="utf-8")
    said = told(
        run_here,
        "experiment=quick_windows",
        *SMALL,
        f"data.source={tmp_path / 'short.txt'}",
        "tokenizer.min_frequency=1",
    )
    assert "data.max_length" in said


def test_columns_and_labels(tmp_path: Path, run_here: Callable[..., Any]) -> None:
    good = [_pair(number, number % 2) for number in range(40)]
    file = _rows(tmp_path / "good.jsonl", good)
    assert "did you mean" in told(run_here, *PAIRS, f"data.source={file}", "data.text_columns=[sentense1,sentence2]")
    assert "data.label_column" in told(run_here, *PAIRS, f"data.source={file}", "data.label_column=lable")
    folder = tmp_path / "pairs"
    folder.mkdir()
    _rows(folder / "train.jsonl", good)
    _rows(folder / "validation.jsonl", [_pair(100, 0), _pair(101, 7)])
    said = told(run_here, *PAIRS, f"data.source={folder}")
    assert "validation.jsonl, line 2: label 7" in said
    _rows(folder / "validation.jsonl", [_pair(100, 0), {**_pair(101), "sentence2": ""}])
    assert "validation.jsonl, line 2" in told(run_here, *PAIRS, f"data.source={folder}")
    (folder / "validation.jsonl").write_text("", encoding="utf-8")
    assert "validation.jsonl" in told(run_here, *PAIRS, f"data.source={folder}")


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("experiment=quick_windows", "data.stride=0"), "data.stride=0"),
        (("data.batch_size=0",), "data.batch_size=0"),
        (("data.mask_probability=1.5",), "data.mask_probability=1.5"),
        (("data.validation_share=0.9", "data.test_share=0.5"), "share"),
        (("data.max_length=600", "model.config.max_position_embeddings=514"), "data.max_length=600"),
        (("model.config.vocab_size=100",), "vocab"),
        (("optimizer.lr=-1",), "optimizer.lr=-1 does not fit; allowed is 0 or more"),
        (("schedule.warmup=1.5",), "schedule.warmup=1.5"),
        (("seed=-1",), "seed=-1"),
        (("seed=abc",), "seed='abc' does not fit; allowed is a whole number"),
        (("test=true",), "data.test_share=0.1"),
        (("trainer.max_epochs=0",), "trains nothing"),
        (("+foo=1",), "there is no foo in an experiment"),
        (("trainer.accelerator=gpu",), "no GPU is visible"),
        (("tokenizer.vocab_size=100",), "tokenizer.vocab_size=100"),
        (("model.weights=no/such/folder/at/all",), "model.weights=no/such/folder/at/all"),
        (("model.weights=nobody/nothing",), "model.weights=nobody/nothing"),
        (("tokenizer=pretrained", "tokenizer.source=nobody/nothing"), "tokenizer.source=nobody/nothing"),
        (("data.source=hub:nobody/nothing",), "data.source"),
        (("data.source=http://127.0.0.1:9/text.txt",), "data.sha256"),
        (("data.source=http://127.0.0.1:9/text.txt", f"data.sha256={'0' * 64}"), "127.0.0.1"),
        (("model.frozen_layers=9",), "model.frozen_layers=9"),
        (("model.lora.r=0",), "model.lora.r=0"),
        (("model.auto_class=AutoModelForMaskdLM",), "did you mean AutoModelForMaskedLM"),
        (("callbacks=early_stopping", "callbacks.early_stopping.monitor=val/f1"), "val/f1 is not measured"),
        (("trainer.strategy=dpp",), "did you mean ddp?"),
        (("trainer.precision=17",), "17"),
    ],
)
def test_numbers_and_names(overrides: tuple[str, ...], sentence: str, run_here: Callable[..., Any]) -> None:
    small = [text for text in SMALL if text.split("=")[0] not in {one.split("=")[0] for one in overrides}]
    assert sentence in told(run_here, *overrides[:1], *small, *overrides[1:])


def test_a_tokenizer_without_a_mask_token_cannot_train_a_masked_lm(
    gpt2_folder: Path, run_here: Callable[..., Any]
) -> None:
    said = told(run_here, *SMALL, "tokenizer=gpt2", f"tokenizer.source={gpt2_folder}")
    assert "mask" in said
    assert "tokenizer" in said


def test_a_vocabulary_larger_than_that_of_the_weights(bert_folder: Path, run_here: Callable[..., Any]) -> None:
    said = told(run_here, "experiment=quick_mrpc", *SMALL, f"model.weights={bert_folder}", "tokenizer.vocab_size=400")
    assert "300" in said
    assert "tokenizer" in said


def test_no_space_on_the_disk_ends_in_a_sentence(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk: both fail in the middle of a write."""
    import subprocess
    import sys

    from quatrain.runs.directory import RunDirectory

    run = RunDirectory.create(tmp_path / "run", compose([*SMALL]), [])
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000));"
        "from quatrain.worker import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(run.path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "error: " in done.stderr
    assert "cannot be written" in done.stderr
    assert run.status().status == "failed"
    assert not list(run.checkpoints.glob("*"))
