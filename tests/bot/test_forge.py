"""The forge adapter against the sandbox's forge: real HTTP, a real bare repository, and every fault in between."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import PermanentError, SettingsError, TransientError
from bot.forge.acts import LOOKS
from bot.forge.people import merger_of
from bot.forge.pull_requests import GitHubForge
from bot.forge.wire import Manner, TokenLogin, plain
from bot.ports import Forge, ForgeAccount, Merged, Merger, NotMerged, PullRequest
from sandbox.forge.twin import ForgeTwin, User
from sandbox.git import Git
from sandbox.http import endpoint, serve

ADA = User(583, "ada-l", "token-ada", name="Ada")
BOB = User(584, "bob", "token-bob", permission="read")
CAROL = User(585, "carol", "token-carol", permission="none")
BOT = User(900, "countersign-bot", "token-bot", is_bot=True)
REPOSITORY = "example/gitops"
BRANCH = "countersign/production/api/0123456789ab"
OTHER = "countersign/production/web/0123456789ab"
FILES = {f"apps/production/{name}.yaml": f"image: {name}:1.0.0\n" for name in ("api", "web")}
NOBODY = "0" * 40


@dataclass
class World:
    """A forge twin on a port, what we wrote to it, and how often we waited."""

    twin: ForgeTwin
    url: str
    path: Path
    stack: ExitStack
    waits: list[float] = field(default_factory=list)
    on_wait: Callable[[], None] = lambda: None

    def forge(self, user: User = BOT, repository: str = REPOSITORY) -> GitHubForge:
        def sleep(seconds: float) -> None:
            self.waits.append(seconds)
            self.on_wait()

        forge = GitHubForge(
            repository,
            "main",
            TokenLogin(SecretStr(user.token)),
            base_url=self.url,
            manner=Manner(timeout=5, between_writes=0, between_looks=0.5),
            sleep=sleep,
        )
        self.stack.callback(forge.close_connections)
        return forge

    def git(self, *arguments: str) -> str:
        return Git(self.path).text(*arguments).strip()

    def push(self, branch: str = BRANCH, service: str = "api", version: str = "1.1.0") -> str:
        files = {f"apps/production/{service}.yaml": f"image: {service}:{version}\n"}
        return self.twin.push_to_branch(branch, files, f"production: {service} {version}", login=BOT.login)

    def shown(self, number: int = 1) -> dict[str, Any]:
        pulls: list[dict[str, Any]] = self.twin.snapshot()["pulls"]
        return next(pull for pull in pulls if pull["number"] == number)

    def comments(self) -> list[str]:
        return [comment["body"] for comment in self.shown()["comments"]]

    def merges(self) -> int:
        return int(self.git("rev-list", "--count", "--merges", "main"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    path = tmp_path / "gitops.git"
    Git.bare(path)
    twin = ForgeTwin(path, users=(ADA, BOB, CAROL, BOT))
    twin.push_to_branch("main", dict(FILES), "Begin", login=ADA.login)
    with ExitStack() as stack:
        yield World(twin, stack.enter_context(serve(twin.app, name="localhost")), path, stack)


@pytest.fixture
def forge(world: World) -> GitHubForge:
    return world.forge()


@pytest.fixture
def pull(world: World, forge: GitHubForge) -> PullRequest:
    world.push()
    return opened(forge)


def opened(forge: GitHubForge, branch: str = BRANCH) -> PullRequest:
    return forge.open_pull_request(branch=branch, title="production: api 1.1.0", body="Why: a fix")


def merge(forge: GitHubForge, pull: PullRequest, head: str = "") -> Merged | NotMerged:
    return forge.merge(
        pull.number, head=head or pull.head, title="api 1.1.0 (#1)", message="Approved-by: ada"
    )


def test_the_adapter_is_what_the_engine_asks_for(forge: GitHubForge) -> None:
    port: Forge = forge

    assert repr(port) == "GitHubForge('example/gitops', 'main')"
    assert "token-bot" not in repr(vars(forge)) + repr(vars(forge._wire))


# Opening and finding


def test_a_pull_request_is_opened_from_a_branch_to_the_target_branch(
    world: World, forge: GitHubForge
) -> None:
    head = world.push()

    pull = opened(forge)

    url = f"{world.url}/example/gitops/pull/1"
    assert pull == PullRequest(number=1, url=url, head=head, is_open=True, is_merged=False)
    shown = world.shown()
    assert (shown["title"], shown["body"], shown["base"]) == ("production: api 1.1.0", "Why: a fix", "main")


def test_opening_twice_is_opening_once(world: World, forge: GitHubForge, pull: PullRequest) -> None:
    assert opened(forge) == pull
    assert len(world.twin.snapshot()["pulls"]) == 1


def test_one_that_somebody_else_opened_meanwhile_is_taken(world: World, forge: GitHubForge) -> None:
    world.push()
    first = opened(world.forge(ADA))
    # The look before the write is stale: it shows nothing yet.
    real = forge._open_from
    answers = iter([None])
    forge._open_from = lambda branch: next(answers, real(branch))  # type: ignore[method-assign]

    assert opened(forge) == first


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_after_it_was_opened_is_looked_through(
    world: World, forge: GitHubForge, status: int
) -> None:
    world.push()
    world.twin.fail(status, method="POST", address="/pulls", after=True)

    assert opened(forge).number == 1
    assert len(world.twin.snapshot()["pulls"]) == 1
    assert world.waits == []


def test_a_negative_look_is_repeated_before_it_is_believed(world: World, forge: GitHubForge) -> None:
    world.push()
    world.twin.fail(502, method="POST", address="/pulls")
    world.on_wait = lambda: None if len(world.waits) < LOOKS - 1 else (opened(world.forge(ADA)), None)[1]

    assert opened(forge).number == 1
    assert world.waits == [0.5] * (LOOKS - 1)


def test_one_that_was_not_opened_is_for_the_next_pass(world: World, forge: GitHubForge) -> None:
    world.push()
    world.twin.fail(502, method="POST", address="/pulls")

    with pytest.raises(TransientError, match="not to be seen at the forge yet: Server Error"):
        opened(forge)
    assert world.twin.snapshot()["pulls"] == []
    assert opened(forge).number == 1


def test_a_branch_that_the_forge_does_not_see_yet_is_for_the_next_pass(forge: GitHubForge) -> None:
    with pytest.raises(TransientError, match="head invalid"):
        opened(forge)


def test_a_branch_with_nothing_to_merge_needs_a_person(world: World, forge: GitHubForge) -> None:
    world.git("update-ref", f"refs/heads/{BRANCH}", "main")

    with pytest.raises(
        PermanentError, match=r"\(422\): Validation Failed: No commits between main and countersign/"
    ):
        opened(forge)


def test_one_that_a_person_closed_is_found_and_the_next_one_is_new(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    world.twin.close_pull(pull.number)

    found = forge.find_pull_request(BRANCH)

    assert found is not None
    assert (found.number, found.is_open, found.is_merged) == (1, False, False)
    assert opened(forge).number == 2
    newest = forge.find_pull_request(BRANCH)
    assert newest is not None
    assert newest.number == 2


def test_nothing_is_found_where_nothing_is(forge: GitHubForge, pull: PullRequest) -> None:
    assert forge.find_pull_request(OTHER) is None
    assert forge.pull_request(7) is None
    assert forge.pull_request(0) is None
    assert (forge.branch_of(1), forge.branch_of(7)) == (BRANCH, "")


def test_one_to_another_branch_is_not_ours(world: World, forge: GitHubForge) -> None:
    world.twin.push_to_branch("release", {"a": "b\n"}, "Release", login=ADA.login)
    world.push()
    elsewhere = GitHubForge(REPOSITORY, "release", TokenLogin(SecretStr(ADA.token)), base_url=world.url)
    opened(elsewhere)
    elsewhere.close_connections()

    assert forge.find_pull_request(BRANCH) is None
    assert opened(forge).number == 2


def test_title_and_body_are_replaced_once(world: World, forge: GitHubForge, pull: PullRequest) -> None:
    forge.describe(pull.number, title="production:\napi 1.2.0", body="Void: the head moved\r\n")
    before = world.shown()
    world.twin.fail(500, method="PATCH")

    forge.describe(pull.number, title="production: api 1.2.0", body="Void: the head moved")

    assert (before["title"], before["body"]) == ("production: api 1.2.0", "Void: the head moved\r\n")
    with pytest.raises(TransientError, match="the description of pull request 1 is not to be seen"):
        forge.describe(pull.number, title="api", body="")
    with pytest.raises(PermanentError, match="no pull request 9 in example/gitops"):
        forge.describe(9, title="api", body="")


# Merging


def test_the_cleared_head_is_merged_with_our_words(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    answer = merge(forge, pull)

    assert answer == Merged(world.git("rev-parse", "main"))
    assert world.git("rev-parse", "main^2") == pull.head
    assert world.git("log", "-1", "--format=%B", "main") == "api 1.1.0 (#1)\n\nApproved-by: ada"
    assert forge.pull_request(1) == PullRequest(
        1, pull.url, pull.head, is_open=False, is_merged=True, commit=answer.commit
    )


def test_who_merged_and_when_is_told_of_what_is_merged(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    assert forge.merger(pull.number) is None
    assert forge.merger(99) is None

    world.twin.merge_pull(pull.number, login=ADA.login)

    found = forge.merger(pull.number)
    assert found is not None
    assert found.account is not None
    assert (found.account.id, found.account.login) == (ADA.id, ADA.login)
    assert found.at.tzinfo is not None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"merged_at": "2026-11-23T09:00:00Z", "merged_by": None},
            Merger(None, datetime(2026, 11, 23, 9, tzinfo=UTC)),
        ),
        ({"merged_at": None, "merged_by": {"login": "ada-l", "id": 583}}, None),
        ({"merged_at": 7}, None),
    ],
    ids=["an account that is gone", "not merged", "no time"],
)
def test_a_merger_is_read_with_care(body: dict[str, Any], expected: Merger | None) -> None:
    assert merger_of(body) == expected


def test_a_merge_at_no_time_is_an_error() -> None:
    with pytest.raises(PermanentError, match="expected a time"):
        merger_of({"merged_at": "soon", "merged_by": None})


def test_what_is_merged_at_this_head_is_not_asked_for_again(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    commit = world.twin.merge_pull(pull.number, login=ADA.login)
    world.twin.fail(500, method="PUT")

    assert merge(forge, pull) == Merged(commit)
    assert merge(forge, pull, NOBODY) == NotMerged(
        "refused", f"it was merged at another head, {pull.head[:12]}"
    )


def test_a_head_that_moved_is_not_merged(world: World, forge: GitHubForge, pull: PullRequest) -> None:
    world.push(version="6.6.6")

    answer = merge(forge, pull)

    assert isinstance(answer, NotMerged)
    assert answer.code == "head-moved"
    assert world.merges() == 0


REFUSALS = {
    "conflict": (405, NotMerged("refused", "Pull Request is not mergeable")),
    "moved": (409, NotMerged("head-moved", "Head branch was modified. Review and try the merge again.")),
    "unprocessable": (422, NotMerged("refused", "Server Error")),
    "gone": (404, NotMerged("refused", "Server Error")),
}


@pytest.mark.parametrize(("status", "answer"), REFUSALS.values(), ids=REFUSALS)
def test_a_refused_merge_says_why(
    world: World, forge: GitHubForge, pull: PullRequest, status: int, answer: NotMerged
) -> None:
    world.twin.refuse_merges(status)

    assert merge(forge, pull) == answer
    assert world.merges() == 0
    assert world.waits == []


@pytest.mark.parametrize("status", [403, 404, 405, 409, 422, 500, 502])
def test_an_error_after_the_merge_is_looked_through(
    world: World, forge: GitHubForge, pull: PullRequest, status: int
) -> None:
    world.twin.refuse_merges(status, after_merging=True)

    assert merge(forge, pull) == Merged(world.git("rev-parse", "main"))
    assert world.merges() == 1


def test_a_merge_of_which_nothing_is_seen_is_unknown(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    world.twin.refuse_merges(502)

    assert merge(forge, pull) == NotMerged("unknown", "Server Error")
    assert world.merges() == 0
    assert len(world.waits) == LOOKS - 1
    assert isinstance(merge(forge, pull), Merged)


def test_a_merge_that_shows_late_is_seen(world: World, forge: GitHubForge, pull: PullRequest) -> None:
    world.twin.refuse_merges(502)
    world.on_wait = lambda: None if len(world.waits) != 1 else (merge(world.forge(), pull), None)[1]

    assert merge(forge, pull) == Merged(world.git("rev-parse", "main"))
    assert world.merges() == 1


def test_a_merge_whose_outcome_cannot_be_looked_at_is_unknown(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    world.twin.refuse_merges(405)
    real = forge._wire.write

    def write(*arguments: Any, **named: Any) -> Any:
        world.twin.fail(503, times=9, method="GET")
        return real(*arguments, **named)

    forge._wire.write = write  # type: ignore[method-assign]

    answer = merge(forge, pull)

    assert isinstance(answer, NotMerged)
    assert answer.code == "unknown"
    assert answer.detail.startswith("Pull Request is not mergeable; then: the forge cannot do it now (503)")


def test_a_required_review_is_told_in_the_forges_words(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    world.twin.require_reviews(1)

    answer = merge(forge, pull)

    assert isinstance(answer, NotMerged)
    assert (answer.code, "approving review" in answer.detail) == ("review-required", True)


def test_a_token_that_may_not_merge_names_the_permission(world: World, pull: PullRequest) -> None:
    answer = merge(world.forge(BOB), pull)

    assert isinstance(answer, NotMerged)
    assert answer.code == "refused"
    assert "give it Contents: write, Pull requests: write" in answer.detail


def test_a_repository_without_merge_commits_squashes(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    world.twin.allow_merge_methods(["squash", "rebase"])

    answer = merge(forge, pull)

    assert answer == Merged(world.git("rev-parse", "main"))
    assert world.git("log", "-1", "--format=%B", "main") == "api 1.1.0 (#1)\n\nApproved-by: ada"
    assert world.merges() == 0


def test_a_rebase_that_would_lose_the_message_is_not_asked_for(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    world.twin.allow_merge_methods(["rebase"])

    assert merge(forge, pull) == NotMerged(
        "refused", "the repository allows neither merge commits nor squashing"
    )
    assert forge.pull_request(1) == pull


def test_one_that_was_turned_to_another_branch_is_not_merged(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    world.twin.push_to_branch("release", {"a": "b\n"}, "Release", login=ADA.login)
    forge._wire.write("PATCH", "/pulls/1", {"base": "release"}, permission="")

    assert merge(forge, pull) == NotMerged("refused", "it goes to 'release' now, not to 'main'")


def test_what_is_closed_or_not_there_is_not_merged(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    world.twin.close_pull(pull.number)

    assert merge(forge, pull) == NotMerged("refused", "it is closed")
    missing = forge.merge(9, head=NOBODY, title="", message="")
    assert missing == NotMerged("refused", "there is no pull request 9 in example/gitops")


@pytest.mark.parametrize("answer", ["[]", '{"merged": false}', '{"merged": true, "sha": "main"}'])
def test_a_merge_that_was_answered_with_something_else_is_unknown(answer: str) -> None:
    base = {"ref": "main", "sha": NOBODY}
    body = {"number": 1, "state": "open", "head": {"sha": NOBODY}, "base": base}
    with answering(200, json.dumps(body), put=answer) as forge:
        merged = forge.merge(1, head=NOBODY, title="t", message="m")

    assert merged == NotMerged("unknown", "the forge answered the merge with something else")


# Closing, commenting, statuses, people


def test_closing_says_why_once(world: World, forge: GitHubForge, pull: PullRequest) -> None:
    for _ in range(2):
        forge.close(pull.number, "Rejected by ada: too early\n")

    assert world.shown()["state"] == "closed"
    assert world.comments() == ["Rejected by ada: too early"]


def test_a_crash_between_comment_and_closing_is_made_good(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    world.twin.comment(pull.number, login=BOT.login, body="Rejected\r\n")

    forge.close(pull.number, "Rejected")

    assert (world.shown()["state"], len(world.comments())) == ("closed", 1)


def test_errors_after_comment_and_closing_are_looked_through(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    world.twin.fail(502, method="POST", address="/comments", after=True)
    world.twin.fail(502, method="PATCH", after=True)

    forge.close(pull.number, "Rejected")

    assert (world.shown()["state"], world.comments()) == ("closed", ["Rejected"])


def test_a_closing_that_did_not_happen_is_for_the_next_pass(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    world.twin.fail(502, method="PATCH")

    with pytest.raises(TransientError, match="the closing of pull request 1"):
        forge.close(pull.number, "Rejected")
    forge.close(pull.number, "Rejected")

    assert (world.shown()["state"], world.comments()) == ("closed", ["Rejected"])


def test_what_is_merged_or_gone_is_left_alone(world: World, forge: GitHubForge, pull: PullRequest) -> None:
    merge(forge, pull)

    forge.close(pull.number, "Superseded")
    forge.close(9, "Superseded")

    assert (world.shown()["state"], world.comments()) == ("merged", [])


def test_one_that_a_person_closed_is_told_why_it_ended(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    world.twin.close_pull(pull.number)
    world.twin.fail(500, method="PATCH")

    forge.close(pull.number, "Cancelled by bob")

    assert world.comments() == ["Cancelled by bob"]


def test_a_comment_is_found_behind_a_hundred_others(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    for number in range(130):
        world.twin.comment(pull.number, login=ADA.login, body=f"word {number}")
    world.twin.comment(pull.number, login=BOT.login, body="Rejected")

    forge.close(pull.number, "Rejected")

    assert world.comments().count("Rejected") == 1


def test_the_status_of_a_head_follows_and_is_written_once(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    forge.status(pull.head, is_allowed=False, description="waits for\n1 approval " + "x" * 200)
    forge.status(pull.head, is_allowed=True, description="approved")
    forge.status(pull.head, is_allowed=True, description="approved")

    written = forge._wire.read(f"/commits/{pull.head}/statuses") or []
    assert [(one["context"], one["state"]) for one in written] == [
        ("countersign", "success"),
        ("countersign", "pending"),
    ]
    assert written[1]["description"].startswith("waits for 1 approval xxx")
    world.twin.fail(500, times=9, method="POST")
    with pytest.raises(ValueError, match="is not a commit"):
        forge.status("main", is_allowed=True, description="approved")
    with pytest.raises(TransientError, match="the status of"):
        forge.status(pull.head, is_allowed=False, description="void")


def test_a_status_is_at_most_140_characters(world: World, forge: GitHubForge, pull: PullRequest) -> None:
    world.twin.fail(502, method="POST", after=True)

    forge.status(pull.head, is_allowed=False, description="y" * 500)

    (status,) = forge._wire.read(f"/commits/{pull.head}/statuses") or []
    assert (len(status["description"]), status["state"], status["context"]) == (140, "pending", "countersign")


def test_accounts_have_numbers_and_strangers_have_none(forge: GitHubForge) -> None:
    logins = ("ada-l", "ADA-L", "nobody", "", "../user", "a" * 200, "ada l", "ada?x=1")

    ada = ForgeAccount(583, "ada-l")
    assert [forge.account(login) for login in logins] == [ada, ada, *[None] * 6]


def test_below_a_flood_nothing_more_is_said(world: World, forge: GitHubForge, pull: PullRequest) -> None:
    answer = [{"body": f"word {number}"} for number in range(100)]
    real = forge._wire.read
    forge._wire.read = lambda path, **asked: (  # type: ignore[method-assign]
        answer if path.endswith("/comments") else real(path, **asked)
    )

    forge.close(pull.number, "Rejected")

    assert (world.shown()["state"], world.comments()) == ("closed", [])


def test_a_description_that_is_refused_names_the_permission(world: World, pull: PullRequest) -> None:
    with pytest.raises(PermanentError, match="give it Pull requests: write"):
        world.forge(BOB).describe(pull.number, title="t", body="b")


# What the forge may do to us


def test_reads_are_tried_again_and_writes_are_not(world: World, forge: GitHubForge) -> None:
    world.push()
    world.twin.fail(502, times=2, method="GET")

    assert forge.find_pull_request(BRANCH) is None
    world.twin.fail(502, times=9, method="GET")
    with pytest.raises(TransientError, match=r"cannot do it now \(502\): Server Error"):
        forge.find_pull_request(BRANCH)


def test_a_rate_limit_is_for_the_next_pass_and_not_slept_through(
    world: World, forge: GitHubForge, pull: PullRequest
) -> None:
    world.twin.limit_rate(3600)
    with pytest.raises(TransientError, match="asked us to slow down for 3600 s: You have exceeded"):
        forge.find_pull_request(BRANCH)
    real = forge._wire.write

    def write(*arguments: Any, **named: Any) -> Any:
        world.twin.limit_rate(60)
        return real(*arguments, **named)

    forge._wire.write = write  # type: ignore[method-assign]
    with pytest.raises(TransientError, match="slow down for 60 s"):
        merge(forge, pull)
    assert world.merges() == 0


def test_bad_credentials_name_the_variable_and_not_the_token(world: World) -> None:
    stranger = world.forge(User(1, "x", "ghp_secretsecret"))

    with pytest.raises(
        PermanentError, match=r"^GITHUB_TOKEN is refused: the forge says 'Bad credentials'"
    ) as read:
        stranger.find_pull_request(BRANCH)
    assert "secret" not in str(read.value)


def test_a_repository_that_is_not_to_be_seen_names_its_variable(world: World) -> None:
    for forge in (world.forge(CAROL), world.forge(repository="example/other")):
        with pytest.raises(PermanentError, match=r"^COUNTERSIGN_FORGE_REPOSITORY: example/"):
            forge.find_pull_request(BRANCH)
        with pytest.raises(PermanentError, match=r"^COUNTERSIGN_FORGE_REPOSITORY: example/"):
            forge.pull_request(1)


def test_a_missing_permission_is_named(world: World) -> None:
    world.push()

    with pytest.raises(
        PermanentError, match="in example/gitops: give it Pull requests: write; the forge says"
    ):
        opened(world.forge(BOB))


@pytest.mark.parametrize("repository", ["", "gitops", "a/b/c", "a/..", "a/ b", "-a/b", "https://x/y"])
def test_a_repository_is_an_owner_and_a_name(repository: str) -> None:
    with pytest.raises(SettingsError, match="expected OWNER/NAME"):
        GitHubForge(repository, "main", TokenLogin(SecretStr("x")))


@pytest.mark.parametrize("url", ["ftp://example.com", "example.com", "http://[", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^COUNTERSIGN_GITHUB_URL"):
        GitHubForge(REPOSITORY, "main", TokenLogin(SecretStr("x")), base_url=url)


def test_an_empty_token_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^GITHUB_TOKEN"):
        GitHubForge(REPOSITORY, "main", TokenLogin(SecretStr(" ")))


HOSTILE = {
    "no JSON": "<html>Down</html>",
    "broken JSON": '{"number": ',
    "a list of lists": "[[]]",
    "a number": "7",
    "nothing": "",
    "another pull request": '{"number": 2}',
    "no head": '{"number": 1, "state": "open"}',
    "a head of wrong type": '{"number": 1, "state": "open", "head": {"sha": ["x"]}}',
    "deep": '{"a":' * 5000 + "1" + "}" * 5000,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("status", [200, 405, 422, 500])
def test_noise_is_an_error_of_ours(body: str, status: int) -> None:
    with answering(status, body) as forge:
        with pytest.raises((TransientError, PermanentError)) as read:
            forge.pull_request(1)
        with pytest.raises((TransientError, PermanentError)):
            opened(forge)
        assert len(str(read.value)) < 500


def test_the_forges_words_come_as_one_short_line_without_secrets() -> None:
    errors: list[Any] = ["ghp_abcdefghijkl", {"message": ["x"]}, {"field": "head", "code": "invalid"}, 7]
    body = {"message": "Bad\r\n\x1b[31m token-bot " + "z" * 9000, "errors": errors}
    with answering(400, json.dumps(body)) as forge, pytest.raises(PermanentError) as caught:
        forge.pull_request(1)

    said = str(caught.value)
    assert said.isprintable()
    assert len(said) < 400
    assert "token-bot" not in said
    assert said.startswith("the forge refuses (400): Bad \N{REPLACEMENT CHARACTER}[31m *** zzz")


def test_a_link_that_would_be_markup_is_left_out() -> None:
    body = {
        "number": 1,
        "state": "open",
        "head": {"sha": NOBODY},
        "html_url": "https://example.com/|<!channel>",
    }
    with answering(200, json.dumps(body)) as forge:
        pull = forge.pull_request(1)

    assert pull == PullRequest(1, "", NOBODY, is_open=True, is_merged=False)


def test_a_fork_has_no_branch_of_ours() -> None:
    base = {"ref": "main", "sha": NOBODY, "repo": {"full_name": REPOSITORY}}
    for repo in ({"full_name": "mallory/gitops"}, None, {}, {"full_name": 7}):
        head = {"ref": BRANCH, "sha": NOBODY, "repo": repo}
        with answering(200, json.dumps({"number": 1, "state": "open", "head": head, "base": base})) as forge:
            assert forge.branch_of(1) == ""


def test_a_merge_without_its_commit_is_for_the_next_pass() -> None:
    body = {"number": 1, "state": "closed", "merged": True, "head": {"sha": NOBODY}, "merge_commit_sha": None}
    with answering(200, json.dumps(body)) as forge, pytest.raises(TransientError, match="does not say yet"):
        forge.pull_request(1)


def test_a_forge_that_is_not_there_is_for_the_next_pass() -> None:
    forge = GitHubForge(
        REPOSITORY,
        "main",
        TokenLogin(SecretStr("x")),
        base_url="http://127.0.0.1:9",
        manner=Manner(timeout=1),
    )

    with pytest.raises(TransientError, match=r"cannot be read: 127.0.0.1 did not answer \(ConnectionError\)"):
        forge.find_pull_request(BRANCH)
    forge.close_connections()


class answering:  # noqa: N801  reads as a verb, like the servers of the standard library's tests
    """A forge that answers everything with the same body, merges with another."""

    def __init__(self, status: int, body: str, *, put: str = "") -> None:
        def answer(request: Request, _: bytes) -> Response:
            said = put if put and request.method == "PUT" else body
            return Response(said, status, media_type="application/json")

        methods = ["GET", "POST", "PUT", "PATCH"]
        self._app = Starlette(routes=[Route("/{rest:path}", endpoint(answer), methods=methods)])
        self._stack = ExitStack()

    def __enter__(self) -> GitHubForge:
        url = self._stack.enter_context(serve(self._app))
        manner = Manner(timeout=5, between_writes=0, between_looks=0)
        forge = GitHubForge(
            REPOSITORY, "main", TokenLogin(SecretStr("token-bot")), base_url=url, manner=manner
        )
        self._stack.callback(forge.close_connections)
        return forge

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def test_text_of_others_is_one_line() -> None:
    assert plain(None) == plain(7) == ""
    assert plain(" a\n\tb\u202e ") == "a b\N{REPLACEMENT CHARACTER}"
    assert plain("x" * 999, 10) == "x" * 9 + "\N{HORIZONTAL ELLIPSIS}"


# Killed in between


ACTS = {
    "pull-request": "forge.open_pull_request(branch=branch, title='production: api 1.1.0', body='Why: a fix')",
    "merge": "forge.merge(1, head=head, title='t', message='m')",
    "comment": "forge.close(1, 'Rejected')",
    "close": "forge.close(1, 'Rejected')",
    "status": "forge.status(head, is_allowed=True, description='approved')",
}
LIFE = """
import sys
from pydantic import SecretStr
from bot import faults
from bot.forge.pull_requests import GitHubForge
from bot.forge.wire import Manner, TokenLogin
url, trap, head, branch = sys.argv[1:]
forge = GitHubForge("example/gitops", "main", TokenLogin(SecretStr("token-bot")), base_url=url, manner=Manner(5, 0, 0))
faults.arm(trap)
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ACTS)
def test_killed_before_or_after_a_write_it_is_done_once(world: World, name: str, when: str) -> None:
    head = world.push()
    if name != "pull-request":
        opened(world.forge())
    exits = [
        subprocess.run(
            [sys.executable, "-c", LIFE + ACTS[name], world.url, trap, head, BRANCH], check=False, timeout=60
        ).returncode
        for trap in (f"{when}-{name}", "", "")
    ]

    assert exits == [-signal.SIGKILL, 0, 0]
    shown = world.shown()
    assert len(world.twin.snapshot()["pulls"]) == 1
    assert (world.merges(), shown["state"]) == {
        "pull-request": (0, "open"),
        "status": (0, "open"),
        "merge": (1, "merged"),
    }.get(name, (0, "closed"))
    assert world.comments() == (["Rejected"] if name in {"comment", "close"} else [])
    assert len(world.forge()._wire.read(f"/commits/{head}/statuses") or []) == (name == "status")
