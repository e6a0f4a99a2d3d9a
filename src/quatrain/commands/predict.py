"""quatrain predict: a label and its probability for every row of a file or of standard input.

    quatrain predict TARGET rows.csv --output labelled.csv
    quatrain predict TARGET rows.jsonl --text premise --text-pair hypothesis | head
    cat reviews.txt | quatrain predict TARGET -
    echo "One text." | quatrain predict TARGET -

For example, after quatrain train experiment=quick_mrpc run.dir=paraphrases:

    echo '{"sentence1": "A rose is red.", "sentence2": "Red is the rose."}' \\
        | quatrain predict paraphrases - --input-format jsonl

TARGET is a run, an export, any Hugging Face folder with a classifier, or a hub name. Rows come out in the order in
which they came, with all their columns and behind them label and probability; of a regression, score. Where rows have
a column of that name, the new one is called predicted_label, and so on. Nothing grows with the number of rows.
docs/predict.md tells more.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quatrain.inference.prediction import Prediction
    from quatrain.inference.rows import Row

FORMATS = ("csv", "tsv", "jsonl")
SUFFIXES = (*FORMATS, "parquet")
OF_STANDARD_OUTPUT = {"txt": "csv", "parquet": "jsonl"}


def main(arguments: list[str]) -> int:
    """Run ``quatrain predict``; return its exit code."""
    from quatrain.commands.arguments import add_target, arguments_of, read_arguments
    from quatrain.commands.asked import find_asked, gathered, load_found
    from quatrain.commands.row_files import add_rows, find_ends, tell

    parser = arguments_of("predict", __doc__)
    add_target(parser)
    add_rows(parser)
    parser.add_argument("--text-pair", metavar="COLUMN", help="the column of the second text of a pair")
    parser.add_argument("--output-format", choices=FORMATS, help="of standard output; that of the rows without it")
    parser.add_argument("--all", action="store_true", help="add the probability of every label")
    asked = read_arguments(parser, arguments)
    if asked is None:
        return 0
    from quatrain.inference.rows import BadRows
    from quatrain.inference.text_columns import check_options, to_predict

    wrong: list[str] = []
    ends = find_ends(asked, SUFFIXES, wrong, asked.output_format, OF_STANDARD_OUTPUT)
    if asked.output and asked.output_format:
        wrong.append(
            f"--output-format={asked.output_format} is of standard output, and the ending of --output={asked.output}"
            " tells its format; leave one out."
        )
    with gathered(wrong):
        check_options(asked.text, asked.text_pair)
    target = find_asked(asked, "predict", wrong)
    assert ends is not None
    source, destination = ends
    choose = to_predict(target, asked.text, asked.text_pair)
    from quatrain.inference.passing import pass_rows
    from quatrain.inference.prediction import labels_of, predict_rows
    from quatrain.inference.streaming import Tally

    loaded = load_found(asked, target)
    labels = labels_of(loaded.model.config)

    def ask(rows: "Iterable[Row]") -> "Iterator[tuple[Row, list[Any]]]":
        said = predict_rows(
            loaded, rows, batch_size=asked.batch_size, max_length=asked.max_length, tally=tally, refuse=bad
        )
        return ((row, _values(one, asked.all)) for row, one in said)

    bad, tally = BadRows(skip=asked.on_error == "skip"), Tally()
    done = pass_rows(
        "predicting", source, destination, choose=choose, bad=bad, added=_names(labels, asked.all), ask=ask
    )
    tell(done, destination, bad, tally)
    return 0


def _names(labels: tuple[str, ...] | None, every: bool) -> list[str]:
    if labels is None:
        return ["score"]
    return ["label", "probability", *(f"probability_{label}" for label in labels if every)]


def _values(said: "Prediction", every: bool) -> list[Any]:
    """The values of `_names`, in as many digits as float32 has."""
    if said.score is not None:
        return [_shortened(said.score)]
    assert said.probability is not None
    more = [_shortened(one) for one in said.probabilities.values()] if every else []
    return [said.label, _shortened(said.probability), *more]


def _shortened(number: float) -> float:
    return float(f"{number:.8g}")
