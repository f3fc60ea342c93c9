"""What lint says of Flux's documents: what is invalid or has no effect, and who else writes."""

import posixpath
from collections.abc import Collection, Iterator

from policies.flux.documents import ImageUpdateAutomation, Reason, covers
from policies.manifests.places import Problem
from policies.rulebook.findings import Finding, Weight
from policies.rulebook.path import is_inside
from policies.rulebook.seen import Flux
from policies.rules.rules import Position, Rules

_REASONS = frozenset(Reason)


def flux_findings(rules: Rules, flux: Flux, kustomized: Collection[str] = ()) -> Iterator[Finding]:
    """Yield what should be looked at, each thing once. ``kustomized`` are the folders with a kustomization file."""
    yield from _synced(rules, flux, kustomized)
    for problem in flux.documents.problems:
        if problem.code in _REASONS:  # what else is wrong with a file is told of its references
            yield _of_document(problem)
    for (environment, name), service in rules.there.items():
        if service.trouble is not None:
            what, _, expected = service.trouble.detail.partition("; expected ")
            said = f"{name} follows {service.policy}, which says nothing in {environment}: {what}"
            yield Finding(service.at, said, expected or "one document that can be used", Weight.WARNING)
    for automation in flux.documents.automations:
        yield from _of_automation(rules, automation)


def _synced(rules: Rules, flux: Flux, kustomized: Collection[str]) -> Iterator[Finding]:
    """Refuse rules in a folder that Flux applies as it is: without a kustomization file, it takes every YAML file."""
    folders = sorted({posixpath.dirname(file) for file in rules.files})
    for sync in flux.syncs:
        for folder in folders:
            if sync.folder not in kustomized and (not sync.folder or is_inside(folder, sync.folder)):
                where = sync.folder or "the whole repository"
                what = f"the rules in {folder} are in what Flux applies: {sync.path} applies {where}"
                expected = "rules outside of it, or a kustomization file there that names its resources"
                yield Finding(
                    Position(next(file for file in rules.files if file.startswith(folder)), 1, 1),
                    what,
                    expected,
                )


def _of_document(problem: Problem) -> Finding:
    what, _, expected = problem.detail.partition("; expected ")
    at = Position(problem.path, problem.line, 1)
    if problem.code == Reason.NO_EFFECT:
        return Finding(at, what, expected or "it for Flux alone, or left out", Weight.NOTE)
    return Finding(at, f"{problem.code}: {what}", expected or "a document that Flux takes", Weight.WARNING)


def _of_automation(rules: Rules, automation: ImageUpdateAutomation) -> Iterator[Finding]:
    """Refuse an automation that writes where an environment's references are."""
    paths = {
        name: dict.fromkeys(path for service in rules.services for path in where.paths_of(service))
        for name, where in rules.environments.items()
    }
    covered = [name for name, held in paths.items() if any(covers(automation, path) for path in held)]
    if not covered:
        return
    where = automation.folder or "the whole repository"
    what = f"ImageUpdateAutomation {automation.name} writes to {where}, so that nothing moves in {', '.join(covered)}"
    expected = "suspend: true, as this patch says" if automation.suspend_patch else "suspend: true"
    yield Finding(
        Position(automation.path, automation.line, 1), what, expected, patch=automation.suspend_patch
    )
