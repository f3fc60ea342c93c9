"""Bundles whose time a timestamp authority alone says, as cosign makes them since its third version."""

import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from bot.registries import signatures
from bot.registries.image_contents import Bundled
from bot.registries.signatures import CannotJudge, judge_of
from policies.errors import PolicyError
from tests.bot.sigstore_world import IDENTITY, ISSUER, Sigstore
from tests.bot.test_keyless import EARLY, LATE
from tests.bot.timestamp_world import Stamps, timed

pytestmark = pytest.mark.skipif(not signatures.is_installed(), reason="the extra is not installed")

OURS, STAMPS, OTHERS = Sigstore(), Stamps(), Stamps()
UNFIT = Stamps(may_stamp=False)
DIGEST = "sha256:" + "1" * 64
ASKED = {"identity": (IDENTITY,), "issuer": (ISSUER,), "trust-root": ("promotion/trusted_root.json",)}
ROOT = OURS.trust_root(timestampAuthorities=[STAMPS.trusted()])


def stamped(*make: Callable[[bytes], bytes]) -> dict[str, Any]:
    """Return a bundle about the image, timed by stamps of its signature."""
    found = OURS.bundle(OURS.leaf(), DIGEST)
    signature = b64decode(found["dsseEnvelope"]["signatures"][0]["sig"])
    return timed(found, [one(signature) for one in make])


def judged(bundle: dict[str, Any], root: bytes = ROOT) -> str:
    judge = judge_of(ASKED, root)
    assert not isinstance(judge, CannotJudge)
    return judge(Bundled(json.dumps(bundle).encode()), "example/web", DIGEST)


def test_a_stamp_says_when_it_was_signed() -> None:
    assert judged(stamped(STAMPS.stamp)) == IDENTITY


def test_one_good_stamp_beside_another_is_enough() -> None:
    assert judged(stamped(OTHERS.stamp, STAMPS.stamp)) == IDENTITY


def test_a_signed_manifest_is_timed_by_a_stamp_as_well() -> None:
    manifest = b"{}"
    found = OURS.message(OURS.leaf(), manifest)
    signature = b64decode(found["messageSignature"]["signature"])
    judge = judge_of(ASKED, ROOT)
    assert not isinstance(judge, CannotJudge)
    digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}

    assert (
        judge(Bundled(json.dumps(timed(found, [STAMPS.stamp(signature)])).encode()), "example/web", digest)
        == IDENTITY
    )


def _twice() -> dict[str, Any]:
    stamp: list[bytes] = []

    def once(signature: bytes) -> bytes:
        stamp[:] = stamp or [STAMPS.stamp(signature)]
        return stamp[0]

    return stamped(once, once)


REFUSED: dict[str, tuple[Callable[[], dict[str, Any]], bytes, str]] = {
    "no time at all": (stamped, ROOT, "must contain an inclusion promise"),
    "a stamp by somebody else": (lambda: stamped(OTHERS.stamp), ROOT, "not enough sources of verified time"),
    "a stamp of another signature": (
        lambda: stamped(lambda one: STAMPS.stamp(one + b"x")),
        ROOT,
        "not enough sources of verified time",
    ),
    "a stamp after the certificate was over": (
        lambda: stamped(lambda one: STAMPS.stamp(one, LATE)),
        ROOT,
        "not valid at validation time",
    ),
    "a stamp before the certificate began": (
        lambda: stamped(lambda one: STAMPS.stamp(one, EARLY)),
        ROOT,
        "not valid at validation time",
    ),
    "a stamp by a certificate that is not one for it": (
        lambda: stamped(UNFIT.stamp),
        OURS.trust_root(timestampAuthorities=[UNFIT.trusted()]),
        "not enough sources of verified time",
    ),
    "a stamp before the authority was trusted": (
        lambda: stamped(STAMPS.stamp),
        OURS.trust_root(timestampAuthorities=[STAMPS.trusted("2026-06-01T00:00:00Z")]),
        "not enough sources of verified time",
    ),
    "the same stamp twice": (_twice, ROOT, "duplicate timestamp"),
    "a trust root without such an authority": (
        lambda: stamped(STAMPS.stamp),
        OURS.trust_root(),
        "no Timestamp Authorities",
    ),
    "a stamp whose words were changed": (
        lambda: stamped(lambda one: STAMPS.stamp(one).replace(b"20260302120000Z", b"20260302120001Z")),
        ROOT,
        "not enough sources of verified time",
    ),
    "a stamp that is none": (lambda: stamped(lambda _one: b"hunter2"), ROOT, "Invalid Timestamp Response"),
}


@pytest.mark.parametrize(("made", "root", "said"), REFUSED.values(), ids=REFUSED)
def test_a_time_that_nobody_trusted_says_is_none(
    made: Callable[[], dict[str, Any]], root: bytes, said: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        judged(made(), root)

    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_without_stamps_the_logs_word_counts_as_before() -> None:
    assert judged(OURS.bundle(OURS.leaf(), DIGEST)) == IDENTITY
