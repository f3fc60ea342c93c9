"""The clock of a soak, by what befell two images of one service: what starts and stops it, and what does not."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from policies.entries.entry import Pinned
from policies.entries.remembered import Fortune
from policies.gates import Case
from policies.gates.clock import Clock, clock
from policies.images.selection_policy import SelectionPolicy
from tests.policies.gate_worlds import case, ruled
from tests.policies.ledger_builders import START, pinned, story

MOVED, BACK, HEALTHY, UNHEALTHY = Fortune.MOVED, Fortune.BACK, Fortune.HEALTHY, Fortune.UNHEALTHY
CHAIN = """\
environments:
  dev: {path: apps/dev, channel: deploys, approvals: none}
  staging: {path: apps/staging, channel: deploys, after: dev, approvals: none}
  other: {path: apps/other, channel: deploys, approvals: none}
  production: {path: apps/production, channel: deploys, after: staging, approvals: 1}
services:
  web: {image: ghcr.io/example/web, versions: 1.x}
  cart: {image: ghcr.io/example/cart, versions: 1.x}
people: {ada: {slack: U0ADA}}
"""
IMAGES = (pinned("1.1.0"), pinned("1.1.0", digest="sha256:" + "b" * 64, repository="ghcr.io/example/worker"))
STAGING = ("staging", "web")


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


def about(*, is_watched: bool = False) -> Case:
    """Return a case of two images that nothing has befallen yet."""
    found = story(CHAIN)
    if is_watched:
        ruled(found, "staging", health=("kustomization/apps/staging",))
    return replace(case(found, "1.1.0", "production"), image=IMAGES)


def after(found: Case, *befell: Fortune | tuple[Fortune, Fortune]) -> Clock:
    """Read the clock after this, an hour apart; a pair says what befell each of the two images."""
    for number, what in enumerate(befell):
        each = what if isinstance(what, tuple) else (what, what)
        for image, fortune in zip(IMAGES, each, strict=True):
            found.state.note(STAGING, [image], fortune, at=hour(number), seq=100 + number)
    return clock(found, "staging")


@pytest.mark.parametrize(
    ("befell", "since"),
    [
        ((MOVED,), 0),
        ((MOVED, MOVED), 0),
        ((MOVED, HEALTHY), 0),
        ((HEALTHY,), None),
        ((MOVED, BACK), None),
        ((MOVED, (MOVED, BACK)), None),
        ((MOVED, (BACK, MOVED)), None),
        ((MOVED, BACK, MOVED), 2),
        ((MOVED, UNHEALTHY), None),
        ((MOVED, UNHEALTHY, MOVED), 2),
    ],
)
def test_where_nothing_says_that_it_is_healthy_it_starts_with_the_move(
    befell: tuple[Fortune, ...], since: int | None
) -> None:
    found = after(about(), *befell)

    assert found.since == (None if since is None else hour(since))
    assert not found.is_watched


@pytest.mark.parametrize(
    ("befell", "since", "said"),
    [
        ((MOVED,), None, (False, False)),
        ((MOVED, HEALTHY), 1, (True, False)),
        ((MOVED, HEALTHY, HEALTHY), 1, (True, False)),
        ((MOVED, HEALTHY, MOVED), 1, (True, False)),
        ((MOVED, HEALTHY, UNHEALTHY), None, (False, True)),
        ((MOVED, UNHEALTHY, HEALTHY), 2, (True, False)),
        ((MOVED, UNHEALTHY, BACK), None, (False, False)),
        ((MOVED, HEALTHY, BACK, MOVED), None, (False, False)),
    ],
)
def test_where_something_says_so_it_starts_with_the_first_healthy(
    befell: tuple[Fortune, ...], since: int | None, said: tuple[bool, bool]
) -> None:
    found = after(about(is_watched=True), *befell)

    assert found.since == (None if since is None else hour(since))
    assert found.is_watched
    assert (found.is_healthy, found.is_unhealthy) == said


@pytest.mark.parametrize(
    ("lifted", "since"),
    [
        ([("staging", "web", IMAGES[0], 5)], 5),
        ([("", "web", IMAGES[1], 5)], 5),
        ([("dev", "web", IMAGES[0], 5)], 5),
        ([("dev", "web", IMAGES[0], 5), ("staging", "web", IMAGES[0], 4)], 5),
        ([("staging", "web", IMAGES[0], 1)], 2),
        ([("other", "web", IMAGES[0], 5)], 2),
        ([("production", "web", IMAGES[0], 5)], 2),
        ([("staging", "cart", IMAGES[0], 5)], 2),
        ([("staging", "web", pinned("1.2.0"), 5)], 2),
        ([], 2),
    ],
)
def test_a_block_that_was_lifted_there_or_further_up_starts_it_anew(
    lifted: list[tuple[str, str, Pinned, int]], since: int
) -> None:
    found = about()
    for environment, service, image, at in lifted:
        found.state.unblocked[environment, service, image] = hour(at)

    assert after(found, BACK, BACK, MOVED).since == hour(since)


def test_a_lifted_block_starts_nothing_that_is_not_well() -> None:
    found = about()
    found.state.unblocked["staging", "web", IMAGES[0]] = hour(5)

    assert after(found, MOVED, BACK).since is None


@pytest.mark.parametrize(
    ("known", "noted", "is_followed", "counts"),
    [
        (IMAGES[0].digest, IMAGES[0].digest, False, True),
        (IMAGES[0].digest, "", False, True),
        ("", IMAGES[0].digest, False, True),
        (IMAGES[0].digest, "sha256:" + "f" * 64, False, False),
        (IMAGES[0].digest, IMAGES[0].digest, True, True),
        (IMAGES[0].digest, "", True, False),
        ("", IMAGES[0].digest, True, False),
        ("", "", True, False),
    ],
)
def test_it_is_the_clock_of_one_digest_as_far_as_both_are_known(
    known: str, noted: str, *, is_followed: bool, counts: bool
) -> None:
    found = about()
    if is_followed:
        service = replace(found.rule.service, versions=SelectionPolicy.digest_of("1.1.0"))
        found = replace(found, rule=replace(found.rule, service=service))
    found = replace(found, image=(replace(IMAGES[0], digest=known),))

    found.state.note(STAGING, [replace(IMAGES[0], digest=noted)], MOVED, at=hour(3), seq=9)

    assert clock(found, "staging").since == (hour(3) if counts else None)


@pytest.mark.parametrize(
    ("since", "expected"), [(None, START), (START - timedelta(days=3), START - timedelta(days=3))]
)
def test_what_stood_there_before_the_ledger_began_is_well_since_then_or_since_it_stands_there(
    since: datetime | None, expected: datetime
) -> None:
    found = replace(about(), baseline={STAGING: IMAGES}, stood_since=lambda _place: since)
    assert found.state.genesis

    found.state.genesis = replace(found.state.genesis, at=f"{START:%Y-%m-%dT%H:%M:%SZ}")

    assert clock(found, "staging").since == expected


def test_before_the_ledger_has_begun_nobody_knows_since_when() -> None:
    found = replace(about(), baseline={STAGING: IMAGES})
    found.state.genesis = None

    assert clock(found, "staging").since is None
