"""The commands and the Python of a page, in the order in which they stand there."""

import re
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = (
    *("quatrain", "make", "python", "curl", "pip", "source", "torchrun", "rsync", "cat", "echo", "cd", "mkdir", "eval"),
    *("pytest", "wandb", "tensorboard", "mlflow"),
)
COMMAND = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:(?:{'|'.join(PROGRAMS)}) |\()")
"""How a line of a block without a language begins where it is a command."""

SHELL = ("bash", "sh", "console")


@dataclass(frozen=True)
class Block:
    """Commands for a shell, Python, or the content of a file, and the line of the page where it begins."""

    page: str
    line: int
    language: str  # "shell", "python" or "file"
    text: str
    path: str | None = None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def blocks_of(page: Path, name: str) -> list[Block]:
    """Return what ``page`` asks its reader to run.

    A block marked ``bash`` is one script. Of a block without a language, and of one that is indented, each line that
    begins with a program is a command, with the lines that it is continued on and without the words beside it; other
    lines are output. A block marked ``python`` is Python. One of Python or YAML is a file where its first line, or the
    end of the line above it, names one.
    """
    found: list[Block] = []
    language: str | None = None
    began, held, before, above = 0, list[str](), "", ""
    for number, line in enumerate([*page.read_text(encoding="utf-8").splitlines(), ""], start=1):
        if line.startswith("```"):
            if language is None:
                language, began, held = line.strip("`").strip() or "plain", number, []
            else:
                path = _named(above, held) if language in ("python", "yaml") else None
                if path:
                    found.append(Block(name, began + 1, "file", "\n".join(held), path))
                else:
                    found += _in_fence(name, began + 1, language, held)
                language, held, above = None, [], ""
        elif language is not None:
            held.append(line)
        elif line.startswith("    ") and (held or not before.strip()):
            began = began if held else number
            held.append(line[4:])
        elif held:
            found += _in_fence(name, began, "plain", held)
            held = []
        before = line
        if language is None and line.strip():
            above = line
    return found


def inline_commands(page: Path) -> list[str]:
    """Return the quatrain commands that stand within sentences and tables, in backticks."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [" ".join(found.split()) for found in re.findall(r"`(quatrain [^`]+)`", text)]


def _named(above: str, lines: list[str]) -> str | None:
    named = re.match(r"(?:# |\"\"\")([\w./-]+\.(?:py|yaml))\b", lines[0]) if lines else None
    named = named or re.search(r"`([\w./-]+\.(?:py|yaml))`:$", above)
    return named[1] if named else None


def _in_fence(page: str, began: int, language: str, lines: list[str]) -> list[Block]:
    if language == "python":
        return [Block(page, began, "python", "\n".join(lines))]
    if language in SHELL:
        return [Block(page, began, "shell", "\n".join(lines))]
    if language != "plain":
        return []
    found, number = [], 0
    while number < len(lines):
        first = number
        text = lines[number]
        while text.endswith("\\") and number + 1 < len(lines):
            number += 1
            text = text[:-1].rstrip() + " " + lines[number].strip()
        number += 1
        text = text.removeprefix("$ ")
        if COMMAND.match(text):
            found.append(Block(page, began + first, "shell", without_words(text)))
    return found


def without_words(line: str) -> str:
    """Return the command of a line that explains it behind two or more spaces.

    >>> without_words('quatrain fill     RUN "a  b" --top-k 2     two guesses')
    'quatrain fill RUN "a  b" --top-k 2'
    """
    line = re.sub(r"^(quatrain [\w-]+) {2,5}(?=\S)", r"\1 ", line.strip())
    parts = re.findall(r"""(?:"[^"]*"|'[^']*'|[^\s"']|\s(?!\s))+""", line)
    return parts[0].strip() if parts else line
