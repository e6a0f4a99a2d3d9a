"""What a command of the pages is given besides, so that it ends in seconds and asks no hub."""

import os
from pathlib import Path

TRAINING = ("train", "plan", "look", "preprocess", "train-tokenizer")
"""Commands that take overrides."""

NOT_RUN = ("--cfg", "--help", "-h", "--info")

LITTLE_VERSE = "data.verse_size=60"
FEW = ("trainer.max_steps=2", "trainer.limit_val_batches=1", "run.report=false")
FEW_TRIALS = ("sweep.trials=2",)

WHOLE = "QUATRAIN_DOCS_DATA"
"""The variable that names the folder of stand-ins for what the hub has."""

INSTEAD_OF_THE_HUB = {
    "experiment=mrpc_bert": ("model.weights={0}/bert", "tokenizer.source={0}/bert", "data.source={0}/mrpc"),
    "experiment=sonnets_roberta": ("data.source={0}/sonnets/sonnets.txt",),
    "experiment=windows_gpt2": (
        "tokenizer.source={0}/gpt2_bpe",
        "data.source={0}/the_verdict/the-verdict.txt",
        "model.config.n_layer=1",
        "model.config.n_embd=16",
        "model.config.n_head=2",
    ),
}
"""What the full experiments take from the hub, as folders. GPT-2 is one layer of it."""


def made_small(words: list[str]) -> list[str]:
    """Return the command line ``words`` with few steps, little verse and folders in place of the hub.

    Only a command that trains, plans or shows an experiment is changed, and of it nothing that decides what is done.
    """
    if not words or words[0] not in TRAINING or any(word in NOT_RUN for word in words):
        return words
    added = list(FEW)
    if "--allow" not in words or any("._target_=" in word for word in words):  # a project's data has no verse
        added.append(LITTLE_VERSE)
    if any(word.startswith("sweep=optuna") for word in words):
        added += FEW_TRIALS
    if any(word.startswith("trainer.val_check_interval=") for word in words):
        added.append("trainer.val_check_interval=1.0")  # there are fewer steps than it may say
    data = Path(os.environ[WHOLE])
    for asked, given in INSTEAD_OF_THE_HUB.items():
        if any(word == asked for word in words):
            added += [
                override.format(data)
                for override in given
                if not any(word.startswith(override.split("=")[0] + "=") for word in words)
            ]
    return [*words, *added]
