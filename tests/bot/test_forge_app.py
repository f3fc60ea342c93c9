"""The GitHub App: its tokens come in time, are renewed when refused, and neither they nor its key are ever shown."""

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import BotError, PermanentError, TransientError
from bot.forge.app import PERMISSIONS, RENEWED_BEFORE, AppLogin
from bot.forge.bodies import MAX_BODY
from bot.ports import Changes, ForgeAccount, Merged, OpenPullRequest
from sandbox.http import endpoint, serve
from tests.bot.forge_worlds import (
    APP_ID,
    BRANCH,
    INSTALLATION,
    MANNER,
    REPOSITORY,
    START,
    AppWorld,
    app_account,
    app_key,
    app_world,
    pem,
)

TOKENS = "/access_tokens"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AppWorld]:
    with app_world(tmp_path) as world:
        yield world


# Tokens


def test_one_token_serves_until_shortly_before_its_end(world: AppWorld) -> None:
    login = world.login()

    first = login.token()
    world.wind(minutes=54)
    again = login.token()
    world.wind(minutes=1)
    renewed = login.token()

    assert first.startswith("ghs_")
    assert first == again != renewed
    assert timedelta(minutes=5) == RENEWED_BEFORE
    assert (world.asked("POST", TOKENS), world.asked("GET", "/installation")) == (2, 1)


def test_many_who_ask_at_once_get_one_token(world: AppWorld) -> None:
    login = world.login()

    with ThreadPoolExecutor(16) as threads:
        tokens = set(threads.map(lambda _number: login.token(), range(64)))

    assert len(tokens) == 1
    assert world.asked("POST", TOKENS) == 1


def test_a_client_id_serves_as_well_as_a_number(world: AppWorld) -> None:
    world.twin.install_app(app_account(client_id="Iv23liSample0001"))

    assert world.login("Iv23liSample0001").token()


def test_the_forge_may_stumble_while_the_old_token_lasts(world: AppWorld) -> None:
    login = world.login()
    first = login.token()
    world.wind(minutes=57)
    world.twin.fail(503, times=99)

    assert login.token() == first
    world.wind(minutes=3)
    with pytest.raises(TransientError, match="gives the App no token now"):
        login.token()
    world.twin.heal()
    assert login.token() != first


def test_a_token_that_ends_early_is_fetched_anew(world: AppWorld) -> None:
    world.twin.shorten_app_tokens(timedelta(minutes=6))
    login = world.login()

    first = login.token()
    world.wind(minutes=2)

    assert login.token() != first


# Refused


def test_a_read_with_a_refused_token_is_tried_once_more_with_another(world: AppWorld) -> None:
    forge = world.forge()
    assert forge.open_pull_requests() == ()
    world.twin.revoke_app_tokens()

    assert forge.open_pull_requests() == ()
    assert world.asked("POST", TOKENS) == 2


def test_a_write_with_a_refused_token_is_done_once(world: AppWorld) -> None:
    head = world.push()
    forge = world.forge()
    pull = forge.open_pull_request(branch=BRANCH, title="api 1.1.0", body="Why")
    real = forge._wire.write

    def write(*arguments: Any, **named: Any) -> Any:
        world.twin.revoke_app_tokens()
        return real(*arguments, **named)

    forge._wire.write = write  # type: ignore[method-assign]

    merged = forge.merge(pull.number, head=head, title="api 1.1.0", message="Approved-By: ada")

    assert merged == Merged(world.git("rev-parse", "main"))
    assert world.asked("PUT", "/merge") == 2
    assert world.git("rev-list", "--count", "--merges", "main") == "1"


@pytest.mark.parametrize(("status", "after"), [(500, True), (502, False), (403, False)])
def test_a_write_that_was_not_refused_by_name_is_not_sent_again(
    world: AppWorld, status: int, *, after: bool
) -> None:
    head = world.push()
    forge = world.forge()
    forge.open_pull_request(branch=BRANCH, title="api 1.1.0", body="Why")
    world.twin.refuse_merges(status, after_merging=after)
    forge.merge(1, head=head, title="api 1.1.0", message="Approved-By: ada")

    assert world.asked("PUT", "/merge") == 1


def test_a_token_that_is_refused_again_needs_a_person(world: AppWorld) -> None:
    forge = world.forge()
    world.twin.fail(401, times=9, method="GET", address="/pulls")

    with pytest.raises(PermanentError, match=r"^the GitHub App is refused: .*is it still installed there"):
        forge.open_pull_requests()
    assert world.asked("GET", "/pulls") == 2


def test_a_permission_that_was_given_meanwhile_is_soon_there(world: AppWorld) -> None:
    head = world.push()
    without = {name: level for name, level in PERMISSIONS.items() if name != "checks"}
    world.twin.install_app(app_account(permissions=without | {"checks": "read"}))
    forge = world.forge()

    with pytest.raises(PermanentError, match=r"may not do this in example/gitops: give it checks=write"):
        forge.status(head, is_allowed=False, description="waits")
    world.twin.install_app(app_account())
    with pytest.raises(PermanentError):  # still with the token of the look that followed the refusal
        forge.status(head, is_allowed=False, description="waits")
    forge.status(head, is_allowed=False, description="waits")

    assert len(world.twin.check_runs(head)) == 1


def test_only_the_token_that_was_refused_is_forgotten(world: AppWorld) -> None:
    login = world.login()
    token = login.token()

    assert login.refuse("ghs_another")
    assert login.token() == token
    assert login.refuse(token)
    assert login.token() != token


# Not installed, not known


def test_an_app_that_is_not_installed_says_where_to_install_it(world: AppWorld) -> None:
    world.twin.install_app(app_account(installation=0))

    with pytest.raises(
        PermanentError, match=r"^GITHUB_APP_ID: the App 4711 is not installed on example/gitops"
    ):
        world.login().token()


def test_an_app_that_was_installed_anew_is_found_again(world: AppWorld) -> None:
    login = world.login()
    login.token()
    world.twin.install_app(app_account(installation=INSTALLATION + 1))
    world.twin.revoke_app_tokens()
    world.wind(hours=1)

    assert login.token()
    assert world.asked("GET", "/installation") == 2


WORDS: dict[str, Callable[[AppWorld], AppLogin]] = {
    "another App": lambda world: world.login("1"),
    "another key": lambda world: world.login(key=app_key(1)),
}


@pytest.mark.parametrize("login", WORDS.values(), ids=WORDS)
def test_a_word_that_the_forge_does_not_believe_names_the_settings(
    world: AppWorld, login: Callable[[AppWorld], AppLogin]
) -> None:
    with pytest.raises(
        PermanentError, match=r"^GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY are refused"
    ) as caught:
        login(world).token()
    assert "machine's clock" in str(caught.value)


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_clock_that_is_wrong_is_named(world: AppWorld, hours: int) -> None:
    late = AppLogin(
        str(APP_ID),
        app_key(),
        REPOSITORY,
        clock=lambda: START + timedelta(hours=hours),
        base_url=world.url,
        manner=MANNER,
    )

    with pytest.raises(PermanentError, match=r"claim \('(?:iat|exp)'\).*look at this machine's clock"):
        late.token()


def test_a_suspended_installation_is_said_in_the_forges_words(world: AppWorld) -> None:
    world.twin.install_app(app_account(is_suspended=True))

    with pytest.raises(PermanentError, match=r"\(403\): This installation has been suspended"):
        world.login().token()


ANSWERS: dict[str, tuple[str, str]] = {
    "no installation": ("[]", "{}"),
    "an installation without a number": ('{"id": "7"}', "{}"),
    "no token": ('{"id": 7}', '{"expires_at": "2026-11-23T10:00:00Z"}'),
    "a token with a line end": ('{"id": 7}', '{"token": "a\\nb", "expires_at": "2026-11-23T10:00:00Z"}'),
    "no end": ('{"id": 7}', '{"token": "sesame"}'),
    "an end without its zone": ('{"id": 7}', '{"token": "sesame", "expires_at": "2026-11-23T10:00:00"}'),
    "an end that is none": ('{"id": 7}', '{"token": "sesame", "expires_at": "soon"}'),
    "noise": ('{"id": 7}', "<html>"),
}


@pytest.mark.parametrize(("found", "given"), ANSWERS.values(), ids=ANSWERS)
def test_a_forge_that_answers_something_else_is_an_error_of_ours(found: str, given: str) -> None:
    def answer(request: Request, _body: bytes) -> Response:
        return Response(given if request.method == "POST" else found, media_type="application/json")

    app = Starlette(routes=[Route("/{rest:path}", endpoint(answer), methods=["GET", "POST"])])
    with serve(app, name="localhost") as url, pytest.raises(BotError) as caught:
        AppLogin("1", app_key(), REPOSITORY, clock=lambda: START, base_url=url, manner=MANNER).token()

    assert "sesame" not in str(caught.value)


# Secrets


def test_neither_key_nor_token_is_shown_anywhere(
    world: AppWorld, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    forge = world.forge()
    login = forge._wire.login
    token = login.token()
    echo = {"message": f"no {token} here", "errors": [token]}
    app = Starlette(
        routes=[
            Route(
                "/{rest:path}",
                endpoint(lambda *_: Response(json.dumps(echo), 422, media_type="application/json")),
            )
        ]
    )
    said = []
    with ExitStack() as stack:
        elsewhere = type(forge)(
            REPOSITORY, "main", login, base_url=stack.enter_context(serve(app)), manner=MANNER
        )
        stack.callback(elsewhere.close_connections)
        with pytest.raises(BotError) as caught:
            elsewhere.pull_request(1)
        said += [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]
    world.twin.fail(401, times=9)
    with pytest.raises(BotError) as refused:
        world.login().token()

    said += [str(refused.value), repr(refused.value.__cause__), repr(login), repr(vars(login)), repr(forge)]
    said += [repr(vars(forge)), caplog.text, *capfd.readouterr()]
    text = "\n".join(said)
    assert token not in text
    assert not any(line in text for line in pem(app_key()).splitlines())
    assert "eyJ" not in text


# Everything that the engine does, with the permissions that we ask for and no others


def test_the_permissions_are_enough_for_everything_that_the_engine_does(world: AppWorld) -> None:
    head = world.push()
    forge = world.forge()

    pull = forge.open_pull_request(branch=BRANCH, title="api 1.1.0", body="Why")
    forge.describe(pull.number, title="api 1.1.0", body="Because")
    forge.status(head, is_allowed=True, description="every gate has passed", summary="- soak: passed 2h")
    ours = OpenPullRequest(1, head, BRANCH, "main")
    assert forge.open_pull_requests() == (ours,)
    assert forge.changes(ours) == Changes(world.git("rev-parse", "main"), ("apps/production/api.yaml",))
    assert forge.content("apps/production/api.yaml", head) == b"image: api:1.1.0\n"
    assert forge.account("ada-l") == ForgeAccount(583, "ada-l")
    assert forge.branch_of(1) == BRANCH
    assert isinstance(forge.merge(1, head=head, title="t", message="m"), Merged)
    world.push("other", "1.2.0")
    other = forge.open_pull_request(branch="other", title="api 1.2.0", body="Why")
    forge.close(other.number, "Rejected")


@pytest.mark.parametrize("name", [name for name in PERMISSIONS if name not in {"metadata", "statuses"}])
def test_each_permission_is_needed(world: AppWorld, name: str) -> None:
    others = {key: level for key, level in PERMISSIONS.items() if key != name}
    world.twin.install_app(app_account(permissions=others))

    with pytest.raises((PermanentError, AssertionError), match=r"give it|Merged"):
        test_the_permissions_are_enough_for_everything_that_the_engine_does(world)


# The check run


def shown(world: AppWorld, head: str) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(run.status, run.conclusion, run.title, run.summary) for run in world.twin.check_runs(head)]


def test_a_check_run_says_what_is_missing_and_ends_when_nothing_is(world: AppWorld) -> None:
    head = world.push()
    forge = world.forge()

    forge.status(head, is_allowed=False, description="waits: quorum", summary="- 1 of 2 approvals")
    forge.status(head, is_allowed=False, description="waits: soak")
    pending = shown(world, head)
    forge.status(head, is_allowed=True, description="every gate has passed")
    forge.status(head, is_allowed=True, description="every gate has passed", summary="- soak: passed")

    assert pending == [("in_progress", None, "waits: soak", "waits: soak")]
    assert shown(world, head) == [("completed", "success", "every gate has passed", "- soak: passed")]
    assert [run.name for run in world.twin.check_runs(head)] == ["countersign"]


def test_a_check_that_passed_is_taken_back_by_a_new_one(world: AppWorld) -> None:
    head = world.push()
    world.twin.require_checks(["countersign"])
    forge = world.forge()
    forge.open_pull_request(branch=BRANCH, title="api 1.1.0", body="Why")
    forge.status(head, is_allowed=True, description="every gate has passed")

    forge.status(head, is_allowed=False, description="frozen", summary="Frozen by ada")

    assert [one[:2] for one in shown(world, head)] == [("completed", "success"), ("in_progress", None)]
    answer = forge.merge(1, head=head, title="t", message="m")
    assert not isinstance(answer, Merged)
    assert "countersign" in answer.detail
    forge.status(head, is_allowed=True, description="every gate has passed")
    assert isinstance(forge.merge(1, head=head, title="t", message="m"), Merged)


def test_saying_it_twice_is_saying_it_once(world: AppWorld) -> None:
    head = world.push()
    world.forge().status(head, is_allowed=True, description="moves nothing")
    world.twin.forget()

    world.forge().status(head, is_allowed=True, description="moves nothing")

    assert world.asked("POST", "/check-runs") == world.asked("PATCH", "") == 0


def test_a_run_of_the_same_name_by_somebody_else_is_left_alone(world: AppWorld) -> None:
    head = world.push()
    world.twin.set_check_run(head, "countersign", "success")

    world.forge().status(head, is_allowed=False, description="waits: quorum")

    assert [one[:2] for one in shown(world, head)] == [("completed", "success"), ("in_progress", None)]


@pytest.mark.parametrize(("method", "after"), [("POST", True), ("PATCH", True), ("POST", False)])
def test_an_answer_that_was_lost_is_looked_through(world: AppWorld, method: str, *, after: bool) -> None:
    head = world.push()
    forge = world.forge()
    forge._wire.login.token()
    if method == "PATCH":
        forge.status(head, is_allowed=False, description="waits: soak")
    world.twin.fail(502, method=method, after=after)

    if after:
        forge.status(head, is_allowed=False, description="waits: quorum")
    else:
        with pytest.raises(TransientError, match="the check of"):
            forge.status(head, is_allowed=False, description="waits: quorum")
        forge.status(head, is_allowed=False, description="waits: quorum")

    assert [one[2] for one in shown(world, head)] == ["waits: quorum"]


def test_text_of_others_is_cut_and_keeps_its_lines(world: AppWorld) -> None:
    head = world.push()

    world.forge().status(
        head, is_allowed=False, description="a\nb" * 200, summary="a\x00b\n" + "z" * MAX_BODY
    )

    (run,) = world.twin.check_runs(head)
    assert run.title is not None
    assert run.summary is not None
    assert len(run.title) == 140
    assert run.title.isprintable()
    assert run.summary.startswith("a b\nzz")
    assert len(run.summary) < MAX_BODY


def test_only_a_commit_can_be_judged(world: AppWorld) -> None:
    with pytest.raises(ValueError, match="is not a commit"):
        world.forge().status("main", is_allowed=True, description="approved")
