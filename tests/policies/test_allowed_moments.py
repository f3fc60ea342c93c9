"""The very moment from which a stricter check holds: at it, and a second before."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from policies.allowed.asked import TOLD_DECIDES
from policies.codes import Code
from policies.entries.entry import Entry, Kind, Pinned
from tests.policies.ledger_builders import RULES, Story, hash_of, person, pinned, story

SECOND = timedelta(seconds=1)
WORKER = "ghcr.io/example/worker"
TWO_IMAGES = RULES.replace("image: ghcr.io/example/web,", f"images: [ghcr.io/example/web, {WORKER}],")


def _lied(at: datetime) -> tuple[Story, Entry]:
    found = story()
    found.add(found.seen("1.1.0"))
    found.at = at
    return found, found.bump("1.1.0", previous=(pinned("0.9.0"),))


def _unlooked(at: datetime) -> tuple[Story, Entry]:
    found = story()
    found.at = at
    entry = found.stand(Kind.HOLD, person("dan"))
    return found, replace(entry, evidence={"account": entry.evidence["account"]})


def _misnamed(at: datetime) -> tuple[Story, Entry]:
    found = story()
    found.at = at
    return found, replace(found.junk("x"), input=hash_of("x"))


@pytest.mark.parametrize("make", [_lied, _unlooked, _misnamed])
def test_what_is_said_beside_a_decision_is_held_against_what_is_known_from_that_moment_on(
    make: Callable[[datetime], tuple[Story, Entry]],
) -> None:
    before, now = make(TOLD_DECIDES - SECOND), make(TOLD_DECIDES)

    assert before[0].reasons(before[1]) == []
    assert len(now[0].reasons(now[1])) == 1


def two(web: str, worker: str) -> tuple[Pinned, ...]:
    return pinned(web), pinned(worker, repository=WORKER)


@pytest.mark.parametrize(
    ("previous", "is_so"),
    [
        (two("1.0.0", "1.0.0"), True),
        (two("0.9.0", "1.0.0"), False),
        (two("1.0.0", "0.9.0"), False),
        (two("1.0.0", "1.0.0")[::-1], False),
        (two("1.0.0", "1.0.0")[:1], False),
        (two("1.0.5", "1.0.5"), True),
        (two("1.0.5", "1.0.0"), False),
    ],
    ids=[
        "as it stands", "another first", "another second", "turned around", "one of two", "by hand",
        "one of two by hand",
    ],
)  # fmt: skip
def test_of_several_images_each_stood_there(previous: tuple[Pinned, ...], *, is_so: bool) -> None:
    found = story(TWO_IMAGES)
    found.at = TOLD_DECIDES
    found.book.stood["staging", "web"] = two("1.0.0", "1.0.0")
    found.book.line.append("b" * 40)
    found.book.later["b" * 40, "staging", "web"] = two("1.0.5", "1.0.5")
    entry = found.bump("1.1.0", image=two("1.1.0", "1.1.0"), previous=previous)

    lies = [one for one in found.reasons(entry) if one.code is Code.OUT_OF_LINE]

    assert bool(lies) is not is_so
