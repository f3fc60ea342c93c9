"""Several services in one move: one commit, one entry, and each of them held to all that stands before a move."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot import wording
from bot.backlog import batches, caught_up
from bot.cards import Card, CardStage, Notice, Shown
from bot.index import Index
from bot.ledger import NotAllowed, Proposal
from bot.looking.survey import Survey
from bot.looking.troubles import Wrong
from bot.promoting.poller import ROOM, Stuck, bumps
from bot.repository.objects import Oid
from bot.showing.cardfile import TOLD_FOR, cards
from bot.signing import Signer
from policies.codes import Code
from policies.entries.entry import MAX_LINE, Beside, Entry, Kind, Pinned, parse
from policies.entries.facts import MAX_DETAIL, Fact, Finding
from policies.entries.remembered import Health
from policies.growing import Trail
from policies.images.evidence import TagList
from policies.images.image import Digest, Repository, Tag
from policies.ledger import population
from policies.ledger.population import Sort
from policies.rules.rules import effective
from tests.bot.ledger_worlds import World, bot, digest
from tests.repositories import Files, git, make_bare, read_file, tip

SERVICES = ("cart", "search", "web")
RULES = """\
environments:
  staging: {path: apps/staging, channel: deploys, approvals: none, catch-up: true}
  trial: {path: apps/trial, channel: deploys, approvals: none}
services:
  web: {image: ghcr.io/example/web, versions: 1.x}
  cart: {image: ghcr.io/example/cart, versions: 1.x}
  search: {image: ghcr.io/example/search, versions: 1.x}
people: {ada: {slack: U0ADA}}
"""


def _pins(tag: str) -> str:
    return "images:\n" + "".join(f"  - name: ghcr.io/example/{one}\n    newTag: {tag}\n" for one in SERVICES)


FILES: Files = {
    "promotion/rules.yaml": RULES,
    "apps/staging/kustomization.yaml": _pins("1.0.0"),
    "apps/trial/kustomization.yaml": _pins("1.0.0"),
}


@pytest.fixture
def behind(tmp_path: Path) -> World:
    """A repository whose three services are behind when the bot looks for the first time."""
    signer = Signer.generate()
    remote = make_bare(tmp_path / "gitops.git", [FILES])
    found = World(remote, bot(remote, tmp_path / "clone", signer), signer)
    found.desk.mirror.fetch()
    _answer(found, "1.0.0", "1.1.0")
    return found


def _answer(found: World, *tags: str, services: tuple[str, ...] = SERVICES) -> None:
    for name in services:
        image = Repository(f"ghcr.io/example/{name}")
        found.desk.answers.tags[image] = TagList(tags)
        for tag in tags:
            found.desk.answers.digests[image, Tag(tag)] = Digest(digest(tag))


def _bumps(found: World) -> list[Entry]:
    return [entry for _, entry in found.entries if entry.kind is Kind.BUMP]


def test_the_backlog_of_a_first_start_is_one_commit_with_one_entry(behind: World, tmp_path: Path) -> None:
    before = tip(behind.remote)
    behind.run()

    (entry,) = _bumps(behind)
    assert git(behind.remote, "rev-list", "--count", f"{before}..main") == "1"
    assert [one.service for one in entry.each] == ["cart", "search", "web"]
    assert read_file(behind.remote, "apps/staging/kustomization.yaml") == _pins("1.1.0")
    assert read_file(behind.remote, "apps/trial/kustomization.yaml") == _pins(
        "1.0.0"
    )  # nobody asked to catch up
    assert parse(entry.line()) == entry
    for name in SERVICES:
        move = behind.state.last_move("staging", name)
        assert move
        assert (move.image[0].tag, move.commit) == ("1.1.0", entry.commit)
    assert behind.audit(tmp_path / "auditor").findings == []


def _drawn(found: World, known: Collection[str] = ()) -> dict[str, Shown]:
    look = found.desk.view(found.at)
    told = [*known, f"notice/{Wrong.FIRST_LOOK}/staging/-/trial"]
    return {one.what: one for one in cards(look, found.desk.decide(look), {}, told)}


def test_the_backlog_is_one_message_and_no_card(behind: World) -> None:
    behind.run()
    (entry,) = _bumps(behind)

    drawn = _drawn(behind)

    (told,) = drawn.values()
    assert isinstance(told, Notice)
    assert (told.code, told.channel, told.is_over) == (Wrong.CAUGHT_UP, "deploys", False)
    assert told.facts == {
        "environment": "staging",
        "count": "3",
        "commits": entry.commit[:12],
        "services": "cart 1.0.0 -> 1.1.0, search 1.0.0 -> 1.1.0, web 1.0.0 -> 1.1.0",
    }
    behind.at += TOLD_FOR + timedelta(minutes=1)
    assert _drawn(behind, drawn) == {}  # what was told stays as it was told


def test_what_came_after_the_backlog_has_its_card_and_the_message_stays(behind: World) -> None:
    behind.run()
    (what,) = _drawn(behind)
    _answer(behind, "1.0.0", "1.1.0", "1.2.0", services=("cart",))
    behind.run()
    behind.run()

    drawn = _drawn(behind, [what])

    assert set(drawn) == {what, "card/staging/cart/1.2.0", "card/trial/cart/1.2.0"}
    told = drawn[what]
    assert isinstance(told, Notice)
    assert told.facts["count"] == "3"


def test_a_service_of_the_backlog_has_a_card_once_it_runs_badly(behind: World) -> None:
    behind.run()
    (entry,) = _bumps(behind)
    where = ("staging", "cart")
    look = behind.desk.view(behind.at)
    move = look.state.moves[where][-1]
    sick = Health(entry.commit, move.image, behind.at, is_healthy=False, seq=move.seq + 1)
    look.state.health[where] = Trail[Health]().and_then(sick)

    drawn = {one.what: one for one in cards(look, behind.desk.decide(look), {}, ())}

    card = drawn["card/staging/cart/1.1.0"]
    assert isinstance(card, Card)
    assert (card.stage, card.health) == (CardStage.MOVED, "unhealthy")
    assert "card/staging/web/1.1.0" not in drawn
    well = replace(sick, is_healthy=True, seq=sick.seq + 1)
    look.state.health[where] = look.state.health[where].and_then(well)
    again = {one.what for one in cards(look, behind.desk.decide(look), {}, ["card/staging/cart/1.1.0"])}
    assert "card/staging/cart/1.1.0" in again  # what was shown is drawn to its end


def test_a_service_with_a_channel_of_its_own_hears_of_its_backlog_there(behind: World) -> None:
    behind.run()
    look = behind.desk.view(behind.at)
    services = dict(look.world.rules.services)
    services["cart"] = replace(services["cart"], channel="carts")
    rules = replace(look.world.rules, services=services)
    look = replace(look, world=replace(look.world, rules=rules))

    told = caught_up(look, batches(look, TOLD_FOR))

    assert {one.channel: one.facts["count"] for one in told} == {"carts": "1", "deploys": "2"}
    assert len({one.what for one in told}) == 2


def test_what_came_later_moves_by_itself_again(behind: World, tmp_path: Path) -> None:
    behind.run()
    _answer(behind, "1.0.0", "1.1.0", "1.2.0", services=("cart", "web"))
    behind.run()
    behind.run()  # what shares a file with another's move is written down in the next round

    first, *rest = _bumps(behind)
    assert len(first.each) == 3
    assert sorted(one.service for one in rest if one.environment == "staging") == ["cart", "web"]
    assert not any(one.also for one in rest)
    assert behind.audit(tmp_path / "auditor").findings == []


def test_the_commit_says_of_each_service_what_an_own_commit_would_say(behind: World) -> None:
    behind.run()

    (entry,) = _bumps(behind)
    message = git(behind.remote, "log", "-1", "--format=%B", "main")
    assert message.startswith("staging: 3 services\n\ncart 1.0.0 -> 1.1.0\nsearch 1.0.0 -> 1.1.0\n")
    trailers = wording.parse_trailers(message)
    assert [name for name, _ in trailers][:16] == [
        "Environment",
        *["Service", "Image", "Digest", "Previous", "Rule"] * 3,
    ]
    rules = [value for name, value in trailers if name == "Rule"]
    assert len(set(rules)) == 3  # each service's effective rule has its own hash
    assert dict(trailers)["Ledger-Key"] == entry.key


def test_an_auditor_reads_each_service_as_a_change_of_its_own(behind: World) -> None:
    behind.run()

    found = population.population(behind.state, behind.entries)

    assert [(one.service, one.sort, one.previous[0].tag) for one in found] == [
        (name, Sort.STANDARD, "1.0.0") for name in SERVICES
    ]
    assert len({one.id for one in found}) == 3


def _entry(found: World, look: Survey, tip_: str) -> Entry:
    made = bumps(look, found.desk.decide(look), found.desk.writer, branch="main", tip=tip_, stuck=[])
    return made.entries[0]


def _newer(name: str) -> tuple[Pinned, ...]:
    return (Pinned(f"ghcr.io/example/{name}", "1.1.0", digest("1.1.0")),)


def _other(entry: Entry, **changes: object) -> Beside:
    return replace(entry.also[-1], **changes)  # type: ignore[arg-type]  # a test's choice


WRONG: dict[str, tuple[Callable[[Entry], Entry], Code]] = {
    "twice": (lambda entry: replace(entry, also=(*entry.also, entry.also[-1])), Code.OUT_OF_LINE),
    "out of order": (lambda entry: replace(entry, also=entry.also[::-1]), Code.OUT_OF_LINE),
    "another image": (
        lambda entry: replace(
            entry,
            also=(entry.also[0], _other(entry, image=_newer("cart"))),
        ),
        Code.NO_RULE,
    ),
    "another digest": (
        lambda entry: replace(
            entry,
            also=(entry.also[0], _other(entry, image=(Pinned("ghcr.io/example/web", "1.0.1", digest("x")),))),
        ),
        Code.NOT_SEEN,
    ),
    "another rule": (
        lambda entry: replace(
            entry, also=(entry.also[0], _other(entry, rule=replace(entry.also[-1].rule, hash="0" * 64)))
        ),
        Code.RULE_MOVED,
    ),
    "unknown service": (
        lambda entry: replace(entry, also=(entry.also[0], _other(entry, service="zebra"))),
        Code.NO_RULE,
    ),
}


@pytest.mark.parametrize(("spoil", "code"), WRONG.values(), ids=WRONG)
def test_one_service_that_may_not_move_refuses_the_entry(
    behind: World, spoil: Callable[[Entry], Entry], code: Code
) -> None:
    answer = behind.append(lambda look, tip_: Proposal((spoil(_entry(behind, look, tip_)),)))

    assert isinstance(answer, NotAllowed)
    assert answer.refusal.code == code


def _made(found: World) -> tuple[Survey, Entry]:
    """Return the move as the bot would push it, and what it rests on."""
    found.append(lambda _look, _tip: Proposal())
    look = found.desk.view(found.at)
    return look, _entry(found, look, found.ledger_tip)


def test_an_entry_that_leaves_out_what_its_commit_moved_is_found(behind: World, tmp_path: Path) -> None:
    _, entry = _made(behind)
    behind.sneak(replace(entry, also=entry.also[:1]), commit=entry.commit)

    found = {one.what for one in behind.audit(tmp_path / "auditor").findings}
    assert {"content-differs", "unrecorded-move"} <= found


def test_trailers_in_another_services_group_are_found(behind: World, tmp_path: Path) -> None:
    look, entry = _made(behind)
    message = behind.desk.mirror.message(Oid(entry.commit))
    cart, web = (
        next(line for line in message.split("\n") if f"/{name}:1.1.0" in line) for name in ("cart", "web")
    )
    message = message.replace(cart, "Image: -").replace(web, cart).replace("Image: -", web)
    edits = [
        edit
        for name in SERVICES
        if (rule := effective(look.world.rules, "staging", name))
        for edit in behind.desk.writer.edits(look.place("staging", name), rule, _newer(name))
    ]
    commit = behind.desk.writer.build(Oid(tip(behind.remote)), edits, message=message, at=behind.at)
    behind.sneak(replace(entry, commit=commit), commit=commit)

    assert {one.what for one in behind.audit(tmp_path / "auditor").findings} == {"trailers-differ"}


def test_what_was_refused_together_goes_apart(behind: World) -> None:
    look, _ = _made(behind)
    decision = behind.desk.decide(look)
    writer, apart = behind.desk.writer, {("staging", "cart")}

    made = bumps(look, decision, writer, branch="main", tip="", apart=apart, stuck=[])

    assert [[one.service for one in entry.each] for entry in made.entries[:1]] == [["search", "web"]]


def _answered(found: World, *, facts: int) -> None:
    """Let gates have answered at length, in characters that take twelve bytes each."""
    for name in SERVICES:
        found.desk.answers.facts["staging", name, (digest("1.1.0"),)] = tuple(
            Fact(f"gate{number}", Finding.PASSED, "", "\N{PACKAGE}" * MAX_DETAIL, found.at)
            for number in range(facts)
        )


def test_a_backlog_that_has_no_room_on_one_line_goes_in_several(behind: World, tmp_path: Path) -> None:
    _answered(behind, facts=40)  # 100,000 bytes for each of the three

    behind.run()

    assert [[one.service for one in entry.each] for entry in _bumps(behind)] == [["cart"], ["search", "web"]]
    assert all(len(entry.line()) <= MAX_LINE for entry in _bumps(behind))
    assert read_file(behind.remote, "apps/staging/kustomization.yaml") == _pins("1.1.0")
    assert behind.audit(tmp_path / "auditor").findings == []


def test_one_move_that_has_no_room_on_a_line_is_stuck_and_says_why(behind: World) -> None:
    behind.append(lambda _look, _tip: Proposal())
    _answered(behind, facts=120)
    look, stuck = behind.desk.view(behind.at), list[Stuck]()

    made = bumps(look, behind.desk.decide(look), behind.desk.writer, branch="main", tip="", stuck=stuck)

    assert made == Proposal()
    assert [one.where for one in stuck] == [("staging", name) for name in SERVICES]
    assert all(f"expected at most {ROOM}: take services from the group" in one.detail for one in stuck)


def test_the_index_finds_the_line_by_each_service(behind: World) -> None:
    behind.run()
    index = Index.open(None)
    index.rebuild(behind.desk.ledger.read(behind.desk.mirror.fetch()))

    for name in SERVICES:
        assert [parse(line.encode()).kind for line in index.entries(service=name)] == [Kind.BUMP]
    assert index.entries(service="car") == []
    index.close()
