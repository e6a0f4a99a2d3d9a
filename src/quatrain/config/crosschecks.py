"""Whether the parts of an experiment fit one another: data and task, length and positions, monitors and metrics."""

from collections.abc import Callable, Iterator
from typing import Any

from quatrain.config.spelling import nearest
from quatrain.core.build import ALLOWED, may_be_named
from quatrain.core.signatures import real_name

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
PACKAGE_OF_LOGGER = {
    **{"TensorBoard": "tensorboard", "WeightsAndBiases": "wandb", "MLflow": "mlflow"},
    **{"TensorBoardLogger": "tensorboard", "WandbLogger": "wandb", "MLFlowLogger": "mlflow"},
}
CHECK_OF_DATA = {
    "quatrain.data.pairs.SentencePairs": "check_pairs",
    "quatrain.data.masked_text.MaskedText": "check_masked_text",
    "quatrain.data.windows.Windows": "check_windows",
}
RECIPE = "quatrain.models.recipe.LanguageModel"
KIND = {
    "data": ("quatrain.data.", "a data module"),
    "tokenizer": ("quatrain.tokenizers.", "a tokenizer"),
    "model": ("quatrain.models.", "a model"),
    "optimizer": ("torch.optim.", "an optimizer"),
    "schedule": ("quatrain.training.schedules.", "a schedule"),
    "trainer": ("pytorch_lightning.", "a trainer"),
}
"""Where the shipped classes for a group lie, and what they are."""

NO_CALLBACKS = tuple(package for package, _ in KIND.values() if package != "pytorch_lightning.")

MODEL_FOR_TASK = {
    "sequence_classification": "bert_classifier or tiny_bert",
    "masked_lm": "roberta_mlm or tiny_roberta",
    "causal_lm": "gpt2_causal or tiny_gpt2",
}
DATA_FOR_TASK = {"sequence_classification": "pairs", "masked_lm": "masked_text", "causal_lm": "windows"}


def crosschecks(config: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for every pair of parts that do not fit; cheap, before any download.

    ``config`` holds the groups that are sound by themselves; a rule that needs another is left out.
    """
    for rule, groups in RULES.items():
        if groups <= set(config):
            yield from rule(config)


def kinds(config: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each of our classes, PyTorch's or Lightning's that stands in a group of other things."""
    for group, (package, what) in KIND.items():
        if group not in config:
            continue
        target = config[group]["_target_"]
        if target.startswith(ALLOWED) and (real := _named(target)) and not real.startswith(package):
            yield f"{group}._target_={target} is not {what}; choose an option, {group}=OPTION, or a class of {package}"
    for group, package in (("callbacks", "a callback"), ("logger", "a logger")):
        for name, node in config.get(group, {}).items():
            if node and (real := _named(node["_target_"])) and real.startswith(NO_CALLBACKS):
                yield f"{group}.{name}._target_={node['_target_']} is not {package}; name another class."
            if node and (_named(node["_target_"]) or "").endswith(".GradientAccumulationScheduler"):
                yield (
                    f"{group}.{name}._target_={node['_target_']} would change the effective batch as the run goes on,"
                    " which no resume restores; set trainer.accumulate_grad_batches."
                )


def _named(target: str) -> str | None:
    """The class that is really found; None where there is none that may be named, which is told as such."""
    real = real_name(target) if may_be_named(target) else None
    return real if real and may_be_named(real) else None


def _data_numbers(config: dict[str, Any]) -> Iterator[str]:
    from quatrain.data import checks

    data = config["data"]
    name = CHECK_OF_DATA.get(data["_target_"])
    if name:
        workers = 0 if data["num_workers"] == "auto" else data["num_workers"]
        yield from getattr(checks, name)({**data, "num_workers": workers})


def _pair_or_text(config: dict[str, Any]) -> Iterator[str]:
    from quatrain.corpora.pairs import check_pair_source
    from quatrain.corpora.sources import check_source

    data = config["data"]
    if data["_target_"] == "quatrain.data.pairs.SentencePairs":
        yield from check_pair_source(**{name: data[name] for name in OF_PAIRS if name in data})
    elif data["_target_"] in TASK_OF_DATA:
        yield from check_source(data["source"], "data.source", sha256=data.get("sha256"))


def _tokenizer_source(config: dict[str, Any]) -> Iterator[str]:
    from quatrain.tokenizers.sources import check_tokenizer_source

    tokenizer = config["tokenizer"]
    if isinstance(tokenizer.get("source"), str) and tokenizer["_target_"].startswith("quatrain."):
        yield from check_tokenizer_source(tokenizer["source"], "tokenizer.source")


def _task_fits_data(config: dict[str, Any]) -> Iterator[str]:
    task = config["model"].get("task")
    wanted = TASK_OF_DATA.get(config["data"]["_target_"])
    if task in MODEL_FOR_TASK and wanted and task != wanted:
        name = config["data"]["_target_"].rpartition(".")[2]
        fix = f"choose model={MODEL_FOR_TASK[wanted]}, or data={DATA_FOR_TASK[task]}"
        yield f"model.task={task} cannot learn from {name}, which makes batches for {wanted}; {fix}."


def _recipe(config: dict[str, Any]) -> Iterator[str]:
    from quatrain.models.checks import check_choice, check_peft, check_recipe
    from quatrain.models.sources import check_weights

    model = config["model"]
    if model["_target_"] != RECIPE:
        return
    yield from check_recipe(**{name: model[name] for name in OF_RECIPE})
    if model["lora"] is not None:
        yield from check_peft()
    if model["weights"]:
        yield from check_weights(model["weights"])
    else:
        yield from check_choice(None, model["config"])
    if model["config"] and not model["weights"] and not isinstance(model["config"].get("model_type"), str):
        yield "model.config.model_type is missing; name one that transformers knows, such as roberta, bert or gpt2."


def _model_fits(config: dict[str, Any]) -> Iterator[str]:
    from quatrain.models.checks import check_model

    model, tokenizer = config["model"], config["tokenizer"]
    if model["_target_"] == RECIPE:
        yield from check_model(
            _described(model),
            key="model.weights" if model["weights"] else "model.config",
            tokenizer_size=_whole(tokenizer.get("vocab_size")),
            max_length=_whole(config["data"].get("max_length")),
            frozen_layers=model["frozen_layers"],
        )


def _described(model: dict[str, Any]) -> dict[str, Any] | None:
    """The model's configuration as far as it is known before a download."""
    from quatrain.models.sources import model_config_of

    return model_config_of(model["weights"]) if model["weights"] else model["config"]


def _whole(value: Any) -> int | None:
    """A number that a class of the user's own may mean differently, or not have."""
    return value if isinstance(value, int) else None


def _training_ends(config: dict[str, Any]) -> Iterator[str]:
    trainer = config["trainer"]
    if not trainer["_target_"].startswith("pytorch_lightning."):
        return
    for name, least in (("max_epochs", -1), ("max_steps", -1)):
        value = trainer.get(name)
        if value is not None and (value < least or value == 0):
            yield f"trainer.{name}={value} trains nothing; give 1 or more, or leave it out."
    if (
        trainer.get("max_epochs") in (None, -1)
        and trainer.get("max_steps", -1) in (-1, None)
        and not trainer.get("max_time")
    ):
        yield "trainer.max_epochs and trainer.max_steps set no end: training would never end; give one of them."


def _one_profiler(config: dict[str, Any]) -> Iterator[str]:
    chosen = config["trainer"].get("profiler")
    if config["speed"].get("profile") and chosen:
        yield f"speed.profile=true and trainer.profiler={chosen} would profile one another; leave one of them out."


def _loggers(config: dict[str, Any]) -> Iterator[str]:
    from importlib.util import find_spec

    for name, node in config["logger"].items():
        package = PACKAGE_OF_LOGGER.get(node["_target_"].rpartition(".")[2])
        if package and find_spec(package) is None:
            yield f"logger={name} needs {package}, which is not installed; run pip install 'quatrain[{package}]'."


def _monitors(config: dict[str, Any]) -> Iterator[str]:
    from quatrain.tasks.metric_names import METRICS, metric_names

    task = config["model"].get("task")
    if task not in MODEL_FOR_TASK:
        return
    known = metric_names(task, glue_task=config["data"].get("glue_task"))
    for name, callback in config["callbacks"].items():
        monitor = callback.get("monitor") if callback else None
        if monitor and monitor not in known:
            hint = nearest(str(monitor), known) or "."
            yield f"callbacks.{name}.monitor={monitor} is not measured; {task} logs {', '.join(known)}{hint}"
        elif monitor and callback.get("mode", "max") == "min" and monitor.rpartition("/")[2] in METRICS:
            yield f"callbacks.{name}.mode=min would keep the worst {monitor}; give callbacks.{name}.mode=max."


RULES: dict[Callable[[dict[str, Any]], Iterator[str]], set[str]] = {
    _data_numbers: {"data"},
    _pair_or_text: {"data"},
    _tokenizer_source: {"tokenizer"},
    _task_fits_data: {"data", "model"},
    _recipe: {"model"},
    _model_fits: {"data", "tokenizer", "model"},
    _training_ends: {"trainer"},
    _one_profiler: {"trainer", "speed"},
    _loggers: {"logger"},
    _monitors: {"data", "model", "callbacks"},
}
"""Each rule with the groups that it reads."""
