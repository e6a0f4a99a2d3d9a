"""quatrain tokenize: what a tokenizer makes of texts, and whether they come back.

    quatrain train run.dir=outputs/sonnets
    quatrain tokenize outputs/sonnets "Shall I compare thee" "to a summer's day?"

    quatrain tokenize bert-base-uncased "How old are you?" --pair "What is your age?" --max-length 12

TARGET is a run, its export, a Hugging Face folder, a folder with a tokenizer alone or a hub name. For each text its
tokens, ids, token types and attention mask side by side, all texts padded to one length, and then the round trip: what
the text's own ids decode to. Special tokens written in a text are read as such.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quatrain.core.errors import UserError
from quatrain.core.exit_codes import DONE
from quatrain.core.terminal import one_line

if TYPE_CHECKING:
    import argparse

    from quatrain.inference.tokenization import Tokenized

WIDE = 10_000
"""Columns where there is no terminal whose width counts."""


def main(arguments: list[str]) -> int:
    """Run ``quatrain tokenize``; return its exit code."""
    from quatrain.commands.arguments import arguments_of, number, read_arguments
    from quatrain.commands.asked import argument_text, in_flags

    parser = arguments_of("tokenize", __doc__)
    parser.add_argument(
        "target", metavar="TARGET", help="a run, an export, a folder with a tokenizer's files, or a hub name"
    )
    parser.add_argument(
        "texts", metavar="TEXT", nargs="+", help="what to tokenize; a lone - is the lines of standard input"
    )
    parser.add_argument(
        "--pair", action="append", metavar="TEXT", help="a second text for each, or one for every TEXT by --pair again"
    )
    parser.add_argument("--max-length", type=number, metavar="N", help="cut to N tokens, special ones included")
    parser.add_argument("--json", action="store_true", help="one JSON object for each text, on a line of its own")
    asked = read_arguments(parser, arguments)
    if asked is None:
        return DONE
    if asked.texts == ["-"]:
        from quatrain.inference.standard_input import standard_input_lines

        asked.texts = list(standard_input_lines())
    if wrong := _wrong(asked):
        raise UserError(wrong)
    texts = [argument_text(text, f"text {place}") for place, text in enumerate(asked.texts, start=1)]
    pairs = asked.pair and [argument_text(text, "--pair") for text in asked.pair]
    if pairs and len(pairs) == 1:
        pairs *= len(texts)
    from quatrain.inference.tokenization import load_tokenizer, tokenize_texts

    tokenizer = load_tokenizer(asked.target)
    with in_flags("max_length"):
        rows = tokenize_texts(tokenizer, texts, pairs=pairs, max_length=asked.max_length)
    _print(rows, as_json=asked.json)
    return DONE


def _wrong(asked: "argparse.Namespace") -> list[str]:
    from quatrain.commands.arguments import wrong_counts

    wrong = wrong_counts(asked, "max_length")
    if asked.pair and len(asked.pair) not in (1, len(asked.texts)):
        wrong.append(
            f"--pair stands {len(asked.pair)} times for {len(asked.texts)} texts; give it once for all of them, or once"
            " for each."
        )
    return wrong


def _print(rows: "Sequence[Tokenized]", *, as_json: bool) -> None:
    from quatrain.core.json_text import ascii_json

    for place, row in enumerate(rows):
        if as_json:
            sys.stdout.write(ascii_json(_plain(row), indent=None))
        else:
            sys.stdout.write(("\n" if place else "") + _page(row))
    sys.stdout.flush()


def _plain(row: "Tokenized") -> dict[str, Any]:
    return {
        **dict(zip(("text", "pair"), row.texts, strict=False)),
        "tokens": row.tokens,
        "input_ids": row.ids,
        "token_type_ids": row.types,
        "attention_mask": row.mask,
        "tokens_cut": row.cut,
        "round_trip": {"same": row.texts == row.returned, "returned": row.returned},
    }


def _page(row: "Tokenized") -> str:
    lines = [one_line(" | ".join(row.texts)), _table(row)]
    if row.cut:
        lines.append(f"cut: {row.cut} tokens left out")
    trips = row.differences or ["the text comes back as it was" if len(row.texts) == 1 else "both texts come back"]
    lines += [f"round trip: {one_line(trip)}" for trip in trips]
    return "".join(f"{line}\n" for line in lines)


def _table(row: "Tokenized") -> str:
    """Aligned columns, on a terminal with a heading that stands out; rendered before it is written, so that a closed
    pipe is met where every command meets it.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("place", "token", "id", "type", "mask"):
        table.add_column(heading, justify="left" if heading == "token" else "right", overflow="fold")
    columns = (row.tokens, row.ids, row.types, row.mask)
    for place, values in enumerate(zip(*columns, strict=True)):
        table.add_row(*(Text(one_line(str(value))) for value in (place, *values)))
    with console.capture() as got:
        console.print(table)
    return got.get().rstrip("\n")
