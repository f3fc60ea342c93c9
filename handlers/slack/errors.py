"""What Slack's refusals mean for us: to be tried again, or for a person to mend, and how."""

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from bot.errors import BotError, PermanentError, TransientError

DEFAULT_WAIT = timedelta(seconds=30)  # where Slack does not say how long
_MAX_WAIT_SECONDS = 3600
_TOO_MANY = 429
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,80}", re.ASCII)
_SERVER_ERROR = 500
_TOKEN = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "org_login_required"}
)
_PASSING = frozenset(
    {
        "fatal_error",
        "internal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "ekm_access_denied",
    }
)
_ABSENT = frozenset({"channel_not_found", "not_in_channel"})


class RateLimitedError(TransientError):
    """Slack asks us to slow down; ``after`` says how long."""

    def __init__(self, method: str, after: timedelta) -> None:
        super().__init__(f"Slack asks to wait {int(after.total_seconds())} s before {method} is called again")
        self.after = after


class SlackRefusedError(PermanentError):
    """Slack refused a call; ``code`` is its word for why."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.code = code


@contextmanager
def translated(method: str, *, where: str = "") -> Iterator[None]:
    """Turn what a call raises into a BotError; ``where`` is the channel for people. Tokens are never said."""
    try:
        yield
    except SlackApiError as error:
        raise _refusal(method, error, where) from None
    except (SlackClientError, OSError, http.client.HTTPException, ValueError) as error:
        raise TransientError(f"Slack could not be reached for {method}: {type(error).__name__}") from None
    except (
        AttributeError,
        KeyError,
        TypeError,
    ):  # the SDK and we take its answers for objects with their fields
        raise TransientError(f"Slack answered {method} with something that cannot be read") from None


def code_of(error: SlackApiError) -> str:
    """Return Slack's word for a refusal; '' where its answer cannot be read: the SDK then hands us its text."""
    code = str(_field(error, "error"))
    return code if _CODE.fullmatch(code) else ""


def _refusal(method: str, error: SlackApiError, where: str) -> BotError:
    code, status = code_of(error), _status(error)
    if status == _TOO_MANY or code in {"ratelimited", "rate_limited"}:
        return RateLimitedError(method, _wait(error))
    if status >= _SERVER_ERROR or code in _PASSING or not code:
        return TransientError(f"Slack failed at {method}: {code or f'HTTP {status}'}")
    return SlackRefusedError(_sentence(method, code, where, error), code)


def _sentence(method: str, code: str, where: str, error: SlackApiError) -> str:
    room = where or "the channel"
    if code in _TOKEN:
        return (
            f"Slack does not take the bot token any more ({code}): a workspace admin installs the app anew, "
            "an operator sets SLACK_BOT_TOKEN"
        )
    if code == "missing_scope":
        needed = str(_field(error, "needed"))[:200]
        return (
            f"the Slack app lacks the scope {needed} for {method}: an admin adds it and installs the app anew"
        )
    if code in _ABSENT:
        return f"Countersign is not in {room} or there is none: somebody in it types `/invite @countersign`"
    if code == "is_archived":
        return f"{room} is archived: somebody opens it again, or the rules name another channel"
    if code in {"restricted_action", "restricted_action_read_only_channel"}:
        return f"Countersign may not post in {room}: a workspace admin changes who may post there"
    return f"Slack refused {method}: {code}"


def _wait(error: SlackApiError) -> timedelta:
    response = error.response
    headers = response.headers if isinstance(response, SlackResponse) else {}
    given = {str(name).lower(): value for name, value in (headers or {}).items()}.get("retry-after", "")
    text = str(given[0] if isinstance(given, list) and given else given)
    if not (text.isascii() and text.isdigit()):
        return DEFAULT_WAIT
    return timedelta(seconds=min(int(text[:9]), _MAX_WAIT_SECONDS))


def _status(error: SlackApiError) -> int:
    response = error.response
    return response.status_code if isinstance(response, SlackResponse) else 0


def _field(error: SlackApiError, name: str) -> object:
    """Return a field of Slack's answer; '' where the answer is not an object."""
    response = error.response
    data = response.data if isinstance(response, SlackResponse) else response
    return data.get(name, "") if isinstance(data, dict) else ""
