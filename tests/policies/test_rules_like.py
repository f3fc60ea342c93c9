"""``like`` and ``exceptions``: what one environment hands on to another, what not, and what is refused and where."""

import pytest

from policies.rulebook.document import document
from policies.rulebook.findings import Findings
from policies.rulebook.layers import MAX_EXCEPTIONS, Layered, circles, layered
from policies.rulebook.parse import RulesError, parse
from policies.rules.rules import Rules

PRODUCTION = "production: {path: p, channel: deploys, approvals: 1, after: staging"
STAGING = "staging: {path: s, channel: deploys, approvals: none}"


def text_of(*environments: str) -> str:
    """Write rules of these environments, one a line, and two services."""
    lines = "".join(f"  {one}\n" for one in environments)
    services = "{web: {image: a.io/web, versions: 1.x}, api: {image: a.io/api, versions: 1.x}}"
    return f"environments:\n{lines}services: {services}\n"


def rules_of(*environments: str) -> Rules:
    return parse({"p.yaml": text_of(*environments).encode()})


def refused(*environments: str) -> list[str]:
    with pytest.raises(RulesError) as caught:
        rules_of(*environments)
    return [str(one).removeprefix("p.yaml:") for one in caught.value.findings]


def read(text: str) -> tuple[Layered, list[str]]:
    """Return environments in layers, and the findings without their file."""
    findings = Findings()
    found = layered(document({"p.yaml": text.encode()}, findings).sections["environments"], findings)
    return found, [str(one).removeprefix("p.yaml:") for one in findings.found]


def test_what_belongs_to_one_environment_alone_is_not_handed_on() -> None:
    first = f"{PRODUCTION}, cluster: [clusters/p], was: prod, soak: 3h}}"
    rules = rules_of(STAGING, first, "eu: {like: production, path: eu}")

    eu = rules.environments["eu"]
    assert (eu.paths, eu.clusters, eu.was, eu.like) == (("eu",), (), (), "production")
    assert (eu.channel, eu.after, str(eu.approvals[0])) == ("deploys", ("staging",), "1")
    assert eu.soak == rules.environments["production"].soak


def test_a_path_has_to_be_said_by_each() -> None:
    assert refused(STAGING, f"{PRODUCTION}}}", "eu: {like: production}") == [
        "4:3: 'eu' has no path; expected path: a folder such as apps/staging"
    ]


def test_a_key_that_is_misspelt_is_noted_once_where_it_stands() -> None:
    first = "production: {path: p, chanel: deploys, approvals: 1}"

    assert refused(first, "eu: {like: production, path: eu}") == [
        "2:25: unknown key in an environment 'chanel'; expected 'channel', did you mean that?"
    ]


def test_an_exception_reaches_the_environment_that_is_like_one_that_is_like_its_own() -> None:
    first = f"{PRODUCTION}, exceptions: {{web: {{soak: 3h}}}}}}"
    rules = rules_of(STAGING, first, "eu: {like: production, path: eu}", "us: {like: eu, path: us}")

    names = ("production", "eu", "us")
    layers = [rules.provenance[name, "web"]["soak"] for name in names]
    assert [one.layer.value for one in layers] == ["own-exception", "like-exception", "like-exception"]
    assert {str(one.at) for one in layers} == {"p.yaml:3:92"}
    assert len({rules.environment_for(name, "web").soak for name in names}) == 1
    assert {rules.provenance[name, ""]["channel"].layer.value for name in ("eu", "us")} == {"like"}


def test_an_own_key_wins_over_the_exception_of_the_other() -> None:
    first = f"{PRODUCTION}, exceptions: {{web: {{soak: 3h, age: 3d}}}}}}"
    rules = rules_of(STAGING, first, "eu: {like: production, path: eu, soak: 1h}")

    layers = rules.provenance["eu", "web"]
    assert (layers["soak"].layer.value, layers["age"].layer.value) == ("own", "like-exception")
    assert rules.environment_for("eu", "web").soak == rules.environments["eu"].soak
    assert rules.environment_for("eu", "web").age != rules.environments["eu"].age


def test_the_table_of_exceptions_is_no_key_that_judges() -> None:
    rules = rules_of(STAGING, f"{PRODUCTION}, exceptions: {{web: {{soak: 3h}}}}}}")

    said = {"path", "channel", "approvals", "after"}
    assert set(rules.provenance["production", ""]) == said
    assert set(rules.provenance["production", "web"]) == said | {"soak"}


def test_an_environment_may_be_like_one_that_is_written_later() -> None:
    last = f"{PRODUCTION}, soak: 3h}}"
    rules = rules_of("us: {like: eu, path: us}", "eu: {like: production, path: eu}", STAGING, last)

    assert list(rules.environments) == ["us", "eu", "staging", "production"]
    assert rules.environments["us"].soak == rules.environments["production"].soak


REFUSED: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "like itself": (
        ("a: {like: a, path: a, channel: c, approvals: 1}",),
        ["2:13: a is like itself; expected another environment"],
    ),
    "like one that is misspelt": (
        ("first: {path: a, channel: c, approvals: 1}", "b: {like: frist, path: b, channel: c, approvals: 1}"),
        ["3:13: unknown environment 'frist'; expected 'first', did you mean that?"],
    ),
    "like a table": (
        ("a: {like: {b: c}, path: a, channel: c, approvals: 1}",),
        ["2:13: like is a table; expected text"],
    ),
    "like each other": (
        (
            "a: {path: a, channel: c, approvals: 1}",
            "b: {path: b, channel: c, approvals: 1, like: c}",
            "c: {like: b, path: c, channel: c, approvals: 1}",
        ),
        ["3:48: b, c are like each other in a circle; expected one that stands alone"],
    ),
    "exceptions in a word": (
        ("a: {path: a, channel: c, approvals: 1, exceptions: web}",),
        ["2:54: exceptions is 'web'; expected a table of services, each with its keys"],
    ),
    "an exception that says nothing": (
        ("a: {path: a, channel: c, approvals: 1, exceptions: {web: {}}}",),
        ["2:60: the exception of 'web' says nothing; expected keys that are other for it"],
    ),
    "an exception with nothing but a key that is misspelt": (
        ("a: {path: a, channel: c, approvals: 1, exceptions: {web: {soaks: 1h}}}",),
        ["2:61: unknown key in an exception 'soaks'; expected 'soak', did you mean that?"],
    ),
    "an exception of a service without a name": (
        ("a: {path: a, channel: c, approvals: 1, exceptions: {'': {soak: 1h}}}",),
        ["2:55: unknown service ''; expected one of api, web"],
    ),
}


@pytest.mark.parametrize(("environments", "findings"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_with_its_place(environments: tuple[str, ...], findings: list[str]) -> None:
    assert refused(*environments) == findings


def test_an_exception_without_a_name_says_nothing_of_the_environment_itself() -> None:
    found = refused("a: {path: a, channel: c, exceptions: {'': {approvals: as b}}}")

    assert found == [
        "2:3: 'a' has no approvals; expected approvals: none, 2, or 2 of TEAM (it has to be said)",
        "2:41: unknown service ''; expected one of api, web",
    ]


def test_of_a_large_circle_the_first_ten_are_named() -> None:
    names = [f"e{number}" for number in range(12)]
    circle = [
        f"{name}: {{path: {name}, like: {to}}}" for name, to in zip(names, [*names[1:], "e0"], strict=True)
    ]

    _, found = read(text_of(*circle))

    ten = "e0, e1, e2, e3, e4, e5, e6, e7, e8, e9"
    assert found == [f"2:24: {ten} are like each other in a circle; expected one that stands alone"]


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ({}, []),
        ({"a": "b"}, []),
        ({"a": "a"}, [["a"]]),
        ({"a": "b", "b": "a", "c": "a"}, [["a", "b"]]),
        ({"c": "a", "a": "b", "b": "a"}, [["a", "b"]]),
        ({"a": "b", "b": "c", "c": "b", "d": "e", "e": "d"}, [["b", "c"], ["d", "e"]]),
    ],
)
def test_circles_are_found_once(to: dict[str, str], expected: list[list[str]]) -> None:
    assert circles(to) == expected


def _many(count: int, *more: str) -> tuple[Layered, list[str]]:
    """Read environments in a row, each like the one before, with fifty exceptions each by the first."""
    exceptions = ", ".join(f"s{number}: {{soak: 1h}}" for number in range(50))
    first = f"e0: {{path: p, channel: c, approvals: 1, exceptions: {{{exceptions}}}}}"
    rest = [f"e{number}: {{path: p{number}, like: e{number - 1}}}" for number in range(1, count)]
    return read(text_of(first, *rest, *more))


def test_there_may_be_so_many_exceptions_and_not_one_more() -> None:
    count = MAX_EXCEPTIONS // 50
    more = "last: {path: l, exceptions: {web: {soak: 1h}}}"

    found, findings = _many(count)
    beyond, refusal = _many(count, more, "other: {path: o, exceptions: {web: {soak: 1h}}}")

    assert (len(found.excepted), findings) == (5_000, [])
    assert refusal == [f"{count + 2}:3: there are more than 5000 exceptions; expected fewer, or none by like"]
    assert list(beyond.plain) == list(found.plain)
