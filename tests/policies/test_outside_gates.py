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


AN_ADDRESS = "an address such as https://example.com/state, without a login"
A_TEXT = "a text, or a list of texts one of which it is"
A_KEY = "a public key in PEM, -----BEGIN PUBLIC KEY----- ... (cosign.pub), or a list of them"
WHO = "key: ..., or identity, issuer and trust-root"
ONE = "one of them; a gate for each where both are wanted"
AN_ISSUER = "who vouches for it, such as https://token.actions.githubusercontent.com"
A_ROOT = "a .json file of the repository, such as promotion/trusted_root.json"
AN_IDENTITY = (
    "whom the certificate names: the address of a workflow with its ref, or a mail address; or a list of them"
)
LABELS = "NAME=VALUE, or a list of them"


@pytest.mark.parametrize(
    ("kind", "changes", "setting", "what", "expected"),
    [
        ("ftp", {}, "", "'ftp' is no kind of gate", "one of http, prometheus, signature, labels, checks"),
        ("f" * 41, {}, "", f"{'f' * 40!r} is no kind of gate", f"one of {', '.join(KINDS)}"),
        ("http", {"method": ("POST",)}, "method", "'method' is no setting of http", "one of url, json, is"),
        ("http", {"m" * 41: ()}, "m" * 41, f"{'m' * 40!r} is no setting of http", "one of url, json, is"),
        ("http", {"url": ()}, "", "http has no url", f"url: {AN_ADDRESS}"),
        ("http", {"url": ("https://a.example",) * 2}, "url", "url has 2 values", "at most 1"),
        ("http", {"url": ("ftp://a.example",)}, "url", "url is 'ftp://a.example'", AN_ADDRESS),
        (
            "http",
            {"url": ("https://ada:secret@a.example",)},
            "url",
            "url is 'https://ada:secret@a.example'",
            AN_ADDRESS,
        ),
        ("http", {"url": ("https://<service>.io",)}, "url", "url is 'https://<service>.io'", AN_ADDRESS),
        (
            "http",
            {"url": ("https://a.example:port/",)},
            "url",
            "url is 'https://a.example:port/'",
            AN_ADDRESS,
        ),
        ("http", {"url": ("https://[::1/",)}, "url", "url is 'https://[::1/'", AN_ADDRESS),
        ("http", {"url": ("https:///state",)}, "url", "url is 'https:///state'", AN_ADDRESS),
        ("http", {"url": ("https://a.example/a b",)}, "url", "url is 'https://a.example/a b'", AN_ADDRESS),
        ("http", {"url": ("https://a.io/\u00e9",)}, "url", "url is 'https://a.io/\u00e9'", AN_ADDRESS),
        ("http", {"url": ("https://a.io/\x7f",)}, "url", "url is 'https://a.io/\\x7f'", AN_ADDRESS),
        ("http", {"json": ("state",)}, "json", "json is 'state'", "a JSON pointer such as /status/open"),
        ("http", {"json": ("/a", "/b")}, "json", "json has 2 values", "at most 1"),
        ("http", {"is": ("a\nb",)}, "is", "is has 'a\\nb'", A_TEXT),
        ("http", {"is": ("",)}, "is", "is has ''", A_TEXT),
        ("http", {"is": ("x" * 2001,)}, "is", f"is has {'x' * 60!r}", A_TEXT),
        ("http", {"is": ("x",) * 21}, "is", "is has 21 values", "at most 20"),
        ("prometheus", {"url": ()}, "", "prometheus has no url", f"url: {AN_ADDRESS}"),
        ("prometheus", {"query": ()}, "", "prometheus has no query", "query: a PromQL query"),
        ("prometheus", {"query": ("up", "up")}, "query", "query has 2 values", "at most 1"),
        ("prometheus", {"is": ()}, "", "prometheus has no is", "is: a comparison such as < 0.01"),
        ("prometheus", {"is": ("> 1", "< 2")}, "is", "is has 2 values", "at most 1"),
        ("prometheus", {"is": ("less",)}, "is", "is has 'less'", "a comparison such as < 0.01"),
        ("signature", {"key": ("cosign.pub",)}, "key", "key is 'cosign.pub'", A_KEY),
        ("signature", {"key": ()}, "", "signature has no key and no identity", WHO),
        (
            "signature",
            {"key": (), "issuer": ("https://i.example",)},
            "",
            "signature has no key and no identity",
            WHO,
        ),
        ("signature", {"identity": ("ada@example.com",)}, "identity", "identity stands beside key", ONE),
        (
            "signature",
            {"identity-pattern": ("a",)},
            "identity-pattern",
            "identity-pattern stands beside key",
            ONE,
        ),
        ("signature", {"issuer": ("https://i.example",)}, "issuer", "issuer stands beside key", ONE),
        (
            "signature",
            {"trust-root": ("promotion/r.json",)},
            "trust-root",
            "trust-root stands beside key",
            ONE,
        ),
        ("signature", {**KEYLESS, "identity": ("a\nb",)}, "identity", "identity is 'a\\nb'", AN_IDENTITY),
        (
            "signature",
            {**KEYLESS, "identity": ("a",) * 21},
            "identity",
            "identity has 21 values",
            "at most 20",
        ),
        ("signature", {**KEYLESS, "issuer": ()}, "", "signature has no issuer", f"issuer: {AN_ISSUER}"),
        ("signature", {**KEYLESS, "issuer": ("a\n",)}, "issuer", "issuer is 'a\\n'", AN_ISSUER),
        ("signature", {**KEYLESS, "issuer": ("a", "b")}, "issuer", "issuer has 2 values", "at most 1"),
        (
            "signature",
            {**KEYLESS, "trust-root": ()},
            "",
            "signature has no trust-root",
            f"trust-root: {A_ROOT}",
        ),
        (
            "signature",
            {**KEYLESS, "trust-root": ("../root.json",)},
            "trust-root",
            "trust-root is '../root.json'",
            A_ROOT,
        ),
        (
            "signature",
            {**KEYLESS, "trust-root": ("./root.json",)},
            "trust-root",
            "trust-root is './root.json'",
            A_ROOT,
        ),
        (
            "signature",
            {**KEYLESS, "trust-root": ("<service>.json",)},
            "trust-root",
            "trust-root is '<service>.json'",
            A_ROOT,
        ),
        (
            "signature",
            {**KEYLESS, "trust-root": ("root.yaml",)},
            "trust-root",
            "trust-root is 'root.yaml'",
            A_ROOT,
        ),
        (
            "signature",
            {**KEYLESS, "identity-pattern": ("(",)},
            "identity-pattern",
            "identity-pattern is '('",
            "an RE2 pattern that all of the identity fits",
        ),
        (
            "signature",
            {**KEYLESS, "identity-pattern": ("a", "b")},
            "identity-pattern",
            "identity-pattern has 2 values",
            "at most 1",
        ),
        ("labels", {"has": ("qa",)}, "has", "has is 'qa'", LABELS),
        ("labels", {"has": ()}, "", "labels has no has", f"has: {LABELS}"),
        ("labels", {"has": (f"{'q' * 256}=",)}, "has", f"has is {'q' * 60!r}", LABELS),
        ("labels", {"has": (f"q={'a' * 513}",)}, "has", f"has is {f'q={chr(97) * 58}'!r}", LABELS),
        ("checks", {"names": ()}, "", "checks has no names", "names: a check's name, or a list of them"),
        ("checks", {"names": ("a\nb",)}, "names", "names is 'a\\nb'", "a check's name, or a list of them"),
        ("checks", {"on": ("moon",)}, "on", "on is 'moon'", "one of source, head, target"),
        ("checks", {"on": ("head", "source")}, "on", "on has 2 values", "at most 1"),
    ],
)
def test_a_gate_that_cannot_be_asked_is_complained_of(
    kind: str, changes: dict[str, tuple[str, ...]], setting: str, what: str, expected: str
) -> None:
    found, *_ = complaints(kind, {**GOOD.get(kind, {}), **changes})

    assert (found.setting, found.what, found.expected) == (setting, what, expected)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("http", {"url": ("http://a-1.example:8080/?a=b&c",)}),
        ("http", {"is": ("x" * 2000,) * 20}),
        ("http", {"json": (), "is": ()}),
        ("prometheus", {"is": ("!=-999999999999999.999999999",)}),
        ("labels", {"has": (f"{'q' * 255}={'a' * 512}",)}),
        ("labels", {"has": ("q=",) * 20}),
        ("signature", {"key": (KEY,) * 20}),
        ("signature", {**KEYLESS, "identity": ("a",) * 20}),
        *(("checks", {"on": (on,)}) for on in ("source", "head", "target")),
        ("checks", {"names": ("ci",) * 20, "on": ()}),
    ],
)
def test_a_gate_at_its_bounds_can_be_asked(kind: str, changes: dict[str, tuple[str, ...]]) -> None:
    assert list(complaints(kind, {**GOOD[kind], **changes})) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, ["signature has no key and no identity"]),
        ({"key": (KEY,), "issuer": ("https://a.example",)}, ["issuer stands beside key"]),
        (
            {"key": (KEY,), "identity": ("a@b.example",), "issuer": ("https://a.example",)},
            ["identity stands beside key"],
        ),
        (
            {"identity": ("a@b.example",)},
            ["signature has no issuer", "signature has no trust-root"],
        ),
        ({"key": (KEY,)}, []),
    ],
)
def test_of_who_has_to_have_signed_one_thing_is_said_at_a_time(
    settings: dict[str, tuple[str, ...]], said: list[str]
) -> None:
    assert [one.what for one in complaints("signature", settings)] == said


def test_all_that_is_wrong_with_one_gate_is_said() -> None:
    found = complaints("signature", {"key": (), "issuer": ("https://i.example",)})

    assert [one.what for one in found] == [
        "signature has no key and no identity",
        "signature has no trust-root",
    ]


def test_what_is_asked_about_is_put_into_the_text() -> None:
    assert filled("/<service>/<version>", service="web", version="1.2.3") == "/web/1.2.3"
    with pytest.raises(PolicyError) as caught:
        filled("/<service>/<digest>", service="web")
    assert str(caught.value) == "<digest> is not known here; expected a text without it"


def test_all_that_stands_in_the_text_is_put_there() -> None:
    text = "<environment>/<service>/<version>@<digest>/<service>/<other>"

    found = filled(text, environment="eu", service="web", version="1.2.3", digest="sha256:0")

    assert found == "eu/web/1.2.3@sha256:0/web/<other>"


@pytest.mark.parametrize("name", ["environment", "service", "version", "digest"])
def test_what_nobody_said_is_not_left_in_the_text(name: str) -> None:
    with pytest.raises(PolicyError):
        filled(f"<{name}>")


@pytest.mark.parametrize(
    ("comparison", "below", "same", "above"),
    [
        ("< 1.5", True, False, False),
        ("<= 1.5", True, True, False),
        ("> 1.5", False, False, True),
        (">=1.5", False, True, True),
        ("== 1.5", False, True, False),
        ("!= 1.5", True, False, True),
    ],
)
def test_a_number_is_compared(comparison: str, *, below: bool, same: bool, above: bool) -> None:
    assert [compares(value, comparison) for value in (1.4, 1.5, 1.6)] == [below, same, above]


def test_a_number_is_compared_with_one_below_zero() -> None:
    assert compares(-2, "<-1")
    assert not compares(1, "<-1")


@pytest.mark.parametrize(
    "text",
    ["about 1", "", "1", "= 1", "<  1", "< 1.", "< .5", "< 1e5", "< \u0661", f"< {'1' * 16}", "x" * 41],
)
def test_what_is_no_comparison_is_refused(text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        compares(1.0, text)

    assert str(caught.value) == f"{text[:40]!r} is no comparison; expected a form such as < 0.01"


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.text(), st.lists(st.text()).map(tuple)))
def test_any_settings_are_judged(kind: str, settings: dict[str, tuple[str, ...]]) -> None:
    for one in complaints(kind, settings):
        assert one.what
        assert one.expected


def test_settings_that_are_none_are_told_in_the_order_of_the_file() -> None:
    names = [f"{letter}{number}" for number, letter in enumerate("hcaxgbzdyf")]

    found = complaints("http", {**dict.fromkeys(names, ("x",)), **GOOD["http"]})

    assert [one.setting for one in found] == names
