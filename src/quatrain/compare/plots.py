"""Pictures of a comparison, each as SVG and PNG, with Matplotlib and without a window."""

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quatrain.compare.comparison import Comparison
from quatrain.core.atomic_files import replaced_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("svg", "png")
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # a dollar in a setting is a dollar
    "svg.hashsalt": "quatrain",  # the same comparison is the same file
    "savefig.dpi": 150,
}


def draw(comparison: Comparison, folder: Path) -> tuple[list[str], list[str]]:
    """Draw curves, boxes and a heat map into ``folder``; return the names of the SVG files, and what is missing why.

    Raises:
        NotNow: a file cannot be written.
    """
    if find_spec("matplotlib") is None:
        return [], ["No plots: they need Matplotlib; pip install 'quatrain[plots]'."]
    from matplotlib import rc_context

    from quatrain.compare.boxes import boxes
    from quatrain.compare.curves import curves
    from quatrain.compare.heat_map import heat_map

    names, missing = [], []
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+")  # letters that the font lacks are boxes
        for name, make in (("curves", curves), ("boxes", boxes), ("heat_map", heat_map)):
            figure = make(comparison)
            if isinstance(figure, str):
                missing.append(figure)
                continue
            for form in FORMATS:
                _save(figure, folder / f"{name}.{form}", form)
            names.append(f"{name}.svg")
    return names, missing


def _save(figure: "Figure", path: Path, form: str) -> None:
    with replaced_whole(path) as temporary, temporary.open("wb") as file:
        figure.savefig(file, format=form, metadata={"Date": None} if form == "svg" else None)
