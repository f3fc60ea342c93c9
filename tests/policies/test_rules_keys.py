"""Every key of the rules: read to a value, or refused where the engine does not act on it yet; each with a sample."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from policies.rulebook.keys import (
    CALENDAR,
    EMERGENCY,
    ENVIRONMENT_KEYS,
    PERSON,
    REGISTRY,
    ROLLBACK,
    SERVICE,
    VERSIONS,
    Keys,
)
from policies.rulebook.parse import parse
from policies.rules.rules import (
    Apart,
    ConfigRule,
    EffectiveRule,
    Environment,
    Evidence,
    Limit,
    Line,
    Merges,
    Opens,
    OutsideGate,
    Rules,
    Service,
    Takes,
    Team,
    Via,
    effective,
)
from policies.times.calendar import Calendar, Closed, DateRange, Weekly

WHOLE = """\
environments:
  staging: {path: apps/staging, channel: deploys, approvals: none}
  production:
    path: apps/production
    channel: deploys
    after: staging
    approvals: 1 of owners
    %(environment)s
services:
  web:
    image: ghcr.io/example/web
    versions: 1.x
    owner: ada
    %(service)s
  api: {image: ghcr.io/example/api, versions: 1.x}
people: {ada: {slack: U0ADA, github: ada-l}, bob: {slack: U0BOB}}
teams: {oncall: [ada, bob]}
%(top)s
"""


def text_of(environment: str = "", service: str = "", top: str = "") -> str:
    """Write rules in which one thing more is said; a key that is there already is taken out."""
    whole = WHOLE
    for key in ("approvals", "after", "path", "channel"):
        if environment.startswith(f"{key}:"):
            whole = "\n".join(line for line in whole.split("\n") if not line.startswith(f"    {key}:"))
    for key, others in {"image": ("image", "images", "chart"), "versions": ("versions",)}.items():
        if service.startswith(tuple(f"{one}:" for one in others)):
            whole = "\n".join(line for line in whole.split("\n") if not line.startswith(f"    {key}:"))
    return whole % {"environment": environment, "service": service, "top": top}


def rules_of(text: str, **changes: Any) -> Rules:
    return parse({"promotion/rules.yaml": text.encode()}, **changes)


def production(rules: Rules) -> Environment:
    return rules.environments["production"]


def web(rules: Rules) -> Service:
    return rules.services["web"]


URL = "https://example.com/state"
Sample = tuple[str, Callable[[Rules], object], object]

# what is written in the environment -> which value it has
IN_ENVIRONMENT: dict[str, Sample] = {
    "environments.takes": ("takes: same", lambda rules: production(rules).takes, Takes.SAME),
    "via commit": ("via: commit", lambda rules: production(rules).via, Via.COMMIT),
    "environments.opens": ("opens: at-once", lambda rules: production(rules).opens, Opens.AT_ONCE),
    "merges by-hand": ("merges: by-hand", lambda rules: production(rules).merges, Merges.BY_HAND),
    "merges atomic": ("merges: atomic", lambda rules: production(rules).merges, Merges.ATOMIC),
    "environments.jump": ("jump: any", lambda rules: production(rules).jump, None),
    "a jump of none": ("jump: 0", lambda rules: production(rules).jump, 0),
    "environments.soak": ("soak: 2h", lambda rules: production(rules).soak, timedelta(hours=2)),
    "soak of nothing": ("soak: 0", lambda rules: production(rules).soak, timedelta(0)),
    "environments.age": ("age: 1d", lambda rules: production(rules).age, timedelta(days=1)),
    "environments.limit": (
        "limit: 4 per 1h",
        lambda rules: production(rules).limit,
        Limit(4, timedelta(hours=1)),
    ),
    "limit of none": ("limit: none", lambda rules: production(rules).limit, None),
    "environments.freeze": (
        "freeze: [Fri 15:00 - Mon 08:00, 2026-12-24..2026-12-26]",
        lambda rules: production(rules).freeze,
        (Weekly((4,), 900, 3900), DateRange(date(2026, 12, 24), date(2026, 12, 26))),
    ),
    "no freeze": ("freeze: []", lambda rules: production(rules).freeze, ()),
    "environments.gates": (
        f"gates: [{{http: {{url: '{URL}', is: ['yes', ok]}}}}, {{checks: {{names: ci}}, name: built}}]",
        lambda rules: production(rules).gates,
        (
            OutsideGate("http", "http", {"url": (URL,), "is": ("yes", "ok")}),
            OutsideGate("checks", "built", {"names": ("ci",)}),
        ),
    ),
    "one gate": (
        "gates: {labels: {has: a=b}}",
        lambda rules: production(rules).gates,
        (OutsideGate("labels", "labels", {"has": ("a=b",)}),),
    ),
    "a gate for an identity": (
        "gates: {signature: {identity: ada@example.com, issuer: 'https://i.example', trust-root: promotion/r.json}}",
        lambda rules: production(rules).gates,
        (
            OutsideGate(
                "signature",
                "signature",
                {
                    "identity": ("ada@example.com",),
                    "issuer": ("https://i.example",),
                    "trust-root": ("promotion/r.json",),
                },
            ),
        ),
    ),
    "environments.health": (
        "health: [kustomization/apps]",
        lambda rules: production(rules).health,
        ("kustomization/apps",),
    ),
    "evidence review": ("evidence: review", lambda rules: production(rules).evidence, Evidence.REVIEW),
    "one review": ("evidence: 1 review", lambda rules: production(rules).evidence, Evidence.ONE_REVIEW),
    "environments.emergency": (
        "emergency: {approvals: 1 of oncall, tell: '#incidents', review: 2d, skips: [soak, freeze]}",
        lambda rules: production(rules).emergency,
        Apart((Line(1, ("oncall",)),), "incidents", timedelta(days=2), ("soak", "freeze")),
    ),
    "rollback.tell": ("rollback: {tell: ops}", lambda rules: production(rules).rollback.tell, "ops"),
    "rollback.review": (
        "rollback: {approvals: 2, review: 1h}",
        lambda rules: production(rules).rollback,
        Apart((Line(2),), review=timedelta(hours=1)),
    ),
    "rollback.skips": (
        "rollback: {skips: limit}",
        lambda rules: production(rules).rollback.skips,
        ("limit",),
    ),
    "environments.pulled-from": (
        "pulled-from: mirror.example.com/<image>",
        lambda rules: production(rules).pulled_from,
        "mirror.example.com/<image>",
    ),
    "environments.config": ("config: guard", lambda rules: production(rules).config, ConfigRule.GUARD),
    "environments.zone": ("zone: Europe/Berlin", lambda rules: production(rules).zone, "Europe/Berlin"),
    "environments.notify": (
        "notify: [oncall, ada, '@here', U0EVE, S0TEAM]",
        lambda rules: production(rules).notify,
        ("oncall", "ada", "@here", "U0EVE", "S0TEAM"),
    ),
    "environments.was": ("was: [prod, live]", lambda rules: production(rules).was, ("prod", "live")),
    "approvals as": (
        "approvals: as staging-2",
        lambda rules: (production(rules).approvals_as, production(rules).approvals),
        ("staging-2", (Line(2),)),
    ),
    "approvals observe": (
        "approvals: observe",
        lambda rules: (production(rules).is_observed, production(rules).approvals),
        (True, ()),
    ),
    "exclude authors": (
        "exclude: [requester, authors]",
        lambda rules: production(rules).exclude,
        ("requester", "authors"),
    ),
    "after any": (
        "after: {any: [staging, staging-2]}",
        lambda rules: (production(rules).after, production(rules).after_any),
        (("staging", "staging-2"), True),
    ),
    "exclude nobody": ("exclude: []", lambda rules: production(rules).exclude, ()),
}
IN_SERVICE: dict[str, Sample] = {
    "services.images": (
        "images: [ghcr.io/example/<service>, ghcr.io/example/worker]",
        lambda rules: (web(rules).images, web(rules).image),
        (("ghcr.io/example/web", "ghcr.io/example/worker"), "ghcr.io/example/web"),
    ),
    "versions.digest-of": (
        "versions: {digest-of: latest}",
        lambda rules: web(rules).versions.followed,
        "latest",
    ),
    "services.channel": ("channel: '#web'", lambda rules: rules.channel_for("production", "web"), "web"),
    "services.source": ("source: acme/<service>", lambda rules: web(rules).source, "acme/web"),
    "a source elsewhere": (
        "source: https://git.example.com/acme/web",
        lambda rules: web(rules).source,
        "https://git.example.com/acme/web",
    ),
    "services.links": (
        "links: {dashboard: 'https://grafana.example.com/d/<service>'}",
        lambda rules: web(rules).links,
        (("dashboard", "https://grafana.example.com/d/web"),),
    ),
    "services.environments": (
        "environments: staging",
        lambda rules: [bool(effective(rules, name, "web")) for name in ("staging", "production", "nowhere")],
        [True, False, False],
    ),
    "services.platforms": (
        "platforms: [linux/amd64, linux/arm/v7]",
        lambda rules: web(rules).platforms,
        ("linux/amd64", "linux/arm/v7"),
    ),
    "services.was": ("was: website", lambda rules: web(rules).was, ("website",)),
}
AT_TOP: dict[str, Sample] = {
    "teams elsewhere": (
        "",
        lambda rules: [rules.teams[name] for name in ("security", "night")],
        [Team("security", source="github:acme/security"), Team("night", source="slack:@night")],
    ),
    "groups": ("groups: {shop: [web, api]}", lambda rules: rules.group_of("api"), ("web", "api")),
    "calendar": (
        "calendar: {zone: Europe/Berlin, working: Mon-Fri 08:00-18:00, closed: [2026-12-24..2027-01-01]}",
        lambda rules: (rules.calendar, production(rules).zone),
        (
            Calendar(
                "Europe/Berlin",
                (Weekly((0, 1, 2, 3, 4), 480, 600),),
                (DateRange(date(2026, 12, 24), date(2027, 1, 1)),),
            ),
            "Europe/Berlin",
        ),
    ),
    "registries.interval": (
        "registries: {ghcr.io: {interval: 1m}}",
        lambda rules: rules.registries["ghcr.io"].interval,
        timedelta(minutes=1),
    ),
}


def written(name: str) -> str:
    if name in IN_ENVIRONMENT:
        text = text_of(IN_ENVIRONMENT[name][0])
        return text.replace(
            "  production:\n",
            "  staging-2: {path: apps/staging-2, channel: deploys, approvals: 2}\n  production:\n",
        )
    if name in IN_SERVICE:
        return text_of(service=IN_SERVICE[name][0])
    text = text_of(top=AT_TOP[name][0])
    elsewhere = "{security: 'github:acme/security', night: 'slack:@night', oncall"
    return text.replace("teams: {oncall", f"teams: {elsewhere}") if name == "teams elsewhere" else text


SAMPLES = IN_ENVIRONMENT | IN_SERVICE | AT_TOP


@pytest.mark.parametrize("name", SAMPLES)
def test_a_key_has_the_value_that_is_written(name: str) -> None:
    _, value, expected = SAMPLES[name]

    assert value(rules_of(written(name))) == expected


# of these rules, at the commit before these keys came
HASH_BEFORE = "4be99bd5679cf1d00debb33d925b02d657de494f8163f6d4dfe0bdb3fe08801c"
TABLES: list[Keys] = [ENVIRONMENT_KEYS, SERVICE, PERSON, REGISTRY, CALENDAR, ROLLBACK, EMERGENCY, VERSIONS]


def test_a_key_at_its_built_in_value_leaves_the_hash_as_it_was() -> None:
    plain = effective(rules_of(text_of()), "production", "web")
    said = text_of(
        "soak: 0\n    takes: newest\n    limit: none\n    freeze: []\n    gates: []\n    health: []\n"
        "    config: record\n    evidence: slack\n    merges: when-approved\n    via: pull-request"
    )
    same = effective(rules_of(said), "production", "web")

    assert plain is not None
    assert same is not None
    assert same.hash == plain.hash
    assert plain.hash == HASH_BEFORE


JUDGING = [
    *(
        "environments.takes",
        "via commit",
        "merges atomic",
        "environments.soak",
        "environments.age",
    ),
    *(
        "environments.limit",
        "environments.freeze",
        "environments.gates",
        "environments.health",
        "evidence review",
    ),
    *("environments.emergency", "rollback.review", "rollback.skips", "environments.pulled-from"),
    *(
        "environments.config",
        "environments.zone",
        "approvals as",
        "approvals observe",
        "exclude authors",
        "after any",
    ),
    *("services.images", "services.platforms", "groups", "calendar"),
]


@pytest.mark.parametrize("name", JUDGING)
def test_a_key_that_judges_changes_what_approvals_bind_to(name: str) -> None:
    plain = effective(rules_of(text_of()), "production", "web")
    said = effective(rules_of(written(name)), "production", "web")

    assert plain is not None
    assert said is not None
    assert said.hash != plain.hash


@pytest.mark.parametrize(
    "name",
    [
        *("environments.notify", "rollback.tell", "environments.opens", "environments.was"),
        *("services.channel", "services.source", "services.links", "services.was"),
    ],
)
def test_a_key_that_only_tells_changes_nothing_that_approvals_bind_to(name: str) -> None:
    plain = effective(rules_of(text_of()), "production", "web")
    said = effective(rules_of(written(name)), "production", "web")

    assert plain is not None
    assert said is not None
    assert said.hash == plain.hash


def test_closed_is_a_window_where_the_calendar_has_dates() -> None:
    found = rules_of(text_of("freeze: closed", top="calendar: {closed: 2026-12-24}"))

    assert production(found).freeze == (Closed(),)


def _judged(text: str) -> EffectiveRule:
    found = effective(rules_of(text), "production", "web")
    assert found is not None
    return found


def test_whether_the_hash_was_asked_for_is_no_part_of_a_rule() -> None:
    asked, other = _judged(text_of()), _judged(text_of())

    said = asked.hash

    assert asked == other
    assert said not in repr(asked)


def test_a_rule_in_which_something_is_changed_has_a_hash_of_its_own() -> None:
    rule = _judged(text_of())
    said = rule.hash

    later = replace(rule, environment=replace(rule.environment, soak=timedelta(hours=1)))

    assert later.hash == _judged(text_of("soak: 1h")).hash != said


def test_a_rule_that_says_nothing_of_addresses_lets_none_approve() -> None:
    rule = _judged(text_of())

    assert EffectiveRule(rule.environment, rule.service).hash == rule.hash


@pytest.mark.parametrize("said", ["working: Mon-Fri 08:00-18:00", "closed: 2026-12-24"])
def test_working_hours_and_closed_dates_each_judge_by_themselves(said: str) -> None:
    assert _judged(text_of(top=f"calendar: {{{said}}}")).hash != _judged(text_of()).hash


def test_a_zone_alone_is_no_calendar() -> None:
    found = _judged(text_of("zone: UTC", top="calendar: {zone: Europe/Berlin}")).hash

    assert found == _judged(text_of("zone: UTC")).hash
