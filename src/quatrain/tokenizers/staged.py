"""Loading a tokenizer's folder through transformers, from a copy that names no code and no other place."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.tokenizers.sources import LocalSource
from quatrain.tokenizers.vocabulary import read_json

# What a configuration may say about code to run or other places, and what an earlier loading left in it.
_DROPPED = ("auto_map", "name_or_path", "is_local", "local_files_only")
_PLACES = ("_file", "_files", "_path", "_dir", "_or_path")
_LENGTHS = ("max_length", "stride", "truncation_strategy", "pad_to_multiple_of")

_PROBES = (("Hello world",), ("Déjà vu <mask> 3!", "[MASK] AI"), ("\n a  b",))


def load_staged(found: LocalSource, lowercase: bool | None, key: str) -> Any:
    """Return the transformers tokenizer of a folder whose files name its class; tokenizer.json has the last word.

    ``lowercase`` overrides BERT's lower-casing where it is not None.

    Raises:
        UserError: a file that cannot be read, or a class that does not take the whole vocabulary.
    """
    from transformers import AutoTokenizer

    with tempfile.TemporaryDirectory(prefix="quatrain-tokenizer-") as name:
        folder = Path(name)
        serialized = read_json(found.files["tokenizer.json"], key) if "tokenizer.json" in found.files else None
        _stage(found, serialized, folder, key)
        arguments: dict[str, Any] = {} if serialized is None else _bert_arguments(serialized)
        if lowercase is not None:
            arguments["do_lower_case"] = lowercase
        hf = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True, **arguments)
        for setting in (*_DROPPED, *_LENGTHS):
            hf.init_kwargs.pop(setting, None)
        hf.name_or_path = ""
        if serialized is None:
            _check_count(hf, found, key)
        elif lowercase is None and not _as_written(hf, serialized):
            return _exactly(folder, hf)
        return hf


def _stage(found: LocalSource, serialized: dict[str, Any] | None, folder: Path, key: str) -> None:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    for name, file in found.files.items():
        if name not in ("config.json", "tokenizer_config.json"):
            shutil.copyfile(file, folder / name)
    settings = read_json(found.files["tokenizer_config.json"], key) if "tokenizer_config.json" in found.files else {}
    model = read_json(found.files["config.json"], key) if "config.json" in found.files else {}
    named = model.get("model_type")
    model_type = named if named in CONFIG_MAPPING_NAMES else None  # of a family of the user's own it knows no tokenizer
    if serialized is not None and "tokenizer_class" not in settings and not model_type:
        settings |= _class_of(serialized)
    dropped = {*_DROPPED, *_LENGTHS}
    kept = {name: value for name, value in settings.items() if name not in dropped and not name.endswith(_PLACES)}
    (folder / "tokenizer_config.json").write_text(json.dumps(kept), encoding="utf-8")
    if model_type:
        (folder / "config.json").write_text(json.dumps({"model_type": model_type}), encoding="utf-8")


def _class_of(serialized: dict[str, Any]) -> dict[str, str]:
    """The class of a tokenizer.json that stands alone; without one nobody would know which token masks or pads."""
    special = {token["content"] for token in serialized.get("added_tokens", ())}
    for mark, name in (("[MASK]", "BertTokenizer"), ("<mask>", "RobertaTokenizer"), ("<|endoftext|>", "GPT2Tokenizer")):
        if mark in special:
            return {"tokenizer_class": name}
    return {}


def _bert_arguments(serialized: dict[str, Any]) -> dict[str, Any]:
    """transformers 5 builds BERT's normalizer anew from its own defaults: hand it what tokenizer.json says."""
    normalizer = serialized.get("normalizer") or {}
    if normalizer.get("type") != "BertNormalizer":
        return {}
    return {
        "do_lower_case": normalizer["lowercase"],
        "strip_accents": normalizer["strip_accents"],
        "tokenize_chinese_chars": normalizer["handle_chinese_chars"],
    }


def _as_written(hf: Any, serialized: dict[str, Any]) -> bool:
    """Whether the class, which builds its parts anew, encodes as tokenizer.json does."""
    from tokenizers import Tokenizer as Backend

    written = Backend.from_str(json.dumps(serialized))
    written.no_truncation()
    written.no_padding()
    built = hf.backend_tokenizer
    built.no_truncation()
    built.no_padding()
    if str(built.normalizer) != str(written.normalizer):
        return False
    if not built.get_vocab().items() >= written.get_vocab().items():
        return False
    return all(built.encode(*probe).ids == written.encode(*probe).ids for probe in _PROBES)


def _exactly(folder: Path, hf: Any) -> Any:
    from transformers import PreTrainedTokenizerFast

    roles = {role: str(token) for role, token in hf.special_tokens_map.items() if role.endswith("_token")}
    return PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **roles)


def _check_count(hf: Any, found: LocalSource, key: str) -> None:
    name = "vocab.json" if "vocab.json" in found.files else "vocab.txt"
    file = found.files[name]
    held = len(read_json(file, key)) if name == "vocab.json" else len(file.read_bytes().splitlines())
    if len(hf) < held:
        raise UserError(
            f"{key}: {file} holds {held} tokens but {type(hf).__name__} takes {len(hf)} of them; mend tokenizer_class"
            " in the tokenizer_config.json beside it."
        )
