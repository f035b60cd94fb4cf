"""The vetted address is dialled, in the name that was vetted: SNI, certificate, kept connections."""

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
import trustme

from app.webhooks.send import Sender
from tests.webhooks.receivers import (
    PUBLIC,
    PUBLIC6,
    Internet,
    Names,
    answering,
    on_loopback,
    receiving,
    sent,
)

NAME, OTHER_NAME = "hooks.example.com", "hooks.example.net"
CLOSED = "closed the connection before its answer was complete"
MOVED = "93.184.216.35"
URL = f"https://{NAME}/hook"
YEARS_AGO = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def certified(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """The receiver's side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """Our side, as by default but for whom it trusts."""
    context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    return context


def through(internet: Internet, authority: trustme.CA, names: Names | None = None, *, seconds: float = 4.0) -> Sender:
    return Sender(
        resolve=names or Names({NAME: [[PUBLIC]], OTHER_NAME: [[PUBLIC]]}),
        allow_loopback=False,
        ssl_context=trusting(authority),
        network=internet,
        connect_seconds=seconds,
        total_seconds=seconds,
    )


async def refused(certificate: trustme.LeafCert, authority: trustme.CA) -> str | None:
    """What is said of a receiver with this certificate; it must not have got the message."""
    async with (
        receiving(answering("200 OK"), certified(certificate)) as receiver,
        through(Internet((PUBLIC, receiver)), authority) as sender,
    ):
        attempt = await sent(sender, URL)
    assert receiver.requests == []
    return attempt.error


async def test_the_vetted_address_is_dialled_in_the_receivers_name(authority: trustme.CA) -> None:
    async with receiving(answering("200 OK"), certified(authority.issue_cert(NAME))) as receiver:
        internet = Internet((PUBLIC, receiver))
        async with through(internet, authority) as sender:
            attempt = await sent(sender, f"https://{NAME}:8443/hook")

    assert attempt.error is None
    assert internet.dialled == [(PUBLIC, 8443)]
    assert receiver.names == [NAME]
    assert receiver.requests[0].headers["host"] == f"{NAME}:8443"


async def test_an_address_is_certified_as_such(authority: trustme.CA) -> None:
    async with (
        receiving(answering("200 OK"), certified(authority.issue_cert(PUBLIC))) as receiver,
        through(Internet((PUBLIC, receiver)), authority) as sender,
    ):
        attempt = await sent(sender, f"https://{PUBLIC}/")

    assert attempt.error is None
    assert receiver.requests[0].headers["host"] == PUBLIC


async def test_a_certificate_of_another_name_is_refused(authority: trustme.CA) -> None:
    error = await refused(authority.issue_cert(OTHER_NAME, PUBLIC), authority)

    assert error == f"certificate: Hostname mismatch, certificate is not valid for '{NAME}'"


async def test_an_expired_certificate_is_refused(authority: trustme.CA) -> None:
    begun, ended = YEARS_AGO
    error = await refused(authority.issue_cert(NAME, not_before=begun, not_after=ended), authority)

    assert error == "certificate: certificate has expired"


async def test_a_certificate_of_an_unknown_authority_is_refused(authority: trustme.CA) -> None:
    error = await refused(trustme.CA().issue_cert(NAME), authority)

    assert error == "certificate: unable to get local issuer certificate"


async def test_by_default_the_authorities_of_the_world_are_trusted_and_no_other(authority: trustme.CA) -> None:
    async with (
        receiving(answering("200 OK"), certified(authority.issue_cert("localhost", "127.0.0.1"))) as receiver,
        Sender(resolve=Names(), allow_loopback=True) as sender,
    ):
        attempt = await sent(sender, f"https://localhost:{receiver.port}/")

    assert str(attempt.error).startswith("certificate: ")
    assert receiver.names == ["localhost"]


async def test_a_receiver_that_wants_our_certificate_is_told_in_words(authority: trustme.CA) -> None:
    context = certified(authority.issue_cert(NAME))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)

    async with (
        receiving(answering("200 OK"), context) as receiver,
        through(Internet((PUBLIC, receiver)), authority) as sender,
    ):
        attempt = await sent(sender, URL)

    # Which of the two depends on whether the alert or the reset comes first.
    assert attempt.error in ("TLS: tlsv13 alert certificate required", CLOSED)


async def test_a_receiver_that_speaks_no_tls_is_told_in_words(authority: trustme.CA) -> None:
    async with (
        receiving(answering("200 OK"), greeting=b"220 mail.example.com ESMTP\r\n") as receiver,
        on_loopback() as sender,
    ):
        attempt = await sent(sender, f"https://127.0.0.1:{receiver.port}/")

    assert attempt.error == "TLS: wrong version number"


async def test_a_handshake_that_hangs_counts_as_not_connected(authority: trustme.CA) -> None:
    async with receiving(answering("200 OK")) as receiver, through(Internet((PUBLIC, receiver)), authority) as sender:
        sender._connect_seconds = 0.2
        attempt = await sent(sender, URL)

    assert attempt.error == "did not connect within 0.2 s"


async def test_a_handshake_that_is_cancelled_hangs_up(authority: trustme.CA) -> None:
    async with receiving(answering("200 OK")) as receiver:
        async with through(Internet((PUBLIC, receiver)), authority, seconds=0.2) as sender:
            attempt = await sent(sender, URL)
        await asyncio.wait_for(receiver.left.wait(), 4)

    assert attempt.error in ("no answer within 0.2 s", "did not connect within 0.2 s")


async def test_a_name_that_turns_inside_after_it_was_vetted_leads_nowhere(authority: trustme.CA) -> None:
    """DNS rebinding: each attempt vets anew, and dials what it vetted."""
    names = Names({NAME: [[PUBLIC], ["127.0.0.1"], [PUBLIC, "127.0.0.1"]]})
    async with receiving(answering("200 OK", "connection: close"), certified(authority.issue_cert(NAME))) as receiver:
        internet = Internet((PUBLIC, receiver), ("127.0.0.1", receiver))
        async with through(internet, authority, names) as sender:
            errors = [(await sent(sender, URL)).error for _ in range(3)]

    assert errors == [None, *["refused: an address of its name is loopback"] * 2]
    assert internet.dialled == [(PUBLIC, 443)]


async def test_a_kept_connection_serves_only_its_own_name(authority: trustme.CA) -> None:
    """Two names at one address: the second must show its own certificate, however well the first did."""
    async with (
        receiving(answering("200 OK"), certified(authority.issue_cert(NAME))) as receiver,
        through(Internet((PUBLIC, receiver)), authority) as sender,
    ):
        errors = [(await sent(sender, f"https://{name}/")).error for name in (NAME, OTHER_NAME, NAME)]

    assert errors == [None, f"certificate: Hostname mismatch, certificate is not valid for '{OTHER_NAME}'", None]
    assert receiver.names == [NAME, OTHER_NAME]
    assert receiver.connections == 1


async def test_a_kept_connection_serves_only_its_own_address(authority: trustme.CA) -> None:
    context = certified(authority.issue_cert(NAME))
    async with receiving(answering("200 OK"), context) as old, receiving(answering("200 OK"), context) as new:
        internet = Internet((PUBLIC, old), (MOVED, new))
        async with through(internet, authority, Names({NAME: [[PUBLIC], [MOVED]]})) as sender:
            errors = [(await sent(sender, URL)).error for _ in range(2)]

    assert errors == [None, None]
    assert (len(old.requests), len(new.requests)) == (1, 1)


async def test_where_one_family_of_addresses_is_dead_the_other_is_dialled(authority: trustme.CA) -> None:
    async with receiving(answering("200 OK"), certified(authority.issue_cert(NAME))) as receiver:
        internet = Internet((PUBLIC, receiver))
        async with through(internet, authority, Names({NAME: [[PUBLIC6, PUBLIC]]})) as sender:
            attempt = await sent(sender, URL)

    assert attempt.error is None
    assert internet.dialled == [(PUBLIC6, 443), (PUBLIC, 443)]


async def test_a_name_that_does_not_resolve_is_told_in_words(authority: trustme.CA) -> None:
    async with through(Internet(), authority) as sender:
        attempt = await sent(sender, "https://nowhere.example.com/")

    assert attempt.error == "the name does not resolve"


async def test_a_name_whose_servers_are_silent_is_told_in_words(authority: trustme.CA) -> None:
    async def silent(_name: str) -> Sequence[str]:
        await asyncio.sleep(9)
        return []

    async with Sender(resolve=silent, allow_loopback=False, connect_seconds=0.1) as sender:
        attempt = await sent(sender, URL)

    assert attempt.error == "the name does not resolve within 0.1 s"
