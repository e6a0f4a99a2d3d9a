"""Pairs come from shards, globs and addresses too, and whatever cannot be looked up is one sentence."""

import gzip
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora.pairs import check_pair_source, load_pairs

ROWS = [{"sentence1": f"one {n}", "sentence2": f"two {n}", "label": n % 2, "idx": n} for n in range(24)]
HASH = "0" * 64


def write(path: Path, rows=ROWS) -> Path:
    plain = path.name.removesuffix(".gz")
    if plain.endswith(".parquet"):
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), path)
    elif plain.endswith(".jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        comma = "\t" if plain.endswith(".tsv") else ","
        path.write_text("".join(comma.join(map(str, row)) + "\n" for row in [rows[0], *(r.values() for r in rows)]))
    if path.name.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def numbers(corpus):
    return {split: columns["idx"] for split, columns in corpus.columns.items()}


def test_the_published_layout_of_shards_is_read(tmp_path):
    write(tmp_path / "train-00000-of-00002.parquet", ROWS[:8])
    write(tmp_path / "train-00001-of-00002.parquet", ROWS[8:14])
    write(tmp_path / "validation-00000-of-00001.parquet", ROWS[14:18])
    write(tmp_path / "test-00000-of-00001.parquet", ROWS[18:])
    assert check_pair_source(str(tmp_path)) == []
    assert numbers(load_pairs(str(tmp_path))) == {
        "train": list(range(14)),
        "validation": [14, 15, 16, 17],
        "test": list(range(18, 24)),
    }


def test_shards_of_the_halves_of_mnli(tmp_path):
    rows = [{"premise": f"p{n}", "hypothesis": f"h{n}", "label": n % 3} for n in range(6)]
    for name in ("train", "validation_matched", "validation_mismatched"):
        write(tmp_path / f"{name}-00000-of-00001.parquet", rows)
    assert list(load_pairs(str(tmp_path), glue_task="mnli").columns) == [
        "train",
        "validation_matched",
        "validation_mismatched",
    ]


def test_a_mistake_in_a_shard_is_told_with_its_own_file_and_line(tmp_path):
    write(tmp_path / "train-0.jsonl", ROWS[:4])
    write(tmp_path / "train-1.jsonl", [*ROWS[4:7], {**ROWS[7], "sentence1": " "}])
    write(tmp_path / "dev.jsonl", ROWS[8:12])
    with pytest.raises(UserError, match=r"train-1\.jsonl, line 4: the text in column sentence1 is empty"):
        load_pairs(str(tmp_path))
    write(tmp_path / "train.jsonl", ROWS)
    [twice] = check_pair_source(str(tmp_path))
    assert "has two files for train (train-0.jsonl, train.jsonl); keep one of them" in twice


def test_every_shard_has_the_columns(tmp_path):
    write(tmp_path / "train-0.jsonl", ROWS[:4])
    write(tmp_path / "train-1.jsonl", [{"sentence1": "a", "label": 1}])
    write(tmp_path / "dev.jsonl", ROWS[8:12])
    [sentence] = check_pair_source(str(tmp_path))
    assert "train-1.jsonl" in sentence


def test_a_glob_is_dealt_or_brings_its_splits(tmp_path):
    write(tmp_path / "a.jsonl", ROWS[:12])
    write(tmp_path / "b.csv", ROWS[12:])
    assert check_pair_source(str(tmp_path / "[ab].*")) == []
    found = numbers(load_pairs(str(tmp_path / "[ab].*"), validation_share=0.25, test_share=0.25))
    assert {split: len(held) for split, held in found.items()} == {"train": 12, "validation": 6, "test": 6}
    assert sorted(chain(*found.values())) == list(range(24))
    write(tmp_path / "train.jsonl", ROWS[:12])
    write(tmp_path / "dev.jsonl", ROWS[12:])
    assert numbers(load_pairs(str(tmp_path / "*[nv].jsonl"))) == {
        "train": list(range(12)),
        "validation": [*range(12, 24)],
    }


def test_wrong_globs_have_their_sentences(tmp_path):
    [none] = check_pair_source(str(tmp_path / "*.csv"))
    assert f"data.source={tmp_path}/*.csv matches no file" in none
    write(tmp_path / "train.jsonl")
    write(tmp_path / "other.jsonl")
    [mixed] = check_pair_source(str(tmp_path / "*.jsonl"))
    assert "matches files of a split (train.jsonl) beside others (other.jsonl); narrow the pattern" in mixed
    (tmp_path / "x.docx").write_text("x")
    [unknown] = check_pair_source(str(tmp_path / "[ox]*"))
    assert "x.docx has no known suffix; pairs are read from" in unknown


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("QUATRAIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    held = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.content = write(tmp_path / "rows.csv.gz").read_bytes()
    thread = threading.Thread(target=held.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield held
    held.shutdown()
    thread.join()
    held.server_close()


def test_an_address_is_fetched_verified_and_named_in_sentences(server):
    url = f"http://127.0.0.1:{server.server_port}/some/rows.csv.gz?version=1"
    right = hashlib.sha256(server.content).hexdigest()
    assert check_pair_source(url, sha256=right) == []
    corpus = load_pairs(url, sha256=right)
    assert sorted(chain(*numbers(corpus).values())) == list(range(24))
    assert corpus.name == "rows"
    with pytest.raises(UserError, match=f"has sha256 {right}, where {HASH} was expected"):
        load_pairs(url, sha256=HASH)
    with pytest.raises(UserError, match=r"http://127.*rows.csv.gz\?version=1.*no column headline"):
        load_pairs(url, sha256=right, text_columns=["headline"], glue_task=None)


@pytest.mark.parametrize(
    ("source", "sha256", "words"),
    [
        ("https://example.org/a.csv", None, "needs data.sha256=HASH"),
        ("https://example.org/a.txt", HASH, "has an ending that is not read; allowed are .jsonl"),
        ("ftp://example.org/a.csv", HASH, "must begin with http"),
        ("https://example.org/a.csv", "abc", "data.sha256=abc is no sha256"),
        ("verse", HASH, "data.sha256 belongs to a URL or a file, and data.source=verse is neither"),
        ("hub:nyu-mll/glue", HASH, "data.sha256 belongs to a URL or a file"),
        ("x" * 300, None, "cannot be looked up .File name too long.; check the path"),
        ("~nobody-of-that-name/a.csv", None, "cannot be looked up"),
        ("~nobody-of-that-name/*.csv", None, "matches no file|cannot be looked up"),
        ("a\0b.csv", None, "cannot be looked up|neither a file"),
        ("", None, "data.source is empty"),
    ],
)
def test_each_wrong_place_has_its_sentence(source, sha256, words):
    [sentence] = check_pair_source(source, sha256=sha256)
    assert re.search(words, sentence)
    with pytest.raises(UserError, match=words):
        load_pairs(source, sha256=sha256)


def test_a_local_file_is_checked_against_its_hash(tmp_path):
    path = write(tmp_path / "rows.jsonl")
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    assert load_pairs(str(path), sha256=right.upper()).name == "rows"
    with pytest.raises(UserError, match=f"has sha256 {right}, where data.sha256={HASH} was given"):
        load_pairs(str(path), sha256=HASH)
    write(tmp_path / "train.jsonl")
    write(tmp_path / "dev.jsonl")
    with pytest.raises(UserError, match=r"data\.sha256 is the hash of one file, but data.source names 2"):
        load_pairs(str(tmp_path / "[td]*.jsonl"), sha256=right)


def test_parquet_that_is_damaged_in_the_middle_is_told(tmp_path):
    path = write(
        tmp_path / "rows.parquet", [{**row, "sentence1": f"{row['sentence1']} {'x' * n}"} for n, row in enumerate(ROWS)]
    )
    raw = bytearray(path.read_bytes())
    raw[4:200] = bytes(255 - value for value in raw[4:200])
    path.write_bytes(raw)
    with pytest.raises(UserError, match=r"data\.source=.*rows\.parquet cannot be read as parquet"):
        load_pairs(str(path))


def test_a_field_longer_than_the_csv_module_allows_by_itself_is_read(tmp_path):
    import csv

    before = csv.field_size_limit(128 << 10)
    try:
        long = [{**row, "sentence1": row["sentence1"] + " x" * 100_000} for row in ROWS]
        corpus = load_pairs(str(write(tmp_path / "rows.csv", long)))
    finally:
        csv.field_size_limit(before)
    assert all(len(text) > 200_000 for text in corpus.columns["train"]["text_a"])
