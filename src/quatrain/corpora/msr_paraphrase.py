"""The Microsoft Research Paraphrase Corpus in its original files, split as GLUE splits it.

Dolan and Brockett, "Automatically Constructing a Corpus of Sentential Paraphrases" (2005). ``msr_paraphrase_train.txt``
and ``msr_paraphrase_test.txt`` are tab-separated with a header, a byte-order mark, and quotes that are plain
characters. GLUE takes as validation those rows of the first whose two ids stand in ``dev_ids.tsv``.
"""

from collections.abc import Iterator
from pathlib import Path

from quatrain.core.brought_files import keep_inside
from quatrain.core.errors import UserError
from quatrain.corpora.pair_files import NumberedRows, RowStream, text_lines

TRAIN_FILE, TEST_FILE, VALIDATION_IDS_FILE = "msr_paraphrase_train.txt", "msr_paraphrase_test.txt", "dev_ids.tsv"

_HEADER = ["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"]

Ids = frozenset[tuple[str, str]]


def holds_msr_paraphrase(folder: Path) -> bool:
    """Whether the corpus's training file lies in ``folder``."""
    return (folder / TRAIN_FILE).is_file()


def msr_paraphrase_splits(folder: Path) -> dict[str, RowStream]:
    """GLUE's splits of the corpus in ``folder``: 3668, 408 and 1725 rows of the published files.

    Rows have the columns ``sentence1``, ``sentence2``, ``label`` (1 is a paraphrase) and ``idx``, the place in the
    original file from 0, counted over training and validation together. Without ``dev_ids.tsv`` there is no validation
    split, without the test file no test split.

    Raises:
        UserError: a line with other than the five fields, an id of ``dev_ids.tsv`` that no row has, or a link to
            another place.
    """
    train, test, ids_file = (
        keep_inside(folder / name, folder, "data.source") for name in (TRAIN_FILE, TEST_FILE, VALIDATION_IDS_FILE)
    )
    ids = _validation_ids(ids_file, train) if ids_file.is_file() else frozenset()
    read = (train, ids_file) if ids else (train,)
    splits = {"train": RowStream(str(train), "line", lambda: _rows(train, without=ids), files=read)}
    if ids:
        splits["validation"] = RowStream(str(train), "line", lambda: _rows(train, only=ids), files=read)
    if test.is_file():
        splits["test"] = RowStream(str(test), "line", lambda: _rows(test), files=(test,))
    return splits


def _rows(path: Path, only: Ids | None = None, without: Ids = frozenset()) -> NumberedRows:
    for number, (label, id_a, id_b, text_a, text_b) in _fields(path):
        ids = (id_a, id_b)
        if ids not in without and (only is None or ids in only):
            yield number, {"sentence1": text_a, "sentence2": text_b, "label": label, "idx": number - 2}


def _fields(path: Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in text_lines(path):
        fields = line.rstrip("\r\n").split("\t")
        if number == 1 and fields != _HEADER:
            raise UserError(f"{path}, line 1: the header is not {', '.join(_HEADER)}; take the corpus's original file.")
        if len(fields) != len(_HEADER):
            raise UserError(
                f"{path}, line {number}: {len(fields)} tab-separated fields, not {len(_HEADER)};"
                " take the corpus's original file."
            )
        if number > 1:
            yield number, fields


def _validation_ids(path: Path, train: Path) -> Ids:
    known = {(fields[1], fields[2]) for _, fields in _fields(train)}
    ids = set()
    for number, line in text_lines(path):
        pair = tuple(line.rstrip("\r\n").split("\t"))
        if len(pair) != 2 or pair not in known:
            raise UserError(
                f"{path}, line {number}: {line.strip()!r} is no pair of ids of {train.name};"
                " take the dev_ids.tsv that belongs to it."
            )
        ids.add((pair[0], pair[1]))
    return frozenset(ids)
