"""Rows of every format go in and come out with all their columns; bad ones are told with file, line and column."""

import csv
import gzip
import io
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.core.errors import UserError
from quatrain.inference.outputs import Destination, find_destination
from quatrain.inference.passing import pass_rows
from quatrain.inference.rows import BadRows, Row
from quatrain.inference.sources import Source, find_source
from quatrain.inference.target import Target
from quatrain.inference.text_columns import to_embed, to_predict

HOSTILE = [
    "plain",
    'a "quoted" word',
    "comma, comma",
    "two\nlines",
    "a\ttab",
    "carriage\rreturn\r\n",
    " spaces around ",
    "ünïcode ☃ 𝄞 e\u0301 \u2028 \u200f",
    "=1+1",
    "\\n \\t \\",
    "'",
    '"',
    '""",',
    "null",
    "\x1b[31mred\x9b",
]
TARGET = Target("TARGET", Path("TARGET"), "", "sequence_classification")


def ask(rows: Iterable[Row]) -> Iterator[tuple[Row, list[Any]]]:
    """What a model would add: the text's length as the label, and half of it."""
    return ((row, [f"long {len(row.texts[0])}", len(row.texts[0]) / 2]) for row in rows)


def passed(source: Source, output: Path | None, form: str, *, text: str | None = None, skip: bool = False) -> BadRows:
    bad = BadRows(skip=skip)
    choose = to_predict(TARGET, text, None)
    destination = Destination(output, form)
    pass_rows("", source, destination, choose=choose, bad=bad, added=["label", "probability"], ask=ask)
    return bad


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows in the format of the suffix, by other libraries than ours."""
    form = path.name.removesuffix(".gz").rpartition(".")[2]
    if form == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        return path
    if form == "jsonl":
        content = "".join(f"{json.dumps(row)}\n" for row in rows)
    elif form == "csv":
        stream = io.StringIO()
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\r\n", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
        content = stream.getvalue()
    elif form == "tsv":
        content = "".join("\t".join(map(str, line)) + "\n" for line in [list(rows[0]), *(row.values() for row in rows)])
    else:
        content = "".join(f"{row['text']}\n" for row in rows)
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    return path


def read(path: Path) -> list[dict[str, Any]]:
    """Read what was written, by other libraries than ours."""
    form = path.suffix
    if form == ".parquet":
        return pyarrow.parquet.read_table(path).to_pylist()
    content = path.read_bytes().decode()
    if form == ".jsonl":
        return [json.loads(line) for line in content.split("\n") if line]
    if form == ".csv":
        return list(csv.DictReader(io.StringIO(content, newline=""), strict=True))
    lines = [line.split("\t") for line in content.split("\n")[:-1]]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def held(form: str, text: str) -> bool:
    """Whether a format can hold a text."""
    if form == "txt":
        return not set(text) & set("\n\r")
    return form != "tsv" or not set(text) & set("\t\n\r")


@pytest.mark.parametrize(
    "given_form", ["csv", "tsv", "jsonl", "parquet", "txt", "csv.gz", "jsonl.gz", "tsv.gz", "txt.gz"]
)
@pytest.mark.parametrize("written_form", ["csv", "tsv", "jsonl", "parquet"])
def test_hostile_texts_come_out_as_they_went_in(tmp_path: Path, given_form: str, written_form: str) -> None:
    plain_form = given_form.removesuffix(".gz")
    texts = [text for text in HOSTILE if held(plain_form, text) and held(written_form, text)]
    rows = [{"text": text} if plain_form == "txt" else {"id": str(n), "text": text} for n, text in enumerate(texts)]
    source = find_source(str(written(tmp_path / f"in.{given_form}", rows)), None)
    output = tmp_path / f"out.{written_form}"
    passed(source, output, written_form)
    number = (lambda half: half) if written_form in ("jsonl", "parquet") else str
    assert read(output) == [
        {**row, "label": f"long {len(row['text'])}", "probability": number(len(row["text"]) / 2)} for row in rows
    ]


@settings(max_examples=50, deadline=None)
@given(
    texts=st.lists(
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")).filter(str.strip), min_size=1
    ),
    form=st.sampled_from(["csv", "jsonl", "parquet"]),
)
def test_any_text_survives_there_and_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], form: str
) -> None:
    """From JSON lines to a format, read again by our own reader, and to JSON lines."""
    folder = tmp_path_factory.mktemp("there")
    rows = [{"text": text, "other": text[::-1]} for text in texts]
    passed(find_source(str(written(folder / "in.jsonl", rows)), None), folder / f"middle.{form}", form)
    passed(find_source(str(folder / f"middle.{form}"), None), folder / "out.jsonl", "jsonl")
    assert [{"text": row["text"], "other": row["other"]} for row in read(folder / "out.jsonl")] == rows


def test_types_of_parquet_stay_and_those_of_json_become_columns(tmp_path: Path) -> None:
    table = pyarrow.table(
        {
            "text": ["a", "bc"],
            "number": pyarrow.array([1, None], pyarrow.int8()),
            "list": [[1.5], None],
            "day": pyarrow.array([1, 2], pyarrow.date32()),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    passed(find_source(str(tmp_path / "in.parquet"), None), tmp_path / "out.parquet", "parquet")
    found = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert found.select(table.column_names).equals(table)
    rows = [{"text": "a", "n": 1, "f": 1, "none": None, "deep": {"x": [1]}}, {"text": "b", "n": None, "f": 2.5}]
    passed(find_source(str(written(tmp_path / "in.jsonl", rows)), None), tmp_path / "two.parquet", "parquet")
    types = dict(
        zip(
            *(lambda schema: (schema.names, map(str, schema.types)))(
                pyarrow.parquet.read_schema(tmp_path / "two.parquet")
            ),
            strict=True,
        )
    )
    assert {name: types[name] for name in rows[0]} == {
        "text": "string",
        "n": "int64",
        "f": "double",
        "none": "string",
        "deep": "string",
    }
    assert read(tmp_path / "two.parquet")[0]["deep"] == '{"x": [1]}'


def test_json_lines_may_differ_and_keep_their_values(tmp_path: Path) -> None:
    rows = [{"text": "a", "deep": {"x": [1, None]}}, {"n": 2.5, "text": "b"}, {"text": "c", "big": 2**70}]
    passed(find_source(str(written(tmp_path / "in.jsonl", rows)), None), tmp_path / "out.jsonl", "jsonl")
    assert read(tmp_path / "out.jsonl") == [{**row, "label": "long 1", "probability": 0.5} for row in rows]


def test_a_column_of_the_same_name_stays(tmp_path: Path) -> None:
    rows = [{"text": "a", "label": "gold"}]
    passed(find_source(str(written(tmp_path / "in.csv", rows)), None), tmp_path / "out.csv", "csv")
    assert read(tmp_path / "out.csv") == [
        {"text": "a", "label": "gold", "predicted_label": "long 1", "probability": "0.5"}
    ]


BAD = [
    ("csv", b"text,n\na,1\nb\n", "in.csv, line 3 has 1 fields where the header has 2 (text, n)"),
    ("csv", b'text,n\na,1\n"b"c,2\n', "in.csv, line 3: ',' expected after '\"'"),
    ("csv", b"text,n\na,1\n  ,2\n", "in.csv, line 3: column text is empty"),
    ("csv", b'text,n\n"a\nb",1\ncaf\xe9,2\n', "in.csv, line 4: column text holds the byte 0xe9, which is not UTF-8"),
    ("csv", b"text,n\na,1\nb,caf\xe9\n", "in.csv, line 3: column n holds the byte 0xe9, which is not UTF-8"),
    ("tsv", b"text\tn\na\t1\nb\t2\t3\n", "in.tsv, line 3 has 3 fields where the header has 2 (text, n)"),
    ("jsonl", b'{"text": "a"}\n{"text": \n', "in.jsonl, line 2 is no JSON"),
    ("jsonl", b'{"text": "a"}\n["b"]\n', "in.jsonl, line 2 is a JSON list, not an object"),
    ("jsonl", b'{"text": "a"}\n{"txt": "b"}\n', "--text=text: in.jsonl, line 2 has no such column, only txt; did you"),
    ("jsonl", b'{"text": "a"}\n{"text": null}\n', "in.jsonl, line 2: column text is null, not a text"),
    ("jsonl", b'{"text": "a"}\n{"text": 7}\n', "in.jsonl, line 2: column text is int 7, not a text"),
    ("jsonl", b'{"text": "a"}\n{"text": "\\ud800"}\n', "in.jsonl, line 2: column text holds \\ud800, half of a pair"),
    ("jsonl", b'{"text": "a"}\n{"text": "b", "n": ["\\udfff"]}\n', "line 2: column n holds \\udfff, half of a pair"),
    (
        "jsonl",
        b'{"text": "a"}\n{"text": "b", "label": 1}\n',
        "in.jsonl, line 2 has a column that is to be added (label",
    ),
    ("txt", b"a\n\xff\xff\n", "in.txt, line 2: column text holds the byte 0xff, which is not UTF-8"),
]


@pytest.mark.parametrize(("form", "content", "sentence"), BAD)
def test_a_bad_row_is_told_with_its_place_or_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, content: bytes, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(f"in.{form}").write_bytes(content)
    source = find_source(f"in.{form}", None)
    with pytest.raises(UserError) as caught:
        passed(source, tmp_path / "out.jsonl", "jsonl")
    assert len(caught.value.sentences) == 1
    assert sentence in caught.value.sentences[0]
    assert not list(tmp_path.glob("*out*"))
    bad = passed(source, tmp_path / "out.jsonl", "jsonl", skip=True)
    assert bad.count == 1
    assert len(read(tmp_path / "out.jsonl")) == 1


def test_rows_behind_a_bad_one_are_read(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(b'text\na\nb,c\n"d"e\nf\xe9\n"g\nh"\n')
    bad = passed(find_source(str(tmp_path / "in.csv"), None), tmp_path / "out.jsonl", "jsonl", skip=True)
    assert [row["text"] for row in read(tmp_path / "out.jsonl")] == ["a", "g\nh"]
    told = io.StringIO()
    bad.tell(told)
    assert [line.partition("in.csv")[2][:8] for line in told.getvalue().splitlines()] == [
        ", line 3",
        ", line 4",
        ", line 5",
        "",
    ]
    assert told.getvalue().endswith("\n3 bad rows skipped\n")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ('"stray,0', "line 3: unexpected end of data (a quote joins the lines 3 to 1002); mend the quotes"),
        ('"stray,0\nsaid,"he, ""so""",2', "line 3: ',' expected after '\"' (a quote joins the lines 3 to 4)"),
        ('"stray,0\nb,1,"', "line 3 has 1 fields where the header has 2"),
    ],
)
def test_a_stray_quote_costs_its_line_and_not_those_behind_it(tmp_path: Path, wrong: str, sentence: str) -> None:
    lines = ["text,n", "first,0", *wrong.split("\n")]
    lines += [f"row,{number}" for number in range(1002 - len(lines))]
    (tmp_path / "in.csv").write_text("\n".join(lines) + "\n")
    source = find_source(str(tmp_path / "in.csv"), None)
    bad = passed(source, tmp_path / "out.jsonl", "jsonl", skip=True)
    found = read(tmp_path / "out.jsonl")
    assert len(found) + bad.count == 1001
    assert [row["n"] for row in found if row["text"] == "row"] == [str(n) for n in range(1002 - 3 - wrong.count("\n"))]
    told = io.StringIO()
    bad.tell(told)
    assert sentence in told.getvalue().splitlines()[0]
    with pytest.raises(UserError, match="line 3"):
        passed(source, tmp_path / "none.jsonl", "jsonl")


def test_many_quotes_that_do_not_close_take_no_quadratic_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line leaves a quote open that no other closes."""
    from quatrain.corpora import row_lines

    monkeypatch.setattr(row_lines, "MOST_AGAIN", 10)
    lines = [f'5",{n},"b\n' for n in range(2000)]
    read_again = 0

    class Counted(row_lines.LinesOfRow):
        def __next__(self) -> str:
            nonlocal read_again
            read_again += 1
            return super().__next__()

    monkeypatch.setattr("quatrain.corpora.records.LinesOfRow", Counted)
    (tmp_path / "in.csv").write_text("".join(["text,n,m\n", "good,1,2\n", *lines]))
    bad = passed(find_source(str(tmp_path / "in.csv"), None), tmp_path / "out.jsonl", "jsonl", skip=True)
    assert bad.count == 2000
    assert len(read(tmp_path / "out.jsonl")) == 1
    assert read_again < 15 * 2000


def test_of_many_bad_rows_ten_are_told(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n' + "{\n" * 1234)
    bad = passed(find_source(str(tmp_path / "in.jsonl"), None), tmp_path / "out.jsonl", "jsonl", skip=True)
    told = io.StringIO()
    bad.tell(told)
    assert told.getvalue().count("skipped: ") == 10
    assert told.getvalue().endswith("\n1,234 bad rows skipped; the first 10 are told\n")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("in.csv", b"", "in.csv is empty"),
        ("in.csv", b"text,n\n", "in.csv holds no row"),
        ("in.txt", b"\n \n", "in.txt holds no row"),
        ("in.csv", b"text,text\na,b\n", "line 1: the header names the column 'text' twice"),
        (
            "in.csv",
            b"words,n\na,1\n",
            "in.csv has no column that is known as text among words, n; name the text with --text",
        ),
        (
            "in.csv",
            b"sentence,text\na,b\n",
            "several columns that may be the text (sentence or text); name the text with --text",
        ),
        ("in.csv.gz", b"text\na\n", "in.csv.gz is a damaged gzip file"),
        ("in.parquet", b"PAR1 no", "in.parquet cannot be read as parquet"),
        ("in.txt", b"a\n\0b\n", "in.txt, line 2: a NUL byte"),
        ("in.txt", "a\n".encode("utf-16"), "in.txt is UTF-16; save it as UTF-8"),
        ("in.doc", b"a\n", "in.doc has an ending that is not read"),
    ],
)
def test_a_file_that_cannot_be_used_has_its_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, sentence: str
) -> None:
    """Skipping bad rows does not help here."""
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        passed(find_source(name, None), tmp_path / "out.csv", "csv", skip=True)
    assert len(caught.value.sentences) == 1
    assert sentence in caught.value.sentences[0]
    assert not list(tmp_path.glob("*out*"))


def test_files_that_are_not_there_or_there_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("text\na\n")
    for given_name, sentence in {
        "row.csv": "row.csv does not exist; did you mean rows.csv",
        "please help": r"please help does not exist; name a file; .* standard input \(-\), one a line: echo TEXT \|",
        ".": ". is a folder",
    }.items():
        with pytest.raises(UserError, match=sentence):
            find_source(given_name, None)
    for output, sentence in {
        "rows.csv": "--output=rows.csv exists already",
        "rows.xls": "must end in .csv or .jsonl",
        "no/rows.csv": "there is no folder no",
    }.items():
        with pytest.raises(UserError, match=sentence):
            find_destination(output, "csv", ("csv", "jsonl"))
    assert find_destination("new.JSONL", "csv", ("csv", "jsonl")) == Destination(Path("new.JSONL"), "jsonl")
    assert find_source("rows.csv", "tsv").form == "tsv"  # a format that is told goes before the suffix


@pytest.mark.parametrize(
    ("rows", "form", "sentence"),
    [
        ([{"text": "a"}, {"text": "b\tc"}], "tsv", "line 2 holds .*a tab or a line's end, which .tsv cannot hold"),
        ([{"text": "a"}, {"text": "b\rc"}], "tsv", "line 2 holds .*a tab or a line's end, which .tsv cannot hold"),
        ([{"text": "a", "x\ty": 1}], "tsv", "column .* has a tab or a line's end in its name"),
        ([{"text": "a"}, {"text": "b", "n": 1}], "csv", r"line 2 has columns \(n\) that the first row lacks"),
        ([{"text": "a", "n": 1}, {"text": "b", "n": "x"}], "parquet", "line 2: column n is 'x', and in .parquet"),
        ([{"text": "a", "label": 1, "predicted_label": 1}], "csv", "have columns label and predicted_label already"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(tmp_path: Path, rows: list[Any], form: str, sentence: str) -> None:
    source = find_source(str(written(tmp_path / "in.jsonl", rows)), None)
    with pytest.raises(UserError, match=sentence):
        passed(source, tmp_path / f"out.{form}", form)
    assert not list(tmp_path.glob("*out*"))


def test_a_value_of_another_type_after_the_first_group_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from quatrain.inference import array_writers

    monkeypatch.setattr(array_writers, "_ROWS", 2)
    rows: list[dict[str, Any]] = [{"text": "a", "n": 1}] * 3 + [{"text": "a", "n": 1.5}]
    with pytest.raises(UserError, match=r"line 4: column n is 1.5, and in .parquet a column has one type \(int64\)"):
        passed(find_source(str(written(tmp_path / "in.jsonl", rows)), None), tmp_path / "out.parquet", "parquet")


@pytest.mark.parametrize("shape", ["mean", "none"])
def test_vectors_are_written_as_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    from quatrain.inference import array_writers

    monkeypatch.setattr(array_writers, "_ROWS", 7)
    draw = np.random.default_rng(0)
    vectors = [draw.normal(size=(4,) if shape == "mean" else (n % 3 + 1, 4)).astype(np.float32) for n in range(23)]
    source = find_source(str(written(tmp_path / "in.txt", [{"text": f"t{n}"} for n in range(23)])), None)

    def write(name: str) -> Path:
        path = tmp_path / name
        pass_rows(
            "",
            source,
            Destination(path, path.suffix[1:]),
            choose=to_embed(None),
            bad=BadRows(skip=False),
            added=["embedding"],
            ask=lambda rows: ((row, [vector]) for row, vector in zip(rows, vectors, strict=True)),
        )
        return path

    table = pyarrow.parquet.read_table(write("out.parquet"))
    inner = pyarrow.list_(pyarrow.field("element", pyarrow.float32()), 4)
    kind = table.schema.field("embedding").type
    assert str(kind if shape == "mean" else kind.value_type) == str(inner)
    for row, line, vector in zip(table.to_pylist(), read(write("out.jsonl")), vectors, strict=True):
        np.testing.assert_array_equal(np.asarray(row["embedding"], np.float32), vector)
        np.testing.assert_array_equal(np.asarray(line["embedding"], np.float32), vector)
    if shape == "mean":
        found = np.load(write("out.npy"), allow_pickle=False)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, vectors)


def test_wide_rows_are_written_in_smaller_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from quatrain.inference import array_writers

    monkeypatch.setattr(array_writers, "_CHARACTERS", 1000)
    rows = [{"text": "a", "more": {"deep": ["x" * 300]}}] * 10
    passed(find_source(str(written(tmp_path / "in.jsonl", rows)), None), tmp_path / "out.parquet", "parquet")
    file = pyarrow.parquet.ParquetFile(tmp_path / "out.parquet")
    assert [file.metadata.row_group(place).num_rows for place in range(file.num_row_groups)] == [4, 4, 2]


def test_standard_input_is_read_as_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def given_bytes(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    given_bytes("\ufeffein Wort\r\n\nzwei\n".encode())
    passed(find_source("-", None), tmp_path / "a.jsonl", "jsonl")
    assert [row["text"] for row in read(tmp_path / "a.jsonl")] == ["ein Wort", "zwei"]
    given_bytes(b'n\ttext\n1\ta "quote\n')
    passed(find_source("-", "tsv"), tmp_path / "b.jsonl", "jsonl")
    assert read(tmp_path / "b.jsonl")[0]["text"] == 'a "quote'
    given_bytes(b"")
    with pytest.raises(UserError, match="standard input holds no row"):
        passed(find_source("-", None), tmp_path / "c.jsonl", "jsonl")


def test_answers_are_handed_on_before_more_rows_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(pipe, 1 << 16)))  # type: ignore[type-var]
    source = find_source(str(written(tmp_path / "in.txt", [{"text": "a"}] * 5)), None)
    out = []

    def pairs(rows: Iterable[Row]) -> Iterator[tuple[Row, list[Any]]]:
        """What a model says of pools of two rows."""
        held = []
        for row in rows:
            out.append(pipe.getvalue().count(b"\n"))
            held.append((row, ["label", 1.0]))
            if len(held) == 2:
                yield from held
                held = []
        yield from held

    choose = to_predict(TARGET, None, None)
    bad = BadRows(skip=False)
    pass_rows("", source, Destination(None, "csv"), choose=choose, bad=bad, added=["label", "probability"], ask=pairs)
    assert out == [0, 0, 3, 3, 5]
    assert pipe.getvalue().count(b"\n") == 6


@pytest.mark.parametrize(("to_a_file", "shown"), [(True, True), (False, False)])
def test_how_far_it_is_does_not_stand_among_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to_a_file: bool, shown: bool
) -> None:
    from quatrain.core import progress_line

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(progress_line, "PATIENCE", 0)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    source = find_source(str(written(tmp_path / "in.txt", [{"text": "a"}] * 5)), None)
    passed(source, tmp_path / "out.csv" if to_a_file else None, "csv")
    assert ("\r" in terminal.getvalue()) == shown


def test_a_terminal_is_not_commanded_by_what_rows_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    source = find_source(str(written(tmp_path / "in.jsonl", [{"text": "\x1b[31mred\x9b\u202e"}])), None)
    passed(source, None, "csv")
    assert terminal.getvalue().splitlines()[1].startswith("\\x1b[31mred\\x9b\\u202e,")
