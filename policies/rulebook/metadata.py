"""Addresses that no rule should lead to: link-local ones, where a cloud hands its machines their credentials."""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from policies.rulebook.findings import Finding, shown
from policies.rules.rules import Position, Rules

_NAMES = ("metadata.google.internal", "metadata.goog", "instance-data.ec2.internal")
_ELSEWHERE = frozenset(  # metadata at addresses that are not link-local
    {ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")}
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
_PART = re.compile(r"0x[0-9a-f]{1,8}|[0-9]{1,11}", re.ASCII)
_URL = "url"
_EXPECTED = "an address that is not of a machine's own network: clouds hand out credentials there"


def is_metadata(host: str) -> bool:
    """Whether a host, with or without port, is link-local or a cloud's metadata, however its number is written."""
    name = _without_port(host).lower().rstrip(".")
    if any(name == one or name.endswith(f".{one}") for one in _NAMES):
        return True
    found = _ip(name)
    inner = _embedded(found) if isinstance(found, ipaddress.IPv6Address) else None
    return any(one.is_link_local or one in _ELSEWHERE for one in (found, inner) if one)


def metadata_findings(rules: Rules) -> Iterator[Finding]:
    """Yield the addresses of rules that lead there: of gates, images, registries, sources and links."""
    for what, host, at in _hosts(rules):
        if is_metadata(host):
            yield Finding(at, f"{what} leads to {shown(host)}, a link-local or metadata address", _EXPECTED)


def _hosts(rules: Rules) -> Iterator[tuple[str, str, Position]]:
    for where in (*rules.environments.values(), *rules.exceptions.values()):
        for gate in where.gates:
            for url in gate.settings.get(_URL, ()):
                yield f"{gate.kind} of {where.name}", _host_of(url), gate.at
        if where.pulled_from:
            yield f"pulled-from of {where.name}", where.pulled_from.partition("/")[0], where.at
    for service in rules.services.values():
        for image in service.images:
            yield f"the image of {service.name}", image.host, service.at
        for name, url in (("source", service.source), *service.links):
            yield f"{name} of {service.name}", _host_of(url), service.at
    for name, host in rules.registries.items():
        yield "a registry", name, host.at


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.count(":") > 1 else host.partition(":")[0]


def _ip(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return _as_resolvers_read(name)


def _as_resolvers_read(name: str) -> ipaddress.IPv4Address | None:
    """Return the address that resolvers make of one to four numbers, in base 8, 10 or 16 (POSIX, ``inet_addr``)."""
    parts = name.split(".")
    if len(parts) > 4 or not all(_PART.fullmatch(one) for one in parts):  # noqa: PLR2004  bytes of an address
        return None
    try:
        numbers = [int(one, 8 if one[0] == "0" and one[1:2] not in {"", "x"} else 0) for one in parts]
    except ValueError:  # an 8 or a 9 in base 8
        return None
    *high, low = numbers
    room = 4 - len(high)
    if any(one > 255 for one in high) or low >= 256**room:  # noqa: PLR2004  what a byte holds
        return None
    return ipaddress.IPv4Address(sum(one << (24 - 8 * place) for place, one in enumerate(high)) + low)


def _embedded(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the address of the older protocol that one of the newer leads to."""
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour
