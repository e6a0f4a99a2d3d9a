"""From a plain dict in Hugging Face's words to a complete config object."""

import dataclasses
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from quatrain.core.errors import UserError
from quatrain.models.config_words import COUNTED_FROM_PADDING, first_position

KEY = "model.config"
SPECIAL = ("pad", "bos", "eos")


def complete_config(
    config: Mapping[str, Any], *, tokenizer_size: int, special_ids: Mapping[str, int | None], max_length: int
) -> Any:
    """The config object of ``config``, with what it leaves out (or gives as None) taken from tokenizer and data.

    Taken are vocab_size, the ids of padding, begin and end, and the size of the position table, so that texts of
    ``max_length`` tokens just fit; anything else that is None keeps the family's own default.

    Raises:
        UserError: no or an unknown model_type, an unknown word, or a value that the family refuses.
    """
    family = family_of(config)
    given = {word: value for word, value in config.items() if value is not None and word != "model_type"}
    wrong = [_unknown(word, family) for word in config if word != "model_type" and word not in _words(family)]
    if wrong:
        raise UserError(wrong)
    names = dict(family.attribute_map)
    given = {names.get(word, word): value for word, value in given.items()}
    filled = {"vocab_size": tokenizer_size}
    filled |= {f"{name}_token_id": value for name in SPECIAL if (value := special_ids.get(name)) is not None}
    table = names.get("max_position_embeddings", "max_position_embeddings")
    if table in _words(family):
        filled[table] = max_length + first_position({"model_type": family.model_type, **filled, **given})
    try:
        return family(**{word: value for word, value in filled.items() if word in _words(family)} | given)
    except Exception as error:  # each family validates in its own way
        raise UserError(f"{KEY} is refused by {family.__name__}: {_one_line(error)}; mend that value.") from error


def set_special_ids(config: Any, special_ids: Mapping[str, int | None]) -> None:
    """Fill in the ids that a config with weights leaves open (GPT-2 has no padding id of its own).

    Raises:
        UserError: the family counts positions from its padding id, and the tokenizer pads with another.
    """
    padding, own = special_ids.get("pad"), getattr(config, "pad_token_id", None)
    if config.model_type in COUNTED_FROM_PADDING and padding is not None and own is not None and padding != own:
        raise UserError(
            f"the tokenizer pads with id {padding} but the model of model.weights with {own}, from which it counts its "
            "positions; set tokenizer.source to the tokenizer that belongs to these weights."
        )
    for name in SPECIAL:
        if getattr(config, f"{name}_token_id", None) is None and special_ids.get(name) is not None:
            setattr(config, f"{name}_token_id", special_ids[name])


def label_words(num_labels: int | None, label_names: tuple[str, ...] | None, regression: bool) -> dict[str, Any]:
    """The words of a config that describe a classification's labels."""
    count = 1 if regression else num_labels
    if count is None:
        return {}
    names = label_names if label_names and len(label_names) == count else tuple(f"LABEL_{n}" for n in range(count))
    return {
        "id2label": dict(enumerate(names)),
        "label2id": {name: place for place, name in enumerate(names)},
        "problem_type": "regression" if regression else "single_label_classification",
    }


def family_of(config: Mapping[str, Any]) -> Any:
    """The config class of transformers that ``model_type`` names.

    Raises:
        UserError: none or an unknown one.
    """
    from transformers import CONFIG_MAPPING

    model_type = config.get("model_type")
    if isinstance(model_type, str) and model_type in CONFIG_MAPPING:
        return CONFIG_MAPPING[model_type]
    if model_type is None:
        raise UserError(f"{KEY} has no model_type; add one, such as {KEY}.model_type=roberta.")
    near = get_close_matches(str(model_type), list(CONFIG_MAPPING), n=1)
    hint = f"did you mean {near[0]}?" if near else "take one of transformers', such as bert, distilbert, roberta, gpt2."
    raise UserError(f"{KEY}.model_type={model_type} is not known to transformers; {hint}")


def _words(family: Any) -> set[str]:
    fields = {field.name for field in dataclasses.fields(family)}
    return fields | {old for old, new in family.attribute_map.items() if new in fields}


def _unknown(word: str, family: Any) -> str:
    near = get_close_matches(word, sorted(_words(family)), n=1)
    hint = f"did you mean {near[0]}?" if near else f"see the arguments of transformers.{family.__name__}."
    return f"{KEY}.{word} is not known to {family.__name__}; {hint}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".;")
