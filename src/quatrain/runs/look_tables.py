"""What `quatrain.runs.looking` saw, as tables for a terminal. What comes of data, names and tokens is escaped."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from quatrain.core.batches import IGNORED
from quatrain.runs.text_tables import cut, grid, heading, line, number, table
from quatrain.runs.tokenizer_facts import special_lines

if TYPE_CHECKING:
    from rich.table import Table

HEADINGS = {
    "input_ids": "id",
    "token_type_ids": "type",
    "attention_mask": "mask",
    "position_ids": "position",
    "labels": "label",
}
"""What the columns of a row are called, where not as the tensors."""

SHARES = ("truncated", "majority_share")
FIRST, LAST = 32, 8
"""Places of a longer row that are shown, from its beginning and its end."""

KNOWN = ("class", "source", "corpus", "settings", "features", "splits", "labels", "notes", "padding_share", "raw_rows")
"""Parts of the data that are shown in ways of their own; the others are numbers of its summary."""

LONGEST, LONGEST_TEXT = 30, 400
"""Characters of a token, and of the text of a row, that are shown."""

ENDS = 12
"""Examples of a packed row whose ends are told."""


def tables(seen: Mapping[str, Any], *, width: int, terminal: bool) -> str:
    """Return all of it, ``width`` columns wide; bold headings where it goes to a ``terminal``."""
    from rich.console import Console

    buffer = StringIO()
    console = Console(file=buffer, width=width, force_terminal=terminal, highlight=False, markup=False, emoji=False)
    for part in _parts(seen):
        console.print(part)
    return "".join(f"{one.rstrip()}\n" for one in buffer.getvalue().splitlines())


def _parts(seen: Mapping[str, Any]) -> Iterator[Any]:
    data, tokenizer, batch = seen["data"], seen["tokenizer"], seen["batch"]
    yield grid(_of_data(data))
    if data["splits"]:
        yield line("")
        yield _of_splits(data["splits"])
    if data["raw_rows"]:
        yield heading("raw rows of the training split")
        yield cut(_raw(data["raw_rows"]))
    yield heading("tokenizer")
    size = "unknown" if tokenizer["vocabulary"] is None else f"{tokenizer['vocabulary']:,} entries"
    yield grid(
        [
            ("class", tokenizer["class"]),
            ("vocabulary", size),
            ("special tokens", special_lines(tokenizer["special_tokens"])),
        ]
    )
    yield heading("first training batch")
    yield _of_tensors(batch["tensors"])
    if batch["row"]:
        yield heading(_which_row(batch))
        yield grid(_of_row(batch["row"]))
        yield line("")
        yield _places(batch["row"])


def _of_data(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "data", data["class"]
    if data["source"] is not None:
        yield "source", data["source"]
    settings = [f"{name} {number(value)}" for name, value in data["settings"].items() if value is not None]
    if settings:
        yield "settings", ", ".join(settings)
    if data["features"]:
        yield "features", "; ".join(f"{name}: {kind}" for name, kind in data["features"].items())
    for split, counts in data["labels"].items():
        yield f"labels, {split}", ", ".join(_counted(name, count, counts) for name, count in counts.items())
    for note in data["notes"]:
        yield "note", note
    if data["padding_share"] is not None:
        yield "padding", f"{data['padding_share']:.1%} of the places in training batches"
    for name, value in data.items():
        if name not in KNOWN:
            yield name.replace("_", " "), number(value)


def _counted(name: str, count: Any, counts: Mapping[str, Any]) -> str:
    if not all(isinstance(one, int) for one in counts.values()):  # scores
        return f"{name} {number(count)}"
    return f"{name}: {count:,} ({count / max(1, sum(counts.values())):.1%})"


def _of_splits(splits: Mapping[str, Mapping[str, Any]]) -> "Table":
    names = list(dict.fromkeys(name for numbers in splits.values() for name in numbers))
    rows = (
        [split, *(_share_or_number(name, numbers[name]) if name in numbers else "" for name in names)]
        for split, numbers in splits.items()
    )
    headings = ["split", *("largest class" if name == "majority_share" else name for name in names)]
    return table(headings, rows, left=("split",))


def _raw(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for count, row in enumerate(rows, 1):
        wide = max(map(len, row))
        for place, (name, value) in enumerate(row.items()):
            yield f"{'' if place else count:>3}  {name:{wide}}  {value}"


def _of_tensors(tensors: Iterable[Mapping[str, Any]]) -> "Table":
    rows = []
    for tensor in tensors:
        named = zip(tensor["dimensions"], tensor["shape"], strict=True)
        shape = ", ".join(str(size) if name in (None, "1") else f"{name} {size}" for name, size in named)
        value = f"{tensor['dtype']} {tensor['value']}" if "value" in tensor else tensor["dtype"]
        rows.append([tensor["name"], "" if "value" in tensor else f"[{shape}]", value])
    return table(["name", "shape", "type"], rows, left=("name", "shape", "type"))


def _which_row(batch: Mapping[str, Any]) -> str:
    packed = batch["packing"]
    if packed is None:
        return "its first row"
    more = ", …" if len(packed["ends"]) > ENDS else ""
    ends = ", ".join(map(str, packed["ends"][:ENDS])) + more
    return (
        f"its first example; {packed['examples']:,} lie end to end in one row of {packed['tokens']:,} tokens without"
        f" padding, and end at {ends} (cu_seqlens); positions begin anew in each"
    )


def _of_row(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in row["values"].items():
        label = f" ({row['label_name']})" if name == "labels" and "label_name" in row else ""
        yield name, f"{value}{label}"
    if row["text"] is not None:
        yield "text", _short(row["text"], LONGEST_TEXT)


def _places(row: Mapping[str, Any]) -> "Table":
    """A line for each place: the token, its id, and what else the batch says of it."""
    columns, tokens = row["columns"], row["tokens"]
    padding = _padding(columns)
    count = len(columns["input_ids"]) - padding
    headings = ["place", *(["token"] if tokens else []), *(HEADINGS.get(name, name) for name in columns)]

    def at(place: int) -> list[str]:
        cells = [_cell(row, name, place) for name in columns]
        return [str(place), *([_short(tokens[place])] if tokens else []), *cells]

    if count <= FIRST + LAST:
        lines = [at(place) for place in range(count)]
    else:
        between = ["…", *[""] * (len(headings) - 1)]
        lines = [*map(at, range(FIRST)), between, *map(at, range(count - LAST, count))]
    if padding:
        told = f"{padding:,} of padding"
        lines.append((["…", told] if tokens else [f"… {told}"]) + [""] * (len(headings) - 1 - bool(tokens)))
    return table(headings, lines, left=("token", "label", "target"))


def _padding(columns: Mapping[str, Sequence[int]]) -> int:
    """How many places at a row's end are padding; 0 where the batch does not tell."""
    mask = columns.get("attention_mask", [1])
    return next((place for place, shown in enumerate(reversed(mask)) if shown), 0)


def _cell(row: Mapping[str, Any], name: str, place: int) -> str:
    value = row["columns"][name][place]
    tokens = row["columns_as_tokens"].get(name)
    if value == IGNORED and name in ("labels", "target"):
        return "·"
    return f"{value} {_short(tokens[place])}" if tokens else str(value)


def _short(text: str | None, longest: int = LONGEST) -> str:
    if text is None:  # an id that the vocabulary lacks
        return "?"
    return text if len(text) <= longest else f"{text[:longest]}…"


def _share_or_number(name: str, value: Any) -> str:
    return f"{value:.1%}" if name in SHARES and isinstance(value, float) else number(value)
