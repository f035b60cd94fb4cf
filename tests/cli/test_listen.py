"""`goodwill listen` shows what is proved to come from Goodwill, and nothing else."""

import asyncio
import json
import signal
import socket
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook
from typer.testing import CliRunner, Result

from app.cli.commands import app
from app.cli.session import BROKEN_PIPE
from app.domain.instant import SECOND
from app.main import clock
from app.operations.book_message import wire_id
from app.webhooks.formats import rendered
from tests.cli.listening import Listening, listening
from tests.conftest import Bench
from tests.operations.delivering import opened, told
from tests.servers import ServerProcess, settings_of
from tests.webhooks.receivers import SECRET
from tests.webhooks.test_formats import OVERDRAWN

OTHER_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = json.dumps(OVERDRAWN).encode()
LINE = (
    "2026-05-28T12:00:00Z  account.overdrawn, promise.broken  ada@example.com"
    "  steady -> overdrawn (marked)  after product.failed -20 and 1 more"
)
NASTY = "ada\x1b[2J\r\nbob\x7f\u202e"
ALLOWED = {"GOODWILL_WEBHOOKS_ALLOW_LOOPBACK": "true"}
REFUSED: list[tuple[Callable[[Listening], int], int, str]] = [
    (lambda it: it.post_signed(OVERDRAWN, secret=OTHER_SECRET), 400, "its signature is not by this secret"),
    (lambda it: it.post(b" ", by_the_reference("msg_0")), 400, "or its body is not what was signed"),
    (lambda it: it.post_signed(OVERDRAWN, age=3_100), 400, "its webhook-timestamp is 3,1"),
    (lambda it: it.post_signed(OVERDRAWN, age=-3_200), 400, "its webhook-timestamp is 3,"),
    (lambda it: it.post(BODY, {}), 400, "it has no webhook-id and no webhook-timestamp and no webhook-signature"),
    (lambda it: it.post(BODY, {**by_the_reference("msg_0"), "webhook-timestamp": "now"}), 400, "no number of seconds"),
    (lambda it: it.post_signed(b"[NaN"), 400, "it is signed, but its body is no JSON object"),
    (lambda it: it.announce(1_000_001), 413, "its body is longer than 1,000,000 bytes"),
]


def test_what_is_signed_is_shown_once_and_all_else_is_refused_in_words(tmp_path: Path) -> None:
    room = rendered(BODY, "slack")
    with listening(tmp_path, "--secret", SECRET) as it:
        taken = [
            it.post(BODY, by_the_reference("msg_0")),
            it.post_signed({**OVERDRAWN, "data": {**OVERDRAWN["data"], "customer": NASTY}}, "msg_1"),
            it.post_signed(OVERDRAWN, "msg_0"),
            it.post_signed(room, "msg_2"),
        ]
        assert it.said.count("\n") == 1
        refused = [post(it) for post, _, _ in REFUSED]
        it.break_off(100)
        it.until(lambda: it.said.count("\n") == len(REFUSED) + 2)
        assert it.end(signal.SIGINT) == 0

    assert taken == [204] * 4
    assert it.lines == [
        f"{LINE}  msg_0",
        f"{LINE.replace('ada@example.com', 'ada [2J bob')}  msg_1",
        f"{LINE}  msg_0  (again)",
        f"{room.decode()}  msg_2",
    ]
    assert refused == [status for _, status, _ in REFUSED]
    for said, (_, status, reason) in zip(it.said.splitlines()[1:], REFUSED, strict=False):
        assert said.startswith(f"Refused a request with {status}: ")
        assert reason in said
    assert it.said.endswith("Refused a request with 400: it broke off before its body was complete.\n")


def by_the_reference(message_id: str) -> dict[str, str]:
    """The headers as the reference implementation signs the body."""
    second = clock() // SECOND
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(second),
        "webhook-signature": Webhook(SECRET).sign(message_id, datetime.fromtimestamp(second, UTC), BODY.decode()),
    }


def test_as_json_a_line_is_a_body_and_the_command_ends_when_nobody_reads_on(tmp_path: Path) -> None:
    told_of = {**OVERDRAWN, "data": {"customer": f"{NASTY}\U000e0001é"}}
    with listening(tmp_path, "--json", "--secret", SECRET, stdout=subprocess.PIPE) as it:
        assert it.process.stdout is not None
        assert it.post_signed(json.dumps(told_of, indent=2).encode(), "msg_1") == 204
        line = it.process.stdout.readline().decode()
        assert it.post_signed(told_of, "msg_1") == 204
        assert it.said.endswith("\nAgain: msg_1\n")
        it.process.stdout.close()
        half_sent = it.begin(100)

        assert it.post_signed(OVERDRAWN, "msg_2") == 503
        assert it.process.wait(10) == BROKEN_PIPE
        half_sent.close()

    assert json.loads(line) == told_of
    assert r'"ada\u001b[2J\r\nbob\u007f\u202e\udb40\udc01é"' in line
    assert "Traceback" not in it.said


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # its operations are tried on both
async def test_what_serve_delivers_is_shown_and_the_subscription_goes_when_the_command_does(
    bench: Bench, tmp_path: Path
) -> None:
    bench.clock.now = clock()
    settings = {**settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret), **ALLOWED}
    await opened(bench, "ada@example.com")
    with listening(tmp_path, "--types", "debit.*, test", settings=settings) as it:
        [message] = await told(bench, "ada@example.com")
        server = await ServerProcess(settings, tmp_path / "server.log").start()
        async with server.client(bench.token) as api:
            [made] = (await api.get("/v1/webhooks")).json()["webhooks"]
            tested = (await api.post(f"/v1/webhooks/{made['id']}/test")).json()
            await asyncio.to_thread(it.until, lambda: len(it.lines) == 2)
            assert await asyncio.to_thread(it.end) == 0
            left = (await api.get("/v1/webhooks")).json()["webhooks"]
        await server.stop()

    assert made["message_types"] == ["debit.*", "test"]
    assert made["description"] == "goodwill listen"
    assert tested["attempt"]["status"] == 204
    assert left == []
    [debit] = [line for line in it.lines if "  debit.deep  ada@example.com  overdrawn (slight)" in line]
    [test] = [line for line in it.lines if f"  test  subscription {made['id']}  " in line]
    assert debit.endswith(wire_id(message.message_id))
    assert test.endswith(tested["message_id"])


def goodwill(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_a_subscription_needs_loopback_to_be_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOODWILL_DATA_DIR", str(tmp_path))
    refused = goodwill("listen")

    assert refused.exit_code == 1
    assert refused.stderr == (
        "goodwill: set GOODWILL_WEBHOOKS_ALLOW_LOOPBACK=true, here and for the `serve` or `work` that delivers\n"
    )
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_listened_to_is_refused_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        in_use = goodwill("listen", "--secret", SECRET, "--port", port)
    no_secret = goodwill("listen", "--secret", "whsec_")
    both = goodwill("listen", "--secret", SECRET, "--types", "*")

    assert [each.exit_code for each in (in_use, no_secret, both)] == [1, 1, 1]
    assert in_use.stderr == f"goodwill: cannot listen on port {port}: address already in use\n"
    assert no_secret.stderr == "goodwill: --secret: A secret is `whsec_` and the base64 of 24 to 64 bytes.\n"
    assert both.stderr == "goodwill: with --secret no subscription is made here: --book and --types go without it\n"
