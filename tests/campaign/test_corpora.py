"""Whatever text comes from outside: nothing runs, nothing is written, nobody is mentioned, no trailer is forged."""

from pathlib import Path
from typing import Any

import pytest

from tests.campaign.corpora import Corpora, mentions
from tests.campaign.length import LENGTH
from tests.campaign.stage import stage


@pytest.mark.timeout(3600)
def test_hostile_text_through_every_sink_does_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    with stage() as hand:
        corpora = Corpora(hand, mark)
        corpora.all(reasons=LENGTH.reasons, files=LENGTH.files)

    assert corpora.wrong == []
    assert not mark.exists()
    assert corpora.tried["landings"] == 3
    assert sum(corpora.tried.values()) > 5_000


@pytest.mark.parametrize(
    "block",
    [
        {"type": "section", "text": {"type": "mrkdwn", "text": "hello <!channel>"}},
        {"type": "rich_text", "elements": [{"type": "broadcast", "range": "channel"}]},
        {"type": "rich_text", "elements": [{"type": "usergroup", "usergroup_id": "S0ONCALL"}]},
        {"type": "rich_text", "elements": [{"type": "link", "url": "https://evil.example/login"}]},
    ],
    ids=["mrkdwn", "broadcast", "group", "link"],
)
def test_a_mention_would_be_seen(block: dict[str, Any]) -> None:
    assert mentions([block])
    assert mentions([], "hello <!here>")
    assert not mentions([{"type": "rich_text", "elements": [{"type": "text", "text": "<!channel>"}]}])


def test_an_order_that_runs_would_leave_its_mark(tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    with stage() as hand:
        corpora = Corpora(hand, mark)
        hand.office.look()
        mark.touch()
        corpora.harmless("a reader", lambda: hand.office.replicas[99], ValueError)
        corpora.judge()

    assert corpora.wrong[0].startswith("a reader: KeyError")
    assert "an order ran" in corpora.wrong
