"""quatrain preprocess in shards: side by side on this machine, by hand and on another launcher, with the end told."""

import json
from pathlib import Path

import pytest

from quatrain.__main__ import main

OPTIONS = ["data.documents=lines", "data.cleaning.duplicate_lines=true", "data.validation_share=0.2"]
SWEPT = ["preprocess.shards=3", "preprocess.shard=range(3)"]


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.fixture
def at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What one job makes of raw.txt, in the folder that this process works in."""
    monkeypatch.chdir(tmp_path)
    Path("raw.txt").write_text("".join(f"A line, {n % 50}.\r\n" for n in range(300)))
    assert main(["preprocess", "data.source=raw.txt", "run.dir=at-once", *OPTIONS]) == 0
    return contents(Path("at-once"))


def test_side_by_side_by_hand_and_on_another_launcher(
    at_once: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["preprocess", "data.source=raw.txt", *OPTIONS]
    local = [*common, "-m", *SWEPT, "run.dir=local", "sweep.jobs=2"]
    assert main(local) == 0
    told = capsys.readouterr().err
    assert contents(Path("local")) == at_once
    assert "3 of 3 jobs done\n" in told
    assert f"written to {Path('local').absolute()}; train on it with data.source={Path('local').absolute()}" in told

    assert main([*common, "-m", *SWEPT, "run.dir=basic", "hydra/launcher=basic"]) == 0
    assert contents(Path("basic")) == at_once

    for shard in (2, 0, 1):
        assert main([*common, "preprocess.shards=3", f"preprocess.shard={shard}", "run.dir=by-hand"]) == 0
    assert contents(Path("by-hand")) == at_once
    assert "shard 2 of 3 is made; the corpus waits for shards 0, 1" in capsys.readouterr().err
    assert sorted(path.name for path in Path().iterdir()) == ["at-once", "basic", "by-hand", "local", "raw.txt"]


def test_other_keys_go_to_folders_of_their_own(at_once: dict[str, bytes], capsys: pytest.CaptureFixture[str]) -> None:
    Path("wrong.jsonl").write_text('{"text": "fine"}\n' * 5000 + '{"words": "a column that is not asked for"}\n')
    sources = "data.source=raw.txt,wrong.jsonl"
    swept = ["preprocess.shards=2", "preprocess.shard=range(2)", "hydra/launcher=basic"]
    assert main(["preprocess", "-m", sources, *swept, *OPTIONS]) == 1
    told = capsys.readouterr().err
    assert "job 3 failed: data.text_column=text: wrong.jsonl, line 5001 has no such column" in told.replace(
        f"{Path.cwd()}/", ""
    )
    assert "3 of 4 jobs done, 1 failed (3)" in told
    (made,) = Path("outputs/preprocessed").glob("raw-*")
    assert contents(made) == at_once
    assert json.loads(at_once["report.json"])["fingerprint"].startswith(made.name.removeprefix("raw-"))
