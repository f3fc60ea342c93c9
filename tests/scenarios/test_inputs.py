"""Each input of the list gets junk, through the part that reads it: the reason is told, and the process goes on."""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.answers import NotRecorded, Recorded
from bot.repository.objects import EMPTY_TREE
from bot.sign_in import DeviceFlow
from handlers.doors import SLACK_ROUTE
from handlers.http import web
from handlers.inputs import INPUTS, Fate
from handlers.shell import cli
from handlers.slack.app import slack_app
from handlers.slack.chat import web_client
from handlers.slack.errands import Errands
from handlers.slack.reply import Replies
from handlers.webhooks import Doorbell, webhooks
from policies.allowed.repair import MAX_QUARANTINES
from policies.entries.entry import Kind
from policies.words import Hold, Speaker
from sandbox.gitops import CHECKOUT, WEB
from sandbox.http import serve
from sandbox.registry.twin import Fault
from sandbox.slack.courier import Courier
from sandbox.slack.people import Person, words
from tests.handlers.test_socket_mode import opened as opened_house
from tests.scenarios.offices import TEAM, Office, office_in

MARK = "hunter2-in-a-body"
JUNK = json.dumps({"junk": MARK, "data": [MARK]}).encode()
HOOK = "sandbox-webhook-secret"
FORM = "application/x-www-form-urlencoded"
RULE = "approvals: 2 of release-managers"


@dataclass
class Outside:
    """An office with its doors to the network, and a host that answers junk to everything."""

    office: Office
    url: str
    junk: str
    secret: str
    finish: Callable[[], None]

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> str:
        """Send a request; return status and body of the answer."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        said = f"{answer.status} {answer.read().decode()}"
        connection.close()
        return said

    def signed(self, body: bytes, kind: str = FORM) -> str:
        """Send a request as Slack signs it."""
        at = str(int(time.time()))
        proof = hmac.new(self.secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
        headers = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={proof}", "Content-Type": kind}
        return self.post(SLACK_ROUTE, body, headers)

    def left(self) -> str:
        """Make a pass; return what it leaves."""
        self.office.clock.wind(minutes=2)
        return "\n".join(self.office.engine.run_pass().left)

    def channel(self) -> str:
        """Return what stands in the channel."""
        workspace = self.office.world.slack.workspace
        return "\n".join(words(one) for one in workspace.messages(workspace.channel("deploys").id))

    def rules(self, path: str, old: str, new: str) -> Callable[[], None]:
        """Change the rules; return what takes it back."""
        self.office.change_rules(path, old, new)
        return lambda: self.office.change_rules(path, new, old)


@pytest.fixture(scope="module")
def opened_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, str]]:
    async def junk(_request: Request) -> Response:
        return Response(JUNK, media_type="application/json")

    with ExitStack() as stack:
        routes = [Route("/{rest:path}", junk, methods=["GET", "POST"])]
        address = stack.enter_context(serve(Starlette(routes=routes), name="localhost"))
        yield stack.enter_context(office_in(tmp_path_factory.mktemp("inputs"))), address


@pytest.fixture
def outside(opened_office: tuple[Office, str]) -> Iterator[Outside]:
    office, junk = opened_office
    world, engine = office.world, office.engine
    client = web_client(world.slack.token, world.slack.api_url)
    errands, secret = Errands(Replies(client)), world.settings["SLACK_SIGNING_SECRET"]
    app = slack_app(engine, client, errands, office.clock, secret=secret)
    bell = Doorbell(lambda _is_package: None, quiet_seconds=60)

    def odd(detail: str) -> None:
        engine.unreadable("slack", SLACK_ROUTE, detail)

    def finish() -> None:
        app.listener_runner.listener_executor.shutdown()
        errands.close()

    more = [webhooks(HOOK, bell)]
    with serve(web(app, secret=secret, health=lambda: {"ok": True}, more=more, odd=odd)) as url:
        yield Outside(office, url, junk, secret, finish)
        finish()
        bell.close()


def not_slack(outside: Outside) -> str:
    return outside.post(SLACK_ROUTE, JUNK, {"X-Slack-Signature": "v0=x", "X-Slack-Request-Timestamp": "now"})


def slack_signed(outside: Outside) -> str:
    bodies = [
        (urlencode({"payload": MARK}).encode(), FORM),
        (urlencode({"payload": json.dumps([MARK])}).encode(), FORM),
        (urlencode({"odd": MARK}).encode(), FORM),
        (f"[{MARK}".encode(), "application/json"),
        (b"[" * 100_000, "application/json"),
        ("&".join(f"a{number}=1" for number in range(500)).encode(), FORM),
    ]
    said = [outside.signed(*one) for _ in range(10) for one in bodies]
    assert {one.partition(" ")[0] for one in said} == {"400"}
    return "\n".join(said)


def fields(outside: Outside) -> str:
    world = outside.office.world
    person = Person(world.slack, Courier(f"{outside.url}{SLACK_ROUTE}", outside.secret), "ada")
    text = {"type": "plain_text", "text": "Approve"}
    button = {"type": "button", "action_id": "approve", "text": text, "value": f"{MARK}|\u2028"}
    post = world.slack.workspace.post("C0DEPLOYS", "U0BOT", "x", [{"type": "actions", "elements": [button]}])
    since = world.slack.workspace.feed.position
    assert person.click(post, "Approve").is_ok
    told = person.sees("another version", since=since).message
    assert told is not None
    body = urlencode(
        {"command": "/promote", "text": "approve \x00 " + MARK, "user_id": "\u2028", "team_id": ""}
    )
    assert outside.signed(body.encode()).startswith("200")
    return words(told)


def slack_api(outside: Outside) -> str:
    levers = outside.office.world.slack.levers
    said = []
    for body in (
        f"{{{MARK}".encode(),
        b"[1]",
        b'"x"',
        b"null",
        b'{"ok": true}',
        b'{"ok": true, "user": 1}',
        JUNK,
    ):
        levers.garble("users.info", body)
        answer = outside.office.say("ada", Hold(WEB, "a demo", "production"))
        assert isinstance(answer, NotRecorded), body
        said.append(f"{answer.code}: {answer.detail}")
    return "\n".join(said)


def envelope(_outside: Outside) -> str:
    with opened_house(by_socket=True) as house:
        assert house.socket is not None
        for connection in house.socket._now():
            for junk in (
                {"junk": MARK},
                {"type": "slash_commands", "payload": MARK},
                {"type": "interactive", "envelope_id": "1", "payload": [MARK]},
                {"type": "interactive", "envelope_id": "2", "payload": {"type": MARK, "actions": MARK}},
                {"type": [MARK], "envelope_id": {"x": MARK}},
            ):
                connection.tell(junk)
        house.person("ada").command("/promote whoami")
        return house.told("ada")


def not_github(outside: Outside) -> str:
    return outside.post("/webhooks", JUNK, {"X-Hub-Signature-256": "sha256=x", "X-GitHub-Event": "push"})


def webhook(outside: Outside) -> str:
    proof = f"sha256={hmac.new(HOOK.encode(), JUNK, hashlib.sha256).hexdigest()}"
    return outside.post("/webhooks", JUNK, {"X-Hub-Signature-256": proof, "X-GitHub-Event": "push"})


def forge(outside: Outside) -> str:
    office = outside.office
    promotion = office.asked("1.4.2")
    office.engine._bring_on().pulls.clear()
    office.world.forge.garble(JUNK, times=1, address="/pulls")
    said = outside.left()
    assert promotion in said
    return said


def teams(outside: Outside) -> str:
    outside.office.asked("1.4.8")  # whose approvals are counted by the team
    outside.office.world.forge.set_team("security", ["ada-l", "bob"])
    undo = outside.rules(
        "people.yaml", "release-managers: [ada, bob, carol]", "release-managers: github:example/security"
    )
    outside.office.world.forge.garble(JUNK, times=4, address="/members")
    said = outside.left()
    outside.office.world.forge.heal()
    undo()
    return said


def device(outside: Outside) -> str:
    engine = outside.office.engine
    engine._linking.sign_in = DeviceFlow.open("Iv23liSandbox0002", outside.junk)
    answer = engine.link(Speaker(TEAM, "U0ADA", "command", "1"), lambda _answer: None)
    assert isinstance(answer, NotRecorded)
    return f"{answer.code}: {answer.detail}"


def registry(outside: Outside) -> str:
    outside.office.world.registry.fail(Fault.TRUNCATED)
    outside.left()
    said = outside.channel()
    outside.left()
    outside.office.world.registry.heal()
    return said


def gate(outside: Outside) -> str:
    asks = f"gates: [{{prometheus: {{url: {outside.junk}, query: up, is: '> 0'}}}}]"
    outside.office.world.push(CHECKOUT, "1.4.9")
    outside.left()
    undo = outside.rules("rules.yaml", RULE, f"{RULE}\n    {asks}")
    outside.left()
    found = outside.office.engine.why("production", CHECKOUT, "1.4.9")
    undo()
    assert found is not None
    return "\n".join(f"{one.code}: {one.detail}" for one in found.reasons)


def another_writer(outside: Outside) -> str:
    git, ref = outside.office.world.git, "refs/heads/ledger/2026"
    before = git.text("rev-parse", ref).strip()
    names = ("-c", "user.name=Mallory", "-c", "user.email=m@example.com")
    junk = git.text(*names, "commit-tree", EMPTY_TREE, "-p", before, "-m", f"hold: {MARK}\n\n{{}}").strip()
    git.text("update-ref", ref, junk)
    said = outside.left() + outside.channel()
    git.text("update-ref", ref, before)
    return said


def trailers(outside: Outside) -> str:
    message = f"Mend\n\nPromotion: {MARK}\nLedger: {'5' * 40}\n"
    outside.office.world.forge.push_to_branch("main", {"README.md": "a\n"}, message, login="bob")
    outside.left()
    return outside.channel()


def rules(outside: Outside) -> str:
    office = outside.office
    text = office.world.git.text("show", "main:promotion/rules.yaml")
    push = office.world.forge.push_to_branch
    push("main", {"promotion/rules.yaml": f"environments: [{MARK}"}, "Break the rules\n", login="bob")
    outside.left()
    said = outside.channel()
    push("main", {"promotion/rules.yaml": text}, "Mend the rules\n", login="bob")
    return said


SAMPLES: dict[str, tuple[Callable[[Outside], str], str]] = {
    "a request that Slack did not sign": (not_slack, "401 invalid request"),
    "a request that Slack signed": (slack_signed, "400 the payload is not JSON"),
    "an envelope on Slack's socket": (envelope, "The rules take you for ada"),
    "the fields of a command or a button": (fields, "another version"),
    "an answer of Slack's API": (slack_api, "Slack"),
    "a webhook that GitHub did not sign": (not_github, "401 invalid signature"),
    "a webhook's body": (webhook, "202"),
    "an answer of the forge": (forge, "the forge answers something that is no list"),
    "a team at the forge or in Slack": (teams, "members-unknown: github:example/security"),
    "who signs in with a code": (device, "sign-in-unavailable"),
    "an answer of a registry": (registry, "gives no answer that can be used"),
    "an answer of a gate outside": (gate, "gate-unknown"),
    "an entry of another writer": (another_writer, "The ledger can only be read"),
    "trailers on a commit of the target branch": (trailers, "they are copied or made up"),
    "rules": (rules, "cannot be read, so the last good ones stay in force"),
}


def test_the_list_is_walked_whole() -> None:
    walked = {*SAMPLES, "settings"}

    assert walked == {one.name for one in INPUTS}


@pytest.mark.parametrize("name", SAMPLES)
def test_junk_is_refused_with_a_reason_and_the_process_goes_on(
    outside: Outside, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    send, reason = SAMPLES[name]
    (fate,) = [one.fate for one in INPUTS if one.name == name]
    office = outside.office
    before = len(office.entries("quarantine"))

    with caplog.at_level(logging.INFO):
        said = send(outside)
    outside.finish()

    assert reason in said
    assert MARK not in caplog.text
    outside.left()  # the pass goes on
    noted = office.entries("quarantine")
    assert (len(noted) > before) is (fate is Fate.QUARANTINED), noted[before:]
    assert len(noted) <= MAX_QUARANTINES
    assert all(MARK not in one.line().decode() for one in noted)
    assert {one.kind for one in noted} <= {Kind.QUARANTINE}


def test_after_all_that_a_word_is_recorded(opened_office: tuple[Office, str]) -> None:
    office, _ = opened_office

    assert isinstance(office.say("ada", Hold(WEB, "a demo", "production")), Recorded)
    assert office.engine.desk.ledger.read_only_because(office.engine.desk.mirror.tips()) == ""


def test_settings_that_cannot_be_read_end_the_program_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("COUNTERSIGN_REPOSITORY", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COUNTERSIGN_TICK", MARK)

    code = cli.main(["plan"], cli.Doors(lambda *_, **__: None, lambda _: None))

    assert code == 2
    assert "COUNTERSIGN_TICK" in capsys.readouterr().err
