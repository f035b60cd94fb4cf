"""The wall between the books on PostgreSQL: row-level security, behind every `WHERE book = …` of ours.

Each transaction says of which book it is (app/database.py), and sees and writes the rows of that book alone. The
service works as a role that owns nothing and may do what app/tables/grants.py lists. Who owns the tables is walled in
like all others once a book is named, and sees everything as long as none is: migrations and backups name none.

The wall is no migration: whatever is missing of it is put up whenever a process starts, table by table, since after a
restore, or with a role that came later, it may be missing again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, text

from app.domain.errors import DatabaseUnavailable
from app.tables.grants import EMPTIED, GRANTS, OVERSEEN, OVERSEER, SANDBOX, Verbs

_OURS = ("own_book", "every_book", "overseen", "sandbox_alone")
_IS_OWN = "book = current_setting('goodwill.book', true)"
_NAMES_NONE = "coalesce(current_setting('goodwill.book', true), '') = ''"
_IS_SANDBOX = "substr(book, 1, 5) = 'test_'"


_FOUND = text(
    """
    SELECT c.relname AS name, pg_get_userbyid(c.relowner) AS owner,
        c.relrowsecurity AND c.relforcerowsecurity AS forced,
        (SELECT bool_and(has_schema_privilege(who, c.relnamespace, 'USAGE'))
            FROM unnest(CAST(:roles AS text[])) AS who) IS NOT FALSE AS reached,
        ARRAY(
            SELECT concat_ws(' ', polname, polcmd, CASE WHEN polpermissive THEN 'may' ELSE 'must' END, (
                SELECT string_agg(CASE role WHEN 0 THEN 'all' ELSE pg_get_userbyid(role) END, ',')
                FROM unnest(polroles) AS role
            )) FROM pg_policy WHERE polrelid = c.oid AND polname = ANY(CAST(:ours AS text[]))
        ) AS policies,
        ARRAY(
            SELECT concat_ws(' ', pg_get_userbyid(grantee), privilege_type) FROM aclexplode(c.relacl)
            WHERE pg_get_userbyid(grantee) = ANY(CAST(:roles AS text[]))
        ) AS grants
    FROM pg_class AS c WHERE c.oid IN (SELECT to_regclass(name) FROM unnest(CAST(:tables AS text[])) AS name)
    """
)

_LEDGERS = text(
    """
    SELECT relnamespace::regnamespace::text AS name, bool_and(pg_table_is_visible(oid)) AS is_visible,
        has_schema_privilege(relnamespace, 'USAGE') AS is_open
    FROM pg_class WHERE relkind = 'r' AND relname IN ('entries', 'account_keys')
    GROUP BY relnamespace HAVING count(*) = 2
    """
)

# A policy lets the owner see every book, whoever that was when it was made.
_SEES_ALL = text(
    """
    SELECT bool_and(NOT row_security_active(pg_class.oid) OR EXISTS (
        SELECT 1 FROM pg_policy, unnest(polroles) AS role
        WHERE polrelid = pg_class.oid AND polname = 'every_book' AND pg_has_role(role, 'USAGE')
    )) FROM pg_class WHERE pg_class.oid IN (SELECT to_regclass(name) FROM unnest(CAST(:tables AS text[])) AS name)
    """
)

_GOES_PAST = text(
    """
    SELECT EXISTS (
        SELECT 1 FROM pg_roles AS own, pg_roles AS other, pg_class, pg_namespace
        WHERE own.rolname = ANY(CAST(:roles AS text[])) AND pg_has_role(own.oid, other.oid, 'MEMBER')
        AND pg_class.oid = to_regclass('entries') AND pg_namespace.oid = relnamespace
        AND (other.rolsuper OR other.rolbypassrls OR other.oid IN (relowner, nspowner))
    )
    """
)


@dataclass(frozen=True, slots=True)
class _Policy:
    """A policy, and what of it the catalogue tells: its name changes whenever its condition does."""

    name: str
    applies: str
    known_as: str

    def created_on(self, table: Table) -> str:
        return f"CREATE POLICY {self.name} ON {table.name} {self.applies}"


def roles_of(role: str | None) -> tuple[str, ...]:
    """The role that serves, and those that it becomes."""
    return (role, role + OVERSEER, role + SANDBOX) if role else ()


def unwalled(connection: Connection, role: str | None) -> list[Table]:
    """The tables at which something of the wall is missing; without a role, of what holds for the owner alone."""
    asked = {"tables": [table.name for table in GRANTS], "ours": list(_OURS), "roles": list(roles_of(role))}
    found = {row.name: row for row in connection.execute(_FOUND, asked)}
    if absent := sorted({table.name for table in GRANTS} - found.keys()):
        raise DatabaseUnavailable(f"Of the ledger's tables some are gone, or out of sight: {', '.join(absent)}.")
    return [table for table in GRANTS if not _is_walled(table, found[table.name], role)]


def _is_walled(table: Table, found: Row[Any], role: str | None) -> bool:
    policies = {policy.known_as for policy in _policies(table, found.owner, role)}
    grants = {f"{who} {verb}" for who, verbs in _grants(table, role) for verb in verbs}
    return bool(found.forced and found.reached) and policies <= set(found.policies) and grants == set(found.grants)


def put_up(connection: Connection, role: str | None) -> None:
    """Put up what is missing, each table in a transaction of its own. The roles must be there."""
    schema = ledger_schema(connection)
    for each in roles_of(role):
        connection.exec_driver_sql(f'GRANT USAGE ON SCHEMA {schema} TO "{each}"')
    if role:  # who logs in as one of us asks for the revision, too
        connection.execute(text(f'GRANT SELECT ON alembic_version TO "{role}"'))
    connection.commit()
    for table in unwalled(connection, role):
        owner = connection.execute(
            text("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass(:name)"), {"name": table.name}
        ).scalar_one()
        for statement in _statements(table, owner, role):
            connection.execute(text(statement))
        connection.commit()


def make_roles(connection: Connection, login: str | None, role: str) -> None:
    """Make what roles are missing, none of which can log in, and let who logs in be them; see `may_be`."""
    for each in roles_of(role):
        if not _has_role(connection, each):
            connection.execute(text(f'CREATE ROLE "{each}" NOLOGIN NOINHERIT'))
    for each in roles_of(role)[1:]:
        if not _is_member(connection, role, each):
            connection.execute(text(f'GRANT "{each}" TO "{role}"'))
    if not _is_member(connection, login, role):
        whose = f'"{login}"' if login else "SESSION_USER"
        connection.execute(text(f'GRANT "{role}" TO {whose}'))
    connection.commit()


def may_be(connection: Connection, login: str | None, role: str) -> bool:
    """Whether the roles exist, and whoever logs in (without a name: the connection's own) may be them all."""
    ours = roles_of(role)
    return all(_has_role(connection, each) for each in ours) and all(
        _is_member(connection, login, each) for each in ours
    )


def ledger_schema(connection: Connection) -> str | None:
    """The schema of the ledger's tables, as an identifier; None if there are none yet.

    DatabaseUnavailable: there are several, and the search path leads to none of them, or to more than one; or who
    connects may not use it.
    """
    found = connection.execute(_LEDGERS).all()
    mine = [each for each in found if each.is_visible] if len(found) > 1 else found
    if len(mine) != min(len(found), 1):
        names = ", ".join(sorted(each.name for each in found))
        raise DatabaseUnavailable(f"The database holds several ledgers: let the search path name one of {names}.")
    if mine and not mine[0].is_open:
        raise DatabaseUnavailable(f"The ledger is in the schema {mine[0].name}, which who connects may not use.")
    return mine[0].name if mine else None


def sees_all(connection: Connection) -> bool:
    """Whether who connects sees the rows of every book, as long as it names none."""
    return bool(connection.execute(_SEES_ALL, {"tables": [table.name for table in GRANTS]}).scalar())


def goes_past(connection: Connection, role: str) -> bool:
    """Whether the wall would not hold the role, one that it becomes, or one that these may become."""
    return bool(connection.execute(_GOES_PAST, {"roles": list(roles_of(role))}).scalar_one())


def _is_member(connection: Connection, login: str | None, role: str) -> bool:
    """Whether who logs in may be the role. From 16 on whoever made it is a member of it and may not, unless granted."""
    how = "SET" if (connection.dialect.server_version_info or ()) >= (16,) else "MEMBER"
    asked = text("SELECT pg_has_role(coalesce(CAST(:login AS name), session_user), CAST(:role AS name), :how)")
    return bool(connection.execute(asked, {"login": login, "role": role, "how": how}).scalar_one())


def _has_role(connection: Connection, role: str) -> bool:
    found = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
    return found.first() is not None


def _statements(table: Table, owner: str, role: str | None) -> Iterator[str]:
    """All of it anew: whoever asks meanwhile waits."""
    for name in _OURS:
        yield f"DROP POLICY IF EXISTS {name} ON {table.name}"
    for policy in _policies(table, owner, role):
        yield policy.created_on(table)
    yield f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
    for who, verbs in _grants(table, role):
        yield f'REVOKE ALL ON {table.name} FROM "{who}"'
        if verbs:
            yield f'GRANT {", ".join(sorted(verbs))} ON {table.name} TO "{who}"'


def _policies(table: Table, owner: str, role: str | None) -> Iterator[_Policy]:
    yield _Policy("own_book", f"USING ({_IS_OWN})", "own_book * may all")
    yield _Policy("every_book", f'TO "{owner}" USING ({_NAMES_NONE})', f"every_book * may {owner}")
    if role and table in OVERSEEN:
        overseer = role + OVERSEER
        yield _Policy("overseen", f'FOR SELECT TO "{overseer}" USING (true)', f"overseen r may {overseer}")
    if role and "DELETE" not in GRANTS[table]:
        sandbox = role + SANDBOX
        applies = f'AS RESTRICTIVE FOR DELETE TO "{sandbox}" USING ({_IS_SANDBOX})'
        yield _Policy("sandbox_alone", applies, f"sandbox_alone d must {sandbox}")


def _grants(table: Table, role: str | None) -> Iterator[tuple[str, Verbs]]:
    if role:
        yield role, GRANTS[table]
        yield role + OVERSEER, frozenset({"SELECT"} if table in OVERSEEN else ())
        yield role + SANDBOX, GRANTS[table] | ({"DELETE"} if table in EMPTIED else set())
