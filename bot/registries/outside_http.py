"""One GET to an address of the rules: no redirect, nothing private unless allowed, a cap on size and time."""

import socket
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import pycurl

from bot.registries.oci import Response, is_public
from bot.registries.trust import trust
from policies.rules.rules import Host

MAX_BODY = 256 * 1024  # bytes
CONNECT_SECONDS, WHOLE_SECONDS = 4, 8
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer that can be used; ``detail`` is one line for people."""

    detail: str


@dataclass(slots=True)
class _Flight:
    """One request on its way."""

    may_be_private: bool
    cap: int
    body: BytesIO = field(default_factory=BytesIO)
    head: BytesIO = field(default_factory=BytesIO)
    refused: str = ""
    sockets: list[socket.socket] = field(default_factory=list)

    def write(self, piece: bytes) -> int:
        """Take a piece of the body; any number but its length makes libcurl stop."""
        if self.body.tell() + len(piece) > self.cap:
            return 0
        return self.body.write(piece)

    def open_socket(self, _purpose: int, address: Any) -> Any:
        """Open a socket after the name was resolved, unless it leads to where it must not."""
        family, kind, protocol, where = address
        if not isinstance(where, tuple) or not (self.may_be_private or is_public(str(where[0]))):
            self.refused = str(where[0] if isinstance(where, tuple) else "a local socket")
            return pycurl.SOCKET_BAD
        self.sockets.append(socket.socket(family, kind, protocol))  # pycurl goes on with a duplicate
        return self.sockets[-1]


def get(
    url: str, rule: Host, *, accept: str = "application/json", cap: int = MAX_BODY
) -> Response | Unanswered:
    """Ask once. ``rule`` is what the rules allow for the host; plain HTTP and private addresses are refused else."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_local = host in _LOCAL and parts.port is not None
    if parts.scheme != "https" and not (rule.http or is_local):
        return Unanswered(f"{host}: plain HTTP is refused; `http: true` for it under registries allows that")
    flight = _Flight(rule.private or is_local, cap)
    proxy = "" if is_local else _proxy(parts.scheme, parts.netloc)
    if proxy and not flight.may_be_private and _is_private_literal(host):
        return Unanswered(f"{host} is not public; `private: true` for it under registries allows that")
    curl = pycurl.Curl()
    try:
        _prepare(curl, url, rule, accept)
        curl.setopt(pycurl.PROXY, proxy)
        curl.setopt(pycurl.NOPROXY, "")
        if not proxy:
            curl.setopt(pycurl.OPENSOCKETFUNCTION, flight.open_socket)
        curl.setopt(pycurl.WRITEFUNCTION, flight.write)
        curl.setopt(pycurl.HEADERFUNCTION, flight.head.write)
        curl.perform()
        status = curl.getinfo(pycurl.RESPONSE_CODE)
    except pycurl.error as error:
        return Unanswered(_said(host, error.args[0], flight))
    finally:
        curl.close()
        for one in flight.sockets:
            one.close()
    return Response.parse(status, flight.head.getvalue(), flight.body.getvalue(), whole=True)


def _prepare(curl: Any, url: str, rule: Host, accept: str) -> None:
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.HTTPHEADER, [f"Accept: {accept}"])
    curl.setopt(pycurl.USERAGENT, "countersign")
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.FOLLOWLOCATION, 0)
    curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.CONNECTTIMEOUT, CONNECT_SECONDS)
    curl.setopt(pycurl.TIMEOUT, WHOLE_SECONDS)
    trust(curl, rule.ca)


def _said(host: str, code: int, flight: _Flight) -> str:
    if flight.refused:
        return f"{host} leads to {flight.refused}, which is not public; `private: true` under registries allows that"
    if code == pycurl.E_WRITE_ERROR:
        return f"{host} answered with more than {flight.cap} bytes"
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return f"{host} did not answer in time"
    if code in {pycurl.E_SSL_CONNECT_ERROR, pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CACERT_BADFILE}:
        return f"{host}: TLS failed; under registries, `ca` names whom to trust"
    return f"{host} cannot be reached (curl {code})"


def _proxy(scheme: str, place: str) -> str:
    """Return the proxy of the environment, '' for none."""
    proxies = getproxies()
    found = proxies.get(scheme) or proxies.get("all") or ""
    return "" if not found or proxy_bypass(place) else found


def _is_private_literal(host: str) -> bool:
    return (":" in host or host.rpartition(".")[2].isdigit()) and not is_public(host)
