"""Random input that is nearly right: real keys, values, options, files and directories, with mistakes put in."""

import functools
import gzip
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from quatrain.config.folder import conf_folder

WHERE = ("run.", "sweep.name", "hydra.sweep.dir")
"""Keys that name a folder on the user's own word."""

WORDS = (
    "null",
    "true",
    "0",
    "-1",
    "1",
    "2.5",
    "1e-3",
    "auto",
    "verse",
    "[]",
    "{}",
    "[1,2]",
    "{a:1}",
    "''",
    "???",
    ".nan",
)
CHARACTERS = st.sampled_from(list("abcxyz019.,:=[]{}()'\"\\$~+@/*?-_ \t\n#&!|%\x00\x1b\x7fé\u2028😀\ud800"))
GARBAGE = st.text(CHARACTERS, max_size=12).filter(lambda text: not text.startswith("/"))


@functools.cache
def real() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Every key and every value of the shipped experiments that need no network."""
    from quatrain.config.compose import compose

    pairs: dict[str, str] = {}
    for name in ("quick_sonnets", "quick_mrpc", "quick_windows"):
        _flatten(compose([f"experiment={name}"]), "", pairs)
    return tuple(pairs), tuple(dict.fromkeys(pairs.values()))


@functools.cache
def options() -> tuple[tuple[str, str], ...]:
    """Every shipped group and option."""
    return tuple(sorted((path.parent.name, path.stem) for path in conf_folder().glob("*/*.yaml")))


@st.composite
def mutated(draw: Any, text: str) -> str:
    """``text`` with up to two mistakes."""
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(text)))
        kind = draw(st.sampled_from(("cut", "insert", "twice", "swap")))
        if kind == "cut":
            text = text[:place] + text[place + 1 :]
        elif kind == "insert":
            text = text[:place] + draw(CHARACTERS) + text[place:]
        elif kind == "twice":
            text = text[:place] + text[max(0, place - 3) :]
        else:
            text = text[:place] + text[place : place + 2][::-1] + text[place + 2 :]
    return text


@st.composite
def values(draw: Any) -> str:
    """What may stand behind an equals sign."""
    value: str = draw(
        st.one_of(
            st.sampled_from(WORDS),
            st.sampled_from(real()[1]),
            st.integers(-(10**25), 10**25).map(str),
            st.floats().map(str),
            GARBAGE,
            st.sampled_from(real()[1]).flatmap(mutated),
            st.lists(st.sampled_from(WORDS), max_size=3).map(",".join),
            st.sampled_from(
                ("range(1,3)", "range(0,1e9)", "glob(*)", "choice(1,2)", "interval(0,1)", "${seed}", "${x}")
            ),
        )
    )
    return value


@st.composite
def overrides(draw: Any) -> str:
    """One word of a command line."""
    if draw(st.integers(0, 2)) == 0:
        group, option = draw(st.sampled_from(options()))
        other = draw(st.sampled_from(options()))[1]
        text = draw(
            st.sampled_from((f"{group}={option}", f"{group}={other}", f"{group}=[{option},{other}]", f"~{group}"))
        )
        return str(draw(st.one_of(st.just(text), mutated(text))))
    key = draw(st.sampled_from(real()[0]))
    key = key if draw(st.booleans()) else draw(mutated(key))
    if key.lstrip("+~").startswith(WHERE):
        return f"{key}={draw(st.sampled_from(('null', 'x', '5', 'a/b', '[]', 'a,b', '{}')))}"
    sign = draw(st.sampled_from(("", "", "", "", "+", "++", "~")))
    return f"{sign}{key}={draw(values())}"


FLAGS = st.sampled_from(
    (
        (),
        (),
        (),
        ("-m",),
        ("--cfg", "job"),
        ("--cfg", "all"),
        ("--info",),
        ("--resolve",),
        ("--cfg",),
        ("--package", "x"),
    )
)
COMMAND_LINES = st.tuples(st.lists(overrides(), max_size=4), FLAGS)

NASTY = (
    "",
    "null",
    "[]",
    "5",
    "- 1",
    "a: &a [*a]",
    "{" * 2000,
    "[" * 2000,
    "a: b: c",
    "\t",
    "? [1]: 2",
    "!!python/object/apply:os.system [ls]",
    "a: " + "9" * 5000,
    "!!binary aGVsbG8=",
    "defaults: [nothing]",
    "defaults: {a: b}",
    "defaults: 5",
    "hydra: 5",
    "hydra: {run: {dir: x}}",
    "_target_: os.system",
    "_target_: [1]",
    "~: 1",
    "1: 2",
    "a: 2020-01-01",
    "a: .inf",
    "<<: {a: 1}",
)


@st.composite
def config_files(draw: Any) -> tuple[str, str, bytes]:
    """A group, an option that it resembles and the content of a user's config file."""
    group, option = draw(st.sampled_from([pair for pair in options() if pair[0] != "sweep"]))
    lines = (conf_folder() / group / f"{option}.yaml").read_text(encoding="utf-8").splitlines()
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(lines)))
        kind = draw(st.sampled_from(("cut", "nasty", "mutate", "value", "indent")))
        line = lines[place] if place < len(lines) else ""
        if kind == "cut" or not line:
            del lines[place : place + 1]
        elif kind == "nasty":
            lines.insert(place, draw(st.sampled_from(NASTY)))
        elif kind == "mutate":
            lines[place] = draw(mutated(line))
        elif kind == "value":
            lines[place] = f"{line.partition(':')[0]}: {draw(values())}"
        else:
            lines[place] = f"  {line}"
    text = "\n".join(lines) + draw(st.sampled_from(("\n", "")))
    if draw(st.integers(0, 9)) == 0:
        text = draw(st.sampled_from(NASTY))
    content = text.encode("utf-8", "surrogatepass")
    return group, option, content[: draw(st.integers(0, len(content)))] if draw(st.integers(0, 9)) == 0 else content


PAIR = '{"sentence1": "the first one", "sentence2": "the second one", "label": 1}'
CONTENTS = {
    "txt": [
        "A line of a poem,",
        "and its other line.",
        "",
        "Another poem stands here.",
        "\ufeff",
        "\x00",
        "\r",
        "a" * 300,
    ],
    "jsonl": [
        PAIR,
        '{"text": "a poem"}',
        "{",
        "[]",
        "null",
        '{"text": 5}',
        '{"text": "\\ud800"}',
        PAIR.replace("1}", "7}"),
        "{}" * 3,
    ],
    "csv": ["sentence1,sentence2,label", "one,two,1", '"open,two,0', "one,two", ",,", "text", "a,b,c,d,e", "\x00,1,2"],
    "tsv": ["sentence1\tsentence2\tlabel", "one\ttwo\t1", "one\ttwo", '"one\ttwo\t0', "\t\t"],
}


WHOLE = {
    "txt": "Poem {number} has a line,\nand another.\n",
    "jsonl": '{{"sentence1": "one {number}", "sentence2": "two", "text": "poem {number}", "label": {parity}}}',
    "csv": "one {number},two,{parity}",
    "tsv": "one {number}\ttwo\t{parity}",
}
"""What is sound, so that a mistake among it is met in the middle of the work."""


@st.composite
def data_files(draw: Any) -> tuple[str, bytes]:
    """The name and content of a data file."""
    suffix = draw(st.sampled_from(sorted(CONTENTS)))
    lines = draw(st.lists(st.sampled_from(CONTENTS[suffix]), max_size=30))
    whole = [
        WHOLE[suffix].format(number=number, parity=number % 2)
        for number in range(draw(st.sampled_from((40, 40, 1, 0))))
    ]
    head = CONTENTS[suffix][:1] if suffix in ("csv", "tsv") and draw(st.integers(0, 4)) else []
    content = "\n".join([*head, *whole, *lines[: draw(st.sampled_from((0, 1, 30)))]]).encode("utf-8", "surrogatepass")
    if draw(st.sampled_from((False, False, True))):
        content = draw(st.one_of(st.binary(max_size=60), _damaged(content)))
    name = f"data.{draw(st.sampled_from((*[suffix] * 7, 'parquet', 'xyz', '')))}"
    if draw(st.integers(0, 4)) == 0:
        packed = gzip.compress(content, mtime=0)
        return f"{name}.gz", draw(st.one_of(st.just(packed), _damaged(packed)))
    return name, content


@st.composite
def _damaged(draw: Any, content: bytes) -> bytes:
    """Cut somewhere, or with one byte changed."""
    place = draw(st.integers(0, max(0, len(content) - 1)))
    if draw(st.booleans()):
        return content[:place]
    return content[:place] + bytes([draw(st.integers(0, 255))]) + content[place + 1 :]


RUN_FILES = ("config.yaml", "overrides.yaml", "status.json", "result.json", "metrics.csv", "provenance.json")


@st.composite
def damages(draw: Any) -> list[tuple[str, str, bytes, int]]:
    """What is done to files of a run directory: name, kind, bytes to write, and a place."""
    kinds = ("cut", "byte", "replace", "missing", "folder", "link", "loop", "value", "unreadable")
    garbage = st.one_of(
        st.binary(max_size=30),
        st.sampled_from([text.encode() for text in NASTY]),
        st.sampled_from(
            (b"{}", b"[]", b'{"status": 5}', b'{"status": "running", "pid": "x"}', b'{"a": NaN}', b"step,epoch\nx,y\n")
        ),
        st.sampled_from(
            (
                b"step\n1\n",
                b"epoch,a\n1,2,3\n",
                b"\xff\xfe",
                b"[" * 3000,
                b'{"a":' * 3000,
                b'{"status": "done", "x": 1}',
            )
        ),
    )
    one = st.tuples(st.sampled_from(RUN_FILES), st.sampled_from(kinds), garbage, st.integers(0, 4000))
    return list(draw(st.lists(one, min_size=1, max_size=3)))


def _flatten(value: Any, key: str, found: dict[str, str]) -> None:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            _flatten(item, f"{key}.{name}" if key else str(name), found)
    elif not str(value).startswith("/"):
        found[key] = "null" if value is None else str(value)


def put(folder: Path, name: str, content: bytes) -> Path:
    """Write ``content`` to ``folder/name``."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
