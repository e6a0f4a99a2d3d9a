"""What a config says about the model, and the model built from it. Loads torch only to build."""

import inspect
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from quatrain.core.errors import UserError
from quatrain.models.checks import check_choice, check_model, check_peft, check_recipe
from quatrain.models.limits import check_allocation, check_size
from quatrain.models.sources import check_weights, resolve

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ATTENTIONS = ("auto", "eager", "sdpa", "flash_attention_2")


class LanguageModel:
    """A model of Hugging Face's for one task, from pretrained weights or from a config with random weights.

    Args:
        task: what the head does; the data must be for the same.
        weights: a hub name, a folder that save_pretrained wrote, or a run (its ``export/``); safetensors only.
        revision: branch, tag or commit of a hub name.
        config: Hugging Face's own words with a ``model_type``; vocab_size, special ids and the number of positions that
            are None or absent come from tokenizer and data. Exactly one of weights and config is given.
        auto_class: a class of transformers instead of the task's own, such as ``GPT2LMHeadModel``.
        frozen_layers: the embeddings and this many lowest blocks are not trained; 0 trains everything.
        layer_lr_decay: factor of the learning rate from one block to the next lower one; for the optimizer.
        label_smoothing: share of the target given to all classes alike; for the task.
        attention: the implementation of attention; auto is `quatrain.models.attention` where the model can take
            PyTorch's fused one.
        fast_dropout: draw by `quatrain.models.dropout`, which is quicker on a CPU.
        fused_activations: PyTorch's one operation for an activation that transformers writes out in many.
        low_precision_layernorm: under autocast on a CPU layer norms hand on its type, see `quatrain.models.layer_norm`.
        lora: a mapping of r (8), alpha (16), dropout (0.0) and target_modules (None: those usual for the model): train
            low-rank adapters and a new head instead of the weights.

    Raises:
        UserError: all that is wrong with these arguments at once.
    """

    def __init__(
        self,
        *,
        task: Literal["sequence_classification", "masked_lm", "causal_lm"],
        weights: str | None = None,
        revision: str | None = None,
        config: dict[str, Any] | None = None,
        auto_class: str | None = None,
        frozen_layers: int = 0,
        layer_lr_decay: float = 1.0,
        label_smoothing: float = 0.0,
        attention: Literal["auto", "eager", "sdpa", "flash_attention_2"] = "auto",
        fast_dropout: bool = False,
        fused_activations: bool = False,
        low_precision_layernorm: bool = False,
        lora: dict[str, Any] | None = None,
    ) -> None:
        wrong = check_choice(weights, config)
        wrong += check_recipe(
            task=task,
            label_smoothing=label_smoothing,
            layer_lr_decay=layer_lr_decay,
            frozen_layers=frozen_layers,
            lora=lora,
        )
        wrong += check_size(config or {})
        if attention not in ATTENTIONS:  # transformers would download a kernel of that name, and run it
            wrong.append(f"model.attention={attention!r} is unknown; choose one of {', '.join(ATTENTIONS)}.")
        if wrong:
            raise UserError(wrong)
        self.task, self.weights, self.revision, self.config = task, weights, revision, config
        self.auto_class, self.attention = auto_class, attention
        self.fast_dropout, self.fused_activations = fast_dropout, fused_activations
        self.low_precision_layernorm = low_precision_layernorm
        self.frozen_layers, self.lora = frozen_layers, lora
        self.layer_lr_decay, self.label_smoothing = layer_lr_decay, label_smoothing

    def build(
        self,
        *,
        tokenizer_size: int,
        special_ids: dict[str, int | None],
        max_length: int,
        num_labels: int | None = None,
        label_names: tuple[str, ...] | None = None,
        regression: bool = False,
    ) -> "PreTrainedModel":
        """The model in float32 and in train mode, with what is frozen or adapted already so.

        ``tokenizer_size``: entries of the tokenizer. ``special_ids``: pad, bos, eos (more are ignored). ``max_length``:
        tokens of the longest text. ``num_labels``, ``label_names``, ``regression``: of a classification.

        Raises:
            UserError: tokenizer, length, frozen layers or architecture do not fit, or the weights cannot be used.
            NotNow: the hub cannot be reached.
        """
        from quatrain.models.configuring import label_words

        labels = label_words(num_labels, label_names, regression) if self.task == "sequence_classification" else {}
        config = self.complete_config(tokenizer_size=tokenizer_size, special_ids=special_ids, max_length=max_length)
        for word, value in labels.items():
            setattr(config, word, value)
        self._check_allocation(config)
        fresh: list[str] = []
        if self.weights is None:
            model = self.from_config(config)
        else:
            model, fresh = self._from_weights(config)
        self.quicken(model)
        self.restrict(model, fresh)
        model.train()
        return model

    def complete_config(self, *, tokenizer_size: int, special_ids: dict[str, int | None], max_length: int) -> Any:
        """The full config object, checked against tokenizer and length; of ``weights`` the one that lies beside them.

        Raises:
            UserError: it does not fit.
            NotNow: the hub cannot be reached.
        """
        from quatrain.models.configuring import complete_config, set_special_ids
        from quatrain.models.loading import load_config

        if self.weights is None:
            config = complete_config(
                self.config or {}, tokenizer_size=tokenizer_size, special_ids=special_ids, max_length=max_length
            )
        else:
            config = load_config(*self._located)
        key = "model.weights" if self.weights else "model.config"
        wrong = check_model(
            config.to_dict(),
            key=key,
            tokenizer_size=tokenizer_size,
            max_length=max_length,
            frozen_layers=self.frozen_layers,
        )
        if wrong:
            raise UserError(wrong)
        if self.weights is not None:
            set_special_ids(config, special_ids)
        return config

    def takes_token_types(self) -> bool:
        """Whether the model tells the texts of a pair apart by ``token_type_ids``; DistilBERT and RoBERTa do not."""
        found, config = self._architecture()
        return "token_type_ids" in _parameters(found) and getattr(config, "type_vocab_size", 2) > 1

    def takes_packed_rows(self) -> bool:
        """Whether the model looks as if it could read the examples of a packed row apart; its numbers are not asked."""
        found, config = self._architecture()
        told = getattr(config, "position_embedding_type", None) or "absolute"
        windowed = any(getattr(config, name, None) for name in ("sliding_window", "local_attention"))
        ours = self.attention == "auto" and found._supports_sdpa and found._can_set_attn_implementation()
        return "position_ids" in _parameters(found) and told == "absolute" and ours and not windowed

    def check(self) -> list[str]:
        """What can be said against the recipe before anything is loaded or downloaded; loads no torch."""
        wrong = check_weights(self.weights) if self.weights is not None else []
        return wrong + (check_peft() if self.lora is not None else [])

    def from_config(self, config: Any) -> Any:
        """The model of a complete ``config`` with random weights, on the default device (meta allocates nothing).

        Raises:
            UserError: the architecture does not fit the task or the attention.
        """
        import torch

        from quatrain.models.auto import is_auto, model_class

        found = model_class(self.task, self.auto_class)
        make = found.from_config if is_auto(found) else found._from_config
        try:
            return make(config, attn_implementation=self._implementation(), dtype=torch.float32)
        except (ValueError, ImportError, KeyError) as error:
            what = " ".join(str(error).split())[:300].rstrip(".")
            raise UserError(
                f"model.config.model_type={config.model_type} cannot be built as {found.__name__} ({what}); "
                "take a family that fits the task, or another model.auto_class or model.attention."
            ) from error

    def _check_allocation(self, config: Any) -> None:
        """Refuse a model that would not fit into memory, from its shapes alone."""
        import copy

        import torch

        key = "model.weights" if self.weights else "model.config"
        try:
            with torch.device("meta"):
                shapes = self.from_config(copy.deepcopy(config))
        except (RuntimeError, OverflowError) as error:  # a tensor of more bytes than there are numbers
            if "overflow" in str(error).lower() or isinstance(error, OverflowError):
                raise UserError(f"{key} asks for a tensor beyond all memory; take a smaller model.") from error
            raise
        check_allocation(shapes, key)

    def restrict(self, model: Any, fresh: list[str]) -> None:
        """Freeze layers of ``model``, or put adapters in; ``fresh`` names parameters that had no weights to load.

        Raises:
            UserError: more layers than there are, or adapters that do not fit.
        """
        if self.lora is not None:
            from quatrain.models.adapters import add_adapters

            add_adapters(model, self.lora, fresh)
        else:
            from quatrain.models.freezing import freeze

            freeze(model, self.frozen_layers)

    def quicken(self, model: Any) -> None:
        """Have the model compute its parts in the ways that are quicker and say the same."""
        from quatrain.models.quick_parts import quicken

        quicken(
            model,
            attention=self.attention,
            fast_dropout=self.fast_dropout,
            fused_activations=self.fused_activations,
            low_precision_layernorm=self.low_precision_layernorm,
        )

    def _architecture(self) -> tuple[Any, Any]:
        """The class of the model and a config of its family, with ``weights`` their own."""
        from quatrain.models.auto import architecture
        from quatrain.models.configuring import family_of
        from quatrain.models.loading import load_config

        config = family_of(self.config or {})() if self.weights is None else load_config(*self._located)
        return architecture(self.task, self.auto_class, config), config

    @cached_property
    def _located(self) -> tuple[str, str | None]:
        """Path, or hub name and commit; the hub is asked once."""
        return resolve(str(self.weights), self.revision)

    def _from_weights(self, config: Any) -> tuple[Any, list[str]]:
        from quatrain.models.auto import model_class
        from quatrain.models.loading import load_weights

        found = model_class(self.task, self.auto_class)
        return load_weights(found, *self._located, config, self._implementation())

    def _implementation(self) -> str | None:
        return None if self.attention == "auto" else self.attention


def _parameters(found: Any) -> Any:
    """The names that a model's call takes."""
    return inspect.signature(found.forward).parameters
