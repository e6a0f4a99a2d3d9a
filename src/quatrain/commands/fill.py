"""quatrain fill: what a masked language model puts in place of the masks of a text.

    quatrain train run.dir=outputs/sonnets
    quatrain fill outputs/sonnets "Shall I <mask> thee to a summer's day" --top-k 5

    quatrain fill bert-base-uncased "Paris is the [MASK] of France." "A [MASK] is a pet."
    quatrain fill outputs/sonnets - --json < masked_lines.txt > filled.jsonl

TARGET is a run, its export, any Hugging Face folder or a hub name of a masked language model. Each mask is filled on
its own; <mask> and [MASK] are both understood. For each guess: its probability, the token, the filled text.
"""

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from quatrain.core.exit_codes import DONE
from quatrain.core.progress_line import ProgressLine
from quatrain.core.terminal import one_line

if TYPE_CHECKING:
    from quatrain.inference.filling import Filled


def main(arguments: list[str]) -> int:
    """Run ``quatrain fill``; return its exit code."""
    from quatrain.commands.arguments import add_target, arguments_of, number, read_arguments, wrong_counts
    from quatrain.commands.asked import argument_text, given, in_flags, load_target

    parser = arguments_of("fill", __doc__)
    add_target(parser)
    parser.add_argument("texts", metavar="TEXT", nargs="+", help="with a mask; - alone: the lines of standard input")
    parser.add_argument("--top-k", type=number, metavar="K", help="guesses for each mask (5)")
    parser.add_argument("--json", action="store_true", help="one JSON object for each text, on a line of its own")
    asked = read_arguments(parser, arguments)
    if asked is None:
        return DONE
    loaded = load_target(asked, "fill", wrong_counts(asked, "top_k"))
    from quatrain.inference.filling import fill_texts
    from quatrain.inference.masked_texts import check_texts
    from quatrain.inference.sources import STANDARD_INPUT
    from quatrain.inference.standard_input import standard_input_lines

    options: dict[str, Any] = given(asked, ["top_k"])
    if asked.texts == [STANDARD_INPUT]:
        texts: Iterable[str] = standard_input_lines()
        options["named"] = "standard input, line"
    else:
        texts = [argument_text(text, f"text {place}") for place, text in enumerate(asked.texts, start=1)]
        check_texts(loaded, texts)
    read: deque[str] = deque()
    with in_flags("top_k"):
        answers = fill_texts(loaded, _kept(texts, read), **options)
    with ProgressLine("filling", unit="texts", millions=False) as line:
        for place, filled in enumerate(answers):
            _print(read.popleft(), filled, place, asked.json)
            if not sys.stdout.isatty():  # where the answers themselves say how far it is
                line.show(place + 1, place + 1)
    return DONE


def _kept(texts: Iterable[str], read: deque[str]) -> Iterator[str]:
    """``texts``, each also in ``read`` until its answer has come."""
    for text in texts:
        read.append(text)
        yield text


def _print(text: str, filled: Sequence["Filled"], place: int, as_json: bool) -> None:
    from quatrain.core.json_text import ascii_json

    if as_json:
        sys.stdout.write(ascii_json({"text": text, "filled": [asdict(guess) for guess in filled]}, indent=None))
    else:
        lines = [*([""] if place else []), one_line(text), *_table(filled)]
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _table(filled: Sequence["Filled"]) -> Iterator[str]:
    """A line for each guess; where there are several masks, above those of each its number."""
    from rich.cells import cell_len

    tokens = [_shown(guess.token) for guess in filled]
    width = max(map(cell_len, tokens))
    for place, (guess, token) in enumerate(zip(filled, tokens, strict=True)):
        if filled[-1].mask > 1 and (place == 0 or filled[place - 1].mask != guess.mask):
            yield f"  mask {guess.mask}"
        padding = " " * (width - cell_len(token))
        yield f"  {guess.probability:.4f}  {token}{padding}  {one_line(guess.text.strip())}"


def _shown(token: str) -> str:
    """A token for the eye: without the space before it, and white space alone written out."""
    return one_line(token.strip() or repr(token))
