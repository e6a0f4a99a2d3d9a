"""The data module of a model: as its run's config has it, else the one of its task; with the model's own tokenizer."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quatrain.core.build import build, locate
from quatrain.core.errors import UserError
from quatrain.data.module import LanguageData
from quatrain.data.pairs import SentencePairs
from quatrain.inference.data_options import DataOptions
from quatrain.inference.loading import Loaded
from quatrain.runs.directory import RunDirectory

FOREIGN: Mapping[str, Mapping[str, Any]] = {
    "sequence_classification": {"_target_": "quatrain.data.pairs.SentencePairs", "max_length": 512},
    "masked_lm": {"_target_": "quatrain.data.masked_text.MaskedText", "max_length": 512, "example": "block"},
    "causal_lm": {"_target_": "quatrain.data.windows.Windows", "max_length": 1024, "batch_size": 4},
}
"""The data of a model that no run here trained, by its task; ``max_length`` where it has positions for so many."""


def source_of(loaded: Loaded) -> str | None:
    """The ``data.source`` of the run; None where there is no run."""
    run = loaded.target.run
    if run is None:
        return None
    data = _data_of(run)
    return str(data["source"] if "source" in data else data["_target_"])  # one of the user's own may have no source


def place_of(source: str) -> str:
    """``source`` as a frozen config has it: the path of what lies on this machine is absolute."""
    path = Path(source).expanduser()
    return str(path.absolute()) if path.exists() else source


def data_for(loaded: Loaded, options: DataOptions, source: str | None = None) -> LanguageData:
    """Build the data module, of ``source`` where that is not the run's own; nothing is read yet.

    Raises:
        UserError: an option is of no use, or the config of the run cannot be built here.
    """
    settings = options.settings(loaded.target.task, loaded.longest)
    if run := loaded.target.run:
        node = _data_of(run)
    else:
        node = dict(FOREIGN[loaded.target.task])
        node["max_length"] = min(node["max_length"], loaded.longest or node["max_length"])
    if source is not None:
        settings |= {"source": source, "sha256": options.sha256}
    found = locate(node["_target_"], "data._target_")
    if not issubclass(found, LanguageData):
        raise UserError(
            f"data._target_={node['_target_']} is no LanguageData of quatrain.data.module, whose splits are known; name"
            " one that is in the config of the run."
        )
    arguments = {**node, **settings, **_for_the_model(found, node, loaded.model)}
    try:
        data: LanguageData = build(arguments, "data", tokenizer=loaded.tokenizer)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{run.config if run else node['_target_']}: its data cannot be built ({' '.join(str(error).split())})."
        ) from error
    return data


def _for_the_model(found: type, node: Mapping[str, Any], model: Any) -> dict[str, Any]:
    """What training decides by the model or the machine: scored are plain padded rows, in this process."""
    told: dict[str, Any] = {name: value for name, value in (("num_workers", 0), ("packing", False)) if name in node}
    decided = node.get("use_token_types") is not None
    if issubclass(found, SentencePairs) and not decided and not _takes_token_types(model):
        told["use_token_types"] = False
    return told


def _takes_token_types(model: Any) -> bool:
    """As `LanguageModel.takes_token_types`, of a model that is there."""
    takes = "token_type_ids" in inspect.signature(model.forward).parameters
    return takes and getattr(model.config, "type_vocab_size", 2) > 1


def _data_of(run: RunDirectory) -> dict[str, Any]:
    """The data of a frozen config.

    Raises:
        UserError: it has none.
    """
    part = run.read_config().get("data")
    if not isinstance(part, dict) or "_target_" not in part:
        raise UserError("config.yaml has no data that can be built; it was not written by quatrain.")
    return part
