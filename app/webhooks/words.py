"""What went wrong with a connection, in words that the owner of the other side can act on."""

import os
import ssl
from collections.abc import Iterator

import httpcore

from app.webhooks.dial import READ_BYTES_MAX, EnoughRead


def words_of(error: Exception) -> str:
    """One line."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return _about_tls(cause)
    if isinstance(error, EnoughRead):
        return f"the head of the answer is longer than {READ_BYTES_MAX:,} bytes"
    if isinstance(error, httpcore.ConnectError):
        return _why_not_connected(error)
    if isinstance(error, httpcore.ProtocolError) and not _is_about_closing(error):
        return "the answer is not HTTP/1.1"
    return "closed the connection before its answer was complete"


def _about_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message.rstrip('.')}"
    return f"TLS: {(error.reason or 'broken off').replace('_', ' ').lower()}"


def _why_not_connected(error: httpcore.ConnectError) -> str:
    codes = [cause.errno for cause in _causes(error) if isinstance(cause, OSError) and cause.errno]
    return f"did not connect: {os.strerror(codes[-1]).lower()}" if codes else "closed the connection when greeted"


def _is_about_closing(error: httpcore.ProtocolError) -> bool:
    """httpcore and h11 tell a broken connection from a broken answer by their text alone."""
    return "disconnected" in str(error) or "closed connection" in str(error)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
