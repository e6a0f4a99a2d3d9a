"""The README.md of an exported model, in the form that model hubs read."""

from collections.abc import Mapping
from typing import Any

import yaml

from quatrain.core.secrets import redact_text
from quatrain.core.terminal import printable

LOADING = {
    "fill-mask": ("AutoModelForMaskedLM", 'pipe("... {mask} ...")'),
    "text-classification": ("AutoModelForSequenceClassification", 'pipe({"text": "...", "text_pair": "..."})'),
    "text-generation": ("AutoModelForCausalLM", 'pipe("...", max_new_tokens=40)'),
}
"""For each pipeline the class that loads the model and a call."""


def model_card(
    *,
    name: str,
    task: str,
    data: str,
    data_fingerprint: str = "",
    tokenizer: str = "",
    base_model: str | None = None,
    parameters: int | None = None,
    metrics: Mapping[str, float] | None = None,
    step: int | None = None,
    command: str = "",
    versions: Mapping[str, str] | None = None,
    mask_token: str = "<mask>",
) -> str:
    """Return the card as Markdown with a YAML head; secrets are hidden in it.

    Args:
        name: the title.
        task: a pipeline of transformers: fill-mask, text-classification or text-generation.
        data: what it was trained on, in words.
        data_fingerprint: of that data.
        tokenizer: in words.
        base_model: the pretrained weights that it began from; None for random ones.
        parameters: how many weights.
        metrics: the scores of the exported weights.
        step: the optimizer step of the exported weights.
        command: the command that trained it.
        versions: package versions.
        mask_token: for the example of fill-mask.

    Raises:
        ValueError: an unknown task.
    """
    if task not in LOADING:
        raise ValueError(f"task {task!r} must be one of {', '.join(LOADING)}")
    head: dict[str, Any] = {"library_name": "transformers", "pipeline_tag": task, "tags": ["quatrain"]}
    if base_model:
        head["base_model"] = base_model
    facts = {
        "Trained on": data + (f" (fingerprint `{data_fingerprint[:16]}`)" if data_fingerprint else ""),
        "Tokenizer": tokenizer,
        "Began from": base_model or "random weights",
        "Parameters": f"{parameters:,}" if parameters is not None else "",
        "Optimizer steps": f"{step:,}" if step is not None else "",
        "Versions": ", ".join(f"{package} {number}" for package, number in (versions or {}).items()),
    }
    parts = [
        f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n",
        f"# {name}\n",
        "\n".join(f"- {title}: {value}" for title, value in facts.items() if value) + "\n",
    ]
    if metrics:
        rows = "\n".join(f"| `{title}` | {value:.4g} |" for title, value in metrics.items())
        parts.append(f"## Scores\n\n| score | value |\n|---|---|\n{rows}\n")
    parts.append(f"## Loading it\n\n```python\n{_example(task, mask_token)}\n```\n")
    if command:
        parts.append(f"## Training it again\n\n```bash\n{command}\n```\n")
    return printable(redact_text("\n".join(parts)))


def _example(task: str, mask_token: str) -> str:
    loader, call = LOADING[task]
    return "\n".join(
        (
            f"from transformers import AutoTokenizer, {loader}, pipeline",
            "",
            'folder = "."  # where this file lies',
            f"model = {loader}.from_pretrained(folder)",
            f'pipe = pipeline("{task}", model=model, tokenizer=AutoTokenizer.from_pretrained(folder))',
            call.replace("{mask}", mask_token),
        )
    )
