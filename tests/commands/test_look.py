"""quatrain look: what it tells of known data, that its batch is the one a training takes, that nothing is written."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quatrain.__main__ import main
from quatrain.config.compose import compose
from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.looking import by_split, look

from .conftest import SMALL

LABELS = ("yes", "yes", "no", "yes", "no", "yes")
PAIRS = ("experiment=quick_mrpc", "tokenizer.vocab_size=120", "tokenizer.min_frequency=1", "data.batch_size=4")


def write_pairs(folder: Path, beginning: str = "") -> Path:
    """A folder with its own splits: six rows of training, four of them of class yes."""
    for split, labels in (("train", " ".join(LABELS)), ("validation", "no no"), ("test", "yes")):
        rows = [
            {"sentence1": f"{beginning}river {n}", "sentence2": f"the mill {n}", "label": label}
            for n, label in enumerate(labels.split())
        ]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def seen(capsys: pytest.CaptureFixture[str], *overrides: str) -> dict[str, Any]:
    assert main(["look", *overrides, "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_pairs_of_known_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows, counts, the raw rows and the first batch, as counted by hand; nothing is written but the cache."""
    folder = write_pairs(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    told = seen(capsys, *PAIRS, f"data.source={folder}")
    assert os.listdir() == []  # noqa: PTH208 - hidden files count
    data = told["data"]
    assert {split: numbers["rows"] for split, numbers in data["splits"].items()} == {
        "train": 6,
        "validation": 2,
        "test": 1,
    }
    yes, no = (next(name for name in data["labels"]["train"] if name.endswith(word)) for word in ("yes", "no"))
    assert data["labels"]["train"] == {no: 2, yes: 4}
    assert data["splits"]["train"]["majority_share"] == pytest.approx(4 / 6)
    assert data["splits"]["train"]["truncated"] == 0
    assert [row["text_a"] for row in data["raw_rows"]] == ["river 0", "river 1"]
    assert data["raw_rows"][0]["label"] == yes
    assert told["tokenizer"]["special_tokens"][0] == {"token": "[PAD]", "id": 0, "roles": ["pad"]}

    tensors = {one["name"]: one for one in told["batch"]["tensors"]}
    assert tensors["input_ids"]["dimensions"] == ["batch", "seq"]
    assert tensors["input_ids"]["shape"][0] == tensors["labels"]["shape"][0] == 4
    row = told["batch"]["row"]
    assert row["tokens"][0] == "[CLS]"
    assert {*row["columns"]} == {"input_ids", "attention_mask", "token_type_ids"}
    number = row["values"]["example_ids"]
    assert row["text"].replace(" [PAD]", "") == f"[CLS] river {number} [SEP] the mill {number} [SEP]"
    assert row["label_name"] == LABELS[number]


def test_text_is_shown_by_documents_and_its_tokens_add_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poems = [f"The {number}th of the sea,\nand {number} of the tree." for number in range(40)]
    (tmp_path / "poems.txt").write_text("\n\n".join(poems), encoding="utf-8")
    told = seen(capsys, f"data.source={tmp_path / 'poems.txt'}", "tokenizer.vocab_size=300", "data.batch_size=8")
    data = told["data"]
    assert sum(numbers["documents"] for numbers in data["splits"].values()) == 40
    assert data["splits"]["train"]["rows"] == 2 * data["splits"]["train"]["documents"]  # a row is a line
    assert data["features"] == {"text": "string"}
    assert all(row["text"] in poems for row in data["raw_rows"])
    assert data["settings"]["packing"] is True
    packed = told["batch"]["packing"]
    assert packed["examples"] == 8
    assert packed["ends"][0] == len(told["batch"]["row"]["tokens"])
    assert told["batch"]["row"]["tokens"][0] == "<s>"
    assert data["padding_share"] == 0


@pytest.mark.parametrize("experiment", ["quick_mrpc", "quick_sonnets", "quick_windows"])
def test_the_batch_is_the_first_that_a_training_takes(
    experiment: str, run_here: Callable[..., tuple[RunDirectory, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shapes and the first row are those that `training_step` gets, for all three data modules."""
    from quatrain.tasks.base import LanguageTask

    taken: list[Any] = []
    step = LanguageTask.training_step

    def kept(self: LanguageTask, batch: Any, batch_idx: int) -> Any:
        taken.append({name: getattr(value, "clone", lambda: None)() for name, value in batch.items()})
        return step(self, batch, batch_idx)

    monkeypatch.setattr(LanguageTask, "training_step", kept)
    overrides = (f"experiment={experiment}", *SMALL, "trainer.max_steps=2", "tokenizer.vocab_size=400")
    assert run_here(*overrides)[1] == 0
    batch = look(compose(overrides))["batch"]
    first = taken[0]
    assert [one["name"] for one in batch["tensors"]] == list(first)
    for one in batch["tensors"]:
        if "value" not in one:
            assert one["shape"] == list(first[one["name"]].shape)
    columns = batch["row"]["columns"]
    for name, values in columns.items():
        assert first[name][0, : len(values)].tolist() == values
    if experiment == "quick_windows":
        assert columns["target"][:-1] == columns["input_ids"][1:]
        assert batch["row"]["columns_as_tokens"]["target"][:-1] == batch["row"]["tokens"][1:]


def test_the_tables_say_the_same_and_are_cut_to_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides = ("experiment=quick_windows", *SMALL, "tokenizer.vocab_size=400")
    told = seen(capsys, *overrides)
    monkeypatch.setattr("quatrain.commands.look.WIDE", 90)
    assert main(["look", *overrides]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 90
    shown = "\n".join(lines)
    for wanted in (
        "first training batch",
        "[batch 8, seq 256]",
        "<s> 0",
        f"{told['data']['splits']['train']['tokens']:,}",
    ):
        assert wanted in shown
    row = told["batch"]["row"]
    (place,) = (line.split() for line in lines if line.split()[:1] == ["5"])
    assert place == [
        "5",
        row["tokens"][5],
        str(row["columns"]["input_ids"][5]),
        str(row["columns"]["target"][5]),
        row["tokens"][6],
    ]
    assert any(line.split()[:1] == ["255"] for line in lines)
    assert not any(line.split()[:1] == ["100"] for line in lines)


def test_padding_at_the_end_of_a_row_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = "".join(f"mill {number}{' river' * (1 if number % 9 else 12)},{number % 2}\n" for number in range(99))
    (tmp_path / "rows.csv").write_text("text,label\n" + rows)
    overrides = ["experiment=quick_mrpc", f"data.source={tmp_path / 'rows.csv'}", "data.seed=3"]
    row = seen(capsys, *overrides)["batch"]["row"]
    padding = row["columns"]["attention_mask"].count(0)
    assert padding > 1, "a row that is padded"
    assert main(["look", *overrides]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[-1] == ["…", str(padding), "of", "padding"]
    assert lines[-2][:2] == [str(row["columns"]["attention_mask"].count(1) - 1), "[SEP]"]


def test_nothing_in_the_data_commands_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_pairs(tmp_path, beginning="\x1b]0;owned\x07 \u202e\x9b31m [red]:smile: ")
    off = [f"data.cleaning.{name}=false" for name in ("control_characters", "unicode_nfc")]
    for words in ([], ["--json"]):
        assert main(["look", *PAIRS, *off, f"data.source={folder}", *words]) == 0
        out = capsys.readouterr().out
        assert not {"\x1b", "\x07", "\u202e", "\x9b", "\x7f"} & set(out)
        assert "[red]:smile:" in out
    assert "\\u001b]0;owned" in out


class Numbers:
    """A data module of someone's own, with the least that a training needs to begin."""

    def __init__(self, *, tokenizer: Any, size: int = 3, broken: bool = False) -> None:
        self.size, self.broken = size, broken

    def prepare_data(self) -> None:
        """Nothing is there to prepare."""

    def setup(self, stage: str) -> None:
        """Nothing is there to set up."""

    def train_dataloader(self) -> Any:
        import torch

        if self.broken:
            raise ZeroDivisionError("no such luck")
        return [{"input_ids": torch.arange(2 * self.size).reshape(2, self.size), "weights": torch.ones(2, 7)}]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config folder whose data=mine is `Numbers`."""
    import inspect

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text("_target_: looked_at.Numbers\nsize: 3\n", encoding="utf-8")
    source = "from typing import Any\n\n\n" + inspect.getsource(Numbers)
    (tmp_path / "looked_at.py").write_text(source, encoding="utf-8")
    monkeypatch.setenv("QUATRAIN_ALLOW", "looked_at")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "looked_at", raising=False)
    return tmp_path


def test_a_data_module_of_the_users_own_shows_what_it_gives(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = seen(capsys, "data=mine", f"--config-dir={own}")
    assert told["data"]["class"] == "looked_at.Numbers"
    assert told["data"]["splits"] == {}
    assert told["data"]["raw_rows"] == []
    assert told["batch"]["tensors"] == [
        {"name": "input_ids", "shape": [2, 3], "dimensions": ["batch", "seq"], "dtype": "int64"},
        {"name": "weights", "shape": [2, 7], "dimensions": ["batch", None], "dtype": "float32"},
    ]
    assert told["batch"]["row"]["columns"] == {"input_ids": [0, 1, 2]}
    assert main(["look", "data=mine", f"--config-dir={own}"]) == 0
    assert "[batch 2, 7]" in capsys.readouterr().out
    assert main(["look", "data=mine", "data.broken=true", f"--config-dir={own}"]) == 2
    assert "looked_at.Numbers gave no batch (ZeroDivisionError: no such luck)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-m", "seed=1,2"], "takes one experiment"),
        (["data.batch_sise=3"], "data.batch_size"),
        (["data.source=nowhere.txt"], "nowhere.txt"),
        (["--jsom"], "--jsom"),
    ],
)
def test_mistakes_are_told_and_nothing_is_left(
    words: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["look", *words]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.out == ""
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_what_only_the_data_tell_is_refused_with_its_sentence(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("Too short for one window.\n", encoding="utf-8")
    overrides = ["experiment=quick_windows", f"data.source={tmp_path / 'short.txt'}", "data.validation_share=0"]
    with pytest.raises(UserError, match=r"data\.max_length"):
        look(compose(overrides))


def test_numbers_go_to_their_splits() -> None:
    summary = {"examples/train": 3, "tokens/validation_matched": 5, "unigram_perplexity": 2.5}
    assert by_split(summary) == (
        {"train": {"rows": 3}, "validation_matched": {"tokens": 5}},
        {"unigram_perplexity": 2.5},
    )


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["look", "--help"]) == 0
    assert "quatrain look experiment=quick_mrpc" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("quatrain tr", "train\ntrain-tokenizer"),
        ("quatrain lo", "look"),
        ("quatrain look experiment=quick_m", "experiment=quick_mrpc"),
        ("quatrain train-tokenizer tokenizer=word", "tokenizer=wordpiece"),
    ],
)
def test_a_shell_completes_commands_and_their_overrides(
    line: str, wanted: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(len(line)))
    assert main(["-sc", "query=bash"]) == 0
    assert capsys.readouterr().out.strip() == wanted


@pytest.mark.parametrize(
    "words", [["look", "--help"], ["look", "--cfg", "job"], ["train-tokenizer", "tokenizer=gpt2"], ["look", "-m"]]
)
def test_what_shows_or_refuses_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys; from quatrain.__main__ import main; main(sys.argv[1:]);"
        "heavy = {'torch', 'transformers', 'pytorch_lightning', 'datasets', 'pandas'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True)


def test_columns_go_by_their_own_names_and_rows_that_are_left_out_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "messages.csv"
    path.write_text("message,topic\n" + "".join(f"river {n},{'ab'[n % 2]}\n" for n in range(60)) + ",a\n")
    columns = ("data.text_columns=[message]", "data.label_column=topic", "data.incomplete_rows=drop")
    assert main(["look", *PAIRS, f"data.source={path}", *columns, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert list(data["features"]) == list(data["raw_rows"][0]) == ["message", "label", "idx"]
    assert data["notes"] == [f"1 row without a text or a label left out, {path}, line 62 (data.incomplete_rows=drop)"]
    assert main(["look", *PAIRS, f"data.source={path}", *columns]) == 0
    assert "1 row without a text or a label left out" in capsys.readouterr().out
