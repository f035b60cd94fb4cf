"""The doctor looks at the wall between the books on PostgreSQL."""

from sqlalchemy.ext.asyncio import AsyncConnection

from app.cli.doctor_check import Check, fail, ok, warn
from app.database import Database
from app.wall import may_be, schema_of, sees_all, unwalled


async def wall_check(database: Database, connection: AsyncConnection) -> Check:
    """Whether it stands; `database.role` is none from then on if it does not. Requires the schema of this release."""
    check = await _standing(database, connection)
    database.schema = await connection.run_sync(schema_of)
    if database.role is None:
        async with database.oversee() as tx:
            if not await tx.run_sync(sees_all):
                advice = "let it be the role that serves (GRANT goodwill_app TO …), as docs/settings.md says"
                return fail("wall", "who logs in does not own the tables, and would see no book", advice)
    return check


async def _standing(database: Database, connection: AsyncConnection) -> Check:
    role, database.role = database.role, None
    if role is None:
        advice = "leave GOODWILL_DATABASE_ROLE alone: the code asks for one book alone, and nothing stands behind it"
        return warn("wall", "GOODWILL_DATABASE_ROLE is none", advice)
    if not await connection.run_sync(may_be, database.login, role):
        advice = "the next goodwill serve makes it, if it may; docs/settings.md says how to make it by hand"
        return warn("wall", f"there is no role {role}, or who connects may not be it", advice)
    if missing := await connection.run_sync(unwalled, role):
        says = f"something is missing at {', '.join(table.name for table in missing)}"
        return warn("wall", says, "the next goodwill serve puts it up")
    database.role = role
    return ok("wall", f"row-level security stands between the books; the service works as {role}")
