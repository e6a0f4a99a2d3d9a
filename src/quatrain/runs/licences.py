"""The licence of what a model was trained on, as far as it is known. Nothing is downloaded, and nothing is guessed."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from quatrain.core.brought_files import read_bounded
from quatrain.core.errors import UserError
from quatrain.corpora.glue import GLUE_HUB_NAME
from quatrain.corpora.hub import HUB, hub_source
from quatrain.corpora.locations import is_url
from quatrain.corpora.msr_paraphrase import holds_msr_paraphrase
from quatrain.corpora.named import NAMED
from quatrain.corpora.sources import VERSE

LARGEST = 2 * 10**6
"""Bytes of a file that is looked at: the public texts and cards that can be known are smaller."""


class Licence(NamedTuple):
    """``identifier``: the hub's word for it, for the head of a card; ``name``: where that is "other"."""

    words: str
    identifier: str = "unknown"
    name: str | None = None


UNKNOWN = Licence("not known: find it out and name it here before you share the model")
OWN = Licence("made by quatrain itself, under the MIT licence as quatrain is", "mit")
MRPC = Licence(
    "Microsoft's licence for the Microsoft Research Paraphrase Corpus: research that is not commercial",
    "other",
    "msr-paraphrase-corpus",
)

GLUE_CORPORA = {
    "cola": "the Corpus of Linguistic Acceptability",
    "sst2": "the Stanford Sentiment Treebank",
    "qqp": "Quora Question Pairs",
    "stsb": "the Semantic Textual Similarity Benchmark",
    "mnli": "MultiNLI",
    "qnli": "the Stanford Question Answering Dataset",
    "rte": "the corpora of the RTE challenges",
    "wnli": "the Winograd Schema Challenge",
}
"""What GLUE made its tasks of, each with terms of its own; MRPC is told by `MRPC`."""

PUBLIC_DOMAIN = {
    NAMED["shakespeare"].sha256: "Shakespeare's Sonnets (Project Gutenberg 1041)",
    NAMED["tinyshakespeare"].sha256: "plays of Shakespeare (tiny Shakespeare)",
    "b41e41a68f0398a3154ae69e2e4c0e2694e17fe0d66730536837f1b01935b31f": "Edith Wharton, The Verdict (1908)",
}
"""Texts that are known by their sha256, wherever they lie."""

_HEAD = re.compile(r"\A---\s*\n(.*?)\n---", re.DOTALL)
_LICENSE = re.compile(
    r"^license:[ \t]*(?:\n[ \t]*-[ \t]*)?[\"']?([a-z0-9][a-z0-9.+-]{1,40})[\"']?[ \t]*$", re.MULTILINE
)


def data_licence(data: Mapping[str, Any]) -> Licence:
    """The licence of the data that the config's group ``data`` names.

    The embedded verse, public texts by their hash, the data sets of GLUE, and of the hub what the card in the local
    cache says; else `UNKNOWN`.
    """
    source, task = str(data.get("source", "")), data.get("glue_task")
    if source == VERSE:
        return OWN
    if source in NAMED:
        return _public(PUBLIC_DOMAIN[NAMED[source].sha256])
    if source.startswith(HUB):
        name = hub_source(source)[0]
        return _of_glue(task) if name == GLUE_HUB_NAME else _of_card(name, data.get("revision"))
    if title := PUBLIC_DOMAIN.get(str(data.get("sha256") or "") or _hash(source)):
        return _public(title)
    if _is_mrpc(source):
        return MRPC
    return UNKNOWN


def _public(title: str) -> Licence:
    return Licence(f"public domain: {title}", "other", "public-domain")


def _of_glue(task: Any) -> Licence:
    if task == "mrpc":
        return MRPC
    corpus = GLUE_CORPORA.get(str(task))
    whose = f"that of {corpus}" if corpus else "that of the corpus"
    return Licence(f"see the data's own licence, {whose} which GLUE took it from", "other", "see-the-data")


def _of_card(name: str, revision: Any) -> Licence:
    """What the hub's card of a dataset says, where it lies in the local cache."""
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(name, "README.md", repo_type="dataset", revision=revision or None)
        text = read_bounded(Path(found), LARGEST, name).decode("utf-8") if isinstance(found, str) else ""
    except (ValueError, UserError):  # a name that is none, a card that is no text
        text = ""
    head = _HEAD.match(text)
    said = _LICENSE.search(head[1]) if head else None
    if said is None:
        return Licence(f"not known here: see the card of {name} on the Hugging Face hub")
    return Licence(f"{said[1]}, as the card of {name} says", said[1])


def _hash(source: str) -> str:
    """The sha256 of a local file; empty where it is none, or larger than what is known."""
    try:
        path = Path(source).expanduser()
        if is_url(source) or not path.is_file():
            return ""
        return hashlib.sha256(read_bounded(path, LARGEST, "data.source")).hexdigest()
    except (OSError, RuntimeError, ValueError, UserError):
        return ""


def _is_mrpc(source: str) -> bool:
    try:
        return bool(source) and not is_url(source) and holds_msr_paraphrase(Path(source).expanduser())
    except (OSError, RuntimeError, ValueError):
        return False
