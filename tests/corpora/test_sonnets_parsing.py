"""Poems are found by their numbers, whatever their indentation, line ends and frame; a file without any is told."""

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora.sonnets import is_heading
from quatrain.corpora.text import load_text, text_from_memory

POEMS = ["First line,\nsecond line.", "I alone\nstand here.", "Third poem\nI\nends."]
PLAIN = "I\n\nFirst line,\nsecond line.\n\nII\n\nI alone\nstand here.\n\nIII\n\nThird poem\nI\nends.\n"
RAW = (
    "The Project Gutenberg EBook\r\n\r\n*** START OF THIS PROJECT GUTENBERG EBOOK X ***\r\n\r\nProduced by Someone\r\n"
    "\r\nTHE POEMS\r\n\r\nby Someone\r\n\r\n  1.\r\n\r\n  First line,\r\n    second line.\r\n\r\n  2.\r\n\r\n"
    "  I alone\r\n  stand here.\r\n\r\n  3.\r\n\r\n  Third poem\r\n  I\r\n  ends.\r\n\r\n\r\n"
    "End of Project Gutenberg's X\r\n\r\n"
    "*** END OF THIS PROJECT GUTENBERG EBOOK X ***\r\nSection 1.\r\n\r\n4\r\n\r\nlicence\r\n"
)


@pytest.mark.parametrize(
    "line", ["I", "  IV", "CXXVI", "xv".upper() + ".", "12", " 154. ", "Sonnet 18", "SONNET XVIII"]
)
def test_numbers_on_a_line_of_their_own_are_headings(line):
    assert is_heading(line)


@pytest.mark.parametrize("line", ["", " ", "i", "IIII", "VX", "I am", "12345", "Sonnet", ".", "O"])
def test_other_lines_are_no_headings(line):
    assert not is_heading(line)


@pytest.mark.parametrize("text", [PLAIN, RAW])
def test_a_plain_and_a_framed_file_give_the_same_poems(tmp_path, text):
    file = tmp_path / "poems.txt"
    file.write_bytes(text.encode())
    corpus = load_text(str(file), documents="sonnets", validation_share=0)
    assert list(corpus.documents("train")) == POEMS
    assert corpus.count("train") == 3


def test_titles_that_are_cut_off_are_reported_with_their_lines(tmp_path):
    file = tmp_path / "poems.txt"
    file.write_bytes(RAW.encode())
    report = load_text(str(file), documents="sonnets", validation_share=0).report
    assert [(example.line, example.before) for example in report.examples["title_lines"]] == [
        (7, "THE POEMS"),
        (9, "by Someone"),
    ]


def test_poems_are_dealt_whole():
    text = "".join(f"{number}\n\nverse {number} a\nverse {number} b\n\n" for number in range(1, 41))
    corpus = text_from_memory(text, documents="sonnets", validation_share=0.25, test_share=0.1)
    held = {split: set(corpus.documents(split)) for split in corpus.splits}
    assert {split: len(poems) for split, poems in held.items()} == {"train": 26, "validation": 10, "test": 4}
    assert set.union(*held.values()) == {f"verse {number} a\nverse {number} b" for number in range(1, 41)}


def test_a_file_without_a_heading_is_told(tmp_path):
    file = tmp_path / "prose.txt"
    file.write_text("No number\n\nanywhere.\n")
    with pytest.raises(UserError, match=r"data.documents=sonnets: .*prose.txt has no poem's heading"):
        list(load_text(str(file), documents="sonnets").documents("train"))


def test_a_record_without_a_heading_is_one_poem():
    corpus = text_from_memory(["  a\n  b\n", "c\nd"], documents="sonnets", validation_share=0)
    assert list(corpus.documents("train")) == ["a\nb", "c\nd"]
