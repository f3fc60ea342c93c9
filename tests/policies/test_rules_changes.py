"""Changes of rules in words: for whom which effective rule becomes another one."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.rulebook import changes as rules_changes
from policies.rulebook.changes import Change, changes, spelled
from policies.rulebook.parse import parse
from policies.rules.rules import Rules
from tests.policies.twelve_services import FILES

HOST = "{http: true, private: true, ca: /ca.pem, concurrency: 3, interval: 1h}"
EXAMPLE = "\n".join(FILES.values())


def rules_of(text: str) -> Rules:
    """Read the example, whose three files have no section in common, as one file."""
    return parse({"promotion/rules.yaml": text.encode()})


def told(old: str, new: str) -> list[str]:
    return [str(one) for one in changes(rules_of(old), rules_of(new))]


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


TOLD: dict[str, tuple[Callable[[str], str], list[str]]] = {
    "nothing": (lambda text: text + "# a comment\n", []),
    "an exception goes": (
        replaced("approvals: [1 of owners, 1 of security], evidence: review", "evidence: review"),
        [
            (
                "who may approve payments-api in production-eu: was 1 of owners and 1 of security, "
                "becomes 1 of owners and 1 of release-managers"
            ),
            (
                "who may approve payments-api in production-us: was 1 of owners and 1 of security (as production-eu), "
                "becomes 1 of owners and 1 of release-managers (as production-eu)"
            ),
        ],
    ),
    "staging asks": (
        replaced("approvals: none  ", "approvals: 1  "),
        [
            "who may approve everything in staging: was nobody, becomes 1",
            "via of everything in staging: was commit, becomes pull-request",
            "digest of everything in staging: was keep, becomes pin",
        ],
    ),
    "an owner": (
        replaced("{owner: payments}", "{owner: search}"),
        ["owner of payments-api: was payments, becomes search"],
    ),
    "a team": (
        replaced("release-managers: [ada, bob]", "release-managers: [ada, dan]"),
        ["team release-managers: was ada, bob, becomes ada, dan"],
    ),
    "a team that moves out": (
        replaced("search: [carol, dan]", "search: github:acme/search"),
        ["team search: was carol, dan, becomes github:acme/search"],
    ),
    "an account": (
        replaced("bob: {slack: U0BOB", "bob: {slack: U0EVE"),
        ["person bob: was slack U0BOB, github bob, becomes slack U0EVE, github bob"],
    ),
    "a person comes": (
        replaced("  dan: {slack: U0DAN}", "  dan: {slack: U0DAN}\n  eve: {slack: U0EVE}"),
        ["person eve: new, slack U0EVE"],
    ),
    "a service comes and one goes": (
        replaced("  stock: {channel: stock}", "  prices: {owner: search}"),
        ["service stock is removed", "service prices: new, ghcr.io/acme/prices >=1.0.0, owner search"],
    ),
    "an environment goes": (
        lambda text: text[: text.index("  production-us:")] + text[text.index("# promotion/services.yaml") :],
        ["environment production-us is removed"],
    ),
    "where a service is": (
        replaced("shipping: {environments: [staging, production-eu]}", "shipping:"),
        ["environments of shipping: was staging, production-eu, becomes all"],
    ),
    "the path": (
        replaced("path: apps/production-us", "path: other/production-us"),
        ["path of everything in production-us: was apps/production-us, becomes other/production-us"],
    ),
    "dates": (
        replaced("closed: [2026-12-24..2027-01-01]", "closed: [2026-12-24]"),
        [
            (
                "calendar: was Europe/Berlin, working Mon-Fri 08:00-18:00, closed 2026-12-24..2027-01-01, "
                "becomes Europe/Berlin, working Mon-Fri 08:00-18:00, closed 2026-12-24"
            )
        ],
    ),
    "a group": (
        replaced("groups: {shop: [cart-api, web]}", ""),
        ["group shop: was cart-api, web, is removed"],
    ),
    "a registry": (
        lambda text: f"{text}registries: {{'localhost:5000': {HOST}}}\n",
        [
            "registry localhost:5000: new, plain HTTP, private addresses, authority /ca.pem, 3 at once, asked every 1h"
        ],
    ),
}


@pytest.mark.parametrize(("change", "sentences"), TOLD.values(), ids=TOLD)
def test_a_change_is_told_in_words(change: Callable[[str], str], sentences: list[str]) -> None:
    assert told(EXAMPLE, change(EXAMPLE)) == sentences


def test_many_services_share_a_sentence() -> None:
    exceptions = "".join(
        f"      {name}: {{soak: 3h}}\n"
        for name in ("cart-api", "search-api", "invoices", "mailer", "catalog", "stock")
    )
    more = EXAMPLE.replace("    exceptions:\n", f"    exceptions:\n{exceptions}")

    assert told(EXAMPLE, more) == [
        (
            "how long cart-api, search-api, invoices, mailer, catalog and 1 more soaks before it comes to "
            "production-eu: was 2h, becomes 3h"
        )
    ]


def test_an_environment_without_services_is_compared_alone() -> None:
    bare = "environments:\n  e: {path: a, channel: c, approvals: none, expire: 1h}\n"

    assert told(bare, bare.replace("1h", "2h")) == ["expire of everything in e: was 1h, becomes 2h"]


def test_a_calendar_of_nothing_is_always_working() -> None:
    assert told("calendar: {zone: Europe/Berlin}\n", "") == [
        "calendar: was Europe/Berlin, always working, becomes UTC, always working"
    ]


def test_what_is_too_much_to_compare_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules_changes, "MAX_PLACES", 30)

    assert told(EXAMPLE, EXAMPLE) == [
        "there are more than 30 services in environments, which is too much to compare"
    ]


def test_what_was_written_stands_in_code_and_is_capped() -> None:
    found = [Change("a", "`@ada` [x](y)\n<b>", "z" * 400), Change("b is removed"), Change("c", "x")]

    assert list(spelled(found, 2)) == [
        f"- a: was `'@ada' [x](y)\\n<b>`, becomes `{'z' * 300}...`",
        "- b is removed",
        "- and 1 more",
    ]
    assert list(spelled(found[1:2], 2)) == ["- b is removed"]


@given(st.sampled_from(list(TOLD)), st.sampled_from(list(TOLD)))
def test_the_way_back_is_told_when_the_way_there_is(one: str, other: str) -> None:
    left, right = rules_of(TOLD[one][0](EXAMPLE)), rules_of(TOLD[other][0](EXAMPLE))

    assert bool(changes(left, right)) == bool(changes(right, left))
    assert changes(left, left) == ()
