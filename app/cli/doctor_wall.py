"""The doctor looks at the wall between the books on PostgreSQL."""

from sqlalchemy.ext.asyncio import AsyncConnection

from app.cli.doctor_check import Check, ok, warn
from app.database import Database
from app.wall import may_be, unwalled


async def wall_check(database: Database, connection: AsyncConnection) -> Check:
    """Whether it stands; `database.role` is none from then on if it does not. Requires the schema of this release."""
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
