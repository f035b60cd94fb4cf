"""Nothing that IANA keeps for a purpose, and nothing that leads inside, is ever dialled."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.addresses import RANGES, forbidden

# The IANA IPv4 and IPv6 Special-Purpose Address Registries, all their rows (with the note on each of 192.0.0.0/24 and
# 2001::/23), and the ranges of the IPv4 and IPv6 address space registries that are given to nobody.
IANA = [
    *("0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32"),
    *("192.0.0.171/32", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
    *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32"),
    *("::1/128", "::/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64"),
    *("2001::/23", "2001::/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32"),
    *("2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16"),
    *("2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10"),
    *("224.0.0.0/4", "::/8", "100::/8", "200::/7", "400::/6", "800::/5", "1000::/4", "4000::/3", "6000::/3"),
    *("8000::/3", "a000::/3", "c000::/3", "e000::/4", "f000::/5", "f800::/6", "fe00::/9", "fec0::/10", "ff00::/8"),
]
# Public servers of many owners, and the neighbours of what is forbidden.
PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"),
    *("126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0"),
    *("192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255"),
    *("168.63.129.15", "168.63.129.17", "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001:800::200e"),
    *("2001:200::1", "2003::1", "2620:4f:7fff::1", "3ffd::1", "2001:db7:ffff::1", "2001:db9::1"),
]
METADATA = ["169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"]


def inside(network: str) -> st.SearchStrategy[IPv4Address | IPv6Address]:
    kept = ip_network(network)
    return st.integers(int(kept[0]), int(kept[-1])).map(type(kept[0]))


@pytest.mark.parametrize("network", sorted({*IANA, *(network for network, _ in RANGES)}))
def test_a_range_kept_for_a_purpose_is_forbidden_from_end_to_end(network: str) -> None:
    kept = ip_network(network)

    assert [str(address) for address in (kept[0], kept[-1], kept[kept.num_addresses // 2]) if allowed(address)] == []


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert forbidden(address) is None


@pytest.mark.parametrize("address", METADATA)
def test_a_clouds_metadata_is_called_so(address: str) -> None:
    assert forbidden(address) == "a cloud's metadata"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("10.0.0.1", "private"),
        ("127.8.8.8", "loopback"),
        ("100.64.0.1", "shared by a carrier (CGNAT)"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified"),
        ("::ffff:8.8.8.8", "IPv4 in IPv6"),
        ("64:ff9b::808:808", "translated (NAT64)"),
        ("2002:808:808::1", "tunnelled (6to4)"),
        ("2001:0:808:808::1", "tunnelled (Teredo)"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "of one machine's network"),
        ("2606:4700:4700::1111%eth0", "of one machine's network"),
        ("4000::1", "reserved"),
        ("nonsense", "none"),
        ("010.0.0.1", "none"),
    ],
)
def test_the_words_say_what_an_address_is(address: str, words: str) -> None:
    assert forbidden(address) == words


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), st.sampled_from(IANA).flatmap(inside)))
def test_what_is_allowed_is_global_and_leads_to_no_ipv4_in_disguise(address: IPv4Address | IPv6Address) -> None:
    if forbidden(str(address)) is None:
        assert address.is_global
        assert not address.is_multicast
        assert isinstance(address, IPv4Address) or not (address.ipv4_mapped or address.sixtofour or address.teredo)


@given(st.sampled_from(IANA).flatmap(inside))
def test_no_address_of_a_registered_range_is_allowed(address: IPv4Address | IPv6Address) -> None:
    assert forbidden(str(address)) is not None


def allowed(address: IPv4Address | IPv6Address) -> bool:
    return forbidden(str(address)) is None
