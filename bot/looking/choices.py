"""What selection policies chose from registries' lists, kept so that a list which changed a little costs a little."""

from policies.images.builds import NO_BUILDS, Builds
from policies.images.evidence import TagList
from policies.images.image import Repository, Tag
from policies.images.selection import SelectionPolicy
from policies.images.standing import Standing, advance, stand
from policies.rules.rules import Service

MAX_KEPT = 20_000  # services and the environments that mean something else by them; beyond it all begins anew
_Key = tuple[tuple[Repository, ...], SelectionPolicy]


class Choices:
    """The newest choice for each list and policy. Lost with the process; made again then."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._kept: dict[_Key, tuple[TagList, Standing]] = {}

    def best(self, service: Service, answer: TagList, builds: Builds = NO_BUILDS) -> Tag | None:
        """Return ``service.select(answer.tags, builds).best``, looking only at what is new since it was asked last."""
        if service.exclusions or service.versions.needs_builds:
            return service.select(answer.tags, builds).best
        key = (service.images, service.versions)
        listed, standing = self._kept.get(key, (None, None))
        if standing is None or listed is not answer:
            standing = stand(service.versions, answer) if standing is None else advance(standing, answer)
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[key] = (answer, standing)
        return standing.best
