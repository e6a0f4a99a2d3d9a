"""Where downloads and prepared data lie between runs."""

import os
from pathlib import Path

CACHE_VARIABLE = "QUATRAIN_CACHE"


def cache_folder() -> Path:
    """The folder of the cache, absolute; it need not exist yet.

    ``QUATRAIN_CACHE`` where it is set, else ``quatrain`` under ``XDG_CACHE_HOME``, else ``~/.cache/quatrain``.
    """
    own = os.environ.get(CACHE_VARIABLE)
    if own:
        return Path(own).expanduser().absolute()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home).expanduser().absolute() if home else Path.home() / ".cache") / "quatrain"
