"""What a folder of weights may bring: data alone, of its own, in a bounded size. Loads no torch."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quatrain.core.brought_files import read_bounded, stray
from quatrain.core.errors import UserError
from quatrain.models.limits import check_size
from quatrain.models.safetensors_header import check_header

KEY = "model.weights"
CONFIG_FILES = ("config.json", "generation_config.json")
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
WEIGHT_FILES = (*CONFIG_FILES, WEIGHTS, INDEX, "model-*-of-*.safetensors")
"""All that is read of a folder, and fetched from the hub."""

PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack")
LARGEST_JSON = 32 * 10**6
"""Bytes of a JSON file beside the weights."""

ADAPTER = "adapter_config.json"
NAMES_CODE_OR_PLACES = frozenset(
    {
        "auto_map",
        "custom_pipelines",
        "trust_remote_code",
        "attn_implementation",
        "_attn_implementation",
        "_attn_implementation_internal",
        "experts_implementation",
        "_experts_implementation",
        "_experts_implementation_internal",
        "use_kernels",
        "kernel_config",
        "name_or_path",
        "_name_or_path",
        "transformers_weights",
        "_commit_hash",
    }
)
"""Words of a config.json that name code to run, kernels to download, or other files and places: never looked at."""


def check_folder(folder: Path, source: str) -> list[str]:
    """All that is wrong with the local ``folder`` of weights that ``source`` names, without loading any."""
    if (folder / ADAPTER).exists():
        return [
            f"{KEY}={source} holds an adapter ({ADAPTER}), which names other weights to put it on; merge it into them"
            " and name that folder."
        ]
    read = [path for name in WEIGHT_FILES for path in sorted(folder.glob(name))]
    if wrong := [sentence for path in read if (sentence := stray(path, folder, KEY))]:
        return wrong
    try:
        config = read_json(folder / "config.json")
        shards = weight_files(folder, source)
    except UserError as error:
        return error.sentences
    return [
        *_check_words(config, source),
        *check_size(config, KEY),
        *(sentence for path in shards if (sentence := check_header(path, KEY))),
    ]


def weight_files(folder: Path, source: str) -> list[Path]:
    """The safetensors files that are loaded of ``folder``: the one, or those that its index names.

    Raises:
        UserError: there are none, or the index names what is no safetensors file beside it.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if not (folder / INDEX).is_file():
        raise UserError(_none(folder, source))
    names = read_json(folder / INDEX).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise UserError(f"{KEY}: {folder / INDEX} has no weight_map; name the folder that save_pretrained wrote.")
    shards = sorted({str(name) for name in names.values()})
    wrong = []
    for name in shards:
        if not name.endswith(".safetensors") or Path(name).name != name or "\\" in name:
            wrong.append(f"{KEY}: {folder / INDEX} names {name!r:.200}, which is no safetensors file beside it.")
        elif not (folder / name).is_file():
            wrong.append(f"{KEY}: {folder / INDEX} names {name}, which is not there; fetch or export the model again.")
        elif sentence := stray(folder / name, folder, KEY):
            wrong.append(sentence)
    if wrong:
        raise UserError(wrong)
    return [folder / name for name in shards]


def read_json(file: Path) -> dict[str, Any]:
    """The object in a JSON file beside weights, of at most `LARGEST_JSON` bytes.

    Raises:
        UserError: it cannot be read, or holds no object.
    """
    try:
        content = json.loads(read_bounded(file, LARGEST_JSON, KEY))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{KEY}: {file} is no JSON ({error}); name the folder that save_pretrained wrote.") from error
    if not isinstance(content, dict):
        raise UserError(f"{KEY}: {file} holds no JSON object; name the folder that save_pretrained wrote.")
    return content


def plain_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """``config`` without `NAMES_CODE_OR_PLACES`, in nested configs too."""
    return {
        name: plain_config(value) if isinstance(value, Mapping) else value
        for name, value in config.items()
        if name not in NAMES_CODE_OR_PLACES
    }


def _check_words(config: Mapping[str, Any], source: str) -> list[str]:
    if config.get("quantization_config"):
        return [
            f"{KEY}={source} is quantized, and such weights cannot be trained; name the weights that it was made of."
        ]
    if config.get("auto_map") and not isinstance(config.get("model_type"), str):
        return [
            f"{KEY}={source} is a model by code of its own (auto_map in its config.json), and code of a model is never"
            " run; name weights of a family that transformers has."
        ]
    return []


def _none(folder: Path, source: str) -> str:
    if any(next(folder.glob(kind), None) for kind in PICKLED):
        return (
            f"{KEY}={source} holds pickled weights only, and loading a pickle can run any code; convert"
            " them with AutoModel.from_pretrained(...).save_pretrained(...), which writes safetensors."
        )
    if next(folder.glob("*.onnx"), None):
        return f"{KEY}={source} is an ONNX model, which onnxruntime reads; name the run or the folder that it came of."
    return (
        f"{KEY}={source} has no *.safetensors file ({WEIGHTS} or {INDEX}); name the folder that save_pretrained wrote."
    )
