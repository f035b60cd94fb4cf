"""`goodwill listen`: webhook messages in the terminal as they arrive, verified."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

import typer

from app.cli.listen_receiver import Receiver
from app.cli.session import Book, existing_book, fail, opened_ledger, run, settings_or_exit
from app.domain.subscription import NAMED_ONLY
from app.domain.webhook_errors import UnknownSubscription
from app.operations.subscribe import Wish, subscribe, unsubscribe
from app.webhooks.headline import log_line
from app.webhooks.sign import InvalidSecret, parse_secret

HOST = "127.0.0.1"
EVERYTHING = ",".join(["*", *sorted(NAMED_ONLY)])
DESCRIPTION = "goodwill listen"

Port = Annotated[int, typer.Option(min=0, max=65535, help=f"of {HOST}; 0: any that is free")]
Types = Annotated[str | None, typer.Option(help="such as 'debit.*,account.overdrawn'; without it everything")]
GivenSecret = Annotated[str | None, typer.Option(help="of a subscription made by hand; then none is made here")]
AsJson = Annotated[bool, typer.Option("--json", help="the body of each message, as one line of JSON")]


def listen(
    port: Port = 0, book: Book = None, types: Types = None, secret: GivenSecret = None, as_json: AsJson = False
) -> None:
    """Print verified webhook messages as they arrive, of a subscription that lives as long as this command."""
    if secret is not None:
        _check_secret(secret, alone=book is None and types is None)
    run(_listen(port, book, EVERYTHING if types is None else types, secret, as_json=as_json))


async def _listen(port: int, book: str | None, types: str, secret: str | None, *, as_json: bool) -> None:
    receiver = Receiver(_show_json if as_json else _show_line)
    for stop in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again once it has ended; taken here, the subscription is deleted all the same.
        asyncio.get_running_loop().add_signal_handler(stop, receiver.stop)
    with _opened(port) as listener:
        url = f"http://{HOST}:{listener.getsockname()[1]}/"
        if secret is not None:
            typer.echo(f"Listening on {url}", err=True)
            await receiver.run(listener, secret)
        else:
            async with _subscribed(url, book, types) as made:
                await receiver.run(listener, made)


@asynccontextmanager
async def _subscribed(url: str, book: str | None, types: str) -> AsyncGenerator[str]:
    """The secret of a subscription that is deleted when the block ends."""
    if not settings_or_exit().webhooks_allow_loopback:
        fail("set GOODWILL_WEBHOOKS_ALLOW_LOOPBACK=true, here and for the `serve` or `work` that delivers")
    async with opened_ledger() as ledger:
        name = await existing_book(ledger, book)
        patterns = tuple(each.strip() for each in types.split(","))
        # One at a time, so that the lines stand in the order of the messages.
        wish = Wish(url=url, message_types=patterns, description=DESCRIPTION, max_in_flight=1)
        made, secret = await subscribe(ledger, name, wish)
        said = f"Listening on {url} for {', '.join(patterns)} of book {name}"
        typer.echo(f"{said} (subscription {made.subscription_id}, deleted when this ends)", err=True)
        try:
            yield secret
        finally:
            with suppress(UnknownSubscription):  # deleted by somebody else meanwhile
                await unsubscribe(ledger, name, made.subscription_id)


def _opened(port: int) -> socket.socket:
    """A socket that listens already: what is sent before we serve waits in its queue."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        fail(f"cannot listen on port {port}: {os.strerror(error.errno or 0).lower()}")


def _check_secret(secret: str, *, alone: bool) -> None:
    if not alone:
        fail("with --secret no subscription is made here: --book and --types go without it")
    try:
        parse_secret(secret)
    except InvalidSecret as error:
        fail(f"--secret: {error}")


def _show_line(message: dict[str, Any], message_id: str, is_repeat: bool) -> None:
    try:
        line = log_line(message)
    except (KeyError, TypeError, ValueError, AttributeError):  # signed, but a chat's body, or of a later release
        line = _json(message)
    print(_visible(f"{line}  {message_id}{'  (again)' if is_repeat else ''}"), flush=True)


def _show_json(message: dict[str, Any], message_id: str, is_repeat: bool) -> None:
    if is_repeat:  # whoever reads the lines does once what is to be done
        typer.echo(f"Again: {_visible(message_id)}", err=True)
    else:
        print(_visible(_json(message)), flush=True)


def _json(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def _visible(text: str) -> str:
    """What cannot be seen is escaped as in JSON: no customer's name moves the cursor or begins a line."""
    has_unicode = sys.stdout.encoding.lower().startswith("utf")
    return "".join(
        character if character.isprintable() and (has_unicode or character.isascii()) else _escaped(character)
        for character in text
    )


def _escaped(character: str) -> str:
    code = character.encode("utf-16-be").hex()
    return "".join(f"\\u{code[place : place + 4]}" for place in range(0, len(code), 4))
