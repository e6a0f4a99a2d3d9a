"""What a page asks to run is found: scripts, lines among output, indented lines, continued ones, and Python."""

from pathlib import Path

from .blocks import blocks_of, inline_commands, without_words
from .reading import placed
from .small import made_small

PAGE = """\
Some words, with `quatrain runs` among them.

    quatrain look                                the default
    quatrain fill     RUN "a  b" --top-k 2       two guesses

- a list

    goes on here, and is no command

```
$ quatrain train model=tiny_robertta
error: model=tiny_robertta: there is no such model
quatrain train a=1 \\
    b=2
```

```bash
cat > rows.csv <<'END'
quatrain is a word here
END
quatrain predict RUN rows.csv
```

```python
print(1)
```

```yaml
quatrain: no
```

It goes into `conf/mine.yaml`:

```yaml
a: 1
```
"""


def test_everything_to_run_is_found_in_its_order(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    found = blocks_of(page, "page.md")
    assert [(block.line, block.language, block.text.splitlines()[0]) for block in found] == [
        (3, "shell", "quatrain look"),
        (4, "shell", 'quatrain fill RUN "a  b" --top-k 2'),
        (11, "shell", "quatrain train model=tiny_robertta"),
        (13, "shell", "quatrain train a=1 b=2"),
        (18, "shell", "cat > rows.csv <<'END'"),
        (25, "python", "print(1)"),
        (35, "file", "a: 1"),
    ]
    assert found[4].text.count("\n") == 3
    assert found[6].path == "conf/mine.yaml"
    assert inline_commands(page) == ["quatrain runs"]


def test_words_beside_a_command_are_no_part_of_it() -> None:
    assert without_words("make train      makes .venv") == "make train"
    assert without_words("quatrain train 'a=choice(1,  2)'  a choice") == "quatrain train 'a=choice(1,  2)'"


def test_places_of_the_page_become_those_of_the_workshop() -> None:
    assert placed("quatrain embed TARGET texts.csv") == "quatrain embed outputs/sonnets texts.csv"
    assert (
        placed("quatrain train model.weights=DIR run.dir=DIR") == "quatrain train model.weights=data/bert run.dir=DIR"
    )


def test_only_what_trains_is_made_small() -> None:
    assert made_small(["show", "RUN"]) == ["show", "RUN"]
    assert made_small(["train", "--cfg", "job"]) == ["train", "--cfg", "job"]
