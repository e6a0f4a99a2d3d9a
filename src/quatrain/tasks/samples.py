"""What a trained model says to a few held-out examples, for the eye."""

from dataclasses import dataclass
from typing import Any

import torch

from quatrain.core.batches import IGNORED

AROUND = 6
"""Tokens shown on each side of a masked one."""


@dataclass(frozen=True)
class Sample:
    """One held-out example: what was shown, what the model said (with its probability) and what was right."""

    shown: str
    said: str
    probability: float | None
    right: str


def samples(task: str, model: Any, tokenizer: Any, batch: Any, count: int = 5, label_names: Any = None) -> list[Sample]:
    """Ask ``model`` about the first ``count`` rows of a held-out ``batch``.

    A masked LM fills one masked place of each row, a causal LM goes on greedily after the first half of a row, a
    classifier names the label. The model's mode is as before afterwards; rows with nothing to ask are passed over.
    """
    ask = {"masked_lm": _fill, "causal_lm": _go_on, "sequence_classification": _name}[task]
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            return ask(model, tokenizer, batch, count, label_names)
    finally:
        model.train(was_training)


def _fill(model: Any, tokenizer: Any, batch: Any, count: int, _: Any) -> list[Sample]:
    inputs = batch["input_ids"].to(model.device)
    logits = model(input_ids=inputs, attention_mask=batch["attention_mask"].to(model.device)).logits.float()
    found: list[Sample] = []
    for row, (ids, labels) in enumerate(zip(batch["input_ids"], batch["labels"], strict=True)):
        places = ((labels != IGNORED) & (ids == tokenizer.mask_id)).nonzero().flatten().tolist()
        if not places or len(found) == count:
            continue
        place = places[len(places) // 2]
        chance, guess = logits[row, place].softmax(-1).max(-1)
        said, right = (_visible(tokenizer.decode([int(one)])) for one in (guess, labels[place]))
        found.append(Sample(_around(ids.tolist(), place, tokenizer), said, float(chance), right))
    return found


def _around(ids: list[int], place: int, tokenizer: Any) -> str:
    """The text around a masked place, in which the other masks are mere gaps."""
    hidden = tokenizer.special_ids - {tokenizer.mask_id}
    before, after = (
        [one for one in ids[start:end] if one not in hidden]
        for start, end in ((max(0, place - AROUND), place), (place, place + 1 + AROUND))
    )
    mask = tokenizer.hf.mask_token
    parts = tokenizer.decode([*before, *after]).split(mask)
    asked = before.count(tokenizer.mask_id)
    gaps = [mask if number == asked else "_" for number in range(len(parts) - 1)]
    return " ".join("".join(part + gap for part, gap in zip(parts, [*gaps, ""], strict=True)).split())


def _visible(text: str) -> str:
    """A token for the eye; white space alone is written out."""
    return text.strip() or repr(text)


def _go_on(model: Any, tokenizer: Any, batch: Any, count: int, _: Any) -> list[Sample]:
    found: list[Sample] = []
    for ids in batch["input_ids"][: min(count, 2)]:
        half = max(1, min(len(ids) // 2, 32))
        prompt = ids[None, :half].to(model.device)
        said = model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=min(24, len(ids) - half),
            do_sample=False,
            pad_token_id=tokenizer.pad_id,
        )[0, half:]
        texts = [tokenizer.decode(part.tolist()) for part in (ids[:half], said, ids[half : half + len(said)])]
        shown, answer, right = (" ".join(text.split()) for text in texts)
        found.append(Sample(shown, answer, None, right))
    return found


def _texts(ids: list[int], tokenizer: Any) -> str:
    """The texts of a row without their special tokens, set apart by a stroke."""
    texts: list[list[int]] = [[]]
    for one in ids:
        if one not in tokenizer.special_ids:
            texts[-1].append(one)
        elif texts[-1]:
            texts.append([])
    return " | ".join(" ".join(tokenizer.decode(text).split()) for text in texts if text)


def _name(model: Any, tokenizer: Any, batch: Any, count: int, label_names: Any) -> list[Sample]:
    inputs = {
        name: value[:count].to(model.device) for name, value in batch.items() if name not in ("labels", "example_ids")
    }
    logits = model(**inputs).logits.float()
    found: list[Sample] = []
    for ids, row, label in zip(batch["input_ids"], logits, batch["labels"], strict=False):
        shown = _texts(ids.tolist(), tokenizer)
        if len(row) == 1:
            found.append(Sample(shown, f"{float(row):.2f}", None, f"{float(label):.2f}"))
            continue
        chance, guess = row.softmax(-1).max(-1)
        names = label_names or [str(number) for number in range(len(row))]
        right = names[int(label)] if int(label) != IGNORED else "unknown"
        found.append(Sample(shown, names[int(guess)], float(chance), right))
    return found
