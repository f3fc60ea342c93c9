"""Every door is walked up to by who may not: nothing changes on the remote but what is written down of refusals."""

import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from bot.answers import Awaiting
from bot.cards import CardStage
from bot.rounds import Rounds
from bot.sign_in import DeviceFlow
from handlers.doors import DOORS
from handlers.http import web
from handlers.shell import cli
from handlers.slack import approve_all, everything, second
from handlers.slack.app import PROMOTE_IMAGE, PROMOTE_THIS
from handlers.slack.cards import render
from handlers.slack.errands import Errands
from handlers.slack.strangers import NOBODY
from handlers.webhooks import Doorbell, webhooks
from policies.ledger.state import Stage
from policies.words import Approve, Block, Emergency, Freeze, Hold, Propose, Redact, Speaker
from sandbox.forge.twin import User
from sandbox.gitops import CHECKOUT, WEB
from sandbox.http import serve
from sandbox.slack.courier import Courier
from sandbox.slack.feed import EventKind, Message, View
from sandbox.slack.members import User as Member
from sandbox.slack.people import Person, words
from tests.handlers.samples import card
from tests.scenarios.offices import TEAM, Office, office_in
from tests.scenarios.rooms import Entrance

SECRET = "sandbox-webhook-secret"
CLIENT = "Iv23liSandbox0002"
RULE = "approvals: 2 of release-managers\n"
EMERGENCY = "    emergency: {approvals: 1 of ada or bob, tell: incidents, review: 2d, skips: [freeze]}\n"
MINE = "You asked for it, so somebody else approves."
UNNAMED = "The rule does not name you for this."
UNLINKED = NOBODY


@dataclass
class Porch:
    """Everything that a door is reached by, before one office."""

    office: Office
    promotion: str
    number: int
    review: int
    slack: str
    errands: Errands
    finish: Callable[[], None]
    capsys: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch
    rang: threading.Event = field(default_factory=threading.Event)
    hook: str = ""

    def person(self, name: str) -> Person:
        """Return somebody of the workspace, whose gestures reach our Slack door."""
        world = self.office.world
        return Person(world.slack, Courier(self.slack, world.settings["SLACK_SIGNING_SECRET"]), name)

    def heard(self, name: str) -> dict[str, str]:
        """Return what somebody was told alone, by its time."""
        workspace = self.office.world.slack.workspace
        found = (*workspace.whispers(name), *workspace.messages(workspace.direct(name).id))
        return {one.ts: words(one) for one in found}

    def post(self, stage: CardStage, **more: object) -> Message:
        """Post a card as we draw it."""
        drawn = render(card(stage, **more), 1)
        return self.office.world.slack.workspace.post("C0DEPLOYS", "U0BOT", drawn.text, drawn.blocks)

    def open_card(self) -> Message:
        """Post the card of what is open."""
        promotion = self.office.engine.look().state.promotions[self.promotion]
        return self.post(
            CardStage.OPEN, promotion=promotion.id, change=promotion.change, version=promotion.image[0].tag
        )

    def home(self, name: str) -> View:
        """Return somebody's Home."""
        workspace = self.office.world.slack.workspace
        since, person = workspace.feed.position, self.person(name)
        person.open_home()
        shown = workspace.wait_for(
            lambda one: one.kind is EventKind.HOME_PUBLISHED and one.only_for in {"", person.id},
            5,
            since=since,
        )
        assert shown.view is not None
        return shown.view

    def ring(self, secret: str) -> int:
        """Send what GitHub sends when a package was published; return the answer's status."""
        body = b'{"action": "published"}'
        proof = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        connection = HTTPConnection(urlsplit(self.hook).netloc, timeout=10)
        connection.request(
            "POST", "/webhooks", body, {"X-GitHub-Event": "registry_package", "X-Hub-Signature-256": proof}
        )
        status = connection.getresponse().status
        connection.close()
        return status

    def run(self, *arguments: str) -> str:
        """Run a command as another process would: a state folder of its own; return what it printed."""
        world = self.office.world
        for name, value in world.settings.items():
            self.patch.setenv(name, value)
        self.patch.setenv("HOME", str(world.folder / "home"))
        self.patch.setenv("XDG_STATE_HOME", str(world.folder / "state-of-the-command-line"))
        self.patch.setattr("bot.assembly.SystemClock", lambda: self.office.clock)  # both live at one time
        code = cli.main(arguments, cli.Doors(_no_server, lambda _: self.office.engine.chat))
        said = self.capsys.readouterr()
        assert code in {0, 1}, said.err
        return said.out + said.err

    def remote(self) -> tuple[str, list[str]]:
        """Return every branch but the ledger's, and the kinds of what the ledger says of decisions."""
        git = self.office.world.git
        refs = git.text("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads").splitlines()
        kinds = [kind for kind in self.office.kinds() if kind not in {"refused", "shown"}]
        return "\n".join(ref for ref in refs if not ref.startswith("refs/heads/ledger/")), kinds


def _no_server(*_: object, is_observing: bool) -> None:
    raise AssertionError(f"nobody asked for a server, observing: {is_observing}")


@pytest.fixture(scope="module")
def open_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, str, int]]:
    """Open an office in which much could be decided, and nothing by who comes to its doors.

    1.4.2 is in production by an emergency that nobody has reviewed, 1.4.3 was asked for by Carol, 1.4.4 would move to
    staging, were it not frozen. Erin is linked and in no team, Dan is a guest, Mallory is known to the forge alone.
    """
    with office_in(tmp_path_factory.mktemp("doors")) as made:
        for user in (User(4242, "erin-k", "token-erin"), User(5, "mallory", "token-mallory")):
            made.world.forge.register(user)
        workspace = made.world.slack.workspace
        workspace.set_user(Member("U0ERIN", "erin", "Erin", "erin@example.com"))
        workspace.invite("erin", "deploys")
        made.world.forge.let_sign_in(CLIENT)
        made.engine.sign_in = DeviceFlow.open(CLIENT, made.world.addresses["forge"])
        made.engine.__post_init__()
        made.change_rules("people.yaml", "\nteams:", "\n  erin: {slack: U0ERIN, github: erin-k}\nteams:")
        made.change_rules("rules.yaml", RULE, RULE + EMERGENCY)
        made.world.push(CHECKOUT, "1.4.2")
        made.look()
        made.say("ada", Emergency(CHECKOUT, "1.4.2", "production", "payments fail"))
        promotion = made.asked("1.4.3")
        for word in (
            Freeze(("staging",), "a demo"),
            Hold(WEB, "a demo", "production"),
            Block(WEB, "2.4.0", "it leaks"),
        ):
            made.say("bob", word)
        made.world.push(CHECKOUT, "1.4.4")
        made.look()
        made.look()
        (review,) = made.engine.look().state.open
        yield made, promotion, review


@pytest.fixture
def porch(
    open_office: tuple[Office, str, int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Porch]:
    """Stand before the office, at doors that are open to requests."""
    office, promotion, review = open_office
    door = Entrance.of(office)
    number = len(office.engine.look().state.promotions)  # one pull request each
    made = Porch(office, promotion, number, review, "", door.errands, door.finish, capsys, monkeypatch)
    rounds = Rounds(office.engine)

    def ring(is_package: bool) -> None:  # noqa: FBT001  as the doorbell calls it
        assert is_package
        rounds.ask_everything()
        rounds.tick(office.clock.now())
        made.rang.set()

    bell = Doorbell(ring, quiet_seconds=0.01)
    more = [webhooks(SECRET, bell)]
    with serve(web(door.app, secret=door.secret, health=lambda: {"ok": True}, more=more)) as url:
        made.slack, made.hook = f"{url}/slack/events", url
        yield made
        door.finish()
        bell.close()


Knock = Callable[[Porch, str], None]  # what somebody does at a door


def types(line: str) -> Knock:
    """Return what types a command."""

    def knock(porch: Porch, who: str) -> None:
        text = line.format(number=porch.number, review=porch.review)
        assert porch.person(who).command(f"/promote {text}").is_ok

    return knock


def presses(button: str, stage: CardStage, **more: object) -> Knock:
    """Return what presses a button of a card."""

    def knock(porch: Porch, who: str) -> None:
        post = porch.open_card() if stage is CardStage.OPEN else porch.post(stage, **more)
        assert porch.person(who).click(post, button).is_ok

    return knock


def fills(knock: Knock, answers: dict[str, str]) -> Knock:
    """Return what opens a form and sends it."""

    def knocks(porch: Porch, who: str) -> None:
        since = porch.office.world.slack.workspace.feed.position
        knock(porch, who)
        person = porch.person(who)
        assert person.submit(person.sees_view(since=since), answers).is_ok

    return knocks


def uses(callback: str) -> Knock:
    """Return what uses a shortcut, on a message where it wants one."""

    def knock(porch: Porch, who: str) -> None:
        message = porch.post(CardStage.CANDIDATE) if callback == PROMOTE_THIS else None
        assert porch.person(who).shortcut(callback, message).is_ok

    return knock


def looks_at_home(porch: Porch, who: str) -> None:
    """Open the Home."""
    porch.home(who)


def begins_at_home(porch: Porch, who: str) -> None:
    """Press the Home's own button."""
    assert porch.person(who).click(porch.home(who), "Promote an image...").is_ok


def presses_at_home(porch: Porch, who: str) -> None:
    """Press Approve of another's Home: a forged click, for the own one does not show it."""
    home = porch.home("bob")
    assert porch.person(who).click(home, "Approve").is_ok


def corrects(porch: Porch, who: str) -> None:
    """Mistype, and press the corrected command."""
    person = porch.person(who)
    since = porch.office.world.slack.workspace.feed.position
    person.command(f"/promote aprove #{porch.number}")
    whisper = person.sees("aprove", since=since).message
    assert whisper is not None
    assert person.click(whisper, "run_0").is_ok


def links(login: str) -> Knock:
    """Return what asks for a code and types it as this login."""

    def knock(porch: Porch, who: str) -> None:
        person = porch.person(who)
        since = porch.office.world.slack.workspace.feed.position
        person.command("/promote link")
        person.sees("/login/device", since=since)
        (pending,) = porch.office.engine._linking.pending.values()
        porch.office.world.forge.type_code(pending.asked.code, login=login)
        porch.office.clock.wind(seconds=6)
        porch.office.engine.run_pass()

    return knock


def reviews(state: str) -> Knock:
    """Return what reviews the pull request at the forge."""

    def knock(porch: Porch, who: str) -> None:
        porch.office.world.forge.review(porch.number, login=who, state=state, body="the port is wrong")
        porch.office.look()

    return knock


def runs(*arguments: str) -> Knock:
    """Return what runs a command; whoever may run it is an operator, and no approver for it."""

    def knock(porch: Porch, _who: str) -> None:
        porch.run(*arguments)

    return knock


def ticks(porch: Porch, _who: str) -> None:
    """Let the time of a pass come."""
    Rounds(porch.office.engine).tick(porch.office.clock.now())


def wakes(porch: Porch, _who: str) -> None:
    """Let GitHub's webhook wake a pass, after a forged one that wakes none."""
    assert porch.ring("guessed") == 401
    assert not porch.rang.wait(0.05)
    assert porch.ring(SECRET) == 202
    assert porch.rang.wait(10)


def presses_unknown(porch: Porch, who: str) -> None:
    """Press a button that this version does not draw, with the value of one that it does."""
    text = {"type": "plain_text", "text": "Go"}
    promotion = porch.office.engine.look().state.promotions[porch.promotion]
    value = f"{promotion.id}|{promotion.change[:12]}"
    button = {"type": "button", "action_id": "merge_all", "text": text, "value": value}
    post = porch.office.world.slack.workspace.post(
        "C0DEPLOYS", "U0BOT", "x", [{"type": "actions", "elements": [button]}]
    )
    assert porch.person(who).click(post, "Go").is_ok


def confirms(first: str) -> Knock:
    """Return what confirms, in a second's name, what somebody is said to have asked for."""

    def knock(porch: Porch, who: str) -> None:
        office = porch.office
        (seq,) = [one.seq for one in office.entries("hold")]
        speaker = Speaker(TEAM, f"U0{first.upper()}", "command", "1")
        at = office.clock.now()
        of = Awaiting(what=Redact(seq, "x"), first=speaker, person=first, asked=at, until=at)
        drawn = second.card(of)
        post = office.world.slack.workspace.post("C0DEPLOYS", "U0BOT", drawn.text, drawn.blocks)
        assert porch.person(who).click(post, "Confirm").is_ok

    return knock


def asks_for_all(porch: Porch, who: str) -> None:
    """Press the button of a list that somebody else was shown: two versions, one of which is under way."""
    words = [Propose(CHECKOUT, "1.4.3", "production"), Propose(WEB, "2.4.0", "production")]
    blocks = [{"type": "actions", "block_id": "buttons", "elements": [everything.asks_all(words)]}]
    post = porch.office.world.slack.workspace.post("C0DEPLOYS", "U0BOT", "x", blocks)
    assert porch.person(who).click(post, "Ask for all 2").is_ok


def approves_all(porch: Porch, who: str) -> None:
    """Press the button of a list that somebody else was shown: what is open, and what nobody knows."""
    promotion = porch.office.engine.look().state.promotions[porch.promotion]
    approves = [Approve(promotion.id, promotion.change[:12]), Approve("0123456789ab", "0123456789ab")]
    blocks = [{"type": "actions", "block_id": "buttons", "elements": [approve_all.approves_all(approves)]}]
    post = porch.office.world.slack.workspace.post("C0DEPLOYS", "U0BOT", "x", blocks)
    assert porch.person(who).click(post, "Approve all 2").is_ok


STANDING = {"health": "unhealthy", "version": "1.4.2"}
OPENED = {"service": CHECKOUT, "version": "1.4.3", "environment": "production", "why": "we want it"}
BECAUSE = {"reason": "pods restart"}
ROLLS_BACK = presses("Roll back...", CardStage.LANDED, **STANDING)
REJECTS = presses("Reject...", CardStage.OPEN)

# door, who comes to it, what they do, what they are told alone ("" = nobody is told, or the log)
KNOCKS: list[tuple[str, str, Knock, str]] = [
    *(
        ("/promote ...", who, types(line), told)
        for who, line, told in (
            ("dan", f"{CHECKOUT} 1.4.3 to production because x", UNLINKED),
            ("carol", "approve #{number}", MINE),
            ("erin", "approve #{number}", UNNAMED),
            ("ada", "unapprove #{number}", "You have not approved it"),
            ("erin", "reject #{number} because x", UNNAMED),
            ("erin", "cancel #{number}", UNNAMED),
            ("dan", f"rollback {CHECKOUT} in production because x", UNLINKED),
            ("dan", f"hold {CHECKOUT} in production because x", UNLINKED),
            ("erin", f"resume {WEB} in production because x", UNNAMED),
            ("dan", f"block {CHECKOUT} 1.4.3 because x", UNLINKED),
            ("erin", f"unblock {WEB} 2.4.0 because x", UNNAMED),
            ("dan", "freeze production because x", UNLINKED),
            ("dan", "unfreeze staging because x", UNLINKED),
            ("carol", f"emergency {CHECKOUT} 1.4.4 to production because x", UNNAMED),
            ("ada", "review #{review} because it was right", MINE),
            ("erin", "redact #{review} because x", UNNAMED),
            ("dan", "redact #{review} because x", UNLINKED),
            ("ada", "redact #1 because x", "There are no words to hide"),
            ("ada", "fork because x", "there is nothing to give up"),
        )
    ),
    ("Approve, on a card or in the App Home", "carol", presses("Approve", CardStage.OPEN), MINE),
    ("Approve, on a card or in the App Home", "erin", presses("Approve", CardStage.OPEN), UNNAMED),
    ("Approve, on a card or in the App Home", "dan", presses("Approve", CardStage.OPEN), UNLINKED),
    ("Approve, on a card or in the App Home", "carol", presses_at_home, MINE),
    ("Reject..., which opens its form", "erin", REJECTS, ""),
    ("the form of Reject...", "erin", fills(REJECTS, BECAUSE), UNNAMED),
    ("Promote, on a candidate", "dan", presses("Promote", CardStage.CANDIDATE), UNLINKED),
    ("Roll back..., which opens its form", "dan", ROLLS_BACK, ""),
    ("the form of Roll back...", "dan", fills(ROLLS_BACK, BECAUSE), UNLINKED),
    ("Confirm, on what somebody else asked for", "ada", confirms("ada"), MINE),
    ("Confirm, on what somebody else asked for", "erin", confirms("ada"), UNNAMED),
    ("Confirm, on what somebody else asked for", "bob", confirms("erin"), UNNAMED),
    ("Confirm, on what somebody else asked for", "dan", confirms("ada"), UNLINKED),
    ("Ask for all, below the list of /promote all", "dan", asks_for_all, UNLINKED),
    ("Ask for all, below the list of /promote all", "carol", asks_for_all, "Asked for 0 of 2:"),
    ("Approve all, below the list of /promote approve all", "dan", approves_all, UNLINKED),
    ("Approve all, below the list of /promote approve all", "erin", approves_all, UNNAMED),
    ("Approve all, below the list of /promote approve all", "carol", approves_all, "Approved 0 of 2:"),
    ("a corrected command", "carol", corrects, MINE),
    ("Promote an image..., in the App Home", "dan", begins_at_home, ""),
    ("the shortcut Promote an image", "dan", uses(PROMOTE_IMAGE), ""),
    ("the shortcut Promote this", "dan", uses(PROMOTE_THIS), ""),
    *(
        ("the form that asks for a version", "dan", fills(knock, OPENED), UNLINKED)
        for knock in (types(""), begins_at_home, uses(PROMOTE_IMAGE), uses(PROMOTE_THIS))
    ),
    ("the App Home", "dan", looks_at_home, ""),
    ("a button that is a link", "dan", presses("Pull request #418", CardStage.OPEN), ""),
    ("a button of another version", "carol", presses_unknown, "another version"),
    ("/promote link, and a code that is typed at GitHub", "erin", links("bob"), "nothing was linked"),
    ("/promote link, and a code that is typed at GitHub", "dan", links("mallory"), "may not decide"),
    ("a review at GitHub", "carol", reviews("APPROVED"), ""),
    ("a review at GitHub", "erin-k", reviews("APPROVED"), ""),
    ("a review at GitHub", "mallory", reviews("APPROVED"), ""),
    ("a review at GitHub", "mallory", reviews("CHANGES_REQUESTED"), ""),
    ("countersign pass", "", runs("pass"), ""),
    ("countersign pass", "", runs("pass", "--environment", "production"), ""),
    ("countersign serve, at each tick", "", ticks, ""),
    ("POST /webhooks, which wakes a pass", "", wakes, ""),
]


@pytest.mark.parametrize(
    ("door", "who", "knock", "told"),
    KNOCKS,
    ids=[f"{number}, {door}: {who}" for number, (door, who, _, _) in enumerate(KNOCKS)],
)
def test_a_door_lets_nobody_in_whom_the_rule_refuses(
    porch: Porch, door: str, who: str, knock: Knock, told: str
) -> None:
    before, was_told = porch.remote(), porch.heard(who) if told else {}

    knock(porch, who)
    porch.finish()

    assert porch.remote() == before
    assert porch.office.stage(porch.promotion) is Stage.OPEN
    if told:
        news = [text for ts, text in porch.heard(who).items() if ts not in was_told]
        assert told in "\n".join(news)


def test_the_same_doors_let_in_whom_the_rule_names_and_those_that_end_move_nothing(porch: Porch) -> None:
    office, git = porch.office, porch.office.world.git
    office.world.forge.review(porch.number, login="bob")
    office.look()
    presses("Approve", CardStage.OPEN)(porch, "ada")
    porch.person("bob").command("/promote unfreeze staging because it is over")
    porch.finish()
    assert office.stage(porch.promotion) is Stage.LANDED
    bumps = office.kinds().count("bump")
    office.clock.wind(seconds=2)
    wakes(porch, "")
    assert office.kinds().count("bump") == bumps + 1

    ends: dict[str, Callable[[str], object]] = {
        "a commit on the branch of a promotion": lambda promotion: office.world.forge.push_to_branch(
            f"countersign/production/{CHECKOUT}/{promotion}", {"evil.yaml": "a: 1\n"}, "More\n", login="bob"
        ),
        "countersign retire": lambda _: porch.run("retire"),
    }
    for number, end in enumerate(ends.values()):
        promotion = office.asked(f"1.5.{number}")
        target, intents = git.text("rev-parse", "main"), office.kinds().count("intent")
        end(promotion)
        office.look()
        assert office.stage(promotion) is Stage.CLOSED
        assert git.text("rev-parse", "main") == target
        assert office.kinds().count("intent") == intents
    assert {door for door, *_ in KNOCKS} | ends.keys() == {door.name for door in DOORS}
