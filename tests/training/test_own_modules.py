"""A data module and a model of the user's own train, and what they lack is told by name in a sentence."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import quatrain
from quatrain.__main__ import main
from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.recorded import read_provenance
from quatrain.training.estimate import gather

MODULE = '''
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from quatrain.models.recipe import LanguageModel


class Colours(pl.LightningDataModule):
    """Sentences of three words; the label is the colour. All that a run asks of a classification's data, by hand."""

    monitor = ("val/accuracy", "max")
    validation_names = ("val",)
    max_length = 8
    num_labels, label_names, regression, metrics = 2, ("green", "red"), False, ("accuracy",)

    def __init__(self, *, tokenizer, lacks: str = "", wrong: str = ""):
        super().__init__()
        self.recipe, self.lacks, self.wrong = tokenizer, lacks, wrong

    def setup(self, stage):
        texts = [f"the {colour} {thing}" for thing in ("tree", "door", "boat", "coat") for colour in ("green", "red")]
        self.tokenizer = self.recipe.fit(lambda: texts)
        self.fingerprint = "colours-1"
        self.summary = {"examples/train": 8, "examples/validation": 8}
        ids = self.tokenizer.hf(texts, padding=True, return_tensors="pt")
        self.rows = [
            {"input_ids": ids["input_ids"][row], "attention_mask": ids["attention_mask"][row],
             "labels": torch.tensor(row % 2), "example_ids": torch.tensor(row)}
            for row in range(8)
        ]
        if self.lacks in vars(self):
            delattr(self, self.lacks)

    def train_dataloader(self):
        rows = [{name: row[name] for name in row if name != self.lacks} for row in self.rows]
        if self.wrong == "ids":
            rows[0]["input_ids"][0] = 9999
        return DataLoader(rows, batch_size=4)

    def val_dataloader(self):
        return DataLoader(self.rows, batch_size=4)


class NoModule:
    def __init__(self, *, tokenizer):
        pass


class NoTokenizer(Colours):
    def __init__(self):
        pass


class NoLoader(pl.LightningDataModule):
    def __init__(self, *, tokenizer):
        super().__init__()


class BagConfig(PreTrainedConfig):
    model_type = "bag_of_words"
    vocab_size: int = 10
    hidden_size: int = 8
    pad_token_id: int | None = None


class BagForSequenceClassification(PreTrainedModel):
    config_class = BagConfig
    shape = "right"

    def __init__(self, config):
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.head = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def get_input_embeddings(self):
        return self.embedding

    def forward(self, input_ids, attention_mask=None):
        logits = self.head(self.embedding(input_ids))
        if self.shape == "breaks":
            raise ArithmeticError("as it was told to")
        return SequenceClassifierOutput(logits=logits if self.shape == "wrong" else logits.mean(1))


AutoConfig.register("bag_of_words", BagConfig)
AutoModelForSequenceClassification.register(BagConfig, BagForSequenceClassification)


class Bag(LanguageModel):
    def __init__(self, *, shape: str = "right"):
        super().__init__(task="sequence_classification", config={"model_type": "bag_of_words"})
        self.shape = shape

    def build(self, **told):
        if self.shape == "plain":
            return nn.Linear(2, 2)
        BagForSequenceClassification.shape = self.shape
        return super().build(**told)


class NoRecipe(nn.Module):
    pass
'''

EXPERIMENT = """# @package _global_
defaults: [override /data: mine, override /tokenizer: wordpiece, override /model: mine]
tokenizer: {vocab_size: 60}
name: own
trainer: {max_steps: 3, accelerator: cpu, log_every_n_steps: 1}
"""


WORDS = {"fine": "praise", "warm": "praise", "cold": "complaint", "rude": "complaint"}
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[RunDirectory, int]]:
    """Run the experiment ``own`` of a folder of the user's own, with overrides; its classes are allowed."""
    from quatrain import worker
    from quatrain.config.compose import compose
    from quatrain.runs.run_log import run_log
    from quatrain.training.preemption import StopRequest

    conf = tmp_path / "conf"
    for place, text in {
        "data/mine.yaml": "_target_: own_parts.Colours\n",
        "model/mine.yaml": "_target_: own_parts.Bag\n",
        "experiment/own.yaml": EXPERIMENT,
    }.items():
        (conf / place).parent.mkdir(parents=True, exist_ok=True)
        (conf / place).write_text(text, encoding="utf-8")
    (tmp_path / "own_parts.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("QUATRAIN_ALLOW", "own_parts")
    monkeypatch.delitem(sys.modules, "own_parts", raising=False)

    def run(*overrides: str) -> tuple[RunDirectory, int]:
        given = ["experiment=own", *overrides]
        run = RunDirectory.create(tmp_path / "run", compose(given, conf), given)
        with run_log(run.log):
            return run, worker.guarded(run, StopRequest())

    return run


def test_a_data_module_and_a_model_from_nothing_train_and_are_exported(
    own: Callable[..., tuple[RunDirectory, int]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A LightningDataModule without ours as its base, a PreTrainedModel that transformers does not know.

    What cannot be asked of such data is told in a sentence, and so is own code that nobody allowed.
    """
    run, code = own()
    assert code == 0, run.status().why
    assert (run.export / "model.safetensors").is_file()
    assert "val/accuracy" in run.read_result()["best"]
    assert "Colours keeps no place in the epoch" in capsys.readouterr().err
    (said,) = quatrain.load_run(run.path).predict(["the red hat"])
    assert said.label in ("green", "red")

    assert main(["evaluate", str(run.path)]) == 2
    assert "own_parts.Colours is no LanguageData" in capsys.readouterr().err
    with pytest.raises(UserError, match=r"own_parts.Colours is no quatrain.data.module.LanguageData"):
        gather(run.read_config(), probe=False)
    monkeypatch.delenv("QUATRAIN_ALLOW")
    with pytest.raises(UserError, match="add --allow own_parts"):
        quatrain.load_run(run.path).predict(["the red hat"])


@pytest.mark.parametrize(
    ("overrides", "wanted"),
    [
        (["data.lacks=tokenizer"], ["Colours has no tokenizer after setup(); it must be the fitted Tokenizer"]),
        (["data.lacks=fingerprint"], ["Colours has no fingerprint after setup(); it must be a text that changes"]),
        (["data.lacks=summary"], ["Colours has no summary after setup(); it must be a dict with the number"]),
        (
            ["data.lacks=labels"],
            ["a batch has no tensor labels; it holds input_ids, attention_mask, example_ids", "PairBatch"],
        ),
        (["data.wrong=ids"], ["to 9999, and the tokenizer has 40 entries", "PairBatch"]),
        (["data._target_=own_parts.NoModule"], ["own_parts.NoModule is no LightningDataModule"]),
        (["data._target_=own_parts.NoTokenizer"], ["NoTokenizer takes no argument tokenizer"]),
        (["data._target_=own_parts.NoLoader"], ["NoLoader has no train_dataloader()"]),
        (["model.shape=plain"], ["build() returns a Linear, which is no PreTrainedModel"]),
        (["model.shape=wrong"], ["gives logits of [1, 4, 2] for ids of [1, 4]; they must be [batch, classes]"]),
        (["model.shape=breaks"], ["fails on four ids in forward(input_ids=...) (ArithmeticError: as it was told to)"]),
        (["model._target_=own_parts.NoRecipe"], ["own_parts.NoRecipe is no recipe of a model, as it has no task"]),
    ],
    ids=lambda value: str(value[0])[:30] if isinstance(value, list) else "",
)
def test_what_is_missing_is_named_before_training(
    own: Callable[..., tuple[RunDirectory, int]], overrides: list[str], wanted: list[str]
) -> None:
    run, code = own(*overrides)
    why = str(run.status().why)
    assert code == 2, why
    assert all(words in why for words in wanted), why
    assert not run.checkpoints.exists()


@pytest.mark.skipif(not DOCS.is_dir(), reason="needs the checkout")
def test_the_examples_of_the_docs_train_as_they_stand(
    own: Callable[..., tuple[RunDirectory, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data module of own_data.md, with its option file, and the tokenizer of own_model.md."""
    data = (DOCS / "own_data.md").read_text(encoding="utf-8")
    (reviews,) = re.findall(r"```python\n(.*?)```", data, re.DOTALL)
    option = re.findall(r"```yaml\n(.*?)```", data, re.DOTALL)[1]
    model = (DOCS / "own_model.md").read_text(encoding="utf-8")
    (characters,) = re.findall(r"```python\n(.*?)```", model, re.DOTALL)
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "__init__.py").touch()
    (tmp_path / "my_package" / "reviews.py").write_text(reviews, encoding="utf-8")
    (tmp_path / "my_package" / "characters.py").write_text(characters, encoding="utf-8")
    (tmp_path / "conf" / "data" / "reviews.yaml").write_text(option, encoding="utf-8")
    (tmp_path / "conf" / "tokenizer").mkdir()
    named = "_target_: my_package.characters.Characters\n"
    (tmp_path / "conf" / "tokenizer" / "characters.yaml").write_text(named, encoding="utf-8")
    rows = [f"the {thing} was {word},{verdict}" for thing in ("tea", "inn") for word, verdict in WORDS.items()]
    (tmp_path / "reviews.csv").write_text("\n".join(["review,verdict", *rows * 4]) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUATRAIN_ALLOW", "my_package,own_parts")
    run, code = own("data=reviews", "tokenizer=characters")
    assert code == 0, run.status().why
    assert {"val/accuracy", "val/f1"} <= run.read_result()["best"].keys()
    assert read_provenance(run)["data"] == {"examples/train": 26, "examples/validation": 6}
    assert quatrain.load_run(run.path).tokenizer.tokenize("the inn") == list("the inn")
