"""What selection policies chose from registries' lists, kept so that a list which changed a little costs a little."""

from collections.abc import Mapping

from policies.images.builds import NO_BUILDS, Builds
from policies.images.evidence import TagList
from policies.images.image import Repository, Tag
from policies.images.selection import SelectionPolicy
from policies.images.standing import Standing, advance, stand
from policies.rules.rules import Service

MAX_KEPT = 20_000  # services and the environments that mean something else by them; beyond it all begins anew
_Key = tuple[tuple[Repository, ...], SelectionPolicy]
_Made = tuple[TagList, Standing]


class Choices:
    """The newest choice for each list and policy. Lost with the process; made again then."""

    def __init__(self, before: Mapping[_Key, _Made] | None = None) -> None:
        """Begin with nothing, or with what was chosen ``before``, which is left as it is."""
        self._before = before or {}
        self._kept: dict[_Key, _Made] = {}

    def ahead(self) -> "Choices":
        """Return choices that go on from these, for whoever chooses from lists that nobody else knows yet."""
        return Choices({**self._before, **self._kept})

    def take(self, ahead: "Choices") -> None:
        """Take over what was chosen ahead."""
        self._kept.update(ahead._kept)  # noqa: SLF001  of its own kind

    def best(self, service: Service, answer: TagList, builds: Builds = NO_BUILDS) -> Tag | None:
        """Return ``service.select(answer.tags, builds).best``, looking only at what is new since it was asked last."""
        if service.exclusions or service.versions.needs_builds:
            return service.select(answer.tags, builds).best
        key = (service.images, service.versions)
        made = self._kept.get(key) or self._before.get(key)
        if made is None or made[0] is not answer:
            standing = advance(made[1], answer) if made else stand(service.versions, answer)
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            made = self._kept[key] = (answer, standing)
        return made[1].best
