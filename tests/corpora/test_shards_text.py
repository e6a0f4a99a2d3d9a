"""A text corpus made in shards is the unsharded one to the byte, report and all, however it is cut."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quatrain.core.errors import UserError
from quatrain.corpora import cutting, file_contents, shard_cuts, shard_entries, shard_part, shard_stream
from quatrain.corpora.cleaning import Cleaning
from quatrain.corpora.processed import write_text
from quatrain.corpora.text import TextCorpus, load_text, text_from_memory

from .shard_runs import contents, text_shard

SHARDS = (1, 2, 3, 8)
VERSES = (
    "One line\nanother\n\nOne line\n  \nthird é\u0301 \x07bell\r\nOne line\n\n"
    '\ufeffanother\u2028last \\ "q"\n\nOne line'
)
FRAME = (
    "*** START OF THE PROJECT GUTENBERG EBOOK ***\n\nInside\n\n*** END OF THE PROJECT GUTENBERG EBOOK ***\nlicence\n"
)


def at_once(make: Callable[[], TextCorpus], folder: Path) -> tuple[dict[str, bytes] | None, list[str]]:
    """What the unsharded corpus holds, or why it is refused."""
    try:
        return contents(write_text(make(), folder)), []
    except UserError as error:
        return None, error.sentences


def same_in_shards(make: Callable[[], TextCorpus], folder: Path, shards: int) -> None:
    """Make the corpus at once and in shards, the last one first, and compare all bytes, or what is refused."""
    target = folder / f"in-{shards}"
    expected, why = at_once(make, folder / f"at-once-{shards}")
    if expected is None:
        with pytest.raises(UserError) as refused:
            [text_shard(make(), target, shard, shards) for shard in reversed(range(shards))]
        assert refused.value.sentences == why
        return
    outcomes = [text_shard(make(), target, shard, shards) for shard in reversed(range(shards))]
    assert [outcome.published for outcome in outcomes[:-1]] == [None] * (shards - 1)
    assert outcomes[-1].published == target
    assert contents(target) == expected
    assert not list(folder.glob(".*")), "the parts are removed"


def write_jsonl(path: Path, texts: list[str]) -> None:
    path.write_text("".join(json.dumps({"text": text}) + "\n\n" for text in texts))


def a_file(folder: Path) -> Path:
    path = folder / "text.txt"
    path.write_bytes((VERSES * 3).encode())
    return path


def several(folder: Path) -> Path:
    place = folder / "several"
    place.mkdir()
    for number in range(5):
        (place / f"{number}.txt").write_bytes((VERSES[number * 9 :] + FRAME * (number == 2)).encode())
    (place / "4.txt").write_text(" \n\n \n")
    (place / "book.txt").write_text(FRAME * 3)
    (place / "packed.txt.gz").write_bytes(gzip.compress(VERSES.encode()))
    write_jsonl(place / "rows.jsonl", ["One line\nnew", "", "One line", VERSES, "fresh"])
    (place / "table.csv").write_text('text\n"quoted\nOne line"\nplain\n')
    return place


def own_splits(folder: Path) -> Path:
    place = folder / "own"
    place.mkdir()
    (place / "train.txt").write_bytes((VERSES * 2).encode())
    write_jsonl(place / "test.jsonl", ["One line", "only here"])
    return place


def parquet(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "rows.parquet"
    pq.write_table(pa.table({"text": [f"row {n % 7}\nline {n}" for n in range(40)]}), path, row_group_size=9)
    return path


def few_lines(folder: Path) -> Path:
    path = folder / "few.txt"
    path.write_text("a\nb\n")
    return path


SOURCES = [a_file, several, own_splits, parquet, few_lines]


@pytest.mark.parametrize("shards", SHARDS)
@pytest.mark.parametrize("duplicates", [False, True])
@pytest.mark.parametrize("documents", ["whole", "paragraphs", "lines"])
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_the_same_bytes(
    tmp_path: Path, source: Callable[[Path], Path], documents: Any, duplicates: bool, shards: int
) -> None:
    path = source(tmp_path)
    split: Any = "contiguous" if documents == "whole" else "random"

    def make() -> TextCorpus:
        cleaning = Cleaning(duplicate_lines=duplicates, blank_lines=shards == 3)
        return load_text(str(path), documents=documents, split=split, validation_share=0.2, cleaning=cleaning)

    same_in_shards(make, tmp_path, shards)


@pytest.mark.parametrize("shards", SHARDS)
def test_verse_poems_and_texts_in_memory(tmp_path: Path, shards: int) -> None:
    for name, documents in (("verse", "whole"), ("poems", "sonnets"), ("memory", "lines")):
        (folder := tmp_path / name).mkdir()
        (folder / "poems.txt").write_text("Titles\n\n" + "".join(f"{n}\n\nline {n}\nsame\n\n" for n in range(1, 12)))
        how: dict[str, Any] = {"documents": documents, "cleaning": Cleaning(duplicate_lines=True)}

        def make(name: str = name, how: dict[str, Any] = how, folder: Path = folder) -> TextCorpus:
            if name == "memory":
                return text_from_memory(["one\ntwo", "two", "three\nfour"], **how)
            return load_text("verse" if name == "verse" else str(folder / "poems.txt"), verse_size=1100, **how)

        same_in_shards(make, folder, shards)


LINES = st.sampled_from(
    ["", " ", "a", "b", "the end", "é", "e\u0301", "\ufeffx", "\x07", '"\\', "y\u2028z", "q\x85", "\t"]
)
ENDS = st.sampled_from(["\n", "\n", "\n\n", "\r\n", "\r\n\r\n", "\r"])
TEXTS = st.lists(st.tuples(LINES, ENDS), min_size=1, max_size=25).map(lambda rows: "".join(map("".join, rows)) + "z")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plain=st.lists(TEXTS, max_size=4),
    rows=st.lists(TEXTS, max_size=6),
    how=st.fixed_dictionaries(
        {
            "documents": st.sampled_from(["whole", "paragraphs", "lines"]),
            "split": st.sampled_from(["random", "contiguous"]),
            "validation_share": st.sampled_from([0.0, 0.1, 0.4]),
            "test_share": st.sampled_from([0.0, 0.2]),
        }
    ),
    off=st.sets(st.sampled_from(["newlines", "unicode_nfc", "byte_order_mark", "control_characters"])),
    on=st.sets(st.sampled_from(["blank_lines", "duplicate_lines"])),
    shards=st.integers(1, 9),
    block=st.integers(3, 60),
)
def test_random_corpora(tmp_path_factory: pytest.TempPathFactory, plain, rows, how, off, on, shards, block) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("random")
    (place := folder / "texts").mkdir()
    for number, text in enumerate(plain or ["z"]):
        (place / f"{number}.txt").write_bytes(text.encode())
    if rows:
        write_jsonl(place / "rows.jsonl", rows)
    cleaning = Cleaning(**dict.fromkeys(off, False), **dict.fromkeys(on, True))
    with pytest.MonkeyPatch.context() as patch:
        # Blocks, pieces and buffers of a few bytes, so that small texts meet every seam.
        patch.setattr(file_contents.text_blocks, "__defaults__", ("data.source", block, None))
        patch.setattr(cutting.pieces, "__defaults__", (block,))
        for module, name in ((shard_entries, "_PIECE"), (shard_stream, "_CHUNK"), (shard_part, "_FLUSH")):
            patch.setattr(module, name, block)
        patch.setattr(shard_cuts, "_WINDOW", 7)
        same_in_shards(lambda: load_text(str(place), cleaning=cleaning, **how), folder, shards)


@pytest.mark.parametrize("name", ["text.txt", "rows.jsonl"])
def test_a_fault_is_told_with_the_line_of_the_file(tmp_path: Path, name: str) -> None:
    good = b'{"text": "a line"}\n' if name == "rows.jsonl" else b"a line of text\n"
    wrong = good * 9000 + b"caf\xe9\n" + good * 9
    (tmp_path / name).write_bytes(wrong)

    def make() -> TextCorpus:
        # A look for a frame would find the fault in every shard.
        return load_text(str(tmp_path / name), documents="lines", cleaning=Cleaning(gutenberg_frame=False))

    with pytest.raises(UserError) as at_once:
        write_text(make(), tmp_path / "at-once")
    assert text_shard(make(), tmp_path / "made", 0, 4).made
    with pytest.raises(UserError) as in_shards:
        text_shard(make(), tmp_path / "made", 3, 4)
    assert in_shards.value.sentences == at_once.value.sentences
    assert "line 9001" in in_shards.value.sentences[0]
    assert not (tmp_path / "made").exists()
