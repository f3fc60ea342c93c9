"""What the forge answers about commits, their statuses and checks, branches and refs."""

from starlette.responses import JSONResponse, Response

from sandbox.forge.accounts import Json
from sandbox.forge.call import MAX_COMMITS, Call, Function, commits_of, found, named_not_found, page
from sandbox.forge.history import Commit
from sandbox.forge.refusals import RefusalError, custom, invalid, not_found
from sandbox.forge.state import Status

_MAX_DESCRIPTION = 140
_MAX_COMPARED = 300  # GitHub, files of a comparison
_STATES = ("error", "failure", "pending", "success")


def create_status(call: Call) -> Response:
    """POST /statuses/{ref}."""
    call.writer()
    sha, wanted = call.commit(), call.body
    if wanted.get("state") not in _STATES:
        raise invalid("Status", "state")
    description = wanted.get("description")
    if description is not None and len(str(description)) > _MAX_DESCRIPTION:
        raise custom("Status", f"description is too long (maximum is {_MAX_DESCRIPTION} characters)")
    status = Status(
        id=call.state.next_id(),
        sha=sha,
        context=str(wanted.get("context") or "default"),
        state=wanted["state"],
        description=None if description is None else str(description),
        target_url=wanted.get("target_url"),
        creator=call.user.login,
        created_at=call.now(),
    )
    call.state.statuses.append(status)
    return JSONResponse(call.bodies.status(status), 201)


def list_statuses(call: Call) -> Response:
    """GET /commits/{ref}/statuses, newest first."""
    sha = call.commit()
    return page(call, [one for one in reversed(call.state.statuses) if one.sha == sha], call.bodies.status)


def get_combined_status(call: Call) -> Response:
    """GET /commits/{ref}/status: the last of each context, and what they come to."""
    sha = call.commit()
    latest = {one.context: one for one in call.state.statuses if one.sha == sha}
    states = {one.state for one in latest.values()}
    together = (
        "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    )
    body = {
        "state": together,
        "sha": sha,
        "total_count": len(latest),
        "statuses": [call.bodies.status(one) for one in latest.values()],
        "repository": call.bodies.repository(call.state, call.user),
        "commit_url": f"{call.bodies.here}/commits/{sha}",
        "url": f"{call.bodies.here}/commits/{sha}/status",
    }
    return JSONResponse(body)


def get_content(call: Call) -> Response:
    """GET /contents/{path}?ref=...: a file. What is no file is not there (the forge would list a folder)."""
    ref = call.query.get("ref") or call.repository.default_branch()
    commit = call.repository.resolve(ref)
    if commit is None:
        raise custom("Commit", f"No commit found for the ref {ref}")
    blob, data = found(call.repository.file(commit, call.path["path"]))
    return JSONResponse(call.bodies.content(call.path["path"], ref, blob, data))


def get_branch(call: Call) -> Response:
    """GET /branches/{branch}."""
    heads = call.repository.heads()
    if call.path["ref"] not in heads:
        raise named_not_found("Branch not found")
    return JSONResponse(_branch(call, call.path["ref"], heads[call.path["ref"]]))


def list_branches(call: Call) -> Response:
    """GET /branches."""
    return page(call, sorted(call.repository.heads().items()), lambda one: _branch(call, *one))


def get_ref(call: Call) -> Response:
    """GET /git/ref/heads/{branch}."""
    tip = call.repository.heads().get(call.path["ref"])
    if tip is None:
        raise not_found()
    return JSONResponse(call.bodies.ref(call.path["ref"], tip))


def list_refs(call: Call) -> Response:
    """GET /git/matching-refs/{prefix}."""
    heads = sorted(call.repository.heads().items())
    found = [(name, tip) for name, tip in heads if f"heads/{name}".startswith(call.path["ref"])]
    return page(call, found, lambda one: call.bodies.ref(*one))


def delete_ref(call: Call) -> Response:
    """DELETE /git/refs/heads/{branch}."""
    call.writer()
    branch = call.path["ref"]
    if branch in call.repository.protected() or branch == call.repository.default_branch():
        raise RefusalError(422, "Cannot delete this protected ref")
    if not call.repository.delete(branch):
        raise RefusalError(422, "Reference does not exist")
    return Response(status_code=204)


def get_commit(call: Call) -> Response:
    """GET /commits/{ref}, with its files."""
    (commit,) = call.repository.history(call.commit(), limit=1)
    parent = commit.parents[0] if commit.parents else None
    return JSONResponse(call.bodies.commit(commit, call.repository.changes(parent, commit.sha)))


def list_commits(call: Call) -> Response:
    """GET /commits, newest first, of a branch or from a commit on."""
    name = call.query.get("sha") or call.repository.default_branch()
    start = call.repository.resolve(name)
    if start is None:
        raise not_found()
    return page(call, call.repository.history(start), call.bodies.commit)


def list_pulls_of_commit(call: Call) -> Response:
    """GET /commits/{ref}/pulls: what brought a commit in, or would."""
    sha = call.commit()
    found = [
        pull
        for pull in call.state.pulls
        if sha == pull.merge_commit_sha or sha in {commit.sha for commit in commits_of(call, pull)}
    ]
    return page(call, found, call.bodies.pull)


def list_activities(call: Call) -> Response:
    """GET /activity, newest first: who moved which branch (GitHub, "List repository activities")."""
    ref = call.query.get("ref", "").removeprefix("refs/heads/")
    found = [one for one in reversed(call.state.activities) if ref in {"", one.branch}]
    return page(call, found, call.bodies.activity)


def compare(call: Call) -> Response:
    """GET /compare/{base}...{head}."""
    names = call.path["range"].split("...", maxsplit=1)
    base, head = ([call.repository.resolve(name.rpartition(":")[2]) for name in names] + [None])[:2]
    if base is None or head is None:
        raise not_found()
    parted = call.repository.merge_base(base, head)
    if parted is None:
        raise named_not_found(f"No common ancestor between {names[0]} and {names[1]}.")
    ahead = call.repository.history(f"^{base}", head, oldest_first=True)
    behind = call.repository.count(f"^{head}", base)
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
    url = f"{call.bodies.here}/compare/{call.path['range']}"
    page = f"{call.bodies.page}/compare/{call.path['range']}"
    changes = call.repository.changes(parted, head)
    base_commit, parted_commit = (call.repository.history(one, limit=1)[0] for one in (base, parted))
    body = {
        "url": url,
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": call.bodies.commit(base_commit),
        "merge_base_commit": call.bodies.commit(parted_commit),
        "status": status.get((bool(ahead), behind > 0), "diverged"),
        "ahead_by": len(ahead),
        "behind_by": behind,
        "total_commits": len(ahead),
        "commits": [call.bodies.commit(commit) for commit in _page_of(call, ahead)],
        "files": [call.bodies.file(one, head) for one in changes[:_MAX_COMPARED]],
    }
    return JSONResponse(body)


def _page_of(call: Call, commits: list[Commit]) -> list[Commit]:
    """Return a page of a comparison's commits; without pages the first 250 (GitHub, "Compare two commits")."""
    if not {"page", "per_page"} & set(call.query):
        return commits[:MAX_COMMITS]
    size, number = (int(call.query.get(key, other)) for key, other in (("per_page", "30"), ("page", "1")))
    return commits[(number - 1) * size : number * size]


def _branch(call: Call, name: str, tip: str) -> Json:
    (commit,) = call.repository.history(tip, limit=1)
    is_protected = name in call.repository.protected()
    return call.bodies.branch(name, commit, is_protected=is_protected, state=call.state)


# Addresses below the repository; the longer ones stand before those that would swallow them
ROUTES: tuple[tuple[str, str, Function], ...] = (
    ("POST", "/statuses/{ref}", create_status),
    ("GET", "/statuses/{ref}", list_statuses),
    ("GET", "/commits/{ref:path}/statuses", list_statuses),
    ("GET", "/commits/{ref:path}/status", get_combined_status),
    ("GET", "/commits/{ref:path}/pulls", list_pulls_of_commit),
    ("GET", "/commits", list_commits),
    ("GET", "/commits/{ref:path}", get_commit),
    ("GET", "/activity", list_activities),
    ("GET", "/branches", list_branches),
    ("GET", "/branches/{ref:path}", get_branch),
    ("GET", "/git/ref/heads/{ref:path}", get_ref),
    ("GET", "/git/refs/heads/{ref:path}", get_ref),
    ("DELETE", "/git/refs/heads/{ref:path}", delete_ref),
    ("GET", "/git/matching-refs/{ref:path}", list_refs),
    ("GET", "/contents/{path:path}", get_content),
    ("GET", "/compare/{range:path}", compare),
)
