"""Effective rules with their provenance: the example of the docs, line by line."""

import pytest

from policies.rulebook.keys import ENVIRONMENT, EXCEPTIONS, SERVICE
from policies.rulebook.parse import parse
from policies.rules.hash import rules_hash
from policies.rules.rules import Rules, effective
from policies.rules.shown import ENVIRONMENT_VALUES, SERVICE_VALUES, rule_lines, written
from tests.policies.test_rules_keys import rules_of, text_of
from tests.policies.twelve_services import encoded


@pytest.fixture(scope="module")
def rules() -> Rules:
    return parse(encoded())


def shown(rules: Rules, environment: str, service: str) -> str:
    """Return the lines that somebody said."""
    rule = effective(rules, environment, service)
    assert rule is not None
    lines = [one for one in rule_lines(rule, rules.provenance) if one.source]
    return "".join(f"{key}: {value} | {place}\n" for key, value, place in written(lines))


SHOWN = {
    ("staging", "cart-api"): """\
approvals: nobody | @environments.yaml:6:5 (own)
health: kustomization/apps/staging | @environments.yaml:7:5 (own)
channel: deploys-staging | @environments.yaml:8:5 (own)
path: apps/staging | @environments.yaml:5:5 (own)
group: cart-api, web | @services.yaml:16:10 (own)
images: ghcr.io/acme/cart-api | @services.yaml:2:12 (defaults)
versions: >=1.0.0 | @services.yaml:2:43 (defaults)
owner: platform | @services.yaml:2:64 (defaults)
""",
    ("production-eu", "payments-api"): """\
approvals: 1 of owners and 1 of security | @environments.yaml:20:22 (own-exception)
after: staging | @environments.yaml:11:5 (own)
soak: 2h | @environments.yaml:12:5 (own)
freeze: Fri 15:00 - Mon 08:00, closed | @environments.yaml:14:5 (own)
health: kustomization/apps/production-eu | @environments.yaml:17:5 (own)
evidence: review | @environments.yaml:20:63 (own-exception)
rollback: 1 of owners or oncall | @environments.yaml:15:5 (own)
emergency: 1 of oncall; told in #incidents; review within 2d; skips soak, freeze | @environments.yaml:16:5 (own)
channel: deploys-production | @environments.yaml:18:5 (own)
path: apps/production-eu | @environments.yaml:10:5 (own)
images: ghcr.io/acme/payments-api | @services.yaml:2:12 (defaults)
versions: >=1.0.0 | @services.yaml:2:43 (defaults)
owner: payments | @services.yaml:6:18 (own)
""",
    ("production-us", "payments-api"): """\
approvals: 1 of owners and 1 of security (as production-eu) | @environments.yaml:26:5 (own)
after: production-eu | @environments.yaml:24:5 (own)
soak: 1h | @environments.yaml:25:5 (own)
freeze: Fri 15:00 - Mon 08:00, closed | @environments.yaml:14:5 (like)
health: kustomization/apps/production-us | @environments.yaml:27:5 (own)
evidence: review | @environments.yaml:20:63 (like-exception)
rollback: 1 of owners or oncall | @environments.yaml:15:5 (like)
emergency: 1 of oncall; told in #incidents; review within 2d; skips soak, freeze | @environments.yaml:16:5 (like)
channel: deploys-production | @environments.yaml:18:5 (like)
like: production-eu | @environments.yaml:22:5 (own)
path: apps/production-us | @environments.yaml:23:5 (own)
images: ghcr.io/acme/payments-api | @services.yaml:2:12 (defaults)
versions: >=1.0.0 | @services.yaml:2:43 (defaults)
owner: payments | @services.yaml:6:18 (own)
""",
    ("production-us", "checkout"): """\
approvals: 1 of owners and 1 of release-managers (as production-eu) | @environments.yaml:26:5 (own)
after: production-eu | @environments.yaml:24:5 (own)
soak: 1h | @environments.yaml:25:5 (own)
freeze: Fri 15:00 - Mon 08:00, closed | @environments.yaml:14:5 (like)
health: kustomization/apps/production-us | @environments.yaml:27:5 (own)
rollback: 1 of owners or oncall | @environments.yaml:15:5 (like)
emergency: 1 of oncall; told in #incidents; review within 2d; skips soak, freeze | @environments.yaml:16:5 (like)
channel: deploys-production | @environments.yaml:18:5 (like)
like: production-eu | @environments.yaml:22:5 (own)
path: apps/production-us | @environments.yaml:23:5 (own)
images: ghcr.io/acme/checkout-api, ghcr.io/acme/checkout-worker | @services.yaml:13:14 (own)
versions: >=1.0.0 | @services.yaml:2:43 (defaults)
owner: checkout | @services.yaml:13:81 (own)
""",
}


@pytest.mark.parametrize(("environment", "service"), SHOWN)
def test_each_line_says_where_it_comes_from(rules: Rules, environment: str, service: str) -> None:
    assert shown(rules, environment, service) == SHOWN[environment, service].replace("@", "promotion/")


def test_all_twelve_services_are_judged_where_they_exist(rules: Rules) -> None:
    found = [name for name in rules.services if effective(rules, "production-us", name)]

    assert len(rules.services) == 12
    assert [name for name in rules.services if name not in found] == ["shipping"]


def test_the_rules_of_the_example_have_one_hash(rules: Rules) -> None:
    assert rules_hash(rules) == "a40e2cd528b2e4e3f5591ef85336cbea55f59714f074b95ea7afdfe8bb90f11c"


def test_every_key_is_shown() -> None:
    told = {"path", "exceptions"}
    of_services = {"image", "chart", "channel", "was"}

    assert set(ENVIRONMENT_VALUES) | told == {*ENVIRONMENT.known, EXCEPTIONS.name}
    assert set(SERVICE.known) - of_services <= set(SERVICE_VALUES)


def test_what_nobody_said_is_built_in(rules: Rules) -> None:
    rule = effective(rules, "staging", "cart-api")
    assert rule is not None

    lines = {one.key: (one.value, one.layer.value) for one in rule_lines(rule, rules.provenance)}

    assert lines["merge-within"] == ("4h", "built-in")
    assert lines["rollback"] == ("1", "built-in")
    assert lines["emergency"] == ("off", "built-in")


def test_what_is_observed_and_who_outside_is_asked_is_shown() -> None:
    gates = "[{labels: {has: [a=b, c=d]}}, {checks: {names: ci}, name: built}]"
    text = text_of(f"approvals: observe\n    gates: {gates}").replace(
        "after: staging", "after: {any: [staging]}"
    )
    rule = effective(rules_of(text), "production", "web")
    assert rule is not None

    values = {one.key: one.value for one in rule_lines(rule, {})}

    assert values["approvals"] == "observe"
    assert values["gates"] == "labels (has=a=b,c=d), checks built (names=ci)"
    assert values["after"] == "any of staging"
