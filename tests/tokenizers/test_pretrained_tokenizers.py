"""Tokenizers from folders and vocabulary files of every shape, and a sentence for each that holds none."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import quatrain.tokenizers.sources
from quatrain.core.errors import NotNow, UserError
from quatrain.tokenizers.pretrained import Pretrained
from quatrain.tokenizers.sources import check_tokenizer_source
from quatrain.tokenizers.tokenizer import Tokenizer

CASED = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "The", "the", "sea", "##s", "Cafe"]


def write_lines(file: Path, lines: list[str]) -> Path:
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def edit_json(file: Path, **changes: Any) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(content | changes), encoding="utf-8")


def test_vocab_json_and_merges_alone_are_robertas_where_they_have_a_mask(bpe: Tokenizer, tmp_path: Path) -> None:
    bpe.hf.backend_tokenizer.model.save(str(tmp_path))
    loaded = Pretrained(source=str(tmp_path)).fit()
    assert type(loaded.hf).__name__ == "RobertaTokenizer"
    assert loaded.fingerprint == bpe.fingerprint


def test_vocab_json_and_merges_alone_are_gpt2s_where_they_have_none(gpt2_like: Tokenizer, gpt2_folder: Path) -> None:
    loaded = Pretrained(source=str(gpt2_folder)).fit()
    assert loaded.fingerprint == gpt2_like.fingerprint
    assert loaded.pad_id == loaded.eos_id


def test_a_vocabulary_without_end_of_text_grows_by_it(gpt2_folder: Path, tmp_path: Path) -> None:
    vocabulary = json.loads((gpt2_folder / "vocab.json").read_text(encoding="utf-8"))
    del vocabulary["<|endoftext|>"]
    shifted = {token: index - 1 for token, index in vocabulary.items()}
    (tmp_path / "vocab.json").write_text(json.dumps(shifted), encoding="utf-8")
    (tmp_path / "merges.txt").write_bytes((gpt2_folder / "merges.txt").read_bytes())
    loaded = Pretrained(source=str(tmp_path)).fit()
    assert loaded.vocab_size == len(shifted) + 1
    assert loaded.eos_id == len(shifted)


@pytest.mark.parametrize("name", ["vocab.txt", "bert-base-cased-vocab.txt"])
def test_a_bert_vocabulary_alone_by_folder_or_by_file(name: str, tmp_path: Path) -> None:
    file = write_lines(tmp_path / name, CASED)
    for source in (tmp_path, file):
        loaded = Pretrained(source=str(source)).fit()
        assert type(loaded.hf).__name__ == "BertTokenizer"
        assert loaded.vocab_size == len(CASED)
        assert loaded.encode(["The the seas"])[0].tolist() == [5, 6, 7, 8]


def test_lower_casing_is_read_off_the_vocabulary_or_given(tmp_path: Path) -> None:
    cased = str(write_lines(tmp_path / "cased-vocab.txt", CASED))
    uncased = str(write_lines(tmp_path / "uncased-vocab.txt", [*CASED[:5], "[unused0]", "the", "sea"]))
    assert Pretrained(source=uncased).fit().encode(["THE"])[0].tolist() == [6]
    assert Pretrained(source=uncased, lowercase=False).fit().encode(["THE"])[0].tolist() == [1]
    assert Pretrained(source=cased).fit().encode(["THE"])[0].tolist() == [1]
    assert Pretrained(source=cased, lowercase=True).fit().encode(["THE"])[0].tolist() == [6]


def test_a_cased_tokenizer_json_without_settings_stays_cased(tmp_path: Path) -> None:
    """transformers would lower-case it by the default of its class."""
    write_lines(tmp_path / "vocab.txt", CASED)
    Pretrained(source=str(tmp_path)).fit().save(tmp_path)
    for model_type in ("bert", "distilbert", None):
        (tmp_path / "tokenizer_config.json").unlink(missing_ok=True)
        (tmp_path / "config.json").write_text(
            json.dumps({"model_type": model_type} if model_type else {}), encoding="utf-8"
        )
        loaded = Pretrained(source=str(tmp_path)).fit()
        assert type(loaded.hf).__name__ == "BertTokenizer"
        assert loaded.encode(["The the"])[0].tolist() == [5, 6]
        assert (loaded.mask_id, loaded.pad_id) == (4, 0)


def test_tokenizer_json_alone_knows_its_special_tokens(bpe: Tokenizer, gpt2_like: Tokenizer, tmp_path: Path) -> None:
    for tokenizer in (bpe, gpt2_like):
        tokenizer.hf.backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
        loaded = Pretrained(source=str(tmp_path)).fit()
        assert loaded.fingerprint == tokenizer.fingerprint
        assert type(loaded.hf) is type(tokenizer.hf)


def test_the_file_has_the_last_word_where_a_class_builds_otherwise(bpe: Tokenizer, tmp_path: Path) -> None:
    """A lower-casing normalizer in tokenizer.json, which RoBERTa's class would drop."""
    bpe.save(tmp_path)
    edit_json(tmp_path / "tokenizer.json", normalizer={"type": "Lowercase"})
    loaded = Pretrained(source=str(tmp_path)).fit()
    assert loaded.decode(loaded.encode(["THE SEA"])[0]) == "the sea"
    assert (loaded.mask_id, loaded.pad_id, loaded.wrap()) == (4, 1, ([0], [2]))
    loaded.save(tmp_path / "again")
    assert Pretrained(source=str(tmp_path / "again")).fit().fingerprint == loaded.fingerprint


def test_a_run_directory_gives_its_tokenizer(bpe: Tokenizer, wordpiece: Tokenizer, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("seed: 1\n", encoding="utf-8")
    with pytest.raises(UserError, match="is a run that has not yet saved a tokenizer"):
        Pretrained(source=str(tmp_path)).fit()
    bpe.save(tmp_path / "tokenizer")
    assert Pretrained(source=str(tmp_path)).fit().fingerprint == bpe.fingerprint
    wordpiece.save(tmp_path / "export")
    assert Pretrained(source=str(tmp_path)).fit().fingerprint == wordpiece.fingerprint


def test_no_code_and_no_other_place_is_followed(bpe: Tokenizer, wordpiece: Tokenizer, tmp_path: Path) -> None:
    """Neither a class of the folder's own nor a vocabulary elsewhere; marks of an earlier loading are not kept."""
    elsewhere = tmp_path / "elsewhere"
    wordpiece.save(elsewhere)
    folder = tmp_path / "folder"
    bpe.save(folder)
    (folder / "own.py").write_text("raise SystemExit('this code was run')\n", encoding="utf-8")
    edit_json(
        folder / "tokenizer_config.json",
        auto_map={"AutoTokenizer": [None, "own.Own"]},
        tokenizer_file=str(elsewhere / "tokenizer.json"),
        vocab_file="../elsewhere/vocab.txt",
        name_or_path=str(elsewhere),
        tokenizer_class="Own",
    )
    loaded = Pretrained(source=str(folder)).fit()
    text = "the <mask> sea"
    assert loaded.hf(text)["input_ids"] == bpe.hf(text)["input_ids"]
    loaded.save(tmp_path / "saved")
    settings = (tmp_path / "saved" / "tokenizer_config.json").read_text(encoding="utf-8")
    assert "elsewhere" not in settings
    assert "auto_map" not in settings
    assert "local" not in settings


def test_a_hub_name_is_resolved_fetched_and_read_as_a_folder(
    bpe: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bpe.save(tmp_path)
    asked: list[Any] = []
    monkeypatch.setattr("quatrain.corpora.hub.resolve_commit", lambda *given: asked.append(given) or "a" * 40)
    monkeypatch.setattr(
        "huggingface_hub.snapshot_download",
        lambda name, **given: asked.append((name, given["revision"])) or str(tmp_path),
    )
    assert Pretrained(source="someone/some-bpe", revision="main").fit().fingerprint == bpe.fingerprint
    assert asked == [
        ("someone/some-bpe", "model", "main", "tokenizer.source"),
        ("someone/some-bpe", "a" * 40),
    ]


def test_a_failed_download_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("connection reset\nand more")

    monkeypatch.setattr("quatrain.corpora.hub.resolve_commit", lambda *_: "a" * 40)
    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    with pytest.raises(NotNow, match=r"tokenizer.source=gpt2 could not be fetched from the hub \(connection reset\)"):
        Pretrained(source="gpt2").fit()


def test_the_fingerprint_is_of_the_files_and_arguments(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "vocab.txt", CASED)
    given = [Pretrained(source=str(file)), Pretrained(source=str(file), lowercase=True), Pretrained(source="gpt2")]
    assert len({recipe.fingerprint() for recipe in given}) == 3
    before = given[0].fingerprint()
    write_lines(file, [*CASED, "sky"])
    assert given[0].fingerprint() != before


def _missing(folder: Path) -> str:
    (folder / "gpt2_bpe").mkdir()
    return str(folder / "gpt2_bqe")


def _nothing(folder: Path) -> str:
    (folder / "notes.md").write_text("no tokenizer", encoding="utf-8")
    return str(folder)


def _corrupt(folder: Path) -> str:
    (folder / "tokenizer.json").write_text('{"model":\n', encoding="utf-8")
    return str(folder)


def _list(folder: Path) -> str:
    (folder / "tokenizer.json").write_text("[]", encoding="utf-8")
    return str(folder)


def _only_merges(folder: Path) -> str:
    (folder / "merges.txt").write_text("#version: 0.2\na b\n", encoding="utf-8")
    return str(folder)


def _only_vocab(folder: Path) -> str:
    (folder / "vocab.json").write_text('{"a": 0}', encoding="utf-8")
    return str(folder)


def _foreign_merges(folder: Path) -> str:
    (folder / "vocab.json").write_text('{"a": 0, "b": 1}', encoding="utf-8")
    return _only_merges(folder)


def _broken_merges(folder: Path) -> str:
    (folder / "merges.txt").write_text("#version: 0.2\na b c\n", encoding="utf-8")
    return _only_vocab(folder)


def _twice(folder: Path) -> str:
    (folder / "vocab.json").write_text('{"a": 0, "b": 0}', encoding="utf-8")
    return _only_merges(folder)


def _words(folder: Path) -> str:
    (folder / "vocab.json").write_text('{"a": "zero"}', encoding="utf-8")
    return _only_merges(folder)


def _two(folder: Path) -> str:
    write_lines(folder / "cased-vocab.txt", CASED)
    return str(write_lines(folder / "uncased-vocab.txt", CASED).parent)


def _repeated(folder: Path) -> str:
    return str(write_lines(folder / "vocab.txt", [*CASED, "sea"]))


def _no_mask(folder: Path) -> str:
    return str(write_lines(folder / "vocab.txt", CASED[:4]))


def _latin(folder: Path) -> str:
    (folder / "vocab.txt").write_bytes("[PAD]\nfür\n".encode("latin-1"))
    return str(folder)


def _any_file(folder: Path) -> str:
    return str(write_lines(folder / "notes.md", ["x"]))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (_missing, r"gpt2_bqe does not exist; did you mean .*gpt2_bpe\?"),
        (_nothing, r"holds no tokenizer; it needs tokenizer.json, or vocab.json with merges.txt, or vocab.txt"),
        (_corrupt, r"tokenizer.json line 2 is not JSON"),
        (_list, r"tokenizer.json holds no JSON object"),
        (_only_merges, r"has merges.txt but no vocab.json beside it"),
        (_only_vocab, r"has vocab.json but no merges.txt beside it"),
        (_foreign_merges, r"merges.txt line 2 uses 'ab', which is not in the vocab.json"),
        (_broken_merges, r"merges.txt line 2 is 'a b c'; a merge is two tokens"),
        (_twice, r"vocab.json gives one id to several tokens"),
        (_words, r"vocab.json gives 'a' the id 'zero'"),
        (_two, r"holds 2 vocabularies \(cased-vocab.txt, uncased-vocab.txt\); name one, such as tokenizer.source="),
        (_repeated, r"vocab.txt line 11 repeats 'sea' of line 8"),
        (_no_mask, r"vocab.txt is no BERT vocabulary, it lacks \[MASK\]"),
        (_latin, r"vocab.txt is not UTF-8 \(byte 7\)"),
        (_any_file, r"is a file, but only a BERT vocabulary"),
        (lambda folder: "", r"tokenizer.source='' names nothing"),
    ],
)
def test_a_bad_source_is_one_sentence_from_the_check_and_from_loading(
    make: Callable[[Path], str], sentence: str, tmp_path: Path
) -> None:
    source = make(tmp_path)
    (told,) = check_tokenizer_source(source)
    assert told.startswith("tokenizer.source")
    with pytest.raises(UserError, match=sentence) as caught:
        Pretrained(source=source).fit()
    assert caught.value.sentences == [told]


def test_a_tokenizer_json_that_the_library_cannot_take_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0", "model": {"type": "Nonsense"}}', encoding="utf-8")
    with pytest.raises(UserError, match=r"holds a tokenizer that cannot be loaded \(.*\); fetch its files") as caught:
        Pretrained(source=str(tmp_path)).fit()
    assert "\n" not in str(caught.value)


def test_lower_casing_is_refused_where_the_tokenizer_has_none(gpt2_folder: Path) -> None:
    with pytest.raises(UserError, match=r"tokenizer.lowercase=True is for BERT's kind .* GPT2Tokenizer"):
        Pretrained(source=str(gpt2_folder), lowercase=True).fit()


def test_checking_a_source_imports_no_heavy_library(gpt2_folder: Path) -> None:
    code = (
        "import sys; from quatrain.tokenizers import pretrained, sources, tiktoken_gpt2, trained;"
        f"assert not sources.check_tokenizer_source({str(gpt2_folder)!r});"
        "sys.exit(str({'torch', 'transformers', 'tokenizers', 'tiktoken'} & set(sys.modules) or ''))"
    )
    package = Path(quatrain.tokenizers.sources.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(package)}, capture_output=True, text=True
    )
    assert done.stderr.strip() == ""


def test_good_sources_pass_the_check(gpt2_folder: Path) -> None:
    assert check_tokenizer_source(str(gpt2_folder)) == []
    assert check_tokenizer_source("google-bert/bert-base-uncased") == []
    assert check_tokenizer_source("gpt2") == []


def test_a_class_that_does_not_take_the_vocabulary_is_told(gpt2_folder: Path, tmp_path: Path) -> None:
    """A configuration that claims BERT for a vocab.json: transformers silently builds a vocabulary of five."""
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((gpt2_folder / name).read_bytes())
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}', encoding="utf-8")
    with pytest.raises(UserError, match=r"vocab.json holds \d+ tokens but BertTokenizer takes 5 of them"):
        Pretrained(source=str(tmp_path)).fit()
