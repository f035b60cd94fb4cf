"""SQLAlchemy's Core without its ORM, which nobody here uses and which costs each process 7 MB and 0.1 s."""

import sys
from types import ModuleType


def _empty(name: str) -> ModuleType:
    """A module in which whatever is asked for is None."""
    module = ModuleType(name)
    vars(module)["__getattr__"] = _absent
    return module


def _absent(name: str) -> None:
    if name.startswith("__"):
        raise AttributeError(name)


# Importing the engines imports sessions, and these the ORM; both find these instead, unless they are there already.
sys.modules.setdefault("sqlalchemy.ext.asyncio.session", _empty("session"))
sys.modules.setdefault("sqlalchemy.ext.asyncio.scoping", _empty("scoping"))
