"""What the doctor asks of the forge: token, repository, merge methods, rules of branches, people's accounts."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from github import Auth, Consts, Github, GithubException

from bot.doctor.doctor import Check, fail, left_out, ok, warn
from bot.errors import TransientError
from bot.forge.app import PERMISSIONS
from bot.forge.verdict import CONTEXT
from policies.rules.rules import Merges, Rules

_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _SERVER = 200, 401, 403, 404, 500
_TIMEOUT_SECONDS = 10
_MAX_PEOPLE = 200  # accounts that are asked for, one request each
# What a direct push meets. GitHub, "Get rules for a branch".
_IN_THE_WAY = {
    "pull_request": "asks for a pull request",
    "update": "lets nobody update it",
    "required_status_checks": "asks for status checks",
    "merge_queue": "asks for the merge queue",
    "required_signatures": "asks for signed commits",
    "creation": "lets nobody create it",
}
_MERGES = frozenset({"always", "pull_requests_only"})  # what lets a merge by the bot past a ruleset
_CREATES = frozenset({"creation", "update", "required_signatures"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the forge answered: its status, its headers with small names, its JSON or None."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(slots=True)
class Asker:
    """Reads from the forge as the bot does; whatever it answers is an answer. ``date`` is its last Date header."""

    repository: str
    client: Github = field(repr=False)
    is_app: bool = False
    date: str = ""

    @classmethod
    def open(cls, repository: str, token: str, base_url: str = "", *, is_app: bool = False) -> "Asker":
        """Open nothing yet."""
        address = base_url.rstrip("/") or Consts.DEFAULT_BASE_URL
        auth = Auth.Token(token)
        client = Github(
            auth=auth, base_url=address, timeout=_TIMEOUT_SECONDS, user_agent="countersign", retry=None,
            seconds_between_requests=0,
        )  # fmt: skip
        return cls(repository, client, is_app)

    def read(self, path: str) -> Answer:
        """Ask for what stands below the repository's address. Raises: TransientError."""
        return self.read_anywhere(f"/repos/{self.repository}{path}")

    def read_anywhere(self, address: str) -> Answer:
        """Ask for an address. Raises: TransientError."""
        try:
            status, headers, text = self.client.requester.requestJson("GET", address)
        except GithubException as error:
            raise TransientError(f"the forge refuses ({error.status})") from error
        except (OSError, ValueError, TypeError, AttributeError, RuntimeError, AssertionError) as error:
            raise TransientError(f"the forge did not answer ({type(error).__name__})") from error
        small = {str(name).lower(): str(value) for name, value in headers.items()}
        self.date = small.get("date", self.date)
        return Answer(status, small, _json(text))

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


def forge_checks(asker: Asker, rules: Rules | None, branch: str, ledger: str) -> Iterator[Check]:
    """Look at everything that the forge tells. ``branch`` is the target's ('' = not known), ``ledger`` the ledger's."""
    try:
        found = asker.read("")
        problem = _unusable(asker.repository, found)
        if problem is not None:
            yield problem
            return
        yield from repository_checks(asker.repository, found.body, branch, is_app=asker.is_app)
        if branch:
            yield from branch_checks(asker, rules, branch, ledger)
        if rules is not None:
            yield from people_checks(asker, rules)
    except TransientError as error:
        yield fail("GitHub", str(error), "try again; is COUNTERSIGN_GITHUB_URL right?")


def _unusable(repository: str, answer: Answer) -> Check | None:
    """Say why the repository's own answer is of no use."""
    if answer.status == _UNAUTHORIZED:
        return fail(
            "GitHub",
            f"the login is refused ({_UNAUTHORIZED})",
            "make a token for the repository, set GITHUB_TOKEN",
        )
    if answer.status == _NOT_FOUND:
        detail = f"{repository} is not there, or the login may not see it"
        return fail("GitHub", detail, "give the token access to it, or mend COUNTERSIGN_FORGE_REPOSITORY")
    if answer.status >= _SERVER:
        return fail("GitHub", f"it cannot answer now ({answer.status})", "try again")
    if answer.status != _OK or not isinstance(answer.body, dict):
        remedy = "is COUNTERSIGN_GITHUB_URL the address of the API?"
        return fail("GitHub", f"{repository}: HTTP {answer.status}: {_said(answer)}", remedy)
    return None


def repository_checks(
    repository: str, body: Mapping[str, Any], branch: str, *, is_app: bool = False
) -> Iterator[Check]:
    """Judge what the forge says of the repository itself. ``is_app``: to the token of an App."""
    allowed = body.get("permissions")
    rights = allowed if isinstance(allowed, dict) else {}
    if rights.get("push") is True:
        yield ok("GitHub", f"{repository}: reachable, with write access")
    elif is_app:  # an App's rights are not those of a person, and are not told here
        wanted = ", ".join(f"{name}: {right}" for name, right in PERMISSIONS.items())
        yield ok("GitHub", f"{repository}: reachable; the App is installed on it, and needs {wanted}")
    elif "push" in rights:
        remedy = "give the token write access to Contents and Pull requests"
        yield fail("GitHub", f"{repository}: the login may read and not write", remedy)
    else:
        remedy = f"an admin looks: gh api repos/{repository}/collaborators/LOGIN/permission"
        yield warn("GitHub", f"{repository}: what the login may do is not told", remedy)
    if body.get("archived") is True:
        yield fail(
            "GitHub", f"{repository} is archived: nothing can be pushed", f"gh repo unarchive {repository}"
        )
    default = str(body.get("default_branch") or "")
    if branch and default != branch:
        remedy = "set COUNTERSIGN_BRANCH, if that is not meant"
        yield warn("GitHub", f"the default branch is {default}, promotions reach {branch}", remedy)
    methods = [name for name in ("merge", "squash") if _allows(body, name)]
    if methods:
        yield ok("GitHub merges", f"by {methods[0]}")
    else:
        remedy = f"gh api -X PATCH repos/{repository} -F allow_merge_commit=true"
        yield fail("GitHub merges", "neither merge commits nor squashing are allowed", remedy)


def _allows(body: Mapping[str, Any], method: str) -> bool:
    """Say whether the repository takes this method; those who may not push are not told."""
    key = {"merge": "allow_merge_commit", "squash": "allow_squash_merge"}[method]
    return body.get(key, method == "merge") is True


# --- rules of branches ------------------------------------------------------------------------------------------


def branch_checks(asker: Asker, rules: Rules | None, branch: str, ledger: str) -> Iterator[Check]:
    """Say whether the bot may push where nobody is asked, and to its ledger. Raises: TransientError."""
    where = list(rules.environments.values()) if rules else []
    unasked = [one.name for one in where if not one.is_guarded]
    by_commit = [one.name for one in where if one.is_guarded and not one.has_pull_requests]
    if unasked:
        purpose = f"commits for {', '.join(unasked[:5])}, where nobody is asked"
        yield from _pushes(asker, branch, purpose)
    if by_commit:
        purpose = f"commits for {', '.join(by_commit[:5])}, where no pull request is made"
        yield from _pushes(asker, branch, purpose)
    if not unasked and not by_commit:
        yield ok("GitHub rules", f"nothing is pushed to {branch} itself: everywhere people are asked")
    yield from _pushes(asker, ledger, "ledger entries", is_ours=True)
    if rules:
        yield from _merges(
            asker, branch, [one.name for one in where if one.is_guarded and one.has_pull_requests]
        )
        everywhere = (*rules.environments.values(), *rules.exceptions.values())
        by_hand = [
            one.name
            for one in everywhere
            if one.has_pull_requests and one.is_guarded and one.merges is Merges.BY_HAND
        ]
        yield from _stopped(asker, branch, list(dict.fromkeys(by_hand)))


def _stopped(asker: Asker, branch: str, names: list[str]) -> Iterator[Check]:
    """Say whether GitHub stops people, where they merge, from merging before it is allowed."""
    if not names:
        return
    name, who = quote(branch, safe=""), ", ".join(names[:5])
    answer = asker.read(f"/rules/branches/{name}")
    whole = asker.read(f"/branches/{name}/protection")
    listed = answer.body if isinstance(answer.body, list) else []
    older = whole.body.get("required_status_checks") if isinstance(whole.body, dict) else None
    if CONTEXT in {*_contexts(listed), *_older_contexts(older)}:
        yield ok("GitHub check", f"{who}: people merge, and {branch} asks for the check {CONTEXT}")
        return
    detail = f"{who}: people merge, and no ruleset of {branch} that can be read asks for the check {CONTEXT}"
    remedy = "an admin adds the ruleset with the required check that docs/github.md has"
    yield warn("GitHub check", detail, remedy)


def _contexts(listed: Iterable[Any]) -> Iterator[str]:
    """Yield the checks that rulesets ask for. GitHub, "Get rules for a branch"."""
    for rule in listed:
        if isinstance(rule, dict) and rule.get("type") == "required_status_checks":
            parameters = rule.get("parameters")
            asked = parameters.get("required_status_checks") if isinstance(parameters, dict) else None
            for one in asked if isinstance(asked, list) else ():
                yield str(one.get("context")) if isinstance(one, dict) else ""


def _older_contexts(part: Any) -> Iterator[str]:
    """Yield the checks that a branch protection rule asks for."""
    named = part.get("contexts") if isinstance(part, dict) else None
    yield from (str(one) for one in named) if isinstance(named, list) else ()


def _merges(asker: Asker, branch: str, guarded: list[str]) -> Iterator[Check]:
    """Say for each environment that asks people whether GitHub lets the bot merge without reviews of its own."""
    answer = asker.read(f"/rules/branches/{quote(branch, safe='')}")
    if not guarded or answer.status != _OK or not isinstance(answer.body, list):
        return  # that it cannot be read is said above
    wanted = {ruleset: count for ruleset, count in map(_reviews, answer.body) if count}
    bypass = {one: _bypass(asker, one) for one in wanted}
    for name in guarded:
        yield merged(name, branch, wanted, bypass, asker.repository)


def _reviews(rule: Any) -> tuple[int, int]:
    """Return the ruleset of a rule and how many reviews it asks for."""
    if not isinstance(rule, dict) or rule.get("type") != "pull_request":
        return 0, 0
    parameters = rule.get("parameters")
    count = parameters.get("required_approving_review_count") if isinstance(parameters, dict) else 0
    ruleset = rule.get("ruleset_id")
    return (ruleset if isinstance(ruleset, int) else 0), (count if isinstance(count, int) else 0)


def merged(
    name: str, branch: str, wanted: Mapping[int, int], bypass: Mapping[int, str], repository: str
) -> Check:
    """Judge whether what people approved for an environment is merged at once, a rollback above all.

    ``wanted``: how many reviews each ruleset asks for.
    """
    if not wanted:
        return ok("GitHub merges", f"{name}: no ruleset of {branch} asks for reviews")
    closed = {one: count for one, count in wanted.items() if bypass.get(one, "") not in _MERGES}
    if not closed:
        return ok("GitHub merges", f"{name}: reviews are asked for in {branch}, and the bot may bypass that")
    count = max(closed.values())
    detail = f"{name}: a merge, also of a rollback, waits for GitHub: {count} review{'s' * (count > 1)}"
    ids = ", ".join(map(str, sorted(closed)))
    remedy = (
        f"people review in GitHub (it counts as their approval), or an admin adds the bot to the bypass list of"
        f" ruleset {ids}: gh api repos/{repository}/rulesets/{min(closed)}"
    )
    if not any(bypass.get(one) for one in closed):
        return warn("GitHub merges", f"{detail}, unless the bot may bypass it, which is not told", remedy)
    return warn("GitHub merges", detail, remedy)


def _pushes(asker: Asker, branch: str, purpose: str, *, is_ours: bool = False) -> Iterator[Check]:
    """Look at the rulesets of a branch, then at its older protection. ``is_ours``: a branch that only we write."""
    name = quote(branch, safe="")
    answer = asker.read(f"/rules/branches/{name}")
    command = f"gh api repos/{asker.repository}/rules/branches/{name}"
    if answer.status != _OK or not isinstance(answer.body, list):
        detail = f"rulesets of {branch} cannot be read ({answer.status}); {purpose} are pushed there"
        yield warn("GitHub rules", detail, f"an admin looks: {command}")
    else:
        bypass = {one: _bypass(asker, one) for one in sorted(_rulesets(answer.body))}
        yield judged(branch, purpose, answer.body, bypass, asker.repository, is_ours=is_ours)
    if not is_ours:
        yield _protection(asker, branch, purpose)


def _rulesets(listed: Iterable[Any]) -> set[int]:
    """Return the rulesets that stand in the way, by id."""
    return {
        one["ruleset_id"]
        for one in listed
        if isinstance(one, dict) and one.get("type") in _IN_THE_WAY and isinstance(one.get("ruleset_id"), int)
    }


def _bypass(asker: Asker, ruleset: int) -> str:
    """Return whether we may bypass a ruleset: always, pull_requests_only, never, or '' where it is not told."""
    answer = asker.read(f"/rulesets/{ruleset}")
    told = answer.body.get("current_user_can_bypass") if isinstance(answer.body, dict) else None
    return told if answer.status == _OK and isinstance(told, str) else ""


def judged(
    branch: str,
    purpose: str,
    listed: Iterable[Any],
    bypass: Mapping[int, str],
    repository: str,
    *,
    is_ours: bool = False,
) -> Check:
    """Judge the rules of a branch, by what we may bypass of them."""
    wanted = _CREATES | {"pull_request", "required_status_checks"} if is_ours else _IN_THE_WAY
    rules = [one for one in listed if isinstance(one, dict) and one.get("type") in wanted]
    closed = [one for one in rules if bypass.get(one.get("ruleset_id", 0), "") != "always"]
    if not closed:
        stands = "the bot may bypass the rulesets" if rules else "no ruleset stops a push"
        return ok(
            "GitHub rules",
            f"{purpose}: {stands} of {branch}" if rules else f"{purpose}: {stands} to {branch}",
        )
    asks = "; ".join(dict.fromkeys(_IN_THE_WAY[str(one["type"])] for one in closed))
    ids = sorted({str(one.get("ruleset_id", "?")) for one in closed})
    remedy = (
        f"an admin adds the bot to the bypass list of ruleset {', '.join(ids)}"
        f" (gh api repos/{repository}/rulesets/{ids[0]}), or leaves {branch} out of it"
    )
    detail = f"{purpose}: a ruleset of {branch} {asks}"
    if all(not bypass.get(one.get("ruleset_id", 0), "") for one in closed):
        return warn("GitHub rules", f"{detail}; whether the bot may bypass it is not told", remedy)
    return fail("GitHub rules", detail, remedy)


def _protection(asker: Asker, branch: str, purpose: str) -> Check:
    """Look at a branch protection rule, of which admins alone see what is in it."""
    name = quote(branch, safe="")
    answer = asker.read(f"/branches/{name}")
    command = f"gh api repos/{asker.repository}/branches/{name}/protection"
    told = answer.body.get("protected") if isinstance(answer.body, dict) else None
    if answer.status != _OK or not isinstance(told, bool):
        detail = f"whether {branch} is protected is not told ({answer.status}); {purpose} are pushed there"
        return warn("GitHub protection", detail, f"an admin looks: {command}")
    if not told:
        return ok("GitHub protection", f"{branch} is not protected: {purpose} can be pushed")
    whole = asker.read(f"/branches/{name}/protection")
    if whole.status != _OK or not isinstance(whole.body, dict):
        detail = f"{branch} is protected, and the login may not see how; {purpose} are pushed there"
        return warn("GitHub protection", detail, f"an admin looks, and lets the bot push: {command}")
    keys = ("required_pull_request_reviews", "required_status_checks", "restrictions", "required_signatures")
    closed = [key for key in keys if _is_on(whole.body.get(key))]
    if not closed:
        return ok("GitHub protection", f"{branch} is protected, and open to pushes: {purpose}")
    detail = f"{branch} is protected ({', '.join(closed)}): {purpose} may be refused"
    return warn("GitHub protection", detail, f"an admin lets the bot bypass it: {command}")


def _is_on(part: Any) -> bool:
    return isinstance(part, dict) and part.get("enabled", True) is True


# --- people -----------------------------------------------------------------------------------------------------


def people_checks(asker: Asker, rules: Rules) -> Iterator[Check]:
    """Look whether each login of the rules is a person's. Raises: TransientError."""
    linked = [person for person in rules.people.values() if person.github]
    fine: list[str] = []
    for person in linked[:_MAX_PEOPLE]:
        answer = asker.read_anywhere(f"/users/{person.github}")
        kind = answer.body.get("type") if isinstance(answer.body, dict) else None
        what = f"GitHub login of {person.name}"
        if answer.status == _NOT_FOUND:
            yield fail(what, f"there is no {person.github}", f"mend github: of {person.name} in the rules")
        elif answer.status != _OK:
            yield warn(what, f"{person.github} is not told (HTTP {answer.status})", "try again")
        elif kind not in {"User", None}:
            yield fail(what, f"{person.github} is no person: {str(kind)[:40]}", "name the person's own login")
        else:
            fine.append(person.name)
    if fine:
        yield ok("GitHub logins", f"{len(fine)} people are found")
    elif not linked:
        yield left_out(
            "GitHub logins", "nobody in the rules names one", "people: {ada: {slack: U0ADA, github: ada-l}}"
        )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _said(answer: Answer) -> str:
    told = answer.body.get("message") if isinstance(answer.body, dict) else None
    return " ".join(told.split())[:200] if isinstance(told, str) else "no JSON of the API"
