"""Which addresses are nobody's webhook: each range that IANA keeps for a purpose, and what clouds keep to themselves.

The two registries (IPv4 and IPv6 special-purpose addresses) and RFC 5735, 6890, 8190; a range stands here even where
the registry calls it reachable, if no server of the public internet can have it. `ipaddress.is_global` is asked too,
but is not enough: on Python 3.11 it takes NAT64, 6to4, multicast and 5f00::/16 for public.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

_METADATA = "a cloud's metadata"
# The first that holds gives the word, so what is special within a range stands before it.
RANGES: tuple[tuple[str, str], ...] = (
    ("169.254.169.254/32", _METADATA),
    ("169.254.170.2/32", _METADATA),  # credentials of a container
    ("100.100.100.200/32", _METADATA),
    ("168.63.129.16/32", _METADATA),  # a public address that Azure answers inside each machine
    ("192.0.0.192/32", _METADATA),
    ("fd00:ec2::254/128", _METADATA),
    ("fd20:ce::254/128", _METADATA),
    ("0.0.0.0/32", "unspecified"),
    ("0.0.0.0/8", "of this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared by a carrier (CGNAT)"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "for protocols"),
    ("192.0.2.0/24", "for documentation"),
    ("192.31.196.0/24", "for AS112"),
    ("192.52.193.0/24", "for multicast relays (AMT)"),
    ("192.88.99.0/24", "a 6to4 relay"),
    ("192.168.0.0/16", "private"),
    ("192.175.48.0/24", "for AS112"),
    ("198.18.0.0/15", "for benchmarks"),
    ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("255.255.255.255/32", "broadcast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("::ffff:0:0/96", "IPv4 in IPv6"),
    ("::/96", "IPv4 in IPv6"),
    ("64:ff9b::/96", "translated (NAT64)"),
    ("64:ff9b:1::/48", "translated (NAT64)"),
    ("100::/64", "for discarding"),
    ("100:0:0:1::/64", "a dummy"),
    ("2001::/32", "tunnelled (Teredo)"),
    ("2001:2::/48", "for benchmarks"),
    ("2001:3::/32", "for multicast relays (AMT)"),
    ("2001:4:112::/48", "for AS112"),
    ("2001:10::/28", "an identifier (ORCHID)"),
    ("2001:20::/28", "an identifier (ORCHID)"),
    ("2001:30::/28", "an identifier (drones)"),
    ("2001::/23", "for protocols"),
    ("2001:db8::/32", "for documentation"),
    ("2002::/16", "tunnelled (6to4)"),
    ("2620:4f:8000::/48", "for AS112"),
    ("3ffe::/16", "for tests of long ago (6bone)"),
    ("3fff::/20", "for documentation"),
    ("5f00::/16", "a route's segment (SRv6)"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
)
GLOBAL_UNICAST = IPv6Network("2000::/3")  # all of IPv6 that was ever given to anybody

_NETWORKS: tuple[tuple[IPv4Network | IPv6Network, str], ...] = tuple(
    (ip_network(text), words) for text, words in RANGES
)


def forbidden(text: str) -> str | None:
    """Why nothing is sent to this address, after "its address is"; None if it may be dialled."""
    try:
        address = ip_address(text)
    except ValueError:
        return "none"
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return "of one machine's network"
    for network, words in _NETWORKS:
        if address in network:
            return words
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return "reserved"
    return None if address.is_global else "not public"
