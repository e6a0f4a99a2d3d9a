"""Proves that logs, warnings and tracebacks go to run.log and nowhere else, and that all is as before afterwards."""

import logging
import warnings
from pathlib import Path

import pytest

from quatrain.runs.run_log import run_log


def test_everything_goes_to_the_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    noisy = logging.getLogger("pytorch_lightning")
    noisy.addHandler(logging.StreamHandler())
    with run_log(tmp_path / "run.log"), warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.getLogger("some.library").info("said quietly")
        noisy.warning("said loudly")
        warnings.warn("mind the step", UserWarning, stacklevel=1)
    text = (tmp_path / "run.log").read_text()
    for part in ("INFO some.library: said quietly", "said loudly", "UserWarning: mind the step\n"):
        assert text.count(part) == 1
    assert capfd.readouterr() == ("", "")


def test_a_traceback_goes_to_the_file_and_the_exception_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ZeroDivisionError), run_log(tmp_path / "run.log"):
        _ = 1 / 0
    text = (tmp_path / "run.log").read_text()
    assert "Traceback" in text
    assert "ZeroDivisionError: division by zero" in text
    assert capfd.readouterr() == ("", "")


def test_a_resumed_run_goes_on_in_the_file(tmp_path: Path) -> None:
    for word in ("first", "second"):
        with run_log(tmp_path / "run.log"):
            logging.getLogger("quatrain").info(word)
    assert [line.rpartition(" ")[2] for line in (tmp_path / "run.log").read_text().splitlines()] == ["first", "second"]


def test_other_ranks_write_what_went_wrong_to_a_file_of_their_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with run_log(tmp_path / "run.log", rank=1):
        logging.getLogger("quatrain").info("unheard")
        assert list(tmp_path.iterdir()) == []
        logging.getLogger("quatrain").error("heard")
    assert [path.name for path in tmp_path.iterdir()] == ["run.rank1.log"]
    assert "heard" in (tmp_path / "run.rank1.log").read_text()
    assert capfd.readouterr() == ("", "")


def test_logging_is_as_before_afterwards(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, warnings.showwarning)
    with run_log(tmp_path / "run.log"):
        assert root.handlers != before[0]
    assert (root.handlers, root.level, warnings.showwarning) == before


def test_what_means_nothing_here_is_left_out_and_nothing_else(tmp_path: Path) -> None:
    library = logging.getLogger("transformers.modeling_utils")
    with run_log(tmp_path / "run.log"):
        library.warning("We strongly recommend passing in an `attention_mask` since your input_ids may be padded.")
        library.warning("A parameter was renamed.")
        logging.getLogger("other").warning("We strongly recommend passing in an `attention_mask`, says another.")
    text = (tmp_path / "run.log").read_text()
    assert [line.partition("WARNING ")[2].partition(":")[0] for line in text.splitlines()] == [library.name, "other"]
