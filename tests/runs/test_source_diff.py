"""A patch on its commit gives the files back, keeps secrets out, and changes nothing in the checkout."""

import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from quatrain.runs.git_state import git_state, keep_source, own_checkout
from quatrain.runs.source_diff import LARGEST_FILE, is_secret_file

Git = Callable[..., str]


def git_at(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git_at(folder, "init")
    for name in ("kept.py", "changed.py", "gone.py", "link.py", "run.sh"):
        (folder / name).write_text(f"# {name}\n" + "line\n" * 20)
    (folder / ".gitignore").write_text("ignored/\n")
    (folder / "picture.bin").write_bytes(bytes(range(256)))
    git_at(folder, "add", "-A")
    git_at(folder, "commit", "-m", "first")
    return folder


def files(folder: Path) -> dict[str, tuple[bool, bytes]]:
    """Every file outside of .git with its executable bit and content, a link's being its target."""
    found = {}
    for path in folder.rglob("*"):
        if ".git" in path.relative_to(folder).parts or (path.is_dir() and not path.is_symlink()):
            continue
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        found[str(path.relative_to(folder))] = (bool(path.lstat().st_mode & stat.S_IXUSR), content)
    return found


def test_the_patch_restores_the_tree_and_leaves_the_checkout_as_it_is(checkout: Path, tmp_path: Path) -> None:
    (checkout / "changed.py").write_text("line\n" * 5 + "diff --git a/x b/x\nno newline at the end")
    (checkout / "gone.py").unlink()
    (checkout / "link.py").unlink()
    (checkout / "link.py").symlink_to("kept.py")
    (checkout / "run.sh").chmod(0o755)
    (checkout / "picture.bin").write_bytes(bytes(range(255, -1, -1)))
    (checkout / "new folder").mkdir()
    (checkout / "new folder" / "Gedicht ä.txt").write_text("Zeile ü\r\n\ttab\n", encoding="utf-8")
    (checkout / "empty.txt").touch()
    (checkout / "staged.py").write_text("staged = 1\n")
    git_at(checkout, "add", "staged.py")
    git_at(checkout, "rm", "--cached", "kept.py")
    (checkout / "ignored").mkdir()
    (checkout / "ignored" / "junk.txt").write_text("junk\n")
    status, inside = git_at(checkout, "status", "--porcelain"), files(checkout / ".git")

    state = keep_source(checkout, tmp_path / "source.diff")

    assert state is not None
    assert (state["commit"], state["branch"], state["dirty"]) == (git_at(checkout, "rev-parse", "HEAD"), "main", True)
    assert state["left_out"] == {}
    assert files(checkout / ".git") == inside
    assert git_at(checkout, "status", "--porcelain") == status
    again = tmp_path / "again"
    git_at(tmp_path, "clone", "-q", str(checkout), str(again))
    git_at(again, "apply", str(tmp_path / "source.diff"))
    wanted = files(checkout)
    del wanted["ignored/junk.txt"]
    assert files(again) == wanted
    before = (tmp_path / "source.diff").read_bytes()
    assert keep_source(checkout, tmp_path / "source.diff") == state
    assert (tmp_path / "source.diff").read_bytes() == before


def test_secrets_and_what_is_no_source_are_left_out_and_named(checkout: Path, tmp_path: Path) -> None:
    secret = "hunter" + "2hunter2"
    (checkout / ".env").write_text(f"API={secret}\n")
    (checkout / "server.pem").write_text(secret)
    (checkout / ".aws").mkdir()
    (checkout / ".aws" / "config").write_text(secret)
    (checkout / "settings.yaml").write_text(f"lr: 1\napi_key: {secret}\n")
    (checkout / "changed.py").write_text(f'client = Client(api_key="{secret}")\n')
    (checkout / "remote.py").write_text(f"source = 'https://me:{secret}@host/x'\n")
    (checkout / "fine.py").write_text("token = tokenizer.next()\nkey: str = row.key\n")
    (checkout / "weights.bin").write_bytes(b"\0\1" * 50)
    (checkout / "large.txt").write_text("x" * (LARGEST_FILE + 1))
    (checkout / "runs" / "one" / "export").mkdir(parents=True)
    for name in ("config.yaml", "status.json", "export/README.md"):
        (checkout / "runs" / "one" / name).write_text("a run\n")
    (checkout / "outputs").mkdir()
    (checkout / "outputs" / "note.txt").write_text("an output\n")

    state = keep_source(checkout, tmp_path / "source.diff", outputs=[checkout / "outputs"])

    assert state is not None
    patch = (tmp_path / "source.diff").read_text()
    assert secret not in patch
    assert "token = tokenizer.next()" in patch
    assert "a run" not in patch
    assert "an output" not in patch
    assert set(state["left_out"]) == {
        *(".env", "server.pem", ".aws/config", "settings.yaml", "changed.py", "remote.py"),
        *("weights.bin", "large.txt"),
    }
    assert state["left_out"]["weights.bin"] == "not text"
    assert secret not in str(state)
    again = tmp_path / "again"
    git_at(tmp_path, "clone", "-q", str(checkout), str(again))
    git_at(again, "apply", str(tmp_path / "source.diff"))
    assert (again / "fine.py").read_text() == (checkout / "fine.py").read_text()


def test_many_files_end_at_the_limit_and_an_odd_name_can_be_written_down(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quatrain.runs.source_diff.LARGEST_PATCH", 1000)
    for number in range(70):
        (checkout / f"note{number:02}.txt").write_text("x" * 99 + "\n")
    Path(os.fsdecode(bytes(checkout) + b"/an odd \xff.pem")).touch()
    state = keep_source(checkout, tmp_path / "source.diff", outputs=[checkout, tmp_path])
    assert state is not None
    assert len((tmp_path / "source.diff").read_bytes()) <= 1000
    assert "odd" not in (tmp_path / "source.diff").read_text()
    named = json.loads(json.dumps(state["left_out"], ensure_ascii=False).encode())
    assert len(named) == 51
    assert named["*"].endswith("more files")
    assert named["an odd \\xff.pem"] == "its name is a secret's"
    assert "would exceed" in named["note40.txt"]


def test_no_hook_monitor_or_external_diff_is_run(checkout: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path / 'sprung'}\n")
    trap.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "diff.x.textconv", "diff.x.command"):
        git_at(checkout, "config", name, str(trap))
    (checkout / ".gitattributes").write_text("*.py diff=x\n")
    for hook in ("post-index-change", "pre-commit"):
        (checkout / ".git" / "hooks" / hook).write_text(trap.read_text())
        (checkout / ".git" / "hooks" / hook).chmod(0o755)
    (checkout / "changed.py").write_text("changed\n")
    state = keep_source(checkout, tmp_path / "source.diff")
    assert state is not None
    assert state["diff"] == "source.diff"
    assert not (tmp_path / "sprung").exists()


def test_a_clean_checkout_and_none(checkout: Path, tmp_path: Path) -> None:
    state = keep_source(checkout, tmp_path / "source.diff")
    assert state is not None
    assert (state["dirty"], state["diff"], state["left_out"]) == (False, None, {})
    assert not (tmp_path / "source.diff").exists()
    assert git_state(tmp_path) is None
    git_at(checkout, "checkout", "-q", "--detach")
    detached = git_state(checkout)
    assert detached is not None
    assert detached["branch"] is None


def test_a_package_in_a_project_is_none_of_its_files(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = checkout / "ignored" / "quatrain" / "runs"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    monkeypatch.setattr("quatrain.runs.git_state.__file__", str(package / "git_state.py"))
    assert own_checkout() is None
    git_at(checkout, "add", "-f", "ignored/quatrain/__init__.py")
    assert own_checkout() == checkout


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        (".env", True),
        ("deploy/.env.local", True),
        ("certs/site.key", True),
        ("id_rsa", True),
        ("home/.ssh/config", True),
        ("gcp-credentials.json", True),
        ("token.txt", True),
        ("src/secrets.py", False),
        ("tokenizer.json", False),
        ("special_tokens_map.json", False),
        ("keys.py", False),
        ("data/keyboard.txt", False),
    ],
)
def test_names_of_secret_files(name: str, secret: bool) -> None:
    assert is_secret_file(name) is secret
