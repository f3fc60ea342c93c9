"""What the bot writes into people's repositories: subjects, trailers, pull requests. Values are validated lines."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from policies.entries import gate_notes
from policies.entries.entry import By, Entry, Kind, Pinned, RuleAt, Share, write_time
from policies.errors import PolicyError
from policies.gates import lines_of
from policies.ledger.by_hand import is_for_people
from policies.ledger.digest_versions import told_apart
from policies.ledger.state import Approval, Promotion
from policies.rules.rules import EffectiveRule
from policies.times.duration import spell

Trailer = tuple[str, str]

EMERGENCY, SKIPPED = "Emergency", "Skipped"  # names of trailers


@dataclass(frozen=True, slots=True)
class Urgency:
    """What is said of an emergency: when its review is due, as the ledger writes it, and what it may skip."""

    until: str
    skips: tuple[str, ...] = ()

    @property
    def trailers(self) -> list[Trailer]:
        """Return it as trailers."""
        skipped = [(SKIPPED, ", ".join(self.skips))] if self.skips else []
        return [(EMERGENCY, f"review until {self.until}"), *skipped]


_TRAILER = re.compile(r"([A-Za-z][A-Za-z0-9-]*): (\S.*)")
MAX_TOLD = 3  # services of a group in a subject
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def subject(environment: str, service: str, previous: Sequence[Pinned], image: Sequence[Pinned]) -> str:
    """Return the first line of a commit that moves something."""
    return f"{environment}: {_step(Share(service, tuple(image), tuple(previous)))}"


def subject_of(moved: Entry | Promotion) -> str:
    """Return the first line of a commit that moves a service, or a group: then its members, or how many they are."""
    if not moved.group:
        return subject(moved.environment, moved.service, moved.previous, moved.image)
    steps = [_step(one) for one in moved.shares]
    told = ", ".join(steps) if len(steps) <= MAX_TOLD else f"{len(steps)} services"
    return f"{moved.environment}: {moved.group}: {told}"


def _step(one: Share) -> str:
    before, after = told_apart(one.previous, one.image)
    return f"{one.service} {before or 'nothing'} -> {after}"


def service_trailers(moves: Iterable[Share]) -> list[Trailer]:
    """Return a group of trailers for each service that moves: its name, then what moved (LEDGER, trailers)."""
    found: list[Trailer] = []
    for one in moves:
        found += [("Service", one.service), *image_trailers(one.image, one.previous)]
    return found


def image_trailers(image: Sequence[Pinned], previous: Sequence[Pinned]) -> list[Trailer]:
    """Return what moved: the image as tag, its digest, and what stood there before."""
    found: list[Trailer] = []
    for index, one in enumerate(image):
        found += [("Image", f"{one.repository}:{one.tag}")]
        found += [("Digest", one.digest)] if one.digest else []
        found += [("Previous", str(previous[index]))] if index < len(previous) else []
    return found


def rule_trailer(rule: RuleAt, folder: str) -> Trailer:
    """Return which rule judged: its folder, the commit it was read at, the hash of the effective rule."""
    return ("Rule", f"{folder}@{rule.commit} sha256:{rule.hash}")


def person(by: By, review: int = 0) -> str:
    """Return who, by login and ids: no personal names; ``review`` is the forge's number of theirs."""
    ids = [f"slack:{by.slack_team}/{by.slack_user}"] if by.slack_user else []
    ids += [f"github:{by.forge_login}/{by.forge_id}"] if by.forge_login else []
    ids += [f"review {review}"] if review else []
    return f"{by.forge_login or by.person} ({' '.join(ids)})"


def approval(one: Approval) -> Trailer:
    """Return one approval: who, by which account, when."""
    return ("Approved-By", f"{person(one.by, one.review)} {write_time(one.at)}")


def span(time: timedelta) -> str:
    """Return a length of time as people write it: 3h12m."""
    minutes = int(time.total_seconds()) // 60
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    parts = [
        f"{days}d" if days else "",
        f"{hours}h" if hours else "",
        f"{rest}m" if rest or minutes == 0 else "",
    ]
    return "".join(parts)


def commit_message(first: str, body: Iterable[str], trailers: Sequence[Trailer]) -> str:
    """Return a whole message; its last paragraph parses back to exactly these trailers. Raises: PolicyError."""
    for line in (first, *(value for _, value in trailers)):
        if not line or line != line.strip() or _UNSAFE.search(line):
            raise PolicyError(f"{line[:80]!r} cannot stand in a commit message; expected one plain line")
    block = "\n".join(f"{name}: {value}" for name, value in trailers)
    text = "\n\n".join([first, *body, block]) + "\n"
    if parse_trailers(text) != list(trailers):
        raise PolicyError("the trailers do not parse back to what was meant")
    return text


def parse_trailers(message: str) -> list[Trailer]:
    """Return the trailers of a message: the last paragraph, where each of its lines is one; else none."""
    paragraphs = message.rstrip("\n").split("\n\n")
    if len(paragraphs) < 2:  # noqa: PLR2004  a subject alone has no trailers
        return []
    found = [_TRAILER.fullmatch(line) for line in paragraphs[-1].split("\n")]
    return [(match[1], match[2]) for match in found if match] if all(found) else []


def move_message(
    entry: Entry, *, folder: str, tip: str, proof: str = "", urgency: Urgency | None = None
) -> str:
    """Return the message of a commit that moves by itself, or back at one person's word.

    ``tip`` is the ledger's end that the mover had validated ('' on an empty one), ``proof`` our signature of it.
    """
    head = subject_of(entry)
    trailers: list[Trailer] = [("Promotion", entry.promotion)] if entry.promotion else []
    trailers += [("Environment", entry.environment)]
    for one in entry.each:
        trailers += _service_trailers(one, folder)
    trailers += urgency.trailers if urgency else []
    trailers += [("Requested-By", person(entry.by))] if isinstance(entry.by, By) else []
    trailers += anchor(tip, proof)
    trailers += [("Ledger-Key", entry.key)]
    if entry.also:
        head = f"{entry.environment}: {entry.group or f'{len(entry.each)} services'}"
    return commit_message(head, [*_listed(entry), _on_whose_word(entry)], trailers)


def _on_whose_word(entry: Entry) -> str:
    if not isinstance(entry.by, By):
        return "Moved by rule: nobody is asked here."
    verb = "Moved in an emergency" if entry.kind is Kind.EMERGENCY else "Rolled back"
    return f"{verb} by {person(entry.by)}."


def _service_trailers(entry: Entry, folder: str) -> list[Trailer]:
    """Return what is said of each service that moved, beginning with its name."""
    return [
        *service_trailers(entry.shares),
        *([rule_trailer(entry.rule, folder)] if entry.rule else []),
        *gate_notes.trailers(gate_notes.read(entry.evidence)),
    ]


def _listed(entry: Entry) -> list[str]:
    """Return the services that moved together and from what to what, a line each; nothing where it is one."""
    if not entry.also:
        return []
    return ["\n".join(_step(share) for one in entry.each for share in one.shares)]


def anchor(tip: str, proof: str) -> list[Trailer]:
    """Return where the ledger ended, and our signature of that ('' = it is not signed)."""
    found = [("Ledger", tip)] if tip else []
    return found + ([("Ledger-Signature", proof)] if tip and proof else [])


def branch_message(promotion: str, first: str) -> str:
    """Return the message of the commit on a promotion's branch: subject and id only."""
    return commit_message(first, [], [("Promotion", promotion)])


def landing(
    promotion: Promotion,
    *,
    folder: str,
    url: str,
    intent: str,
    key: str,
    proof: str = "",
    urgency: Urgency | None = None,
) -> tuple[str, str]:
    """Return title and message of the commit that lands on the target branch (LEDGER, trailers).

    ``intent`` is the oid of the intent entry, ``key`` its key, ``proof`` our signature of the oid; ``urgency``
    of an emergency.
    """
    head = subject_of(promotion)
    trailers: list[Trailer] = [
        ("Promotion", promotion.id),
        ("Environment", promotion.environment),
        *service_trailers(promotion.shares),
        rule_trailer(promotion.rule, folder),
        *gate_notes.trailers(promotion.gates),
        *(urgency.trailers if urgency else []),
    ]
    if isinstance(promotion.by, By):
        trailers.append(("Requested-By", person(promotion.by)))
    trailers += [approval(one) for one in promotion.approvals]
    trailers += [("Pull-Request", url)] if url else []
    trailers += [*anchor(intent, proof), ("Ledger-Key", key)]
    names = " and ".join(one.by.forge_login or one.by.person for one in promotion.approvals)
    verb = "Rolled back by" if promotion.kind is Kind.ROLLBACK else "Approved by"
    body = f"{verb} {names}." if names else "Moved by rule: nobody is asked here."
    text = commit_message(head, [body], trailers)
    title, _, message = text.partition("\n\n")
    return title, message.rstrip("\n")


def _asked_besides(promotion: Promotion, rule: EffectiveRule) -> list[str]:
    """Return what a rule asks for beside approvals, on a line; a rollback waits for nothing."""
    where = rule.environment
    asked = [
        *([f"soak {spell(where.soak)}"] if where.soak else []),
        *([f"age {spell(where.age)}"] if where.age else []),
        *([f"at most {where.limit}"] if where.limit else []),
        *(f"no move {window} ({where.zone or 'UTC'})" for window in where.freeze),
        *(f"{gate.kind} `{gate.name}`" for gate in where.gates),
    ]
    return [f"- and: {'; '.join(asked)}"] if asked and not promotion.is_rollback else []


def _rows(promotion: Promotion, rule: EffectiveRule, share: Share) -> list[str]:
    """Return what moves of one service, and what is asked of it."""
    lines = lines_of(rule, promotion)
    return [
        f"- service: `{share.service}` in `{promotion.environment}`",
        *(f"- image: `{one.repository}:{one.tag}` `{one.digest}`" for one in share.image),
        *(f"- now: `{one}`" for one in share.previous),
        f"- approvals asked: {'; '.join(str(line) for line in lines) or 'none'}",
        *_asked_besides(promotion, rule),
    ]


def pull_request(
    promotion: Promotion, rule: EffectiveRule, *, folder: str, block: str = ""
) -> tuple[str, str]:
    """Return title and body of a pull request: what moves, what is asked, how to read it.

    ``block`` ends the body where people merge it: what the commit would say that the bot makes.
    """
    title = subject_of(promotion)
    parts = rule.moving([one.service for one in promotion.members])
    lines = [line for part in parts for line in lines_of(part, promotion)]
    rows = [
        *([f"- group: `{promotion.group}`, whole or nothing"] if promotion.group else []),
        *(
            row
            for part, one in zip(parts, promotion.shares, strict=False)
            for row in _rows(promotion, part, one)
        ),
        f"- rule: `{folder}@{promotion.rule.commit[:12]}` `{promotion.rule.hash[:12]}`",
        f"- change: `{promotion.change[:12]}`",
    ]
    how = "People approve in Slack, or by a review here; it is merged when every line of the rule is filled."
    if not lines:
        how = "Nobody is asked; it is merged when its checks let it."
    elif is_for_people(rule, promotion):
        how = (
            "People approve in Slack, or by a review here. When the check `countersign` is green, somebody merges it"
            " here: Countersign does not. Merged before, it counts as a move past Countersign."
        )
    body = (
        "\n".join(rows) + f"\n\n{how} "
        "A commit by anybody else on this branch ends it.\n\n"
        f"{block or f'Promotion: {promotion.id}'}\n"
    )
    return title, body
