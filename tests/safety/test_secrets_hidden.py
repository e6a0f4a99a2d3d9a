"""Proves that secrets are told by name and by form, and hidden in commands and texts while ordinary words stay."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.core.secrets import is_secret_name, redact, redact_text, secret_kind

LONG = "Zx9" + "q7" * 15


@pytest.mark.parametrize(
    "name",
    [
        *("token", "key", "auth", "password", "api_key", "apiKey", "apikey", "hfToken", "hf_token", "HF_TOKEN"),
        *("WANDB_API_KEY", "logger.wandb.api_key", "MY_DB_PASSWORD", "db_pwd", "client-secret", "secretKey"),
        *(
            "AWS_SECRET_ACCESS_KEY",
            "aws_session_token",
            "--token",
            "access_tokens",
            "api_keys",
            "token2",
            "x.passphrase",
        ),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("mask_token", "pad_token", "eos_token_id", "decoder_start_token_id", "maskToken", "special_tokens", "PWD"),
        *(
            "max_tokens",
            "tokenizer",
            "tokenizer.source",
            "text_key",
            "label_key",
            "keys",
            "tokens",
            "KeyError",
            "keyboard",
        ),
        *("HF_TOKEN_PATH", "SSH_AUTH_SOCK", "author", "monkey", "token_file", "optimizer.lr", "sort_key", "", "."),
    ],
)
def test_names_of_the_rest(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET https://me:abc@host/file", "GET https://***@host/file"),
        ("https://me:p@ss@host/file", "https://***@host/file"),
        ("https://h/f?token=abc&b=2", "https://h/f?token=***&b=2"),
        ("https://h/f?X-Amz-Signature=abc&b=2", "https://h/f?X-Amz-Signature=***&b=2"),
        ("https://h/f?sig=abc", "https://h/f?sig=***"),
        ("Authorization: Bearer abc.def-1", "Authorization: ***"),
        ("{'authorization': 'Basic bWU6YWJj'}", "{'authorization': '***'}"),
        ("sent Bearer abcdef12", "sent Bearer ***"),
        (f"got hf_{LONG}.", "got ***."),
        (f"got sk-{LONG}, then", "got ***, then"),
        (f"(ghp_{LONG})", "(***)"),
        ("id AKIAABCDEFGHIJKLMNOP", "id ***"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.abc", "***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "***"),
        ("logger.api_key=abc, seed=1", "logger.api_key=***, seed=1"),
        ("hfToken=abc", "hfToken=***"),
        ('{"api_key": "a b c", "seed": 1}', '{"api_key": ***, "seed": 1}'),
        ("api_keys=[abc, def] seed=1", "api_keys=*** seed=1"),
        ("x={name: a, password: abc}", "x={name: a, password: ***}"),
        ("run --token abc --seed 1", "run --token *** --seed 1"),
        ("password: hunter2", "password: ***"),
    ],
)
def test_texts_that_hold_secrets(text: str, shown: str) -> None:
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "tokenizer.mask_token=<mask> pad_token=[PAD] eos_token: '</s>'",
        "token=<|endoftext|>",
        "no such key: colour",
        "KeyError: 'colour'",
        "unknown token: thee",
        "data.max_tokens=7 data.source=https://host/file?b=2 me@host.example",
        "sklearn's task-based hf_tokenizer and hf_hub_download",
        "logger.api_key=null",
        "val/loss=1.25e-3 · 12:30:01 · sha256 " + "ab" * 32,
    ],
)
def test_texts_that_stay(text: str) -> None:
    assert redact_text(text) == text
    assert redact([text]) == [text] or "key:" in text or "token:" in text


def test_arguments_are_hidden_to_their_end() -> None:
    command = ["quatrain", "my.secret=two words", "+logger.x={name: a, token: abc}", "--token", "abc", "seed=1"]
    assert redact(command) == [
        "quatrain",
        "my.secret=***",
        "+logger.x={name: a, token: ***}",
        "--token",
        "***",
        "seed=1",
    ]


def test_values_of_the_environment_are_hidden_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "plain words+1")
    monkeypatch.setenv("SOME_PASSWORD", "abc")
    monkeypatch.setenv("PLAIN", "visible words")
    assert redact_text("a plain words+1 b plain%20words%2B1, visible words, abc") == "a *** b ***, visible words, abc"
    assert redact(["x=plain words+1"]) == ["x=***"]
    assert secret_kind("a plain words+1") == "the value of the environment variable WANDB_API_KEY"


def test_a_secret_is_told_by_its_kind() -> None:
    assert secret_kind("https://me:abc@host") == "the account of a URL"
    assert secret_kind("https://host?token=abc") == "the token of a URL"
    assert secret_kind(f"hf_{LONG}") == "what looks like a key or token"
    assert secret_kind("the quick brown fox, https://host/a?b=c") is None


def test_a_long_line_takes_no_time() -> None:
    """No pattern looks at the same place again and again."""
    parts = ("a", "a=", "a.", "https://", "[?", "Bearer ", "token=[", "token='", "sk-", "eyJ", "?a", " ", "-----BEGIN ")
    start = time.perf_counter()
    for part in parts:
        redact_text(part * 30_000)
    assert time.perf_counter() - start < 10


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="Z"), max_size=30)


@settings(max_examples=200, deadline=None)
@given(before=WORDS, after=WORDS, form=st.sampled_from(["api_key={}", "hfToken: {}", '"password": "{}"', "--token {}"]))
def test_whatever_stands_around_a_secret(before: str, after: str, form: str) -> None:
    """The surroundings of a setting bring its value to light in no text."""
    secret = "Z" * 6 + "9q7" * 4
    shown = redact_text(f"{before} {form.format(secret)} {after}")
    assert secret not in shown
    assert redact_text(shown) == shown
