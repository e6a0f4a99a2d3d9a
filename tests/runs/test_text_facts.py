"""How a tokenizer cuts training texts, counted by hand: before they are cut to length, by what an example is."""

from itertools import pairwise
from typing import Any

import pytest

from quatrain.data.masked_text import MaskedText
from quatrain.data.pairs import SentencePairs
from quatrain.data.windows import Windows
from quatrain.runs import text_facts as module
from quatrain.runs.text_facts import histogram, text_facts
from quatrain.runs.tokenizer_facts import kind_of
from quatrain.tokenizers.trained import ByteLevelBPE, WordPiece

LINES = ["river mill", "river river river mill", "mill"]


def wordpiece() -> Any:
    return WordPiece(vocab_size=60, min_frequency=1).fit(lambda: ["river mill"] * 20)


def loaded(data: Any) -> Any:
    data.load()
    return data


def test_rows_of_pairs_are_counted_with_special_tokens_before_they_are_cut() -> None:
    rows = [{"text_a": "river mill", "text_b": "mill", "label": n % 2} for n in range(3)]
    rows.append({"text_a": "river " * 9, "text_b": "mill", "label": 1})
    data = loaded(SentencePairs(tokenizer=wordpiece(), rows={"train": rows, "validation": rows}, max_length=8))
    facts = text_facts(data, data.tokenizer)
    assert facts["tokens_per_word"] == 1.0
    lengths = facts["lengths"]
    assert dict(zip(lengths["edges"], lengths["counts"], strict=False)) == {**dict.fromkeys(range(14), 0), 6: 3, 13: 1}
    assert (lengths["max_length"], lengths["truncated"], lengths["unit"], lengths["of"]) == (8, 0.25, "rows", 4)


@pytest.mark.parametrize(("example", "unit", "lengths"), [("line", "lines", [4, 6, 3]), ("poem", "poems", [9])])
def test_lines_and_poems(example: Any, unit: str, lengths: list[int]) -> None:
    texts = {"train": ["\n".join(LINES)], "validation": ["mill"]}
    data = loaded(MaskedText(tokenizer=wordpiece(), texts=texts, example=example, max_length=5))
    facts = text_facts(data, data.tokenizer)["lengths"]
    assert facts["unit"] == unit
    assert facts["counts"] == [lengths.count(size) for size in range(max(lengths) + 1)]
    assert facts["truncated"] == pytest.approx(sum(size > 5 for size in lengths) / len(lengths))


def test_what_is_cut_into_windows_loses_nothing_and_is_counted_by_document() -> None:
    data = loaded(Windows(tokenizer=wordpiece(), texts={"train": LINES * 3, "validation": LINES}, max_length=4))
    facts = text_facts(data, data.tokenizer)
    assert facts["lengths"]["counts"] == [0, 3, 3, 0, 3]
    assert (facts["lengths"]["unit"], facts["lengths"]["truncated"]) == ("documents", 0.0)


def test_of_a_long_document_the_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CHARACTERS", 100)
    data = loaded(
        Windows(
            tokenizer=wordpiece(), texts={"train": ["river mill", "mill " * 500], "validation": LINES}, max_length=4
        )
    )
    facts = text_facts(data, data.tokenizer)
    assert facts["lengths"]["of"] == 1
    assert facts["tokens_per_word"] == pytest.approx(1.0, abs=0.06)


def test_bins_are_whole_and_hold_every_length() -> None:
    lengths = [0, 1, 31, 32, 63, 64, 200]
    found = histogram(lengths)
    edges, counts = found["edges"], found["counts"]
    assert len(counts) <= 32
    assert len(edges) == len(counts) + 1
    assert edges[0] == 0
    assert counts == [sum(low <= one < high for one in lengths) for low, high in pairwise(edges)]


def test_a_tokenizer_is_called_by_how_it_makes_tokens() -> None:
    assert kind_of(wordpiece()) == "WordPiece"
    assert kind_of(ByteLevelBPE(vocab_size=300).fit(lambda: LINES)) == "byte-level BPE"
