"""What a finished run shows: held to the model's own logits and to the corpus, bounded; what cannot be is left out."""

import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from quatrain import worker
from quatrain.config.compose import compose
from quatrain.core.batches import IGNORED
from quatrain.inference.examples import keep_examples
from quatrain.inference.held_out import validation_sets
from quatrain.inference.loading import Loaded, load
from quatrain.inference.target import find_target
from quatrain.inference.token_examples import all_targets, loss_by_position
from quatrain.runs.directory import RunDirectory
from quatrain.training.preemption import StopRequest

from .evaluation_runs import PLAIN, maker

LINES = ("experiment=quick_sonnets", "data.mask_rule=always", *PLAIN)
WINDOWS = ("experiment=quick_windows", "data.max_length=32", "data.stride=12", *PLAIN)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., RunDirectory]:
    return maker(tmp_path_factory.mktemp("shown"))


def loaded(run: RunDirectory) -> Loaded:
    return load(find_target(str(run.path), "evaluate"), precision="32-true", device="cpu")


def kept(run: RunDirectory) -> tuple[dict[str, Any], dict[str, Any]]:
    """The examples of ``run`` and the evaluations that were made with them."""
    keep_examples(run)
    found = json.loads(run.evaluation.read_text()) if run.evaluation.exists() else {"evaluations": {}}
    return json.loads(run.examples.read_text()), found["evaluations"]


def logged(run: RunDirectory, name: str) -> float:
    result = run.read_result()
    assert result is not None
    return float(result["best"][name])


def test_wrong_pairs_are_those_that_the_model_is_wrong_about(finished: Any) -> None:
    more = ["data.verse_size=300" if word.startswith("data.verse_size") else word for word in PLAIN]
    run = finished("experiment=quick_mrpc", *more)
    found, evaluations = kept(run)
    assert evaluations["validation"]["metrics"]["accuracy"]["value"] == pytest.approx(logged(run, "val/accuracy"))
    model = loaded(run)
    names = list(model.model.config.id2label.values())
    corpus = validation_sets(model)[0].data.corpus().columns["validation"]
    wrong = []
    for one, other, label in zip(corpus["text_a"], corpus["text_b"], corpus["label"], strict=True):
        with torch.no_grad():
            chances = model.model(**model.tokenizer.hf(one, other, return_tensors="pt")).logits[0].softmax(-1)
        if (said := int(chances.argmax())) != label:
            wrong.append(([one, other], names[label], names[said], float(chances[said])))
    wrong.sort(key=lambda row: -row[3])
    pairs = found["pairs"]
    assert (pairs["count"], pairs["of"]) == (len(wrong), len(corpus["label"]))
    assert pairs["columns"] == ["text_a", "text_b"]
    assert 0 < len(pairs["wrong"]) == min(20, len(wrong))
    assert [row["probability"] for row in pairs["wrong"]] == pytest.approx(
        [row[3] for row in wrong[: len(pairs["wrong"])]], abs=1e-5
    )
    told = {tuple(row["texts"]): (row["label"], row["said"]) for row in pairs["wrong"]}
    assert told.items() <= {tuple(texts): (label, said) for texts, label, said, _ in wrong}.items()
    assert (found["task"], found["split"], found["step"]) == ("sequence_classification", "validation", 3)
    assert found["weights"] == json.loads(run.evaluation.read_text())["weights"]


def test_the_errors_of_a_regression(finished: Any, tmp_path: Path) -> None:
    rows = [{"first": f"line {n}", "second": f"line {n % 7}", "label": n / 10} for n in range(80)]
    source = tmp_path / "scores.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found, evaluations = kept(
        finished("experiment=quick_mrpc", f"data.source={source}", "data.text_columns=[first,second]", *PLAIN)
    )
    assert found["errors"]["columns"] == ["first", "second"]
    errors = [abs(row["label"] - row["said"]) for row in found["errors"]["wrong"]]
    assert errors == sorted(errors, reverse=True)
    assert len(errors) == min(20, found["errors"]["of"]) == evaluations["validation"]["examples"]
    assert np.mean(np.square(errors)) == pytest.approx(evaluations["validation"]["metrics"]["loss"]["value"], rel=1e-4)
    for row in found["errors"]["wrong"]:
        assert {"first": row["texts"][0], "second": row["texts"][1], "label": row["label"]} in [
            {**one, "label": pytest.approx(one["label"])} for one in rows
        ]


def test_masks_are_guessed_as_by_the_model_and_the_text_is_the_corpus(finished: Any) -> None:
    run = finished(*LINES)
    found, evaluations = kept(run)
    assert evaluations["validation"]["metrics"]["loss"]["value"] == pytest.approx(logged(run, "val/loss"), rel=1e-4)
    model = loaded(run)
    (held_out,) = validation_sets(model)
    rows = {}
    for number in range(len(held_out.rows)):
        row = held_out.rows.__getitems__([(-1, number)])
        ids, labels = row["input_ids"][0], row["labels"][0]
        rows[model.tokenizer.decode(np.where(labels == IGNORED, ids, labels)[1:-1])] = (ids, labels)
    lines = [line for text in held_out.data.corpus().documents("validation") for line in text.split("\n")]
    assert all(any(line.startswith(row) for line in lines) for row in rows)  # a long one is cut
    assert len(found["fills"]) == 8
    for fill in found["fills"]:
        pieces = fill["pieces"]
        masks = [piece for piece in pieces if isinstance(piece, dict)]
        whole = "".join(piece if isinstance(piece, str) else piece["right"] for piece in pieces)
        ids, labels = rows[whole.replace("' '", " ")]  # a token of white space alone is written out
        with torch.no_grad():
            logits = model.model(torch.tensor(ids)[None]).logits[0]
        chances = logits[torch.tensor(labels) != IGNORED].softmax(-1)
        assert len(masks) == len(chances)
        for mask, chance in zip(masks, chances, strict=True):
            best = chance.topk(5)
            assert [given for _, given in mask["guesses"]] == pytest.approx(best.values.tolist(), abs=1e-5)
            assert mask["guesses"][0][0] == model.tokenizer.decode([int(best.indices[0])]).strip()


def test_the_loss_by_position_is_that_of_each_place_of_the_windows(finished: Any) -> None:
    run = finished(*WINDOWS)
    found, evaluations = kept(run)
    assert set(evaluations) == {"validation"}
    model = loaded(run)
    (held_out,) = validation_sets(model)
    rows: Any = held_out.rows
    sums = np.zeros((32, 2))
    for number in range(len(rows)):
        tokens = torch.tensor(rows.tokens[number * 12 : number * 12 + 33].astype(np.int64))[None]
        with torch.no_grad():
            logs = model.model(tokens[:, :-1]).logits.log_softmax(-1)[0]
        nats = -logs[torch.arange(len(logs)), tokens[0, 1:]].numpy()
        sums[: len(nats)] += np.stack([nats, np.ones_like(nats)], 1)
    told = found["loss_by_position"]
    assert told["position"] == list(range(1, 33))
    assert told["tokens"] == sums[:, 1].astype(int).tolist()
    assert told["loss"] == pytest.approx((sums[:, 0] / sums[:, 1]).tolist(), rel=1e-4)


def test_positions_of_long_windows_are_put_together(finished: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from quatrain.inference import token_examples

    model = loaded(finished(*WINDOWS))
    (held_out,) = validation_sets(model)
    whole = loss_by_position(model, held_out)
    monkeypatch.setattr(token_examples, "BINS", 4)
    binned = loss_by_position(model, held_out)
    assert binned["position"] == [4.5, 12.5, 20.5, 28.5]
    assert binned["tokens"] == [sum(whole["tokens"][start : start + 8]) for start in (0, 8, 16, 24)]
    assert binned["loss"][1] == pytest.approx(np.average(whole["loss"][8:16], weights=whole["tokens"][8:16]))
    monkeypatch.setattr(token_examples, "POSITION_TOKENS", 100)
    assert sum(loss_by_position(model, held_out)["tokens"]) <= 100


def test_targets_that_an_earlier_window_has_scored_are_asked_again_and_filling_is_not() -> None:
    ids = torch.tensor([[1, 2, 3, 4], [3, 4, 5, 0]])
    target = torch.tensor([[IGNORED, IGNORED, 4, 5], [IGNORED, 5, IGNORED, IGNORED]])
    assert all_targets(ids, target).tolist() == [[2, 3, 4, 5], [4, 5, IGNORED, IGNORED]]


def test_what_lies_there_for_these_weights_is_left_alone(finished: Any) -> None:
    run = finished(*WINDOWS)
    kept(run)
    run.evaluation.write_text(run.evaluation.read_text().replace('"seed": 0', '"seed": 7'))
    before = run.examples.read_bytes()
    run.examples.write_text(run.examples.read_text() + " ")
    keep_examples(run)
    assert run.examples.read_bytes() == before + b" "
    run.examples.write_text(run.examples.read_text().replace('"weights": "', '"weights": "0'))
    keep_examples(run)
    assert run.examples.read_bytes() == before
    assert '"seed": 7' in run.evaluation.read_text()


def test_no_more_is_scored_than_a_validation_of_the_training_did(finished: Any) -> None:
    """Two batches of eight lines, evenly spread; each is masked as in the whole."""
    found, evaluations = kept(finished(*LINES, "trainer.limit_val_batches=2"))
    assert set(evaluations) == {"part of validation"}
    whole = evaluations["part of validation"]
    assert whole["examples"] <= 16 < whole["of"]
    assert found["split"] == "validation"
    assert found["fills"]


@pytest.mark.filterwarnings("ignore:Total length of `list` across ranks is zero")
def test_without_a_validation_split_the_tokenizer_is_left(finished: Any) -> None:
    found, evaluations = kept(finished("experiment=quick_windows", "data.validation_share=0", *PLAIN))
    assert evaluations == {}
    assert found["split"] is None
    assert set(found) == {"task", "split", "step", "weights", "tokenizer"}
    tokenizer = found["tokenizer"]
    assert (tokenizer["kind"], tokenizer["vocab_size"]) == ("byte-level BPE", 400)
    assert tokenizer["tokens_per_word"] > 1
    assert len(tokenizer["longest"]) == 20
    assert all(len(token) == characters for token, characters in tokenizer["longest"])
    assert sum(tokenizer["lengths"]["counts"]) == tokenizer["lengths"]["of"] == 80


def test_several_validation_sets_are_scored_and_the_first_shown(finished: Any, tmp_path: Path) -> None:
    rows = [{"premise": f"line {n}", "hypothesis": f"line {n % 5}", "label": n % 3} for n in range(30)]
    for name, count in (("train", 30), ("validation_matched", 12), ("validation_mismatched", 9)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:count]))
    found, evaluations = kept(
        finished("experiment=quick_mrpc", "data.glue_task=mnli", f"data.source={tmp_path}", *PLAIN)
    )
    assert {name: entry["examples"] for name, entry in evaluations.items()} == {
        "validation_matched": 12,
        "validation_mismatched": 9,
    }
    assert (found["split"], found["pairs"]["of"]) == ("validation_matched", 12)
    assert found["pairs"]["wrong"]


def _own_module() -> type:
    from pytorch_lightning import LightningDataModule

    from quatrain.data.pairs import SentencePairs

    class Mine(LightningDataModule):
        """Pairs in a module that tells no more than a training asks for."""

        def __init__(self, *, tokenizer: object, batch_size: int = 8) -> None:
            super().__init__()
            self.own = SentencePairs(tokenizer=tokenizer, verse_size=80, batch_size=batch_size)

        def __getattr__(self, name: str) -> object:
            asked = (
                "tokenizer", "max_length", "num_labels", "label_names", "regression", "metrics",
                "validation_names", "summary", "fingerprint", "monitor",
            )  # fmt: skip
            if name in asked:
                return getattr(self.own, name)
            raise AttributeError(name)

        def setup(self, stage: str) -> None:
            self.own.setup(stage)

        def train_dataloader(self) -> object:
            return self.own.train_dataloader()

        def val_dataloader(self) -> object:
            return self.own.val_dataloader()

    return Mine


def test_a_data_module_of_the_users_own_leaves_out_what_it_does_not_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = inspect.getsource(_own_module).split("\n")[1:-2]
    (tmp_path / "shown_data.py").write_text("\n".join(line[4:] for line in lines))
    monkeypatch.setenv("QUATRAIN_ALLOW", "shown_data")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "shown_data", raising=False)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text("_target_: shown_data.Mine\nbatch_size: 8\n")
    words = ("experiment=quick_mrpc", "data=mine", *(word for word in PLAIN if not word.startswith("data.")))
    run = RunDirectory.create(tmp_path / "run", compose(words, tmp_path), words)
    assert worker.guarded(run, StopRequest()) == 0
    found, evaluations = kept(run)
    assert evaluations == {}
    assert set(found["tokenizer"]) == {"kind", "vocab_size", "tokens_per_word", "longest"}
    assert found["tokenizer"]["tokens_per_word"] is None
    assert run.samples.read_text()
