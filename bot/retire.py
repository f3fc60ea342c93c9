"""Leaving: what is open ends, with its pull request, branch and card. Each step looks first, so it may be repeated."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from bot.cards import Card, CardStage, Notice, Shown
from bot.ledger import Proposal
from bot.looking.survey import Survey
from bot.looking.troubles import Trouble, Wrong
from bot.promoting.desk import Desk
from bot.promoting.promoter import end
from bot.promoting.reconciler import Reconciler
from bot.promoting.withdrawal import withdrawal
from policies.entries.entry import Placed
from policies.ledger.state import Promotion, Stage

NOTE = "Countersign was retired"
_CANDIDATE_PARTS = 4  # of a name: card, environment, service, tag


def plan(look: Survey, open_things: Collection[str]) -> list[str]:
    """Return what leaving would do, a line each."""
    lines = [f"{_verb(one)} {one.id}: {_name(one)}" for one in _live(look)]
    ours = [name for name in look.tips.promotions if _promotion(name) in look.state.promotions]
    lines += [f"delete the branch {name}, and close its pull request" for name in ours]
    return [*lines, *(f"mark {name} as ended" for name in sorted(open_things) if name.startswith("card/"))]


def strangers(look: Survey) -> list[str]:
    """Return the branches that are named like ours and that no promotion of this ledger made."""
    return [name for name in look.tips.promotions if _promotion(name) not in look.state.promotions]


def end_all(desk: Desk, reconciler: Reconciler, at: datetime) -> list[str]:
    """Finish what is being merged, end the rest in one push, then close pull requests and delete branches.

    Returns what was written; what could not be done stands in ``reconciler.left``. Raises: BotError, Declined.
    """
    for promotion in _live(desk.view(at)):
        if promotion.stage is not Stage.OPEN:
            reconciler.advance(at, promotion.id)

    def endings(look: Survey, _tip: str) -> Proposal:
        before = [entry for one in _live(look) for entry in withdrawal(look, one.environment, one.service)]
        found = [one for one in _live(look) if one.stage is Stage.OPEN]
        return Proposal((*before, *(end(look, one, "closed", NOTE) for one in found)))

    live = _live(desk.view(at))
    if any(one.stage is Stage.OPEN or one.is_cleared for one in live):
        reconciler.noted(desk.append(endings, at))
    reconciler.tidy(at)
    for promotion in _live(look := desk.view(at)):
        reconciler.left.append(f"{promotion.id} is still {promotion.stage}: {_name(promotion)}")
    return [f"ended {one.id}: {_name(one)}" for one in live if one.id not in look.state.live.values()]


def farewell(
    look: Survey, drawn: Sequence[Shown], open_things: Collection[str], places: Mapping[str, Placed]
) -> tuple[Shown, ...]:
    """Return the last redraws: of promotions their end, of what could still be asked for that nobody answers any more.

    ``drawn``: the cards as they would be. ``open_things``: the names of what was shown and has not ended.
    """
    cards = [one for one in drawn if isinstance(one, Card) and one.promotion]
    told = {one.what for one in cards}
    cards += [
        card for what in sorted(open_things) if what not in told and (card := _last(look, what, places))
    ]
    return (*cards, *_goodbyes(look))


def _goodbyes(look: Survey) -> list[Notice]:
    """Return one notice for each channel."""
    found: dict[str, Notice] = {}
    for one in look.world.rules.environments.values():
        what = Trouble(Wrong.FAREWELL, one.name).what
        found.setdefault(one.channel, Notice(what=what, channel=one.channel, code=Wrong.FAREWELL))
    return list(found.values())


def _last(look: Survey, what: str, places: Mapping[str, Placed]) -> Card | None:
    """Return the end of a candidate's card."""
    parts = what.split("/")
    if parts[0] != "card" or len(parts) != _CANDIDATE_PARTS:
        return None
    _, environment, service, tag = parts
    rule, place = look.world.rules.environments.get(environment), places.get(what)
    return Card(
        what=what,
        channel=rule.channel if rule else place.channel if place else "",
        environment=environment,
        service=service,
        version=tag,
        previous="",
        digest="",
        stage=CardStage.RETIRED,
    )


def _live(look: Survey) -> list[Promotion]:
    return list(look.state.under_way())


def _promotion(branch: str) -> str:
    return branch.rpartition("/")[2]


def _verb(promotion: Promotion) -> str:
    return (
        "end" if promotion.stage is Stage.OPEN or promotion.is_cleared else "finish, for it is being merged,"
    )


def _name(promotion: Promotion) -> str:
    return f"{promotion.environment} {promotion.service} {promotion.version}"
