"""What stands of an account beside its entries, as far as it can be read: what a rebuild asks where no fold knows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.domain.audit import CORRUPT
from app.domain.crossing import Crossing
from app.domain.instant import Instant
from app.domain.written import OnRecord, Written
from app.rows import Row, on_record, written_of

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """When crossings were recorded, what was told; the instants `seen`, at which anything says that there was one.

    `look_again_at` is the stored account's, None if it has none that is a number.
    """

    recorded_at: dict[Crossing, Instant | None]
    written: list[Written]
    seen: set[Instant | None]
    look_again_at: Instant | None


def evidence_of(stored: Row | None, recorded: Sequence[Row], told: Sequence[Row]) -> Evidence:
    """What the stored rows of an account tell."""
    kept: list[OnRecord] = _readable(on_record, recorded)
    crossed_at, look_again_at = (stored["crossed_at"], stored["look_again_at"]) if stored else (None, None)
    return Evidence(
        recorded_at={each.crossing: each.recorded_at for each in kept},
        written=_readable(written_of, told),
        seen={crossed_at, *(row["at"] for row in (*recorded, *told))},
        look_again_at=look_again_at if isinstance(look_again_at, int) else None,
    )


def _readable(read: Callable[[Row], _Value], rows: Iterable[Row]) -> list[_Value]:
    found: list[_Value] = []
    for row in rows:
        try:
            found.append(read(row))
        except CORRUPT:
            continue
    return found
