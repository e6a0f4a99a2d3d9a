"""Token files: what was written comes back, in any order, in the smallest type, and travels as a path."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.data.collate import Layout, as_tensors
from quatrain.data.token_file import TokenFile, TokenWriter, token_dtype


def test_the_type_is_the_smallest_that_holds_the_vocabulary():
    assert token_dtype(65_536) == np.uint16
    assert token_dtype(65_537) == np.uint32


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(st.lists(st.integers(0, 65_535), max_size=9), min_size=1, max_size=12), data=st.data())
def test_any_rows_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list[list[int]], data: st.DataObject):
    folder = tmp_path_factory.mktemp("rows")
    cut = data.draw(st.integers(0, len(rows)))
    with TokenWriter(folder, "some", token_dtype(65_536)) as writer:
        for part in (rows[:cut], rows[cut:]):
            writer.append([np.asarray(row, dtype=np.int32) for row in part])
    file = TokenFile(folder, "some")
    assert (writer.rows, writer.tokens) == (len(rows), sum(map(len, rows)))
    assert len(file) == len(rows)
    assert file.tokens.tolist() == [token for row in rows for token in row]
    chosen = np.asarray(data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8)), dtype=np.int64)
    flat, lengths = file.gather(chosen)
    assert flat.tolist() == [token for row in chosen for token in rows[row]]
    assert lengths.tolist() == [len(rows[row]) for row in chosen]


def test_a_file_is_sent_as_its_path(tmp_path: Path):
    with TokenWriter(tmp_path, "long", np.dtype(np.uint32)) as writer:
        writer.append([np.arange(100_000)])
    sent = pickle.dumps(TokenFile(tmp_path, "long"))
    assert len(sent) < 1000
    assert (pickle.loads(sent).tokens == np.arange(100_000)).all()


def test_an_unfinished_file_has_no_description(tmp_path: Path):
    with pytest.raises(TypeError), TokenWriter(tmp_path, "half", np.dtype(np.uint16)) as writer:
        writer.append([np.arange(3), 4])  # type: ignore[list-item]
    assert not (tmp_path / "half.json").exists()


def test_padding_goes_to_the_longest_row_of_the_batch():
    layout = Layout(np.asarray([2, 0, 3]))
    padded = layout.padded(np.asarray([1, 2, 3, 4, 5]), 9)
    batch = as_tensors({"input_ids": padded, "attention_mask": layout.attention_mask()})
    assert layout.rows.tolist() == [0, 0, 2, 2, 2]
    assert layout.positions.tolist() == [0, 1, 0, 1, 2]
    assert layout.starts.tolist() == [0, 2, 2]
    assert batch["input_ids"].tolist() == [[1, 2, 9], [9, 9, 9], [3, 4, 5]]
    assert batch["attention_mask"].tolist() == [[1, 1, 0], [0, 0, 0], [1, 1, 1]]
