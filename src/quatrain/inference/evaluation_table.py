"""An evaluation for the eye."""

from collections.abc import Iterator, Sequence

from quatrain.core.terminal import one_line
from quatrain.inference.evaluation import Confusion, Evaluation

MOST_CLASSES = 20
"""In a table of classes that is shown; larger ones stand in the JSON."""


def table(evaluation: Evaluation) -> str:
    """The metrics with their intervals, and below them the table of classes, where there is one."""
    head = f"{evaluation.split}: {evaluation.examples:,} examples of {evaluation.source}"
    rows = [("metric", "value", "95 % interval")]
    for name, measured in evaluation.metrics.items():
        rows.append((name, _number(measured.value), f"{_number(measured.low)} to {_number(measured.high)}"))
    lines = [one_line(head), "", *_aligned(rows)]
    if evaluation.confusion:
        lines += [*_largest_class(evaluation.confusion), "", *_classes(evaluation.confusion)]
        lines += [*_by_class(evaluation.confusion), *_none_wrong(evaluation.confusion)]
    return "\n".join(lines) + "\n"


def _largest_class(confusion: Confusion) -> Iterator[str]:
    """The accuracy of who always gives the commonest label, to hold that of the model against."""
    sizes = [sum(counts) for counts in confusion.counts]
    if any(sizes):
        yield f"accuracy of the largest class alone, {one_line(confusion.labels[sizes.index(max(sizes))])}:" + (
            f" {_number(max(sizes) / sum(sizes))}"
        )


def _by_class(confusion: Confusion) -> Iterator[str]:
    """How many of those that were given a label have it, and how many of those that have it were given it."""
    if len(confusion.labels) > MOST_CLASSES:
        return
    rows: list[Sequence[str]] = [("label", "examples", "precision", "recall", "f1")]
    for place, name in enumerate(confusion.labels):
        right, size = confusion.counts[place][place], sum(confusion.counts[place])
        given = sum(counts[place] for counts in confusion.counts)
        shares = [(right, given), (right, size), (2 * right, size + given)]
        told = [_number(above / below) if below else "none" for above, below in shares]
        rows.append((one_line(name), f"{size:,}", *told))
    yield ""
    yield from _aligned(rows)


def _none_wrong(confusion: Confusion) -> Iterator[str]:
    """What resampling cannot say of a table without a mistake: how many there may be all the same."""
    counts = confusion.counts
    rows = sum(map(sum, counts))
    if rows and sum(counts[place][place] for place in range(len(counts))) == rows:
        most = 1 - 0.05 ** (1 / rows)
        yield ""
        yield f"all {rows:,} are right, and so is every resample; up to {most:.1%} of such rows may be wrong (95 %)"


def _classes(confusion: Confusion) -> Iterator[str]:
    """A row for each label, a column for each prediction."""
    if len(confusion.labels) > MOST_CLASSES:
        yield f"{len(confusion.labels)} classes: their table is in the JSON"
        return
    names = [one_line(name) for name in confusion.labels]
    rows = [("label \\ predicted", *names)]
    rows += [(name, *map(str, counts)) for name, counts in zip(names, confusion.counts, strict=True)]
    yield from _aligned(rows)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip()


def _number(value: float) -> str:
    if value and abs(value) < 1e-3:
        return f"{value:.2e}"
    return f"{value:.4f}" if abs(value) < 100 else f"{value:,.1f}"
