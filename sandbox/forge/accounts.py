"""Users and the repository in GitHub's shapes: the keys that its OpenAPI description requires."""

import base64
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.forge.apps import AppAccount
from sandbox.forge.state import State, User

Json = dict[str, Any]

_USER_LINKS = (
    "events", "followers", "following", "gists", "organizations", "received_events", "repos", "starred",
    "subscriptions",
)  # fmt: skip
_REPOSITORY_LINKS = (
    "archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare", "contents",
    "contributors", "deployments", "downloads", "events", "forks", "git_commits", "git_refs", "git_tags", "hooks",
    "issue_comment", "issue_events", "issues", "keys", "labels", "languages", "merges", "milestones",
    "notifications", "pulls", "releases", "stargazers", "statuses", "subscribers", "subscription", "tags", "teams",
    "trees",
)  # fmt: skip
_RANKS = ("read", "triage", "write", "maintain", "admin")
_SINCE = "2026-01-01T00:00:00Z"  # when everybody joined and the repository was made
_UNSAID = dict.fromkeys(("bio", "blog", "company", "email", "hireable", "location"))
_OWN_COUNTS = ("collaborators", "disk_usage", "owned_private_repos", "private_gists", "total_private_repos")
_COUNTS = (
    "forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count", "watchers",
    "watchers_count", "network_count", "subscribers_count",
)  # fmt: skip
_FEATURES = ("issues", "projects", "wiki", "pages", "discussions", "downloads")


@dataclass(frozen=True, slots=True)
class Accounts:
    """Writes who there is and what they own, for one client who knows the forge under ``base``."""

    base: str
    owner: str
    name: str
    users: Mapping[str, User]
    default_branch: str

    @property
    def here(self) -> str:
        """The repository's address in the API."""
        return f"{self.base}/repos/{self.owner}/{self.name}"

    @property
    def page(self) -> str:
        """The repository's address for people."""
        return f"{self.base}/{self.owner}/{self.name}"

    def user(self, login: str | None) -> Json | None:
        """Write a user as others mention one; an owner without an account is an organization."""
        if login is None:
            return None
        known = self.users.get(login)
        quoted = urllib.parse.quote(login)
        url = f"{self.base}/users/{quoted}"
        return {
            "login": login,
            "id": known.id if known else 1,
            "node_id": node("User", login),
            "avatar_url": f"{self.base}/avatars/{quoted}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.base}/{quoted}",
            **{f"{link}_url": f"{url}/{link}" for link in _USER_LINKS},
            "type": "Organization" if known is None else "Bot" if known.is_bot else "User",
            "site_admin": False,
        }

    def profile(self, user: User, *, is_own: bool = False) -> Json:
        """Write a user's own page; some of it is for themselves only."""
        counts = dict.fromkeys(("followers", "following", "public_gists", "public_repos"), 0)
        own = dict.fromkeys(_OWN_COUNTS, 0) | {"two_factor_authentication": True}
        said = {"name": user.name or None, "created_at": _SINCE, "updated_at": _SINCE}
        said |= {"suspended_at": _SINCE} if user.is_suspended else {}
        return (self.user(user.login) or {}) | said | _UNSAID | counts | (own if is_own else {})

    def app(self, app: AppAccount) -> Json:
        """Write an App."""
        slug = app.login.removesuffix("[bot]")
        return {
            "id": app.id,
            "slug": slug,
            "client_id": app.client_id,
            "node_id": node("App", str(app.id)),
            "owner": self.user(self.owner),
            "name": slug,
            "description": None,
            "external_url": self.base,
            "html_url": f"{self.base}/apps/{slug}",
            "created_at": _SINCE,
            "updated_at": _SINCE,
            "permissions": app.permissions,
            "events": [],
        }

    def plain_repository(self) -> Json:
        """Write the repository as pull requests mention it."""
        return {
            "id": 1,
            "node_id": node("Repository", self.name),
            "name": self.name,
            "full_name": f"{self.owner}/{self.name}",
            "owner": self.user(self.owner),
            "private": True,
            "visibility": "private",
            "html_url": self.page,
            "description": None,
            "fork": False,
            "url": self.here,
            **{f"{link}_url": f"{self.here}/{link.replace('_', '/')}" for link in _REPOSITORY_LINKS},
            **{f"{kind}_url": f"{self.page}.git" for kind in ("clone", "git", "ssh", "svn")},
            "mirror_url": None,
            "homepage": None,
            "language": None,
            "license": None,
            **dict.fromkeys(_COUNTS, 0),
            **{f"has_{feature}": False for feature in _FEATURES},
            "default_branch": self.default_branch,
            "archived": False,
            "disabled": False,
            **dict.fromkeys(("created_at", "updated_at", "pushed_at"), _SINCE),
        }

    def repository(self, state: State, reader: User) -> Json:
        """Write the repository as ``reader`` sees it."""
        return self.plain_repository() | {
            "allow_merge_commit": "merge" in state.merge_methods,
            "allow_squash_merge": "squash" in state.merge_methods,
            "allow_rebase_merge": "rebase" in state.merge_methods,
            "delete_branch_on_merge": False,
            "permissions": permissions(reader),
        }


def permissions(user: User) -> dict[str, bool]:
    """Write what a user may do."""
    rank = _RANKS.index(user.permission) if user.permission in _RANKS else -1
    keys = ("pull", "triage", "push", "maintain", "admin")
    return {key: rank >= least for least, key in enumerate(keys)}


def node(kind: str, key: str) -> str:
    """Return an opaque id of the kind that GitHub's other API uses."""
    return base64.b64encode(f"{kind}:{key}".encode()).decode()
