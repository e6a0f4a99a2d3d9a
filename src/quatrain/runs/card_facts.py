"""What a run's model card says, gathered from the run: the arguments of `quatrain.runs.model_card.model_card`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quatrain.core.secrets import redact_text
from quatrain.corpora.hub import HUB, hub_source, is_hub_name
from quatrain.corpora.locations import is_url, stem_of
from quatrain.corpora.pair_columns import texts_in_row
from quatrain.corpora.sources import VERSE
from quatrain.models.contract import own_module
from quatrain.models.sources import weights_folder
from quatrain.runs.directory import RunDirectory
from quatrain.runs.licences import data_licence
from quatrain.runs.packages import versions
from quatrain.runs.reading import finite
from quatrain.runs.training_commands import training_commands

PIPELINES = {
    "masked_lm": "fill-mask",
    "causal_lm": "text-generation",
    "sequence_classification": "text-classification",
}

COUNTED = ("documents", "examples", "tokens", "characters")
"""What of the data is counted in each split."""

TITLES = {
    "shakespeare": "Shakespeare's Sonnets",
    "tinyshakespeare": "tiny Shakespeare, a megabyte of the plays",
}
"""The named corpora."""

MOST_LABELS = 50

_SCORE = re.compile(r"(val|test)\w*/[\w.-]{1,60}")


def card_facts(
    run: RunDirectory,
    config: Mapping[str, Any],
    *,
    task: str,
    model: Any,
    tokenizer: Any,
    fingerprint: str,
    summary: Mapping[str, Any],
    scores: Mapping[str, Any],
    step: int | None,
) -> dict[str, Any]:
    """Return the card's arguments.

    Args:
        run: whose overrides, provenance and changes tell the commands; what of them cannot be read is left out.
        config: what was trained, changes included.
        task: as the recipe has it.
        model: whose weights are counted; its adapters are not, for they are merged.
        tokenizer: the fitted one.
        fingerprint: of the data.
        summary: of the data, as the data module counts it.
        scores: of the exported weights; what is no score of held-out data is left out.
        step: the optimizer step of the exported weights.
    """
    weights = config["model"].get("weights")
    commands = training_commands(run)
    return {
        "name": str(config.get("name") or run.path.name),
        "task": PIPELINES[task],
        "data": described(config["data"]),
        "data_id": data_id(config["data"]),
        "data_fingerprint": fingerprint,
        "sizes": sizes(summary),
        "licence": data_licence(config["data"]),
        "labels": labels_of(model) if task == "sequence_classification" else (),
        "tokenizer": f"{str(config['tokenizer'].get('_target_')).rpartition('.')[2]}, {tokenizer.vocab_size:,} entries",
        "base_model": base_model(weights) if weights else None,
        "parameters": sum(one.numel() for name, one in model.named_parameters() if "lora_" not in name),
        "metrics": scores_of(scores),
        "step": step,
        "commands": commands.lines,
        "remarks": commands.remarks,
        "versions": versions(),
        "texts": texts_in_row(config["data"]),
        "module": own_module(model),
        "mask_token": tokenizer.hf.mask_token or "<mask>",
    }


def described(data: Mapping[str, Any]) -> str:
    """The data in words, without the folders of the machine that it lies on."""
    source, task, revision = str(data.get("source", "")), data.get("glue_task"), data.get("revision")
    if source == VERSE:
        what = (
            f"verse by the grammar that quatrain brings (size {data.get('verse_size')}, seed {data.get('verse_seed')})"
        )
    elif source.startswith(HUB):
        name, part = hub_source(source)
        what = (
            f"{name} of the Hugging Face hub" + (f", {part}" if part else "") + (f", at {revision}" if revision else "")
        )
    elif source in TITLES:
        what = TITLES[source]
    elif is_url(source):
        what = redact_text(source)
    else:
        what = f"{Path(source).name}, a local file or folder"
    return f"{what}, in the form of GLUE's task {task}" if task else what


def data_id(data: Mapping[str, Any]) -> str:
    """One word for the data; of the hub's datasets their name there."""
    source = str(data.get("source", ""))
    return hub_source(source)[0] if source.startswith(HUB) else stem_of(source)


def sizes(summary: Mapping[str, Any]) -> str:
    """How much of what each split has, as ``train 3,668 examples and 193,000 tokens``."""
    splits: dict[str, list[str]] = {}
    for what in COUNTED:
        for name, value in summary.items():
            kind, _, split = str(name).partition("/")
            if kind == what and split and isinstance(value, int) and not isinstance(value, bool):
                splits.setdefault(split, []).append(f"{value:,} {what}")
    return "; ".join(f"{split} {' and '.join(counts)}" for split, counts in splits.items())


def base_model(weights: str) -> str:
    """The hub name, or of a local folder its own name alone, which no one takes for a hub name."""
    if is_hub_name(weights) and weights_folder(weights) is None:
        return weights
    place = Path(weights)
    return f"{place.parent.name if place.name == 'export' else place.name}, a local folder"


def labels_of(model: Any) -> list[str]:
    """The names of a classifier's labels, at most `MOST_LABELS`; none of a model that gives a score."""
    names = model.config.id2label
    if len(names) < 2:
        return []
    more = [f"and {len(names) - MOST_LABELS:,} more"] if len(names) > MOST_LABELS else []
    return [str(names[number]) for number in sorted(names)[:MOST_LABELS]] + more


def scores_of(found: Mapping[str, Any]) -> dict[str, float]:
    """Those entries of ``found`` that are scores of held-out data, and numbers."""
    numbers = {str(name): finite(value) for name, value in found.items() if _SCORE.fullmatch(str(name))}
    return {name: value for name, value in numbers.items() if value is not None}
