"""What a run leaves behind: its origin, the best weights, the export, the result and the closing table."""

import math
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from quatrain.runs.directory import RunDirectory


def write_origin(run: RunDirectory, config: Mapping[str, Any], experiment: Any, choices: Mapping[str, Any]) -> None:
    """Write where the run comes from: code, versions, machine, data, and every automatic choice with its reason.

    Call it before training, when ``experiment`` has its initial weights, on the leading rank.
    """
    from quatrain.core.build import ALLOWED, allowed_prefixes
    from quatrain.runs.launch_command import launch_command
    from quatrain.runs.provenance import collect
    from quatrain.runs.weights import weights_fingerprint

    data, model = experiment.data, experiment.task.model
    pinned = {f"{group}.revision": config[group].get("revision") for group in ("data", "tokenizer", "model")}
    origin = collect(
        run,
        config,
        command=launch_command(run.read_overrides()),
        project=Path.cwd(),
        fingerprints={
            "data": data.fingerprint,
            "tokenizer": data.tokenizer.fingerprint,
            "weights": weights_fingerprint(model),
        },
        prefixes=[prefix for prefix in allowed_prefixes() if prefix not in ALLOWED],
        ranks=_ranks(config, choices),
        revisions={key: commit for key, commit in pinned.items() if commit},
    )
    chosen = {name: {"value": choice.value, "reason": choice.reason} for name, choice in choices.items()}
    run.write_provenance({**origin, "choices": chosen, "data": data.summary})


def take_best(run: RunDirectory, trainer: Any, task: Any, tell: Callable[[str], None]) -> dict[str, Any]:
    """Load the best checkpoint's weights into ``task``; return its step and scores, the last's where none is best.

    ``tell`` hears of a best checkpoint that is there no more.
    """
    from pytorch_lightning.strategies import FSDPStrategy

    from quatrain.training.checkpoint_files import read
    from quatrain.training.checkpoints import checkpoints_of

    checkpoints, last = checkpoints_of(trainer), trainer.global_step
    step = checkpoints.best_step
    if step is None or isinstance(trainer.strategy, FSDPStrategy):
        return {"step": last, **_scores(run, last)}
    if step != last:
        best = checkpoints.best()
        if best is None:
            tell(f"The best checkpoint, of step {step}, is missing or damaged; the last weights are taken.")
            return {"step": last, **_scores(run, last)}
        task.load_state_dict(read(best.path, map_location=task.device)["state_dict"])
    return {"step": step, "monitor": checkpoints.monitor, **_scores(run, step)}


def last_scores(run: RunDirectory) -> dict[str, float]:
    """The last training loss and the last validation scores; of the whole run, also where it was interrupted."""
    found: dict[str, float] = {}
    for row in run.read_metrics():
        found |= {name: value for name, value in row.items() if name.startswith("val") or name == "train/loss"}
    return found


def conclude(run: RunDirectory, config: Mapping[str, Any], experiment: Any, result: dict[str, Any]) -> None:
    """Export the model and prove the export, write the result, set the status, and print the closing table.

    ``result`` has the scores and the speed; what a comparison needs besides is added to the file.
    """
    from quatrain.corpora.sources import VERSE
    from quatrain.models.adapters import merge_adapters
    from quatrain.models.contract import own_module
    from quatrain.runs.closing import print_closing
    from quatrain.runs.export import export, exported
    from quatrain.runs.references import references_of
    from quatrain.runs.summary import summary

    data, recipe, model = experiment.data, experiment.recipe, experiment.task.model
    batch = _held_out_batch(data)
    export(
        model,
        exported(data.tokenizer, recipe.task).save,
        run.export,
        _card(run, config, experiment, result),
        [batch],
        merge_adapters=merge_adapters if recipe.lora else None,
    )
    said = _said(run, result["best"]["step"], experiment, batch)
    references = {"references": references_of(data.summary)}
    run.write_result({**result, **summary(run, config, data.monitor), **references})
    run.set_status("done")
    with suppress(OSError, SystemExit):  # a closed pipe cannot undo what is done; rich turns it into SystemExit
        print_closing(
            run,
            config["name"],
            recipe.task,
            data.summary,
            result,
            said,
            reported=bool(config["run"].get("report")),
            module=own_module(model),
            on_verse=config["data"].get("source") == VERSE,
        )


def _said(run: RunDirectory, step: int, experiment: Any, batch: Any) -> list[Any]:
    """What the closing table shows: the answers at the validation of ``step``, else those to ``batch``."""
    from quatrain.runs.samples_file import read_samples
    from quatrain.tasks.samples import Sample, samples

    task, data = experiment.recipe.task, experiment.data
    rows = [row for row in read_samples(run.samples) if row["step"] == step]
    said = [Sample(row["shown"], row["said"], row["probability"], row["right"]) for row in rows] or samples(
        task, experiment.task.model, data.tokenizer, batch, label_names=getattr(data, "label_names", None)
    )
    return said[: 2 if task == "causal_lm" else 5]  # of which each takes three lines


def _card(run: RunDirectory, config: Mapping[str, Any], experiment: Any, result: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the model card."""
    from quatrain.runs.card_facts import card_facts

    data = experiment.data
    test = {name: value for name, value in result["metrics"].items() if name.startswith("test")}
    return card_facts(
        run,
        config,
        task=experiment.recipe.task,
        model=experiment.task.model,
        tokenizer=data.tokenizer,
        fingerprint=data.fingerprint,
        summary=data.summary,
        scores={**result["best"], **test},
        step=result["best"]["step"],
    )


def _held_out_batch(data: Any) -> Any:
    """The first batch of the validation split, of the training split where there is none; padded, if it is packed."""
    loader = data.val_dataloader()
    loader = (loader[0] if isinstance(loader, list) and loader else loader) or data.train_dataloader()
    if not getattr(data, "packing", False):  # a module of the user's own need not know of it
        return next(iter(loader))
    from quatrain.data.collate import as_tensors

    split = next((name for name in data.rows if name.startswith("validation")), "train")
    return as_tensors(data.rows_to_predict(split).__getitems__(loader.sampler.keys(loader.sampler.epoch, 0)))


def _scores(run: RunDirectory, step: int) -> dict[str, float]:
    """The validation scores of ``step``."""
    rows = [row for row in run.read_metrics() if row["step"] == step]
    return {name: value for row in rows for name, value in row.items() if name.startswith("val")}


def _ranks(config: Mapping[str, Any], choices: Mapping[str, Any]) -> int:
    """How many processes train."""
    import torch

    from quatrain.training.trainer import ranks

    if started := int(os.environ.get("WORLD_SIZE", "0")):
        return started
    nodes = config["trainer"].get("num_nodes") or 1
    asked = ranks(choices["devices"].value, nodes)
    return int(asked) if math.isfinite(asked) else max(1, torch.cuda.device_count()) * nodes  # -1: all there are
