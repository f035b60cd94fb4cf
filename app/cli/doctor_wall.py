"""The doctor looks at the wall between the books on PostgreSQL."""

from sqlalchemy.ext.asyncio import AsyncConnection

from app.cli.doctor_check import Check, fail, ok, warn
from app.database import Database
from app.wall import goes_past, may_be, sees_all, unwalled
from app.walling import GOES_PAST, NOT_THE_OWNER, SEES_NOTHING, login_of


async def wall_check(database: Database, connection: AsyncConnection) -> tuple[Check, bool]:
    """Whether it stands, and whether we see the books; `database.role` is none from then on if it does not stand.

    `connection` is the owner's. Requires the schema of this release.
    """
    wanted, database.role = database.wanted_role, None
    async with database.apart(database.url) as own:
        sees = await own.run_sync(sees_all)
    if wanted is None:
        advice = "leave GOODWILL_DATABASE_ROLE alone: the code asks for one book alone, and nothing stands behind it"
        return _seen(warn("wall", "GOODWILL_DATABASE_ROLE is none", advice), sees=sees)
    if await connection.run_sync(goes_past, wanted):
        return fail("wall", f"it would not hold the role {wanted}", GOES_PAST), False
    if not await connection.run_sync(may_be, await login_of(database), wanted):
        advice = "the next goodwill serve makes it, if it may; docs/settings.md says how to make it by hand"
        return _seen(warn("wall", f"there is no role {wanted}, or who connects may not be it", advice), sees=sees)
    if missing := await connection.run_sync(unwalled, wanted):
        says = f"something is missing at {', '.join(table.name for table in missing)}"
        if await connection.run_sync(sees_all):
            return warn("wall", says, "the next goodwill serve puts it up"), sees
        return fail("wall", says, NOT_THE_OWNER), False
    database.role = wanted
    return ok("wall", f"row-level security stands between the books; the service works as {wanted}"), True


def _seen(check: Check, *, sees: bool) -> tuple[Check, bool]:
    return (check, True) if sees else (fail("wall", check.says, SEES_NOTHING), False)
