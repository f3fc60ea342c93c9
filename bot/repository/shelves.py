"""What stands in the places of one document of rules, from commit to commit: only what a file changed is read anew."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.repository.objects import Oid
from policies.ledger.state import Place as Where
from policies.manifests.places import Found
from policies.pins import Place, Shelf, within
from policies.rules.rules import Rules, Service

Files = tuple[tuple[str, Oid], ...]
Read = Callable[[Mapping[str, Oid]], Mapping[str, Found]]


@dataclass(slots=True)
class _Bay:
    """The services of an environment that look at the same folders, and what these held last."""

    environment: str
    folders: tuple[str, ...]
    services: dict[str, Service] = field(default_factory=dict)
    files: Files | None = None
    places: dict[Where, Place] = field(default_factory=dict)


class Shelves:
    """The places of all services that the files of their folders say; services with addresses are not among them."""

    def __init__(self, rules: Rules) -> None:
        """Sort the services of these rules by where they look."""
        self.rules = rules
        self.there: dict[Where, Service] = {}
        bays: dict[tuple[str, tuple[str, ...]], _Bay] = {}
        for name, environment in rules.environments.items():
            for service in rules.services:
                meant = rules.service_in(name, service)
                if meant is None:
                    continue
                self.there[name, service] = meant
                paths = environment.paths_of(service)
                bay = bays.setdefault((name, paths), _Bay(name, paths))
                if not meant.addresses:
                    bay.services[service] = meant
        self._bays = tuple(bays.values())
        self.folders = tuple(sorted({one for bay in self._bays for one in bay.folders}))

    def places(self, listing: Mapping[str, Oid], read: Read) -> dict[Where, Place]:
        """Return what stands where, ``listing`` being the files there; ``read`` reads them."""
        names = sorted(listing)
        found: dict[Where, Place] = {}
        for bay in self._bays:
            files = tuple((path, listing[path]) for path in within(bay.folders, names))
            if bay.files != files:
                self._fill(bay, files, read)
            found.update(bay.places)
        return found

    def _fill(self, bay: _Bay, files: Files, read: Read) -> None:
        content = read(dict(files))
        followed = [one.policy for (where, _), one in self.rules.there.items() if where == bay.environment]
        shelf = Shelf.of((content[path] for path, _ in files), followed)
        bay.places = {(bay.environment, name): shelf.place_of(meant) for name, meant in bay.services.items()}
        bay.files = files
