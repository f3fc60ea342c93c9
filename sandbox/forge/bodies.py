"""The forge's answers in GitHub's shapes: commits, branches, pull requests and what hangs on them."""

import base64
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.forge.accounts import Accounts, Json, node
from sandbox.forge.history import Change, Commit
from sandbox.forge.pulls import Mergeability
from sandbox.forge.state import Activity, CheckRun, Comment, Pull, Review, State, Status

MAX_CONTENT = 1 << 20  # GitHub, bytes of a file that are shown in JSON


@dataclass(frozen=True, slots=True)
class Bodies(Accounts):
    """Writes bodies for one client, who knows the forge under ``base``."""

    def pull(self, pull: Pull) -> Json:
        """Write a pull request as lists have it."""
        url, issue = f"{self.here}/pulls/{pull.number}", f"{self.here}/issues/{pull.number}"
        statuses = f"{self.here}/statuses/{pull.head_sha}"
        page = f"{self.page}/pull/{pull.number}"
        links = {
            "self": url, "html": page, "issue": issue, "comments": f"{issue}/comments", "commits": f"{url}/commits",
            "review_comments": f"{url}/comments", "review_comment": f"{self.here}/pulls/comments{{/number}}",
            "statuses": statuses,
        }  # fmt: skip
        return {
            "id": 1_000_000 + pull.number,
            "node_id": node("PullRequest", str(pull.number)),
            "number": pull.number,
            "url": url,
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "issue_url": issue,
            "comments_url": f"{issue}/comments",
            "commits_url": f"{url}/commits",
            "review_comments_url": f"{url}/comments",
            "review_comment_url": f"{self.here}/pulls/comments{{/number}}",
            "statuses_url": statuses,
            "_links": {name: {"href": link} for name, link in links.items()},
            "state": pull.state,
            "locked": False,
            "draft": False,
            "title": pull.title,
            "body": pull.body,
            "user": self.user(pull.author),
            "author_association": "MEMBER",
            "labels": [],
            "milestone": None,
            "assignee": None,
            "assignees": [],
            "requested_reviewers": [],
            "requested_teams": [],
            "auto_merge": None,
            "head": self._end(pull.head, pull.head_sha),
            "base": self._end(pull.base, pull.base_sha),
            "created_at": pull.created_at,
            "updated_at": pull.updated_at,
            "closed_at": pull.closed_at,
            "merged_at": pull.merged_at,
            "merge_commit_sha": pull.merge_commit_sha,
        }

    def whole_pull(
        self, pull: Pull, look: Mergeability, changes: Sequence[Change], commits: int, comments: int
    ) -> Json:
        """Write a pull request as a single look has it."""
        return self.pull(pull) | {
            "merged": pull.merged_at is not None,
            "merged_by": self.user(pull.merged_by),
            "merge_commit_sha": look.test_merge,
            "mergeable": look.mergeable,
            "mergeable_state": look.state,
            "rebaseable": look.mergeable,
            "maintainer_can_modify": False,
            "comments": comments,
            "review_comments": 0,
            "commits": commits,
            "additions": sum(change.additions for change in changes),
            "deletions": sum(change.deletions for change in changes),
            "changed_files": len(changes),
        }

    def activity(self, activity: Activity) -> Json:
        """Write who moved a branch."""
        return {
            "id": activity.id,
            "node_id": node("Push", str(activity.id)),
            "before": activity.before,
            "after": activity.after,
            "ref": f"refs/heads/{activity.branch}",
            "timestamp": activity.at,
            "activity_type": activity.kind,
            "actor": self.user(activity.login),
        }

    def dismissal(self, review: Review) -> Json:
        """Write the event by which a review was taken back."""
        by_push = {"dismissal_commit_id": review.dismissed_at} if review.dismissed_at else {}
        return {
            "id": 2_000_000 + review.id,
            "node_id": node("ReviewDismissedEvent", str(review.id)),
            "url": f"{self.here}/issues/events/{2_000_000 + review.id}",
            "actor": self.user(self.owner),
            "event": "review_dismissed",
            "commit_id": None,
            "commit_url": None,
            "created_at": review.submitted_at,
            "performed_via_github_app": None,
            "dismissed_review": {
                "state": "approved",
                "review_id": review.id,
                "dismissal_message": None,
                **by_push,
            },
        }

    def review(self, review: Review) -> Json:
        """Write a review."""
        pull = f"{self.here}/pulls/{review.pull}"
        page = f"{self.page}/pull/{review.pull}#pullrequestreview-{review.id}"
        return {
            "id": review.id,
            "node_id": node("PullRequestReview", str(review.id)),
            "user": self.user(review.author),
            "body": review.body,
            "state": review.state,
            "html_url": page,
            "pull_request_url": pull,
            "_links": {"html": {"href": page}, "pull_request": {"href": pull}},
            "author_association": "MEMBER",
            "submitted_at": review.submitted_at,
            "commit_id": review.commit_id,
        }

    def comment(self, comment: Comment, app: Json | None = None) -> Json:
        """Write a comment of a conversation."""
        return {
            "id": comment.id,
            "node_id": node("IssueComment", str(comment.id)),
            "url": f"{self.here}/issues/comments/{comment.id}",
            "html_url": f"{self.page}/pull/{comment.pull}#issuecomment-{comment.id}",
            "issue_url": f"{self.here}/issues/{comment.pull}",
            "user": self.user(comment.author),
            "body": comment.body,
            "performed_via_github_app": app,
            "author_association": "MEMBER",
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
        }

    def status(self, status: Status) -> Json:
        """Write a commit status."""
        return {
            "id": status.id,
            "node_id": node("StatusContext", str(status.id)),
            "url": f"{self.here}/statuses/{status.sha}",
            "avatar_url": None,
            "state": status.state,
            "context": status.context,
            "description": status.description,
            "target_url": status.target_url,
            "creator": self.user(status.creator),
            "created_at": status.created_at,
            "updated_at": status.created_at,
        }

    def check_run(self, run: CheckRun, app: Json | None = None) -> Json:
        """Write a check run of an App."""
        return {
            "id": run.id,
            "node_id": node("CheckRun", str(run.id)),
            "url": f"{self.here}/check-runs/{run.id}",
            "html_url": f"{self.page}/runs/{run.id}",
            "details_url": None,
            "external_id": "",
            "head_sha": run.sha,
            "name": run.name,
            "status": run.status,
            "conclusion": run.conclusion,
            "started_at": run.started_at,
            "completed_at": run.completed_at,
            "output": {
                "title": run.title,
                "summary": run.summary,
                "text": None,
                "annotations_count": 0,
                "annotations_url": "",
            },
            "check_suite": {"id": run.id},
            "app": app,
            "pull_requests": [],
        }

    def commit(self, commit: Commit, changes: Sequence[Change] | None = None) -> Json:
        """Write a commit, with its files where they are known."""
        url = f"{self.here}/commits/{commit.sha}"
        author, committer = (
            {"name": name, "email": email, "date": _utc(date)}
            for name, email, date in (
                (commit.author_name, commit.author_email, commit.authored_at),
                (commit.committer_name, commit.committer_email, commit.committed_at),
            )
        )
        whole = {
            "sha": commit.sha,
            "node_id": node("Commit", commit.sha),
            "url": url,
            "html_url": f"{self.page}/commit/{commit.sha}",
            "comments_url": f"{url}/comments",
            "commit": {
                "url": f"{self.here}/git/commits/{commit.sha}",
                "author": author,
                "committer": committer,
                "message": commit.message,
                "tree": {"sha": commit.tree, "url": f"{self.here}/git/trees/{commit.tree}"},
                "comment_count": 0,
                "verification": {
                    "verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None,
                },
            },
            "author": self._account(commit.author_email),
            "committer": self._account(commit.committer_email),
            "parents": [
                {"sha": sha, "url": f"{self.here}/commits/{sha}", "html_url": f"{self.page}/commit/{sha}"}
                for sha in commit.parents
            ],
        }  # fmt: skip
        if changes is None:
            return whole
        added, removed = (sum(getattr(one, kind) for one in changes) for kind in ("additions", "deletions"))
        stats = {"additions": added, "deletions": removed, "total": added + removed}
        return whole | {"stats": stats, "files": [self.file(one, commit.sha) for one in changes]}

    def file(self, change: Change, sha: str) -> Json:
        """Write a changed file."""
        path = urllib.parse.quote(change.path)
        known = {"patch": change.patch, "previous_filename": change.previous}
        return {
            "sha": change.blob,
            "filename": change.path,
            "status": change.status,
            "additions": change.additions,
            "deletions": change.deletions,
            "changes": change.additions + change.deletions,
            "blob_url": f"{self.page}/blob/{sha}/{path}",
            "raw_url": f"{self.page}/raw/{sha}/{path}",
            "contents_url": f"{self.here}/contents/{path}?ref={sha}",
            **{key: value for key, value in known.items() if value is not None},
        }

    def content(self, path: str, ref: str, blob: str, data: bytes) -> Json:
        """Write a file with its content; a large one without (GitHub, "Get repository content")."""
        quoted = urllib.parse.quote(path)
        is_small = len(data) <= MAX_CONTENT
        url = f"{self.here}/contents/{quoted}?ref={ref}"
        page, git = f"{self.page}/blob/{ref}/{quoted}", f"{self.here}/git/blobs/{blob}"
        return {
            "type": "file",
            "encoding": "base64" if is_small else "none",
            "size": len(data),
            "name": path.rpartition("/")[2],
            "path": path,
            "content": base64.encodebytes(data).decode() if is_small else "",
            "sha": blob,
            "url": url,
            "git_url": git,
            "html_url": page,
            "download_url": f"{self.page}/raw/{ref}/{quoted}",
            "_links": {"self": url, "git": git, "html": page},
        }

    def branch(self, name: str, tip: Commit, *, is_protected: bool, state: State) -> Json:
        """Write a branch."""
        checks = {"enforcement_level": "everyone", "contexts": state.required_checks, "checks": []}
        url = f"{self.here}/branches/{urllib.parse.quote(name)}"
        return {
            "name": name,
            "commit": self.commit(tip),
            "_links": {"self": url, "html": f"{self.page}/tree/{urllib.parse.quote(name)}"},
            "protected": is_protected,
            "protection": {"enabled": is_protected, "required_status_checks": checks},
            "protection_url": f"{url}/protection",
        }

    def ref(self, branch: str, sha: str) -> Json:
        """Write a git reference."""
        target = {"type": "commit", "sha": sha, "url": f"{self.here}/git/commits/{sha}"}
        ref = f"refs/heads/{branch}"
        url = f"{self.here}/git/{urllib.parse.quote(ref)}"
        return {"ref": ref, "node_id": node("Ref", ref), "url": url, "object": target}

    def _end(self, branch: str, sha: str) -> Json:
        return {
            "label": f"{self.owner}:{branch}",
            "ref": branch,
            "sha": sha,
            "user": self.user(self.owner),
            "repo": self.plain_repository(),
        }

    def _account(self, email: str) -> Json | None:
        """Find whose commit it is, by the address that GitHub gives to those who hide theirs."""
        local, _, domain = email.partition("@")
        login = local.partition("+")[2]
        return self.user(login) if domain == "users.noreply.github.com" and login in self.users else None


def _utc(date: str) -> str:
    return datetime.fromisoformat(date).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
