"""Each mistake in a source of pairs gets a sentence that names the key, or the file and line."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora.pairs import check_pair_source, load_pairs, pairs_from_memory

GOOD = "".join(json.dumps({"sentence1": f"a{n}", "sentence2": f"b{n}", "label": n % 2}) + "\n" for n in range(20))


def line(**columns: Any) -> str:
    return json.dumps({"sentence1": "a", "sentence2": "b", "label": 1, **columns}) + "\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.jsonl", b"", "holds no row"),
        ("x.csv", b"sentence1,sentence2,label\n", "holds no row"),
        ("x.jsonl", GOOD + "{oops\n", r"x\.jsonl, line 21 is no JSON"),
        ("x.jsonl", GOOD + "[1]\n", "line 21 is a JSON list, not an object"),
        ("x.jsonl", GOOD + line(sentence2="  "), "line 21: the text in column sentence2 is empty"),
        ("x.csv", "sentence1,sentence2,label\na, ,1\nb,c,\n", "line 3: the label in column label is empty"),
        (
            "x.jsonl",
            GOOD + line(label=" "),
            "fill it, or leave all such rows out with data.incomplete_rows=drop",
        ),
        ("x.jsonl", GOOD + line(sentence1=3), "line 21: column sentence1 holds a value of type int, not text"),
        ("x.jsonl", GOOD + line(sentence1=None), "line 21: column sentence1 holds nothing, not text"),
        ("x.jsonl", GOOD + '{"sentence1": "a", "label": 1}\n', "line 21: no column sentence2"),
        ("x.jsonl", GOOD + '{"sentence1": "a", "sentence2": "b"}\n', "line 21: no column label"),
        ("x.jsonl", GOOD + line(sentence1="\ud800"), "line 21: column sentence1 holds half of a surrogate pair"),
        ("x.jsonl", GOOD + line(label=4), "line 21: label 4 is unknown"),
        ("x.jsonl", GOOD.encode() + b'{"sentence1": "\xff"}\n', "line 21"),
        ("x.jsonl", GOOD.encode() + b"\0\n", "line 21: a NUL byte"),
        ("x.jsonl.gz", gzip.compress(GOOD.encode())[:-20], r"x\.jsonl\.gz"),
        ("x.jsonl.gz", b"no gzip at all", r"x\.jsonl\.gz"),
        ("x.parquet", b"no parquet at all", "cannot be read as parquet"),
        ("x.csv", "sentence1,sentence2,label\na,b\n", "line 2 has 2 fields where the header has 3"),
        ("x.csv", 'sentence1,sentence2,label\n"a,b,1\n', "line 2: .*mend the quotes"),
        ("x.csv", "sentence1,label,label\n", "line 1: the header names the column 'label' twice"),
        (
            "x.tsv",
            "sentence1\tsentence2\tlabel\na\tb\t1\t\n",
            "line 2 has 4 fields where the header has 3 .*; mend its tabs",
        ),
        ("x.docx", "some", r"has no known suffix; pairs are read from \.jsonl"),
        ("x.jsonl", GOOD[: GOOD.index("\n") + 1], "too few to deal any"),
        (
            "x.jsonl",
            line(gold=1).replace("label", "lable"),
            r"data\.label_column: .*no column label \(did you mean lable",
        ),
        ("x.jsonl", line().replace("sentence1", "sentense1"), r"no columns sentence1, .*did you mean sentense1"),
        ("x.jsonl", '{"sentence": "one text", "label": 1}\n', r"data\.glue_task=mrpc reads, but sentence, label"),
    ],
)
def test_a_file_with_a_mistake(tmp_path: Path, name: str, content: str | bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UserError, match=words) as caught:
        load_pairs(str(path))
    assert all(sentence.endswith(".") and str(path) in sentence for sentence in caught.value.sentences)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_own_columns_get_the_nearest_spelling(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("headline,body,kind\na,b,c\n")
    wrong = check_pair_source(str(path), glue_task=None, text_columns=["headlin", "bdy"], label_column="kind")
    assert len(wrong) == 2
    assert "data.text_columns" in wrong[0]
    assert "no column headlin (did you mean headline?) but headline, body, kind" in wrong[0]
    assert "did you mean body?" in wrong[1]
    unknown = check_pair_source(str(path), glue_task=None, label_column="kind")
    assert "has no column that is known as text among headline, body, kind" in unknown[0]


def test_several_customary_columns_are_not_guessed_between() -> None:
    rows = [{"text": "a", "text_a": "b", "text_b": "c", "label": 1}]
    with pytest.raises(UserError, match=r"several columns that may be the text \(text_a/text_b or text\)"):
        pairs_from_memory(rows)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"validation_share": 1.0}, "data.validation_share=1.0 is no share"),
        ({"test_share": -0.1}, "data.test_share=-0.1 is no share"),
        ({"validation_share": 0.5, "test_share": 0.5}, "leave nothing to train on"),
        ({"text_columns": []}, "data.text_columns=[] must name one column, or two"),
        ({"text_columns": ["a", "a"]}, "must name one column, or two different ones"),
        ({"text_columns": ["a", "label"]}, "holds data.label_column=label"),
        ({"glue_task": "mprc"}, "data.glue_task=mprc is no task of GLUE (did you mean mrpc?)"),
        ({"verse_size": 0}, "data.verse_size=0 must be at least 1"),
    ],
)
def test_arguments_are_checked_before_the_source(choices: dict[str, Any], words: str) -> None:
    sentences = check_pair_source("verse", **choices)
    assert len(sentences) == 1
    assert words in sentences[0]
    with pytest.raises(UserError):
        load_pairs("verse", **choices)


def test_all_mistakes_come_at_once() -> None:
    assert len(check_pair_source("verse", glue_task="x", validation_share=2, text_columns=["a", "a"])) == 3


def test_mistakes_in_rows_come_together_and_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(GOOD + line(sentence1="") * 8)
    with pytest.raises(UserError) as caught:
        load_pairs(str(path))
    assert ["line 21" in caught.value.sentences[0], len(caught.value.sentences)] == [True, 6]
    assert caught.value.sentences[-1] == "3 more rows have such mistakes."


def test_missing_sources_and_wrong_hub_names(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(GOOD)
    [missing] = check_pair_source(str(tmp_path / "trian.jsonl"))
    assert "is neither a file nor a folder (did you mean train.jsonl?)" in missing
    [name] = check_pair_source("hub:a/b/c")
    assert name.startswith("data.source=hub:a/b/c names no dataset of the hub; write hub:OWNER/NAME")
    assert check_pair_source("hub:nyu-mll/glue") == []


def test_a_folder_needs_one_file_for_each_split(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(GOOD)
    (tmp_path / "vaild.jsonl").write_text(GOOD)
    [missing] = check_pair_source(str(tmp_path))
    assert "has no file for validation but train.jsonl, vaild.jsonl; add validation.jsonl" in missing
    (tmp_path / "dev.jsonl").write_text("")
    [empty] = check_pair_source(str(tmp_path))
    assert "dev.jsonl holds no row for validation" in empty
    (tmp_path / "valid.csv").write_text("sentence1,sentence2,label\na,b,1\n")
    [twice] = check_pair_source(str(tmp_path))
    assert "has two files for validation (dev.jsonl, valid.csv); keep one of them" in twice


def test_splits_must_hold_as_many_texts(tmp_path: Path) -> None:
    pair, single = {"text_a": "a", "text_b": "b", "label": 1}, {"text": "a", "label": 1}
    with pytest.raises(UserError, match="1 texts in a row of validation where train has 2"):
        pairs_from_memory({"train": [pair], "validation": [single]})


def test_rows_from_memory_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="rows, row 1: a tuple; give mappings"):
        pairs_from_memory([("a", "b", 1)])  # type: ignore[list-item]
    with pytest.raises(UserError, match="rows has no split validation"):
        pairs_from_memory({"train": []})
    with pytest.raises(UserError, match="rows has a split trian"):
        pairs_from_memory({"trian": []})
    with pytest.raises(UserError, match="rows holds no row for train"):
        pairs_from_memory([])
