"""`goodwill doctor`: looks at everything the service stands on, changes nothing, and says what to do."""

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from app.cli.doctor_check import Check, Verdict, fail
from app.cli.doctor_database import database_checks
from app.cli.doctor_machine import disk_checks, port_checks
from app.cli.doctor_settings import settings_found

_STYLE_OF = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False) -> None:
    """Check settings, database, migrations, clock, keys, disk and port; exit code 1 if something fails."""
    checks = asyncio.run(_examined())
    worst = max((check.verdict for check in checks), key=list(Verdict).index)
    if as_json:
        print(json.dumps({"verdict": worst, "checks": [check.as_json() for check in checks]}, indent=2))
    else:
        _print(checks)
    raise typer.Exit(1 if worst is Verdict.FAIL else 0)


async def _examined() -> list[Check]:
    settings, checks, impossible = settings_found()
    if "database_url" in impossible:
        checks.append(fail("database", "not looked at", "mend GOODWILL_DATABASE_URL first"))
    else:
        checks += [*await database_checks(settings), *disk_checks(settings)]
    return [*checks, *await port_checks(settings)]


def _print(checks: Sequence[Check]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    width = max(len(check.name) for check in checks)
    for check in checks:
        console.print(
            Text.assemble((f"{check.verdict:4}", _STYLE_OF[check.verdict]), f"  {check.name:{width}}  {check.says}")
        )
        if check.advice:
            console.print(Text(f"      {'':{width}}  -> {check.advice}"))
    counted = [sum(check.verdict is verdict for check in checks) for verdict in Verdict]
    console.print(f"\n{counted[0]} ok, {counted[1]} to look at, {counted[2]} failed")
