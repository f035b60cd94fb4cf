"""The headers that every answer has, so that a browser does no more with it than read it (OWASP, REST security).

Nothing here says Strict-Transport-Security: whoever ends TLS before us knows whether all of its host speaks it.
"""

_NOTHING = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

ALL: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", _NOTHING),
    (b"cache-control", b"no-store"),  # it tells of customers
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),  # for browsers that do not know frame-ancestors
    (b"referrer-policy", b"no-referrer"),  # an address may hold a customer's name
    (b"cross-origin-resource-policy", b"same-origin"),
)
_OWN = {b"content-security-policy", b"cache-control"}  # what an answer may have of its own


def add_safe_headers(headers: list[tuple[bytes, bytes]]) -> None:
    """Add them to an answer's; a policy or a caching of its own stays."""
    kept = {name for name, _ in headers if name in _OWN}
    headers += ALL if not kept else (each for each in ALL if each[0] not in kept)


def page_policy(script_hash: str) -> bytes:
    """The policy of a page that loads all from here, and runs one script of its own: that of this SHA-256, base64."""
    page = f"script-src 'self' 'sha256-{script_hash}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
    return f"{_NOTHING.decode()}; {page}; connect-src 'self'".encode()
