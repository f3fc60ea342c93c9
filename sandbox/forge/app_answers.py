"""What the forge answers an App that speaks for itself: who it is, where it is installed, a token for that."""

from starlette.responses import JSONResponse, Response

from sandbox.forge.accounts import Json
from sandbox.forge.apps import stamp_of
from sandbox.forge.call import AppCall, AppFunction, number
from sandbox.forge.refusals import not_found, unprocessable

_SINCE = "2026-01-01T00:00:00Z"


def get_app(call: AppCall) -> Response:
    """GET /app."""
    return JSONResponse(call.bodies.app(call.app))


def get_installation(call: AppCall) -> Response:
    """GET /repos/{owner}/{name}/installation."""
    if not call.app.installation:
        raise not_found()
    return JSONResponse(_installation(call))


def create_token(call: AppCall) -> Response:
    """POST /app/installations/{id}/access_tokens, for the one repository or for all."""
    wanted = call.body.get("repositories", [call.bodies.name])
    if not isinstance(wanted, list) or any(name != call.bodies.name for name in wanted):
        raise unprocessable("There is at least one repository that does not exist or is not accessible")
    token, ends = call.apps.give(call.app, number(call.path["id"]))
    body = {
        "token": token,
        "expires_at": stamp_of(ends),
        "permissions": call.app.permissions,
        "repository_selection": "selected",
    }
    return JSONResponse(body, 201)


def _installation(call: AppCall) -> Json:
    app, base = call.app, call.bodies.base
    return {
        "id": app.installation,
        "account": call.bodies.user(call.bodies.owner),
        "repository_selection": "selected",
        "access_tokens_url": f"{base}/app/installations/{app.installation}/access_tokens",
        "repositories_url": f"{base}/installation/repositories",
        "html_url": f"{base}/settings/installations/{app.installation}",
        "app_id": app.id,
        "app_slug": app.login.removesuffix("[bot]"),
        "target_id": 1,
        "target_type": "Organization",
        "permissions": app.permissions,
        "events": [],
        "created_at": _SINCE,
        "updated_at": _SINCE,
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": _SINCE if app.is_suspended else None,
    }


# Addresses that an App asks with its signed word
ROUTES: tuple[tuple[str, str, AppFunction], ...] = (
    ("GET", "/app", get_app),
    ("POST", "/app/installations/{id}/access_tokens", create_token),
)
BELOW_THE_REPOSITORY: tuple[tuple[str, str, AppFunction], ...] = (("GET", "/installation", get_installation),)
