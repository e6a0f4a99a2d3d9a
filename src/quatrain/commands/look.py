"""quatrain look: show the data, and the first training batch as the model gets it. Nothing is trained.

    quatrain look                                          the default experiment
    quatrain look experiment=quick_mrpc data.batch_size=4
    quatrain look data.source=FILE --json                  for a program to read

Takes the overrides of quatrain train; quatrain train --help lists them. Tells splits, rows, features, label counts,
two raw rows and the tokenizer, then the name, shape and type of each tensor, and one row token by token. Prepared data
stays in the cache, where a run finds them; docs/look.md explains what is shown.
"""

import shutil
import sys

JSON = "--json"
WIDE = 160
"""Columns where there is no terminal to fit."""


def main(arguments: list[str]) -> int:
    """Run ``quatrain look``; return its exit code."""
    from quatrain.config.command_line import read
    from quatrain.sweeps.job import Job

    if {"--help", "-h"} & set(arguments):
        print(__doc__)
        return 0
    asked = read("look", [word for word in arguments if word != JSON])
    if isinstance(asked, Job):
        from quatrain.core.json_text import ascii_json
        from quatrain.runs.look_tables import tables
        from quatrain.runs.looking import look

        seen = look(asked.config)
        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else WIDE
        sys.stdout.write(ascii_json(seen) if JSON in arguments else tables(seen, width=width, terminal=terminal))
        sys.stdout.flush()
    return 0
