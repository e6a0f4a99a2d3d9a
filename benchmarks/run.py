"""Ours beside what a user would take instead, measured in turn: make bench DATA=DIR [ARGS=...]

    python benchmarks/run.py --data DIR                                 all rows, and docs/benchmarks.md from them
    python benchmarks/run.py --data DIR --only mlm,clm --rounds 5       two rows; the others keep what they had
    python benchmarks/run.py --data DIR --nanogpt ../nanoGPT            with a checkout of nanoGPT beside clm
    python benchmarks/run.py --data DIR --quick                         a few steps of each, in minutes; writes nothing
    python benchmarks/run.py --page                                     the page again, from what was measured

DIR holds tinyshakespeare/input.txt, roberta_bpe/ and gpt2_bpe/ (vocab.json and merges.txt each), bert_vocab/
(bert-base-uncased-vocab.txt) and mrpc/ (train.jsonl and validation.jsonl); a row whose part is missing says so. The
weights for mrpc come from the extra minilm. Run it on an idle machine.
"""

import argparse
import datetime
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import page
from bench.machine import BUSY, describe, load
from bench.measuring import measure
from bench.place import BENCHMARKS, Place
from bench.processes import Failed
from bench.row import Row
from bench.store import Entry, Store
from bench.table import ROWS

PAGE = BENCHMARKS.parent / "docs" / "benchmarks.md"
MEASURED, NOTES = BENCHMARKS / "measured.json", BENCHMARKS / "notes.yaml"


def main() -> int:
    """Measure, keep, write the page; return 1 where a row failed."""
    asked = arguments()
    try:
        notes = page.read_notes(NOTES, ROWS)
    except ValueError as error:
        sys.exit(f"error: {error}")
    store, failed = Store(MEASURED), False
    if not asked.page:
        failed = measure_all(asked, store)
    if not asked.quick:
        page.write(asked.write, ROWS, store.entries, notes)
        tell(f"written: {asked.write}")
        if keys := page.unexplained(ROWS, store.entries, notes):
            tell(f"short of a goal and without a note in {NOTES}: {', '.join(keys)}")
    return int(failed)


def measure_all(asked: argparse.Namespace, store: Store) -> bool:
    """Measure the rows that were asked for; return whether one failed."""
    about, busy = describe(), load()
    tell(about["machine"])
    if busy > BUSY:
        tell(f"the load average is {busy:.1f}: other processes run, and what is measured now will not be worth much")
    failed = []
    with nullcontext(asked.work) if asked.work else TemporaryDirectory(prefix="quatrain-bench-") as work:
        Path(work).mkdir(parents=True, exist_ok=True)
        place = Place(asked.data, Path(work), nanogpt=asked.nanogpt, gpu=about["gpu"], threads=asked.threads)
        for row in possible(asked, place, store):
            try:
                entry = one_row(row, place)
            except Failed as error:
                tell(f"{row.key} failed: {error}")
                failed.append(row.key)
                continue
            if not asked.quick:
                store.keep(row.key, entry | {name: about[name] for name in ("machine", "versions")} | {"load": busy})
    if failed:
        tell(f"failed: {', '.join(failed)}")
    return bool(failed)


def possible(asked: argparse.Namespace, place: Place, store: Store) -> list[Row]:
    """The rows that can be measured here; of the others it is told and kept why not."""
    found = []
    for whole in asked.rows:
        row = whole.quick() if asked.quick else whole.with_rounds(asked.rounds)
        why = row.lacks(place)
        if why is None:
            found.append(row)
            continue
        tell(f"{row.key} is not measured: {why}")
        if not asked.quick:
            store.keep_lack(row.key, why)
    if not asked.quick:
        each = ", ".join(f"{row.key} {row.minutes:.0f}" for row in found)
        tell(f"about {sum(row.minutes for row in found):.0f} minutes: {each}")
    return found


def one_row(row: Row, place: Place) -> Entry:
    """Measure a row and tell how it stands; return what is kept of it, but for the machine and how busy it was."""
    entry: Entry = {"date": datetime.date.today().isoformat(), "threads": place.threads}
    entry["runs"], entry["commands"] = measure(row, place, tell)
    for line in page.verdicts(row, entry):
        tell("  " + " | ".join(cell for cell in line[1:] if cell))
    return entry


def tell(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def arguments() -> argparse.Namespace:
    """Read the command line; wrong words end it with a sentence."""
    keys = [row.key for row in ROWS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder with the data")
    parser.add_argument("--only", help=f"rows, with commas between: {','.join(keys)}")
    parser.add_argument("--rounds", type=int, help="how often each contender runs, with another seed each time")
    parser.add_argument("--threads", type=int, help="of each process; every core if not given")
    parser.add_argument("--nanogpt", type=Path, help="a checkout of github.com/karpathy/nanoGPT")
    parser.add_argument("--write", type=Path, default=PAGE, help="the page, docs/benchmarks.md if not given")
    parser.add_argument("--work", type=Path, help="an empty folder that keeps what was made and the logs")
    parser.add_argument("--quick", action="store_true", help="a few steps of each row; nothing is written")
    parser.add_argument("--page", action="store_true", help="measure nothing; write the page")
    asked = parser.parse_args()
    named = asked.only.split(",") if asked.only else [row.key for row in ROWS if row.by_default]
    if unknown := [key for key in named if key not in keys]:
        parser.error(f"--only {','.join(unknown)}: no such row; one of {', '.join(keys)}")
    if not asked.page and (asked.data is None or not asked.data.is_dir()):
        parser.error(f"--data {asked.data}: name the folder with the data; --help says what it holds")
    for name in ("rounds", "threads"):
        if (value := getattr(asked, name)) is not None and value < 1:
            parser.error(f"--{name} {value}: give 1 or more")
    if asked.nanogpt and not (asked.nanogpt / "train.py").is_file():
        parser.error(f"--nanogpt {asked.nanogpt}: there is no train.py")
    if asked.work and asked.work.exists() and any(asked.work.iterdir()):
        parser.error(f"--work {asked.work}: it is not empty")
    too_long = [row.key for row in ROWS if asked.quick and not asked.only and row.gpu]
    asked.rows = [row for row in ROWS if row.key in named and row.key not in too_long]
    for name in ("data", "work", "nanogpt"):
        folder = getattr(asked, name)
        setattr(asked, name, folder.resolve() if folder else None)
    return asked


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that what runs is ended, too
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped; rows that were finished are kept in benchmarks/measured.json, and --page writes them down")
