"""Look at what landed: is it exactly the change that was approved, and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.book import Book
from bot.mirror import Mirror
from bot.objects import Oid
from bot.poller import Writer
from policies.change import change_hash
from policies.edit import Edit, apply
from policies.entry import Pinned
from policies.errors import PolicyError
from policies.pins import Place
from policies.rules import EffectiveRule, Rules
from policies.state import Place as Where


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
    beside: Iterable[tuple[EffectiveRule, tuple[Pinned, ...]]] = (),
) -> Landing:
    """Compare a landing commit with what was approved: the same scalars, the same bytes, no other file.

    ``beside``: the other services that the same commit moved.
    ``wrong`` is a stable code: ``not-on-branch``, ``other-change``, ``other-files``, ``other-content``.
    """
    parents = mirror.parents(commit)
    if not parents:
        return Landing("not-on-branch")
    before = parents[0]
    where = (rule.environment.name, rule.service.name)
    landed = book.places(commit, rules).get(where)
    stands = landed.pin.image if landed else ()
    edits = [
        edit
        for one, images in ((rule, image), *beside)
        for edit in _edits(writer, book.places(before, rules), one, images)
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
    writer: Writer, places: Mapping[Where, Place], rule: EffectiveRule, image: tuple[Pinned, ...]
) -> tuple[Edit, ...]:
    place = places.get((rule.environment.name, rule.service.name))
    try:
        return writer.edits(place, rule, image) if place else ()
    except PolicyError:
        return ()
