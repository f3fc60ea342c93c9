"""The page's endpoints over real HTTP: who is let in, what is shown to whom, what a visitor does, ports, the end."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.gitops import BRANCH, CHECKOUT, PRODUCTION
from sandbox.levers import CLIENT_ID, KeptBot, LeverError, Levers, following
from sandbox.page.acts import SHORTCUT
from sandbox.page.server import FILES, PortTakenError, served
from sandbox.page.state import HINT
from sandbox.record import Record
from sandbox.world import World, opened

HOME = Path(__file__).resolve().parents[2]
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Visit:
    """A world with its page, and no bot that runs."""

    world: World
    levers: Levers
    port: int

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body or None, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def act(self, deed: str, **given: Any) -> tuple[int, dict[str, Any]]:
        status, _, body = self.ask(
            "POST", f"/act/{deed}", json.dumps({"user": "ada", **given}).encode(), JSON
        )
        return status, json.loads(body)

    def state(self, name: str = "ada") -> dict[str, Any]:
        return dict(json.loads(self.ask("GET", f"/state?as={name}")[2]))

    def pin(self) -> tuple[str, str]:
        return Record(self.world.git).pin(PRODUCTION)


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visit]:
    with opened(tmp_path) as world, KeptBot(world) as bot:
        levers = Levers(world, bot)
        with served(world, levers) as address:
            yield Visit(world, levers, int(address.rsplit(":", 1)[1].strip("/")))


# Who is let in


@pytest.mark.parametrize(
    "host", ["evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:PORT", ""]
)
def test_a_name_that_is_not_this_machine_is_refused(visit: Visit, host: str) -> None:
    for method, path in (("GET", "/"), ("GET", "/state?as=ada"), ("POST", "/act/push")):
        status, _, _ = visit.ask(method, path, headers={"Host": host.replace("PORT", str(visit.port))})

        assert status == 403


def test_both_names_of_this_machine_are_let_in(visit: Visit) -> None:
    for name in ("127.0.0.1", "localhost"):
        assert visit.ask("GET", "/", headers={"Host": f"{name}:{visit.port}"})[0] == 200


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Origin": "http://evil.example", **JSON}, 403),
        ({"Origin": "null", **JSON}, 403),
        ({"Origin": "http://127.0.0.1:1", **JSON}, 403),
        ({"Sec-Fetch-Site": "cross-site", **JSON}, 403),
        ({"Sec-Fetch-Site": "same-site", **JSON}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({}, 415),
    ],
    ids=str,
)
def test_another_sites_post_changes_nothing(visit: Visit, headers: dict[str, str], expected: int) -> None:
    before = visit.world.registry.tags()
    body = json.dumps({"user": "ada", "service": CHECKOUT, "step": "patch"}).encode()

    assert visit.ask("POST", "/act/push", body, headers)[0] == expected
    assert visit.world.registry.tags() == before


def test_the_pages_own_origin_may_act(visit: Visit) -> None:
    body = json.dumps({"user": "ada", "service": CHECKOUT, "step": "patch"}).encode()
    own = {"Origin": f"http://127.0.0.1:{visit.port}", "Sec-Fetch-Site": "same-origin", **JSON}

    assert visit.ask("POST", "/act/push", body, own)[0] == 200
    assert "1.4.2" in visit.world.registry.tags()[f"example/{CHECKOUT}"]


def test_every_answer_forbids_what_comes_from_elsewhere(visit: Visit) -> None:
    for path in ("/", "/page/page.js", "/state?as=ada", "/nothing"):
        headers = visit.ask("GET", path)[1]

        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "name", sorted(path.name for path in FILES.iterdir() if path.is_file() and path.suffix != ".py")
)
def test_our_own_files_are_served_and_load_nothing_from_elsewhere(visit: Visit, name: str) -> None:
    status, _, body = visit.ask("GET", f"/page/{name}")
    text = body.decode().replace("http://www.w3.org/2000/svg", "")

    assert status == 200
    assert "://" not in text
    for trap in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert trap not in text


@pytest.mark.parametrize("path", ["/page/..%2fworld.py", "/page/../world.py", "/page/server.py", "/page/"])
def test_nothing_else_on_the_disk_is_served(visit: Visit, path: str) -> None:
    assert visit.ask("GET", path)[0] == 404


# What is shown to whom


def test_the_hint_is_what_the_apps_manifest_says() -> None:
    manifest = yaml.safe_load((HOME / "manifest.yml").read_text("utf-8"))
    (command,) = manifest["features"]["slash_commands"]

    assert f"{command['command']} {command['usage_hint']}" == HINT


def test_the_shortcut_of_the_page_is_the_apps_own() -> None:
    manifest = yaml.safe_load((HOME / "manifest.yml").read_text("utf-8"))
    (ours,) = [one for one in manifest["features"]["shortcuts"] if one["type"] == "message"]

    assert (ours["callback_id"], ours["name"]) == (SHORTCUT, "Promote this")


def test_a_whisper_and_a_direct_message_are_shown_to_their_person_alone(visit: Visit) -> None:
    workspace = visit.world.slack.workspace
    workspace.whisper("C0DEPLOYS", "U0ADA", "for Ada alone")
    workspace.post(workspace.direct("U0ADA").id, "U0BOT", "to Ada")

    ada, bob = visit.state("ada"), visit.state("bob")

    assert [one["text"] for one in ada["messages"]] == ["for Ada alone", "to Ada"]
    assert bob["messages"] == []
    assert all(one["id"] != workspace.direct("U0ADA").id for one in bob["channels"])


def test_the_stream_begins_with_all_and_goes_on_with_what_its_person_sees(visit: Visit) -> None:
    with socket.create_connection(("127.0.0.1", visit.port), timeout=10) as wire:
        wire.sendall(f"GET /events?as=bob HTTP/1.1\r\nHost: 127.0.0.1:{visit.port}\r\n\r\n".encode())
        heard = _until(wire, b"event: all", b"\n\n")
        visit.world.slack.workspace.whisper("C0DEPLOYS", "U0ADA", "not for Bob")
        visit.act("say", channel="C0DEPLOYS", text="for everybody")
        heard += _until(wire, b"event: feed", b"for everybody")

    assert b"not for Bob" not in heard
    assert b'"git":[{' in heard


def test_a_stranger_has_no_state_and_no_stream(visit: Visit) -> None:
    for path in ("/state?as=zoe", "/state", "/events?as=zoe"):
        assert visit.ask("GET", path)[0] == 404


def test_an_entry_that_is_not_there_is_said(visit: Visit) -> None:
    assert visit.ask("GET", f"/entries/{'0' * 40}")[0] == 404


# What a visitor does


@pytest.mark.parametrize(
    ("deed", "body"),
    [
        ("say", b"{"),
        ("say", b"[]"),
        ("say", b"[" * 60_000),
        ("say", b'{"user":"ada"}'),
        ("say", b'{"user":"ada","text":7,"channel":"deploys"}'),
        ("fly", b'{"user":"ada"}'),
        ("bot", b'{"user":"ada","what":"paint"}'),
        ("submit", b'{"user":"ada","view":"V1","values":[]}'),
        ("say", b" " * 70_000),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_request_without_the_right_shape_is_refused(visit: Visit, deed: str, body: bytes) -> None:
    status, _, answer = visit.ask("POST", f"/act/{deed}", body, JSON)

    assert status in {400, 409}
    assert json.loads(answer)["error"]


def test_what_one_says_is_there_for_all(visit: Visit) -> None:
    assert visit.act("say", channel="C0DEPLOYS", text="hello <b>you</b>") == (200, {"ok": True})
    assert [one["text"] for one in visit.state("dan")["messages"]] == ["hello <b>you</b>"]


def test_a_command_while_the_bot_is_away_says_that_it_does_not_answer(visit: Visit) -> None:
    status, answer = visit.act("say", channel="C0DEPLOYS", text="/promote status")

    assert status == 200
    assert "did not answer" in answer["warning"]
    assert [one["text"] for one in visit.state()["typed"]] == ["/promote status"]
    assert visit.state("bob")["typed"] == []


def test_a_command_in_a_thread_is_refused_as_slack_does(visit: Visit) -> None:
    status, answer = visit.act("say", channel="C0DEPLOYS", text="/promote status", thread="1.2")

    assert (status, "threads" in answer["error"]) == (409, True)


def test_a_button_that_stands_twice_under_one_name_is_not_guessed(visit: Visit) -> None:
    workspace = visit.world.slack.workspace
    same = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    blocks = [{"type": "actions", "block_id": one, "elements": [same]} for one in ("first", "second")]
    message = workspace.post("C0DEPLOYS", "U0BOT", "two", blocks)

    def click(block: str) -> tuple[int, dict[str, Any]]:
        return visit.act("click", channel="C0DEPLOYS", ts=message.ts, block=block, action="go")

    assert click("first")[0] == 200
    assert "twice" in click("second")[1]["error"]
    assert "redrawn" in click("third")[1]["error"]


def test_a_form_is_sent_only_where_it_is_filled_in(visit: Visit) -> None:
    field = {"type": "plain_text_input", "action_id": "why"}
    payload = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Why"},
        "submit": {"type": "plain_text", "text": "Send"},
        "blocks": [
            {
                "type": "input",
                "block_id": "why",
                "label": {"type": "plain_text", "text": "Why"},
                "element": field,
            }
        ],
    }
    view = visit.world.slack.workspace.views.open("U0ADA", payload)

    assert "has to be filled in" in visit.act("submit", view=view.id, values={})[1]["error"]
    assert visit.act("submit", user="bob", view=view.id, values={"why": "x"})[0] == 409
    assert visit.state()["views"][0]["id"] == view.id
    assert visit.act("close", view=view.id)[0] == 200
    assert visit.state()["views"] == []


# Levers


@pytest.mark.parametrize(
    ("tags", "step", "expected"),
    [
        (["1.4.0", "1.4.1"], "patch", "1.4.2"),
        (["1.9.0", "1.10.0"], "patch", "1.10.1"),
        (["1.4.1"], "minor", "1.5.0"),
        (["1.4.1"], "prerelease", "1.4.2-rc.1"),
        (["1.4.1", "1.4.2-rc.9", "1.4.2-rc.10"], "prerelease", "1.4.2-rc.11"),
        (["1.4.1", "1.4.2-rc.1"], "patch", "1.4.2"),
        (["latest", "1.4.1", "2.0"], "minor", "1.5.0"),
    ],
    ids=str,
)
def test_the_next_tag_follows_all_that_are_there(tags: list[str], step: str, expected: str) -> None:
    assert following(tags, step) == expected


def test_a_shelf_without_a_release_has_no_next() -> None:
    with pytest.raises(LeverError, match="no release"):
        following(["latest"], "patch")


def test_a_moved_tag_names_another_image(visit: Visit) -> None:
    before = visit.world.registry.digest(f"example/{CHECKOUT}", "1.4.1")

    assert visit.act("move", service=CHECKOUT)[0] == 200
    assert visit.world.registry.digest(f"example/{CHECKOUT}", "1.4.1") != before


def test_a_commit_by_hand_changes_the_pin_and_nothing_else(visit: Visit) -> None:
    visit.act("push", service=CHECKOUT, step="patch")

    assert visit.act("by-hand", user="bob")[0] == 200

    assert visit.pin() == ("1.4.2", "")
    changed = visit.world.git.text("diff", "--numstat", f"{BRANCH}~", BRANCH)
    assert changed.split() == ["1", "1", f"apps/{PRODUCTION}/kustomization.yaml"]
    assert visit.world.git.text("log", "-1", "--format=%an", BRANCH) == "Bob"


def ask_the_forge(visit: Visit, path: str, wanted: dict[str, str]) -> dict[str, Any]:
    """Speak to the forge as the bot does when somebody signs in with a code."""
    forge = visit.world.addresses["forge"].removeprefix("http://")
    connection = http.client.HTTPConnection(forge, timeout=10)
    try:
        connection.request("POST", path, json.dumps({"client_id": CLIENT_ID, **wanted}), JSON)
        return dict(json.loads(connection.getresponse().read()))
    finally:
        connection.close()


@pytest.mark.parametrize("allowed", [True, False])
def test_a_code_is_entered_and_answered_as_on_the_forges_own_page(visit: Visit, *, allowed: bool) -> None:
    given = ask_the_forge(visit, "/login/device/code", {})
    typed = given["user_code"]

    assert visit.act("enter-code", code=f" {typed.lower()} ") == (200, {"ok": True, "code": typed})
    assert visit.act("sign-in", code=typed, login="bob", allowed=allowed)[0] == 200

    grant = "urn:ietf:params:oauth:grant-type:device_code"
    wanted = {"device_code": given["device_code"], "grant_type": grant}
    answer = ask_the_forge(visit, "/login/oauth/access_token", wanted)
    assert ("access_token" in answer) is allowed
    assert visit.act("sign-in", code=typed, login="bob", allowed=True)[0] == 409


@pytest.mark.parametrize(("code", "login"), [("AAAA-BBBB", "bob"), ("", "bob"), (None, "mallory")])
def test_a_code_that_was_not_given_or_a_stranger_is_refused(
    visit: Visit, code: str | None, login: str
) -> None:
    typed = ask_the_forge(visit, "/login/device/code", {})["user_code"] if code is None else code

    assert visit.act("sign-in", code=typed, login=login, allowed=True)[0] in {400, 409}
    assert visit.world.forge.sign_in_tokens() == []


def test_a_guest_has_no_account_at_the_forge(visit: Visit) -> None:
    status, answer = visit.act("by-hand", user="dan")

    assert (status, "no account" in answer["error"]) == (409, True)
    assert visit.pin() == ("1.4.1", "")


def test_a_broken_health_check_stands_on_the_newest_commit(visit: Visit) -> None:
    visit.act("health", environment=PRODUCTION, healthy=False)

    statuses = {one.context: one.state for one in visit.world.forge._world.pulls.state.statuses}
    assert statuses["kustomization/apps/production"] == "failure"
    assert {one["environment"]: one["state"] for one in visit.levers.health()}[PRODUCTION] == "failure"
    assert visit.act("health", environment="moon", healthy=False)[0] == 409


def test_the_bot_is_started_stopped_and_keeps_its_disk_until_it_is_wiped(visit: Visit) -> None:
    assert visit.levers.bot()["state"] == "stopped"
    assert "stopped already" in visit.act("bot", what="stop")[1]["error"]
    assert visit.act("bot", what="start")[0] == 200
    assert visit.levers.bot()["state"] == "runs"
    assert "runs already" in visit.act("bot", what="start")[1]["error"]
    disk = visit.levers._bot._disk / "kept"
    (disk / "mark").write_text("mine", "utf-8")

    assert visit.act("bot", what="stop")[0] == 200
    assert visit.act("bot", what="start")[0] == 200
    assert (disk / "mark").exists()
    assert visit.act("bot", what="wipe")[0] == 200

    assert not (disk / "mark").exists()
    assert visit.levers.bot()["state"] == "runs"


def test_a_hostile_commit_is_shown_and_the_page_goes_on(visit: Visit) -> None:
    message = "<script>alert(1)</script>\x1f\n\nLedger: \x1f\x1e evil\nNo-Value:\n"
    visit.world.forge.push_to_branch(BRANCH, {"apps/x": "\x00"}, message, login="bob")
    visit.world.forge.push_to_branch("ledger/x", {"y": "z"}, "no entry", login="bob")
    visit.act("push", service=CHECKOUT, step="patch")

    sections = _settled(visit, lambda one: one["trouble"] and len(one["registry"][CHECKOUT]["tags"]) == 3)

    assert "JSON" in sections["trouble"]
    assert sections["registry"][CHECKOUT]["newest"] == "1.4.2"


# Ports and the end


def test_a_given_port_that_is_taken_ends_with_a_sentence_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        done = subprocess.run(
            [sys.executable, "-m", "sandbox", "demo", "--port", str(port)],
            cwd=HOME, capture_output=True, check=False, text=True, timeout=60,
        )  # fmt: skip

    assert done.returncode == 2
    assert f"port {port}: somebody else listens there" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_page_takes_the_next_port(visit: Visit, tmp_path: Path) -> None:
    with served(visit.world, visit.levers) as address:
        assert int(address.rsplit(":", 1)[1].strip("/")) != visit.port
    with pytest.raises(PortTakenError, match="--port"), served(visit.world, visit.levers, port=visit.port):
        pass


@pytest.mark.timeout(180)
def test_ctrl_c_ends_the_demo_and_its_bot_without_a_traceback() -> None:
    command = [sys.executable, "-m", "sandbox", "demo"]
    with subprocess.Popen(
        command, cwd=HOME, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = next(line.strip() for line in process.stdout if "http://" in line)
        port = int(address.rsplit(":", 1)[1].strip("/"))
        with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
            wire.sendall(f"GET /events?as=ada HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            _until(wire, b"event: all")

            process.send_signal(signal.SIGINT)

            assert process.wait(30) == 0
        assert process.stderr.read() == "\nended\n"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=2)


def _until(wire: socket.socket, *wanted: bytes) -> bytes:
    heard = b""
    while not all(one in heard for one in wanted):
        part = wire.recv(65_536)
        assert part, heard[-500:]
        heard += part
    return heard


def _settled(visit: Visit, looks_right: Any) -> dict[str, Any]:
    """Ask until the page's thread has looked."""
    for _ in range(200):
        sections = dict(visit.state()["sections"])
        if looks_right(sections):
            return sections
        time.sleep(0.05)
    raise AssertionError(sections)
