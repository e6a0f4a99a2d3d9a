"""Shards may come in any order, at once, twice, be killed, or stand beside old parts: the same bytes, or nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora.processed import write_text
from quatrain.corpora.text import TextCorpus, load_text

from .shard_runs import contents, text_shard

JOB = Path(__file__).with_name("shard_runs.py")
SHARDS = 4


def corpus(source: Path) -> TextCorpus:
    return load_text(str(source), documents="lines", validation_share=0.2)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (path := tmp_path / "source.txt").write_text("".join(f"line {n % 977}\n" for n in range(6000)))
    return path


@pytest.fixture
def expected(tmp_path: Path, source: Path) -> dict[str, bytes]:
    return contents(write_text(corpus(source), tmp_path / "at-once"))


def job(source: Path, target: Path, shard: int) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, str(JOB), str(source), str(target), str(shard), str(SHARDS)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_a_shard_that_is_done_is_skipped_and_the_rest_is_named(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "made"
    first = text_shard(corpus(source), target, 2, SHARDS)
    again = text_shard(corpus(source), target, 2, SHARDS)
    assert (first.made, again.made) == (True, False)
    assert again.sentence(2, SHARDS) == "shard 2 of 4 was made already; the corpus waits for shards 0, 1, 3"
    assert not target.exists()
    assert hidden(tmp_path) == [".made.shards"]


def test_a_published_corpus_is_known_again(tmp_path: Path, source: Path, expected: dict[str, bytes]) -> None:
    target = tmp_path / "made"
    for shard in range(SHARDS):
        text_shard(corpus(source), target, shard, SHARDS)
    again = text_shard(corpus(source), target, 1, SHARDS)
    assert (again.made, again.published) == (False, target)
    assert contents(target) == expected
    assert hidden(tmp_path) == []


def test_another_corpus_in_its_place_is_refused(tmp_path: Path, source: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "mine").write_text("precious")
    with pytest.raises(UserError, match=r"run.dir=.*made exists already"):
        text_shard(corpus(source), tmp_path / "made", 0, SHARDS)
    assert hidden(tmp_path) == []


def test_parts_of_changed_input_are_made_anew(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "made"
    for shard in range(SHARDS - 1):
        text_shard(corpus(source), target, shard, SHARDS)
    source.write_text(source.read_text().replace("line 5", "LINE 5"))
    outcome = text_shard(corpus(source), target, SHARDS - 1, SHARDS)
    assert outcome.missing == (0, 1, 2)
    said: list[str] = ["before"]
    for shard in range(SHARDS - 1):
        outcome = text_shard(corpus(source), target, shard, SHARDS, said)
    assert outcome.published == target
    assert said[1] == "shard 0 of 4 is made anew: its part was made of other input, or before the input changed"
    assert contents(target) == contents(write_text(corpus(source), tmp_path / "changed"))


def test_parts_by_other_settings_are_made_anew(tmp_path: Path, source: Path, expected: dict[str, bytes]) -> None:
    target, said = tmp_path / "made", ["before"]
    for shard in range(SHARDS - 1):
        text_shard(load_text(str(source), documents="lines", split_seed=5), target, shard, SHARDS)
    for shard in range(SHARDS):
        text_shard(corpus(source), target, shard, SHARDS, said)
    assert said[1:] == [
        f"shard {shard} of 4 is made anew: its part was made by other settings, or by another version"
        for shard in range(SHARDS - 1)
    ]
    assert contents(target) == expected


@pytest.mark.parametrize("name", ["text", "entry.bytes", "manifest.json"])
def test_a_damaged_part_is_found_and_made_again(
    tmp_path: Path, source: Path, expected: dict[str, bytes], name: str
) -> None:
    target = tmp_path / "made"
    for shard in range(SHARDS - 1):
        text_shard(corpus(source), target, shard, SHARDS)
    damaged = tmp_path / ".made.shards" / "1-of-4" / name
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(b"{" if name == "manifest.json" else content)
    if name == "manifest.json":
        assert text_shard(corpus(source), target, SHARDS - 1, SHARDS).missing == (1,)
    else:
        with pytest.raises(UserError, match="not as they were written, of shards 1; they are removed: start the same"):
            text_shard(corpus(source), target, SHARDS - 1, SHARDS)
    assert not target.exists()
    assert text_shard(corpus(source), target, 1, SHARDS).published == target
    assert contents(target) == expected


def test_a_change_while_it_is_read_is_told(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from quatrain.corpora import sharded_text

    whole = sharded_text.write_text_part

    def changing(*arguments: object) -> object:
        made = whole(*arguments)  # type: ignore[arg-type]
        source.write_text("other")
        return made

    monkeypatch.setattr(sharded_text, "write_text_part", changing)
    with pytest.raises(UserError, match=r"data\.source changed while it was read"):
        text_shard(corpus(source), tmp_path / "made", 0, SHARDS)
    assert not list((tmp_path / ".made.shards").glob("*-of-*/"))


def test_two_commands_at_once_share_the_work(tmp_path: Path, source: Path, expected: dict[str, bytes]) -> None:
    target = tmp_path / "made"
    jobs = [job(source, target, shard) for shard in [*range(SHARDS), *range(SHARDS)]]
    ended = [(process.communicate(timeout=60), process.returncode) for process in jobs]
    assert [code for _, code in ended] == [0] * len(jobs), ended
    said = [words.decode() for (words, _), _ in ended]
    assert any(str(target) in words for words in said)
    assert contents(target) == expected
    assert hidden(tmp_path) == []


def test_killed_at_any_step_the_same_or_nothing(tmp_path: Path, source: Path, expected: dict[str, bytes]) -> None:
    source.write_text("".join(f"line {n % 7}\n" for n in range(60)))
    write_text(corpus(source), tmp_path / "few")
    (place := tmp_path / "kills").mkdir()
    command = [sys.executable, "-W", "ignore", str(JOB.with_name("shard_kills.py"))]
    done = subprocess.run(
        [*command, str(source), str(tmp_path / "few"), str(place)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30, "each step is one that could be killed"
