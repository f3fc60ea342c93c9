"""Asking outside for the gates of the rules: what could move is looked up, and what was found becomes facts."""

import json
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlsplit

from bot.errors import BotError, UnreadableError
from bot.index import Index
from bot.looking.quarantine import GATES, Jar
from bot.looking.survey import Survey
from bot.ports import Forge
from bot.registries import outside_http
from bot.registries.image_contents import Contents, ImageContents, Signatures
from bot.registries.oci import OK, Response
from bot.registries.signatures import TRUST_ROOT, CannotJudge, Judge, judge_of
from bot.repository.objects import Oid
from policies.codes import Code
from policies.decide import Candidate, Row, Standing, decide_row
from policies.entries.entry import Pinned
from policies.entries.facts import MAX_DETAIL, Fact, Finding
from policies.entries.reports import Report, ReportState, newest
from policies.errors import PolicyError
from policies.gates import OF_CONTENT, OUTSIDE_CODES, PLATFORMS, asks
from policies.images.evidence import Silence, Silent
from policies.images.image import Repository
from policies.rulebook.findings import visible
from policies.rulebook.outside_gates import compares, filled
from policies.rules.rules import EffectiveRule, Host, OutsideGate, Rules, effective
from policies.texts import json_pointer
from policies.world import About

_log = logging.getLogger(__name__)
# a gate is asked again at most so often, or as often as the environment's registries, for what moves next;
EVERY = timedelta(minutes=1)
EVERY_OFFERED = timedelta(
    minutes=5
)  # for what people may ask for, as an answer counts for ten minutes there;
EVERY_FAILED = timedelta(minutes=30)  # where it has failed: about a digest an answer counts for a day,
EVERY_PASSED = timedelta(hours=12)  # and where it has passed, it stays so
MAX_ASKED = 16  # gates in one pass; the rest has its turn in the next
# of asking in one pass: no gate's turn comes and no registry is asked after it, so that what was answered first is
# not too old (policies/entries/facts.py) when the last answer is there
LONGEST = timedelta(minutes=3)
MAX_CANDIDATES = 2  # of a place, where nobody is asked
MAX_OFFERED = 3  # of a place, where people are
WORKERS = 8
REVISION = "org.opencontainers.image.revision"  # OCI image specification, "Annotations"
_ABROAD = frozenset({"http", "prometheus"})


@dataclass(frozen=True, slots=True)
class Found:
    """What one look found; ``code`` '' where it passed."""

    verdict: Finding
    code: str = ""
    detail: str = ""


PASSED = Found(Finding.PASSED)


@dataclass(frozen=True, slots=True)
class Question:
    """One gate asked about one image in one place. ``head`` is the promotion's, '' where there is none."""

    rule: EffectiveRule
    gate: OutsideGate
    image: tuple[Pinned, ...]
    head: str
    target: str
    hosts: Mapping[str, Host]
    is_offer: bool = False
    trust_root: bytes | None = None

    @property
    def key(self) -> str:
        """What an answer is remembered by: it is another one when the gate's settings are others, or the commit."""
        named = sorted(self.settings.items())
        asked = (
            self.about,
            self.gate.name,
            self.gate.kind,
            named,
            self.rule.service.platforms,
            self.trust_root,
            self.commit,
        )
        return sha256(repr(asked).encode()).hexdigest()

    def every(self, known: Fact) -> timedelta:
        """How long its answer is good enough not to ask again."""
        if not self.is_offer:
            return min(self.rule.environment.interval, EVERY)
        if self.gate.kind not in OF_CONTENT or known.verdict is Finding.WAITING:
            return EVERY_OFFERED
        return EVERY_PASSED if known.verdict is Finding.PASSED else EVERY_FAILED

    @property
    def about(self) -> About:
        """What the fact will be about."""
        return (self.rule.environment.name, self.rule.service.name, tuple(one.digest for one in self.image))

    @property
    def settings(self) -> Mapping[str, tuple[str, ...]]:
        """The gate's settings."""
        return self.gate.settings

    def one(self, name: str) -> str:
        """Return a setting's one value, '' where it is left out."""
        return (*self.settings.get(name, ()), "")[0]

    @property
    def commit(self) -> str:
        """The commit of which checks are asked; '' where there is none yet, or where the image says it."""
        on = self.one("on") if self.gate.kind == "checks" else ""
        return {"head": self.head, "target": self.target}.get(on, "")

    def values(self) -> dict[str, str]:
        """Return what may stand in an address or a query."""
        environment, service, digests = self.about
        return {
            "environment": environment,
            "service": service,
            "version": self.image[0].tag,
            "digest": digests[0],
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be known at a time (UTC), and those questions of it that are asked now."""

    at: datetime
    questions: tuple[Question, ...]
    due: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class _Patience:
    """A registry's contents until a time (UTC); after it, nothing is asked."""

    contents: Contents
    now: Callable[[], datetime]
    until: datetime

    def content(self, repository: Repository, where: str, hosts: Mapping[str, Host]) -> bytes | Silence:
        """Return what stands there, or say that there is no time left."""
        if self.now() < self.until:
            return self.contents.content(repository, where, hosts)
        return Silence(Silent.SLOW, f"{repository} was not asked any more: gates took too long in this pass")


Answers = Sequence[tuple[Question, Fact]]


@dataclass(slots=True)
class Outside:
    """Asks, and remembers, in the index too. What it remembers may be lost: it is asked again then."""

    contents: Contents | None
    forge: Forge | None
    index: Index | None = None
    read: Callable[[Oid, str], bytes | None] | None = None  # a file of a commit
    jar: Jar | None = None  # where a note is kept of what cannot be read
    known: dict[str, Fact] = field(default_factory=dict)
    _is_recalled: bool = False

    def wanted(self, look: Survey) -> Wanted:
        """Return what is to be known of what could move or be asked for, and what of it is asked now."""
        self._recall()
        questions = tuple(self._rooted(one, look.tips.target) for one in _questions(look))
        waiting = [one for one in questions if self._is_due(one, look)]
        return Wanted(look.at, questions, tuple(sorted(waiting, key=self._turn)[:MAX_ASKED]))

    def ask(self, wanted: Wanted, now: Callable[[], datetime]) -> Answers:
        """Ask; it may take long, and touches nothing that others read: nobody has to wait meanwhile.

        Each answer bears the time (UTC) at which it came. What has no turn in time is left for the next pass.
        """
        until = now() + LONGEST
        contents = _Patience(self.contents, now, until) if self.contents else None
        asking = replace(self, contents=contents)

        def answered(question: Question) -> Answers:
            if now() >= until:
                return ()
            found = asking._asked(question)  # noqa: SLF001  ourselves, with less patience
            return ((question, _fact(question, found, now())),)

        abroad = [one for one in wanted.due if one.gate.kind in _ABROAD]
        with ThreadPoolExecutor(WORKERS) as pool:
            answers = list(pool.map(answered, abroad))
        answers += [answered(one) for one in wanted.due if one.gate.kind not in _ABROAD]
        if left := sum(not one for one in answers):
            _log.warning("gates took too long: %d of %d are left for the next pass", left, len(answers))
        return tuple(one for found in answers for one in found)

    def keep(self, wanted: Wanted, answers: Answers) -> dict[About, tuple[Fact, ...]]:
        """Remember what was answered, and return all that is known of what is to be known."""
        new = {question.key: fact for question, fact in answers}
        self._remember(new, {one.key for one in wanted.questions})
        facts: dict[About, tuple[Fact, ...]] = {}
        for one in wanted.questions:
            if fact := self.known.get(one.key):
                facts[one.about] = (*facts.get(one.about, ()), replace(fact, commit=one.commit))
        return facts

    def _rooted(self, question: Question, commit: Oid) -> Question:
        """Add the trust root that a gate names, as it stands on the target branch."""
        path = question.one(TRUST_ROOT)
        if not path or self.read is None:
            return question
        try:
            return replace(question, trust_root=self.read(commit, path))
        except (BotError, PolicyError) as error:
            _log.warning("the trust root %s cannot be read: %s", path, error)
            return question

    def _recall(self) -> None:
        """Take what an earlier process was answered."""
        if self.index is None or self._is_recalled:
            return
        try:
            self.known = self.index.facts() | self.known
            self._is_recalled = True
        except BotError as error:
            _log.warning("answers of gates are not recalled: %s", error)

    def _remember(self, new: Mapping[str, Fact], wanted: Collection[str]) -> None:
        forgotten = self.known.keys() - wanted
        self.known = {key: fact for key, fact in {**self.known, **new}.items() if key in wanted}
        if self.index is None or not (new or forgotten):
            return
        try:
            self.index.remember_facts(new, forgotten)
        except BotError as error:
            _log.warning("answers of gates are not remembered: %s", error)

    def _is_due(self, question: Question, look: Survey) -> bool:
        known = self.known.get(question.key)
        return known is None or known.looked + question.every(known) <= look.at

    def _turn(self, question: Question) -> tuple[bool, datetime]:
        """Order what is asked: what moves next before what is offered, then what was asked longest ago."""
        known = self.known.get(question.key)
        return question.is_offer, known.looked if known else datetime.min.replace(tzinfo=UTC)

    def _asked(self, question: Question) -> Found:
        """Ask one gate; whatever goes wrong is unknown, and so waits."""
        try:
            return _ASK[question.gate.kind](self, question)
        except (BotError, PolicyError) as error:
            if self.jar is not None:
                self.jar.hear(GATES, _about(question), error)
            return _unknown(f"{question.gate.name}: {error}")

    def _silent(self, question: Question, silence: Silence) -> Found:
        """Say why an image does not tell what is asked; a note is kept of what came and could not be read."""
        if self.jar is not None and silence.code is Silent.INVALID:
            self.jar.put(GATES, _about(question), silence.detail)
        return _unknown(silence.detail)

    # --- one question of each kind --------------------------------------------------------------------------

    def _http(self, question: Question) -> Found:
        answer = _get(question, filled(question.one("url"), **_quoted(question.values())))
        if isinstance(answer, Found):
            return answer
        said = answer.body.decode("utf-8", "replace").strip()
        if pointer := question.one("json"):
            said = json_pointer.spelled(json_pointer.at(_document(answer), pointer))
        wanted = question.settings.get("is", ())
        if not wanted or said in wanted:
            return PASSED
        return _waiting(
            Code.CONDITION_NOT_MET, f"it says {said[:60]!r}, expected {' or '.join(wanted)[:80]!r}"
        )

    def _prometheus(self, question: Question) -> Found:
        query = quote(filled(question.one("query"), **question.values()), safe="")
        answer = _get(question, f"{question.one('url').rstrip('/')}/api/v1/query?query={query}")
        if isinstance(answer, Found):
            return answer
        numbers = _numbers(_document(answer))
        comparison = question.one("is")
        wrong = [one for one in numbers if not compares(one, comparison)]
        if numbers and not wrong:
            return PASSED
        said = f"it is {wrong[0]:g}" if wrong else "the query has no result"
        return _waiting(Code.CONDITION_NOT_MET, f"{said}, expected {comparison}")

    def _signature(self, question: Question) -> Found:
        judge = judge_of(question.settings, question.trust_root)
        if isinstance(judge, CannotJudge):
            return _waiting(judge.code, judge.detail)
        signers: dict[str, None] = {}
        for repository, digest, image in self._images(question):
            found = image.signatures()
            by, wrong = _judged(found, judge, repository, digest)
            if by:
                signers[by] = None
            elif found.silence:
                return self._silent(question, found.silence)
            elif not found.found:
                return _waiting(Code.SIGNATURE_MISSING, f"{repository} has none for {digest[:19]}")
            else:
                return Found(
                    Finding.FAILED, Code.SIGNATURE_INVALID.value, f"{len(found.found)} found; {wrong}"
                )
        return Found(Finding.PASSED, detail=f"by {' and '.join(signers)}{_rooted(question)}")

    def _labels(self, question: Question) -> Found:
        for repository, _, image in self._images(question):
            labels = image.labels()
            if isinstance(labels, Silence):
                return self._silent(question, labels)
            for wanted in question.settings.get("has", ()):
                name, _, value = wanted.partition("=")
                if labels.get(name) != value:
                    what = f"{repository}: {name} is {labels.get(name, 'missing')[:60]!r}, expected {value[:60]!r}"
                    return Found(Finding.FAILED, Code.LABEL_DIFFERS.value, what)
        return PASSED

    def _platforms(self, question: Question) -> Found:
        for repository, _, image in self._images(question):
            built = image.platforms()
            if isinstance(built, Silence):
                return self._silent(question, built)
            for wanted in question.rule.service.platforms:
                if wanted not in built:
                    what = f"{repository} is not built for {wanted}"
                    return Found(Finding.FAILED, Code.PLATFORM_MISSING.value, what)
        return PASSED

    def _checks(self, question: Question) -> Found:
        reports = self._reports(question)
        if isinstance(reports, Found):
            return reports
        for name in question.settings.get("names", ()):
            ended = newest(name, [reports])
            if any(one.state is ReportState.FAILURE for one in ended):
                return Found(Finding.FAILED, Code.CHECKS_FAILED.value, f"{name} has failed")
            if not ended or any(one.name == name and one.state is ReportState.PENDING for one in reports):
                return _waiting(Code.CHECKS_PENDING, f"{name} has not succeeded yet")
        return PASSED

    def _reports(self, question: Question) -> tuple[Report, ...] | Found:
        """Return what is reported on the commit that the gate means."""
        if self.forge is None:
            return _unknown("there is no forge to ask; set GITHUB_APP_ID or GITHUB_TOKEN")
        if (question.one("on") or "source") == "source":
            return self._source_reports(self.forge, question)
        if not question.commit:
            return _waiting(Code.CHECKS_PENDING, "there is no pull request yet")
        return tuple(self.forge.reports(question.commit))

    def _source_reports(self, forge: Forge, question: Question) -> tuple[Report, ...] | Found:
        """Return what is reported on the commit that the image was built of, by its revision label."""
        source = source_of(question.rule.service.source)
        if not source:
            return _unknown("the rules do not say where the service's code is (`source: owner/name`)")
        for repository, _, image in self._images(question):
            labels = image.labels()
            if isinstance(labels, Silence):
                return self._silent(question, labels)
            if not labels.get(REVISION):
                return _unknown(f"{repository} does not say which commit it was built of ({REVISION})")
            return tuple(forge.reports(labels[REVISION], source))
        return _unknown("there is no image to ask about")

    def _images(self, question: Question) -> Iterator[tuple[str, str, ImageContents]]:
        """Yield each image: the repository that it is pulled from, its digest, and a reader of it."""
        if self.contents is None:
            raise PolicyError("no registry can be asked here")
        for one in question.image:
            repository = Repository(one.repository)
            yield (
                one.repository,
                one.digest,
                ImageContents(self.contents, question.hosts, repository, one.digest),
            )


_ASK: Mapping[str, Callable[[Outside, Question], Found]] = {
    "http": Outside._http,  # noqa: SLF001  a table of its own methods
    "prometheus": Outside._prometheus,  # noqa: SLF001  the same
    "signature": Outside._signature,  # noqa: SLF001  the same
    "labels": Outside._labels,  # noqa: SLF001  the same
    PLATFORMS: Outside._platforms,  # noqa: SLF001  the same
    "checks": Outside._checks,  # noqa: SLF001  the same
}


def _about(question: Question) -> str:
    environment, service, _ = question.about
    return f"{question.gate.name} of {environment}/{service}"


def _judged(found: Signatures, judge: Judge, repository: str, digest: str) -> tuple[str, str]:
    """Return who signed, '' where nobody did who may, and what is wrong with the last one."""
    wrong = ""
    for one in found.found:
        try:
            return judge(one, repository, digest), ""
        except PolicyError as error:
            wrong = str(error)
    return "", wrong


def _rooted(question: Question) -> str:
    """Name the trust root that an answer rests on, so that a fact tells it."""
    return (
        f", trust root sha256:{sha256(question.trust_root).hexdigest()[:12]}" if question.trust_root else ""
    )


def source_of(text: str) -> str:
    """Return OWNER/NAME of a service's source: written so, or as the address of a page at the forge; '' = neither."""
    path = urlsplit(text).path if "://" in text else text
    parts = [part for part in path.removesuffix(".git").split("/") if part]
    return "/".join(parts[:2]) if len(parts) >= 2 else ""  # noqa: PLR2004  owner and name


def asks_outside(rules: Rules) -> bool:
    """Whether anything in the rules is asked outside."""
    environments = (*rules.environments.values(), *rules.exceptions.values())
    return any(one.gates for one in environments) or any(one.platforms for one in rules.services.values())


def _gates(rule: EffectiveRule) -> tuple[OutsideGate, ...]:
    """Return what a rule asks outside: its gates, and the platforms that the service names."""
    own = (OutsideGate(PLATFORMS, PLATFORMS),) if rule.service.platforms else ()
    return (*rule.environment.gates, *own)


def _fact(question: Question, found: Found, at: datetime) -> Fact:
    detail = visible(" ".join(found.detail.split()))[:MAX_DETAIL]
    return Fact(question.gate.name, found.verdict, found.code, detail, at.replace(microsecond=0))


def _questions(look: Survey) -> Iterator[Question]:
    """Yield what is to be asked: about what is under way, what could move next, what people could ask for next."""
    rules = look.world.rules
    for environment, service in look.places:
        rule = effective(rules, environment, service)
        gates = _gates(rule) if rule else ()
        if rule is None or not gates:
            continue
        row = decide_row(look.world, environment, service, look.at)
        for candidate in _asked_about(row, rule) if row else ():
            image = candidate.images(rule)
            promotion = look.state.promotions.get(candidate.promotion)
            head = promotion.head if promotion else ""
            is_offer = rule.environment.is_guarded and promotion is None
            if image and all(one.digest for one in image):
                for gate in gates:
                    if asks(gate, is_offer=is_offer):
                        yield Question(rule, gate, image, head, look.tips.target, rules.registries, is_offer)


def _asked_about(row: Row, rule: EffectiveRule) -> list[Candidate]:
    live = [one for one in row.candidates if one.promotion]
    if rule.environment.is_guarded:
        return live + _offered(row)
    if live:
        return live
    could = [
        one
        for one in row.candidates
        if one.verdict is not Standing.REFUSED or set(one.codes) <= OUTSIDE_CODES
    ]
    return could[:MAX_CANDIDATES]


def _offered(row: Row) -> list[Candidate]:
    """Return the versions that people may ask for but for what is asked outside: down to the first that passes."""
    found: list[Candidate] = []
    for candidate in row.candidates:
        left = set(candidate.codes) - {Code.NOT_REQUESTED, Code.OPEN_ELSEWHERE}
        if not candidate.promotion and left <= OUTSIDE_CODES:
            found.append(candidate)
            if not left or len(found) == MAX_OFFERED:
                break
    return found


def _get(question: Question, url: str) -> Response | Found:
    host, name = urlsplit(url).netloc, urlsplit(url).hostname or ""
    rule = question.hosts.get(host) or question.hosts.get(name) or Host()
    answer = outside_http.get(url, rule)
    if not isinstance(answer, Response):
        return _unknown(answer.detail)
    return answer if answer.status == OK else _unknown(f"{host} answered {answer.status}")


def _document(answer: Response) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("the answer is not JSON") from error


def _numbers(document: Any) -> list[float]:
    """Return the numbers of an instant query's result (Prometheus, HTTP API). Raises: UnreadableError."""
    try:
        kind, result = (json_pointer.at(document, f"/data/{part}") for part in ("resultType", "result"))
        rows = [result] if kind == "scalar" else [row["value"] for row in result]
        return [float(value) for _, value in rows]
    except (TypeError, ValueError, KeyError, PolicyError) as error:
        raise UnreadableError("the answer is no vector and no scalar; expected an instant query") from error


def _quoted(values: Mapping[str, str]) -> dict[str, str]:
    return {name: quote(value, safe="") for name, value in values.items()}


def _waiting(code: Code, detail: str) -> Found:
    return Found(Finding.WAITING, code.value, detail)


def _unknown(detail: str) -> Found:
    return _waiting(Code.GATE_UNKNOWN, detail)
