"""What forge, Slack and the Git host do wrong, each in each state of a promotion: it comes to the same end, once."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from bot.answers import Answer, Recorded
from bot.repository.push import Lost, PushAnswer, RefUpdate, Unknown
from handlers.slack import messages
from handlers.slack.chat import web_client
from handlers.slack.reply import Address, Replies
from policies.words import Approve, Cancel, Propose, Speaker, Word
from sandbox.forge.door import Fault
from sandbox.forge.refusals import RefusalError
from tests.campaign.acts import WHY
from tests.campaign.invariants import broken
from tests.campaign.office import TEAM, Office
from tests.campaign.stage import Stagehand, stage

Pair = tuple[int, str]  # a trouble by its number, and the state in which it comes
MET = 12  # pairs that share a world: its ledger stays short
ANSWERED_LATE_MINUTES = 31  # Slack: a response URL may be used for 30 minutes
EVERY = 5  # promotions between two looks at all invariants
STATES = ("published", "asked", "approved once", "approved", "landed", "cancelled")


class _StaleError(RefusalError):
    """An answer from a moment ago, when there was nothing."""

    def __init__(self) -> None:
        super().__init__(200, "")

    def body(self) -> Any:
        """Answer with an empty list."""
        return []


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong. ``is_seen_twice``: a message may stand twice afterwards (promise 8)."""

    name: str
    begin: Callable[[Office], None]
    bites: str = "approved"  # the state in which it surely shows
    is_seen_twice: bool = False
    is_click: bool = False  # it is the words that come oddly: each is delivered five times
    apart_seconds: int = 0  # so long after one another
    is_answered_late: bool = False  # the URL for the answer to a word has expired when the answer is there


def _forge(status: int, method: str | None = None, **more: Any) -> Callable[[Office], None]:
    return lambda there: there.world.forge.fail(status, method=method, **more)


def _stale(there: Office) -> None:
    there.world.forge._break(Fault(_StaleError(), 2, "GET", "/pulls"))


def _as_they_were(there: Office) -> None:
    """Answer the next looks at each open pull request with what it is now, whatever happens to it meanwhile."""
    settings = there.world.settings
    for pull in there.pulls():
        if pull["state"] != "open":
            continue
        end = f"/repos/{settings['COUNTERSIGN_FORGE_REPOSITORY']}/pulls/{pull['number']}"
        asked = requests.get(
            settings["COUNTERSIGN_GITHUB_URL"] + end,
            headers={"Authorization": f"Bearer {settings['GITHUB_TOKEN']}"},
            timeout=10,
        )
        assert asked.ok
        there.world.forge._break(Fault(RefusalError(200, ""), 2, "GET", end, body=asked.content))


def _push(answer: PushAnswer, *, is_done: bool) -> Callable[[Office], None]:
    """Let the next push be answered so, done or not."""

    def begin(there: Office) -> None:
        mirror = there.engine().desk.mirror
        push = mirror.push

        def odd(updates: list[RefUpdate], **more: Any) -> PushAnswer:
            mirror.push = push  # type: ignore[method-assign]
            if is_done:
                push(updates, **more)
            return answer

        mirror.push = odd  # type: ignore[method-assign,assignment]

    return begin


def _slack(method: str, error: str) -> Callable[[Office], None]:
    return lambda there: there.world.slack.levers.fail(method, error, 2)


def _dropped(method: str, *, after: bool) -> Callable[[Office], None]:
    return lambda there: there.world.slack.levers.drop(method, after=after)


def _deleted(there: Office) -> None:
    workspace = there.world.slack.workspace
    ours = [one for one in workspace.messages("deploys") if one.by_app]
    if ours:
        workspace.delete(ours[-1])


def _overtaken(there: Office) -> None:
    """Let a click arrive before what it speaks of."""
    there.say("bob", Approve("f" * 12))
    there.say("ada", Cancel("f" * 12, WHY))


def _woken_twice(there: Office) -> None:
    """Let the forge's event reach both replicas, each twice."""
    for replica in (0, 1, 0, 1):
        there.look(replica)


def _nothing(_there: Office) -> None:
    pass


TROUBLES: tuple[Trouble, ...] = (
    Trouble("forge: 502 after a POST was done", _forge(502, "POST", after=True), bites="asked"),
    Trouble("forge: 502 after a PUT was done", _forge(502, "PUT", after=True)),
    Trouble("forge: 502 after a PATCH was done", _forge(502, "PATCH", after=True), bites="cancelled"),
    Trouble("forge: 502 before a POST", _forge(502, "POST", times=2), bites="asked"),
    Trouble("forge: 500 to everything, five times", _forge(500, times=5), bites="approved"),
    Trouble("forge: 403, secondary rate limit", lambda there: there.world.forge.limit_rate(1, times=2)),
    Trouble(
        "forge: 403 to a merge, as a secondary limit", lambda there: there.world.forge.refuse_merges(403)
    ),
    Trouble("forge: 422 to a merge", lambda there: there.world.forge.refuse_merges(422)),
    Trouble("forge: 422 to a PATCH", _forge(422, "PATCH"), bites="cancelled"),
    Trouble("forge: 409 to a POST", _forge(409, "POST"), bites="asked"),
    Trouble("forge: its event comes twice, to two replicas", _woken_twice),
    Trouble("forge: 405 to a merge", lambda there: there.world.forge.refuse_merges(405)),
    Trouble("forge: 409 to a merge", lambda there: there.world.forge.refuse_merges(409)),
    Trouble(
        "forge: 502 after a merge", lambda there: there.world.forge.refuse_merges(502, after_merging=True)
    ),
    Trouble("forge: 422 to a POST", _forge(422, "POST"), bites="asked"),
    Trouble("forge: a list that is a moment old", _stale, bites="asked"),
    Trouble("forge: pull requests as they were a moment ago", _as_they_were),
    Trouble("forge: mergeability not known yet", lambda there: there.world.forge.delay_mergeability(3)),
    Trouble("forge: the token has ended", _forge(401, times=3)),
    Trouble(
        "git: pushed, and the answer is lost", _push(Unknown("reset by peer"), is_done=True), bites="asked"
    ),
    Trouble(
        "git: not pushed, and the answer is lost",
        _push(Unknown("(failed)"), is_done=False),
        bites="approved once",
    ),
    Trouble(
        "git: pushed, and the host says (failed)", _push(Unknown("(failed)"), is_done=True), bites="asked"
    ),
    Trouble(
        "git: somebody was faster, they say", _push(Lost("fetch first"), is_done=False), bites="approved once"
    ),
    Trouble("slack: a word delivered five times", _nothing, is_click=True),
    Trouble("slack: a word delivered again, after 299 s each", _nothing, is_click=True, apart_seconds=299),
    Trouble("slack: the response URL has expired", _nothing, is_answered_late=True, bites="approved once"),
    Trouble("slack: clicks overtake what they speak of", _overtaken, bites="asked"),
    Trouble("slack: an update takes too long", _dropped("chat.update", after=True), bites="approved once"),
    Trouble(
        "slack: a message is gone",
        _slack("chat.update", "message_not_found"),
        is_seen_twice=True,
        bites="approved once",
    ),
    Trouble("slack: an update fails", _slack("chat.update", "internal_error"), bites="approved once"),
    Trouble(
        "slack: a message cannot be updated",
        _slack("chat.update", "cant_update_message"),
        is_seen_twice=True,
        bites="approved once",
    ),
    Trouble("slack: posting fails", _slack("chat.postMessage", "fatal_error"), bites="published"),
    Trouble(
        "slack: posted, and the answer is lost",
        _dropped("chat.postMessage", after=True),
        is_seen_twice=True,
        bites="published",
    ),
    Trouble("slack: an update is lost", _dropped("chat.update", after=False), bites="approved once"),
    Trouble("slack: the message is deleted", _deleted, bites="approved once"),
    Trouble(
        "slack: 429",
        lambda there: there.world.slack.levers.ratelimit("chat.update", 2),
        bites="approved once",
    ),
    Trouble(
        "slack: accounts cannot be looked up", _dropped("users.info", after=False), bites="approved once"
    ),
)


@dataclass
class Outside:
    """One world in which one promotion after the other meets one trouble in one state."""

    hand: Stagehand
    wrong: list[str] = field(default_factory=list)
    met: int = 0
    is_late: bool = False

    def meet(self, trouble: Trouble, state: str) -> None:
        """Take a version to its end, with trouble on the way, and note what is not as it must be."""
        acts, there = self.hand.acts, self.hand.office
        before = len(self.wrong)
        version = acts.publish("checkout-api")
        self._step("published", trouble, state, lambda: self._has("bump", version), there.look)
        self._step(
            "asked",
            trouble,
            state,
            lambda: self._has("propose", version),
            self._says("carol", self._ask(version)),
        )
        name = self._promotion(version)
        approve: Word = Approve(name)
        self._step(
            "approved once",
            trouble,
            state,
            lambda: self._of("approve", name, "ada"),
            self._says("ada", approve),
        )
        if state == "cancelled":
            end: Word = Cancel(name, WHY)
            self._step(state, trouble, state, lambda: self._of("cancel", name), self._says("carol", end))
        else:
            self._step(
                "approved", trouble, state, lambda: self._of("landed", name), self._says("bob", approve)
            )
            self._step("landed", trouble, state, lambda: True, there.look)
        for _ in range(2):
            there.clock.wind(minutes=5)
            there.look()
        self.met += 1
        self._judge(trouble, name, "cancel" if state == "cancelled" else "landed")
        self.wrong[before:] = [f"{trouble.name}, {state}: {one}" for one in self.wrong[before:]]

    def _step(
        self, at: str, trouble: Trouble, state: str, done: Callable[[], bool], act: Callable[[], object]
    ) -> None:
        there = self.hand.office
        if at == state:
            trouble.begin(there)
        self.is_late = trouble.is_answered_late and at == state
        act()
        if at == state and trouble.is_click:
            for _ in range(4):
                there.clock.wind(seconds=trouble.apart_seconds)
                act()
        there.world.forge.heal()
        there.world.slack.levers.clear()
        self.hand.until(done, act)

    def _says(self, person: str, word: Word) -> Callable[[], object]:
        """Return somebody's saying something: the very same click, however often it is delivered, to either replica."""
        there, again = self.hand.office, iter(range(1000))
        speaker = Speaker(TEAM, f"U0{person.upper()}", "button", f"{person}-{there.clock.at:%s}-{self.met}")

        def say() -> object:
            engine = there.engine(next(again) % 2)
            url = self._response_url(speaker)
            answer = there._lived(lambda: engine.say(speaker, word), 0)
            if answer is not None:
                self._answer(speaker, word, answer, url)
            return answer

        return say

    def _response_url(self, speaker: Speaker) -> str:
        slack = self.hand.office.world.slack
        channel = slack.workspace.channel("deploys").id
        return slack.response_url(slack.workspace.tickets.response_url(speaker.user, channel))

    def _answer(self, speaker: Speaker, word: Word, answer: Answer, url: str) -> None:
        """Answer a person as they are answered: they hear it once, whatever has become of the URL for it."""
        there = self.hand.office
        if self.is_late:
            there.clock.wind(minutes=ANSWERED_LATE_MINUTES)
        slack = there.world.slack
        deploys = slack.workspace.channel("deploys").id
        said = (
            messages.recorded(answer)
            if isinstance(answer, Recorded)
            else messages.refused(answer, word, None, "")
        )
        before = len(slack.workspace.whispers(speaker.user))
        Replies(web_client(slack.token, slack.api_url)).give(Address(speaker.user, deploys, url), said)
        if (heard := len(slack.workspace.whispers(speaker.user)) - before) != 1:
            self.wrong.append(f"{speaker.user} was answered {heard} times")

    def _ask(self, version: str) -> Word:
        return Propose("checkout-api", version, "production", WHY)

    def _has(self, kind: str, version: str) -> bool:
        lines = self.hand.office.reading.ledger()
        return any(one.kind == kind and one["image"] and one["image"][0]["tag"] == version for one in lines)

    def _of(self, kind: str, promotion: str, person: str = "") -> bool:
        return bool(self._entries(kind, promotion, person))

    def _entries(self, kind: str, promotion: str, person: str = "") -> list[object]:
        lines = self.hand.office.reading.ledger()
        return [
            one
            for one in lines
            if one.kind == kind and one["promotion"] == promotion and person in {"", one.person}
        ]

    def _promotion(self, version: str) -> str:
        lines = self.hand.office.reading.ledger()
        return next(
            str(one["promotion"])
            for one in reversed(lines)
            if one.kind == "propose" and one["image"][0]["tag"] == version
        )

    def _judge(self, trouble: Trouble, promotion: str, end: str) -> None:
        if self.met % EVERY == 0:
            self.wrong += broken(self.hand.seen)
        for kind in (end, *(("merged",) if end == "landed" else ())):
            if (count := len(self._entries(kind, promotion))) != 1:
                self.wrong.append(f"{count} entries say {kind}")
        pulls = [one for one in self.hand.office.pulls() if one["head"].endswith(promotion)]
        if len(pulls) != 1 or pulls[0]["state"] == "open":
            self.wrong.append(f"its pull requests are {[(one['number'], one['state']) for one in pulls]}")
        comments = [
            one.body
            for one in self.hand.office.world.forge._world.pulls.state.comments
            if promotion in one.body
        ]
        if len(comments) > 1:
            self.wrong.append(f"{len(comments)} comments say that it ended")
        if not trouble.is_seen_twice and (twice := self._twice()):
            self.wrong.append(f"{twice[0]} stands {len(twice)} times in the channel")

    def _twice(self) -> list[str]:
        """Return the names of what stands more than once in the channel, of this trouble's promotion."""
        shown = [
            str(((one.metadata or {}).get("event_payload") or {}).get("what", one.ts))
            for one in self.hand.office.world.slack.workspace.messages("deploys")
            if one.by_app
        ]
        newest = f"card/production/checkout-api/{self.hand.acts.newest('checkout-api')}"
        return [one for one in shown if one == newest][1:]


def pairs(*, is_long: bool, count: int, seed: int) -> list[list[Pair]]:
    """Return what meets what, a few for each world: all pairs, or so many that chance picks, or one of each trouble."""
    found = [
        (number, state)
        for number, trouble in enumerate(TROUBLES)
        for state in (STATES if is_long else (trouble.bites,))
    ]
    if count:
        found = random.Random(seed).sample(found, min(count, len(found)))  # noqa: S311  it guards nothing
    size = MET if is_long else len(found)
    return [found[first : first + size] for first in range(0, len(found), size)]


def met(some: list[Pair]) -> tuple[int, tuple[str, ...]]:
    """Let some pairs meet in one world; return how many did, and what is wrong."""
    with stage() as hand:
        found = Outside(hand)
        hand.office.look()
        for number, state in some:
            try:
                found.meet(TROUBLES[number], state)
            except AssertionError as error:
                found.wrong.append(f"{TROUBLES[number].name}, {state}: {error}")
        found.wrong += broken(hand.seen, at_rest=True)
        found.wrong += map(str, hand.seen.witness.verify().findings)
        return found.met, tuple(found.wrong)
