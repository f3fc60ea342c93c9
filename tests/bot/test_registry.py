"""The registry adapter against real servers: whatever they do, each question gets an answer or a silence."""

import base64
import hashlib
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.registries.login import Logins
from bot.registries.oci import Caps
from bot.registries.registry import Limits, PycurlRegistry
from policies.images.evidence import Silence, Silent, TagList
from policies.images.image import Digest, Repository, Tag
from policies.rules.rules import Host
from tests.real_registry import RealRegistry

CANARY = "canary-9f2c"
NO_RULES: Mapping[str, Host] = {}
DIGEST = f"sha256:{'a' * 64}"
QUICK = Limits(
    connect=timedelta(seconds=2),
    silence=timedelta(seconds=1),
    request=timedelta(seconds=2),
    whole=timedelta(seconds=20),
    pause=timedelta(seconds=5),
)


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def repository(self) -> str:
        return self.path.removeprefix("/v2/").removesuffix("/tags/list").partition("/manifests/")[0]


@dataclass(frozen=True)
class Reply:
    """What the server says; ``raw`` is written as it stands, ``length`` may lie."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    raw: bytes | None = None


Answers = Callable[[Asked], Reply]


LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 304 Not Modified",
        b"HTTP/1.1 401 Unauthorized",
        b"HTTP/1.1 404 Not Found",
        b"HTTP/1.1 99999 What",
        b"HTTP/1.0 200",
        b"Content-Length: 5",
        b"Content-Length: -1",
        b"Transfer-Encoding: chunked",
        b"Content-Encoding: gzip",
        b"Link: </x>; rel=next",
        b'WWW-Authenticate: Bearer realm="http://localhost:1/"',
        b"Docker-Content-Digest: sha256:0",
        b"Retry-After: 0",
        b"",
        b'{"tags":["1"]}',
        b"5",
    ]
)
RAW = st.lists(LINES | st.binary(max_size=20), max_size=8).map(b"\r\n".join)


class Listener(http.server.ThreadingHTTPServer):
    """A server that takes many connections at once, and whose refused handshakes are expected."""

    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class Server:
    """An HTTP server on localhost that answers as it is told and remembers what it was asked."""

    def __init__(self, answers: Answers, context: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.answers = answers
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536  # head and body leave together

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  the base's name
                pass

            def answer(self) -> None:
                url = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, url.path, parse_qs(url.query), headers, body)
                server.asked.append(asked)
                reply = server.answers(asked)
                if reply.raw is not None:
                    self.close_connection = True
                    self.wfile.write(reply.raw)
                    return
                self.send_response(reply.status)
                length = len(reply.body) if reply.length is None else reply.length
                self.close_connection = length != len(reply.body)
                for name, value in {"Content-Length": str(length), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(reply.body)

            do_GET = do_HEAD = do_POST = answer  # noqa: N815  the base's names

        self._server = Listener(("127.0.0.1", 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.host = f"localhost:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def repository(self, name: str) -> Repository:
        return Repository.parse(f"{self.host}/{name}")


@contextmanager
def registry(logins: Logins | None = None, limits: Limits = QUICK, **keys: Any) -> Iterator[PycurlRegistry]:
    asking = PycurlRegistry(logins or Logins(None), limits=limits, **keys)
    try:
        yield asking
    finally:
        asking.close()


def listing(*tags: str) -> Reply:
    return Reply(body=json.dumps({"name": "x", "tags": tags}).encode())


def one(answers: Answers, limits: Limits = QUICK) -> TagList | Silence:
    """Ask a server for one repository's tags."""
    with Server(answers) as server, registry(limits=limits) as asking:
        return asking.tags([server.repository("shop/cart")], NO_RULES)[server.repository("shop/cart")]


def code_of(answer: object) -> Silent:
    assert isinstance(answer, Silence), answer
    assert answer.detail.isprintable()
    assert CANARY not in answer.detail
    return answer.code


def login_folder(folder: Path, host: str, **entry: str) -> Path:
    auth = base64.b64encode(f"ada:{CANARY}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: entry or {"auth": auth}}}))
    return folder


class TokenRegistry:
    """The answers of a registry that wants bearer tokens of one scope or several."""

    def __init__(self, *, takes: int = 1000, life: int = 300, denied: frozenset[str] = frozenset()) -> None:
        self.takes = takes  # how many scopes of a token it honours
        self.life = life
        self.denied = denied
        self.refuses_many = False
        self.server: Server | None = None
        self.revoked: set[str] = set()
        self.given = 0

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/token":
            return self._token(asked)
        scope = f"repository:{asked.repository}:pull"
        held = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if held and held not in self.revoked and scope in held.split("|")[1:]:
            return listing("1.0.0", asked.repository.replace("/", "-"))
        assert self.server is not None
        challenge = f'Bearer realm="http://{self.server.host}/token",service="reg",scope="{scope}"'
        return Reply(401, headers={"WWW-Authenticate": challenge})

    def _token(self, asked: Asked) -> Reply:
        scopes = asked.query.get("scope", [])
        if self.refuses_many and len(scopes) > 1:
            return Reply(400)
        honoured = [scope for scope in scopes[: self.takes] if scope.split(":")[1] not in self.denied]
        self.given += 1
        token = "|".join((f"{CANARY}{self.given}", *honoured))
        return Reply(body=json.dumps({"token": token, "expires_in": self.life}).encode())

    @contextmanager
    def serving(self) -> Iterator[Server]:
        with Server(self) as self.server:
            yield self.server


def names(count: int) -> list[str]:
    return [f"shop/s{number}" for number in range(count)]


def paths(server: Server) -> dict[str, int]:
    counts = {"token": 0, "list": 0}
    for asked in server.asked:
        counts["token" if asked.path == "/token" else "list"] += 1
    return counts


def test_tags_of_many_repositories_come_together() -> None:
    with Server(lambda asked: listing(asked.repository.replace("/", "-"))) as server, registry() as asking:
        wanted = [server.repository(name) for name in names(200)]

        answers = asking.tags(wanted, NO_RULES)

    assert answers == {repository: TagList((repository.path.replace("/", "-"),)) for repository in wanted}
    assert len(server.asked) == 200


def test_two_spellings_of_one_repository_are_asked_once() -> None:
    with Server(lambda _: listing("1")) as server, registry() as asking:
        repository = server.repository("shop/cart")

        answers = asking.tags([repository, Repository.parse(str(repository))], NO_RULES)

    assert answers == {repository: TagList(("1",))}
    assert len(server.asked) == 1


def test_nothing_asked_is_nothing_answered() -> None:
    with registry() as asking:
        assert asking.tags([], NO_RULES) == {}
        assert asking.digests([], NO_RULES) == {}


def test_pages_are_followed_to_the_end() -> None:
    def answers(asked: Asked) -> Reply:
        start = int(asked.query.get("last", ["0"])[0])
        link = f'</v2/shop/cart/tags/list?n=1000&last={start + 3}>; rel="next"'
        tags = [f"1.{number}.0" for number in range(start, start + 3)]
        return replace(listing(*tags), headers={"Link": link} if start < 9 else {})

    assert one(answers) == TagList(tuple(f"1.{number}.0" for number in range(12)))


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        pytest.param(Reply(body=b"<html>"), Silent.INVALID, id="a web page"),
        pytest.param(Reply(body=b'{"tags": 7}'), Silent.INVALID, id="a wrong type"),
        pytest.param(Reply(404), Silent.UNKNOWN, id="404"),
        pytest.param(Reply(401), Silent.DENIED, id="401 without a challenge"),
        pytest.param(Reply(403), Silent.DENIED, id="403"),
        pytest.param(Reply(500), Silent.UNREACHABLE, id="500"),
        pytest.param(Reply(418), Silent.INVALID, id="an odd status"),
        pytest.param(Reply(301, headers={"Location": "http://127.0.0.1:1/x"}), Silent.REFUSED, id="redirect"),
        pytest.param(Reply(body=b'{"tags":["1', length=500), Silent.UNREACHABLE, id="broken off"),
        pytest.param(Reply(raw=b""), Silent.UNREACHABLE, id="hung up"),
        pytest.param(Reply(raw=b"\x00\x01 what?\r\n\r\n"), Silent.INVALID, id="not HTTP"),
        pytest.param(
            Reply(body=b"junk", headers={"Content-Encoding": "gzip"}), Silent.INVALID, id="gzip that is none"
        ),
        pytest.param(
            Reply(401, headers={"WWW-Authenticate": 'Bearer realm="https://evil.example/token"'}),
            Silent.REFUSED,
            id="another's token service",
        ),
        pytest.param(
            Reply(401, headers={"WWW-Authenticate": 'Basic realm="x"'}), Silent.DENIED, id="a login is wanted"
        ),
        pytest.param(
            replace(listing("1"), headers={"Link": "<https://evil.example/v2/>; rel=next"}),
            Silent.REFUSED,
            id="another's page",
        ),
    ],
)
def test_a_registry_that_fails_or_lies_is_named_by_a_code(reply: Reply, code: Silent) -> None:
    assert code_of(one(lambda _: reply)) == code


def test_no_bytes_at_all_make_the_adapter_raise() -> None:
    said = [b""]
    with Server(lambda _: Reply(raw=said[0])) as server, registry() as asking:

        @settings(max_examples=150, deadline=None)
        @given(RAW)
        def any_bytes_are_an_answer_or_a_silence(raw: bytes) -> None:
            said[0] = raw
            repository = server.repository("x")
            image = (repository, Tag("1"))
            asking._hosts.clear()
            tags = asking.tags([repository], NO_RULES)[repository]
            digest = asking.digests([image], NO_RULES)[image]
            assert isinstance(tags, (TagList, Silence))
            assert isinstance(digest, (Digest, Silence))

        any_bytes_are_an_answer_or_a_silence()


def test_one_failure_is_asked_again_quietly() -> None:
    replies = [Reply(502), listing("1")]

    assert one(lambda _: replies.pop(0)) == TagList(("1",))


def test_one_hung_up_connection_is_asked_again_quietly() -> None:
    replies = [Reply(raw=b""), listing("1")]

    assert one(lambda _: replies.pop(0)) == TagList(("1",))


def test_a_flood_is_cut_and_says_so() -> None:
    body = b'{"tags":["' + b'","'.join(b"t%d" % number for number in range(300_000)) + b'"]}'

    answer = one(lambda _: Reply(body=body), replace(QUICK, request=timedelta(seconds=20)))

    assert isinstance(answer, TagList)
    assert (len(answer.tags), answer.whole) == (200_000, False)


def test_a_body_past_the_cap_is_not_read_on() -> None:
    limits = replace(QUICK, caps=Caps(body=1000))

    assert one(lambda _: Reply(body=b'{"tags":["' + b"x" * 100_000 + b'"]}'), limits) == TagList(
        (), whole=False
    )


def test_endless_pages_end_at_the_cap() -> None:
    def answers(asked: Asked) -> Reply:
        last = int(asked.query.get("last", ["0"])[0])
        return replace(listing(f"t{last}"), headers={"Link": f"<?last={last + 1}>; rel=next"})

    answer = one(answers, replace(QUICK, caps=Caps(pages=20)))

    assert answer == TagList(tuple(f"t{number}" for number in range(20)), whole=False)


def test_a_silent_host_does_not_keep_the_others_from_answering() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        Server(lambda _: listing("1")) as server,
        registry() as asking,
    ):
        host = f"localhost:{mute.getsockname()[1]}"
        silent = [Repository.parse(f"{host}/{name}") for name in names(50)]

        answers = asking.tags([*silent, server.repository("shop/cart")], NO_RULES)

    assert answers[server.repository("shop/cart")] == TagList(("1",))
    assert {code_of(answers[repository]) for repository in silent} == {Silent.SLOW}


def test_a_pass_ends_at_its_deadline() -> None:
    stop = threading.Event()

    def answers(_: Asked) -> Reply:
        stop.wait(30)
        return listing("1")

    limits = replace(
        QUICK, whole=timedelta(seconds=1), silence=timedelta(seconds=60), request=timedelta(seconds=60)
    )
    try:
        with Server(answers) as server, registry(limits=limits) as asking:
            wanted = [server.repository(name) for name in names(30)]
            answers_ = asking.tags(wanted, NO_RULES)
            stop.set()
    finally:
        stop.set()

    assert {code_of(answer) for answer in answers_.values()} == {Silent.SLOW}


def test_a_refused_connection_is_found_out_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with registry() as asking:
        wanted = [Repository.parse(f"localhost:{port}/{name}") for name in names(100)]

        answers = asking.tags(wanted, NO_RULES)

    assert {code_of(answer) for answer in answers.values()} == {Silent.UNREACHABLE}


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.2:{port}", "127.1:{port}", "169.254.169.254", "[::1]"]
)
def test_private_addresses_are_refused(host: str) -> None:
    with Server(lambda _: listing("1")) as server, registry() as asking:
        repository = Repository.parse(f"{host.format(port=server.host.partition(':')[2])}/x")

        assert code_of(asking.tags([repository], NO_RULES)[repository]) == Silent.REFUSED
        assert server.asked == []


def test_a_rule_allows_plain_http_at_a_private_address() -> None:
    with Server(lambda _: listing("1")) as server, registry() as asking:
        repository = Repository.parse(f"127.1:{server.host.partition(':')[2]}/x")
        rules = {repository.host: Host(http=True, private=True)}

        assert asking.tags([repository], rules) == {repository: TagList(("1",))}


def test_a_public_address_is_connected_to_after_it_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    # No test may leave this machine, so for once a loopback address counts as public.
    looked_at: list[str] = []

    def is_public(address: str) -> bool:
        looked_at.append(address)
        return True

    monkeypatch.setattr("bot.registries.oci.is_public", is_public)
    with Server(lambda _: listing("1")) as server, registry() as asking:
        repository = Repository.parse(f"127.1:{server.host.partition(':')[2]}/x")
        rules = {repository.host: Host(http=True)}

        assert asking.tags([repository], rules) == {repository: TagList(("1",))}
        assert asking.tags([repository], rules) == {repository: TagList(("1",))}

    assert looked_at == ["127.0.0.1"]  # and the second time the connection was still there


def test_an_unknown_name_is_unreachable() -> None:
    repository = Repository.parse("no-such-host.invalid/x")
    with registry() as asking:
        assert code_of(asking.tags([repository], NO_RULES)[repository]) == Silent.UNREACHABLE


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_asks_for_a_pause_gets_it_and_answers_then(status: int) -> None:
    slowed = threading.Event()

    def answers(_: Asked) -> Reply:
        if slowed.is_set():
            return listing("1")
        slowed.set()
        return Reply(status, headers={"Retry-After": "1"})

    with Server(answers) as server, registry() as asking:
        wanted = [server.repository(name) for name in names(20)]
        found = asking.tags(wanted, NO_RULES)

    assert found == {repository: TagList(("1",)) for repository in wanted}
    assert len(server.asked) == 21


def test_a_pause_longer_than_allowed_silences_the_host_and_is_kept() -> None:
    with Server(lambda _: Reply(429, headers={"Retry-After": "600"})) as server, registry() as asking:
        wanted = [server.repository(name) for name in names(20)]

        first, second = asking.tags(wanted, NO_RULES), asking.tags(wanted, NO_RULES)

    assert {code_of(answer) for answer in [*first.values(), *second.values()]} == {Silent.THROTTLED}
    assert len(server.asked) == 1


def test_a_host_that_always_asks_for_a_pause_is_throttled() -> None:
    assert code_of(one(lambda _: Reply(429, headers={"Retry-After": "0"}))) == Silent.THROTTLED


def test_no_more_run_at_once_than_the_rule_says() -> None:
    running, most, lock = 0, 0, threading.Lock()
    pause = threading.Event()

    def answers(_: Asked) -> Reply:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        pause.wait(0.02)
        with lock:
            running -= 1
        return listing("1")

    with Server(answers) as server, registry() as asking:
        wanted = [server.repository(name) for name in names(30)]
        asking.tags(wanted, {server.host: Host(concurrency=3)})

    assert 1 < most <= 3


def test_an_unchanged_list_is_the_same_object_with_and_without_etags() -> None:
    def answers(asked: Asked) -> Reply:
        if asked.repository == "with" and asked.headers.get("if-none-match") == '"v1"':
            return Reply(304)
        return replace(listing("1", "2"), headers={"ETag": '"v1"'} if asked.repository == "with" else {})

    with Server(answers) as server, registry() as asking:
        wanted = [server.repository("with"), server.repository("without")]
        first, second = asking.tags(wanted, NO_RULES), asking.tags(wanted, NO_RULES)

    assert all(first[repository] is second[repository] for repository in wanted)
    assert first[wanted[0]] == TagList(("1", "2"))


def test_a_changed_list_is_seen() -> None:
    replies = [listing("1"), listing("1", "2")]
    with Server(lambda _: replies.pop(0)) as server, registry() as asking:
        repository = server.repository("x")
        asking.tags([repository], NO_RULES)

        assert asking.tags([repository], NO_RULES) == {repository: TagList(("1", "2"))}


def test_many_scopes_share_a_token_and_a_warm_pass_is_one_request_each() -> None:
    with TokenRegistry().serving() as server, registry() as asking:
        wanted = [server.repository(name) for name in names(100)]
        cold = asking.tags(wanted, NO_RULES)
        after_cold = paths(server)
        warm = asking.tags(wanted, NO_RULES)

    assert cold == warm
    assert all(isinstance(answer, TagList) for answer in cold.values())
    assert after_cold["list"] == 101  # one taught how to ask
    assert after_cold["token"] <= 4
    assert paths(server) == {"token": after_cold["token"], "list": 201}


@pytest.mark.parametrize("refuses", [False, True], ids=["honours the first only", "refuses many"])
def test_a_registry_of_one_scope_a_token_is_found_out_and_remembered(refuses: bool) -> None:  # noqa: FBT001  a table
    scripted = TokenRegistry(takes=1)
    scripted.refuses_many = refuses
    with scripted.serving() as server, registry() as asking:
        wanted = [server.repository(name) for name in names(40)]
        cold = asking.tags(wanted, NO_RULES)
        seen = len(server.asked)
        more = [server.repository(name) for name in names(60)]
        warm = asking.tags(more, NO_RULES)

    assert all(isinstance(answer, TagList) for answer in [*cold.values(), *warm.values()])
    later = [asked for asked in server.asked[seen:] if asked.path == "/token"]
    assert len(later) == 20
    assert all(len(asked.query["scope"]) == 1 for asked in later)


def test_one_denied_repository_does_not_harm_the_others_of_its_token() -> None:
    with TokenRegistry(denied=frozenset({"shop/s3"})).serving() as server, registry() as asking:
        wanted = [server.repository(name) for name in names(10)]
        answers = asking.tags(wanted, NO_RULES)

    assert code_of(answers.pop(server.repository("shop/s3"))) == Silent.DENIED
    assert all(isinstance(answer, TagList) for answer in answers.values())


def test_a_token_is_renewed_before_it_ends() -> None:
    now = [0.0]
    with TokenRegistry(life=300).serving() as server, registry(ticks=lambda: now[0]) as asking:
        repository = server.repository("shop/cart")
        asking.tags([repository], NO_RULES)
        now[0] = 239
        asking.tags([repository], NO_RULES)
        before = paths(server)["token"]
        now[0] = 241
        answer = asking.tags([repository], NO_RULES)[repository]

    assert isinstance(answer, TagList)
    assert (before, paths(server)) == (1, {"token": 2, "list": 4})


def test_a_revoked_token_is_replaced_without_a_word() -> None:
    scripted = TokenRegistry()
    with scripted.serving() as server, registry() as asking:
        wanted = [server.repository(name) for name in names(5)]
        asking.tags(wanted, NO_RULES)
        scripted.revoked = {asked.headers.get("authorization", "")[7:] for asked in server.asked}
        answers = asking.tags(wanted, NO_RULES)

    assert all(isinstance(answer, TagList) for answer in answers.values())


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (Reply(401), Silent.DENIED),
        (Reply(400), Silent.DENIED),
        (Reply(500), Silent.UNREACHABLE),
        (Reply(body=b"{}"), Silent.INVALID),
        (Reply(body=b"\xff"), Silent.INVALID),
        (Reply(302, headers={"Location": "http://127.0.0.1:1/"}), Silent.REFUSED),
        (Reply(429, headers={"Retry-After": "0"}), Silent.THROTTLED),
        (Reply(raw=b""), Silent.UNREACHABLE),
    ],
    ids=["401", "400", "500", "no token", "no JSON", "redirect", "429", "hung up"],
)
def test_a_token_service_that_fails_silences_those_who_need_it(token: Reply, code: Silent) -> None:
    scripted = TokenRegistry()

    def answers(asked: Asked) -> Reply:
        return token if asked.path == "/token" else scripted(asked)

    with Server(answers) as scripted.server, registry() as asking:
        wanted = [scripted.server.repository(name) for name in names(5)]
        found = asking.tags(wanted, NO_RULES)

    assert {code_of(answer) for answer in found.values()} == {code}


def test_a_login_goes_to_the_token_service_and_the_token_to_the_registry(tmp_path: Path) -> None:
    with TokenRegistry().serving() as server, registry(Logins(login_folder(tmp_path, server.host))) as asking:
        asking.tags([server.repository("shop/cart")], NO_RULES)

    first, token, last = [asked.headers.get("authorization", "") for asked in server.asked]
    assert first == ""
    assert token == "Basic " + base64.b64encode(f"ada:{CANARY}".encode()).decode()
    assert last.startswith("Bearer ")


def test_an_identity_token_is_exchanged_by_post(tmp_path: Path) -> None:
    def answers(asked: Asked) -> Reply:
        if asked.method == "POST":
            return Reply(body=json.dumps({"access_token": "t|repository:shop/cart:pull"}).encode())
        return scripted(asked)

    scripted = TokenRegistry()
    with Server(answers) as scripted.server:
        folder = login_folder(tmp_path, scripted.server.host, identitytoken=CANARY)
        with registry(Logins(folder)) as asking:
            repository = scripted.server.repository("shop/cart")
            answer = asking.tags([repository], NO_RULES)[repository]

    assert isinstance(answer, TagList)
    assert [f"refresh_token={CANARY}" in asked.body.decode() for asked in scripted.server.asked] == [
        False,
        True,
        False,
    ]


def test_basic_is_sent_once_it_was_asked_for_and_only_then(tmp_path: Path) -> None:
    expected = "Basic " + base64.b64encode(f"ada:{CANARY}".encode()).decode()

    def answers(asked: Asked) -> Reply:
        if asked.headers.get("authorization") == expected:
            return listing("1")
        return Reply(401, headers={"WWW-Authenticate": 'Basic realm="r"'})

    with Server(answers) as server, registry(Logins(login_folder(tmp_path, server.host))) as asking:
        wanted = [server.repository(name) for name in names(10)]
        found = asking.tags(wanted, NO_RULES)

    assert set(found.values()) == {TagList(("1",))}
    assert len(server.asked) == 11


def test_a_wrong_login_is_denied_and_not_shown(tmp_path: Path) -> None:
    wants = Reply(401, headers={"WWW-Authenticate": 'Basic realm="r"'})
    with Server(lambda _: wants) as server, registry(Logins(login_folder(tmp_path, server.host))) as asking:
        repository = server.repository("x")
        answer = asking.tags([repository], NO_RULES)[repository]

    assert code_of(answer) == Silent.DENIED
    assert len(server.asked) == 2


def test_a_login_that_cannot_be_read_is_told_once_one_is_needed(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    scripted = TokenRegistry()
    with scripted.serving() as server, registry(Logins(tmp_path)) as asking:
        repository = server.repository("x")
        answer = asking.tags([repository], NO_RULES)[repository]

    assert code_of(answer) == Silent.DENIED
    assert isinstance(answer, Silence)
    assert "not JSON" in answer.detail


def test_no_login_follows_a_redirect(tmp_path: Path) -> None:
    with Server(lambda _: listing("1")) as thief:
        away = Reply(307, headers={"Location": f"http://{thief.host}/v2/x/tags/list"})
        scripted = TokenRegistry()

        def answers(asked: Asked) -> Reply:
            return away if "authorization" in asked.headers else scripted(asked)

        with Server(answers) as scripted.server:
            folder = login_folder(tmp_path, scripted.server.host)
            with registry(Logins(folder)) as asking:
                repository = scripted.server.repository("x")
                answer = asking.tags([repository], NO_RULES)[repository]

    assert code_of(answer) == Silent.REFUSED
    assert thief.asked == []


def test_nothing_remembered_shows_a_secret(tmp_path: Path) -> None:
    with TokenRegistry().serving() as server, registry(Logins(login_folder(tmp_path, server.host))) as asking:
        asking.tags([server.repository("x")], NO_RULES)

        assert CANARY not in repr(asking._hosts)


def test_digests_come_by_head_or_by_hashing() -> None:
    manifest = b'{"schemaVersion":2}'

    def answers(asked: Asked) -> Reply:
        if asked.path.endswith("/gone"):
            return Reply(404)
        if asked.path.endswith("/said"):
            return Reply(headers={"Docker-Content-Digest": DIGEST, "Content-Length": "5000"})
        return Reply(body=b"" if asked.method == "HEAD" else manifest)

    with Server(answers) as server, registry() as asking:
        repository = server.repository("x")
        wanted = {name: (repository, Tag.parse(name)) for name in ("said", "unsaid", "gone")}
        found = asking.digests(wanted.values(), NO_RULES)

    assert found[wanted["said"]] == DIGEST
    assert found[wanted["unsaid"]] == f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    assert code_of(found[wanted["gone"]]) == Silent.NO_SUCH_TAG


def test_two_threads_may_ask_at_once() -> None:
    with TokenRegistry().serving() as server, registry() as asking:
        wanted = [server.repository(name) for name in names(50)]
        found: list[object] = []
        threads = [
            threading.Thread(target=lambda: found.extend(asking.tags(wanted, NO_RULES).values()))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(found) == 150
    assert [answer for answer in found if not isinstance(answer, TagList)] == []


def test_a_proxy_of_the_environment_is_used_but_not_for_localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(lambda _: listing("by-proxy")) as proxy, Server(lambda _: listing("direct")) as server:
        monkeypatch.setenv("http_proxy", f"http://{proxy.host}")
        monkeypatch.delenv("no_proxy", raising=False)
        with registry() as asking:
            far = Repository.parse("registry.example.com/x")
            metadata = Repository.parse("169.254.169.254/x")
            near = server.repository("x")
            rules = {"registry.example.com": Host(http=True), "169.254.169.254": Host(http=True)}
            found = asking.tags([far, near, metadata], rules)

    assert found[far] == TagList(("by-proxy",))
    assert found[near] == TagList(("direct",))
    assert code_of(found[metadata]) == Silent.REFUSED
    assert len(proxy.asked) == 1


@dataclass(frozen=True)
class Certificate:
    """A certificate for localhost that vouches for itself."""

    path: Path
    pem: str
    context: ssl.SSLContext


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Make a key and a certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    (folder / "key.pem").write_bytes(private)
    (folder / "ca.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return Certificate(folder / "ca.pem", pem.decode(), context)


@pytest.mark.parametrize("as_text", [False, True], ids=["path", "text"])
def test_a_registry_with_an_own_authority_is_trusted_by_rule(
    certificate: Certificate, *, as_text: bool
) -> None:
    with Server(lambda _: listing("1"), certificate.context) as server, registry() as asking:
        repository = server.repository("x")
        rule = Host(ca=certificate.pem if as_text else str(certificate.path))

        assert asking.tags([repository], {server.host: rule}) == {repository: TagList(("1",))}


@pytest.mark.parametrize("ca", ["-----BEGIN CERTIFICATE-----\nnone\n", "/nowhere/ca.pem", ""])
def test_tls_that_cannot_be_trusted_is_unreachable(certificate: Certificate, ca: str) -> None:
    with Server(lambda _: listing("1"), certificate.context) as server, registry() as asking:
        repository = Repository.parse(f"127.1:{server.host.partition(':')[2]}/x")
        answer = asking.tags([repository], {repository.host: Host(private=True, ca=ca)})[repository]

    assert code_of(answer) == Silent.UNREACHABLE
    assert isinstance(answer, Silence)
    assert "TLS" in answer.detail
    assert server.asked == []


def test_a_real_registry_names_tags_digests_and_what_it_does_not_have(tmp_path: Path) -> None:
    with RealRegistry(tmp_path / "registry") as real, registry() as asking:
        pushed = {
            tag: real.push_index("shop/cart-api", tag, f"content of {tag}")
            for tag in ("1.0.0", "1.1.0", "v2")
        }
        cart, none = (Repository.parse(f"{real.host}/{name}") for name in ("shop/cart-api", "shop/none"))
        tags = asking.tags([cart, none], NO_RULES)
        digests = asking.digests([(cart, Tag.parse(tag)) for tag in [*pushed, "gone"]], NO_RULES)
        again = asking.tags([cart], NO_RULES)
        moved = real.push_index("shop/cart-api", "v2", "other content")
        after = asking.digests([(cart, Tag.parse("v2"))], NO_RULES)

    listed = tags[cart]
    assert isinstance(listed, TagList)
    assert set(listed.tags) == set(pushed)
    assert again[cart] is listed
    assert code_of(tags[none]) == Silent.UNKNOWN
    assert code_of(digests.pop((cart, Tag.parse("gone")))) == Silent.NO_SUCH_TAG
    assert {str(tag): str(digest) for (_, tag), digest in digests.items()} == pushed
    assert after == {(cart, Tag.parse("v2")): moved}
    assert moved != pushed["v2"]


def test_a_real_registry_that_went_away_is_unreachable(tmp_path: Path) -> None:
    with RealRegistry(tmp_path / "registry") as real, registry() as asking:
        real.push_index("x", "1", "one")
        repository = Repository.parse(f"{real.host}/x")
        assert asking.tags([repository], NO_RULES) == {repository: TagList(("1",))}
        real.stop()

        assert code_of(asking.tags([repository], NO_RULES)[repository]) == Silent.UNREACHABLE
