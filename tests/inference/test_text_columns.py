"""The columns of the texts: those that are named, else those of the run, else the customary ones."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quatrain.core.errors import UserError
from quatrain.inference.sources import Source
from quatrain.inference.streaming import encoder_of
from quatrain.inference.target import Target
from quatrain.inference.text_columns import to_embed, to_predict
from quatrain.runs.directory import RunDirectory

TABLE = Source("rows.csv", "csv", Path("rows.csv"))
LINES = Source("standard input", "txt", None)


def target(folder: Path, **data: Any) -> Target:
    """A run whose config says ``data``; no run without any."""
    run = RunDirectory.create(folder / "run", {"data": data}, []) if data else None
    return Target("TARGET", folder, "", "sequence_classification", run)


@pytest.mark.parametrize(
    ("data", "asked", "columns", "chosen"),
    [
        ({}, (None, None), ["id", "text"], ("text",)),
        ({}, (None, None), ["sentence1", "sentence2", "label"], ("sentence1", "sentence2")),
        ({}, ("b", None), ["a", "b"], ("b",)),
        ({}, ("b", "a"), ["a", "b"], ("b", "a")),
        ({"text_columns": ["q", "r"]}, (None, None), ["text", "r", "q"], ("q", "r")),
        ({"text_columns": ["q", "r"]}, ("x", "y"), ["q", "r", "x", "y"], ("x", "y")),
        ({"glue_task": "qnli"}, (None, None), ["text", "question", "sentence"], ("question", "sentence")),
        ({"glue_task": "no task"}, (None, None), ["text"], ("text",)),
        ({"source": "verse", "text_columns": None}, (None, None), ["text_a", "text_b"], ("text_a", "text_b")),
        ({"text_columns": "a hostile one"}, (None, None), ["text"], ("text",)),
    ],
)
def test_columns_are_found(
    tmp_path: Path, data: dict[str, Any], asked: tuple[str | None, str | None], columns: list[str], chosen: Any
) -> None:
    assert to_predict(target(tmp_path, **data), *asked)(TABLE, columns) == chosen


@pytest.mark.parametrize(
    ("data", "asked", "source", "columns", "sentence"),
    [
        (
            {"glue_task": "mrpc"},
            (None, None),
            LINES,
            ["text"],
            "trained on pairs of texts, and standard input gives one",
        ),
        ({"source": "verse"}, (None, None), TABLE, ["text"], "trained on pairs of texts, and rows.csv gives one"),
        ({"text_columns": ["q"]}, ("a", "b"), TABLE, ["a", "b"], r"trained on single texts, .* gives pairs \(a, b\)"),
        ({"text_columns": ["q"]}, (None, None), TABLE, ["quest", "qq"], "--text=q: rows.csv has no such column, only"),
        ({"text_columns": ["a", "b"]}, (None, None), TABLE, ["a", "c"], "--text-pair=b: .*; name one of them as"),
        ({}, ("textt", None), LINES, ["text"], "--text=textt: standard input has no such column, only text; did you"),
        ({}, (None, None), TABLE, ["a"], "no column that is known as text among a; name the text with --text COLUMN"),
        (
            {"glue_task": "mrpc"},
            (None, None),
            TABLE,
            ["a", "sentence2"],
            "no columns sentence1, sentence2, .*--text COL",
        ),
    ],
)
def test_columns_that_are_not_there_are_told(
    tmp_path: Path,
    data: dict[str, Any],
    asked: tuple[str | None, str | None],
    source: Source,
    columns: Any,
    sentence: str,
) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        to_predict(target(tmp_path, **data), *asked)(source, columns)
    assert len(caught.value.sentences) == 1
    assert "data." not in caught.value.sentences[0].replace("data.glue_task=mrpc", "")


def test_one_text_is_embedded() -> None:
    assert to_embed(None)(TABLE, ["id", "sentence"]) == ("sentence",)
    assert to_embed("id")(TABLE, ["id", "sentence"]) == ("id",)
    with pytest.raises(UserError, match=r"pairs of texts \(sentence1, sentence2\); name one with --text"):
        to_embed(None)(TABLE, ["sentence1", "sentence2"])


@pytest.mark.parametrize(
    ("data", "kinds", "names", "takes"),
    [
        ({}, 2, ["input_ids", "token_type_ids"], True),
        ({}, 1, ["input_ids", "token_type_ids"], False),  # as RoBERTa's table
        ({}, 2, ["input_ids"], False),
        ({"use_token_types": False}, 2, ["input_ids", "token_type_ids"], False),
        ({"use_token_types": None}, 2, ["input_ids", "token_type_ids"], True),
    ],
)
def test_segments_are_numbered_where_the_model_saw_them(
    tmp_path: Path, data: dict[str, Any], kinds: int, names: list[str], takes: bool
) -> None:
    from quatrain.tokenizers.trained import WordPiece

    tokenizer = WordPiece(vocab_size=60, min_frequency=1).fit(lambda: ["a river runs"])
    tokenizer.hf.model_input_names = names
    model = SimpleNamespace(
        config=SimpleNamespace(type_vocab_size=kinds), forward=lambda input_ids, token_type_ids: None
    )
    loaded: Any = SimpleNamespace(target=target(tmp_path, **data), tokenizer=tokenizer, model=model, longest=20)
    assert encoder_of(loaded, pairs=True, max_length=None).token_types is takes
