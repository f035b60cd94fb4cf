"""The disk of the database is full: posting says so and writes nothing, reading goes on, and room is all it takes."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.api.problems import RETRY_AFTER_SECONDS
from app.domain.instant import MICROSECOND
from tests.api.sentences import WAIT, Json, address, got, happening, posted, problem_of
from tests.conftest import Bench
from tests.crash.disks import Ballast, Disk, Pages, Refusing, mounted
from tests.operations.posting import ledger_of, row_counts
from tests.operations.promising import assert_sound
from tests.postgres import Postgres

SIZES = {"sqlite": 4, "postgresql": 24}
POSTS_MAX = 3_000


@pytest.fixture
def room(request: pytest.FixtureRequest) -> Iterator[Path | None]:
    name: str = request.node.callspec.params["database_url"]
    with mounted(mebibytes=SIZES[name]) as folder:
        yield folder


@pytest.fixture(params=list(SIZES))
def database_url(request: pytest.FixtureRequest, room: Path | None, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        path = (room or tmp_path) / "goodwill.sqlite3"
        path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        yield f"sqlite:///{path}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"test_{secrets.token_hex(8)}"
    server.create_database(name, template=request.getfixturevalue("postgres_template"))
    if room is not None:
        server.own(room)
        server.execute(f"CREATE TABLESPACE {name} LOCATION '{room}'")
        server.execute(f"ALTER DATABASE {name} SET TABLESPACE {name}")
    yield server.url(name)
    server.drop_database(name)
    server.execute(f"DROP TABLESPACE IF EXISTS {name}")


@pytest.fixture
def disk(bench: Bench, room: Path | None, postgres: Postgres) -> Disk:
    if room is not None:
        return Ballast(room)
    database = bench.ledger.database
    return Pages(database) if database.is_sqlite else Refusing(postgres, database.url.database or "")


async def test_a_full_disk_is_said_and_outlived(bench: Bench, disk: Disk) -> None:
    async with bench.client() as api:
        await posted(api, "first")
        disk.fill()
        acknowledged, refused = await posted_until_full(bench, api)
        stands = await row_counts(bench)
        batch = {"interactions": [big(f"batch-{n}") for n in range(200)]}

        problem = problem_of(answer := await api.post("/v1/interactions/batch", json=batch), 503, "storage_full")
        account = await got(api, address("ada"))

        assert "room" in problem["detail"]
        assert answer.headers["retry-after"] == str(RETRY_AFTER_SECONDS)
        assert await row_counts(bench) == stands
        assert stands["entries"] == account["sequence"] == 1 + acknowledged
        assert (await api.get("/readyz")).status_code == 200

        disk.free()
        again = [await api.post("/v1/interactions", json=refused), await api.post("/v1/interactions/batch", json=batch)]

    assert [each.status_code for each in again] == [201, 200]
    assert len(await ledger_of(bench)) == 2 + acknowledged + 200
    await assert_sound(bench)


async def posted_until_full(bench: Bench, api: httpx.AsyncClient) -> tuple[int, Json]:
    """How many fitted, and the first that did not."""
    for count in range(POSTS_MAX):
        bench.clock.now += MICROSECOND
        answer = await api.post("/v1/interactions", json=(body := big(str(count))))
        if answer.status_code != 201:
            problem_of(answer, 503, "storage_full")
            return count, body
    raise AssertionError("the disk is not full")


def big(own_id: str) -> Json:
    return happening(own_id, kind=WAIT, note="x" * 4_000)
