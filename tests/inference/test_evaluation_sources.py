"""Other data: all of a file, the splits of a folder, columns and classes by their names; and what is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quatrain.core.errors import UserError
from quatrain.inference.bootstrap import Resampling
from quatrain.inference.data_options import DataOptions
from quatrain.inference.evaluation import Evaluation, evaluate
from quatrain.inference.loading import Loaded, load
from quatrain.inference.target import find_target

from .evaluation_runs import PLAIN, maker

FEW = Resampling(resamples=20)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    return maker(tmp_path_factory.mktemp("sources"))


@pytest.fixture
def classifier(finished: Any) -> Loaded:
    return loaded(finished("experiment=quick_mrpc", *PLAIN).path)


@pytest.fixture
def stranger(finished: Any, tmp_path: Path) -> Callable[..., Loaded]:
    """The classifier as a folder of nobody's, with other names for its classes."""

    def renamed(*names: str, **words: Any) -> Loaded:
        folder = tmp_path / "stranger"
        shutil.copytree(finished("experiment=quick_mrpc", *PLAIN).export, folder)
        config = json.loads((folder / "config.json").read_text())
        config |= {"id2label": dict(enumerate(names)), "label2id": {name: n for n, name in enumerate(names)}, **words}
        (folder / "config.json").write_text(json.dumps(config))
        return loaded(folder)

    return renamed


def loaded(path: Path) -> Loaded:
    return load(find_target(str(path), "evaluate"), precision="32-true", device="cpu")


def pairs(path: Path, labels: list[Any], *, names: tuple[str, str, str] = ("sentence1", "sentence2", "label")) -> str:
    rows = [
        dict(zip(names, (f"the moon {n}", f"a moon {n * n}", label), strict=True)) for n, label in enumerate(labels)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def scored(model: Loaded, source: str, split: str | None = None, **options: Any) -> Evaluation:
    return evaluate(model, split=split, source=source, options=DataOptions(**options), resampling=FEW)


def told(model: Loaded, source: str | None, split: str | None = None, **options: Any) -> str:
    with pytest.raises(UserError) as error:
        evaluate(model, split=split, source=source, options=DataOptions(**options), resampling=FEW)
    return "\n".join(error.value.sentences)


def label_counts(found: Evaluation) -> list[int]:
    assert found.confusion is not None
    return np.array(found.confusion.counts).sum(axis=1).tolist()


def test_a_file_is_scored_whole(classifier: Loaded, tmp_path: Path) -> None:
    found = scored(classifier, pairs(tmp_path / "new.jsonl", [1, 0, 1, 1, 0]))
    assert (found.split, found.examples, found.own, found.notes) == ("test", 5, False, ())
    assert label_counts(found) == [2, 3]
    assert scored(classifier, found.source, "validation").metrics == found.metrics


def test_the_source_of_the_run_is_its_own_data(classifier: Loaded) -> None:
    found = scored(classifier, "verse", "validation")
    assert found.own
    assert found.examples == 8


def test_a_folder_needs_only_the_split_that_is_scored(classifier: Loaded, tmp_path: Path) -> None:
    pairs(tmp_path / "data" / "test.jsonl", [1, 0, 1])
    pairs(tmp_path / "data" / "validation.jsonl", [0, 0])
    assert scored(classifier, str(tmp_path / "data")).examples == 3
    assert scored(classifier, str(tmp_path / "data"), "validation").examples == 2
    sentence = told(classifier, str(tmp_path / "data"), "tset")
    assert "has no held-out split tset but validation, test" in sentence
    assert "--source=" in sentence


def test_labels_by_name_or_number_whatever_the_case(classifier: Loaded, tmp_path: Path) -> None:
    for labels in (["equivalent", "not_equivalent", "equivalent"], ["Equivalent", 0, "1"]):
        assert label_counts(scored(classifier, pairs(tmp_path / "new.jsonl", labels))) == [1, 2]
    sentence = told(classifier, pairs(tmp_path / "new.jsonl", [1, "maybe", 7]))
    assert "line 2: label 'maybe' is none of the model's: not_equivalent, equivalent" in sentence
    assert "line 3: label 7 is none of the model's" in sentence


def test_classes_of_a_known_task_in_the_models_order(stranger: Any) -> None:
    """Embedded pairs name their classes, so 1 is equivalent there, and what the model calls so is its class 0."""
    model = stranger("EQUIVALENT", "Not_Equivalent")
    found = scored(model, "verse")
    assert found.confusion is not None
    assert found.confusion.labels == ("EQUIVALENT", "Not_Equivalent")
    assert sum(label_counts(found)) == found.examples == 4000
    swapped = label_counts(found)
    shutil.rmtree(model.target.folder)
    other = scored(stranger("not_equivalent", "equivalent"), "verse")
    assert label_counts(other) == swapped[::-1]


def test_classes_by_number_are_told(stranger: Any) -> None:
    found = scored(stranger("LABEL_0", "LABEL_1"), "verse")
    assert found.notes == (
        "classes by number, as the data and the model name them differently: not_equivalent as LABEL_0, equivalent as"
        " LABEL_1",
    )


def test_names_that_are_numbers_are_names(stranger: Any, tmp_path: Path) -> None:
    """Classes 1 and 2 are the model's 0 and 1; a label 0 is none of them."""
    model = stranger("1", "2")
    assert label_counts(scored(model, pairs(tmp_path / "new.jsonl", [1, 2, 2]))) == [1, 2]
    assert "label 0 is none of the model's: 1, 2" in told(model, pairs(tmp_path / "new.jsonl", [1, 0]))


def test_classes_that_are_not_the_models(stranger: Any) -> None:
    model = stranger("equivalent", "neutral")
    assert "which match neither by name nor by number" in told(model, "verse")


def test_columns_of_any_name(classifier: Loaded, tmp_path: Path) -> None:
    source = pairs(tmp_path / "new.jsonl", [1, 0], names=("one", "two", "same"))
    assert scored(classifier, source, text="one", text_pair="two", label="same").examples == 2
    assert "has no column label" in told(classifier, source, text="one", text_pair="two")
    assert "--label" in told(classifier, source, text="one", text_pair="two")
    assert "--text: " in told(classifier, source, text="on", text_pair="two", label="same")
    assert "name the first with --text" in told(classifier, source, text_pair="two")


def test_rows_without_a_label_are_left_out_and_told(classifier: Loaded, tmp_path: Path) -> None:
    found = scored(classifier, pairs(tmp_path / "new.jsonl", [1, None, 0, -1]))
    assert (found.examples, found.notes) == (2, ("2 of 4 rows have no label and are left out",))
    source = pairs(tmp_path / "none.jsonl", [-1, -1])
    assert told(classifier, source) == f"The test split of {source} has no labels; quatrain predict labels it."


def test_an_unlabelled_test_split_is_passed_over(finished: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """As GLUE's are; the validation split is scored, and that is said."""
    folder = tmp_path_factory.getbasetemp() / "unlabelled"
    for split, labels in (("train", [0, 1] * 20), ("validation", [0, 1, 1, 1]), ("test", [-1, -1])):
        pairs(folder / f"{split}.jsonl", labels)
    model = loaded(finished("experiment=quick_mrpc", f"data.source={folder}", *PLAIN).path)
    found = evaluate(model, resampling=FEW)
    assert (found.split, found.examples, label_counts(found)) == ("validation", 4, [1, 3])
    assert found.notes == ("split: validation, for test has no labels; --split takes validation, test",)
    assert told(model, None, "test") == f"The test split of {folder} has no labels; quatrain predict labels it."


def test_a_foreign_folder_needs_a_source(stranger: Any) -> None:
    assert "brings no data of its own; name some with --source" in told(stranger("0", "1"), None)


@pytest.mark.parametrize("experiment", ["quick_sonnets", "quick_windows"])
def test_text_for_language_models(experiment: str, finished: Any, tmp_path: Path) -> None:
    """A file whole, by whatever run or folder; a folder's test split alone."""
    run = finished(f"experiment={experiment}", "data.max_length=24", *PLAIN)
    text = "the moon is bright and the river runs below\n" * 30
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "test.txt").write_text(text)
    shutil.copytree(run.export, tmp_path / "stranger")
    model, stranger = loaded(run.path), loaded(tmp_path / "stranger")
    whole = scored(model, str(tmp_path / "data" / "test.txt"))
    assert (whole.split, whole.own) == ("test", False)
    assert scored(model, str(tmp_path / "data")).metrics == whole.metrics
    found = scored(stranger, str(tmp_path / "data"))
    assert found.max_length == 24
    if experiment == "quick_windows":  # the same windows, of the model's positions
        assert found.metrics["loss"].value == pytest.approx(whole.metrics["loss"].value, rel=0.05)
    assert scored(stranger, str(tmp_path / "data"), max_length=8).max_length == 8
    assert "longer than the 24 positions of the model" in told(stranger, str(tmp_path / "data"), max_length=25)
    assert "--label is for classifiers" in told(stranger, str(tmp_path / "data"), label="stars")
    assert "does not exist" in told(stranger, str(tmp_path / "absent.txt"))
    assert "no splits, so all of it is scored" in told(model, str(tmp_path / "data" / "test.txt"), "train")
    assert "--max-length is for other data" in told(model, None, max_length=8)
    (tmp_path / "one.txt").write_text("a")
    if experiment == "quick_windows":
        assert "--source gives test 1 tokens, too few to score one" in told(model, str(tmp_path / "one.txt"))
    (tmp_path / "blank.txt").write_text(" \n")
    assert "holds no text" in told(model, str(tmp_path / "blank.txt"))


def test_scores_of_a_regression(finished: Any, tmp_path: Path) -> None:
    """Correlations as scipy has them of what the model says."""
    import torch
    from scipy import stats

    rng = np.random.default_rng(0)
    labels = [float(value) for value in rng.uniform(0, 5, 60).round(1)]
    source = pairs(tmp_path / "scores.jsonl", labels)
    words = ("data.validation_share=0.2", "data.test_share=0.2")
    model = loaded(finished("experiment=quick_mrpc", f"data.source={source}", *words, *PLAIN).path)
    found = scored(model, source, "test")
    assert found.confusion is None
    assert set(found.metrics) == {"loss", "pearson", "spearman"}
    whole = scored(model, pairs(tmp_path / "again.jsonl", labels))
    said = []
    for number in range(60):
        encoded = model.tokenizer.hf(f"the moon {number}", f"a moon {number * number}", return_tensors="pt")
        with torch.no_grad():
            said.append(float(model.model(**encoded).logits))
    assert whole.metrics["pearson"].value == pytest.approx(stats.pearsonr(said, labels).statistic, abs=1e-4)
    assert whole.metrics["loss"].value == pytest.approx(np.mean((np.array(said) - labels) ** 2), rel=1e-4)
    assert whole.metrics["spearman"].low <= whole.metrics["spearman"].value <= whole.metrics["spearman"].high
