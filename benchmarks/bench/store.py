"""What was measured, kept beside the code, so that a row can be measured alone and the page made again."""

import json
from pathlib import Path
from typing import Any

Entry = dict[str, Any]
"""Of a row: ``date``, ``machine``, ``versions``, ``load``, ``threads``, ``runs`` and ``commands``; or only
``lacks``, why it was not measured."""


class Store:
    """A JSON file of entries by the keys of rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, Entry] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def keep(self, key: str, entry: Entry) -> None:
        """Put ``entry`` in the place of the row's last one and write the file."""
        self.entries[key] = entry
        self._write()

    def keep_lack(self, key: str, why: str) -> None:
        """Note why a row was not measured; what was measured elsewhere or earlier stays."""
        if "runs" not in self.entries.get(key, {}):
            self.keep(key, {"lacks": why})

    def _write(self) -> None:
        new = self.path.with_name(f".{self.path.name}.new")
        new.write_text(json.dumps(self.entries, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        new.replace(self.path)
