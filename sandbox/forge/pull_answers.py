"""What the forge answers about pull requests, their reviews and their conversation."""

from starlette.responses import JSONResponse, Response

from sandbox.forge.accounts import Json
from sandbox.forge.call import MAX_COMMITS, Call, Function, commits_of, found, number, page
from sandbox.forge.history import Change
from sandbox.forge.pulls import checked_body
from sandbox.forge.refusals import custom, invalid, not_found, unprocessable
from sandbox.forge.state import Comment, Pull, Review

_EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
_EVENT_VERBS = {"APPROVE": "approve", "REQUEST_CHANGES": "request changes on"}
_MERGED = "Pull Request successfully merged"


def list_pulls(call: Call) -> Response:
    """GET /pulls. A ``head`` without its owner is ignored, as GitHub ignores it."""
    wanted = call.query.get("state", "open")
    found = [pull for pull in call.state.pulls if wanted in {"all", pull.state}]
    if ":" in call.query.get("head", ""):
        found = [pull for pull in found if call.pulls.label(pull) == call.query["head"]]
    if call.query.get("base"):
        found = [pull for pull in found if pull.base == call.query["base"]]
    by_update = call.query.get("sort") == "updated"
    found.sort(key=lambda pull: (pull.updated_at if by_update else pull.created_at, pull.number))
    newest_first = call.query.get("direction", "desc" if "sort" not in call.query else "asc") == "desc"
    return page(call, found[::-1] if newest_first else found, call.bodies.pull)


def create_pull(call: Call) -> Response:
    """POST /pulls."""
    pull = call.pulls.open(call.writer(), call.body)
    return JSONResponse(_whole(call, pull), 201, {"Location": f"{call.bodies.here}/pulls/{pull.number}"})


def get_pull(call: Call) -> Response:
    """GET /pulls/{number}."""
    return JSONResponse(_whole(call, call.pull()))


def change_pull(call: Call) -> Response:
    """PATCH /pulls/{number}: by those who may write, and by its author."""
    pull = call.pull()
    if pull.author != call.user.login:
        call.writer()
    call.pulls.change(pull, call.body)
    return JSONResponse(_whole(call, pull))


def merge_pull(call: Call) -> Response:
    """PUT /pulls/{number}/merge."""
    sha = call.pulls.merge(call.pull(), call.user, call.body)
    return JSONResponse({"sha": sha, "merged": True, "message": _MERGED})


def is_pull_merged(call: Call) -> Response:
    """GET /pulls/{number}/merge: 204 if it was."""
    if call.pull().merged_at is None:
        raise not_found()
    return Response(status_code=204)


def list_pull_files(call: Call) -> Response:
    """GET /pulls/{number}/files."""
    pull = call.pull()
    return page(call, _changes(call, pull), lambda change: call.bodies.file(change, pull.head_sha))


def list_pull_commits(call: Call) -> Response:
    """GET /pulls/{number}/commits."""
    return page(call, commits_of(call, call.pull())[:MAX_COMMITS], call.bodies.commit)


def list_reviews(call: Call) -> Response:
    """GET /pulls/{number}/reviews, oldest first."""
    pull = call.pull()
    return page(call, [one for one in call.state.reviews if one.pull == pull.number], call.bodies.review)


def create_review(call: Call) -> Response:
    """POST /pulls/{number}/reviews. Nobody approves a pull request of their own."""
    pull, event = call.pull(), call.body.get("event")
    if event not in (None, "", *_EVENTS):
        raise invalid("PullRequestReview", "event")
    if event in tuple(_EVENT_VERBS) and pull.author == call.user.login:
        raise unprocessable(f"Can not {_EVENT_VERBS[event]} your own pull request")
    text = checked_body(call.body.get("body"), "PullRequestReview") or ""
    if event in ("REQUEST_CHANGES", "COMMENT") and not text:
        raise unprocessable("Body can't be blank")
    commit = call.body.get("commit_id") or pull.head_sha
    if call.repository.resolve(str(commit)) is None:
        raise invalid("PullRequestReview", "commit_id")
    review = Review(
        call.state.next_id(),
        pull.number,
        call.user.login,
        _EVENTS.get(str(event), "PENDING"),
        text,
        str(commit),
        call.now(),
    )
    call.state.reviews.append(review)
    return JSONResponse(call.bodies.review(review))


def dismiss_review(call: Call) -> Response:
    """PUT /pulls/{number}/reviews/{id}/dismissals."""
    call.writer()
    wanted = (call.pull().number, number(call.path["id"]))
    review = found(next((one for one in call.state.reviews if (one.pull, one.id) == wanted), None))
    if not call.body.get("message"):
        raise invalid("PullRequestReview", "message", "missing_field")
    if review.state not in {"APPROVED", "CHANGES_REQUESTED"}:
        raise unprocessable(f"Can not dismiss a {review.state.lower()} pull request review")
    review.state = "DISMISSED"
    return JSONResponse(call.bodies.review(review))


def list_events(call: Call) -> Response:
    """GET /issues/{number}/events: the reviews that were taken back, by a person or by a push."""
    pull = call.pull()
    found = [one for one in call.state.reviews if one.pull == pull.number and one.state == "DISMISSED"]
    return page(call, found, call.bodies.dismissal)


def list_comments(call: Call) -> Response:
    """GET /issues/{number}/comments, oldest first."""
    pull = call.pull()
    said = [one for one in call.state.comments if one.pull == pull.number]
    return page(call, said, lambda one: call.bodies.comment(one, call.app_of(one)))


def create_comment(call: Call) -> Response:
    """POST /issues/{number}/comments."""
    now = call.now()
    text = _comment_body(call)
    app = call.app.id if call.app else 0
    comment = Comment(call.state.next_id(), call.pull().number, call.user.login, text, now, now, app)
    call.state.comments.append(comment)
    return JSONResponse(call.bodies.comment(comment, call.app_of(comment)), 201)


def get_comment(call: Call) -> Response:
    """GET /issues/comments/{id}."""
    comment = _comment(call)
    return JSONResponse(call.bodies.comment(comment, call.app_of(comment)))


def change_comment(call: Call) -> Response:
    """PATCH /issues/comments/{id}."""
    comment = _own_comment(call)
    comment.body, comment.updated_at = _comment_body(call), call.now()
    return JSONResponse(call.bodies.comment(comment, call.app_of(comment)))


def delete_comment(call: Call) -> Response:
    """DELETE /issues/comments/{id}."""
    call.state.comments.remove(_own_comment(call))
    return Response(status_code=204)


def _whole(call: Call, pull: Pull) -> Json:
    comments = sum(comment.pull == pull.number for comment in call.state.comments)
    look = call.pulls.mergeability(pull)
    return call.bodies.whole_pull(pull, look, _changes(call, pull), len(commits_of(call, pull)), comments)


def _changes(call: Call, pull: Pull) -> list[Change]:
    return call.repository.changes(call.pulls.fork_point(pull), pull.head_sha)


def _comment(call: Call) -> Comment:
    key = number(call.path["id"])
    return found(next((one for one in call.state.comments if one.id == key), None))


def _own_comment(call: Call) -> Comment:
    comment = _comment(call)
    if comment.author != call.user.login:
        call.writer()
    return comment


def _comment_body(call: Call) -> str:
    text = checked_body(call.body.get("body"), "IssueComment")
    if text is None or not text.strip():
        raise custom("IssueComment", "body cannot be blank")
    return text


# Addresses below the repository
ROUTES: tuple[tuple[str, str, Function], ...] = (
    ("GET", "/pulls", list_pulls),
    ("POST", "/pulls", create_pull),
    ("GET", "/pulls/{number}", get_pull),
    ("PATCH", "/pulls/{number}", change_pull),
    ("PUT", "/pulls/{number}/merge", merge_pull),
    ("GET", "/pulls/{number}/merge", is_pull_merged),
    ("GET", "/pulls/{number}/files", list_pull_files),
    ("GET", "/pulls/{number}/commits", list_pull_commits),
    ("GET", "/pulls/{number}/reviews", list_reviews),
    ("POST", "/pulls/{number}/reviews", create_review),
    ("PUT", "/pulls/{number}/reviews/{id}/dismissals", dismiss_review),
    ("GET", "/issues/comments/{id}", get_comment),
    ("PATCH", "/issues/comments/{id}", change_comment),
    ("DELETE", "/issues/comments/{id}", delete_comment),
    ("GET", "/issues/{number}/events", list_events),
    ("GET", "/issues/{number}/comments", list_comments),
    ("POST", "/issues/{number}/comments", create_comment),
)
