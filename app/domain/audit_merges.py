"""Laws 2, 3 and 5 as checks on what merges carry: line by line in pairs, and where that leaves each account."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from app.domain.audit import CORRUPT, Finding
from app.domain.entry import Entry
from app.domain.merging import MERGED_FROM, MERGED_INTO, Merged, carried_of, is_closing, merges_in


def merge_findings(lines: Sequence[Entry], stored: Collection[Merged]) -> Iterator[Finding]:
    """What is wrong with the merges of a book, given all lines that carry something, in order."""
    by_id = {line.entry_id: line for line in lines}
    for n in range(0, len(lines), 2):
        yield from _in_pair(lines[n : n + 2], by_id)
    try:
        expected = {each.account_id: each for each in merges_in(lines)}
    except CORRUPT:
        expected = {}
    found = {each.account_id: each for each in stored}
    for account_id in sorted(expected.keys() | found.keys()):
        if expected.get(account_id) != found.get(account_id):
            what = "Where it leads is not what its entries say of merging."
            yield Finding(law=5, where=f"account {account_id}", what=what)


def _in_pair(pair: Sequence[Entry], by_id: Mapping[UUID, Entry]) -> Iterator[Finding]:
    where = f"position {pair[0].position}"
    try:
        if not _is_pair(pair):
            what = "It carries what no line beside it brings to the other account, or takes from it."
            yield Finding(law=2, where=where, what=what)
        elif not _is_same(pair[0], by_id):
            yield Finding(law=4, where=where, what="It does not give back what the merge carried.")
    except CORRUPT as error:
        yield Finding(law=3, where=where, what=f"What it carries cannot be read ({type(error).__name__}).")


def _is_same(line: Entry, by_id: Mapping[UUID, Entry]) -> bool:
    """Whether an undoing gives back what was carried, but for what was reversed since."""
    if line.reverses is None:
        return True
    original = by_id[line.reverses]
    return replace(carried_of(line.carried or ""), taken=()) == carried_of(original.carried or "")


def _is_pair(pair: Sequence[Entry]) -> bool:
    first, second = pair
    carried = carried_of(first.carried or "")
    source, target = (first, second) if is_closing(first) else (second, first)
    gives = -1 if is_closing(first) else 1
    return (
        second.position == first.position + 1
        and first.carried == second.carried
        and (source.kind, target.kind) == (MERGED_INTO, MERGED_FROM)
        and (source.reverses is None) == (target.reverses is None)
        and (source.account_id, target.account_id) == (carried.source, carried.into)
        and (source.points, target.points) == (gives * carried.balance, -gives * carried.balance)
    )
