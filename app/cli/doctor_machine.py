"""The doctor looks at the machine: room on the disk, permissions, and who listens on the port."""

import os
import shutil
import socket
from pathlib import Path

import httpx

from app.api.problems import TYPE_PREFIX
from app.cli.doctor_check import Check, fail, ok, warn
from app.settings import Settings

FREE_BYTES_LEAST = 1_000_000_000
FREE_SHARE_LEAST = 0.05
ANSWER_SECONDS = 3.0


def disk_checks(settings: Settings) -> list[Check]:
    """Room and permissions where the embedded database lies; with PostgreSQL nothing lies here."""
    if not settings.url.startswith("sqlite"):
        return [ok("disk", "nothing is kept on this machine")]
    folder = settings.key_folder.absolute()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        return [_room(existing), _permissions(settings, existing)]
    except OSError as error:
        return [fail("disk", f"{existing}: {error.strerror}", "mount the disk, or point GOODWILL_DATA_DIR elsewhere")]


async def port_checks(settings: Settings) -> list[Check]:
    """Whether the service could listen, or does already."""
    where = f"{settings.host}:{settings.port}"
    if settings.port == 0:
        return [ok("port", "any that is free")]
    if await _is_goodwill(settings):
        return [await _ready(settings, where)]
    try:
        _bind(settings)
    except OSError as error:
        advice = "end what listens there, or set GOODWILL_PORT (and GOODWILL_HOST) to a free address"
        return [fail("port", f"{where} cannot be had: {error.strerror or error}", advice)]
    return [ok("port", f"{where} is free")]


def _room(folder: Path) -> Check:
    usage = shutil.disk_usage(folder)
    says = f"{usage.free / 1e9:,.1f} GB free of {usage.total / 1e9:,.0f} GB at {folder}"
    if usage.free < FREE_BYTES_LEAST or usage.free < usage.total * FREE_SHARE_LEAST:
        return warn("disk", says, "make room: the ledger only grows, and a full disk refuses every post")
    return ok("disk", says)


def _permissions(settings: Settings, folder: Path) -> Check:
    path = Path(settings.url.partition("///")[2])
    files = [path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm"))]
    present = [folder, *(file for file in files if file.exists())]
    closed = [str(place) for place in present if not os.access(place, os.R_OK | os.W_OK)]
    if closed:
        advice = "let the service's user own them (chown): SQLite writes beside the file as well"
        return fail("permissions", f"this user may not write {', '.join(closed)}", advice)
    return ok("permissions", "this user may read and write the data folder")


async def _is_goodwill(settings: Settings) -> bool:
    """Without a key Goodwill answers with a problem of its own."""
    found = await _get(settings, "/v1/tariff")
    return found is not None and TYPE_PREFIX in found.text


async def _ready(settings: Settings, where: str) -> Check:
    found = await _get(settings, "/readyz")
    if found is not None and found.is_success:
        return ok("port", f"a Goodwill listens on {where} and is ready")
    return fail("port", f"a Goodwill listens on {where} and is not ready", "look at its log and at what fails above")


async def _get(settings: Settings, path: str) -> httpx.Response | None:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::", ""} else settings.host  # noqa: S104  # compared, not bound
    shown = f"[{host}]" if ":" in host else host
    try:
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
            return await client.get(f"http://{shown}:{settings.port}{path}")
    except (httpx.HTTPError, httpx.InvalidURL):
        return None


def _bind(settings: Settings) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as uvicorn does
        listener.bind(address)
