"""What scores are compared with: of a data's summary what is known, and no more."""

import math

from quatrain.runs.references import REFERENCES, references_of


def test_what_is_known_of_the_data() -> None:
    assert references_of({"majority_share/validation": 0.52, "examples/train": 100}) == {"val/accuracy": 0.52}
    assert references_of({key: 2 for key, _ in REFERENCES.values()}) == dict.fromkeys(REFERENCES, 2.0)


def test_what_is_no_number_is_no_reference() -> None:
    """Pairs with scores have no largest class; a file may say anything."""
    for value in (None, "0.5", True, math.nan, [1]):
        assert references_of({"majority_share/validation": value}) == {}
