"""A language model's head in two parts: up to its last product, and that product with the vocabulary's table.

So the product can be made for some places alone, or in pieces together with the loss, for any model whose logits are
that product and nothing more. Whether they are is found out by trying.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

TOLERANCE = 1e-4
"""Most that logits made in two parts may differ from the model's own, relative to the largest."""


class VocabularyHead:
    """Runs ``model`` up to the product with its output table, in place of the whole.

    The state and the parameters' names stay what they are, and so does the model when it is called by others.

    Args:
        model: a masked or causal language model of Hugging Face's; without a proof where it is on the meta device.

    Raises:
        ValueError: why the model's head cannot be taken apart, in a few words.
    """

    def __init__(self, model: Any) -> None:
        table: Any = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
        body: Any = getattr(model, "base_model", model)
        if type(table) is not nn.Linear:
            raise ValueError("it has no plain output table")
        if body is model:
            raise ValueError("it has no body apart from its head")
        table.__class__ = _Table
        self.model = model
        self.table: Any = table
        self._places: Tensor | None = None
        self._hook = body.register_forward_hook(self._choose)
        if table.weight.is_meta:  # no numbers, so nothing to compare
            return
        try:
            self._prove()
        except ValueError:
            self.restore()
            raise
        except Exception as error:  # what a model of any family raises for ids alone
            self.restore()
            raise ValueError(f"it cannot be tried on a few ids ({type(error).__name__})") from error

    @property
    def weight(self) -> Tensor:
        """The output table, [vocab, hidden]."""
        return self.table.weight

    @property
    def bias(self) -> Tensor | None:
        """[vocab], or None."""
        return self.table.bias

    def hidden(self, inputs: Mapping[str, Any], places: Tensor | None = None) -> Tensor:
        """What the output table is multiplied with, [places, hidden], in the precision of the layers.

        inputs: the arguments of the model. places: of the flattened [batch * seq], int64; None for all of them.
        """
        self.table.skipped = True
        try:
            return self.logits(inputs, places)
        finally:
            self.table.skipped = False

    def logits(self, inputs: Mapping[str, Any], places: Tensor | None = None) -> Tensor:
        """The model's logits, [places, vocab]; the arguments are those of `hidden`."""
        self._places = places
        try:
            logits: Tensor = self.model(**inputs).logits
        finally:
            self._places = None
        return logits.flatten(0, 1)

    def restore(self) -> None:
        """Leave the model as it was."""
        self._hook.remove()
        self.table.__dict__.pop("skipped", None)
        self.table.__class__ = nn.Linear

    def _choose(self, body: nn.Module, arguments: Any, output: Any) -> Any:
        """Hand only the places that are wanted to the head."""
        if self._places is None:
            return None
        hidden = output[0].flatten(0, 1).index_select(0, self._places)[None]
        if isinstance(output, tuple):
            return (hidden, *output[1:])
        output["last_hidden_state"] = hidden
        return output

    @torch.no_grad()
    def _prove(self) -> None:
        """Compare with the model's own logits, of a few ids."""
        training = self.model.training
        self.model.eval()
        try:
            device = self.table.weight.device
            inputs = {"input_ids": torch.arange(min(4, self.table.out_features), device=device)[None]}
            places = torch.tensor([inputs["input_ids"].numel() - 1, 0], device=device)
            whole = self.logits(inputs)
            for wanted, expected in ((None, whole), (places, whole[places])):
                found = nn.functional.linear(self.hidden(inputs, wanted), self.weight, self.bias)
                if found.shape != expected.shape or (found - expected).abs().max() > TOLERANCE * whole.abs().max():
                    raise ValueError("its logits are more than the product with its output table")
        finally:
            self.model.train(training)


class _Table(nn.Linear):
    """An output table that can be left out."""

    skipped = False

    def forward(self, input: Tensor) -> Tensor:
        return input if self.skipped else super().forward(input)
