"""What only the whole document can show: circles of environments, folders and references that two would own."""

import posixpath
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from policies.rulebook.document import Document
from policies.rulebook.findings import Findings
from policies.rulebook.path import PLACEHOLDER, clashes, is_inside
from policies.rulebook.together import check_groups
from policies.rules.rules import Environment, Rules, Service

MAX_FOLDERS = 500_000  # of all services in all environments


def check(document: Document, rules: Rules, findings: Findings) -> None:
    """Note what contradicts itself between environments and services."""
    _circles(document, rules, findings)
    _own_folder(document, rules, findings)
    _shared_folders(document, rules, findings)
    _shared_references(rules, findings)
    check_groups(document, rules, findings)


def _circles(document: Document, rules: Rules, findings: Findings) -> None:
    left = {
        name: {one for one in where.after if one in rules.environments and one != name}
        for name, where in rules.environments.items()
    }
    while left and not findings.is_full:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            circle = set(error.args[1])
        else:
            return
        named = [name for name in left if name in circle]
        at = document.sections["environments"][named[0]].place("after")
        what = f"{', '.join(named[:10])} come after one another in a circle"
        findings.add(at, what, "an environment that comes first")
        left = {name: after - circle for name, after in left.items() if name not in circle}


def _own_folder(document: Document, rules: Rules, findings: Findings) -> None:
    folders = {posixpath.dirname(file) for file in rules.files} - {""}
    for name, where in rules.environments.items():
        for folder in folders:
            if any(is_inside(path, folder) for path in where.paths):
                at = document.sections["environments"][name].place("path")
                findings.add(
                    at, f"path of {name} is in the folder of the rules", f"a folder outside of {folder}"
                )


def _shared_folders(document: Document, rules: Rules, findings: Findings) -> None:
    expanded = [where for where in rules.environments.values() if any("<" in path for path in where.paths)]
    count = sum(len(where.paths) for where in expanded) * len(rules.services)
    if count > MAX_FOLDERS:
        findings.add(
            expanded[0].at, f"paths with {PLACEHOLDER} make {count} folders", f"at most {MAX_FOLDERS}"
        )
        return
    told: set[tuple[str, str]] = set()
    for path, name, other in clashes(_claims(rules)):
        if (name, other) not in told:
            told.add((name, other))
            at = document.sections["environments"][name].place("path")
            what = f"path {path} of {name} overlaps with a path of {other}"
            findings.add(at, what, "folders that belong to one environment")


def _claims(rules: Rules) -> Iterator[tuple[str, str]]:
    """Yield each folder with its environment, for every service and as written."""
    for name, where in rules.environments.items():
        yield from dict.fromkeys((path, name) for path in where.paths)
        for service in rules.services if any("<" in path for path in where.paths) else ():
            yield from ((path, name) for path in where.paths_of(service))


def _shared_references(rules: Rules, findings: Findings) -> None:
    """Note services of one image whose references are looked for in one folder: whose they are is a guess.

    Markers tell services apart that follow different ImagePolicies.
    """
    sharing: defaultdict[tuple[str, str], list[Service]] = defaultdict(list)
    for service in rules.services.values():
        for image in service.images:
            sharing[image.canonical, service.policy].append(service)
    for services in sharing.values():
        told: set[str] = set()
        for where in rules.environments.values() if len(services) > 1 else ():
            if findings.is_full:
                return
            if all((rules.service_in(where.name, one.name) or one).addresses for one in services):
                continue
            for path, name, other in clashes(_folders(where, services)):
                if name not in told:
                    told.add(name)
                    what = f"{name} and {other} have one image and are both looked for in {path}"
                    expected = f"an image for each service, or {PLACEHOLDER} in the path"
                    findings.add(rules.services[name].at, what, expected)


def _folders(where: Environment, services: list[Service]) -> Iterator[tuple[str, str]]:
    for service in services:
        yield from ((path, service.name) for path in where.paths_of(service.name))
