"""Hearing: what a person means, looked up before it becomes an entry: who, which version, where, which promotion."""

import logging
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.answers import NotRecorded
from bot.errors import BotError
from bot.ledger import Proposal
from bot.looking import asking
from bot.looking.asking import Questions, Told
from bot.looking.movers import REVIEWED, commits_of
from bot.looking.rosters import teams_of
from bot.looking.survey import Image, Survey
from bot.ports import Chat, Forge, ForgeAccount
from bot.promoting.accounts import account_flags
from bot.promoting.apart import (
    Ground,
    emergency,
    group_target,
    refuse_calm,
    review,
    rollback,
    rollback_target,
)
from bot.promoting.desk import Desk
from bot.promoting.matching import Matching
from bot.promoting.promoter import Declined, Images, Said, in_group, judge, propose, rule_of, stand
from policies.codes import Code
from policies.decide import Candidate, decide_row, rows_of
from policies.entries.entry import By, Member, Pinned, Share, shares, write_time
from policies.gates import skipped_codes
from policies.group_rows import (
    CONTENT,
    OF_A_WORD,
    Skipped,
    combination,
    kept_back,
    next_of,
    offered,
    skips_nothing,
    together,
)
from policies.images.evidence import DigestAnswer, Silence
from policies.images.image import Digest, Repository, Tag
from policies.images.selection import Fate
from policies.ledger.digest_versions import is_meant
from policies.ledger.people import Known, of_slack
from policies.ledger.state import Open, Promotion, State
from policies.rows import ANSWERED_BY_ASKING
from policies.rules.rules import EffectiveRule, Rules, effective, moving_rule
from policies.words import (
    Alone,
    Approve,
    Block,
    Cancel,
    Emergency,
    Freeze,
    Hold,
    Propose,
    Reject,
    Resume,
    Review,
    Rollback,
    Speaker,
    Unapprove,
    Unblock,
    Unfreeze,
)

_log = logging.getLogger(__name__)
_COMBINATION = re.compile(
    rf"[0-9a-f]{{{CONTENT}}}", re.ASCII
)  # how a group's card names what it would move to
MIN_NAMED = 7  # digits of a commit or promotion that name it
MAX_NUMBER = 9  # digits of an entry's or a pull request's number
Compose = Callable[[Survey, str], Proposal]


class AsksFirst(Exception):  # noqa: N818  a question on its way to whoever asks registries, not a fault
    """Registries have to be asked before a word is understood; who hears it again knows what they said."""

    def __init__(self, questions: Questions) -> None:
        self.questions = questions
        images = len(questions.exact) + len(questions.labels)
        super().__init__(f"{len(questions.repositories)} repositories, {images} images")


@dataclass(slots=True)
class Hearing:
    """Understands one word with the help of chat and forge. Every method may raise Declined, AsksFirst.

    ``seen``: the numbers of the holds that people were told of when the word came; nothing = all that stand now.
    ``told``: what registries were asked for this word already, and what they said to it.
    """

    desk: Desk
    forge: Forge | None
    chat: Chat | None
    seen: frozenset[int] | None = None
    told: list[Told] = field(default_factory=list)

    def who(self, rules: Rules, speaker: Speaker, at: datetime) -> Said:
        """Return who speaks, as the rules link them and the chat shows them now. Raises: Declined."""
        state = self._state()
        person = of_slack(rules, state.links, state.forge_ids, speaker.user)
        if person is None:
            raise Declined(NotRecorded(code=Code.UNKNOWN_PERSON, detail=speaker.user))
        by = By(person.name, speaker.via, speaker.team, speaker.user)
        account = None if person.domain else self._forge_account(person)
        if account and person.owns(account.id, account.login):
            by = replace(by, forge_login=account.login, forge_id=account.id)
        if self.chat is None:
            raise Declined(
                NotRecorded(code=Code.ACCOUNT, detail="there is no chat to look the account up in")
            )
        flags = account_flags(self.chat, by)
        emails = Matching(self.desk, self.chat, self.forge).evidence(rules, person, at)
        return Said(by, {"account": flags, **emails, "looked": write_time(at)}, speaker.trigger)

    def _state(self) -> State:
        return self.desk.ledger.read(self.desk.mirror.tips()).state

    def _forge_account(self, person: Known) -> ForgeAccount | None:
        """Return their account at the forge, nothing where it does not say: the chat's id decides.

        A login that somebody else has by now is not theirs; whoever calls looks.
        """
        if self.forge is None or not (person.forge_id or person.github):
            return None
        try:
            if person.forge_id:
                return self.forge.account_of_id(person.forge_id)
            return self.forge.account(person.github)
        except BotError as error:
            _log.warning("the forge did not say who %s is: %s", person.github or person.forge_id, error)
            return None

    def composer(self, rules: Rules, said: Said, word: Alone, at: datetime) -> Compose:
        """Return what makes an entry of the word; made anew for each state that it may have to follow."""
        said = self._with_members(rules, said, self._judging(rules, word, at), at)
        match word:
            case Propose():
                ask = self._group if word.service in rules.groups else self._service
                return ask(rules, said, word, at)
            case Rollback():
                return self._rollback(rules, said, word, at)
            case Emergency():
                call = self._emergency_of_all if word.service in rules.groups else self._emergency
                return call(rules, said, word, at)
            case Review():
                closes = self._opened(word.what, at)
                reviewing = self._with_movers(rules, said, closes)
                return lambda look, _tip: review(look, reviewing, word, closes)
            case Approve() | Unapprove() | Reject() | Cancel():
                promotion = self._promotion(word.promotion, at)
                return lambda look, _tip: judge(look, said, word, look.state.promotions[promotion.id])
            case Hold() | Resume() | Block() | Unblock() | Freeze() | Unfreeze():
                seen = self._told()
                return lambda look, _tip: stand(look, said, word, seen)

    def _told(self) -> frozenset[int]:
        """Return the numbers of the holds that people were told of."""
        there = self._state().holds.values()
        return frozenset(one.seq for one in there) if self.seen is None else self.seen

    def _service(self, rules: Rules, said: Said, word: Propose, at: datetime) -> Compose:
        rule, image = self._wanted(rules, word, at)
        asking = self._with_authors(rules, said, rule, (Share(word.service, image, ()),), at)
        return lambda look, _tip: propose(
            look,
            self.desk.writer,
            asking,
            rule=rule_of(look, rule.environment.name, rule.service.name),
            image=image,
            note=word.note,
        )

    def _judging(self, rules: Rules, word: Alone, at: datetime) -> tuple[EffectiveRule, ...]:
        """Return the rules that judge a word by teams. Raises: Declined."""
        match word:
            case Approve() | Unapprove() | Reject() | Cancel():
                promotion = self._promotion(word.promotion, at)
                places = [(promotion.environment, one.service) for one in promotion.shares]
            case Rollback():
                names = rules.groups.get(word.service, (word.service,))
                places = [
                    (one, name) for one in word.environments or tuple(rules.environments) for name in names
                ]
            case Emergency():
                names = rules.groups.get(word.service, (word.service,))
                places = [(word.environment, name) for name in names]
            case Hold() | Resume():
                names = rules.groups.get(word.service, (word.service,))
                places = [(one, name) for one in _named(rules, word.environment) for name in names]
            case Block() | Unblock():
                places = [(one, word.service) for one in rules.environments]
            case Freeze():
                places = [(one, name) for one in word.environments for name in rules.services]
            case Unfreeze():
                places = [(word.environment, name) for name in rules.services]
            case _:
                places = []
        return tuple(rule for place in places if (rule := effective(rules, *place)))

    def _with_authors(
        self, rules: Rules, said: Said, rule: EffectiveRule, moves: Sequence[Share], at: datetime
    ) -> Said:
        """Add to a request who wrote the code that it brings, where the rule asks for it. Raises: AsksFirst."""
        world = self.desk.view(at).world
        stands = [replace(one, previous=world.pin(rule.environment.name, one.service).image) for one in moves]
        read = {image for told in self.told for image in told.questions.labels}
        if unread := [one for one in self.desk.authors.unread(rule, stands, at) if one not in read]:
            raise AsksFirst(asking.questions(rules, self._state(), self.desk.answers, (), at, labels=unread))
        found = self.desk.authors.of_all(rules, self._state(), rule, stands)
        return replace(said, evidence={**said.evidence, "authors": found.as_json()}) if found else said

    def _with_movers(self, rules: Rules, said: Said, closes: int) -> Said:
        """Add to a review by whose hands that came which it closes, as the forge tells it now."""
        chain = self.desk.ledger.read(self.desk.mirror.tips())
        opened = chain.state.open.get(closes)
        if opened is None or opened.kind not in REVIEWED:
            return said
        entry = next((one for _, one in chain.entries if one.seq == closes), None)
        commits = commits_of(entry) if entry else (opened.commit,)
        self.desk.movers.look(commits)
        return replace(
            said, evidence={**said.evidence, **self.desk.movers.evidence(rules, chain.state, commits)}
        )

    def _with_members(self, rules: Rules, said: Said, judging: Sequence[EffectiveRule], at: datetime) -> Said:
        """Add to a word whether its speaker is in the teams that live elsewhere, as looked up now."""
        teams, rosters = teams_of(rules, judging), self.desk.rosters
        rosters.refresh(teams, at)
        members = rosters.evidence(rules, self._state(), teams, [said.by.person], at)
        return replace(said, evidence={**said.evidence, **members}) if members else said

    def _wanted(self, rules: Rules, word: Propose | Emergency, at: datetime) -> tuple[EffectiveRule, Images]:
        """Find out which version, where, and what exactly it is now. Raises: Declined."""
        environment = self._environment(rules, word.service, word.environment)
        _refuse_part(rules, environment, word.service)
        rule = effective(rules, environment, word.service)
        if rule is None:
            raise Declined(
                NotRecorded(code="unknown-service", detail=word.service, choices=tuple(rules.services))
            )
        if rule.environment.has_pull_requests:
            self._needs_forge()
        self._asked(rules, rule.service.images, at)
        row = decide_row(self.desk.view(at).world, environment, word.service, at)
        listed = self.desk.view(at).world.listed(rule.service)
        if isinstance(listed, Silence):
            raise Declined(NotRecorded(code="registry-silent", detail=listed.detail))
        if row is not None and row.selection is None:  # the place, or what it follows, cannot be used
            raise Declined(NotRecorded(code=row.codes[0], detail=row.detail))
        if rule.service.versions.followed:
            return rule, self._followed(rule, row.candidates if row else (), word.version)
        tag = word.version or self._newest(row.candidates if row else ())
        fate = row.selection.fates.get(tag) if row and row.selection else None
        if fate not in {Fate.SELECTED, Fate.OLDER}:
            choices = tuple(one.version for one in (row.candidates if row else ()))[:3]
            detail = f"{tag}: {fate}" if fate else tag
            raise Declined(NotRecorded(code="unknown-version", detail=detail, choices=choices))
        return rule, self._exact(rules, rule, tag, at)

    def _asked(
        self, rules: Rules, repositories: Iterable[Repository], at: datetime, exact: Iterable[Image] = ()
    ) -> None:
        """See that these were asked for this word: for their tags, or for what one names now. Raises: AsksFirst."""
        listed = {image for told, others in self._heard(rules) for image in told.tags if image not in others}
        known = self._digests(rules)
        new = [one for one in repositories if one not in listed]
        unknown = [one for one in exact if one not in known]
        if new or unknown:
            state, answers = self.desk.view(at).state, self.desk.answers
            raise AsksFirst(asking.questions(rules, state, answers, new, at, exact=unknown))

    def _heard(self, rules: Rules) -> list[tuple[Told, Collection[Repository]]]:
        """Return what was told for this word, and of which repositories the rules ask otherwise by now."""
        return [(told, asking.foreign_to(rules, told)) for told in self.told]

    def _digests(self, rules: Rules) -> dict[Image, DigestAnswer]:
        """Return what images are, as this word was told."""
        return {
            image: digest
            for told, others in self._heard(rules)
            for image, digest in told.digests.items()
            if image[0] not in others
        }

    def _followed(self, rule: EffectiveRule, candidates: Sequence[Candidate], said: str) -> Images:
        """Return the image that is meant of a tag that moves: by its digest, else the newest. Raises: Declined."""
        version = self._newest(candidates) if said in {"", rule.service.versions.followed} else said
        found = [one for one in candidates if is_meant(rule.service, one.images(rule), version)]
        if len(found) != 1:
            choices = tuple(one.version for one in found or candidates)[:3]
            raise Declined(NotRecorded(code="unknown-version", detail=version, choices=choices))
        if not found[0].digest:
            detail = f"the digest of {version} is not known"
            raise Declined(NotRecorded(code="registry-silent", detail=detail))
        return found[0].images(rule)

    def _newest(self, candidates: Sequence[Candidate]) -> str:
        """Return the newest version that may be asked for. Raises: Declined."""
        for candidate in candidates:
            if candidate.may_be_asked_for:
                return candidate.version
        if not candidates:
            raise Declined(NotRecorded(code="nothing-to-promote"))
        newest = candidates[0]
        waits = tuple(one for one in newest.reasons if one.code not in ANSWERED_BY_ASKING)
        raise Declined(NotRecorded(code="nothing-to-promote", detail=newest.version, waits=waits))

    def _environment(self, rules: Rules, service: str, named: str) -> str:
        """Return the environment that is meant: the one named, else the only guarded one. Raises: Declined."""
        if service not in rules.services and service not in rules.groups:
            choices = (*rules.services, *rules.groups)
            raise Declined(NotRecorded(code="unknown-service", detail=service, choices=choices))
        if named:
            if named not in rules.environments:
                names = tuple(rules.environments)
                raise Declined(NotRecorded(code="unknown-environment", detail=named, choices=names))
            return named
        asked = [
            rule
            for name in rules.environments
            if (rule := moving_rule(rules, name, service) or effective(rules, name, service))
        ]
        guarded = tuple(rule.environment.name for rule in asked if rule.environment.is_guarded)
        if len(guarded) != 1:
            raise Declined(NotRecorded(code="which-environment", detail=service, choices=guarded))
        return guarded[0]

    def _exact(self, rules: Rules, rule: EffectiveRule, tag: str, at: datetime) -> Images:
        """Return the images of a version with the digests that its tag names now. Raises: Declined, AsksFirst."""
        wanted = [(image, Tag.parse(tag)) for image in rule.service.images]
        self._asked(rules, (), at, wanted)
        answers = self._digests(rules)
        found: list[Pinned] = []
        for image, name in wanted:
            answer = answers[image, name]
            if not isinstance(answer, Digest):
                raise Declined(NotRecorded(code="registry-silent", detail=answer.detail))
            found.append(Pinned(image, tag, answer))
        return tuple(found)

    def _needs_forge(self) -> None:
        if self.forge is None:
            raise Declined(NotRecorded(code="forge-missing", detail="set GITHUB_APP_ID or GITHUB_TOKEN"))

    def _rollback(self, rules: Rules, said: Said, word: Rollback, at: datetime) -> Compose:
        named = word.environments or (self._environment(rules, word.service, ""),)
        images: dict[str, Images] = {}
        members: dict[str, tuple[Member, ...]] = {}
        for name in named:
            environment = self._environment(rules, word.service, name)
            _refuse_part(rules, environment, word.service)
            rule = moving_rule(rules, environment, word.service)
            if rule is None:
                raise Declined(NotRecorded(code=Code.NO_RULE, detail=word.service))
            if rule.environment.has_pull_requests:
                self._needs_forge()
            images[environment], members[environment] = self._before(rules, rule, word, at)
        return lambda look, tip: rollback(look, self._ground(tip), said, word, images, members)

    def _before(
        self, rules: Rules, rule: EffectiveRule, word: Rollback, at: datetime
    ) -> tuple[Images, tuple[Member, ...]]:
        """Return what ran before, exactly; of a group for each member that goes back. Raises: Declined."""
        look = self.desk.view(at)
        if not rule.parts:
            target = rollback_target(look, rule.environment.name, word.service, word.version)
            return self._known(rules, rule, target, at), ()
        _refuse_version(word.service, word.version)
        targets = dict(group_target(look, rule))
        moving = rule.moving(tuple(targets))
        unknown = [part for part in moving if not all(one.digest for one in targets[part.service.name])]
        tags = [(part, Tag.parse(targets[part.service.name][0].tag)) for part in unknown]
        self._asked(rules, (), at, [(image, tag) for part, tag in tags for image in part.service.images])
        images = [self._known(rules, part, targets[part.service.name], at) for part in moving]
        members = tuple(
            Member(part.service.name, len(image)) for part, image in zip(moving, images, strict=True)
        )
        return tuple(one for image in images for one in image), members

    def _known(self, rules: Rules, rule: EffectiveRule, target: Images, at: datetime) -> Images:
        """Return a target with digests: those of the ledger, else what its tag names now. Raises: Declined."""
        if all(one.digest for one in target):
            return target
        return self._exact(rules, rule, target[0].tag, at)

    def _group(self, rules: Rules, said: Said, word: Propose, at: datetime) -> Compose:
        """Ask for what each member of a group that is behind would move to. Raises: Declined."""
        rule = self._whole(rules, word, at)
        environment = rule.environment.name
        found = self._meant(rule, word, at)
        image = self._exactly(rules, rule, found, at)
        moves = shares(word.service, found.members, image, ())
        asking = self._with_authors(rules, said, rule, moves, at)
        return lambda look, _tip: propose(
            look,
            self.desk.writer,
            asking,
            rule=rule_of(look, environment, word.service),
            image=image,
            members=found.members,
            note=word.note,
        )

    def _emergency_of_all(self, rules: Rules, said: Said, word: Emergency, at: datetime) -> Compose:
        """Move now what each member of a group would move to, past what its own rule skips. Raises: Declined."""
        _refuse_version(word.service, word.version)
        rule = self._whole(rules, word, at)
        refuse_calm(rule.parts)
        found = self._next(rule, at, OF_A_WORD, skipped_codes)
        image = self._exactly(rules, rule, found, at)
        where = rule.environment.name
        return lambda look, tip: emergency(
            look,
            self._ground(tip),
            said,
            word,
            rule=rule_of(look, where, word.service),
            image=image,
            members=found.members,
        )

    def _whole(self, rules: Rules, word: Propose | Emergency, at: datetime) -> EffectiveRule:
        """Return the rule of a group where it is to move, its registries asked anew. Raises: Declined."""
        environment = self._environment(rules, word.service, word.environment)
        rule = moving_rule(rules, environment, word.service)
        if rule is None:
            detail = f"the services of {word.service} do not move together in {environment}"
            raise Declined(NotRecorded(code=Code.NO_RULE, detail=detail))
        if rule.environment.has_pull_requests:
            self._needs_forge()
        self._asked(rules, [image for part in rule.parts for image in part.service.images], at)
        return rule

    def _exactly(self, rules: Rules, rule: EffectiveRule, found: Candidate, at: datetime) -> Images:
        """Return what a group would move to, with the digests that its tags name now. Raises: Declined."""
        picked = shares(rule.service.name, found.members, found.together, ())
        parts = rule.moving([one.service for one in picked])
        moves = [(part, one.image[0].tag) for part, one in zip(parts, picked, strict=True)]
        images = [(image, Tag.parse(tag)) for part, tag in moves for image in part.service.images]
        self._asked(rules, (), at, images)
        return tuple(one for part, tag in moves for one in self._exact(rules, part, tag, at))

    def _meant(self, rule: EffectiveRule, word: Propose, at: datetime) -> Candidate:
        """Return what a group is to move to: what a card showed, or all that a word moves. Raises: Declined."""
        if not word.version:
            return self._next(rule, at, OF_A_WORD)
        if not _COMBINATION.fullmatch(word.version):
            _refuse_version(word.service, word.version)
        found = self._next(rule, at, offered(rule))
        if combination(found.together) != word.version:
            raise Declined(NotRecorded(code=Code.CHANGE_MOVED, detail="the card showed other versions"))
        return found

    def _next(
        self,
        rule: EffectiveRule,
        at: datetime,
        allowed: frozenset[Code],
        skipped: Skipped = skips_nothing,
    ) -> Candidate:
        """Return what a group would move to now. Raises: Declined where a member is not ready."""
        world, environment = self.desk.view(at).world, rule.environment.name
        rows = rows_of(world, rule, at)
        picked, waits = next_of(world, rule, rows, allowed=allowed, skipped=skipped)
        found = together(rule, picked)
        if found is not None and not waits:
            return found
        parts = kept_back(world, rule, rows, picked, allowed=allowed, skipped=skipped)
        code = Code.GROUP_WAITS if waits else "nothing-to-promote"
        detail = "; ".join([one.detail for one in waits] or [f"{name}: {one.code}" for name, one in parts])
        detail = detail or f"nothing is newer than what {environment} runs of {rule.service.name}"
        raise Declined(NotRecorded(code=code, detail=detail, parts=parts))

    def _emergency(self, rules: Rules, said: Said, word: Emergency, at: datetime) -> Compose:
        rule, image = self._wanted(rules, word, at)
        where, what = rule.environment.name, rule.service.name
        return lambda look, tip: emergency(
            look, self._ground(tip), said, word, rule=rule_of(look, where, what), image=image
        )

    def _ground(self, tip: str) -> Ground:
        return Ground(self.desk.writer, self.desk.mirror.branch, tip)

    def _opened(self, named: str, at: datetime) -> int:
        """Return the number of what waits for a review and is meant. Raises: Declined.

        By ``#seq`` of its entry, ``#number`` of its pull request, its promotion, or its commit.
        """
        state = self.desk.view(at).state
        number = _number(_plain(named))
        if number in state.open:
            return number
        wanted = self._id_of(named)
        found = [seq for seq, one in state.open.items() if _is_named(state, one, wanted)]
        if len(found) != 1:
            choices = tuple(f"#{seq}" for seq in state.open)
            raise Declined(NotRecorded(code="unknown-review", detail=named[:40], choices=choices))
        return found[0]

    def _promotion(self, named: str, at: datetime) -> Promotion:
        """Return the promotion that is meant: by id, by the beginning of one, or by ``#number``. Raises: Declined."""
        state = self.desk.view(at).state
        wanted = self._id_of(named)
        found = [one for one in state.promotions if wanted and one.startswith(wanted)]
        if len(found) != 1:
            choices = tuple(one.id for one in state.under_way())
            raise Declined(NotRecorded(code="unknown-promotion", detail=named[:40], choices=choices))
        return state.promotions[found[0]]

    def _id_of(self, named: str) -> str:
        """Return the id that a name has or begins with; of ``#number`` the promotion whose pull request that is."""
        wanted = _plain(named)
        number = _number(wanted)
        if not named.startswith("#") or number is None or self.forge is None:
            return wanted
        return self.forge.branch_of(number).rpartition("/")[2] or wanted


def _refuse_part(rules: Rules, environment: str, service: str) -> None:
    """Refuse to move a member of a group by itself, and say what moves. Raises: Declined."""
    if group := rules.moves_with(environment, service):
        raise Declined(in_group(environment, service, group))


def _refuse_version(group: str, version: str) -> None:
    """Refuse a version of a group: each of its services has its own. Raises: Declined."""
    if version:
        detail = f"{group} is a group, whose services have versions of their own; it moves as it is now"
        raise Declined(NotRecorded(code=Code.NOT_WHOLE, detail=detail, choices=(group,)))


def _plain(named: str) -> str:
    return named.strip().removeprefix("#")


def _number(text: str) -> int | None:
    """Return the number that a text is; nothing where it is none, or one that no entry and no pull request has."""
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_NUMBER
    return int(text) if is_number else None


def _named(rules: Rules, environment: str) -> tuple[str, ...]:
    """Return one environment, or all where none is named."""
    return (environment,) if environment else tuple(rules.environments)


def _is_named(state: State, one: Open, wanted: str) -> bool:
    """Whether the beginning of a promotion or of a commit names what waits for a review."""
    promotion = state.promotions.get(one.promotion)
    commits = {one.commit, promotion.commit if promotion else ""}
    names = [one.promotion, *commits]
    return len(wanted) >= MIN_NAMED and any(name.startswith(wanted) for name in names if name)
