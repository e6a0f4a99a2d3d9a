"""The data modules' own numbers: each mistake is one sentence that names the key and the fix, all at once."""

from typing import Any

import pytest

from quatrain.core.errors import UserError
from quatrain.data.masked_text import MaskedText
from quatrain.data.pairs import SentencePairs
from quatrain.data.windows import Windows


@pytest.mark.parametrize(
    ("module", "arguments", "said"),
    [
        (Windows, {"stride": 0}, r"^data\.stride=0 does not move the window; give at least 1, or null"),
        (Windows, {"max_length": 0}, r"^data\.max_length=0 is too small; give at least 1 tokens\.$"),
        (MaskedText, {"max_length": 3}, r"^data\.max_length=3 is too small; give at least 4 tokens\.$"),
        (Windows, {"batch_size": 0}, r"^data\.batch_size=0 is too small; give at least 1 examples\.$"),
        (Windows, {"eval_batch_size": 0}, r"^data\.eval_batch_size=0 .* or null for data\.batch_size"),
        (Windows, {"num_workers": -1}, r"^data\.num_workers=-1 is too small; give at least 0 processes"),
        (Windows, {"test_share": 1.0}, r"^data\.test_share=1\.0 is no share"),
        (Windows, {"validation_share": 0.6, "test_share": 0.5}, r"^data\.validation_share=0\.6 and .*below 1"),
        (MaskedText, {"mask_probability": 0.0}, r"^data\.mask_probability=0\.0 is no share"),
        (MaskedText, {"mask_probability": 1.0}, r"^data\.mask_probability=1\.0 is no share"),
        (MaskedText, {"example": "lines"}, r"^data\.example=lines is unknown \(did you mean line\?\)"),
        (MaskedText, {"mask_rule": "never"}, r"^data\.mask_rule=never is unknown; choose 80_10_10 or always"),
        (MaskedText, {"labels": "some"}, r"^data\.labels=some is unknown; choose masked or all"),
        (SentencePairs, {"num_proc": 0}, r"^data\.num_proc=0 is too small; give at least 1 processes"),
    ],
)
def test_a_number_that_cannot_be_meant_is_refused(module: Any, arguments: dict[str, Any], said: str):
    with pytest.raises(UserError, match=said) as refused:
        module(tokenizer=None, **arguments)
    assert len(refused.value.sentences) == 1


def test_all_mistakes_are_told_at_once():
    with pytest.raises(UserError) as refused:
        MaskedText(tokenizer=None, batch_size=0, mask_probability=2.0, validation_share=-0.1)
    assert [sentence.split("=")[0] for sentence in refused.value.sentences] == [
        "data.batch_size",
        "data.validation_share",
        "data.mask_probability",
    ]
