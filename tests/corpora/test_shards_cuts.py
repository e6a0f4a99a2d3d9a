"""Shards hold everything once, in order, about equally, and are cut behind lines or blank lines alone."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quatrain.corpora import shard_cuts
from quatrain.corpora.file_contents import count_lines
from quatrain.corpora.shard_cuts import BLANK_LINES, LINES, Bytes, Extent, Rows, Slice, Uncut, slices

TEXTS = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\n\n", b"\r\n", b"\r\n\r\n", b"long line"]), min_size=1).map(
    b"".join
)


def places(extents: list[Extent], shards: int) -> list[Slice]:
    return [piece for shard in range(shards) for piece in slices(extents, shard, shards)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=4),
    behind=st.sampled_from([LINES, BLANK_LINES]),
    rows=st.integers(0, 9),
    shards=st.integers(1, 7),
    window=st.integers(1, 9),
)
def test_every_place_once_and_in_order(tmp_path_factory, texts, behind, rows, shards, window) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("cut")
    extents: list[Extent] = [Uncut(5), Rows(max(rows, 1), rows)]
    for number, text in enumerate(texts):
        (path := folder / str(number)).write_bytes(text)
        extents.append(Bytes(path, behind, len(text)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_cuts, "_WINDOW", window)
        found = places(extents, shards)
    for number, extent in enumerate(extents):
        own = [piece for piece in found if piece.number == number]
        assert [piece.start for piece in own] == [0, *(piece.stop for piece in own[:-1])][: len(own)]
        assert extent.end == (own[-1].stop if own else 0)
        if isinstance(extent, Bytes):
            ends = [extent.path.read_bytes()[: piece.stop] for piece in own[:-1]]
            allowed = (b"\n",) if behind is LINES else (b"\n\n", b"\n\r\n")
            assert all(text.endswith(allowed) for text in ends)
    assert [piece.number for piece in found] == sorted(piece.number for piece in found)


def test_shards_are_balanced_by_bytes(tmp_path: Path) -> None:
    (path := tmp_path / "text").write_bytes(b"a line of text\n" * 1000)
    sizes = [sum(piece.stop - piece.start for piece in slices([Bytes(path, LINES, 15_000)], n, 7)) for n in range(7)]
    assert sum(sizes) == 15_000
    assert max(sizes) - min(sizes) <= 30


def test_what_cannot_be_cut_goes_to_the_nearest_shard() -> None:
    files: list[Extent] = [Uncut(10), Uncut(100), Uncut(10)]
    assert [[piece.number for piece in slices(files, shard, 3)] for shard in range(3)] == [[0], [1], [2]]
    assert [[piece.number for piece in slices(files, shard, 2)] for shard in range(2)] == [[0, 1], [2]]


def test_lines_are_counted_within_bounds(tmp_path: Path) -> None:
    (path := tmp_path / "text").write_bytes(b"a\nb\nc\n")
    assert [count_lines(path, start, stop) for start, stop in ((0, 6), (2, 4), (3, 3))] == [3, 1, 0]
