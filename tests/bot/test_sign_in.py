"""Signing in with a code against the sandbox's forge: paced, ended, whose it is; and no token anywhere."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import PermanentError, TransientError, UnreadableError
from bot.forge.client import site_of
from bot.ports import Asked, Ended, ForgeAccount, SignedIn, Waits
from bot.sign_in import DeviceFlow
from tests.bot.forge_worlds import MANNER, AppWorld, app_world

CLIENT = "Iv23liSandbox0001"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AppWorld]:
    with app_world(tmp_path) as made:
        made.twin.let_sign_in(CLIENT)
        yield made


@pytest.fixture
def flow(world: AppWorld) -> DeviceFlow:
    return DeviceFlow.open(CLIENT, world.url, MANNER)


def test_a_code_waits_until_it_is_typed_and_then_says_whose_account_it_was(
    world: AppWorld, flow: DeviceFlow
) -> None:
    asked = flow.begin()
    assert flow.look(asked) == Waits(timedelta(seconds=5))

    world.twin.type_code(asked.code, login="ada-l")
    world.wind(seconds=6)

    assert flow.look(asked) == SignedIn(ForgeAccount(583, "ada-l"))
    assert asked.url == f"{world.url}/login/device"


def test_looking_too_often_makes_the_pauses_longer(world: AppWorld, flow: DeviceFlow) -> None:
    asked = flow.begin()
    flow.look(asked)
    world.wind(seconds=1)

    assert flow.look(asked) == Waits(timedelta(seconds=10))


@pytest.mark.parametrize(
    ("end", "code"),
    [("denied", "sign-in-denied"), ("expired", "sign-in-expired"), ("gone", "sign-in-unavailable")],
)
def test_a_code_ends(world: AppWorld, flow: DeviceFlow, end: str, code: str) -> None:
    asked = flow.begin()
    if end == "denied":
        world.twin.type_code(asked.code, login="")
    elif end == "expired":
        world.wind(minutes=16)
    else:
        asked = Asked("X", asked.url, "another", asked.interval, asked.life)

    found = flow.look(asked)

    assert isinstance(found, Ended)
    assert found.code == code


def test_an_app_that_is_not_known_is_said_with_what_to_do(world: AppWorld) -> None:
    with pytest.raises(PermanentError, match="Enable Device Flow"):
        DeviceFlow.open("Iv1.another00000", world.url, MANNER).begin()


@pytest.mark.parametrize("address", ["/login/device/code", "/login/oauth/access_token"])
def test_a_forge_that_stumbles_is_asked_again_later(world: AppWorld, flow: DeviceFlow, address: str) -> None:
    asked = flow.begin()
    world.twin.fail(502, address=address)

    with pytest.raises(TransientError):
        flow.begin() if address.endswith("code") else flow.look(asked)


def test_the_token_is_used_once_and_stands_nowhere(
    world: AppWorld, flow: DeviceFlow, caplog: pytest.LogCaptureFixture
) -> None:
    asked = flow.begin()
    world.twin.type_code(asked.code, login="ada-l")
    world.twin.fail(500, address="/user")
    with pytest.raises(TransientError) as failed:
        flow.look(asked)

    (token,) = world.twin.sign_in_tokens()
    kept = [repr(flow), repr(vars_of(flow)), repr(asked), str(failed.value), repr(failed.value.__cause__)]
    assert token not in "\n".join([*kept, caplog.text])
    assert asked.secret not in repr(asked)
    assert world.asked("GET", "/user") == 1


@pytest.mark.parametrize("address", ["/login/device/code", "/login/oauth/access_token", "/user"])
def test_an_answer_that_cannot_be_read_is_said_to_be_so_without_its_words(
    world: AppWorld, flow: DeviceFlow, address: str
) -> None:
    asked = flow.begin()
    world.twin.type_code(asked.code, login="ada-l")
    world.twin.garble(b'{"login": "hunter2 ", "verification_uri": 1}', times=1, address=address)

    with pytest.raises(UnreadableError) as failed:
        flow.begin() if address.endswith("code") else flow.look(asked)

    assert "hunter2" not in str(failed.value)


def vars_of(flow: DeviceFlow) -> list[object]:
    return [vars(client) for client in (flow.site, flow.api)]


@pytest.mark.parametrize(
    ("api", "site"),
    [
        ("", "https://github.com"),
        ("https://api.github.com", "https://github.com"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("https://github.acme.example/api/v3", "https://github.acme.example"),
        ("http://localhost:4004", "http://localhost:4004"),
    ],
)
def test_people_sign_in_at_the_site_beside_the_api(api: str, site: str) -> None:
    assert site_of(api) == site
