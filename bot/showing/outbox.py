"""The outbox: what is to be shown, where it stands, what was sent last. Every flush converges on what is wanted.

A redraw's number grows, and is even where nothing more is expected of the thing: so the places in the ledger tell
an empty disk which ends were shown.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, replace

from bot import faults
from bot.cards import Card, CardStage, Notice, Shown
from bot.errors import BotError, PermanentError, TransientError
from bot.index import Index, Sent
from bot.measures import MEASURES, Measure
from bot.ports import Chat
from policies.canonical import digest_of
from policies.entries.entry import Placed
from policies.entries.redacted import is_hidden
from policies.rulebook.findings import visible

MAX_REFUSALS = 3  # of one channel in one flush: then it is the channel, not the message
FINAL = frozenset(CardStage) - {
    CardStage.CANDIDATE,
    CardStage.OPEN,
    CardStage.APPROVED,
    CardStage.CLEARED,
    CardStage.MERGING,
}
_OVER, _ON = "over", "on"  # the stages of a notice
_log = logging.getLogger(__name__)


class Outbox:
    """Shows what changed, through the chat or, without one, as lines for a terminal. ``refusals``: by channel, why."""

    def __init__(self, index: Index, chat: Chat | None, printer: Callable[[str], None] | None) -> None:
        """Remember in this index. Without chat and printer nothing is shown."""
        self._index = index
        self._chat = chat
        self._printer = printer
        self.refusals: dict[str, str] = {}
        self._hashes: dict[str, tuple[Shown, str]] = {}  # of what was wanted last; most of it is wanted again

    def known(self, places: Mapping[str, Placed]) -> frozenset[str]:
        """Return the names of all that is shown somewhere, by the ledger (``State.shown``) or by what was sent."""
        return frozenset(places) | frozenset(self._sent())

    def open(self, places: Mapping[str, Placed]) -> frozenset[str]:
        """Return the names of what is shown somewhere and has not ended."""
        sent = self._sent()
        stand = {what: _place(sent.get(what), places.get(what)) for what in self.known(places)}
        return frozenset(what for what, place in stand.items() if place and not _is_end(place))

    def flush(self, wanted: Sequence[Shown], places: Mapping[str, Placed]) -> tuple[Placed, ...]:
        """Show what differs from what was sent last; returns the places that the ledger (``places``) should know.

        Of a thing that is wanted twice only the last counts. A chat that fails for the moment ends the flush: the
        next one goes on. A channel that refuses is left out.
        """
        wanted = list({shown.what: shown for shown in wanted}.values())
        self._hashes = {shown.what: (shown, self._hash_of(shown)) for shown in wanted}
        if self._chat is None:
            self._print(wanted, places)
            return ()
        sent = self._sent()
        found: list[Placed] = []
        refused: Counter[str] = Counter()
        behind = len(wanted)
        for shown in wanted:
            if refused[shown.channel] >= MAX_REFUSALS:
                continue
            try:
                placed = self._show(self._chat, shown, sent.get(shown.what), places.get(shown.what))
            except TransientError as error:
                _log.warning("the chat waits: %s", error)
                break
            if placed is None:
                refused[shown.channel] += 1
                continue
            behind -= 1
            if _is_news(shown, placed, places.get(shown.what)):
                found.append(placed)
        MEASURES.put(Measure.CARDS_BEHIND, behind)
        return tuple(found)

    def withdraw(self, late: Sequence[Placed], places: Mapping[str, Placed]) -> None:
        """Delete messages that another replica had posted before us, and go on with its own.

        Where the chat fails ours is known still, so that the next flush comes here again.
        """
        for place in late:
            last, theirs = self._index.sent_of(place.what), places[place.what]
            try:
                if self._chat is not None:
                    faults.point("before-withdraw")
                    self._chat.withdraw(place)
                    faults.point("after-withdraw")
            except BotError as error:
                _log.warning("a second message about %s stays for now: %s", visible(place.what), error)
                continue
            if last is not None:
                there = replace(last, channel=theirs.channel, message=theirs.message, seq=theirs.seq)
                self._index.remember_sent(there)

    def _sent(self) -> dict[str, Sent]:
        """Return what was sent last; what was only printed was not sent to a chat."""
        return {what: one for what, one in self._index.sent().items() if one.message or self._chat is None}

    def _show(self, chat: Chat, shown: Shown, last: Sent | None, recorded: Placed | None) -> Placed | None:
        """Show one thing where it differs; nothing where the channel refuses it. Raises: TransientError."""
        now = self._hashes[shown.what][1]
        place = _place(last, recorded)
        if place and ((last and last.hash == now) or _was_told(shown, last, recorded)):
            self._remember(shown, place, now, last)
            return place
        # a trouble that comes again is a new message: nobody reads an old one
        is_again = bool(place and _is_end(place) and isinstance(shown, Notice) and not shown.is_over)
        seq = _next(place.seq if place else 0, shown)
        effect = "edit" if place and not is_again else "message"
        faults.point(f"before-{effect}")
        try:
            placed = chat.show(shown, seq=seq, place=None if is_again else place)
        except PermanentError as error:
            self._refuse(shown, str(error))
            return None
        faults.point(f"after-{effect}")
        placed = replace(placed, what=shown.what, seq=seq)
        self._remember(shown, placed, now, last)
        self.refusals.pop(shown.channel, None)
        return placed

    def _hash_of(self, shown: Shown) -> str:
        before, known = self._hashes.get(shown.what, (None, ""))
        return known if shown == before else hash_of(shown)

    def _remember(self, shown: Shown, place: Placed, now: str, last: Sent | None) -> None:
        sent = Sent(shown.what, place.channel, place.message, place.seq, now, _stage(shown))
        if last != sent:
            self._index.remember_sent(sent)

    def _refuse(self, shown: Shown, why: str) -> None:
        if self.refusals.get(shown.channel) != why:
            _log.error("%s cannot be told %s: %s", visible(shown.channel), visible(shown.what), why)
        self.refusals[shown.channel] = why

    def _print(self, wanted: Sequence[Shown], places: Mapping[str, Placed]) -> None:
        """Say in a line each what a chat would be told."""
        if self._printer is None:
            return
        sent = self._sent()
        for shown in wanted:
            last, now = sent.get(shown.what), self._hashes[shown.what][1]
            place = _place(last, places.get(shown.what))
            if (last and last.hash == now) or _was_told(shown, last, places.get(shown.what)):
                continue
            verb = "edit in" if place else "post to"
            self._printer(f"would {verb} #{visible(shown.channel.lstrip('#'))}: {describe(shown)}")
            if last is None or not last.message:
                self._index.remember_sent(Sent(shown.what, shown.channel, "", 0, now, _stage(shown)))


def describe(shown: Shown) -> str:
    """Describe a card or notice in a few words, for a terminal."""
    match shown:
        case Card():
            said = f"card {shown.environment}/{shown.service} {shown.version} {shown.stage}"
        case Notice():
            about = shown.what.split("/")[2:]
            said = " ".join(["notice", shown.code, *(one for one in about if one != "-")])
            said += " is over" if shown.is_over else ""
    return visible(said)


def hash_of(shown: Shown) -> str:
    """Return what tells two redraws apart: of a notice or of what is gone only the stage, for they are told once.

    A notice whose words were hidden since is told anew.
    """
    if isinstance(shown, Card) and shown.stage is not CardStage.GONE:
        return digest_of(repr(astuple(shown)))
    veiled = isinstance(shown, Notice) and any(map(is_hidden, shown.facts.values()))
    return digest_of([shown.what, shown.channel, _stage(shown), *(["veiled"] if veiled else [])])


def is_late(place: Placed, recorded: Placed | None) -> bool:
    """Whether another replica showed the same before us: the ledger knows another message, drawn as often."""
    return recorded is not None and recorded.message != place.message and recorded.seq >= place.seq


def is_final(shown: Shown) -> bool:
    """Whether nothing more is expected of it."""
    return shown.stage in FINAL if isinstance(shown, Card) else shown.is_over


def _stage(shown: Shown) -> str:
    if isinstance(shown, Card):
        return shown.stage.value
    return _OVER if shown.is_over else _ON


def _place(last: Sent | None, recorded: Placed | None) -> Placed | None:
    """Return where a thing stands: by the index, or by the ledger where that is newer or all there is."""
    if last is None or not last.message:
        return recorded
    mine = Placed(last.what, last.channel, last.message, last.seq)
    return recorded if recorded and recorded.seq > mine.seq else mine


def _next(seq: int, shown: Shown) -> int:
    """Return the number of the next redraw: even where it is the last that is expected."""
    return seq + 1 if (seq + 1) % 2 != is_final(shown) else seq + 2


def _is_end(place: Placed) -> bool:
    """Whether what stands there is the end of the thing, by its number."""
    return place.seq % 2 == 0


def _was_told(shown: Shown, last: Sent | None, recorded: Placed | None) -> bool:
    """Whether the end was shown already, by the ledger: this disk was emptied, or another replica was faster."""
    if isinstance(shown, Card) and (is_hidden(shown.note) or is_hidden(shown.ended_note)):
        return False  # the end that was shown may hold the words that are hidden now
    is_newer = recorded is not None and (last is None or recorded.seq > last.seq)
    return bool(is_newer and recorded and _is_end(recorded) and is_final(shown))


def _is_news(shown: Shown, placed: Placed, recorded: Placed | None) -> bool:
    """Whether the ledger should know: a new place, an end, or going on after one. A redraw alone makes no entry."""
    if recorded is None or (placed.channel, placed.message) != (recorded.channel, recorded.message):
        return True
    return placed.seq > recorded.seq and (is_final(shown) or _is_end(recorded))
