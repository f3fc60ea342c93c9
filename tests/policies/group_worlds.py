"""Ledgers of a group, for tests: web and cart move as shop, search by itself; entries that fit where the story is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from policies.entries.entry import Bot, By, Entry, Kind, Member, Pinned, RuleAt, write_time
from policies.images.evidence import TagList
from policies.images.image import Digest, Repository, Tag
from policies.ledger.keys import bump_key
from policies.rules.rules import moving_rule
from policies.world import Pin, World
from tests.policies.ledger_builders import FLAGS, RULES, Story, hash_of, oid, person, pinned, story

SERVICES = ("web", "cart", "search")
TEXT = RULES.replace(
    "services:\n",
    "groups: {shop: [web, cart]}\nservices:\n  search: {image: ghcr.io/example/search, versions: 1.x}\n",
)
Versions = Mapping[str, str]


def shop(text: str = TEXT) -> Story:
    """Begin a ledger under the rules of a group; version 1.0.0 of all of them stands everywhere."""
    found = story(text)
    for environment in found.book.versions[found.book.line[0]].environments:
        for service in SERVICES:
            found.book.stood[environment, service] = (image("1.0.0", service),)
    return found


def image(tag: str, service: str) -> Pinned:
    """Return an image of a service."""
    return pinned(tag, repository=f"ghcr.io/example/{service}")


def seen(found: Story, versions: Versions, *, before: bool = False) -> Story:
    """Let the ledger see versions first."""
    for service, tag in versions.items():
        found.add(found.seen(tag, service=service, before=before))
    return found


def stood(found: Story, environment: str, service: str) -> tuple[Pinned, ...]:
    """Return what stands in a place."""
    move = found.state.last_move(environment, service)
    return move.image if move else found.book.stood[environment, service]


def shared(found: Story, environment: str, versions: Versions) -> dict[str, Any]:
    """Return the fields of an entry that moves these members."""
    assert found.state.rules
    commit = found.state.rules.commit
    rule = moving_rule(found.book.versions[commit], environment, "shop")
    assert rule
    return {
        "environment": environment,
        "service": "shop",
        "group": "shop",
        "members": tuple(Member(one, 1) for one in versions),
        "image": tuple(image(tag, one) for one, tag in versions.items()),
        "previous": tuple(pin for one in versions for pin in stood(found, environment, one)),
        "change": hash_of(f"{environment} {dict(versions)}"),
        "rule": RuleAt(commit, ("promotion/rules.yaml",), rule.hash),
    }


def bump(found: Story, versions: Versions, **changes: Any) -> Entry:
    """Move members in staging."""
    fields = {**shared(found, "staging", versions), **changes}
    key = bump_key("staging", oid(f"before {found.state.seq}"), fields["change"])
    commit = oid(f"bump {found.state.seq}")
    return replace(Entry(kind=Kind.BUMP, at="", key=key, commit=commit), **fields)


def propose(found: Story, versions: Versions, by: By | Bot | None = None, /, **changes: Any) -> Entry:
    """Ask for members in production."""
    word = found.word(Kind.PROPOSE, by or person("carol"))
    fields = {**shared(found, "production", versions), "head": oid(f"head {found.state.seq}"), **changes}
    return found.identified(replace(word, **fields))


def rollback(found: Story, versions: Versions, environment: str = "production", **changes: Any) -> Entry:
    """Put members back."""
    built = {"commit" if environment == "staging" else "head": oid(f"back {found.state.seq}")}
    fields = {**shared(found, environment, versions), **built, "note": "errors", **changes}
    return found.identified(replace(found.word(Kind.ROLLBACK, person("bob")), **fields))


def staged(found: Story, versions: Versions) -> Story:
    """Let members run in staging."""
    seen(found, versions).add(bump(found, versions))
    return found


def asked(found: Story, versions: Versions) -> Story:
    """Let somebody ask for what runs in staging."""
    staged(found, versions).add(propose(found, versions))
    return found


def about(found: Story, kind: Kind, by: By | Bot | None = None, /, **changes: Any) -> Entry:
    """Say something about the group's newest promotion, with all that its kind carries."""
    promotion = found.promotion("production", "shop")
    entry = found.word(kind, by or Bot(), promotion=promotion.id, environment="production", service="shop")
    entry = replace(entry, group="shop")
    fields: dict[str, Any] = {name: getattr(promotion, name) for name in _CARRIED.get(kind, ())}
    fields |= _OWN.get(kind, {})
    if kind is Kind.INTENT:
        accounts = {one.by.person: dict(FLAGS) for one in promotion.approvals}
        fields["evidence"] = {"accounts": accounts, "looked": write_time(found.at)}
    if kind is Kind.VOID:
        fields["voided"] = promotion.change
    if kind is Kind.MERGED:
        fields["commit"] = oid(f"merge {promotion.id}")
    return replace(entry, **(fields | changes))


# what an entry repeats of its promotion, and what it says of its own
_CARRIED: Mapping[Kind, tuple[str, ...]] = {
    Kind.APPROVE: ("image", "change", "rule"),
    Kind.UNAPPROVE: ("change", "rule"),
    Kind.REBASED: ("change", "rule"),
    Kind.INTENT: ("image", "change", "rule", "head"),
    Kind.VOID: ("image", "previous", "members", "rule"),
    Kind.MERGED: ("head",),
    Kind.LANDED: ("image", "commit"),
}
_OWN: Mapping[Kind, dict[str, Any]] = {
    Kind.REBASED: {"head": oid("another head")},
    Kind.VOID: {"head": oid("another head"), "change": hash_of("moved"), "why": "change-moved"},
    Kind.REJECT: {"note": "not today"},
    Kind.ENDED: {"why": "closed"},
}


def landed(found: Story, versions: Versions) -> Story:
    """Bring what was asked for to production on the word of Ada and Bob."""
    asked(found, versions)
    for name in ("ada", "bob"):
        found.add(about(found, Kind.APPROVE, person(name)))
    for kind in (Kind.INTENT, Kind.MERGED, Kind.LANDED):
        found.add(about(found, kind))
    return found


def world(found: Story, listed: Mapping[str, tuple[str, ...]]) -> World:
    """Return what is known when registries list these tags; the pins are where the ledger moved them."""
    assert found.state.rules
    in_force = found.book.versions[found.state.rules.commit]
    places = [(name, service) for name in in_force.environments for service in in_force.services]
    repositories = {service: Repository(f"ghcr.io/example/{service}") for service in in_force.services}
    return World(
        rules=in_force,
        commit=found.book.line[-1],
        state=found.state,
        pins={place: Pin(stood(found, *place)) for place in places},
        tags={repositories[service]: TagList(tags) for service, tags in listed.items()},
        digests={
            (repositories[service], Tag(tag)): Digest(image(tag, service).digest)
            for service, tags in listed.items()
            for tag in tags
        },
        baseline=found.book.stood,
    )
