"""Bring promotions on: each look finds what is missing and does it, so that a crash anywhere is only a delay."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot import faults, wording
from bot.errors import BotError, PermanentError
from bot.ledger import AppendAnswer, Appended, NotAllowed, NotWritten, Proposal
from bot.looking.quarantine import FORGE
from bot.looking.rosters import teams_of
from bot.looking.survey import Survey
from bot.ports import Chat, Forge, Merged, PullRequest
from bot.promoting import atomic, by_hand, checks
from bot.promoting.accounts import flags_of, forge_flags
from bot.promoting.desk import Desk
from bot.promoting.gate_evidence import gate_evidence
from bot.promoting.landing import look as look_at
from bot.promoting.last_looks import AGAIN, ASK_ANEW, Found, of_authors
from bot.promoting.matching import Matching
from bot.promoting.promoter import Declined, cases_under_way, end, head_branch, moved, rule_of
from bot.promoting.regrouped import regrouped
from bot.promoting.reviews import Reviews
from bot.promoting.stopped import as_abort, stopped
from bot.promoting.urgency import mark, urgency_of
from bot.promoting.withdrawal import WITHDRAWN
from bot.repository.objects import Oid
from bot.repository.push import Ok, RefUpdate
from policies.allowed.asked import Asked, Refusal, judged_by
from policies.allowed.groups import joined
from policies.allowed.reviews import may_review
from policies.canonical import Json
from policies.codes import MEANINGS, Code
from policies.decide import Standing, decide_row
from policies.entries.authors import Authors
from policies.entries.entry import By, Entry, Kind, write_time
from policies.gates import count_approvals
from policies.gates import expired as expired_gate
from policies.images.image import Digest, Repository, Tag
from policies.ledger.by_hand import clearance, is_for_people
from policies.ledger.hands import told_anew
from policies.ledger.keys import attempt_key
from policies.ledger.people import known
from policies.ledger.state import Promotion, Stage
from policies.rules.rules import Merges, effective, moving_rule
from policies.validator import ACCOUNT_FLAGS
from policies.verdict import NotYet, Passed

_log = logging.getLogger(__name__)
_STOPPED = frozenset(
    {Code.HELD.value, Code.BLOCKED.value}
)  # as what a push ends that people stop at the last look


@dataclass(slots=True)
class Reconciler:
    """Takes live promotions as far as they go now. ``pulls`` and ``statuses`` are caches that may be lost."""

    desk: Desk
    forge: Forge | None
    chat: Chat | None
    pulls: dict[str, PullRequest] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    stuck: dict[str, str] = field(default_factory=dict)  # promotion -> what a person has to mend
    described: dict[str, str] = field(default_factory=dict)  # promotion -> the intent that its words tell of
    reviews: Reviews | None = None

    def advance(self, at: datetime, only: str = "") -> None:
        """Advance every live promotion, or one; what fails is noted and goes on at the next pass."""
        look = self.desk.view(at)
        self.desk.last_looks.keep(one.id for one in look.state.under_way())
        for promotion_id in [one.id for one in look.state.under_way() if only in {"", one.id}]:
            self.stuck.pop(promotion_id, None)
            try:
                self._advance(promotion_id, at)
            except Declined as declined:
                self.left.append(f"{promotion_id}: {declined.answer.code}: {declined.answer.detail}")
            except BotError as error:
                _log.warning("promotion %s waits: %s", promotion_id, error)
                self.desk.jar.hear(FORGE, promotion_id, error)
                if isinstance(error, PermanentError):
                    self.stuck[promotion_id] = str(error)
                self.left.append(f"{promotion_id}: {error}")
        self.tidy(at)

    def _advance(self, promotion_id: str, at: datetime) -> None:
        for _ in range(8):  # each step leaves another stage behind; 8 is more than there are
            look = self.desk.view(at)
            promotion = look.state.promotions.get(promotion_id)
            if promotion is None or not promotion.is_live or not self._step(look, promotion, at):
                return

    def _step(self, look: Survey, promotion: Promotion, at: datetime) -> bool:  # noqa: PLR0911  a row for each case
        """Do the one thing that is next; say whether something changed."""
        if promotion.stage is Stage.MERGING:
            is_ours = self._is_by_commit(promotion)
            return self._commit(look, promotion, at) if is_ours else self._merge(look, promotion, at)
        if promotion.stage is Stage.MERGED:
            return self._landed(look, promotion, Oid(promotion.commit), at)
        if self._ended_or_moved(look, promotion, at):
            return True
        pull = None
        if rule_of(look, promotion.environment, promotion.service).environment.has_pull_requests:
            if self.forge is None:
                self.left.append(
                    f"{promotion.id}: the pull request waits for a forge; set GITHUB_APP_ID or GITHUB_TOKEN"
                )
                return False
            pull = self._pull(look, promotion)
            if self._followed(look, promotion, pull, at):
                return True
        # else what a last look found would keep the next one away
        world = replace(look.world, looked_again={})
        row = decide_row(world, promotion.environment, promotion.service, at)
        mine = next((one for one in row.candidates if one.promotion == promotion.id), None) if row else None
        if mine is None or mine.verdict is not Standing.READY:
            self.desk.last_looks.forget(promotion.id)
            if pull:
                self._waiting(promotion, mine.reasons if mine else ())
            return False
        return self._last_look(look, promotion, pull, at)

    def _last_look(self, look: Survey, promotion: Promotion, pull: PullRequest | None, at: datetime) -> bool:
        """Look again at what cannot be undone, and go on; what is in the way is shown. Raises: BotError."""
        try:
            return self._intend(look, promotion, pull, at)
        except BotError as error:
            self.desk.last_looks.note(promotion.id, Found(Code.LOOKED_AGAIN, str(error), AGAIN), at)
            raise
        finally:
            found = self.desk.last_looks.waits([promotion.id])
            if pull and found:
                self._waiting(promotion, found.values())

    def _followed(self, look: Survey, promotion: Promotion, pull: PullRequest, at: datetime) -> bool:
        """Follow what became of a pull request: closed, reviewed, behind its target; say whether something changed."""
        if not pull.is_open:
            return self.noted(self.desk.append(self._ending(promotion, "closed", _early(pull)), at))
        if self._reviewed(look, promotion, pull, at):
            return True
        self._describe(look, promotion, pull)
        if self._is_behind(look, promotion):
            return self.noted(self.desk.append(lambda found, _tip: self._rebased(found, promotion.id), at))
        return False

    # --- before the merge -------------------------------------------------------------------------------

    def _ended_or_moved(self, look: Survey, promotion: Promotion, at: datetime) -> bool:
        """End what is over, void what moved."""
        if why := self._over(look, promotion):
            note = regrouped(look, promotion, self._joined(look, promotion)) if why == "removed" else ""
            return self.noted(self.desk.append(self._ending(promotion, why, note), at))
        digests = self._digests_now(look, promotion)

        def void(found: Survey, _tip: str) -> Proposal:
            now = found.state.promotions.get(promotion.id)
            if now is None or now.stage is not Stage.OPEN:
                return Proposal()
            return moved(found, self.desk.writer, now, digests)

        try:
            if not moved(look, self.desk.writer, promotion, digests).entries:
                return False
        except Declined as declined:
            if declined.answer.code != Code.CURRENT:
                raise
            pull = self.forge.find_pull_request(head_branch(promotion)) if self.forge else None
            return self.noted(
                self.desk.append(self._ending(promotion, "closed", _early(pull)), at)
            )  # it stands there already
        return self.noted(self.desk.append(void, at))

    def _over(self, look: Survey, promotion: Promotion) -> str:
        rule = moving_rule(look.world.rules, promotion.environment, promotion.service)
        cases = cases_under_way(look, rule, promotion) if rule else ()
        if not cases or self._joined(look, promotion):
            return "removed"
        if not all(isinstance(expired_gate(case), Passed) for case in cases):
            return "expired"
        return "" if look.tips.promotions.get(head_branch(promotion)) == promotion.head else "closed"

    def _joined(self, look: Survey, promotion: Promotion) -> tuple[Refusal, ...]:
        """Return what services have to move that joined the group since it was asked for."""
        ending = about(Kind.ENDED, promotion, look.at)
        return tuple(joined(Asked(look.state, ending, self.desk.book, look.world.rules)))

    def _digests_now(self, look: Survey, promotion: Promotion) -> tuple[str, ...]:
        rule = effective(look.world.rules, promotion.environment, promotion.service)
        if rule and rule.service.versions.followed:  # where its tag has gone since is another version
            return tuple(image.digest for image in promotion.image)
        answers = [
            look.world.digests.get((Repository(image.repository), Tag(image.tag)))
            for image in promotion.image
        ]
        return tuple(answer if isinstance(answer, Digest) else "" for answer in answers)

    def _ending(self, promotion: Promotion, why: str, note: str = "") -> Callable[[Survey, str], Proposal]:
        def compose(look: Survey, _tip: str) -> Proposal:
            now = look.state.promotions.get(promotion.id)
            return Proposal((end(look, now, why, note),)) if now and now.stage is Stage.OPEN else Proposal()

        return compose

    def _pull(self, look: Survey, promotion: Promotion) -> PullRequest:
        """Return the promotion's pull request, opened where it is missing."""
        if self.forge is None:
            raise BotError("there is no forge")
        rule = rule_of(look, promotion.environment, promotion.service)
        title, body = wording.pull_request(promotion, rule, folder=self.desk.writer.folder)
        known = self.pulls.get(promotion.id)
        pull = self.forge.pull_request(known.number) if known else None
        pull = pull or self.forge.find_pull_request(head_branch(promotion))
        if pull is None:
            pull = self.forge.open_pull_request(branch=head_branch(promotion), title=title, body=body)
        elif (known is None or known.head != promotion.head) and pull.is_open:
            # a process that died may have built the head and not said so
            self.forge.describe(pull.number, title=title, body=body)
        self.pulls[promotion.id] = replace(pull, head=promotion.head)
        return pull

    def _describe(self, look: Survey, promotion: Promotion, pull: PullRequest) -> None:
        """Let the words of a pull request that people merge end with what the bot's own commit would say, once."""
        rule, intent = (
            rule_of(look, promotion.environment, promotion.service),
            promotion.intent if promotion.is_cleared else "",
        )
        if self.forge is None or not is_for_people(rule, promotion):
            return
        if self.described.get(promotion.id) == intent:
            return
        block = self._landing(look, promotion, pull.url)[1] if intent else ""
        title, body = wording.pull_request(promotion, rule, folder=self.desk.writer.folder, block=block)
        self.forge.describe(pull.number, title=title, body=body)
        self.described[promotion.id] = intent

    def _reviewed(self, look: Survey, promotion: Promotion, pull: PullRequest, at: datetime) -> bool:
        """Hear what was said at the forge; a forge that does not tell it now is asked at the next pass."""
        if self.forge is None:
            return False
        self.reviews = self.reviews or Reviews(self.desk, self.forge, self.chat)
        self.reviews.left = self.left
        try:
            return self.reviews.hear(look, promotion, pull.number, at)
        except BotError as error:
            self.desk.jar.hear(FORGE, promotion.id, error)
            self.left.append(f"{promotion.id}: its reviews were not looked at: {error}")
            return False

    def _is_behind(self, look: Survey, promotion: Promotion) -> bool:
        """Whether the head has to be built anew: its merge failed and the target branch went on, or may conflict."""
        if is_for_people(rule_of(look, promotion.environment, promotion.service), promotion):
            return by_hand.is_stale(self.desk, look, promotion)
        return promotion.attempts > 0 and self.desk.mirror.parents(Oid(promotion.head))[0] != look.tips.target

    def _rebased(self, look: Survey, promotion_id: str) -> Proposal:
        """Build the same change anew on the target's tip: approvals stand (promise 4)."""
        promotion = look.state.promotions[promotion_id]
        if promotion.stage is not Stage.OPEN:
            return Proposal()
        rule = rule_of(look, promotion.environment, promotion.service)
        edits = self.desk.writer.edits_of(look.place, rule, promotion.image, promotion.members)
        message = wording.branch_message(promotion.id, wording.subject_of(promotion))
        head = self.desk.writer.build(look.tips.target, edits, message=message, at=look.at)
        entry = replace(
            about(Kind.REBASED, promotion, look.at),
            key=f"rebased/{promotion.id}/{head}",
            change=promotion.change,
            rule=replace(promotion.rule, commit=look.rules.commit, files=look.rules.files),
            head=head,
        )
        branch = head_branch(promotion)
        update = RefUpdate(f"refs/heads/{branch}", look.tips.promotions.get(branch), head)
        return Proposal((entry,), (update,), "branch")

    # --- intent, merge, look ------------------------------------------------------------------------------

    def _intend(self, look: Survey, promotion: Promotion, pull: PullRequest | None, at: datetime) -> bool:
        """Write down that this very head is about to be merged; people are looked up again first."""
        accounts, reviewers = self._accounts(look, promotion), self._reviewers(promotion, at)
        if accounts is None or reviewers is None:
            return False
        authors = self._authors(look, promotion)
        members = self._members(look, promotion, authors, at)
        if members is None:
            return False
        evidence: dict[str, Json] = {
            **({"pull_request": {"number": pull.number, "url": pull.url}} if pull else {}),
            "accounts": accounts,
            "looked": write_time(at),
        }
        if reviewers:
            evidence["forge_accounts"] = reviewers
        if is_for_people(rule_of(look, promotion.environment, promotion.service), promotion):
            evidence |= clearance()
        evidence |= members
        emails = self._emails(look, promotion, at)
        if emails is None:
            return False
        evidence |= emails
        if authors is not None:
            evidence["authors"] = authors.as_json()
        if promotion.is_emergency:
            evidence |= mark()

        def intent(look: Survey, _tip: str) -> Proposal:
            now = look.state.promotions[promotion.id]
            if now.stage is not Stage.OPEN or now.head != promotion.head:
                return Proposal()
            entry = replace(
                about(Kind.INTENT, now, at),
                key=attempt_key(look.state, Kind.INTENT, now.id, now.head),
                image=now.image,
                change=now.change,
                rule=replace(now.rule, commit=look.rules.commit, files=look.rules.files),
                head=now.head,
                evidence={**evidence, **gate_evidence(look, rule_of(look, *where), now.image, now)},
            )
            return Proposal((entry,))

        where = (promotion.environment, promotion.service)
        return self._looked(promotion, self.desk.append(intent, at), at)

    def _looked(self, promotion: Promotion, answer: AppendAnswer, at: datetime) -> bool:
        """Note what became of an intent; say whether it was written."""
        if isinstance(answer, NotAllowed):
            self.desk.last_looks.note(promotion.id, Found(Code.LOOKED_AGAIN, str(answer.refusal), AGAIN), at)
        elif isinstance(answer, Appended):
            self.desk.last_looks.forget(promotion.id)
        return self.noted(answer)

    def _leave(self, promotion: Promotion, found: Found, at: datetime) -> None:
        """Leave a merge for a later pass: people are shown why, and operators told."""
        self.desk.last_looks.note(promotion.id, found, at)
        self.left.append(f"{promotion.id}: {found.what}")

    def _accounts(self, look: Survey, promotion: Promotion) -> Mapping[str, Json] | None:
        """Look the approvers up again; none where one of them may not speak any more, or cannot be looked up."""
        asked: dict[By, tuple[str, str]] = {}
        for one in promotion.approvals:
            rules, state = look.world.rules, look.state
            who = known(rules, state.links, state.forge_ids, one.by.person) if one.review else None
            if one.by.slack_user or (who and who.slack):
                asked[one.by] = (one.by.slack_team, one.by.slack_user or (who.slack if who else ""))
        if not asked:
            return {}
        if self.chat is None:
            what = "approvers cannot be looked up without a chat; set SLACK_BOT_TOKEN"
            self._leave(promotion, Found(Code.LOOKED_AGAIN, what, AGAIN), look.at)
            return None
        found: dict[str, Json] = {}
        for by, (team, user) in asked.items():
            flags = flags_of(self.chat, team or self.chat.home(), user)
            if flags != ACCOUNT_FLAGS:
                what = f"the Slack account of {by.person} may not approve any more"
                self._leave(promotion, Found(Code.LOOKED_AGAIN, what, ASK_ANEW), look.at)
                return None
            found[by.person] = dict(flags)
        return found

    def _authors(self, look: Survey, promotion: Promotion) -> Authors | None:
        """Return who wrote the code, where the rule asks for it; a way back asks for nobody."""
        rule = rule_of(look, promotion.environment, promotion.service)
        if promotion.is_apart:
            return None
        return self.desk.authors.of_all(look.world.rules, look.state, rule, promotion.shares)

    def _emails(self, look: Survey, promotion: Promotion, at: datetime) -> Mapping[str, Json] | None:
        """Look the addresses of those up again who are known by them; none where one of them has another by now."""
        rules, state, found = look.world.rules, look.state, dict[str, Json]()
        matching = Matching(self.desk, self.chat, self.forge)
        for one in promotion.approvals:
            who = known(rules, state.links, state.forge_ids, one.by.person)
            if who is None or not who.domain:
                continue
            emails = matching.evidence(rules, who, at).get("emails")
            if not isinstance(emails, Mapping):
                what = f"the accounts of {who.name} have no e-mail address in common any more"
                self._leave(promotion, Found(Code.LOOKED_AGAIN, what, ASK_ANEW), at)
                return None
            found |= emails
        return {"emails": found} if found else {}

    def _members(
        self, look: Survey, promotion: Promotion, authors: Authors | None, at: datetime
    ) -> Mapping[str, Json] | None:
        """Look up again who is in the rule's teams; none where somebody left and a line is not filled any more."""
        rules, rosters = look.world.rules, self.desk.rosters
        rule = rule_of(look, promotion.environment, promotion.service)
        teams = teams_of(rules, rule.moving([one.service for one in promotion.members]))
        rosters.refresh(teams, at, kept=timedelta(0))
        found = rosters.members(rules, look.state, at)
        told = told_anew(promotion.authors, authors, promotion.opened)
        whole = count_approvals(rules, rule, promotion, found)
        left = count_approvals(rules, rule, promotion, found, told)
        if not whole.is_complete:  # as the decision says from now on
            why = rosters.said(teams)
            self.left.append(f"{promotion.id}: its approvals do not fill the lines any more: {why}")
            return None
        if told and not left.is_complete:
            self._leave(promotion, of_authors(told, whole, left), at)
            return None
        people = [one.by.person for one in promotion.approvals]
        return rosters.evidence(rules, look.state, teams, people, at)

    def _reviewers(self, promotion: Promotion, at: datetime) -> Mapping[str, Json] | None:
        """Look the reviewers' accounts at the forge up again; none where one of them is nobody's any more."""
        found: dict[str, Json] = {}
        for one in promotion.approvals:
            if not one.review or self.forge is None:
                continue
            flags = forge_flags(self.forge.account_of_id(one.by.forge_id))
            if not may_review(flags):
                what = f"{one.by.forge_login} may not approve any more in GitHub"
                self._leave(promotion, Found(Code.LOOKED_AGAIN, what, ASK_ANEW), at)
                return None
            found[one.by.person] = flags
        return found

    def _merge(self, look: Survey, promotion: Promotion, at: datetime) -> bool:  # noqa: PLR0911  the same
        """Ask the forge to merge the head of the intent, once; whatever it answers, look."""
        if self.forge is None:
            self.left.append(
                f"{promotion.id}: the merge waits for a forge; set GITHUB_APP_ID or GITHUB_TOKEN"
            )
            return False
        pull = self._pull(look, promotion)
        if promotion.is_cleared:
            return self._wait_for_people(look, promotion, pull, at)
        if pull.is_merged and pull.commit:
            return self._landed(look, promotion, Oid(pull.commit), at)
        if pull.is_open and (stops := stopped(look, promotion)):
            return self._abort(promotion, as_abort(stops[0].code), at)
        if not pull.is_open:
            return self._abort(promotion, "refused", at)
        self._status(
            promotion.head, is_allowed=True, description="every approval is given, every gate has passed"
        )
        rule = rule_of(look, promotion.environment, promotion.service)
        if rule.environment.merges is Merges.ATOMIC:
            return self._push(promotion, pull.url, at)
        title, message = self._landing(look, promotion, pull.url)
        answer = self.forge.merge(pull.number, head=promotion.head, title=title, message=message)
        if isinstance(answer, Merged):
            return self._landed(look, promotion, Oid(answer.commit), at)
        self.left.append(f"{promotion.id}: not merged: {answer.detail}")
        if answer.code == "unknown":
            return False  # it may have happened: the next look decides
        return self._abort(promotion, answer.code, at, reviews=answer.reviews)

    def _commit(self, look: Survey, promotion: Promotion, at: datetime) -> bool:
        """Push what is approved where there is no pull request; a freeze, hold or block since the intent stops it."""
        if stops := stopped(look, promotion):
            return self._abort(promotion, as_abort(stops[0].code), at)
        return self._push(promotion, "", at)

    def _is_by_commit(self, promotion: Promotion) -> bool:
        """Whether the rule that it was judged by knows no pull request: then nobody but us can land it."""
        rule = judged_by(self.desk.book, promotion)
        return rule is not None and rule.environment.is_by_commit

    def _landing(self, look: Survey, promotion: Promotion, url: str) -> tuple[str, str]:
        """Return title and message of the commit that lands."""
        return wording.landing(
            promotion,
            folder=self.desk.writer.folder,
            url=url,
            intent=promotion.intent,
            key=promotion.intent_key,
            proof=self.desk.writer.proof(promotion.intent),
            urgency=urgency_of(self.desk.book, look.state, promotion),
        )

    def _wait_for_people(self, look: Survey, promotion: Promotion, pull: PullRequest, at: datetime) -> bool:
        """Say that people may merge it, take that back when it is not so any more, write down what they did."""
        if moving_rule(look.world.rules, promotion.environment, promotion.service) is None:
            return self._withdraw(promotion, at)
        if pull.is_merged and pull.head == promotion.head:
            return self._merged_by_people(look, promotion, pull, at)
        if not pull.is_open:
            return self._withdraw(promotion, at)
        if self._reviewed(look, promotion, pull, at):
            return True
        over, digests = self._over(look, promotion), self._digests_now(look, promotion)
        waits = by_hand.in_the_way(self.desk, look, promotion, digests, over=over, at=at)
        if waits:  # red first: the ledger says then what everybody sees
            self._waiting(promotion, waits)
            return self._withdraw(promotion, at)
        self._describe(look, promotion, pull)
        self._status(
            promotion.head,
            is_allowed=True,
            description="every approval is given, every gate has passed: merge it here",
        )
        return False

    def _withdraw(self, promotion: Promotion, at: datetime) -> bool:
        """Take back what people could merge; what is next is done at once."""
        return self._aborted(promotion, WITHDRAWN, at)

    def _merged_by_people(self, look: Survey, promotion: Promotion, pull: PullRequest, at: datetime) -> bool:
        """Write down what somebody merged, and who; what was not allowed at that moment ends as a move by others."""
        if self.forge is None:
            return False
        evidence = by_hand.merger_of(self.forge, pull.number, at)
        answer = self._recorded(look, promotion, Oid(pull.commit), at, evidence)
        if isinstance(answer, NotAllowed):
            self.noted(answer)
            return self._aborted(promotion, Code.MERGED_EARLY.value, at)
        return self.noted(answer)

    def _push(self, promotion: Promotion, url: str, at: datetime) -> bool:
        """Land it by one push of target branch and ledger; the forge then closes its pull request, if it has one."""
        try:
            answer = atomic.land(self.desk, promotion, url=url, at=at)
        except Declined as declined:
            self.left.append(f"{promotion.id}: not merged: {declined.answer.detail}")
            code = declined.answer.code
            return self._abort(promotion, code if code in _STOPPED else "head-moved", at)
        is_done = self.noted(answer)
        why = atomic.why_not(answer)
        return self._abort(promotion, why, at) if why else is_done

    def _abort(self, promotion: Promotion, why: str, at: datetime, *, reviews: int = 0) -> bool:
        self._aborted(promotion, why, at, reviews=reviews)
        return False  # tried again at the next pass, not at once

    def _aborted(self, promotion: Promotion, why: str, at: datetime, *, reviews: int = 0) -> bool:
        """Write down that an intent came to nothing; say whether that was written."""

        def abort(look: Survey, _tip: str) -> Proposal:
            now = look.state.promotions[promotion.id]
            if now.stage is not Stage.MERGING:
                return Proposal()
            entry = replace(
                about(Kind.ABORT, now, at),
                key=attempt_key(look.state, Kind.ABORT, now.id, now.head),
                head=now.head,
                why=why,
                evidence={"reviews": reviews} if reviews else {},
            )
            return Proposal((entry,))

        return self.noted(self.desk.append(abort, at))

    def _landed(self, look: Survey, promotion: Promotion, commit: Oid, at: datetime) -> bool:
        """Write down what was merged and what stands there, in one push."""
        return self.noted(self._recorded(look, promotion, commit, at, {}))

    def _recorded(
        self, look: Survey, promotion: Promotion, commit: Oid, at: datetime, evidence: Mapping[str, Json]
    ) -> AppendAnswer:
        self.desk.mirror.fetch()
        line = self.desk.mirror.first_parents(self.desk.mirror.tips().target, limit=1000)
        rule = rule_of(look, promotion.environment, promotion.service)
        if commit in line:
            found = look_at(
                self.desk.mirror,
                self.desk.book,
                self.desk.writer,
                rules=look.world.rules,
                rule=rule,
                image=promotion.image,
                change=promotion.change,
                commit=commit,
                members=promotion.members,
            )
            wrong, image = found.wrong, found.image
        else:
            wrong, image = "not-on-branch", ()
        merged = replace(
            about(Kind.MERGED, promotion, at),
            key=f"merged/{promotion.id}",
            head=promotion.head,
            commit=commit,
            evidence=evidence,
        )
        outcome = about(Kind.MISMATCH if wrong else Kind.LANDED, promotion, at)
        outcome = replace(outcome, key=f"{outcome.kind}/{promotion.id}", commit=commit)
        if wrong:
            outcome = replace(outcome, image=image, why=wrong)
            self.desk.movers.look([commit])
            outcome = self.desk.movers.attested([outcome], look.world.rules, look.state)[0]
        else:
            outcome = replace(outcome, image=promotion.image, previous=promotion.previous)
        return self.desk.append(lambda _look, _tip: Proposal((merged, outcome)), at, look_first=False)

    # --- around it ----------------------------------------------------------------------------------------

    def _waiting(self, promotion: Promotion, waits: Collection[NotYet]) -> None:
        """Show at the pull request for what it waits."""
        codes = ", ".join(dict.fromkeys(str(one.code) for one in waits)) or "the rules do not cover it"
        summary = checks.missing(waits)
        self._status(promotion.head, is_allowed=False, description=f"waits: {codes}"[:140], summary=summary)

    def _status(self, head: str, *, is_allowed: bool, description: str, summary: str = "") -> None:
        said = f"{is_allowed} {description} {summary}"
        if self.forge and self.statuses.get(head) != said:
            try:
                self.forge.status(head, is_allowed=is_allowed, description=description, summary=summary)
            except BotError as error:  # what the forge shows is a view; the merge does not lean on it
                _log.warning("the commit status was not set: %s", error)
                return
            self.statuses[head] = said

    def noted(self, answer: AppendAnswer) -> bool:
        """Note an answer; say whether something was written."""
        if isinstance(answer, Appended):
            return bool(answer.entries)
        if isinstance(answer, NotWritten):
            self.left.append(f"{answer.code}: {answer.detail}")
        else:
            self.left.append(f"{answer.entry.kind} of {answer.entry.promotion}: {answer.refusal}")
        return False

    def tidy(self, at: datetime) -> None:
        """Close pull requests and delete branches of promotions that have ended."""
        look = self.desk.view(at)
        for name, oid in look.tips.promotions.items():
            promotion = look.state.promotions.get(name.rpartition("/")[2])
            if promotion is None or promotion.is_live:
                continue
            try:
                self._close(promotion, name)
            except BotError as error:
                self.left.append(f"{promotion.id}: its pull request is still open: {error}")
                continue
            faults.point("before-branch-delete")
            gone = RefUpdate(f"refs/heads/{name}", oid, None)
            if isinstance(self.desk.mirror.push([gone]), Ok):
                self.desk.mirror.remember([gone])
            faults.point("after-branch-delete")

    def _close(self, promotion: Promotion, branch: str) -> None:
        if self.forge is None or promotion.stage in {Stage.LANDED, Stage.MISMATCH}:
            return
        pull = self.forge.find_pull_request(branch)
        if pull and pull.is_open:
            who = f" by {promotion.ended_by.person}" if isinstance(promotion.ended_by, By) else ""
            is_regrouped = promotion.stage is Stage.REMOVED and promotion.ended_note
            why = f": it {promotion.ended_note}" if is_regrouped else ""
            said = f"This promotion was {promotion.stage}{who}{why}. Promotion: {promotion.id}"
            self.forge.close(pull.number, said)


def _early(pull: PullRequest | None) -> str:
    """Return what is noted of a pull request that somebody merged without a clearance, '' where nobody did."""
    return MEANINGS[Code.MERGED_EARLY] if pull and pull.is_merged else ""


def about(kind: Kind, promotion: Promotion, at: datetime) -> Entry:
    """Return the beginning of an entry about a promotion; its key is still to be said."""
    return Entry(
        kind=kind,
        at=write_time(at),
        key="",
        environment=promotion.environment,
        service=promotion.service,
        group=promotion.group,
        promotion=promotion.id,
    )
