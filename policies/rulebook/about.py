"""What a service says about itself that judges nothing: where it is said, its code and links, where it exists."""

import re
from dataclasses import dataclass

from policies.rulebook.channel import channel_of
from policies.rulebook.fields import Fields, is_name, kind_of, once, text_of
from policies.rulebook.findings import Findings, shown
from policies.rulebook.path import PLACEHOLDER
from policies.rulebook.text import Table, Text

MAX_LINKS = 10
_MAX_ADDRESS = 1_000
# GitHub: owners have letters, digits and hyphens, repositories dots and underscores, too.
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}", re.ASCII)
_HOST = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?"
_ADDRESS = re.compile(rf"https://{_HOST}(?:/[!-~]*)?", re.ASCII)
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9]+(?:/[a-z0-9.]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class About:
    """What a service says, or what the defaults say for it."""

    channel: str
    source: str
    links: tuple[tuple[str, str], ...]
    environments: tuple[str, ...]
    platforms: tuple[str, ...]


def about(name: str, found: Fields, findings: Findings) -> About:
    """Read it; <service> stands for the name."""
    return About(
        channel=channel_of(found, "channel"),
        source=_source(name, found),
        links=tuple(_links(name, found, findings)),
        environments=once(found.texts("environments") or (), "environment", findings),
        platforms=_platforms(found),
    )


def _source(name: str, found: Fields) -> str:
    text = found.text("source")
    if text is None:
        return ""
    source = text.value.replace(PLACEHOLDER, name)
    if not _SOURCE.fullmatch(source) and not is_address(source):
        expected = "OWNER/NAME at the forge, or an address such as https://github.com/acme/web"
        found.findings.add(text.at, f"source is {shown(text.value)}", expected)
    return source


def _links(name: str, found: Fields, findings: Findings) -> list[tuple[str, str]]:
    node = found.node("links")
    if node is None:
        return []
    if not isinstance(node, Table):
        findings.add(node.at, f"links is {kind_of(node)}", "a table of names, each with an address")
        return []
    if len(node.entries) > MAX_LINKS:
        findings.add(node.at, f"links has {len(node.entries)} addresses", f"at most {MAX_LINKS}")
    links: list[tuple[str, str]] = []
    for key, value in node.entries[:MAX_LINKS]:
        is_name(key, "a link", findings)
        text = text_of(value, f"link {shown(key.value)}", findings)
        if text is not None:
            links.append((key.value, _address(name, text, findings)))
    return links


def _address(name: str, text: Text, findings: Findings) -> str:
    address = text.value.replace(PLACEHOLDER, name)
    if not is_address(address):
        expected = "an address such as https://grafana.example.com/d/web, without a login"
        findings.add(text.at, f"{shown(text.value)} is not an address", expected)
    return address


def is_address(text: str) -> bool:
    """Return whether text is an https address without a login, in which nothing ends a link."""
    return (
        len(text) <= _MAX_ADDRESS
        and _ADDRESS.fullmatch(text) is not None
        and not set(text) & set("<>|\"'`\\")
    )


def _platforms(found: Fields) -> tuple[str, ...]:
    texts = found.texts("platforms") or ()
    for text in texts:
        if not _PLATFORM.fullmatch(text.value):
            found.findings.add(
                text.at, f"platform is {shown(text.value)}", "a form such as linux/amd64 or linux/arm/v7"
            )
    return once(texts, "platform", found.findings)
