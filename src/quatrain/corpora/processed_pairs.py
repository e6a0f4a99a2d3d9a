"""Writing a corpus of pairs as files that are ready to train on, with an account of what was done."""

import json
import os
import shutil
import uuid
from collections import Counter
from pathlib import Path
from statistics import fmean
from typing import Any

from quatrain.core.errors import NotNow, UserError
from quatrain.corpora.pair_corpus import PairCorpus
from quatrain.corpora.pair_folder import REPORT_FILE
from quatrain.corpora.pair_labels import UNLABELLED


def write_pairs(corpus: PairCorpus, folder: Path | str) -> None:
    """Write ``corpus`` to the new ``folder``: a JSON Lines file for each split, ``report.json`` and ``report.md``.

    A row is ``sentence1`` and ``sentence2`` (``sentence`` where there is one text), ``label`` by number, ``idx``.
    `load_pairs` reads the folder back as it was, names of the labels included. The folder appears whole or not at all.

    Raises:
        UserError: ``folder`` exists.
        NotNow: it cannot be written, for want of space or permission.
    """
    folder = Path(folder)
    if folder.exists():
        raise UserError(f"{folder} exists and is left as it is; name a new folder, or remove this one.")
    unfinished = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        unfinished.mkdir(parents=True)
        write_pair_files(corpus, unfinished)
        os.replace(unfinished, folder)  # noqa: PTH105 - fails, as it must, where the folder has come to hold files
    except OSError as error:
        raise NotNow(
            f"{folder} cannot be written ({error.strerror or error}); make room there or name another."
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def summarize_pairs(corpus: PairCorpus) -> dict[str, Any]:
    """Plain values about the corpus: for each split its rows, labels and lengths; and what cleaning did.

    ``labels`` counts rows by the name of their class (of a regression: lowest, mean and highest score); ``characters``
    has the mean and the largest length of each text column.
    """
    return {
        "name": corpus.name,
        "fingerprint": corpus.fingerprint,
        "label_names": None if corpus.label_names is None else list(corpus.label_names),
        "text_columns": list(_file_columns(corpus).values()),
        "splits": {split: _summarize_split(corpus, split) for split in corpus.columns},
        "cleaning": corpus.report.to_dict(),
    }


def _summarize_split(corpus: PairCorpus, split: str) -> dict[str, Any]:
    columns = corpus.columns[split]
    labelled = [label for label in columns["label"] if label != UNLABELLED]
    labels: dict[str, float] = {}
    if corpus.label_names is not None:
        counted = Counter(labelled)
        labels = {name: counted[number] for number, name in enumerate(corpus.label_names)}
    elif labelled:
        labels = {"lowest": min(labelled), "mean": fmean(labelled), "highest": max(labelled)}
    lengths = {name: list(map(len, columns[column])) for column, name in _file_columns(corpus).items()}
    characters = {name: {"mean": round(fmean(sizes), 1), "largest": max(sizes)} for name, sizes in lengths.items()}
    return {
        "rows": len(columns["label"]),
        "unlabelled": len(columns["label"]) - len(labelled),
        "labels": labels,
        "characters": characters,
    }


def _file_columns(corpus: PairCorpus) -> dict[str, str]:
    """From the corpus's text columns to the names that files give them."""
    texts = corpus.text_columns
    return {texts[0]: "sentence"} if len(texts) == 1 else {texts[0]: "sentence1", texts[1]: "sentence2"}


def write_pair_files(corpus: PairCorpus, folder: Path) -> None:
    """Write what `write_pairs` writes into a folder that is there."""
    names = {**_file_columns(corpus), "label": "label", "idx": "idx"}
    for split, columns in corpus.columns.items():
        with (folder / f"{split}.jsonl").open("w", encoding="utf-8", newline="\n") as stream:
            for values in zip(*(columns[column] for column in names), strict=True):
                row = dict(zip(names.values(), values, strict=True))
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    summary = summarize_pairs(corpus)
    text = json.dumps(summary, ensure_ascii=False, indent=2) + "\n"
    (folder / REPORT_FILE).write_text(text, encoding="utf-8", newline="\n")
    (folder / "report.md").write_text(_markdown(summary), encoding="utf-8", newline="\n")


def _markdown(summary: dict[str, Any]) -> str:
    lines = [f"# Processed pairs: {summary['name']}", "", f"Fingerprint `{summary['fingerprint']}`.", ""]
    lines += ["| split | rows | unlabelled | labels | characters, mean (largest) |", "|---|---|---|---|---|"]
    for split, about in summary["splits"].items():
        labels = ", ".join(f"{name} {value:g}" for name, value in about["labels"].items())
        sizes = ", ".join(f"{name} {size['mean']} ({size['largest']})" for name, size in about["characters"].items())
        lines.append(f"| {split} | {about['rows']} | {about['unlabelled']} | {labels} | {sizes} |")
    lines += ["", "## Changed and dropped", ""]
    for about in summary["cleaning"].values():
        lines.append(f"- {about['count']} {about['what']}")
        for example in about["examples"]:
            after = "dropped" if example["after"] is None else json.dumps(example["after"], ensure_ascii=False)
            before = json.dumps(example["before"], ensure_ascii=False)
            lines.append(f"    - {example['file']}, line {example['line']}: {before} → {after}")
    if not summary["cleaning"]:
        lines.append("Nothing.")
    return "\n".join(lines) + "\n"
