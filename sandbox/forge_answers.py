"""What the forge answers about people and its repository, and the table of all its addresses."""

from starlette.responses import JSONResponse, Response

from sandbox import forge_check_answers, forge_commit_answers, forge_pull_answers
from sandbox.forge_accounts import Json, permissions
from sandbox.forge_call import Call, Function, found, page
from sandbox.forge_state import User


def get_me(call: Call) -> Response:
    """GET /user."""
    return JSONResponse(call.bodies.profile(call.user, is_own=True))


def get_user(call: Call) -> Response:
    """GET /users/{login}."""
    wanted = call.path["login"].lower()
    user = found(next((one for one in call.bodies.users.values() if one.login.lower() == wanted), None))
    return JSONResponse(call.bodies.profile(user))


def get_repository(call: Call) -> Response:
    """GET the repository."""
    return JSONResponse(call.bodies.repository(call.state, call.user))


def list_collaborators(call: Call) -> Response:
    """GET /collaborators."""
    users = [user for user in call.bodies.users.values() if user.permission != "none"]
    return page(call, users, lambda user: _collaborator(call, user))


def get_permission(call: Call) -> Response:
    """GET /collaborators/{login}/permission."""
    user = found(call.bodies.users.get(call.path["login"]))
    body = {"permission": user.permission, "role_name": user.permission, "user": _collaborator(call, user)}
    return JSONResponse(body)


def _collaborator(call: Call, user: User) -> Json:
    body = call.bodies.user(user.login) or {}
    return body | {"permissions": permissions(user), "role_name": user.permission}


EVERYWHERE: tuple[tuple[str, str, Function], ...] = (
    ("GET", "/user", get_me),
    ("GET", "/users/{login}", get_user),
)

# Addresses below the repository; where two fit, the first counts.
BELOW_THE_REPOSITORY: tuple[tuple[str, str, Function], ...] = (
    ("GET", "", get_repository),
    ("GET", "/collaborators", list_collaborators),
    ("GET", "/collaborators/{login}/permission", get_permission),
    *forge_pull_answers.ROUTES,
    *forge_check_answers.ROUTES,
    *forge_commit_answers.ROUTES,
)
