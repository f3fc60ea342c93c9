"""Effective rules as people read them: each key with its value, and where it was said."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from policies.rules.effective import EffectiveRule
from policies.rules.places import NO_TIME, Environment, Service
from policies.rules.terms import Apart, Layer, Line, OutsideGate, Source, jump_text
from policies.times.duration import spell

NOTHING = "none"


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One key of an effective rule; ``source`` is None where it has its built-in value."""

    key: str
    value: str
    source: Source | None = None

    @property
    def layer(self) -> Layer:
        """Which text it comes from."""
        return self.source.layer if self.source else Layer.BUILT_IN


def rule_lines(
    rule: EffectiveRule, provenance: Mapping[tuple[str, str], Mapping[str, Source]]
) -> tuple[RuleLine, ...]:
    """Return each key of a rule: first those of its environment, then the service's."""
    where, what = rule.environment.name, rule.service.name
    said = {**provenance.get((where, ""), {}), **provenance.get((where, what), {})}
    own = provenance.get(("", what), {})
    lines = [
        RuleLine(key, value(rule.environment), said.get(key)) for key, value in ENVIRONMENT_VALUES.items()
    ]
    lines.append(RuleLine("path", listed(rule.environment.paths_of(what)), said.get("path")))
    if rule.group:
        lines.append(RuleLine("group", listed(rule.group), provenance.get(("", ""), {}).get(what)))
    for key, read in SERVICE_VALUES.items():
        sources = [own[name] for name in _NAMES.get(key, (key,)) if name in own]
        said_last = sorted(sources, key=lambda one: one.layer is Layer.OWN)[-1:]
        lines.append(RuleLine(key, read(rule.service), next(iter(said_last), None)))
    return tuple(lines)


def listed(words: Iterable[object]) -> str:
    """Write several in one line."""
    return ", ".join(map(str, words)) or NOTHING


def asked(lines: Iterable[Line]) -> str:
    """Write lines of approvals as one sentence's part."""
    return " and ".join(map(str, lines)) or "nobody"


def _approvals(where: Environment) -> str:
    if where.is_observed:
        return "observe"
    return (
        f"{asked(where.approvals)} (as {where.approvals_as})"
        if where.approvals_as
        else asked(where.approvals)
    )


def _apart(apart: Apart | None) -> str:
    if apart is None:
        return "off"
    parts = [
        asked(apart.approvals),
        f"told in #{apart.tell}" if apart.tell else "",
        f"review within {spell(apart.review)}" if apart.review else "",
        f"skips {listed(apart.skips)}" if apart.skips else "",
    ]
    return "; ".join(part for part in parts if part)


def _gate(gate: OutsideGate) -> str:
    settings = " ".join(f"{key}={','.join(values)}" for key, values in gate.settings.items())
    name = f"{gate.kind} {gate.name}" if gate.name != gate.kind else gate.kind
    return f"{name} ({settings})"


def _span(span: timedelta) -> str:
    return NOTHING if span == NO_TIME else spell(span)


def _after(where: Environment) -> str:
    return f"any of {listed(where.after)}" if where.after_any else listed(where.after)


def _flag(*, is_set: bool) -> str:
    return "true" if is_set else "false"


ENVIRONMENT_VALUES: Mapping[str, Callable[[Environment], str]] = MappingProxyType(
    {
        "approvals": _approvals,
        "after": _after,
        "takes": lambda where: where.takes,
        "via": lambda where: where.via,
        "opens": lambda where: where.opens,
        "merges": lambda where: where.merges,
        "merge-within": lambda where: spell(where.merge_within),
        "digest": lambda where: where.digest,
        "soak": lambda where: _span(where.soak),
        "age": lambda where: _span(where.age),
        "limit": lambda where: str(where.limit or NOTHING),
        "jump": lambda where: jump_text(where.jump),
        "freeze": lambda where: listed(where.freeze),
        "gates": lambda where: listed(map(_gate, where.gates)),
        "health": lambda where: listed(where.health),
        "exclude": lambda where: listed(where.exclude),
        "expire": lambda where: spell(where.expire),
        "evidence": lambda where: where.evidence,
        "rollback": lambda where: _apart(where.rollback),
        "emergency": lambda where: _apart(where.emergency),
        "pulled-from": lambda where: where.pulled_from or NOTHING,
        "config": lambda where: where.config,
        "interval": lambda where: spell(where.interval),
        "zone": lambda where: where.zone or "UTC",
        "catch-up": lambda where: _flag(is_set=where.catch_up),
        "channel": lambda where: where.channel,
        "notify": lambda where: listed(where.notify),
        "cluster": lambda where: listed(where.clusters),
        "like": lambda where: where.like or NOTHING,
        "was": lambda where: listed(where.was),
    }
)
SERVICE_VALUES: Mapping[str, Callable[[Service], str]] = MappingProxyType(
    {
        "images": lambda what: listed(what.images),
        "versions": lambda what: what.versions_text,
        "owner": lambda what: what.owner or "nobody",
        "service channel": lambda what: what.channel or NOTHING,
        "source": lambda what: what.source or NOTHING,
        "links": lambda what: listed(f"{name} {address}" for name, address in what.links),
        "environments": lambda what: listed(what.environments) if what.environments else "all",
        "platforms": lambda what: listed(what.platforms),
        "at": lambda what: listed(what.addresses),
        "service was": lambda what: listed(what.was),
    }
)
# how a service writes what is shown under another name
_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"images": ("image", "images", "chart"), "service channel": ("channel",), "service was": ("was",)}
)


def written(lines: Iterable[RuleLine]) -> Iterator[tuple[str, str, str]]:
    """Yield key, value and place of each line, as text."""
    for one in lines:
        place = f"{one.source.at} ({one.layer})" if one.source else str(one.layer)
        yield one.key, one.value, place
