"""Which of two versions of a service is the newer one: by their names, or by when they were built."""

from policies.entries.tables import Tables
from policies.images.selection import newer
from policies.rules.rules import Service


def is_newer(service: Service, state: Tables, one: str, other: str) -> bool | None:
    """Say whether the service's order puts ``one`` behind ``other``; none where one of them has no place in it.

    When images were built is what the ledger noted at their first sighting: what a registry says later changes nothing.
    """
    if not service.versions.needs_builds:
        return newer(service.versions, one, other)
    places = []
    for tag in (one, other):
        times = [state.built.get((service.name, image, tag)) for image in service.images]
        known = [at for at in times if at is not None]
        if len(known) < len(times):
            return None
        places.append((max(known), tag))
    return places[0] > places[1]
