"""Whether the rule asks a gate anything: what it leaves out passes, and nobody asked it."""

from collections.abc import Mapping

from policies.gates import before, content, outside, sightings, standing, waits
from policies.gates.case import Case, Gate
from policies.gates.clock import watched
from policies.rules.rules import ConfigRule, Takes


def is_ruled(gate: Gate, case: Case) -> bool:
    """Whether the rule asks this gate anything of the case; a gate that no key turns off is always asked."""
    where = case.rule.environment
    kinds = {one.kind for one in where.gates}
    asked: Mapping[Gate, bool] = {
        content.jump: where.jump is not None and not where.is_guarded,
        before.previous: bool(where.after),
        before.takes: bool(where.after) and where.takes is Takes.SAME,
        before.healthy: any(watched(case, name) for name in where.after),
        waits.soak: bool(where.after) and bool(where.soak),
        waits.age: bool(where.age),
        waits.freeze: bool(where.freeze),
        waits.limit: where.limit is not None,
        sightings.known_before: not where.catch_up,
        standing.reviewed: where.config is ConfigRule.GUARD,
        outside.checks: "checks" in kinds,
        outside.http: "http" in kinds,
        outside.prometheus: "prometheus" in kinds,
        outside.signature: "signature" in kinds,
        outside.labels: "labels" in kinds,
        outside.platforms: bool(case.rule.service.platforms),
    }
    return asked.get(gate, True)
