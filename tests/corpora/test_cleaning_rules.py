"""Cleaning changes what its rules name and nothing else, counts it, shows it with file and line, and is idempotent."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.corpora.cleaning import EXAMPLES, Cleaning, CleaningReport, Origin
from quatrain.corpora.documents import DocumentReader
from quatrain.corpora.duplicates import SeenLines
from quatrain.corpora.gutenberg import without_frame

START = "*** START OF THE PROJECT GUTENBERG EBOOK VERSES ***"
END = "*** END OF THE PROJECT GUTENBERG EBOOK VERSES ***"
FRAMED = (
    f"The Project Gutenberg eBook\n\n{START}\n\nProduced by A. Nobody\nand friends\n\n\n"
    f"A title\n\nOne line.\n\n\n{END}\nlicence\n"
)

awkward = st.lists(
    st.sampled_from(
        ["a", "e\u0301", "\u0301", "é", " ", "\n", "\r", "\r\n", "\x85", "\u2028", "\ufeff", "\x00", "\x9f", "Å"]
    )
    | st.characters(codec="utf-8"),
    max_size=60,
).map("".join)
switches = st.fixed_dictionaries({name: st.booleans() for name in Cleaning().switches()})


def clean(text, report=None, documents="whole", file="poem.txt", **rules):
    """The cleaned documents of one text."""
    reader = DocumentReader(documents=documents, cleaning=Cleaning(**rules), report=report or CleaningReport())
    pieces = list(reader.read([text], Origin(file, 1)))
    assert all(ends for _, ends in pieces)  # short texts come in one piece
    return [piece for piece, _ in pieces]


@pytest.mark.parametrize(
    ("rule", "before", "after", "count"),
    [
        ("newlines", "a\r\nb\rc\x85d\u2028e\u2029f\n", "a\nb\nc\nd\ne\nf\n", 5),
        ("byte_order_mark", "\ufeffa\n\ufeffb", "a\nb", 2),
        ("control_characters", "a\x00b\x1bc\x9fd\x7f\te\n", "abcd\te\n", 4),
        ("unicode_nfc", "cafe\u0301\nplain\n\u212b\n", "café\nplain\nÅ\n", 2),
        ("blank_lines", "a\n\n \nb\n", "a\nb\n", 2),
        ("duplicate_lines", "a\nb\n\na\n\nb\nc\n", "a\nb\n\n\nc\n", 2),
    ],
)
def test_a_rule_changes_what_it_names_and_only_when_it_is_on(rule, before, after, count):
    report = CleaningReport()
    off = dict.fromkeys(Cleaning().switches(), False)
    assert clean(before, report, **(off | {rule: True})) == [after]
    assert report.counts == {rule: count}
    assert clean(before, **off) == [before]


def test_a_text_with_nothing_to_mend_comes_out_byte_exact_and_with_an_empty_report():
    report = CleaningReport()
    text = "  Indented\tline \n\n\n“Quotes” — naïve…\u00a0\n end without line end "
    assert clean(text, report) == [text]
    assert report.to_dict() == {}


@settings(max_examples=50, deadline=None)
@given(awkward, switches, st.sampled_from(["whole", "paragraphs", "lines"]))
def test_cleaning_twice_is_cleaning_once(text, rules, documents):
    once = clean(text, documents=documents, **rules)
    report = CleaningReport()
    reader = DocumentReader(documents=documents, cleaning=Cleaning(**rules), report=report)
    twice = [piece for document in once for piece, _ in reader.read([document], Origin("again", 1))]
    assert twice == once
    assert report.counts == {}


@settings(max_examples=50, deadline=None)
@given(awkward)
def test_default_cleaning_leaves_no_trace_of_what_it_mends(text):
    for document in clean(text):
        assert unicodedata.is_normalized("NFC", document)
        assert not any(unicodedata.category(letter) == "Cc" and letter not in "\n\t" for letter in document)
        assert not set(document) & set("\ufeff\u2028\u2029")


def test_examples_tell_file_line_before_and_after_and_are_few():
    report = CleaningReport()
    clean("first\n" + "wi\x07nd\n" * 9, report)
    assert report.counts == {"control_characters": 9}
    examples = report.to_dict()["control_characters"]["examples"]
    assert len(examples) == EXAMPLES
    assert examples[0] == {"file": "poem.txt", "line": 2, "before": "wi\x07nd\n", "after": "wind\n"}
    assert [example["line"] for example in examples] == [2, 3, 4, 5, 6]


def test_lines_are_counted_on_across_blocks_whatever_their_ends():
    report = CleaningReport()
    reader = DocumentReader(documents="whole", cleaning=Cleaning(), report=report)
    list(reader.read(["one\r\ntwo\r", "three\n", "fo\x01ur"], Origin("f", 1)))
    assert report.examples["control_characters"][0].line == 4


def test_the_gutenberg_frame_is_cut_off_with_credits_and_the_blank_lines_around():
    report = CleaningReport()
    assert clean(FRAMED, report) == ["A title\n\nOne line.\n"]
    assert report.counts == {"gutenberg_frame": FRAMED.count("\n") - 3}
    assert clean(FRAMED, gutenberg_frame=False) == [FRAMED]


def test_the_frame_of_each_of_several_books_in_a_file_is_cut_off():
    assert clean(FRAMED + FRAMED.replace("One", "Two")) == ["A title\n\nOne line.\nA title\n\nTwo line.\n"]


LINES = (
    f"{START}\n",
    "*** END OF THIS PROJECT GUTENBERG EBOOK ***\n",
    "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN\n",
    "  End of Project Gutenberg's book\n",
    "Produced by A. Nobody\n",
    *("\n", "  \n", "A line.\n", "“More” by Gutenberg\n", "at a small price\n", "İ\n", "CR\r\n"),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=30))
def test_a_frame_is_the_same_read_in_one_block_or_line_by_line(lines):
    """In one block, all lines between two markers are taken at once."""
    found = []
    for blocks in ([f"{START}\n" + "".join(lines)], [f"{START}\n", *lines]):
        report, origin, placed = CleaningReport(), Origin("book", 1), []
        for block in blocks:
            placed.append((block, origin))
            origin = origin.after(block)
        kept = list(without_frame(placed, report))
        found.append(("".join(text for text, _ in kept), [place for _, place in kept][:1], report.to_dict()))
    assert found[0] == found[1]


def test_text_that_only_speaks_of_project_gutenberg_is_left_alone():
    text = "End of Project Gutenberg, he said.\nAnd went on.\n"
    assert clean(text) == [text]


def test_a_frame_is_found_in_a_file_with_crlf_whether_line_ends_are_mended_or_not():
    crlf = FRAMED.replace("\n", "\r\n")
    assert clean(crlf) == ["A title\n\nOne line.\n"]
    assert clean(crlf, newlines=False) == ["A title\r\n\r\nOne line.\r\n"]


def test_duplicate_lines_are_known_across_documents_and_a_document_left_empty_is_dropped():
    report = CleaningReport()
    reader = DocumentReader(documents="lines", cleaning=Cleaning(duplicate_lines=True), report=report)
    found = [piece for text in ("a\nb\n", "a\n", "c\n") for piece, _ in reader.read([text], Origin("f", 1))]
    assert found == ["a", "b", "c"]
    assert report.counts == {"duplicate_lines": 1, "empty_documents": 1}


def test_seen_lines_is_a_set_also_after_growing():
    seen, known = SeenLines(), set()
    for number in range(6000):
        line = str(number * number % 4001)
        assert seen.add(line) == (line not in known)
        known.add(line)
    assert len(seen) == len(known) > 1024
