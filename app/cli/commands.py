"""The command `goodwill` and its subcommands."""

import typer

from app.cli import backup, demo, doctor, export, keys, listen, openapi, rebuild, serve, verify, work
from app.cli.importing import command

app = typer.Typer(
    name="goodwill",
    help="One emotional bank account per customer.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("serve")(serve.serve)
app.command("work")(work.work)
app.command("listen")(listen.listen)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("export")(export.export)
app.command("verify")(verify.verify)
app.command("backup")(backup.backup)
app.command("rebuild")(rebuild.rebuild)
app.command("import")(command.import_file)
app.command("openapi")(openapi.print_openapi)
app.add_typer(keys.app, name="keys")


def main() -> None:
    """Run the command."""
    app()
