"""What every refusal is: a detail, faults with their places, and members of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong: where (RFC 6901 pointer into what was sent), its code, and a sentence on what
    would be accepted. Never holds what was sent."""

    pointer: str
    code: str
    detail: str


class Refusal(Exception):
    """The request was refused."""

    code: ClassVar[str] = "refused"
    members: ClassVar[Mapping[str, object]] = {}
    """What every refusal of this kind says beside; `extra` is what this one says."""

    def __init__(
        self, detail: str = "", *, faults: tuple[Fault, ...] = (), extra: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(detail or self.title())
        self.detail = detail or self.title()
        self.faults = faults
        self.extra = {**self.members, **(extra or {})}

    def under(self, pointer: str) -> "Refusal":
        """The same refusal, of something that lies under `pointer` in what was sent."""
        faults = tuple(replace(fault, pointer=pointer + fault.pointer) for fault in self.faults)
        return type(self)(self.detail, faults=faults, extra=self.extra)

    @classmethod
    def title(cls) -> str:
        """The problem's title: the first line of the docstring."""
        return (cls.__doc__ or "").strip().splitlines()[0]
