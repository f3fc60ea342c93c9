"""The outbox: says what changed and nothing else, edits where it stands, and loses nothing when the chat fails."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot.cards import Card, CardStage, Notice, Shown
from bot.errors import PermanentError, TransientError
from bot.index import Index
from bot.ports import Account, Chat
from bot.showing import outbox as module
from bot.showing.cardfile import cards
from bot.showing.outbox import MAX_REFUSALS, Outbox, describe, hash_of, is_late
from policies.entries.entry import Kind, Placed
from tests.bot.ledger_builders import Story

HOME = Path(__file__).resolve().parents[2]
CARD = Card(
    what="card/production/checkout-api/1.4.2",
    channel="deploys",
    environment="production",
    service="checkout-api",
    version="1.4.2",
    previous="1.4.1",
    digest="",
    stage=CardStage.CANDIDATE,
)
OPEN = replace(CARD, stage=CardStage.OPEN, promotion="5" * 12)
LANDED = replace(OPEN, stage=CardStage.LANDED)
GONE = replace(CARD, stage=CardStage.GONE, newer="1.4.3")
SILENT = Notice(
    what="notice/registry-silent/production/-/ghcr.io",
    channel="deploys",
    code="registry-silent",
    facts={"host": "ghcr.io", "detail": "no answer within 10 s"},
)
OVER = replace(SILENT, is_over=True)


@dataclass(slots=True)
class Page:
    """A chat that keeps what it was told: messages by id, and every call in order."""

    messages: dict[str, Shown] = field(default_factory=dict)
    calls: list[tuple[str, str, int]] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)  # by channel
    asked: list[str] = field(default_factory=list)

    def account(self, team: str, user: str) -> Account:
        """Say that everybody is a member."""
        return Account(is_active=True, is_bot=False, is_guest=False, is_home=bool(team and user))

    def home(self) -> str:
        """Say where the bot is."""
        return "T0"

    def email(self, user: str) -> str:
        """Say that nobody has an address."""
        assert user
        return ""

    def group(self, named: str) -> frozenset[str]:
        """Say that no user group has anybody."""
        assert named
        return frozenset()

    def withdraw(self, place: Placed) -> None:
        """Delete a message."""
        if place.channel in self.fails:
            raise self.fails[place.channel]
        self.messages.pop(place.message, None)

    def show(self, shown: Shown, *, seq: int, place: Placed | None) -> Placed:
        """Post or edit; a message that is not there is posted again."""
        self.asked.append(shown.what)
        if shown.channel in self.fails:
            raise self.fails[shown.channel]
        is_edit = place is not None and place.message in self.messages
        message = place.message if place and is_edit else f"1700.{len(self.calls) + 1}"
        self.calls.append(("edit" if is_edit else "post", shown.what, seq))
        self.messages[message] = shown
        return Placed(shown.what, "C0DEPLOYS", message, seq)


@pytest.fixture
def index() -> Iterator[Index]:
    """Return an index in memory."""
    found = Index.open(None)
    yield found
    found.close()


def by_name(*places: Placed) -> dict[str, Placed]:
    """Return places as the ledger's state holds them."""
    return {place.what: place for place in places}


def forgetful(chat: Chat, wanted: Sequence[Shown], places: Mapping[str, Placed]) -> tuple[Placed, ...]:
    """Flush once on an empty disk."""
    index = Index.open(None)
    found = Outbox(index, chat, None).flush(wanted, places)
    index.close()
    return found


def test_what_is_new_is_posted_and_its_place_returned(index: Index) -> None:
    page = Page()

    places = Outbox(index, page, None).flush([CARD], {})

    assert places == (Placed(CARD.what, "C0DEPLOYS", "1700.1", 1),)
    assert page.messages == {"1700.1": CARD}


def test_what_did_not_change_is_not_sent_again(index: Index) -> None:
    page = Page()
    outbox = Outbox(index, page, None)
    places = by_name(*outbox.flush([CARD, SILENT], {}))

    assert outbox.flush([CARD, SILENT], places) == ()
    assert len(page.calls) == 2


def test_what_is_wanted_again_is_told_apart_without_looking_at_it_whole(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Shown] = []

    def noted(shown: Shown) -> str:
        looked.append(shown)
        return hash_of(shown)

    monkeypatch.setattr(module, "hash_of", noted)
    page = Page()
    outbox = Outbox(index, page, None)
    flushes: list[list[Shown]] = [[CARD, SILENT], [replace(CARD), SILENT], [OPEN, SILENT], [SILENT], [OPEN]]

    for wanted in flushes:
        outbox.flush(wanted, {})

    assert looked == [CARD, SILENT, OPEN, OPEN], "what was not wanted for a while is looked at again"
    assert [what for what, *_ in page.calls].count("post") == 2


def test_a_change_is_edited_in_place_with_the_next_number_and_makes_no_entry(index: Index) -> None:
    page = Page()
    outbox = Outbox(index, page, None)
    places = by_name(*outbox.flush([CARD], {}))

    assert outbox.flush([OPEN], places) == ()
    assert page.calls == [("post", CARD.what, 1), ("edit", CARD.what, 3)]
    assert page.messages == {"1700.1": OPEN}


def test_the_end_is_worth_an_entry_once(index: Index) -> None:
    page = Page()
    outbox = Outbox(index, page, None)
    places = by_name(*outbox.flush([CARD], {}))
    outbox.flush([OPEN], places)

    ended = outbox.flush([LANDED], places)

    assert ended == (Placed(CARD.what, "C0DEPLOYS", "1700.1", 4),)
    assert outbox.flush([LANDED], by_name(*ended)) == ()


def test_a_place_that_the_ledger_did_not_take_is_returned_again(index: Index) -> None:
    outbox = Outbox(index, Page(), None)
    first = outbox.flush([CARD], {})

    assert outbox.flush([CARD], {}) == first


def test_a_message_that_was_deleted_is_posted_again_and_its_new_place_returned(index: Index) -> None:
    page = Page()
    outbox = Outbox(index, page, None)
    places = by_name(*outbox.flush([CARD], {}))
    page.messages.clear()

    assert outbox.flush([OPEN], places) == (Placed(CARD.what, "C0DEPLOYS", "1700.2", 3),)


def test_an_empty_disk_edits_where_the_ledger_says() -> None:
    page = Page(messages={"1699.9": CARD})
    recorded = Placed(CARD.what, "C0DEPLOYS", "1699.9", 3)

    assert forgetful(page, [OPEN], by_name(recorded)) == ()
    assert page.calls == [("edit", CARD.what, 5)]


def test_a_place_that_another_replica_recorded_later_is_edited(index: Index) -> None:
    page = Page()
    outbox = Outbox(index, page, None)
    outbox.flush([CARD], {})
    page.messages["1705.5"] = CARD

    outbox.flush([OPEN], by_name(Placed(CARD.what, "C0DEPLOYS", "1705.5", 6)))

    assert page.calls[-1] == ("edit", CARD.what, 7)
    assert page.messages["1705.5"] == OPEN


ENDS = [GONE, OVER, LANDED, replace(CARD, stage=CardStage.MOVED)]


@pytest.mark.parametrize("shown", ENDS, ids=["gone", "over", "landed", "moved"])
def test_an_empty_disk_does_not_tell_old_ends_again(shown: Shown) -> None:
    page = Page()
    told, open_still = (
        Placed(shown.what, "C0DEPLOYS", "1699.9", 2),
        Placed(shown.what, "C0DEPLOYS", "1699.9", 1),
    )

    assert forgetful(page, [shown], by_name(told)) == ()
    assert page.calls == []
    forgetful(page, [shown], by_name(open_still))
    assert len(page.calls) == 1


@pytest.mark.parametrize("before", [[], [CARD], [CARD, OPEN], [SILENT, OVER, SILENT]], ids=len)
@pytest.mark.parametrize("shown", ENDS, ids=["gone", "over", "landed", "moved"])
def test_whatever_came_before_an_end_is_told_once_through_any_number_of_empty_disks(
    before: list[Shown], shown: Shown
) -> None:
    page = Page()
    places: dict[str, Placed] = {}
    for one in (*before, shown):
        places.update(by_name(*forgetful(page, [replace(one, what=shown.what)], places)))
    told = len(page.calls)

    for _ in range(2):
        assert forgetful(page, [shown], places) == ()
    assert len(page.calls) == told
    assert list(page.messages.values())[-1] == shown


def test_what_begins_again_after_its_end_is_told_to_its_next_end() -> None:
    page = Page()
    places: dict[str, Placed] = {}
    for shown in (CARD, GONE, CARD, GONE):
        places.update(by_name(*forgetful(page, [shown], places)))

    assert [call[0] for call in page.calls] == ["post", "edit", "edit", "edit"]
    assert page.messages == {"1700.1": GONE}


def test_an_end_that_another_replica_told_is_not_told_again(index: Index) -> None:
    page, other = Page(), Index.open(None)
    mine, yours = Outbox(index, page, None), Outbox(other, page, None)
    places = by_name(*mine.flush([OPEN], {}))
    yours.flush([OPEN], places)
    places |= by_name(*yours.flush([LANDED], places))
    told = len(page.calls)

    assert mine.flush([LANDED], places) == ()
    assert len(page.calls) == told
    other.close()


def test_of_what_is_wanted_twice_only_the_newest_is_shown(index: Index) -> None:
    page = Page()

    places = Outbox(index, page, None).flush([CARD, SILENT, OPEN], {})

    assert [call[1] for call in page.calls] == [CARD.what, SILENT.what]
    assert page.messages["1700.1"] == OPEN
    assert len(places) == 2


def test_a_version_that_was_asked_for_before_its_card_was_posted_has_one_message() -> None:
    story, page = Story(), Page()
    story.see("1.4.2")
    story.bump("1.4.2")
    story.propose("1.4.2")
    look, decision = story.look()

    forgetful(page, cards(look, decision, {}, ()), {})

    said = [one for one in page.messages.values() if isinstance(one, Card) and one.version == "1.4.2"]
    assert [(one.environment, one.stage) for one in said] == [
        ("staging", CardStage.MOVED),
        ("production", CardStage.OPEN),
    ]


def test_a_notice_is_told_once_and_edited_when_it_is_over(index: Index) -> None:
    page = Page()
    outbox = Outbox(index, page, None)
    places = by_name(*outbox.flush([SILENT], {}))

    outbox.flush([replace(SILENT, facts={"host": "ghcr.io", "detail": "no answer within 11 s"})], places)
    ended = outbox.flush([OVER], places)

    assert [call[0] for call in page.calls] == ["post", "edit"]
    assert ended == (Placed(SILENT.what, "C0DEPLOYS", "1700.1", 2),)


def test_a_trouble_that_comes_again_is_a_new_message(index: Index) -> None:
    page = Page()
    outbox = Outbox(index, page, None)
    places: Mapping[str, Placed] = {}
    for shown in (SILENT, OVER, SILENT):
        places = {**places, **by_name(*outbox.flush([shown], places))}

    assert page.messages == {"1700.1": OVER, "1700.3": SILENT}
    assert places[SILENT.what] == Placed(SILENT.what, "C0DEPLOYS", "1700.3", 3)


def test_a_chat_that_fails_for_the_moment_ends_the_flush_and_loses_nothing(index: Index) -> None:
    page = Page(fails={"other": TransientError("slow down")})
    outbox = Outbox(index, page, None)
    wanted: list[Shown] = [
        CARD,
        replace(SILENT, channel="other"),
        replace(OPEN, what="card/production/checkout-api/1.4.0"),
    ]

    first = outbox.flush(wanted, {})
    page.fails.clear()
    second = outbox.flush(wanted, by_name(*first))

    assert [place.what for place in first] == [wanted[0].what]
    assert [place.what for place in second] == [wanted[1].what, wanted[2].what]
    assert outbox.refusals == {}


def test_of_two_replicas_that_post_the_same_the_later_one_withdraws_and_goes_on_with_the_others(
    index: Index,
) -> None:
    page, other = Page(), Index.open(None)
    (theirs,) = Outbox(other, page, None).flush([CARD], {})
    late = Outbox(index, page, None)
    (ours,) = late.flush([CARD], {})
    known = by_name(theirs)

    late.withdraw([one for one in (ours,) if is_late(one, known.get(one.what))], known)
    places = late.flush([OPEN], known)

    assert len(page.calls) == 3
    assert page.messages == {theirs.message: OPEN}
    assert places == ()
    other.close()


def test_what_cannot_be_withdrawn_for_the_moment_is_withdrawn_later(index: Index) -> None:
    page, other = Page(), Index.open(None)
    (theirs,) = Outbox(other, page, None).flush([CARD], {})
    late = Outbox(index, page, None)
    (ours,) = late.flush([CARD], {})
    known = by_name(theirs)

    page.fails[ours.channel] = TransientError("the chat is away")
    late.withdraw([ours], known)
    page.fails.clear()
    again = late.flush([CARD], known)
    late.withdraw(again, known)

    assert again == (ours,)
    assert page.messages == {theirs.message: CARD}
    assert late.flush([CARD], known) == ()
    other.close()


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        (None, False),
        (Placed("w", "C0", "1", 5), False),
        (Placed("w", "C0", "2", 5), True),
        (Placed("w", "C0", "2", 6), True),
        (Placed("w", "C0", "2", 4), False),
    ],
    ids=["unknown", "the-same-message", "drawn-as-often", "drawn-more-often", "deleted-and-posted-again"],
)
def test_a_message_is_late_where_the_ledger_knows_another_one(
    recorded: Placed | None, *, expected: bool
) -> None:
    assert is_late(Placed("w", "C0", "1", 5), recorded) is expected


def test_a_channel_that_refuses_is_noted_and_the_others_go_on(index: Index) -> None:
    page = Page(fails={"secret": PermanentError("not in the channel; invite it")})
    outbox = Outbox(index, page, None)
    many = [replace(CARD, what=f"card/a/b/{number}", channel="secret") for number in range(9)]

    places = outbox.flush([*many, CARD], {})
    refused = dict(outbox.refusals)
    page.fails.clear()
    later = outbox.flush([*many, CARD], by_name(*places))

    assert [place.what for place in places] == [CARD.what]
    assert refused == {"secret": "not in the channel; invite it"}
    assert [place.what for place in later] == [one.what for one in many]
    assert outbox.refusals == {}


def test_one_refused_message_does_not_silence_its_channel(index: Index) -> None:
    class Picky(Page):
        """A chat that cannot take one of the cards."""

        def show(self, shown: Shown, *, seq: int, place: Placed | None) -> Placed:
            if shown is CARD:
                raise PermanentError("invalid blocks")
            return Page.show(self, shown, seq=seq, place=place)

    places = Outbox(index, Picky(), None).flush([CARD, SILENT], {})

    assert [place.what for place in places] == [SILENT.what]


def test_a_channel_that_refuses_is_asked_a_few_times_a_flush(index: Index) -> None:
    page = Page(fails={CARD.channel: PermanentError("no such channel")})
    many = [replace(CARD, what=f"card/a/b/{number}") for number in range(9)]
    Outbox(index, page, None).flush(many, {})

    assert len(page.asked) == MAX_REFUSALS


# --- without a chat -----------------------------------------------------------------------------------------


def test_without_a_chat_each_thing_is_one_line_once(index: Index) -> None:
    lines: list[str] = []
    outbox = Outbox(index, None, lines.append)

    assert outbox.flush([CARD, SILENT], {}) == ()
    outbox.flush([CARD, SILENT], {})
    outbox.flush([OPEN, OVER], by_name(Placed(CARD.what, "C0DEPLOYS", "1700.1", 1)))

    assert lines == [
        "would post to #deploys: card production/checkout-api 1.4.2 candidate",
        "would post to #deploys: notice registry-silent production ghcr.io",
        "would edit in #deploys: card production/checkout-api 1.4.2 open",
        "would post to #deploys: notice registry-silent production ghcr.io is over",
    ]


def test_what_was_only_printed_is_posted_when_there_is_a_chat(index: Index) -> None:
    page = Page()
    Outbox(index, None, print).flush([CARD], {})
    outbox = Outbox(index, page, None)

    assert outbox.known({}) == frozenset()
    assert [place.seq for place in outbox.flush([CARD], {})] == [1]


def test_printing_does_not_forget_where_a_message_stands(index: Index) -> None:
    page = Page()
    chat = Outbox(index, page, None)
    places = by_name(*chat.flush([CARD], {}))

    Outbox(index, None, lambda _: None).flush([OPEN], places)
    chat.flush([OPEN], {})

    assert page.calls == [("post", CARD.what, 1), ("edit", CARD.what, 3)]


def test_without_chat_and_printer_nothing_happens(index: Index) -> None:
    assert Outbox(index, None, None).flush([CARD], {}) == ()
    assert index.sent() == {}


def test_a_hostile_name_stays_on_its_line() -> None:
    hostile = replace(CARD, version="1.4.2\nwould post to #all: \u202e")

    assert describe(hostile) == r"card production/checkout-api 1.4.2\nwould post to #all: \u202e candidate"


def test_what_is_known_is_what_the_ledger_or_this_disk_knows(index: Index) -> None:
    outbox = Outbox(index, Page(), None)
    outbox.flush([CARD], {})

    assert outbox.known(by_name(Placed(SILENT.what, "C0DEPLOYS", "1.1", 1))) == {CARD.what, SILENT.what}


def test_every_change_of_a_card_is_another_hash() -> None:
    assert hash_of(CARD) == hash_of(replace(CARD))
    assert len({hash_of(one) for one in (CARD, OPEN, LANDED, GONE, replace(OPEN, newer="1.4.3"))}) == 5
    assert hash_of(GONE) == hash_of(replace(GONE, newer="1.4.4"))


# --- killed in the middle, and a whole day ------------------------------------------------------------------

LIFE = """
import sys
from pathlib import Path
from bot import faults
from bot.index import Index
from bot.showing.outbox import Outbox
from tests.bot.test_outbox import CARD, OPEN, Page

faults.arm(sys.argv[1])
outbox = Outbox(Index.open(Path(sys.argv[2])), Page(), None)
outbox.flush([CARD], {})
outbox.flush([OPEN], {})
"""


@pytest.mark.parametrize(
    ("point", "left"),
    [("before-message", 0), ("after-message", 0), ("before-edit", 1), ("after-edit", 1)],
)
def test_killed_around_a_message_the_next_life_says_what_is_missing(
    point: str, left: int, tmp_path: Path
) -> None:
    path = tmp_path / "index.db"
    ended = subprocess.run([sys.executable, "-c", LIFE, point, str(path)], cwd=HOME, check=False)
    index = Index.open(path)
    page = Page(messages={place.message: CARD for place in index.sent().values()})

    assert ended.returncode == -signal.SIGKILL
    assert len(index.sent()) == left
    Outbox(index, page, None).flush([OPEN], {})

    assert list(page.messages.values()) == [OPEN]
    index.close()


def test_a_day_on_one_disk_and_on_empty_disks_ends_with_the_same_messages() -> None:
    story = Story()
    page, other_page = Page(), Page()
    index = Index.open(None)
    places: dict[str, Placed] = {}
    others: dict[str, Placed] = {}

    def step() -> None:
        look, decision = story.look()
        outbox = Outbox(index, page, None)
        wanted = cards(look, decision, {}, outbox.known(places))
        places.update(by_name(*outbox.flush(wanted, places)))
        wanted = cards(look, decision, {}, frozenset(others))
        others.update(by_name(*forgetful(other_page, wanted, others)))

    step()
    story.see("1.4.2")
    story.bump("1.4.2")
    step()
    promotion = story.propose("1.4.2")
    step()
    story.say(Kind.APPROVE, promotion, "ada")
    step()
    story.say(Kind.APPROVE, promotion, "bob")
    story.intend(promotion)
    step()
    story.land(promotion)
    step()
    story.rollback("1.4.1", "production")
    step()

    assert list(page.messages.values()) == list(other_page.messages.values())
    assert len(page.messages) == 5  # two first looks, one move, one promotion, one rollback
    assert [call[:2] for call in page.calls if call[0] == "post"] == [
        call[:2] for call in other_page.calls if call[0] == "post"
    ]
    index.close()
