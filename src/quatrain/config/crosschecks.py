"""Whether the parts of an experiment fit one another: data and task, length and positions, monitors and metrics."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quatrain.config.spelling import nearest

TASK_OF_DATA = {
    "quatrain.data.pairs.SentencePairs": "sequence_classification",
    "quatrain.data.masked_text.MaskedText": "masked_lm",
    "quatrain.data.windows.Windows": "causal_lm",
}
OF_PAIRS = (
    "source",
    "sha256",
    "glue_task",
    "text_columns",
    "label_column",
    "label_names",
    "validation_share",
    "test_share",
    "verse_size",
)
OF_RECIPE = ("task", "label_smoothing", "layer_lr_decay", "frozen_layers", "lora")
PACKAGE_OF_LOGGER = {"TensorBoardLogger": "tensorboard", "WandbLogger": "wandb", "MLFlowLogger": "mlflow"}
CHECK_OF_DATA = {
    "quatrain.data.pairs.SentencePairs": "check_pairs",
    "quatrain.data.masked_text.MaskedText": "check_masked_text",
    "quatrain.data.windows.Windows": "check_windows",
}
MODEL_FOR_TASK = {
    "sequence_classification": "bert_classifier or tiny_bert",
    "masked_lm": "roberta_mlm or tiny_roberta",
    "causal_lm": "gpt2_causal or tiny_gpt2",
}


def crosschecks(config: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for every pair of parts that do not fit; cheap, before any download."""
    for rule in (_data_numbers, _sources, _task_fits_data, _model_fits, _training_ends, _loggers, _monitors):
        yield from rule(config)


def _data_numbers(config: dict[str, Any]) -> Iterator[str]:
    from quatrain.data import checks

    data = config["data"]
    name = CHECK_OF_DATA.get(data["_target_"])
    if name:
        yield from getattr(checks, name)(data)


def _sources(config: dict[str, Any]) -> Iterator[str]:
    from quatrain.corpora.pairs import check_pair_source
    from quatrain.corpora.sources import check_source
    from quatrain.tokenizers.sources import check_tokenizer_source

    data, tokenizer = config["data"], config["tokenizer"]
    if data["_target_"] == "quatrain.data.pairs.SentencePairs":
        yield from check_pair_source(**{name: data[name] for name in OF_PAIRS if name in data})
    elif "source" in data:
        yield from check_source(data["source"], "data.source", sha256=data.get("sha256"))
    if tokenizer.get("source"):
        yield from check_tokenizer_source(tokenizer["source"], "tokenizer.source")


def _task_fits_data(config: dict[str, Any]) -> Iterator[str]:
    task = config["model"].get("task")
    wanted = TASK_OF_DATA.get(config["data"]["_target_"])
    if task and wanted and task != wanted:
        name = config["data"]["_target_"].rpartition(".")[2]
        fix = f"choose model={MODEL_FOR_TASK[wanted]}"
        yield f"model.task={task} cannot learn from {name}, which makes batches for {wanted}; {fix}."


def _model_fits(config: dict[str, Any]) -> Iterator[str]:
    from quatrain.models.checks import check_choice, check_model, check_peft, check_recipe
    from quatrain.models.sources import check_weights

    model, tokenizer = config["model"], config["tokenizer"]
    if "weights" not in model:  # a class of the user's own
        return
    yield from check_recipe(**{name: model[name] for name in OF_RECIPE})
    if model["lora"] is not None:
        yield from check_peft()
    if model["weights"]:
        yield from check_weights(model["weights"])
    else:
        yield from check_choice(None, model.get("config"))
    if model.get("config") and not model["weights"] and not model["config"].get("model_type"):
        yield "model.config.model_type is missing; name one that transformers knows, such as roberta, bert or gpt2."
    yield from check_model(
        _described(config),
        key="model.weights" if model["weights"] else "model.config",
        tokenizer_size=tokenizer.get("vocab_size"),
        max_length=config["data"].get("max_length"),
        frozen_layers=model.get("frozen_layers", 0),
    )


def _described(config: dict[str, Any]) -> dict[str, Any] | None:
    """The model's configuration as far as it is known before a download."""
    from quatrain.models.sources import model_config_of

    model = config["model"]
    if model.get("weights"):
        return model_config_of(model["weights"]) if Path(model["weights"]).exists() else None
    return model.get("config")


def _training_ends(config: dict[str, Any]) -> Iterator[str]:
    trainer = config["trainer"]
    for name, least in (("max_epochs", -1), ("max_steps", -1)):
        value = trainer.get(name)
        if value is not None and (value < least or value == 0):
            yield f"trainer.{name}={value} trains nothing; give 1 or more, or leave it out."
    if trainer.get("accumulate_grad_batches", 1) < 1:
        yield f"trainer.accumulate_grad_batches={trainer['accumulate_grad_batches']} is below 1; 1 accumulates nothing."
    if (
        trainer.get("max_epochs") in (None, -1)
        and trainer.get("max_steps", -1) in (-1, None)
        and not trainer.get("max_time")
    ):
        yield "trainer.max_epochs and trainer.max_steps set no end: training would never end; give one of them."


def _loggers(config: dict[str, Any]) -> Iterator[str]:
    from importlib.util import find_spec

    for name, node in (config.get("logger") or {}).items():
        package = (
            PACKAGE_OF_LOGGER.get(str(node.get("_target_")).rpartition(".")[2]) if isinstance(node, dict) else None
        )
        if package and find_spec(package) is None:
            yield f"logger={name} needs {package}, which is not installed; run pip install 'quatrain[{name}]'."


def _monitors(config: dict[str, Any]) -> Iterator[str]:
    from quatrain.tasks.metric_names import METRICS, metric_names

    task = config["model"].get("task")
    if not task:
        return
    known = metric_names(task, glue_task=config["data"].get("glue_task"))
    for name, callback in (config.get("callbacks") or {}).items():
        monitor = callback.get("monitor") if isinstance(callback, dict) else None
        if monitor and monitor not in known:
            hint = nearest(monitor, known) or "."
            yield f"callbacks.{name}.monitor={monitor} is not measured; {task} logs {', '.join(known)}{hint}"
        elif monitor and callback.get("mode", "max") == "min" and monitor.rpartition("/")[2] in METRICS:
            yield f"callbacks.{name}.mode=min would keep the worst {monitor}; give callbacks.{name}.mode=max."
