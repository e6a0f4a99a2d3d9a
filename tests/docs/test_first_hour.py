"""docs/first_hour.ipynb runs from top to bottom without error or warning, and what it shows is of no one machine."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "docs" / "first_hour.ipynb"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the libraries that run kernels
def test_it_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    for cell in _code(notebook):
        said = "".join(output.text for output in cell.outputs if output.get("name") == "stderr")
        assert "Warning" not in said, cell.source
        assert "quatrain.train" in cell.source or said == "", cell.source
    run = next(tmp_path.glob("outputs/quick_windows/*/result.json"))
    assert run.is_file()


def test_what_it_shows_is_short_and_names_no_place_of_a_machine() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    shown = [output for cell in _code(notebook) for output in cell.outputs]
    assert len(shown) >= 8
    for output in shown:
        assert output.output_type != "error"
        text = str(output.get("text") or output["data"].get("text/plain", ""))
        assert len(text) < 1500
        assert not re.search(r"/(tmp|home|root|work|Users)/", text)
    assert NOTEBOOK.stat().st_size < 100_000


def _code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]
