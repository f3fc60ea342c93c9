"""What the rules allow for registry hosts: plain HTTP, private addresses, an own authority, how many at once."""

import re
from datetime import timedelta

from policies.rulebook.document import Entry
from policies.rulebook.fields import fields
from policies.rulebook.findings import Findings, shown
from policies.rulebook.keys import MAX_CONCURRENCY, REGISTRY
from policies.rulebook.waits import YEAR
from policies.rules.rules import Host

_HOST = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]{2,39}\])(?::(?P<port>[0-9]{1,5}))?", re.ASCII
)
_MAX_PORT = 65_535
_SECOND = timedelta(seconds=1)
_DOCKER_HUB = "index.docker.io"


def registry(entry: Entry, findings: Findings) -> tuple[str, Host] | None:
    """Read what is allowed for one host; Docker Hub is named as ``Repository.canonical`` names it."""
    name = entry.name.value
    written = _HOST.fullmatch(name)
    if written is None or int(written["port"] or "1") not in range(1, _MAX_PORT + 1):
        expected = "a host in small letters, such as ghcr.io or localhost:5000"
        findings.add(entry.name.at, f"{shown(name)} is not a registry", expected)
    found = fields(entry.node, REGISTRY, findings)
    if found is None:
        return None
    authority = found.text("ca")
    return _DOCKER_HUB if name == "docker.io" else name, Host(
        http=found.flag("http", default=False),
        private=found.flag("private", default=False),
        ca=authority.value if authority else "",
        concurrency=found.number("concurrency", default=0, most=MAX_CONCURRENCY),
        interval=found.span("interval", default=timedelta(0), least=_SECOND, most=YEAR) or None,
        at=entry.name.at,
    )
