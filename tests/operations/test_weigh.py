"""What weighs most is kept with the account: it is told, and kept up, without a look at the account's lines."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
from sqlalchemy import event, update

from app.domain.instant import DAY
from app.domain.policy import HalfLives
from app.domain.share import heaviest_of
from app.operations.rebuild import rebuild
from app.operations.verify import verify
from app.operations.weigh import heaviest_in_each
from app.tables import accounts
from tests.conftest import NOON, Bench
from tests.operations.adopting import LONG, SHORT, STRICT, adopt_wholly
from tests.operations.posting import account_of, interaction, ledger_of, post, posted, reversal
from tests.operations.promising import assert_sound
from tests.operations.stories import stored
from tests.operations.telling import bodies

GIFT = "moment.unexpected_gift"  # 45
SOLVED = "contact.resolved_first"  # 12
FAILED = "product.failed"  # -20


async def test_neither_a_read_nor_an_append_nor_a_message_looks_at_an_accounts_lines(bench: Bench) -> None:
    await post(bench, *[interaction(n, SOLVED) for n in range(9)], interaction("bob", FAILED, customer="bob"))
    async with bench.client() as api:
        with looked_at_lines(bench) as looks:
            given = (await api.post("/v1/interactions", json={"id": "a", "customer": "ada", "kind": GIFT})).json()
            read = (await api.get("/v1/customers/ada")).json()
            found = (await api.post("/v1/customers/lookup", json={"customers": ["ada", "bob"]})).json()["customers"]
            listed = (await api.get("/v1/customers?order=balance")).json()["customers"]

    assert looks == []
    told = (await bodies(bench))[-1]["data"]["because"]
    assert told == given["account"]["because"] == read["because"] == found[0]["because"] == listed[1]["because"]
    assert [each["points"] for each in told] == [45, 12, 12]
    assert [each["points"] for each in found[1]["because"]] == [-20]


async def test_once_one_of_three_is_reversed_the_same_append_reads_who_comes_next(bench: Bench) -> None:
    await post(bench, *[interaction(n, SOLVED, value_at=NOON - n) for n in range(4)])
    for number, looks_expected in ((1, 1), (2, 1), (3, 0)):  # of two that are kept nobody asks for a third
        with looked_at_lines(bench) as looks:
            await posted(bench, reversal(number))
        assert len(looks) == looks_expected
        assert (await account_of(bench)).heaviest is not None
        await assert_sound(bench)


async def test_the_lines_tell_what_weighed_most_after_each_of_an_accounts_entries(bench: Bench) -> None:
    await post(bench, *[interaction(n, SOLVED, value_at=NOON - n) for n in range(4)], reversal(1))
    await post(bench, interaction(5, GIFT), reversal(5), interaction(6, FAILED), reversal(3))
    account, entries = await account_of(bench), await ledger_of(bench)
    then = [replace(account, sequence=entry.sequence, position=entry.position, heaviest=None) for entry in entries]

    async with bench.ledger.database.read(bench.book) as tx:
        found = await heaviest_in_each(tx, bench.book, [*then, account], HalfLives())

    expected = [heaviest_of(entries[:count], HalfLives()) for count in range(1, len(entries) + 1)]
    assert found == [*expected, account.heaviest]


async def test_what_nobody_knows_is_read_from_the_lines_until_the_next_append_or_rebuild_knows_it(bench: Bench) -> None:
    await post(bench, interaction(1, GIFT), interaction(2, FAILED), interaction(3, GIFT, customer="bob"))
    known = await stored(bench, accounts)
    async with bench.client() as api:
        before = await because(api)
        await set_heaviest(bench, None)
        assert await because(api) == before
    assert (await verify(bench.ledger, bench.book)).is_sound

    await posted(bench, interaction(4, "contact.neutral"))
    assert (await account_of(bench)).heaviest is not None
    assert (await account_of(bench, "bob")).heaviest is None
    await assert_sound(bench)

    await rebuild(bench.ledger, bench.book)
    assert [row["heaviest"][1:] for row in (await stored(bench, accounts))["accounts"]] == [
        row["heaviest"][1:] for row in known["accounts"]
    ]


async def test_what_an_older_release_left_behind_is_not_taken_for_what_weighs_most(bench: Bench) -> None:
    """It knows nothing of the column: an upgrade lets both go on with an account, in turn."""
    await posted(bench, interaction(1, FAILED))
    [row] = (await stored(bench, accounts))["accounts"]
    await posted(bench, interaction(2, GIFT))
    await set_heaviest(bench, row["heaviest"])

    async with bench.client() as api:
        assert await because(api) == [45, -20]
    await assert_sound(bench)
    await posted(bench, interaction(3, SOLVED))
    async with bench.client() as api:
        assert await because(api) == [45, -20, 12]
    await assert_sound(bench)


async def test_other_half_lives_let_others_weigh_most(bench: Bench) -> None:
    """Only where the half-lives are short do the -20 of a month ago weigh less than the -6 of just now."""
    old = [interaction(f"old-{n}", FAILED, value_at=NOON - 30 * DAY) for n in range(3)]
    await post(bench, *old, *[interaction(n, "wait.excessive") for n in range(3)])
    async with bench.client() as api:
        for policy, expected in ((STRICT, [-20] * 3), (SHORT, [-6] * 3), (LONG, [-20] * 3)):
            await adopt_wholly(bench, policy)

            with looked_at_lines(bench) as looks:
                assert await because(api) == expected
            assert looks == []
            await assert_sound(bench)


async def test_a_list_that_was_begun_earlier_names_what_weighed_most_then(bench: Bench) -> None:
    await post(bench, *[interaction(name, FAILED, customer=name) for name in ("ada", "bob")])
    async with bench.client() as api:
        first = (await api.get("/v1/customers?order=balance&limit=1")).json()
        for name in ("ada", "bob"):
            bench.clock.pass_days(1)
            await posted(bench, interaction(f"later-{name}", "agent.insult_or_threat", customer=name))

        second = (await api.get(f"/v1/customers?order=balance&limit=1&cursor={first['next_cursor']}")).json()

    assert [each["points"] for page in (first, second) for each in page["customers"][0]["because"]] == [-20, -20]


@contextmanager
def looked_at_lines(bench: Bench) -> Iterator[list[str]]:
    """Every statement meanwhile that reads whatever entries an account has."""
    looks: list[str] = []

    def heard(*said: object) -> None:
        words = str(said[2])
        if ("entries.account_id IN" in words or "entries.account_id =" in words) and "LIMIT" not in words:
            looks.append(words)

    database = bench.ledger.database
    engines = [each.engine.sync_engine for each in (database._writers, database._readers)]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", heard)
    yield looks
    for engine in engines:
        event.remove(engine, "before_cursor_execute", heard)


async def because(api: httpx.AsyncClient) -> list[int]:
    """The points of what weighs most of ada."""
    return [each["points"] for each in (await api.get("/v1/customers/ada")).json()["because"]]


async def set_heaviest(bench: Bench, heaviest: str | None) -> None:
    async with bench.ledger.database.whole() as tx:
        await tx.execute(update(accounts).values(heaviest=heaviest))
