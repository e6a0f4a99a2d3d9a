"""The tokenizer of a model that goes on with a text: nothing may stand behind what it is given."""

import json

from quatrain.tokenizers.tokenizer import Tokenizer


def generative(tokenizer: Tokenizer) -> Tokenizer:
    """Return ``tokenizer`` for transformers' own use with a causal LM: the same ids, and no end put behind a text.

    RoBERTa's and BERT's kind close every text (``</s>``, ``[SEP]``), so a model would take a prompt for over and begin
    another text; of these one is returned that puts nothing around a text, as GPT-2's does. Others are returned as
    they are, Llama's with the ``<s>`` that it puts before. What closed a text is its end of text where none is named.
    """
    _, after = tokenizer.wrap()
    if not after:
        return tokenizer
    from tokenizers import Tokenizer as Backend
    from transformers import PreTrainedTokenizerFast

    hf = tokenizer.hf
    content = json.loads(hf.backend_tokenizer.to_str()) | {"post_processor": None}
    roles = {role: str(token) for role, token in hf.special_tokens_map.items() if role.endswith("_token")}
    roles.setdefault("eos_token", hf.convert_ids_to_tokens(after[-1]))
    plain = PreTrainedTokenizerFast(
        tokenizer_object=Backend.from_str(json.dumps(content)),
        clean_up_tokenization_spaces=hf.clean_up_tokenization_spaces,
        model_input_names=["input_ids", "attention_mask"],
        **roles,
    )
    return Tokenizer(plain, allowed_special=sorted(tokenizer.allowed_special))
