"""What rules say that cannot mean anything together: keys that wait for nothing, that nobody meets, that never end."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from policies.rulebook.findings import Finding, Weight
from policies.rules.rules import (
    NO_TIME,
    Environment,
    Evidence,
    Layer,
    Merges,
    Position,
    Rules,
    Service,
    Takes,
    Via,
)
from policies.times.calendar import Calendar, Weekly, Window
from policies.times.windows import opens

# keys that speak of approvals, and mean nothing where nobody is asked
_OF_APPROVALS = ("merge-within", "exclude", "expire", "evidence", "merges", "opens", "emergency")
_OWN = frozenset({Layer.OWN, Layer.OWN_EXCEPTION})
_A_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)  # windows of the week are the same in every week


def contradictions(rules: Rules) -> Iterator[Finding]:
    """Yield what contradicts itself: of environments, of exceptions, of services."""
    for name, where in rules.environments.items():
        yield from _environment(rules, where, "")
        yield from _inherited(rules, name)
    for (_, service), where in rules.exceptions.items():
        yield from _environment(rules, where, service)
    for what in rules.services.values():
        yield from _never_there(rules, what)


def _environment(rules: Rules, where: Environment, service: str) -> Iterator[Finding]:
    who = f"{service} in {where.name}" if service else where.name

    def at(key: str) -> Position:
        sources = rules.provenance.get((where.name, service), {})
        return sources[key].at if key in sources else where.at

    if where.soak != NO_TIME and not where.after:
        what = f"soak of {who} waits for nothing: no environment comes before it"
        yield Finding(at("soak"), what, "after, or age instead of soak")
    if where.takes is Takes.SAME and not where.after:
        yield Finding(at("takes"), f"takes of {who} is same, and no environment comes before it", "after")
    if where.approvals_as and where.approvals_as not in rules.upstream(where.name):
        what = f"approvals of {who} are as {where.approvals_as}, which does not come before it"
        expected = f"after: {where.approvals_as}, or approvals of its own"
        yield Finding(at("approvals"), what, expected)
    if never_ends(where.freeze):
        yield Finding(at("freeze"), f"freeze of {who} never ends", "windows with a time between them")
    if where.evidence is not Evidence.SLACK and where.is_guarded and where.via is Via.COMMIT:
        what = f"evidence of {who} is {where.evidence}, and there is no pull request to review"
        yield Finding(at("evidence"), what, "via: pull-request, or evidence: slack")
    if where.merges is Merges.BY_HAND and where.is_guarded and where.via is Via.COMMIT:
        what = f"merges of {who} is {where.merges}, and there is no pull request to merge"
        yield Finding(at("merges"), what, "via: pull-request, or merges left out")
    yield from _asks_nobody(rules, where, service, who)
    said = rules.provenance.get((where.name, service), {}).get("jump")
    if where.is_guarded and said and said.layer in _OWN:
        what = f"jump of {who} means nothing: people approve what moves there"
        yield Finding(said.at, what, "this key left out, or approvals: none", Weight.WARNING)


def _asks_nobody(rules: Rules, where: Environment, service: str, who: str) -> Iterator[Finding]:
    """Yield keys about approvals that are written where nobody is asked."""
    if where.is_guarded:
        return
    for key, source in rules.provenance.get((where.name, service), {}).items():
        if key in _OF_APPROVALS and source.layer in _OWN:
            what = f"{key} of {who} means nothing: nobody is asked there"
            yield Finding(source.at, what, "approvals, or this key left out", Weight.WARNING)


def never_ends(windows: Iterable[Window]) -> bool:
    """Whether the windows of the week leave no moment free; dates end by themselves."""
    weekly = [window for window in windows if isinstance(window, Weekly)]
    return bool(weekly) and opens(weekly, Calendar(), "UTC", _A_MONDAY) is None


def _inherited(rules: Rules, name: str) -> Iterator[Finding]:
    """Yield what is probably not meant to be the same elsewhere."""
    source = rules.provenance.get((name, ""), {}).get("health")
    where = rules.environments[name]
    if source is not None and source.layer is Layer.LIKE and where.health:
        what = f"health of {name} is that of {where.like}: {', '.join(where.health[:3])}"
        yield Finding(
            where.at, what, f"health of {name} itself, such as another commit status", Weight.WARNING
        )


def _never_there(rules: Rules, what: Service) -> Iterator[Finding]:
    """Yield the environments to which a service never comes, since it is not in those before."""
    for name in what.environments:
        before = rules.environment_for(name, what.name).after if name in rules.environments else ()
        absent = [one for one in before if not what.is_in(one)]
        is_any = bool(before) and rules.environment_for(name, what.name).after_any
        if absent and (not is_any or len(absent) == len(before)):
            said = f"{what.name} is in {name} and not in {' and '.join(absent)} before it, so that it never moves there"
            yield Finding(_place(rules, what), said, f"{' and '.join(absent)} in its environments")


def _place(rules: Rules, what: Service) -> Position:
    sources = rules.provenance.get(("", what.name), {})
    return sources["environments"].at if "environments" in sources else what.at
