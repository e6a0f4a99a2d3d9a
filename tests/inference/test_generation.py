"""Generation: what transformers' own generate gives, token for token, in pieces that leave nothing behind."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from quatrain.core.errors import UserError
from quatrain.corpora.verse import poems
from quatrain.inference.generation import check_options, generate, prompt_ids
from quatrain.inference.loading import Loaded, load
from quatrain.inference.next_tokens import chooser, next_tokens
from quatrain.inference.target import find_target
from quatrain.tokenizers.trained import ByteLevelBPE

POSITIONS = 64
TINY = {"num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 16, "intermediate_size": 32}
FAMILIES = {
    "gpt2": {"n_layer": 2, "n_head": 2, "n_embd": 16, "n_positions": POSITIONS},
    "llama": {**TINY, "num_key_value_heads": 1},
    "mistral": {**TINY, "num_key_value_heads": 1, "sliding_window": 6},
    "gpt_neox": TINY,
    "bloom": {"n_layer": 2, "n_head": 2, "hidden_size": 16},
    "opt": {**TINY, "ffn_dim": 32, "word_embed_proj_dim": 16},
    "roberta": {**TINY, "is_decoder": True},
    "openai-gpt": {"n_layer": 2, "n_head": 2, "n_embd": 16, "n_positions": POSITIONS},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2 from random weights that are large enough to say something else each time."""
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("models") / "gpt2"
    tokenizer = ByteLevelBPE(vocab_size=400, special_tokens=("<|endoftext|>",)).fit(lambda: poems(50, 0))
    torch.manual_seed(1)
    config = GPT2Config(
        vocab_size=tokenizer.vocab_size,
        **FAMILIES["gpt2"],
        initializer_range=0.4,
        bos_token_id=tokenizer.bos_id,
        eos_token_id=tokenizer.eos_id,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save(folder)
    return folder


@pytest.fixture(scope="module")
def gpt2(folder: Path) -> Loaded:
    return load(find_target(str(folder), "generate"), precision="32-true", device="cpu")


def _of_family(family: str) -> Loaded:
    from transformers import AutoModelForCausalLM
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    torch.manual_seed(3)
    config = CONFIG_MAPPING[family](
        vocab_size=60, initializer_range=0.4, bos_token_id=0, pad_token_id=1, eos_token_id=59, **FAMILIES[family]
    )
    return _by_hand(AutoModelForCausalLM.from_config(config).eval())


def _by_hand(model: Any, tokenizer: Any = None, longest: int | None = None) -> Loaded:
    target: Any = SimpleNamespace(given="MODEL")
    return Loaded(target, model, tokenizer, torch.device("cpu"), "32-true", longest, {})


def _ids(loaded: Loaded, prompt: list[int], *, most: int = 12, slide: bool = False, **how: Any) -> list[int]:
    settings = {"temperature": 0, "top_k": None, "top_p": None, "seed": None, **how}
    return list(next_tokens(loaded, prompt, chooser(loaded.device, **settings), most=most, slide=slide))


def _reference(model: Any, prompt: list[int], *, most: int = 12, **how: Any) -> list[int]:
    ids = torch.tensor([prompt])
    settings = {"do_sample": False, "pad_token_id": 0, "eos_token_id": None, **how}
    made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=most, **settings)
    return made[0, len(prompt) :].tolist()


class Says(torch.nn.Module):
    """A model that says the given ids, one after another, whatever it is asked; it keeps no past."""

    def __init__(self, ids: list[int], vocabulary: int, prompt: int) -> None:
        super().__init__()
        self.ids, self.vocabulary, self.prompt = ids, vocabulary, prompt

    def forward(self, input_ids: torch.Tensor) -> Any:
        logits = torch.zeros(1, input_ids.shape[1], self.vocabulary)
        logits[0, -1, self.ids[input_ids.shape[1] - self.prompt]] = 1
        return SimpleNamespace(logits=logits)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "roberta"])
def test_greedy_equals_generate_of_transformers_for_every_family(family: str) -> None:
    """But RoBERTa's, whose positions it counts from 0, as neither the model itself nor its training does."""
    loaded = _of_family(family)
    prompt = [7, 1, 30, 59, 12]  # the padding and the end of text may stand in it
    assert _ids(loaded, prompt) == _reference(loaded.model, prompt)


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_takes_what_the_model_makes_of_the_whole_text_each_time(family: str) -> None:
    loaded = _of_family(family)
    whole = [7, 30, 59, 12]
    for _ in range(12):
        with torch.no_grad():
            whole.append(int(loaded.model(input_ids=torch.tensor([whole])).logits[0, -1].argmax()))
    assert _ids(loaded, whole[:4]) == whole[4:]


def test_greedy_text_equals_that_of_the_folder_in_transformers(folder: Path, gpt2: Loaded) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, hf = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    prompt = "Shall I compare thee"
    made = model.generate(**hf(prompt, return_tensors="pt"), max_new_tokens=30, do_sample=False, pad_token_id=0)
    assert prompt + "".join(generate(gpt2, prompt, max_new_tokens=30, temperature=0)) == hf.decode(
        made[0], skip_special_tokens=True
    )


@pytest.mark.parametrize(
    ("how", "theirs"),
    [
        ({"temperature": 1.0}, {}),
        ({"temperature": 0.7}, {"temperature": 0.7}),
        ({"temperature": 1.3, "top_k": 5}, {"temperature": 1.3, "top_k": 5}),
        ({"temperature": 1.0, "top_p": 0.6}, {"top_p": 0.6}),
        ({"temperature": 2.0, "top_k": 20, "top_p": 0.8}, {"temperature": 2.0, "top_k": 20, "top_p": 0.8}),
    ],
)
def test_sampling_equals_generate_of_transformers_with_the_same_seed(how: dict, theirs: dict) -> None:
    loaded = _of_family("gpt2")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        expected = _reference(loaded.model, [5, 6], do_sample=True, **{"top_k": 0, **theirs})
    assert _ids(loaded, [5, 6], seed=11, **how) == expected


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"), [(1.0, None, None), (0.5, None, None), (1.0, 3, None), (2.0, 6, 0.7)]
)
def test_draws_have_the_distribution_that_the_settings_mean(
    temperature: float, top_k: int | None, top_p: float | None
) -> None:
    """Against probabilities worked out by hand in numpy."""
    logits = np.array([1.0, 3.0, 0.5, 2.0, 0.2, 2.5, 0.0, 1.5])
    chances = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
    order = np.argsort(-chances)
    kept = order[:top_k]
    if top_p is not None:
        within = chances[kept] / chances[kept].sum()
        kept = kept[: 1 + int(np.sum(np.cumsum(within) < top_p))]
    choose = chooser(torch.device("cpu"), temperature=temperature, top_k=top_k, top_p=top_p, seed=0)
    given = torch.tensor(logits, dtype=torch.float32)[None]
    drawn = np.bincount([choose(torch.zeros(1, 1, dtype=torch.long), given) for _ in range(6000)], minlength=8)
    assert set(np.flatnonzero(drawn)) == set(kept)
    expected = chances[kept] / chances[kept].sum() * 6000
    assert chisquare(drawn[kept], expected).pvalue > 1e-4


def test_the_same_seed_gives_the_same_text_and_another_one_another(gpt2: Loaded) -> None:
    texts = ["".join(generate(gpt2, "Shall", seed=seed)) for seed in (5, 5, 6)]
    assert texts[0] == texts[1] != texts[2]


def test_pieces_make_up_the_text_and_each_is_made_when_it_is_taken(gpt2: Loaded) -> None:
    pieces = generate(gpt2, "Shall I", max_new_tokens=20, temperature=0)
    first = next(pieces)
    assert pieces.tokens == 1
    assert pieces.ended is None
    rest = list(pieces)
    made = _ids(gpt2, prompt_ids(gpt2, "Shall I"), most=20)
    assert first + "".join(rest) == gpt2.tokenizer.decode(made)
    assert pieces.ended == "max_new_tokens"
    assert pieces.tokens == 20


def test_the_keys_and_values_of_the_past_are_kept(gpt2: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    fed = []
    forward = gpt2.model.forward

    def recorded(input_ids: torch.Tensor, attention_mask: Any, past_key_values: Any, use_cache: bool) -> Any:
        fed.append(input_ids.shape[1])
        return forward(
            input_ids=input_ids, attention_mask=attention_mask, past_key_values=past_key_values, use_cache=use_cache
        )

    monkeypatch.setattr(gpt2.model, "forward", recorded)
    assert len(_ids(gpt2, [9] * 10, most=5)) == 5
    assert fed == [10, 1, 1, 1, 1]


def test_it_ends_at_an_end_of_text_which_is_not_told(gpt2: Loaded) -> None:
    tokenizer = gpt2.tokenizer
    said = [*tokenizer.encode([" I love"])[0].tolist(), tokenizer.eos_id, *tokenizer.encode([" more"])[0].tolist()]
    prompt = len(tokenizer.encode(["Oh"])[0])
    loaded = _by_hand(Says(said, tokenizer.vocab_size, prompt), tokenizer)
    pieces = generate(loaded, "Oh", temperature=0)
    assert "".join(pieces) == " I love"
    assert pieces.ended == "end of text"


def test_the_models_own_settings_may_name_more_ends_of_text(gpt2: Loaded) -> None:
    tokenizer = gpt2.tokenizer
    said = tokenizer.encode([" I love thee"])[0].tolist()
    model: Any = Says(said, tokenizer.vocab_size, len(tokenizer.encode(["Oh"])[0]))
    model.generation_config = SimpleNamespace(eos_token_id=[said[-1]])
    text = "".join(generate(_by_hand(model, tokenizer), "Oh", temperature=0, max_new_tokens=len(said)))
    assert text == tokenizer.decode(said[:-1])


def test_half_of_a_character_waits_for_the_other(gpt2: Loaded) -> None:
    tokenizer = gpt2.tokenizer
    said = tokenizer.encode(["é€😀!"])[0].tolist()
    loaded = _by_hand(Says(said, tokenizer.vocab_size, len(tokenizer.encode(["Oh"])[0])), tokenizer)
    assert list(generate(loaded, "Oh", temperature=0, max_new_tokens=len(said))) == ["é", "€", "😀", "!"]


def test_it_stops_where_prompt_and_new_tokens_fill_the_positions(gpt2: Loaded) -> None:
    assert gpt2.longest == POSITIONS
    prompt = [9] * 60
    assert len(_ids(gpt2, prompt, most=40)) == 4
    assert _ids(gpt2, prompt, most=4) == _reference(gpt2.model, prompt, most=4)
    assert _ids(gpt2, [9] * POSITIONS) == []
    pieces = generate(gpt2, "love " * 12, temperature=0, max_new_tokens=1000)
    assert list(pieces)
    assert pieces.ended == "positions"
    assert pieces.tokens == POSITIONS - len(prompt_ids(gpt2, "love " * 12))


def test_sliding_goes_on_with_the_last_half_of_the_positions(gpt2: Loaded) -> None:
    prompt = list(range(10, 70))
    made = _ids(gpt2, prompt, most=50, slide=True)
    whole = list(prompt)
    for count in (4, 32, 14):  # to the end of the positions, from a half to the end again, the rest
        context = whole if len(whole) < POSITIONS else whole[-POSITIONS // 2 :]
        whole += _reference(gpt2.model, context, most=count)
    assert made == whole[60:]


def test_a_model_of_one_position_can_slide() -> None:
    loaded = _by_hand(_of_family("gpt2").model, longest=1)
    assert len(_ids(loaded, [5], most=3, slide=True)) == 3


def test_a_prompt_longer_than_the_positions_is_refused_with_both_numbers(gpt2: Loaded) -> None:
    with pytest.raises(UserError, match=r"has 70 tokens and .* positions for 64; shorten it by 6 tokens"):
        generate(gpt2, "!" * 70, slide=True)


def test_an_empty_prompt_is_the_end_of_the_text_before(gpt2: Loaded) -> None:
    assert prompt_ids(gpt2, "") == [gpt2.tokenizer.eos_id]
    assert "".join(generate(gpt2, "", seed=1))
    ours = _by_hand(None, ByteLevelBPE(vocab_size=270).fit(lambda: ["a rose"]))
    assert prompt_ids(ours, "") == [ours.tokenizer.eos_id]
    assert prompt_ids(ours, "a") == ours.tokenizer.encode(["a"])[0].tolist()  # <s> and </s> are for masked models


def test_what_a_family_puts_before_a_text_is_put_there(gpt2: Loaded) -> None:
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    from quatrain.tokenizers.tokenizer import Tokenizer

    hf = PreTrainedTokenizerFast.from_pretrained(gpt2.target.folder)
    end = "<|endoftext|>"
    hf.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{end} $A", special_tokens=[(end, hf.eos_token_id)]
    )
    loaded = _by_hand(None, Tokenizer(hf))
    assert prompt_ids(loaded, "love") == [hf.eos_token_id, *prompt_ids(gpt2, "love")]
    assert prompt_ids(loaded, "") == [hf.eos_token_id]


def test_special_tokens_of_a_prompt_are_read_as_such_and_lone_surrogates_replaced(gpt2: Loaded) -> None:
    assert prompt_ids(gpt2, "a<|endoftext|>b")[1] == gpt2.tokenizer.eos_id
    assert prompt_ids(gpt2, "a\ud800") == prompt_ids(gpt2, "a\ufffd")


def test_a_waiting_iterator_changes_nothing_for_the_code_around_it(gpt2: Loaded) -> None:
    before = torch.random.get_rng_state()
    pieces = generate(gpt2, "Shall", seed=1)
    next(pieces)
    assert torch.is_grad_enabled()
    assert not torch.is_autocast_enabled("cpu")
    assert torch.equal(before, torch.random.get_rng_state())
    assert any(thread.name.startswith("quatrain-model") for thread in threading.enumerate())
    pieces.close()
    assert not any(thread.name.startswith("quatrain-model") for thread in threading.enumerate())
    assert list(pieces) == []


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_model_that_gives_no_numbers_is_refused(value: str) -> None:
    loaded = _of_family("gpt2")
    loaded.model.lm_head.register_forward_hook(lambda head, given, logits: logits.fill_(float(value)))
    with pytest.raises(UserError, match="logits that are no finite numbers"):
        _ids(loaded, [1])


def test_bfloat16_computes_and_ends_as_it_should(folder: Path) -> None:
    half = load(find_target(str(folder), "generate"), precision="bf16-mixed", device="cpu")
    with half.computing():
        expected = _reference(half.model, [9, 8, 7])
    assert _ids(half, [9, 8, 7]) == expected


def test_all_that_is_wrong_with_the_options_is_told_at_once(gpt2: Loaded) -> None:
    wrong = {"temperature": -1, "top_k": 0, "top_p": 1.5, "seed": -1, "max_new_tokens": 2.5, "samples": "x"}
    sentences = check_options(wrong, lambda name: f"--{name}")
    assert len(sentences) == 6
    assert any(sentence.startswith("--temperature=-1 must be 0, ") for sentence in sentences)
    with pytest.raises(UserError) as caught:
        generate(gpt2, "a", temperature=float("nan"), top_p=0)
    assert len(caught.value.sentences) == 2
    fine = {"temperature": 0, "top_k": 1, "top_p": 1, "seed": 0, "max_new_tokens": 1, "samples": None}
    assert check_options(fine) == []
