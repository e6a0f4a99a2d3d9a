"""The model card says what is known of a run, is read by the hub's own library, and lets no text format it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from quatrain.core.errors import UserError
from quatrain.corpora.pair_columns import texts_in_row
from quatrain.runs.card_facts import base_model, data_id, described, scores_of, sizes
from quatrain.runs.changes import Change, longer, write_changes
from quatrain.runs.directory import RunDirectory
from quatrain.runs.licences import LARGEST, MRPC, OWN, UNKNOWN, data_licence
from quatrain.runs.markdown import code, fenced, plain
from quatrain.runs.model_card import model_card
from quatrain.runs.run_card import evaluated
from quatrain.runs.training_commands import training_commands

HOSTILE = "x\n---\nlicense: mit\n# Owned <script>alert(1)</script> [here](http://evil) `code` | cell \x1b[2J ```"


def card(**more: Any) -> str:
    return model_card(**{"name": "tiny", "task": "text-classification", "data": "rows", "data_id": "rows", **more})


def head_of(text: str) -> dict[str, Any]:
    return yaml.safe_load(text.split("---\n")[1])


def test_the_hub_reads_the_head() -> None:
    """Its own library finds every score, under the hub's names of the metrics, and the dataset."""
    from huggingface_hub import ModelCard

    text = card(
        data="nyu-mll/glue of the Hugging Face hub",
        data_id="nyu-mll/glue",
        licence=MRPC,
        metrics={"val/matthews": 0.5, "val_mismatched/accuracy": 0.75, "test/f1": 0.9},
        intervals={"test/f1": (0.88, 0.92)},
    )
    data = ModelCard(text).data
    assert data.model_name == "tiny"
    assert data.datasets == ["nyu-mll/glue"]
    assert (data.license, data.license_name) == ("other", "msr-paraphrase-corpus")
    assert {(one.dataset_split, one.metric_type, one.metric_value) for one in data.eval_results} == {
        ("validation", "matthews_correlation", 0.5),
        ("validation_mismatched", "accuracy", 0.75),
        ("test", "f1", 0.9),
    }
    assert "| test/f1 | 0.9 | 0.88 to 0.92 |" in text
    assert "| val/matthews | 0.5 | |" in text


def test_every_task_says_what_it_is_for_and_what_not() -> None:
    for task in ("fill-mask", "text-classification", "text-generation"):
        text = card(task=task)
        assert "## What it is for" in text
        assert "## Its limits" in text
        assert "began from random weights" in text
    assert "What its base model has learned" in card(base_model="bert-base-uncased")


@pytest.mark.parametrize(
    ("data", "words", "call"),
    [
        ({"source": "x.csv", "text_columns": ["review"]}, "one text in a row", 'pipe("...")'),
        ({"source": "x.csv", "text_columns": ["a", "b"]}, "two texts in a row", 'pipe({"text": "...", "text_pair": '),
        ({"source": "x.csv", "text_columns": None, "glue_task": "sst2"}, "one text in a row", 'pipe("...")'),
        ({"source": "verse", "glue_task": None}, "two texts in a row", 'pipe({"text": "...", "text_pair": '),
        (
            {"source": "x.csv", "text_columns": None},
            "as many texts in a row",
            'pipe("...")  # of pairs of texts: pipe({',
        ),
        ({"my_source": "x.csv"}, "as many texts in a row", 'pipe("...")  # of pairs of texts: pipe({'),
    ],
)
def test_a_classifier_is_called_with_as_many_texts_as_it_read(data: dict[str, Any], words: str, call: str) -> None:
    text = card(texts=texts_in_row(data))
    assert words in text
    assert next(line for line in text.splitlines() if line.startswith("pipe(")).startswith(call)


def test_hostile_text_formats_nothing() -> None:
    """In every place where somebody else's text comes in: the head stays one mapping, the body has our headings."""
    text = card(
        name=HOSTILE,
        data=HOSTILE,
        data_id=HOSTILE,
        tokenizer=HOSTILE,
        base_model=HOSTILE,
        sizes=HOSTILE,
        metrics={"val/accuracy": 0.5},
        commands=[HOSTILE],
        remarks=[HOSTILE],
        versions={HOSTILE: HOSTILE},
        mask_token=HOSTILE,
    )
    head, _, body = text.removeprefix("---\n").partition("\n---\n")
    assert yaml.safe_load(head)["license"] == "other"
    assert "\x1b" not in text
    prose = [block for number, block in enumerate(body.split("````")) if number % 2 == 0]
    assert len(prose) == 2, "one block of the commands, fenced by more than what is in it"
    outside = "".join(prose).partition("```python")[0]
    assert "<script" not in outside.replace("\\<script", "")
    assert "[here]" not in outside
    headings = [line for line in outside.splitlines() if line.startswith("#")]
    assert headings == [f"# {plain(HOSTILE)}", "## What it is for", "## Its limits", "## Scores", "## Loading it"]


def test_an_example_cannot_be_made_to_run_anything() -> None:
    import ast

    text = card(task="fill-mask", mask_token='"); import os; os.system("true") #')
    example = text.partition("```python\n")[2].partition("```")[0]
    called = {ast.unparse(node.func) for node in ast.walk(ast.parse(example)) if isinstance(node, ast.Call)}
    assert called == {"AutoModelForMaskedLM.from_pretrained", "AutoTokenizer.from_pretrained", "pipeline", "pipe"}


def test_markdown_is_escaped() -> None:
    assert plain("a|b <i> [x](y) *z* `c`\n#") == "a\\|b \\<i> \\[x\\](y) \\*z\\* \\`c\\`\\\\n#"
    assert code("a`b``c") == "```a`b``c```"
    assert code("`a") == "`` `a ``"
    assert fenced("```\nx", "bash") == "````bash\n```\nx\n````"


def test_scores_that_are_none_are_left_out() -> None:
    found = {"val/loss": 1, "test/f1": 0.5, "val/nan": float("nan"), "step": 3, "train/loss": 2.0, "val/x": "1"}
    assert scores_of({**found, "val/big": 10**400, "val/true": True, "val/a|b": 1.0}) == {"val/loss": 1, "test/f1": 0.5}
    assert "model-index" not in head_of(card(metrics={}))


def test_the_data_in_words() -> None:
    """A folder of this machine is named by its last part alone."""
    assert described({"source": "/home/me/secret/rows.csv"}) == "rows.csv, a local file or folder"
    assert data_id({"source": "/home/me/secret/rows.csv"}) == "rows"
    hub = {"source": "hub:nyu-mll/glue", "glue_task": "mrpc", "revision": "abc"}
    assert described(hub) == "nyu-mll/glue of the Hugging Face hub, at abc, in the form of GLUE's task mrpc"
    assert data_id(hub) == "nyu-mll/glue"
    assert described({"source": "https://me:word@host/f.txt"}) == "https://***@host/f.txt"
    assert "seed 7" in described({"source": "verse", "verse_size": 10, "verse_seed": 7})
    counted = {"examples/train": 3668, "tokens/train": 5, "examples/test": 2, "share/train": 0.5, "tokens": 3}
    assert sizes(counted) == "train 3,668 examples and 5 tokens; test 2 examples"


def test_a_base_model_that_is_a_folder_is_no_hub_name(tmp_path: Path) -> None:
    (tmp_path / "bert" / "export").mkdir(parents=True)
    assert base_model("bert-base-uncased") == "bert-base-uncased"
    assert base_model(str(tmp_path / "bert" / "export")) == "bert, a local folder"
    assert "base_model" not in head_of(card(base_model=base_model(str(tmp_path / "bert"))))


def test_licences_that_are_known(tmp_path: Path) -> None:
    (tmp_path / "msr_paraphrase_train.txt").write_text("")
    assert data_licence({"source": "verse"}) == OWN
    assert data_licence({"source": "shakespeare"}).words.startswith("public domain: Shakespeare's Sonnets")
    assert data_licence({"source": "hub:nyu-mll/glue", "glue_task": "mrpc"}) == MRPC
    assert data_licence({"source": str(tmp_path), "glue_task": "mrpc"}) == MRPC
    assert "MultiNLI" in data_licence({"source": "hub:nyu-mll/glue:mnli", "glue_task": "mnli"}).words


def test_licences_that_are_not_known(tmp_path: Path) -> None:
    """A file of somebody's, a missing one, a large one, an address, a name that the system cannot look up."""
    (tmp_path / "mine.txt").write_text("mine")
    with (tmp_path / "large.txt").open("wb") as file:
        file.truncate(LARGEST + 1)
    for source in (tmp_path / "mine.txt", tmp_path / "none.txt", tmp_path / "large.txt", "https://host/x", "x" * 9999):
        assert data_licence({"source": str(source)}) == UNKNOWN
    assert head_of(card())["license"] == "unknown"


def test_a_public_text_is_known_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib

    from quatrain.runs import licences

    (tmp_path / "any.txt").write_text("a poem")
    monkeypatch.setitem(licences.PUBLIC_DOMAIN, hashlib.sha256(b"a poem").hexdigest(), "a poem")
    assert data_licence({"source": str(tmp_path / "any.txt")}).words == "public domain: a poem"


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("---\nlicense: cc-by-4.0\n---\n# x", "cc-by-4.0"),
        ("---\nlanguage: en\nlicense:\n- mit\n---\n", "mit"),
        ("---\nlicense: [evil, 1]\n---\n", "unknown"),
        ("no head\nlicense: mit\n", "unknown"),
        ("---\nlicense: '<b>'\n---\n", "unknown"),
    ],
)
def test_the_licence_of_a_dataset_of_the_hub(
    text: str, identifier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its card in the local cache, where one lies."""
    (tmp_path / "README.md").write_text(text)
    found = str(tmp_path / "README.md")
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_, **__: found)
    assert data_licence({"source": "hub:me/rows"}).identifier == identifier
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_, **__: None)
    assert "see the card of me/rows" in data_licence({"source": "hub:me/rows"}).words


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run", {"seed": 1}, ["experiment=x", "data.source=my file"])


def test_the_commands_of_a_run(run: RunDirectory) -> None:
    """The first one, and those that made it longer; a smaller micro-batch is a remark."""
    assert training_commands(run).lines == ["quatrain train experiment=x 'data.source=my file'"]
    run.write_provenance({"command": ["quatrain", "train", "--allow", "mine", "run.dir=/here", "experiment=x"]})
    write_changes(
        run,
        [
            Change("trainer.auto_batch=true", {"data.batch_size": 16, "trainer.accumulate_grad_batches": 2}),
            longer("quatrain resume x", max_epochs=4, max_steps=None, reschedule=True),
            longer("quatrain resume x", max_epochs=None, max_steps=900, reschedule=False),
        ],
    )
    commands = training_commands(run)
    assert commands.lines == [
        "quatrain train --allow mine experiment=x",
        "quatrain resume run --max-epochs 4 --reschedule",
        "quatrain resume run --max-steps 900",
    ]
    assert any("data.batch_size=16 trainer.accumulate_grad_batches=2" in remark for remark in commands.remarks)


def test_a_job_of_a_sweep_is_one_command(run: RunDirectory) -> None:
    run.write_provenance({"command": ["quatrain", "train", "-m", "seed=1,2"], "allowed_prefixes": ["mine."]})
    commands = training_commands(run)
    assert commands.lines == ["quatrain train --allow mine experiment=x 'data.source=my file'"]
    assert commands.remarks == ["The run is one of those that this command started: quatrain train -m seed=1,2"]


def test_what_cannot_be_read_of_the_commands_is_left_out(run: RunDirectory) -> None:
    run.provenance.write_text("[")
    run.changes.write_text("- 3")
    assert training_commands(run).lines == ["quatrain train experiment=x 'data.source=my file'"]


def test_scores_of_an_evaluation(run: RunDirectory) -> None:
    """What ``quatrain evaluate`` wrote, and nothing of what anybody else made of it."""
    assert evaluated(run, "w") == ({}, {})
    good = {"accuracy": {"value": 0.8, "low": 0.7, "high": 0.9}, "f1": {"value": 0.5}}
    bad = {"loss": {"value": "1"}, "x|y": {"value": 1.0}, "big": {"value": 10**400}, "none": None}
    content = {
        "weights": "w",
        "evaluations": {"validation": {"metrics": {**good, **bad}}, "test": {}, "test of x.csv": {"metrics": good}},
    }
    (run.path / "evaluation.json").write_text(json.dumps(content))
    assert evaluated(run, "w") == ({"val/accuracy": 0.8, "val/f1": 0.5}, {"val/accuracy": (0.7, 0.9)})
    assert evaluated(run, "of other weights") == ({}, {})
    for foreign in ("[1]", '{"weights": "w"}', '{"weights": "w", "evaluations": {"test": 3}}'):
        (run.path / "evaluation.json").write_text(foreign)
        with pytest.raises(UserError, match="was not written by quatrain"):
            evaluated(run, "w")
