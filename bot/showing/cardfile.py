"""The card file: which cards and notices should be there now, as values. Pure: same look, same cards."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.backlog import batches, caught_up, taken
from bot.cards import Card, CardLine, CardStage, Shown, Who
from bot.looking.survey import Survey
from bot.looking.troubles import Trouble, Wrong, anchored, first_looks, notices, troubles_of
from bot.observing import would_move
from bot.promoting.promoter import head_branch
from bot.promoting.regrouped import instead
from bot.showing.furnishing import furnished
from policies.codes import Code
from policies.decide import Candidate, Decision, Row
from policies.entries.authors import LABELS
from policies.entries.entry import Bot, By, Kind, Pinned, Share
from policies.entries.promotion import version_of
from policies.entries.redacted import is_hidden
from policies.gates import OUTSIDE_CODES, counts, counts_presses, expires
from policies.group_rows import CONTENT, combination
from policies.images.evidence import Silence
from policies.ledger.by_hand import is_for_people
from policies.ledger.digest_versions import called
from policies.ledger.newness import is_newer
from policies.ledger.people import known
from policies.ledger.state import Move, Place, Promotion, Stage, State
from policies.ledger.tally import Tally
from policies.rules.rules import AUTHORS, Service, effective, moving_rule
from policies.verdict import Failed, NotYet, Waiting

TOLD_FOR = timedelta(days=7)  # how long what has ended is looked after: an empty disk redraws no old years
_CANDIDATE_PARTS = 4  # of a name: card, environment, service, tag
_VOIDS = frozenset({Code.CHANGE_MOVED.value, Code.RULE_MOVED.value, Code.DIGEST_MOVED.value})
# what a version has not done yet: nobody can do anything but wait, and a guarded channel does not hear of it
_NOT_YET = frozenset(
    {Code.NOT_IN_PREVIOUS, Code.NOT_THERE_NOW, Code.NOT_HEALTHY, Code.SOAKING, Code.TOO_YOUNG}
)
_OF_PEOPLE = frozenset({Code.APPROVALS_MISSING, Code.NOT_REQUESTED, Code.MERGING, Code.BY_HAND})

_STAGES: Mapping[Stage, CardStage] = {
    Stage.OPEN: CardStage.OPEN,
    Stage.MERGING: CardStage.MERGING,
    Stage.MERGED: CardStage.MERGING,
    Stage.LANDED: CardStage.LANDED,
    Stage.MISMATCH: CardStage.MISMATCH,
    Stage.REJECTED: CardStage.REJECTED,
    Stage.CANCELLED: CardStage.CANCELLED,
    Stage.EXPIRED: CardStage.EXPIRED,
    Stage.SUPERSEDED: CardStage.SUPERSEDED,
    Stage.REMOVED: CardStage.REMOVED,
    Stage.CLOSED: CardStage.CLOSED,
}


def cards(
    look: Survey,
    decision: Decision,
    pulls: Mapping[str, tuple[int, str]],
    known: Collection[str],
    troubles: Sequence[Trouble] = (),
    *,
    observed: Collection[str] = (),
    end: tuple[int, str] = (0, ""),
) -> tuple[Shown, ...]:
    """Return what should be shown now: notices first, then cards in the order of the ledger, candidates last.

    ``pulls``: number and URL by promotion. ``known``: the names of all that is shown somewhere already.
    ``troubles``: what stands beside what the look itself shows; one that is not named any more is over.
    ``observed``: environments in which nothing is written; what would move there is told.
    ``end``: number and commit of the ledger's last entry, for the daily line; '' = none is told.
    """
    is_observing = bool(observed) and all(name in observed for name in look.world.rules.environments)
    found: list[Shown] = [
        *first_looks(look, decision, known, Wrong.OBSERVING if is_observing else Wrong.FIRST_LOOK)
    ]
    together = batches(look, TOLD_FOR)
    troubles = [*troubles_of(look, decision), *troubles, *would_move(look, decision, observed)]
    troubles += caught_up(look, together)
    lasting = f"notice/{Wrong.OBSERVING}/" if is_observing else "-"
    found += notices(look, troubles, [one for one in known if not one.startswith(lasting)])
    found += anchored(look, known, end)
    names = episodes(look.state, look.world.rules.services)
    told = _CardFile(look, decision, pulls, known, names, frozenset(names.values()), taken(together)).cards()
    told = [furnished(one, look.world.rules) for one in told]
    found += [replace(one, is_observed=True) if one.environment in observed else one for one in told]
    return tuple({one.what: one for one in found if one.channel}.values())


def candidate_name(environment: str, service: str, tag: str) -> str:
    """Return the name of a version's first episode in a place."""
    return f"card/{environment}/{service}/{tag}"


def episodes(state: State, services: Mapping[str, Service]) -> dict[str, str]:
    """Return the name of each promotion's card: the first of a tag goes on with its candidate's, later ones do not.

    A rollback is always an episode of its own.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for promotion in sorted(state.promotions.values(), key=lambda one: one.seq):
        name = candidate_name(promotion.environment, promotion.service, _named_of(promotion, services))
        if promotion.is_apart or name in taken:
            found[promotion.id] = f"{name}/{promotion.id}"
        else:
            taken.add(name)
            found[promotion.id] = name
    return found


def _named_of(promotion: Promotion, services: Mapping[str, Service]) -> str:
    """Return what names the card of what is asked for: the tag, or the content of what a group moves to."""
    return (
        combination(promotion.image)
        if promotion.group
        else called(services.get(promotion.service), promotion.image)
    )


def _images(moves: Sequence[Share]) -> tuple[tuple[str, str], ...]:
    return tuple((f"{image.repository}:{image.tag}", image.digest) for one in moves for image in one.image)


def _tag(images: Sequence[Pinned]) -> str:
    return images[0].tag if images else ""


def _digest(images: Sequence[Pinned]) -> str:
    return images[0].digest if images else ""


@dataclass(frozen=True, slots=True)
class _CardFile:
    """One look, and the names of the promotions' cards."""

    look: Survey
    decision: Decision
    pulls: Mapping[str, tuple[int, str]]
    known: Collection[str]
    names: Mapping[str, str]
    taken: frozenset[str]
    # moves that one notice tells: place, and the entry's number
    in_backlog: Collection[tuple[Place, int]] = ()

    def cards(self) -> list[Card]:
        """Return all cards, oldest episode first."""
        state = self.look.state
        found = [(one.seq, self._promotion(one)) for one in state.promotions.values() if self._is_told(one)]
        found += [(move.seq, card) for move, card in self._moves()]
        told = [card for _, card in sorted(found, key=lambda one: one[0])]
        candidates = {
            (row.environment, row.service): card
            for row in (*self.decision.rows, *self.decision.groups)
            if (card := self._candidate(row))
        }
        return [*told, *self._gone(candidates), *candidates.values()]

    def _channel(self, environment: str, service: str, what: str) -> str:
        """Return where it is said; for an environment that was removed, where it was said before ('' = nowhere)."""
        rules, place = self.look.world.rules, self.look.state.shown.get(what)
        if environment in rules.environments:
            return rules.channel_for(environment, service)
        return place.channel if place else ""

    def _who(self, by: Bot | By | None) -> Who | None:
        return self._named(by.person) if isinstance(by, By) else None

    def _named(self, person: str) -> Who:
        state = self.look.state
        found = known(self.look.world.rules, state.links, state.forge_ids, person)
        return Who(person, found.slack if found else "")

    def _approver(self, promotion: Promotion, person: str) -> Who:
        is_reviewer = any(one.review for one in promotion.approvals if one.by.person == person)
        return replace(self._named(person), is_reviewer=is_reviewer)

    # --- promotions -----------------------------------------------------------------------------------------

    def _is_told(self, promotion: Promotion) -> bool:
        """Whether its card is drawn: while it lives and for a while after; by a commit alone it is a move."""
        if promotion.is_live:
            return True
        is_recent = bool(promotion.done and self.look.at - promotion.done <= TOLD_FOR)
        return bool(promotion.head and promotion.done) and (is_recent or self._is_to_hide(promotion))

    def _is_to_hide(self, promotion: Promotion) -> bool:
        """Whether its card, however old, shows words that are hidden by now."""
        words = (promotion.note, promotion.ended_note)
        return any(map(is_hidden, words)) and self.names[promotion.id] in self.known

    def _promotion(self, promotion: Promotion) -> Card:
        what = self.names[promotion.id]
        number, url = self.pulls.get(promotion.id, (0, ""))
        rule = moving_rule(self.look.world.rules, promotion.environment, promotion.service)
        is_by_commit = rule is not None and not rule.environment.has_pull_requests
        card = Card(
            what=what,
            channel=self._channel(promotion.environment, promotion.service, what),
            environment=promotion.environment,
            service=promotion.service,
            version=promotion.version
            if promotion.group
            else self._version(promotion.service, promotion.image),
            previous=_left(promotion)
            if promotion.group
            else self._version(promotion.service, promotion.previous),
            digest="" if promotion.group else _digest(promotion.image),
            stage=_STAGES[promotion.stage],
            repository=promotion.image[0].repository,
            images=_images(promotion.shares) if promotion.group else (),
            promotion=promotion.id,
            change=promotion.change,
            number=number,
            url=url,
            requester=self._who(promotion.by),
            note=promotion.note,
            asked=promotion.opened,
            lines=self._lines(promotion),
            commit=promotion.commit,
            merger=promotion.merger,
            branch=head_branch(promotion) if is_by_commit else "",
            is_rollback=promotion.is_rollback,
            health=self._health_of(promotion),
            is_emergency=promotion.is_emergency,
        )
        card = self._reviewed(card, promotion)
        if promotion.stage is Stage.OPEN:
            return self._open(card, promotion)
        if promotion.is_cleared:
            return replace(self._open(card, promotion), stage=CardStage.CLEARED)
        if promotion.is_live:
            return card
        note = promotion.ended_note or (promotion.why if promotion.stage is Stage.MISMATCH else "")
        return replace(
            card,
            ended_by=self._who(promotion.ended_by),
            ended_note=note,
            instead=instead(self.look.world.rules, promotion) if promotion.stage is Stage.REMOVED else "",
            newer=self._successor(promotion) if promotion.stage is Stage.SUPERSEDED else "",
        )

    def _successor(self, promotion: Promotion) -> str:
        """Return the version that was asked for in its place: the one end and the other beginning are one push."""
        place = (promotion.environment, promotion.service)
        for other in self.look.state.promotions.values():
            is_next = other.opened == promotion.done and other.seq > promotion.seq and not other.is_rollback
            if is_next and (other.environment, other.service) == place:
                return other.version
        return ""

    def _open(self, card: Card, promotion: Promotion) -> Card:
        """Add what an open decision needs: what waits, until when, what was voided, what is newer."""
        found = self._counts(promotion)
        authors, unknown = self._wrote(promotion)
        rules = self.look.world.rules
        rule = moving_rule(rules, promotion.environment, promotion.service)
        parts = rule.moving([one.service for one in promotion.members]) if rule else ()
        ends = [expires(rules.calendar, part, promotion) for part in parts]
        is_voided = promotion.refreshed and not promotion.approvals and promotion.why in _VOIDS
        return replace(
            card,
            stage=CardStage.APPROVED
            if found and all(count.is_complete for _, count in found)
            else CardStage.OPEN,
            expires=min(ends, default=None),
            waits=self._waits(promotion),
            voided=promotion.why if is_voided else "",
            newer=self._newer(promotion),
            by_people=rule is not None and is_for_people(rule, promotion),
            counts_presses=rule is None or counts_presses(rule, promotion),
            authors=authors,
            authors_unknown=unknown,
        )

    def _wrote(self, promotion: Promotion) -> tuple[tuple[Who, ...], str]:
        """Return whom the rule bars as authors, or why they are not known."""
        rule = moving_rule(self.look.world.rules, promotion.environment, promotion.service)
        parts = rule.moving([one.service for one in promotion.members]) if rule else ()
        if promotion.is_apart or not any(AUTHORS in part.environment.exclude for part in parts):
            return (), ""
        found = promotion.authors
        if found is None or not found.is_known:
            return (), (found.why if found else "") or "nobody has looked yet"
        unnamed = f"{found.unnamed} commits name nobody that GitHub knows" if found.unnamed else ""
        alone = "the images alone say which commits they are, and no tags confirm it"
        unsure = "; ".join(one for one in (unnamed, alone if found.ways == (LABELS,) else "") if one)
        return tuple(self._named(one) for one in found.people), unsure

    def _counts(self, promotion: Promotion) -> tuple[tuple[tuple[str, ...], Tally], ...]:
        """Return who fills which lines, and of a group whose they are; nothing where no rule says so any more."""
        rules = self.look.world.rules
        rule = moving_rule(rules, promotion.environment, promotion.service)
        # what has ended is told by the rule that judged it, or by names alone where that is another one now
        is_known = rule is not None and (promotion.is_live or rule.hash == promotion.rule.hash)
        return counts(rules, rule, promotion, self.look.world.members) if rule and is_known else ()

    def _lines(self, promotion: Promotion) -> tuple[CardLine, ...]:
        found = self._counts(promotion)
        if not found:
            people = tuple(self._approver(promotion, one.by.person) for one in promotion.approvals)
            return (CardLine(str(len(people)), people, 0),) if people else ()
        said = [one.by.person for one in promotion.approvals]  # people stand in the order in which they spoke
        return tuple(
            CardLine(
                f"{line} ({', '.join(names)})" if len(found) > 1 else str(line),
                tuple(self._approver(promotion, one) for one in sorted(people, key=said.index)),
                max(0, line.count - len(people)),
            )
            for names, count in found
            for line, people in count.lines
        )

    def _waits(self, promotion: Promotion) -> tuple[NotYet, ...]:
        """Return what stands in the way beside approvals, as the decision says."""
        place = (promotion.environment, promotion.service)
        row = self.decision.row(*place)
        if row is None:
            return (Failed(Code.NO_RULE, "the rules do not cover it any more"),)
        for candidate in row.candidates:
            if candidate.promotion == promotion.id:
                return tuple(one for one in candidate.reasons if one.code not in _OF_PEOPLE)
        world = self.look.world
        if promotion.group:
            return ()
        if problem := world.pin(*place).problem:
            return (Waiting(problem, row.detail),)
        answer = world.tags_of(world.rules.services[promotion.service].image)
        return (Waiting(answer.code, answer.detail),) if isinstance(answer, Silence) else ()

    def _newer(self, promotion: Promotion) -> str:
        """Return a newer version that could be asked for in its place, '' where there is none."""
        row = self.decision.row(promotion.environment, promotion.service)
        allowed = {Code.NOT_REQUESTED, Code.OPEN_ELSEWHERE}
        for candidate in row.candidates if row and not promotion.is_rollback else ():
            is_free = not candidate.promotion and {one.code for one in candidate.reasons} <= allowed
            if is_free and candidate.members:
                return candidate.version
            if is_free and self._is_newer(promotion.service, candidate.version, _tag(promotion.image)):
                return candidate.version
        return ""

    def _version(self, service: str, images: Sequence[Pinned]) -> str:
        return called(self.look.world.rules.services.get(service), images)

    def _is_newer(self, service: str, one: str, other: str) -> bool:
        meant = self.look.world.rules.services[service]
        return one != other and is_newer(meant, self.look.state, one, other) is True

    # --- moves where nobody is asked ------------------------------------------------------------------------

    def _moves(self) -> list[tuple[Move, Card]]:
        """Return the last move of each place, where it was ours: by others is a notice, by promotion its own card."""
        found = []
        rules = self.look.world.rules
        for (environment, service), moves in self.look.state.moves.items():
            rule, move = effective(rules, environment, service), moves[-1]
            if move.group:
                continue
            is_ours = move.kind in {Kind.BUMP, Kind.ROLLBACK, Kind.EMERGENCY}
            if rule and not rule.environment.is_guarded and is_ours and self.look.at - move.at <= TOLD_FOR:
                card = self._moved(environment, service, moves)
                if self._is_drawn(card, move):
                    found.append((move, card))
            if self.look.state.redacted:
                found += self._hidden(environment, service, moves)
        return [*found, *self._moved_together()]

    def _is_drawn(self, card: Card, move: Move) -> bool:
        """Whether a move has a card: one of a backlog only once it runs badly, and its way back is offered."""
        is_told = ((card.environment, card.service), move.seq) in self.in_backlog
        return not is_told or card.what in self.known or card.health == "unhealthy"

    def _hidden(self, environment: str, service: str, moves: Sequence[Move]) -> list[tuple[Move, Card]]:
        """Return the moves whose words were hidden after their cards were shown."""
        named = {move.promotion: index for index, move in enumerate(moves) if move.promotion}
        promotions = self.look.state.promotions
        return [
            (moves[index], self._moved(environment, service, moves[: index + 1]))
            for promotion, index in named.items()
            if (one := promotions.get(promotion)) and not one.head and self._is_to_hide(one)
        ]

    def _moved_together(self) -> list[tuple[Move, Card]]:
        """Return the last move of each group where nobody is asked: one card for all that went."""
        newest: dict[tuple[str, str], list[tuple[str, Move]]] = {}
        for (environment, service), moves in self.look.state.moves.items():
            move = moves[-1]
            if move.group and move.kind in {Kind.BUMP, Kind.ROLLBACK, Kind.EMERGENCY}:
                newest.setdefault((environment, move.group), []).append((service, move))
        found = []
        for (environment, group), made in newest.items():
            last = max(move.seq for _, move in made)
            went = [(service, move) for service, move in made if move.seq == last]
            rule, move = moving_rule(self.look.world.rules, environment, group), went[0][1]
            if rule and not rule.environment.is_guarded and self.look.at - move.at <= TOLD_FOR:
                found.append((move, self._went(environment, group, went)))
        return found

    def _went(self, environment: str, group: str, went: Sequence[tuple[str, Move]]) -> Card:
        move = went[0][1]
        promotion = self.look.state.promotions.get(move.promotion)
        shares = [Share(service, one.image, one.previous) for service, one in went]
        what = candidate_name(environment, group, move.commit[:CONTENT])
        what = self.names[promotion.id] if promotion else what
        card = Card(
            what=what,
            channel=self._channel(environment, group, what),
            environment=environment,
            service=group,
            version=version_of(shares, group),
            previous=version_of([Share(one.service, one.previous, ()) for one in shares], group),
            digest="",
            images=_images(shares),
            stage=CardStage.MOVED,
            health=_worst([self._health(environment, one.service, move.commit) for one in shares]),
        )
        return self._of_move(card, move, promotion)

    def _moved(self, environment: str, service: str, moves: Sequence[Move]) -> Card:
        move = moves[-1]
        promotion = self.look.state.promotions.get(move.promotion)
        meant = self.look.world.rules.services.get(service)
        name = candidate_name(environment, service, called(meant, move.image))
        is_first = name not in self.taken and not any(
            _is_bump_of(self.look.world.rules.services.get(service), one, move) for one in moves[:-1]
        )
        bump = name if is_first else f"{name}/{move.commit[:12]}"
        what = self.names[promotion.id] if promotion else bump
        card = Card(
            what=what,
            channel=self._channel(environment, service, what),
            environment=environment,
            service=service,
            version=self._version(service, move.image),
            previous=self._version(service, move.previous),
            digest=_digest(move.image),
            stage=CardStage.MOVED,
            repository=move.image[0].repository,
            health=self._health(environment, service, move.commit),
        )
        return self._of_move(card, move, promotion)

    def _of_move(self, card: Card, move: Move, promotion: Promotion | None) -> Card:
        """Add what a move says of itself, and who wanted it."""
        moved = replace(
            card,
            promotion=move.promotion,
            commit=move.commit,
            is_rollback=move.kind is Kind.ROLLBACK,
            is_emergency=move.kind is Kind.EMERGENCY,
        )
        if promotion is None:
            return moved
        asked = replace(moved, requester=self._who(promotion.by), note=promotion.note, asked=promotion.opened)
        return self._reviewed(asked, promotion)

    def _reviewed(self, card: Card, promotion: Promotion) -> Card:
        """Add what waits for a review, once it is over."""
        waits = [(seq, one) for seq, one in self.look.state.open.items() if one.promotion == promotion.id]
        for seq, one in () if promotion.is_live else waits:
            if one.due:
                return replace(card, review=seq, review_due=one.due)
        return card

    def _health_of(self, promotion: Promotion) -> str:
        """Return how fares what a promotion moved: of a group the worst that one of its services does."""
        return _worst(
            [self._health(promotion.environment, one.service, promotion.commit) for one in promotion.shares]
        )

    def _health(self, environment: str, service: str, commit: str) -> str:
        """Return how fares what this commit moved, as long as it stands there."""
        move = self.look.state.last_move(environment, service)
        seen = self.look.state.health_of(environment, service)
        if move is None or seen is None or move.commit != commit:
            return ""
        return "healthy" if seen.is_healthy else "unhealthy"

    # --- candidates -----------------------------------------------------------------------------------------

    def _candidate(self, row: Row) -> Card | None:
        """Return the card of the best version that may be asked for, where it was not asked for before."""
        rule = moving_rule(self.look.world.rules, row.environment, row.service)
        if rule is None or not rule.environment.is_guarded:  # none for a service that moves with its group
            return None
        for candidate in row.candidates:
            if [one.code for one in candidate.reasons] == [Code.NOT_REQUESTED]:
                return self._untaken(row, candidate)
        for candidate in row.candidates:
            if _waits_outside(candidate):
                return self._untaken(row, candidate)
        return None

    def _untaken(self, row: Row, candidate: Candidate) -> Card | None:
        card = self._card(row, candidate.version, CardStage.CANDIDATE, candidate)
        return None if card.what in self.taken else card

    def _card(self, row: Row, version: str, stage: CardStage, candidate: Candidate | None) -> Card:
        together = candidate.together if candidate else ()
        what = candidate_name(row.environment, row.service, combination(together) if together else version)
        reasons = candidate.reasons if candidate else ()
        service = self.look.world.rules.services.get(row.service)
        return Card(
            what=what,
            channel=self._channel(row.environment, row.service, what),
            environment=row.environment,
            service=row.service,
            version=version,
            previous=row.current,
            digest=candidate.digest if candidate and not together else "",
            stage=stage,
            repository=service.image if service else "",
            images=tuple((f"{one.repository}:{one.tag}", one.digest) for one in together),
            asks=combination(together) if together else "",
            waits=tuple(one for one in reasons if one.code not in _OF_PEOPLE),
        )

    def _gone(self, candidates: Mapping[tuple[str, str], Card]) -> list[Card]:
        """Return the cards of candidates that were shown and are not the present ones; of a place one stands."""
        told = {*self.taken, *(card.what for card in candidates.values())}
        found: list[Card] = []
        bumped: dict[Place, frozenset[str]] = {}
        for what in sorted(self.known):
            parts = what.split("/")
            if parts[0] != "card" or len(parts) != _CANDIDATE_PARTS or what in told:
                continue
            _, environment, service, tag = parts
            row = self.decision.row(environment, service)
            place = (environment, service)
            if place not in bumped:
                bumped[place] = self._bumped(place)
            if tag in bumped[place]:
                continue  # a move told it
            if service in self.look.world.rules.groups:
                found += self._group_gone(what, environment, service, candidates.get((environment, service)))
            elif service not in self.look.world.rules.services:
                found.append(self._retired(what, environment, service, tag))
            elif row and row.selection:
                found.append(self._shown_before(row, tag, candidates.get((environment, service))))
        return self._one_stands(found)

    def _one_stands(self, cards_: Sequence[Card]) -> list[Card]:
        """Return cards of which in each place the newest that still waits stands, and others point to it."""
        best: dict[Place, str] = {}
        waiting = {
            (one.environment, one.service, one.version) for one in cards_ if one.stage is CardStage.CANDIDATE
        }
        for row in self.decision.rows:
            for candidate in row.candidates:  # best first
                if (row.environment, row.service, candidate.version) in waiting:
                    best.setdefault((row.environment, row.service), candidate.version)
        return [
            one
            if one.stage is not CardStage.CANDIDATE
            or (newest := best[one.environment, one.service]) == one.version
            else replace(one, stage=CardStage.GONE, newer=newest)
            for one in cards_
        ]

    def _group_gone(self, what: str, environment: str, group: str, present: Card | None) -> list[Card]:
        """Return the last card of a group's candidate that is none any more; of a move its own card tells."""
        moves = [one for name in self.look.world.rules.groups[group] for one in self._made(environment, name)]
        if any(what.endswith(f"/{one.commit[:CONTENT]}") for one in moves):
            return []
        live = self.look.state.live_at(environment, group)
        version = present.version if present else live.version if live else ""
        return [replace(self._retired(what, environment, group, "of before"), newer=version)]

    def _made(self, environment: str, service: str) -> tuple[Move, ...]:
        return tuple(self.look.state.moves.get((environment, service), ()))

    def _retired(self, what: str, environment: str, service: str, tag: str) -> Card:
        """Return the last card of a candidate whose service the rules do not name any more."""
        return Card(
            what=what,
            channel=self._channel(environment, service, what),
            environment=environment,
            service=service,
            version=tag,
            previous="",
            digest="",
            stage=CardStage.GONE,
        )

    def _bumped(self, place: Place) -> frozenset[str]:
        """Return the versions that were moved there without asking, as their cards name them."""
        moves = [move for move in self._made(*place) if move.kind is Kind.BUMP]
        return frozenset(self._version(place[1], move.image) for move in moves)

    def _shown_before(self, row: Row, tag: str, present: Card | None) -> Card:
        """Return a candidate that waits now, or one that is none any more, with the version that came instead.

        One that has to run or to wait again before it may be asked for is none.
        """
        candidate = next((one for one in row.candidates if one.version == tag), None)
        live = self.look.state.live_at(row.environment, row.service)
        instead = [
            present.version if present else "",
            self._version(live.service, live.image) if live and not live.is_rollback else "",
            row.current,
        ]
        newest = next((one for one in instead if one and self._is_newer(row.service, one, tag)), "")
        is_refused = candidate is None or any(
            isinstance(one, Failed) or one.code in _NOT_YET for one in candidate.reasons
        )
        is_guarded = self.look.world.rules.environment_for(row.environment, row.service).is_guarded
        if newest or is_refused or not is_guarded or (present and present.version != tag):
            return replace(self._card(row, tag, CardStage.GONE, candidate), newer=newest)
        return self._card(row, tag, CardStage.CANDIDATE, candidate)


def _waits_outside(candidate: Candidate) -> bool:
    """Whether nothing stands before it but people, and something outside that is known to wait, not to have failed."""
    codes = {one.code for one in candidate.reasons} - {Code.NOT_REQUESTED}
    has_failed = any(isinstance(one, Failed) for one in candidate.reasons)
    return bool(codes) and codes <= OUTSIDE_CODES - {Code.GATE_UNKNOWN} and not has_failed


def _left(promotion: Promotion) -> str:
    """Return what stood there before, as people read it."""
    shares = [Share(one.service, one.previous, ()) for one in promotion.shares]
    return version_of(shares, promotion.group)


def _worst(said: Sequence[str]) -> str:
    """Return how several fare: unhealthy where one is, healthy where all are, else nothing is known."""
    if "unhealthy" in said:
        return "unhealthy"
    return "healthy" if said and all(one == "healthy" for one in said) else ""


def _is_bump_of(service: Service | None, one: Move, other: Move) -> bool:
    return one.kind is Kind.BUMP and called(service, one.image) == called(service, other.image)
