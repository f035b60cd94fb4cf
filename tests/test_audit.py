"""The audit of what is locked: a known vulnerability fails it, a service that is away is told of and does not."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.audit import LOCKS, ROOT, locked, main
from tests.postgres import free_port
from tests.webhooks.receivers import Receiver, answering, receiving

GOOD, BAD = "good==1.0 \\\n    --hash=sha256:00\n", "bad==2.0 ; sys_platform != 'win32' \\\n    --hash=sha256:00\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two lock files, of which the second holds the first."""
    (tmp_path / LOCKS[0]).write_text(GOOD)
    (tmp_path / LOCKS[1]).write_text(BAD + GOOD)
    return tmp_path


async def audited(folder: Path, body: object, *more: str, status: str = "200 OK") -> tuple[int, Receiver]:
    async with receiving(answering(status, body=json.dumps(body).encode())) as service:
        arguments = ["--folder", str(folder), "--service", f"http://127.0.0.1:{service.port}", *more]
        return await asyncio.to_thread(main, arguments), service


async def test_a_known_vulnerability_fails_it_by_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, service = await audited(folder, {"results": [{"vulns": [{"id": "GHSA-1"}, {"id": "CVE-2"}]}, {}]})

    assert code == 1
    assert capsys.readouterr().out.splitlines() == [
        "bad 2.0 is vulnerable: CVE-2, GHSA-1",
        "2 locked packages audited, 1 vulnerable",
    ]
    (request,) = service.requests
    assert request.line == "POST /v1/querybatch HTTP/1.1"
    assert json.loads(request.body) == {
        "queries": [
            {"package": {"ecosystem": "PyPI", "name": "bad"}, "version": "2.0"},
            {"package": {"ecosystem": "PyPI", "name": "good"}, "version": "1.0"},
        ]
    }


async def test_none_is_said_with_how_many_were_asked_about(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (await audited(folder, {"results": [{}, {}]}))[0] == 0
    assert capsys.readouterr().out == "2 locked packages audited, 0 vulnerable\n"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, "200 OK"),
        ([], "200 OK"),
        ({"results": []}, "200 OK"),
        ({"results": [{}, {"next_page_token": "x"}]}, "200 OK"),
        ({"results": [{}, {}]}, "502 No"),
    ],
)
async def test_what_is_no_answer_is_never_taken_for_a_good_one(
    folder: Path, capsys: pytest.CaptureFixture[str], body: object, status: str
) -> None:
    assert (await audited(folder, body, status=status))[0] == 0
    assert "NOT AUDITED: 2 locked packages" in capsys.readouterr().out
    assert (await audited(folder, body, "--strict", status=status))[0] == 2


def test_a_service_that_is_away_is_told_of(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--folder", str(folder), "--service", f"http://127.0.0.1:{free_port()}"]
    assert main(arguments) == 0
    assert "NOT AUDITED" in capsys.readouterr().out
    assert main([*arguments, "--strict"]) == 2


def test_it_reads_all_that_is_locked() -> None:
    pinned = locked((ROOT / name).read_text() for name in LOCKS)
    hashed = {
        line.split("==")[0] for name in LOCKS for line in (ROOT / name).read_text().splitlines() if "==" in line[:60]
    }

    assert {each.name for each in pinned} == hashed
    assert len(pinned) > 60
