"""Groups in the rules: who moves with whom where, what cannot move as one, and what approvals bind to."""

import pytest

from policies.rulebook.parse import RulesError, parse
from policies.rules.rules import Rules, effective

TEXT = """\
environments:
  staging: {path: apps/staging, channel: deploys, approvals: none}
  production:
    path: apps/production
    channel: deploys
    approvals: 1
    after: staging
    exceptions: {web: {%s}}
services:
  cart-api: {image: ghcr.io/acme/cart-api, versions: 1.x, %s}
  web: {image: ghcr.io/acme/web, versions: 2.x, %s}
  search: {image: ghcr.io/acme/search, versions: 3.x}
people: {ada: {slack: U0ADA}, bob: {slack: U0BOB}}
groups:
  shop: [cart-api, web]
"""
EVERYWHERE = "owner: ada"


def text_of(exception: str = "soak: 1h", cart: str = EVERYWHERE, web: str = EVERYWHERE) -> str:
    return TEXT % (exception, cart, web)


def rules_of(text: str) -> Rules:
    return parse({"p.yaml": text.encode()})


def refused(text: str) -> list[str]:
    with pytest.raises(RulesError) as caught:
        rules_of(text)
    return [str(one) for one in caught.value.findings]


def test_members_move_together_where_two_of_them_exist() -> None:
    rules = rules_of(text_of(web="environments: [staging]"))

    assert rules.together("staging", "shop") == ("cart-api", "web")
    assert rules.moves_with("staging", "web") == "shop"
    assert rules.together("production", "shop") == ()
    assert rules.moves_with("production", "cart-api") == ""
    assert rules.moves_with("staging", "search") == ""
    assert rules.together("nowhere", "shop") == rules.together("staging", "nobody") == ()


def test_a_group_binds_its_members_and_nobody_else() -> None:
    grouped = rules_of(text_of())
    other = rules_of(text_of().replace("[cart-api, web]", "[cart-api, search]"))
    alone = rules_of(text_of().partition("groups:")[0])

    def hashes(rules: Rules) -> dict[str, str]:
        found = {name: effective(rules, "production", name) for name in rules.services}
        return {name: rule.hash for name, rule in found.items() if rule}

    assert hashes(grouped)["search"] == hashes(alone)["search"]
    assert hashes(other)["web"] == hashes(alone)["web"]
    assert hashes(grouped)["web"] != hashes(alone)["web"]
    assert hashes(grouped)["cart-api"] != hashes(other)["cart-api"] != hashes(alone)["cart-api"]


DIFFERENT = {
    "evidence": ("evidence: review", "evidence"),
    "observe": ("approvals: observe", "approvals: observe"),
    "nobody": ("approvals: none", "approvals: none"),
    "opens": ("opens: at-once", "opens"),
    "merges": ("merges: atomic", "merges"),
}


@pytest.mark.parametrize(("exception", "key"), DIFFERENT.values(), ids=DIFFERENT)
def test_one_pull_request_goes_one_way(exception: str, key: str) -> None:
    found = refused(text_of(exception))

    said = f"cart-api and web of group shop differ in production by {key}; expected the same {key}"
    assert found == [f"p.yaml:8:24: {said}"]


def test_the_way_may_differ_where_they_do_not_move_together() -> None:
    rules = rules_of(text_of("evidence: review", cart="environments: [staging]"))

    assert rules.moves_with("production", "web") == ""


def test_what_is_asked_of_each_may_differ() -> None:
    rules = rules_of(text_of("approvals: 2, soak: 3h, age: 1d, freeze: [Sat-Sun], limit: 1 per 1h"))

    assert rules.moves_with("production", "web") == "shop"


def test_a_group_that_is_together_nowhere_is_refused() -> None:
    found = refused(text_of(cart="environments: [staging]", web="environments: [production]"))

    what = "the services of group shop are together in no environment"
    assert found == [f"p.yaml:15:9: {what}; expected an environment in which two of them exist"]


def test_windows_that_leave_no_moment_to_all_are_refused() -> None:
    text = text_of("freeze: [Fri 12:00 - Tue 12:00]").replace(
        "    after: staging\n", "    after: staging\n    freeze: [Mon 12:00 - Sat 12:00]\n"
    )

    found = refused(text)

    what = "freeze of the services of group shop in production together never ends"
    assert found == [f"p.yaml:16:9: {what}; expected a time at which all of them may move"]


def test_a_stranger_in_a_group_is_said_once() -> None:
    assert refused(text_of().replace("[cart-api, web]", "[cart-api, wed]")) == [
        "p.yaml:15:20: unknown service 'wed'; expected 'web', did you mean that?"
    ]


def test_members_that_differ_by_where_their_approvals_come_from_are_refused_at_the_group() -> None:
    text = text_of("approvals: 2").replace(
        "services:\n",
        "  us: {path: apps/us, channel: deploys, after: production, approvals: as production}\nservices:\n",
    )
    nobody = text.replace("{web: {approvals: 2}}", "{web: {approvals: none}}")

    assert rules_of(text).moves_with("us", "web") == "shop"
    assert [one.partition(" cart")[0] for one in refused(nobody)] == ["p.yaml:8:24:", "p.yaml:16:9:"]
