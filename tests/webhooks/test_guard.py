"""The guard: only URLs that everybody reads alike, only addresses that are public; else nothing is dialled."""

import json
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.addresses import forbidden
from app.webhooks.guard import NameNotResolved, Target, UrlRefused, checked_url, vetted
from app.webhooks.resolve import SystemResolver

PUBLIC, OTHER, PUBLIC6 = "93.184.216.34", "93.184.216.35", "2606:2800:220:1::1"


def checked(url: str) -> Target:
    return checked_url(url, allow_loopback=False)


class Resolver:
    """Answers what the test says, one answer after the other, and counts how often it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


@pytest.mark.parametrize(
    ("url", "host", "path", "authority"),
    [
        ("https://example.com", "example.com", "/", "example.com"),
        ("HTTPS://Example.COM:443/a/b?c=d&e=%20", "example.com", "/a/b?c=d&e=%20", "example.com"),
        ("https://a-b.example.com:8443?x", "a-b.example.com", "/?x", "a-b.example.com:8443"),
        ("https://bücher.example.com/", "xn--bcher-kva.example.com", "/", "xn--bcher-kva.example.com"),
        ("https://xn--bcher-kva.example.com", "xn--bcher-kva.example.com", "/", "xn--bcher-kva.example.com"),
        ("https://93.184.216.34/", "93.184.216.34", "/", "93.184.216.34"),
        ("https://[2606:2800:220:1:0:0:0:1]:8443/", "2606:2800:220:1::1", "/", "[2606:2800:220:1::1]:8443"),
    ],
)
def test_a_public_https_url_leads_somewhere(url: str, host: str, path: str, authority: str) -> None:
    target = checked(url)

    assert (target.scheme, target.host, target.path, target.authority) == ("https", host, path, authority)


REFUSED: dict[str, list[str]] = json.loads((Path(__file__).parent / "refused.json").read_text())
URLS, NAMES, NUMBERS, PRIVATE, IN_DEVELOPMENT = REFUSED.values()


@pytest.mark.parametrize("url", URLS)
def test_a_url_that_some_read_otherwise_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        checked(url)


@pytest.mark.parametrize("host", NAMES + NUMBERS + PRIVATE)
@pytest.mark.parametrize("port", ["", ":443"])
def test_a_host_that_is_no_name_and_no_public_address_is_refused(host: str, port: str) -> None:
    with pytest.raises(UrlRefused):
        checked(f"https://{host}{port}/hook")


@given(
    st.text(max_size=60)
    | st.text("0123456789abcdefx.:[]%@/\\?#-_ \u0660\uff11\u3002", max_size=30).map("https://{}".format)
)
def test_no_text_is_taken_for_anything_but_a_public_place(url: str) -> None:
    try:
        target = checked(url)
    except UrlRefused:
        return
    assert (target.scheme, target.port in (443, 8443), target.host.isascii()) == ("https", True, True)
    assert [address for address in target.addresses if forbidden(address)] == []
    assert target.addresses or not target.host.replace(".", "").isdigit()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://10.0.0.1/services/secret", "its address is private"),
        ("https://example.com:8080/services/secret", "its port is not one of 443, 8443"),
    ],
)
def test_the_reason_says_what_is_wrong_and_nothing_of_what_was_sent(url: str, reason: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        checked(url)

    assert refused.value.reason == reason


LOOPBACK = ["127.0.0.1", "[::1]", "localhost", "LocalHost"]


@pytest.mark.parametrize("host", LOOPBACK)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_loopback_is_allowed_in_development_on_any_port(scheme: str, host: str) -> None:
    resolver = Resolver([PUBLIC])
    target = checked_url(f"{scheme}://{host}:8400/hook", allow_loopback=True)

    assert set(await vetted(target, resolver)) <= {"127.0.0.1", "::1"}
    assert (target.authority, resolver.asked) == (f"{host.lower()}:8400", [])


@pytest.mark.parametrize("host", LOOPBACK)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_loopback_is_refused_otherwise(scheme: str, host: str) -> None:
    with pytest.raises(UrlRefused):
        checked(f"{scheme}://{host}/hook")


@pytest.mark.parametrize("url", IN_DEVELOPMENT)
def test_even_in_development_nothing_else_is_allowed(url: str) -> None:
    with pytest.raises(UrlRefused):
        checked_url(url, allow_loopback=True)


async def test_a_name_is_resolved_once_and_the_best_address_of_each_family_is_dialled() -> None:
    resolver = Resolver([PUBLIC6, PUBLIC, OTHER])

    assert await vetted(checked("https://example.com/"), resolver) == (PUBLIC6, PUBLIC)
    assert resolver.asked == ["example.com"]


@pytest.mark.parametrize(
    "inside", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "fd00::1", "::ffff:10.0.0.1", "fe80::1%2"]
)
@pytest.mark.parametrize("answer", [["{}"], [PUBLIC, "{}"], ["{}", PUBLIC6], [PUBLIC, PUBLIC6, OTHER, "{}"]])
async def test_one_address_inside_spoils_the_whole_answer(inside: str, answer: list[str]) -> None:
    resolver = Resolver([text.format(inside) for text in answer])

    with pytest.raises(UrlRefused, match=r"^an address of its name is ") as refused:
        await vetted(checked("https://example.com/"), resolver)

    assert inside not in refused.value.reason
    assert not isinstance(refused.value, NameNotResolved)


async def test_even_in_development_a_name_may_not_lead_inside() -> None:
    target = checked_url("https://example.com/", allow_loopback=True)

    with pytest.raises(UrlRefused):
        await vetted(target, Resolver(["127.0.0.1"]))


async def test_an_address_is_not_resolved() -> None:
    resolver = Resolver([OTHER])

    assert await vetted(checked(f"https://{PUBLIC}/"), resolver) == (PUBLIC,)
    assert resolver.asked == []


async def test_a_name_without_addresses_does_not_resolve() -> None:
    with pytest.raises(NameNotResolved, match="the name does not resolve"):
        await vetted(checked("https://example.com/"), Resolver([]))


@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), UnicodeError(), OSError()])
async def test_a_resolver_that_fails_finds_nothing(error: Exception) -> None:
    async def failing(name: str) -> Sequence[str]:
        raise error

    with pytest.raises(NameNotResolved):
        await vetted(checked("https://example.com/"), failing)


async def test_the_system_is_asked_in_earnest() -> None:
    assert "127.0.0.1" in await SystemResolver()("localhost")
