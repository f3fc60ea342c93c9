"""The registry twin over HTTP, asked as any client would ask it."""

import hashlib
import json
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from email.message import Message
from typing import Any

import pytest

from sandbox.http import serve
from sandbox.registry import images
from sandbox.registry.twin import Fault, RegistryError, RegistryTwin

NAME = "example/checkout-api"
INDEXES = {"Accept": f"{images.INDEX}, {images.MANIFEST}"}


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class World:
    twin: RegistryTwin
    url: str

    def ask(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Reply:
        request = urllib.request.Request(self.url + path, headers=dict(headers or {}), method=method)  # noqa: S310  our own server
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  our own server
                return Reply(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.headers, error.read())

    def token(self, *scopes: str, headers: Mapping[str, str] | None = None) -> dict[str, str]:
        query = "&".join(f"scope={scope}" for scope in scopes)
        return {"Authorization": "Bearer " + self.ask(f"/token?{query}", headers).json()["token"]}


Open = Callable[..., World]


@pytest.fixture
def opened() -> Iterator[Open]:
    with ExitStack() as stack:

        def start(**switches: Any) -> World:
            twin = RegistryTwin(**switches)
            return World(twin, stack.enter_context(serve(twin.app)))

        yield start


@pytest.fixture
def world(opened: Open) -> World:
    return opened()


def test_tags_are_listed_in_lexical_order(world: World) -> None:
    for tag in ("1.10.0", "1.2.0", "latest", "1.9.0"):
        world.twin.push(NAME, tag, tag)

    reply = world.ask(f"/v2/{NAME}/tags/list")

    assert reply.json() == {"name": NAME, "tags": ["1.10.0", "1.2.0", "1.9.0", "latest"]}
    assert reply.headers["Link"] is None


def test_a_repository_that_nobody_pushed_is_unknown(world: World) -> None:
    for path in (f"/v2/{NAME}/tags/list", f"/v2/{NAME}/manifests/1.0.0"):
        reply = world.ask(path)

        assert (reply.status, reply.json()["errors"][0]["code"]) == (404, "NAME_UNKNOWN")


def test_a_head_names_the_index_that_a_get_returns(world: World) -> None:
    digest = world.twin.push(NAME, "1.0.0", "first")

    head = world.ask(f"/v2/{NAME}/manifests/1.0.0", INDEXES, "HEAD")
    got = world.ask(f"/v2/{NAME}/manifests/1.0.0", INDEXES)

    assert head.headers["Docker-Content-Digest"] == got.headers["Docker-Content-Digest"] == digest
    assert head.headers["Content-Type"] == got.headers["Content-Type"] == images.INDEX
    assert head.body == b""
    assert head.headers["Content-Length"] == str(len(got.body))
    assert "sha256:" + hashlib.sha256(got.body).hexdigest() == digest


def test_an_index_leads_to_manifests_configs_and_layers_that_fit_their_digests(world: World) -> None:
    world.twin.push(NAME, "1.0.0", images.image("first", labels={"org.opencontainers.image.revision": "abc"}))

    index = world.ask(f"/v2/{NAME}/manifests/1.0.0", INDEXES).json()

    assert [listed["platform"]["architecture"] for listed in index["manifests"]] == ["amd64", "arm64"]
    for listed in index["manifests"]:
        manifest = world.ask(f"/v2/{NAME}/manifests/{listed['digest']}")
        assert "sha256:" + hashlib.sha256(manifest.body).hexdigest() == listed["digest"]
        assert len(manifest.body) == listed["size"]
        for part in (manifest.json()["config"], *manifest.json()["layers"]):
            blob = world.ask(f"/v2/{NAME}/blobs/{part['digest']}").body
            assert ("sha256:" + hashlib.sha256(blob).hexdigest(), len(blob)) == (part["digest"], part["size"])
        config = world.ask(f"/v2/{NAME}/blobs/{manifest.json()['config']['digest']}").json()
        assert config["config"]["Labels"] == {"org.opencontainers.image.revision": "abc"}


def test_who_does_not_accept_an_index_gets_one_platform(world: World) -> None:
    digest = world.twin.push(NAME, "1.0.0", "first")

    by_tag = world.ask(f"/v2/{NAME}/manifests/1.0.0", {"Accept": images.MANIFEST}, "HEAD")
    by_digest = world.ask(f"/v2/{NAME}/manifests/{digest}", {"Accept": images.MANIFEST}, "HEAD")

    assert by_tag.headers["Content-Type"] == images.MANIFEST
    assert by_tag.headers["Docker-Content-Digest"] != digest
    assert by_digest.headers["Docker-Content-Digest"] == digest


def test_a_single_platform_image_has_no_index(world: World) -> None:
    digest = world.twin.push(NAME, "1.0.0", images.single("first"))

    head = world.ask(f"/v2/{NAME}/manifests/1.0.0", INDEXES, "HEAD")

    assert (head.headers["Content-Type"], head.headers["Docker-Content-Digest"]) == (images.MANIFEST, digest)


def test_pages_follow_each_other_by_link_and_lose_nothing(opened: Open) -> None:
    world = opened(page_size=3)
    tags = [f"1.{minor}.0" for minor in range(11)]
    for tag in tags:
        world.twin.push(NAME, tag, tag)

    target, pages = f"/v2/{NAME}/tags/list?n=100", []
    while target:
        reply = world.ask(target)
        pages.append(reply.json()["tags"])
        link = re.fullmatch(r'<(.+)>; rel="next"', reply.headers["Link"] or "")
        target = link[1] if link else ""

    assert [len(page) for page in pages] == [3, 3, 3, 2]
    assert sum(pages, []) == sorted(tags)  # noqa: RUF017  four short lists


def test_n_and_last_choose_the_page(world: World) -> None:
    for tag in ("1.0.0", "1.1.0", "1.2.0"):
        world.twin.push(NAME, tag, tag)

    assert world.ask(f"/v2/{NAME}/tags/list?n=1&last=1.0.0").json()["tags"] == ["1.1.0"]
    assert world.ask(f"/v2/{NAME}/tags/list?n=0").json()["tags"] == []
    assert world.ask(f"/v2/{NAME}/tags/list?n=-1").status == 400


def test_a_moved_tag_has_another_digest_and_the_old_one_stays_reachable(world: World) -> None:
    before = world.twin.push(NAME, "1.0.0", "first")

    after = world.twin.move(NAME, "1.0.0", "second")

    assert before != after
    assert world.ask(f"/v2/{NAME}/manifests/1.0.0", INDEXES).headers["Docker-Content-Digest"] == after
    assert world.ask(f"/v2/{NAME}/manifests/{before}").status == 200


def test_a_deleted_tag_is_gone_from_the_list(world: World) -> None:
    for tag in ("1.0.0", "1.1.0"):
        world.twin.push(NAME, tag, tag)

    world.twin.delete(NAME, "1.0.0")

    assert world.ask(f"/v2/{NAME}/tags/list").json()["tags"] == ["1.1.0"]
    assert world.ask(f"/v2/{NAME}/manifests/1.0.0").json()["errors"][0]["code"] == "MANIFEST_UNKNOWN"
    assert world.twin.tags() == {NAME: {"1.1.0": world.twin.digest(NAME, "1.1.0")}}


def test_levers_refuse_what_is_not_there(world: World) -> None:
    world.twin.push(NAME, "1.0.0", "first")

    with pytest.raises(RegistryError, match="no example/checkout-api:2"):
        world.twin.delete(NAME, "2")
    with pytest.raises(RegistryError, match="other content"):
        world.twin.move(NAME, "1.0.0", "first")


def test_a_token_is_asked_for_and_opens_only_its_repository(opened: Open) -> None:
    world = opened(tokens=True)
    world.twin.push(NAME, "1.0.0", "first")
    world.twin.push("example/other", "1.0.0", "first")

    challenged = world.ask(f"/v2/{NAME}/tags/list")
    token = world.token(f"repository:{NAME}:pull")

    assert challenged.status == 401
    assert challenged.json()["errors"][0]["code"] == "UNAUTHORIZED"
    assert challenged.headers["WWW-Authenticate"] == (
        f'Bearer realm="{world.url}/token",service="sandbox",scope="repository:{NAME}:pull"'
    )
    assert world.ask(f"/v2/{NAME}/tags/list", token).status == 200
    assert world.ask("/v2/", token).status == 200
    other = world.ask("/v2/example/other/tags/list", token)
    assert (other.status, "insufficient_scope" in other.headers["WWW-Authenticate"]) == (401, True)


def test_one_token_may_open_several_repositories(opened: Open) -> None:
    for switches, expected in (({}, 200), ({"scopes_per_token": 1}, 401)):
        world = opened(tokens=True, **switches)
        world.twin.push("a", "1.0.0", "first")
        world.twin.push("b", "1.0.0", "first")

        token = world.token("repository:a:pull", "repository:b:pull")

        assert world.ask("/v2/a/tags/list", token).status == 200
        assert world.ask("/v2/b/tags/list", token).status == expected


@pytest.mark.parametrize("way", ["made up", "expired", "withdrawn"])
def test_a_token_that_no_longer_counts_is_challenged_again(opened: Open, way: str) -> None:
    world = opened(tokens=True, token_lifetime=timedelta(seconds=0 if way == "expired" else 60))
    world.twin.push(NAME, "1.0.0", "first")
    token = world.token(f"repository:{NAME}:pull")
    if way == "withdrawn":
        world.twin.expire_tokens()
    if way == "made up":
        token = {"Authorization": "Bearer nonsense"}

    reply = world.ask(f"/v2/{NAME}/tags/list", token)

    assert (reply.status, 'error="invalid_token"' in reply.headers["WWW-Authenticate"]) == (401, True)


@pytest.mark.parametrize("tokens", [True, False], ids=["token service", "basic"])
def test_a_private_registry_wants_the_login(opened: Open, tokens: bool) -> None:  # noqa: FBT001  a table
    world = opened(tokens=tokens, login=("bot", "secret"))
    world.twin.push(NAME, "1.0.0", "first")
    path = f"/token?scope=repository:{NAME}:pull" if tokens else f"/v2/{NAME}/tags/list"
    right, wrong = (
        {"Authorization": "Basic " + b64encode(login).decode()} for login in (b"bot:secret", b"bot:x")
    )

    assert world.ask(path).status == 401
    assert world.ask(path, wrong).status == 401
    assert world.ask(path, {"Authorization": "Basic \xe4"}).status == 401
    assert world.ask(path, right).status == 200


def test_a_list_that_is_known_is_not_sent_again(opened: Open) -> None:
    world = opened(etags=True)
    world.twin.push(NAME, "1.0.0", "first")
    known = {"If-None-Match": world.ask(f"/v2/{NAME}/tags/list").headers["ETag"]}

    again = world.ask(f"/v2/{NAME}/tags/list", known)
    world.twin.push(NAME, "1.1.0", "second")
    changed = world.ask(f"/v2/{NAME}/tags/list", known)

    assert (again.status, again.body) == (304, b"")
    assert (changed.status, changed.json()["tags"]) == (200, ["1.0.0", "1.1.0"])


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.REFUSE, 503), (Fault.BUSY, 429), (Fault.UNAUTHORIZED, 401), (Fault.SLOW, 200)],
)
def test_a_fault_is_answered_and_heals(world: World, fault: Fault, status: int) -> None:
    world.twin.push(NAME, "1.0.0", "first")
    world.twin.fail(fault, seconds=0)

    assert world.ask(f"/v2/{NAME}/tags/list").status == status
    world.twin.heal()
    assert world.ask(f"/v2/{NAME}/tags/list").json()["tags"] == ["1.0.0"]


def test_a_busy_registry_says_when_to_come_back(world: World) -> None:
    world.twin.push(NAME, "1.0.0", "first")
    world.twin.fail(Fault.BUSY, seconds=7, times=1)

    assert world.ask(f"/v2/{NAME}/tags/list").headers["Retry-After"] == "7"
    assert world.ask(f"/v2/{NAME}/tags/list").status == 200


def test_a_fault_of_one_repository_leaves_the_others(world: World) -> None:
    world.twin.push("a", "1.0.0", "first")
    world.twin.push("b", "1.0.0", "first")

    world.twin.fail(Fault.REFUSE, repository="a")

    assert [world.ask(f"/v2/{name}/tags/list").status for name in "ab"] == [503, 200]


def test_a_truncated_answer_is_no_json(world: World) -> None:
    world.twin.push(NAME, "1.0.0", "first")
    world.twin.fail(Fault.TRUNCATED)

    with pytest.raises(json.JSONDecodeError):
        world.ask(f"/v2/{NAME}/tags/list").json()


def test_a_lying_registry_lists_what_no_tag_may_be(world: World) -> None:
    world.twin.push(NAME, "1.0.0", "first")
    world.twin.fail(Fault.JUNK)

    listed = world.ask(f"/v2/{NAME}/tags/list").json()["tags"]

    assert listed[0] == "1.0.0"
    assert {None, 7} <= {tag for tag in listed if not isinstance(tag, dict)}


def test_a_list_that_was_cut_short_has_no_link(opened: Open) -> None:
    world = opened(page_size=2)
    for tag in ("1.0.0", "1.1.0", "1.2.0"):
        world.twin.push(NAME, tag, tag)
    world.twin.fail(Fault.SHORT)

    reply = world.ask(f"/v2/{NAME}/tags/list")

    assert (reply.json()["tags"], reply.headers["Link"]) == (["1.0.0"], None)


def test_a_lying_header_does_not_fit_the_body(world: World) -> None:
    world.twin.push(NAME, "1.0.0", "first")
    world.twin.fail(Fault.WRONG_DIGEST)

    got = world.ask(f"/v2/{NAME}/manifests/1.0.0", INDEXES)

    assert got.headers["Docker-Content-Digest"] != "sha256:" + hashlib.sha256(got.body).hexdigest()


def test_requests_are_counted(opened: Open) -> None:
    world = opened(tokens=True)
    world.twin.push(NAME, "1.0.0", "first")

    world.ask(f"/v2/{NAME}/tags/list", world.token(f"repository:{NAME}:pull"))
    seen = world.twin.seen()
    world.twin.forget()

    assert [(one.method, one.target.partition("?")[0], one.status) for one in seen] == [
        ("GET", "/token", 200),
        ("GET", f"/v2/{NAME}/tags/list", 200),
    ]
    assert world.twin.seen() == []


def test_writing_is_refused_and_other_paths_are_unknown(world: World) -> None:
    world.twin.push(NAME, "1.0.0", "first")

    assert world.ask(f"/v2/{NAME}/manifests/1.0.0", method="PUT").status == 405
    assert world.ask("/v2/").json() == {}
    assert world.ask(f"/v2/{NAME}/referrers/x").status == 404
    assert world.ask("/").status == 404


def test_the_same_content_is_the_same_image() -> None:
    assert images.image("first").digest == images.image("first").digest
    assert images.image("first").digest != images.image("second").digest


def test_a_server_stops_although_somebody_still_waits() -> None:
    twin = RegistryTwin()
    twin.fail(Fault.SLOW, seconds=600, times=1)
    with (
        serve(twin.app) as url,
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as waiting,
    ):
        waiting.sendall(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while twin._troubles[0].left:  # until the request has met its fault
            time.sleep(0.01)

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("serve")]


def test_a_stopped_server_leaves_no_thread_and_frees_its_port() -> None:
    before = threading.active_count()
    with serve(RegistryTwin().app) as url:
        port = int(url.rpartition(":")[2])

    assert threading.active_count() == before
    with serve(RegistryTwin().app, port=port) as again:
        assert again == url
