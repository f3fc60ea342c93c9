"""What is wrong with rules that parse."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.images.image import Repository
from policies.manifests import references
from policies.manifests.reach import SharedPin
from policies.rulebook.findings import Weight
from policies.rulebook.lint import ReferenceSeen, lint
from policies.rulebook.parse import parse
from policies.rulebook.quorum import can_be_filled
from policies.rules.rules import Line, Person, Position, Rules

PEOPLE = """\
people: {ada: {slack: U0ADA}, bob: {slack: U0BOB}, carol: {slack: U0CAROL}}
teams: {managers: [ada, bob, carol], duo: [ada, bob], solo: [ada], other: [bob, carol]}
"""
RULES = """\
environments:
  staging:    {path: apps/staging, channel: deploys, approvals: none}
  production: {path: apps/production, channel: deploys, approvals: APPROVALS, after: staging}
services:
  checkout-api: {image: ghcr.io/example/checkout-api, versions: 1.x, owner: solo}
"""
IMAGE = "ghcr.io/example/checkout-api"
STAGING = ReferenceSeen("apps/staging/kustomization.yaml", 7, IMAGE)
PRODUCTION = ReferenceSeen("apps/production/kustomization.yaml", 7, IMAGE)
EVERYWHERE = {"staging": [STAGING], "production": [PRODUCTION]}


def rules_of(approvals: str = "2 of managers", people: str = PEOPLE) -> Rules:
    return parse({"p/r.yaml": (RULES.replace("APPROVALS", approvals) + people).encode()})


def found(rules: Rules, references: dict[str, list[ReferenceSeen]]) -> list[tuple[str, str]]:
    return [(str(finding.weight), str(finding)) for finding in lint(rules, references)]


def test_rules_that_fit_their_repository_are_fine() -> None:
    assert found(rules_of(), EVERYWHERE) == []


def test_environments_that_were_not_looked_at_say_nothing() -> None:
    assert found(rules_of(), {}) == []


@pytest.mark.parametrize(
    ("approvals", "expected"),
    [
        ("2 of managers", None),
        ("1 of solo or bob", None),
        (
            "[1 of solo, 1 of other]",
            "p/r.yaml:3:3: in production nobody could approve a request of ada; expected ",
        ),
        (
            "1 of solo",
            "p/r.yaml:3:3: in production nobody could approve a request of ada; expected enough different",
        ),
        (
            "2 of duo",
            "p/r.yaml:3:3: in production nobody could approve a request of ada, bob; expected enough",
        ),
        (
            "3",
            "p/r.yaml:3:3: in production nobody could approve a request of ada, bob, carol; expected enough",
        ),
        (
            "4",
            "p/r.yaml:3:3: approvals of production cannot be filled; expected enough different people for 4, in",
        ),
    ],
)
def test_a_line_that_the_requester_alone_could_fill_is_a_warning(
    approvals: str, expected: str | None
) -> None:
    findings = found(rules_of(approvals), EVERYWHERE)

    assert len(findings) == (1 if expected else 0)
    if expected:
        assert findings[0][0] == Weight.WARNING
        assert findings[0][1].startswith(expected)


def test_whoever_asks_may_approve_where_nobody_is_excluded() -> None:
    assert found(rules_of("1 of solo, exclude: []"), EVERYWHERE) == []


def test_two_lines_need_two_people() -> None:
    assert found(rules_of("[1 of solo, 1 of ada]"), EVERYWHERE) == [
        (
            "error",
            (
                "p/r.yaml:3:3: approvals of production cannot be filled; "
                "expected enough different people for 1 of solo, 1 of ada"
            ),
        )
    ]


def test_more_owners_than_there_are_is_an_error_at_the_service() -> None:
    assert found(rules_of("2 of owners"), EVERYWHERE) == [
        (
            "error",
            (
                "p/r.yaml:5:3: approvals of production cannot be filled for checkout-api (owner solo); "
                "expected enough different people for 2 of owners"
            ),
        )
    ]


def test_owners_of_a_service_without_one_are_nobody() -> None:
    text = RULES.replace("APPROVALS", "1 of owners").replace(", owner: solo", "")
    rules = parse({"p/r.yaml": (text + PEOPLE).encode()})

    assert [line.split(";")[0] for _, line in found(rules, EVERYWHERE)] == [
        "p/r.yaml:5:3: approvals of production cannot be filled for checkout-api (no owner)"
    ]


def test_a_rollback_that_nobody_could_ask_for_is_an_error() -> None:
    findings = found(rules_of("2 of managers, rollback: {approvals: [1 of solo, 1 of ada]}"), EVERYWHERE)

    assert [line.split(";")[0] for _, line in findings] == [
        "p/r.yaml:3:3: rollback of production cannot be filled"
    ]


def test_an_image_that_is_nowhere_is_an_error() -> None:
    assert found(rules_of(), {"staging": [], "production": []}) == [
        (
            "error",
            (
                "p/r.yaml:5:3: image ghcr.io/example/checkout-api of checkout-api is nowhere in the paths of staging, "
                "production; expected a reference to it, or the image that is used there"
            ),
        )
    ]


def test_an_image_that_is_missing_before_an_environment_is_a_warning() -> None:
    assert found(rules_of(), {"staging": [], "production": [PRODUCTION]}) == [
        (
            "warning",
            (
                "p/r.yaml:5:3: image ghcr.io/example/checkout-api of checkout-api is nowhere in the paths of staging, "
                "so that it never moves in production after it; expected a reference to it, where it should run there"
            ),
        )
    ]


def test_an_image_that_is_missing_at_the_end_is_a_note() -> None:
    findings = found(rules_of(), {"staging": [STAGING], "production": []})

    assert [weight for weight, _ in findings] == ["note"]
    assert "nowhere in the paths of production; expected" in findings[0][1]


def test_an_image_that_no_service_names_is_a_note_once_in_an_environment() -> None:
    strangers = [ReferenceSeen("apps/staging/redis.yaml", line, "redis") for line in (4, 9)]

    assert found(rules_of(), {**EVERYWHERE, "staging": [STAGING, *strangers]}) == [
        (
            "note",
            (
                "apps/staging/redis.yaml:4:1: image 'redis' in staging is named by no service; "
                "expected a service with this image, where it should be promoted"
            ),
        )
    ]


def test_the_name_of_a_file_cannot_forge_a_line() -> None:
    strange = ReferenceSeen("apps/staging/a\nb.yaml", 1, "redis")

    assert found(rules_of(), {**EVERYWHERE, "staging": [STAGING, strange]})[0][1].startswith(
        "apps/staging/a\\nb.yaml:1"
    )


def test_a_marker_that_no_rule_uses_is_a_warning() -> None:
    marked = ReferenceSeen("apps/staging/web.yaml", 3, "", "flux-system:web:tag")

    assert found(rules_of(), {**EVERYWHERE, "staging": [STAGING, marked]}) == [
        (
            "warning",
            (
                "apps/staging/web.yaml:3:1: marker 'flux-system:web:tag' in staging is used by no rule; "
                "expected a service with this image, where it should be promoted"
            ),
        )
    ]


def test_a_reference_outside_of_its_services_folders_is_a_note() -> None:
    text = RULES.replace("apps/staging", "apps/<service>/staging").replace("APPROVALS", "2 of managers")
    rules = parse({"p/r.yaml": (text + PEOPLE).encode()})
    inside = ReferenceSeen("apps/checkout-api/staging/a.yaml", 1, IMAGE)
    outside = ReferenceSeen("apps/other/staging/a.yaml", 1, IMAGE)

    findings = found(rules, {"staging": [inside, outside], "production": [PRODUCTION]})

    assert findings == [
        (
            "note",
            (
                "apps/other/staging/a.yaml:1:1: image 'ghcr.io/example/checkout-api' in staging is outside of its "
                "service's folders; expected it in apps/checkout-api/staging"
            ),
        )
    ]


def test_two_spellings_of_an_image_are_one() -> None:
    text = RULES.replace(IMAGE, "alpine").replace("APPROVALS", "2 of managers")
    rules = parse({"p/r.yaml": (text + PEOPLE).encode()})
    seen = {
        "staging": [ReferenceSeen("apps/staging/a.yaml", 1, "docker.io/library/alpine")],
        "production": [ReferenceSeen("apps/production/a.yaml", 1, "index.docker.io/library/alpine")],
    }

    assert found(rules, seen) == []


NAMES = ("ada", "bob", "carol", "dan")
LINES = st.lists(
    st.builds(
        Line,
        st.integers(1, 2),
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True).map(tuple),
    ),
    max_size=3,
).map(tuple)


@given(LINES, st.sampled_from(("", *NAMES)))
def test_lines_can_be_filled_where_some_seating_of_people_fills_them(
    lines: tuple[Line, ...], without: str
) -> None:
    service = parse({"r.yaml": b"services: {a: {image: x/a, versions: 1.x}}"}).services["a"]
    rules = Rules({}, {"a": service}, people={name: Person(name) for name in NAMES})
    places = [set(line.of) - {without} for line in lines for _ in range(line.count)]
    seatings = permutations(NAMES, len(places)) if len(places) <= len(NAMES) else ()

    expected = any(
        all(one in place for one, place in zip(seating, places, strict=True)) for seating in seatings
    )

    assert can_be_filled(lines, rules, service, without=without) == expected


def test_a_finding_has_its_place_as_a_value() -> None:
    (finding,) = lint(rules_of("1 of solo"), EVERYWHERE)

    assert finding.at == Position("p/r.yaml", 3, 3)


def test_an_image_that_is_pinned_only_in_a_shared_base_is_named_there() -> None:
    text = f"kind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, image: '{IMAGE}:1.0.0'}}]}}\n"
    (reference,) = references.find("apps/base/a.yaml", text.encode()).references
    strange = replace(reference, repository=Repository.parse("ghcr.io/example/other"))
    shared = {"production": [SharedPin(one, ("production", "staging")) for one in (reference, strange)]}

    told = lint(rules_of(), {"staging": [STAGING], "production": []}, shared)

    assert [one.expected for one in told] == [
        "a pin in each environment's own path, such as images: of its kustomization"
    ]


@pytest.mark.parametrize(
    ("apart", "expected"),
    [
        ("rollback: {approvals: 1, review: 2d}", []),
        ("rollback: {approvals: 3}", []),
        ("rollback: {approvals: 3, review: 2d}", ["rollback"]),
        ("emergency: {approvals: 3}", ["emergency"]),
        ("emergency: {approvals: 2}", []),
    ],
)
def test_a_review_that_is_left_to_nobody_is_a_warning(apart: str, expected: list[str]) -> None:
    findings = found(rules_of(f"2 of managers, {apart}"), EVERYWHERE)

    assert findings == [
        (
            "warning",
            (
                f"p/r.yaml:3:3: the review of {key} in production is left to nobody: it takes all who are named in "
                "people; expected somebody more in people, or linked in the chat"
            ),
        )
        for key in expected
    ]
