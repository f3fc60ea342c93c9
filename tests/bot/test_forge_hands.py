"""By whose hands a commit came, as the forge adapter reads it: written, committed, merged, pushed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import BotError
from bot.ports import ForgeAccount
from sandbox.forge.twin import User
from tests.bot.forge_worlds import ADA, BRANCH, AppWorld, app_world

ADA_ACCOUNT = ForgeAccount(583, "ada-l")
BOB = ForgeAccount(77, "bob")
FILES: dict[str, str | None] = {"apps/production/api.yaml": "image: api:1.1.0\n"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AppWorld]:
    with app_world(tmp_path) as made:
        made.twin.register(User(77, "bob", "token-bob", name="Bob"))
        yield made


def test_who_pushed_is_told_whoever_the_commit_says_wrote_it(world: AppWorld, tmp_path: Path) -> None:
    before = world.git("rev-parse", "main")
    clone = tmp_path / "clone"
    address = world.url.replace("http://", "http://bob:token-bob@") + "/example/gitops.git"
    who = ("-c", "user.name=Ada", "-c", "user.email=583+ada-l@users.noreply.github.com")
    world.git("clone", "--quiet", address, str(clone))
    world.git("-C", str(clone), *who, "commit", "--quiet", "--allow-empty", "--message", "By hand")
    world.git("-C", str(clone), "push", "--quiet", "origin", "HEAD:refs/heads/main")
    commit = world.git("rev-parse", "main")

    hands = world.forge().hands(before, [commit])

    assert set(hands.accounts) == {ADA_ACCOUNT, BOB}
    assert (hands.unnamed, hands.missing) == (0, "")


def test_who_opened_wrote_and_merged_a_pull_request_is_told(world: AppWorld) -> None:
    before = world.git("rev-parse", "main")
    world.push()
    world.forge().open_pull_request(branch=BRANCH, title="api 1.1.0", body="Why")
    commit = world.twin.merge_pull(1, login="bob")

    hands = world.forge().hands(before, [commit])

    assert {one.login for one in hands.accounts} == {"ada-l", "bob", "countersign[bot]"}
    assert hands.missing == ""


def test_the_pull_requests_of_a_commit_are_told(world: AppWorld) -> None:
    world.push()
    forge = world.forge()
    forge.open_pull_request(branch=BRANCH, title="api 1.1.0", body="Why")
    merged = world.twin.merge_pull(1, login="bob")
    alone = world.twin.push_to_branch("main", FILES, "By hand", login="bob")

    assert (forge.pulls_of(merged), forge.pulls_of(alone)) == ((1,), ())
    with pytest.raises(BotError):
        forge.pulls_of("1" * 40)


def test_a_commit_that_came_with_others_was_pushed_with_the_next_that_a_push_ended_at(
    world: AppWorld,
) -> None:
    before = world.git("rev-parse", "main")
    first = world.twin.push_to_branch("topic", FILES, "One", login=ADA.login, start="main")
    tree = world.git("rev-parse", f"{first}^{{tree}}")
    who = ("-c", "user.name=Ada", "-c", "user.email=583+ada-l@users.noreply.github.com")
    second = world.git(*who, "commit-tree", tree, "-p", first, "-m", "Two")
    with world.twin._world.pushing("bob"):
        world.git("update-ref", "refs/heads/main", second)

    assert BOB in world.forge().hands(before, [first, second]).accounts


@pytest.mark.parametrize(
    ("address", "said"),
    [("/activity", "the forge cannot do it now"), ("/pulls", "the forge cannot do it now")],
)
def test_what_the_forge_does_not_tell_is_said_and_the_rest_is_told(
    world: AppWorld, address: str, said: str
) -> None:
    before = world.git("rev-parse", "main")
    commit = world.twin.push_to_branch("main", FILES, "By hand", login="bob")
    world.twin.fail(503, times=9, address=address)

    hands = world.forge().hands(before, [commit])

    assert BOB in hands.accounts
    assert said in hands.missing


def test_a_push_that_the_forge_has_forgotten_and_an_author_whom_nobody_knows_are_said(
    world: AppWorld,
) -> None:
    before = world.git("rev-parse", "main")
    tree = world.git("rev-parse", "main^{tree}")
    who = ("-c", "user.name=X", "-c", "user.email=x@example.org")
    commit = world.git(*who, "commit-tree", tree, "-p", before, "-m", "By hand")
    world.git("update-ref", "refs/heads/main", commit)

    hands = world.forge().hands(before, [commit])

    assert (hands.accounts, hands.unnamed) == ((), 1)
    assert "does not tell who pushed" in hands.missing


def test_a_commit_that_is_not_there_is_told_as_unknown(world: AppWorld) -> None:
    hands = world.forge().hands("1" * 40, ["2" * 40])

    assert hands.accounts == ()
    assert "does not show 222222222222" in hands.missing
