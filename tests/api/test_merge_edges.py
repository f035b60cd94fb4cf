"""What lies beside a merge: older backups, messages, resends, promises, the past, and names within a batch."""

import httpx

from app.domain.api_key import Scope
from app.domain.instant import DAY
from app.operations.describe_customer import describe_customer
from app.operations.erase_customer import erase_again
from app.operations.manage_keys import create_key
from app.operations.post_due_steps import post_due_steps
from app.operations.tick import advance_due
from app.operations.verify import verify
from tests.api.sentences import FAILURE, GIFT, address, body_of, faults, got, happening, posted, problem_of, wire_time
from tests.api.test_merge import INSULT, a_few, account, merge, unmerge
from tests.conftest import Bench
from tests.operations.posting import ledger_of


async def test_who_was_forgotten_alone_is_parted_from_an_older_backups_survivor(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    await a_few(api, bench)
    await posted(api, "4", "carl", GIFT)
    ada = (await ledger_of(bench))[0].account_id
    await merge(api, "ada", "bob")
    await merge(api, "bob", "carl")

    assert await erase_again(bench.ledger, bench.book, ada)

    assert problem_of(await api.get(address("ada")), 404, "unknown_customer")
    assert [(await account(api, name))["balance"] for name in ("bob", "carl")] == [-20, 45]
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_a_message_names_the_survivor_under_whatever_name_it_came_about(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    await a_few(api, bench)
    await merge(api, "ada", "bob")
    bench.clock.pass_days(2)
    await posted(api, "4", "ada", INSULT)
    newest = (await got(api, "/v1/messages", limit=1))["messages"][0]
    body = await got(api, f"/v1/messages/{newest['id']}")
    assert newest["customer"] == "bob"
    assert '"ada"' not in str(body).replace("'", '"')


async def test_once_undone_a_resend_that_names_both_differs_in_the_customer(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    await posted(api, "1", "w:2", GIFT)
    await posted(api, "2", "q:2", FAILURE)
    await merge(api, "w:2", "q:2")
    both = {**happening("3", kind=GIFT), "customer": {"q": "2", "w": "2"}}
    assert (await api.post("/v1/interactions", json=both)).status_code == 201
    await unmerge(api, "w:2")
    problem = problem_of(await api.post("/v1/interactions", json=both), 409, "interaction_conflict")
    assert problem["fields"] == ["customer"]


async def test_a_promise_outlives_whom_its_steps_were_posted_on(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    due = wire_time(bench.clock.now + DAY)
    for name in ("p", "q"):
        body = {"id": name, "customer": "ada", "kind": "promise.broken", "due_at": due}
        assert (await api.post("/v1/promises", json=body)).status_code == 201
    await merge(api, "ada", "bob")
    moved = {"id": "m", "due_at": wire_time(bench.clock.now + 9 * DAY), "told_customer": True}
    assert (await api.post("/v1/promises/q/moved", json=moved)).status_code == 201
    bench.clock.pass_days(2)
    await post_due_steps(bench.ledger, bench.book)
    await unmerge(api, "ada")
    assert (await api.delete(address("bob"))).status_code == 200

    kept = await api.post("/v1/promises/p/kept", json={"value_at": wire_time(bench.clock.now - 2 * DAY + 1_000_000)})
    assert kept.status_code == 201, kept.text
    again = await api.post(
        "/v1/promises/q/moved", json={**moved, "id": "n", "due_at": wire_time(bench.clock.now + DAY)}
    )
    assert again.status_code == 201, again.text
    assert (await verify(bench.ledger, bench.book)).is_sound


async def test_before_a_merge_nothing_was_reversed_that_came_with_it(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    then = wire_time(bench.clock.now + DAY // 2)
    before = await got(api, address("bob") + "/balance", as_of=wire_time(bench.clock.now))
    bench.clock.pass_days(1)
    await merge(api, "ada", "bob")
    bench.clock.pass_days(1)
    reversal = {"interaction": {"id": "1"}, "reason": "never"}
    assert (await api.post("/v1/interactions/reversal", json=reversal)).status_code == 201
    assert (await got(api, address("bob") + "/balance", as_of=then))["balance"] == before["balance"]


async def test_a_name_that_becomes_known_within_a_batch_is_reversed_within_it(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    await posted(api, "1", "y:2", FAILURE)
    items = [
        {**happening("2", kind=GIFT), "customer": {"x": "1", "y": "2"}},
        {**happening("3", kind=GIFT), "customer": "x:1"},
    ]
    response = await api.post("/v1/interactions/batch", json={"interactions": items})
    assert [each["outcome"] for each in body_of(response)["results"]] == ["created", "created"]
    await advance_due(bench.ledger, bench.book)
    assert (await account(api, "x:1"))["balance"] == 70


async def test_who_is_merged_meanwhile_is_described_as_the_survivor(api: httpx.AsyncClient, bench: Bench) -> None:
    await a_few(api, bench)
    ada = (await ledger_of(bench))[0].account_id
    await merge(api, "ada", "bob")
    await describe_customer(bench.ledger, bench.book, ada, {"segment": "vip"})
    assert (await account(api, "bob"))["segment"] == "vip"


async def test_merging_needs_the_scope_to_write(bench: Bench) -> None:
    _, token = await create_key(bench.ledger, bench.book, name="reads", scopes=[Scope.ACCOUNTS_READ])
    async with bench.client(token.text) as reader:
        for path, body in (("merge", {"into": "bob"}), ("unmerge", None)):
            assert problem_of(await reader.post(f"{address('ada')}/{path}", json=body), 403, "forbidden")


async def test_a_statement_does_not_go_on_over_the_account_into_which_it_was_merged_meanwhile(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    await a_few(api, bench)
    path = address("ada") + "/statement"
    cursor = (await got(api, path, limit=1))["next_cursor"]
    await merge(api, "ada", "bob")

    refused = problem_of(await api.get(path, params={"cursor": cursor, "limit": 1}), 422, "invalid_request")
    assert faults(refused) == [("/query/cursor", "cursor_invalid")]
    cursor = (await got(api, path, limit=1))["next_cursor"]
    assert [each["sequence"] for each in (await got(api, path, limit=1, cursor=cursor))["entries"]] == [2]
