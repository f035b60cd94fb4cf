"""Which messages an account's causes are worth: none lost, none invented, few enough that nobody mutes them."""

from collections.abc import Sequence

from app.domain.announcing import Group, causing
from app.domain.entry import Entry
from app.domain.instant import DAY, HOUR
from app.domain.policy import Memory, Policy
from tests.domain.telling import POLICY, messages, types
from tests.domain.told import Event, Life

DEEP = Event(points=-60, memory=Memory.DEEP)


def test_a_deep_debit_is_one_message_with_all_that_holds() -> None:
    life = Life()
    life.append([DEEP], after=HOUR)
    assert types(life) == [["debit.deep", "account.overdrawn", "balance.dropped"]]


def test_what_mattered_two_days_ago_is_told_and_what_is_older_is_not() -> None:
    for lag, expected in ((2 * DAY, 1), (2 * DAY + 1, 0)):
        life = Life()
        life.append([Event(points=-60, memory=Memory.DEEP, lag=lag)], after=HOUR)
        assert len(types(life)) == expected
        assert len(types(life, Policy(alert_within=3 * DAY))) == 1


def test_history_pages_nobody() -> None:
    life = Life()
    life.append([DEEP], after=HOUR, is_silent=True)
    assert messages(life) == []

    life.append([Event(points=-20), Event(points=-15)], after=HOUR)
    assert types(life) == [["balance.dropped"]], "and does not hide what comes after it"


def test_what_a_group_itself_takes_back_is_not_told() -> None:
    life = Life()
    life.append([DEEP, Event(reverses=-1)], after=HOUR)
    assert messages(life) == []

    life.append([DEEP, Event(points=-20), Event(reverses=0)], after=HOUR)
    assert types(life) == [["account.overdrawn"]], "marked, by the other one"


def test_an_old_entry_that_crosses_tells_nothing_though_a_recent_one_stands_beside_it() -> None:
    life = Life()
    life.append([Event(points=-60, lag=3 * DAY), Event(points=-1)], after=HOUR)
    assert messages(life) == []

    life.append([Event(points=-45, memory=Memory.DEEP)], after=HOUR)
    assert types(life) == [["debit.deep", "balance.dropped"]]


def test_overdrawn_is_told_on_entering_marked_and_again_on_entering_deep() -> None:
    life = Life()
    life.append([Event(points=-10)], after=HOUR)
    life.append([Event(points=-10)], after=HOUR)
    life.append([Event(points=-9)], after=HOUR)
    life.append([Event(points=-25)], after=HOUR)
    assert types(life) == [
        ["account.standing_changed"],
        ["account.overdrawn"],
        ["account.overdrawn", "balance.dropped"],
    ]


def test_an_account_that_flaps_within_a_day_is_told_of_once_each_way() -> None:
    life = Life()
    life.append([Event(points=20)], after=HOUR)
    for _ in range(5):
        life.append([Event(points=-36)], after=HOUR)
        life.append([Event(reverses=1)], after=HOUR)
    assert types(life) == [
        ["account.delighted"],
        ["account.overdrawn", "balance.dropped"],
        ["account.recovered"],
        *[["balance.dropped"]] * 4,
    ]

    life.append([Event(points=-36)], after=DAY)
    assert types(life)[-1] == ["account.overdrawn", "balance.dropped"]


def test_quiet_ends_after_exactly_a_day() -> None:
    for gap, expected in ((DAY - 1, 2), (DAY, 3)):
        life = Life()
        life.append([Event(points=-16)], after=HOUR)
        life.append([Event(reverses=0)], after=1)
        life.append([Event(points=-16)], after=gap - 1)
        assert types(life)[0] == ["account.overdrawn"]
        assert len(types(life)) == expected
        assert len(types(life, Policy(quiet_for=0))) == 3


def test_a_balance_drops_at_exactly_30_and_again_only_once_it_was_above() -> None:
    life = Life()
    life.append([Event(points=60)], after=HOUR)
    life.append([Event(points=-29)], after=HOUR)
    life.append([Event(points=-1)], after=HOUR)
    life.append([Event(points=-10)], after=HOUR)
    life.append([Event(points=-30)], after=2 * DAY)
    found = messages(life)
    assert [at for at, names in found if "balance.dropped" in names] == [
        life.entries[2].booked_at,
        life.entries[4].booked_at,
    ]


def test_a_debit_of_exactly_a_day_ago_counts_and_one_a_microsecond_older_does_not() -> None:
    for gap, expected in ((DAY, True), (DAY + 1, False)):
        life = Life()
        life.append([Event(points=100)], after=HOUR)
        life.append([Event(points=-20)], after=HOUR)
        life.append([Event(points=-10)], after=gap)
        assert ("balance.dropped" in [name for names in types(life) for name in names]) is expected


def test_only_the_last_200_lines_of_an_account_are_looked_at_for_what_it_lost_in_a_day() -> None:
    for neutral, expected in ((199, True), (200, False)):
        life = Life()
        life.append([Event(points=100)], after=HOUR)
        life.append([Event(points=-20)], after=HOUR)
        life.append([Event()] * neutral, after=HOUR)
        life.append([Event(points=-10)], after=HOUR)
        assert ("balance.dropped" in [name for names in types(life) for name in names]) is expected


def test_a_promise_broken_is_never_quiet_and_its_reversal_is_no_break() -> None:
    life = Life()
    life.append([Event(points=-6, is_step=True)], after=HOUR)
    life.append([Event(points=-6, is_step=True)], after=HOUR)
    life.append([Event(reverses=0)], after=HOUR)
    life.append([Event(points=6, is_step=True)], after=HOUR)
    broken = [at for at, names in messages(life) if "promise.broken" in names]
    assert broken == [life.entries[0].booked_at, life.entries[1].booked_at]


def test_about_to_be_delighted_is_told_on_the_way_up_only() -> None:
    up, down = Life(), Life()
    up.append([Event(points=12)], after=HOUR)
    assert types(up) == [["account.about_to_be_delighted"]]

    down.append([Event(points=12), Event(points=20)], after=HOUR)
    down.append([Event(reverses=1)], after=2 * DAY + 1)
    assert types(down) == [["account.delighted"]], "what it comes down by mattered two days ago"
    down = Life()
    down.append([Event(points=12), Event(points=20)], after=HOUR)
    down.append([Event(reverses=1)], after=HOUR)
    assert types(down) == [["account.delighted"], ["account.standing_changed"]]


def test_recovered_and_delighted_are_one_message() -> None:
    life = Life()
    life.append([Event(points=-16)], after=HOUR)
    life.append([Event(points=45)], after=HOUR)
    assert types(life) == [["account.overdrawn"], ["account.recovered", "account.delighted"]]


def test_the_causing_entries_are_those_that_the_group_leaves_standing() -> None:
    life = Life()
    old, taken_back, meant = Event(points=-60, lag=3 * DAY), Event(points=-5), DEEP
    posted = life.append([old, taken_back, meant, Event(), Event(reverses=1)], after=HOUR)
    group = Group(entries=posted, lately=(), crossings=life.crossings, after=life.account.place)
    assert _points(causing(group, POLICY)) == [-60]
    assert causing(group, POLICY)[0].memory is Memory.DEEP

    undone = life.append([Event(points=-5), Event(reverses=3)], after=HOUR)
    group = Group(entries=undone, lately=(), crossings=(), after=life.account.place)
    assert _points(causing(group, POLICY)) == [-5, 5], "all of them, where none is left"


def _points(entries: Sequence[Entry]) -> list[int]:
    return [entry.points for entry in entries]
