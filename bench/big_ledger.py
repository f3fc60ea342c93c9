"""Make a repository with a big, valid ledger: signed entries, and the moves on the target branch that they name.

Objects are made in this process and given to git as one pack. `python bench/big_ledger.py [--entries 100000] [FOLDER]`
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bot import wording
from bot.repository.objects import BOT, EMPTY_TREE, Oid, write_commit
from bot.signing import Signer, vouch
from policies.canonical import Json, digest_of
from policies.entries.entry import Bot, By, Entry, Kind, Pinned, Placed, RuleAt, Sighting, write_time
from policies.ledger.keys import bump_key, expected_key, promotion_id
from policies.ledger.state import Promotion, State
from policies.rulebook.parse import parse
from policies.rules.hash import rules_hash
from policies.rules.rules import EffectiveRule, effective

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
STEP = timedelta(seconds=20)
FLAGS: dict[str, Json] = {"account": {"active": True, "bot": False, "guest": False, "home": True}}
_TYPES = {"commit": 1, "tree": 2, "blob": 3}
Files = dict[str, bytes]
NONE = Oid("")
KEY = "key"  # the file beside a repository that is kept: what signs its ledger


@dataclass
class Pack:
    """Objects on their way into a repository."""

    seen: set[str] = field(default_factory=set)
    pieces: list[bytes] = field(default_factory=list)

    def add(self, kind: str, data: bytes) -> Oid:
        """Add an object once and return its id."""
        oid = hashlib.sha1(f"{kind} {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()
        if oid not in self.seen:
            self.seen.add(oid)
            size, head = len(data) >> 4, bytearray([_TYPES[kind] << 4 | len(data) & 15])
            while size:
                head[-1] |= 0x80
                head.append(size & 0x7F)
                size >>= 7
            self.pieces.append(bytes(head) + zlib.compress(data, 1))
        return Oid(oid)

    def tree(self, files: Files) -> Oid:
        """Add a tree of files by their paths."""
        below: dict[str, Files] = {}
        rows: list[tuple[bytes, bytes]] = []
        for path, content in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = content
            else:
                rows.append((name.encode(), b"100644 %b\0" % name.encode() + _raw(self.add("blob", content))))
        for name, inner in below.items():
            rows.append((name.encode() + b"/", b"40000 %b\0" % name.encode() + _raw(self.tree(inner))))
        return self.add("tree", b"".join(row for _, row in sorted(rows)))

    def write(self, repository: Path, refs: dict[str, str]) -> None:
        """Put it all into a bare repository, with these branches."""
        body = b"PACK" + (2).to_bytes(4, "big") + len(self.pieces).to_bytes(4, "big") + b"".join(self.pieces)
        body += hashlib.sha1(body, usedforsecurity=False).digest()
        _git(repository, "index-pack", "--stdin", stdin=body)
        for ref, oid in refs.items():
            _git(repository, "update-ref", ref, oid)


def _raw(oid: str) -> bytes:
    return bytes.fromhex(oid)


def _git(repository: Path, *arguments: str, stdin: bytes = b"") -> None:
    subprocess.run(["git", "-C", str(repository), *arguments], input=stdin, check=True, capture_output=True)


@dataclass
class Story:
    """A ledger that grows without asking whether it may: what it tells is made to be allowed."""

    services: int
    signer: Signer
    pack: Pack = field(default_factory=Pack)
    state: State = field(default_factory=lambda: State("2026"))
    at: datetime = START
    files: Files = field(default_factory=dict)
    main: Oid = NONE
    commit_of_rules: Oid = NONE
    rules_by: dict[tuple[str, str], EffectiveRule] = field(default_factory=dict)

    def begin(self) -> None:
        """Write rules and manifests, genesis and what stood there."""
        names = [f"s{number:03}" for number in range(self.services)]
        rules = (
            "environments:\n  staging: {path: apps/staging/<service>, channel: d, approvals: none}\n"
            "  production: {path: apps/production/<service>, channel: d, approvals: 2 of managers, after: staging}\n"
            "services:\n" + "".join(f"  {n}: {{image: {_image(n)}, versions: 1.x}}\n" for n in names)
        )
        rules += "people: {ada: {slack: U0ADA}, bob: {slack: U0BOB}, carol: {slack: U0CAROL}}\n"
        rules += "teams: {managers: [ada, bob, carol]}\n"
        self.files = {"promotion/rules.yaml": rules.encode()}
        for name in names:
            for where in ("staging", "production"):
                self.files[_path(where, name)] = _manifest(name, "1.0.0")
        self.main = self.commit_of_rules = self.commit([], "Begin\n")
        read = parse({"promotion/rules.yaml": rules.encode()})
        for name in names:
            for where in ("staging", "production"):
                found = effective(read, where, name)
                assert found
                self.rules_by[where, name] = found
        self.say(Kind.GENESIS, commit=self.main, branch="main", signer=self.signer.public_key)
        whole = RuleAt(self.main, ("promotion/rules.yaml",), rules_hash(read))
        self.say(Kind.RULES, commit=self.main, rule=whole)
        before = [Sighting(n, _image(n), "1.0.0", _digest(n, "1.0.0"), before=True) for n in names]
        self.say(Kind.SEEN, seen=tuple(before))

    def commit(self, parents: list[Oid], message: str) -> Oid:
        """Commit the files as they are now."""
        return self.pack.add(
            "commit", write_commit(self.pack.tree(self.files), parents, BOT, self.at, message)
        )

    def say(self, kind: Kind, by: str = "", **fields: Any) -> Entry:
        """Append an entry, signed."""
        return self.append(self.draft(kind, by, **fields))

    def draft(self, kind: Kind, by: str = "", **fields: Any) -> Entry:
        """Return the next entry with its key."""
        self.at += STEP
        who = By(by, "button", "T0", f"U0{by.upper()}") if by else Bot()
        extra = {"evidence": FLAGS, **fields} if by else fields
        entry = replace(Entry(kind=kind, at=write_time(self.at), key="", by=who), **extra)
        entry = entry if entry.key else replace(entry, key=expected_key(self.state, entry))
        if kind is Kind.PROPOSE:
            entry = replace(entry, promotion=promotion_id("2026", entry.key))
        return replace(entry, seq=self.state.seq + 1, prev=self.state.tip)

    def append(self, entry: Entry) -> Entry:
        """Sign and apply."""
        parents = [Oid(self.state.tip)] if self.state.tip else []
        payload = write_commit(EMPTY_TREE, parents, BOT, entry.time, entry.message())
        signature = self.signer.sign(payload)
        whole = write_commit(EMPTY_TREE, parents, BOT, entry.time, entry.message(), signature=signature)
        self.state.apply(entry, self.pack.add("commit", whole))
        return entry

    def rule(self, where: str, name: str) -> RuleAt:
        """Return the rule as entries name it."""
        return RuleAt(self.commit_of_rules, ("promotion/rules.yaml",), self.rules_by[where, name].hash)

    def cycle(self, number: int) -> None:
        """Tell how one version of one service goes all the way: nine entries, two commits on the branch."""
        name = f"s{number % self.services:03}"
        tag, old = (f"1.{number // self.services + one}.0" for one in (1, 0))
        new, was = (Pinned(_image(name), one, _digest(name, one)) for one in (tag, old))
        self.say(Kind.SEEN, seen=(Sighting(name, _image(name), tag, new.digest),))
        self._bump(name, new, was)
        self._promote(name, new, was, number)

    def _bump(self, name: str, new: Pinned, was: Pinned) -> None:
        path = _path("staging", name)
        change = _change(path, _image(name), was.tag, new.tag)
        stood = replace(was, digest="")
        draft = self.draft(
            Kind.BUMP,
            key=bump_key("staging", self.main, change),
            environment="staging",
            service=name,
            image=(new,),
            previous=(stood,),
            change=change,
            rule=self.rule("staging", name),
        )
        self.files[path] = _manifest(name, new.tag)
        proof = vouch(self.signer, self.state.tip)
        message = wording.move_message(draft, folder="promotion", tip=self.state.tip, proof=proof)
        self.main = self.commit([self.main], message)
        self.append(replace(draft, commit=self.main))

    def _promote(self, name: str, new: Pinned, was: Pinned, number: int) -> None:
        path = _path("production", name)
        before = was.tag if was.tag == "1.0.0" else f"{was.tag}@{was.digest}"
        stood = replace(was, digest="") if was.tag == "1.0.0" else was
        change = _change(path, _image(name), before, f"{new.tag}@{new.digest}")
        self.files[path] = _manifest(name, f"{new.tag}@{new.digest}")
        head = self.commit([self.main], f"production: {name}\n")
        about: dict[str, Any] = {
            "environment": "production",
            "service": name,
            "change": change,
            "rule": self.rule("production", name),
        }
        asked = self.say(Kind.PROPOSE, "carol", image=(new,), previous=(stood,), head=head, **about)
        about["promotion"] = asked.promotion
        for person in ("ada", "bob"):
            self.say(Kind.APPROVE, person, image=(new,), head=head, **about)
        accounts: dict[str, Json] = dict.fromkeys(("ada", "bob"), FLAGS["account"])
        self.say(Kind.INTENT, image=(new,), head=head, evidence={"accounts": accounts}, **about)
        now = self.state.promotions[asked.promotion]
        self.main = self.commit([self.main, head], self._landing(now, number))
        done = {"environment": "production", "service": name, "promotion": now.id, "commit": self.main}
        self.say(Kind.MERGED, head=head, **done)
        self.say(Kind.LANDED, image=(new,), previous=(stood,), **done)
        card = Placed(f"card/{name}", "C1", f"{number}.1", 2)
        self.say(Kind.SHOWN, shown=(card,))

    def _landing(self, now: Promotion, number: int) -> str:
        title, body = wording.landing(
            now,
            folder="promotion",
            url=f"https://forge.example/pull/{number}",
            intent=now.intent,
            key=now.intent_key,
            proof=vouch(self.signer, now.intent),
        )
        return f"{title}\n\n{body}\n"


def _image(name: str) -> str:
    return f"ghcr.io/example/{name}"


def _path(where: str, name: str) -> str:
    return f"apps/{where}/{name}/kustomization.yaml"


def _manifest(name: str, tag: str) -> bytes:
    return f"images:\n  - name: {_image(name)}\n    newTag: {tag}\n".encode()


def _digest(name: str, tag: str) -> str:
    return f"sha256:{hashlib.sha256(f'{name}:{tag}'.encode()).hexdigest()}"


def _change(path: str, image: str, old: str, new: str) -> str:
    return digest_of([[path, f"kustomize:{image}:newTag", old, new]])


def make(
    folder: Path, entries: int, *, services: int = 50, say: Callable[[str], None] = print
) -> tuple[Path, Signer]:
    """Make the repository with at least so many entries."""
    began = time.perf_counter()
    story = Story(services, Signer.generate())
    story.begin()
    number = 0
    while story.state.seq < entries:
        story.cycle(number)
        number += 1
    remote = folder / "gitops.git"
    remote.mkdir(parents=True)
    _git(remote, "init", "--bare", "--quiet", "--initial-branch=main")
    story.pack.write(remote, {"refs/heads/main": story.main, "refs/heads/ledger/2026": story.state.tip})
    spent = time.perf_counter() - began
    say(f"made {story.state.seq} entries and {2 * number + 1} commits in {spent:.1f} s")
    return remote, story.signer


def main() -> None:
    """Make one and keep it where a folder is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default="")
    parser.add_argument("--entries", type=int, default=2_000)
    parser.add_argument("--services", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        folder = Path(options.folder or aside)
        _, signer = make(folder, options.entries, services=options.services)
        (folder / KEY).write_text(signer.to_openssh())


if __name__ == "__main__":
    main()
