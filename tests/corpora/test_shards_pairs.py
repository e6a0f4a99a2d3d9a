"""Pairs made in shards are the unsharded ones to the byte: dealt, labelled, no duplicates, wherever they are cut."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import Cleaning
from quatrain.corpora.pairs import load_pairs
from quatrain.corpora.processed_pairs import write_pairs

from .shard_runs import contents, pair_shard

Rows = list[dict[str, Any]]


def rows_of(count: int) -> Rows:
    """Rows of which some stood before, some with another label, some with texts to mend."""
    return [
        {"sentence1": f"first {n % 9}\r", "sentence2": f"e\u0301 {n % 9}", "label": (n // 11) % 2} for n in range(count)
    ]


def jsonl(path: Path, rows: Rows) -> None:
    path.write_text("".join(json.dumps(row) + "\n" + "\n" * (n % 3 == 0) for n, row in enumerate(rows)))


def one_file(folder: Path) -> Path:
    jsonl(folder / "rows.jsonl", rows_of(40))
    return folder / "rows.jsonl"


def with_idx(folder: Path) -> Path:
    jsonl(folder / "idx.jsonl", [{**row, "idx": 1000 - n} for n, row in enumerate(rows_of(40))])
    return folder / "idx.jsonl"


def tsv(folder: Path) -> Path:
    lines = ["sentence1\tsentence2\tlabel", *(f'"a {n % 5}\tb {n % 4}\t{n % 2}' for n in range(30))]
    (folder / "rows.tsv").write_text("\ufeff" + "\n".join(lines))
    return folder / "rows.tsv"


def csv(folder: Path) -> Path:
    lines = ["sentence1,sentence2,label", *(f'"a\n{n % 5}",b {n % 4},{n % 2}' for n in range(30))]
    (folder / "rows.csv").write_text("\n".join(lines))
    return folder / "rows.csv"


def parquet(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows_of(50)), folder / "rows.parquet", row_group_size=7)
    return folder / "rows.parquet"


def splits(folder: Path) -> Path:
    (place := folder / "splits").mkdir()
    for number in range(3):
        jsonl(place / f"train-{number}-of-3.jsonl", rows_of(20))
    jsonl(place / "validation.jsonl", rows_of(12))
    jsonl(place / "test.jsonl", [{**row, "label": None} for row in rows_of(8)])
    return place


def few(folder: Path) -> Path:
    jsonl(folder / "few.jsonl", [{"text": f"t{n}", "label": "ab"[n % 2]} for n in range(5)])
    return folder / "few.jsonl"


def at_once(path: Path, folder: Path, **choices: Any) -> tuple[dict[str, bytes] | None, list[str]]:
    """What the unsharded corpus holds, or why it is refused."""
    try:
        write_pairs(load_pairs(str(path), **choices), folder)
    except UserError as error:
        return None, error.sentences
    return contents(folder), []


def same_in_shards(path: Path, folder: Path, shards: int, **choices: Any) -> None:
    expected, why = at_once(path, folder / f"at-once-{shards}", **choices)
    target = folder / f"in-{shards}"
    if expected is None:
        with pytest.raises(UserError) as refused:
            [pair_shard(path, target, shard, shards, **choices) for shard in reversed(range(shards))]
        assert refused.value.sentences == why
        return
    outcomes = [pair_shard(path, target, shard, shards, **choices) for shard in reversed(range(shards))]
    assert outcomes[-1].published == target
    assert contents(target) == expected
    assert not list(folder.glob(".*")), "the parts are removed"


@pytest.mark.parametrize("shards", [1, 2, 3, 8])
@pytest.mark.parametrize("duplicates", [False, True])
@pytest.mark.parametrize("source", [one_file, with_idx, tsv, csv, parquet, splits, few], ids=lambda one: one.__name__)
def test_the_same_bytes(tmp_path: Path, source: Callable[[Path], Path], duplicates: bool, shards: int) -> None:
    cleaning = Cleaning(duplicate_lines=duplicates)
    same_in_shards(
        source(tmp_path), tmp_path, shards, glue_task=None, cleaning=cleaning, validation_share=0.2, test_share=0.2
    )


@pytest.mark.parametrize("shards", [2, 5])
def test_verse(tmp_path: Path, shards: int) -> None:
    same_in_shards(Path("verse"), tmp_path, shards, verse_size=1200, cleaning=Cleaning(duplicate_lines=True))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "text": st.sampled_from(["a", "b", "c\r\nd", "e\u0301", "f", " ", None]),
                "label": st.sampled_from([0, 1, "x", 0.5, True, None]),
            },
            optional={"idx": st.integers(0, 99)},
        ),
        min_size=1,
        max_size=15,
    ),
    duplicates=st.booleans(),
    shards=st.integers(1, 6),
)
def test_random_rows(tmp_path_factory: pytest.TempPathFactory, rows: Rows, duplicates: bool, shards: int) -> None:
    folder = tmp_path_factory.mktemp("random")
    jsonl(folder / "rows.jsonl", rows)
    cleaning = Cleaning(duplicate_lines=duplicates)
    how: dict[str, Any] = {"glue_task": None, "cleaning": cleaning, "incomplete_rows": "drop"}
    same_in_shards(folder / "rows.jsonl", folder, shards, test_share=0.0, **how)


def test_wrong_rows_are_told_with_the_line_of_the_file(tmp_path: Path) -> None:
    jsonl(tmp_path / "rows.jsonl", [*rows_of(40), {"sentence1": " ", "sentence2": "b", "label": 1}, *rows_of(3)])
    choices: dict[str, Any] = {"glue_task": None}
    with pytest.raises(UserError) as at_once:
        load_pairs(str(tmp_path / "rows.jsonl"), **choices)
    with pytest.raises(UserError) as in_shards:
        pair_shard(tmp_path / "rows.jsonl", tmp_path / "made", 3, 4, **choices)
    assert in_shards.value.sentences == at_once.value.sentences
    assert "line 55: the text in column sentence1 is empty" in in_shards.value.sentences[0]
