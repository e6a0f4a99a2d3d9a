"""Proves that a tokenizer's folder brings data alone: no code, no other place, nothing beyond a stated size."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from quatrain.core.errors import UserError
from quatrain.tokenizers import sources
from quatrain.tokenizers.pretrained import Pretrained
from quatrain.tokenizers.sources import TOKENIZER_FILES, check_tokenizer_source
from quatrain.tokenizers.tiktoken_gpt2 import TiktokenGPT2
from quatrain.tokenizers.trained import ByteLevelBPE

TEXTS = ("the sea sings", "the tall ship sails on the sea")


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("honest") / "tokenizer"
    ByteLevelBPE(vocab_size=300).fit(lambda: TEXTS).save(folder)
    return folder


@pytest.fixture
def folder(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "tokenizer"))


def refused(folder: Path) -> str:
    """The sentence of the check before work and of loading, which are the same."""
    sentences = check_tokenizer_source(str(folder))
    with pytest.raises(UserError) as caught:
        Pretrained(source=str(folder)).fit()
    assert caught.value.sentences == sentences
    with pytest.raises(UserError):
        Pretrained(source=str(folder)).fingerprint()
    return str(caught.value)


def rewrite(file: Path, **words: Any) -> None:
    content = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**content, **words}))


def test_an_honest_folder_is_loaded(folder: Path) -> None:
    assert check_tokenizer_source(str(folder)) == []
    assert Pretrained(source=str(folder)).fit().vocab_size > 256


@pytest.mark.parametrize("name", ["tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json"])
def test_a_file_beyond_the_limit_is_not_parsed(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is sparse: it has the size and takes no disk."""
    with (folder / name).open("ab") as stream:
        stream.truncate(sources.LARGEST_FILE + 1)
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail(f"{self} was read"))
    said = check_tokenizer_source(str(folder))
    assert said == [
        f"tokenizer.source: {folder / name} has 256 MB, and at most 256 MB are read of a tokenizer's file; name another"
        " tokenizer."
    ]


def test_a_vocabulary_named_by_itself_has_the_limit_too(tmp_path: Path) -> None:
    with (tmp_path / "big-vocab.txt").open("wb") as stream:
        stream.truncate(sources.LARGEST_FILE + 1)
    assert "at most 256 MB" in check_tokenizer_source(str(tmp_path / "big-vocab.txt"))[0]


@pytest.mark.parametrize("name", TOKENIZER_FILES)
def test_links_to_other_places(name: str, folder: Path) -> None:
    outside = folder.parent / "secret"
    outside.write_bytes((folder / name).read_bytes() if (folder / name).exists() else b"{}")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to("../secret")
    assert f"{folder / name} leads out of {folder} to {outside}" in refused(folder)


def test_a_run_whose_tokenizer_lies_elsewhere(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text("seed: 1\n")
    (run / "tokenizer").symlink_to(folder)
    assert "leads out of" in refused(run)


def test_tiktoken_reads_no_link_either(folder: Path) -> None:
    outside = folder.parent / "secret.json"
    (folder / "vocab.json").rename(outside) if (folder / "vocab.json").exists() else outside.write_text("{}")
    (folder / "vocab.json").symlink_to(outside)
    (folder / "merges.txt").write_text("#version: 0.2\n")
    with pytest.raises(UserError, match="leads out of"):
        TiktokenGPT2(source=str(folder)).fit()


CODE = """
from pathlib import Path
from transformers import PreTrainedTokenizerFast

Path({marker!r}).touch()

class Evil(PreTrainedTokenizerFast):
    pass
"""


def test_an_auto_map_imports_nothing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoTokenizer, dynamic_module_utils

    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    marker = tmp_path / "imported"
    (folder / "evil_tokenizer.py").write_text(CODE.format(marker=str(marker)))
    words = {"auto_map": {"AutoTokenizer": [None, "evil_tokenizer.Evil"]}, "trust_remote_code": True}
    rewrite(folder / "tokenizer_config.json", tokenizer_class="Evil", **words)
    rewrite(folder / "config.json", model_type="bert", **words)
    Pretrained(source=str(folder)).fit()
    assert not marker.exists()
    AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    assert marker.exists(), "the code is found and run where it is trusted"


def test_other_files_that_the_settings_name_are_not_read(folder: Path) -> None:
    """``fast_tokenizer_files`` makes transformers read any path that ends as a tokenizer's file does."""
    from transformers import AutoTokenizer

    other = json.loads((folder / "tokenizer.json").read_text())
    other["added_tokens"].append({**other["added_tokens"][0], "id": 900, "content": "<private>"})
    (folder.parent / "tokenizer.4.0.0.json").write_text(json.dumps(other))
    rewrite(folder / "tokenizer_config.json", fast_tokenizer_files=["../tokenizer.4.0.0.json"])
    assert "<private>" in AutoTokenizer.from_pretrained(folder).get_vocab(), "the attack is a real one"
    assert "<private>" not in Pretrained(source=str(folder)).fit().hf.get_vocab()


@pytest.mark.parametrize("content", ["[" * 200_000, '{"a": ' * 100_000, "null", "", "\x00", '{"added_tokens": 5}'])
def test_files_that_are_no_tokenizer(content: str, folder: Path) -> None:
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(UserError):
        Pretrained(source=str(folder)).fit()


def test_the_hub_s_own_cache_is_read(folder: Path, tmp_path: Path) -> None:
    blobs = tmp_path / "models--me--mine" / "blobs"
    snapshot = tmp_path / "models--me--mine" / "snapshots" / ("a" * 40)
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for file in folder.iterdir():
        file.rename(blobs / file.name)
        (snapshot / file.name).symlink_to(Path("../../blobs") / file.name)
    assert check_tokenizer_source(str(snapshot)) == []
    assert Pretrained(source=str(snapshot)).fit().vocab_size
