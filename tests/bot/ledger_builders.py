"""Builds states, chains and surveys by applying entries, each with the key and id that it would really carry."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.chains.chain import Chain
from bot.looking.book import RulesAt
from bot.looking.survey import Survey
from bot.repository.mirror import Tips
from bot.repository.objects import Oid
from policies.decide import Decision, decide
from policies.entries.entry import Bot, By, Entry, Kind, Pinned, Placed, RuleAt, Sighting, write_time
from policies.images.evidence import TagAnswer, TagList
from policies.images.image import Digest, Repository, Tag
from policies.ledger.keys import expected_key, promotion_id
from policies.ledger.state import Place, Promotion, State
from policies.rulebook.parse import parse
from policies.rules.rules import effective
from policies.world import Pin, World

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
API = Repository("ghcr.io/example/checkout-api")
COMMIT = Oid("c0" * 20)
RULES = b"""\
environments:
  staging: {path: apps/staging, channel: deploys-staging, approvals: none}
  production: {path: apps/production, channel: deploys, approvals: 2 of release-managers, after: staging}
services:
  checkout-api: {image: ghcr.io/example/checkout-api, versions: 1.x}
people:
  ada: {slack: U0ADA, github: ada-l}
  bob: {slack: U0BOB, github: bob}
  carol: {slack: U0CAROL, github: carol}
teams: {release-managers: [ada, bob, carol]}
"""


def oid(text: str) -> Oid:
    """Return an object id made of a text."""
    return Oid(hashlib.sha256(text.encode()).hexdigest()[:40])


def digest(tag: str) -> Digest:
    """Return the digest that a tag has in this world."""
    return Digest(f"sha256:{hashlib.sha256(tag.encode()).hexdigest()}")


def pinned(tag: str) -> tuple[Pinned, ...]:
    """Return the service's image at a tag."""
    return (Pinned(API, tag, digest(tag)),)


def by(person: str) -> By:
    """Return a person who pressed a button."""
    return By(person, "button", "T0", f"U0{person.upper()}")


@dataclass(slots=True)
class Story:
    """A ledger that grows, and what stands around it. Each step takes a minute."""

    text: bytes = RULES
    at: datetime = NINE
    pins: dict[Place, Pin] = field(default_factory=dict)
    tags: dict[Repository, TagAnswer] = field(default_factory=dict)
    digests: dict[tuple[Repository, Tag], Any] = field(default_factory=dict)
    chain: Chain = field(default_factory=lambda: Chain("2026", State("2026")))

    def __post_init__(self) -> None:
        """Let everything stand at 1.4.1, the only tag there is, since genesis."""
        self.pins = {(name, "checkout-api"): Pin(pinned("1.4.1")) for name in ("staging", "production")}
        self.tags = {API: TagList(("1.4.1",))}
        self.add(Kind.GENESIS, commit=COMMIT, branch="main", signer="ssh-ed25519 key")
        self.see("1.4.1", before=True)

    @property
    def state(self) -> State:
        """What the ledger stands for now."""
        return self.chain.state

    def add(self, kind: Kind, **fields: Any) -> Entry:
        """Append one entry with its real key."""
        self.at += timedelta(minutes=1)
        draft = Entry(kind=kind, at=write_time(self.at), key="", **fields)
        entry = replace(draft, key=draft.key or expected_key(self.state, draft))
        if kind in {Kind.PROPOSE, Kind.ROLLBACK}:
            entry = replace(entry, promotion=promotion_id(self.state.year, entry.key))
        entry = replace(entry, seq=self.state.seq + 1, prev=self.state.tip)
        self.state.apply(entry, oid(f"entry {entry.key} {entry.seq}"))
        self.chain.entries.append((Oid(self.state.tip), entry))
        return entry

    def see(self, tag: str, *, before: bool = False) -> None:
        """Let the registry have a tag that a selection picked."""
        answer = self.tags[API]
        assert isinstance(answer, TagList)
        self.tags[API] = TagList((*dict.fromkeys((*answer.tags, tag)),))
        self.digests[API, Tag(tag)] = digest(tag)
        self.add(Kind.SEEN, seen=(Sighting("checkout-api", API, tag, digest(tag), before=before),))

    def bump(self, tag: str, environment: str = "staging") -> Entry:
        """Move an environment where nobody is asked."""
        where = (environment, "checkout-api")
        entry = self.add(
            Kind.BUMP,
            environment=environment,
            service="checkout-api",
            image=pinned(tag),
            previous=self.pins[where].image,
            change="1" * 64,
            rule=self.rule(environment),
            commit=oid(f"bump {tag} {self.at}"),
        )
        self.pins[where] = Pin(pinned(tag))
        return entry

    def propose(self, tag: str, person: str = "carol", note: str = "") -> str:
        """Ask for a version in production; returns the promotion."""
        entry = self.add(
            Kind.PROPOSE,
            by=by(person),
            note=note,
            image=pinned(tag),
            previous=self.pins["production", "checkout-api"].image,
            change="a" * 64,
            rule=self.rule("production"),
            head=oid(f"head {tag}"),
            environment="production",
            service="checkout-api",
        )
        return entry.promotion

    def rollback(self, tag: str, environment: str, person: str = "bob", note: str = "it is slow") -> str:
        """Go back: by a commit in staging, asked for in production; returns the promotion."""
        where = (environment, "checkout-api")
        by_commit = {"commit": oid(f"back {tag} {self.at}")} if environment == "staging" else {}
        by_pull = {} if by_commit else {"head": oid(f"back {tag} {self.at}")}
        entry = self.add(
            Kind.ROLLBACK,
            by=by(person),
            note=note,
            environment=environment,
            service="checkout-api",
            image=pinned(tag),
            previous=self.pins[where].image,
            change="b" * 64,
            rule=self.rule(environment),
            **by_commit,
            **by_pull,
        )
        if by_commit:
            self.pins[where] = Pin(pinned(tag))
        return entry.promotion

    def say(self, kind: Kind, promotion: str, person: str = "", **fields: Any) -> Entry:
        """Append an entry about a promotion."""
        about = self.state.promotions[promotion]
        if kind in {Kind.APPROVE, Kind.UNAPPROVE}:
            fields = {"change": about.change, "rule": about.rule, **fields}
        if kind in {Kind.APPROVE, Kind.INTENT}:
            fields = {"image": about.image, "head": about.head, **fields}
        return self.add(
            kind,
            by=by(person) if person else Bot(),
            environment=about.environment,
            service=about.service,
            promotion=promotion,
            **fields,
        )

    def void(self, promotion: str, why: str) -> None:
        """Empty the approvals because something moved."""
        about = self.state.promotions[promotion]
        change = hashlib.sha256(about.change.encode()).hexdigest()
        self.say(
            Kind.VOID,
            promotion,
            image=about.image,
            previous=about.previous,
            change=change,
            rule=about.rule,
            head=about.head,
            voided=about.change,
            why=why,
        )

    def intend(self, promotion: str, number: int = 7) -> None:
        """Be about to merge."""
        about = self.state.promotions[promotion]
        pull = {"number": number, "url": f"https://forge.example/pull/{number}"}
        self.say(
            Kind.INTENT, promotion, change=about.change, rule=about.rule, evidence={"pull_request": pull}
        )

    def land(self, promotion: str) -> None:
        """Merge what is about to be merged, and find what was approved."""
        about = self.state.promotions[promotion]
        commit = oid(f"landed {promotion}")
        self.say(Kind.MERGED, promotion, head=about.head, commit=commit)
        self.say(Kind.LANDED, promotion, image=about.image, previous=about.previous, commit=commit)
        self.pins[about.environment, about.service] = Pin(about.image)

    def external(self, tag: str, environment: str) -> str:
        """Let somebody move an environment by hand; returns the commit."""
        where = (environment, "checkout-api")
        commit = oid(f"external {tag} {self.at}")
        self.add(
            Kind.EXTERNAL,
            environment=environment,
            service="checkout-api",
            commit=commit,
            image=pinned(tag),
            previous=self.pins[where].image,
            why="guarded" if environment == "production" else "unguarded",
        )
        self.pins[where] = Pin(pinned(tag))
        return commit

    def shown(self, *places: Placed) -> None:
        """Write down where things are shown."""
        self.add(Kind.SHOWN, shown=places)

    def rule(self, environment: str) -> RuleAt:
        """Return the rule that judges the service there."""
        rule = effective(parse({"promotion/rules.yaml": self.text}), environment, "checkout-api")
        assert rule is not None
        return RuleAt(COMMIT, ("promotion/rules.yaml",), rule.hash)

    def promotion(self, promotion: str) -> Promotion:
        """Return a promotion as it is now."""
        return self.state.promotions[promotion]

    def look(self, **rules_at: Any) -> tuple[Survey, Decision]:
        """Look at it all now, and decide."""
        rules = parse({"promotion/rules.yaml": self.text})
        state = self.state.copy()
        start = {place: pinned("1.4.1") for place in self.pins}
        world = World(
            rules, COMMIT, state, dict(self.pins), dict(self.tags), dict(self.digests), baseline=start
        )
        at = RulesAt(COMMIT, ("promotion/rules.yaml",), rules, **rules_at)
        survey = Survey(self.at, Tips(COMMIT, {}, {}), at, state, {}, world)
        return survey, decide(world, self.at)
