"""Numbers with as many digits as their error leaves them."""

import math
from collections.abc import Sequence
from statistics import median

MOST_DECIMALS = 8


def decimals_for(values: Sequence[float], deviations: Sequence[float | None]) -> int:
    """Decimals by which ``values`` are shown in a column: two digits of the usual deviation, else five in all."""
    known = [deviation for deviation in deviations if deviation]
    if known:
        return _within(1 - math.floor(math.log10(median(known))))
    largest = max((abs(value) for value in values), default=0.0)
    return _within(4 - math.floor(math.log10(largest))) if largest else 1


def fixed(value: float | None, decimals: int, *, sign: bool = False) -> str:
    """``value`` with ``decimals``, in powers of ten where that would hide it; a dash for None."""
    if value is None:
        return "—"
    plus = "+" if sign else ""
    if value and (abs(value) >= 1e9 or abs(value) < 0.5 * 10**-MOST_DECIMALS):
        return f"{value:{plus}.3g}"
    return f"{value:{plus},.{decimals}f}"


def chance(p: float | None) -> str:
    """A p value or probability in three decimals; below a thousandth it says that."""
    if p is None:
        return "—"
    return "<0.001" if 0 < p < 0.001 else f"{p:.3f}"


def share(value: float | None) -> str:
    """A share in whole percent."""
    return "—" if value is None else f"{value:.0%}"


def _within(decimals: int) -> int:
    return max(0, min(MOST_DECIMALS, decimals))
