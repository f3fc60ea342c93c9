"""GitHub's refusals in its own words."""

from collections.abc import Mapping, Sequence
from typing import Any


class RefusalError(Exception):
    """An answer other than success: a status, a message, and for 422 its errors."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Sequence[Mapping[str, str] | str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what is to be answered."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the JSON that GitHub would send."""
        errors = {"errors": list(self.errors)} if self.errors else {}
        link = "https://docs.github.com/rest"
        return {"message": self.message, **errors, "documentation_url": link, "status": str(self.status)}


def not_found() -> RefusalError:
    """Refuse what is not there, or not for this user."""
    return RefusalError(404, "Not Found")


def forbidden() -> RefusalError:
    """Refuse a write by somebody who may only read."""
    return RefusalError(403, "Resource not accessible by personal access token")


def bad_credentials() -> RefusalError:
    """Refuse an unknown token."""
    return RefusalError(401, "Bad credentials")


def unauthenticated() -> RefusalError:
    """Refuse a request without a token."""
    return RefusalError(401, "Requires authentication")


def unreadable() -> RefusalError:
    """Refuse a body that is no JSON object."""
    return RefusalError(400, "Problems parsing JSON")


def invalid(resource: str, field: str, code: str = "invalid") -> RefusalError:
    """Refuse a field; ``code`` is invalid, missing_field, ..."""
    return RefusalError(
        422, "Validation Failed", errors=[{"resource": resource, "field": field, "code": code}]
    )


def custom(resource: str, message: str) -> RefusalError:
    """Refuse for a reason that has its own sentence."""
    error = {"resource": resource, "code": "custom", "message": message}
    return RefusalError(422, "Validation Failed", errors=[error])


def unprocessable(message: str) -> RefusalError:
    """Refuse with one sentence instead of errors by field."""
    return RefusalError(422, "Unprocessable Entity", errors=[message])


def not_mergeable(message: str = "Pull Request is not mergeable") -> RefusalError:
    """Refuse a merge that the state of things does not allow."""
    return RefusalError(405, message)


def head_modified() -> RefusalError:
    """Refuse a merge of another head than the one that was named."""
    return RefusalError(409, "Head branch was modified. Review and try the merge again.")
