"""Real repositories with a ledger, grown by the bot's own parts; and a hand that signs what no rule allows."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from bot import wording
from bot.ledger import AppendAnswer, Appended, Ledger, Proposal
from bot.looking.book import Book
from bot.looking.survey import Survey
from bot.promoting.apart import Ground, rollback
from bot.promoting.desk import Desk
from bot.promoting.poller import Writer, bumps, externals
from bot.promoting.promoter import Said, judge, propose, rule_of
from bot.promoting.reconciler import about
from bot.promoting.urgency import mark, urgency_of
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from bot.repository.push import Ok, RefUpdate
from bot.signing import Signer
from bot.verify import Report, verify
from policies.canonical import Json
from policies.entries.entry import By, Entry, Kind, Pinned, write_time
from policies.images.evidence import TagList
from policies.images.image import Digest, Repository, Tag
from policies.ledger.keys import attempt_key, expected_key
from policies.ledger.state import Promotion, State
from policies.words import Approve, Cancel, Reject, Rollback, Unapprove
from tests.repositories import Files, commit_to, git, make_bare, tip

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WEB = Repository("ghcr.io/example/web")
FLAGS: dict[str, Json] = {"active": True, "bot": False, "guest": False, "home": True}
RULES = """\
environments:
  staging: {path: apps/staging, channel: deploys, approvals: none}
  production: {path: apps/production, channel: deploys, approvals: 2 of release-managers, after: staging}
services:
  web: {image: ghcr.io/example/web, versions: 1.x}
people:
  ada: {slack: U0ADA}
  bob: {slack: U0BOB}
  carol: {slack: U0CAROL}
  dan: {slack: U0DAN}
teams: {release-managers: [ada, bob, carol]}
"""


def kustomization(tag: str, digest: str = "") -> str:
    """Return a file that pins the image, as people write it."""
    pin = f"    digest: {digest}\n" if digest else ""
    return f"images:\n  - name: ghcr.io/example/web\n    newTag: {tag}\n{pin}"


FILES: Files = {
    "promotion/rules.yaml": RULES,
    "apps/staging/kustomization.yaml": kustomization("1.0.0"),
    "apps/production/kustomization.yaml": kustomization("1.0.0"),
    "README.md": "shop\n",
}


def digest(tag: str) -> str:
    """Return the digest that a tag names in these worlds."""
    return f"sha256:{hashlib.sha256(tag.encode()).hexdigest()}"


def person(name: str) -> By:
    """Return somebody who presses a button."""
    return By(name, "button", "T0", f"U0{name.upper()}")


def said(name: str, at: datetime | None = None) -> Said:
    """Return somebody with an account that may speak, as looked up then; since 2026-11-29 it has to be said when."""
    looked: dict[str, Json] = {"looked": write_time(at)} if at else {}
    return Said(person(name), {"account": dict(FLAGS), **looked}, "click-1")


@dataclass
class World:
    """A bare remote, one bot at its desk; ``at`` moves on by a minute with each step."""

    remote: Path
    desk: Desk
    signer: Signer
    at: datetime = NINE
    tags: list[str] = field(default_factory=lambda: ["1.0.0"])

    @property
    def state(self) -> State:
        """What the ledger on the remote stands for."""
        return self.desk.ledger.read(self.desk.mirror.fetch()).state

    @property
    def entries(self) -> Sequence[tuple[Oid, Entry]]:
        """The ledger's entries, oldest first."""
        return self.desk.ledger.read(self.desk.mirror.fetch()).entries

    @property
    def promotion(self) -> Promotion:
        """The newest promotion."""
        return list(self.state.promotions.values())[-1]

    @property
    def ledger_tip(self) -> Oid:
        """Where the ledger ends on the remote."""
        return Oid(tip(self.remote, "ledger/2026"))

    def append(self, make: Callable[[Survey, str], Proposal]) -> AppendAnswer:
        """Append as the engine does."""
        self.at += timedelta(minutes=1)
        return self.desk.append(make, self.at)

    def done(self, make: Callable[[Survey, str], Proposal]) -> tuple[tuple[Oid, Entry], ...]:
        """Append something that must go through."""
        answer = self.append(make)
        assert isinstance(answer, Appended), answer
        return answer.entries

    def publish(self, tag: str) -> None:
        """Push a tag to the registry."""
        self.tags.append(tag)
        self.look()

    def look(self) -> None:
        """Let the registry answer."""
        self.desk.answers.tags[WEB] = TagList(tuple(self.tags))
        for tag in self.tags:
            self.desk.answers.digests[WEB, Tag(tag)] = Digest(digest(tag))

    def run(self) -> tuple[tuple[Oid, Entry], ...]:
        """Write down what others moved, then move what is ready."""
        return self.done(self.moves)

    def moves(self, look: Survey, tip_: str) -> Proposal:
        """Propose what others moved, and what is ready."""
        outside = externals(look, self.desk.mirror, self.desk.book, self.desk.examined)
        for entry in outside:
            look.state.apply(replace(entry, seq=look.state.seq + 1), look.state.tip)
        found = bumps(look, self.desk.decide(look), self.desk.writer, branch="main", tip=tip_, stuck=[])
        return replace(found, entries=(*outside, *found.entries))

    def stage(self, tag: str) -> None:
        """Publish a version and let it move in staging."""
        self.publish(tag)
        assert any(entry.kind is Kind.BUMP for _, entry in self.run())

    def ask(self, tag: str, by: str = "carol") -> Promotion:
        """Ask for a version in production."""
        image = (Pinned(WEB, tag, digest(tag)),)

        def asked(look: Survey, _tip: str) -> Proposal:
            rule = rule_of(look, "production", "web")
            return propose(look, self.desk.writer, said(by, look.at), rule=rule, image=image, note="")

        self.done(asked)
        return self.promotion

    def say(self, by: str, word: Approve | Unapprove | Reject | Cancel) -> AppendAnswer:
        """Say something about a promotion."""
        return self.append(
            lambda look, _tip: judge(look, said(by, look.at), word, look.state.promotions[word.promotion])
        )

    def roll_back(self, environment: str, tag: str, by: str = "dan") -> None:
        """Go back."""
        word = Rollback("web", "errors", tag, (environment,))
        image = (Pinned(WEB, tag, digest(tag)),)
        self.done(
            lambda look, tip_: rollback(
                look, Ground(self.desk.writer, "main", tip_), said(by, look.at), word, {environment: image}
            )
        )

    def intend(self, *, is_marked: bool = True, more: Mapping[str, Json] = MappingProxyType({})) -> None:
        """Write down that the newest promotion is about to be merged; ``more`` evidence."""
        entry = self.intent(is_marked=is_marked, more=more)
        self.done(lambda _look, _tip: Proposal((entry,)))

    def intent(self, *, is_marked: bool = True, more: Mapping[str, Json] = MappingProxyType({})) -> Entry:
        """Return the entry that the newest promotion is about to be merged."""
        now = self.promotion
        accounts: dict[str, Json] = {one.by.person: dict(FLAGS) for one in now.approvals}
        marked = mark() if now.is_emergency and is_marked else {}
        return replace(
            about(Kind.INTENT, now, self.at),
            key=attempt_key(self.state, Kind.INTENT, now.id, now.head),
            image=now.image,
            change=now.change,
            rule=now.rule,
            head=now.head,
            evidence={"accounts": accounts, "looked": write_time(self.at), **marked, **more},
        )

    def merge(self, *, also: Files | None = None, message: str = "", says_urgency: bool = True) -> str:
        """Merge the newest promotion's head as a forge would, with the trailers that belong there."""
        now = self.promotion
        if not message:
            title, body = wording.landing(
                now,
                folder="promotion",
                url="https://forge.example/1",
                intent=now.intent,
                key=now.intent_key,
                proof=self.desk.writer.proof(now.intent),
                urgency=urgency_of(self.desk.book, self.state, now) if says_urgency else None,
            )
            message = f"{title}\n\n{body}\n"
        head = commit_to(self.remote, also, branch="aside", parents=[now.head]) if also else now.head
        tree = git(self.remote, "merge-tree", "--write-tree", "main", head)
        parents = ["-p", tip(self.remote), "-p", now.head]
        names = ["-c", "user.name=Forge", "-c", "user.email=forge@example.com"]
        commit = git(self.remote, *names, "commit-tree", tree, *parents, "-m", message)
        git(self.remote, "update-ref", "refs/heads/main", commit)
        return commit

    def land(self, commit: str, evidence: Mapping[str, Json] = MappingProxyType({})) -> None:
        """Write down what was merged and that it landed."""
        now = self.promotion
        merged = replace(
            about(Kind.MERGED, now, self.at), key=f"merged/{now.id}", head=now.head, commit=commit
        )
        merged = replace(merged, evidence=evidence)
        landed = replace(about(Kind.LANDED, now, self.at), key=f"landed/{now.id}", commit=commit)
        landed = replace(landed, image=now.image, previous=now.previous)
        self.done(lambda _look, _tip: Proposal((merged, landed)))

    def promote(self, tag: str) -> str:
        """Ask for a version, approve it twice, merge it."""
        found = self.ask(tag)
        for name in ("ada", "bob"):
            assert isinstance(self.say(name, Approve(found.id)), Appended)
        self.intend()
        commit = self.merge()
        self.land(commit)
        return commit

    # --- what nobody may ------------------------------------------------------------------------------------

    def sneak(self, *entries: Entry, signer: Signer | None = None, commit: str = "") -> Oid:
        """Sign entries with the ledger's own key and push them, past the validator; return the last one."""
        chain = self.desk.ledger.read(self.desk.mirror.fetch()).copy()
        end = chain.tip
        for wanted in entries:
            entry = replace(wanted, seq=chain.state.seq + 1, prev=chain.state.tip)
            entry = entry if entry.key else replace(entry, key=expected_key(chain.state, entry))
            end = self.desk.mirror.entry_commit(
                chain.tip, message=entry.message(), at=entry.time, signer=signer or self.signer
            )
            chain.state.apply(entry, end)
        assert end
        moves = [RefUpdate("refs/heads/ledger/2026", self.ledger_tip, end)]
        if commit:
            moves.append(RefUpdate("refs/heads/main", Oid(tip(self.remote)), Oid(commit)))
        assert isinstance(self.desk.mirror.push(moves), Ok)
        return end

    def rewrite(self, oid: str) -> None:
        """Let the ledger end somewhere else, as a force push would."""
        if oid:
            git(self.remote, "update-ref", "refs/heads/ledger/2026", oid)
        else:
            git(self.remote, "update-ref", "-d", "refs/heads/ledger/2026")

    def about(self, kind: Kind, **changes: object) -> Entry:
        """Begin an entry about the newest promotion."""
        return replace(about(kind, self.promotion, self.at), **{"key": "", **changes})  # type: ignore[arg-type]  # a test's choice

    def approval(self, by: str, **changes: object) -> Entry:
        """Return an approval as the bot would write it."""
        now = self.promotion
        rest = {"by": person(by), "image": now.image, "change": now.change, "rule": now.rule}
        return self.about(Kind.APPROVE, **{**rest, "evidence": said(by, self.at).evidence, **changes})

    def audit(self, where: Path, since: str = "") -> Report:
        """Verify from a clone of its own."""
        mirror = Mirror.open(str(self.remote), where)
        return verify(mirror, Book(mirror, "promotion"), folder="promotion", since=since)


def bot(remote: Path, where: Path, signer: Signer) -> Desk:
    """Put a bot at its desk, with a clone of its own."""
    mirror = Mirror.open(str(remote), where)
    book = Book(mirror, "promotion")
    return Desk(mirror, Ledger(mirror, signer, book), book, Writer(mirror, "promotion", signer))


def world(folder: Path, files: Files = FILES) -> World:
    """Make a repository and let the bot look at it for the first time."""
    signer = Signer.generate()
    remote = make_bare(folder / "gitops.git", [files])
    found = World(remote, bot(remote, folder / "clone", signer), signer)
    found.desk.mirror.fetch()
    found.look()
    found.run()
    return found
