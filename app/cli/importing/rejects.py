"""The rejects file: a JSON line for each row that was not posted."""

import json
from pathlib import Path
from typing import Any, TextIO

from app.domain.errors import Refusal


class Rejects:
    """Rows that were not posted: the line, and the reason as the API would give it; never what the row holds.

    The file is made, anew, by the first of them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: TextIO | None = None

    def add(self, line: int, refusal: Refusal) -> None:
        """Note a row."""
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8")
        self._file.write(json.dumps(_reason(line, refusal), ensure_ascii=False) + "\n")
        self.count += 1

    def close(self) -> None:
        """Write what is not written yet."""
        if self._file is not None:
            self._file.close()


def _reason(line: int, refusal: Refusal) -> dict[str, Any]:
    faults = [{"pointer": fault.pointer, "code": fault.code, "detail": fault.detail} for fault in refusal.faults]
    return {"line": line, "code": refusal.code, "detail": refusal.detail, "errors": faults}
