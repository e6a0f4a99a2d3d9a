"""The windows module: streams split before windows, documents joined, numbers by hand, one call for a string."""

import itertools
import math
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from quatrain.core.batches import IGNORED
from quatrain.core.errors import UserError
from quatrain.corpora import file_hashes
from quatrain.corpora.sources import FileSource
from quatrain.corpora.verse import log_probability
from quatrain.data.sampler import TrainingBatches
from quatrain.data.windows import Windows, window_loader
from quatrain.tokenizers.tokenizer import Tokenizer
from quatrain.tokenizers.trained import ByteLevelBPE

TEXT = " ".join(f"w{number} runs" for number in range(400))


def module(tokenizer: Any, **changes: Any) -> Windows:
    data = Windows(tokenizer=tokenizer, **{"texts": TEXT, "max_length": 16, "batch_size": 4, **changes})
    data.prepare_data()
    data.setup("fit")
    return data


def stream(data: Windows, split: str) -> list[int]:
    rows: Any = data.rows[split]
    return list(rows.tokens.tolist())


def test_the_whole_text_is_in_the_splits_once_and_in_order(gpt2: Tokenizer):
    data = module(gpt2, validation_share=0.2, test_share=0.1)
    parts = [stream(data, split) for split in ("train", "validation", "test")]
    assert [token for part in parts for token in part] == gpt2.encode([TEXT])[0].tolist()
    assert [data.summary[f"tokens/{split}"] for split in ("train", "validation", "test")] == [*map(len, parts)]
    assert len(parts[1]) == pytest.approx(0.2 * sum(map(len, parts)), rel=0.05)


def test_training_batches_are_windows_of_the_training_stream_alone(gpt2: Tokenizer):
    data = module(gpt2, stride=5, validation_share=0.2)
    tokens = stream(data, "train")
    seen = {}
    for batch in data.train_dataloader():
        for number, inputs, target in zip(batch["example_ids"], batch["input_ids"], batch["target"], strict=True):
            seen[int(number)] = (inputs.tolist(), target.tolist())
    starts = range(0, len(tokens) - 16, 5)
    assert seen == {n: (tokens[i : i + 16], tokens[i + 1 : i + 17]) for n, i in enumerate(starts)}
    assert data.summary["examples/train"] == len(starts)


def test_documents_are_joined_by_the_end_of_text(gpt2: Tokenizer):
    texts = {"train": ["one mill", "two mills"] * 5, "validation": ["a river", "a hill"]}
    data = module(gpt2, texts=texts, documents="lines")
    river, hill = (ids.tolist() for ids in gpt2.encode(["a river", "a hill"]))
    assert stream(data, "validation") == [*river, gpt2.eos_id, *hill]
    assert data.summary["documents/validation"] == 2
    # every token but the first is scored, so its characters are not
    assert data.summary["characters/validation"] == len("a river") + len("a hill") - len(gpt2.decode(river[:1]))


def test_validation_scores_each_token_once_whatever_the_stride(gpt2: Tokenizer):
    for stride in (1, 7, 16, 40):
        data = module(gpt2, stride=stride, validation_share=0.3)
        targets = np.concatenate([batch["target"].numpy().ravel() for batch in data.val_dataloader()])
        scored = targets[targets != IGNORED].tolist()
        assert scored == stream(data, "validation")[1:]


def test_unigram_perplexity_by_hand(gpt2: Tokenizer):
    ids = gpt2.encode(["a b", "a a a"])
    counts = np.unique(np.concatenate(ids), return_counts=True)[1]
    shares = counts / counts.sum()
    data = module(gpt2, texts={"train": [TEXT], "validation": ["a b", "a a a"]})
    assert data.summary["unigram_perplexity"] == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))


def test_no_validation_is_an_empty_list_of_loaders(gpt2: Tokenizer):
    data = module(gpt2, validation_share=0.0)
    assert data.val_dataloader() == []
    assert "unigram_perplexity" not in data.summary


def test_a_text_shorter_than_one_window_is_a_sentence_with_both_numbers(gpt2: Tokenizer):
    tokens = len(gpt2.encode(["one mill and two mills"])[0])
    said = rf"data\.max_length=64 needs 65 tokens .* has {tokens}; set data\.max_length to at most {tokens - 1}"
    with pytest.raises(UserError, match=said):
        module(gpt2, texts="one mill and two mills", max_length=64, validation_share=0.0)
    module(gpt2, texts="one mill and two mills", max_length=tokens - 1, validation_share=0.0)


def test_a_second_start_encodes_nothing(gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch):
    first = module(gpt2)
    monkeypatch.setattr(Tokenizer, "encode", None)
    again = module(gpt2, stride=3, max_length=8)  # the stream is the same for any window
    assert stream(again, "train") == stream(first, "train")


@pytest.mark.parametrize(("documents", "split", "passes"), [("lines", "random", 2), ("whole", "contiguous", 3)])
def test_a_text_is_read_to_lay_it_out_and_once_to_encode_it_and_never_again(
    documents: Any, split: Any, passes: int, gpt2: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Of a text that is one document, a second pass finds where it is cut; a later start takes its hash on trust."""
    file = tmp_path / "text.txt"
    file.write_text(TEXT.replace(" runs ", "\n"), encoding="utf-8")
    asked: dict[str, Any] = {"texts": None, "source": str(file), "documents": documents, "split": split}
    read, hashed = [], []
    texts, sha256 = FileSource.texts, file_hashes._read
    monkeypatch.setattr(FileSource, "texts", lambda source: (read.append(1), texts(source))[1])
    monkeypatch.setattr(file_hashes, "_read", lambda path: (hashed.append(1), sha256(path))[1])
    monkeypatch.setattr(file_hashes, "LEAST", 0)
    monkeypatch.setattr(file_hashes, "SETTLED", -1.0)
    module(gpt2, **asked, test_share=0.1)
    assert (len(read), len(hashed)) == (passes, 1)
    module(gpt2, **asked, test_share=0.1)
    assert (len(read), len(hashed)) == (passes, 1)


def test_the_grammar_s_bits_of_unseen_verse_by_hand(gpt2: Tokenizer):
    """The sum of -log2 of the validation poems' probabilities, over the characters that are scored."""
    data = module(gpt2, texts=None, source="verse", verse_size=30, validation_share=0.2, split="random")
    poems = list(data.corpus().documents("validation"))
    assert len(poems) == 6
    bits = sum(-log_probability(poem) / math.log(2) for poem in poems)
    first = gpt2.decode(gpt2.encode(poems[:1])[0][:1])
    characters = sum(map(len, poems)) - len(first)
    assert data.summary["characters/validation"] == characters
    assert data.summary["grammar_bits_per_character"] == pytest.approx(bits / characters, rel=1e-12)


@pytest.mark.parametrize("cut", [{"documents": "lines", "verse_size": 30}, {"verse_size": 5}], ids=str)
def test_the_grammar_says_nothing_of_parts_of_poems(gpt2: Tokenizer, own_cache: Path, cut: dict[str, Any]):
    """Lines, and the tail of one text of few poems: no poem, so no number, rather than an infinite one."""
    data = module(gpt2, texts=None, source="verse", validation_share=0.3, **cut)
    assert "grammar_bits_per_character" not in data.summary
    assert all("Infinity" not in path.read_text() for path in own_cache.rglob("meta.json"))


def test_rows_travel_to_workers_as_a_path(gpt2: Tokenizer):
    data = module(gpt2, texts="mill " * 20_000, validation_share=0.4)
    for split, rows in data.rows.items():
        sent = pickle.dumps(rows)
        assert len(sent) < 1000 < data.summary[f"tokens/{split}"]
        ours, theirs = (each.__getitems__([(0, 3)]) for each in (rows, pickle.loads(sent)))
        assert all((ours[name] == theirs[name]).all() for name in ours)


def test_one_token_is_a_window(gpt2: Tokenizer):
    tokens = gpt2.encode([TEXT])[0].tolist()
    loader = window_loader(TEXT, tokenizer=gpt2, max_length=1, stride=1, shuffle=False, drop_last=False)
    pairs = [pair for batch in loader for pair in zip(batch["input_ids"], batch["target"], strict=True)]
    assert [(int(one), int(two)) for one, two in pairs] == list(itertools.pairwise(tokens))
    with pytest.raises(UserError, match=r"data\.max_length=3 needs 4 tokens .* has 2; set .* at most 1"):
        window_loader(gpt2.decode(tokens[:2]), tokenizer=gpt2, max_length=3, stride=1)


def test_a_batch_that_can_never_be_full_is_refused_before_training(gpt2: Tokenizer):
    with pytest.raises(UserError, match=r"data\.drop_last=true leaves no batch: data\.batch_size=5000, but"):
        module(gpt2, drop_last=True, batch_size=5000)


def test_a_long_document_is_never_whole_before_the_tokenizer(monkeypatch: pytest.MonkeyPatch):
    """A document of three megabytes reaches `fit` in pieces that are the document."""
    seen: list[str] = []
    fit = ByteLevelBPE.fit

    def noting(recipe: ByteLevelBPE, texts: Any) -> Tokenizer:
        seen.extend(texts())
        return fit(recipe, lambda: seen[:1])

    monkeypatch.setattr(ByteLevelBPE, "fit", noting)
    text = "the mill runs by the river and over the hills " * 65_000
    module(ByteLevelBPE(vocab_size=262), texts={"train": [text]}, validation_share=0.0)
    assert "".join(seen) == text
    assert max(map(len, seen)) < len(text) / 2


def test_test_rows_are_predicted_once_over_the_ranks(gpt2: Tokenizer):
    seen = []
    for rank in range(2):
        data = module(gpt2, test_share=0.3, batch_size=3)
        data.trainer = SimpleNamespace(current_epoch=0, global_rank=rank, world_size=2)  # type: ignore[assignment]
        rows = [n for batch in data.predict_dataloader() for n in batch["example_ids"].tolist() if n >= 0]
        assert rows == [place * 2 + rank for place in range(len(rows))]
        seen += rows
    assert sorted(seen) == list(range(data.summary["examples/test"]))  # type: ignore[arg-type]


def test_a_recipe_is_trained_on_the_training_split_once_and_read_again(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
):
    texts = {"train": ["aaaa bbbb " * 50], "validation": ["qqqq zzzz " * 50]}
    recipe = ByteLevelBPE(vocab_size=270, special_tokens=("<|endoftext|>",), allowed_special="all")
    data = module(recipe, texts=texts)
    vocabulary = data.tokenizer.hf.get_vocab()
    assert "aaaa" in vocabulary
    assert not any("zz" in token for token in vocabulary)
    monkeypatch.setattr(ByteLevelBPE, "fit", None)
    again = module(recipe, texts=texts)
    assert again.tokenizer.fingerprint == data.tokenizer.fingerprint
    assert again.tokenizer.allowed_special == {"<|endoftext|>"}
    assert sorted(path.name for path in own_cache.iterdir()) == ["streams", "tokenizers"]


def test_the_trainer_says_epoch_and_rank(gpt2: Tokenizer):
    data, other = module(gpt2), module(gpt2)
    for rank, each in enumerate((data, other)):
        each.trainer = SimpleNamespace(current_epoch=3, global_rank=rank, world_size=2)  # type: ignore[assignment]
    shares = [[n for batch in each.train_dataloader() for n in batch["example_ids"].tolist()] for each in (data, other)]
    assert len(shares[0]) == len(shares[1])
    assert sorted(n for share in shares for n in share if n >= 0) == list(range(len(data.rows["train"])))
    wanted = TrainingBatches(len(data.rows["train"]), batch_size=data.batch_size, epoch=3, world_size=2)
    assert shares[0] == [index for keys in wanted for _, index in keys]
    held_out = [n for each in (data, other) for batch in each.val_dataloader() for n in batch["example_ids"].tolist()]
    assert sorted(n for n in held_out if n >= 0) == list(range(len(data.rows["validation"])))


def test_the_tokenizer_is_there_after_setup_only(gpt2: Tokenizer):
    data = Windows(tokenizer=gpt2, texts=TEXT)
    with pytest.raises(RuntimeError, match="setup"):
        _ = data.tokenizer


def test_one_call_from_a_string_to_batches(gpt2: Tokenizer, own_cache: Path):
    tokens = gpt2.encode([TEXT])[0].tolist()
    loader = window_loader(TEXT, tokenizer=gpt2, batch_size=3, max_length=8, stride=4, shuffle=False, drop_last=False)
    inputs = [row for batch in loader for row in batch["input_ids"].tolist()]
    assert inputs == [tokens[i : i + 8] for i in range(0, len(tokens) - 8, 4)]
    assert not own_cache.exists()
    shuffled = window_loader(TEXT, tokenizer=gpt2, batch_size=3, max_length=8, stride=4)
    orders = [[n for batch in shuffled for n in batch["example_ids"].tolist()] for _ in range(2)]
    assert orders[0] != orders[1]
    assert len(orders[0]) == len(inputs) // 3 * 3


def test_one_call_refuses_what_the_module_refuses(gpt2: Tokenizer):
    with pytest.raises(UserError, match=r"data\.stride=0"):
        window_loader(TEXT, tokenizer=gpt2, stride=0)
    with pytest.raises(UserError, match=r"data\.max_length=256 needs 257 tokens"):
        window_loader("a mill", tokenizer=gpt2)
