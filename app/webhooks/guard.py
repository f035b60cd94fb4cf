"""Where a webhook may go: the URL first, then every address that its name resolves to."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import idna

from app.webhooks.addresses import forbidden

URL_CHARACTERS_MAX = 2_000
PORTS = {443, 8443}
LOOPBACK = {"127.0.0.1": ("127.0.0.1",), "[::1]": ("::1",), "localhost": ("127.0.0.1", "::1")}

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""From a name to all its addresses as text, best first; raises OSError if there are none."""

_URL = re.compile(r"(?P<scheme>[^:/?#]+)://(?P<authority>[^/?#]*)(?P<path>/[^?]*)?(?P<query>\?.*)?")
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[1-9][0-9]{0,4}))?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # how the last label of an IPv4 address in any of its forms looks


class UrlRefused(Exception):
    """Nothing is sent to this URL, or not now; `reason` says why, and holds nothing of the URL or of its addresses."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NameNotResolved(UrlRefused):
    """The name has no address at present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL that may be used. `host` is a name in ASCII or an address without brackets, `path` holds the query;
    `addresses` are those that need no resolving: the host itself, or loopback's."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...] = ()

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _default_port(self.scheme) else f"{host}:{self.port}"


def checked_url(url: str, *, allow_loopback: bool) -> Target:
    """Where the URL leads, in the one reading that all agree on; UrlRefused for any other URL."""
    scheme, authority, path = _parts(url)
    if "@" in authority:
        raise UrlRefused("it holds a user or a password")
    found = _AUTHORITY.fullmatch(authority)
    if not found:
        raise UrlRefused("its host or port cannot be read")
    host = found["host"].encode().lower().decode()  # of ASCII alone; text.lower() makes a plain k of the Kelvin sign
    port = int(found["port"] or _default_port(scheme))
    if allow_loopback and host in LOOPBACK and port <= 65_535:
        return Target(scheme=scheme, host=host.strip("[]"), port=port, path=path, addresses=LOOPBACK[host])
    return _public(scheme, host, port, path)


async def vetted(target: Target, resolve: Resolve) -> tuple[str, ...]:
    """The addresses that may be dialled, the best of each family. The name is resolved once; if a single one of its
    addresses may not be had, all are refused (UrlRefused), and NameNotResolved if it has none."""
    if target.addresses:
        return target.addresses
    try:
        addresses = await resolve(target.host)
    except (OSError, UnicodeError):
        addresses = ()
    if not addresses:
        raise NameNotResolved("the name does not resolve")
    for address in addresses:
        _refuse_forbidden(address, of="an address of its name")
    families: dict[bool, str] = {}
    for address in addresses:
        families.setdefault(":" in address, address)
    return tuple(families.values())


def _parts(url: str) -> tuple[str, str, str]:
    """Scheme, authority, path with query."""
    if len(url) > URL_CHARACTERS_MAX:
        raise UrlRefused(f"it is longer than {URL_CHARACTERS_MAX:,} characters")
    if not url.isprintable() or " " in url or "\\" in url:
        raise UrlRefused("it holds a control character, a space or a backslash")
    if "#" in url:
        raise UrlRefused("it holds a fragment")
    found = _URL.fullmatch(url)
    scheme = found["scheme"].lower() if found else ""
    if not found or scheme not in ("http", "https"):
        raise UrlRefused("it is not an https URL")
    path = (found["path"] or "/") + (found["query"] or "")
    if not path.isascii():
        raise UrlRefused("its path or query holds characters that must be percent-encoded")
    return scheme, found["authority"], path


def _public(scheme: str, host: str, port: int, path: str) -> Target:
    if scheme != "https":
        raise UrlRefused("it is not an https URL")
    if port not in PORTS:
        raise UrlRefused(f"its port is not one of {', '.join(map(str, sorted(PORTS)))}")
    literal = _literal(host)
    if literal is None:
        return Target(scheme=scheme, host=_name(host), port=port, path=path)
    _refuse_forbidden(literal, of="its address")
    return Target(scheme=scheme, host=literal, port=port, path=path, addresses=(literal,))


def _literal(host: str) -> str | None:
    """The address if the host is one; None if it is a name."""
    try:
        if host.startswith("["):
            return str(IPv6Address(host[1:-1]))
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            return str(IPv4Address(host))
    except AddressValueError:
        raise UrlRefused("an address is written as four decimal numbers, or as IPv6 in brackets") from None
    return None


def _name(host: str) -> str:
    """The name in ASCII. Nothing is mapped to anything (as full-width digits would be): what is not in the normal form
    already is refused."""
    if host.endswith("."):
        raise UrlRefused("its host ends with a full stop")
    try:
        name = idna.encode(host, strict=True).decode()
    except idna.IDNAError:
        name = ""
    if "." not in name:
        raise UrlRefused("its host is no name of the internet")
    return name


def _refuse_forbidden(address: str, *, of: str) -> None:
    words = forbidden(address)
    if words is not None:
        raise UrlRefused(f"{of} is {words}")


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80
