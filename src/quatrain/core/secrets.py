"""Telling secrets from the rest, and hiding them: in commands, log lines, error sentences and what a run records."""

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

HIDDEN = "***"

ALWAYS = frozenset({"password", "passwd", "passphrase", "secret", "secrets", "apikey", "credential", "credentials"})
"""A setting whose name has one of these words holds a secret, unless its last word is one of `ABOUT`."""

AT_THE_END = frozenset({"key", "token", "auth", "authorization", "bearer", "pwd", "passwords", "signature"})
"""A setting whose name ends in one of these words holds a secret, unless the word before says that it is of data."""

PLURALS = frozenset({"keys", "tokens"})
"""These end a secret's name only after one of `OWNERS`: texts have tokens and rows have keys."""

OWNERS = frozenset({"access", "api", "auth", "bearer", "client", "hf", "hub", "openai", "private", "session", "wandb"})

ABOUT = frozenset({"count", "dir", "env", "file", "folder", "id", "length", "name", "path", "size", "sock", "variable"})
"""The last word of a name that tells something about a secret, not the secret itself."""

_DATA_WORDS = """
    additional audio batch begin bod boi bol bos class cls column data dictionary end eod eoi eol eop eos eot fake group
    image input join label mask max metric min next num output pad padding pair per prefix previous public row sample
    sep separator sort special split start stop suffix target text unk video word
"""
OF_DATA = frozenset(_DATA_WORDS.split())
"""Before ``token`` or ``key`` these words name a token of text, or a key of data."""

SHORTEST = 8
"""Values of environment variables that are shorter stand for too much else to be hidden in a text."""

_HARMLESS = frozenset({"", "null", "none", "true", "false", "~", HIDDEN})
_GENERIC = frozenset({"key", "token", "auth", "signature", "bearer"})

_ACCOUNT = re.compile(r"(?<=://)[^/\s@?#'\"<>][^/\s?#'\"<>]*@")
_QUERY = re.compile(r"(?<=[?&;])([\w.\-%]+)=([^&\s#'\"<>)\],;]+)")
_QUERY_NAMES = frozenset(
    {"sig", "code", "x-amz-signature", "x-amz-credential", "x-goog-signature", "x-goog-credential"}
)
_HEADER = re.compile(r"(?i)(\bauthorization[\"']?\s*[:=]\s*[\"']?)(?:(?:bearer|basic|token)\s+)?[^\s\"',]+")
_BEARER = re.compile(r"\b([Bb]earer\s+)[\w.~+/=-]{6,}")
_KEYS = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"hf_(?:(?=[A-Za-z]*\d)[A-Za-z0-9]{6,}|[A-Za-z0-9]{16,})"
    r"|sk-(?:(?=[A-Za-z_-]{0,40}\d)[\w-]{12,}|[A-Za-z]{20,})"
    r"|gh[opusr]_[A-Za-z0-9]{10,}|github_pat_\w{16,}|glpat-[\w-]{12,}"
    r"|(?:AKIA|ASIA|AGPA|AIDA|AROA)[0-9A-Z]{16}(?![0-9A-Z])"
    r"|AIza[\w-]{30,}|xox[abeoprs]-[\w-]{10,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|wandb_v\d_\w{16,}"
    r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+"
    r")"
)
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)

# a name starts only where a word does, so that a long word is looked at once
_NAME = re.compile(r"(?<![\w.\-/@])([\w.\-/@]+)([\"']?\]?)(\s*[=:]\s*)(?!//)")
_VALUE = re.compile(r"\"[^\"]{0,4000}\"|'[^']{0,4000}'|\[[^\]]{0,4000}\]|\{[^}]{0,4000}\}|[^\s,;{}\[\]()\"'&]+")
_FLAG = re.compile(r"(?<!\S)(--?[A-Za-z][\w\-]*)(\s+)([^\s-]\S*)")
_SPECIAL = re.compile(r"[\"']?(<\S+>|\[[A-Z_]+\])[\"']?")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+")


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether a setting, an argument or an environment variable of this name holds a secret.

    The part after the last dot is judged by whole words, in any spelling (``api_key``, ``apiKey``, ``API-KEY``).
    ``api_key``, ``hfToken`` and ``WANDB_API_KEY`` are secrets'; ``mask_token``, ``max_tokens``, ``tokenizer``,
    ``text_key`` and ``token_file`` are not.
    """
    words = [word.lower() for word in _WORDS.findall(name.rpartition(".")[2])]
    if not words or words[-1] in ABOUT or words == ["pwd"]:  # alone it is the working directory
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in PLURALS:
        return before in OWNERS
    if last in AT_THE_END:
        return before not in OF_DATA
    return any(word in ALWAYS for word in words) or "".join(words[-2:]) in ALWAYS


def redact(command: Sequence[str]) -> list[str]:
    """Return the arguments of ``command``, each as `redact_text` has it, and what follows a secret's flag hidden."""
    shown = []
    hide_next = False
    for argument in command:
        flag = argument.startswith("-") and "=" not in argument
        name, separator, value = argument.partition("=")
        if hide_next and not flag:
            shown.append(HIDDEN)
        elif separator and is_secret_name(name) and not is_plain(name, value):
            shown.append(name + separator + HIDDEN)
        else:
            shown.append(_hide(argument, of_settings=True))
        hide_next = flag and is_secret_name(argument)
    return shown


def redact_text(text: str) -> str:
    """Return ``text`` with every secret in it as `HIDDEN`.

    Hidden are the accounts and tokens of URLs, authorization headers, keys that are known by their form (``hf_...``,
    ``sk-...``, ``ghp_...``, AWS's, private keys and more), values of settings whose name is a secret's
    (`is_secret_name`; lists and mappings too), and wherever they stand the values of this process's environment
    variables with such names.
    """
    return _hide(text, of_settings=False)


def secret_kind(text: str) -> str | None:
    """What makes ``text`` a secret by itself, in words that go on from "it holds"; None where nothing does."""
    if name := next((name for name, value in environment_secrets() if value in text), None):
        return f"the value of the environment variable {name}"
    if _ACCOUNT.search(text):
        return "the account of a URL"
    if any(_is_query_secret(found) for found in _QUERY.finditer(text)):
        return "the token of a URL"
    if _KEYS.search(text) or _PEM.search(text) or _BEARER.search(text) or _HEADER.search(text):
        return "what looks like a key or token"
    return None


def environment_secrets() -> list[tuple[str, str]]:
    """(name, value) of the environment variables that hold secrets, longest values first."""
    found = [
        (name, value)
        for name, value in os.environ.items()
        if len(value) >= SHORTEST and not _harmless(value) and is_secret_name(name) and not _is_file(value)
    ]
    return sorted(found, key=lambda pair: -len(pair[1]))


def _hide(text: str, *, of_settings: bool) -> str:
    for _, value in environment_secrets():
        for form in {value, quote(value, safe="")}:
            text = text.replace(form, HIDDEN)
    text = _PEM.sub(HIDDEN, text)
    text = _ACCOUNT.sub(HIDDEN + "@", text)
    text = _QUERY.sub(lambda found: f"{found[1]}={HIDDEN}" if _is_query_secret(found) else found[0], text)
    text = _FLAG.sub(lambda found: found[1] + found[2] + HIDDEN if is_secret_name(found[1]) else found[0], text)
    text = _hide_settings(text, of_settings)  # before those below, which would take a setting's name for their value
    text = _HEADER.sub(r"\1" + HIDDEN, text)
    text = _BEARER.sub(r"\1" + HIDDEN, text)
    return _KEYS.sub(HIDDEN, text)


def _hide_settings(text: str, of_settings: bool) -> str:
    parts, place = [], 0
    while found := _NAME.search(text, place):
        parts.append(text[place : found.end()])
        place = found.end()
        header = found[1].lower().endswith("authorization")  # its value has two words
        value = _VALUE.match(text, place) if is_secret_name(found[1]) and not header else None
        if value and _is_setting(found, value[0], of_settings):
            parts.append(HIDDEN)
            place = value.end()
    return "".join([*parts, text[place:]])


def _is_setting(found: re.Match[str], value: str, of_settings: bool) -> bool:
    name, quoted, separator = found.groups()
    if is_plain(name, value):
        return False
    # a sentence such as "no such key: colour" is about a key of a mapping
    said = not of_settings and not quoted and "=" not in separator and name.lower() in _GENERIC
    return not said or (len(value) >= 12 and any(map(str.isdigit, value)))


def _is_query_secret(found: re.Match[str]) -> bool:
    name = found[1]
    return (name.lower() in _QUERY_NAMES or is_secret_name(name)) and not _harmless(found[2])


def is_plain(name: str, value: str) -> bool:
    """Whether the value says that there is none, or is a special token of a text."""
    return _harmless(value) or (name.lower().endswith("token") and _SPECIAL.fullmatch(value) is not None)


def _harmless(value: str) -> bool:
    return value.strip("\"'").lower() in _HARMLESS


def _is_file(value: str) -> bool:
    try:
        return value.startswith(("/", "~", ".")) and Path(value).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False
