"""Folders as they are made elsewhere: tiny random models of several families with their tokenizers."""

from pathlib import Path
from typing import Any

LINES = [
    "the river runs below the hill",
    "a lantern burns above the mill",
    "the miller counts his sacks of grain",
    "and hears the river and the rain",
]
POSITIONS = 40


def texts(count: int, seed: int = 0) -> list[str]:
    """Texts of one to thirty words, some beyond the positions of the models."""
    import random

    words = " ".join(LINES).split()
    draw = random.Random(seed)
    return [" ".join(draw.choices(words, k=draw.randint(1, 30))) for _ in range(count)]


def pairs(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Pairs of `texts`."""
    return list(zip(texts(count, seed), texts(count, seed + 1), strict=True))


def classifier(folder: Path, family: str, labels: tuple[str, ...] = ("no", "yes", "perhaps"), **words: Any) -> Path:
    """Save a classifier of two layers whose answers are far apart."""
    import transformers

    tokenizer, config = _parts(family)
    names = dict(enumerate(labels))
    config.update({"num_labels": len(labels), "id2label": names, "label2id": {b: a for a, b in names.items()}, **words})
    return _save(folder, tokenizer, transformers.AutoModelForSequenceClassification.from_config(config))


def encoder(folder: Path, family: str) -> Path:
    """Save a model without a head."""
    import transformers

    tokenizer, config = _parts(family)
    return _save(folder, tokenizer, transformers.AutoModel.from_config(config))


def foreign(folder: Path, family: str) -> Path:
    """Save a model that is no plain body of texts: t5 and bart are encoder-decoders, clip sees images as well."""
    import transformers

    from quatrain.tokenizers.trained import WordPiece

    tokenizer = WordPiece(vocab_size=120, min_frequency=1).fit(lambda: LINES)
    ids = {"vocab_size": tokenizer.vocab_size, "pad_token_id": tokenizer.pad_id, "bos_token_id": 0, "eos_token_id": 1}
    part: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    part |= {"num_attention_heads": 2, "projection_dim": 8}
    sizes: dict[str, dict[str, Any]] = {
        "t5": {**ids, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2},
        "bart": {**ids, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "max_position_embeddings": POSITIONS}
        | {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32},
        "clip": {"text_config": {**part, **ids}, "vision_config": {**part, "image_size": 32, "patch_size": 16}},
    }
    config = transformers.AutoConfig.for_model(family, **sizes[family])
    return _save(folder, tokenizer, transformers.AutoModel.from_config(config))


def _parts(family: str) -> tuple[Any, Any]:
    import transformers

    from quatrain.tokenizers.trained import ByteLevelBPE, WordPiece

    if family in ("bert", "distilbert"):
        tokenizer = WordPiece(vocab_size=120, min_frequency=1).fit(lambda: LINES)
    else:
        special = {"special_tokens": ("<|endoftext|>",)} if family == "gpt2" else {}
        tokenizer = ByteLevelBPE(vocab_size=300, min_frequency=1, **special).fit(lambda: LINES)
    size: dict[str, Any] = {"vocab_size": tokenizer.vocab_size}
    if family == "gpt2":
        size |= {
            "n_embd": 16,
            "n_layer": 2,
            "n_head": 2,
            "n_positions": POSITIONS,
            "bos_token_id": 0,
            "eos_token_id": 0,
        }
    elif family == "distilbert":
        size |= {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": POSITIONS}
    else:
        size |= {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
        size |= {"max_position_embeddings": POSITIONS + (2 if family == "roberta" else 0)}
        size |= {"pad_token_id": tokenizer.pad_id, "type_vocab_size": 1 if family == "roberta" else 2}
    return tokenizer, transformers.AutoConfig.for_model(family, initializer_range=0.3, **size)


def _save(folder: Path, tokenizer: Any, model: Any) -> Path:
    import torch

    draw = torch.Generator().manual_seed(3)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.data.normal_(0, 0.3, generator=draw)
    model.save_pretrained(folder)
    tokenizer.save(folder)
    return folder
