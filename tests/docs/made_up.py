"""The files that the pages name, with content of our own."""

import json
from pathlib import Path

FIRST = ("The river runs by the mill", "A fox sleeps", "Sailors steer vessels at sea", "The moon is bright tonight")
SECOND = ("By the mill the river runs", "The moon is bright", "Seamen guide ships at sea", "Tonight the moon is bright")
BOTH = zip(FIRST * 10, SECOND * 10, strict=True)
PAIRS = [(one, other, int(number % 4 != 1)) for number, (one, other) in enumerate(BOTH)]

MINE_YAML = """\
# @package _global_
# Another learning rate for the quick experiment.
defaults:
  - quick_sonnets
  - _self_
name: mine
optimizer:
  lr: 1.0e-3"""
MINE_PY = """\
from quatrain.data.masked_text import MaskedText


class Mine(MaskedText):
    pass"""


def write_files(folder: Path) -> None:
    """Write all of them below ``folder``; ``data/`` holds what stands for the hub's."""
    from quatrain.corpora.verse import poems

    verse = list(poems(40, 3))
    lines = [line for poem in verse for line in poem.splitlines()]
    for name in ("text.txt", "book.txt", "data/tinyshakespeare/input.txt"):
        _text(folder / name, "\n\n".join(verse))
    for name in ("sonnets.txt", "data/sonnets/sonnets.txt", "data/sonnets/pg1041_gitenberg_raw.txt"):
        _text(folder / name, "\n\n".join(f"{number}\n\n{poem}" for number, poem in enumerate(verse, 1)))
    for name in ("lines.txt", "texts.txt", "four.txt"):
        _text(folder / name, "\n".join(lines[:4]))
    _text(folder / "texts.csv", "text\n" + "\n".join(f'"{line}"' for line in lines[:6]))
    _reviews(folder, lines)
    _pairs(folder / "rows.jsonl")
    _text(folder / "rows.csv", "sentence1,sentence2\n" + "\n".join(f"{one},{other}" for one, other, _ in PAIRS))
    rows = "\n".join(f"{one} {i},{other},{label}" for i, (one, other, label) in enumerate(PAIRS))
    _text(folder / "pairs.csv", "sentence1,sentence2,label\n" + rows)
    _mrpc(folder / "data" / "mrpc")
    (folder / "docs").mkdir()
    _text(folder / "my_conf/experiment/mine.yaml", MINE_YAML)
    _text(folder / "my_package/__init__.py", "")
    _text(folder / "my_package/data.py", MINE_PY)
    _text(folder / "data/the_verdict/the-verdict.txt", "\n".join(lines * 4))
    _models(folder / "data")


def _reviews(folder: Path, lines: list[str]) -> None:
    import pandas

    rows = [(line, number % 5 + 1, ("complaint", "praise")[number % 2]) for number, line in enumerate(lines)]
    table = pandas.DataFrame(rows, columns=["review", "stars", "verdict"])
    table.to_csv(folder / "reviews.csv", index=False)
    table.to_json(folder / "reviews.jsonl", orient="records", lines=True)
    table.to_parquet(folder / "reviews.parquet", index=False)
    scored = [(f"{one} {number}", other, number / 10) for number, (one, other, _) in enumerate(PAIRS)]
    pandas.DataFrame(scored, columns=["first", "second", "score"]).to_csv(folder / "scored.csv", index=False)


def _text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content + "\n", encoding="utf-8")


def _pairs(path: Path, offset: int = 0) -> None:
    rows = (
        {"sentence1": f"{one} {offset + i}", "sentence2": other, "label": label, "idx": i}
        for i, (one, other, label) in enumerate(PAIRS)
    )
    _text(path, "\n".join(json.dumps(row) for row in rows))


def _mrpc(folder: Path) -> None:
    for number, split in enumerate(("train", "validation", "test")):
        _pairs(folder / f"{split}.jsonl", 100 * number)


def _models(folder: Path) -> None:
    from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

    from quatrain.corpora.verse import poems
    from quatrain.tokenizers.trained import ByteLevelBPE, WordPiece

    words = WordPiece(vocab_size=300).fit(lambda: poems(50, 0))
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(vocab_size=words.vocab_size, max_position_embeddings=128, **sizes)
    BertForMaskedLM(config).save_pretrained(folder / "bert")
    words.save(folder / "bert")
    config.num_labels = 5
    config.id2label = {number: str(number + 1) for number in range(5)}
    config.label2id = {str(number + 1): number for number in range(5)}
    BertForSequenceClassification(config).save_pretrained(folder / "stars")
    words.save(folder / "stars")
    gpt2 = ByteLevelBPE(vocab_size=400, special_tokens=("<|endoftext|>",)).fit(lambda: poems(50, 0))
    gpt2.save(folder / "gpt2_bpe")
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / "gpt2_bpe" / name).unlink(missing_ok=True)
