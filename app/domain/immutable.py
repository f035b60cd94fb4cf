"""Values whose fields are set once, when they are made: held by the type checkers, not at every assignment.

A frozen dataclass guards each assignment of its own `__init__`, too: that was most of what reading a line cost.
"""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

_Value = TypeVar("_Value")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def immutable(cls: type[_Value]) -> type[_Value]:
    """The class as a dataclass of keyword-only fields in slots, which nobody assigns to anew; equal by its fields."""
    return dataclass(slots=True, kw_only=True, unsafe_hash=True)(cls)
