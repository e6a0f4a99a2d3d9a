"""quatrain init writes a project that trains, sweeps, resumes and is asked as it stands; or nothing at all."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import quatrain
from quatrain.__main__ import main
from quatrain.commands.init import TEMPLATE
from quatrain.config.compose import compose
from quatrain.config.project import project_conf
from quatrain.core.errors import UserError
from quatrain.runs.directory import load_run

pytestmark = pytest.mark.slow

STEPS = ("trainer.max_steps=3", "trainer.accelerator=cpu", "run.report=false")
SOURCE = str(Path(quatrain.__file__).parents[1])


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m`` in ``project`` as a user's shell would, with nothing of the project installed or allowed."""
    environment = {name: value for name, value in os.environ.items() if name != "QUATRAIN_ALLOW"}
    done = subprocess.run(
        [sys.executable, "-P", "-m", *command],
        cwd=project,
        env={**environment, "PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("init") / "place-names"
    assert main(["init", str(place)]) == 0
    return place


@pytest.fixture(scope="module")
def sweep(project: Path) -> Path:
    """Two seeds of the project's experiment."""
    done = run(project, "quatrain", "train", "-m", "experiment=mine", "seed=1,2", *STEPS, "--allow", "place_names")
    assert "config files of this project: conf (pyproject.toml)" in done.stderr
    return project / "outputs" / "sweeps" / "mine-seed"


def test_its_options_are_listed_explained_and_offered(
    allowed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As every command in the project finds its conf/, none needs --config-dir."""
    assert main(["list", "model"]) == 0
    told = capsys.readouterr()
    assert "gru" in told.out
    assert told.err == "config files of this project: conf (pyproject.toml)\n"
    assert main(["explain", "optimizer.lr", "experiment=mine"]) == 0
    assert "0.005" in capsys.readouterr().out
    monkeypatch.setenv("COMP_LINE", "quatrain train model=gr")
    assert main(["-sc", "query=bash"]) == 0
    assert capsys.readouterr().out == "model=gru\n"


@pytest.fixture
def allowed(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project as the launch folder, its package allowed, in this process."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("QUATRAIN_ALLOW", "place_names")
    monkeypatch.syspath_prepend(project / "src")
    return project


def test_the_package_has_the_name_of_the_folder_everywhere(project: Path) -> None:
    written = sorted(path.relative_to(project) for path in project.rglob("*") if path.is_file())
    assert {Path("src/place_names/names.py"), Path("tests/test_place_names.py"), Path(".gitignore")} <= set(written)
    assert len(written) == sum(path.is_file() and "__pycache__" not in path.parts for path in TEMPLATE.rglob("*"))
    whole = "".join((project / path).read_text(encoding="utf-8") for path in written)
    assert "my_project" not in whole
    assert "my-project" not in whole
    assert 'name = "place-names"' in (project / "pyproject.toml").read_text(encoding="utf-8")


def test_a_sweep_ends_and_a_run_of_it_is_evaluated_asked_and_goes_on(
    sweep: Path, allowed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (load_run(path) for path in sorted(sweep.iterdir()) if (path / "status.json").is_file())
    assert first.status().status == second.status().status == "done"
    assert "import place_names.gru  # the model's own code" in (first.export / "README.md").read_text(encoding="utf-8")
    assert "export/ loads with transformers after import place_names.gru;" in (first.path / "console.log").read_text()
    assert first.read_result()["best"]["val/loss"] != second.read_result()["best"]["val/loss"]
    assert main(["evaluate", str(first.path)]) == 0
    assert "bits_per_character" in capsys.readouterr().out
    assert main(["generate", str(first.path), "Wolf", "--samples", "2", "--seed", "1", "--max-new-tokens", "5"]) == 0
    assert "--- 2 of 2, seed 2" in "".join(capsys.readouterr())
    run(allowed, "quatrain", "resume", str(first.path), "--max-steps", "5", "--allow", "place_names")
    steps = [row["step"] for row in first.read_metrics() if "train/loss" in row]
    assert steps == [1, 2, 3, 4, 5]
    assert first.status().status == "done"


def test_its_own_tests_pass(project: Path) -> None:
    done = run(project, "pytest", "-q", "-p", "no:cacheprovider")
    assert "6 passed" in done.stdout


def test_every_command_of_its_readme_composes(allowed: Path) -> None:
    readme = (allowed / "README.md").read_text(encoding="utf-8")
    lines = [line.partition("   ")[0].split() for line in readme.splitlines() if line.startswith("quatrain ")]
    composed = [[word for word in line[2:] if "=" in word] for line in lines if "experiment=mine" in line]
    assert len(composed) == 5
    for words in composed:
        swept = [word.replace("1,2,3", "1") for word in words]
        assert compose(swept, "conf")["data"]["_target_"] == "place_names.names.Names"
    assert {line[1] for line in lines} == {"look", "plan", "train", "evaluate", "generate", "resume"}


def test_it_can_be_installed(project: Path, tmp_path: Path) -> None:
    run(project, "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(project))
    (wheel,) = tmp_path.glob("place_names-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"place_names/gru.py", "place_names/names.py"} <= set(names)
    assert not any(name.startswith(("tests", "conf")) for name in names)


def test_an_empty_folder_is_filled_and_stays_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell that stands in it would otherwise stand nowhere."""
    monkeypatch.chdir(tmp_path)
    before = tmp_path.stat().st_ino
    assert main(["init", ".", "--name", "places"]) == 0
    assert tmp_path.stat().st_ino == before
    assert (tmp_path / "src" / "places" / "gru.py").is_file()
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["held"], "held holds notes.txt, and nothing of it may be overwritten"),
        (["held/notes.txt"], "held/notes.txt is a file"),
        (["new", "--name", "My-Project"], "--name=My-Project names no package"),
        (["new", "--name", ""], "--name= names no package"),
        (["new", "--name", "class"], "--name=class is a word of Python's own"),
        (["new", "--name", "json"], "--name=json is a word of Python's own"),
        (["new", "--name", "tests"], "--name=tests is what another folder of the project is called"),
        (["new", "--name", "numpy"], "--name=numpy is a package that is installed here already"),
        (["2024 runs"], "whose name makes the package '2024_runs', names no package"),
        (["held", "--name", "if"], "--name=if is a word of Python's own"),
        ([], "DIR"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    wanted: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "notes.txt").write_text("mine\n", encoding="utf-8")
    assert main(["init", *words]) == 2
    assert wanted in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["held", "notes.txt"]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder where nobody can write")
def test_a_place_that_takes_no_files_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "/proc/self/fd/places"]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('[tool.quatrain]\nconfig_dir = "conf"\nallow = ["evil"]\n', "allow is not read"),
        ('[tool.quatrain]\nconfig_dir = ".."\n', "is no folder within"),
        ('[tool.quatrain]\nconfig_dir = "nowhere"\n', "is no folder within"),
        ("[tool.quatrain]\nconfig_dir = 3\n", "config_dir=3 is no folder"),
        ("[tool.quatrain]\n", "says nothing"),
        ("[tool.quatrain]\ncolour = 'red'\n", "has no setting colour"),
        ("[tool.quatrain]\nconfig_dir = \n", "cannot be read"),
    ],
)
def test_what_pyproject_toml_may_not_say(tmp_path: Path, text: str, wanted: str) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=wanted):
        project_conf(tmp_path)


@pytest.mark.parametrize("text", [None, "[tool.ruff]\nline-length = 100\n", "broken = \n", "tool = 3\n"])
def test_a_folder_that_is_no_project_of_ours_is_let_alone(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert project_conf(tmp_path) is None
