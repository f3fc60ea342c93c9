"""The engine: one pass at a time, and a person's word in between. Everything that decides meets here."""

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from bot import claims
from bot.answers import Answer, Awaiting, NotRecorded, Recorded
from bot.checking import Checking
from bot.errors import BotError, PermanentError
from bot.index import Index
from bot.ledger import HOST_REFUSES, AppendAnswer, Appended, NotAllowed, NotWritten, Proposal
from bot.look import Look
from bot.looking import asking
from bot.looking.builds import Builds
from bot.looking.configured import Configured
from bot.looking.health import Watch
from bot.looking.image_sources import ImageSources
from bot.looking.movers import commits_of, waits
from bot.looking.on_demand import Listed, OnDemand
from bot.looking.outside import Outside, asks_outside
from bot.looking.quarantine import SIGN_IN, quarantines
from bot.looking.rosters import teams_of
from bot.looking.source_commits import SourceCommits
from bot.looking.survey import Survey
from bot.looking.troubles import Trouble, Wrong
from bot.ports import Asked, Chat, Clock, Forge, Registry, SignIn
from bot.preview import Preview, preview_of
from bot.promoting.accounts import flags_of
from bot.promoting.brings import Bringing, Brings
from bot.promoting.checks import answer_pull_requests
from bot.promoting.desk import Desk
from bot.promoting.hearing import AsksFirst, Hearing
from bot.promoting.linking import Linking, Tell
from bot.promoting.matching import Matching
from bot.promoting.opener import opened
from bot.promoting.poller import Stuck, bumps, externals
from bot.promoting.promoter import Declined, over
from bot.promoting.reconciler import Reconciler
from bot.promoting.refusals import note_refusal
from bot.promoting.together import Together, loss_said
from bot.registries.image_contents import Contents
from bot.retire import end_all, farewell, plan, strangers
from bot.showing.cardfile import cards
from bot.showing.outbox import Outbox, is_late
from policies.allowed.speakers import may_speak
from policies.codes import Code
from policies.decide import Candidate, Standing, decide_row
from policies.decide import why as why_not
from policies.entries.entry import Bot, Both, Entry, Kind, Pinned, Placed, Share, parse_time, write_time
from policies.entries.promotion import version_of
from policies.gates import count_approvals
from policies.ledger.keys import expected_key
from policies.ledger.people import of_slack
from policies.ledger.state import Place as Where
from policies.ledger.state import State
from policies.rules.rules import Rules, effective, moving_rule
from policies.words import (
    Approve,
    Confirm,
    Pair,
    Speaker,
    Unapprove,
    Word,
)

_log = logging.getLogger(__name__)
T = TypeVar("T")
_QUESTIONS = 30  # so often registries are asked for one word: for tags, then for what versions are exactly
_ROUNDS = 4  # a move opens the next environment's gate: so many in one pass


@dataclass(slots=True)
class PassReport:
    """What one pass did and what it had to leave, as lines for an operator."""

    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a pass asks before it decides: teams by their source, and registries."""

    teams: tuple[str, ...]
    questions: asking.Questions


@dataclass(slots=True)
class Engine:
    """Carries out. One writer in a process: passes and words wait for the same lock.

    While a pass asks registries, teams and gates it lets go of that lock, so that words are heard; another pass waits
    all the same. A word that has to ask registries lets go of it, too.
    """

    desk: Desk
    registry: Registry
    clock: Clock
    index: Index
    outbox: Outbox
    forge: Forge | None = None
    chat: Chat | None = None
    sign_in: SignIn | None = None
    contents: Contents | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    # taken before the other one, by passes alone
    _passing: threading.RLock = field(default_factory=threading.RLock)
    _look: Look | None = None
    _reconciler: Reconciler | None = None
    _configured: Configured | None = None
    _watch: Watch | None = None
    _outside: Outside | None = None
    _stuck: list[Stuck] = field(default_factory=list)
    _is_leaving: bool = False
    _asks_first: bool = False  # registries, for the first time: nobody can be shown anything yet
    _away: str = ""  # why the repository may not be reached
    _checking: Checking | None = None
    _linking: Linking = field(init=False)
    _commits: SourceCommits = field(init=False)
    _on_demand: OnDemand = field(init=False)

    def __post_init__(self) -> None:
        """Let teams be looked up, and people sign in, where this engine asks."""
        self.desk.rosters.forge, self.desk.rosters.chat = self.forge, self.chat
        self.desk.authors.forge = self.desk.movers.forge = self.forge
        self.desk.authors.images.contents = self.contents
        self.desk.builds = Builds(self.registry, self.contents, self.index)
        self.desk.rosters.jar = self.desk.jar
        self._linking = Linking(self.desk, self.chat, self.sign_in)
        self._on_demand = OnDemand(self.registry)
        self._commits = SourceCommits(ImageSources(self.contents))  # outside of the lock: a memory of its own

    # --- a long ledger, before it is checked ------------------------------------------------------------------

    def look_early(self) -> None:
        """Answer questions while a long ledger is still being checked: from what it says of itself, unjudged."""
        desk = self.desk
        self._checking = desk.ledger.checking = Checking(
            lambda year, commits: preview_of(desk.book, desk.mirror.tips(), year, commits, self.clock.now())
        )

    def reading(self) -> str:
        """Say how far the check of a long ledger is, '' where none is under way."""
        return self._checking.said if self._checking else ""

    def _must_wait(self) -> NotRecorded | None:
        """Refuse a word while the ledger is still being checked: nothing is decided on what nobody has judged."""
        said = self.reading()
        return NotRecorded(code="ledger-checking", detail=said) if said else None

    def _settle(self, at: datetime) -> None:
        """Put what is checked now in the place of a first look."""
        if self._checking is not None and self._checking.preview is not None:
            self._remember(at)
            self._checking.preview = None

    # --- one pass -----------------------------------------------------------------------------------------

    def run_pass(
        self, environment: str = "", *, is_due_only: bool = False, is_dry: bool = False
    ) -> PassReport:
        """Look at everything, do what is missing, show it. ``is_due_only``: registries whose interval has passed.

        ``is_dry`` writes nothing anywhere. Raises: BotError where the repository cannot be reached.
        """
        with self._passing:
            report, declined = PassReport(), None
            try:
                self._look_around(environment, report, is_due_only=is_due_only)
            except Declined as found:
                declined = found
            with self._lock:
                self._do(environment, report, declined, is_dry=is_dry)
            return report

    def _look_around(self, environment: str, report: PassReport, *, is_due_only: bool) -> None:
        """Look at the repository, the registries, and what gates ask outside. Raises: BotError, Declined."""
        with self._lock:
            at = self.clock.now()
            self._fetch(at, report)
            wanted = self._wanted(at, environment, is_due_only=is_due_only)
        self._ask(wanted)
        self._ask_outside()

    def _ask_outside(self) -> None:
        """Ask what gates ask outside, without the lock: what people say meanwhile is heard. Raises: Declined."""
        with self._lock:
            if not asks_outside(self.desk.rules(self.desk.mirror.tips()).rules):
                return
            outside = self._asks_outside()
            wanted = outside.wanted(self.desk.view(self.clock.now()))
        answers = outside.ask(wanted, self.clock.now)
        with self._lock:
            self.desk.answers.facts = outside.keep(wanted, answers)

    def _do(self, environment: str, report: PassReport, declined: Declined | None, *, is_dry: bool) -> None:
        """Do what is missing by what was looked at, and show it."""
        at = self.clock.now()
        try:
            if declined is not None:
                raise declined
            if not is_dry:
                self._linking.look(at)
            if self.is_observing():
                report.left.append("observing: nothing is written")
            elif not is_dry:
                self._write(at, environment, report)
            self._remember(at)
        except Declined as found:
            report.left.append(f"{found.answer.code}: {found.answer.detail}")
            self._remember_problem(found.answer.detail)
        if not is_dry:
            self._show(at, report)

    def _fetch(self, at: datetime, report: PassReport) -> None:
        """Look at the repository; where only a person can help, the channels are told. Raises: BotError."""
        try:
            self.desk.mirror.fetch()
        except PermanentError as error:
            self._away = str(error)
            self._show(at, report)
            raise
        self._away = ""

    def is_observing(self, rules: Rules | None = None, environment: str = "") -> bool:
        """Whether nothing may be written: anywhere, or, as the rules say, about one environment."""
        named = rules.environments.get(environment) if rules else None
        return self.desk.observer is not None or bool(named and named.is_observed)

    def _observed(self, rules: Rules) -> frozenset[str]:
        return frozenset(name for name in rules.environments if self.is_observing(rules, name))

    def _wanted(self, at: datetime, environment: str, *, is_due_only: bool) -> _Wanted:
        """Gather what registries, and forge and chat about teams, are to be asked. Raises: Declined."""
        tips = self.desk.mirror.tips()
        rules = self.desk.rules(tips).rules
        names = [environment] if environment else list(rules.environments)
        wanted = self._on_demand.due(rules)
        if is_due_only:
            wanted = [*asking.due(rules, self.desk.answers, at, names), *wanted]
        else:
            wanted = [image for service in rules.services for image in asking.pulled(rules, service)]
        state = self.desk.ledger.read(tips).state
        self._settle(at)
        live = [(one.environment, share.service) for one in state.under_way() for share in one.shares]
        judging = [rule for place in live if (rule := effective(rules, *place))]
        teams = self.desk.rosters.due(teams_of(rules, judging), at)
        self._asks_first = bool(wanted) and not self.desk.answers.asked
        labels = self._unread(rules, state, at)
        return _Wanted(teams, asking.questions(rules, state, self.desk.answers, wanted, at, labels=labels))

    def _unread(self, rules: Rules, state: State, at: datetime) -> list[Pinned]:
        """Return the images of what is under way of which nobody has read yet who wrote their code."""
        return [
            image
            for one in state.under_way()
            if not one.is_apart and (rule := moving_rule(rules, one.environment, one.service))
            for image in self.desk.authors.unread(rule, one.shares, at)
        ]

    def _asked(self, questions: asking.Questions) -> asking.Told:
        """Ask registries, for whoever does not hold the lock."""
        return asking.asked(self.registry, questions, self.desk.builds, self.desk.authors.images)

    def _ask(self, wanted: _Wanted) -> None:
        """Ask without the lock, then let everybody see all the answers at once. Raises: Declined."""
        desk, at = self.desk, wanted.questions.at
        rosters = desk.rosters.looked_up(wanted.teams, at)
        told = self._asked(wanted.questions)
        with self._lock:
            desk.rosters.keep(rosters, at)
            self._keep(told)
            self._asks_first = False

    def _keep(self, told: asking.Told) -> None:
        """Keep what registries said, held against what is known before anybody decides by it. Raises: Declined."""
        desk, tips = self.desk, self.desk.mirror.tips()
        rules = desk.rules(tips).rules
        asking.keep(told, rules, desk.answers, desk.builds)
        last = self._look.decision if self._look else None
        desk.suspicions.examine(rules, desk.ledger.read(tips).state, desk.answers, last)

    def _write(self, at: datetime, environment: str, report: PassReport) -> None:
        reconciler = self._bring_on()
        if reason := self.desk.ledger.read_only_because(self.desk.mirror.tips()):
            report.left.append(f"ledger-read-only: {reason}")
            return
        self._look_after(at, report)
        reconciler.advance(at)
        report.left += reconciler.left
        report.left += self.desk.rosters.left()
        self._jot_down(at, report)
        self._guard(at, report)
        for _ in range(_ROUNDS):
            answer = self._move(at, environment, report)
            if not self._note(answer, report) or not any(
                entry.kind is Kind.BUMP for _, entry in _entries(answer)
            ):
                break
        self._open(at, reconciler, report)
        report.left += [f"{one.where[0]}/{one.where[1]}: {one.detail}" for one in self._stuck]
        if turned := self.desk.turn(at):
            self._note(turned, report)
        report.left += answer_pull_requests(self.forge, self.desk, self.index, at)

    def _open(self, at: datetime, reconciler: Reconciler, report: PassReport) -> None:
        """Ask for versions where the rules want the bot to ask, and open their pull requests."""
        has_forge = self.forge is not None
        answer = self.desk.append(
            lambda look, _tip: opened(look, self.desk.decide(look), self.desk.writer, has_forge=has_forge),
            at,
            look_first=False,
        )
        if self._note(answer, report):
            reconciler.left = []
            for _, entry in _entries(answer):
                if entry.kind is Kind.PROPOSE:
                    reconciler.advance(at, entry.promotion)
            report.left += reconciler.left

    def _guard(self, at: datetime, report: PassReport) -> None:
        """Write down evidence that is not to be believed, so that it stops its service until a person answers."""
        if self.desk.suspicions.confirmed:
            self._note(self.desk.append(lambda look, _tip: self.desk.suspicions.entries(look), at), report)

    def _jot_down(self, at: datetime, report: PassReport) -> None:
        """Write down what is nobody's move: changes of configuration, and input that could not be read."""
        if self._configured is None:
            self._configured = Configured(self.desk.mirror, self.desk.book, self.forge)
        configured = self._configured

        def jotted(look: Survey, _tip: str = "") -> Proposal:
            found = self.desk.movers.attested(configured.entries(look), look.world.rules, look.state)
            return Proposal((*found, *quarantines(look, self.desk.answers, self.desk.jar)))

        if found := jotted(self.desk.view(at)).entries:
            self._ask_by_whom(found)
            configured.ask(found)
            self._note(self.desk.append(jotted, at, look_first=False), report)

    def _look_after(self, at: datetime, report: PassReport) -> None:
        """Write down what is news of the health of what was moved."""
        if self._watch is None:
            self._watch = Watch(self.desk.mirror, self.forge)
        watch, look = self._watch, self.desk.view(at)
        report.left += watch.look(look)
        if watch.news(look):
            self._note(
                self.desk.append(lambda found, _tip: Proposal(watch.news(found)), at, look_first=False),
                report,
            )

    def _asks_outside(self) -> Outside:
        if self._outside is None:
            self._outside = Outside(self.contents, self.forge, self.index, self.desk.book.file, self.desk.jar)
        return self._outside

    def _move(self, at: datetime, environment: str, report: PassReport) -> AppendAnswer:
        """Move what is ready; a place whose move is refused is left, and the rest carries on.

        Where one of several that were to move together is refused, each is tried by itself.
        """
        self._ask_by_whom(externals(self.desk.view(at), self.desk.mirror, self.desk.book, self.desk.examined))
        refused: set[Where] = set()
        apart: set[Where] = set()
        while True:
            self._stuck = []
            answer = self.desk.append(
                lambda look, tip: self._moves(look, tip, environment, refused, apart), at, look_first=False
            )
            if not isinstance(answer, NotAllowed):
                return answer
            where = (answer.entry.environment, answer.entry.service)
            if answer.entry.kind is not Kind.BUMP or where in refused:
                return answer
            if answer.entry.also:
                apart.update((one.environment, one.service) for one in answer.entry.each)
                continue
            report.left.append(f"{answer.entry.kind} of {'/'.join(where)}: {answer.refusal}")
            refused.add(where)

    def _ask_by_whom(self, entries: Iterable[Entry]) -> None:
        """Ask the forge by whose hands that came which will wait for a review."""
        self.desk.movers.look(commit for one in entries if waits(one) for commit in commits_of(one))

    def _externals(self, look: Survey, _tip: str) -> Proposal:
        outside = externals(look, self.desk.mirror, self.desk.book, self.desk.examined)
        found = self.desk.movers.attested(outside, look.world.rules, look.state)
        for entry in found:
            look.state.apply(replace(entry, seq=look.state.seq + 1), look.state.tip)
        return Proposal(tuple(found))

    def _moves(
        self, look: Survey, tip: str, environment: str, refused: Collection[Where], apart: Collection[Where]
    ) -> Proposal:
        """Return what others moved, then what is ready to move: in this order, so that a hold counts at once."""
        outside = self._externals(look, tip)
        observed = self._observed(look.world.rules)
        still = {place for place in look.places if place[0] in observed}
        still |= {(name, group) for name in observed for group in look.world.rules.groups}
        found = bumps(
            look,
            self.desk.decide(look),
            self.desk.writer,
            branch=self.desk.mirror.branch,
            tip=tip,
            environment=environment,
            without={*refused, *still},
            apart=apart,
            stuck=self._stuck,
        )
        return replace(found, entries=(*outside.entries, *found.entries))

    def _note(self, answer: AppendAnswer, report: PassReport) -> bool:
        match answer:
            case Appended():
                report.done += [entry.subject for _, entry in answer.entries]
                return bool(answer.entries)
            case NotAllowed():
                report.left.append(f"{answer.entry.kind}: {answer.refusal}")
            case NotWritten():
                report.left.append(f"{answer.code}: {answer.detail}")
        return False

    def _bring_on(self) -> Reconciler:
        if self._reconciler is None:
            self._reconciler = Reconciler(self.desk, self.forge, self.chat)
        self._reconciler.left = []
        return self._reconciler

    # --- leaving ----------------------------------------------------------------------------------------------

    def retire(self, *, is_dry: bool = False) -> PassReport:
        """End what is open, with its pull request, branch and card; ``is_dry`` says so only. May be repeated.

        Raises: BotError, Declined.
        """
        with self._passing, self._lock:
            report, at = PassReport(), self.clock.now()
            self.desk.mirror.fetch()
            tips = self.desk.mirror.tips()
            if not self.desk.ledger.read(tips).entries:
                return report
            if reason := self.desk.ledger.read_only_because(tips):
                report.left.append(f"ledger-read-only: {reason}")
                return report
            look = self.desk.view(at)
            if is_dry:
                report.done += plan(look, self.outbox.open(look.state.shown))
            else:
                self._leave(at, report)
            report.left += [f"the branch {one} is not of this ledger" for one in strangers(look)]
            return report

    def _leave(self, at: datetime, report: PassReport) -> None:
        reconciler = self._bring_on()
        ours = set(self.desk.mirror.tips().promotions)
        report.done += end_all(self.desk, reconciler, at)
        gone = sorted(ours - set(self.desk.mirror.tips().promotions))
        report.done += [f"deleted the branch {one}" for one in gone]
        report.left += reconciler.left
        self._is_leaving = True
        self._show(at, report)
        look = self.desk.view(at)
        still = [one for one in self.outbox.open(look.state.shown) if one.startswith("card/")]
        report.left += [f"{one} is not marked as ended" for one in sorted(still)]

    # --- a person's word ------------------------------------------------------------------------------------

    def say(self, speaker: Speaker, word: Word) -> Answer:
        """Take a person's word: look up who they are, write it down, bring on what it makes possible, show it."""
        told = self._look  # a pass that is under way has told nobody yet
        seen = frozenset(one.seq for one in told.state.holds.values()) if told else None
        hearing = replace(self._hearing(), seen=seen)
        return self._answered(
            hearing, lambda at: self._say(hearing, speaker, word, at), "a word was not recorded"
        )

    def _answered(self, hearing: Hearing, do: Callable[[datetime], T], failed: str) -> T | NotRecorded:
        """Do what a person wants of the newest that the remote has, or say why it was not done.

        Where registries have to be asked for it, they are asked without the lock, and it is tried again.
        """
        if waits := self._must_wait():
            return waits
        for _ in range(_QUESTIONS):
            try:
                return self._tried(hearing, do, failed)
            except AsksFirst as first:
                hearing.told.append(self._asked(first.questions))
        return NotRecorded(code="not-recorded", detail="registries would have to be asked without end")

    def _tried(self, hearing: Hearing, do: Callable[[datetime], T], failed: str) -> T | NotRecorded:
        """Keep what registries said last, and do what a person wants, if now it can be done. Raises: AsksFirst."""
        with self._lock:
            at = self.clock.now()
            if self.is_observing():
                return NotRecorded(code="observing")
            try:
                self.desk.mirror.fetch()
                for told in hearing.told[-1:]:
                    self._keep(told)
                return do(at)
            except Declined as declined:
                return declined.answer
            except BotError as error:
                _log.warning("%s: %s", failed, error)
                return NotRecorded(code="not-recorded", detail=str(error))

    def _say(self, hearing: Hearing, speaker: Speaker, word: Word, at: datetime) -> Answer:
        rules = self.desk.rules(self.desk.mirror.tips()).rules
        if isinstance(word, Confirm):
            return self._confirmed(
                Together(self.desk, self.index, hearing).confirm(rules, speaker, word, at), at
            )
        Matching(self.desk, self.chat, self.forge).meet(rules, speaker, at)
        said = hearing.who(rules, speaker, at)
        compose = hearing.composer(rules, said, word, at)
        answer = self.desk.append(compose, at, look_first=False)
        match answer:
            case NotWritten():
                return NotRecorded(code=answer.code, detail=answer.detail)
            case NotAllowed():
                note_refusal(self.desk, answer, said.by.person, at)
                self._after(at)
                return self._refused(answer, at)
            case Appended():
                return self._recorded(answer, word, at)

    def _refused(self, answer: NotAllowed, at: datetime) -> NotRecorded:
        """Say what the ledger does not take; of a promotion that is decided already, how that went."""
        if answer.refusal.code is Code.CLOSED:
            look = self.desk.view(at)
            if promotion := look.state.promotions.get(answer.entry.promotion):
                return over(look, promotion)
        return NotRecorded(code=str(answer.refusal.code), detail=answer.refusal.detail)

    def _hearing(self) -> Hearing:
        return Hearing(self.desk, self.forge, self.chat)

    def prepare(self, speaker: Speaker, word: Pair) -> Awaiting | NotRecorded:
        """Look at what two people have to say together, for the first of them: nothing is recorded yet."""
        hearing = self._hearing()

        def prepared(at: datetime) -> Awaiting:
            rules = self.desk.rules(self.desk.mirror.tips()).rules
            return Together(self.desk, self.index, hearing).ask(rules, speaker, word, at)

        return self._answered(hearing, prepared, "nobody was asked to confirm")

    def _confirmed(self, answer: AppendAnswer, at: datetime) -> Answer:
        match answer:
            case NotWritten():
                return NotRecorded(code=answer.code, detail=answer.detail)
            case NotAllowed():
                return NotRecorded(code=str(answer.refusal.code), detail=answer.refusal.detail)
            case Appended():
                said = [entry for _, entry in answer.entries if isinstance(entry.by, Both)]
                self._after(at)
                if not said:
                    return NotRecorded(code=Code.CLOSED, detail="it was recorded before")
                one = said[0]
                people = (
                    tuple(by.person for by in (one.by.one, one.by.other)) if isinstance(one.by, Both) else ()
                )
                return Recorded(kind=one.kind, seq=one.seq, erases=one.erases, commit=one.lost, people=people)

    def _recorded(self, answer: Appended, word: Word, at: datetime) -> Answer:
        """Bring on what the word makes possible, then say what came of it."""
        mine = [entry for _, entry in answer.entries if not isinstance(entry.by, Bot)]
        promotions = {entry.promotion for entry in mine}
        self._after(at, promotions.pop() if len(promotions) == 1 else "")
        if not mine:
            return NotRecorded(code=_SECOND.get(type(word), Code.CLOSED), detail="it was recorded before")
        first, *more = [self._summary(entry, at) for entry in mine]
        return replace(first, more=tuple(more))

    def _after(self, at: datetime, promotion: str = "") -> None:
        report = PassReport()
        reconciler = self._bring_on()
        reconciler.advance(at, promotion)
        report.left += reconciler.left
        if not self._asks_first:  # else the pass that asks shows what became of it
            self._remember(at)
            self._show(at, report)
        for line in report.left:
            _log.warning("left: %s", line)

    def _summary(self, entry: Entry, at: datetime) -> Recorded:
        look = self.desk.view(at)
        promotion = look.state.promotions.get(entry.promotion)
        moves = promotion.shares if promotion else entry.shares
        left = [Share(one.service, one.previous, ()) for one in moves]
        recorded = Recorded(
            kind=entry.kind,
            environment=entry.environment,
            service=entry.service,
            version=version_of(moves, entry.group),
            previous=version_of(left, entry.group),
            group=entry.group,
            promotion=entry.promotion,
            commit=promotion.commit if promotion else entry.commit,
            closes=entry.closes,
            due=parse_time(entry.until)
            if entry.kind in {Kind.EMERGENCY, Kind.ROLLBACK} and entry.until
            else None,
        )
        rule = moving_rule(look.world.rules, entry.environment, entry.service)
        if rule:
            recorded = replace(recorded, unseen=self.outbox.refusals.get(rule.environment.channel, ""))
        if promotion is None or rule is None:
            return recorded
        count = count_approvals(look.world.rules, rule, promotion, look.world.members)
        row = (
            decide_row(look.world, promotion.environment, promotion.service, at)
            if promotion.is_live
            else None
        )
        mine = next((one for one in row.candidates if one.promotion == promotion.id), None) if row else None
        number, url = self._pulls().get(promotion.id, (0, ""))
        waits = mine.reasons if mine and mine.verdict is not Standing.READY else ()
        return replace(recorded, given=count.given, wanted=count.wanted, waits=waits, number=number, url=url)

    def link(self, speaker: Speaker, tell: Tell) -> Asked | NotRecorded:
        """Give a code by which somebody shows which account at the forge is theirs; ``tell`` hears how it ended."""
        if waits := self._must_wait():
            return waits
        with self._lock:
            if self.is_observing():
                return NotRecorded(code="observing")
            try:
                return self._linking.begin(speaker, self.clock.now(), tell)
            except BotError as error:
                _log.warning("nobody can sign in: %s", error)
                self.desk.jar.hear(SIGN_IN, "a code to sign in with", error)
                return NotRecorded(code="sign-in-unavailable", detail=str(error))

    def unreadable(self, source: str, about: str, detail: str) -> None:
        """Note that something came in that could not be read; a later pass writes it down. Never blocks."""
        self.desk.jar.put(source, about, detail)

    # --- views ----------------------------------------------------------------------------------------------

    def look(self) -> Look | Preview:
        """Return what was seen last; of a long ledger that is still being checked what it says, unjudged.

        Raises: BotError before the first look has succeeded.
        """
        found = self._seen()
        if found is None:
            raise BotError("nothing has been looked at yet; the first pass is still under way")
        return found

    def _seen(self) -> Look | Preview | None:
        preview = self._checking.preview if self._checking else None
        return self._look or preview

    def why(self, environment: str, service: str, version: str) -> Candidate | None:
        """Say what stands in the way of one version; nothing where there is no such place."""
        look = self.look()
        if isinstance(look, Preview):
            return look.why(environment, service, version)
        return why_not(look.world, environment, service, version, look.decision.at)

    def brings(self, service: str, version: str = "", environment: str = "") -> tuple[Brings, ...]:
        """Say what a version ('' = the next) brings over what runs; asks registry and forge, but not in the lock.

        Nothing while the ledger is still being checked. Raises: BotError.
        """
        look = self.look()
        if isinstance(look, Preview):
            return ()
        asks = Bringing(self.desk, self.registry, self.forge, self._lock, self._commits, self._pulls)
        return asks.of(look, service, version, environment, self.clock.now())

    def check(self, services: Iterable[str]) -> tuple[Listed, ...]:
        """Ask registries now what these services have, within bounds; the next pass decides by it. Not in the lock.

        Nothing while the ledger is still being checked. Raises: BotError.
        """
        look = self.look()
        if isinstance(look, Preview):
            return ()
        return self._on_demand.ask(look.world, self.desk.answers.asked, services, self.clock.now())

    def is_outside(self, team: str, slack_user: str) -> bool:
        """Whether somebody is neither linked nor a full member of the bot's own workspace, as far as can be seen."""
        return self._is_outside(team, slack_user) is not False

    def is_surely_outside(self, team: str, slack_user: str) -> bool:
        """Whether the chat says so; one that says nothing is no reason to say it of somebody."""
        return self._is_outside(team, slack_user) is True

    def _is_outside(self, team: str, slack_user: str) -> bool | None:
        """Tell whether somebody is outside; nothing where the chat does not say who that is."""
        if self.chat is None or self.person_of(slack_user):
            return False
        try:
            return not may_speak(flags_of(self.chat, team, slack_user))
        except BotError as error:
            _log.info("somebody is told less, for the chat does not say who that is: %s", error)
            return None

    def person_of(self, slack_user: str) -> str:
        """Return whom rules and links take a Slack user id for; '' = not linked."""
        look = self._seen()
        if look is None:
            return ""
        state = look.state
        person = of_slack(look.rules, state.links, state.forge_ids, slack_user)
        return person.name if person else ""

    def plan(self, environment: str = "") -> Look:
        """Look at everything now and decide; writes nothing. Raises: BotError, Declined."""
        with self._passing:
            with self._lock:
                self.desk.mirror.fetch()
                wanted = self._wanted(self.clock.now(), environment, is_due_only=False)
            self._ask(wanted)
            self._ask_outside()
            with self._lock:
                return self._remember(self.clock.now())

    def _remember(self, at: datetime) -> Look:
        look = self.desk.view(at)
        self._look = Look(look.world, self.desk.decide(look), is_observing=self.is_observing())
        return self._look

    def _remember_problem(self, problem: str) -> None:
        if self._look:
            self._look = replace(self._look, problem=problem)

    # --- showing --------------------------------------------------------------------------------------------

    def _pulls(self) -> Mapping[str, tuple[int, str]]:
        """Return number and address of each pull request: as the index remembers them, as we saw them."""
        known = self.index.pulls()
        for name, pull in (self._reconciler.pulls if self._reconciler else {}).items():
            if known.get(name) != (pull.number, pull.url):
                self.index.remember_pull(name, pull.number, pull.url)
        return self.index.pulls()

    def _show(self, at: datetime, report: PassReport) -> None:
        """Draw what has changed and write down where it stands; a chat that fails is tried again at the next pass."""
        try:
            look = self.desk.view(at)
        except Declined:
            return
        self._follow()
        # one that observes leaves what another bot shows, by the ledger, to that one
        theirs, places = (look.state.shown, {}) if self.is_observing() else ({}, look.state.shown)
        known = self.outbox.known(places)
        observed = self._observed(look.world.rules)
        troubles = self._troubles(look.state, report)
        end = (0, "") if self.is_observing() else self.desk.ledger.end(self.desk.mirror.tips())
        decided = self.desk.decide(look)
        found = cards(look, decided, self._pulls(), known, troubles, observed=observed, end=end)
        if self._is_leaving:
            found = farewell(look, found, self.outbox.open(places), places)
        wanted = [one for one in found if one.what not in theirs]
        try:
            news = self.outbox.flush(wanted, places)
        except BotError as error:
            report.left.append(f"the chat was not reached: {error}")
            return
        report.left += [f"#{channel}: {why}" for channel, why in self.outbox.refusals.items()]
        if news and not self.is_observing():
            self._write_places(news, at, report)

    def _follow(self) -> None:
        """Bring the index up to the ledger, but never to one that lost what the index remembers."""
        tips = self.desk.mirror.tips()
        if not self.is_observing() and not self.desk.ledger.read_only_because(tips):
            self.index.follow(self.desk.ledger.read(tips))

    def _write_places(self, places: tuple[Placed, ...], at: datetime, report: PassReport) -> None:
        def compose(look: Survey, _tip: str) -> Proposal:
            ours = tuple(one for one in places if not is_late(one, look.state.shown.get(one.what)))
            if not ours:
                return Proposal()
            entry = Entry(kind=Kind.SHOWN, at=write_time(at), key="", shown=ours)
            return Proposal((replace(entry, key=expected_key(look.state, entry)),))

        # Two replicas that showed the same at the same time meet here: the second push loses, looks, and withdraws.
        answer = self.desk.append(compose, at, look_first=False)
        if isinstance(answer, Appended):
            known = answer.state.shown
            self.outbox.withdraw([one for one in places if is_late(one, known.get(one.what))], known)
        else:
            report.left.append(f"the places of cards were not written down: {answer}")
        self._follow()

    def _claimed(self, state: State) -> list[Trouble]:
        """Find commits whose trailers are copied or made up: told once, in the environment's channel or in all."""
        tips = self.desk.mirror.tips()
        known = self.desk.rules(tips).rules.environments
        return [
            Trouble(
                Wrong.MADE_UP,
                one.environment if one.environment in known else "",
                facts={"trailers": one.said},
                subject=one.commit[:12],
            )
            for one in claims.made_up(self.desk.mirror, state, tips.target)[: claims.MAX_TOLD]
        ]

    def _troubles(self, state: State, report: PassReport) -> list[Trouble]:
        """Return what people have to be told beside what a look shows."""
        found = [Trouble("stuck", *one.where, {"detail": one.detail}) for one in self._stuck]
        found += [
            Trouble("stuck", promotion.environment, promotion.service, {"detail": detail})
            for name, detail in (self._reconciler.stuck if self._reconciler else {}).items()
            if (promotion := state.promotions[name]).is_live
        ]
        found += self._claimed(state)
        if self._away:
            found.append(Trouble(Wrong.REPOSITORY_REFUSED, facts={"detail": self._away}))
        refused = f"not-recorded: {HOST_REFUSES}"
        found += [
            Trouble(Wrong.PUSH_REFUSED, facts={"detail": line.removeprefix(refused)})
            for line in report.left
            if line.startswith(refused)
        ]
        found += [
            Trouble(
                "ledger-read-only",
                facts={
                    "detail": line.partition(": ")[2],
                    **loss_said(Together(self.desk, self.index, self._hearing())),
                },
            )
            for line in report.left
            if line.startswith("ledger-read-only")
        ]
        return found


_SECOND: Mapping[type, Code] = {Approve: Code.ALREADY_APPROVED, Unapprove: Code.NOT_APPROVED}


def _entries(answer: AppendAnswer) -> Sequence[tuple[str, Entry]]:
    return answer.entries if isinstance(answer, Appended) else ()
