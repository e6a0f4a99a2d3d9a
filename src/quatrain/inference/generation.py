"""Going on with a text, piece by piece. Loads no torch before a text is asked for."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal

from quatrain.core.errors import UserError
from quatrain.inference.own_thread import closed_at_exit

if TYPE_CHECKING:
    from quatrain.inference.loading import Loaded

Ending = Literal["end of text", "max_new_tokens", "positions"]

TEMPERATURES = (1e-6, 1e6)
"""Below the first, logits divided by the temperature could leave float32; beyond the other all tokens are alike."""


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**63


def _number(fits: Callable[[float], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and fits(value)


_ALLOWED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "max_new_tokens": (_whole(1), "a whole number from 1 on"),
    "samples": (_whole(1), "a whole number from 1 on"),
    "temperature": (
        _number(lambda value: value == 0 or TEMPERATURES[0] <= value <= TEMPERATURES[1]),
        f"0, which takes the likeliest token each time, or from {TEMPERATURES[0]:f} to {TEMPERATURES[1]:.0f}",
    ),
    "top_k": (_whole(1), "a whole number from 1 on"),
    "top_p": (_number(lambda value: 0 < value <= 1), "above 0 and at most 1"),
    "seed": (_whole(0), "a whole number from 0 to 2**63 - 1"),
}


def check_options(options: Mapping[str, Any], spelled: Callable[[str], str] = str) -> list[str]:
    """A sentence for each value of ``options`` (arguments of `generate`, and ``samples``) that cannot be meant.

    None stands for what was not given. ``spelled``: how the user writes an argument's name.
    """
    return [
        f"{spelled(name)}={options[name]} must be {allowed}."
        for name, (fits, allowed) in _ALLOWED.items()
        if options.get(name) is not None and not fits(options[name])
    ]


def generate(
    loaded: "Loaded",
    prompt: str,
    *,
    max_new_tokens: int = 40,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    slide: bool = False,
) -> "Pieces":
    """Go on with ``prompt``; return an iterator of the new text in pieces of whole characters, made as they are taken.

    ``temperature`` divides the logits; 0 takes the likeliest token each time. Drawn is from the ``top_k`` likeliest
    tokens, and of these from the fewest that together have the probability ``top_p`` (Holtzman et al. 2020); None
    means all. The same ``seed`` gives the same text on the same machine; None takes another one each time. It ends at
    an end of text, after ``max_new_tokens``, or where prompt and new tokens fill the model's positions; ``slide`` goes
    on there with the last half of the positions as context. Special tokens in ``prompt`` are read as such, and left
    out of the text. An empty prompt stands for the beginning of a text.

    Raises:
        UserError: an argument is out of its range, or the prompt is longer than the model's positions.
    """
    given = {"max_new_tokens": max_new_tokens, "temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed}
    if wrong := check_options(given):
        raise UserError(wrong)
    from quatrain.inference.next_tokens import chooser, next_tokens

    ids = prompt_ids(loaded, prompt)
    choose = chooser(loaded.device, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
    return Pieces(loaded, ids, next_tokens(loaded, ids, choose, most=max_new_tokens, slide=slide), max_new_tokens)


class Pieces(Iterator[str]):
    """The new text. ``ended``: what ended it, None until then. ``tokens``: how many were made, the end of text too."""

    def __init__(self, loaded: "Loaded", prompt: list[int], tokens: Generator[int, None, None], most: int) -> None:
        self.ended: Ending | None = None
        self.tokens = 0
        self._pieces = closed_at_exit(self._decoded(loaded, prompt, tokens, most))

    def __next__(self) -> str:
        return next(self._pieces)

    def close(self) -> None:
        """Make no more."""
        self._pieces.close()

    def _decoded(
        self, loaded: "Loaded", prompt: list[int], tokens: Generator[int, None, None], most: int
    ) -> Generator[str, None, None]:
        from quatrain.inference.whole_characters import WholeCharacters

        ends = end_ids(loaded)
        text = WholeCharacters(loaded.tokenizer.hf, prompt)
        with closing(tokens):
            for token in tokens:
                self.tokens += 1
                if token in ends:
                    self.ended = "end of text"
                    break
                if piece := text.add(token):
                    yield piece
            else:
                self.ended = "max_new_tokens" if self.tokens == most else "positions"
        if piece := text.rest():
            yield piece


def prompt_ids(loaded: "Loaded", prompt: str) -> list[int]:
    """The ids that the model reads for ``prompt``, at least one.

    What a family puts before a text (Llama's ``<s>``) is put there, unless it also closes one, which is for encoders.
    An empty prompt is the end of the text before it, as in the streams that causal models are trained on.

    Raises:
        UserError: it has more tokens than the model has positions, or is empty and nothing begins a text.
    """
    from quatrain.data.token_streams import separator
    from quatrain.tokenizers.encoding import without_surrogates

    tokenizer = loaded.tokenizer
    before, after = tokenizer.wrap()
    ids = [] if after else before
    ids += tokenizer.hf(without_surrogates(prompt), add_special_tokens=False, verbose=False)["input_ids"]
    if not ids:
        first = separator(tokenizer)
        first = tokenizer.bos_id if first is None else first
        if first is None:
            raise UserError(
                f"The prompt is empty, and the tokenizer of {loaded.target.given} has no token that begins a text; give"
                " a prompt."
            )
        ids = [first]
    if loaded.longest is not None and len(ids) > loaded.longest:
        raise UserError(
            f"The prompt has {len(ids)} tokens and {loaded.target.given} positions for {loaded.longest}; shorten it by"
            f" {len(ids) - loaded.longest} tokens or more."
        )
    return ids


def end_ids(loaded: "Loaded") -> frozenset[int]:
    """Ids that end a text: the tokenizer's, and those that the model's own generation settings name."""
    settings = getattr(loaded.model, "generation_config", None)
    named = getattr(settings, "eos_token_id", None)
    ids = [loaded.tokenizer.eos_id, *(named if isinstance(named, list) else [named])]
    return frozenset(one for one in ids if isinstance(one, int))
