"""What a server and a worker write down when their lines are JSON, and each request is one."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx

from app.api.access_log import AccessLog
from app.domain.instant import DAY, Instant
from app.main import clock
from tests.api.sentences import happening, posted, wire_time
from tests.api.subscribing import made
from tests.api.test_protocol import MALFORMED, answer_in, said
from tests.cli.test_logs import break_database
from tests.clocks import ClockProcess
from tests.conftest import NOON, Bench
from tests.operations.delivering import until
from tests.servers import ServerProcess, settings_of

JSON = {"GOODWILL_LOG_FORMAT": "json", "GOODWILL_ACCESS_LOG": "true"}
Line = dict[str, Any]


def lines_of(log: str) -> list[Line]:
    """Every line: each is a JSON object."""
    return [json.loads(line) for line in log.splitlines()]


def access_lines(server: ServerProcess) -> dict[str, Line]:
    return {each["request_id"]: each for each in lines_of(server.log) if each["logger"] == "goodwill.access"}


async def test_each_request_is_one_line_that_names_it_as_its_answer_does(bench: Bench, tmp_path: Path) -> None:
    settings = settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
    server = await ServerProcess({**settings, **JSON}, tmp_path / "server.log").start()
    async with server.client(bench.token) as api:
        first = await api.post("/v1/interactions", json=happening())
        again = await api.post("/v1/interactions", json=happening())
        batch = await api.post("/v1/interactions/batch", json={"interactions": [happening("2"), happening("3", "bob")]})
        read = await api.head("/v1/customers/ada/balance")
        merged = await api.post("/v1/customers/bob/merge", json={"into": "ada"})
        promise = {"id": "p", "customer": "ada", "kind": "promise.broken", "due_at": wire_time(clock() + DAY)}
        promised = await api.post("/v1/promises", json=promise)
        erased = await api.delete("/v1/customers/ada")
        refused = await api.get("/v1/customers/nobody?x=ada", headers={"X-Request-Id": "mine"})
        nobody = await api.get("/v1/entries", headers={"Authorization": "Bearer gw_acme_wrong"})
        lost = await api.put("/v1/nothing/ada")
    malformed = answer_in(await said(server, MALFORMED["no HTTP"]))[0]
    await server.stop()

    lines = access_lines(server)
    own = {"book": "acme", "key_id": bench.key_id}
    known = {"time", "level", "logger", "message", "seconds", "request_id"}

    def told(answer: httpx.Response) -> Line:
        line = lines[answer.headers["x-request-id"]]
        return {name: value for name, value in line.items() if name not in known}

    posting = {"method": "POST", "route": "/v1/interactions", **own}
    assert told(first) == {**posting, "status": 201, "position": first.json()["entry"]["position"]}
    assert told(again) == {**posting, "status": 200}
    assert told(batch) == {**posting, "route": "/v1/interactions/batch", "status": 200, "position": 3}
    positions = [told(each)["position"] for each in (merged, promised, erased)]
    assert positions == [5, 6, erased.json()["position"]]
    assert told(read) == {"method": "HEAD", "route": "/v1/customers/{customer}/balance", "status": 200, **own}
    assert told(refused) == {"method": "GET", "route": "/v1/customers/{customer}", "status": 422, **own}
    assert refused.json()["request_id"] == refused.headers["x-request-id"]
    assert told(nobody) == {"method": "GET", "status": 401}
    assert told(lost) == {"method": "PUT", "status": 404, **own}
    assert (lines[malformed["x-request-id"]]["method"], lines[malformed["x-request-id"]]["status"]) == ("other", 400)
    assert all(0 <= line["seconds"] < 60 for line in lines.values())


async def test_every_other_line_is_json_too_and_names_request_and_book(bench: Bench, tmp_path: Path) -> None:
    settings = settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
    loud = {**settings, **JSON, "GOODWILL_LOG_LEVEL": "debug", "GOODWILL_WEBHOOKS_ALLOW_LOOPBACK": "true"}
    server = await ServerProcess({**loud, "GOODWILL_DELIVERER": "false"}, tmp_path / "server.log").start()
    working = await ClockProcess(loud, tmp_path / "work.log").start()
    async with server.client(bench.token) as api:
        subscription = await made(api, "http://127.0.0.1:9/")
        await posted(api, kind="agent.insult_or_threat")
        await until(lambda: any("subscription" in each for each in lines_of(working.log)))
        await break_database(bench)
        failed = await api.post("/v1/interactions", json=happening("2"))
    await server.stop()
    await working.stop()

    lines = lines_of(server.log)
    assert {"goodwill", "uvicorn.error", "goodwill.api", "goodwill.access"} <= {each["logger"] for each in lines}
    (line,) = [each for each in lines if each["logger"] == "goodwill.api"]
    assert failed.status_code in (500, 503)
    assert (line["request_id"], line["book"]) == (failed.json()["request_id"], "acme")
    assert "accounts" in line["message"] + line.get("exception", "")
    assert all({"time", "level", "logger", "message"} <= each.keys() for each in lines + lines_of(working.log))
    tried = [each for each in lines_of(working.log) if each.get("failed") == 1]
    assert {(each["book"], each["subscription"]) for each in tried} == {("acme", subscription["id"])}


async def test_what_comes_in_one_turn_is_written_at_once() -> None:
    written: list[str] = []

    def now() -> Instant:
        return NOON

    log = AccessLog(is_json=False, now=now, write=written.append)
    for number in range(3):
        log.tell(request_id=str(number), status=200, book=None)
    assert written == []
    await asyncio.sleep(0)
    assert written == ["".join(f"INFO: request request_id={number} status=200\n" for number in range(3))]


async def test_without_it_no_request_is_written_down(bench: Bench, tmp_path: Path) -> None:
    settings = settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
    server = await ServerProcess(settings, tmp_path / "server.log").start()
    async with server.client(bench.token) as api:
        await api.post("/v1/interactions", json=happening())
    await server.stop()

    assert "INFO: Uvicorn running" in server.log
    assert "request" not in server.log
