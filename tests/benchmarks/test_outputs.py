"""Numbers are read from what contenders leave as they stand there, and what is incomplete is refused."""

import json
import sys
from pathlib import Path

import pytest

from bench import outputs
from bench.processes import Done, Failed, environment, run

NANOGPT = """found vocab_size = 300 (inside data/meta.pkl)
step 0: train loss 5.7, val loss 5.7
iter 0: loss 5.7123, time 9000.00ms, mfu -100.00%
iter 1: loss 5.6, time 500.00ms, mfu -100.00%
iter 2: loss nan, time 250.00ms, mfu -100.00%
iter 3: loss 5.4, time 750.00ms, mfu 0.10%
step 4: train loss 5.3, val loss 5.3
saving checkpoint to out
iter 4: loss 5.3, time 8000.00ms, mfu 0.10%
"""


def done(output: str) -> Done:
    return Done(seconds=1.0, peak_mb=2.0, output=output)


def test_nanogpt_is_timed_without_its_first_steps_and_without_the_one_that_evaluates() -> None:
    found = outputs.nanogpt(done(NANOGPT), untimed=2, steps=4, tokens_of_step=100)
    assert found["tokens_per_second"] == pytest.approx(200 / 1.0)


def test_a_log_that_broke_off_is_refused() -> None:
    with pytest.raises(Failed, match="lacks iterations 5 and 1 more of 7"):
        outputs.nanogpt(done(NANOGPT), untimed=2, steps=7, tokens_of_step=100)


def test_a_script_is_read_from_the_json_that_it_ends_with() -> None:
    told = {"rounds": [{"ours": {"rate": 1.5}}]}
    assert outputs.last_json(f"{{'not': json}}\n{json.dumps(told, indent=1)}\n") == told


def test_of_what_a_script_reports_the_measures_are_kept() -> None:
    told = {"tokens_per_second": 5.0, "precision": "bf16-mixed", "steps": 3}
    assert outputs.script(done(f"{{'train_loss': 1}}\n{json.dumps(told)}\n")) == {
        "tokens_per_second": 5.0,
        "precision": "bf16-mixed",
    }
    with pytest.raises(Failed, match="should end with JSON"):
        outputs.script(done("Traceback\n"))


def test_ours_is_timed_by_the_rows_after_the_untimed_steps() -> None:
    metrics = (
        "step,epoch,train/loss,train/tokens,train/tokens_per_second,val/loss\n"
        "1,0,9.0,100,10.0,\n"
        "2,0,8.0,200,100.0,\n"
        "3,0,8.0,300,50.0,\n"
        "4,0,7.0,350,100.0,\n"
        "4,0,,,,7.5\n"
    )
    assert outputs.timed_rows(metrics, untimed=2) == (150, pytest.approx(2.0 + 0.5))
    assert outputs.timed_rows(metrics, untimed=9) == (0, 0.0)


def test_a_run_directory_gives_precision_speed_and_a_classifiers_scores(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps({"metrics": {"val/f1": 0.8, "val/accuracy": 0.7}}))
    (tmp_path / "provenance.json").write_text(json.dumps({"choices": {"precision": {"value": "32-true"}}}))
    (tmp_path / "metrics.csv").write_text("step,train/tokens,train/tokens_per_second\n1,10,5.0\n2,30,10.0\n")
    found = outputs.run_directory(tmp_path, untimed=1)
    assert found == {"precision": "32-true", "f1": 0.8, "accuracy": 0.7, "tokens_per_second": pytest.approx(10.0)}


def test_a_command_is_timed_with_the_memory_of_what_it_waited_for(tmp_path: Path) -> None:
    child = "held = bytearray(150 << 20); print(len(held))"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    found = run([sys.executable, "-c", parent], log=tmp_path / "log")
    assert found.output.strip() == str(150 << 20)
    assert 150 < found.peak_mb < 1000
    assert found.seconds > 0


def test_a_command_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    code = "import sys; print('no such thing', file=sys.stderr); sys.exit(3)"
    with pytest.raises(Failed, match=r"ended with 3:\nno such thing"):
        run([sys.executable, "-c", code], log=tmp_path / "log")


def test_every_core_unless_told_and_no_gpu_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    free, two = environment(cache=tmp_path, gpu=True), environment(cache=tmp_path, gpu=False, threads=2)
    assert "OMP_NUM_THREADS" not in free
    assert "CUDA_VISIBLE_DEVICES" not in free
    assert (two["OMP_NUM_THREADS"], two["CUDA_VISIBLE_DEVICES"]) == ("2", "")
