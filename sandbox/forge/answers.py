"""What the forge answers about people and its repository, and the table of all its addresses."""

from starlette.responses import JSONResponse, Response

from sandbox.forge import check_answers as forge_check_answers
from sandbox.forge import commit_answers as forge_commit_answers
from sandbox.forge import pull_answers as forge_pull_answers
from sandbox.forge.accounts import Json, permissions
from sandbox.forge.call import Call, Function, found, number, page
from sandbox.forge.refusals import not_found
from sandbox.forge.state import User


def get_me(call: Call) -> Response:
    """GET /user."""
    return JSONResponse(call.bodies.profile(call.user, is_own=True))


def get_user(call: Call) -> Response:
    """GET /users/{login}."""
    wanted = call.path["login"].lower()
    user = found(next((one for one in call.bodies.users.values() if one.login.lower() == wanted), None))
    return JSONResponse(call.bodies.profile(user))


def get_user_by_id(call: Call) -> Response:
    """GET /user/{id}: an account by its number, whatever its login is now."""
    wanted = number(call.path["id"])
    user = found(next((one for one in call.bodies.users.values() if one.id == wanted), None))
    return JSONResponse(call.bodies.profile(user))


def list_team_members(call: Call) -> Response:
    """GET /orgs/{org}/teams/{team}/members."""
    if call.path["org"].lower() != call.bodies.owner.lower():
        raise not_found()
    members = found(call.state.teams.get(call.path["team"]))
    return page(call, members, lambda login: call.bodies.user(login) or {})


def ask_graph(call: Call) -> Response:
    """POST /graphql: the one question that the twin knows, about the organization's members and their addresses."""
    question, variables = str(call.body.get("query")), call.body.get("variables")
    given = variables if isinstance(variables, dict) else {}
    if "membersWithRole" not in question:
        return JSONResponse(
            {"errors": [{"type": "undefinedField", "message": "the twin knows no such field"}]}
        )
    if call.app is not None and not call.app.may("members:read"):
        said = {
            "type": "FORBIDDEN",
            "path": ["organization"],
            "message": "Resource not accessible by integration",
        }
        return JSONResponse({"data": {"organization": None}, "errors": [said]})
    if str(given.get("organization")).lower() != call.bodies.owner.lower():
        said = {
            "type": "NOT_FOUND",
            "path": ["organization"],
            "message": "Could not resolve to an Organization",
        }
        return JSONResponse({"data": {"organization": None}, "errors": [said]})
    people = [one for one in call.bodies.users.values() if not one.is_bot]
    start = int(given.get("after") or 0)
    nodes = [
        {
            "databaseId": one.id,
            "login": one.login,
            "email": one.email,
            "organizationVerifiedDomainEmails": list(one.verified),
        }
        for one in people[start : start + _GRAPH_PAGE]
    ]
    end = start + len(nodes)
    more = {"hasNextPage": end < len(people), "endCursor": str(end)}
    return JSONResponse({"data": {"organization": {"membersWithRole": {"nodes": nodes, "pageInfo": more}}}})


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


_GRAPH_PAGE = 100  # GitHub, the most of one page

EVERYWHERE: tuple[tuple[str, str, Function], ...] = (
    ("POST", "/graphql", ask_graph),
    ("GET", "/user", get_me),
    ("GET", "/user/{id}", get_user_by_id),
    ("GET", "/users/{login}", get_user),
    ("GET", "/orgs/{org}/teams/{team}/members", list_team_members),
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
