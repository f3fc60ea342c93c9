"""Flux's image documents in the files of a repository: read as they stand, found by name, held against each other."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from policies.flux import automation as flux_automation
from policies.flux import policy as flux_policy
from policies.flux import repository as flux_repository
from policies.flux.fields import Fields
from policies.flux.objects import (
    FluxName,
    ImagePolicy,
    ImageRepository,
    ImageUpdateAutomation,
    Reason,
    covers,
)
from policies.manifests import kustomize, setters, workload
from policies.manifests.places import Problem, encrypted
from policies.texts import yaml_text
from policies.texts.yaml_nodes import MapNode
from policies.texts.yaml_text import YamlText

__all__ = [
    "FluxDocuments",
    "FluxName",
    "ImagePolicy",
    "ImageRepository",
    "ImageUpdateAutomation",
    "Reason",
    "Unresolved",
    "covering",
    "covers",
    "policy_named",
    "read",
    "repository_of",
    "resolve",
]

GROUP = "image.toolkit.fluxcd.io"
_VERSIONS = ("v1", "v1beta2", "v1beta1")
_NAMESPACE = re.compile(
    rb"kind[\"']?:[ \t]*[\"']?Namespace\b"
)  # spares the large files that say it elsewhere
_LABELLED = "kubernetes.io/metadata.name"  # the label that every namespace has


@dataclass(frozen=True, slots=True)
class FluxDocuments:
    """What the files hold, in the order of their paths. ``namespaces`` are the labels that the files give them."""

    repositories: tuple[ImageRepository, ...] = ()
    policies: tuple[ImagePolicy, ...] = ()
    automations: tuple[ImageUpdateAutomation, ...] = ()
    problems: tuple[Problem, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why a name leads nowhere, or to more than one document. ``reason`` is Flux's where Flux has one."""

    reason: Reason
    detail: str


def read(files: Mapping[str, bytes]) -> FluxDocuments:
    """Read the documents of all files, whatever else they hold; raises nothing, on any bytes."""
    reading = _Reading(_kustomized(files))
    for path in sorted(files):
        reading.take(path, files[path])
    if any(repository.access is not None for repository in reading.repositories):
        for content in files.values():
            reading.take_namespaces(content)
    return _checked(reading.documents())


def _checked(documents: FluxDocuments) -> FluxDocuments:
    """Add what shows only between documents: repositories that are not there, or not open to a policy."""
    problems = list(documents.problems)
    for policy in documents.policies:
        found = repository_of(policy, documents) if policy.repository.name else None
        if isinstance(found, Unresolved):
            problems.append(Problem(policy.path, policy.line, found.reason, found.detail))
    return replace(documents, problems=tuple(problems))


def policy_named(text: str) -> FluxName:
    """Split ``namespace/name``, or ``namespace:name`` as a marker says it, or a name alone."""
    namespace, _, name = text.replace(":", "/", 1).rpartition("/")
    return FluxName(namespace, name)


def resolve(name: str, documents: FluxDocuments, under: str = "") -> ImagePolicy | Unresolved:
    """Return the ImagePolicy ``namespace/name`` in the folder ``under``, or why there is none, or not one."""
    wanted, folder = policy_named(name), setters.scope({"path": under})
    fitting = [
        policy
        for policy in documents.policies
        if policy.name.fits(wanted) and setters.in_scope(policy.path, folder)
    ]
    exact = [policy for policy in fitting if policy.name.namespace == wanted.namespace]
    found = (wanted.namespace and exact) or fitting
    if not found:
        where = f"in {folder}" if folder else "in these files"
        known = ", ".join(sorted({str(policy.name) for policy in documents.policies})[:10]) or "none at all"
        return Unresolved(
            Reason.MISSING, f"there is no ImagePolicy {wanted} {where}; expected one of: {known}"
        )
    if len(found) > 1:
        places = ", ".join(f"{policy.path}:{policy.line}" for policy in found[:10])
        return Unresolved(
            Reason.AMBIGUOUS, f"ImagePolicy {wanted} stands more than once: {places}; expected one"
        )
    return found[0]


def repository_of(policy: ImagePolicy, documents: FluxDocuments) -> ImageRepository | Unresolved:
    """Return the ImageRepository that a policy names, the nearest by folder, or why it cannot have it."""
    fitting = [one for one in documents.repositories if one.name.fits(policy.repository)]
    nearest = max((_shared(one.path, policy.path) for one in fitting), default=0)
    found = [one for one in fitting if _shared(one.path, policy.path) == nearest]
    if not found:
        return Unresolved(
            Reason.DEPENDENCY_NOT_READY,
            f"ImagePolicy {policy.name} follows ImageRepository {policy.repository}, which is not in these files",
        )
    if len(found) > 1:
        places = ", ".join(f"{one.path}:{one.line}" for one in found[:10])
        return Unresolved(
            Reason.AMBIGUOUS,
            f"ImageRepository {policy.repository} stands more than once: {places}; expected one",
        )
    if not _is_open(found[0], policy, documents.namespaces):
        return Unresolved(
            Reason.ACCESS_DENIED,
            f"ImageRepository {found[0].name} is not open to the namespace {policy.name.namespace!r};"
            " expected accessFrom to select it by the labels that its Namespace has in these files",
        )
    return found[0]


def covering(documents: FluxDocuments, paths: Iterable[str]) -> tuple[ImageUpdateAutomation, ...]:
    """Return the automations that may write where ``paths`` are."""
    wanted = tuple(paths)
    return tuple(one for one in documents.automations if any(covers(one, path) for path in wanted))


def _is_open(
    repository: ImageRepository, policy: ImagePolicy, namespaces: Mapping[str, Mapping[str, str]]
) -> bool:
    """Say whether the policy's namespace may use the repository, as accessFrom says."""
    own, other = repository.name.namespace, policy.name.namespace
    if own == other or not own or not other:
        return True
    labels = {_LABELLED: other, **namespaces.get(other, {})}
    return any(wanted.items() <= labels.items() for wanted in repository.access or ())


def _shared(one: str, other: str) -> int:
    """Count the folders that two paths share from the top; the same file shares one more."""
    pairs = zip(one.split("/"), other.split("/"), strict=False)
    count = 0
    for first, second in pairs:
        if first != second:
            break
        count += 1
    return count


class _Reading:
    """Collects the documents of one file after the other."""

    def __init__(self, namespaces_of_folders: Mapping[str, str]) -> None:
        self.repositories: list[ImageRepository] = []
        self.policies: list[ImagePolicy] = []
        self.automations: list[ImageUpdateAutomation] = []
        self.problems: list[Problem] = []
        self.namespaces: dict[str, Mapping[str, str]] = {}
        self._folders = namespaces_of_folders

    def take(self, path: str, content: bytes) -> None:
        """Read one file; others than YAML with such documents are passed over."""
        if GROUP.encode() not in content:
            return
        try:
            yaml = yaml_text.read(content)
        except yaml_text.YamlRefused as refused:
            self.problems.append(Problem(path, refused.line, refused.code, refused.detail))
            return
        if yaml.encrypted_at is not None:
            self.problems.append(encrypted(path, yaml.encrypted_at))
            return
        for item in _objects(yaml):
            self._take_object(path, yaml, item)

    def take_namespaces(self, content: bytes) -> None:
        """Note the labels of the namespaces in one file."""
        if _NAMESPACE.search(content) is None:
            return
        try:
            yaml = yaml_text.read(content)
        except yaml_text.YamlRefused:
            return
        for item in _objects(yaml):
            if (item.text("apiVersion"), item.text("kind")) == ("v1", "Namespace"):
                metadata = Fields("", item, item.line).sub("metadata")
                self.namespaces[metadata.text("name")] = metadata.table("labels")

    def documents(self) -> FluxDocuments:
        """Return what was read so far."""
        return FluxDocuments(
            tuple(self.repositories),
            tuple(self.policies),
            tuple(self.automations),
            tuple(self.problems),
            self.namespaces,
        )

    def _take_object(self, path: str, yaml: YamlText, item: MapNode) -> None:
        group, _, version = (item.text("apiVersion") or "").rpartition("/")
        kind = item.text("kind") or ""
        fields = Fields(path, item, item.line)
        if group != GROUP:
            return
        namespace = self._folders.get(path.rpartition("/")[0], "")
        if version not in _VERSIONS:
            fields.note(
                Reason.INVALID,
                f"{kind} has the version {version[:60]!r}; expected one of {', '.join(_VERSIONS)}",
            )
        elif kind == "ImageRepository":
            self.repositories.append(flux_repository.read(fields, namespace))
        elif kind == "ImagePolicy":
            self.policies.append(flux_policy.read(fields, namespace))
        elif kind == "ImageUpdateAutomation":
            self.automations.append(flux_automation.read(fields, namespace, yaml.text))
        self.problems += fields.problems


def _objects(yaml: YamlText) -> Iterator[MapNode]:
    for root in yaml.documents:
        yield from workload.objects(root)


def _kustomized(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the namespace that a folder's kustomization gives to everything in it."""
    found: dict[str, str] = {}
    for path, content in files.items():
        folder, _, name = path.rpartition("/")
        if name not in kustomize.FILES or b"namespace" not in content:
            continue
        try:
            roots = yaml_text.read(content).documents
        except yaml_text.YamlRefused:
            continue
        for root in roots:
            namespace = root.text("namespace") if isinstance(root, MapNode) else None
            if namespace:
                found[folder] = namespace
    return found
