"""Whose addresses the forge vouches for, as the adapter reads them from the sandbox's forge."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import PermanentError, TransientError
from bot.forge.app import PERMISSIONS
from bot.ports import Addressed
from sandbox.forge.twin import User
from tests.bot.forge_worlds import AppWorld, app_account, app_world

MEMBERS = {**PERMISSIONS, "members": "read"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AppWorld]:
    with app_world(tmp_path) as made:
        made.twin.install_app(app_account(permissions=MEMBERS))
        yield made


def test_addresses_of_verified_domains_and_of_profiles_are_told_with_who_vouches(world: AppWorld) -> None:
    world.twin.register(User(77, "bob", "t", email="bob@home.example", verified=("bob@acme.example",)))

    assert world.forge().addresses() == (
        Addressed(77, "bob@acme.example", "organization"),
        Addressed(77, "bob@home.example", "profile"),
    )


def test_members_on_all_pages_are_asked(world: AppWorld) -> None:
    for number in range(230):
        world.twin.register(User(10_000 + number, f"user-{number}", "", email=f"user-{number}@acme.example"))

    assert len(world.forge().addresses()) == 230


def test_without_the_permission_it_is_said_what_is_missing(world: AppWorld) -> None:
    world.twin.install_app(app_account())

    with pytest.raises(PermanentError, match="Members: read"):
        world.forge().addresses()


def test_a_forge_that_is_silent_is_asked_again_later(world: AppWorld) -> None:
    world.twin.fail(503, times=9, address="/graphql")

    with pytest.raises(TransientError):
        world.forge().addresses()
