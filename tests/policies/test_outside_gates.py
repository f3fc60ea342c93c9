"""The kinds of outside gates, and what their settings look like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.rulebook.outside_gates import KINDS, compares, complaints, filled

KEY = "-----BEGIN PUBLIC KEY-----\nMFkwEwYH+/8=\n-----END PUBLIC KEY-----\n"
KEYLESS: dict[str, tuple[str, ...]] = {
    "key": (),
    "identity": (
        "https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main",
        "ada@example.com",
    ),
    "issuer": ("https://token.actions.githubusercontent.com",),
    "trust-root": ("promotion/trusted_root.json",),
}
GOOD: dict[str, dict[str, tuple[str, ...]]] = {
    "http": {
        "url": ("https://ops.example.com/state/<service>?v=<version>",),
        "json": ("/a/0",),
        "is": ("open", "yes"),
    },
    "prometheus": {"url": ("http://prometheus:9090",), "query": ('up{job="<service>"}',), "is": (">= 1.5",)},
    "signature": {"key": (KEY, KEY)},
    "labels": {"has": ("org.opencontainers.image.source=https://github.com/acme/web", "qa=")},
    "checks": {"names": ("ci/build", "e2e"), "on": ("source",)},
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_gate_that_is_set_as_the_page_says_is_fine(kind: str) -> None:
    assert list(complaints(kind, GOOD[kind])) == []


def test_a_signature_is_by_a_key_or_by_an_identity_or_one_that_fits_a_pattern() -> None:
    pattern = {**KEYLESS, "identity": (), "identity-pattern": (r"https://github\.com/acme/.*",)}

    assert list(complaints("signature", KEYLESS)) == []
    assert list(complaints("signature", pattern)) == []


@pytest.mark.parametrize(
    ("kind", "changes", "setting", "what"),
    [
        ("ftp", {}, "", "'ftp' is no kind of gate"),
        ("http", {"method": ("POST",)}, "method", "'method' is no setting of http"),
        ("http", {"url": ()}, "", "http has no url"),
        ("http", {"url": ("https://a.example", "https://b.example")}, "url", "url has 2 values"),
        ("http", {"url": ("ftp://a.example",)}, "url", "url is 'ftp://a.example'"),
        ("http", {"url": ("https://ada:secret@a.example",)}, "url", "url is"),
        ("http", {"url": ("https://<service>.example",)}, "url", "url is"),
        ("http", {"url": ("https://a.example:port/",)}, "url", "url is"),
        ("http", {"url": ("https://[::1/",)}, "url", "url is"),
        ("http", {"url": ("https:///state",)}, "url", "url is"),
        ("http", {"url": ("https://a.example/a b",)}, "url", "url is"),
        ("http", {"json": ("state",)}, "json", "json is 'state'"),
        ("http", {"is": ("a\nb",)}, "is", "is has"),
        ("http", {"is": ("",)}, "is", "is has ''"),
        ("http", {"is": ("x" * 2001,)}, "is", "is has"),
        ("http", {"is": ("x",) * 21}, "is", "is has 21 values"),
        ("prometheus", {"is": ("less",)}, "is", "is has 'less'"),
        ("signature", {"key": ("cosign.pub",)}, "key", "key is 'cosign.pub'"),
        ("signature", {"key": ()}, "", "signature has no key and no identity"),
        (
            "signature",
            {"key": (), "issuer": ("https://i.example",)},
            "",
            "signature has no key and no identity",
        ),
        ("signature", {"identity": ("ada@example.com",)}, "identity", "identity stands beside key"),
        (
            "signature",
            {"trust-root": ("promotion/trusted_root.json",)},
            "trust-root",
            "trust-root stands beside key",
        ),
        ("signature", {**KEYLESS, "issuer": ()}, "", "signature has no issuer"),
        ("signature", {**KEYLESS, "trust-root": ()}, "", "signature has no trust-root"),
        (
            "signature",
            {**KEYLESS, "trust-root": ("../root.json",)},
            "trust-root",
            "trust-root is '../root.json'",
        ),
        (
            "signature",
            {**KEYLESS, "trust-root": ("./root.json",)},
            "trust-root",
            "trust-root is './root.json'",
        ),
        ("signature", {**KEYLESS, "trust-root": ("<service>.json",)}, "trust-root", "trust-root is"),
        ("signature", {**KEYLESS, "trust-root": ("root.yaml",)}, "trust-root", "trust-root is 'root.yaml'"),
        ("signature", {**KEYLESS, "identity-pattern": ("(",)}, "identity-pattern", "identity-pattern is '('"),
        ("labels", {"has": ("qa",)}, "has", "has is 'qa'"),
        ("checks", {"on": ("moon",)}, "on", "on is 'moon'"),
    ],
)
def test_a_gate_that_cannot_be_asked_is_complained_of(
    kind: str, changes: dict[str, tuple[str, ...]], setting: str, what: str
) -> None:
    found, *_ = complaints(kind, {**GOOD.get(kind, {}), **changes})

    assert found.setting == setting
    assert what in found.what
    assert found.expected


def test_what_is_asked_about_is_put_into_the_text() -> None:
    assert filled("/<service>/<version>", service="web", version="1.2.3") == "/web/1.2.3"
    with pytest.raises(PolicyError, match="<digest> is not known"):
        filled("/<digest>", service="web")


@pytest.mark.parametrize(
    ("comparison", "holds"),
    [
        ("< 2", True),
        ("<= 1", True),
        ("> 1", False),
        (">= 1", True),
        ("== 1.0", True),
        ("!= 1", False),
        ("<-1", False),
    ],
)
def test_a_number_is_compared(comparison: str, *, holds: bool) -> None:
    assert compares(1.0, comparison) is holds


def test_what_is_no_comparison_is_refused() -> None:
    with pytest.raises(PolicyError, match="no comparison"):
        compares(1.0, "about 1")


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.text(), st.lists(st.text()).map(tuple)))
def test_any_settings_are_judged(kind: str, settings: dict[str, tuple[str, ...]]) -> None:
    for one in complaints(kind, settings):
        assert one.what
        assert one.expected
