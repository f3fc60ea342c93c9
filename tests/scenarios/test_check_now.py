"""``/promote check``: registries asked out of turn, within bounds that hold for everybody; only passes decide."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from bot.looking.on_demand import IN_SPAN, MAX_AT_ONCE, OnDemand
from handlers.slack import reports
from handlers.slack.command import parse
from handlers.slack.names import Names
from handlers.slack.questions import Check
from policies.images.evidence import DigestAnswer, TagAnswer, TagList
from policies.images.image import Repository, Tag
from sandbox.gitops import CHECKOUT, WEB
from sandbox.registry.answers import Fault
from tests.scenarios.offices import START, TEAM, Office, office_in


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        made.clock.wind(minutes=2)
        yield made


def asks(office: Office, text: str, user: str = "U0ADA") -> str:
    word = parse(text, Names.of(office.engine.look().rules), office.clock.at)
    assert isinstance(word, Check), word
    return reports.reply(office.engine, word, team=TEAM, user=user).text


def listings(office: Office) -> int:
    """Return how often the registry was asked for tags since the last time; counting begins anew."""
    found = sum("/tags/list" in one.target for one in office.world.registry.seen())
    office.world.registry.forget()
    return found


def test_what_is_new_is_told_and_the_next_pass_decides(office: Office) -> None:
    office.world.push(CHECKOUT, "1.4.2")
    before = office.kinds()

    told = asks(office, f"check {CHECKOUT}")

    assert "The registry was asked: 1 new tag; the next pass decides." in told
    assert "new: 1.4.2" in told
    assert office.kinds() == before  # it decides nothing
    office.engine.run_pass(is_due_only=True)  # no interval has passed since it was asked
    assert "bump" in office.kinds()[len(before) :]


def test_what_was_asked_within_a_minute_is_not_asked_again_whoever_asks(office: Office) -> None:
    listings(office)

    first = asks(office, f"check {CHECKOUT}")
    again = asks(office, f"check {CHECKOUT}")
    everything = asks(office, "check")

    assert "nothing new." in first
    assert "The registry was not asked again." in again
    assert "so not again yet" in again
    assert "was asked within" not in first
    assert "Asked about 1 of 2 repositories: nothing new." in everything
    assert "1 was asked within the last minute" in everything
    assert listings(office) == 2  # one for each image


def test_a_guest_spends_nothing_of_what_all_may_ask(office: Office) -> None:
    listings(office)

    told = asks(office, "check", "U0DAN")

    assert "A guest's question is not passed on to registries" in told
    assert listings(office) == 0
    assert "Asked about" in asks(office, "check")


def test_a_pass_that_asked_just_now_counts_too(office: Office) -> None:
    office.look()
    listings(office)

    assert "No registry was asked" in asks(office, "check")
    assert listings(office) == 0


def test_a_registry_that_asked_to_be_left_alone_is_left_alone(office: Office) -> None:
    office.world.registry.fail(Fault.BUSY, seconds=900)

    first = asks(office, f"check {CHECKOUT}")
    asked = len(office.world.registry.seen())
    office.clock.wind(minutes=2)
    second = asks(office, f"check {WEB}")

    for told in (first, second):
        assert told.startswith("The registry was asked: no answer that can be used.")
        assert "the registry asked us to slow down" in told
    assert len(office.world.registry.seen()) == asked


def test_a_registry_is_asked_outside_of_the_lock(office: Office) -> None:
    registry = office.engine._on_demand.registry

    class Watched:
        def tags(self, *asked: Any) -> Any:
            others = Thread(target=office.engine.run_pass)  # waits for the lock, if we hold it
            others.start()
            others.join(30)
            assert not others.is_alive()
            return registry.tags(*asked)

    office.engine._on_demand.registry = Watched()  # type: ignore[assignment]  # digests are not asked here

    assert "Asked about" in asks(office, "check")


def test_of_a_followed_tag_another_digest_is_new(office: Office) -> None:
    office.change_rules("rules.yaml", "versions: 2.x}", "versions: {digest-of: edge}}")
    office.world.push(WEB, "edge")
    office.clock.wind(minutes=2)
    office.look()
    office.clock.wind(minutes=2)
    assert "nothing new" in asks(office, f"check {WEB}")

    office.world.push(WEB, "edge", labels={"built": "again"})
    office.clock.wind(minutes=2)

    assert "new: edge@sha256:" in asks(office, f"check {WEB}")


class Many:
    """A registry that has whatever it is asked for, and counts."""

    def __init__(self) -> None:
        self.asked: list[Repository] = []

    def tags(self, repositories: Any, _hosts: object) -> dict[Repository, TagAnswer]:
        self.asked += repositories
        return dict.fromkeys(repositories, TagList(("1.0.0",)))

    def digests(self, _images: object, _hosts: object) -> dict[tuple[Repository, Tag], DigestAnswer]:
        return {}


def test_nobody_can_have_more_asked_than_the_bounds_say(office: Office) -> None:
    lines = "".join(f"  s{n}: {{image: '{{host}}/s{n}', versions: 1.x}}\n" for n in range(3 * IN_SPAN))
    host = str(office.engine.look().rules.services[CHECKOUT].image).partition("/")[0]
    office.change_rules("rules.yaml", "services:\n", f"services:\n{lines.replace('{host}', host)}")
    look, many = office.engine.look(), Many()
    world = look.world  # type: ignore[union-attr]
    asks_many = OnDemand(many)

    found = [asks_many.ask(world, {}, world.rules.services, START) for _ in range(10)]

    assert len([one for one in found[0] if one.tags]) == MAX_AT_ONCE
    assert len(many.asked) == len(set(many.asked)) == IN_SPAN
    assert all(one.is_left or one.asked for one in found[-1])
    assert set(asks_many.due(world.rules)) == set(many.asked)
    assert asks_many.due(world.rules) == []
