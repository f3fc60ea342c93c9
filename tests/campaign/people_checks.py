"""Who approved: enough different people, exactly this change, none of them who asked; by a tally of its own."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from tests.campaign.reading import Line
from tests.campaign.seen import BACK, FLAGS, OPENINGS, Broken, Seen


def four_eyes(seen: Seen) -> Broken:
    """Before each intent enough different people approved exactly this, none of them who asked."""
    asked: dict[str, Line] = {}
    given: dict[str, dict[str, Line]] = {}
    for line in seen.ledger:
        name = str(line["promotion"])
        if line.kind in OPENINGS:
            asked[name] = line
            given[name] = {line.person: line} if line.kind in BACK else {}
            if brought := (line["evidence"] or {}).get("as", {}).get("promotion"):
                same = asked[brought]["image"] == line["image"]
                given[name] = dict(given[brought]) if same else {}
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
        is_own = (
            approval["promotion"] == intent["promotion"]
        )  # else of the region before, whose image is the same
        if approval.kind == "approve" and is_own and approval["change"] != intent["change"]:
            yield f"{intent}: {person} approved another change"
        if (approval["evidence"] or {}).get("account") != FLAGS:
            yield f"{intent}: {person} approved with an account that may not speak"
        if accounts.get(person) == FLAGS:
            people.add(person)
    lines = environment.get("approvals")
    while str(lines).startswith("as "):
        lines = rules["environments"][str(lines).removeprefix("as ")].get("approvals")
    if asked.kind in BACK:
        own = environment.get(asked.kind, {})
        lines = own.get("approvals", 1) if isinstance(own, dict) else lines
    if not covers(_lines(lines, rules), people):
        yield f"{intent}: {sorted(people)} do not fill {lines!r}"


def _lines(said: Any, rules: Mapping[str, Any]) -> list[tuple[int, set[str] | None]]:
    """Return each line of a rule: how many, of whom (nothing: of all who are linked)."""
    found: list[tuple[int, set[str] | None]] = []
    for one in said if isinstance(said, list) else [said]:
        count, _, teams = str(one).partition(" of ")
        members: set[str] | None = set() if teams else None
        for team in filter(None, teams.split(" or ")):
            alone = [team.strip()] if team.strip() in rules.get("people", {}) else []
            named = rules.get("teams", {}).get(team.strip(), alone)
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
