"""Answers on everybody's pull requests: may this one be merged past us, because no guarded environment is moved?"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.errors import BotError, PermanentError, TransientError
from bot.index import Index
from bot.looking.book import RulesAt
from bot.ports import Changes, Forge, OpenPullRequest
from bot.promoting.desk import Desk
from bot.promoting.rules_check import RulesCheck, RulesSaid
from bot.repository.objects import Oid, oid_of
from policies.codes import MEANINGS, Code
from policies.entries.entry import Pinned
from policies.errors import PolicyError
from policies.ledger.state import Place as Where
from policies.manifests import markers, references
from policies.pins import Place, files_under
from policies.rules.rules import Rules
from policies.verdict import NotYet, Waiting

MAX_ANSWERS = 10  # in one pass: people who press buttons wait for its end
MAX_TRIES = 25  # in one pass, with those that fail
MAX_FILES = 50  # that are read to see whether an image moves

MOVES_NOTHING = "moves no image of a guarded environment"
GUARDED = "changes a guarded environment outside of Countersign: needs its approval"
TOO_MANY = "changes too many files to say that no guarded environment is moved"
UNREADABLE = "a file of a guarded environment cannot be read"
NO_CHANGE = "**Changes no effective rule** any more."
_HOW = (
    "Ask for the version in Slack instead; Countersign then opens the pull request itself."
    " Merged past this check it counts as an external move, which is told in the environment's channel."
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of a pull request: in one line, and in more.

    ``comment``: what it makes of the rules, as its comment says it; '' = nothing, none = not known.
    """

    is_allowed: bool
    description: str
    summary: str = ""
    comment: str | None = None


def answer_pull_requests(forge: Forge | None, desk: Desk, index: Index, at: datetime) -> list[str]:
    """Say a verdict on each open pull request that has none yet; return what could not be done, for an operator.

    Those of live promotions are the reconciler's. A verdict holds for one head, one target and one state of the rules.
    """
    if forge is None:
        return []
    try:
        pulls = forge.open_pull_requests()
    except BotError as error:
        return [f"pull requests were not looked at: {error}"]
    rules = desk.rules(desk.mirror.tips())
    left: list[str] = []
    answered = 0
    for pull in _unanswered(pulls, desk, index, rules)[:MAX_TRIES]:
        try:
            judged = _Look(forge, desk, rules.rules, at).judge(pull)
            forge.status(
                pull.head,
                is_allowed=judged.is_allowed,
                description=judged.description,
                summary=judged.summary,
            )
            if judged.comment is not None:
                forge.comment(pull.number, judged.comment or NO_CHANGE, is_edit=not judged.comment)
        except BotError as error:
            _log.warning("pull request %d was not answered: %s", pull.number, error)
            left.append(f"pull request {pull.number} was not answered: {error}")
            continue
        index.remember_status(pull.head, _key(pull, rules))
        answered += 1
        if answered == MAX_ANSWERS:
            break
    return left


def missing(reasons: Iterable[NotYet]) -> str:
    """Return what stands in the way of a promotion as the text of its check, in Markdown; '' where nothing does.

    Words of people and registries stand in code spans: they bring no links and no pictures.
    """
    return "\n".join(map(_reason, reasons))


def _reason(reason: NotYet) -> str:
    meaning = MEANINGS[reason.code] if isinstance(reason.code, Code) else ""
    until = reason.until if isinstance(reason, Waiting) else None
    detail = " ".join(reason.detail.replace("`", "'").split())
    parts = [meaning, f"`{detail}`" if detail else "", f"until {until:%Y-%m-%d %H:%M} UTC" if until else ""]
    said = ", ".join(filter(None, parts))
    return f"- **{reason.code}**" + (f": {said}" if said else "")


def _unanswered(
    pulls: Sequence[OpenPullRequest], desk: Desk, index: Index, rules: RulesAt
) -> list[OpenPullRequest]:
    state = desk.ledger.read(desk.mirror.tips()).state
    ours = {state.promotions[one].head for one in state.live.values()}
    others = (one for one in pulls if one.head not in ours)
    return [one for one in others if index.status(one.head) != _key(one, rules)]


def _key(pull: OpenPullRequest, rules: RulesAt) -> str:
    """Name what a verdict depends on: what goes to another branch is judged again when it is turned to ours."""
    return f"pull-request {rules.commit} {pull.target}"


@dataclass(frozen=True, slots=True)
class _Look:
    """Looks at what a pull request would bring. Nothing that is asked of the forge leaves this machine again."""

    forge: Forge
    desk: Desk
    rules: Rules
    at: datetime

    def judge(self, pull: OpenPullRequest) -> Judged:
        """Look first at the names of its files; only those of guarded environments are read. Raises: BotError."""
        changes = self.forge.changes(pull)
        if changes.files is None:
            return Judged(is_allowed=False, description=TOO_MANY)
        judged = self._moves(pull, changes, changes.files)
        check = RulesCheck(self.forge, self.desk, self.rules, self.desk.book.folder, self.at)
        rules = check.touched(changes.files)
        if not rules:
            return replace(judged, comment="")
        said = check.say(pull.head, rules)
        return replace(_both(judged, said), comment=said.comment)

    def _moves(self, pull: OpenPullRequest, changes: Changes, files: tuple[str, ...]) -> Judged:
        """Say whether an image of a guarded environment would be another one."""
        named = [path for path in files if markers.is_read(path)]
        touched = files_under(self._guarded_folders(), named)
        if not touched:
            return Judged(is_allowed=True, description=MOVES_NOTHING)
        if len(touched) > MAX_FILES:
            return Judged(is_allowed=False, description=TOO_MANY)
        if not self.desk.mirror.known([oid_of(changes.base)]):
            raise TransientError("the commit at which its branch began is not fetched yet")
        try:
            moved = list(self._moved(pull.head, changes, touched))
        except (PermanentError, PolicyError) as error:  # PolicyError: a path that no file of ours may have
            return Judged(is_allowed=False, description=UNREADABLE, summary=f"{UNREADABLE}: {error}")
        if moved:
            return Judged(is_allowed=False, description=GUARDED, summary="\n".join([*moved, "", _HOW]))
        return Judged(is_allowed=True, description=MOVES_NOTHING)

    def _guarded_folders(self) -> tuple[str, ...]:
        places = [(one, name) for one in self.rules.environments for name in self.rules.services]
        asked = [(self.rules.environment_for(*place), place[1]) for place in places]
        folders = (path for one, name in asked if one.is_guarded for path in one.paths_of(name))
        return tuple(dict.fromkeys(folders))

    def _moved(self, head: str, changes: Changes, touched: tuple[str, ...]) -> Iterator[str]:
        """Yield a line for each place that would move. The files are laid over the commit where the branch began."""
        base = Oid(changes.base)
        listing = self.desk.mirror.listing(base, touched)
        old = self.desk.mirror.blobs(listing.values())
        overlaid: dict[str, bytes] = {}
        for path in touched:
            new = self.forge.content(path, head)
            if path in listing and new is not None:
                overlaid[path] = new
            else:  # it came or went: then with whatever images it names
                yield from self._named(path, new if new is not None else old.get(listing.get(path, Oid(""))))
        if overlaid:
            yield from self._differences(base, overlaid)

    def _named(self, path: str, content: bytes | None) -> Iterator[str]:
        images = {one.image.canonical: one.name for one in self.rules.services.values()}
        found = references.find(path, content).references if content is not None else ()
        for name in dict.fromkeys(one.repository.canonical for one in found):
            if name in images:
                yield f"- {images[name]}: a file that names its image comes or goes"

    def _differences(self, base: Oid, files: Mapping[str, bytes]) -> Iterator[str]:
        message = "What a pull request would bring; never pushed"
        laid = self.desk.mirror.commit([base], files, message=message, at=self.at)
        before = self.desk.book.places(base, self.rules)
        after = self.desk.book.places(laid, self.rules)
        for where, place in after.items():
            if self.rules.environment_for(*where).is_guarded and _pin(place) != _pin(before[where]):
                yield _line(where, before[where], place)


def _both(moves: Judged, rules: RulesSaid) -> Judged:
    """Join what is said of moves and of rules; what stands in the way is said first."""
    parts = [part for part in (moves.summary, rules.summary) if part]
    if not moves.is_allowed:
        return Judged(is_allowed=False, description=moves.description, summary="\n\n".join(parts))
    return Judged(rules.is_good, rules.description, "\n\n".join(parts))


def _pin(place: Place) -> tuple[tuple[Pinned, ...], str]:
    """Return what counts of a pin: its images, and why there are none; the words of that name lines, which shift."""
    return place.pin.image, str(place.pin.problem or "")


def _line(where: Where, before: Place, after: Place) -> str:
    old, new = (", ".join(map(str, place.pin.image)) or "nothing readable" for place in (before, after))
    return f"- {where[0]}/{where[1]}: {old} -> {new}"
