"""Signatures by an identity, in both places where cosign leaves them; and bundles by a key."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.looking.outside import Outside, Question
from bot.registries import signatures
from bot.registries.image_contents import Bundled, Signed
from bot.registries.login import Logins
from bot.registries.registry import PycurlRegistry
from bot.registries.signatures import CannotJudge, judge_of
from policies.codes import Code
from policies.entries.entry import Pinned
from policies.entries.facts import Finding
from policies.errors import PolicyError
from policies.rules.rules import OutsideGate, effective
from sandbox.http import serve
from sandbox.registry import images
from sandbox.registry.images import Image
from sandbox.registry.twin import RegistryTwin
from tests.bot.signed_images import payload_of, pem_of, tagged
from tests.bot.sigstore_world import (
    IDENTITY,
    ISSUER,
    NOON,
    Leaf,
    Sigstore,
    keyed,
    listing,
    new_key,
    referring,
)
from tests.policies.ledger_builders import rules
from tests.real_registry import RealRegistry

needs_sigstore = pytest.mark.skipif(not signatures.is_installed(), reason="the extra is not installed")
OURS = Sigstore()
OTHERS = Sigstore()
ROOT = OURS.trust_root()
ASKED = {"identity": (IDENTITY,), "issuer": (ISSUER,), "trust-root": ("promotion/trusted_root.json",)}
OTHER = "sha256:" + "1" * 64


@dataclass
class Shop:
    """A registry, and who asks for signatures there."""

    registry: RegistryTwin
    host: str
    outside: Outside

    @property
    def repository(self) -> str:
        return f"{self.host}/example/web"

    def push(self) -> Image:
        """Push an image that no other test has pushed."""
        image = images.image(token_hex(8))
        self.registry.push("example/web", "1.1.0", image)
        return image

    def beside(self, image: Image, *layers: tuple[bytes, dict[str, str]]) -> None:
        """Put payloads with their annotations at the tag of an image's signatures."""
        place = image.digest.replace(":", "-") + ".sig"
        self.registry.push("example/web", place, tagged(dict(layers)))

    def refer(self, image: Image, *bundles: dict[str, Any] | bytes, by_tag: bool = False) -> None:
        """Let bundles refer to an image; ``by_tag``: the registry does not list what refers to it."""
        self.registry.list_referrers(does=not by_tag)
        made = [referring(image.top, one) for one in bundles]
        for one in made:
            self.registry.push("example/web", token_hex(8), one)
        if by_tag:
            self.registry.push("example/web", image.digest.replace(":", "-"), listing(made))

    def ask(
        self, digest: str, changes: Mapping[str, tuple[str, ...]] = {}, *, root: bytes | None = ROOT
    ) -> tuple[Finding, str, str]:
        rule = effective(rules(), "production", "web")
        assert rule
        settings = changes if "key" in changes else {**ASKED, **changes}
        gate = OutsideGate("signature", "signature", settings)
        image = (Pinned(self.repository, "1.1.0", digest),)
        question = replace(Question(rule, gate, image, "", "", {}), trust_root=root)
        found = self.outside._asked(question)
        return found.verdict, found.code, found.detail


@pytest.fixture(scope="module")
def served() -> Iterator[Shop]:
    registry = RegistryTwin()
    with ExitStack() as stack:
        host = stack.enter_context(serve(registry.app, name="localhost")).removeprefix("http://")
        adapter = PycurlRegistry(Logins(None))
        stack.callback(adapter.close)
        yield Shop(registry, host, Outside(adapter, None))


@pytest.fixture
def shop(served: Shop) -> Shop:
    served.registry.list_referrers(does=True)
    return served


# --- who signed, and what ---------------------------------------------------------------------------------------

Made = Callable[[], Leaf]
LATE, EARLY = NOON + timedelta(hours=1), NOON - timedelta(hours=1)
# name -> the authority that signs, the certificate, when the log took it in or what is signed, why it does not count
CASES: dict[str, tuple[Sigstore, Made, dict[str, Any], str]] = {
    "the right identity": (OURS, OURS.leaf, {}, ""),
    "an issuer of the older form": (OURS, lambda: OURS.leaf(version="v1"), {}, ""),
    "another identity": (OURS, lambda: OURS.leaf(f"{IDENTITY}-2"), {}, f"it is by {IDENTITY}-2, whom"),
    "another issuer": (
        OURS,
        lambda: OURS.leaf(issuer="https://a.example"),
        {},
        f"another than {ISSUER} vouches",
    ),
    "after its certificate was over": (OURS, OURS.leaf, {"at": LATE}, "not valid at validation time"),
    "before its certificate began": (OURS, OURS.leaf, {"at": EARLY}, "not valid at validation time"),
    "a certificate that no log holds": (
        OURS,
        lambda: OURS.leaf(is_logged=False),
        {},
        "does not contain a signed",
    ),
    "a certificate of another authority": (OURS, OTHERS.leaf, {}, "signature does not match"),
    "another Sigstore": (OTHERS, OTHERS.leaf, {}, "signature"),
    "another digest": (OURS, OURS.leaf, {"digest": OTHER}, "what is signed is not this image"),
    "an entry of another signature": (OURS, OURS.leaf, {"entry_of": OTHER}, "entry"),
}


def judged(answer: tuple[Finding, str, str], wrong: str) -> None:
    """Hold an answer to what is wrong; '' = nothing is."""
    verdict, code, detail = answer
    if wrong:
        assert (verdict, code) == (Finding.FAILED, Code.SIGNATURE_INVALID)
        assert wrong in detail
    else:
        assert (verdict, code) == (Finding.PASSED, "")
        assert detail.startswith(f"by {IDENTITY}, trust root sha256:")


@needs_sigstore
@pytest.mark.parametrize("by_tag", [False, True], ids=["listed", "at the tag of the digest"])
@pytest.mark.parametrize(("sigstore", "leaf", "changes", "wrong"), CASES.values(), ids=CASES)
def test_a_bundle_counts_only_by_the_right_signer_at_the_right_time_of_this_digest(
    shop: Shop, sigstore: Sigstore, leaf: Made, changes: dict[str, Any], wrong: str, *, by_tag: bool
) -> None:
    image = shop.push()
    made = {"digest": image.digest, **changes}
    shop.refer(image, sigstore.bundle(leaf(), **made), by_tag=by_tag)

    judged(shop.ask(image.digest), wrong)


@needs_sigstore
@pytest.mark.parametrize(("sigstore", "leaf", "changes", "wrong"), CASES.values(), ids=CASES)
def test_a_signature_at_the_tag_counts_only_by_the_right_signer_at_the_right_time_of_this_digest(
    shop: Shop, sigstore: Sigstore, leaf: Made, changes: dict[str, Any], wrong: str
) -> None:
    image = shop.push()
    payload = payload_of(shop.repository, changes.get("digest", image.digest))
    kept = {key: one for key, one in changes.items() if key == "at"}
    other = payload_of(shop.repository, OTHER) if "entry_of" in changes else b""
    shop.beside(image, (payload, sigstore.annotations(leaf(), payload, entry_of=other, **kept)))

    judged(shop.ask(image.digest), wrong)


@needs_sigstore
@pytest.mark.parametrize(
    ("settings", "fits"),
    [
        ({"identity": ("nobody@example.com", IDENTITY)}, True),
        ({"identity": (), "identity-pattern": (r"https://github\.com/acme/.*@refs/heads/main",)}, True),
        ({"identity": (), "identity-pattern": (r"https://github\.com/acme/",)}, False),
        ({"identity": (), "identity-pattern": (r".*@refs/heads/mai",)}, False),
        ({"identity": ("nobody@example.com",), "identity-pattern": (r".*/main",)}, True),
        ({"identity": (IDENTITY.upper(),)}, False),
        ({"issuer": (f"{ISSUER}/",)}, False),
    ],
)
def test_an_identity_is_one_of_a_list_or_fits_a_pattern_as_a_whole(
    shop: Shop, settings: dict[str, tuple[str, ...]], *, fits: bool
) -> None:
    image = shop.push()
    shop.refer(image, OURS.bundle(OURS.leaf(), image.digest))

    assert (shop.ask(image.digest, settings)[0] is Finding.PASSED) is fits


@needs_sigstore
def test_a_person_signs_by_a_mail_address(shop: Shop) -> None:
    image = shop.push()
    shop.refer(image, OURS.bundle(OURS.leaf("ada@example.com"), image.digest))

    assert shop.ask(image.digest, {"identity": ("ada@example.com",)})[0] is Finding.PASSED


@needs_sigstore
def test_a_signature_over_the_manifest_itself_counts_too(shop: Shop) -> None:
    image, other = shop.push(), shop.push()
    shop.refer(image, OURS.message(OURS.leaf(), image.top.body))
    shop.refer(other, OURS.message(OURS.leaf(), image.top.body))

    assert shop.ask(image.digest)[0] is Finding.PASSED
    assert shop.ask(other.digest)[:2] == (Finding.FAILED, Code.SIGNATURE_INVALID)


# --- what was tampered with -------------------------------------------------------------------------------------


def _flipped(text: str) -> str:
    return text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:]


def _changed(bundle: dict[str, Any], *path: str | int) -> dict[str, Any]:
    """Return a bundle of which one text is another."""
    found = json.loads(json.dumps(bundle))
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = _flipped(inner[path[-1]])
    return found  # type: ignore[no-any-return]  # JSON


ENTRY = ("verificationMaterial", "tlogEntries", 0)


@needs_sigstore
@pytest.mark.parametrize(
    "path",
    [
        (*ENTRY, "inclusionPromise", "signedEntryTimestamp"),
        (*ENTRY, "inclusionProof", "rootHash"),
        (*ENTRY, "inclusionProof", "checkpoint", "envelope"),
        (*ENTRY, "inclusionProof", "hashes", 0),
        (*ENTRY, "canonicalizedBody"),
        (*ENTRY, "integratedTime"),
        ("dsseEnvelope", "payload"),
        ("dsseEnvelope", "signatures", 0, "sig"),
        ("verificationMaterial", "certificate", "rawBytes"),
    ],
    ids=lambda path: ".".join(map(str, path)),
)
def test_a_bundle_that_was_tampered_with_does_not_count(shop: Shop, path: tuple[str | int, ...]) -> None:
    image = shop.push()
    bundle = OURS.bundle(OURS.leaf(), image.digest)
    if path[-1] == "integratedTime":
        bundle["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = str(int(NOON.timestamp()) + 1)
        shop.refer(image, bundle)
    else:
        shop.refer(image, _changed(bundle, *path))

    assert shop.ask(image.digest)[:2] == (Finding.FAILED, Code.SIGNATURE_INVALID)


@needs_sigstore
@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.pop("dev.sigstore.cosign/bundle"),
        lambda said: said.pop("dev.sigstore.cosign/certificate"),
        lambda said: said.update({"dev.sigstore.cosign/bundle": "{}"}),
        lambda said: said.update({"dev.sigstore.cosign/bundle": "[" * 50_000}),
        lambda said: said.update({"dev.sigstore.cosign/bundle": "x" * 100_000}),
        lambda said: said.update({"dev.sigstore.cosign/certificate": "no certificate"}),
        lambda said: said.update({"dev.sigstore.cosign/certificate": OURS.leaf().pem}),
        lambda said: said.update(
            {"dev.sigstore.cosign/bundle": said["dev.sigstore.cosign/bundle"].replace("177", "178", 1)}
        ),
        lambda said: said.update(
            {"dev.cosignproject.cosign/signature": _flipped(said["dev.cosignproject.cosign/signature"])}
        ),
    ],
    ids=[
        "no entry", "no certificate", "an empty entry", "a deep entry", "a large entry", "no PEM",
        "another certificate", "another time", "another signature",
    ],
)  # fmt: skip
def test_a_signature_at_the_tag_that_was_tampered_with_does_not_count(
    shop: Shop, change: Callable[[dict[str, str]], object]
) -> None:
    image = shop.push()
    payload = payload_of(shop.repository, image.digest)
    said = OURS.annotations(OURS.leaf(), payload)
    before = dict(said)
    change(said)
    assert said != before
    shop.beside(image, (payload, said))

    assert shop.ask(image.digest)[:2] == (Finding.FAILED, Code.SIGNATURE_INVALID)


GARBAGE = [b"", b"no JSON", b"[]", b"{}", b"[" * 100_000, b'{"dsseEnvelope": {"payload": 7}}', b"\xff" * 100]


@needs_sigstore
@pytest.mark.parametrize("content", GARBAGE, ids=lambda one: repr(one[:12]))
def test_garbage_beside_an_image_counts_for_nothing_and_stops_nothing(shop: Shop, content: bytes) -> None:
    image, other = shop.push(), shop.push()
    shop.refer(image, content)
    shop.refer(other, content, OURS.bundle(OURS.leaf(), other.digest), content + b" ")

    assert shop.ask(image.digest)[:2] == (Finding.FAILED, Code.SIGNATURE_INVALID)
    assert shop.ask(other.digest)[0] is Finding.PASSED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)
SOUND = OURS.bundle(OURS.leaf(), OTHER)


def _paths(value: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*path, step)
        yield from _paths(inner, *path, step)


@needs_sigstore
@settings(deadline=None, max_examples=150)
@given(path=st.sampled_from(list(_paths(SOUND))), value=JSON)
def test_whatever_stands_in_a_bundle_it_counts_by_its_signer_or_is_refused(
    path: tuple[str | int, ...], value: Any
) -> None:
    found = json.loads(json.dumps(SOUND))
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    judge = judge_of(ASKED, ROOT)
    assert not isinstance(judge, CannotJudge)

    try:
        by = judge(Bundled(json.dumps(found).encode()), "ghcr.io/acme/web", OTHER)
    except PolicyError:
        return
    assert by == IDENTITY
    assert found["dsseEnvelope"]["payload"] == SOUND["dsseEnvelope"]["payload"]


@needs_sigstore
def test_of_several_signatures_one_is_enough(shop: Shop) -> None:
    image = shop.push()
    payload = payload_of(shop.repository, image.digest)
    shop.beside(image, (payload, OTHERS.annotations(OTHERS.leaf(), payload)))
    shop.refer(
        image,
        OURS.bundle(OURS.leaf("nobody@example.com"), image.digest),
        OURS.bundle(OURS.leaf(), image.digest),
    )

    assert shop.ask(image.digest)[0] is Finding.PASSED


@needs_sigstore
def test_what_attests_something_else_is_no_signature(shop: Shop) -> None:
    image, hidden = shop.push(), shop.push()
    provenance = "https://slsa.dev/provenance/v1"
    said = referring(image.top, OURS.bundle(OURS.leaf(), image.digest, predicate=provenance), provenance)
    shop.registry.push("example/web", token_hex(8), said)
    shop.refer(hidden, OURS.bundle(OURS.leaf(), hidden.digest, predicate=provenance))

    assert shop.ask(image.digest)[:2] == (Finding.WAITING, Code.SIGNATURE_MISSING)
    assert shop.ask(hidden.digest)[:2] == (Finding.FAILED, Code.SIGNATURE_INVALID)


def test_where_nothing_is_beside_the_image_it_waits_for_a_signature(shop: Shop) -> None:
    image = shop.push()
    shop.registry.list_referrers(does=False)

    assert shop.ask(image.digest, {"key": (pem_of(new_key()),)})[:2] == (
        Finding.WAITING,
        Code.SIGNATURE_MISSING,
    )


def test_a_part_that_cannot_be_read_may_be_the_signature(shop: Shop) -> None:
    image, key = shop.push(), new_key()
    made = referring(image.top, keyed(key, image.digest))
    shop.registry.push("example/web", token_hex(8), Image(made.top, made.manifests, ()))

    assert shop.ask(image.digest, {"key": (pem_of(key),)})[:2] == (Finding.WAITING, Code.GATE_UNKNOWN)


# --- by a key ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_tag", [False, True], ids=["listed", "at the tag of the digest"])
def test_a_bundle_by_a_key_of_the_rules_counts(shop: Shop, *, by_tag: bool) -> None:
    image, other, key = shop.push(), shop.push(), new_key()
    shop.refer(image, GARBAGE[1], keyed(key, image.digest), by_tag=by_tag)
    shop.refer(other, keyed(key, image.digest), by_tag=by_tag)

    assert shop.ask(image.digest, {"key": (pem_of(new_key()), pem_of(key))})[0] is Finding.PASSED
    assert shop.ask(image.digest, {"key": (pem_of(new_key()),)})[:2] == (
        Finding.FAILED,
        Code.SIGNATURE_INVALID,
    )
    assert shop.ask(other.digest, {"key": (pem_of(key),)})[:2] == (Finding.FAILED, Code.SIGNATURE_INVALID)


@pytest.mark.parametrize("content", GARBAGE)
def test_garbage_is_by_no_key(content: bytes) -> None:
    judge = judge_of({"key": (pem_of(new_key()),)}, None)
    assert not isinstance(judge, CannotJudge)

    with pytest.raises(PolicyError, match="none is by a key of the rules"):
        judge(Bundled(content), "ghcr.io/acme/web", OTHER)


# --- a real registry --------------------------------------------------------------------------------------------


@needs_sigstore
def test_a_real_registry_keeps_signatures_in_both_places(tmp_path: Path) -> None:
    with RealRegistry(tmp_path / "registry") as real, ExitStack() as stack:
        adapter = PycurlRegistry(Logins(None))
        stack.callback(adapter.close)
        shop = Shop(RegistryTwin(), real.host, Outside(adapter, None))
        first, second, third = (images.image(token_hex(8)) for _ in range(3))
        for image in (first, second, third):
            real.push("example/web", token_hex(8), image)
        payload = payload_of(shop.repository, first.digest)
        at_tag = tagged({payload: OURS.annotations(OURS.leaf(), payload)})
        real.push("example/web", f"{first.digest.replace(':', '-')}.sig", at_tag)
        refers = referring(second.top, OURS.bundle(OURS.leaf(), second.digest))
        real.push("example/web", token_hex(8), refers)
        real.push("example/web", second.digest.replace(":", "-"), listing([refers]))

        assert [shop.ask(one.digest)[0] for one in (first, second)] == [Finding.PASSED, Finding.PASSED]
        assert shop.ask(third.digest)[:2] == (Finding.WAITING, Code.SIGNATURE_MISSING)


# --- trust roots ------------------------------------------------------------------------------------------------


@needs_sigstore
@pytest.mark.parametrize(
    "root",
    [None, b"", b"{}", b"[]", b"[" * 100_000, OURS.trust_root(tlogs=[]), OURS.trust_root(ctlogs=[]),
     OURS.trust_root(certificateAuthorities=[]), OURS.trust_root(mediaType="other")],
    ids=["none", "empty", "no root", "a list", "deep", "no log", "no log of certificates", "no authority", "other"],
)  # fmt: skip
def test_without_a_trust_root_that_can_be_read_it_waits(shop: Shop, root: bytes | None) -> None:
    image = shop.push()
    shop.refer(image, OURS.bundle(OURS.leaf(), image.digest))

    verdict, code, detail = shop.ask(image.digest, root=root)

    assert (verdict, code) == (Finding.WAITING, Code.TRUST_ROOT_MISSING)
    assert "promotion/trusted_root.json" in detail


def test_where_the_extra_is_not_installed_it_waits_and_says_so(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signatures, "is_installed", lambda: False)

    verdict, code, detail = shop.ask(shop.push().digest)

    assert (verdict, code) == (Finding.WAITING, Code.SIGSTORE_MISSING)
    assert "countersign[sigstore]" in detail


@needs_sigstore
def test_the_trust_root_that_sigstore_hands_out_can_be_read() -> None:
    store = files("sigstore") / "_store" / quote("https://tuf-repo-cdn.sigstore.dev", safe="")

    assert not isinstance(judge_of(ASKED, (store / "trusted_root.json").read_bytes()), CannotJudge)


@needs_sigstore
def test_what_a_trust_root_does_not_know_is_not_asked_of_anybody(shop: Shop) -> None:
    judge = judge_of(ASKED, ROOT)
    assert not isinstance(judge, CannotJudge)

    with pytest.raises(PolicyError, match="no certificate"):
        judge(Signed(payload_of("ghcr.io/acme/web", OTHER), "AAAA"), "ghcr.io/acme/web", OTHER)
