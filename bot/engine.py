"""The engine: one pass at a time, and a person's word in between. Everything that decides meets here."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot import survey as surveys
from bot.answers import Answer, NotRecorded, Recorded
from bot.cardfile import Trouble, cards
from bot.desk import Desk
from bot.errors import BotError
from bot.index import Index
from bot.ledger import AppendAnswer, Appended, NotAllowed, NotWritten, Proposal
from bot.look import Look
from bot.outbox import Outbox
from bot.poller import Stuck, bumps, externals
from bot.ports import Chat, Clock, Forge, Registry
from bot.promoter import Declined, Said, judge, propose, rollback, rollback_target, rule_of, stand
from bot.reconciler import Reconciler, account_flags
from bot.survey import Survey
from policies.codes import Code
from policies.decide import Candidate, Standing, decide, decide_row
from policies.decide import why as why_not
from policies.entry import By, Entry, Kind, Pinned, Placed, write_time
from policies.errors import PolicyError
from policies.evidence import Silence
from policies.gates import count_approvals
from policies.image import Digest, Tag
from policies.keys import expected_key
from policies.rules import EffectiveRule, Rules, effective
from policies.selection import Fate
from policies.state import Promotion
from policies.words import (
    Approve,
    Block,
    Cancel,
    Freeze,
    Hold,
    Propose,
    Reject,
    Resume,
    Rollback,
    Speaker,
    Unapprove,
    Unblock,
    Unfreeze,
    Word,
)

_log = logging.getLogger(__name__)
_ROUNDS = 4  # a move opens the next environment's gate: so many in one pass
_REFUSED = frozenset(
    {Code.REQUESTER, Code.NOT_AN_APPROVER, Code.ALREADY_APPROVED, Code.ACCOUNT, Code.EXPIRED}
)


@dataclass(slots=True)
class PassReport:
    """What one pass did and what it had to leave, as lines for an operator."""

    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Engine:
    """Carries out. One writer in a process: passes and words wait for the same lock."""

    desk: Desk
    registry: Registry
    clock: Clock
    index: Index
    outbox: Outbox
    forge: Forge | None = None
    chat: Chat | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _look: Look | None = None
    _reconciler: Reconciler | None = None
    _stuck: list[Stuck] = field(default_factory=list)

    # --- one pass -----------------------------------------------------------------------------------------

    def run_pass(
        self, environment: str = "", *, is_due_only: bool = False, is_dry: bool = False
    ) -> PassReport:
        """Look at everything, do what is missing, show it. ``is_due_only``: registries whose interval has passed.

        ``is_dry`` writes nothing anywhere. Raises: BotError where the repository cannot be reached.
        """
        with self._lock:
            report = PassReport()
            at = self.clock.now()
            self.desk.mirror.fetch()
            try:
                self._ask(at, environment, is_due_only=is_due_only)
                if not is_dry:
                    self._write(at, environment, report)
                self._remember(at)
            except Declined as declined:
                report.left.append(f"{declined.answer.code}: {declined.answer.detail}")
                self._remember_problem(declined.answer.detail)
            if not is_dry:
                self._show(at, report)
            return report

    def _ask(self, at: datetime, environment: str, *, is_due_only: bool) -> None:
        tips = self.desk.mirror.tips()
        rules = self.desk.rules(tips).rules
        names = [environment] if environment else list(rules.environments)
        if is_due_only:
            wanted = surveys.due(rules, self.desk.answers, at, names)
        else:
            wanted = [service.image for service in rules.services.values()]
        state = self.desk.ledger.read(tips).state
        surveys.ask(self.registry, rules, state, self.desk.answers, wanted, at)

    def _write(self, at: datetime, environment: str, report: PassReport) -> None:
        reconciler = self._bring_on()
        if reason := self.desk.ledger.read_only_because(self.desk.mirror.tips()):
            report.left.append(f"ledger-read-only: {reason}")
            return
        reconciler.advance(at)
        report.left += reconciler.left
        for _ in range(_ROUNDS):
            self._stuck = []
            answer = self.desk.append(
                lambda look, tip: self._moves(look, tip, environment), at, look_first=False
            )
            if isinstance(answer, NotAllowed):
                report.left.append(f"{answer.entry.kind} of {answer.entry.service}: {answer.refusal}")
                answer = self.desk.append(self._externals, at, look_first=False)
            if not self._note(answer, report) or not any(
                entry.kind is Kind.BUMP for _, entry in _entries(answer)
            ):
                break
        report.left += [f"{one.where[0]}/{one.where[1]}: {one.detail}" for one in self._stuck]

    def _externals(self, look: Survey, _tip: str) -> Proposal:
        found = externals(look, self.desk.mirror, self.desk.book, self.desk.examined)
        for entry in found:
            look.state.apply(replace(entry, seq=look.state.seq + 1), look.state.tip)
        return Proposal(tuple(found))

    def _moves(self, look: Survey, tip: str, environment: str) -> Proposal:
        """Return what others moved, then what is ready to move: in this order, so that a hold counts at once."""
        outside = self._externals(look, tip)
        found = bumps(
            look,
            self.desk.writer,
            branch=self.desk.mirror.branch,
            tip=tip,
            environment=environment,
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

    # --- a person's word ------------------------------------------------------------------------------------

    def say(self, speaker: Speaker, word: Word) -> Answer:
        """Take a person's word: look up who they are, write it down, bring on what it makes possible, show it."""
        with self._lock:
            at = self.clock.now()
            try:
                self.desk.mirror.fetch()
                return self._say(speaker, word, at)
            except Declined as declined:
                return declined.answer
            except BotError as error:
                _log.warning("a word was not recorded: %s", error)
                return NotRecorded(code="not-recorded", detail=str(error))

    def _say(self, speaker: Speaker, word: Word, at: datetime) -> Answer:
        rules = self.desk.rules(self.desk.mirror.tips()).rules
        said = self._who(rules, speaker, at)
        compose = self._composer(rules, said, word, at)
        answer = self.desk.append(compose, at, look_first=False)
        match answer:
            case NotWritten():
                return NotRecorded(code=answer.code, detail=answer.detail)
            case NotAllowed():
                self._refused(answer, said, at)
                self._after(at)
                return NotRecorded(code=str(answer.refusal.code), detail=answer.refusal.detail)
            case Appended():
                return self._recorded(answer, word, at)

    def _who(self, rules: Rules, speaker: Speaker, at: datetime) -> Said:
        """Return who speaks, as the rules link them and the chat shows them now. Raises: Declined."""
        person = rules.person_of_slack(speaker.user)
        if person is None:
            raise Declined(NotRecorded(code=Code.UNKNOWN_PERSON, detail=speaker.user))
        by = By(person.name, speaker.via, speaker.team, speaker.user)
        if person.github and self.forge:
            by = replace(by, forge_login=person.github, forge_id=self._forge_id(person.github))
        if self.chat is None:
            raise Declined(
                NotRecorded(code=Code.ACCOUNT, detail="there is no chat to look the account up in")
            )
        flags = account_flags(self.chat, by)
        return Said(by, {"account": flags, "looked": write_time(at)}, speaker.trigger)

    def _forge_id(self, login: str) -> int:
        """Return the login's numeric id, 0 where the forge does not say: the chat's id decides."""
        try:
            return self.forge.account_id(login) if self.forge else 0
        except BotError as error:
            _log.warning("the forge did not say who %s is: %s", login, error)
            return 0

    def _composer(
        self, rules: Rules, said: Said, word: Word, at: datetime
    ) -> Callable[[Survey, str], Proposal]:
        writer, branch = self.desk.writer, self.desk.mirror.branch
        match word:
            case Propose():
                rule, image = self._wanted(rules, word, at)
                return lambda look, _tip: propose(
                    look,
                    writer,
                    said,
                    rule=rule_of(look, rule.environment.name, rule.service.name),
                    image=image,
                    note=word.note,
                )
            case Rollback():
                return self._rollback(rules, said, word, at)
            case Approve() | Unapprove() | Reject() | Cancel():
                promotion = self._promotion(word.promotion, at)
                return lambda look, _tip: judge(look, said, word, look.state.promotions[promotion.id])
            case Hold() | Resume() | Block() | Unblock() | Freeze() | Unfreeze():
                return lambda look, _tip: stand(look, said, word)
        raise PolicyError(f"{word} is no word; {branch}")

    def _wanted(self, rules: Rules, word: Propose, at: datetime) -> tuple[EffectiveRule, Pinned]:
        """Find out which version, where, and what exactly it is now. Raises: Declined."""
        if self.forge is None:
            raise Declined(NotRecorded(code="forge-missing", detail="set GITHUB_TOKEN"))
        environment = self._environment(rules, word.service, word.environment)
        rule = effective(rules, environment, word.service)
        if rule is None:
            raise Declined(
                NotRecorded(code="unknown-service", detail=word.service, choices=tuple(rules.services))
            )
        surveys.ask(
            self.registry, rules, self.desk.view(at).state, self.desk.answers, [rule.service.image], at
        )
        row = decide_row(self.desk.view(at).world, environment, word.service, at)
        tag = word.version or self._newest(row.candidates if row else ())
        listed = self.desk.answers.tags.get(rule.service.image)
        if listed is None or isinstance(listed, Silence):
            raise Declined(NotRecorded(code="registry-silent", detail=listed.detail if listed else ""))
        fate = row.selection.fates.get(tag) if row and row.selection else None
        if fate not in {Fate.SELECTED, Fate.OLDER}:
            choices = tuple(one.version for one in (row.candidates if row else ()))[:3]
            detail = f"{tag}: {fate}" if fate else tag
            raise Declined(NotRecorded(code="unknown-version", detail=detail, choices=choices))
        return rule, self._exact(rules, rule, tag)

    def _newest(self, candidates: Sequence[Candidate]) -> str:
        """Return the newest version that may be asked for. Raises: Declined."""
        askable = {Code.NOT_REQUESTED, Code.KNOWN_BEFORE, Code.APPROVALS_MISSING}
        for candidate in candidates:
            if all(reason.code in askable for reason in candidate.reasons):
                return candidate.version
        waits = candidates[0] if candidates else None
        detail = f"{waits.version}: {', '.join(waits.codes)}" if waits else ""
        raise Declined(NotRecorded(code="nothing-to-promote", detail=detail))

    def _environment(self, rules: Rules, service: str, named: str) -> str:
        """Return the environment that is meant: the one named, else the only guarded one. Raises: Declined."""
        if service not in rules.services:
            raise Declined(NotRecorded(code="unknown-service", detail=service, choices=tuple(rules.services)))
        if named:
            if named not in rules.environments:
                names = tuple(rules.environments)
                raise Declined(NotRecorded(code="unknown-environment", detail=named, choices=names))
            return named
        guarded = tuple(one.name for one in rules.environments.values() if one.is_guarded)
        if len(guarded) != 1:
            raise Declined(NotRecorded(code="which-environment", detail=service, choices=guarded))
        return guarded[0]

    def _exact(self, rules: Rules, rule: EffectiveRule, tag: str) -> Pinned:
        """Return an image with the digest that its tag names now. Raises: Declined."""
        asked = (rule.service.image, Tag.parse(tag))
        answer = self.registry.digests([asked], rules.registries)[asked]
        if not isinstance(answer, Digest):
            raise Declined(NotRecorded(code="registry-silent", detail=answer.detail))
        self.desk.answers.digests[asked] = answer
        return Pinned(rule.service.image, tag, answer)

    def _rollback(
        self, rules: Rules, said: Said, word: Rollback, at: datetime
    ) -> Callable[[Survey, str], Proposal]:
        environments = word.environments or (self._environment(rules, word.service, ""),)
        if len(environments) > 1:
            detail = "one environment at a time"
            raise Declined(NotRecorded(code="which-environment", detail=detail, choices=environments))
        environment = self._environment(rules, word.service, environments[0])
        rule = effective(rules, environment, word.service)
        if rule is None:
            raise Declined(NotRecorded(code=Code.NO_RULE, detail=word.service))
        if rule.environment.is_guarded and self.forge is None:
            raise Declined(NotRecorded(code="forge-missing", detail="set GITHUB_TOKEN"))
        target = rollback_target(self.desk.view(at), environment, word.service, word.version)
        image = target if target.digest else self._exact(rules, rule, target.tag)
        return lambda look, tip: rollback(
            look,
            self.desk.writer,
            said,
            word,
            environment=environment,
            image=image,
            branch=self.desk.mirror.branch,
            tip=tip,
        )

    def _promotion(self, named: str, at: datetime) -> Promotion:
        """Return the promotion that is meant: by id, by the beginning of one, or by ``#number``. Raises: Declined."""
        state = self.desk.view(at).state
        wanted = named.strip().removeprefix("#")
        if named.startswith("#") and wanted.isdigit():
            branch = self.forge.branch_of(int(wanted)) if self.forge else ""
            wanted = branch.rpartition("/")[2] or wanted
        found = [one for one in state.promotions if wanted and one.startswith(wanted)]
        if len(found) != 1:
            choices = tuple(state.live.values())
            raise Declined(NotRecorded(code="unknown-promotion", detail=named[:40], choices=choices))
        return state.promotions[found[0]]

    def _refused(self, answer: NotAllowed, said: Said, at: datetime) -> None:
        """Write down that a known person's decision was not let through; a failure here is only logged."""
        refusal, entry = answer.refusal, answer.entry
        if refusal.code not in _REFUSED or not entry.promotion or entry.kind in {Kind.PROPOSE, Kind.ROLLBACK}:
            return

        def compose(look: Survey, _tip: str) -> Proposal:
            about = Entry(
                kind=Kind.REFUSED,
                at=write_time(at),
                key="",
                environment=entry.environment,
                service=entry.service,
                promotion=entry.promotion,
                why=str(refusal.code),
                evidence={"person": said.by.person, "decision": entry.kind.value},
            )
            return Proposal((replace(about, key=expected_key(look.state, about)),))

        written = self.desk.append(compose, at, look_first=False)
        if not isinstance(written, Appended):
            _log.warning("a refusal was not recorded: %s", written)

    def _recorded(self, answer: Appended, word: Word, at: datetime) -> Answer:
        """Bring on what the word makes possible, then say what came of it."""
        mine = [entry for _, entry in answer.entries if isinstance(entry.by, By)]
        promotion_id = mine[-1].promotion if mine else ""
        self._after(at, promotion_id)
        if not mine:
            return NotRecorded(code=_SECOND.get(type(word), Code.CLOSED), detail="it was recorded before")
        return self._summary(mine[-1], at)

    def _after(self, at: datetime, promotion: str = "") -> None:
        report = PassReport()
        reconciler = self._bring_on()
        reconciler.advance(at, promotion)
        report.left += reconciler.left
        self._remember(at)
        self._show(at, report)
        for line in report.left:
            _log.warning("left: %s", line)

    def _summary(self, entry: Entry, at: datetime) -> Recorded:
        look = self.desk.view(at)
        promotion = look.state.promotions.get(entry.promotion)
        image = entry.image or (promotion.image if promotion else ())
        previous = entry.previous or (promotion.previous if promotion else ())
        recorded = Recorded(
            kind=entry.kind,
            environment=entry.environment,
            service=entry.service,
            version=image[0].tag if image else "",
            previous=previous[0].tag if previous else "",
            promotion=entry.promotion,
            commit=promotion.commit if promotion else entry.commit,
        )
        rule = effective(look.world.rules, entry.environment, entry.service)
        if promotion is None or rule is None:
            return recorded
        count = count_approvals(look.world.rules, rule, promotion)
        row = (
            decide_row(look.world, promotion.environment, promotion.service, at)
            if promotion.is_live
            else None
        )
        mine = next((one for one in row.candidates if one.promotion == promotion.id), None) if row else None
        number, url = self._pulls().get(promotion.id, (0, ""))
        waits = mine.reasons if mine and mine.verdict is not Standing.READY else ()
        return replace(recorded, given=count.given, wanted=count.wanted, waits=waits, number=number, url=url)

    # --- views ----------------------------------------------------------------------------------------------

    def look(self) -> Look:
        """Return what was seen last. Raises: BotError before the first look has succeeded."""
        if self._look is None:
            raise BotError("nothing has been looked at yet; the first pass is still under way")
        return self._look

    def why(self, environment: str, service: str, version: str) -> Candidate | None:
        """Say what stands in the way of one version; nothing where there is no such place."""
        look = self.look()
        return why_not(look.world, environment, service, version, look.decision.at)

    def person_of(self, slack_user: str) -> str:
        """Return the name that the rules link to a Slack user id; '' = not linked."""
        person = self._look.rules.person_of_slack(slack_user) if self._look else None
        return person.name if person else ""

    def plan(self, environment: str = "") -> Look:
        """Look at everything now and decide; writes nothing. Raises: BotError, Declined."""
        with self._lock:
            at = self.clock.now()
            self.desk.mirror.fetch()
            self._ask(at, environment, is_due_only=False)
            self._remember(at)
            return self.look()

    def _remember(self, at: datetime) -> None:
        look = self.desk.view(at)
        self._look = Look(look.world, decide(look.world, at))

    def _remember_problem(self, problem: str) -> None:
        if self._look:
            self._look = replace(self._look, problem=problem)

    # --- showing --------------------------------------------------------------------------------------------

    def _pulls(self) -> Mapping[str, tuple[int, str]]:
        known = self._reconciler.pulls if self._reconciler else {}
        return {name: (pull.number, pull.url) for name, pull in known.items()}

    def _show(self, at: datetime, report: PassReport) -> None:
        """Draw what has changed and write down where it stands; a chat that fails is tried again at the next pass."""
        try:
            look = self.desk.view(at)
        except Declined:
            return
        self.index.follow(self.desk.ledger.read(self.desk.mirror.tips()))
        known = look.state.shown
        wanted = cards(look, decide(look.world, at), self._pulls(), known, self._troubles(look, report))
        try:
            places = self.outbox.flush(wanted, known)
        except BotError as error:
            report.left.append(f"the chat was not reached: {error}")
            return
        if places:
            self._write_places(places, at, report)

    def _write_places(self, places: tuple[Placed, ...], at: datetime, report: PassReport) -> None:
        def compose(look: Survey, _tip: str) -> Proposal:
            entry = Entry(kind=Kind.SHOWN, at=write_time(at), key="", shown=places)
            return Proposal((replace(entry, key=expected_key(look.state, entry)),))

        answer = self.desk.append(compose, at, look_first=False)
        if not isinstance(answer, Appended):
            report.left.append(f"the places of cards were not written down: {answer}")
        self.index.follow(self.desk.ledger.read(self.desk.mirror.tips()))

    def _troubles(self, look: Survey, report: PassReport) -> list[Trouble]:
        """Return what people have to be told beside the cards."""
        found = [Trouble("stuck", one.where[0], one.where[1], {"detail": one.detail}) for one in self._stuck]
        if look.rules.newer_is_broken:
            first = look.rules.newer_is_broken.findings[0] if look.rules.newer_is_broken.findings else None
            facts = {"commit": look.rules.broken_at, "finding": str(first or "the folder is empty")}
            found.append(Trouble("rules-broken", "", "", facts))
        found += [
            Trouble("ledger-read-only", "", "", {"detail": line.partition(": ")[2]})
            for line in report.left
            if line.startswith("ledger-read-only")
        ]
        return found


_SECOND: Mapping[type, Code] = {Approve: Code.ALREADY_APPROVED, Unapprove: Code.NOT_APPROVED}


def _entries(answer: AppendAnswer) -> Sequence[tuple[str, Entry]]:
    return answer.entries if isinstance(answer, Appended) else ()
