"""What a database itself says of its schema: all of it, but for the order of columns."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, text

Table = dict[str, str]
"""Columns, indexes, constraints and triggers, each by kind and name, in the database's own words."""

_POSTGRES = """
    SELECT tables.relname, said.what, said.is
    FROM pg_class AS tables
    CROSS JOIN LATERAL (
        SELECT 'column ' || attname AS what,
            format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
            || COALESCE(' DEFAULT ' || pg_get_expr(adbin, adrelid), '') || attidentity::text || attgenerated::text AS is
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT 'index ' || indexrelid::regclass::text,
            pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END
        FROM pg_index WHERE indrelid = tables.oid
        UNION ALL
        SELECT 'constraint ' || conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE conrelid = tables.oid AND contype <> 'n'
        UNION ALL
        SELECT 'trigger ' || tgname, pg_get_triggerdef(oid) || ' enabled: ' || tgenabled::text
        FROM pg_trigger WHERE tgrelid = tables.oid
    ) AS said
    WHERE tables.relkind IN ('r', 'p') AND tables.relnamespace = 'public'::regnamespace
"""


def catalogue(connection: Connection) -> dict[str, Table]:
    """Each table but Alembic's own."""
    said = _sqlite(connection) if connection.dialect.name == "sqlite" else connection.execute(text(_POSTGRES))
    tables: dict[str, Table] = defaultdict(dict)
    for table, what, words in said:
        if table != "alembic_version":
            tables[table][what] = words
    return dict(tables)


def without_triggers(tables: dict[str, Table]) -> dict[str, Table]:
    """The tables as `metadata.create_all` can make them, too."""
    return {
        name: {what: words for what, words in table.items() if not what.startswith("trigger ")}
        for name, table in tables.items()
    }


def _sqlite(connection: Connection) -> list[tuple[str, str, str]]:
    said: list[tuple[str, str, str]] = []
    for kind, name, table, words in _rows(connection, "SELECT type, name, tbl_name, sql FROM sqlite_master"):
        if kind == "table":
            said += _of_table(connection, table, words)
        elif not name.startswith("sqlite_autoindex"):
            said.append((table, f"{kind} {name}", " ".join(words.replace('"', "").split())))
    return said


def _of_table(connection: Connection, table: str, words: str) -> list[tuple[str, str, str]]:
    columns = [
        (table, f"column {name}", f"{kind} not null {not_null} default {default} key {key} hidden {hidden}")
        for _, name, kind, not_null, default, key, hidden in _rows(connection, f"PRAGMA table_xinfo({table})")
    ]
    checks = [(table, "checks", str(words.upper().count("CHECK (")))]
    foreign = [(table, "foreign keys", str(_rows(connection, f"PRAGMA foreign_key_list({table})")))]
    return columns + checks + foreign


def _rows(connection: Connection, statement: str) -> list[Any]:
    return [tuple(row) for row in connection.execute(text(statement))]
