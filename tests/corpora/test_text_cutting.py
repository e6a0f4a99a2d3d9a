"""Long texts come in pieces that no tokenizer can tell from the whole; joined they are the text; memory stays flat."""

import tracemalloc
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import ByteLevel

from quatrain.corpora.cutting import first_safe_place, last_safe_place, pieces
from quatrain.corpora.file_contents import text_blocks
from quatrain.corpora.text import load_text

spaced = st.lists(
    st.sampled_from(["a", "I'll", "né", "12", "!?", " ", " ", "\n", "  ", "\t", "\u3000", "\x1f", "<|x|>"]), max_size=80
)


def test_safe_places_by_hand():
    #       0123456789
    text = "ab cd\ne  f"
    assert first_safe_place(text, 1) == 2
    assert first_safe_place(text, 3) == 5
    assert first_safe_place(text, 6) is None
    assert last_safe_place(text) == 2  # a space comes before a newline
    assert last_safe_place(text, 3) == 5
    assert last_safe_place("ab ") is None
    assert last_safe_place(" ab") is None


@settings(max_examples=50, deadline=None)
@given(spaced.map("".join), st.integers(1, 20), st.integers(1, 9))
def test_pieces_are_the_text_and_pre_tokenize_as_the_whole(text, size, block):
    blocks = [text[start : start + block] for start in range(0, len(text), block)]
    found = list(pieces(blocks, size))
    assert "".join(piece for piece, _ in found) == text
    assert [ends for _, ends in found] == [False] * (len(found) - 1) + [True] * bool(found)
    split = ByteLevel(add_prefix_space=False).pre_tokenize_str
    assert [word for piece, _ in found for word, _ in split(piece)] == [word for word, _ in split(text)]


def test_a_text_without_a_safe_place_comes_in_one_piece():
    assert list(pieces(["x" * 50, "y" * 50], 10)) == [("x" * 50 + "y" * 50, True)]
    assert list(pieces(["x" * 50, " y"], 10)) == [("x" * 50, False), (" y", True)]


@settings(max_examples=50, deadline=None)
@given(spaced.map("".join), st.integers(1, 7))
def test_blocks_of_a_file_joined_are_the_file(tmp_path_factory, text, block):
    file = tmp_path_factory.mktemp("blocks") / "a.txt"
    file.write_bytes(text.encode())
    assert "".join(text_blocks(file, block=block)) == text


def test_line_ends_are_never_torn(tmp_path):
    file = tmp_path / "a.txt"
    file.write_bytes(b"ab\r\ncd\re\r\n" * 20)
    for block in range(1, 9):
        found = list(text_blocks(file, block=block))
        assert "".join(found).encode() == file.read_bytes()
        assert not any(left.endswith("\r") and right.startswith("\n") for left, right in pairwise(found))


def test_memory_stays_flat_over_a_text_of_many_pieces(tmp_path):
    file = tmp_path / "long.txt"
    with file.open("w") as out:
        for number in range(24):
            out.write(f"{number} some words of a line that is long enough\n" * 24_000)
    tracemalloc.start()
    corpus = load_text(str(file), split="contiguous")
    sizes = {split: [len(piece) for piece, _ in corpus.pieces(split)] for split in corpus.splits}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {split: sum(held) for split, held in sizes.items()} == {s: corpus.characters(s) for s in corpus.splits}
    assert len(sizes["train"]) > 20
    assert peak < 12e6 < 24e6 < file.stat().st_size
