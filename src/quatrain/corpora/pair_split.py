"""Dealing rows to training, validation and test."""

import hashlib
from collections.abc import Sequence
from typing import Literal

from quatrain.core.errors import UserError

Side = Literal["train", "validation", "test"]


def deal_rows(
    texts: Sequence[tuple[str, ...]], *, validation_share: float, test_share: float, seed: int, origin: str
) -> list[Side]:
    """Return the side of each row of ``texts`` (one text, or a pair).

    Rows with equal texts, the two of a pair in either order, come to the same side. The sides' sizes are the shares of
    the rows, rounded, and at least 1, but where groups of equal rows do not come out even; what is left over goes to
    training. The order of the deal hangs on ``seed`` and the texts alone, not on the rows' order, machine or process.

    Raises:
        UserError: a side would get no row.
    """
    groups: dict[bytes, list[int]] = {}
    for index, row in enumerate(texts):
        groups.setdefault(_group_key(row, seed), []).append(index)
    quota = {"validation": _quota(validation_share, len(texts)), "test": _quota(test_share, len(texts))}
    sides: list[Side] = ["train"] * len(texts)
    for key in sorted(groups):
        held_out = _open_side(quota, len(groups[key]))
        if held_out is not None:
            quota[held_out] -= len(groups[key])
            for index in groups[key]:
                sides[index] = held_out
    wanted: dict[Side, bool] = {"train": True, "validation": validation_share > 0, "test": test_share > 0}
    for side, is_wanted in wanted.items():
        if is_wanted and side not in sides:
            raise UserError(
                f"data.source={origin} has {len(texts)} rows with {len(groups)} different texts, too few to deal any to"
                f" {side} (data.validation_share={validation_share}, data.test_share={test_share});"
                " name the column of the text (data.text_columns), give more rows, or files of your own for each split."
            )
    return sides


def share_sentences(validation_share: float, test_share: float) -> list[str]:
    """What is wrong with the shares, one sentence for each mistake."""
    shares = {"data.validation_share": validation_share, "data.test_share": test_share}
    wrong = [
        f"{key}={share} is no share; write a number from 0 up to, but not, 1."
        for key, share in shares.items()
        if not 0 <= share < 1
    ]
    if not wrong and validation_share + test_share >= 1:
        wrong.append(
            f"data.validation_share={validation_share} and data.test_share={test_share} leave nothing to train on;"
            " let them add up to less than 1."
        )
    return wrong


def _group_key(row: tuple[str, ...], seed: int) -> bytes:
    digest = hashlib.sha256(str(seed).encode())
    for text in sorted(row):
        data = text.encode()
        digest.update(b"%d:" % len(data) + data)
    return digest.digest()


def _quota(share: float, rows: int) -> int:
    return max(1, round(share * rows)) if share > 0 else 0


def _open_side(quota: dict[str, int], size: int) -> Literal["validation", "test"] | None:
    if size <= quota["validation"]:
        return "validation"
    return "test" if size <= quota["test"] else None
