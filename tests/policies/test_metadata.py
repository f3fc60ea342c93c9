"""Rules that lead to where clouds keep their machines' credentials, and rules that say nothing at all."""

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.rulebook.findings import Weight
from policies.rulebook.lint import lint
from policies.rulebook.metadata import is_metadata, metadata_findings
from policies.rulebook.parse import parse

RULES = """\
environments:
  staging: {path: apps/staging, channel: deploys, approvals: none}
services:
  web: {image: ghcr.io/example/web, versions: 1.x}
"""
NEAR = [
    "169.254.169.254",
    "169.254.0.1:8080",
    "2852039166",  # the same number, as resolvers read it
    "0xa9fea9fe",
    "0xA9.0xFE.43518",
    "0251.0376.0251.0376",
    "169.16689662",
    "169.254.169.254.",
    "fe80::1",
    "[fe80::1]:443",
    "[FE80::1%25eth0]",
    "febf::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fd00:ec2::254",
    "100.100.100.200",
    "metadata.google.internal",
    "Metadata.Google.Internal.:80",
    "x.metadata.goog",
    "instance-data.ec2.internal",
]
FAR = [
    "",
    "example.com",
    "metadata.example.com",
    "notmetadata.goog",
    "10.0.0.1",
    "localhost:5000",
    "169.253.255.255",
    "169.255.0.1",
    "fec0::1",
    "::1",
    "64:ff9b::808:808",
    "::ffff:8.8.8.8",
    "4294967296",
    "169.254.169.256",
    "0251.0376.0251.0378",
    "08",
    "1.2.3.4.5",
    "0x1ffffffff",
]


@pytest.mark.parametrize("host", NEAR)
def test_a_link_local_or_metadata_address_is_known_however_it_is_written(host: str) -> None:
    assert is_metadata(host)


@pytest.mark.parametrize("host", FAR)
def test_other_hosts_are_none(host: str) -> None:
    assert not is_metadata(host)


@given(st.ip_addresses())
def test_every_link_local_address_is_known(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if address.is_link_local:
        assert is_metadata(str(address))
        assert is_metadata(f"[{address}]:80" if address.version == 6 else f"{int(address)}")


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    assert is_metadata(text) in {True, False}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            RULES.replace("none}", "none, gates: [http: {url: 'http://169.254.169.254/x', is: ok}]}"),
            "2:76: http of staging leads to '169.254.169.254', a link-local",
        ),
        (
            RULES.replace(
                "none}", "none, gates: [prometheus: {url: 'http://[fe80::1]/', query: up, is: '> 0'}]}"
            ),
            "prometheus of staging leads to 'fe80::1'",
        ),
        (
            RULES.replace(
                "none}", "none, exceptions: {web: {gates: [http: {url: 'http://0xa9fea9fe/', is: ok}]}}}"
            ),
            "http of staging leads to '0xa9fea9fe'",
        ),
        (RULES.replace("ghcr.io", "169.254.1.1"), "4:3: the image of web leads to '169.254.1.1'"),
        (
            RULES.replace("1.x}", "1.x, links: {state: 'https://metadata.google.internal/x'}}"),
            "state of web leads to 'metadata.google.internal'",
        ),
        (f"{RULES}registries: {{'169.254.169.254': {{private: true}}}}\n", "5:14: a registry leads to"),
        (
            RULES.replace("none}", "none, pulled-from: 169.254.1.2/<image>}"),
            "pulled-from of staging leads to '169.254.1.2'",
        ),
    ],
    ids=["http", "prometheus", "exception", "image", "link", "registry", "pulled-from"],
)
def test_an_address_of_the_rules_that_leads_there_is_a_finding(text: str, expected: str) -> None:
    found = [one for one in lint(parse({"p/r.yaml": text.encode()}), {}) if "metadata address" in one.what]

    assert [one.weight for one in found] == [Weight.ERROR]
    assert expected in str(found[0])
    assert "credentials" in found[0].expected


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"p/r.yaml": b""}, "p/r.yaml"),
        ({"p/a.yaml": b"# nothing yet\n", "p/b.yaml": b"services:\n"}, "p/a.yaml"),
        ({"p/r.yaml": b"environments:\n"}, "p/r.yaml"),
        ({}, "promotion/"),
    ],
    ids=["empty", "only comments and names", "a key alone", "no file"],
)
def test_rules_without_an_environment_are_a_finding(files: dict[str, bytes], place: str) -> None:
    (found,) = lint(parse(files), {})

    assert (found.weight, str(found.at)) == (Weight.ERROR, f"{place}:1:1")
    assert found.what == "the files of the rules have no environment"
    assert found.expected.startswith("environments: {staging: {path: ")


def test_an_empty_file_beside_one_that_says_something_is_none() -> None:
    found = lint(parse({"p/a.yaml": b"", "p/r.yaml": RULES.encode()}), {})

    assert not [one for one in found if one.weight is Weight.ERROR]


def test_an_address_that_is_none_leads_nowhere() -> None:
    rules = parse({"p/r.yaml": RULES.encode()})
    web = replace(rules.services["web"], links=(("x", "https://["),))

    assert not list(metadata_findings(replace(rules, services={"web": web})))
