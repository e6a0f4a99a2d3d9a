"""A recurrent network (GRU, Cho et al. 2014) as a causal language model: a model of our own.

Four parts: `Network` is plain PyTorch. `GRUConfig` holds its sizes and `GRUForCausalLM` wraps it as transformers wraps
its own models, so that training, checks, export and every command take it; the two are registered under a name of our
own. `GRU` is the recipe that the config names by ``_target_``.
"""

from typing import Any, Literal

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, GenerationMixin, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, CausalLMOutput

from quatrain.models.recipe import LanguageModel


class Network(nn.Module):
    """Reads ids [batch, seq] from left to right and gives a vector for each place, [batch, seq, hidden]."""

    def __init__(self, *, vocab_size: int, hidden_size: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size, num_layers=layers, batch_first=True)
        self.dropout = nn.Dropout(dropout)

    def forward(self, input_ids: torch.Tensor) -> BaseModelOutput:
        """What is seen at a place depends on the places before it and on itself, never on later ones."""
        states, _ = self.gru(self.dropout(self.embedding(input_ids)))
        return BaseModelOutput(last_hidden_state=self.dropout(states))


class GRUConfig(PreTrainedConfig):
    """The sizes. ``vocab_size`` and the ids of padding, begin and end are filled in from the tokenizer."""

    model_type = "my_project_gru"

    vocab_size: int = 261
    hidden_size: int = 128
    num_hidden_layers: int = 1
    dropout: float = 0.0
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | None = None


class GRUForCausalLM(PreTrainedModel, GenerationMixin):
    """`Network` with a head over the vocabulary."""

    config_class = GRUConfig
    base_model_prefix = "network"  # where the body is, which lets quatrain make the logits and their loss in pieces

    def __init__(self, config: GRUConfig) -> None:
        super().__init__(config)
        self.network = Network(
            vocab_size=config.vocab_size,
            hidden_size=config.hidden_size,
            layers=config.num_hidden_layers,
            dropout=config.dropout,
        )
        self.head = nn.Linear(config.hidden_size, config.vocab_size)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The table of tokens, whose size is checked against the tokenizer."""
        return self.network.embedding

    def get_output_embeddings(self) -> nn.Module:
        """The table that makes logits."""
        return self.head

    def prepare_inputs_for_generation(self, input_ids: torch.Tensor, **kwargs: Any) -> dict[str, Any]:
        """What transformers' ``generate`` calls `forward` with: the whole text each time, as no state is kept."""
        return {"input_ids": input_ids}

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None, **_: Any) -> CausalLMOutput:
        """Logits [batch, seq, vocab]: at each place for the next token.

        ``attention_mask`` is taken and of no use: padding lies on the right, where nothing before it can see it.
        """
        return CausalLMOutput(logits=self.head(self.network(input_ids).last_hidden_state))


AutoConfig.register(GRUConfig.model_type, GRUConfig)
AutoModelForCausalLM.register(GRUConfig, GRUForCausalLM)


class GRU(LanguageModel):
    """The recipe: its arguments are the keys of ``model`` in the config.

    ``task``: one of quatrain's, and this network can do one. ``weights``: a run of this model to start from, in place
    of random weights; it brings its own sizes.
    """

    def __init__(
        self,
        *,
        task: Literal["causal_lm"] = "causal_lm",
        hidden_size: int = 128,
        num_hidden_layers: int = 1,
        dropout: float = 0.0,
        weights: str | None = None,
    ) -> None:
        sizes = {"hidden_size": hidden_size, "num_hidden_layers": num_hidden_layers, "dropout": dropout}
        config = {"model_type": GRUConfig.model_type, **sizes}
        super().__init__(task=task, weights=weights, config=None if weights else config)
