"""quatrain export: what it writes computes what the run's checkpoint does, and what goes wrong leaves nothing."""

import copy
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from quatrain.__main__ import main
from quatrain.runs.directory import RunDirectory
from quatrain.training.checkpoint_files import BEST, digest_of, saved_in

from .conftest import SMALL

TINY = (
    *SMALL,
    "trainer.max_steps=4",
    "run.report=false",
    "trainer.val_check_interval=2",
    "tokenizer.vocab_size=400",
    "trainer.check_val_every_n_epoch=null",
)
CLASSES = {
    "quick_sonnets": "AutoModelForMaskedLM",
    "quick_mrpc": "AutoModelForSequenceClassification",
    "quick_windows": "AutoModelForCausalLM",
}


def trained(folder: Path, *overrides: str) -> RunDirectory:
    """A finished run of four steps, validated after two and after four."""
    from quatrain import worker
    from quatrain.config.compose import compose
    from quatrain.runs.run_log import run_log
    from quatrain.training.preemption import StopRequest

    run = RunDirectory.create(folder, compose(overrides), overrides)
    with run_log(run.log):
        assert worker.guarded(run, StopRequest()) == 0, run.log.read_text()
    return run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, RunDirectory]]:
    """One run of each experiment, not to be changed."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUATRAIN_CACHE", str(folder / "cache"))
        yield {name: trained(folder / name, f"experiment={name}", *TINY) for name in CLASSES}


@pytest.fixture
def run(finished: dict[str, RunDirectory], tmp_path: Path) -> RunDirectory:
    """A run of its own to do anything to."""
    return RunDirectory(shutil.copytree(finished["quick_sonnets"].path, tmp_path / "run", symlinks=True))


def rows(model: Any) -> dict[str, Tensor]:
    """Five rows of up to nine tokens: a shape that the export's own proof does not have."""
    generator = torch.Generator().manual_seed(1)
    mask = (torch.arange(9) < torch.tensor([9, 7, 4, 2, 1])[:, None]).long()
    ids = torch.randint(5, 300, (5, 9), generator=generator)
    made = {"input_ids": torch.where(mask.bool(), ids, model.config.pad_token_id), "attention_mask": mask}
    return made | ({"token_type_ids": mask * 0} if model.config.model_type == "bert" else {})


def checkpoint_model(run: RunDirectory, name: str, file: str = BEST) -> Any:
    """The model of a checkpoint, made by nothing of what is tested: transformers' class, torch's file."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(run.export)
    model = getattr(transformers, CLASSES[name]).from_config(config)
    state = torch.load(run.checkpoints / file, weights_only=True)["state_dict"]
    model.load_state_dict({key.removeprefix("model."): value for key, value in state.items()})
    return model.eval()


def exported(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[Path, str]:
    """What the command says on standard output, a folder, and on standard error."""
    capsys.readouterr()
    assert main(["export", *words]) == 0
    said = capsys.readouterr()
    return Path(said.out.removesuffix("\n")), said.err


def refused(capsys: pytest.CaptureFixture[str], *words: str, code: int = 2) -> str:
    capsys.readouterr()
    assert main(["export", *words]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_safetensors_of_each_task(
    name: str, finished: dict[str, RunDirectory], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Loaded by transformers it gives the checkpoint's logits, and the same files as the run's own export."""
    import transformers

    run = finished[name]
    folder, said = exported(capsys, str(run.path), "--to", str(tmp_path / "new"))
    assert folder == tmp_path / "new"
    assert said.startswith("verified on")
    assert said.count("\n") == 1
    assert (folder / "model.safetensors").stat().st_mode == (folder / "config.json").stat().st_mode
    assert {file.name for file in folder.iterdir()} == {file.name for file in run.export.iterdir()}
    assert (folder / "model.safetensors").read_bytes() == (run.export / "model.safetensors").read_bytes()
    assert (folder / "tokenizer.json").read_bytes() == (run.export / "tokenizer.json").read_bytes()
    loaded = getattr(transformers, CLASSES[name]).from_pretrained(folder)
    expected = checkpoint_model(run, name)
    with torch.no_grad():
        torch.testing.assert_close(loaded(**rows(loaded)).logits, expected(**rows(expected)).logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_onnx_of_each_task(
    name: str, finished: dict[str, RunDirectory], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ONNX Runtime gives the checkpoint's logits on any number of rows of any length, from one file without a path of
    this machine; and so does what the card says."""
    onnxruntime = pytest.importorskip("onnxruntime")
    run = finished[name]
    folder, said = exported(capsys, str(run.path), "--format", "onnx", "--to", str(tmp_path / "new"))
    assert said.startswith("verified on")
    assert said.count("\n") == 1
    names = {file.name for file in folder.iterdir()}
    assert {"model.onnx", "config.json", "tokenizer.json", "README.md"} <= names
    assert not names & {"model.safetensors", "model.onnx.data"}
    expected = checkpoint_model(run, name)
    inputs = rows(expected)
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == list(inputs)
    assert session.get_inputs()[0].shape == ["batch", "sequence"]
    (found,) = session.run(["logits"], {key: value.numpy() for key, value in inputs.items()})
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(found), expected(**inputs).logits, rtol=0, atol=1e-4)
    example = (folder / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    space: dict[str, Any] = {}
    exec(example.replace('folder = "."', f"folder = {str(folder)!r}"), space)
    assert len(space["logits"]) == 1
    assert b"site-packages" not in (folder / "model.onnx").read_bytes()


def test_the_folders_in_the_run_are_replaced_whole(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime")
    (run.export / "old").write_text("old")
    (run.path / ".export.1-ab.tmp").mkdir()  # what a killed export leaves
    assert exported(capsys, str(run.path))[0] == run.export
    assert not (run.export / "old").exists()
    onnx = run.path / "export-onnx"
    onnx.mkdir()
    (onnx / "old").write_text("old")
    assert exported(capsys, str(run.path), "--format", "onnx")[0] == onnx
    assert not (onnx / "old").exists()
    assert not list(run.path.glob(".*.tmp"))


def test_the_last_checkpoint_where_it_is_not_the_best(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The learning rate ruins the model after step 2."""
    from safetensors.torch import load_file

    worse = ("schedule=constant", "optimizer.lr=1.0", "trainer.max_steps=4")
    run = trained(tmp_path / "run", "experiment=quick_sonnets", *TINY, *worse)
    steps = sorted({saved.step for saved in saved_in(run.checkpoints)})
    best = (run.read_result() or {})["best"]["step"]
    assert (steps, best) == ([2, 4], 2), "the run is not what this test needs"
    folder, _ = exported(capsys, str(run.path), "--checkpoint", "last", "--to", str(tmp_path / "last"))
    bias = "lm_head.bias"
    last = torch.load(run.checkpoints / "last.ckpt", weights_only=True)["state_dict"][f"model.{bias}"]
    assert torch.equal(load_file(folder / "model.safetensors")[bias], last)
    assert not torch.equal(load_file(run.export / "model.safetensors")[bias], last)
    assert "Optimizer steps: 4\n" in (folder / "README.md").read_text()
    assert "Optimizer steps: 2\n" in (run.export / "README.md").read_text()


def test_a_run_that_was_trained_on_tells_both_commands(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    """In the card of the run itself and in that of an export."""
    from quatrain import worker
    from quatrain.runs.changes import longer, write_changes
    from quatrain.runs.run_log import run_log
    from quatrain.training.preemption import StopRequest

    write_changes(run, [longer("quatrain resume", max_epochs=None, max_steps=6, reschedule=False)])
    with run_log(run.log):
        assert worker.guarded(run, StopRequest()) == 0, run.log.read_text()
    own = (run.export / "README.md").read_text()
    exported(capsys, str(run.path))
    assert (run.export / "README.md").read_text() == own
    commands = own.partition("```bash\n")[2].partition("```")[0].splitlines()
    assert commands[0].startswith("quatrain train experiment=quick_sonnets data.verse_size=60 ")
    assert commands[1:] == ["quatrain resume run --max-steps 6"]


def test_adapters_are_merged(tmp_path: Path, bert_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A stranger needs no peft, and the logits are those with the adapters."""
    import transformers

    words = ("experiment=quick_mrpc", "model=pretrained_classifier", f"model.weights={bert_folder}")
    tokenizer = ("tokenizer=pretrained", f"tokenizer.source={bert_folder}")
    lora = "model.lora={r: 2, alpha: 64, target_modules: [query, value]}"
    small = [word for word in TINY if not word.startswith("tokenizer")]
    run = trained(tmp_path / "run", *words, *tokenizer, *small, lora, "optimizer.lr=0.1")
    folder, said = exported(capsys, str(run.path), "--to", str(tmp_path / "new"))
    loaded = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    own = transformers.AutoModelForSequenceClassification.from_pretrained(run.export)
    assert not [name for name in loaded.state_dict() if "lora" in name]
    with torch.no_grad():
        torch.testing.assert_close(loaded(**rows(loaded)).logits, own(**rows(own)).logits, rtol=0, atol=1e-5)
    assert "verified on" in said


def test_a_damaged_checkpoint_is_named(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(run.export)
    best = (run.read_result() or {})["best"]["step"]
    (damaged,) = (saved.path for saved in saved_in(run.checkpoints) if saved.step == best)
    torn = damaged.read_bytes()[:-100]
    damaged.unlink()  # best.ckpt is the same file
    damaged.write_bytes(torn)
    said = refused(capsys, str(run.path))
    assert f"{damaged} is torn or corrupt" in said
    assert "--checkpoint last" in said
    assert content(run.export) == before


def test_a_checkpoint_that_brings_code_is_not_read(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    """Its name says its content, so that it passes for whole."""
    shutil.rmtree(run.checkpoints)
    run.checkpoints.mkdir()
    step = (run.read_result() or {})["best"]["step"]
    torch.save({"state_dict": {"model.x": Path("/")}}, run.checkpoints / "new")
    digest = digest_of(run.checkpoints / "new")
    (run.checkpoints / "new").rename(run.checkpoints / f"step-{step:08d}-{digest}.ckpt")
    assert "is no checkpoint of tensors and plain values" in refused(capsys, str(run.path))


def test_a_checkpoint_of_another_model(
    run: RunDirectory, finished: dict[str, RunDirectory], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(run.checkpoints)
    shutil.copytree(finished["quick_windows"].checkpoints, run.checkpoints)
    best = (run.read_result() or {})["best"]["step"]
    assert best in {saved.step for saved in saved_in(run.checkpoints)}
    assert "does not fit the model of this run" in refused(capsys, str(run.path))


def test_without_checkpoints_the_export_is_taken(
    run: RunDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(run.checkpoints)
    folder, said = exported(capsys, str(run.path), "--to", str(tmp_path / "new"))
    assert f"the weights are those of {run.export}" in said
    assert (folder / "model.safetensors").read_bytes() == (run.export / "model.safetensors").read_bytes()
    assert "holds no checkpoint" in refused(
        capsys, str(run.path), "--checkpoint", "last", "--to", str(tmp_path / "last")
    )
    shutil.rmtree(run.export)
    assert "neither checkpoints nor an export" in refused(capsys, str(run.path))


def test_a_deleted_export_is_made_again(
    run: RunDirectory, finished: dict[str, RunDirectory], capsys: pytest.CaptureFixture[str]
) -> None:
    """From config, checkpoint and data: byte for byte the same weights and tokenizer."""
    shutil.rmtree(run.export)
    _, said = exported(capsys, str(run.path))
    assert "is gone; the tokenizer is made again from the data" in said
    before = content(finished["quick_sonnets"].export)
    after = content(run.export)
    assert after.keys() == before.keys()
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert after[name] == before[name], name


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("config.json", "[", "config.json is no JSON"),
        ("config.json", '{"model_type": "roberta", "hidden_size": 1000000000000}', "hidden size"),
        ("config.json", '{"model_type": "roberta", "max_position_embeddings": 1000000000000000000000}', "config.json"),
        ("tokenizer.json", "{}", "tokenizer"),
    ],
)
def test_a_damaged_export_is_told_and_what_to_do(
    file: str, content: str, sentence: str, run: RunDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.export / file).write_text(content)
    said = refused(capsys, str(run.path))
    assert sentence in said
    assert f"Delete {run.export} to have config and tokenizer made again" in said
    assert "tokenizer.source=" not in said
    assert "model.weights" not in said


def test_a_folder_that_exists_is_not_touched(
    run: RunDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    before = content(tmp_path)
    for name in ("mine", "file", "nowhere"):
        assert f"--to={tmp_path / name} exists already" in refused(capsys, str(run.path), "--to", str(tmp_path / name))
    assert content(tmp_path) == before


def test_a_run_that_is_not_done_says_its_status(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    run.set_status("failed", "The disk is full.")
    assert "not done but failed (The disk is full); quatrain resume" in refused(capsys, str(run.path))
    run.set_status("pruned", "A trial.")
    assert "not done but pruned (A trial); its search ended it early" in refused(capsys, str(run.path))
    assert "is no run directory" in refused(capsys, str(run.export))


def test_a_run_resumed_before_the_lock_was_ours(
    run: RunDirectory, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is done when the command begins, and no more when it holds the lock."""
    from quatrain.runs import lock

    locked, before = lock.locked, content(run.export)

    def taken_late(which: RunDirectory, file: Path) -> Any:
        run.set_status("failed", "Meanwhile.")
        return locked(which, file)

    monkeypatch.setattr(lock, "locked", taken_late)
    assert "not done but failed (Meanwhile)" in refused(capsys, str(run.path))
    assert content(run.export) == before


def test_the_runs_own_export_keeps_the_best_weights(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(run.path)
    said = refused(capsys, str(run.path), "--checkpoint", "last")
    assert said.startswith("error: --checkpoint last needs a folder of its own")
    assert "add --to DIR" in said
    assert content(run.path) == before


def test_what_computes_something_else_leaves_nothing(
    run: RunDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bias is changed in what is loaded again; what the run had stays."""
    from quatrain.runs import export as export_module

    load, before = export_module.load, content(run.path)

    def load_wrong(folder: Path, like: Any) -> Any:
        loaded = load(folder, like)
        with torch.no_grad():
            loaded.lm_head.bias[0] += 1e-3
        return loaded

    monkeypatch.setattr(export_module, "load", load_wrong)
    said = refused(capsys, str(run.path), code=1)
    assert "nothing was written: the logits differ by 0.001" in said
    assert {name: data for name, data in content(run.path).items() if not name.endswith(".lock")} == before


def test_a_wrong_onnx_file_leaves_nothing(
    run: RunDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is written with a weight that is not the checkpoint's."""
    pytest.importorskip("onnxruntime")
    from quatrain.runs import onnx_export

    write = onnx_export._traced

    def write_wrong(model: Any, samples: Any) -> Any:
        wrong = copy.deepcopy(model)
        with torch.no_grad():
            wrong.lm_head.bias[0] += 1e-3
        return write(wrong, samples)

    monkeypatch.setattr(onnx_export, "_traced", write_wrong)
    words = (str(run.path), "--format", "onnx", "--to", str(tmp_path / "new"))
    assert "from the checkpoint's, more than" in refused(capsys, *words, code=1)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_onnx_without_its_packages(
    run: RunDirectory, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from quatrain.runs import exporting

    monkeypatch.setattr(exporting, "find_spec", lambda name: None if name == "onnxscript" else name)
    said = refused(capsys, str(run.path), "--format", "onnx")
    assert said == "error: --format onnx needs onnxscript; get it by: pip install 'quatrain[onnx]'\n"


KILLED = """
import os, signal, sys
from quatrain.runs import export
export.load = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from quatrain.__main__ import main
main(sys.argv[1:])
"""


def test_a_kill_in_the_midst_leaves_what_was_there(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    """All is written and not yet proved; the next export takes away what the killed one left."""
    before = content(run.export)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, "export", str(run.path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert content(run.export) == before
    assert list(run.path.glob(".export.*.tmp")), "nothing was under way when it was killed"
    exported(capsys, str(run.path))
    assert not list(run.path.glob(".export.*.tmp"))
