"""The schema: migrations lead to that of app/tables in every word of the catalogue, and only ever expand it."""

from functools import partial
from pathlib import Path

from alembic.config import Config
from alembic.script import Script, ScriptDirectory

from app.database import Database
from app.tables import metadata
from app.turns import in_turn
from tests.migrations.catalogue import Table, catalogue, without_triggers
from tests.migrations.conftest import NewDatabase
from tests.migrations.releases import NEXT_INI, turn_to

EXPANDING_SINCE = "0009"
GUARDED = ("checkpoints", "entries", "policy_versions", "tariff_versions")
GUARDS = {"sqlite": ("never_update", "never_delete", "never_replace"), "postgresql": ("never_change", "never_go")}


async def test_the_catalogue_after_migrations_is_that_of_the_tables(new_database: NewDatabase) -> None:
    migrated, made = new_database(), new_database()
    await in_turn(migrated, partial(turn_to, revision="head"))
    async with made.whole() as tx:
        await tx.run_sync(metadata.create_all)

    expected, found = await catalogue_of(made), await catalogue_of(migrated)
    assert without_triggers(found) == expected
    triggers = {words for table in found.values() for words in table if words.startswith("trigger ")}
    guards = GUARDS["sqlite" if migrated.is_sqlite else "postgresql"]
    assert triggers == {f"trigger {table}_{guard}" for table in GUARDED for guard in guards}


async def test_migrations_only_expand_the_schema_so_that_older_servers_go_on(tmp_path: Path) -> None:
    """One that contracts says in `contracts` which release was the last to use what goes."""
    database = Database(f"sqlite:///{tmp_path / 'expanded.sqlite3'}")
    await in_turn(database, partial(turn_to, revision=EXPANDING_SINCE))
    before, seen = await catalogue_of(database), 0
    for script in _later(EXPANDING_SINCE):
        await in_turn(database, partial(turn_to, revision=script.revision, ini=NEXT_INI))
        after = await catalogue_of(database)
        assert getattr(script.module, "contracts", "") or _taken_away(before, after) == [], script.revision
        # Two in one transaction meet busy servers in a circle of waits, again and again.
        assert len([table for table in before if after.get(table) != before[table]]) <= 1, script.revision
        before, seen = after, seen + 1
    await database.close()
    assert seen >= 2


def test_what_an_older_server_would_miss_or_trip_over_is_found() -> None:
    before: dict[str, Table] = {"t": {"column a": "INTEGER", "index i": "CREATE INDEX i"}, "gone": {}}
    after: dict[str, Table] = {
        "t": {
            "column b": "INTEGER not null 1 default None key 0",
            "column c": "INTEGER not null 1 default 0 key 0",
            "column d": "INTEGER not null 0 default None key 0",
            "index u": "CREATE UNIQUE INDEX u",
        },
        "new": {"column e": "INTEGER not null 1 default None key 1"},
    }

    assert _taken_away(before, after) == ["gone", "t column a", "t column b", "t index u"]


def _taken_away(before: dict[str, Table], after: dict[str, Table]) -> list[str]:
    """What an older server used and is gone or changed, or is new and refuses what it writes."""
    found = [table for table in before if table not in after]
    for table in before.keys() & after.keys():
        old, new = before[table], after[table]
        found += [f"{table} {what}" for what in old if "index" not in what and old[what] != new.get(what)]
        found += [f"{table} {what}" for what in new if what not in old and _refuses(new[what])]
    return sorted(found)


def _refuses(words: str) -> bool:
    return "UNIQUE" in words or "TRIGGER" in words or ("not null 1" in words and "default None" in words)


def _later(revision: str) -> list[Script]:
    scripts = ScriptDirectory.from_config(Config(NEXT_INI))
    return list(reversed(list(scripts.iterate_revisions("head", revision))))


async def catalogue_of(database: Database) -> dict[str, Table]:
    async with database.oversee() as tx:
        return await tx.run_sync(catalogue)
