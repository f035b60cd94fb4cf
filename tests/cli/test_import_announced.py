"""An import pages nobody unless it is asked to; that it is finished is told once."""

import json
from typing import Any

from app.domain.instant import DAY, HOUR, wire_time
from app.main import clock
from tests.cli.import_bench import Import, none
from tests.conftest import Bench
from tests.operations.posting import interaction, post
from tests.operations.telling import bodies, types

INSULT = {"id": "1", "source": "crm", "customer": "ada", "kind": "agent.insult_or_threat"}


def line(**fields: Any) -> bytes:
    return json.dumps({**INSULT, **fields}).encode() + b"\n"


async def test_a_plain_import_sends_nothing_but_that_it_is_finished(bench: Bench, goodwill_import: Import) -> None:
    told = await goodwill_import("-", "--source", "crm", given=line() + line(id="2", kind="nothing.known"))

    (body,) = await bodies(bench)
    assert told.exit_code == 3
    assert body["type"] == "import.finished"
    assert body["data"] == {"source": "crm", "announced": False, "rows": none(read=2, created=1, refused=1)}


async def test_what_an_import_announces_is_told_as_if_it_were_posted(bench: Bench, goodwill_import: Import) -> None:
    old = wire_time(clock() - 30 * DAY)

    await goodwill_import("-", "--announce", given=line() + line(id="2", customer="bob", value_at=old))

    deep, finished = await bodies(bench)
    assert (deep["type"], deep["data"]["customer"]) == ("debit.deep", "ada")
    assert finished["data"]["announced"]


async def test_history_is_never_announced_and_what_comes_live_after_it_is(
    bench: Bench, goodwill_import: Import
) -> None:
    just_now = wire_time(clock() - HOUR)

    refused = await goodwill_import("-", "--replay", "--announce", given=line(value_at=just_now))
    replayed = await goodwill_import("-", "--replay", given=line(value_at=just_now))
    bench.clock.now = clock()
    await post(bench, interaction("live", "agent.insult_or_threat", customer="bob"))

    assert (refused.exit_code, replayed.exit_code) == (1, 0)
    assert "never announced" in refused.stderr
    assert [each[0] for each in await types(bench)] == ["import.finished", "debit.deep"]
