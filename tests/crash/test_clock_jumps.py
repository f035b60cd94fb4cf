"""A clock that jumps back: what was booked stays booked first, and nobody books in the past."""

from dataclasses import replace

from app.domain.instant import HOUR, MINUTE, SECOND
from tests.api.sentences import address, got, happening, posted, problem_of
from tests.conftest import Bench
from tests.operations.posting import ledger_of
from tests.operations.promising import assert_sound


def restarted(bench: Bench) -> Bench:
    """As after a restart: nothing is remembered but what the database holds."""
    return replace(bench, ledger=replace(bench.ledger, tariffs={}, policies={}))


async def test_a_clock_that_jumps_back_a_little_books_right_after_what_is_booked(bench: Bench) -> None:
    async with bench.client() as api:
        await posted(api, "before")
        bench.clock.now -= MINUTE - SECOND
        await posted(api, "after")
    async with restarted(bench).client() as api:
        await posted(api, "after a restart")

    first, *others = [entry.booked_at for entry in await ledger_of(bench)]
    assert others == [first + 1, first + 2]
    await assert_sound(bench)


async def test_a_clock_that_jumps_back_an_hour_is_not_believed_until_it_is_right_again(bench: Bench) -> None:
    async with bench.client() as api:
        await posted(api, "before")
        stood = await got(api, address("ada"))
        bench.clock.now -= HOUR
        refused = [await api.post("/v1/interactions", json=happening("meanwhile"))]
    async with restarted(bench).client() as api:
        refused.append(await api.post("/v1/interactions", json=happening("meanwhile")))
        known = await api.post("/v1/interactions", json=happening("before"))
        stands = await got(api, address("ada"))
        bench.clock.now += HOUR - MINUTE
        await posted(api, "meanwhile")

    for answer in refused:
        problem_of(answer, 503, "clock_behind")
        assert answer.headers["retry-after"]
    assert known.status_code == 503
    assert stands == stood
    assert [entry.external_id for entry in await ledger_of(bench)] == ["before", "meanwhile"]
    await assert_sound(bench)
