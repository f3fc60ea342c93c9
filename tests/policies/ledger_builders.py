"""Ledgers grown by valid entries, for tests: rules with four people, a clone made of values, and a story."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from policies.canonical import Json, digest_of
from policies.entries.entry import (
    Bot,
    Both,
    By,
    Entry,
    Kind,
    Link,
    Pinned,
    Placed,
    RuleAt,
    Sighting,
    parse,
    write_time,
)
from policies.ledger.keys import bump_key, expected_key, promotion_id
from policies.ledger.state import Promotion, Stage, State
from policies.rulebook.parse import parse as parse_rules
from policies.rules.hash import rules_hash
from policies.rules.rules import Rules, effective
from policies.validator import Refusal, every_refusal, refuse

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
IMAGE = "ghcr.io/example/web"
FILES = ("promotion/rules.yaml",)
RULES = """\
environments:
  staging: {path: apps/staging, channel: deploys, approvals: none}
  production:
    path: apps/production
    channel: deploys
    after: staging
    approvals: 2 of release-managers
services:
  web: {image: ghcr.io/example/web, versions: 1.x}
  cart: {image: ghcr.io/example/cart, versions: 1.x}
people:
  ada: {slack: U0ADA, github: ada-l}
  bob: {slack: U0BOB, github: bob}
  carol: {slack: U0CAROL}
  dan: {slack: U0DAN}
teams: {release-managers: [ada, bob, carol]}
"""
FLAGS: Mapping[str, Json] = {"active": True, "bot": False, "guest": False, "home": True}
SIGNER = "ssh-ed25519 " + "A" * 68


def rules(text: str = RULES) -> Rules:
    """Read rules from the text of one file."""
    return parse_rules({FILES[0]: text.encode()})


def oid(name: str) -> str:
    """Return an object id that looks real."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def hash_of(name: str) -> str:
    """Return 64 hexadecimal digits: a change, a rule."""
    return hashlib.sha256(name.encode()).hexdigest()


def pinned(tag: str, *, digest: str | None = None, repository: str = IMAGE) -> Pinned:
    """Return an image; its digest follows from the tag unless another is given."""
    return Pinned(repository, tag, f"sha256:{hash_of(tag)}" if digest is None else digest)


def person(name: str, via: str = "button") -> By:
    """Return somebody who speaks in Slack, linked as RULES links them."""
    login = {"ada": ("ada-l", 583), "bob": ("bob", 77)}.get(name, ("", 0))
    return By(name, via, "T0", f"U0{name.upper()}", forge_id=login[1], forge_login=login[0])


@dataclass
class Shelf:
    """The clone as values: rules by commit, what stood where, and the target branch's first-parent line."""

    versions: dict[str, Rules] = field(default_factory=dict)
    stood: dict[tuple[str, str], tuple[Pinned, ...]] = field(default_factory=dict)
    line: list[str] = field(default_factory=list)
    later: dict[tuple[str, str, str], tuple[Pinned, ...]] = field(default_factory=dict)
    stood_since: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def rules(self, commit: str) -> Rules | None:
        """Return the rules at a commit."""
        return self.versions.get(commit)

    def baseline(
        self,
        commit: str,
        rules: Rules,  # noqa: ARG002  the port's shape; the places are values here
        environment: str,
        service: str,
    ) -> tuple[Pinned, ...]:
        """Return what stood in a place at a commit: as at genesis, where nothing else is said."""
        assert commit in self.line
        return self.later.get((commit, environment, service), self.stood.get((environment, service), ()))

    def stood_after(
        self, commit: str, rules: Rules, environment: str, service: str
    ) -> Iterator[tuple[Pinned, ...]]:
        """Yield what stood there at a commit, and what is said of each later one of the line."""
        if commit in self.line:
            yield self.baseline(commit, rules, environment, service)
        for one in self.line:
            if (one, environment, service) in self.later and self.follows(commit, one):
                yield self.later[one, environment, service]

    def since(
        self,
        commit: str,
        rules: Rules,  # noqa: ARG002  the port's shape
        environment: str,
        service: str,
    ) -> datetime | None:
        """Return since when what stood at genesis stood there."""
        assert commit in self.line
        return self.stood_since.get((environment, service))

    def follows(self, old: str, new: str) -> bool:
        """Say whether both are on the line, in this order."""
        return old in self.line and new in self.line and self.line.index(old) <= self.line.index(new)


@dataclass
class Story:
    """A ledger that grows by entries which the validator allows; ``at`` moves on by a minute with each."""

    book: Shelf
    state: State = field(default_factory=lambda: State("2026"))
    at: datetime = START
    entries: list[tuple[str, Entry]] = field(default_factory=list)

    def complete(self, entry: Entry) -> Entry:
        """Fill in number, parent, and time and key where they are missing."""
        found = replace(entry, seq=self.state.seq + 1, prev=self.state.tip)
        found = found if found.at else replace(found, at=write_time(self.at))
        return found if found.key else replace(found, key=expected_key(self.state, found))

    def refusal(self, entry: Entry) -> Refusal | None:
        """Ask the validator."""
        return refuse(self.state, self.complete(entry), self.book)

    def reasons(self, entry: Entry) -> list[Refusal]:
        """Return all that the validator has against an entry, not only what it says first."""
        return every_refusal(self.state, self.complete(entry), self.book)

    def add(self, entry: Entry) -> Entry:
        """Append an entry that is allowed, as it would be read back."""
        found = self.complete(entry)
        assert parse(found.line()) == found
        assert refuse(self.state, found, self.book) is None
        name = oid(f"{self.state.tip}{found.key}")
        self.state.apply(found, name)
        self.entries.append((name, found))
        self.at += timedelta(minutes=1)
        return found

    def rule(self, environment: str, service: str = "web") -> RuleAt:
        """Name the effective rule in force."""
        assert self.state.rules
        commit = self.state.rules.commit
        found = effective(self.book.versions[commit], environment, service)
        assert found
        return RuleAt(commit, FILES, found.hash)

    def promotion(self, environment: str = "production", service: str = "web") -> Promotion:
        """Return the newest promotion of a place."""
        mine = [
            one
            for one in self.state.promotions.values()
            if (one.environment, one.service) == (environment, service)
        ]
        return mine[-1]

    # --- entries that fit where the story is; `changes` bends them ---------------------------------------------

    def genesis(self) -> Entry:
        """Begin."""
        return Entry(kind=Kind.GENESIS, at="", key="", commit=self.book.line[0], branch="main", signer=SIGNER)

    def rules_at(self, commit: str, **changes: Any) -> Entry:
        """Say which rules are in force."""
        rule = RuleAt(commit, FILES, rules_hash(self.book.versions[commit]))
        return replace(Entry(kind=Kind.RULES, at="", key="", commit=commit, rule=rule), **changes)

    def seen(self, *tags: str, before: bool = False, service: str = "web") -> Entry:
        """See tags for the first time."""
        found = tuple(
            Sighting(service, f"ghcr.io/example/{service}", tag, pinned(tag).digest, before) for tag in tags
        )
        return Entry(kind=Kind.SEEN, at="", key="", seen=found)

    def bump(self, tag: str, **changes: Any) -> Entry:
        """Move staging without asking."""
        environment = changes.get("environment", "staging")
        change = changes.get("change", hash_of(f"{environment} {tag}"))
        last = self.state.last_move(environment, "web")
        stood = last.image if last else self.book.stood.get((environment, "web"), (pinned("1.0.0"),))
        entry = Entry(
            kind=Kind.BUMP,
            at="",
            key=bump_key(environment, oid(f"before {tag} {self.state.seq}"), change),
            environment=environment,
            service="web",
            image=(pinned(tag),),
            previous=stood,
            change=change,
            rule=self.rule(environment),
            commit=oid(f"bump {tag} {self.state.seq}"),
        )
        return replace(entry, **changes)

    def word(self, kind: Kind, by: By | Bot, /, **changes: Any) -> Entry:
        """Say something about a place as a person, or as the bot."""
        looked: dict[str, Json] = {"account": dict(FLAGS), "looked": write_time(self.at)}
        evidence = looked if isinstance(by, By) else {}
        return replace(Entry(kind=kind, at="", key="", by=by), **({"evidence": evidence} | changes))

    def propose(self, tag: str, by: str = "carol", /, **changes: Any) -> Entry:
        """Ask for a version in production."""
        last = self.state.last_move("production", "web")
        entry = self.word(
            Kind.PROPOSE,
            person(by),
            environment="production",
            service="web",
            image=(pinned(tag),),
            previous=last.image if last else self.book.stood["production", "web"],
            change=hash_of(f"production {tag}"),
            rule=self.rule("production"),
            head=oid(f"head {tag}"),
        )
        return self.identified(replace(entry, **changes))

    def rollback(
        self, tag: str, by: str = "bob", /, environment: str = "production", **changes: Any
    ) -> Entry:
        """Go back."""
        last = self.state.last_move(environment, "web")
        entry = self.word(
            Kind.ROLLBACK,
            person(by),
            environment=environment,
            service="web",
            image=(pinned(tag),),
            previous=last.image if last else self.book.stood[environment, "web"],
            change=hash_of(f"{environment} back to {tag}"),
            rule=self.rule(environment),
            note="errors in checkout",
        )
        built = oid(f"back to {tag} {self.state.seq}")
        entry = replace(entry, commit=built) if environment == "staging" else replace(entry, head=built)
        return self.identified(replace(entry, **changes))

    def identified(self, entry: Entry) -> Entry:
        """Give an entry its key, and the promotion that its key makes."""
        key = entry.key or expected_key(self.state, entry)
        return replace(entry, key=key, promotion=entry.promotion or promotion_id(self.state.year, key))

    def about(  # noqa: C901, PLR0912  one row a kind: a table
        self, kind: Kind, by: By | Bot | None = None, /, **changes: Any
    ) -> Entry:
        """Say something about the newest promotion in production, with all that its kind carries."""
        promotion = self.promotion()
        place = {"environment": promotion.environment, "service": promotion.service}
        entry = self.word(kind, by or Bot(), promotion=promotion.id, **place)
        assert self.state.rules
        in_force = effective(
            self.book.versions[self.state.rules.commit], promotion.environment, promotion.service
        )
        rule = self.rule("production") if in_force else promotion.rule
        match kind:
            case Kind.APPROVE:
                entry = replace(entry, image=promotion.image, change=promotion.change, rule=rule)
            case Kind.UNAPPROVE:
                entry = replace(entry, change=promotion.change, rule=rule)
            case Kind.REJECT:
                entry = replace(entry, note="not today")
            case Kind.REBASED:
                entry = replace(entry, change=promotion.change, rule=rule, head=oid(f"re {self.state.seq}"))
            case Kind.INTENT:
                accounts = {one.by.person: dict(FLAGS) for one in promotion.approvals}
                entry = replace(entry, image=promotion.image, change=promotion.change, rule=rule)
                looked: dict[str, Json] = {"accounts": accounts, "looked": write_time(self.at)}
                entry = replace(entry, head=promotion.head, evidence=looked if accounts else {})
            case Kind.ABORT:
                entry = replace(entry, head=promotion.head, why="refused")
            case Kind.VOID:
                moved = (replace(promotion.image[0], digest=pinned("moved").digest),)
                entry = replace(entry, image=moved, previous=promotion.previous, rule=rule)
                entry = replace(entry, change=hash_of("moved"), head=oid("moved"), why="digest-moved")
                entry = replace(entry, voided=promotion.change)
            case Kind.ENDED:
                entry = replace(entry, why="closed")
            case Kind.MERGED:
                entry = replace(entry, head=promotion.head, commit=oid(f"merge {promotion.id}"))
            case Kind.LANDED:
                entry = replace(entry, image=promotion.image, commit=promotion.commit)
            case Kind.MISMATCH:
                entry = replace(entry, commit=promotion.commit, why="other-files")
            case Kind.REFUSED:
                entry = replace(entry, why="requester", evidence={"person": "carol"})
            case _:
                pass
        return replace(entry, **changes)

    def stand(self, kind: Kind, by: By | Bot, /, **changes: Any) -> Entry:
        """Hold, block or freeze something, or lift it."""
        about: dict[str, Any] = {"trigger": f"click-{self.state.seq}"}
        about |= {"note": "an incident"} if isinstance(by, By) else {"why": "evidence"}
        if kind in {Kind.FREEZE, Kind.UNFREEZE}:
            about["environment"] = "production"
        else:
            about["service"] = "web"
        if kind in {Kind.BLOCK, Kind.UNBLOCK}:
            about["image"] = (pinned("1.2.0", digest=""),)
        return self.word(kind, by, **(about | changes))

    def external(self, tag: str, environment: str = "production", /, **changes: Any) -> Entry:
        """Write down a move by hand."""
        entry = self.word(
            Kind.EXTERNAL,
            Bot(),
            environment=environment,
            service="web",
            image=(pinned(tag),),
            previous=(pinned("1.0.0"),),
            commit=oid(f"by hand {tag} {self.state.seq}"),
            why="unguarded" if environment == "staging" else "guarded",
        )
        return replace(entry, **changes)

    def health(
        self, kind: Kind = Kind.HEALTHY, /, environment: str = "staging", *, after: int = 0, **changes: Any
    ) -> Entry:
        """Say whether what stands there runs, as seen so many commits after its move."""
        move = self.state.last_move(environment, "web")
        image = move.image if move else self.book.stood[environment, "web"]
        commit = move.commit if move else self.book.line[0]
        if commit not in self.book.line:
            self.book.line.append(commit)
        while len(self.book.line) <= self.book.line.index(commit) + after:
            self.book.line.append(oid(f"later {len(self.book.line)}"))
        commit = self.book.line[self.book.line.index(commit) + after]
        self.book.later[commit, environment, "web"] = image
        found = Entry(
            kind=kind,
            at="",
            key="",
            environment=environment,
            service="web",
            image=image,
            commit=commit,
            evidence={"statuses": [{"name": f"kustomization/{environment}", "state": "success"}]},
        )
        return replace(found, **changes)

    def config(self, *names: str, **changes: Any) -> Entry:
        """Note commits in production's reach that moved no image."""
        commits = tuple(oid(name) for name in names)
        self.book.line += [one for one in commits if one not in self.book.line]
        found = Entry(
            kind=Kind.CONFIG,
            at="",
            key="",
            environment="production",
            since=self.state.configured.get("production", self.book.line[0]),
            commit=commits[-1],
            commits=commits,
            why="recorded",
        )
        return replace(found, **changes)

    def linked(self, name: str, **changes: Any) -> Entry:
        """Link a person to an account at the forge, by that account's own word."""
        link = Link(name, "T0", f"U0{name.upper()}", 900 + len(name), f"{name}-hub")
        return self.linked_by(link, **changes)

    def linked_by(self, link: Link, **changes: Any) -> Entry:
        """Let somebody link themselves, signed in at both places."""
        proof: dict[str, Json] = {"id": link.forge_id, "login": link.forge_login, "proof": "device"}
        proof["looked"] = write_time(self.at)
        by = By(link.person, "link", link.slack_team, link.slack_user, link.forge_id, link.forge_login)
        found = self.word(Kind.IDENTITY, by, linked=link)
        looked: dict[str, Json] = {"forge": proof, "forge_account": {"active": True, "bot": False}}
        return replace(found, **({"evidence": {**found.evidence, **looked}} | changes))

    def both(self, kind: Kind, /, *names: str, **changes: Any) -> Entry:
        """Say something as two people."""
        one, other = (person(name) for name in names or ("ada", "bob"))
        accounts: dict[str, Json] = {who.person: dict(FLAGS) for who in (one, other)}
        found = Entry(kind=kind, at="", key="", by=Both(one, other), note="the branch was rewritten by hand")
        return replace(
            found, **({"evidence": {"accounts": accounts, "looked": write_time(self.at)}} | changes)
        )

    def junk(self, what: str) -> Entry:
        """Note something that could not be read."""
        said: dict[str, Json] = {"about": what, "detail": "odd"}
        named = digest_of(["webhook", what, "odd"])
        return Entry(kind=Kind.QUARANTINE, at="", key="", input=named, why="webhook", evidence=said)

    # --- how far --------------------------------------------------------------------------------------------

    def staged(self, *tags: str) -> "Story":
        """Let versions run in staging."""
        for tag in tags:
            self.add(self.seen(tag))
            self.add(self.bump(tag))
        return self

    def asked(self, tag: str = "1.1.0", by: str = "carol") -> "Story":
        """Let somebody ask for a version that runs in staging."""
        self.staged(tag)
        self.add(self.propose(tag, by))
        return self

    def approved(self, *people: str) -> "Story":
        """Let people approve what is open."""
        for name in people or ("ada", "bob"):
            self.add(self.about(Kind.APPROVE, person(name)))
        return self

    def merged(self) -> "Story":
        """Merge what is approved."""
        self.add(self.about(Kind.INTENT))
        self.add(self.about(Kind.MERGED))
        return self

    def landed(self) -> "Story":
        """Find what is approved on the target branch."""
        self.merged()
        self.add(self.about(Kind.LANDED))
        return self


def shelf(text: str = RULES) -> Shelf:
    """Return a clone whose first commit has these rules and 1.0.0 everywhere."""
    first = oid("first")
    stood: dict[tuple[str, str], tuple[Pinned, ...]] = {
        (where, "web"): (pinned("1.0.0"),) for where in ("staging", "production")
    }
    return Shelf({first: rules(text)}, stood, [first])


def story(text: str = RULES) -> Story:
    """Return a ledger with genesis and rules."""
    found = Story(shelf(text))
    found.add(found.genesis())
    found.add(found.rules_at(found.book.line[0]))
    return found


def at_stage(stage: Stage) -> Story:  # noqa: C901  one row a stage: a table
    """Return a story whose promotion of web in production has come to this stage."""
    found = story().asked()
    match stage:
        case Stage.OPEN:
            found.approved()
        case Stage.MERGING:
            found.approved().add(found.about(Kind.INTENT))
        case Stage.MERGED:
            found.approved().merged()
        case Stage.LANDED:
            found.approved().landed()
        case Stage.MISMATCH:
            found.approved().merged().add(found.about(Kind.MISMATCH))
        case Stage.REJECTED:
            found.add(found.about(Kind.REJECT, person("ada")))
        case Stage.CANCELLED:
            found.add(found.about(Kind.CANCEL, person("carol")))
        case Stage.EXPIRED:
            found.at += timedelta(days=2)
            found.add(found.about(Kind.ENDED, why="expired"))
        case Stage.SUPERSEDED | Stage.CLOSED:
            found.add(found.about(Kind.ENDED, why=stage.value))
        case Stage.REMOVED:
            change_rules(found, RULES.replace("  web: {image: ghcr.io/example/web, versions: 1.x}\n", ""))
            found.add(found.about(Kind.ENDED, why="removed"))
    return found


def change_rules(found: Story, text: str) -> str:
    """Commit other rules to the target branch and write them down; return the commit."""
    commit = oid(f"rules {len(found.book.line)}")
    found.book.line.append(commit)
    found.book.versions[commit] = rules(text)
    found.add(found.rules_at(commit))
    return commit


def shown(what: str = "card/web", seq: int = 1) -> Entry:
    """Say where a card is."""
    return Entry(kind=Kind.SHOWN, at="", key="", shown=(Placed(what, "C0DEPLOYS", "1763.0001", seq),))
