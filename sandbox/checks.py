"""What has to be true at the end of the day, each expectation by its name; read from what is left behind alone."""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

from sandbox.bot import BotProcess
from sandbox.gitops import CHECKOUT, PRODUCTION, STAGING, WEB, WEB_AT_FIRST
from sandbox.record import Landing, Record, Recorded
from sandbox.world import OWNER, World

KINDS = (
    "genesis", "bump", "propose", "approve", "reject", "refused", "void", "intent", "merged", "landed", "rollback",
)  # fmt: skip
# Everything that moves in the day, in order; nothing else may, and nothing twice.
MOVES = (
    "staging checkout-api 1.4.1 -> 1.4.2",
    "production checkout-api 1.4.1 -> 1.4.2",
    "staging checkout-api 1.4.2 -> 1.4.3",
    "staging checkout-api 1.4.3 -> 1.5.0",
    "production checkout-api 1.4.2 -> 1.4.1",
    "staging checkout-api 1.5.0 -> 1.4.3",
    "staging checkout-api 1.4.3 -> 1.5.1",
    "production checkout-api 1.4.1 -> 1.5.1",
)
_ALWAYS = ("Environment", "Service", "Image", "Digest", "Previous", "Rule", "Ledger", "Ledger-Key")
_APPROVED = (*_ALWAYS, "Promotion", "Requested-By", "Pull-Request")


class BrokenError(Exception):
    """An expectation was not met."""

    def __init__(self, expectation: str, found: str) -> None:
        self.expectation = expectation
        super().__init__(f"{expectation}; but {found}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is left at the end of the day."""

    world: World
    bot: BotProcess
    record: Record
    entries: list[Recorded]
    landings: list[Landing]

    def of(self, kind: str) -> list[Recorded]:
        """Return the entries of a kind, oldest first."""
        return [entry for entry in self.entries if entry.kind == kind]


def outcome(world: World, bot: BotProcess) -> Outcome:
    """Read what is left. Raises: BrokenError, where there is no ledger."""
    record = Record(world.git)
    entries = record.entries()
    if not entries or entries[0].kind != "genesis":
        raise BrokenError("the ledger begins with genesis", "it does not")
    return Outcome(world, bot, record, entries, record.landings(str(entries[0]["commit"])))


def check(left: Outcome) -> int:
    """Check every expectation and return how many there are. Raises: BrokenError, for the first that is not met."""
    for expectation, find in CHECKS.items():
        if found := find(left):
            raise BrokenError(expectation, found)
    return len(CHECKS)


# Each returns what is wrong, '' where nothing is.


def _kinds(left: Outcome) -> str:
    missing = [kind for kind in KINDS if not left.of(kind)]
    return f"there is no {', '.join(missing)}" if missing else ""


def _signed(left: Outcome) -> str:
    bare = [entry.oid[:10] for entry in left.entries if not entry.is_signed]
    return f"{', '.join(bare)} carry none" if bare else ""


def _signed_by_the_key(left: Outcome) -> str:
    """Let git itself verify each signature, where it can."""
    if shutil.which("ssh-keygen") is None:
        return ""
    allowed = left.world.folder / "allowed_signers"
    allowed.write_text(f"* {public_key(left.world)}\n", "utf-8")
    try:
        trust = ("-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={allowed}")
        oids = [entry.oid for entry in left.entries]
        lines = left.world.git.lines(*trust, "log", "--no-walk=unsorted", "--format=%H %G?", *oids)
    finally:
        allowed.unlink()
    bad = [line for line in lines if not line.endswith(" G")]
    return f"git says {', '.join(bad)}" if bad else ""


def public_key(world: World) -> str:
    """Return the public half of the bot's key, on one line."""
    key = load_ssh_private_key(world.signing_key.read_bytes(), password=None)
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def _moves(left: Outcome) -> str:
    moved = [landing.move for landing in left.landings]
    return "" if moved == list(MOVES) else f"it was: {'; '.join(moved)}"


def _trailers(left: Outcome) -> str:
    for landing in left.landings:
        wanted = _APPROVED if landing.one("Environment") == PRODUCTION else _ALWAYS
        missing = [name for name in wanted if not landing.one(name)]
        if missing:
            return f"{landing.oid[:10]} ({landing.subject}) has no {', '.join(missing)}"
    return ""


def _approvers(left: Outcome) -> str:
    for landing in left.landings:
        names = [value.partition(" ")[0] for value in landing.all("Approved-By")]
        wanted = _WHO.get(landing.move, [])
        if names != wanted:
            return f"{landing.move} was approved by {', '.join(names) or 'nobody'}, not {', '.join(wanted)}"
    return ""


_WHO = {
    "production checkout-api 1.4.1 -> 1.4.2": ["ada-l", "bob"],
    "production checkout-api 1.4.2 -> 1.4.1": ["ada-l"],
    "production checkout-api 1.4.1 -> 1.5.1": ["ada-l", "bob"],
}


def _anchors(left: Outcome) -> str:
    oids, keys = {entry.oid for entry in left.entries}, {str(entry["key"]) for entry in left.entries}
    for landing in left.landings:
        if landing.one("Ledger") not in oids or landing.one("Ledger-Key") not in keys:
            return f"{landing.oid[:10]} names an entry that the ledger does not have"
    return ""


def _commits(left: Outcome) -> str:
    """Hold what the ledger says of moves against the commits that are there."""
    said = [str(entry["commit"]) for entry in left.entries if entry.kind in {"bump", "landed"}]
    said += [str(entry["commit"]) for entry in left.of("rollback") if entry["environment"] == STAGING]
    twice = [oid[:10] for oid, count in Counter(said).items() if count > 1]
    there = [landing.oid for landing in left.landings]
    return "" if sorted(said) == sorted(there) and not twice else f"entries name {said}, commits are {there}"


def _production(left: Outcome) -> str:
    tag, digest = left.record.pin(PRODUCTION)
    landed = left.of("landed")[-1]["image"][0]
    pushed = left.world.registry.digest(f"{OWNER}/{CHECKOUT}", tag)
    if (tag, digest) != (landed["tag"], landed["digest"]):
        return f"it runs {tag}@{digest}, and the ledger's last landed says {landed['tag']}@{landed['digest']}"
    return "" if digest == pushed else f"it runs {digest}, and the registry has {pushed} for {tag}"


def _staging(left: Outcome) -> str:
    tag, digest = left.record.pin(STAGING)
    bumped = left.of("bump")[-1]["image"][0]
    if digest:
        return f"its tag was given the digest {digest}, which it did not have"
    return "" if tag == bumped["tag"] else f"it runs {tag}, and the ledger's last bump says {bumped['tag']}"


def _web(left: Outcome) -> str:
    for environment in (STAGING, PRODUCTION):
        text = left.record.file(f"apps/{environment}/deployment.yaml")
        if f"/{WEB}:{WEB_AT_FIRST} " not in text:
            return f"{environment} was changed: {text}"
    return ""


def _own_approval(left: Outcome) -> str:
    refused = [entry for entry in left.of("refused") if entry["why"] == "requester"]
    asked = {entry["promotion"]: entry.person for entry in left.of("propose")}
    own = [entry for entry in left.of("approve") if asked.get(entry["promotion"]) == entry.person]
    if own:
        return f"{own[0].person} approved their own request ({own[0].oid[:10]})"
    return "" if refused else "no refusal with the code requester is recorded"


def _rejected(left: Outcome) -> str:
    reject = left.of("reject")[0]
    landed = {entry["promotion"] for entry in left.of("landed")}
    if reject["promotion"] in landed:
        return "it landed all the same"
    return (
        "" if reject.person == "bob" and reject["note"] else f"it is by {reject.person!r}: {reject['note']!r}"
    )


def _voided(left: Outcome) -> str:
    void = left.of("void")[0]
    entries = [entry for entry in left.entries if entry["promotion"] == void["promotion"]]
    kinds = [entry.kind for entry in entries]
    if "approve" not in kinds[: kinds.index("void")]:
        return "nobody had approved it before"
    if "landed" in kinds:
        return "it landed all the same"
    return "" if void["why"] == "digest-moved" else f"the reason is {void['why']}"


def _rollbacks(left: Outcome) -> str:
    found = [(entry["environment"], entry.person) for entry in left.of("rollback")]
    if found != [(PRODUCTION, "ada"), (STAGING, "carol")]:
        return f"there are {found}"
    back = {entry["promotion"] for entry in left.of("rollback")}
    helped = [entry.person for entry in left.of("approve") if entry["promotion"] in back]
    return f"{', '.join(helped)} approved as well" if helped else ""


def _said_once(left: Outcome) -> str:
    """No card stands twice in the channels: each of the bot's messages names in its metadata what it is."""
    workspace = left.world.slack.workspace
    posted = [one for channel in workspace.channels for one in workspace.messages(channel.id) if one.by_app]
    names = Counter((one.metadata or {}).get("event_payload", {}).get("what") for one in posted)
    twice = [str(name) for name, count in names.items() if name and count > 1]
    return f"{', '.join(twice)} stand there more than once" if twice else ""


def _verified(left: Outcome) -> str:
    said = left.bot.ask("verify")
    return "" if said.code == 0 else f"it exits {said.code}: {said.output}"


CHECKS: dict[str, Callable[[Outcome], str]] = {
    f"the ledger has entries of the kinds {', '.join(KINDS)}": _kinds,
    "each entry carries a signature": _signed,
    "git verifies each signature with the bot's key": _signed_by_the_key,
    "exactly the moves of the day are on the target branch, in order, each once": _moves,
    "each landing commit has its trailers": _trailers,
    "each landing commit names who approved, and nobody else": _approvers,
    "each landing commit points into the ledger": _anchors,
    "the ledger names each landing commit, each once": _commits,
    "production's tag and digest are what the ledger says": _production,
    "staging's tag is what the ledger says": _staging,
    "what was there before the first pass has not moved": _web,
    "nobody approved what they asked for, and the refusal is recorded": _own_approval,
    "what Bob rejected has his reason and did not land": _rejected,
    "the moved tag voided an approval and did not land": _voided,
    "each rollback was one person's word": _rollbacks,
    "nothing is posted twice": _said_once,
    "countersign verify exits 0": _verified,
}
