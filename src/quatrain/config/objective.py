"""Which score of an experiment says how good it is, before any data is read."""

from typing import Any

from quatrain.core.errors import UserError
from quatrain.corpora.glue import GLUE_TASKS
from quatrain.sweeps.study import Objective

BY_LOSS = ("quatrain.data.masked_text.MaskedText", "quatrain.data.windows.Windows")
PAIRS = "quatrain.data.pairs.SentencePairs"


def objective_of(config: dict[str, Any]) -> Objective:
    """The score by which a run's best checkpoint is chosen, and which is good; the score of the best is searched for.

    Raises:
        UserError: the run keeps no best checkpoint, or its data is of a class of the user's own and the config does not
            say what it is judged by.
    """
    checkpoints = config["callbacks"].get("checkpoints")
    if not checkpoints or not checkpoints["keep"]:
        raise UserError(
            "callbacks.checkpoints keeps no best checkpoint, whose score is what a search compares; leave it as it is"
            " by default."
        )
    if checkpoints["monitor"]:
        return Objective(checkpoints["monitor"], checkpoints["mode"])
    data = config["data"]
    if data["_target_"] in BY_LOSS:
        return Objective("val/loss", "min")
    if data["_target_"] == PAIRS:
        task = GLUE_TASKS.get(data["glue_task"] or "")
        # without a task of GLUE the labels tell: accuracy of classes, correlation of scores
        return Objective(f"val/{task.monitor}", task.monitor_mode) if task else Objective(None, "max")
    raise UserError(
        f"data._target_={data['_target_']} does not tell before it is read by which score it is judged; give"
        " callbacks.checkpoints.monitor=NAME and callbacks.checkpoints.mode=min or max."
    )
