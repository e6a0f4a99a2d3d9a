"""How much room a folder takes."""

import os
from collections.abc import Iterator
from pathlib import Path


def room(*places: Path) -> int:
    """The bytes of files and folders and of all below them, a file of several names counted once; links are not
    followed, and what cannot be looked into counts nothing."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for place in places:
        for found in _files(place):
            key = (found.st_dev, found.st_ino)
            if found.st_nlink == 1 or key not in seen:
                total += found.st_size
            seen.add(key)
    return total


def freed(places: list[Path]) -> int:
    """The bytes that are free once ``places`` are deleted: a file that has a name elsewhere too frees nothing."""
    names: dict[tuple[int, int], int] = {}
    found = {}
    for place in places:
        for stat in _files(place):
            key = (stat.st_dev, stat.st_ino)
            names[key] = names.get(key, 0) + 1
            found[key] = stat
    return sum(stat.st_size for key, stat in found.items() if names[key] >= stat.st_nlink)


def _files(place: Path) -> Iterator[os.stat_result]:
    try:
        if place.is_symlink() or not place.is_dir():
            yield place.lstat()
            return
    except OSError:
        return
    waiting = [str(place)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        yield entry.stat(follow_symlinks=False)
        except OSError:
            continue
