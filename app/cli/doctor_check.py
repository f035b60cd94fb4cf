"""What the doctor says of one thing it looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """From good to bad."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line: what was looked at, what was found, and what to do about it."""

    name: str
    verdict: Verdict
    says: str
    advice: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """For programs."""
        return {"name": self.name, "verdict": self.verdict, "says": self.says, "advice": self.advice}


def ok(name: str, says: str) -> Check:
    """All is well."""
    return Check(name=name, verdict=Verdict.OK, says=says)


def warn(name: str, says: str, advice: str) -> Check:
    """It works, and somebody should look at it."""
    return Check(name=name, verdict=Verdict.WARN, says=says, advice=advice)


def fail(name: str, says: str, advice: str) -> Check:
    """It does not work."""
    return Check(name=name, verdict=Verdict.FAIL, says=says, advice=advice)
