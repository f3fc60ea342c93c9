"""Look at what landed: is it exactly the change that was approved, and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.looking.book import Book
from bot.promoting.poller import Writer
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from policies.entries.change import change_hash
from policies.entries.entry import Member, Pinned
from policies.errors import PolicyError
from policies.ledger.state import Place as Where
from policies.pins import Place
from policies.rules.rules import EffectiveRule, Rules
from policies.texts.edit import Edit, apply
from policies.world import Pin

_NOTHING = Place((), Pin())


@dataclass(frozen=True, slots=True)
class Landing:
    """What a commit on the target branch did to one place; ``wrong`` '' = exactly what was meant."""

    wrong: str = ""
    image: tuple[Pinned, ...] = ()


def look(
    mirror: Mirror,
    book: Book,
    writer: Writer,
    *,
    rules: Rules,
    rule: EffectiveRule,
    image: tuple[Pinned, ...],
    change: str,
    commit: Oid,
    members: tuple[Member, ...] = (),
    beside: Iterable[tuple[EffectiveRule, tuple[Pinned, ...]]] = (),
) -> Landing:
    """Compare a landing commit with what was approved: the same scalars, the same bytes, no other file.

    Of a group in the places of all ``members`` that move. ``beside``: the other services that the same commit moved.
    ``wrong`` is a stable code: ``not-on-branch``, ``other-change``, ``other-files``, ``other-content``.
    """
    parents = mirror.parents(commit)
    if not parents:
        return Landing("not-on-branch")
    before = parents[0]
    names = [one.service for one in members] or [rule.service.name]
    landed = book.places(commit, rules)
    stands = tuple(one for name in names for one in _pin(landed, rule.environment.name, name).image)
    places = book.places(before, rules)
    edits = [
        *_edits(writer, places, rule, image, members),
        *(edit for one, images in beside for edit in _edits(writer, places, one, images)),
    ]
    if change_hash(edits) != change:
        return Landing("other-change", stands)
    paths = sorted({edit.path for edit in edits})
    if mirror.changed_paths(before, commit) != paths:
        return Landing("other-files", stands)
    old, new = mirror.listing(before, paths), mirror.listing(commit, paths)
    content = mirror.blobs([*old.values(), *new.values()])
    for path in paths:
        meant = apply(content[old[path]], [edit for edit in edits if edit.path == path])
        if path not in new or content[new[path]] != meant:
            return Landing("other-content", stands)
    return Landing("", stands)


def _edits(
    writer: Writer,
    places: Mapping[Where, Place],
    rule: EffectiveRule,
    image: tuple[Pinned, ...],
    members: tuple[Member, ...] = (),
) -> tuple[Edit, ...]:
    def place_of(environment: str, service: str) -> Place:
        return places.get((environment, service), _NOTHING)

    try:
        return writer.edits_of(place_of, rule, image, members)
    except PolicyError:
        return ()


def _pin(places: Mapping[Where, Place], environment: str, service: str) -> Pin:
    return places.get((environment, service), _NOTHING).pin
