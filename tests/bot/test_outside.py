"""Gates that ask outside, against a real registry, forge and web server: what passes, waits, fails, and is unknown."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.looking import outside
from bot.looking.outside import REVISION, Found, Outside, Question, Wanted, source_of
from bot.looking.quarantine import Jar
from bot.registries import cosign
from bot.registries.image_contents import SIGNATURE, SIMPLE_SIGNING, ImageContents, Signatures, Signed
from bot.registries.login import Logins
from bot.registries.registry import Limits, PycurlRegistry
from policies.codes import Code
from policies.entries.entry import Pinned
from policies.entries.facts import MAX_AGE, Fact, Finding, verdict_of
from policies.errors import PolicyError
from policies.gates import PLATFORMS
from policies.images.evidence import Silence, Silent
from policies.images.image import Repository
from policies.rules.rules import Host, OutsideGate, effective
from policies.verdict import PASSED as PASSED_GATE
from sandbox.http import serve
from sandbox.registry import images
from sandbox.registry.twin import Fault, RegistryTwin
from tests.bot.forge_worlds import ADA, AppWorld, app_world
from tests.bot.signed_images import payload_of, pem_of, sign
from tests.policies.ledger_builders import rules

PASSED, WAITING, FAILED = Finding.PASSED, Finding.WAITING, Finding.FAILED
KEYS: dict[str, Any] = {
    "ecdsa": ec.generate_private_key(ec.SECP256R1()),
    "rsa": rsa.generate_private_key(65_537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
}


@dataclass
class Abroad:
    """A registry, a forge and a web server whose answers a test sets; and who asks them."""

    registry: RegistryTwin
    host: str
    web: str
    answers: dict[str, Response]
    asked: list[str]
    outside: Outside
    forge: AppWorld

    @property
    def repository(self) -> str:
        return f"{self.host}/example/web"

    def push(self, **labels: str) -> str:
        """Push an image that no other test has pushed."""
        return self.registry.push("example/web", "1.1.0", images.image(token_hex(8), labels=labels))

    def ask(
        self, kind: str, digest: str = "sha256:" + "0" * 64, **settings: str | tuple[str, ...]
    ) -> tuple[Finding, str, str]:
        """Ask one gate about an image of that digest."""
        rule = effective(rules(), "production", "web")
        assert rule
        values = {
            name: (one,) if isinstance(one, str) else one for name, one in settings.items() if name != "head"
        }
        tip = self.forge.git("rev-parse", "main")
        gate = OutsideGate(kind, kind, values)
        rule = replace(
            rule,
            service=replace(
                rule.service,
                source="https://github.com/example/gitops",
                platforms=tuple(settings.pop("platforms", ())),
            ),
        )
        question = Question(
            rule, gate, (Pinned(self.repository, "1.1.0", digest),), str(settings.get("head", "")), tip, {}
        )
        found = self.outside._asked(question)
        return found.verdict, found.code, found.detail

    def sign(self, digest: str, key: str = "ecdsa", *, signed: str = "", repository: str = "") -> None:
        """Put a signature beside an image, as cosign does."""
        payload = payload_of(repository or self.repository, signed or digest)
        sign(self.registry, "example/web", digest, KEYS[key], payload=payload)


def pem(key: str) -> str:
    return pem_of(KEYS[key])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Abroad]:
    """Serve one world for all tests: none of them meets what another has pushed or reported."""
    answers: dict[str, Response] = {}
    asked: list[str] = []

    async def answer(request: Request) -> Response:
        asked.append(str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""))
        return answers.get(request.url.path, Response(status_code=404))

    registry = RegistryTwin()
    with ExitStack() as stack:
        host = stack.enter_context(serve(registry.app, name="localhost")).removeprefix("http://")
        web = stack.enter_context(serve(Starlette(routes=[Route("/{rest:path}", answer)]), name="localhost"))
        forge = stack.enter_context(app_world(tmp_path_factory.mktemp("forge")))
        adapter = PycurlRegistry(Logins(None))
        stack.callback(adapter.close)
        yield Abroad(registry, host, web, answers, asked, Outside(adapter, forge.forge()), forge)


@pytest.fixture
def abroad(served: Abroad) -> Iterator[Abroad]:
    served.answers.clear()
    served.asked.clear()
    known = (served.outside.contents, served.outside.forge)
    yield served
    served.registry.heal()
    served.outside.contents, served.outside.forge = known


# --- http -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "settings", "verdict"),
    [
        ("whatever", {}, PASSED),
        ("open\n", {"is": "open"}, PASSED),
        ("closed", {"is": "open"}, WAITING),
        ("closed", {"is": ("open", "closed")}, PASSED),
        ('{"state": {"deploys": [true]}}', {"json": "/state/deploys/0", "is": "true"}, PASSED),
        ('{"state": {"deploys": [false]}}', {"json": "/state/deploys/0", "is": "true"}, WAITING),
        ('{"state": 3}', {"json": "/state", "is": "3"}, PASSED),
    ],
)
def test_an_address_is_asked_and_its_answer_compared(
    abroad: Abroad, body: str, settings: dict[str, Any], verdict: Finding
) -> None:
    abroad.answers["/state"] = PlainTextResponse(body)

    found = abroad.ask("http", url=f"{abroad.web}/state", **settings)

    assert found[0] is verdict
    assert verdict is PASSED or found[1] == Code.CONDITION_NOT_MET


@pytest.mark.parametrize(
    ("answer", "settings", "said"),
    [
        (Response(status_code=500), {}, "answered 500"),
        (RedirectResponse("http://localhost:1/"), {}, "answered 307"),
        (PlainTextResponse("x" * 300_000), {}, "more than 262144 bytes"),
        (PlainTextResponse("no json"), {"json": "/a"}, "is not JSON"),
        (PlainTextResponse("{}"), {"json": "/a"}, "there is nothing at '/a'"),
        (PlainTextResponse("[" * 100_000), {"json": "/a"}, "is not JSON"),
    ],
)
def test_an_answer_that_cannot_be_used_is_unknown(
    abroad: Abroad, answer: Response, settings: dict[str, str], said: str
) -> None:
    abroad.answers["/state"] = answer

    verdict, code, detail = abroad.ask("http", url=f"{abroad.web}/state", **settings)

    assert (verdict, code) == (WAITING, Code.GATE_UNKNOWN)
    assert said in detail


@pytest.mark.parametrize(
    ("kind", "answer", "settings", "detail"),
    [
        ("http", PlainTextResponse("hunter2"), {"json": "/a"}, "the answer is not JSON"),
        ("http", PlainTextResponse('{"hunter2": 1}'), {"json": "/a"}, ""),
        ("http", PlainTextResponse("hunter2"), {"is": "open"}, ""),
        ("http", Response(status_code=500), {"json": "/a"}, ""),
        (
            "prometheus",
            PlainTextResponse('{"data": "hunter2"}'),
            {"query": "up", "is": "> 0"},
            "the answer is no vector",
        ),
        ("prometheus", PlainTextResponse("hunter2"), {"query": "up", "is": "> 0"}, "the answer is not JSON"),
    ],
    ids=["no JSON", "another document", "another word", "a failure", "no vector", "no document"],
)
def test_a_note_is_kept_of_an_answer_that_cannot_be_read_and_of_no_other(
    abroad: Abroad, kind: str, answer: Response, settings: dict[str, str], detail: str
) -> None:
    abroad.outside.jar = Jar()
    abroad.answers["/state"] = abroad.answers["/state/api/v1/query"] = answer

    assert abroad.ask(kind, url=f"{abroad.web}/state", **settings)[0] is WAITING

    kept = list(abroad.outside.jar._kept.values())
    assert [(one.source, one.about) for one in kept] == (
        [("gates", f"{kind} of production/web")] if detail else []
    )
    assert all(one.detail.startswith(detail) and "hunter2" not in one.detail for one in kept)


def test_a_note_is_kept_of_an_image_whose_labels_cannot_be_read(abroad: Abroad) -> None:
    abroad.outside.jar = Jar()
    digest = abroad.push()
    abroad.registry.fail(Fault.TRUNCATED)

    assert abroad.ask("labels", digest, has="a=b")[0] is WAITING

    kept = [(one.source, one.about) for one in abroad.outside.jar._kept.values()]
    assert kept == [("gates", "labels of production/web")]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.com/state", "plain HTTP is refused"),
        ("https://127.0.0.1/state", "which is not public"),
        ("https://169.254.169.254/latest", "which is not public"),
        ("https://[::1]/state", "which is not public"),
        ("http://localhost:1/state", "cannot be reached"),
        ("https://nobody.invalid/state", "cannot be reached"),
    ],
)
def test_an_address_that_may_not_be_asked_is_not_asked(
    abroad: Abroad, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    verdict, code, detail = abroad.ask("http", url=url)

    assert (verdict, code) == (WAITING, Code.GATE_UNKNOWN)
    assert said in detail


def test_behind_a_proxy_a_private_address_is_not_asked_either(
    abroad: Abroad, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", abroad.web)

    assert "is not public" in abroad.ask("http", url="https://10.0.0.1/state")[2]


def test_what_is_asked_about_stands_in_the_address(abroad: Abroad) -> None:
    abroad.ask("http", url=f"{abroad.web}/<environment>/<service>?v=<version>&d=<digest>")

    assert abroad.asked == ["/production/web?v=1.1.0&d=sha256%3A" + "0" * 64]


# --- prometheus ---------------------------------------------------------------------------------------------------


def _vector(*values: str) -> Response:
    result = [{"metric": {}, "value": [1.5, one]} for one in values]
    return PlainTextResponse(
        json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}})
    )


@pytest.mark.parametrize(
    ("answer", "verdict", "code"),
    [
        (_vector("0.001"), PASSED, ""),
        (_vector("0.5"), WAITING, "condition-not-met"),
        (_vector("0.001", "0.5"), WAITING, "condition-not-met"),
        (_vector(), WAITING, "condition-not-met"),
        (_vector("NaN"), WAITING, "condition-not-met"),
        (PlainTextResponse('{"data": {"resultType": "scalar", "result": [1, "0"]}}'), PASSED, ""),
        (PlainTextResponse('{"data": {"resultType": "matrix", "result": [{}]}}'), WAITING, "gate-unknown"),
        (PlainTextResponse('{"status": "error"}'), WAITING, "gate-unknown"),
        (Response(status_code=400), WAITING, "gate-unknown"),
    ],
)
def test_a_number_is_asked_of_prometheus(
    abroad: Abroad, answer: Response, verdict: Finding, code: str
) -> None:
    abroad.answers["/api/v1/query"] = answer

    found = abroad.ask(
        "prometheus", url=f"{abroad.web}/", query='errors{job="<service>"}', **{"is": "< 0.01"}
    )

    assert found[:2] == (verdict, code)
    assert abroad.asked == ["/api/v1/query?query=errors%7Bjob%3D%22web%22%7D"]


# --- signature ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", list(KEYS))
def test_a_signature_by_a_key_of_the_rules_passes(abroad: Abroad, key: str) -> None:
    digest = abroad.push()
    abroad.sign(digest, key)

    assert abroad.ask("signature", digest, key=(pem("ed25519"), pem(key)))[0] is PASSED


@pytest.mark.parametrize(
    ("sign", "verdict", "code"),
    [
        (lambda _abroad, _digest: None, WAITING, "signature-missing"),
        (lambda abroad, digest: abroad.sign(digest, "rsa"), FAILED, "signature-invalid"),
        (
            lambda abroad, digest: abroad.sign(digest, signed="sha256:" + "1" * 64),
            FAILED,
            "signature-invalid",
        ),
        (
            lambda abroad, digest: abroad.sign(digest, repository="ghcr.io/other/web"),
            FAILED,
            "signature-invalid",
        ),
        (lambda abroad, _digest: abroad.registry.fail(Fault.REFUSE), WAITING, "gate-unknown"),
    ],
    ids=["none", "another key", "another digest", "another repository", "a silent registry"],
)
def test_a_signature_that_is_not_of_this_image_by_this_key_does_not_pass(
    abroad: Abroad, sign: Callable[[Abroad, str], None], verdict: Finding, code: str
) -> None:
    digest = abroad.push()
    sign(abroad, digest)

    assert abroad.ask("signature", digest, key=pem("ecdsa"))[:2] == (verdict, code)


def test_a_key_that_cannot_be_read_is_unknown(abroad: Abroad) -> None:
    bad = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"

    assert abroad.ask("signature", abroad.push(), key=bad)[1] == Code.GATE_UNKNOWN


def test_a_short_key_is_refused() -> None:
    short = rsa.generate_private_key(65_537, 1024).public_key()  # noqa: S505  it is to be refused

    with pytest.raises(PolicyError, match="1024 bits"):
        cosign.key_of(short.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b'{"critical": 1}',
        b'{"critical": {"image": {}, "identity": {}}}',
        payload_of("not a repository!", "sha256:" + "0" * 64),
        payload_of("ghcr.io/a/web", "sha256:" + "0" * 64, "atomic container signature"),
        b"x" * 100_000,
        b"[" * 50_000,
    ],
)
def test_a_payload_that_is_no_payload_is_about_nothing(payload: bytes) -> None:
    assert not cosign.is_about(payload, repository="ghcr.io/a/web", digest="sha256:" + "0" * 64)


@pytest.mark.parametrize(
    "reference", ["ghcr.io/a/web", "ghcr.io/a/web:1.2", "ghcr.io/a/web@sha256:" + "0" * 64]
)
def test_a_payload_may_name_the_tag_too(reference: str) -> None:
    digest = "sha256:" + "0" * 64

    assert cosign.is_about(payload_of(reference, digest), repository="ghcr.io/a/web", digest=digest)


@pytest.mark.parametrize("signature", ["", "!!", "AAAA", b64encode(b"x" * 64).decode()])
def test_what_is_no_signature_verifies_nothing(signature: str) -> None:
    digest = "sha256:" + "0" * 64
    found = Signed(payload_of("ghcr.io/a/web", digest), signature)
    keys = [cosign.key_of(pem(name)) for name in KEYS]

    assert not cosign.is_signed([found], keys, repository="ghcr.io/a/web", digest=digest)


class Shelf:
    """Contents as values, by place."""

    def __init__(self, **found: bytes) -> None:
        self.found = {name.replace("__", "/"): body for name, body in found.items()}

    def content(self, _repository: Repository, where: str, _hosts: object) -> bytes | Silence:
        return self.found.get(where, Silence(Silent.NO_SUCH_TAG, f"{where} is not there"))


def test_signatures_that_refer_to_the_image_are_found_too() -> None:
    digest, payload = "sha256:" + "0" * 64, payload_of("ghcr.io/a/web", "sha256:" + "0" * 64)
    layer = {"mediaType": SIMPLE_SIGNING, "digest": "sha256:p", "annotations": {SIGNATURE: "c2ln"}}
    shelf = Shelf()
    shelf.found = {
        f"referrers/{digest}": json.dumps({"manifests": [{"digest": "sha256:m"}]}).encode(),
        "manifests/sha256:m": json.dumps({"layers": [layer, {"mediaType": "other"}, 7]}).encode(),
        "blobs/sha256:p": payload,
    }
    image = ImageContents(shelf, {}, Repository("ghcr.io/a/web"), digest)

    assert image.signatures() == Signatures((Signed(payload, "c2ln"),))


# --- labels ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("has", "verdict", "code"),
    [
        ("qa=passed", PASSED, ""),
        (("qa=passed", "team=shop"), PASSED, ""),
        ("qa=failed", FAILED, "label-differs"),
        ("other=1", FAILED, "label-differs"),
    ],
)
def test_labels_of_all_platforms_are_compared(
    abroad: Abroad, has: str | tuple[str, ...], verdict: Finding, code: str
) -> None:
    digest = abroad.push(qa="passed", team="shop")

    assert abroad.ask("labels", digest, has=has)[:2] == (verdict, code)


def test_an_image_of_one_platform_has_its_labels(abroad: Abroad) -> None:
    digest = abroad.registry.push("example/web", "1.1.0", images.single("web", labels={"qa": "passed"}))

    assert abroad.ask("labels", digest, has="qa=passed")[0] is PASSED


def test_an_image_that_is_not_there_is_unknown(abroad: Abroad) -> None:
    abroad.push()

    assert abroad.ask("labels", has="qa=passed")[:2] == (WAITING, "gate-unknown")


def test_a_label_on_which_platforms_differ_does_not_count() -> None:
    configs = {
        name: json.dumps({"config": {"Labels": {"qa": name, "team": "shop"}}}).encode() for name in "ab"
    }
    index = {"annotations": {"org": "acme"}, "manifests": [{"digest": "sha256:ma"}, {"digest": "sha256:mb"},
             {"digest": "sha256:att", "platform": {"os": "unknown"}}]}  # fmt: skip
    shelf = Shelf()
    shelf.found = {"manifests/sha256:top": json.dumps(index).encode()}
    for name, config in configs.items():
        shelf.found[f"manifests/sha256:m{name}"] = json.dumps(
            {"config": {"digest": f"sha256:c{name}"}}
        ).encode()
        shelf.found[f"blobs/sha256:c{name}"] = config

    image = ImageContents(shelf, {}, Repository("ghcr.io/a/web"), "sha256:top")

    assert image.labels() == {"team": "shop", "org": "acme"}


@pytest.mark.parametrize(
    ("wanted", "verdict", "code"),
    [
        (("linux/amd64", "linux/arm64"), PASSED, ""),
        (("linux/amd64", "linux/s390x"), FAILED, "platform-missing"),
    ],
)
def test_an_image_has_to_be_built_for_the_platforms_of_its_service(
    abroad: Abroad, wanted: tuple[str, ...], verdict: Finding, code: str
) -> None:
    assert abroad.ask(PLATFORMS, abroad.push(), platforms=wanted)[:2] == (verdict, code)


def test_an_image_without_an_index_says_in_its_config_what_it_is_for(abroad: Abroad) -> None:
    digest = abroad.registry.push("example/web", "1.1.0", images.single(token_hex(8)))

    assert abroad.ask(PLATFORMS, digest, platforms=("linux/amd64",))[0] is PASSED
    assert abroad.ask(PLATFORMS, digest, platforms=("linux/arm64",))[0] is FAILED
    assert abroad.ask(PLATFORMS, platforms=("linux/amd64",))[1] == Code.GATE_UNKNOWN


def test_a_platform_is_known_with_and_without_its_variant() -> None:
    shelf = Shelf()
    index = {"manifests": [{"platform": {"os": "linux", "architecture": "arm", "variant": "v7"}}, {}]}
    shelf.found = {"manifests/sha256:top": json.dumps(index).encode()}

    image = ImageContents(shelf, {}, Repository("ghcr.io/a/web"), "sha256:top")

    assert image.platforms() == frozenset({"linux/arm", "linux/arm/v7"})


# --- checks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "verdict", "code"),
    [
        (["success"], PASSED, ""),
        ([], WAITING, "checks-pending"),
        (["pending"], WAITING, "checks-pending"),
        (["success", "pending"], WAITING, "checks-pending"),
        (["failure"], FAILED, "checks-failed"),
        (["failure", "success"], PASSED, ""),
    ],
)
@pytest.mark.parametrize("on", ["target", "head", "source"])
def test_checks_are_asked_on_the_commit_that_is_meant(
    abroad: Abroad, on: str, states: list[str], verdict: Finding, code: str
) -> None:
    tip = abroad.forge.git("rev-parse", "main")
    name = token_hex(8)
    for state in states:
        abroad.forge.twin.set_status(tip, name, state, login=ADA.login)
    digest = abroad.push(**{REVISION: tip})

    assert abroad.ask("checks", digest, names=name, on=on, head=tip)[:2] == (verdict, code)


def test_checks_that_cannot_be_asked_are_unknown(abroad: Abroad) -> None:
    plain, odd = abroad.push(), abroad.push(**{REVISION: "main; rm -rf"})

    assert abroad.ask("checks", plain, names="ci")[1] == Code.GATE_UNKNOWN
    assert abroad.ask("checks", odd, names="ci")[1] == Code.GATE_UNKNOWN
    assert abroad.ask("checks", plain, names="ci", on="head")[1] == Code.CHECKS_PENDING
    abroad.outside.forge = None
    assert "there is no forge" in abroad.ask("checks", plain, names="ci", on="target")[2]
    abroad.outside.contents = None
    assert "no registry" in abroad.ask("labels", plain, has="qa=1")[2]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("acme/web", "acme/web"),
        ("https://github.com/acme/web", "acme/web"),
        ("https://github.com/acme/web.git", "acme/web"),
        ("https://github.com/acme/web/tree/main", "acme/web"),
        ("web", ""),
        ("", ""),
    ],
)
def test_a_source_is_named_or_an_address(text: str, name: str) -> None:
    assert source_of(text) == name


def test_what_is_found_is_written_down_as_one_line_in_which_nothing_is_hidden(abroad: Abroad) -> None:
    rule = effective(rules(), "production", "web")
    assert rule
    question = Question(rule, OutsideGate("http", "http"), (Pinned("a/b", "1", ""),), "", "", {})
    strange = Found(Finding.WAITING, "gate-unknown", "a\n\u202eb \ud800" + "c" * 300)

    fact = outside._fact(question, strange, datetime(2026, 1, 1, 12, 0, 0, 7, tzinfo=UTC))

    assert fact.detail.startswith("a \\u202eb \\ud800ccc")
    assert len(fact.detail.encode()) == 200
    assert fact.looked.microsecond == 0


# --- how long it takes ------------------------------------------------------------------------------------------


@dataclass
class Slow:
    """A registry each of whose answers takes half a minute by a clock of its own."""

    real: PycurlRegistry
    at: datetime = datetime(2026, 11, 23, 9, 0, 0, 5, tzinfo=UTC)
    asked: int = 0

    def now(self) -> datetime:
        """Return the present instant."""
        return self.at

    def content(self, repository: Repository, where: str, hosts: Mapping[str, Host]) -> bytes | Silence:
        """Let it take its time, and answer."""
        self.asked += 1
        self.at += timedelta(seconds=30)
        return self.real.content(repository, where, hosts)


def _slowly(abroad: Abroad, *digests: str) -> tuple[Slow, dict[str, Fact]]:
    """Ask one gate of labels about each image; five answers make one: an index, two platforms."""
    rule = effective(rules(), "production", "web")
    assert rule
    assert isinstance(abroad.outside.contents, PycurlRegistry)
    slow = Slow(abroad.outside.contents)
    abroad.outside.contents = slow
    gate = OutsideGate("labels", "labels", {"has": ("qa=passed",)})
    asked = tuple(
        Question(rule, gate, (Pinned(abroad.repository, "1.1.0", one),), "", "", {}) for one in digests
    )
    answers = abroad.outside.ask(Wanted(slow.at, asked, asked), slow.now)
    return slow, {question.image[0].digest: fact for question, fact in answers}


def test_each_answer_bears_the_time_at_which_it_came(abroad: Abroad) -> None:
    digest = abroad.push(qa="passed")

    _, found = _slowly(abroad, digest)

    assert found[digest].verdict is PASSED
    assert found[digest].looked == datetime(2026, 11, 23, 9, 2, 30, tzinfo=UTC)


def test_what_has_no_turn_in_time_is_left_for_the_next_pass(abroad: Abroad) -> None:
    digests = [abroad.push(qa="passed") for _ in range(3)]

    slow, found = _slowly(abroad, *digests)

    assert list(found) == digests[:2], "three minutes are over: the third gate is not asked"
    assert slow.asked == 6, "and nothing more about the second"
    assert [one.verdict for one in found.values()] == [PASSED, WAITING]
    assert found[digests[1]].code == Code.GATE_UNKNOWN
    assert "gates took too long" in found[digests[1]].detail
    last = max(one.looked for one in found.values())
    assert verdict_of([found[digests[0]]], "labels", last + timedelta(minutes=6)) == PASSED_GATE


def test_the_longest_that_asking_takes_leaves_time_to_move() -> None:
    longest = outside.LONGEST + Limits().whole  # a request may be under way when time is over

    assert longest + outside.EVERY < MAX_AGE
