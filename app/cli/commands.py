"""The command `goodwill` and its subcommands."""

import typer

from app.cli import keys, openapi, serve

app = typer.Typer(
    name="goodwill",
    help="One emotional bank account per customer.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("serve")(serve.serve)
app.command("openapi")(openapi.print_openapi)
app.add_typer(keys.app, name="keys")


def main() -> None:
    """Run the command."""
    app()
