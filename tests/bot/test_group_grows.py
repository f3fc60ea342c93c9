"""A service joins a group while something is asked for: the request ends where it would be half of the group."""

from pathlib import Path

import pytest

from bot.ledger import Proposal
from bot.looking.survey import Survey
from bot.promoting.promoter import propose, rule_of
from bot.promoting.reconciler import Reconciler
from policies.entries.entry import Kind, Member, Pinned
from policies.images.evidence import TagList
from policies.images.image import Digest, Repository, Tag
from policies.ledger.state import Stage
from tests.bot.ledger_worlds import FILES, RULES, World, digest, said, world
from tests.repositories import Files, commit_to

SERVICES = ("web", "cart", "search")
LINES = "".join(f"  {one}: {{image: ghcr.io/example/{one}, versions: 1.x}}\n" for one in SERVICES)
PINS = "images:\n" + "".join(f"  - name: ghcr.io/example/{one}\n    newTag: 1.0.0\n" for one in SERVICES)
SMALL = RULES.replace(
    "services:\n  web: {image: ghcr.io/example/web, versions: 1.x}\n",
    f"groups: {{shop: [web, cart]}}\nservices:\n{LINES}",
)
SHOP: Files = {
    **FILES,
    "promotion/rules.yaml": SMALL,
    "apps/staging/kustomization.yaml": PINS,
    "apps/production/kustomization.yaml": PINS,
}


def _publish(found: World, tag: str, *services: str) -> None:
    for name in services:
        image = Repository(f"ghcr.io/example/{name}")
        found.desk.answers.tags[image] = TagList(tuple(dict.fromkeys(("1.0.0", tag))))
        for one in ("1.0.0", tag):
            found.desk.answers.digests[image, Tag(one)] = Digest(digest(one))


@pytest.mark.parametrize(
    ("published", "stage", "last"),
    [(("search",), Stage.REMOVED, Kind.ENDED), ((), Stage.OPEN, Kind.VOID)],
    ids=["with something to move", "with nothing to move"],
)
def test_what_was_asked_for_is_whole_under_the_rules_of_now(
    tmp_path: Path, published: tuple[str, ...], stage: Stage, last: Kind
) -> None:
    found = world(tmp_path, SHOP)
    _publish(found, "1.0.0", *SERVICES)
    found.run()
    _publish(found, "1.1.0", "web", "cart")
    found.run()
    image = tuple(Pinned(f"ghcr.io/example/{one}", "1.1.0", digest("1.1.0")) for one in ("web", "cart"))
    members = (Member("web", 1), Member("cart", 1))

    def asked(look: Survey, _tip: str) -> Proposal:
        rule = rule_of(look, "production", "shop")
        writer = found.desk.writer
        return propose(look, writer, said("carol", look.at), rule=rule, image=image, members=members, note="")

    found.done(asked)
    grown = SMALL.replace("[web, cart]", "[web, cart, search]")
    commit_to(found.remote, {"promotion/rules.yaml": grown})
    _publish(found, "1.1.0", *published)
    found.run()
    assert found.promotion.stage is Stage.OPEN

    reconciler = Reconciler(found.desk, None, None)
    reconciler.advance(found.at)

    assert found.promotion.stage is stage, reconciler.left
    entry = found.entries[-1][1]
    assert entry.kind is last
    assert ("moves together with more services as of commit" in entry.note) is bool(published)
    assert entry.note.endswith(": search has 1.1.0 to move" if published else "")


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        ("[web, cart, search]", "[web, cart]", "moves without search as of commit "),
        ("groups: {shop: [web, cart, search]}\n", "", "does not move as a group any more as of commit "),
        ("  production:", "  live:", ""),
    ],
    ids=["smaller", "none", "no such environment"],
)
def test_what_the_rules_did_to_a_group_is_told_as_it_is(
    tmp_path: Path, old: str, new: str, note: str
) -> None:
    rules = SMALL.replace("[web, cart]", "[web, cart, search]")
    found = world(tmp_path, {**SHOP, "promotion/rules.yaml": rules})
    _publish(found, "1.0.0", *SERVICES)
    found.run()
    _publish(found, "1.1.0", *SERVICES)
    found.run()
    image = tuple(Pinned(f"ghcr.io/example/{one}", "1.1.0", digest("1.1.0")) for one in SERVICES)
    members = tuple(Member(one, 1) for one in SERVICES)

    def asked(look: Survey, _tip: str) -> Proposal:
        rule = rule_of(look, "production", "shop")
        writer = found.desk.writer
        return propose(look, writer, said("carol", look.at), rule=rule, image=image, members=members, note="")

    found.done(asked)
    assert old in rules
    commit_to(found.remote, {"promotion/rules.yaml": rules.replace(old, new)})
    found.run()

    Reconciler(found.desk, None, None).advance(found.at)

    assert found.promotion.stage is Stage.REMOVED
    ended = found.entries[-1][1].note
    assert ended.startswith(note)
    assert bool(ended) is bool(note)
