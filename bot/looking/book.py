"""What the clone says at a commit: rules and the images in their places. Everything by commit, so nothing changes."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.repository.flux_shelf import MANIFESTS, FluxShelf
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid, oid_of
from bot.repository.shelves import Shelves
from policies.entries.entry import Pinned
from policies.ledger.state import Place as Where
from policies.manifests import at_path, references
from policies.manifests.at_path import At
from policies.manifests.places import Found, Reference
from policies.pins import Place, place_at
from policies.rulebook.findings import RulesError
from policies.rulebook.parse import parse
from policies.rulebook.seen import Flux
from policies.rules.rules import Rules, Service

MAX_HISTORY = 100  # commits that touched a place's files, in which the last one that moved it is looked for
_MAX_FILES = 200_000  # versions of files whose references are remembered


@dataclass(frozen=True, slots=True)
class RulesAt:
    """The rules in force: the commit that wrote them last, its files, and what is wrong with a newer one."""

    commit: Oid
    files: tuple[str, ...]
    rules: Rules
    newer_is_broken: RulesError | None = None
    broken_at: str = ""


@dataclass(slots=True)
class Sight:
    """A commit as its rules see it, and whether they looked."""

    book: "Book"
    commit: Oid
    asked: bool = False
    asked_references: bool = False

    def flux(self) -> Flux:
        """Return Flux's documents."""
        self.asked = True
        return self.book.flux(self.commit)

    def references(self, folders: tuple[str, ...]) -> Iterator[Reference]:
        """Return the image references in folders."""
        self.asked = self.asked_references = True
        return self.book.references(self.commit, folders)


class Book:
    """Reads rules and places out of the mirror and remembers them; implements the validator's view of the clone."""

    def __init__(self, mirror: Mirror, folder: str) -> None:
        """Read rules from ``folder`` of the target branch, ``promotion`` by default."""
        self._mirror = mirror
        self._folder = folder.strip("/")
        self._rules: dict[str, Rules | RulesError] = {}
        self._places: dict[tuple[str, str], Mapping[Where, Place]] = {}
        self._files: dict[tuple[str, Oid], Found] = {}
        self._line: tuple[Oid, frozenset[Oid]] | None = None
        self._shelves: Shelves | None = None
        self._flux = FluxShelf(mirror)
        self._sights: dict[Oid, Sight] = {}
        self._since: dict[tuple[str, str, str], tuple[Rules, datetime | None]] = {}

    @property
    def folder(self) -> str:
        """Where the rules are, without slashes around it."""
        return self._folder

    def rules(self, commit: str) -> Rules | None:
        """Return the rules as they stood at a commit, or nothing where they are missing or do not parse."""
        if commit not in self._rules and not self._mirror.known([oid_of(commit)]):
            return None
        found = self._read(Oid(commit))
        return found if isinstance(found, Rules) else None

    def rules_in_force(self, tip: Oid) -> RulesAt | RulesError:
        """Return the newest rules on the first-parent line that parse, or what is wrong where none do."""
        broken: RulesError | None = None
        broken_at = ""
        for commit in self.judging(tip):
            found = self._read(commit)
            if isinstance(found, Rules):
                return RulesAt(commit, found.files, found, broken, broken_at)
            broken, broken_at = broken or found, broken_at or commit
        return broken or RulesError(())

    def judging(self, tip: Oid) -> Iterator[Oid]:
        """Yield the commits, newest first, that wrote the rules or changed what these follow or discover."""
        end = tip
        for commit in self._mirror.touching(tip, self._folder):
            self._read(commit)
            sight = self._sights.get(commit)
            if sight and sight.asked:
                later = self._mirror.first_parents(end, since=commit)
                yield from (one for one in later if self._changed(one, sight))
            yield commit
            end = next(iter(self._mirror.parents(commit)), commit)

    def _changed(self, commit: Oid, sight: Sight) -> bool:
        """Whether a commit changed, against its first parent, what was looked at."""
        return self._flux.changed(commit, self._images if sight.asked_references else None)

    def _images(self, path: str, oid: Oid) -> object:
        """Return what discovery takes from one file."""
        found = self._found({path: oid})[path]
        return frozenset((one.repository, one.marker) for one in found.references)

    def flux(self, commit: str) -> Flux:
        """Return Flux's documents of a commit."""
        return self._flux.read(Oid(commit))

    def _read(self, commit: Oid) -> Rules | RulesError:
        if commit not in self._rules:
            listing = self._mirror.listing(commit, [self._folder])
            blobs = self._mirror.blobs(listing.values())
            sight = self._sights[commit] = Sight(self, commit)
            try:
                self._rules[commit] = parse({path: blobs[oid] for path, oid in listing.items()}, sight)
            except RulesError as error:
                self._rules[commit] = error
        return self._rules[commit]

    def references(self, commit: Oid, folders: tuple[str, ...]) -> Iterator[Reference]:
        """Yield the image references in folders at a commit."""
        for one in self._found(self._manifests(commit, folders)).values():
            yield from one.references

    def _manifests(self, commit: Oid, folders: Iterable[str]) -> dict[str, Oid]:
        """List the files in folders that may name an image."""
        wanted = ["" if path in {"", "."} else path for path in folders]
        listing = self._mirror.listing(commit, wanted)
        return {path: oid for path, oid in listing.items() if path.endswith(MANIFESTS)}

    def file(self, commit: Oid, path: str) -> bytes | None:
        """Return any file at a commit; nothing where there is none. Raises: PermanentError."""
        oid = self._mirror.listing(commit, [path]).get(path)
        return self._mirror.blobs([oid])[oid] if oid else None

    def files(self, commit: Oid) -> tuple[str, ...]:
        """Return the names of the rule files at a commit."""
        return tuple(sorted(self._mirror.listing(commit, [self._folder])))

    def places(self, commit: str, rules: Rules) -> Mapping[Where, Place]:
        """Return what stands where at a commit, for every service and environment of these rules."""
        key = (commit, str(id(rules)))
        if key not in self._places:
            self._places = {**dict(list(self._places.items())[-16:]), key: self._find(Oid(commit), rules)}
        return self._places[key]

    def _find(self, commit: Oid, rules: Rules) -> dict[Where, Place]:
        shelves = self._shelves_of(rules)
        found = shelves.places(self._manifests(commit, shelves.folders), self._found)
        return {
            where: place_at(meant, self._addressed(commit, meant)) if meant.addresses else found[where]
            for where, meant in shelves.there.items()
        }

    def _shelves_of(self, rules: Rules) -> Shelves:
        """Return what was found last by these rules."""
        if self._shelves is None or self._shelves.rules is not rules:
            self._shelves = Shelves(rules)
        return self._shelves

    def _addressed(self, commit: Oid, service: Service) -> dict[At, Found | None]:
        """Return what stands at each address of a service; None where the file is not there."""
        listing = self._mirror.listing(commit, sorted({at.path for at in service.addresses}))
        content = self._mirror.blobs(listing.values())
        return {
            at: at_path.find(at, content[listing[at.path]], service.image) if at.path in listing else None
            for at in service.addresses
        }

    def _found(self, files: Mapping[str, Oid]) -> dict[str, Found]:
        """Return what each file says; a file that has not changed is not read again."""
        unread = {path: oid for path, oid in files.items() if (path, oid) not in self._files}
        if len(self._files) > _MAX_FILES:
            self._files.clear()
            unread = dict(files)
        content = self._mirror.blobs(unread.values())
        self._files.update({(path, oid): references.find(path, content[oid]) for path, oid in unread.items()})
        return {path: self._files[path, oid] for path, oid in files.items()}

    def moved(
        self, before: Oid, commit: Oid
    ) -> Iterator[tuple[Where, tuple[Pinned, ...], tuple[Pinned, ...]]]:
        """Yield what a commit moved against its parent, where the rules in force at the parent say to look."""
        in_force = self.rules_in_force(before)
        if not isinstance(in_force, RulesAt):
            in_force = self.rules_in_force(commit)
        if not isinstance(in_force, RulesAt):
            return
        old, new = self.places(before, in_force.rules), self.places(commit, in_force.rules)
        for where, place in new.items():
            was = old[where].pin.image if where in old else ()
            if place.pin.image != was:
                yield where, was, place.pin.image

    def baseline(self, commit: str, rules: Rules, environment: str, service: str) -> tuple[Pinned, ...]:
        """Return what stood in a place at a commit."""
        if not self._mirror.known([oid_of(commit)]):
            return ()
        place = self.places(commit, rules).get((environment, service))
        return place.pin.image if place else ()

    def stood_after(
        self, commit: str, rules: Rules, environment: str, service: str
    ) -> Iterator[tuple[Pinned, ...]]:
        """Yield what stood in a place at a commit, and at each later one of the line that touched its files."""
        meant, where = rules.service_in(environment, service), rules.environments.get(environment)
        if meant is None or where is None:
            return
        yield self.baseline(commit, rules, environment, service)
        tip = self._mirror.tips().target
        since = Oid(commit) if self._mirror.known([oid_of(commit)]) else None
        paths = {at.path for at in meant.addresses} or set(where.paths_of(service))
        touched = {one for path in paths for one in self._mirror.touching(tip, path.strip("/"))}
        for one in self._mirror.first_parents(tip, since=since):
            if one in touched:
                yield self.baseline(one, rules, environment, service)

    def since(self, commit: str, rules: Rules, environment: str, service: str) -> datetime | None:
        """Return since when (UTC) what stands in a place at a commit stands there: by Git's history, as far as it goes.

        It is the time of the commit on the first-parent line that changed it last; where the newest hundred that
        touched its files all left it alone, that of the oldest of them. None where nothing stands there.
        """
        key = (commit, environment, service)
        if self._since.get(key, (None, None))[0] is not rules:
            found = self._put_there(commit, rules, environment, service)
            self._since[key] = (rules, found)
        return self._since[key][1]

    def _put_there(self, commit: str, rules: Rules, environment: str, service: str) -> datetime | None:
        if not self._mirror.known([oid_of(commit)]):
            return None
        place = self.places(commit, rules).get((environment, service))
        paths = sorted({one.path for one in place.references}) if place else []
        if place is None or not place.pin.image or not paths:
            return None
        images = {one.repository.canonical for one in place.references}
        stands = self._named_in(Oid(commit), paths, images)
        touched = self._mirror.touching_files(Oid(commit), paths, limit=MAX_HISTORY)
        for one in touched:
            before = self._mirror.parents(one)
            if not stands or not before or self._named_in(before[0], paths, images) != stands:
                return self._mirror.commit_info(one).committed_at
        return self._mirror.commit_info(touched[-1]).committed_at if touched else None

    def _named_in(self, commit: Oid, paths: Sequence[str], images: Collection[str]) -> list[tuple[str, ...]]:
        """Return what files say of images at a commit: tag and digest, in the files' own order."""
        listing = self._mirror.listing(commit, paths)
        return [
            (path, one.repository.canonical, one.tag or "", one.digest or "")
            for path, found in self._found(listing).items()
            for one in found.references
            if one.repository.canonical in images
        ]

    def follows(self, old: str, new: str) -> bool:
        """Whether ``new`` stands on the target branch's first-parent line, and is ``old`` or came after it."""
        if oid_of(new) not in self._on_line():
            return False
        return old == new or self._mirror.is_ancestor(oid_of(old), oid_of(new))

    def _on_line(self) -> frozenset[Oid]:
        """Return the target branch's first-parent line, read once for each tip."""
        tip = self._mirror.tips().target
        if self._line is None or self._line[0] != tip:
            self._line = (tip, frozenset(self._mirror.first_parents(tip)))
        return self._line[1]
