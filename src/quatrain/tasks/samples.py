"""What a model says to a few held-out examples, for the eye."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import torch
from torch import Tensor

from quatrain.core.batches import IGNORED

AROUND = 6
"""Tokens shown on each side of a masked one."""

PROMPT = 32
"""Most tokens that a causal LM is shown before it goes on."""


@dataclass(frozen=True)
class Sample:
    """One held-out example: what was shown, what the model said (with its probability) and what was right."""

    shown: str
    said: str
    probability: float | None
    right: str


@dataclass(frozen=True)
class Question:
    """One row of a held-out batch, without its padding.

    ``inputs``: what the model takes of it, ids by place. ``right``: the label; of a masked LM those of all places.
    """

    inputs: Mapping[str, list[int]]
    right: Any


def questions(task: str, batch: Any, tokenizer: Any, count: int) -> list[Question]:
    """Return the first ``count`` rows of a held-out ``batch``, padded or packed, that there is something to ask about.

    They are plain numbers, so that they outlive the batch.
    """
    asked: list[Question] = []
    rows = {"masked_lm": _masked_rows, "causal_lm": _windows, "sequence_classification": _labelled_rows}[task](batch)
    for row in rows:
        if len(asked) == count:
            break
        if task != "masked_lm" or asked_places(row, tokenizer.mask_id):
            asked.append(row)
    return asked


def answers(
    task: str,
    model: Any,
    tokenizer: Any,
    asked: Sequence[Question],
    *,
    label_names: Sequence[str] | None = None,
    new_tokens: int = 24,
) -> list[Sample]:
    """Ask ``model`` about each of ``asked``; one answer for each.

    A masked LM fills one masked place of a row, a causal LM goes on greedily after the first half of a row (`PROMPT`
    tokens at most) for at most ``new_tokens``, a classifier names the label or the score. All parts of the model are in
    the mode that they were in afterwards.
    """
    ask: dict[str, Callable[[], Iterator[Sample]]] = {
        "masked_lm": lambda: (_fill(model, tokenizer, one) for one in asked),
        "causal_lm": lambda: _go_on(model, tokenizer, asked, new_tokens),
        "sequence_classification": lambda: (_name(model, tokenizer, one, label_names) for one in asked),
    }
    with _evaluating(model), torch.no_grad():
        return list(ask[task]())


def samples(task: str, model: Any, tokenizer: Any, batch: Any, count: int = 5, label_names: Any = None) -> list[Sample]:
    """Ask ``model`` about the first ``count`` rows of a held-out ``batch``, see `questions` and `answers`."""
    return answers(task, model, tokenizer, questions(task, batch, tokenizer, count), label_names=label_names)


def around(ids: Sequence[int], place: int, tokenizer: Any) -> str:
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


def visible(text: str) -> str:
    """A token for the eye; white space alone is written out."""
    return text.strip() or repr(text)


def texts_of(ids: Sequence[int], tokenizer: Any) -> list[str]:
    """The texts of a row, which its special tokens set apart."""
    texts: list[list[int]] = [[]]
    for one in ids:
        if one not in tokenizer.special_ids:
            texts[-1].append(one)
        elif texts[-1]:
            texts.append([])
    return [" ".join(tokenizer.decode(text).split()) for text in texts if text]


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def _masked_rows(batch: Any) -> Iterator[Question]:
    if "cu_seqlens" in batch:  # one row holds them all, end to end
        ends = batch["cu_seqlens"].tolist()
        places = [(0, slice(start, end)) for start, end in pairwise(ends)]
    else:
        places = [(row, slice(0, length)) for row, length in enumerate(batch["attention_mask"].sum(1).tolist())]
    for row, part in places:
        ids, labels = (batch[name][row, part].tolist() for name in ("input_ids", "labels"))
        yield Question({"input_ids": ids}, labels)


def _windows(batch: Any) -> Iterator[Question]:
    for ids, target in zip(batch["input_ids"], batch["target"], strict=True):
        length = _last(target) + 1
        if length > 1:
            yield Question({"input_ids": ids[:length].tolist()}, None)


def _last(target: Tensor) -> int:
    """The last place that is scored; what follows may be filled up. -1 where none is."""
    places = (target != IGNORED).nonzero()
    return int(places[-1]) if len(places) else -1


def _labelled_rows(batch: Any) -> Iterator[Question]:
    names = [name for name in ("input_ids", "token_type_ids") if name in batch]
    for row, length in enumerate(batch["attention_mask"].sum(1).tolist()):
        inputs = {name: batch[name][row, :length].tolist() for name in names}
        yield Question(inputs, batch["labels"][row].item())


def asked_places(row: Question, mask_id: int | None) -> list[int]:
    """The places of a masked row whose token is hidden and asked for."""
    pairs = zip(row.inputs["input_ids"], row.right, strict=True)
    return [place for place, (one, label) in enumerate(pairs) if one == mask_id and label != IGNORED]


def logits_of(model: Any, question: Question) -> Tensor:
    """What the model says to one row, float32, without the dimension of the batch."""
    inputs = {name: torch.tensor([ids], device=model.device) for name, ids in question.inputs.items()}
    logits: Tensor = model(**inputs, attention_mask=torch.ones_like(inputs["input_ids"])).logits
    return logits[0].float()


def _fill(model: Any, tokenizer: Any, question: Question) -> Sample:
    ids = question.inputs["input_ids"]
    places = asked_places(question, tokenizer.mask_id)
    place = places[len(places) // 2]
    chance, guess = logits_of(model, question)[place].softmax(-1).max(-1)
    said, right = (visible(tokenizer.decode([int(one)])) for one in (guess, question.right[place]))
    return Sample(around(ids, place, tokenizer), said, float(chance), right)


def _half(question: Question) -> int:
    return max(1, min(len(question.inputs["input_ids"]) // 2, PROMPT))


def _go_on(model: Any, tokenizer: Any, asked: Sequence[Question], new_tokens: int) -> Iterator[Sample]:
    """Prompts of one length together, in their order."""
    for half, group in groupby(asked, _half):
        rows = [one.inputs["input_ids"] for one in group]
        prompts = torch.tensor([ids[:half] for ids in rows], device=model.device)
        made = model.generate(
            prompts,
            attention_mask=torch.ones_like(prompts),
            max_new_tokens=min(new_tokens, min(map(len, rows)) - half),
            do_sample=False,
            num_beams=1,
            pad_token_id=tokenizer.pad_id,
        )[:, half:].tolist()
        for ids, said in zip(rows, made, strict=True):
            said = said[: said.index(tokenizer.eos_id) + 1] if tokenizer.eos_id in said else said
            texts = [tokenizer.decode(part) for part in (ids[:half], said, ids[half : half + len(said)])]
            shown, answer, right = (" ".join(text.split()) for text in texts)
            yield Sample(shown, answer, None, right)


def _name(model: Any, tokenizer: Any, question: Question, label_names: Sequence[str] | None) -> Sample:
    shown = " | ".join(texts_of(question.inputs["input_ids"], tokenizer))
    logits, label = logits_of(model, question), question.right
    if len(logits) == 1:
        return Sample(shown, f"{float(logits):.2f}", None, "unknown" if label != label else f"{label:.2f}")
    chance, guess = logits.softmax(-1).max(-1)
    names = label_names or [str(number) for number in range(len(logits))]
    right = names[int(label)] if int(label) != IGNORED else "unknown"
    return Sample(shown, names[int(guess)], float(chance), right)
