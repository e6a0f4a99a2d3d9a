"""Proves that prepared data is forgotten only while nobody prepares it or has asked for it since."""

import os
import time
from pathlib import Path

from filelock import FileLock

from quatrain.data.cache import META, prepare_once
from quatrain.data.unused import Unused, forget, unused


def _build(folder: Path) -> dict[str, int]:
    (folder / "ids").write_bytes(b"ids")
    return {}


def _old(root: Path) -> Unused:
    """One that was asked for last a day ago."""
    place = prepare_once("pairs", "digest", _build, root=root)
    os.utime(place / META, (time.time() - 86400,) * 2)
    (found,) = unused(root, time.time() - 3600)
    assert (found.place, found.kind) == (place, "pairs")
    return found


def test_who_asks_for_it_keeps_it(tmp_path: Path) -> None:
    found = _old(tmp_path)
    prepare_once("pairs", "digest", _build, root=tmp_path)
    assert list(unused(tmp_path, time.time() - 3600)) == []
    assert not forget(found)  # it was listed before
    assert (found.place / "ids").read_bytes() == b"ids"


def test_who_prepares_it_keeps_it(tmp_path: Path) -> None:
    found = _old(tmp_path)
    with FileLock(found.place.with_name("digest.lock")):
        assert not forget(found)
    assert (found.place / "ids").is_file()
    assert forget(found)
    assert [path.name for path in found.place.parent.iterdir()] in ([], ["digest.lock"])


def test_links_and_unfinished_folders_are_no_prepared_data(tmp_path: Path) -> None:
    found = _old(tmp_path)
    (found.place.parent / "link").symlink_to(found.place)
    (found.place.parent / ".digest.half").mkdir()
    (found.place.parent / "empty").mkdir()
    assert [one.place for one in unused(tmp_path, time.time() - 3600)] == [found.place]
