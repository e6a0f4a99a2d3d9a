"""The wheel carries conf/ and what init writes, and works anywhere; an editable install reads the checkout's conf/."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "src" / "quatrain" / "commands" / "project"  # what quatrain init writes
SITE = sysconfig.get_paths()["purelib"]

pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="needs the checkout")


def pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a build reads."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("src", "conf"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


def test_the_wheel_trains_from_an_empty_folder(checkout: Path, tmp_path: Path) -> None:
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(checkout))
    (wheel,) = tmp_path.glob("quatrain-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {str(path.relative_to(ROOT / "conf")) for path in (ROOT / "conf").rglob("*.yaml")}
    assert shipped <= {name.removeprefix("quatrain/conf/") for name in names}
    templates = {
        path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src/quatrain/report/templates").iterdir()
    }
    assert len(templates) > 10
    assert templates <= set(names)
    project = {str(path.relative_to(ROOT / "src")) for path in PROJECT.rglob("*") if path.suffix != ".pyc"}
    assert {name for name in project if (ROOT / "src" / name).is_file()} <= set(names)
    pip("install", "--no-deps", "--target", str(tmp_path / "site"), str(wheel))
    empty = tmp_path / "empty"
    empty.mkdir()
    small = ("experiment=quick_windows", "data.verse_size=60", "trainer.max_steps=1", "run.dir=run")
    done = subprocess.run(
        [sys.executable, "-m", "quatrain", "train", *small],
        cwd=empty,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (empty / "run" / "export" / "model.safetensors").is_file()
    assert (empty / "run" / "report.html").stat().st_size > 1_000_000  # plotly.js in it


def test_an_edited_yaml_counts_at_once_in_an_editable_install(checkout: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    # the libraries of this environment, without its own editable install
    (tmp_path / "venv" / "lib" / version / "site-packages" / "libraries.pth").write_text(f"{SITE}\n", encoding="utf-8")
    pip("--python", str(python), "install", "--no-deps", "--no-build-isolation", "--editable", str(checkout))
    command = [str(python), "-m", "quatrain", "train", "--cfg", "job", "--package", "optimizer"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def shown() -> str:
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout

    file = checkout / "conf" / "optimizer" / "adamw.yaml"
    assert "weight_decay: 0.01" in shown()
    file.write_text(
        file.read_text(encoding="utf-8").replace("weight_decay: 0.01", "weight_decay: 0.125"), encoding="utf-8"
    )
    assert "weight_decay: 0.125" in shown()
