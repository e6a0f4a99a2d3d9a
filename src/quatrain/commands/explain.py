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

import shutil
import sys
from dataclasses import asdict

WIDE = 120
"""Columns where there is no terminal to fit."""


def main(arguments: list[str]) -> int:
    """Run ``quatrain explain``; return its exit code."""
    from quatrain.commands.arguments import add_overrides, arguments_of, read_arguments

    parser = arguments_of("explain", __doc__)
    parser.add_argument("words", nargs="+", metavar="KEY|OVERRIDE", help="keys, groups and patterns; overrides with =")
    add_overrides(parser)
    asked = read_arguments(parser, arguments)
    if asked is None:
        return 0
    from quatrain.config.asking import explain
    from quatrain.config.project import config_dir_or_own
    from quatrain.core.json_text import ascii_json

    explained = explain(asked.words, config_dir_or_own(asked.config_dir))
    if asked.json:
        sys.stdout.write(ascii_json([asdict(one) for one in explained]))
        return 0
    from quatrain.config.explanation_text import told

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE
    sys.stdout.write(told(explained, width))
    return 0
