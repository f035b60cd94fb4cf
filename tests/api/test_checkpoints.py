"""Checkpoints and receipts over HTTP: what they show verifies for strangers, and nothing else is in it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain.api_key import Scope
from app.domain.checkpoint import key_text, parsed_checkpoint
from app.domain.merkle import BRANCH_LEAVES
from app.operations.manage_keys import create_key
from app.operations.sign_checkpoint import replace_signing_key
from tests.api.sentences import GIFT, Json, body_of, got, happening, posted, problem_of
from tests.cli.strangers import by_command, by_javascript, text_of
from tests.conftest import Bench
from tests.operations.signing import sign_all, signing

RECEIPT = "/v1/customers/{}/receipt"
SECRET = "what she said"


async def filled(api: httpx.AsyncClient, count: int, customers: int = 3) -> None:
    rows = [happening(f"{n} \u2028 \u2029", f"customer-{n % customers}", note=SECRET) for n in range(count)]
    answer = await api.post("/v1/interactions/batch", json={"interactions": rows})
    assert answer.status_code == 200, answer.text


async def test_they_are_listed_in_order_and_in_pages(api: httpx.AsyncClient, bench: Bench) -> None:
    assert await got(api, "/v1/checkpoints") == {"checkpoints": [], "next_after": 0}
    assert await got(api, "/v1/checkpoints/keys") == {"keys": []}
    await filled(api, 10)
    signed = await sign_all(signing(bench, entries=4))

    pages = [await got(api, "/v1/checkpoints", after=after, limit=2) for after in (0, 2, 3)]

    assert [parsed_checkpoint(each) for page in pages for each in page["checkpoints"]] == signed
    assert [page["next_after"] for page in pages] == [2, 3, 3]
    drawn = await replace_signing_key(bench.ledger, bench.book)
    keys = (await got(api, "/v1/checkpoints/keys"))["keys"]
    assert [each["x"] for each in keys] == [key_text(signed[0].public_key), key_text(drawn)]
    assert {name: keys[0][name] for name in ("kty", "crv", "use", "alg")} == {
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "alg": "EdDSA",
    }
    problem_of(await api.get("/v1/checkpoints", params={"after": "x"}), 422, "invalid_request")
    problem_of(await api.get("/v1/checkpoints", params={"limit": 1_001}), 422, "invalid_request")


async def test_another_book_has_its_own_and_who_only_posts_sees_none(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api, customer="ada")
    await sign_all(bench)
    _, rival = await create_key(bench.ledger, "rival", name="rival", scopes=[Scope.ADMIN], source="crm")
    _, writer = await create_key(bench.ledger, bench.book, name="writer", scopes=[Scope.INTERACTIONS_WRITE])

    async with bench.client(rival.text) as other:
        assert await got(other, "/v1/checkpoints") == {"checkpoints": [], "next_after": 0}
        assert await got(other, "/v1/checkpoints/keys") == {"keys": []}
        problem_of(await other.get(RECEIPT.format("ada")), 404, "unknown_customer")
    async with bench.client(writer.text) as other:
        for path in ("/v1/checkpoints", "/v1/checkpoints/keys", RECEIPT.format("ada")):
            problem_of(await other.get(path), 403, "forbidden")


def verified(receipt: Json, *words: str) -> bool:
    """As both programs see it."""
    given = json.dumps(receipt)
    (sound, said), (also, more) = (each("receipt", given, *words) for each in (by_command, by_javascript))
    assert sound is also, (said, more)
    return sound


async def test_a_receipt_proves_every_entry_to_whoever_has_the_key(
    api: httpx.AsyncClient, bench: Bench, tmp_path: Path
) -> None:
    """Over checkpoints of several branches; what no checkpoint covers yet is listed."""
    await filled(api, 2 * BRANCH_LEAVES + 60, customers=40)
    signed = await sign_all(signing(bench, entries=BRANCH_LEAVES + 20))
    fresh = (await posted(api, "fresh \u2028 \u2029", "customer-7", GIFT))["entry"]
    kept = tmp_path / "kept"
    shown = (await got(api, "/v1/checkpoints"))["checkpoints"]
    await asyncio.to_thread(kept.write_text, text_of([json.dumps(each) for each in shown]))
    key = f"--key={key_text(signed[0].public_key)}"

    receipt = await got(api, RECEIPT.format("customer-7"))

    assert len(signed) == 3
    assert [each["sequence"] for each in receipt["entries"]] == list(range(1, 16))
    assert {each["number"] for each in receipt["checkpoints"]} == {1, 2, 3} & {
        each["checkpoint"] for each in receipt["entries"]
    }
    assert (receipt["uncovered"], receipt["next_after"]) == ([fresh["id"]], None)
    assert "customer-7" not in json.dumps(receipt)
    assert SECRET not in json.dumps(receipt)
    for words in ([], [key], [key, "--checkpoints", str(kept)]):
        assert verified(receipt, *words)
    assert not verified(receipt, f"--key={key_text(bytes(32))}")


async def test_a_long_receipt_comes_in_pages(api: httpx.AsyncClient, bench: Bench) -> None:
    await filled(api, 12, customers=1)
    await sign_all(signing(bench, entries=5))

    pages, after = list[Json](), 0
    while after is not None:
        pages.append(await got(api, RECEIPT.format("customer-0"), after=after, limit=5))
        after = pages[-1]["next_after"]

    assert [[each["sequence"] for each in page["entries"]] for page in pages] == [
        [1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10],
        [11, 12],
    ]
    for page in pages:
        assert verified(page)
    beyond = await got(api, RECEIPT.format("customer-0"), after=12)
    assert beyond["entries"] == []
    assert not verified(beyond), "it proves nothing"
    assert [page["next_after"] for page in pages] == [5, 10, None]
    problem_of(await api.get(RECEIPT.format("customer-0"), params={"limit": 201}), 422, "invalid_request")
    problem_of(await api.get(RECEIPT.format("nobody")), 404, "unknown_customer")


async def test_whatever_is_changed_in_a_receipt_shows(
    api: httpx.AsyncClient, bench: Bench, subtests: pytest.Subtests, tmp_path: Path
) -> None:
    await filled(api, 9)
    await sign_all(signing(bench, entries=6))
    receipt = await got(api, RECEIPT.format("customer-1"))
    first, second, third = receipt["entries"]
    changes: dict[str, Json] = {
        "an entry left out": {"entries": [first, third]},
        "an entry twice": {"entries": [first, second, second, third]},
        "its checkpoint gone": {"checkpoints": receipt["checkpoints"][1:]},
        "another account": {"accounts": ["00000000-0000-4000-8000-000000000000"]},
        "another book": {"book": "other"},
        "another form": {"receipt": 2},
        "no entries": {"entries": []},
        "neither entries nor checkpoints": {"entries": [], "checkpoints": []},
        "another canonical form": {"canonical": 2},
        "another's path": {"entries": [{**first, "path": second["path"]}, second, third]},
        "a path too short": {"entries": [{**first, "path": first["path"][1:]}, second, third]},
        "a path too long": {"entries": [{**first, "path": [*first["path"], "00" * 32]}, second, third]},
        "under another checkpoint": {"entries": [{**first, "checkpoint": 2}, second, third]},
        "a checkpoint altered": {"checkpoints": [{**receipt["checkpoints"][0], "root": "00" * 32}]},
        **{f"{name} altered": {"entries": [{**first, name: _other(name, value)}]} for name, value in first.items()},
    }
    assert verified(receipt)
    for name, change in changes.items():
        with subtests.test(name):
            assert not verified({**receipt, **change})
    other = {**receipt["checkpoints"][0], "signed_at": "2020-01-01T00:00:00Z"}
    kept = tmp_path / "kept"
    await asyncio.to_thread(kept.write_text, json.dumps(other))
    assert not verified(receipt, "--checkpoints", str(kept))


def _other(name: str, value: Any) -> Any:
    """Another value of the same type, if the type has one."""
    match value:
        case int():
            return value + 1
        case str() if name == "sealed":
            return "AAAA" + value
        case str():
            return ("1" if value[0] == "0" else "0") + value[1:]
        case list():
            return ["00" * 32, *value[1:]]
        case _:
            return "00"


async def test_the_receipt_of_who_was_merged_holds_the_entries_of_both(api: httpx.AsyncClient, bench: Bench) -> None:
    await filled(api, 9)
    merged = await api.post("/v1/customers/customer-1/merge", json={"into": "customer-2"})
    assert merged.status_code in (200, 201), merged.text
    await posted(api, "later", "customer-1")
    await sign_all(signing(bench, entries=5))

    first, second = [await got(api, RECEIPT.format(name)) for name in ("customer-1", "customer-2")]

    assert first == second
    assert [each["position"] for each in first["entries"]] == [2, 3, 5, 6, 8, 9, 10, 11, 12]
    assert {each["account_id"] for each in first["entries"]} == set(first["accounts"])
    assert len(first["accounts"]) == 2
    assert any(each["carried"] for each in first["entries"])
    assert verified(first)


async def test_who_was_forgotten_has_no_receipt_and_one_from_before_still_holds(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    await filled(api, 9)
    await sign_all(bench)
    receipt = await got(api, RECEIPT.format("customer-1"))

    assert body_of(await api.delete("/v1/customers/customer-1"))["position"] == 10

    problem_of(await api.get(RECEIPT.format("customer-1")), 404, "unknown_customer")
    assert verified(receipt)
