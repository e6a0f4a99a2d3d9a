"""What a script reports becomes runs of ours and of the peers, and its words name the folders."""

from pathlib import Path

from bench.measures import MEASURES
from bench.place import Place
from bench.scripts import inference
from bench.table import ROWS

WAYS = ("default", "float32", "pipeline", "pipeline in bfloat16")


def test_rates_of_inference_are_shared_out_among_contenders() -> None:
    rates = {
        f"{done}, {way}": 10.0 * n + m for n, done in enumerate(("predict", "embed")) for m, way in enumerate(WAYS)
    }
    runs = inference({"rounds": [rates, rates]})
    assert [(run["contender"], run["round"]) for run in runs[:4]] == [
        ("ours", 1),
        ("pipeline", 1),
        ("pipeline in bfloat16", 1),
        ("ours", 2),
    ]
    assert runs[0] == {
        "contender": "ours",
        "round": 1,
        "predicted_per_second": 0.0,
        "predicted_per_second_float32": 1.0,
        "embedded_per_second": 10.0,
        "embedded_per_second_float32": 11.0,
    }
    assert (runs[1]["predicted_per_second"], runs[1]["predicted_per_second_float32"]) == (2.0, 2.0)
    assert "embedded_per_second_float32" not in runs[2]
    assert all(name in MEASURES for run in runs for name in run.keys() - {"contender", "round"})


def test_words_of_a_script_name_the_folders(tmp_path: Path) -> None:
    place = Place(tmp_path / "data", tmp_path)
    by_key = {row.key: row for row in ROWS}
    (command,) = (one.command(0, tmp_path) for one in by_key["second_start"].contenders(place))
    assert f"{tmp_path}/data/gpt2_bpe" in command
    (command,) = (one.command(0, tmp_path) for one in by_key["inference"].contenders(place))
    assert command[command.index("--data") + 1] == str(tmp_path / "data")
    assert "mrpc" in str(by_key["inference"].lacks(place)) or "minilm" in str(by_key["inference"].lacks(place))
