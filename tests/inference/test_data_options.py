"""Sentences about other data name the options of the command, and leave names of files as they are."""

import pytest

from quatrain.core.errors import UserError
from quatrain.inference.data_options import in_words


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("data.source=x.csv is empty; name another data.source.", "--source=x.csv is empty; name another --source."),
        ("data.text_columns: two; set data.text_column=a", "--text: two; set --text=a"),
        (
            "Leave it out with data.glue_task=null, or data.glue_task=mrpc",
            "Leave it out with no --glue-task, or --glue-task=mrpc",
        ),
        ("data.source=mydata.source.csv is empty.", "--source=mydata.source.csv is empty."),
        ("data.source=/a/data.source/x is empty.", "--source=/a/data.source/x is empty."),
        ("data.source=data.source.csv is empty.", "--source=data.source.csv is empty."),
        ("data.source_of is unknown.", "data.source_of is unknown."),
    ],
)
def test_keys_and_not_names(sentence: str, told: str) -> None:
    with pytest.raises(UserError) as error, in_words():
        raise UserError(sentence)
    assert list(error.value.sentences) == [told]
