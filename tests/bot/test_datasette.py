"""The saved questions of deploy/datasette.yaml, asked of a real index: by SQLite alone, and through Datasette."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml
from datasette.app import Datasette  # type: ignore[import-untyped]

from bot.index import Index
from policies.entry import Kind
from tests.bot.ledger_builders import Story, by

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
