"""Rosters: what is due, looked up while others go on, and kept unless somebody looked later."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import BotError, TransientError
from bot.looking.rosters import KEPT, Roster, Rosters
from policies.rules.rules import Team

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SOURCE = "slack:@managers"
TEAM = Team("managers", (), SOURCE)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, (SOURCE,)),
        (AT, ()),
        (AT - KEPT + timedelta(seconds=1), ()),
        (AT - KEPT, (SOURCE,)),
        (AT + timedelta(seconds=1), (SOURCE,)),
    ],
    ids=["never", "now", "just yet", "too long ago", "in a future that is none"],
)
def test_a_team_is_due_where_what_is_known_is_old(known: datetime | None, expected: tuple[str, ...]) -> None:
    rosters = Rosters(kept={SOURCE: Roster(known)} if known else {})

    assert rosters.due([TEAM, TEAM], AT) == expected


def test_who_is_in_a_team_stays_known_while_it_is_looked_up_again() -> None:
    before = Roster(AT - KEPT, users=frozenset({"U0ADA"}))
    rosters = Rosters(kept={SOURCE: before})

    found = rosters.looked_up(rosters.due([TEAM], AT), AT)

    assert isinstance(found[SOURCE], BotError)  # there is no chat
    assert (rosters.kept, rosters.troubles) == ({SOURCE: before}, {})
    rosters.keep(found, AT)
    assert rosters.kept == {}
    assert "SLACK_BOT_TOKEN" in rosters.troubles[SOURCE]


@pytest.mark.parametrize("found", [Roster(AT), TransientError("slow")], ids=["others", "nobody"])
def test_what_somebody_looked_up_later_stays(found: Roster | BotError) -> None:
    later = Roster(AT + timedelta(seconds=20), users=frozenset({"U0ADA"}))
    rosters = Rosters(kept={SOURCE: later})

    rosters.keep({SOURCE: found}, AT)

    assert (rosters.kept, rosters.troubles) == ({SOURCE: later}, {})


def test_a_team_that_can_be_looked_up_again_is_no_trouble_any_more() -> None:
    rosters = Rosters(troubles={SOURCE: "slow"})

    rosters.keep({SOURCE: Roster(AT)}, AT)

    assert (rosters.kept, rosters.troubles) == ({SOURCE: Roster(AT)}, {})
