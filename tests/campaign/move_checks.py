"""What moved: as it was approved, each with its entry, both ways; the index, the anchors, and that the bot lives on."""

from collections.abc import Iterator

from bot.index import Index
from tests.campaign.reading import MOVES, Line
from tests.campaign.seen import OUTCOMES, Broken, Seen


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
        for place, (image, *_) in line.moved:
            tag, digest = reading.pins(commit.oid)[place]
            if tag != image["tag"] or (digest and digest != image["digest"]):
                yield f"{line}: {tag}@{digest} stands there, {image['tag']}@{image['digest']} was approved"
            if line.kind == "landed" and not digest:
                yield f"{line}: no digest stands there"


def said_as_approved(seen: Seen) -> Broken:
    """The pull request of each promotion says the very change and rule that its last intent names."""
    bodies = {one["head"].rpartition("/")[2]: str(one["body"]) for one in seen.office.pulls()}
    last: dict[str, Line] = {}
    for line in seen.ledger:
        if line.kind == "intent":
            last[str(line["promotion"])] = line
        elif line.kind in {"abort", "void"}:
            last.pop(str(line["promotion"]), None)
    for name, intent in last.items():
        if name in bodies and f"`{str(intent['change'])[:12]}`" not in bodies[name]:
            yield f"{intent}: its pull request says another change"
        if name in bodies and f"`{str(intent['rule']['hash'])[:12]}`" not in bodies[name]:
            yield f"{intent}: its pull request says another rule"


def population(seen: Seen) -> Broken:
    """Every intent has its outcome, and every commit that moved an image has one entry: complete, and nothing twice."""
    yield from (f"{line} has no outcome" for line in _without_outcome(seen))
    named = _named(seen)
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


def _without_outcome(seen: Seen) -> Iterator[Line]:
    """Yield intents that nothing came of; people may still merge what was cleared for them, while it is open."""
    live: dict[str, Line] = {}
    for line in seen.ledger:
        name = str(line["promotion"])
        if line.kind == "intent":
            live[name] = line
        elif line.kind in {"abort", *OUTCOMES}:
            live.pop(name, None)
    waiting = {one["head"].rpartition("/")[2] for one in seen.office.pulls() if one["state"] == "open"}
    for name, line in live.items():
        if name not in waiting or not (line["evidence"] or {}).get("merges"):
            yield line


def _named(seen: Seen) -> dict[tuple[str, str, str], list[Line]]:
    """Return the entries that name a commit and a place as moved by it."""
    named: dict[tuple[str, str, str], list[Line]] = {}
    for line in seen.ledger:
        if line.kind in MOVES and line["commit"]:
            for place, _ in line.moved:
                named.setdefault((str(line["commit"]), *place), []).append(line)
    return named


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
    lost = [one for one in seen.office.reading.main() if one.trailer("Ledger") not in {"", *known}]
    because = seen.office.read_only_because()
    if lost and not because:
        yield f"{lost[0].oid[:12]} names an entry that is gone, and the bot still writes"
    if because and not (lost or seen.witness.is_tampered):
        yield f"the bot only reads: {because}"


def index_equal(seen: Seen) -> Broken:
    """The database that the bot has is the one that the ledger makes."""
    tip = seen.office.reading.ledger_tip()
    for mark, rows in seen.office.indexes():
        if mark != tip or (mark, rows) in seen.witness.indexed:
            continue  # it was not written since, which costs nothing
        made = Index.open(None)
        made.rebuild(seen.witness.chain())
        if made.dump() != rows:
            yield "the index differs from the one that the ledger makes"
        else:
            seen.witness.indexed.add((mark, rows))
        made.close()


def lives_on(seen: Seen) -> Broken:
    """Nothing from outside ended the process or was met by an error that nobody foresaw."""
    yield from seen.office.crashes
