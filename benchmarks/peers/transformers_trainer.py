"""What a user would take instead of quatrain: the Trainer of transformers, doing one job and telling how it went.

    python benchmarks/peers/transformers_trainer.py mlm --text TRAIN.txt --tokenizer DIR --config '{"model_type": "roberta"}'
    python benchmarks/peers/transformers_trainer.py mlm --lines ...       a row for each line, padded by the batch
    python benchmarks/peers/transformers_trainer.py clm --text TRAIN.txt --tokenizer DIR --config '{"model_type": "gpt2"}'
    python benchmarks/peers/transformers_trainer.py pairs --data DATA/mrpc --weights DIR --epochs 3

Without --best as its examples run_mlm, run_clm and run_glue do it: float32, AdamW unfused, pairs padded to 128. With
--best what its documentation offers: bfloat16, fused AdamW, batches padded to their longest; --grouped has batches of
rows of like lengths besides, and --compile torch.compile. The last line printed is one JSON object.
"""  # noqa: E501 - commands stand on one line

import argparse
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import datasets
import numpy as np
import torch
import transformers

from examples import cut, ids_of, masked_rows, pairs
from step_clock import StepClock, TokenCount

AUTO = {
    "mlm": transformers.AutoModelForMaskedLM,
    "clm": transformers.AutoModelForCausalLM,
    "pairs": transformers.AutoModelForSequenceClassification,
}


def main() -> None:
    """Build, train, report."""
    asked = arguments()
    transformers.set_seed(asked.seed)
    train, validation, collate, model = parts(asked)
    clock, count = StepClock(asked.untimed, asked.steps), TokenCount(collate)
    trainer = transformers.Trainer(
        model,
        training_arguments(asked),
        train_dataset=train,
        eval_dataset=validation,
        data_collator=count,
        compute_metrics=scores,
        callbacks=[clock],
    )
    trainer.train()
    if asked.save:
        trainer.save_model(asked.save)
    print(json.dumps(report(asked, trainer, clock, count)))


def parts(asked: argparse.Namespace) -> tuple[Any, Any, Any, Any]:
    """Training rows, validation rows (None but for pairs), what makes batches of them, and the model."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(asked.tokenizer or asked.weights)
    if asked.job == "pairs":
        rows = pairs(Path(asked.data), tokenizer, pad=not asked.best)
        model = AUTO["pairs"].from_pretrained(asked.weights, num_labels=2, dtype=torch.float32)
        dynamic = transformers.DataCollatorWithPadding(tokenizer)
        return rows["train"], rows["validation"], dynamic if asked.best else transformers.default_data_collator, model
    if asked.job == "mlm":
        ids = masked_rows(Path(asked.text), tokenizer, asked.length, lines=asked.lines)
        collate = transformers.DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
        positions = {"max_position_embeddings": asked.length + 2}  # RoBERTa counts them from 2
    else:
        ids = cut(ids_of(Path(asked.text), tokenizer), asked.length)
        collate = transformers.DataCollatorForLanguageModeling(tokenizer, mlm=False)
        positions = {"n_positions": asked.length}
    words = json.loads(asked.config)
    special = {name: getattr(tokenizer, name) for name in ("pad_token_id", "bos_token_id", "eos_token_id")}
    config = transformers.AutoConfig.for_model(
        words.pop("model_type"), vocab_size=len(tokenizer), **positions, **special, **words
    )
    return datasets.Dataset.from_dict({"input_ids": ids}), None, collate, AUTO[asked.job].from_config(config)


def training_arguments(asked: argparse.Namespace) -> transformers.TrainingArguments:
    """The Trainer's settings: what makes the result is as ours has it, what makes the speed is its own."""
    speed: dict[str, Any] = {"optim": "adamw_torch"}
    if asked.best:
        speed = {"optim": "adamw_torch_fused", "bf16": True, "torch_compile": asked.compile}
        if asked.grouped:
            speed["train_sampling_strategy"] = "group_by_length"
        if torch.cuda.is_available():
            speed |= {"dataloader_num_workers": 4, "tf32": True}
    return transformers.TrainingArguments(
        output_dir=asked.out,
        per_device_train_batch_size=asked.batch,
        per_device_eval_batch_size=asked.batch,
        max_steps=asked.steps,
        num_train_epochs=asked.epochs,
        learning_rate=asked.learning_rate,
        lr_scheduler_type=asked.schedule,
        warmup_steps=asked.warmup,
        adam_beta1=asked.betas[0],
        adam_beta2=asked.betas[1],
        weight_decay=asked.weight_decay,
        seed=asked.seed,
        use_cpu=not torch.cuda.is_available(),
        eval_strategy="epoch" if asked.job == "pairs" else "no",
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        logging_steps=10,
        **speed,
    )


def scores(output: Any) -> dict[str, float]:
    """Accuracy and F1 of the class 1."""
    said, truth = output.predictions.argmax(-1), output.label_ids
    both = ((said == 1) & (truth == 1)).sum()
    return {
        "accuracy": float((said == truth).mean()),
        "f1": float(2 * both / max(1, (said == 1).sum() + (truth == 1).sum())),
    }


def report(asked: argparse.Namespace, trainer: Any, clock: StepClock, count: TokenCount) -> dict[str, Any]:
    """What the run was and how it went; speed over the timed steps alone."""
    said: dict[str, Any] = {
        "precision": "bf16-mixed" if asked.best else "32-true",
        "parameters": sum(one.numel() for one in trainer.model.parameters()),
        "steps": len(clock.ends),
    }
    if torch.cuda.is_available():
        said["gpu_peak_mb"] = torch.cuda.max_memory_allocated() / 2**20
    if asked.job == "pairs":
        last = [row for row in trainer.state.log_history if "eval_f1" in row][-1]
        return said | {"f1": last["eval_f1"], "accuracy": last["eval_accuracy"]}
    tokens = int(np.sum(count.tokens[asked.untimed : asked.steps]))
    return said | {"tokens": tokens, "seconds": clock.seconds, "tokens_per_second": tokens / clock.seconds}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=list(AUTO))
    parser.add_argument("--text", help="the text to train on")
    parser.add_argument("--lines", action="store_true", help="a row for each line instead of blocks")
    parser.add_argument("--tokenizer", help="its folder; for pairs that of the weights")
    parser.add_argument("--config", default="{}", help="the words of a Hugging Face config, as JSON")
    parser.add_argument("--data", help="a folder with train.jsonl and validation.jsonl")
    parser.add_argument("--weights", help="a folder of pretrained weights")
    parser.add_argument("--best", action="store_true", help="what makes the Trainer fast")
    parser.add_argument("--grouped", action="store_true", help="rows of like lengths in a batch, with --best")
    parser.add_argument("--compile", action="store_true", help="torch.compile besides, with --best")
    parser.add_argument("--length", type=int, default=128, help="ids in a row")
    parser.add_argument("--batch", type=int, default=32, help="rows in a batch")
    parser.add_argument("--steps", type=int, default=-1, help="optimizer steps; without it --epochs count")
    parser.add_argument("--untimed", type=int, default=3, help="steps at the beginning that are not timed")
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--schedule", default="linear")
    parser.add_argument("--warmup", type=int, default=0, help="steps")
    parser.add_argument("--betas", type=float, nargs=2, default=(0.9, 0.999))
    parser.add_argument("--weight-decay", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True, help="a folder for the Trainer's own files")
    parser.add_argument("--save", help="a folder for the trained model")
    return parser.parse_args()


if __name__ == "__main__":
    main()
