"""Who changed the rules, and what they had lost sight of: a move that no rule was about is told when one is again."""

from pathlib import Path

import pytest

from bot import rulings as module
from bot.rulings import Ruling, rulings
from policies.entries.entry import Kind
from tests.bot.ledger_worlds import FILES, RULES, World, digest, kustomization, world
from tests.bot.test_book import FLUX as DOCUMENTS
from tests.repositories import Files, commit_to

PATH = "promotion/rules.yaml"
PRODUCTION = "apps/production/kustomization.yaml"
SERVICE = "  web: {image: ghcr.io/example/web, versions: 1.x}\n"
OTHER = "  other: {image: ghcr.io/example/other, versions: 1.x}\n"
WITHOUT = RULES.replace(SERVICE, OTHER)
FLUX = "infra/flux.yaml"
FOLLOWING = RULES.replace(SERVICE, "  web: {versions: {flux: shop/web}}\n").replace(", after: staging", "")
MOVED: Files = {PRODUCTION: kustomization("1.0.5")}
UNSEEN = "web in production became ghcr.io/example/web:1.0.5, from ghcr.io/example/web:1.1.0, unseen by rules"


@pytest.fixture
def found(tmp_path: Path) -> World:
    """Promote 1.1.0."""
    there = world(tmp_path)
    there.stage("1.1.0")
    there.promote("1.1.0")
    return there


def change(there: World, files: Files, message: str = "Change by hand\n") -> str:
    """Commit something by hand."""
    return commit_to(there.remote, files, message=message)


def told(there: World) -> list[Ruling]:
    """Return the rules' changes."""
    entries = there.entries
    return list(rulings(entries, there.desk.mirror, there.desk.book, off={}))


def unseen(there: World) -> list[str]:
    """Return what the rules did not see, oldest first."""
    return [text for one in told(there) for text in one.unseen]


@pytest.mark.parametrize("is_looked_at", [False, True], ids=["at once", "with passes between"])
def test_a_move_that_no_rule_was_about_is_told_when_one_is_again(found: World, *, is_looked_at: bool) -> None:
    for files in ({PATH: WITHOUT}, MOVED, {PATH: RULES}):
        change(found, files)
        if is_looked_at:
            found.run()
    found.run()

    assert unseen(found) == [UNSEEN]
    report = found.audit(found.remote.parent / "audit")
    assert report.findings == []
    last = report.rulings[-1].entry
    assert last
    assert report.notes == [f"rules #{last.seq}: {UNSEEN}"]


def test_where_no_entry_records_the_rules_yet_they_are_told_all_the_same(found: World) -> None:
    commits = [change(found, files) for files in ({PATH: WITHOUT}, MOVED, {PATH: RULES})]

    report = found.audit(found.remote.parent / "audit")

    assert report.findings == []
    assert report.notes == [f"rules that no entry records yet: {UNSEEN}"]
    last = report.rulings[-1]
    assert (last.entry, [one.oid for one in last.commits]) == (None, commits[::2])
    found.run()
    assert told(found)[-1].entry
    assert len(told(found)) == len(report.rulings)


@pytest.mark.parametrize("is_looked_at", [False, True], ids=["at once", "with passes between"])
@pytest.mark.parametrize(
    "away",
    [
        RULES.replace("path: apps/production", "path: apps/nowhere"),
        RULES.replace("image: ghcr.io/example/web", "image: ghcr.io/example/zzz"),
    ],
    ids=["at an empty place", "for another image"],
)
def test_rules_that_look_away_for_a_while_hide_nothing(
    found: World, away: str, *, is_looked_at: bool
) -> None:
    for files in ({PATH: away}, MOVED, {PATH: RULES}):
        change(found, files)
        if is_looked_at:
            found.run()
    found.run()

    assert unseen(found)[-1] == UNSEEN
    assert [one for one in unseen(found) if "nothing" not in one] == [UNSEEN]


def test_a_service_that_comes_back_under_another_name_is_held_against_what_it_was(found: World) -> None:
    for files in ({PATH: WITHOUT}, MOVED, {PATH: RULES.replace("  web: {", "  shop: {")}):
        change(found, files)
    found.run()

    (text,) = unseen(found)
    assert text == UNSEEN.replace("web in", "shop in").replace(":1.1.0,", ":1.1.0 (as web),")


def following(folder: Path) -> World:
    """Begin with rules that follow Flux's documents."""
    return world(folder, {**FILES, PATH: FOLLOWING, FLUX: flux()})


def flux(versions: str = "1.x", image: str = "ghcr.io/example/web") -> str:
    """Return Flux's documents."""
    return DOCUMENTS.replace("RANGE", versions).replace("ghcr.io/acme/web", image)


def test_documents_that_the_rules_follow_are_looked_at_like_the_rules(tmp_path: Path) -> None:
    there = following(tmp_path)
    steps: list[Files] = [
        {FLUX: flux(image="ghcr.io/example/zzz")},
        {PRODUCTION: kustomization("1.0.5")},
        {FLUX: flux()},
    ]
    commits = [change(there, files) for files in steps]
    there.run()

    last = told(there)[-1]
    assert [one.oid for one in last.commits] == commits[::2]
    moved = "became ghcr.io/example/web:1.0.5, from ghcr.io/example/web:1.0.0, unseen by rules"
    assert [text for text in last.unseen if "nothing" not in text] == [f"web in production {moved}"]


def test_each_change_of_documents_and_of_rules_is_told_once(tmp_path: Path) -> None:
    there = following(tmp_path)
    steps: list[Files] = [
        {FLUX: flux("1.0.x")},
        {PATH: FOLLOWING + "# a comment\n"},
        {FLUX: flux("1.1.x")},
        {FLUX: flux("1.2.x")},
        {PATH: FOLLOWING},
    ]
    commits = []
    for files in steps:
        commits.append(change(there, files))
        there.run()

    assert [[info.oid for info in one.commits] for one in told(there)[1:]] == [[one] for one in commits]
    assert unseen(there) == []


def test_what_is_joined_with_another_stays_what_it_was(found: World) -> None:
    shop = "  shop: {image: ghcr.io/example/shop, versions: x}\n"
    image = "  - name: ghcr.io/example/shop\n    newTag: 3.0.0\n"
    text = found.desk.mirror.blobs(
        [found.desk.mirror.listing(found.desk.mirror.fetch().target, [PRODUCTION])[PRODUCTION]]
    )
    change(found, {PRODUCTION: next(iter(text.values())).decode() + image})
    change(found, {PATH: RULES.replace("people:\n", f"{shop}people:\n")})
    change(found, {PATH: RULES.replace("  web: {", "  web: {was: shop, ")})
    found.run()

    assert unseen(found) == []


@pytest.mark.parametrize(
    "steps",
    [
        [{PATH: RULES + "# a comment\n"}],
        [{PATH: WITHOUT}, {PATH: RULES}],
        [{PATH: WITHOUT}],
        [{PATH: RULES.replace("  web: {", "  shop: {was: web, ")}],
        [{PATH: RULES + "nonsense: [\n"}, {PATH: RULES}],
        [{PATH: RULES.replace("services:\n", f"services:\n{OTHER}")}],
    ],
    ids=["a comment", "left out for a while", "left out", "another name", "broken for a while", "one more"],
)
def test_nothing_is_told_where_nothing_moved(found: World, steps: list[Files]) -> None:
    for files in steps:
        change(found, files)
        found.run()

    assert unseen(found) == []


def test_rules_that_do_not_parse_leave_those_before_in_force(found: World) -> None:
    change(found, {PATH: "environments: ["})
    change(found, {PRODUCTION: kustomization("1.0.5")})
    found.run()
    change(found, {PATH: RULES + "# mended\n"})
    found.run()

    assert unseen(found) == [], "the rules before saw it, and it has its entry"
    assert Kind.EXTERNAL in {entry.kind for _, entry in found.entries}


def test_what_is_looked_for_in_another_place_is_told_where_another_image_stands_there(found: World) -> None:
    change(found, {"apps/prod/kustomization.yaml": kustomization("1.1.0", digest("1.1.0"))})
    change(found, {PATH: RULES.replace("path: apps/production", "path: apps/prod")})
    found.run()
    assert unseen(found) == []

    change(found, {"apps/live/kustomization.yaml": kustomization("1.0.5")})
    change(found, {PATH: RULES.replace("path: apps/production", "path: apps/live")})
    found.run()
    assert unseen(found) == [UNSEEN]


def test_what_stands_nowhere_any_more_is_told_and_what_comes_into_sight_is_not(found: World) -> None:
    change(found, {PATH: RULES.replace("path: apps/production", "path: apps/nowhere")})
    found.run()
    assert unseen(found) == [
        "web in production became nothing, from ghcr.io/example/web:1.1.0, unseen by rules"
    ]

    change(found, {PATH: RULES})
    found.run()
    assert len(unseen(found)) == 1


def test_every_commit_that_changed_the_rules_is_named_the_newest_if_they_are_many(
    found: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = [
        change(found, {PATH: f"{RULES}# {number}\n"}, f"Say {number}\n\nAt length\n") for number in range(3)
    ]
    found.run()

    first, last = told(found)
    assert last.entry
    assert [one.message for one in first.commits] == ["Commit 1\n"]
    assert [one.oid for one in last.commits] == commits
    assert last.entry.commit == commits[-1]

    assert last.left == 0

    monkeypatch.setattr(module, "MAX_COMMITS", 2)
    cut = told(found)[-1]
    assert ([one.oid for one in cut.commits], cut.left) == (commits[1:], 1)


def test_an_entry_whose_commit_is_not_here_is_left_out(found: World, tmp_path: Path) -> None:
    change(found, {PATH: RULES + "# a comment\n"})
    found.run()
    desk = world(tmp_path / "elsewhere").desk

    left = rulings(found.entries, desk.mirror, desk.book, off={})

    assert len(told(found)) == len(list(left)) + 1
