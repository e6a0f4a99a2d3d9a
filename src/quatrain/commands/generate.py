"""quatrain generate: go on with a text, token by token as they are made.

    quatrain train experiment=quick_windows run.dir=outputs/windows
    quatrain generate outputs/windows "The gentle river" --max-new-tokens 60 --temperature 0.8

    quatrain generate gpt2 "Shall I compare" --samples 3 --top-p 0.9 --seed 7
    echo "Shall I" | quatrain generate outputs/windows - --temperature 0 --new-only

TARGET is a run, its export, any Hugging Face folder or a hub name of a causal language model. The prompt and what is
new go to standard output. It ends at an end of text, after --max-new-tokens, or where prompt and new tokens fill the
model's positions; --slide goes on there. An empty prompt begins a text. It computes in float32 unless --precision is
given, which for one token at a time is as quick as any. docs/generate.md tells more.
"""

import secrets
import sys
from typing import TYPE_CHECKING, Any

from quatrain.core.exit_codes import DONE
from quatrain.core.terminal import printable

if TYPE_CHECKING:
    import argparse

    from quatrain.inference.generation import Pieces
    from quatrain.inference.loading import Loaded

OPTIONS = ("max_new_tokens", "temperature", "top_k", "top_p")


def main(arguments: list[str]) -> int:
    """Run ``quatrain generate``; return its exit code."""
    from quatrain.commands.arguments import flag, read_arguments
    from quatrain.commands.asked import argument_text, given, load_target
    from quatrain.inference.generation import check_options
    from quatrain.inference.sources import STANDARD_INPUT
    from quatrain.inference.standard_input import standard_input_text

    asked = read_arguments(_parser(), arguments)
    if asked is None:
        return DONE
    wrong = check_options(vars(asked), flag)
    if not wrong and asked.temperature == 0 and asked.samples > 1:
        wrong = [f"--samples={asked.samples} with --temperature=0 would be the same text each time; leave one out."]
    loaded = load_target(asked, "generate", wrong)
    prompt = standard_input_text() if asked.prompt == STANDARD_INPUT else argument_text(asked.prompt, "The prompt")
    for place, seed in enumerate(_seeds(asked)):
        _show(loaded, prompt, asked, place, {**given(asked, OPTIONS), "seed": seed, "slide": asked.slide})
    return DONE


def _parser() -> "argparse.ArgumentParser":
    from quatrain.commands.arguments import add_target, arguments_of, number

    parser = arguments_of("generate", __doc__)
    add_target(parser)
    parser.set_defaults(precision="32-true")
    parser.add_argument("prompt", metavar="PROMPT", help="the text to go on with; - reads it from standard input")
    parser.add_argument("--max-new-tokens", type=number, metavar="N", help="make at most N tokens (40)")
    parser.add_argument(
        "--temperature", type=number, metavar="T", help="divides the logits (1); 0: the likeliest token each time"
    )
    parser.add_argument("--top-k", type=number, metavar="K", help="draw from the K likeliest tokens")
    parser.add_argument("--top-p", type=number, metavar="P", help="draw from the likeliest that have P of probability")
    parser.add_argument("--samples", type=number, default=1, metavar="N", help="N texts, with seeds one after another")
    parser.add_argument("--seed", type=number, metavar="S", help="the same seed gives the same text; else it is told")
    parser.add_argument("--slide", action="store_true", help="go on beyond the positions, with their last half")
    parser.add_argument("--new-only", action="store_true", help="leave the prompt out of the output")
    return parser


def _seeds(asked: "argparse.Namespace") -> range:
    """One for each sample; one that was not asked for is told, so that the text can be had again."""
    from quatrain.commands.asked import tell

    first = asked.seed
    if first is None:
        first = secrets.randbits(31)
        if asked.temperature != 0:
            tell(f"seed {first}; --seed {first} gives the same again")
    return range(first, first + asked.samples)


def _show(loaded: "Loaded", prompt: str, asked: "argparse.Namespace", place: int, options: dict[str, Any]) -> None:
    from quatrain.inference.generation import generate

    pieces = generate(loaded, prompt, **options)
    if asked.samples > 1:
        print(f"--- {place + 1} of {asked.samples}, seed {options['seed']}")
    if not asked.new_only:
        _write(prompt)
    try:
        for piece in pieces:
            _write(piece)
    finally:  # also after Ctrl-C
        _write("\n")
    _tell_ending(loaded, pieces)


def _write(text: str) -> None:
    sys.stdout.write(printable(text))
    sys.stdout.flush()


def _tell_ending(loaded: "Loaded", pieces: "Pieces") -> None:
    from quatrain.commands.asked import tell

    if pieces.ended == "positions":
        tell(
            f"stopped after {pieces.tokens} new tokens: with the prompt they fill the {loaded.longest} positions of the"
            " model; --slide goes on with their last half"
        )
