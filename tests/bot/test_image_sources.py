"""Which repository an image may name as its source: the service's own, or one of our owner at our forge."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count

import pytest

from bot.looking.image_sources import AGAIN, LONGEST, ImageSources, repository_of
from policies.entries.entry import Pinned
from policies.images.evidence import Silence, Silent
from policies.images.image import Repository
from policies.rules.rules import Host

HOME = "https://github.com/acme"
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
IMAGE = Pinned("r.example/web", "1.0.0", f"sha256:{'0' * 64}")


@dataclass
class Registry:
    """A registry that says nothing, or that an image has no labels."""

    says: bytes | Silence = field(default_factory=lambda: Silence(Silent.SLOW, "slow"))
    asked: int = 0

    def content(self, _repository: Repository, _where: str, _hosts: Mapping[str, Host]) -> bytes | Silence:
        """Say it."""
        self.asked += 1
        return self.says


def test_what_a_registry_did_not_answer_lets_nobody_wait_again_before_it_is_read_again() -> None:
    registry = Registry()
    images = ImageSources(registry)
    assert images.unread([IMAGE, IMAGE], AT) == (IMAGE,)
    images.read([IMAGE], {}, AT)

    found = images.of(IMAGE, {})

    assert (found, registry.asked) == ("slow", 1)
    assert images.unread([IMAGE], AT + AGAIN / 2) == ()
    assert images.unread([IMAGE], AT + AGAIN) == (IMAGE,)


def test_a_host_that_does_not_answer_is_waited_for_once_in_a_reading() -> None:
    registry = Registry()
    images = ImageSources(registry)
    others = [replace(IMAGE, digest=f"sha256:{number:064}") for number in range(1, 50)]
    elsewhere = replace(IMAGE, repository=Repository("other.example/web"))

    images.read([IMAGE, *others, elsewhere], {}, AT)

    assert registry.asked == 2
    assert images.unread([IMAGE, *others, elsewhere], AT) == ()
    assert {images.of(one, {}) for one in others} == {"slow"}


def test_a_reading_ends_however_slowly_each_image_is_answered_and_the_rest_has_its_turn_later() -> None:
    registry = Registry(Silence(Silent.NO_SUCH_TAG, "gone"))
    ticks = count(0, int(LONGEST * 5 / 12))
    images = ImageSources(registry, tick=lambda: float(next(ticks)))
    five = [replace(IMAGE, digest=f"sha256:{number:064}") for number in range(5)]

    images.read(five, {}, AT)

    assert registry.asked == 2
    assert images.of(five[4], {}) == "there was no time to ask"
    assert images.unread(five, AT) == ()
    assert images.unread(five, AT + AGAIN) == tuple(five)


def test_what_a_registry_says_of_one_image_alone_does_not_speak_for_its_others() -> None:
    registry = Registry(Silence(Silent.NO_SUCH_TAG, "gone"))

    ImageSources(registry).read([IMAGE, replace(IMAGE, digest=f"sha256:{1:064}")], {}, AT)

    assert registry.asked == 2


def test_what_a_registry_answers_later_is_taken() -> None:
    registry = Registry()
    images = ImageSources(registry)
    images.read([IMAGE], {}, AT)
    registry.says = json.dumps(
        {
            "annotations": {"org.opencontainers.image.revision": "main"},
            "config": {"digest": IMAGE.digest},
        }
    ).encode()
    images.read([IMAGE], {}, AT + AGAIN)
    asked = registry.asked

    found = images.of(IMAGE, {})

    assert "has no org.opencontainers.image.source" in str(found)
    assert (images.unread([IMAGE], AT + AGAIN), registry.asked) == ((), asked)


def test_an_image_whose_digest_is_not_known_is_not_read() -> None:
    unknown = Pinned("r.example/web", "1.0.0", "")

    assert ImageSources(Registry()).unread([unknown], AT) == ()
    assert "the digest of r.example/web:1.0.0 is not known" in str(ImageSources(Registry()).of(unknown, {}))
    assert ImageSources().unread([IMAGE], AT) == ()
    assert ImageSources().of(IMAGE, {}) == "there is no registry to ask"


@pytest.mark.parametrize(
    ("said", "source", "expected"),
    [
        ("https://github.com/acme/web", "acme/web", "acme/web"),
        ("https://GitHub.com/Acme/Web.git", "acme/web", "Acme/Web"),
        ("https://github.com/acme/web/tree/main", "https://github.com/acme/web", "acme/web"),
        ("https://git.example.com/acme/web", "https://git.example.com/acme/web", "acme/web"),
        ("https://github.com/acme/web", "", "acme/web"),
        ("https://github.com/other/web", "", ""),
        ("https://github.com/acme/other", "acme/web", ""),
        ("https://github.com.evil.example/acme/web", "acme/web", ""),
        ("https://acme@github.com/acme/web", "acme/web", ""),
        ("https://github.com:444/acme/web", "acme/web", ""),
        ("https://github.com/\u0430cme/web", "", ""),
        ("https://github.com/acme/we%2fb", "", ""),
        ("https://github.com/acme/..", "", ""),
        ("https://github.com/acme", "", ""),
        ("git@github.com:acme/web.git", "acme/web", ""),
        ("acme/web", "acme/web", ""),
        ("https://github.com/acme/web", "https://git.example.com/acme/web", ""),
        ("https://[/acme/web", "acme/web", ""),
    ],
)
def test_a_repository_that_may_be_asked(said: str, source: str, expected: str) -> None:
    assert repository_of(said, source, HOME) == expected
