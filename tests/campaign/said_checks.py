"""What was said: no message before its entry, nothing acknowledged is lost, no secret anywhere."""

import re

from tests.campaign.reading import SERVICES, Line
from tests.campaign.seen import BACK, OPENINGS, Broken, Seen

# what a message claims -> the kinds of which one must stand in the ledger already
_CLAIMS: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (re.compile(r"is being merged"), frozenset({"intent"})),
    (re.compile(r"was rolled back (?:from|to)"), frozenset({"landed", "rollback"})),
    (re.compile(r"was rejected"), frozenset({"reject"})),
    (re.compile(r"was cancelled"), frozenset({"cancel"})),
    (re.compile(r"has expired|its pull request was closed"), frozenset({"ended"})),
    (re.compile(r"was superseded"), frozenset({"ended", "emergency"})),
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
        is_all = about is None or about[2] not in SERVICES  # a group's card tells of all its services
        near = [
            line for line in before if about is None or _is_near(line, about[1], "" if is_all else about[2])
        ]
        for claim, kinds in _CLAIMS:
            if claim.search(said.text) and not any(line.kind in kinds for line in near):
                yield f"{said.text[:90]!r} was said before any of {sorted(kinds)} was recorded"
        lent = {
            (line["evidence"] or {}).get("as", {}).get("promotion") for line in near if line.kind in OPENINGS
        }
        near += [line for line in before if line["promotion"] in lent]
        for found in _APPROVERS.finditer(said.text):
            for name in re.findall(r"@(\w+)", found[1]):
                if not any(line.person == name.lower() and line.kind in {"approve", *BACK} for line in near):
                    yield f"{said.text[:90]!r} names {name}, whose approval was not recorded then"
    seen.witness.heard = len(seen.office.said)


def _is_near(line: Line, environment: str, service: str) -> bool:
    """Whether an entry is about a place ('' = any service), or may reach it.

    What blocks a version stands in an environment before too.
    """
    where, what = line.place
    return (not service or what in {"", service}) and (
        where in {"", environment} or line.kind in {"block", *BACK}
    )


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
