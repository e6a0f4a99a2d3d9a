"""Pairs from every kind of source: the same rows in every format, GLUE's order and numbers from the original files."""

import csv
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora import pair_sources
from quatrain.corpora.cleaning import Cleaning
from quatrain.corpora.pairs import PairCorpus, check_pair_source, load_pairs, pairs_from_memory

ROWS = [
    {"sentence1": f'He said " {n} is odd , not even " .', "sentence2": f"Odd is {n}, é.", "label": n % 2, "idx": 7 * n}
    for n in range(12)
]
MSR_TRAIN = [
    ("1", "11", "12", 'He called " the witness .', "The witness was called ."),
    ("0", "21", "22", "Rain fell .", '"Snow" fell .'),
    ("1", "31", "32", "Birds sing early .", "Early sing the birds ."),
    ("0", "41", "42", 'One quote " only .', "None ."),
    ("1", "51", "52", "All is well .", "Well is all ."),
]
MSR_TEST = [("1", "61", "62", "Ships sail .", "Ships are sailing ."), ("0", "71", "72", "Cats .", "Dogs .")]


def write_msr(folder: Path, validation_ids: Sequence[str] = ("21\t22", "51\t52")) -> Path:
    header = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"
    for name, rows in (("train", MSR_TRAIN), ("test", MSR_TEST)):
        lines = [header, *("\t".join(row) for row in rows)]
        (folder / f"msr_paraphrase_{name}.txt").write_bytes(("\ufeff" + "\r\n".join(lines) + "\r\n").encode())
    if validation_ids:
        (folder / "dev_ids.tsv").write_text("\n".join(validation_ids) + "\n")
    return folder


def write_jsonl(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("\ufeff" + "".join(json.dumps(row) + "\n" for row in rows) + "\n")


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_tsv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    lines = ["\t".join(rows[0]), *("\t".join(map(str, row.values())) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_parquet(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(list(rows)), path)


def write_gz(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    plain = path.with_suffix("")
    WRITERS[plain.suffix](plain, rows)
    path.write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()


WRITERS: dict[str, Callable[[Path, Sequence[dict[str, Any]]], None]] = {
    ".jsonl": write_jsonl,
    ".csv": write_csv,
    ".tsv": write_tsv,
    ".parquet": write_parquet,
    ".jsonl.gz": write_gz,
    ".csv.gz": write_gz,
    ".tsv.gz": write_gz,
    ".parquet.gz": write_gz,
}


def as_rows(corpus: PairCorpus, split: str) -> list[dict[str, Any]]:
    columns = corpus.columns[split]
    names = {"text_a": "sentence1", "text_b": "sentence2", "label": "label", "idx": "idx"}
    return [dict(zip(names.values(), row, strict=True)) for row in zip(*(columns[name] for name in names), strict=True)]


def test_original_msr_files_are_split_as_glue_splits_them(tmp_path: Path) -> None:
    write_msr(tmp_path)
    assert check_pair_source(str(tmp_path)) == []
    corpus = load_pairs(str(tmp_path))
    assert {split: columns["idx"] for split, columns in corpus.columns.items()} == {
        "train": [0, 2, 3],
        "validation": [1, 4],
        "test": [0, 1],
    }
    assert as_rows(corpus, "train")[2] == {
        "sentence1": 'One quote " only .',
        "sentence2": "None .",
        "label": 0,
        "idx": 3,
    }
    assert corpus.columns["validation"]["text_b"] == ['"Snow" fell .', "Well is all ."]
    assert corpus.columns["test"]["label"] == [1, 0]
    assert corpus.label_names == ("not_equivalent", "equivalent")
    assert corpus.report.to_dict() == {}


def test_msr_files_without_ids_of_validation_rows_have_it_dealt(tmp_path: Path) -> None:
    corpus = load_pairs(str(write_msr(tmp_path, validation_ids=())), validation_share=0.2)
    assert [len(columns["idx"]) for columns in corpus.columns.values()] == [4, 1, 2]


def test_validation_ids_of_another_corpus_are_refused(tmp_path: Path) -> None:
    write_msr(tmp_path, validation_ids=("21\t22", "22\t21"))
    with pytest.raises(UserError, match=r"dev_ids\.tsv, line 2: .* is no pair of ids of msr_paraphrase_train\.txt"):
        load_pairs(str(tmp_path))


@pytest.mark.parametrize(
    ("line", "words"), [(1, "the header is not Quality"), (3, "line 3: 4 tab-separated fields, not 5")]
)
def test_a_damaged_msr_file_is_refused(tmp_path: Path, line: int, words: str) -> None:
    path = write_msr(tmp_path) / "msr_paraphrase_train.txt"
    lines = path.read_text().split("\n")
    lines[line - 1] = lines[line - 1].replace("\t", " ", 1)
    path.write_text("\n".join(lines))
    with pytest.raises(UserError, match=words):
        load_pairs(str(tmp_path))


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_gives_the_same_rows(tmp_path: Path, suffix: str) -> None:
    names = {"train": ROWS[:6], "dev": ROWS[6:9], "test": ROWS[9:]}
    for name, rows in names.items():
        WRITERS[suffix](tmp_path / f"{name}{suffix}", rows)
    corpus = load_pairs(str(tmp_path))
    assert as_rows(corpus, "train") == ROWS[:6]
    assert as_rows(corpus, "validation") == ROWS[6:9]
    assert as_rows(corpus, "test") == ROWS[9:]
    memory = pairs_from_memory({"train": ROWS[:6], "validation": ROWS[6:9], "test": ROWS[9:]}, glue_task="mrpc")
    assert corpus.fingerprint == memory.fingerprint


def test_splits_are_data_sets_with_stable_fingerprints() -> None:
    first, second = (pairs_from_memory(ROWS, glue_task="mrpc").splits for _ in range(2))
    assert first["train"].column_names == ["text_a", "text_b", "label", "idx"]
    assert first["train"][0] == {"text_a": ROWS[0]["sentence1"], "text_b": ROWS[0]["sentence2"], "label": 0, "idx": 0}
    assert str(first["train"].features["label"].dtype) == "int64"
    assert {split: data._fingerprint for split, data in first.items()} == {
        split: data._fingerprint for split, data in second.items()
    }
    assert len({data._fingerprint for data in first.values()}) == 3


def test_the_fingerprint_hangs_on_content_alone_and_on_all_of_it(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "some.jsonl", ROWS)
    write_csv(tmp_path / "other.csv", ROWS)
    first = load_pairs(str(tmp_path / "some.jsonl")).fingerprint
    # Written down, so that a change between processes, versions or machines shows.
    assert first == "df6c40fc687b86457a527797394b949a19b88a8f49e8c3e1dae92781f7baee07"
    assert load_pairs(str(tmp_path / "other.csv")).fingerprint == first
    assert load_pairs(str(tmp_path / "some.jsonl"), split_seed=1).fingerprint != first
    assert load_pairs(str(tmp_path / "some.jsonl"), label_names=["no", "yes"]).fingerprint != first
    for column, value in (("sentence1", "Else."), ("label", 1), ("idx", 1)):
        write_jsonl(tmp_path / "some.jsonl", [{**ROWS[0], column: value}, *ROWS[1:]])
        assert load_pairs(str(tmp_path / "some.jsonl")).fingerprint != first


def test_quotes_and_line_ends_in_csv_fields(tmp_path: Path) -> None:
    path = tmp_path / "quoted.csv"
    rows = "".join(f'"a ""quoted"" text\r\nof two lines, {n}",b{n},{n % 2}\r\n' for n in range(4))
    path.write_bytes(f"text_a,text_b,label\r\n{rows}".encode())
    corpus = load_pairs(str(path), validation_share=0.25, test_share=0)
    assert 'a "quoted" text\nof two lines, ' in corpus.columns["train"]["text_a"][0]
    counted = corpus.report.to_dict()["newlines"]
    assert counted["count"] == 4
    assert [example["line"] for example in counted["examples"]] == [2, 4, 6, 8]  # where each row begins


def test_texts_are_cleaned_and_counted() -> None:
    rows = [
        {"text": "cafe\u0301\ufeff", "label": "a"},
        {"text": "bell\x07 rings", "label": "b"},
        {"text": "plain", "label": "a"},
    ]
    splits = {"train": rows, "validation": rows[:1]}
    corpus = pairs_from_memory(splits)
    assert corpus.columns["train"]["text_a"] == ["café", "bell rings", "plain"]
    counts = {rule: about["count"] for rule, about in corpus.report.to_dict().items()}
    assert counts == {"unicode_nfc": 2, "byte_order_mark": 2, "control_characters": 1}
    untouched = Cleaning(newlines=False, unicode_nfc=False, byte_order_mark=False, control_characters=False)
    kept = pairs_from_memory(splits, cleaning=untouched)
    assert kept.columns["train"]["text_a"] == [row["text"] for row in rows]


def test_duplicate_rows_stay_unless_the_switch_is_on() -> None:
    rows = [{"text": "same", "label": 1}, {"text": "same", "label": 1}, {"text": "same", "label": 0}]
    splits = {"train": rows, "validation": rows[:1]}
    assert pairs_from_memory(splits).columns["train"]["idx"] == [0, 1, 2]
    dropped = pairs_from_memory(splits, cleaning=Cleaning(duplicate_lines=True))
    assert dropped.columns["train"]["idx"] == [0, 2]
    assert dropped.columns["validation"]["idx"] == [0]
    assert dropped.report.to_dict()["duplicate_lines"]["count"] == 1


@pytest.mark.parametrize(
    ("columns", "texts"),
    [
        (("text_a", "text_b"), 2),
        (("question", "sentence"), 2),
        (("premise", "hypothesis"), 2),
        (("sentence",), 1),
        (("text",), 1),
    ],
)
def test_customary_columns_are_found(columns: tuple[str, ...], texts: int) -> None:
    rows = [{"other": 3, **{name: f"{name} {n}" for name in columns}, "label": n % 2} for n in range(10)]
    corpus = pairs_from_memory(rows)
    assert corpus.text_columns == ("text_a", "text_b")[:texts]
    assert corpus.columns["train"]["text_a"][0].startswith(columns[0])


def test_mnli_keeps_its_two_validation_sets_and_unlabelled_tests(tmp_path: Path) -> None:
    rows = [{"premise": f"p{n}", "hypothesis": f"h{n}", "label": n % 3} for n in range(6)]
    hidden = [{**row, "label": -1} for row in rows]
    for name, part in {
        "train": rows,
        "dev_matched": rows,
        "validation_mismatched": rows,
        "test_matched": hidden,
    }.items():
        write_jsonl(tmp_path / f"{name}.jsonl", part)
    corpus = load_pairs(str(tmp_path), glue_task="mnli")
    assert list(corpus.columns) == ["train", "validation_matched", "validation_mismatched", "test_matched"]
    assert corpus.columns["test_matched"]["label"] == [-1] * 6
    assert corpus.label_names == ("entailment", "neutral", "contradiction")


def test_the_verse_is_dealt_like_a_file() -> None:
    corpus = load_pairs("verse", verse_size=60)
    assert {split: len(columns["idx"]) for split, columns in corpus.columns.items()} == {
        "train": 48,
        "validation": 6,
        "test": 6,
    }
    assert corpus.label_names == ("not_equivalent", "equivalent")
    assert corpus.fingerprint == load_pairs("verse", verse_size=60).fingerprint
    assert corpus.fingerprint != load_pairs("verse", verse_size=60, verse_seed=1).fingerprint


class TestHub:
    """The hub's part is played by data sets in memory."""

    @pytest.fixture(autouse=True)
    def hub(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None, str]]:
        import datasets

        names = datasets.ClassLabel(names=["neg", "pos"])
        features = datasets.Features({"review": datasets.Value("string"), "label": names})
        rows = {"review": [f"film {n}" for n in range(20)], "label": [n % 2 for n in range(20)]}
        rows["review"][3] = ""
        asked: list[tuple[str, str | None, str]] = []

        def load_dataset(name: str, config: str | None, revision: str) -> datasets.DatasetDict:
            asked.append((name, config, revision))
            if name == "broken/data":
                raise ValueError("Config name is missing.\nPick one.")
            if name == "nyu-mll/glue":
                parts = {split: datasets.Dataset.from_list(ROWS) for split in ("test", "train", "validation")}
                return datasets.DatasetDict(parts)
            data = datasets.Dataset.from_dict(rows, features=features)
            return datasets.DatasetDict({"train": data, "test": data, "unsupervised": data})

        monkeypatch.setattr(datasets, "load_dataset", load_dataset)
        monkeypatch.setattr(pair_sources, "resolve_commit", lambda name, kind, revision, key: f"commit of {revision}")
        return asked

    def test_glue_by_task(self, hub: list[tuple[str, str | None, str]]) -> None:
        corpus = load_pairs("hub:nyu-mll/glue", revision="v1")
        assert hub == [("nyu-mll/glue", "mrpc", "commit of v1")]
        assert list(corpus.columns) == ["train", "validation", "test"]
        assert as_rows(corpus, "test") == ROWS
        assert corpus.name == "glue-mrpc"

    def test_own_columns_names_from_the_hub_and_validation_dealt(self) -> None:
        corpus = load_pairs("hub:some/films", glue_task=None, text_columns=["review"], validation_share=0.2)
        assert corpus.label_names == ("neg", "pos")
        sizes = {split: len(columns["idx"]) for split, columns in corpus.columns.items()}
        assert sizes == {"train": 16, "validation": 4, "test": 20}
        assert "" in corpus.columns["test"]["text_a"]  # nobody here can mend it

    def test_what_the_hub_cannot_load_is_told(self) -> None:
        with pytest.raises(UserError, match=r"data\.source=hub:broken/data cannot be loaded: Config name is missing;"):
            load_pairs("hub:broken/data")
        with pytest.raises(UserError, match=r"needs data\.glue_task"):
            load_pairs("hub:nyu-mll/glue", glue_task=None)
