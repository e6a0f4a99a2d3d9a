"""The README.md of an exported model, in the form that model hubs read."""

from collections.abc import Mapping, Sequence

import yaml

from quatrain.core.secrets import redact_text
from quatrain.core.terminal import printable
from quatrain.corpora.hub import is_hub_name
from quatrain.runs.card_scores import Interval, model_index, scores_section
from quatrain.runs.card_texts import LOADING, loading, loading_onnx, uses
from quatrain.runs.licences import UNKNOWN, Licence
from quatrain.runs.markdown import code, fenced, plain


def model_card(
    *,
    name: str,
    task: str,
    data: str,
    data_id: str = "",
    data_fingerprint: str = "",
    sizes: str = "",
    licence: Licence = UNKNOWN,
    labels: Sequence[str] = (),
    tokenizer: str = "",
    base_model: str | None = None,
    parameters: int | None = None,
    metrics: Mapping[str, float] | None = None,
    intervals: Mapping[str, Interval] | None = None,
    step: int | None = None,
    commands: Sequence[str] = (),
    remarks: Sequence[str] = (),
    versions: Mapping[str, str] | None = None,
    mask_token: str = "<mask>",
    texts: int | None = None,
    onnx_inputs: Sequence[str] = (),
    module: str | None = None,
) -> str:
    """Return the card as Markdown with a YAML head; secrets are hidden in it, and no text of others formats anything.

    Args:
        name: the title: the experiment.
        task: a pipeline of transformers: fill-mask, text-classification or text-generation.
        data: what it was trained on, in words.
        data_id: the same as one word for the head; where it is a dataset of the hub, its name there.
        data_fingerprint: of that data.
        sizes: how much data that was, in words.
        licence: of the data.
        labels: of a classifier, in their order.
        tokenizer: in words.
        base_model: the pretrained weights that it began from, a hub name or the name of a folder; None for random ones.
        parameters: how many weights.
        metrics: the scores of the exported weights, by ``val/...`` and ``test/...``.
        intervals: 95 % intervals of some of them.
        step: the optimizer step of the exported weights.
        commands: the commands that trained it, in order.
        remarks: sentences about them.
        versions: package versions.
        mask_token: for the example of fill-mask.
        texts: of a classifier, how many a row holds, 1 or 2; None where that is not known.
        onnx_inputs: the inputs of ``model.onnx``, where the folder holds that in place of safetensors.
        module: the code of an architecture that transformers does not bring; None for those that it does.

    Raises:
        ValueError: an unknown task.
    """
    if task not in LOADING:
        raise ValueError(f"task {task!r} must be one of {', '.join(LOADING)}")
    head = {
        **_licence(licence, base_model),
        **({} if onnx_inputs else {"library_name": "transformers"}),
        "pipeline_tag": task,
        "tags": ["onnx", "quatrain"] if onnx_inputs else ["quatrain"],
        **({"base_model": base_model} if base_model and is_hub_name(base_model) else {}),
        **({"datasets": [data_id]} if is_hub_name(data_id) and "/" in data_id else {}),
        **model_index(name, task, data, data_id, metrics or {}),
    }
    facts = {
        "Trained on": plain(data) + (f" (fingerprint {code(data_fingerprint[:16])})" if data_fingerprint else ""),
        "Sizes": plain(sizes),
        "Licence of the data": plain(licence.words),
        "Labels": plain(", ".join(labels)),
        "Tokenizer": plain(tokenizer),
        "Began from": plain(base_model or "random weights"),
        "Parameters": f"{parameters:,}" if parameters is not None else "",
        "Optimizer steps": f"{step:,}" if step is not None else "",
        "Versions": plain(", ".join(f"{package} {number}" for package, number in (versions or {}).items())),
    }
    parts = [
        f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n",
        f"# {plain(name)}\n",
        "\n".join(f"- {title}: {value}" for title, value in facts.items() if value) + "\n",
        uses(task, from_weights=base_model is not None, texts=texts),
    ]
    if metrics:
        parts.append(scores_section(metrics, intervals or {}))
    lines = loading_onnx(onnx_inputs) if onnx_inputs else loading(task, mask_token, texts, module)
    parts.append(f"## Loading it\n\n{fenced(lines, 'python')}\n")
    if commands:
        said = "".join(f"\n{plain(remark)}\n" for remark in remarks)
        parts.append(f"## Training it again\n\n{fenced(chr(10).join(commands), 'bash')}\n{said}")
    return printable(redact_text("\n".join(parts)))


def _licence(licence: Licence, base_model: str | None) -> dict[str, str]:
    """The head's words: the licence of the data; where there is a base model too, no one word says both."""
    if base_model:
        return {"license": "other", "license_name": "that-of-the-data-and-of-the-base-model"}
    return {"license": licence.identifier, **({"license_name": licence.name} if licence.name else {})}
