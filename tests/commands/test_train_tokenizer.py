"""quatrain train-tokenizer: the ids of a run that trains it itself, numbers by hand, refusals that leave nothing."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from quatrain.__main__ import main
from quatrain.config.compose import compose
from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.tokenizer_facts import longest_tokens
from quatrain.runs.tokenizer_training import count_tokens, train_tokenizer
from quatrain.tokenizers.trained import ByteLevelBPE, WordPiece

from .conftest import SMALL

SIZE = "tokenizer.vocab_size=400"
TEXT = "The river runs below the hill, and a lantern burns above the mill."


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def losses(run: RunDirectory) -> list[float]:
    return [row["train/loss"] for row in run.read_metrics() if "train/loss" in row]


@pytest.mark.parametrize(
    "chosen",
    [("tokenizer=bpe",), ("experiment=quick_mrpc", "tokenizer=wordpiece")],
    ids=["text", "pairs"],
)
def test_a_run_with_it_has_the_ids_and_losses_of_one_that_trains_it(
    chosen: tuple[str, ...],
    here: Path,
    run_here: Callable[..., tuple[RunDirectory, int]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And AutoTokenizer reads the folder to the same ids."""
    assert main(["train-tokenizer", *chosen, *SMALL, SIZE, "run.dir=mine"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{here / 'mine'}\n"
    assert f"tokenizer=pretrained tokenizer.source={here / 'mine'}\n" in said.err

    itself, code = run_here(*chosen, *SMALL, SIZE, name="itself")
    assert code == 0
    source = ("tokenizer=pretrained", f"tokenizer.source={here / 'mine'}")
    with_it, code = run_here(*(word for word in chosen if "tokenizer" not in word), *SMALL, *source, name="with-it")
    assert code == 0
    assert len(losses(itself)) == 3
    assert losses(with_it) == losses(itself)

    from transformers import AutoTokenizer

    saved, own = (AutoTokenizer.from_pretrained(folder) for folder in (here / "mine", itself.export))
    assert type(saved) is type(own)
    assert saved(TEXT, TEXT)["input_ids"] == own(TEXT, TEXT)["input_ids"]


def test_the_folder_tells_what_it_was_made_of(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from quatrain.tokenizers.pretrained import Pretrained

    command = ["train-tokenizer", SIZE, *SMALL]
    assert main(command) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert folder.parent == here / "outputs" / "tokenizers"
    made_of = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    assert made_of["command"] == ["quatrain", *command]
    assert made_of["data"]["corpus"] == "verse"
    assert made_of["tokenizer"]["config"]["vocab_size"] == 400
    assert made_of["tokenizer"]["fingerprint"] == Pretrained(source=str(folder)).fit().fingerprint
    assert folder.name.endswith(f"-{made_of['tokenizer']['fingerprint'][:8]}")
    assert "vocab_size-400" in folder.name
    assert "tokenizers" in made_of["versions"]
    assert main(command) == 0  # a name that nobody chose is never in the way
    assert len(list(folder.parent.iterdir())) == 2


def test_the_numbers_are_those_of_the_training_text(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nine documents of ten, each of 18 characters, four words and six tokens: what comes once is not merged."""
    (here / "a.txt").write_text("\n\n".join(f"tall ships sail {n}." for n in range(10)), encoding="utf-8")
    assert main(["train-tokenizer", "tokenizer=bpe", "data.source=a.txt", "run.dir=mine"]) == 0
    said = dict(line.split("  ", 1) for line in capsys.readouterr().err.splitlines() if "  " in line)
    assert said["training text"].strip() == "162 characters, 36 words, 54 tokens"
    assert said["tokens per word"].strip() == "1.500"
    assert said["characters per token"].strip() == "3.000"
    assert said["unknown"].strip() == "0 (0.00%)"
    assert said["longest tokens"].strip().startswith('" ships"')
    assert "<pad> 1 (pad)" in said["special tokens"]


def test_unknown_and_longest_tokens_are_counted_by_hand() -> None:
    tokenizer = WordPiece(vocab_size=60, min_frequency=1).fit(lambda: ["river mill", "river"])
    counts = count_tokens(tokenizer, lambda: iter(["river Ж", "mill"]), 12)
    assert counts == {"characters": 11, "words": 3, "tokens": 3, "unknown": 1}
    assert longest_tokens(tokenizer, 1) == ["river"]
    plain = ByteLevelBPE(vocab_size=300, min_frequency=1, special_tokens=("<|endoftext|>",)).fit(lambda: ["é é"])
    assert longest_tokens(plain, 1) == [" é"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tokenizer=gpt2"], "tokenizer.source=gpt2 names a tokenizer that needs no training"),
        (["tokenizer=tiktoken_gpt2"], "needs no training"),
        (["-m", "tokenizer.vocab_size=300,400"], "takes one experiment"),
        (["tokenizer.vocab_size=10"], "tokenizer.vocab_size=10 is too small"),
        (["tokenizer=wordpiece", "tokenizer.vocab_size=20", "data.verse_size=60"], "tokenizer.vocab_size=20"),
        (["tokenizer.vocab_sise=300"], "tokenizer.vocab_size"),
        (["data.source=nowhere.txt"], "nowhere.txt"),
        (["tokenizer=gpt3"], "gpt3"),
        (["tokenizer._target_=no.such.Class"], "no.such.Class"),
        (["data.source=http://example.org/a.txt"], "sha256"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_nothing_is_left(
    words: list[str], sentence: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train-tokenizer", *words]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.out == ""
    assert os.listdir(here) == []  # noqa: PTH208 - hidden files count


def test_text_without_a_character_and_places_that_are_taken(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "blank.txt").write_text(" \n\n \n", encoding="utf-8")
    (here / "taken").mkdir()
    (here / "file").touch()
    before = sorted(here.rglob("*"))
    assert main(["train-tokenizer", "data.source=blank.txt", "data.validation_share=0"]) == 2
    assert main(["train-tokenizer", *SMALL, "run.dir=taken"]) == 2
    assert main(["train-tokenizer", *SMALL, SIZE, "run.dir=file/below"]) == 2
    said = capsys.readouterr().err
    assert "run.dir=taken exists already" in said
    assert "file/below cannot be written" in said
    assert len(said.splitlines()) == 3
    assert sorted(here.rglob("*")) == before


def test_data_of_the_users_own_without_a_corpus_are_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "data").mkdir()
    (here / "data" / "mine.yaml").write_text("_target_: corpusless.Data\n", encoding="utf-8")
    (here / "corpusless.py").write_text(
        "class Data:\n    def __init__(self, *, tokenizer: object = None) -> None:\n        pass\n", encoding="utf-8"
    )
    monkeypatch.setenv("QUATRAIN_ALLOW", "corpusless")
    monkeypatch.syspath_prepend(here)
    with pytest.raises(UserError, match="gives no corpus of text or pairs"):
        train_tokenizer(compose(["data=mine"], config_dir=here), ["data=mine"])


def test_strings_that_may_stand_in_a_text_are_told_with_its_use(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train-tokenizer", *SMALL, SIZE, "tokenizer.allowed_special=all", "run.dir=mine"]) == 0
    assert """'tokenizer.allowed_special="all"'""" in capsys.readouterr().err


def test_help_shows_examples_for_any_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train-tokenizer", "--help"]) == 0
    assert "quatrain train-tokenizer tokenizer=bpe data.source=FILE" in capsys.readouterr().out
