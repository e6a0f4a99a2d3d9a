"""Where the shipped configuration lies."""

from pathlib import Path

import quatrain
from quatrain.core.errors import UserError


def conf_folder() -> Path:
    """Return the folder ``conf``: inside the package in a wheel, at the top of the checkout in an editable install."""
    package = Path(quatrain.__file__).resolve().parent
    for folder in (package / "conf", package.parents[1] / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise UserError(f"The folder conf is missing beside {package}; install quatrain again.")
