"""The offline half of a training cycle: cleaned documents on disk, in splits, with an account of what was changed."""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Any

from quatrain.core.errors import NotNow, UserError
from quatrain.corpora.files import SPLITS
from quatrain.corpora.layout import Layout
from quatrain.corpora.text import TextCorpus

_SHOWN = 3


def write_text(corpus: TextCorpus, folder: Path | str, *, key: str = "folder") -> Path:
    """Write a corpus into a new folder and return its path.

    The folder holds ``train.jsonl``, ``validation.jsonl``, ``test.jsonl`` (those that hold something; one document a
    line, ``{"text": ...}``), ``report.json`` (sizes, fingerprint, recipe, counts and examples of what was changed) and
    ``report.md`` (the same for reading). ``load_text(folder)`` reads the same documents in the same splits, where its
    shares of splits that are not there are 0. The folder appears when it is complete. ``key`` names the setting in the
    sentences.

    Raises:
        UserError: the folder exists or cannot be made, or the corpus has a fault.
        NotNow: the disk is full.
    """
    layout = corpus.layout

    def fill(partial: Path) -> None:
        write_pieces(corpus.stream(), corpus.splits, partial)
        write_report(corpus, layout, partial)

    return publish(folder, fill, key=key)


def publish(folder: Path | str, fill: Callable[[Path], None], *, key: str) -> Path:
    """Make a new folder that ``fill`` fills, and return its path; it appears when it is complete, or not at all.

    Raises:
        UserError: the folder exists or cannot be made, or what ``fill`` raises.
        NotNow: the disk is full.
    """
    target = Path(folder).expanduser().absolute()
    if target.exists():
        raise UserError(f"{key}={folder} exists already; name a new folder, or remove this one.")
    partial: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-", suffix=".partial"))
        fill(partial)
        # A private temporary folder is closed to others; a result is as open as the user's other folders.
        partial.chmod(0o777 & ~_umask())
        partial.rename(target)
    except OSError as error:
        raise write_error(error, target, key) from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
    return target


def write_pieces(stream: Iterable[tuple[str, str, bool]], splits: Sequence[str], folder: Path) -> None:
    """Write documents in pieces, (split, piece, whether it ends its document), to a file for each of ``splits``."""
    files: dict[str, IO[str]] = {}
    inside: set[str] = set()
    try:
        for split in splits:
            files[split] = (folder / f"{split}.jsonl").open("w", encoding="utf-8", newline="\n")
        for split, piece, ends in stream:
            escaped = json.dumps(piece, ensure_ascii=False)[1:-1]
            start = "" if split in inside else '{"text": "'
            files[split].write(f'{start}{escaped}"}}\n' if ends else f"{start}{escaped}")
            (inside.discard if ends else inside.add)(split)
    finally:
        for file in files.values():
            file.close()


def write_report(corpus: TextCorpus, layout: Layout, folder: Path) -> None:
    """Write ``report.json`` and ``report.md`` of a corpus that is laid out so."""
    summary = {
        "corpus": corpus.name,
        "fingerprint": corpus.fingerprint,
        "recipe": corpus.recipe,
        "splits": {
            split: {"documents": layout.documents[split], "characters": layout.characters[split]}
            for split in SPLITS
            if layout.documents[split]
        },
        "changes": layout.report.to_dict(),
    }
    (folder / "report.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (folder / "report.md").write_text(_readable(summary), "utf-8")


def _readable(summary: dict[str, Any]) -> str:
    lines = [f"# {summary['corpus']}", "", "| split | documents | characters |", "|---|---:|---:|"]
    lines += [
        f"| {name} | {size['documents']:,} | {size['characters']:,} |" for name, size in summary["splits"].items()
    ]
    lines += ["", "## Changed and dropped", ""]
    if not summary["changes"]:
        lines.append("Nothing: the text is as it came.")
    for rule, change in summary["changes"].items():
        lines.append(f"- `{rule}`: {change['count']:,} {change['what']}")
        for example in change["examples"][:_SHOWN]:
            after = "dropped" if example["after"] is None else f"became {_quoted(example['after'])}"
            lines.append(f"    - {example['file']}, line {example['line']}: {_quoted(example['before'])} {after}")
    return "\n".join([*lines, "", f"Fingerprint: {summary['fingerprint']}", ""])


def _quoted(text: str) -> str:
    return f"`{json.dumps(text, ensure_ascii=not text.isprintable()).replace('`', chr(0x2019))}`"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_error(error: OSError, target: Path, key: str) -> UserError:
    """What to say where a folder cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NotNow(f"{key}={target} does not fit: no space is left on the disk; free some or name another place.")
    return UserError(f"{key}={target} cannot be written ({error.strerror or error}); name a folder that can be made.")
