"""The pairs module: token types where taken, padding per batch, truncation, labels, two validation sets."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quatrain.core.batches import IGNORED
from quatrain.core.errors import UserError
from quatrain.data.pairs import SentencePairs
from quatrain.data.sampler import EVALUATION
from quatrain.tokenizers.tokenizer import Tokenizer

WORDS = ["mill", "river", "hill", "grain", "lantern", "rain"]


def pair(number: int, label: Any) -> dict[str, Any]:
    some = " ".join(WORDS[(number + step) % 6] for step in range(1 + number % 4))
    return {"sentence1": f"the {some}", "sentence2": f"a {some} {number}", "label": label}


ROWS = {
    "train": [pair(number, number % 2) for number in range(20)],
    "validation": [pair(number, number % 2) for number in range(7)],
    "test": [pair(number, -1) for number in range(5)],
}


ROWS_OF_WORDS = {"validation": [pair(number, "praise" if number % 2 else "blame") for number in range(7)]}


def module(tokenizer: Any, **changes: Any) -> SentencePairs:
    data = SentencePairs(tokenizer=tokenizer, **{"rows": ROWS, "glue_task": "mrpc", "batch_size": 4, **changes})
    data.prepare_data()
    data.setup("fit")
    return data


def test_rows_are_what_the_reference_tokenizer_makes(bert: Tokenizer):
    data = module(bert)
    seen = 0
    for batch in data.val_dataloader():
        wanted = bert.hf(
            [ROWS["validation"][row]["sentence1"] for row in batch["example_ids"]],
            [ROWS["validation"][row]["sentence2"] for row in batch["example_ids"]],
            padding="longest",
            return_tensors="np",
        )
        for name in ("input_ids", "attention_mask", "token_type_ids"):
            assert (batch[name].numpy() == wanted[name]).all()
        assert batch["labels"].tolist() == [ROWS["validation"][row]["label"] for row in batch["example_ids"]]
        seen += len(batch["labels"])
    assert seen == data.summary["examples/validation"] == 7


def test_token_types_are_there_only_where_taken(bert: Tokenizer, roberta: Tokenizer):
    assert "token_type_ids" in next(iter(module(bert).train_dataloader()))
    assert "token_type_ids" not in next(iter(module(bert, use_token_types=False).train_dataloader()))
    assert "token_type_ids" not in next(iter(module(roberta).train_dataloader()))


def test_what_is_too_long_is_cut_and_counted(bert: Tokenizer):
    data = module(bert, max_length=8)
    lengths = [len(bert.hf(row["sentence1"], row["sentence2"])["input_ids"]) for row in ROWS["train"]]
    assert data.summary["truncated/train"] == pytest.approx(np.mean([length > 8 for length in lengths]))
    assert data.summary["tokens/train"] == sum(min(length, 8) for length in lengths)
    assert all(batch["input_ids"].shape[1] <= 8 for batch in data.train_dataloader())


def test_a_length_without_room_for_text_is_refused(roberta: Tokenizer):
    with pytest.raises(UserError, match=r"data\.max_length=5 leaves no room .* 4 special tokens .* at least 6"):
        module(roberta, max_length=5)
    module(roberta, max_length=6)


def test_unlabelled_rows_and_fillers_are_not_scored(bert: Tokenizer):
    data = module(bert)
    assert {label for batch in data.test_dataloader() for label in batch["labels"].tolist()} == {IGNORED}
    batch = data.rows["train"].__getitems__([(0, 3), (0, -4)])
    assert batch["labels"].tolist() == [1, IGNORED]
    assert batch["example_ids"].tolist() == [3, -4]
    assert batch["input_ids"][0].tolist() == batch["input_ids"][1].tolist()
    assert data.rows["train"].__getitems__([(0, 3)])["labels"].tolist() == [1]


def test_a_classification_describes_itself(bert: Tokenizer):
    data = module(bert)
    assert (data.num_labels, data.label_names) == (2, ("not_equivalent", "equivalent"))
    assert (data.metrics, data.monitor, data.regression) == (("accuracy", "f1"), ("val/f1", "max"), False)
    assert data.validation_names == ("val",)


def test_scores_are_a_regression_and_unlabelled_ones_nan(bert: Tokenizer):
    rows = {
        "train": [pair(number, number / 4) for number in range(20)],
        "validation": [pair(number, number / 2) for number in range(4)],
        "test": [pair(number, -1.0) for number in range(3)],
    }
    data = module(bert, rows=rows, glue_task="stsb")
    assert (data.num_labels, data.label_names, data.regression) == (1, None, True)
    assert (data.metrics, data.monitor) == (("pearson", "spearman"), ("val/spearman", "max"))
    batch = next(iter(data.val_dataloader()))
    assert batch["labels"].numpy().dtype == np.float32
    assert batch["labels"].tolist() == [0.0, 0.5, 1.0, 1.5]
    assert np.isnan(data.rows["test"].__getitems__([(EVALUATION, 0)])["labels"]).all()


def test_columns_of_one_s_own_and_single_sentences(bert: Tokenizer):
    rows = [{"verse": f"the {WORDS[n % 6]} {n}", "mood": n % 3} for n in range(40)]
    data = module(bert, rows=rows, glue_task=None, text_columns=["verse"], label_column="mood")
    assert data.num_labels == 3
    assert (data.metrics, data.monitor) == (("accuracy",), ("val/accuracy", "max"))
    batch = next(iter(data.train_dataloader()))
    assert (batch["token_type_ids"] == 0).all()
    assert (batch["input_ids"][:, 0] == bert.hf.cls_token_id).all()
    sizes = [data.summary[f"examples/{split}"] for split in ("train", "validation", "test")]
    assert sizes == [32, 4, 4]


def test_rows_of_one_s_own_need_no_task(bert: Tokenizer):
    """Their columns are found, GLUE's are not asked for; what is monitored is among the metrics."""
    some = [{"question": f"the {WORDS[n % 6]} {n}", "reply": f"a {WORDS[n % 5]}", "label": n % 2} for n in range(40)]
    data = SentencePairs(tokenizer=bert, rows=some, text_columns=["question", "reply"])
    data.setup()
    assert (data.metrics, data.monitor) == (("accuracy", "f1"), ("val/accuracy", "max"))
    scored = [{**row, "label": n / 8} for n, row in enumerate(some)]
    data = SentencePairs(tokenizer=bert, rows=scored, text_columns=["question", "reply"])
    data.setup()
    assert (data.metrics, data.monitor) == (("pearson", "spearman"), ("val/pearson", "max"))


def test_a_file_with_another_checksum_is_refused(bert: Tokenizer, tmp_path: Any):
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS["train"]), encoding="utf-8")
    SentencePairs(tokenizer=bert, source=str(file), sha256=hashlib.sha256(file.read_bytes()).hexdigest()).setup()
    with pytest.raises(UserError, match="sha256"):
        SentencePairs(tokenizer=bert, source=str(file), sha256="0" * 64).setup()


def test_mnli_has_two_validation_sets(bert: Tokenizer):
    def rows(count: int, start: int) -> list[dict[str, Any]]:
        return [
            {"premise": f"the mill {n}", "hypothesis": f"a hill {n}", "label": n % 3}
            for n in range(start, start + count)
        ]

    splits = {"train": rows(9, 0), "validation_matched": rows(4, 20), "validation_mismatched": rows(5, 30)}
    data = module(bert, rows=splits, glue_task="mnli")
    loaders = data.val_dataloader()
    assert [sum(len(batch["labels"]) for batch in loader) for loader in loaders] == [4, 5]
    assert data.validation_names == ("val", "val_mismatched")
    assert data.monitor == ("val/accuracy", "max")


def test_several_processes_encode_the_same(bert: Tokenizer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    alone = module(bert)
    monkeypatch.setenv("QUATRAIN_CACHE", str(tmp_path / "other"))
    environment = os.environ
    together = module(bert, num_proc=2)
    assert os.environ is environment, "what was imported before keeps this very object"
    assert together.summary == alone.summary
    for split in ROWS:
        keys = [(0, row) for row in range(len(ROWS[split]))]
        one, two = (data.rows[split].__getitems__(keys) for data in (alone, together))
        assert all((one[name] == two[name]).all() for name in one)


def test_a_class_with_next_to_no_rows_is_told(bert: Tokenizer):
    rows = [pair(number, "praise" if number % 2 else "blame") for number in range(200)]
    assert module(bert, rows={**ROWS_OF_WORDS, "train": rows}, glue_task=None).notes() == []
    odd = module(bert, rows={**ROWS_OF_WORDS, "train": [*rows, pair(200, "priase")]}, glue_task=None)
    assert odd.notes() == ["The label priase is that of 1 of 201 training rows; is it misspelled?"]


def test_rows_that_are_left_out_are_told(bert: Tokenizer):
    rows = {**ROWS_OF_WORDS, "train": [*ROWS_OF_WORDS["validation"], pair(200, ""), pair(201, "")]}
    told = module(bert, rows=rows, glue_task=None, incomplete_rows="drop").notes()
    assert told[0].startswith("2 rows without a text or a label left out, the first at ")


def test_a_single_row_that_is_left_out_is_told_by_its_line(bert: Tokenizer, tmp_path: Path):
    path = tmp_path / "messages.csv"
    path.write_text("message,topic\n" + "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(40)) + ",a\n")
    data = module(
        bert,
        rows=None,
        source=str(path),
        glue_task=None,
        text_columns=["message"],
        label_column="topic",
        incomplete_rows="drop",
    )
    assert data.notes() == [f"1 row without a text or a label left out, {path}, line 42 (data.incomplete_rows=drop)"]
