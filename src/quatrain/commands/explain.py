"""quatrain explain: what a key of the config does, what it may be, its default, and who says what it is now.

    quatrain explain optimizer.lr
    quatrain explain data.mask_probability trainer.max_epochs    several at once
    quatrain explain optimizer.lr experiment=quick_windows       as composed with these overrides
    quatrain explain optimizer.lr=0.01                           an override by itself: the key that it sets
    quatrain explain data                                        a group: its options and all its keys
    quatrain explain 'trainer.*batch*'                           a pattern
    quatrain explain lr                                          the last part of a key is enough

KEY is written as on the command line of quatrain train; words with = are overrides to compose with. Nothing is run and
torch is not imported. docs/reference.md has every key there is.
"""

import json
import shutil
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quatrain.config.explaining import Explained

WIDE = 120
"""Columns where there is no terminal to fit."""


def main(arguments: list[str]) -> int:
    """Run ``quatrain explain``; return its exit code."""
    from quatrain.commands.arguments import arguments_of, read_arguments

    parser = arguments_of("explain", __doc__)
    parser.add_argument("words", nargs="+", metavar="KEY|OVERRIDE", help="keys, groups and patterns; overrides with =")
    parser.add_argument("--config-dir", metavar="DIR", help="a folder of your own config files")
    parser.add_argument("--json", action="store_true", help="for a program to read")
    parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]  # overrides may stand behind flags
    asked = read_arguments(parser, arguments)
    if asked is None:
        return 0
    from quatrain.config.asking import explain

    explained = explain(asked.words, asked.config_dir)
    if asked.json:
        print(json.dumps([_plain(one) for one in explained], indent=2).replace("\x7f", "\\u007f"))
        return 0
    from quatrain.config.explanation_text import told

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE
    sys.stdout.write(told(explained, width))
    return 0


def _plain(explained: "Explained") -> dict[str, Any]:
    """What is known of a key as JSON has it; files as text."""
    told: dict[str, Any] = json.loads(json.dumps(asdict(explained), default=str))
    return told
