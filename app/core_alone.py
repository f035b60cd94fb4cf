"""SQLAlchemy's Core without its ORM, which nobody here uses and which costs each process 7 MB and 0.1 s."""

import sys
from types import ModuleType


def _absent(name: str) -> None:
    if name.startswith("__"):
        raise AttributeError(name)


# Importing the engines imports sessions, and these the ORM: whatever is imported from them is found here, as None.
for each in ("session", "scoping"):
    empty = sys.modules.setdefault(f"sqlalchemy.ext.asyncio.{each}", ModuleType(each))
    vars(empty).setdefault("__getattr__", _absent)
