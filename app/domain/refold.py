"""What a rebuild makes of an account: its fold as far as it was recorded, and what only rows and messages know."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from app.domain.account import Account
from app.domain.crossing import Crossing, advance
from app.domain.entry import Entry
from app.domain.fold import Folded
from app.domain.implied import Dated, implied_messages
from app.domain.instant import Instant
from app.domain.policy import Policy, PolicyHistory
from app.domain.written import OF_ENTRIES, OnRecord, Written, is_possible


def as_recorded(folded: Folded, policy: Policy, *, seen: Collection[Instant | None], until: Instant) -> Folded:
    """The fold, and of what time alone did since no more than was recorded: the rest the clock records, and tells.

    `seen` are the instants of which anything shows that a crossing was recorded then; none was after `until`.
    """
    _, passed = advance(folded.account, policy, until)
    recorded = [crossing.at for crossing in passed if crossing.at in seen]
    if not recorded:
        return folded
    account, passed = advance(folded.account, policy, recorded[-1])
    return Folded(account=account, crossings=(*folded.crossings, *passed))


def looked_at(account: Account, policy: Policy, look_again_at: Instant) -> Account:
    """The account with this `look_again_at`, as whoever looked last may have left it; unless it cannot be right."""
    is_after = account.crossed_at is None or look_again_at > account.crossed_at
    _, missed = advance(account, policy, look_again_at - 1)
    return replace(account, look_again_at=look_again_at) if is_after and not missed else account


def on_record(
    entries: Sequence[Entry],
    crossings: Sequence[Crossing],
    kept: Mapping[Crossing, Instant | None],
    written: Sequence[Written],
    history: PolicyHistory,
    *,
    in_sandbox: bool,
) -> list[OnRecord]:
    """The account's crossings as they are to stand on record. Requires its entries by sequence, one at least.

    `kept` says of some when they were recorded. Where it does not, or that cannot be, `written` does: what there is a
    message of was told as it came, and the rest is history.
    """
    silent = {entry.position for entry in entries if entry.silent}
    told = {(each.at, each.standing, each.depth) for each in written if each.position is None}
    dated: list[Dated] = []
    for crossing in crossings:
        usual = _usual(crossing, silent, is_told=(crossing.at, crossing.after.standing, crossing.after.depth) in told)
        alert_within = history.under(entries[0].position, crossing.at).alert_within
        its = kept.get(crossing, usual)
        can_be = is_possible(crossing, its, is_silent=crossing.position in silent, in_sandbox=in_sandbox)
        is_right = can_be and (usual is None or (its is not None and its - crossing.at <= alert_within))
        dated.append((crossing, its if is_right else usual))
    implied = implied_messages(entries, dated, history)
    announced = {crossing for message in implied for crossing in message.tells_of}
    return [OnRecord(crossing=each, recorded_at=at, announced=each in announced) for each, at in dated]


def _usual(crossing: Crossing, silent: Collection[int | None], *, is_told: bool) -> Instant | None:
    """When a crossing was recorded for all that messages know."""
    is_live = crossing.position not in silent if crossing.cause in OF_ENTRIES else is_told
    return crossing.at if is_live else None
