"""What ``changes`` answers: versions, commits and values between what runs and what could come, or why not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bot.looking.source_commits import Sourced
from bot.ports import SourceCommit
from bot.promoting.brings import MAX_PLACES, Brings
from handlers.engine import Engine
from handlers.slack.blocks import COMMAND, Said
from handlers.slack.questions import Changes
from handlers.slack.reasons import phrase, unplaced
from handlers.slack.spans import Code as Literal
from handlers.slack.spans import Line, Link, Moment, Sign, Strong, counted, joined, line
from handlers.slack.unlisted import hinted, is_unlisted
from policies.bump import bump
from policies.codes import Code
from policies.decide import Standing
from policies.entries.authors import LABELS
from policies.ledger.between import Between
from policies.ledger.digest_versions import told_apart
from policies.texts.edit import Edit

MAX_BETWEEN = 8  # versions in a sentence
MAX_COMMITS = 10  # of a source, the newest
MAX_FILES = 20  # values that are replaced
SHORT = 8  # digits of a commit


def begun(asked: Changes) -> Said:
    """Say that an answer takes a while."""
    return Said(line("Asking the registry and the forge what comes to ", Strong(asked.service), "..."))


def said(engine: Engine, asked: Changes, *, is_outside: bool = False) -> Said:
    """Answer what a version brings; who is not of the team reads of versions alone. Raises: BotError."""
    found = engine.brings(asked.service, asked.version, asked.environment)
    if is_outside:
        found = tuple(map(_without_source, found))
    where = line(" in ", Strong(asked.environment)) if asked.environment else ()
    if not found:
        head = line("No rule covers ", Strong(asked.service), *where, ", or it was not looked at yet.")
        return Said(head, (line(Literal(f"{COMMAND} status {asked.service}"), " says what is known."),))
    version = line(" with ", Literal(asked.version)) if asked.version else line(" next")
    is_group = len({one.service for one in found}) > 1
    shown: list[Sourced] = []
    points: list[Line] = []
    for one in found:
        points += _place(one, shown, is_group=is_group)
        shown += one.sourced
    if len(found) == MAX_PLACES:
        points.append(
            line(f"No more than {MAX_PLACES} places are told at once; name an environment for another.")
        )
    if is_outside:
        points.append(line("Commits, values and links are for full members of this workspace."))
    head = line("What comes to ", Strong(asked.service), *where, *version, ":")
    whole = Said(head, tuple(points), _values(found))
    if asked.version and is_unlisted(one.candidate for one in found if one.candidate):
        return hinted(engine.look(), asked, whole)
    return whole


def _without_source(one: Brings) -> Brings:
    """Leave out what guests may not be meant to read: what commits say, and what stands in files."""
    return replace(one, sourced=(), files=(), unedited="", links=(), pull=(0, ""))


def _place(one: Brings, shown: Sequence[Sourced], *, is_group: bool) -> Iterator[Line]:
    """Yield the lines of one place; ``shown`` are commits that another place has told already."""
    where = line(Strong(one.environment), f": {one.service} " if is_group else ": ")
    if one.candidate is None:
        is_last = one.codes == (Code.CURRENT.value,)
        reasons = "nothing newer may move" if is_last else unplaced(one.codes, one.detail)
        runs = line(Literal(one.current), " runs, ") if one.current else ()
        yield line(*where, *runs, reasons)
        return
    if one.candidate.verdict is Standing.CURRENT:
        yield line(*where, Literal(one.version), " is what runs there now.")
        return
    if not one.after:
        why = ", ".join(phrase(code) for code in one.candidate.codes) or "nothing is known of it"
        yield line(*where, Literal(one.version), f": {why}.")
        return
    yield line(*where, *_step(one), *_links(one))
    yield from _between(one)
    for source in one.sourced:
        yield from _source(source, is_told=source in shown, is_back=one.is_back)
    if one.unedited:
        yield line("Which values would be replaced is not known: ", one.unedited)


def _step(one: Brings) -> Line:
    """Return where it goes, and how far."""
    before, after = told_apart(one.before[:1], one.after[:1])
    step = bump(one.before[0].tag, one.after[0].tag) if one.before else None
    far = "goes back" if one.is_back else f"{step}" if step else ""
    came = line(Literal(before), " \N{RIGHTWARDS ARROW} ") if before else ()
    return line(*came, Literal(after), *((f" ({far})",) if far else ()))


def _links(one: Brings) -> Line:
    number, url = one.pull
    pulls = [line(Link(url, f"pull request #{number}"))] if url else []
    links = [*pulls, *(line(Link(address, name)) for name, address in one.links)]
    return line(" · ", *joined(links, " · ")) if links else ()


def _between(one: Brings) -> Iterator[Line]:
    if not one.between:
        return
    more = len(one.between) - MAX_BETWEEN
    verb = "taken out, too" if one.is_back else "passed over"
    told = joined(map(_version, one.between[:MAX_BETWEEN]))
    yield line(
        f"{counted(len(one.between), 'version')} {verb}: ", *told, f" and {more} more" if more > 0 else ""
    )


def _version(one: Between) -> Line:
    remarks = [line("seen ", Moment(one.seen))] if one.seen else []
    remarks += [line("blocked")] if one.is_blocked else []
    return line(Literal(one.version), *(line(" (", *joined(remarks), ")") if remarks else ()))


def _source(one: Sourced, *, is_told: bool, is_back: bool) -> Iterator[Line]:
    """Yield the commits of one source, newest first."""
    if one.compared is None:
        yield line(Sign("grey_question"), " Which commits it brings is not known: ", one.why)
        return
    listed, total, behind = one.compared.commits, one.compared.total, one.compared.behind
    of = line(Link(one.compared.url, one.source)) if one.compared.url else line(Strong(one.source))
    how = f" (by {'the labels of the images' if one.way == LABELS else 'tags of the source'})"
    if not total and not behind:
        yield line("No commit of ", *of, f": both were built of the same one{how}")
        return
    out = " would be taken out" if is_back else ""
    end = ", as above" if is_told else ", too many to be listed" if total > len(listed) else ""
    yield line(f"{counted(total, 'commit')} of ", *of, f"{out}{how}{end}{':' if listed and not end else ''}")
    if behind:
        yield line(Sign("warning"), f" it lacks {counted(behind, 'commit')} of the other one's history")
    if not end:
        yield from map(_commit, listed[: -MAX_COMMITS - 1 : -1])
        if total > MAX_COMMITS:
            yield line(f"and {total - MAX_COMMITS} more")


def _commit(one: SourceCommit) -> Line:
    return line(Literal(one.oid[:SHORT]), f" {one.subject}{f' ({one.login})' if one.login else ''}")


def _values(found: Iterable[Brings]) -> str:
    """Return the values that would be replaced, as a diff of them alone: files may hold what is not for everybody."""
    pieces: list[str] = []
    for one in found:
        pieces += map(_value, one.files[:MAX_FILES])
        more = len(one.files) - MAX_FILES
        pieces += [f"and {more} more in {one.environment}"] if more > 0 else []
    return "\n".join(pieces)


def _value(edit: Edit) -> str:
    return f"{edit.path} {edit.where}\n- {edit.old}\n+ {edit.new}"
