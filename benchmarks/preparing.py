"""What it costs to turn text into windows of token ids, ours beside what one would write instead.

    python benchmarks/preparing.py --tokenizer DIR [--text FILE] [--rounds 3] [--json]

DIR holds GPT-2's vocab.json and merges.txt, FILE is plain text; where none is named, embedded verse of ``--megabytes``
is written to a temporary file. Each round runs, one after the other and each in a process of its own:

- datasets: load_dataset of lines, map that tokenizes with 2 processes, map that groups into windows of 128 tokens;
- tokenizers: encode_batch_fast over pieces of the text, the ids written to a file;
- tiktoken: encode_ordinary_batch over the same pieces with a thread for each core, the ids written to a file;
- ours: from the file to the first batch of the data module, nothing prepared before;
- again: the same with the data prepared, which is what every further start costs.

The slow ones (datasets, tokenizers) get the first ``--peer-megabytes`` of the text only: their rates do not depend on
its length. Time and memory count from when all is imported. Memory is the peak of what all processes hold of their own
together (anonymous and shared, each page once), which files that are mapped or cached do not add to. ``cpu`` is the
processor time of all processes, which tells more than the clock on a machine that does other work, too.

Whether the ids are identical: what `tokenizers` and tiktoken give for the pieces, and the Hugging Face tokenizer for
the first megabytes in one piece, is compared with what ours wrote. (Lines of `datasets` lose their ends, so its ids
are others.)
"""

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

WAYS = ("datasets", "tokenizers", "tiktoken", "ours", "again")
SLOW = ("datasets", "tokenizers")
LENGTH, BATCH, PROCESSES = 128, 16, 2
PIECES = 16
READY = "READY"
NUMBERS = ("rate", "seconds", "cpu", "megabytes above imports")
FIRST = 200_000
"""Tokens that are compared with those of a text encoded in one piece."""

Row = dict[str, Any]


def main() -> None:
    """Measure, round after round, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder with vocab.json and merges.txt")
    parser.add_argument("--text", type=Path, help="plain text in UTF-8; embedded verse where none is named")
    parser.add_argument("--megabytes", type=int, default=100, help="size of the verse")
    parser.add_argument("--peer-megabytes", type=int, default=60, help="how much of the text the slow ones get")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", default=",".join(WAYS), help="which ones")
    parser.add_argument("--json", action="store_true", help="print all numbers as JSON, and the rest to standard error")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        one_way(asked.way, asked.text, asked.tokenizer.absolute(), asked.folder)
        return
    out = sys.stderr if asked.json else sys.stdout
    rounds: list[dict[str, Row]] = []
    with tempfile.TemporaryDirectory(prefix="quatrain-preparing-") as name:
        folder = Path(name)
        text = asked.text or write_verse(folder / "verse.txt", asked.megabytes)
        part = write_part(text, folder / "part.txt", asked.peer_megabytes)
        whole = {"bytes": text.stat().st_size, "whole text": digest_of_a_whole(text, asked.tokenizer)}
        for number in range(asked.rounds):
            ways = [way for way in WAYS if way in asked.ways.split(",")]
            rounds.append(measure(folder / str(number), ways, text, part, asked.tokenizer))
            said = ", ".join(f"{way} {told(row)}" for way, row in rounds[-1].items())
            print(f"round {number + 1}: {said}", file=out, flush=True)
    result = {**whole, "rounds": rounds, "identical": identical(rounds[0], whole["whole text"])}
    report(result, out)
    if asked.json:
        print(json.dumps(result, indent=1))


def write_verse(file: Path, megabytes: int) -> Path:
    """Write about so much embedded verse."""
    from quatrain.corpora.verse import poems

    written = 0
    with file.open("w", encoding="utf-8") as stream:
        for poem in poems(10**9, 0):
            written += stream.write(f"{poem}\n\n")
            if written >= megabytes * 10**6:
                break
    return file


def write_part(text: Path, file: Path, megabytes: int) -> Path:
    """Write the first lines of ``text``, about so many bytes."""
    with text.open("rb") as source, file.open("wb") as target:
        for block in iter(lambda: source.read(1 << 20), b""):
            target.write(block)
            if target.tell() >= megabytes * 10**6:
                target.write(source.readline())
                break
    return file


def measure(folder: Path, ways: list[str], text: Path, part: Path, tokenizer: Path) -> dict[str, Row]:
    """Run each way in a process of its own; all of a round share a fresh folder."""
    folder.mkdir()
    return {way: watched(way, part if way in SLOW else text, tokenizer, folder) for way in ways}


def watched(way: str, text: Path, tokenizer: Path, folder: Path) -> Row:
    """Run a way and follow how much memory all its processes hold; return its numbers."""
    words = ["--way", way, "--text", str(text.absolute()), "--tokenizer", str(tokenizer), "--folder", str(folder)]
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "hf"),
        "QUATRAIN_CACHE": str(folder / "cache"),
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "false" if way == "datasets" else "true",
    }
    command = [sys.executable, __file__, *words]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if process.stdout.readline().strip() != READY:
            sys.exit(f"{way} did not start")
        base = peak = held(process.pid)
        process.stdin.write("\n")
        process.stdin.flush()
        while process.poll() is None:
            peak = max(peak, held(process.pid))
            time.sleep(0.2)
        last = process.stdout.read().strip().splitlines()[-1:]
    if process.returncode or not last:
        sys.exit(f"{way} ended with {process.returncode}")
    row: Row = json.loads(last[0])
    return row | {"rate": row["tokens"] / row["seconds"], "megabytes above imports": (peak - base) / 1e6}


def held(pid: int) -> int:
    """Bytes of memory of a process and all that it started which lie in no file."""
    total = 0
    for process in (pid, *descendants(pid)):
        try:
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:  # it has just ended
            continue
        fields = dict(row.split(":", 1) for row in rollup.splitlines()[1:])
        total += sum(int(fields[name].split()[0]) << 10 for name in ("Pss_Anon", "Pss_Shmem"))
    return total


def descendants(pid: int) -> Iterator[int]:
    """The processes that a process started, and theirs."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in map(int, children):
        yield child
        yield from descendants(child)


def one_way(way: str, text: Path, tokenizer: Path, folder: Path) -> None:
    """Do it in this process, and print its numbers: once READY is answered the clock runs."""
    work = {"datasets": by_datasets, "tokenizers": by_tokenizers, "tiktoken": by_tiktoken}.get(way, by_ours)
    go = work(text, tokenizer, folder)
    print(READY, flush=True)
    sys.stdin.readline()
    begun, used = time.perf_counter(), cpu()
    tokens = go()
    row = {"tokens": tokens, "seconds": time.perf_counter() - begun, "cpu": cpu() - used}
    print(json.dumps(row | digests(folder / way)))


def cpu() -> float:
    """Processor seconds of this process and those that it waited for."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in found)


def by_datasets(text: Path, tokenizer: Path, folder: Path) -> Any:
    """The usual script: lines, tokenized by a map, grouped by a map."""
    from datasets import load_dataset
    from transformers import GPT2TokenizerFast

    fast = GPT2TokenizerFast(
        vocab=json.loads((tokenizer / "vocab.json").read_text("utf-8")), merges=merges_of(tokenizer)
    )

    def encode(rows: Any) -> Any:
        return fast(rows["text"])

    def group(rows: Any) -> Any:
        joined = [token for row in rows["input_ids"] for token in row]
        stop = len(joined) // LENGTH * LENGTH
        windows = [joined[start : start + LENGTH] for start in range(0, stop, LENGTH)]
        return {"input_ids": windows, "labels": [list(window) for window in windows]}

    def go() -> int:
        lines = load_dataset("text", data_files=str(text), split="train")
        encoded = lines.map(encode, batched=True, num_proc=PROCESSES, remove_columns=["text"])
        windows = encoded.map(group, batched=True, num_proc=PROCESSES, remove_columns=encoded.column_names)
        windows.with_format("torch")[:BATCH]
        return len(windows) * LENGTH

    return go


def by_tokenizers(text: Path, tokenizer: Path, folder: Path) -> Any:
    """The library alone."""
    import numpy as np
    from tokenizers import Tokenizer, models, pre_tokenizers

    backend = Tokenizer(models.BPE.from_file(str(tokenizer / "vocab.json"), str(tokenizer / "merges.txt")))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)

    def go() -> int:
        with (folder / "tokenizers").open("wb") as out:
            for batch in batches(text):
                for encoding in backend.encode_batch_fast(batch, add_special_tokens=False):
                    out.write(np.array(encoding.ids, dtype=np.uint16))
            return out.tell() // 2

    return go


def by_tiktoken(text: Path, tokenizer: Path, folder: Path) -> Any:
    """The library alone, with a thread for each core."""
    import numpy as np
    import tiktoken
    from tiktoken_ext.openai_public import r50k_pat_str

    from quatrain.tokenizers.byte_level import to_bytes

    vocabulary = json.loads((tokenizer / "vocab.json").read_text("utf-8"))
    special = {"<|endoftext|>": vocabulary.pop("<|endoftext|>")}
    ranks = {to_bytes(token): index for token, index in vocabulary.items()}
    encoding = tiktoken.Encoding("gpt2", pat_str=r50k_pat_str, mergeable_ranks=ranks, special_tokens=special)
    threads = len(os.sched_getaffinity(0))

    def go() -> int:
        with (folder / "tiktoken").open("wb") as out:
            for batch in batches(text):
                for ids in encoding.encode_ordinary_batch(batch, num_threads=threads):
                    out.write(np.array(ids, dtype=np.uint16))
            return out.tell() // 2

    return go


def by_ours(text: Path, tokenizer: Path, folder: Path) -> Any:
    """The data module, until its first batch."""
    import filelock  # noqa: F401
    import pytorch_lightning  # noqa: F401
    import tiktoken  # noqa: F401
    import transformers.models.gpt2.tokenization_gpt2  # noqa: F401

    from quatrain.data.windows import Windows
    from quatrain.tokenizers.pretrained import Pretrained

    def go() -> int:
        recipe = Pretrained(source=str(tokenizer))
        data = Windows(tokenizer=recipe, source=str(text), max_length=LENGTH, batch_size=BATCH)
        data.prepare_data()
        data.setup("fit")
        next(iter(data.train_dataloader()))
        return sum(int(data.summary[f"tokens/{split}"]) for split in ("train", "validation"))

    return go


def merges_of(tokenizer: Path) -> list[tuple[str, str]]:
    """The merges of a merges.txt."""
    lines = (tokenizer / "merges.txt").read_text("utf-8").split("\n")
    return [(one, two) for one, _, two in (line.partition(" ") for line in lines if line and "#version" not in line)]


def batches(text: Path) -> Iterator[list[str]]:
    """The text in pieces of 64 thousand characters that no token crosses, some at a time."""
    from quatrain.corpora.file_contents import text_blocks
    from quatrain.tokenizers.cutting import cut

    rest = ""
    for block in text_blocks(text):
        pieces = list(cut(rest + block))
        rest = pieces.pop()
        for start in range(0, len(pieces), PIECES):
            yield pieces[start : start + PIECES]
    yield [rest]


def digests(file: Path) -> Row:
    """Of the ids that a way left: all of them, and the first."""
    if file.name in ("ours", "again"):
        streams = next((file.parent / "cache" / "streams").glob("*/train.tokens")).parent
        files = [streams / "train.tokens", streams / "validation.tokens"]
    elif file.exists():
        files = [file]
    else:
        return {}
    return {"ids": digest(files), "first": digest(files, FIRST)}


def digest(files: list[Path], tokens: int | None = None) -> str:
    """sha256 of the ids in some files one after another, or of the first ``tokens`` of them."""
    found = hashlib.sha256()
    if tokens is not None:
        with files[0].open("rb") as stream:
            return hashlib.sha256(stream.read(2 * tokens)).hexdigest()
    for file in files:
        with file.open("rb") as stream:
            for block in iter(lambda stream=stream: stream.read(1 << 20), b""):  # type: ignore[misc]
                found.update(block)
    return found.hexdigest()


def digest_of_a_whole(text: Path, tokenizer: Path) -> str:
    """The first ids as the Hugging Face tokenizer gives them for the text's first megabytes in one piece."""
    import numpy as np
    from tokenizers import Tokenizer, models, pre_tokenizers

    backend = Tokenizer(models.BPE.from_file(str(tokenizer / "vocab.json"), str(tokenizer / "merges.txt")))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    with text.open("rb") as stream:
        head = stream.read(20 * FIRST)
    ids = backend.encode(head.decode("utf-8", "ignore"), add_special_tokens=False).ids[:FIRST]
    return hashlib.sha256(np.array(ids, dtype=np.uint16).tobytes()).hexdigest()


def identical(row: dict[str, Row], whole: str) -> dict[str, bool]:
    """Of each way that left ids, whether they are the Hugging Face tokenizer's; of the same text, all of them."""
    found = {way: numbers["first"] == whole for way, numbers in row.items() if "first" in numbers}
    same = {row[way]["ids"] for way in ("tiktoken", "ours", "again") if way in row}
    return {**found, "all of them": len(same) == 1}


def told(row: Row) -> str:
    """The numbers of a way in a few words."""
    return f"{row['rate'] / 1e6:.2f} M tokens/s, {row['seconds']:.1f} s, {row['megabytes above imports']:.0f} MB"


def report(result: Row, out: TextIO) -> None:
    """Print medians, and how many times faster ours is, with the range."""
    rounds: list[dict[str, Row]] = result["rounds"]
    print(f"\n{result['bytes'] / 1e6:,.0f} MB of text; medians of {len(rounds)} rounds", file=out)
    for way in rounds[0]:
        rows = [row[way] for row in rounds]
        median = {name: statistics.median(row[name] for row in rows) for name in (*NUMBERS, "tokens")}
        print(
            f"{way:>10}: {median['rate'] / 1e6:6.2f} M tokens/s, {median['seconds']:7.2f} s,"
            f" {median['tokens'] / median['cpu'] / 1e6:6.2f} M tokens per second of processor time,"
            f" {median['megabytes above imports']:6.0f} MB above imports",
            file=out,
        )
    for peer in (way for way in rounds[0] if way not in ("ours", "again") and "ours" in rounds[0]):
        clock = spread([row["ours"]["rate"] / row[peer]["rate"] for row in rounds])
        processor = spread(
            [row["ours"]["tokens"] / row["ours"]["cpu"] / (row[peer]["tokens"] / row[peer]["cpu"]) for row in rounds]
        )
        print(f"ours is {clock} times as fast as {peer}, and by processor time {processor}", file=out)
    print("ids identical to the Hugging Face tokenizer's:", result["identical"], file=out)


def spread(values: list[float]) -> str:
    """The median, and the range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
