"""What docs/python.md shows works, by hand and through `quatrain.train`, without Hydra in the hand-made part."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "python.md"


@pytest.mark.skipif(not PAGE.is_file(), reason="needs the checkout")
def test_the_python_of_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block, *_ = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text(
        "One line after another, and so on to the end of it all.\n" * 400, encoding="utf-8"
    )
    short = block.replace('"trainer.max_steps=50"', '"trainer.max_steps=2", "data.verse_size=60"')
    short = short.replace('source="verse"', 'source="verse", verse_size=60').replace("max_steps=20", "max_steps=2")
    assert short.count("verse_size=60") == 2
    names: dict[str, object] = {}
    exec(compile(short, "python.md", "exec"), names)
    batch = next(iter(names["loader"]))  # type: ignore[call-overload]
    assert batch["input_ids"].shape == (4, 256)
    assert (batch["input_ids"][:, 1:] == batch["target"][:, :-1]).all()


def test_every_name_of_the_public_face_is_there() -> None:
    import quatrain

    for name in quatrain.__all__:
        assert getattr(quatrain, name) is not None
    with pytest.raises(AttributeError):
        _ = quatrain.no_such_name
