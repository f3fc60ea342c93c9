"""``pulled-from``: the names by which an environment pulls images that another registry has with the same digest."""

from collections.abc import Mapping
from dataclasses import replace

from policies.images.image import Repository
from policies.rulebook.environment import IMAGE
from policies.rulebook.path import PLACEHOLDER
from policies.rules.rules import Environment, Service


def pulled(
    environments: Mapping[str, Environment],
    exceptions: Mapping[tuple[str, str], Environment],
    services: Mapping[str, Service],
    there: Mapping[tuple[str, str], Service],
) -> dict[tuple[str, str], Service]:
    """Return services under the names by which they are pulled somewhere (``pulled-from``)."""
    found = {}
    for name, plain in environments.items():
        for service in services.values():
            pattern = exceptions.get((name, service.name), plain).pulled_from
            if pattern:
                meant = there.get((name, service.name), service)
                images = tuple(_named(pattern, service.name, image) for image in service.images)
                found[name, service.name] = replace(meant, images=images)
    return found


def _named(pattern: str, service: str, image: Repository) -> Repository:
    return Repository.parse(pattern.replace(PLACEHOLDER, service).replace(IMAGE, image.rpartition("/")[2]))
