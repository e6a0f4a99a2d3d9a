"""Masking: what is never hidden, labels, rates, and that a mask belongs to its example and epoch alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from quatrain.core.batches import IGNORED
from quatrain.data.collate import Layout
from quatrain.data.counter_hash import key_of, mix, words
from quatrain.data.masking import Masking

Ids = NDArray[np.int64]

VOCAB = 100
SPECIAL = np.arange(VOCAB) < 5
MASK = 4


def masking(**changes: object) -> Masking:
    settings: dict[str, object] = {"probability": 0.15, "rule": "80_10_10", "mask_id": MASK, "special": SPECIAL}
    return Masking(**{**settings, **changes})  # type: ignore[arg-type]


def table(rows: int, seq: int, seed: int = 0) -> Ids:
    return np.random.default_rng(seed).integers(5, VOCAB, size=(rows, seq))


def of_table(rule: Masking, ids: Ids, lengths: Ids, *, epochs: Ids, examples: Ids) -> tuple[Ids, Ids]:
    """Mask the first ``lengths`` ids of each row of a table; masked ids and labels as tables, IGNORED beyond."""
    layout = Layout(lengths)
    inside = layout.attention_mask() == 1
    flat, asked = rule(ids[:, : layout.longest][inside], layout, epochs=epochs, examples=examples)
    return layout.padded(flat, IGNORED), layout.padded(asked, IGNORED)


def apply(rule: Masking, ids: Ids, epoch: int = 0, first: int = 0) -> tuple[Ids, Ids]:
    whole = np.full(len(ids), ids.shape[1])
    return of_table(rule, ids, whole, epochs=np.full(len(ids), epoch), examples=first + np.arange(len(ids)))


def plainly(rule: Masking, ids: Ids, lengths: Ids, *, epochs: Ids, examples: Ids) -> tuple[Ids, Ids]:
    """What `of_table` gives, token by token, from the keys as they are written."""

    def drawn(stream: int, row: int, position: int) -> int:
        key = key_of(stream, rule.seed, int(epochs[row]), int(examples[row]))
        return int(mix(key ^ mix(words(position)))[0])

    masked, labels = np.full((2, len(ids), lengths.max()), IGNORED)
    ordinary = np.flatnonzero(~rule.special)
    for row, length in enumerate(lengths):
        unit = 0
        for position, token in enumerate(ids[row, :length].tolist()):
            begins = position == 0 or rule.special[ids[row, position - 1]] or rule.special[token]
            if rule.word_starts is None or rule.word_starts[token] or begins:
                unit = position
            masked[row, position] = token
            if rule.special[token]:
                continue
            chosen = (drawn(2, row, unit) >> 11) * 2.0**-53 < rule.probability
            if chosen or rule.labels == "all":
                labels[row, position] = token
            treatment = (drawn(3, row, position) >> 11) * 2.0**-53
            if chosen and (rule.rule == "always" or treatment < 0.8):
                masked[row, position] = rule.mask_id
            elif chosen and treatment < 0.9:
                masked[row, position] = ordinary[drawn(4, row, position) % len(ordinary)]
    return masked, labels


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rule": "always", "labels": "all"},
        {"word_starts": np.arange(VOCAB) % 3 == 0, "seed": -7, "probability": 0.4},
        {"labels": "all", "seed": 3, "probability": 0.9},
    ],
)
def test_every_token_is_treated_as_its_own_hashes_say(changes: dict[str, object]):
    ids = np.random.default_rng(3).integers(0, VOCAB, size=(9, 30))
    lengths = np.asarray([30, 1, 7, 12, 30, 2, 29, 5, 18])
    words_of: dict[str, Ids] = {"epochs": np.asarray([0, 1, -1] * 3), "examples": np.arange(9)[::-1] * 1_000_003}
    found, wanted = (
        of_table(masking(**changes), ids, lengths, **words_of),
        plainly(masking(**changes), ids, lengths, **words_of),
    )
    assert (found[0] == wanted[0]).all()
    assert (found[1] == wanted[1]).all()


def test_special_tokens_are_never_hidden_nor_drawn():
    ids = table(200, 35)
    ids[:, 0], ids[:, 20], ids[:, 30:] = 0, 2, 1
    masked, labels = apply(masking(probability=0.9), ids)
    never = SPECIAL[ids]
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
    numbers = np.arange(8)
    backwards, _ = of_table(masking(), ids, np.full(8, 60), epochs=0 * numbers, examples=numbers[::-1])
    assert (backwards[::-1] == whole).all()
    shorter, _ = of_table(masking(), ids, 60 - numbers, epochs=0 * numbers, examples=numbers)
    assert all((row[: 60 - number] == whole[number, : 60 - number]).all() for number, row in enumerate(shorter))
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
