"""What a whole run writes to its logs, at its loudest: of no customer, no secret, no word that was told."""

import base64
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain.instant import DAY
from app.main import clock
from tests.api.sentences import happening, wire_time
from tests.api.subscribing import made
from tests.clocks import ClockProcess
from tests.conftest import Bench
from tests.operations.delivering import until
from tests.servers import ServerProcess, settings_of
from tests.webhooks.receivers import answering, receiving

NAME, NOTE, ATTRIBUTE, TARGET = "canary-name", "canary-note", "canary-attribute", "canary-target"
LOUD = {
    "GOODWILL_LOG_LEVEL": "debug",
    "GOODWILL_ACCESS_LOG": "true",
    "GOODWILL_WEBHOOKS_ALLOW_LOOPBACK": "true",
}


@pytest.mark.parametrize("layout", ["text", "json"])
async def test_no_log_holds_a_name_a_note_an_attribute_or_a_secret(bench: Bench, tmp_path: Path, layout: str) -> None:
    settings = settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
    loud = {**settings, **LOUD, "GOODWILL_LOG_FORMAT": layout}
    server = await ServerProcess(loud, tmp_path / "server.log").start()
    working = await ClockProcess(loud, tmp_path / "work.log").start()
    async with receiving(answering("500 No")) as receiver, server.client(bench.token) as api:
        secrets = [
            (await made(api, f"{url}?token={TARGET}"))["secret"] for url in (receiver.url, "http://127.0.0.1:9/")
        ]
        await well_told(api)
        await badly_told(api)
        await until(lambda: len(receiver.requests) > 0)
        await break_database(bench)
        assert (await api.post("/v1/interactions", json=told("broken"))).status_code in (500, 503)
    await server.stop()
    await working.stop()

    written = server.log + working.log
    assert "accounts" in written  # it does tell what an operator has to know
    key = bench.token.rpartition("_")[2]
    master = base64.b64encode(bench.ledger.master_key.secret).decode()
    for canary in (
        NAME,
        NOTE,
        ATTRIBUTE,
        TARGET,
        key,
        master,
        *secrets,
        *[each.removeprefix("whsec_") for each in secrets],
    ):
        assert canary not in written, canary


def told(own_id: str, **more: Any) -> dict[str, object]:
    return happening(own_id, NAME, note=NOTE, attributes={"word": ATTRIBUTE}, **more)


async def well_told(api: httpx.AsyncClient) -> None:
    """What is posted and read."""
    for own_id in ("1", "1"):
        assert (await api.post("/v1/interactions", json=told(own_id))).is_success
    batch = {"interactions": [told("2"), told("3", kind="agent.insult_or_threat"), told("4", kind=NAME)]}
    assert (await api.post("/v1/interactions/batch", json=batch)).status_code == 207
    promise = {"id": "p", "customer": NAME, "kind": "promise.broken", "due_at": wire_time(clock() + 30 * DAY)}
    assert (await api.post("/v1/promises", json=promise)).status_code == 201
    for path in ("", "/balance", "/statement"):
        assert (await api.get(f"/v1/customers/{NAME}{path}")).is_success, path


async def badly_told(api: httpx.AsyncClient) -> None:
    """What is refused, in as many rooms as there are."""
    refused = [
        await api.post("/v1/interactions", json=told("1", kind="wait.excessive")),
        await api.post("/v1/interactions", json=told("5", kind=NAME)),
        await api.post("/v1/interactions", json=told("6", value_at=NOTE)),
        await api.post("/v1/interactions", json=told("7", **{NAME: ATTRIBUTE})),
        await api.post("/v1/interactions", content=f'{{"customer":"{NAME}",'.encode()),
        await api.post("/v1/promises", json={"id": NAME, "customer": NAME, "note": NOTE}),
        await api.put("/v1/tariff", json={"kinds": {NAME: {"points": ATTRIBUTE}}}, headers={"If-Match": "*"}),
        await api.put("/v1/policy", json={NAME: NOTE}, headers={"If-Match": "*"}),
        await api.get(f"/v1/customers/{NAME}-of-nobody"),
        await api.get(f"/v1/customers?cursor={NAME}"),
        await api.get("/v1/customers", headers={"Authorization": f"Bearer {NAME}"}),
        await api.get("/v1/customers", headers={"Authorization": f"Bearer gw_acme_{NOTE}"}),
        await api.request("NONSENSE", f"/v1/{NAME}"),
    ]
    assert all(answer.is_client_error for answer in refused), [answer.status_code for answer in refused]


async def break_database(bench: Bench) -> None:
    """What no release's code expects: an error of the database."""
    async with bench.ledger.database.whole() as tx:
        await tx.exec_driver_sql("ALTER TABLE accounts RENAME TO accounts_elsewhere")
