"""Token after token of a causal language model: the keys and values of the past are kept, each token is fed once."""

import inspect
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from quatrain.inference.own_thread import check_numbers, computing_in_own_thread

if TYPE_CHECKING:
    from quatrain.inference.loading import Loaded

Choose = Callable[[Tensor, Tensor], int]
"""Takes ids [1, seq] and the logits of what follows them [1, vocab] in float32; returns the next id."""


def chooser(
    device: torch.device, *, temperature: float, top_k: int | None, top_p: float | None, seed: int | None
) -> Choose:
    """How the next token is chosen: the likeliest for temperature 0, else drawn.

    Drawn as ``model.generate`` of transformers does it, by its own processors in its order (temperature, top-k,
    top-p) and with the same random numbers as after ``torch.manual_seed(seed)``, but from a generator of its own.
    """
    if temperature == 0:
        return lambda ids, logits: int(logits.argmax(-1))
    from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    processors = LogitsProcessorList()
    if temperature != 1:
        processors.append(TemperatureLogitsWarper(float(temperature)))
    if top_k is not None:
        processors.append(TopKLogitsWarper(top_k))
    if top_p is not None and top_p < 1:
        processors.append(TopPLogitsWarper(top_p))
    numbers = torch.Generator(device)
    if seed is None:
        numbers.seed()
    else:
        numbers.manual_seed(seed)

    def draw(ids: Tensor, logits: Tensor) -> int:
        chances = processors(ids, logits).softmax(-1)
        return int(torch.multinomial(chances, 1, generator=numbers))

    return draw


def next_tokens(
    loaded: "Loaded", prompt: Sequence[int], choose: Choose, *, most: int, slide: bool
) -> Generator[int, None, None]:
    """Yield at most ``most`` ids that follow ``prompt``, each when it is asked for; an end of text is one like others.

    Where prompt and new tokens fill the model's positions it ends, or, with ``slide``, begins anew with the last half
    of the positions as context.

    Raises:
        UserError: the model gives what is no number.
    """
    steps = _Steps(loaded)
    context = list(prompt)
    with computing_in_own_thread(loaded) as call:
        for _ in range(most):
            if loaded.longest is not None and len(context) >= loaded.longest:
                if not slide:
                    return
                context = context[-max(1, loaded.longest // 2) :]
                steps.forget()
            token: int = call(steps.step, context, choose)
            context.append(token)
            yield token


class _Steps:
    """Calls of the model, each with what it has not yet seen."""

    def __init__(self, loaded: "Loaded") -> None:
        self._loaded = loaded
        self._takes = inspect.signature(loaded.model.forward).parameters
        self._past: Any = None

    def forget(self) -> None:
        """Let the next step read its whole context."""
        self._past = None

    def step(self, context: list[int], choose: Choose) -> int:
        """The id that follows ``context``.

        A model that hands no past back, as the oldest families, reads the whole context each time.
        """
        unseen = context if self._past is None else context[-1:]
        inputs = {
            "input_ids": torch.tensor([unseen], device=self._loaded.device),
            # nothing of it is padding, though GPT-2's end of text, which may stand in it, also pads
            "attention_mask": torch.ones(1, len(context), dtype=torch.long, device=self._loaded.device),
            "past_key_values": self._past,
            "use_cache": True,
            "logits_to_keep": 1,
        }
        output = self._loaded.model(**{name: inputs[name] for name in inputs if name in self._takes})
        self._past = getattr(output, "past_key_values", None)
        logits = output.logits[:, -1].float()
        check_numbers(self._loaded, logits)
        return choose(inputs["input_ids"], logits)
