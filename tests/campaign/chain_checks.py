"""The ledger as a chain: keys, commits, signatures, the validator asked again, intents and freezes in their order."""

from datetime import UTC, datetime
from typing import Any

from bot.signing import split_signature, verify
from tests.campaign.seen import BACK, OPENINGS, OUTCOMES, Broken, Seen

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def keys_once(seen: Seen) -> Broken:
    """No key stands twice within a branch."""
    found: set[str] = set()
    for line in seen.ledger:
        if line.kind == "genesis":
            found.clear()
        if line.key in found:
            yield f"{line}: {line.key} stands twice"
        found.add(line.key)


def one_line(seen: Seen) -> Broken:
    """Each entry is one signed commit on the empty tree that names its parent and its number."""
    before, signer, seq = "", "", 0
    for line in seen.ledger:
        if line.kind == "genesis":  # numbers go on over the years
            before, signer = "", str(line["signer"])
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
    """No intent, no move by the bot alone and no merge of its own stands under a freeze; ways back may."""
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
        is_move = line.kind == "intent" or (line.kind == "merged" and (line["evidence"] or {}).get("pushed"))
        if line.kind == "bump" or (is_move and kinds[str(line["promotion"])] not in BACK):
            until = frozen.get(environment, datetime.min.replace(tzinfo=UTC))
            if until is None or _time(line["at"]) < until:
                yield f"{line}: {environment} was frozen"


def _time(text: Any) -> datetime:
    return datetime.fromisoformat(str(text))
