"""Rules, a look, cards and an engine of values for the tests of this floor."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.answers import Answer, Awaiting, NotRecorded, Recorded
from bot.cards import Card, CardLine, CardStage, Who
from bot.looking.on_demand import Listed
from bot.ports import Asked
from bot.promoting.brings import Brings
from handlers.slack.names import Names
from policies.codes import Code
from policies.decide import Candidate, Decision, Row, Standing
from policies.entries.entry import By, Kind, Pinned, RuleAt
from policies.entries.membership import Members
from policies.growing import Trail
from policies.images.image import Repository
from policies.images.selection import SelectionPolicy
from policies.ledger.state import Approval, Move, Promotion, Stage, State
from policies.ledger.state import Standing as InForce
from policies.rules.rules import Environment, Line, Person, Position, Rules, Service, Team
from policies.verdict import Waiting
from policies.words import Pair, Speaker, Word

AT = datetime(2026, 11, 20, 14, 28, tzinfo=UTC)
HERE = Position("promotion/rules.yaml", 1, 1)
IMAGE = Repository("ghcr.io/example/checkout-api")
DIGEST = "sha256:" + "9b1c" * 16
PROMOTION = "7f3a9c2e41d0"
CHANGE = "c0ffee" * 10 + "abcd"
NAMES = Names(
    ("cart-api", "checkout-api", "checkout-worker", "web"), ("staging", "production-eu", "production-us")
)


def service(name: str) -> Service:
    return Service(name, (IMAGE,), SelectionPolicy.semver("1.x"), "1.x", HERE, owner="platform")


def environment(name: str, *lines: Line) -> Environment:
    return Environment(name, (f"apps/{name}",), "deploys", lines, HERE)


RULES = Rules(
    environments={
        "staging": environment("staging"),
        "production": environment("production", Line(2, ("release-managers",))),
    },
    services={name: service(name) for name in ("checkout-api", "cart-api")},
    people={name: Person(name, f"U0{name.upper()}") for name in ("ada", "bob", "carol")},
    teams={"release-managers": Team("release-managers", ("ada", "bob", "carol"))},
)


def by(person: str) -> By:
    return By(person, "button", "T0", f"U0{person.upper()}")


def promotion(stage: Stage = Stage.OPEN, *approvers: str, ended_by: str = "") -> Promotion:
    return Promotion(
        id=PROMOTION,
        kind=Kind.PROPOSE,
        environment="production",
        service="checkout-api",
        image=(Pinned(IMAGE, "1.4.2", DIGEST),),
        previous=(Pinned(IMAGE, "1.4.1"),),
        change=CHANGE,
        rule=RuleAt("a" * 40, ("promotion/rules.yaml",), "b" * 64),
        head="d" * 40,
        by=by("carol"),
        opened=AT,
        note="",
        seq=7,
        stage=stage,
        approvals=tuple(Approval(by(one), AT, 8 + n) for n, one in enumerate(approvers)),
        ended_by=by(ended_by) if ended_by else None,
        done=AT if ended_by else None,
    )


def state(*promotions: Promotion) -> State:
    found = State("2026")
    for one in promotions:
        found.promotions[one.id] = one
        if one.is_live:
            found.live[one.environment, one.service] = one.id
    move = Move((Pinned(IMAGE, "1.4.2", DIGEST),), (Pinned(IMAGE, "1.4.1"),), "e" * 40, AT, 5, Kind.BUMP)
    found.moves["staging", "checkout-api"] = Trail((move,))
    found.freezes["production"] = InForce(by("ada"), AT, "audit", "", AT + timedelta(days=1), 6)
    return found


def row(where: str, what: str, current: str, *candidates: Candidate) -> Row:
    best = candidates[0] if candidates else None
    return Row(
        where,
        what,
        current,
        best.verdict if best else Standing.CURRENT,
        best.codes if best else ("current",),
        candidates,
    )


DECISION = Decision(
    AT,
    "f" * 40,
    (
        row("staging", "checkout-api", "1.4.2"),
        row("staging", "cart-api", "2.0.0"),
        row(
            "production",
            "checkout-api",
            "1.4.1",
            Candidate(
                "1.4.2",
                DIGEST,
                Standing.WAITING,
                (Waiting(Code.FROZEN, "audit", AT + timedelta(days=1)), Waiting(Code.NOT_REQUESTED, "")),
            ),
        ),
        row("production", "cart-api", "2.0.0"),
    ),
)


@dataclass(frozen=True)
class LookOfValues:
    rules: Rules = RULES
    decision: Decision = DECISION
    state: State = field(default_factory=state)
    problem: str = ""
    members: Members = field(default_factory=dict)
    is_checked: bool = True
    since: datetime | None = None
    is_observing: bool = False

    def current_since(self, _environment: str, _service: str) -> datetime | None:
        return self.since


CODE = Asked(
    "WDJB-MJHT", "https://github.com/login/device", "s3cret", timedelta(seconds=5), timedelta(minutes=15)
)


@dataclass
class EngineOfValues:
    """Answers as it was told to and remembers what was said."""

    answer: Callable[[Word], Answer] = lambda _word: Recorded(kind=Kind.PROPOSE)
    view: LookOfValues = field(default_factory=LookOfValues)
    candidates: Mapping[str, Candidate] = field(default_factory=dict)
    heard: list[tuple[Speaker, Word]] = field(default_factory=list)
    brought: tuple[Brings, ...] = ()
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    listed: tuple[Listed, ...] = ()
    outside: Callable[[], None] = lambda: None  # called where registries or the forge would be asked
    checked: list[tuple[str, ...]] = field(default_factory=list)
    begun: Asked | NotRecorded = CODE
    ended: Answer | None = None
    linking: list[tuple[Speaker, Callable[[Answer], None]]] = field(default_factory=list)

    def say(self, speaker: Speaker, word: Word) -> Answer:
        self.heard.append((speaker, word))
        return self.answer(word)

    def prepare(self, speaker: Speaker, word: Pair) -> Awaiting | NotRecorded:
        until = AT + timedelta(days=1)
        return Awaiting(what=word, first=speaker, person="ada", asked=AT, until=until, facts=("an entry",))

    def look(self) -> LookOfValues:
        return self.view

    def why(self, environment: str, service: str, version: str) -> Candidate | None:
        found = self.candidates.get(environment)
        return found if found and (service, version) == ("checkout-api", found.version) else None

    def brings(self, service: str, version: str, environment: str) -> tuple[Brings, ...]:
        self.outside()
        self.asked.append((service, version, environment))
        return self.brought

    def check(self, services: Iterable[str]) -> tuple[Listed, ...]:
        self.outside()
        self.checked.append(tuple(services))
        return self.listed

    def link(self, speaker: Speaker, tell: Callable[[Answer], None]) -> Asked | NotRecorded:
        self.linking.append((speaker, tell))
        if self.ended is not None:
            tell(self.ended)
        return self.begun

    def is_outside(self, team: str, slack_user: str) -> bool:
        return not (team and slack_user)

    def is_surely_outside(self, team: str, slack_user: str) -> bool:
        return self.is_outside(team, slack_user)

    def person_of(self, slack_user: str) -> str:
        person = next((one for one in RULES.people.values() if slack_user and one.slack == slack_user), None)
        return person.name if person else ""


@dataclass(frozen=True)
class FixedClock:
    at: datetime = AT

    def now(self) -> datetime:
        return self.at


ADA, BOB, CAROL = (Who(name, f"U0{name.upper()}") for name in ("ada", "bob", "carol"))


def card(stage: CardStage = CardStage.OPEN, **more: object) -> Card:
    facts: dict[str, object] = {
        "what": "checkout-api/production/1.4.2",
        "channel": "deploys",
        "environment": "production",
        "service": "checkout-api",
        "version": "1.4.2",
        "previous": "1.4.1",
        "digest": DIGEST,
        "stage": stage,
        "repository": IMAGE,
        "promotion": PROMOTION,
        "change": CHANGE,
        "number": 418,
        "url": "https://github.com/example/gitops/pull/418",
        "requester": CAROL,
        "asked": AT,
        "expires": AT + timedelta(days=1),
        "lines": (CardLine("2 of release-managers", (ADA,), 1),),
        **more,
    }
    return Card(**facts)  # type: ignore[arg-type]  # the names are those of the card
