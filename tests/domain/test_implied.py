"""Law 6: what a whole life implies, whoever tells it; and what time, policies and segments do to that."""

from hypothesis import example, given

from app.domain.announcing import LATELY_ENTRIES_MAX, Group, Told, crossing_types, group_types
from app.domain.crossing import Cause
from app.domain.implied import implied_messages
from app.domain.instant import DAY, HOUR, MINUTE, YEAR
from app.domain.policy import Memory, Policy, PolicyHistory
from tests.domain.telling import POLICY, messages, types
from tests.domain.told import Event, Life, Step, brute, lives


@given(steps=lives)
@example(steps=[Step(after=1, events=(Event(points=-30),)), Step(after=DAY, events=(Event(points=-30),))])
def test_fold_and_append_tell_what_the_sentences_of_the_design_say(steps: list[Step]) -> None:
    life = lived(steps)
    assert messages(life) == brute(life, POLICY)
    assert messages(life) == [(message.at, list(message.types)) for message in told_live(life)]


def test_time_is_a_cause_of_its_own_with_its_own_instant() -> None:
    life = Life()
    life.append([Event(points=-16)], after=HOUR)
    life.append([Event(points=-2)], after=2 * YEAR)
    times = [at for at, _ in messages(life)]
    assert life.recorded[-1] == life.entries[-1].booked_at
    assert times == [life.entries[0].booked_at], "the clock slept for long: nobody is told of what is old"

    life = Life()
    life.append([Event(points=-16)], after=HOUR)
    crossed = life.account.look_again_at
    while not life.crossings[1:]:
        life.look(life.account.look_again_at)
        life.note(life.now + MINUTE)
        crossed = life.now
    life.append([Event(points=-16)], after=1)
    assert messages(life) == [
        (life.entries[0].booked_at, ["account.overdrawn"]),
        (life.entries[1].booked_at, ["account.overdrawn"]),
    ]
    assert life.crossings[1].at == crossed, "from marked to slight, which has no name"


def test_a_clock_that_comes_two_days_late_still_tells_and_a_later_one_does_not() -> None:
    life = Life()
    life.append([Event(points=12)], after=HOUR)
    life.look(life.account.look_again_at)
    crossing = life.crossings[-1]
    for late, expected in ((2 * DAY, 1), (2 * DAY + 1, 0)):
        assert len(crossing_types(crossing, crossing.at + late, (), POLICY)) == expected
    assert crossing_types(crossing, None, (), POLICY) == ()


def test_a_crossing_by_time_and_the_group_of_the_same_instant_are_two_messages() -> None:
    life = Life()
    life.append([Event(points=12)], after=HOUR)
    while len(life.crossings) < 2:
        life.look(life.account.look_again_at)
        life.note(life.now)
    life.append([Event(points=-45, memory=Memory.DEEP)], after=0)
    assert messages(life)[1:] == [
        (life.now, ["account.standing_changed"]),
        (life.now, ["debit.deep", "account.overdrawn", "balance.dropped"]),
    ]


def test_another_policy_counts_from_its_adoption_on_and_tells_nothing_itself() -> None:
    life = Life()
    life.append([Event(points=-45, memory=Memory.DEEP, lag=DAY)], after=HOUR)
    life.switch_to(Policy(version=2, alert_within=HOUR), at=life.now + HOUR)
    life.note(None)
    life.append([Event(points=-45, memory=Memory.DEEP, lag=DAY)], after=HOUR)
    life.append([Event(points=-45, memory=Memory.DEEP, lag=HOUR)], after=HOUR)
    first = PolicyHistory.always(POLICY).switches
    found = implied_messages(life.entries, life.dated, PolicyHistory((*first, *life.switches)))
    assert [message.at for message in found] == [life.entries[0].booked_at, life.entries[2].booked_at]


def test_what_time_does_at_the_instant_of_a_switch_is_told_under_the_policy_before() -> None:
    life = Life()
    life.append([Event(points=12)], after=HOUR)
    while len(life.crossings) < 2:
        life.look(life.account.look_again_at)
        life.note(life.now + HOUR)
    life.switch_to(Policy(version=2, alert_within=MINUTE), at=life.now)
    life.note(None)
    first = PolicyHistory.always(POLICY).switches
    found = implied_messages(life.entries, life.dated, PolicyHistory((*first, *life.switches)))
    assert [message.at for message in found][1:] == [life.crossings[1].at] == [life.switches[0].adopted_at]


def test_a_segment_with_other_thresholds_is_a_cause_too() -> None:
    life = Life(policy=Policy(segments={"vip": POLICY.thresholds.__class__(marked=-5.0)}))
    life.append([Event(points=-10)], after=HOUR)
    life.put_in("vip", at=life.now + HOUR)
    life.note(life.now)
    assert types(life) == [["account.standing_changed"], ["account.overdrawn"]]


def lived(steps: list[Step]) -> Life:
    """What becomes of an account to which this happens."""
    life = Life()
    for step in steps:
        life.append(step.events, after=step.after, is_silent=step.is_silent)
        if step.lag is not None:
            life.look(life.now + step.lag)
            life.note(life.now)
        else:
            life.look(life.now + 30 * DAY)
            life.note(None)
    return life


def told_live(life: Life) -> list[Told]:
    """As the appends saw it: a group at a time, of earlier lines and messages only those of the last day."""
    told: list[Told] = []
    causes = {(entry.booked_at, 1) for entry in life.entries} | {(crossing.at, 0) for crossing in life.crossings}
    for at, is_group in sorted(causes):
        recent = [each for each in told if at - each.at < POLICY.quiet_for]
        if is_group:
            group = grouped(life, at)
            found, depth = group_types(group, recent, POLICY), group.after.depth
            told += [Told(at=at, types=found, depth=depth)] if found else []
            continue
        for crossing, recorded_at in life.dated:
            if crossing.at == at and crossing.cause is Cause.TIME:
                found = crossing_types(crossing, recorded_at, recent, POLICY)
                told += [Told(at=at, types=found, depth=crossing.after.depth)] if found else []
    return told


def grouped(life: Life, at: int) -> Group:
    entries = [entry for entry in life.entries if entry.booked_at == at]
    positions = [entry.position for entry in entries]
    before = [entry for entry in life.entries if at - DAY <= entry.booked_at < at]
    passed = [crossing for crossing in life.crossings if crossing.at <= at]
    return Group(
        entries=entries,
        lately=before[-LATELY_ENTRIES_MAX:],
        crossings=[crossing for crossing in passed if crossing.position in positions],
        after=passed[-1].after if passed else Life().account.place,
    )
