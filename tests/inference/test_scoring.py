"""Tokens are scored as by a whole table of logits, in pieces of a bounded size, and the model stays as it was."""

from typing import Any

import pytest
import torch
from torch import nn

from quatrain.core.batches import IGNORED
from quatrain.inference import scoring
from quatrain.inference.scoring import TokenScorer

VOCAB = 50


def model(task: str) -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel, RobertaConfig, RobertaForMaskedLM

    torch.manual_seed(0)
    if task == "causal_lm":
        return GPT2LMHeadModel(GPT2Config(vocab_size=VOCAB, n_embd=16, n_layer=1, n_head=2, n_positions=12)).eval()
    config = RobertaConfig(
        vocab_size=VOCAB,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=14,
    )
    return RobertaForMaskedLM(config).eval()


def batch(task: str) -> dict[str, torch.Tensor]:
    """Four rows of seven places, of which 4, 0, 7 and 1 are scored."""
    torch.manual_seed(1)
    ids = torch.randint(5, VOCAB, (4, 7))
    target = torch.randint(5, VOCAB, (4, 7))
    for row, kept in enumerate((4, 0, 7, 1)):
        target[row, kept:] = IGNORED
    name = "target" if task == "causal_lm" else "labels"
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), name: target, "example_ids": torch.arange(4)}


def whole(model: Any, batch: dict[str, torch.Tensor], target: torch.Tensor, counts: bool) -> list[list[float]]:
    logs = model(input_ids=batch["input_ids"]).logits.log_softmax(-1)
    rows = []
    for row, wanted in enumerate(target):
        places = (wanted != IGNORED).nonzero()[:, 0].tolist()
        nats = -sum(float(logs[row, place, wanted[place]]) for place in places)
        right = sum(int(logs[row, place].argmax()) == int(wanted[place]) for place in places)
        rows.append([nats, len(places), right if counts else 0])
    return rows


def refuse(model: Any) -> None:
    raise ValueError("it has no plain output table")


@pytest.mark.parametrize("in_two_parts", [True, False])
@pytest.mark.parametrize("most_logits", [1, 3 * VOCAB, 10**6])
@pytest.mark.parametrize("task", ["masked_lm", "causal_lm"])
def test_rows_are_scored_as_by_the_whole_table(
    task: str, most_logits: int, in_two_parts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    it, given = model(task), batch(task)
    target = given["target" if task == "causal_lm" else "labels"]
    with torch.no_grad():
        expected = whole(it, given, target, counts=task == "masked_lm")
        if not in_two_parts:  # what a head says that cannot be taken apart
            monkeypatch.setattr(scoring, "VocabularyHead", refuse)
        with TokenScorer(it, task, most_logits=most_logits) as scorer:
            assert (scorer.head is not None) == in_two_parts
            found = scorer(given)
    assert found.tolist() == [pytest.approx(row, rel=1e-5) for row in expected]
    assert type(it.get_output_embeddings()) is nn.Linear


def test_no_more_logits_are_made_at_once_than_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    linear = nn.functional.linear

    def noting(*given: Any) -> torch.Tensor:
        result = linear(*given)
        if result.shape[-1] == VOCAB:
            made.append(result.numel())
        return result

    it = model("masked_lm")
    with TokenScorer(it, "masked_lm", most_logits=3 * VOCAB) as scorer, torch.no_grad():
        monkeypatch.setattr(nn.functional, "linear", noting)
        scorer(batch("masked_lm"))
    assert max(made) == 3 * VOCAB
    assert sum(made) == 12 * VOCAB
