"""quatrain list: every group and its options, one line each. A star marks what the experiment has chosen.

    quatrain list
    quatrain list experiment                       what each experiment is made of
    quatrain list model tokenizer                  some groups, with all that their files say and set
    quatrain list data experiment=quick_mrpc       as chosen with these overrides
    quatrain list --config-dir my_conf             your own options beside ours

Choose with GROUP=OPTION: quatrain train model=tiny_gpt2. quatrain explain GROUP tells the keys of a group.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quatrain.config.listing import Listed, ListedGroup

WIDE = 120
"""Columns where there is no terminal to fit."""


def main(arguments: list[str]) -> int:
    """Run ``quatrain list``; return its exit code."""
    from quatrain.commands.arguments import arguments_of, read_arguments

    parser = arguments_of("list", __doc__)
    parser.add_argument("words", nargs="*", metavar="GROUP|OVERRIDE", help="groups to list; overrides with =")
    parser.add_argument("--config-dir", metavar="DIR", help="a folder of your own config files")
    parser.add_argument("--json", action="store_true", help="for a program to read")
    parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]  # overrides may stand behind flags
    asked = read_arguments(parser, arguments)
    if asked is None:
        return 0
    from quatrain.config.listing import listed

    found = listed(asked.words, asked.config_dir)
    if asked.json:
        print(json.dumps([asdict(group) for group in found], indent=2).replace("\x7f", "\\u007f"))
        return 0
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE
    named = any("=" not in word for word in asked.words)
    sys.stdout.write("\n".join("".join(f"{line}\n" for line in _group(group, width, named)) for group in found))
    return 0


def _group(group: "ListedGroup", width: int, whole: bool) -> Iterator[str]:
    """A group's lines; with all that its options say and set where ``whole``."""
    from quatrain.config.explanation_text import hanging, option_lines
    from quatrain.config.yaml_comments import first_sentence
    from quatrain.core.terminal import one_line

    yield f"{group.name}: {one_line(group.says)}"
    for option in group.options:
        says = option.says if whole else first_sentence(option.says)
        says += f" (yours: {option.file})" if option.own else ""
        says += f" ({option.needs})" if option.needs else ""
        first = max(len(one.name) for one in group.options)
        yield from option_lines([(option.name.ljust(first), says, option.chosen)], width)
        for line in _made(option, whole) if whole or option.made_of else ():
            yield from hanging(" " * (first + 6), line, width)


def _made(option: "Listed", whole: bool) -> Iterator[str]:
    if option.made_of:
        yield " + ".join(f"{name}={choice}" for name, choice in option.made_of.items())
    if whole and option.sets:
        yield "sets " + " ".join(f"{key}={value}" for key, value in option.sets.items())
