"""The saved questions of deploy/datasette.yaml, asked of a real index: by SQLite alone, and through Datasette."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from datasette.app import Datasette  # type: ignore[import-untyped]

from bot.chains.chain import Chain
from bot.index import Index
from bot.repository.objects import Oid
from policies.entries.carried import carry
from policies.entries.entry import Beside, Entry, Kind, Member, Pinned, parse, write_time
from policies.ledger.keys import promotion_id
from policies.ledger.state import State
from tests.bot.ledger_builders import Story, by, pinned

FILE = Path(__file__).parents[2] / "deploy" / "datasette.yaml"
VALUES = {"first": "2026-11-23", "last": "2026-11-23"}


def questions() -> dict[str, dict[str, str]]:
    """Return the saved questions by name."""
    read = yaml.safe_load(FILE.read_text("utf-8"))
    found: dict[str, dict[str, str]] = read["databases"]["index"]["queries"]
    return found


@pytest.fixture
def told() -> Story:
    """Tell a day with something for every question."""
    story = Story()
    story.see("1.4.2")
    story.bump("1.4.2")
    landed = story.propose("1.4.2")
    for person in ("ada", "bob"):
        story.say(Kind.APPROVE, landed, person)
    refused = {"person": "carol", "decision": "approve"}
    story.say(Kind.REFUSED, landed, why="requester", evidence=refused)
    story.intend(landed)
    story.land(landed)
    story.see("1.4.3")
    story.bump("1.4.3")
    rejected = story.propose("1.4.3")
    story.say(Kind.REJECT, rejected, "ada", note="not on a Friday")
    story.external("1.4.1", "production")
    closed = story.external("1.4.0", "production")
    assert closed
    story.add(Kind.REVIEW, by=by("ada"), closes=story.state.seq, note="it was the database")
    story.add(Kind.FREEZE, environment="production", trigger="T1", note="the fair", by=by("bob"))
    return story


@pytest.fixture
def path(told: Story, tmp_path: Path) -> Path:
    """Make the index."""
    index = Index.open(tmp_path / "index.sqlite")
    index.follow(told.chain)
    index.close()
    return tmp_path / "index.sqlite"


ROWS = {
    "what-moved": 5,
    "who-approved": 2,
    "not-reviewed": 1,
    "came-to-nothing": 1,
    "not-let-through": 1,
    "one-promotion": 7,
    "stands-still": 1,
}


def test_each_question_has_its_answer_here() -> None:
    assert questions().keys() == ROWS.keys()


@pytest.mark.parametrize("name", ROWS)
def test_a_question_is_answered_by_sqlite(name: str, told: Story, path: Path) -> None:
    values = {**VALUES, "promotion": next(iter(told.state.promotions))}

    with sqlite3.connect(path) as connection:
        found = connection.execute(questions()[name]["sql"], values).fetchall()
    connection.close()

    assert len(found) == ROWS[name]


def asked(name: str, told: Story, folder: Path) -> list[sqlite3.Row]:
    """Return the rows of one question, about an index of this story."""
    index = Index.open(folder / "asked.sqlite")
    index.follow(told.chain)
    index.close()
    connection = sqlite3.connect(folder / "asked.sqlite")
    connection.row_factory = sqlite3.Row
    found: list[sqlite3.Row] = connection.execute(questions()[name]["sql"], VALUES).fetchall()
    connection.close()
    return found


def _images(*tags: str) -> tuple[Pinned, ...]:
    return tuple(image for tag in tags for image in pinned(tag))


def test_each_image_of_each_service_that_moved_has_a_row(tmp_path: Path) -> None:
    told = Story()
    move: dict[str, Any] = {"environment": "staging", "change": "1" * 64, "rule": told.rule("staging")}
    beside = Beside("cart", _images("2.1", "2.2"), _images("1.1", "1.2"), move["rule"])
    told.add(
        Kind.BUMP, service="api", image=_images("2.0"), previous=_images("1.0"), commit="c1" * 20,
        also=(beside,), **move,
    )  # fmt: skip
    told.add(Kind.EXTERNAL, environment="staging", service="api", commit="c2" * 20, previous=_images("2.0"))
    members = (Member("mail", 1), Member("shop", 2))
    image, previous = _images("3.0", "3.1", "3.2"), _images("2.0", "2.1", "2.2")
    asked_for = told.add(
        Kind.PROPOSE, by=by("carol"), environment="production", service="all", group="all", members=members,
        image=image, previous=previous, change="a" * 64, rule=told.rule("production"), head="c3" * 20,
    )  # fmt: skip
    landed = {"environment": "production", "service": "all", "group": "all", "promotion": asked_for.promotion}
    told.add(Kind.LANDED, image=image, commit="c4" * 20, **landed)

    rows = asked("what-moved", told, tmp_path)

    assert [(one["kind"], one["service"], one["before"], one["version"]) for one in rows] == [
        ("bump", "api", "1.0", "2.0"),
        ("bump", "cart", "1.1", "2.1"),
        ("bump", "cart", "1.2", "2.2"),
        ("external", "api", "2.0", None),
        ("landed", "mail", "2.0", "3.0"),
        ("landed", "shop", "2.1", "3.1"),
        ("landed", "shop", "2.2", "3.2"),
    ]
    assert {one["image"] for one in rows} == {"ghcr.io/example/checkout-api"}


def _apart(told: Story, kind: Kind, tag: str, **fields: Any) -> Entry:
    return told.add(
        kind, by=by("ada"), environment="production", service="checkout-api", image=pinned(tag),
        previous=pinned("1.4.1"), change="a" * 64, rule=told.rule("production"), note="payments fail",
        promotion=promotion_id("2026", tag), **fields,
    )  # fmt: skip


def test_what_waits_for_its_review_is_what_the_ledger_has_open(tmp_path: Path) -> None:
    told, until = Story(), "2026-11-25T09:00:00Z"
    _apart(told, Kind.EMERGENCY, "1.4.2", commit="e1" * 20, until=until)
    cancelled = _apart(told, Kind.EMERGENCY, "1.4.3", head="e2" * 20, until=until)
    told.say(Kind.CANCEL, cancelled.promotion, "ada")
    _apart(told, Kind.ROLLBACK, "1.4.0", commit="e3" * 20, until=until)
    _apart(told, Kind.ROLLBACK, "1.3.9", commit="e4" * 20)
    config = {"environment": "production", "since": "e5" * 20, "commits": ("e6" * 20,)}
    told.add(Kind.CONFIG, commit="e6" * 20, why="guarded", **config)
    told.add(Kind.CONFIG, commit="e7" * 20, why="unguarded", **config)

    rows = asked("not-reviewed", told, tmp_path)

    assert [one["kind"] for one in rows] == ["emergency", "rollback", "config"]
    assert [one["seq"] for one in rows] == list(told.state.open)
    assert [one["target_commit"] for one in rows] == ["e1" * 20, "e3" * 20, "e6" * 20]


def test_what_an_earlier_year_left_open_waits_still(tmp_path: Path) -> None:
    old, until = Story(), "2026-11-25T09:00:00Z"
    _apart(old, Kind.EMERGENCY, "1.4.2", commit="e1" * 20, until=until)
    _apart(old, Kind.EMERGENCY, "1.4.3", head="e2" * 20, until=until)  # under way
    old.external("1.4.1", "production")
    old.external("1.4.0", "production")
    waiting = list(old.state.open)
    begun = replace(
        Entry(kind=Kind.GENESIS, at=write_time(old.at), key="genesis/2027"), signer="ssh-ed25519 " + "A" * 68
    )
    begun = replace(begun, commit="c0" * 20, branch="main", seq=old.state.seq + 1)
    begun = replace(begun, carried=carry(old.state, old.chain.entries, old.at))
    told = Story()
    told.chain = Chain("2027", State("2027"))
    told.chain.add(Oid("f0" * 20), parse(begun.line()))
    told.add(Kind.REVIEW, by=by("ada"), closes=waiting[-1], note="it was the database")
    told.external("1.3.9", "production")

    rows = asked("not-reviewed", told, tmp_path)

    assert [(one["kind"], one["seq"]) for one in rows] == [
        ("emergency", waiting[0]),
        ("external", waiting[2]),
        ("external", told.state.seq),
    ]
    assert next(one["target_commit"] for one in rows) == "e1" * 20
    assert [bool(one["oid"]) for one in rows] == [False, False, True]
    assert {one["environment"] for one in rows} == {"production"}
    assert list(told.state.open) == [waiting[0], waiting[1], waiting[2], told.state.seq]


def test_datasette_answers_all_of_them(told: Story, path: Path) -> None:
    metadata = yaml.safe_load(FILE.read_text("utf-8"))
    values = {**VALUES, "promotion": next(iter(told.state.promotions))}

    async def ask() -> dict[str, Any]:
        served = Datasette([str(path)], metadata=metadata)
        await served.invoke_startup()
        found = {}
        for name in questions():
            answer = await served.client.get(f"/index/{name}.json", params={**values, "_shape": "array"})
            found[name] = answer.json()
        return found

    answers = asyncio.run(ask())

    assert {name: len(rows) for name, rows in answers.items()} == ROWS
    assert answers["came-to-nothing"][0]["words"] == "not on a Friday"
