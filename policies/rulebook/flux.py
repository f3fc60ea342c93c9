"""Services that follow an ImagePolicy of Flux: what it means in each environment, or why it means nothing there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from policies.codes import Code
from policies.errors import PolicyError
from policies.flux.documents import (
    FluxDocuments,
    ImagePolicy,
    ImageRepository,
    Reason,
    Unresolved,
    policy_named,
    repository_of,
    resolve,
)
from policies.images.image import Repository
from policies.images.selection_policy import SelectionPolicy
from policies.manifests.places import Problem
from policies.rulebook.clusters import Clusters
from policies.rulebook.findings import Findings, shown
from policies.rulebook.seen import Flux, Seen
from policies.rulebook.text import Text
from policies.rules.rules import Environment, Service, Trouble

NO_VERSIONS = SelectionPolicy.semver("<0.0.0-0")  # what nothing is lower than: where no policy can be used
_CODES: Mapping[Reason, Code] = MappingProxyType(
    {Reason.MISSING: Code.FLUX_MISSING, Reason.AMBIGUOUS: Code.FLUX_AMBIGUOUS}
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """An ImagePolicy as one environment's cluster has it; ``image`` is None where its repository is not known."""

    policy: str
    versions: SelectionPolicy = NO_VERSIONS
    exclusions: tuple[str, ...] = ()
    image: Repository | None = None
    trouble: Trouble | None = None


class Followed:
    """Looks ImagePolicies up; ``there`` collects what each service that follows one is in each environment."""

    def __init__(self, environments: Iterable[Environment], seen: Seen) -> None:
        self._environments = tuple(environments)
        self._seen = seen
        self._clusters: Clusters | None = None
        self.there: dict[tuple[str, str], Service] = {}

    @property
    def flux(self) -> Flux:
        """What the repository holds of Flux, read when it is asked for."""
        return self._seen.flux()

    def meanings(self, policy: str) -> dict[str, Meaning]:
        """Return what a policy means, by environment."""
        clusters = self._clusters = self._clusters or Clusters(self._environments, self.flux)
        return {
            one.name: _meaning(policy, clusters.documents_of(one.name, policy)) for one in self._environments
        }

    def service(
        self,
        bare: Service,
        flux: Text,
        findings: Findings,
        *,
        said: tuple[Repository, ...],
        given: tuple[Repository, ...],
    ) -> Service | None:
        """Return a service with what its policy means.

        Its images are what it ``said``, else the policy's, else what the defaults have ``given``. It is refused where
        nothing names one, or documents name different ones.
        """
        meanings = self.meanings(flux.value)
        image = said[0] if said else _one_image(bare, flux, meanings, findings, next(iter(given), None))
        if image is None:
            return None
        shared = replace(bare, images=said or (image,), policy=flux.value)
        for environment, meaning in meanings.items():
            found = _checked(meaning, image)
            self.there[environment, bare.name] = replace(
                shared,
                policy=found.policy,
                versions=found.versions,
                exclusions=found.exclusions,
                trouble=found.trouble,
            )
        usable = (one.versions for one in meanings.values() if one.versions is not NO_VERSIONS)
        return replace(shared, versions=next(usable, NO_VERSIONS))


def _meaning(name: str, documents: FluxDocuments) -> Meaning:
    policy = resolve(name, documents)
    if isinstance(policy, Unresolved):
        return Meaning(name, trouble=_unresolved(policy))
    found = Meaning(str(policy.name), policy.selection or NO_VERSIONS)
    repository = repository_of(policy, documents)
    if isinstance(repository, Unresolved):
        return replace(found, trouble=_unresolved(repository))
    found = replace(found, exclusions=repository.exclusions)
    trouble = _wrong(policy, repository)
    try:
        found = replace(found, image=Repository.parse(repository.image))
    except PolicyError as error:
        problem = Problem(repository.path, repository.line, Reason.IMAGE_URL_INVALID, f"spec.image: {error}")
        trouble = trouble or _invalid(problem)
    return replace(found, trouble=trouble)


def _wrong(policy: ImagePolicy, repository: ImageRepository) -> Trouble | None:
    """Say why two documents that were found cannot be followed."""
    for problem in (*policy.invalid, *repository.invalid):
        return _invalid(problem)
    for kind, one in (("ImagePolicy", policy), ("ImageRepository", repository)):
        if one.is_suspended:
            detail = f"{one.path}:{one.line}: {kind} {one.name} is suspended; expected suspend: false"
            return Trouble(Code.FLUX_SUSPENDED, detail)
    return None


def _invalid(problem: Problem) -> Trouble:
    return Trouble(Code.FLUX_INVALID, f"{problem.code}: {problem.path}:{problem.line}: {problem.detail}")


def _unresolved(found: Unresolved) -> Trouble:
    return Trouble(_CODES.get(found.reason, Code.FLUX_INVALID), f"{found.reason}: {found.detail}")


def _checked(meaning: Meaning, image: Repository) -> Meaning:
    """Hold the policy's image against the service's: Flux would write its own."""
    if meaning.image is None or meaning.image.canonical == image.canonical:
        return meaning
    detail = f"{Reason.INVALID}: ImagePolicy {meaning.policy} is for {meaning.image}; expected {image}"
    return replace(meaning, trouble=meaning.trouble or Trouble(Code.FLUX_INVALID, detail))


def _one_image(
    bare: Service,
    flux: Text,
    meanings: Mapping[str, Meaning],
    findings: Findings,
    given: Repository | None,
) -> Repository | None:
    found = {one.image.canonical: (one.image, name) for name, one in meanings.items() if one.image}
    if len(found) > 1:
        several = ", ".join(f"{image} in {name}" for image, name in found.values())
        findings.add(
            flux.at, f"ImagePolicy {policy_named(flux.value)} is for {several}", "one image everywhere"
        )
        return None
    if not found and given is None:
        details = (one.trouble.detail.partition("; expected ")[0] for one in meanings.values() if one.trouble)
        why = next((f": {detail}" for detail in details), "")
        expected = "image, or an ImagePolicy whose ImageRepository names it"
        findings.add(flux.at, f"{shown(bare.name)} has no image{why}"[:600], expected)
        return None
    return next((image for image, _ in found.values()), given)
