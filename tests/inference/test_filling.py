"""Filled masks: what the fill-mask pipeline of transformers says, batch by batch, of texts as they come."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from quatrain.core.errors import UserError
from quatrain.corpora.verse import poems
from quatrain.inference import filling
from quatrain.inference.filling import Filled, fill_texts
from quatrain.inference.loading import Loaded, load
from quatrain.inference.masked_texts import check_texts, own_convention
from quatrain.inference.target import find_target
from quatrain.tokenizers.trained import ByteLevelBPE, WordPiece

BODY = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
TEXTS = [
    "Shall I {} thee to a summer's day",
    "{} is the rose.",
    "The gentle river and the {} of the moon and the stars, and of all that {} in the night",
    "Love {}",
]


def _save(folder: Path, family: str) -> Path:
    from transformers import AutoModelForMaskedLM, BertConfig, DistilBertConfig, RobertaConfig

    trained = ByteLevelBPE(vocab_size=400) if family == "roberta" else WordPiece(vocab_size=300)
    tokenizer = trained.fit(lambda: poems(50, 0))
    shared = {"vocab_size": tokenizer.vocab_size, "pad_token_id": tokenizer.pad_id, "initializer_range": 0.3}
    config = {
        "roberta": lambda: RobertaConfig(**shared, **BODY, max_position_embeddings=66),
        "bert": lambda: BertConfig(**shared, **BODY, max_position_embeddings=64),
        "distilbert": lambda: DistilBertConfig(
            **shared, dim=16, n_layers=2, n_heads=2, hidden_dim=32, max_position_embeddings=64
        ),
    }[family]()
    torch.manual_seed(5)
    AutoModelForMaskedLM.from_config(config).save_pretrained(folder)
    tokenizer.save(folder)
    return folder


@pytest.fixture(scope="module", params=["roberta", "bert", "distilbert"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    folder = _save(tmp_path_factory.mktemp("models") / request.param, request.param)
    return load(find_target(str(folder), "fill"), precision="32-true", device="cpu")


@pytest.fixture(scope="module")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    folder = _save(tmp_path_factory.mktemp("models") / "roberta", "roberta")
    return load(find_target(str(folder), "fill"), precision="32-true", device="cpu")


def _masked(loaded: Loaded) -> list[str]:
    return [text.replace("{}", loaded.tokenizer.hf.mask_token) for text in TEXTS]


def _pipeline(loaded: Loaded) -> Any:
    from transformers import AutoModelForMaskedLM, AutoTokenizer, pipeline

    folder = loaded.target.folder
    model, hf = AutoModelForMaskedLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    return pipeline("fill-mask", model=model, tokenizer=hf, device="cpu")


def test_guesses_agree_with_the_pipeline(loaded: Loaded) -> None:
    texts = _masked(loaded)
    found = list(fill_texts(loaded, texts, top_k=4))
    asked = _pipeline(loaded)
    for text, filled in zip(texts, found, strict=True):
        expected = asked(text, top_k=4)
        single = isinstance(expected[0], dict)
        flat = [(1, guess) for guess in expected] if single else _numbered(expected)
        assert [(one.mask, one.id, one.token) for one in filled] == [
            (mask, guess["token"], guess["token_str"]) for mask, guess in flat
        ]
        for one, (_, guess) in zip(filled, flat, strict=True):
            assert one.probability == pytest.approx(guess["score"], abs=1e-5)
            if single:
                assert one.text == guess["sequence"]


def _numbered(expected: list[list[dict[str, Any]]]) -> list[tuple[int, dict[str, Any]]]:
    return [(number, guess) for number, guesses in enumerate(expected, start=1) for guess in guesses]


def test_each_mask_is_filled_on_its_own_and_the_others_stay(loaded: Loaded) -> None:
    mask = loaded.tokenizer.hf.mask_token
    filled = next(fill_texts(loaded, [f"{mask} and {mask} and {mask}"], top_k=2))
    assert [one.mask for one in filled] == [1, 1, 2, 2, 3, 3]
    for one in filled:
        assert one.text.count(mask) == 2 + (one.token.strip() == mask)
        assert "[CLS]" not in one.text
        assert "<s>" not in one.text.replace(one.token, "")


def test_batches_and_reading_ahead_change_nothing(roberta: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{'love ' * (number % 17)}<mask>{' rose' * (number % 5)}" for number in range(70)]
    together = list(fill_texts(roberta, texts, top_k=3))
    alone = [next(fill_texts(roberta, [text], top_k=3)) for text in texts]
    monkeypatch.setattr(filling, "MOST_TOKENS", 30)
    monkeypatch.setattr(filling, "MOST_MASKS", 2)
    small = list(fill_texts(roberta, texts, top_k=3))
    assert len(together) == 70
    for ones in zip(together, alone, small, strict=True):
        assert ones[0][0].text == ones[1][0].text == ones[2][0].text
        assert [one[0].probability for one in ones] == pytest.approx([ones[0][0].probability] * 3, abs=1e-5)


def test_a_head_that_cannot_be_taken_apart_is_asked_whole(roberta: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    from quatrain.models import vocabulary_head

    expected = list(fill_texts(roberta, _masked(roberta)))
    weights = type(roberta.model.get_output_embeddings())

    def refuse(model: Any) -> Any:
        raise ValueError("no plain output table")

    monkeypatch.setattr(vocabulary_head, "VocabularyHead", refuse)
    found = list(fill_texts(roberta, _masked(roberta)))
    assert weights is torch.nn.Linear  # the model is as it was
    for ones, others in zip(found, expected, strict=True):
        assert [(one.mask, one.id, one.text) for one in ones] == [(one.mask, one.id, one.text) for one in others]
        assert [one.probability for one in ones] == pytest.approx([one.probability for one in others], abs=1e-5)


def test_texts_are_read_as_they_are_needed(roberta: Loaded) -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "A <mask>"

    answers = fill_texts(roberta, endless())
    assert read == 0
    assert isinstance(next(answers)[0], Filled)
    assert read == 1
    for _ in range(200):
        next(answers)
    assert read <= 201 + filling.MOST_TEXTS
    assert torch.is_grad_enabled()


def test_the_other_conventions_mask_is_translated(loaded: Loaded) -> None:
    answers = [
        [(one.id, one.text) for one in next(fill_texts(loaded, [f"My {mask} is"]))] for mask in ("<mask>", "[MASK]")
    ]
    assert answers[0] == answers[1]
    assert len(next(fill_texts(loaded, ["[MASK] and <mask>"], top_k=1))) == 2


def test_a_string_that_the_vocabulary_has_for_something_else_is_left_alone(roberta: Loaded) -> None:
    import copy

    hf = copy.deepcopy(roberta.tokenizer.hf)
    assert own_convention("a [MASK]", hf) == "a <mask>"
    hf.add_tokens(["[MASK]"])
    assert own_convention("a [MASK]", hf) == "a [MASK]"


def test_a_text_without_a_mask_is_shown_where_to_put_it(roberta: Loaded) -> None:
    with pytest.raises(UserError, match=r'text 1 has no mask; write <mask> .*: "Shall I <mask> thee to"'):
        next(fill_texts(roberta, ["Shall I compare thee to"]))
    with pytest.raises(UserError, match='"Shall I <mask> thee'):
        next(fill_texts(roberta, [""]))
    with pytest.raises(UserError) as caught:
        check_texts(roberta, ["none", "a <mask>", "none here either"])
    assert [sentence.split(" has")[0] for sentence in caught.value.sentences] == ["text 1", "text 3"]


def test_a_text_longer_than_the_positions_is_refused_with_both_numbers(roberta: Loaded) -> None:
    assert roberta.longest == 64
    fits = "!" * 61 + "<mask>"
    assert len(next(fill_texts(roberta, [fits]))) == 5
    with pytest.raises(UserError, match=r"has 65 tokens, special ones included, and .* positions for 64"):
        next(fill_texts(roberta, ["!" + fits]))


def test_what_was_read_before_a_mistake_is_answered_first(roberta: Loaded) -> None:
    answers = fill_texts(roberta, ["<mask>"] * 5 + ["none"], named="line")
    assert [len(next(answers)) for _ in range(5)] == [5] * 5
    with pytest.raises(UserError, match="line 6 has no mask"):
        next(answers)


@pytest.mark.parametrize("top_k", [0, -1, 10**6, 1.5])
def test_as_many_guesses_as_there_are_tokens_at_most(roberta: Loaded, top_k: Any) -> None:
    with pytest.raises(UserError, match=rf"top_k={top_k} must be a whole number from 1 to 400"):
        fill_texts(roberta, ["<mask>"], top_k=top_k)
    assert sum(one.probability for one in next(fill_texts(roberta, ["<mask>"], top_k=400))) == pytest.approx(1)


@pytest.mark.parametrize(("places", "value"), [([3], "nan"), ([3], "inf"), (slice(None), "-inf")])
def test_a_model_that_gives_no_numbers_is_refused(places: Any, value: str, tmp_path: Path) -> None:
    loaded = load(find_target(str(_save(tmp_path, "bert")), "fill"), precision="32-true", device="cpu")
    with torch.no_grad():
        loaded.model.cls.predictions.bias[places] = float(value)
    with pytest.raises(UserError, match="logits that are no finite numbers"):
        next(fill_texts(loaded, ["a [MASK]"]))


def test_a_model_may_rule_a_token_out(tmp_path: Path) -> None:
    loaded = load(find_target(str(_save(tmp_path, "bert")), "fill"), precision="32-true", device="cpu")
    with torch.no_grad():
        loaded.model.cls.predictions.bias[7] = -float("inf")
    filled = next(fill_texts(loaded, ["a [MASK]"], top_k=300))
    assert [one.id for one in filled if one.probability == 0] == [7]
    assert sum(one.probability for one in filled) == pytest.approx(1)
