"""Every faulty row of a record file is told with its file and line."""

import gzip

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora.records import records
from quatrain.corpora.text import load_text


def read(path, content, column="text"):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(records(path, column))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.jsonl", '{"text": "a"}\n\n{"text": \n', r"a.jsonl, line 3 is no JSON"),
        ("a.jsonl", '{"text": "a"}\n["b"]\n', r"a.jsonl, line 2 is a JSON list, not an object"),
        (
            "a.jsonl",
            '{"txt": "a"}\n',
            r"data.text_column=text: .*line 1 has no such column, only txt; did you mean .*=txt",
        ),
        ("a.jsonl", '{"text": 7}\n', r"a.jsonl, line 1: text is int 7, not a text"),
        ("a.jsonl", '{"text": null}\n', r"a.jsonl, line 1: text is null, not a text"),
        ("a.jsonl", '{"text": "a\\ud800b"}\n', r"a.jsonl, line 1: text holds .ud800, half of a pair"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "\xff"}\n', r"a.jsonl, line 2 \(byte 24\): byte 0xff is not UTF-8"),
        ("a.csv", "id,Text\n1,a\n", r"data.text_column=text: .*a.csv has no such column, only id, Text; did you mean"),
        ("a.csv", "id,text\n1,a\n2,b,c\n", r"a.csv, line 3 has 3 fields where the header has 2"),
        ("a.csv", 'id,text\n1,"a\n2,b\n', r"a.csv, line 2: unexpected end of data .*lines 2 to 3.; mend the quotes"),
        ("a.tsv", "id\ttext\n1\n", r"a.tsv, line 2 has 1 fields where the header has 2"),
        ("a.csv", "\n", r"a.csv has no such column, only none"),
    ],
)
def test_each_faulty_row_has_its_sentence(tmp_path, name, content, sentence):
    with pytest.raises(UserError, match=sentence):
        read(tmp_path / name, content)


def test_parquet_faults_have_their_sentences(tmp_path):
    import pyarrow
    import pyarrow.parquet

    file = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a", None], "number": [1, 2]}), file)
    with pytest.raises(UserError, match=r"a.parquet, row 2: text is null"):
        list(records(file, "text"))
    with pytest.raises(UserError, match=r"a.parquet, row 1: number is int 1"):
        list(records(file, "number"))
    with pytest.raises(UserError, match=r"data.text_column=numbers: .*did you mean data.text_column=number\?"):
        list(records(file, "numbers"))
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(UserError, match=r"a.parquet cannot be read as parquet"):
        list(records(file, "text"))


def test_lines_are_the_files_also_behind_fields_of_several_lines(tmp_path):
    assert read(tmp_path / "a.csv", 'text\n"a\nb"\nc\n\nd\n') == [(2, "a\nb"), (4, "c"), (6, "d")]
    assert read(tmp_path / "a.jsonl", '\n{"text": "a"}\n\n{"text": "b"}') == [(2, "a"), (4, "b")]


def test_a_byte_order_mark_is_no_part_of_the_first_column_and_whole_pairs_are_letters(tmp_path):
    assert read(tmp_path / "a.csv", "\ufefftext,id\na,1\n") == [(2, "a")]
    assert read(tmp_path / "a.jsonl", '\ufeff{"text": "\\ud83d\\ude00"}\n') == [(1, "\U0001f600")]


def test_a_field_longer_than_the_csv_module_allows_by_itself_is_read(tmp_path):
    assert read(tmp_path / "a.csv", "text\n" + "x" * 200_000 + "\n") == [(2, "x" * 200_000)]


@pytest.mark.parametrize(
    ("tail", "sentence"), [(b"\xc3", r"line 20001 \(byte 240000\)"), (b"x\xfex", r"line 20001 \(byte 240001\)")]
)
@pytest.mark.parametrize("suffix", ["txt", "txt.gz"])
def test_a_wrong_byte_far_inside_of_a_text_is_placed(tmp_path, tail, sentence, suffix):
    raw = b"eleven char\n" * 20_000 + tail
    file = tmp_path / f"a.{suffix}"
    file.write_bytes(gzip.compress(raw) if suffix.endswith("gz") else raw)
    with pytest.raises(UserError, match=sentence):
        load_text(str(file), validation_share=0).documents("train")
