"""quatrain embed: a vector for every row of a file or of standard input.

    quatrain embed TARGET texts.csv --output vectors.parquet
    quatrain embed TARGET texts.txt --output vectors.npy --normalize
    cat texts.txt | quatrain embed TARGET - > vectors.jsonl

For example, after quatrain train run.dir=outputs/sonnets:

    echo "Shall I compare thee to a summer's day?" | quatrain embed outputs/sonnets -

TARGET is a run, an export, any Hugging Face folder, or a hub name; its head, if it has one, is left out. The vector is
the mean of the last hidden states of a text's tokens (--pool mean), the first one (first), or each of them (none).
Rows come out in the order in which they came, with all their columns and behind them embedding; .npy holds the vectors
alone. Nothing grows with the number of rows. docs/predict.md tells more.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quatrain.inference.rows import Row

NAME = "embedding"
SUFFIXES = ("parquet", "npy", "jsonl")


def main(arguments: list[str]) -> int:
    """Run ``quatrain embed``; return its exit code."""
    from quatrain.commands.arguments import add_target, arguments_of, read_arguments
    from quatrain.commands.asked import find_asked, load_found
    from quatrain.commands.row_files import add_rows, find_ends, tell

    parser = arguments_of("embed", __doc__)
    add_target(parser)
    add_rows(parser)
    parser.add_argument("--pool", choices=("mean", "first", "none"), default="mean", help="over tokens; mean")
    parser.add_argument("--normalize", action="store_true", help="give every vector the length 1")
    asked = read_arguments(parser, arguments)
    if asked is None:
        return 0
    from quatrain.inference.rows import BadRows
    from quatrain.inference.text_columns import to_embed

    wrong: list[str] = []
    ends = find_ends(asked, SUFFIXES, wrong, "jsonl")
    if ends and ends[1].form == "npy" and asked.pool == "none":
        wrong.append(
            f"--output={asked.output} holds one vector for each row, and --pool none gives one for each token; write"
            " .parquet or .jsonl."
        )
    target = find_asked(asked, "embed", wrong)
    assert ends is not None
    source, destination = ends
    from quatrain.inference.embedding import embed_rows
    from quatrain.inference.passing import pass_rows
    from quatrain.inference.streaming import Tally

    loaded = load_found(asked, target, "encoder")

    def ask(rows: "Iterable[Row]") -> "Iterator[tuple[Row, list[Any]]]":
        said = embed_rows(
            loaded,
            rows,
            pool=asked.pool,
            normalize=asked.normalize,
            batch_size=asked.batch_size,
            max_length=asked.max_length,
            tally=tally,
            refuse=bad,
        )
        return ((row, [vectors]) for row, vectors in said)

    bad, tally = BadRows(skip=asked.on_error == "skip"), Tally()
    done = pass_rows("embedding", source, destination, choose=to_embed(asked.text), bad=bad, added=[NAME], ask=ask)
    tell(done, destination, bad, tally)
    return 0
