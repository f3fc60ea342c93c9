"""Accounts, teams and reviews as the forge adapter reads them from the sandbox's forge."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import PermanentError, TransientError
from bot.forge.accounts import account_of
from bot.forge.app import PERMISSIONS
from bot.forge.bodies import reviews_asked
from bot.forge.people import last_words, review_of
from bot.ports import ForgeAccount, PullRequest
from sandbox.forge.twin import User
from tests.bot.forge_worlds import ADA, BRANCH, AppWorld, app_account, app_world

BOB = User(77, "bob", "token-bob", name="Bob")
MEMBERS = {**PERMISSIONS, "members": "read"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AppWorld]:
    with app_world(tmp_path) as made:
        made.twin.register(BOB)
        made.twin.install_app(app_account(permissions=MEMBERS))
        yield made


@pytest.fixture
def pull(world: AppWorld) -> PullRequest:
    world.push()
    return world.forge().open_pull_request(branch=BRANCH, title="api 1.1.0", body="Why")


def test_an_account_is_found_by_its_number_whatever_it_is_called_now(world: AppWorld) -> None:
    forge = world.forge()
    world.twin.rename("bob", "robert")

    assert forge.account("bob") is None
    assert forge.account_of_id(77) == ForgeAccount(77, "robert")
    assert [forge.account_of_id(number) for number in (0, -1, 78)] == [None, None, None]


def test_a_login_that_somebody_else_took_has_another_number(world: AppWorld) -> None:
    world.twin.rename("bob", "robert")
    world.twin.register(User(78, "bob", "token-other"))

    assert world.forge().account("bob") == ForgeAccount(78, "bob")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"is_suspended": True}, ForgeAccount(77, "bob", is_active=False)),
        ({"is_bot": True}, ForgeAccount(77, "bob", is_person=False)),
    ],
    ids=["suspended", "bot"],
)
def test_bots_and_suspended_accounts_are_told(
    world: AppWorld, changed: dict[str, Any], expected: ForgeAccount
) -> None:
    world.twin.register(replace(BOB, **changed))

    assert world.forge().account("bob") == expected


def test_a_team_has_its_members_on_all_pages(world: AppWorld) -> None:
    many = [User(10_000 + number, f"user-{number}", "") for number in range(130)]
    for user in many:
        world.twin.register(user)
    world.twin.set_team("security", [ADA.login, *(user.login for user in many)])

    members = world.forge().team("example/security")

    assert len(members) == 131
    assert members[0] == ForgeAccount(583, "ada-l")


@pytest.mark.parametrize(
    "named", ["example/nobody", "other/security", "security", "example/../user", "a/b/c"]
)
def test_a_team_that_is_not_there_is_an_error_and_never_empty(world: AppWorld, named: str) -> None:
    world.twin.set_team("security", [])

    with pytest.raises(PermanentError, match="expected"):
        world.forge().team(named)


def test_a_team_without_the_permission_is_an_error_that_names_it(world: AppWorld) -> None:
    world.twin.set_team("security", [ADA.login])
    world.twin.install_app(app_account())

    with pytest.raises(PermanentError, match="give it members=read"):
        world.forge().team("example/security")


def test_a_team_that_cannot_be_looked_up_now_is_tried_again_later(world: AppWorld) -> None:
    world.twin.set_team("security", [ADA.login])
    world.twin.fail(503, times=9, address="/members")

    with pytest.raises(TransientError):
        world.forge().team("example/security")


def test_reviews_say_who_what_and_of_which_commit(world: AppWorld, pull: PullRequest) -> None:
    world.twin.review(pull.number, login="ada-l", body="fine")
    world.twin.review(pull.number, login="bob", state="COMMENTED", body="hm")
    world.twin.review(pull.number, login="bob", state="CHANGES_REQUESTED", body="the\nport is\twrong")

    ada, bob = world.forge().reviews(pull.number)

    assert (ada.author, ada.state, ada.commit, ada.body) == (
        ForgeAccount(583, "ada-l"),
        "APPROVED",
        pull.head,
        "fine",
    )
    assert (bob.author.login, bob.state, bob.body) == ("bob", "CHANGES_REQUESTED", "the port is wrong")


def test_a_review_that_a_person_took_back_is_told_from_one_that_a_push_did(
    world: AppWorld, pull: PullRequest
) -> None:
    world.twin.require_reviews(0, dismiss_stale=True)
    world.twin.review(pull.number, login="ada-l")
    world.push(version="1.1.1")
    world.twin.review(pull.number, login="bob")
    world.twin.dismiss(pull.number, login="bob")

    found = world.forge().reviews(pull.number)

    assert [(one.author.login, one.state, one.is_stale) for one in found] == [
        ("ada-l", "DISMISSED", True),
        ("bob", "DISMISSED", False),
    ]


def test_the_last_word_of_each_reviewer_counts(world: AppWorld, pull: PullRequest) -> None:
    for login, state in (("ada-l", "APPROVED"), ("bob", "APPROVED"), ("ada-l", "CHANGES_REQUESTED")):
        world.twin.review(pull.number, login=login, state=state, body="said")

    last = last_words(tuple(world.forge().reviews(pull.number)))

    assert [(one.author.login, one.state) for one in last] == [
        ("bob", "APPROVED"),
        ("ada-l", "CHANGES_REQUESTED"),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"id": 1, "user": None},
        {"id": 0, "user": {"id": 1, "login": "ada"}},
        {"id": True, "user": {"id": 1, "login": "ada"}},
        {"id": 1, "user": {"id": 1, "login": "\u0430da"}},
        {"id": 1, "user": {"id": 1, "login": "ada\n"}},
        {"id": 1, "user": {"id": "583", "login": "ada"}},
    ],
    ids=[
        "nothing",
        "a list",
        "no author",
        "no number",
        "true",
        "a homoglyph",
        "two lines",
        "a number as text",
    ],
)
def test_a_review_that_cannot_be_read_is_refused(answer: object) -> None:
    with pytest.raises(PermanentError):
        review_of(answer)


def test_a_login_of_another_alphabet_is_no_login(world: AppWorld) -> None:
    assert world.forge().account("\u0430da-l") is None
    with pytest.raises(PermanentError, match="expected a login"):
        account_of({"id": 1, "login": "\u0430da-l", "type": "User"})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("At least 1 approving review is required by reviewers with write access.", 1),
        ("Repository rule violations found: At least 2 approving reviews are required by reviewers.", 2),
        ("Changes have been requested by a reviewer with write access.", 1),
        ("Waiting on code owner review from example/platform.", 1),
        ('Required status check "ci" is expected.', 0),
        ("Pull Request is not mergeable", 0),
        ("", 0),
    ],
)
def test_a_refused_merge_says_how_many_reviews_github_asks_for(said: str, expected: int) -> None:
    assert reviews_asked(said) == expected
