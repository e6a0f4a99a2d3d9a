"""Masking: what is never hidden, labels, rates, and that a mask belongs to its example and epoch alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from quatrain.core.batches import IGNORED
from quatrain.data.masking import Masking

VOCAB = 100
SPECIAL = np.arange(VOCAB) < 5
MASK = 4


def masking(**changes: object) -> Masking:
    settings: dict[str, object] = {"probability": 0.15, "rule": "80_10_10", "mask_id": MASK, "special": SPECIAL}
    return Masking(**{**settings, **changes})  # type: ignore[arg-type]


def table(rows: int, seq: int, seed: int = 0) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(5, VOCAB, size=(rows, seq))


def apply(rule: Masking, ids: NDArray[np.int64], epoch: int = 0, first: int = 0):
    examples = first + np.arange(len(ids))
    return rule(ids, np.ones_like(ids), epochs=np.full(len(ids), epoch), examples=examples)


def test_special_tokens_and_padding_are_never_hidden_nor_drawn():
    ids = table(200, 40)
    ids[:, 0], ids[:, 20], ids[:, 30:] = 0, 2, 1
    attention = np.ones_like(ids)
    attention[:, 35:] = 0
    ids[:, 36] = 50  # an ordinary id under padding
    rule = masking(probability=0.9)
    masked, labels = rule(ids, attention, epochs=np.zeros(200, int), examples=np.arange(200))
    never = SPECIAL[ids] | (attention == 0)
    assert (masked[never] == ids[never]).all()
    assert (labels[never] == IGNORED).all()
    assert not (SPECIAL[masked] & ~never & (masked != MASK)).any()


def test_labels_are_the_hidden_ids_and_nothing_else_changes():
    ids = table(50, 64)
    masked, labels = apply(masking(), ids)
    asked = labels != IGNORED
    assert (labels[asked] == ids[asked]).all()
    assert (masked[~asked] == ids[~asked]).all()


def test_labels_all_are_the_unmasked_ids_at_every_ordinary_place():
    ids = table(20, 30)
    ids[:, 0] = 2
    masked, labels = apply(masking(labels="all"), ids)
    assert (labels[:, 1:] == ids[:, 1:]).all()
    assert (labels[:, 0] == IGNORED).all()
    assert (masked == apply(masking(), ids)[0]).all()


def within(share: float, wanted: float, draws: int) -> bool:
    """Inside of four standard deviations of a binomial share."""
    return abs(share - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / draws)


def test_rates_are_15_percent_and_80_10_10():
    ids = table(2000, 100)
    masked, labels = apply(masking(), ids)
    asked = labels != IGNORED
    assert within(asked.mean(), 0.15, ids.size)
    count = int(asked.sum())
    assert within((masked[asked] == MASK).mean(), 0.8, count)
    # 1 of 95 random draws is the token itself
    assert within((masked[asked] == ids[asked]).mean(), 0.1 + 0.1 / 95, count)
    # every position alike
    assert all(within(share, 0.15, len(ids)) for share in asked.mean(axis=0))


def test_random_tokens_are_uniform_over_ordinary_ids():
    ids = np.full((4000, 100), 5)
    masked, labels = apply(masking(), ids)
    drawn = masked[(labels != IGNORED) & (masked != MASK)]
    counts = np.bincount(drawn, minlength=VOCAB)[6:]  # 5 itself also counts what was left as it is
    expected = counts.mean()
    assert ((counts - expected) ** 2 / expected).sum() < 142.9  # 93 degrees of freedom: 1 of 1000


def test_always_puts_the_mask_token():
    ids = table(50, 50)
    masked, labels = apply(masking(rule="always"), ids)
    assert (masked[labels != IGNORED] == MASK).all()


def test_the_batch_does_not_matter_but_example_epoch_and_seed_do():
    ids = np.repeat(table(1, 60), 8, axis=0)
    whole, _ = apply(masking(), ids)
    assert len({row.tobytes() for row in whole}) == 8
    alone, _ = apply(masking(), ids[3:4], first=3)
    assert (alone == whole[3:4]).all()
    backwards, _ = masking()(ids, np.ones_like(ids), epochs=np.zeros(8, int), examples=np.arange(8)[::-1])
    assert (backwards[::-1] == whole).all()
    longer = np.concatenate([ids, np.ones((8, 5), int)], axis=1)
    attention = np.concatenate([np.ones_like(ids), np.zeros((8, 5), int)], axis=1)
    padded, _ = masking()(longer, attention, epochs=np.zeros(8, int), examples=np.arange(8))
    assert (padded[:, :60] == whole).all()
    assert (apply(masking(), ids, epoch=1)[0] != whole).any()
    assert (apply(masking(seed=1), ids)[0] != whole).any()


@pytest.mark.parametrize("seed", [0, 1])
def test_whole_words_are_hidden_together(seed: int):
    # Even ids begin a word, odd ones go on with it; a token after a special one begins a word by its place.
    starts = np.arange(VOCAB) % 2 == 0
    ids = table(3000, 30, seed)
    ids[:, 0] = 0
    ids[:, 15] = 2
    _, labels = apply(masking(word_starts=starts, seed=seed), ids)
    asked = labels != IGNORED
    for column in range(1, 30):
        if column == 15:
            continue
        joined = (ids[:, column] % 2 == 1) & (column not in (1, 16))
        assert (asked[joined, column] == asked[joined, column - 1]).all()
    begins = (ids % 2 == 0) & (ids >= 5)
    assert within(asked[begins].mean(), 0.15, int(begins.sum()))
