"""quatrain: an experiment is four lines — data, tokenizer, model, trainer.

The public face, loaded when it is first used:

    import quatrain

    run = quatrain.train(["experiment=quick_windows", "trainer.max_steps=20"])
    run.read_result()["best"]["val/perplexity"]
    run.metrics()  # a DataFrame; also run.model, run.tokenizer, run.predict([...]), run.pipeline(), run.evaluate()
"""

from importlib import import_module
from typing import Any

_WHERE = {
    "compose": "quatrain.config.compose",
    "plan": "quatrain.commands.plan",
    "train": "quatrain.commands.train",
    "load_run": "quatrain.inference.run",
    "SentencePairs": "quatrain.data.pairs",
    "MaskedText": "quatrain.data.masked_text",
    "Windows": "quatrain.data.windows",
    "window_loader": "quatrain.data.windows",
    "LanguageModel": "quatrain.models.recipe",
    "SequenceClassification": "quatrain.tasks.sequence_classification",
    "MaskedLanguageModel": "quatrain.tasks.masked_lm",
    "CausalLanguageModel": "quatrain.tasks.causal_lm",
    "UserError": "quatrain.core.errors",
}
__all__ = list(_WHERE)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'quatrain' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
