"""All results below some folders, and what a reader must know of those that are not among them."""

from collections.abc import Sequence

from quatrain.compare.finding import Finding, find
from quatrain.compare.notes import named
from quatrain.compare.results import Incomplete, Pruned, Result, read_result
from quatrain.core.errors import UserError
from quatrain.core.terminal import one_line

MOST_TOLD = 10
"""Files that cannot be used are told one by one, up to so many."""


def load(folders: Sequence[str]) -> tuple[list[Result], list[str]]:
    """Read every result below ``folders``; return them and sentences on what was left out.

    Raises:
        UserError: a folder does not exist, or no result can be used.
    """
    finding = find(folders)
    results, wrong, early, pruned = [], list(finding.closed), [], []
    for found in finding.results:
        try:
            results.append(read_result(found))
        except Pruned:
            pruned.append(found.path.parent.name)
        except Incomplete as error:
            early.append((found.path.parent.name, error.lacking))
        except UserError as error:
            wrong += error.sentences
    told = wrong[:MOST_TOLD]
    if len(wrong) > MOST_TOLD:
        told.append(f"{len(wrong) - MOST_TOLD:,} more results cannot be used.")
    if early:
        names = named([name for name, _ in early])
        lacking = ", ".join(early[0][1])
        told.append(
            f"Left out, as an earlier quatrain wrote their result.json without what a comparison needs ({lacking}):"
            f" {names}."
        )
    if pruned:
        told.append(f"Left out, as their search ended them early: {named(pruned)}.")
    told += _unfinished(finding)
    if not results:
        where = ", ".join(folders)
        raise UserError([*told, f"Below {where} lies no result.json that can be compared; quatrain train makes them."])
    return results, [one_line(sentence) for sentence in told]


def _unfinished(finding: Finding) -> list[str]:
    count = len(finding.unfinished)
    what = "1 run directory has" if count == 1 else f"{count:,} run directories have"
    return (
        [f"{what} no result (failed, interrupted or not over): {named([path.name for path in finding.unfinished])}."]
        if count
        else []
    )
