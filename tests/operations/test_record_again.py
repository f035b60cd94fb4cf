"""Sent again: the same content is answered with the first entry, for ever; another is a conflict that names why."""

from typing import Any

import pytest

from app.domain.errors import InteractionConflict
from app.operations.adopt_tariff import adopt_tariff
from app.operations.outcome import Posted
from tests.conftest import NOON, Bench
from tests.operations.posting import came_to, interaction, ledger_of, post, posted, refused, reversal

FULL: dict[str, Any] = {
    "kind": "delivery.late",
    "value_at": NOON - 1,
    "attributes": {"days_late": 5, "carrier": {"name": "x", "legs": [1, 2]}},
    "note": "rang twice",
    "context": {"channel": "mail", "case": "7", "cost": 4.5},
}


async def test_the_same_interaction_again_is_the_first_entry_however_it_is_written(bench: Bench) -> None:
    first = await posted(bench, interaction(1, **FULL))
    bench.clock.pass_days(400)
    attributes = {"carrier": {"legs": [1.0, 2], "name": "x"}, "days_late": 5.0}
    context = {"cost": 4.5, "case": "7", "channel": "mail"}

    again = await posted(bench, interaction(1, **{**FULL, "attributes": attributes, "context": context}))

    assert again.replayed
    assert again.entry == first.entry
    assert len(await ledger_of(bench)) == 1


async def test_a_body_without_value_at_is_replayed_later(bench: Bench) -> None:
    first = await posted(bench, interaction(1))
    bench.clock.pass_days(3)
    again = await posted(bench, interaction(1))
    assert (again.replayed, again.entry) == (True, first.entry)


async def test_a_resend_is_replayed_after_the_tariff_dropped_its_kind(bench: Bench) -> None:
    first = await posted(bench, interaction(1))
    document: Any = bench.ledger.tariffs[bench.book, 1].document
    kinds = {name: kind for name, kind in document["kinds"].items() if name != "apology.first"}
    await adopt_tariff(
        bench.ledger, bench.book, {**document, "kinds": kinds}, expected_version=1, api_key_id=bench.key_id
    )

    assert came_to(await post(bench, interaction(1), interaction(2))) == ["replayed", "unknown_kind"]
    assert (await posted(bench, interaction(1))).entry == first.entry


async def test_a_resend_through_another_key_is_replayed_and_another_source_is_another_interaction(
    bench: Bench,
) -> None:
    first = await posted(bench, interaction(1))
    bench.key_id = "another-key"
    again = await posted(bench, interaction(1))
    other = await posted(bench, interaction(1, source="web"))
    assert (again.replayed, again.entry.api_key_id) == (True, first.entry.api_key_id)
    assert (other.replayed, other.entry.source) == (False, "web")


async def test_a_resend_is_answered_before_anything_else_can_refuse_it(bench: Bench) -> None:
    """Its value time has become too old or too new for a first posting: the ledger knows it all the same."""
    await posted(bench, interaction(1, value_at=NOON))
    bench.clock.now = NOON - 50_000_000
    assert came_to(await post(bench, interaction(1, value_at=NOON))) == ["replayed"]


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"kind": "refund.fast"}, ["kind"]),
        ({"value_at": NOON - 2}, ["value_at"]),
        ({"value_at": None}, ["value_at"]),
        ({"value_at": 250_000_000_000_000_000}, ["value_at"]),
        ({"note": "rang once"}, ["note"]),
        ({"note": None}, ["note"]),
        ({"attributes": None}, ["attributes.carrier", "attributes.days_late"]),
        ({"attributes": {"days_late": 6, "carrier": {"name": "x", "legs": [2, 1]}, "new": None}},
         ["attributes.carrier", "attributes.days_late", "attributes.new"]),
        ({"context": {"channel": "mail", "case": "8"}}, ["case", "cost"]),
        ({"customer": "bob"}, ["customer"]),
        ({"customer": "bob", "note": "x", "points": 3}, ["customer", "note", "points"]),
    ],
)  # fmt: skip
async def test_other_content_is_a_conflict_that_names_the_fields(
    bench: Bench, changed: dict[str, Any], fields: list[str]
) -> None:
    await post(bench, interaction(1, **FULL), interaction("b", customer="bob"))

    conflict = await refused(bench, interaction(1, **{**FULL, **changed}))

    assert isinstance(conflict, InteractionConflict)
    assert conflict.extra == {"fields": fields}
    assert [fault.pointer for fault in conflict.faults] == [f"/{field.replace('.', '/')}" for field in fields]


async def test_a_customer_without_an_account_is_another_customer(bench: Bench) -> None:
    await posted(bench, interaction(1))
    conflict = await refused(bench, interaction(1, customer="never seen"))
    assert conflict.extra == {"fields": ["customer"]}


async def test_a_conflict_never_shows_what_was_sent(bench: Bench) -> None:
    await posted(bench, interaction(1, note="secret-first", attributes={"a/b~c": "secret-first"}))
    conflict = await refused(bench, interaction(1, note="secret-second", attributes={"a/b~c": "secret-second"}))
    assert "secret" not in repr((conflict.detail, conflict.faults, conflict.extra))
    assert [fault.pointer for fault in conflict.faults] == ["/attributes/a~1b~0c", "/note"]


async def test_numbers_that_only_a_double_holds_are_compared_as_they_were_sent(bench: Bench) -> None:
    await posted(bench, interaction(1, attributes={"n": 1e20, "m": 1e300}))
    assert came_to(await post(bench, interaction(1, attributes={"n": 1e20, "m": 1e300}))) == ["replayed"]
    conflict = await refused(bench, interaction(1, attributes={"n": 1e20, "m": 1e299}))
    assert conflict.extra == {"fields": ["attributes.m"]}


async def test_of_equal_pairs_in_one_append_the_first_is_created(bench: Bench) -> None:
    outcomes = await post(
        bench,
        interaction(1, note="x"),
        interaction(1, note="x"),
        interaction(1, note="y"),
        interaction(1, note="x", customer="bob"),
    )
    assert came_to(outcomes) == ["created", "replayed", "interaction_conflict", "interaction_conflict"]
    first, second = (outcome for outcome in outcomes[:2] if isinstance(outcome, Posted))
    assert second.entry == first.entry
    assert len(await ledger_of(bench)) == 1


async def test_a_replayed_answer_shows_the_account_as_it_is_now(bench: Bench) -> None:
    await posted(bench, interaction(1))
    await posted(bench, interaction(2))
    again = await posted(bench, interaction(1))
    assert (again.entry.balance_after, again.account.balance) == (3, 6)


async def test_an_id_that_a_reversal_has_is_taken(bench: Bench) -> None:
    await post(bench, interaction(1), reversal(1, id="r"))
    conflict = await refused(bench, interaction("r"))
    assert conflict.extra == {"fields": ["kind", "reason", "reverses"]}
