"""How many rows a second are labelled and embedded, beside transformers' pipelines at the same batch size.

    python benchmarks/inference.py --data DIR --weights DIR [--batch-size 32] [--rounds 3] [--json]

DATA holds mrpc/test.jsonl, WEIGHTS all-MiniLM-L6-v2 with its tokenizer. The classifier is that encoder with a new head,
saved to a temporary folder. All run in this process with the same threads and in turn, from texts in memory to answers
in memory; the first rows of all are not timed. The pipelines are `text-classification` and `feature-extraction` as they
come (float32, rows in their order), the latter with tensors out and without the pooling that ours does; with
``bfloat16`` they are told so.

Also printed: how far the answers are apart.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROWS = Path("mrpc") / "test.jsonl"
WARM_UP = 64
PRECISIONS = {"default": "auto", "float32": "32-true"}
Pair = tuple[str, str]
Way = Callable[[Sequence[Pair]], list[Any]]


def main() -> None:
    """Measure, round after round, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help=f"folder with {ROWS}")
    parser.add_argument("--weights", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rows", type=int, help="the first so many only")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print all numbers as JSON, and the rest to standard error")
    asked = parser.parse_args()
    out = sys.stderr if asked.json else sys.stdout
    pairs = read_pairs(asked.data / ROWS)[: asked.rows]
    with tempfile.TemporaryDirectory(prefix="quatrain-inference-") as name:
        ways = {**predicting(classifier(asked.weights, Path(name)), asked.batch_size)}
        ways |= embedding(asked.weights, asked.batch_size)
        for way in ways.values():
            way(pairs[:WARM_UP])
        rounds: list[dict[str, float]] = []
        answers: dict[str, list[Any]] = {}
        for number in range(1, asked.rounds + 1):
            rounds.append({})
            for name_of_way, way in ways.items():
                begun = time.perf_counter()
                answers[name_of_way] = way(pairs)
                rounds[-1][name_of_way] = len(pairs) / (time.perf_counter() - begun)
            print(f"round {number}: {told(rounds[-1])}", file=out, flush=True)
    result = {"rows": len(pairs), "rounds": rounds, "apart": apart(answers)}
    print(f"medians: {told(medians(rounds))}", file=out)
    print("\n".join(f"{what}: {value:.3g}" for what, value in result["apart"].items()), file=out)
    if asked.json:
        print(json.dumps(result, indent=1))


def read_pairs(file: Path) -> list[Pair]:
    """The sentences of MRPC's rows."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [(row["sentence1"], row["sentence2"]) for row in rows]


def classifier(weights: Path, folder: Path) -> Path:
    """Save the encoder with a new head of two labels, and the tokenizer; the head is seeded."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(0)
    AutoModelForSequenceClassification.from_pretrained(weights, num_labels=2).save_pretrained(folder)
    AutoTokenizer.from_pretrained(weights).save_pretrained(folder)
    return folder


def predicting(folder: Path, batch_size: int) -> dict[str, Way]:
    """Ours and the pipeline's ways from pairs to the probabilities of both labels."""
    import torch
    from transformers import pipeline

    from quatrain.inference.loading import load
    from quatrain.inference.prediction import predict_texts
    from quatrain.inference.target import find_target

    def ours(precision: Any) -> Way:
        loaded = load(find_target(str(folder), "predict"), precision=precision)
        return lambda pairs: [said.probabilities for said in predict_texts(loaded, pairs, batch_size=batch_size)]

    def theirs(**how: Any) -> Way:
        pipe = pipeline("text-classification", str(folder), device="cpu", **how)

        def way(pairs: Sequence[Pair]) -> list[Any]:
            rows = [{"text": first, "text_pair": second} for first, second in pairs]
            said = pipe(rows, batch_size=batch_size, truncation=True, top_k=None)
            return [{one["label"]: one["score"] for one in row} for row in said]

        return way

    ways = {f"predict, {name}": ours(precision) for name, precision in PRECISIONS.items()}
    return ways | {"predict, pipeline": theirs(), "predict, pipeline in bfloat16": theirs(dtype=torch.bfloat16)}


def embedding(folder: Path, batch_size: int) -> dict[str, Way]:
    """Ours and the pipeline's ways from texts, both sentences of a pair in one, to vectors."""
    import torch
    from transformers import pipeline

    from quatrain.inference.embedding import embed_texts
    from quatrain.inference.loading import load
    from quatrain.inference.target import find_target

    def ours(precision: Any) -> Way:
        loaded = load(find_target(str(folder), "embed"), task="encoder", precision=precision)
        return lambda pairs: list(embed_texts(loaded, joined(pairs), batch_size=batch_size))

    def theirs(**how: Any) -> Way:
        pipe = pipeline("feature-extraction", str(folder), device="cpu", **how)
        return lambda pairs: pipe(
            joined(pairs),
            batch_size=batch_size,
            tokenize_kwargs={"truncation": True},
            return_tensors=True,
        )

    ways = {f"embed, {name}": ours(precision) for name, precision in PRECISIONS.items()}
    return ways | {"embed, pipeline": theirs(), "embed, pipeline in bfloat16": theirs(dtype=torch.bfloat16)}


def joined(pairs: Sequence[Pair]) -> list[str]:
    """Both sentences of each pair as one text: the pipeline for vectors takes no pairs."""
    return [f"{first} {second}" for first, second in pairs]


def apart(answers: dict[str, list[Any]]) -> dict[str, float]:
    """The largest differences of a probability, and how many labels differ, beside the pipeline in float32."""
    found: dict[str, float] = {}
    reference = answers["predict, pipeline"]
    for way in ("predict, float32", "predict, default"):
        rows = list(zip(answers[way], reference, strict=True))
        found[f"largest difference of a probability, {way}"] = max(
            abs(ours[label] - theirs[label]) for ours, theirs in rows for label in theirs
        )
        changed = [theirs for ours, theirs in rows if max(ours, key=ours.get) != max(theirs, key=theirs.get)]
        found[f"labels that differ, {way}"] = len(changed)
        found[f"the most certain of them, {way}"] = max((max(theirs.values()) for theirs in changed), default=0.5)
    return found


def medians(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of each way over the rounds."""
    return {way: statistics.median(numbers[way] for numbers in rounds) for way in rounds[0]}


def told(rates: dict[str, float]) -> str:
    """Rates in words."""
    return "; ".join(f"{way} {rate:,.0f} rows/s" for way, rate in rates.items())


if __name__ == "__main__":
    main()
