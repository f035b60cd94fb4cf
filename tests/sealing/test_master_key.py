"""The master key: where it is kept, and that it is never replaced over data that it does not open."""

import base64
import logging
import os
import stat
from pathlib import Path

import httpx
import pytest

from app.domain.api_key import Scope
from app.domain.errors import MasterKeyMismatch
from app.main import Opened, create_app
from app.operations.manage_keys import create_key
from app.sealing.keys import MasterKey
from app.sealing.master_key import FILE_NAME, create_master_key, parsed_master_key, read_master_key
from app.settings import Settings

OTHER_KEY = base64.b64encode(b"o" * 32).decode()


def settings_in(folder: Path, **others: str) -> Settings:
    return Settings.model_validate({"data_dir": folder, **others})


async def opened_with_a_book(folder: Path) -> None:
    """What a first start leaves: a database with a book, and a key file beside it."""
    service = Opened(settings_in(folder))
    await create_key(await service.ledger(), "main", name="first", scopes=[Scope.ADMIN])
    await service.close()


async def refusal_of(settings: Settings) -> MasterKeyMismatch:
    service = Opened(settings)
    with pytest.raises(MasterKeyMismatch) as refused:
        await service.ledger()
    await service.close()
    return refused.value


async def readiness_of(settings: Settings) -> httpx.Response:
    service = Opened(settings)
    transport = httpx.ASGITransport(create_app(service))
    async with httpx.AsyncClient(transport=transport, base_url="http://goodwill.test") as client:
        answer = await client.get("/readyz")
    await service.close()
    return answer


async def test_the_first_start_makes_a_key_that_only_its_owner_reads_and_later_ones_keep_it(tmp_path: Path) -> None:
    await opened_with_a_book(tmp_path)
    path = tmp_path / FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = path.read_bytes()

    service = Opened(settings_in(tmp_path))
    await service.ledger()
    await service.close()

    assert path.read_bytes() == kept
    assert (await readiness_of(settings_in(tmp_path))).status_code == 200


def test_the_key_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create_master_key(tmp_path / "new", entropy=os.urandom)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new" / FILE_NAME).stat().st_mode) == 0o600


def test_a_key_file_is_never_replaced(tmp_path: Path) -> None:
    first = create_master_key(tmp_path, entropy=os.urandom)
    with pytest.raises(FileExistsError):
        create_master_key(tmp_path, entropy=os.urandom)
    assert read_master_key(tmp_path) == first


async def test_a_key_that_does_not_open_the_data_is_refused_and_nothing_is_replaced(tmp_path: Path) -> None:
    await opened_with_a_book(tmp_path)
    path = tmp_path / FILE_NAME
    path.write_text(OTHER_KEY)

    assert "does not open" in (await refusal_of(settings_in(tmp_path))).detail
    answer = await readiness_of(settings_in(tmp_path))

    assert (answer.status_code, answer.json()["code"]) == (503, "master_key_mismatch")
    assert answer.headers["content-type"] == "application/problem+json"
    assert path.read_text() == OTHER_KEY
    assert OTHER_KEY not in answer.text


async def test_a_setting_that_does_not_open_the_data_is_refused_too(tmp_path: Path) -> None:
    await opened_with_a_book(tmp_path)
    kept = (tmp_path / FILE_NAME).read_bytes()
    await refusal_of(settings_in(tmp_path, master_key=OTHER_KEY))
    assert (tmp_path / FILE_NAME).read_bytes() == kept


async def test_without_its_file_old_data_stay_closed_and_no_new_key_is_made(tmp_path: Path) -> None:
    await opened_with_a_book(tmp_path)
    path = tmp_path / FILE_NAME
    kept = path.read_bytes()
    path.unlink()

    refusal = await refusal_of(settings_in(tmp_path))
    answer = await readiness_of(settings_in(tmp_path))

    assert FILE_NAME in refusal.detail
    assert "restore the file" in refusal.detail
    assert (answer.status_code, answer.json()["code"]) == (503, "master_key_mismatch")
    assert not path.exists()

    path.write_bytes(kept)
    assert (await readiness_of(settings_in(tmp_path))).status_code == 200


async def test_a_service_that_was_not_ready_is_once_the_file_is_back(tmp_path: Path) -> None:
    await opened_with_a_book(tmp_path)
    path = tmp_path / FILE_NAME
    kept = path.read_bytes()
    path.unlink()
    service = Opened(settings_in(tmp_path))
    with pytest.raises(MasterKeyMismatch):
        await service.ledger()
    path.write_bytes(kept)
    assert await service.ledger() is not None
    await service.close()


@pytest.mark.parametrize("text", ["", "short", "o" * 44, base64.b64encode(b"o" * 31).decode(), "é" * 44, "=" * 44])
async def test_what_is_no_key_is_refused_with_what_would_be_one(tmp_path: Path, text: str) -> None:
    with pytest.raises(MasterKeyMismatch, match="32 bytes in base64"):
        parsed_master_key(text)
    (tmp_path / FILE_NAME).write_text(text)
    assert "32 bytes in base64" in (await refusal_of(settings_in(tmp_path))).detail
    assert (tmp_path / FILE_NAME).read_text() == text


def test_either_alphabet_of_base64_is_read() -> None:
    secret = bytes([251, 255] * 16)
    for text in (base64.b64encode(secret), base64.urlsafe_b64encode(secret), base64.b64encode(secret) + b"\n"):
        assert parsed_master_key(text.decode()).secret == secret


def test_secrets_of_the_settings_are_neither_shown_nor_logged(caplog: pytest.LogCaptureFixture) -> None:
    url = "postgresql://goodwill:pass-word@db/goodwill"
    settings = Settings.model_validate({"database_url": url, "master_key": OTHER_KEY})
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("tests").info("settings: %s, %r", settings, settings)
    for shown in (repr(settings), str(settings), caplog.text):
        assert OTHER_KEY not in shown
        assert "pass-word" not in shown
    assert settings.url == url


def test_a_key_file_that_is_not_even_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"\xff\xfe" * 22)
    with pytest.raises(MasterKeyMismatch, match="32 bytes in base64"):
        read_master_key(tmp_path)


def test_another_process_never_sees_half_a_key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut between creating and writing it would leave a file that is no key, for ever."""
    seen = list[MasterKey | None]()
    monkeypatch.setattr("app.sealing.master_key.os.fsync", lambda _: seen.append(read_master_key(tmp_path)))
    made = create_master_key(tmp_path, entropy=os.urandom)
    assert seen == [None, made]
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
