"""``evidence``: one page a change, as an auditor reads it, and an index that counts the whole population."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.dossier import Dossier
from bot.repository.objects import CommitInfo
from bot.rulings import Ruling
from handlers.shell import page
from handlers.shell.export import review_of
from handlers.shell.page import Html, code, facts, marked, paragraph, section, text
from handlers.slack.reasons import phrase
from policies.allowed.reperformed import Judged
from policies.canonical import canonical
from policies.entries.entry import write_time
from policies.ledger.order import Between
from policies.ledger.population import Change, Sort, Word, who
from policies.verdict import Passed

MEANS = {
    Sort.STANDARD: "moved by rule, where nobody is asked",
    Sort.NORMAL: "asked for and approved by people",
    Sort.EMERGENCY: "under the emergency rule, reviewed afterwards",
    Sort.UNAUTHORISED: "moved past the bot, or not as it was approved",
}

NOT_ASKED = "not asked by the rule"


@dataclass(frozen=True, slots=True)
class Range:
    """What was looked at: first and last day, the sample, where the ledger ended, what ``verify`` finds."""

    first: str
    last: str
    size: int
    seed: str
    year: str
    tip: str
    findings: tuple[str, ...] = ()


def name_of(change: Change) -> str:
    """Return the file of a change's page: ours to choose, so an id of our own and nothing else."""
    return f"change-{change.id.removeprefix('#').replace('/', '-')}.html"


# --- the index --------------------------------------------------------------------------------------------------


def index(
    what: Range, everything: Sequence[Change], chosen: Sequence[Change], changed: Sequence[Ruling] = ()
) -> str:
    """Return the page that lists every change, in the sample or not; ``changed``: the rules' own changes."""
    named = {one.id for one in chosen}
    drawn = f"{what.size} of those that moved, drawn with seed {what.seed}" if what.size else "all of them"
    found = f"{len(what.findings)}, in the whole repository"
    parts = [
        paragraph(f"From {what.first} to {what.last}, both days included, in UTC."),
        facts(
            [
                ("Changes", str(len(everything))),
                ("Pages", f"{len(chosen)}: {drawn}; every exception has one"),
                ("Ledger", code(f"ledger/{what.year} at {what.tip}")),
                ("Findings of verify", marked(found, "bad") if what.findings else found),
            ]
        ),
        *_findings(what.findings),
        section("The population", _counts(everything), paragraph(_how_drawn(what))),
        section("Every change", _list(everything, named)),
        section("The rules that changed", *_rulings(changed)),
        section("Check it yourself", page.pre(_verify_all())),
    ]
    return page.page("Changes, and who trusted them", parts)


def _findings(findings: Sequence[str]) -> Iterator[Html]:
    if findings:
        yield section("What verify finds", page.pre(text_lines(findings)))


def _how_drawn(what: Range) -> str:
    return (
        "A change's place in the draw is the sha256 of <seed>/<id>; the smallest are taken. Exceptions (emergency,"
        f" unauthorised) are never left to the draw. Here: printf %s '{what.seed}/<id>' | sha256sum"
    )


def _counts(changes: Iterable[Change]) -> Html:
    found = list(changes)
    rows: list[Sequence[Html | str]] = []
    for sort in Sort:
        mine = [one for one in found if one.sort is sort]
        ends = Counter(one.outcome for one in mine)
        missing = sum(1 for one in mine if review_of(one) == "missing")
        said = ", ".join(f"{count} {name}" for name, count in sorted(ends.items()))
        rows.append(
            (
                sort.value,
                MEANS[sort],
                str(len(mine)),
                said or "-",
                marked(f"{missing} not reviewed", "bad") if missing else "-",
            )
        )
    refusals = sum(len(one.refusals) for one in found)
    rows.append(("refused", "decisions that the rule did not let through", str(refusals), "-", "-"))
    return page.table(("Sort", "Means", "Changes", "Outcomes", "Reviews"), rows)


def _list(changes: Iterable[Change], named: set[str]) -> Html:
    head = ("Change", "When", "Sort", "Outcome", "Where", "What", "Asked by", "Approved by", "Review")
    return page.table(head, (_row(one, is_chosen=one.id in named) for one in changes))


def _row(change: Change, *, is_chosen: bool) -> tuple[Html | str, ...]:
    review = review_of(change)
    return (
        page.local(name_of(change), change.id) if is_chosen else text(change.id),
        _when(change),
        change.sort.value,
        change.outcome,
        f"{change.environment} {change.service}",
        f"{_tags(change.previous)} -> {_tags(change.image)}",
        change.asked.by.person if change.asked else "-",
        ", ".join(one.by.person for one in change.approvals) or "-",
        marked(review, "bad") if review == "missing" else review,
    )


def _rulings(changed: Sequence[Ruling]) -> Iterator[Html]:
    """Yield who changed the rules, and what moved where they did not look."""
    if not changed:
        yield paragraph("None on these days.")
        return
    rows = [
        (
            code(f"#{one.entry.seq}") if one.entry else "none yet",
            _dated(one.entry.at, one.between) if one.entry else "-",
            page.pre(text_lines(_committers(one))),
            marked("; ".join(one.unseen), "bad") if one.unseen else "-",
        )
        for one in changed
    ]
    yield page.table(("Entry", "Recorded", "Commits", "Moved unseen"), rows)


def _committers(ruling: Ruling) -> Iterator[str]:
    if ruling.left:
        yield f"{ruling.left} earlier: git log --first-parent {ruling.commits[0].oid}^ -- promotion"
    yield from map(_committed, ruling.commits)


def _committed(info: CommitInfo) -> str:
    """Return a commit in a line: which, when, by whom, and the first line of what they said."""
    author = f"{info.author.name} <{info.author.email}>"
    subject, _, _ = info.message.strip().partition("\n")
    return f"{info.oid} {write_time(info.committed_at)} {author}: {subject}"


def _when(change: Change) -> str:
    """Return when it came to what it came to; where that cannot be so, also what must have been."""
    return _dated(change.at, change.between)


def _dated(at: str, between: Between | None) -> str:
    return f"{at}; by its place it came {between}" if between else at


def _tags(images: Iterable[object]) -> str:
    return ", ".join(str(getattr(one, "tag", "")) or "?" for one in images) or "nothing"


# --- one change -------------------------------------------------------------------------------------------------


def change_page(what: Range, found: Dossier) -> str:
    """Return the page of one change."""
    one = found.change
    title = f"{one.environment}: {one.service} {_tags(one.previous)} -> {_tags(one.image)}"
    parts = [
        paragraph(
            page.local("index.html", "all changes"), " ", marked(f"{one.sort}: {MEANS[one.sort]}", "dim")
        ),
        section("What", facts(_what(found))),
        section("Who and when", page.table(("What", "Who", "When", "Entry", "Words"), _people(one))),
        section("The rule of that day", *_rule(found)),
        section("What was asked before it moved", _gates(one, found.gates)),
        section("What was looked up outside of the clone (attested)", *_attested(one)),
        section("The change in Git", *_diff(found)),
        section("The ledger's entries", _entries(one)),
        section("Check it with plain git", page.pre(text_lines(_commands(what, found)))),
    ]
    return page.page(title, parts)


def text_lines(lines: Iterable[str]) -> Html:
    """Return lines, each escaped."""
    return Html("\n".join(text(line) for line in lines))


def _what(found: Dossier) -> Iterator[tuple[str, Html | str]]:
    one = found.change
    yield "Id", code(one.id)
    yield "Outcome", f"{one.outcome} at {_when(one)}" + (f": {phrase(one.why)}" if one.why else "")
    yield "Where", f"{one.service} in {one.environment}"
    for image in one.image:
        yield "Image", code(str(image))
    for image in one.previous:
        yield "Before", code(str(image))
    yield "Change", code(one.change) if one.change else ""
    yield "Commit", code(one.commit) if one.commit else ""
    yield "Head", code(one.head) if one.head else ""
    yield "Pull request", page.link(one.url) if one.url else ""
    review = review_of(one)
    yield "Review", marked("missing", "bad") if review == "missing" else review


def _people(change: Change) -> Iterator[tuple[Html | str, ...]]:
    if change.asked:
        yield _person("asked", change.asked)
    for word in change.approvals:
        yield _person("approved", word)
    for word in change.refusals:
        yield _person("refused", word)
    if change.ended:
        yield _person(change.outcome, change.ended)
    if change.review:
        yield _person("reviewed", change.review)
    if not change.asked:
        yield "moved", "the bot" if change.sort is Sort.STANDARD else "somebody else", change.at, "-", ""


def _person(what: str, word: Word) -> tuple[Html | str, ...]:
    via = f", by {word.by.via}" if word.by.via else ""
    said = phrase(word.text) if what == "refused" else word.text
    return what, f"{who(word.by)}{via}", word.at, code(f"#{word.seq} {word.oid[:12]}"), said


def _rule(found: Dossier) -> Iterator[Html]:
    rule = found.change.rule
    if rule is None:
        yield paragraph("No rule let this move.")
        return
    yield facts([("Commit", code(rule.commit)), ("Hash of the effective rule", code(rule.hash))])
    for one in found.excerpts:
        lines = "\n".join(f"{one.file}:{number}: {line}" for number, line in one.lines)
        yield paragraph(f"As written, {one.about}:")
        yield page.pre(page.block(lines))
    yield paragraph("As it judged, each key with the place that says it:")
    rows = [
        (one.key, one.value, one.layer.value, str(one.source.at) if one.source else "") for one in found.keys
    ]
    yield page.table(("Key", "Value", "Said by", "Where"), rows)
    yield paragraph("The effective rule; the sha256 of this line is its hash:")
    yield page.pre(page.block(canonical(found.canonical).decode()))
    if found.members:
        yield paragraph("Who was meant:")
        yield facts((name, ", ".join(people) or "nobody") for name, people in found.members)


def _gates(change: Change, gates: Sequence[Judged]) -> Html:
    if not gates:
        return paragraph("Nothing was asked: no entry let it move.")
    rows = []
    is_group = len({one.service for one in gates}) > 1
    for one in gates:
        verdict = one.verdict
        name = f"{one.service}: {one.gate}" if is_group else one.gate
        if isinstance(verdict, Passed):
            rows.append((name, text("passed") if one.is_asked else marked(NOT_ASKED, "dim"), text("")))
        else:
            said = f"{phrase(verdict.code.value)} {verdict.detail}".strip()
            rows.append((name, marked(verdict.code.value, "bad"), text(said)))
    head = paragraph(f"Re-performed from this clone in the state that entry #{change.decided} followed:")
    return Html(f"{head}\n{page.table(('Gate', 'Verdict', 'Why'), rows)}")


def _attested(change: Change) -> Iterator[Html]:
    shown = [(entry, entry.evidence) for _, entry in change.entries if entry.evidence]
    if not shown:
        yield paragraph("Nothing: all of it can be seen in the clone.")
    for entry, evidence in shown:
        yield paragraph(f"{entry.subject}, {entry.at}:")
        yield page.pre(page.block(json.dumps(evidence, indent=2, sort_keys=True)))


def _diff(found: Dossier) -> Iterator[Html]:
    info = found.commit
    if info is not None:
        author = f"{info.author.name} <{info.author.email}>"
        rows: list[tuple[str, Html | str]] = [
            ("Commit", code(info.oid)),
            ("Parents", code(" ".join(info.parents))),
            ("Author", f"{author} {write_time(info.authored_at)}"),
            ("Message", page.pre(page.block(info.message))),
        ]
        yield facts(rows)
    if found.missing:
        yield paragraph(found.missing)
    if found.diff:
        yield page.diff(found.diff)


def _entries(change: Change) -> Html:
    if not change.entries:
        return paragraph("None: the move stands on the target branch, and no entry tells of it.")
    rows = [
        (f"#{entry.seq}", entry.kind.value, entry.at, code(oid), page.pre(page.block(entry.line().decode())))
        for oid, entry in change.entries
    ]
    return page.table(("#", "Kind", "When", "Commit", "Line"), rows)


# --- what anybody may run ---------------------------------------------------------------------------------------


def _verify_all() -> str:
    return "countersign verify .        # re-performs every entry, and holds the branch against them"


def _commands(what: Range, found: Dossier) -> Iterator[str]:
    """Yield commands for a clone with the ledger's branch; every id in them is made of hexadecimal digits."""
    one = found.change
    yield "git fetch origin '+refs/heads/ledger/*:refs/remotes/origin/ledger/*'"
    if one.entries:
        yield f"git merge-base --is-ancestor {one.entries[-1][0]} {what.tip}    # the entry is in the ledger"
        yield "# allowed_signers: see docs/verify-with-git.md"
        for oid, entry in one.entries:
            yield f"git verify-commit {oid}    # {entry.kind} #{entry.seq}"
        yield f"git log -1 --format=%B {one.entries[0][0]}"
    if found.commit is not None:
        yield f"git log -1 --format=%B {found.commit.oid}"
        if found.commit.parents:
            yield f"git diff {found.commit.parents[0]} {found.commit.oid}"
    if one.rule is not None:
        yield f"git show {one.rule.commit} --stat -- promotion"
