"""What is true of a world of Countersign at every moment, and what is true of it at rest: I1 to I15, one list.

Each is checked by a reader that shares no code with the bot, except where the bot's own validator is what is asked
(I5) or its own index (I14). A check yields one line for each thing that is not so.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

from bot.index import Index
from bot.signing import split_signature, verify
from tests.campaign.office import Office
from tests.campaign.reading import MOVES, Line
from tests.campaign.witness import Witness

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
FLAGS = {"active": True, "bot": False, "guest": False, "home": True}
OPENINGS = frozenset({"propose", "rollback", "emergency"})
BACK = frozenset({"rollback", "emergency"})  # freezes do not stop them, and they may skip gates
OUTCOMES = frozenset({"landed", "mismatch"})
Broken = Iterator[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """A world at one moment: what was seen of its office, and somebody who checks the ledger from a clone alone."""

    office: Office
    witness: Witness

    @property
    def ledger(self) -> list[Line]:
        """All entries, oldest first."""
        return self.office.reading.ledger()


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that is always so. ``at_rest``: only where nobody is in the middle of anything."""

    name: str
    sentence: str
    check: Callable[[Seen], Broken]
    at_rest: bool = False


# --- what is said, and what stays ---------------------------------------------------------------------------

# what a message claims -> the kinds of which one must stand in the ledger already
_CLAIMS: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (re.compile(r"is being merged"), frozenset({"intent"})),
    (re.compile(r"was rolled back (?:from|to)"), frozenset({"landed", "rollback"})),
    (re.compile(r"was rejected"), frozenset({"reject"})),
    (re.compile(r"was cancelled"), frozenset({"cancel"})),
    (re.compile(r"has expired|was superseded|its pull request was closed"), frozenset({"ended"})),
    (re.compile(r"so the environment is frozen|landed is not what was approved"), frozenset({"mismatch"})),
    (re.compile(r"Somebody moved"), frozenset({"external"})),
    (re.compile(r"the environment stands still"), frozenset({"freeze", "mismatch"})),
    (re.compile(r"\bwaits for approvals"), OPENINGS),
    (re.compile(r"somebody blocked the version"), frozenset({"block", *BACK})),
)
_APPROVERS = re.compile(r"\b[Aa]pproved by ((?:@\w+(?: and |, )?)+)")
_CARD = re.compile(r"card/([^/]+)/([^/]+)/")


def said_after(seen: Seen) -> Broken:
    """Hold each message against the ledger as it ended when the message was sent."""
    place = {line.commit.oid: index for index, line in enumerate(seen.ledger)}
    for said in seen.office.said[seen.witness.heard :]:
        before = seen.ledger[: place.get(said.ledger, -1) + 1]
        about = _CARD.match(said.what)
        near = [line for line in before if about is None or _is_near(line, about[1], about[2])]
        for claim, kinds in _CLAIMS:
            if claim.search(said.text) and not any(line.kind in kinds for line in near):
                yield f"{said.text[:90]!r} was said before any of {sorted(kinds)} was recorded"
        for found in _APPROVERS.finditer(said.text):
            for name in re.findall(r"@(\w+)", found[1]):
                if not any(line.person == name.lower() and line.kind in {"approve", *BACK} for line in near):
                    yield f"{said.text[:90]!r} names {name}, whose approval was not recorded then"
    seen.witness.heard = len(seen.office.said)


def _is_near(line: Line, environment: str, service: str) -> bool:
    """Whether an entry is about a place, or may reach it: what blocks a version stands in an environment before too."""
    where, what = line.place
    return what in {"", service} and (where in {"", environment} or line.kind in {"block", *BACK})


def told_stays(seen: Seen) -> Broken:
    """What somebody was told to be recorded was there then, and is there now; no end of the ledger was ever lost."""
    there = {line.key: index for index, line in enumerate(seen.ledger)}
    place = {line.commit.oid: index for index, line in enumerate(seen.ledger)}
    forks = {str(line["commit"]) for line in seen.ledger if line.kind == "fork"}
    for key, tip in seen.office.told:
        if key not in there:
            yield f"{key} was acknowledged and is not in the ledger"
        elif there[key] > place.get(tip, -1) and tip not in forks:
            yield f"{key} was acknowledged before it was on the remote"
    seen.witness.ends.add(seen.office.reading.ledger_tip())
    for tip in seen.witness.ends - {""}:
        if tip not in place and tip not in forks:
            yield f"the ledger ended at {tip[:12]} once and does not contain it now"


def keys_once(seen: Seen) -> Broken:
    """No key stands twice within a branch."""
    found: set[tuple[str, str]] = set()
    for line in seen.ledger:
        key = (str(line["at"])[:4] if line.kind == "genesis" else "", line.key)
        if key in found:
            yield f"{line}: {line.key} stands twice"
        found.add(key)


def one_line(seen: Seen) -> Broken:
    """Each entry is one signed commit on the empty tree that names its parent and its number."""
    before, signer, seq = "", "", 0
    for line in seen.ledger:
        if line.kind == "genesis":
            before, signer, seq = "", str(line["signer"]), 0
        if line.commit.parents != ([before] if before else []) or line["prev"] != before:
            yield f"{line}: its parent is not {before[:12] or 'nothing'}"
        if line["seq"] != seq + 1:
            yield f"{line}: expected number {seq + 1}"
        if line.commit.tree != EMPTY_TREE:
            yield f"{line}: it has a tree"
        if (signer, line.commit.oid) not in seen.witness.signed:
            payload, signature = split_signature(line.commit.raw)
            if signature is None or not verify(signer, payload, signature):
                yield f"{line}: it is not signed by {signer[:30]}"
            seen.witness.signed.add((signer, line.commit.oid))
        before, seq = line.commit.oid, seq + 1


def allowed_where_it_stands(seen: Seen) -> Broken:
    """The validator, asked again from a clone alone, lets every entry through."""
    yield from (str(fault) for fault in seen.witness.faults())


# --- who approved, and what ---------------------------------------------------------------------------------


def four_eyes(seen: Seen) -> Broken:
    """Before each intent enough different people approved exactly this, none of them who asked."""
    asked: dict[str, Line] = {}
    given: dict[str, dict[str, Line]] = {}
    for line in seen.ledger:
        name = str(line["promotion"])
        if line.kind in OPENINGS:
            asked[name] = line
            given[name] = {line.person: line} if line.kind in BACK else {}
        elif line.kind == "approve":
            given[name][line.person] = line
        elif line.kind == "unapprove":
            given[name].pop(line.person, None)
        elif line.kind == "void":
            given[name] = {}
        elif line.kind == "intent":
            yield from _enough(seen, line, asked[name], given[name])


def _enough(seen: Seen, intent: Line, asked: Line, given: Mapping[str, Line]) -> Broken:
    rules = seen.office.reading.rules(intent["rule"]["commit"])
    environment = rules.get("environments", {}).get(intent["environment"], {})
    excluded = environment.get("exclude", ["requester"])
    accounts = (intent["evidence"] or {}).get("accounts", {})
    people = set()
    for person, approval in given.items():
        if person == asked.person and "requester" in excluded and asked.kind not in BACK:
            continue
        if approval.kind == "approve" and approval["change"] != intent["change"]:
            yield f"{intent}: {person} approved another change"
        if (approval["evidence"] or {}).get("account") != FLAGS:
            yield f"{intent}: {person} approved with an account that may not speak"
        if accounts.get(person) == FLAGS:
            people.add(person)
    lines = (
        environment.get("rollback", {}).get("approvals", 1)
        if asked.kind == "rollback"
        else environment.get("approvals")
    )
    if not covers(_lines(lines, rules), people):
        yield f"{intent}: {sorted(people)} do not fill {lines!r}"


def _lines(said: Any, rules: Mapping[str, Any]) -> list[tuple[int, set[str] | None]]:
    """Return each line of a rule: how many, of whom (nothing: of all who are linked)."""
    found: list[tuple[int, set[str] | None]] = []
    for one in said if isinstance(said, list) else [said]:
        count, _, teams = str(one).partition(" of ")
        members: set[str] | None = set() if teams else None
        for team in filter(None, teams.split(" or ")):
            named = rules.get("teams", {}).get(team.strip(), [])
            members = (members or set()) | set(named if isinstance(named, list) else [])
        found.append((int(count) if count.isdigit() else 0, members))
    return found


def covers(lines: list[tuple[int, set[str] | None]], people: set[str]) -> bool:
    """Whether these people fill all lines, each one seat (Hall: every set of lines finds enough people)."""
    for size in range(1, len(lines) + 1):
        for some in combinations(lines, size):
            found = set().union(*(people if members is None else people & members for _, members in some))
            if len(found) < sum(count for count, _ in some):
                return False
    return True


def landed_as_approved(seen: Seen) -> Broken:
    """What a landing commit did is what was approved: that head, that digest in that place, no other folder."""
    reading = seen.office.reading
    intents: dict[str, Line] = {}
    for line in seen.ledger:
        if line.kind == "intent":
            intents[str(line["promotion"])] = line
        is_move = line.kind in {"bump", "landed"} or (line.kind == "rollback" and line["commit"])
        if not is_move or line.commit.oid in seen.witness.compared:
            continue
        seen.witness.compared.add(line.commit.oid)
        commit = reading.commit(str(line["commit"]))
        head = str(intents[str(line["promotion"])]["head"]) if line.kind == "landed" else ""
        if head and len(commit.parents) == 2 and commit.parents[1] != head:
            yield f"{line}: {commit.oid[:12]} merged another head than {head[:12]}"
        outside = [
            path for path in reading.changed(commit) if not path.startswith(f"apps/{line['environment']}/")
        ]
        if outside:
            yield f"{line}: {commit.oid[:12]} also changed {outside}"
        image = line["image"][0]
        tag, digest = reading.pins(commit.oid)[line.place]
        if tag != image["tag"] or (digest and digest != image["digest"]):
            yield f"{line}: {tag}@{digest} stands there, {image['tag']}@{image['digest']} was approved"
        if line.kind == "landed" and not digest:
            yield f"{line}: no digest stands there"


def one_at_a_time(seen: Seen) -> Broken:
    """A promotion has one live intent and one outcome at most; a branch has one pull request, open ones are few."""
    live: set[str] = set()
    ended: set[str] = set()
    for line in seen.ledger:
        name = str(line["promotion"])
        if line.kind == "intent":
            if name in live or name in ended:
                yield f"{line}: another intent of {name} is live, or it is over"
            live.add(name)
        elif line.kind in {"abort", "merged"}:
            if name not in live:
                yield f"{line}: no intent of {name} is live"
            live.discard(name)
        elif line.kind in OUTCOMES and name:
            if name in ended:
                yield f"{line}: {name} has an outcome already"
            ended.add(name)
    pulls = [one for one in seen.office.pulls() if one["head"].startswith("countersign/")]
    for head in {one["head"] for one in pulls}:
        if len([one for one in pulls if one["head"] == head and one["state"] == "open"]) > 1:
            yield f"{head} has two open pull requests"


def one_open_pull_request(seen: Seen) -> Broken:
    """A place has one open pull request of ours at most."""
    opened = [one["head"].rpartition("/")[0] for one in seen.office.pulls() if one["state"] == "open"]
    for place in {one for one in opened if one.startswith("countersign/")}:
        if opened.count(place) > 1:
            yield f"{place} has {opened.count(place)} open pull requests"


def nothing_under_a_freeze(seen: Seen) -> Broken:
    """No intent, and no move by the bot alone, stands under a freeze; ways back may."""
    frozen: dict[str, datetime | None] = {}
    kinds: dict[str, str] = {}
    for line in seen.ledger:
        environment = str(line["environment"])
        if line.kind in {"freeze", "mismatch"}:
            frozen[environment] = _time(line["until"]) if line["until"] else None
        elif line.kind == "unfreeze":
            frozen.pop(environment, None)
        elif line.kind in OPENINGS:
            kinds[str(line["promotion"])] = line.kind
        if line.kind == "bump" or (line.kind == "intent" and kinds[str(line["promotion"])] not in BACK):
            until = frozen.get(environment, datetime.min.replace(tzinfo=UTC))
            if until is None or _time(line["at"]) < until:
                yield f"{line}: {environment} was frozen"


def _time(text: Any) -> datetime:
    return datetime.fromisoformat(str(text))


# --- population ---------------------------------------------------------------------------------------------


def population(seen: Seen) -> Broken:
    """Every intent has its outcome, and every commit that moved an image has one entry: complete, and nothing twice."""
    live: dict[str, Line] = {}
    named: dict[tuple[str, str, str], list[Line]] = {}
    for line in seen.ledger:
        name = str(line["promotion"])
        if line.kind == "intent":
            live[name] = line
        elif line.kind in {"abort", *OUTCOMES}:
            live.pop(name, None)
        if line.kind in MOVES and line["commit"]:
            named.setdefault((str(line["commit"]), *line.place), []).append(line)
    yield from (f"{line} has no outcome" for line in live.values())
    reading = seen.office.reading
    line_of = reading.main()
    genesis = next((str(line["commit"]) for line in seen.ledger if line.kind == "genesis"), "")
    after = [one.oid for one in line_of].index(genesis) + 1 if genesis else len(line_of)
    for commit in line_of[after:]:
        old, new = reading.pins(commit.parents[0]), reading.pins(commit.oid)
        for place in new:
            found = named.pop((commit.oid, *place), [])
            if new[place] != old[place] and len(found) != 1:
                names = [str(one) for one in found]
                yield f"{commit.oid[:12]} moved {'/'.join(place)} with {len(found)} entries: {names}"
            if new[place] == old[place] and found:
                yield f"{commit.oid[:12]} moved nothing in {'/'.join(place)}, {found[0]} says so"
    for found in named.values():
        yield f"{found[0]} names a commit that is not on the target branch"


def bumps_in_order(seen: Seen) -> Broken:
    """Moves by the bot alone are one to one with their entries, in the same order."""
    said = [str(line["commit"]) for line in seen.ledger if line.kind == "bump"]
    made = [
        one.oid
        for one in seen.office.reading.main()
        if one.is_ours and len(one.parents) == 1 and one.trailer("Ledger-Key").startswith("bump/")
    ]
    if said != made:
        yield f"the ledger has the bumps {[one[:8] for one in said]}, the branch {[one[:8] for one in made]}"


def anchored(seen: Seen) -> Broken:
    """Where the ledger lost an end that a move names, the bot only reads; where it did not, it writes."""
    known = {line.commit.oid for line in seen.ledger}
    lost = [
        one for one in seen.office.reading.main() if one.is_ours and one.trailer("Ledger") not in {"", *known}
    ]
    because = seen.office.read_only_because()
    if lost and not because:
        yield f"{lost[0].oid[:12]} names an entry that is gone, and the bot still writes"
    if because and not (lost or seen.witness.is_tampered):
        yield f"the bot only reads: {because}"


# --- what leaks, what is lost, what kills -------------------------------------------------------------------


def no_secret(seen: Seen) -> Broken:
    """No secret stands in a commit, a message, a pull request or the log."""
    sinks = {
        "the log": "\n".join(seen.office.logged),
        "the chat": "\n".join(one.text for one in seen.office.said),
        "the ledger": "\n".join(line.commit.message for line in seen.ledger),
    }
    for name, text in sinks.items():
        yield from (f"{secret[:6]}... stands in {name}" for secret in seen.office.secrets if secret in text)


def no_secret_anywhere(seen: Seen) -> Broken:
    """No secret stands in any file of any branch, or in a pull request."""
    for name, text in {
        "the repository": seen.office.reading.all_text(),
        "the forge": repr(seen.office.pulls()),
    }.items():
        yield from (f"{secret[:6]}... stands in {name}" for secret in seen.office.secrets if secret in text)


def index_equal(seen: Seen) -> Broken:
    """The database that the bot has is the one that the ledger makes."""
    tip = seen.office.reading.ledger_tip()
    for replica in seen.office.replicas.values():
        if replica.engine.index.remembered() != tip:
            continue  # it was not written since, which costs nothing
        made = Index.open(None)
        made.rebuild(seen.witness.chain())
        if made.dump() != replica.engine.index.dump():
            yield "the index differs from the one that the ledger makes"
        made.close()


def lives_on(seen: Seen) -> Broken:
    """Nothing from outside ended the process or was met by an error that nobody foresaw."""
    yield from seen.office.crashes


INVARIANTS: tuple[Invariant, ...] = (
    Invariant("I1", "no message says what is not yet on the remote", said_after),
    Invariant("I2", "what was acknowledged is in the chain for ever", told_stays),
    Invariant("I3", "keys are unique", keys_once),
    Invariant("I4", "one parent, the next number, the empty tree, a valid signature", one_line),
    Invariant("I5", "every entry is allowed in the state of its parent", allowed_where_it_stands),
    Invariant("I6", "enough different people approved exactly this, none who asked", four_eyes),
    Invariant("I7", "what landed is what was approved", landed_as_approved),
    Invariant("I8", "one live intent, one outcome, one pull request", one_at_a_time),
    Invariant("I8r", "one open pull request for each place", one_open_pull_request, at_rest=True),
    Invariant("I9", "nothing moves under a freeze but backwards", nothing_under_a_freeze),
    Invariant("I10", "every intent has an outcome, every move one entry", population, at_rest=True),
    Invariant("I11", "bumps and their entries are one to one, in order", bumps_in_order),
    Invariant("I12", "a ledger that lost an anchor is only read", anchored),
    Invariant("I13", "no secret in ledger, chat or log", no_secret),
    Invariant("I13r", "no secret in any file or pull request", no_secret_anywhere, at_rest=True),
    Invariant("I14", "the database is what the ledger makes", index_equal),
    Invariant("I15", "bad input is refused and the process goes on", lives_on),
)


def broken(seen: Seen, *, at_rest: bool = False) -> list[str]:
    """Return what is not so, each with its invariant's name."""
    asked = [one for one in INVARIANTS if at_rest or not one.at_rest]
    return [f"{one.name} ({one.sentence}): {what}" for one in asked for what in one.check(seen)]
