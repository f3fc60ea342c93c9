"""The forge twin, spoken to by the real PyGithub, over a real bare repository and real pushes."""

import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from github import Auth, BadCredentialsException, Github, GithubException, RateLimitExceededException
from github.PullRequest import PullRequest
from github.Repository import Repository

from sandbox.forge.state import StateError
from sandbox.forge.twin import ForgeError, ForgeTwin, RefusalError, User
from sandbox.git import Git, GitError
from sandbox.http import serve

ADA = User(583, "ada-l", "token-ada", name="Ada")
BOB = User(584, "bob", "token-bob", permission="read")
CAROL = User(585, "carol", "token-carol", permission="none")
BOT = User(900, "countersign-bot", "token-bot", is_bot=True)
USERS = (ADA, BOB, CAROL, BOT)
FILES = {f"apps/production/{name}.yaml": f"image: {name}:1.0.0\n" for name in ("api", "web")}
ANYBODY = ("-c", "user.name=x", "-c", "user.email=x@example.com")
BRANCH = "countersign/production/api/0123456789ab"


@dataclass(frozen=True, slots=True)
class World:
    twin: ForgeTwin
    url: str
    path: Path

    @contextmanager
    def client(self, user: User = BOT) -> Iterator[Github]:
        client = Github(
            base_url=self.url,
            auth=Auth.Token(user.token),
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )
        try:
            yield client
        finally:
            client.close()

    def git(self, *arguments: str) -> str:
        return Git(self.path).text(*arguments)

    def bump(self, service: str = "api", version: str = "1.1.0", branch: str = BRANCH) -> str:
        """Write what the bot writes: one changed line on a branch."""
        files = {f"apps/production/{service}.yaml": f"image: {service}:{version}\n"}
        return self.twin.push_to_branch(branch, files, f"production: {service} {version}", login=BOT.login)

    def main(self, files: Mapping[str, str | None], message: str = "Change main") -> str:
        return self.twin.push_to_branch("main", files, message, login=ADA.login)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def world(tmp_path: Path, stack: ExitStack) -> World:
    path = tmp_path / "gitops.git"
    Git.bare(path)
    twin = ForgeTwin(path, users=USERS, state=tmp_path / "forge.json")
    world = World(twin, stack.enter_context(serve(twin.app, name="localhost")), path)
    world.main(dict(FILES), "Begin")
    return world


@pytest.fixture
def repo(world: World, stack: ExitStack) -> Repository:
    return stack.enter_context(world.client()).get_repo("example/gitops")


@pytest.fixture
def pull(world: World, repo: Repository) -> PullRequest:
    world.bump()
    return repo.create_pull(base="main", head=BRANCH, title="production: api 1.1.0", body="Why: a fix")


def push(path: Path, work: Path, files: Mapping[str, str], *refs: str) -> subprocess.CompletedProcess[str]:
    """Push as a person with a clone does."""
    environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}

    def git(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments], cwd=work, env=environment, capture_output=True, text=True, check=check
        )

    work.mkdir()
    git("clone", "-q", str(path), ".")
    for name, text in files.items():
        (work / name).write_text(text)
    git("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-qam", "By hand")
    return git("push", "--atomic", "origin", *refs, check=False)


def test_users_and_repository_are_told_to_whom_may_know(world: World, repo: Repository) -> None:
    with world.client(ADA) as client:
        me = client.get_user()
        bot = client.get_user("Countersign-Bot")

        assert (me.id, me.login, me.type, me.name) == (583, "ada-l", "User", "Ada")
        assert (bot.id, bot.type) == (900, "Bot")
    assert (repo.default_branch, repo.full_name, repo.owner.login) == ("main", "example/gitops", "example")
    assert repo.allow_merge_commit
    assert repo.permissions.push
    assert not repo.permissions.admin
    assert [repo.get_collaborator_permission(user.login) for user in (ADA, BOB)] == ["write", "read"]


def test_who_is_unknown_is_refused(world: World) -> None:
    with world.client(User(1, "x", "made-up")) as client, pytest.raises(BadCredentialsException):
        client.get_user().login  # noqa: B018  asking is the act
    with world.client(CAROL) as client, pytest.raises(GithubException) as caught:
        client.get_repo("example/gitops")
    assert caught.value.status == 404
    with pytest.raises(urllib.error.HTTPError) as bare:
        urllib.request.urlopen(f"{world.url}/user", timeout=10)  # noqa: S310  our own server
    with bare.value as answer:
        assert (answer.code, json.load(answer)["message"]) == (401, "Requires authentication")


def test_a_pull_request_is_opened_and_found_by_its_head(repo: Repository, pull: PullRequest) -> None:
    found = list(repo.get_pulls(state="open", head=f"example:{BRANCH}"))

    assert [one.number for one in found] == [pull.number] == [1]
    assert (pull.state, pull.merged, pull.mergeable, pull.mergeable_state) == ("open", False, True, "clean")
    assert (pull.user.login, pull.head.ref, pull.base.ref) == (BOT.login, BRANCH, "main")
    assert (pull.commits, pull.changed_files, pull.additions, pull.deletions) == (1, 1, 1, 1)
    assert pull.merge_commit_sha not in {None, pull.head.sha}
    assert list(repo.get_pulls(head="example:other")) == []
    assert [one.number for one in repo.get_pulls(head="no-owner-so-it-is-ignored")] == [1]


def test_files_and_commits_of_a_pull_request_are_those_since_it_parted(
    world: World, pull: PullRequest
) -> None:
    world.main({"README.md": "Later\n"})

    (file,) = pull.get_files()
    (commit,) = pull.get_commits()

    assert (file.filename, file.status, file.additions) == ("apps/production/api.yaml", "modified", 1)
    assert file.patch == "@@ -1 +1 @@\n-image: api:1.0.0\n+image: api:1.1.0"
    assert (commit.sha, commit.commit.message) == (pull.head.sha, "production: api 1.1.0")
    assert commit.author is not None
    assert commit.author.login == BOT.login


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"head": BRANCH}, "A pull request already exists for example:" + BRANCH),
        ({"head": "missing"}, "invalid"),
        ({"head": "stranger:" + BRANCH}, "invalid"),
        ({"base": "missing"}, "invalid"),
        ({"head": "same"}, "No commits between main and same"),
        ({"head": "ledger"}, "no history in common with main"),
        ({"title": " "}, "missing_field"),
        ({"head": "new", "body": "x" * 70_000}, "too long"),
    ],
    ids=["duplicate", "no head", "fork", "no base", "no commits", "orphan", "no title", "long body"],
)
def test_what_cannot_be_opened_is_refused_with_422(
    world: World, repo: Repository, pull: PullRequest, wanted: dict[str, str], said: str
) -> None:
    world.git("branch", "same", "main")
    world.git("update-ref", "refs/heads/ledger", world.git(*ANYBODY, "commit-tree", "main^{tree}", "-m", "x"))
    world.bump(version="1.2.0", branch="new")

    with pytest.raises(GithubException) as caught:
        repo.create_pull(**{"base": "main", "head": "new", "title": "t", "body": "b"} | wanted)  # type: ignore[arg-type]

    assert (caught.value.status, caught.value.data["message"]) == (422, "Validation Failed")
    assert said in json.dumps(caught.value.data["errors"])
    assert repo.get_pulls(state="all").totalCount == 1


def test_a_merge_keeps_both_sides_and_says_exactly_what_it_was_told(
    world: World, repo: Repository, pull: PullRequest
) -> None:
    base = world.main({"apps/production/web.yaml": "image: web:2.0.0\n"})

    merged = pull.merge(
        sha=pull.head.sha,
        merge_method="merge",
        commit_title="production: api 1.0.0 -> 1.1.0",
        commit_message="Approved.\n\nPromotion: 1\nService: api",
    )

    assert merged.merged
    assert world.git("rev-parse", "main") == merged.sha
    assert world.git("log", "-1", "--format=%P", "main").split() == [base, pull.head.sha]
    assert Git(world.path).run("cat-file", "commit", "main").output.partition(b"\n\n")[2] == (
        b"production: api 1.0.0 -> 1.1.0\n\nApproved.\n\nPromotion: 1\nService: api"
    )
    assert world.git("log", "-1", "--format=%cn|%an|%ae", "main") == (
        "GitHub|countersign-bot|900+countersign-bot@users.noreply.github.com"
    )
    assert world.git("show", "main:apps/production/web.yaml") == "image: web:2.0.0"
    assert world.git("show", "main:apps/production/api.yaml") == "image: api:1.1.0"
    again = repo.get_pull(1)
    assert (again.state, again.merged, again.merge_commit_sha) == ("closed", True, merged.sha)
    assert again.merged_by.login == BOT.login
    assert (again.changed_files, again.commits) == (1, 1)
    assert repo.get_branch(BRANCH).commit.sha == pull.head.sha
    assert [one.number for one in repo.get_commit(merged.sha).get_pulls()] == [1]


def test_without_words_a_merge_has_githubs_own(world: World, pull: PullRequest) -> None:
    pull.merge()

    said = world.git("log", "-1", "--format=%B", "main").strip()
    assert said == f"Merge pull request #1 from example/{BRANCH}\n\nproduction: api 1.1.0"


@pytest.mark.parametrize(("method", "parents"), [("squash", 1), ("rebase", 1), ("merge", 2)])
def test_every_method_brings_every_change(world: World, pull: PullRequest, method: str, parents: int) -> None:
    world.bump("web", "1.1.0")
    base = world.main({"README.md": "Later\n"})

    pull.merge(merge_method=method)

    assert world.git("diff", "--name-only", base, "main").split() == sorted(FILES)
    assert len(world.git("log", "-1", "--format=%P", "main").split()) == parents
    subjects = world.git("log", "--first-parent", "--format=%s", f"{base}..main").split("\n")
    assert (
        subjects
        == {
            "squash": ["production: api 1.1.0 (#1)"],
            "rebase": ["production: web 1.1.0", "production: api 1.1.0"],
            "merge": [f"Merge pull request #1 from example/{BRANCH}"],
        }[method]
    )


def test_a_head_that_moved_is_not_merged(world: World, repo: Repository, pull: PullRequest) -> None:
    known = pull.head.sha
    moved = world.bump(version="6.6.6")
    before = world.git("rev-parse", "main")

    with pytest.raises(GithubException) as caught:
        pull.merge(sha=known)

    assert caught.value.status == 409
    assert caught.value.data["message"] == "Head branch was modified. Review and try the merge again."
    assert repo.get_pull(1).head.sha == moved
    assert world.git("rev-parse", "main") == before


def test_a_conflict_is_not_merged(world: World, repo: Repository, pull: PullRequest) -> None:
    before = world.main({"apps/production/api.yaml": "image: api:9.9.9\n"})

    with pytest.raises(GithubException) as caught:
        pull.merge(sha=pull.head.sha)

    assert (caught.value.status, caught.value.data["message"]) == (405, "Pull Request is not mergeable")
    again = repo.get_pull(1)
    assert (again.mergeable, again.mergeable_state) == (False, "dirty")
    assert again.raw_data["merge_commit_sha"] is None
    assert world.git("rev-parse", "main") == before


@pytest.mark.parametrize("way", ["closed", "merged"])
def test_what_is_over_cannot_be_merged_again(world: World, pull: PullRequest, way: str) -> None:
    if way == "closed":
        world.twin.close_pull(1)
    else:
        pull.merge()
    before = world.git("rev-parse", "main")

    with pytest.raises(GithubException) as caught:
        pull.merge(sha=pull.head.sha)

    assert (caught.value.status, world.git("rev-parse", "main")) == (405, before)


def test_a_method_that_is_not_allowed_is_refused(world: World, pull: PullRequest) -> None:
    world.twin.allow_merge_methods(["squash"])

    with pytest.raises(GithubException) as caught:
        pull.merge(merge_method="merge")

    assert caught.value.status == 405
    assert "Merge commits are not allowed" in caught.value.data["message"]
    with pytest.raises(GithubException) as unknown:
        pull.merge(merge_method="octopus")
    assert unknown.value.status == 422


def test_required_checks_hold_a_merge_until_they_pass(
    world: World, repo: Repository, pull: PullRequest
) -> None:
    world.twin.require_checks(["countersign", "ci"])
    repo.get_commit(pull.head.sha).create_status("success", context="countersign", description="2 of 2")

    with pytest.raises(GithubException, match='Required status check "ci" is expected') as caught:
        pull.merge()
    world.twin.set_check_run(BRANCH, "ci", "failure")
    with pytest.raises(GithubException, match='"ci" is failing'):
        pull.merge()
    blocked = repo.get_pull(1).mergeable_state
    world.twin.set_check_run(BRANCH, "ci", "success")

    assert (caught.value.status, blocked) == (405, "blocked")
    assert repo.get_pull(1).mergeable_state == "clean"
    assert pull.merge().merged


def test_required_reviews_count_each_reviewers_last_word(
    world: World, repo: Repository, pull: PullRequest
) -> None:
    world.twin.require_reviews(1)
    with world.client(ADA) as client:
        hers = client.get_repo("example/gitops").get_pull(1)
        hers.create_review(event="REQUEST_CHANGES", body="Wait")
        with pytest.raises(GithubException, match="Changes have been requested"):
            pull.merge()
        hers.create_review(event="APPROVE")
        hers.create_review(event="COMMENT", body="Fine now")

    assert [review.state for review in pull.get_reviews()] == ["CHANGES_REQUESTED", "APPROVED", "COMMENTED"]
    assert [review.user.login for review in pull.get_reviews()] == ["ada-l"] * 3
    assert pull.merge().merged


def test_a_push_takes_approvals_away_where_the_rules_say_so(
    world: World, repo: Repository, pull: PullRequest
) -> None:
    world.twin.require_reviews(1, dismiss_stale=True)
    world.twin.review(1, login=ADA.login)
    assert repo.get_pull(1).mergeable_state == "clean"

    world.bump(version="1.2.0")

    assert [review.state for review in pull.get_reviews()] == ["DISMISSED"]
    with pytest.raises(GithubException, match="At least 1 approving review"):
        pull.merge()


def test_an_approval_by_a_reader_does_not_count(world: World, pull: PullRequest) -> None:
    world.twin.require_reviews(1)
    world.twin.review(1, login=BOB.login)

    with pytest.raises(GithubException, match="with write access"):
        pull.merge()


def test_nobody_approves_their_own(world: World, pull: PullRequest) -> None:
    with pytest.raises(GithubException) as caught:
        pull.create_review(event="APPROVE")

    assert caught.value.status == 422
    assert caught.value.data["errors"] == ["Can not approve your own pull request"]
    with pytest.raises(ForgeError):
        world.twin.review(1, login=BOT.login)


def test_a_reader_may_comment_and_not_merge(world: World, pull: PullRequest) -> None:
    with world.client(BOB) as client:
        his = client.get_repo("example/gitops").get_pull(1)
        his.create_issue_comment("Looks right")
        with pytest.raises(GithubException) as caught:
            his.merge()
        with pytest.raises(GithubException) as closing:
            his.edit(state="closed")

    assert (caught.value.status, closing.value.status) == (403, 403)


def test_comments_are_written_changed_and_deleted(world: World, pull: PullRequest) -> None:
    world.twin.comment(1, login=ADA.login, body="Why now?")
    comment = pull.create_issue_comment("Approved by ada")
    comment.edit("Approved by ada and bob")

    assert [(one.user.login, one.body) for one in pull.get_issue_comments()] == [
        ("ada-l", "Why now?"),
        (BOT.login, "Approved by ada and bob"),
    ]
    pull.get_issue_comment(comment.id).delete()
    assert [one.body for one in pull.get_issue_comments()] == ["Why now?"]
    with pytest.raises(GithubException) as caught:
        pull.create_issue_comment("")
    assert caught.value.status == 422


def test_statuses_are_kept_and_combined(world: World, repo: Repository, pull: PullRequest) -> None:
    commit = repo.get_commit(pull.head.sha)
    assert commit.get_combined_status().state == "pending"
    commit.create_status(
        "pending", context="countersign", target_url="https://example.com", description="1 of 2"
    )
    commit.create_status("success", context="countersign")
    world.twin.set_status(BRANCH, "kustomization/apps", "failure", login=ADA.login, description="not ready")

    combined = commit.get_combined_status()

    assert (combined.state, combined.total_count) == ("failure", 2)
    assert [(one.context, one.state) for one in commit.get_statuses()] == [
        ("kustomization/apps", "failure"),
        ("countersign", "success"),
        ("countersign", "pending"),
    ]
    assert repo.get_pull(1).mergeable_state == "unstable"


@pytest.mark.parametrize(
    ("sha", "values"),
    [
        ("0" * 40, {"state": "success"}),
        ("", {"state": "fine"}),
        ("", {"state": "error", "description": "x" * 141}),
    ],
    ids=["unknown commit", "unknown state", "long description"],
)
def test_a_status_that_means_nothing_is_refused(
    repo: Repository, pull: PullRequest, sha: str, values: dict[str, str]
) -> None:
    address = f"/repos/example/gitops/statuses/{sha or pull.head.sha}"

    with pytest.raises(GithubException) as caught:
        repo.requester.requestJsonAndCheck("POST", address, input=values)

    assert caught.value.status == 422


def test_check_runs_are_listed(world: World, repo: Repository, pull: PullRequest) -> None:
    world.twin.set_check_run(pull.head.sha, "build", None)
    world.twin.set_check_run(pull.head.sha, "build", "success")

    (run,) = repo.get_commit(pull.head.sha).get_check_runs()

    assert (run.name, run.status, run.conclusion) == ("build", "completed", "success")


def test_a_pull_request_is_edited_closed_and_reopened(repo: Repository, pull: PullRequest) -> None:
    pull.edit(title="New title", body="New body")
    pull.edit(state="closed")
    closed = repo.get_pull(1)
    pull.edit(state="open")
    opened = repo.get_pull(1)

    assert (closed.state, closed.merged, closed.title, closed.body) == (
        "closed",
        False,
        "New title",
        "New body",
    )
    assert closed.closed_at is not None
    assert (opened.state, opened.closed_at) == ("open", None)


def test_a_pull_request_whose_branch_is_gone_is_closed_for_good(repo: Repository, pull: PullRequest) -> None:
    repo.get_git_ref(f"heads/{BRANCH}").delete()

    closed = repo.get_pull(1)
    with pytest.raises(GithubException) as caught:
        closed.edit(state="open")

    assert (closed.state, closed.merged, closed.head.sha) == ("closed", False, pull.head.sha)
    assert caught.value.status == 422
    assert "has been deleted" in str(caught.value.data["errors"])
    assert [file.filename for file in closed.get_files()] == ["apps/production/api.yaml"]


def test_a_head_that_reached_the_base_by_a_push_counts_as_merged(
    world: World, repo: Repository, pull: PullRequest, tmp_path: Path
) -> None:
    world.git("update-ref", "refs/heads/main", pull.head.sha)

    merged = repo.get_pull(1)

    assert (merged.state, merged.merged, merged.merge_commit_sha) == ("closed", True, pull.head.sha)
    assert (merged.changed_files, merged.commits) == (1, 1)


def test_a_branch_pushed_back_to_its_base_closes_the_pull_request(
    world: World, repo: Repository, pull: PullRequest
) -> None:
    world.git("update-ref", f"refs/heads/{BRANCH}", world.git("rev-parse", "main"))

    assert (repo.get_pull(1).state, repo.get_pull(1).merged) == ("closed", False)


def test_a_merge_may_be_refused_so_many_times(world: World, repo: Repository, pull: PullRequest) -> None:
    for status in (405, 409, 403, 502):
        world.twin.refuse_merges(status)
        with pytest.raises(GithubException) as caught:
            pull.merge(sha=pull.head.sha)
        assert caught.value.status == status

    assert not repo.get_pull(1).merged
    assert pull.merge(sha=pull.head.sha).merged


def test_a_merge_may_happen_and_its_answer_get_lost(
    world: World, repo: Repository, pull: PullRequest
) -> None:
    world.twin.refuse_merges(502, after_merging=True)

    with pytest.raises(GithubException) as caught:
        pull.merge(sha=pull.head.sha)

    assert caught.value.status == 502
    assert repo.get_pull(1).merged
    assert world.git("show", "main:apps/production/api.yaml") == "image: api:1.1.0"


def test_a_rate_limit_is_said_as_github_says_it(world: World, repo: Repository) -> None:
    world.twin.limit_rate(30)

    with pytest.raises(RateLimitExceededException) as caught:
        repo.get_pulls().totalCount  # noqa: B018  asking is the act

    assert (caught.value.headers or {}).get("retry-after") == "30"
    assert repo.get_pulls().totalCount == 0


def test_requests_are_counted(world: World, pull: PullRequest) -> None:
    world.twin.forget()
    world.twin.refuse_merges(409)

    with pytest.raises(GithubException):
        pull.merge()
    pull.merge()

    address = "/repos/example/gitops/pulls/1/merge"
    assert [(one.method, one.target, one.status) for one in world.twin.seen()] == [
        ("PUT", address, 409),
        ("PUT", address, 200),
    ]


@pytest.mark.parametrize(
    ("verb", "address", "values"),
    [
        ("PUT", "pulls/1/merge", {"merge_method": ["merge"]}),
        ("PUT", "pulls/1/merge", {"sha": ["x"]}),
        ("PATCH", "pulls/1", {"state": {}}),
        ("PATCH", "pulls/1", {"title": 7}),
        ("POST", "pulls", {"title": "t", "head": ["x"], "base": {}}),
        ("POST", "pulls/1/reviews", {"event": ["APPROVE"]}),
        ("POST", "pulls/1/reviews", {"event": "COMMENT"}),
        ("POST", "pulls/1/reviews", {"commit_id": "--all"}),
        ("POST", "issues/1/comments", {"body": [1]}),
        ("POST", "statuses/main", {"state": []}),
        ("POST", "statuses/--all", {"state": "success"}),
        ("GET", "compare/--all...main", None),
        ("GET", "commits/--all", None),
        ("GET", "pulls/%D9%A5", None),
    ],
)
@pytest.mark.usefixtures("pull")
def test_nonsense_is_refused_and_changes_nothing(
    world: World, repo: Repository, verb: str, address: str, values: Any
) -> None:
    before = world.twin.snapshot()

    with pytest.raises(GithubException) as caught:
        repo.requester.requestJsonAndCheck(verb, f"/repos/example/gitops/{address}", input=values)

    assert caught.value.status in {404, 409, 422}
    assert world.twin.snapshot() == before


def test_other_requests_fail_where_told_and_heal(world: World, repo: Repository, pull: PullRequest) -> None:
    world.twin.fail(500, method="POST", address="/comments", times=5)

    with pytest.raises(GithubException):
        pull.create_issue_comment("lost")
    world.twin.heal()
    pull.create_issue_comment("kept")

    assert [one.body for one in pull.get_issue_comments()] == ["kept"]


def test_a_forge_far_away_takes_its_time(world: World, repo: Repository) -> None:
    world.twin.answer_after(0.05)
    began = time.monotonic()
    repo.get_branch("main")

    assert time.monotonic() - began >= 0.05


def test_mergeability_may_not_be_known_at_once(world: World, repo: Repository, pull: PullRequest) -> None:
    world.twin.delay_mergeability(1)

    first, second = repo.get_pull(1), repo.get_pull(1)

    assert (first.raw_data["mergeable"], first.mergeable_state) == (None, "unknown")
    assert (second.mergeable, second.mergeable_state) == (True, "clean")


@pytest.mark.parametrize("code", ["GH006", "GH013"])
def test_a_protected_branch_refuses_a_push_and_takes_a_merge(
    world: World, repo: Repository, pull: PullRequest, tmp_path: Path, code: str
) -> None:
    world.twin.protect("main", code=code)
    before = world.git("rev-parse", "main")

    refused = push(
        world.path, tmp_path / "one", {"apps/production/web.yaml": "x\n"}, "HEAD:main", "HEAD:ledger/2026"
    )

    assert refused.returncode != 0
    assert f"remote: error: {code}: " in refused.stderr
    assert world.git("rev-parse", "main") == before
    assert "ledger/2026" not in world.git("for-each-ref")
    assert repo.get_branch("main").protected
    other = push(world.path, tmp_path / "two", {"apps/production/web.yaml": "x\n"}, "HEAD:ledger/2026")
    assert other.returncode == 0
    assert pull.merge().merged
    world.twin.unprotect("main")
    assert (
        push(world.path, tmp_path / "three", {"apps/production/web.yaml": "y\n"}, "HEAD:main").returncode == 0
    )


def test_a_hook_of_somebody_else_is_left_alone(world: World) -> None:
    hook = world.path / "hooks" / "update"
    hook.write_text("#!/bin/sh\nexit 0\n")

    with pytest.raises(GitError, match="somebody else's"):
        world.twin.protect("main")

    assert hook.read_text() == "#!/bin/sh\nexit 0\n"


def test_branches_refs_and_comparisons_are_told(world: World, repo: Repository, pull: PullRequest) -> None:
    world.main({"README.md": "Later\n"})

    compared = repo.compare("main", BRANCH)

    assert (compared.status, compared.ahead_by, compared.behind_by) == ("diverged", 1, 1)
    assert [file.filename for file in compared.files] == ["apps/production/api.yaml"]
    assert repo.compare("main", "main").status == "identical"
    assert [branch.name for branch in repo.get_branches()] == [BRANCH, "main"]
    assert [ref.ref for ref in repo.get_git_matching_refs("heads/countersign/")] == [f"refs/heads/{BRANCH}"]
    assert repo.get_git_ref(f"heads/{BRANCH}").object.sha == pull.head.sha
    assert [commit.commit.message for commit in repo.get_commits()] == ["Change main", "Begin"]
    assert [file.status for file in repo.get_commit("main").files] == ["added"]
    for ask in (
        lambda: repo.get_branch("missing"),
        lambda: repo.get_pull(99),
        lambda: repo.compare("main", "missing"),
    ):
        with pytest.raises(GithubException) as caught:
            ask()
        assert caught.value.status == 404


@pytest.mark.parametrize(("branch", "said"), [("main", "protected"), ("missing", "does not exist")])
def test_a_branch_that_cannot_be_deleted_is_refused(repo: Repository, branch: str, said: str) -> None:
    with pytest.raises(GithubException) as caught:
        repo.requester.requestJsonAndCheck("DELETE", f"/repos/example/gitops/git/refs/heads/{branch}")

    assert (caught.value.status, said in caught.value.data["message"]) == (422, True)


def test_long_lists_come_in_pages(world: World, stack: ExitStack, pull: PullRequest) -> None:
    for number in range(65):
        world.twin.comment(1, login=ADA.login, body=f"note {number}")

    bodies = [comment.body for comment in pull.get_issue_comments()]

    assert bodies == [f"note {number}" for number in range(65)]


def test_bodies_that_are_no_json_are_refused(world: World, pull: PullRequest) -> None:
    for body in (b"{", b"[]", b"\xff", b"[" * 100_000):
        request = urllib.request.Request(  # noqa: S310  our own server
            f"{world.url}/repos/example/gitops/issues/1/comments",
            data=body,
            headers={"Authorization": f"token {BOT.token}"},
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=10)  # noqa: S310  our own server
        with caught.value as answer:
            assert (answer.code, json.load(answer)["message"]) == (400, "Problems parsing JSON")


def test_unknown_addresses_are_not_found(repo: Repository) -> None:
    for verb, address in (
        ("GET", "/repos/example/gitops/actions/runs"),
        ("PUT", "/user"),
        ("GET", "/repos/a/b"),
    ):
        with pytest.raises(GithubException) as caught:
            repo.requester.requestJsonAndCheck(verb, address)
        assert (caught.value.status, caught.value.data["message"]) == (404, "Not Found")


def test_a_restarted_forge_goes_on(world: World, pull: PullRequest, tmp_path: Path, stack: ExitStack) -> None:
    pull.create_issue_comment("Before")
    world.twin.review(1, login=ADA.login)
    world.twin.require_checks(["ci"])

    twin = ForgeTwin(world.path, users=USERS, state=tmp_path / "forge.json")
    again = World(twin, stack.enter_context(serve(twin.app, name="localhost")), world.path)

    assert twin.snapshot() == world.twin.snapshot()
    with again.client() as client:
        found = client.get_repo("example/gitops").get_pull(1)
        assert (found.head.sha, found.mergeable_state) == (pull.head.sha, "blocked")
        assert [one.body for one in found.get_issue_comments()] == ["Before"]
        twin.require_checks([])
        assert found.merge(sha=found.head.sha).merged


def test_a_forge_killed_after_its_merge_finds_it_in_git(
    world: World, pull: PullRequest, tmp_path: Path
) -> None:
    (tmp_path / "before.json").write_bytes((tmp_path / "forge.json").read_bytes())
    sha = pull.merge(merge_method="merge").sha
    world.main({"README.md": "Later\n"})

    twin = ForgeTwin(world.path, users=USERS, state=tmp_path / "before.json")

    (shown,) = twin.snapshot()["pulls"]
    assert (shown["state"], shown["merge_commit_sha"]) == ("merged", sha)


@pytest.mark.parametrize("text", ["{", "[]", '{"pulls": [{"number": 1}]}', '{"made_up": 1}'])
def test_a_state_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    Git.bare(tmp_path / "gitops.git")
    (tmp_path / "forge.json").write_text(text)

    with pytest.raises(StateError, match=r"forge\.json"):
        ForgeTwin(tmp_path / "gitops.git", users=USERS, state=tmp_path / "forge.json")

    assert (tmp_path / "forge.json").read_text() == text


def test_a_person_merges_in_the_browser(world: World, repo: Repository, pull: PullRequest) -> None:
    sha = world.twin.merge_pull(1, login=ADA.login)

    assert (repo.get_pull(1).merged_by.login, repo.get_pull(1).merge_commit_sha) == ("ada-l", sha)
    with pytest.raises(RefusalError, match="not accessible"):
        world.twin.merge_pull(1, login=BOB.login)
    with pytest.raises(RefusalError, match="not mergeable"):
        world.twin.merge_pull(1, login=ADA.login)


def test_levers_name_what_is_not_there(world: World) -> None:
    twin = world.twin
    wrong: dict[str, Any] = {
        "no pull request 7": lambda: twin.close_pull(7),
        "no user eve": lambda: twin.push_to_branch("main", {}, "x", login="eve"),
        "no branch missing": lambda: twin.delete_branch("missing"),
        "no commit or branch missing": lambda: twin.set_check_run("missing", "ci", None),
        "no missing to begin x": lambda: twin.push_to_branch("x", {}, "x", login="bob", start="missing"),
        "expected some of merge": lambda: twin.allow_merge_methods(["octopus"]),
    }
    for said, lever in wrong.items():
        with pytest.raises(ForgeError, match=said):
            lever()


def test_a_page_sees_pull_requests_with_their_diff(world: World, pull: PullRequest) -> None:
    world.twin.comment(1, login=ADA.login, body="Why?")
    world.twin.set_status(BRANCH, "countersign", "success", login=BOT.login)

    shown = json.loads(json.dumps(world.twin.snapshot()))

    assert (shown["default_branch"], sorted(shown["branches"])) == ("main", [BRANCH, "main"])
    assert "+image: api:1.1.0" in shown["pulls"][0]["diff"]
    assert shown["pulls"][0]["results"] == {"countersign": "success"}
    assert [comment["body"] for comment in shown["pulls"][0]["comments"]] == ["Why?"]
    world.twin.merge_pull(1, login=ADA.login)
    assert world.twin.snapshot()["pulls"][0]["state"] == "merged"
    assert "+image: api:1.1.0" in world.twin.snapshot()["pulls"][0]["diff"]


def test_a_lever_deletes_and_renames_files(world: World, repo: Repository) -> None:
    world.main({"apps/production/api.yaml": None, "apps/moved.yaml": FILES["apps/production/api.yaml"]})

    files = repo.get_commit("main").files

    assert [(file.filename, file.previous_filename, file.status) for file in files] == [
        ("apps/moved.yaml", "apps/production/api.yaml", "renamed")
    ]


def test_two_merges_at_once_lose_nothing(world: World, repo: Repository, pull: PullRequest) -> None:
    world.bump("web", "1.1.0", branch="second")
    other = repo.create_pull(base="main", head="second", title="web", body="")
    threads = [threading.Thread(target=one.merge) for one in (pull, other)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for service in ("api", "web"):
        assert world.git("show", f"main:apps/production/{service}.yaml") == f"image: {service}:1.1.0"


def test_a_base_that_moves_during_the_merge_is_not_overwritten(
    world: World, pull: PullRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = world.twin._world.repository
    merged_tree = type(repository).merged_tree

    def slowly(self: Any, base: str, head: str) -> str | None:
        tree = merged_tree(self, base, head)
        monkeypatch.undo()
        repository.write(
            "main", {"README.md": "First\n"}, "First", author=_ada(), at=world.twin._world.pulls.clock()
        )
        return tree

    monkeypatch.setattr(type(repository), "merged_tree", slowly)

    with pytest.raises(GithubException) as caught:
        pull.merge(sha=pull.head.sha)

    assert caught.value.status == 405
    assert "Base branch was modified" in caught.value.data["message"]
    assert world.git("show", "main:README.md") == "First"


def _ada() -> Any:
    from sandbox.forge.merging import signature  # noqa: PLC0415  one use

    return signature(ADA)


def test_a_command_that_fails_or_hangs_is_named(tmp_path: Path) -> None:
    git = Git.bare(tmp_path / "gitops.git")

    with pytest.raises(GitError, match="rev-parse ended with 128"):
        git.run("rev-parse", "--verify", "missing")
    with pytest.raises(GitError, match="did not end within"):
        git.run("-c", "alias.wait=!sleep 30", "wait", timeout_seconds=0.2)
