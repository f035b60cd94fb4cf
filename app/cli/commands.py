"""The command `goodwill` and its subcommands."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

_COMMANDS = {
    "serve": "app.cli.serve:serve",
    "work": "app.cli.work:work",
    "listen": "app.cli.listen:listen",
    "demo": "app.cli.demo:demo",
    "doctor": "app.cli.doctor:doctor",
    "export": "app.cli.export:export",
    "verify": "app.cli.verify:verify",
    "backup": "app.cli.backup:backup",
    "erase": "app.cli.erase:erase",
    "rebuild": "app.cli.rebuild:rebuild",
    "import": "app.cli.importing.command:import_file",
    "openapi": "app.cli.openapi:print_openapi",
    "keys": "app.cli.keys:app",
}


class _Commands(TyperGroup):
    """Each is loaded when it is asked for: a server holds nothing of the others, and starts sooner."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - it is handed over by this name
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        found = getattr(import_module(module), name)
        if not isinstance(found, typer.Typer):
            found, function = typer.Typer(add_completion=False), found
            found.command(cmd_name)(function)
        command = get_command(found)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="goodwill",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def goodwill() -> None:
    """One emotional bank account per customer."""


def main() -> None:
    """Run the command."""
    app()
