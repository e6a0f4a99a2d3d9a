"""Whatever stands in a result file, a comparison is made or refused in sentences, and commands no terminal."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quatrain.__main__ import main

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(2**63), 1e308, -1e99, 1e-320, 0, 1, "min", "val/loss", "seed", "name"])
    | st.floats()
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, inner in below for place in places(inner, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_result_file(
    data: st.DataObject, write: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted(tmp_path.rglob("result.json")) or [
        write(f"a-{place}", seed=place % 2, lr=place // 2) / "result.json" for place in range(4)
    ]
    original = [file.read_text() for file in files]
    try:
        for file in data.draw(st.lists(st.sampled_from(files), min_size=1, max_size=2)):
            content = json.loads(file.read_text())
            path = data.draw(st.sampled_from(places(content)))
            file.write_text(json.dumps(changed(content, path, data.draw(VALUES))))
        form = data.draw(st.sampled_from(["table", "json", "csv", "markdown"]))
        metric = data.draw(st.sampled_from([[], ["--metric", "val/loss", "--mode", "min"]]))
        code = main(["compare", str(tmp_path), "--format", form, *metric])
        said = capsys.readouterr()
        assert code in (0, 2)
        assert "Traceback" not in said.err
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(said.out + said.err)
        (said.out + said.err).encode()
    finally:
        for file, text in zip(files, original, strict=True):
            file.write_text(text)
