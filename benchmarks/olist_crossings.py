"""The crossings of real customers against a fold by brute force at one-hour steps, both ways.

`python -m benchmarks.olist_crossings FILE MAPPING [CUSTOMERS]` replays the file into a book of its own, lets the clock
record what the two years after its end bring, and compares the crossings of 500 customers with tests/hourly.py.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from app.domain.crossing import Cause
from app.domain.instant import YEAR
from app.domain.policy import Policy
from app.domain.policy_document import policy_document
from benchmarks.replayed_book import BOOK, replayed_book
from tests.as_booked import crossings_of, lines_by_account
from tests.hourly import Comparison, Line, Recorded, compared

WATCHED_FOR = 2 * YEAR
CUSTOMERS = 500


async def measure(file: Path, mapping: Path, customers: int) -> bool:
    """Replay, fold and compare; says whether all agree."""
    begun = time.perf_counter()
    async with replayed_book(file, mapping, watched_for=WATCHED_FOR) as ledger:
        lines = await lines_by_account(ledger, BOOK)
        recorded = {account: await crossings_of(ledger, BOOK, account) for account in lines}
        until = ledger.now()
    replayed = time.perf_counter()

    policy = json.loads(policy_document(Policy()))
    found = [compared(lines[each], policy, recorded[each], until) for each in chosen(lines, recorded, customers)]
    told(found, of=len(lines))
    print(f"replayed in {replayed - begun:.0f} s, folded and compared in {time.perf_counter() - replayed:.0f} s")
    return not any(each.unseen or each.unrecorded for each in found)


def chosen(lines: dict[str, list[Line]], recorded: dict[str, list[Recorded]], number: int) -> list[str]:
    """Three quarters are those to whom most happened (crossings, then entries), the others evenly spread."""
    by_life = sorted(lines, key=lambda each: (len(recorded[each]), len(lines[each])), reverse=True)
    busiest, others = by_life[: number * 3 // 4], by_life[number * 3 // 4 :]
    wanted = number - len(busiest)
    return busiest + others[:: max(1, len(others) // max(1, wanted))][:wanted]


def told(found: Sequence[Comparison], *, of: int) -> None:
    """Print the comparison, cause by cause."""
    print(f"{len(found)} of {of:,} customers compared")
    print(f"{'cause':<10}{'compared':>10}{'agree':>8}{'brief':>8}{'differ':>8}")
    counts = {
        "agree": Counter(each.cause for one in found for each in one.agreeing),
        "brief": Counter(each.cause for one in found for each in one.brief),
        "differ": Counter(each.cause for one in found for each in (*one.unseen, *one.unrecorded)),
    }
    for cause in (Cause.ENTRY, Cause.TIME, Cause.REVERSAL):
        row = [counts[name][cause.value] for name in counts]
        print(f"{cause.value:<10}{sum(row):>10,}" + "".join(f"{count:>8,}" for count in row))
    print("brief: undone within the hour in which they lie, so seen only by looking at their very instants")
    for one in found:
        for each in (*one.unseen, *one.unrecorded):
            print(f"  differs: {each}")


def main() -> None:
    file, mapping = Path(sys.argv[1]), Path(sys.argv[2])
    customers = int(sys.argv[3]) if len(sys.argv) > 3 else CUSTOMERS
    sys.exit(0 if asyncio.run(measure(file, mapping, customers)) else 1)


if __name__ == "__main__":
    main()
