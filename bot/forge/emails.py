"""Whose e-mail addresses the forge vouches for: those of the organization's members, by GitHub's GraphQL API."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import PermanentError
from bot.forge.bodies import list_of, number_of, object_of, part
from bot.forge.client import plain
from bot.forge.wire import Wire
from bot.ports import Addressed

_MAX_PAGES = 50  # 5,000 members
# GitHub, GraphQL API, User: addresses of the organization's verified domains; the address of the public profile, which
# GitHub lets one choose among those that one has verified.
_QUERY = """
query ($organization: String!, $after: String) {
  organization(login: $organization) {
    membersWithRole(first: 100, after: $after) {
      nodes { databaseId login email organizationVerifiedDomainEmails(login: $organization) }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
_VERIFIED = "organizationVerifiedDomainEmails"


@dataclass(slots=True)
class Emails:
    """Asks for the members of the organization that owns the repository."""

    wire: Wire

    def members(self) -> tuple[Addressed, ...]:
        """Return all members with the addresses that the forge vouches for. Raises: BotError."""
        found: list[Addressed] = []
        after: str | None = None
        for _ in range(_MAX_PAGES):
            members = self._page(after)
            found += (one for node in list_of(members.get("nodes")) if node for one in _addressed(node))
            info = part(members, "pageInfo")
            if info.get("hasNextPage") is False:
                return tuple(found)
            after = str(info.get("endCursor"))
        raise PermanentError(f"{self.wire.owner} has more than {_MAX_PAGES * 100} members; expected fewer")

    def _page(self, after: str | None) -> Mapping[str, Any]:
        wanted = {"organization": self.wire.owner, **({"after": after} if after else {})}
        answer = object_of(self.wire.query(_QUERY, wanted))
        errors = [one for one in list_of(answer.get("errors") or []) if not _is_about_domains(one)]
        data = answer.get("data")
        organization = data.get("organization") if isinstance(data, dict) else None
        if errors or not isinstance(organization, dict):
            said = (
                plain(object_of(errors[0]).get("message"), 120) if errors else "there is no such organization"
            )
            raise PermanentError(
                f"the addresses of the members of {self.wire.owner} cannot be seen ({said}); expected an organization,"
                " and for the App the permission Members: read"
            )
        return part(organization, "membersWithRole")


def _is_about_domains(error: object) -> bool:
    """Whether only addresses of verified domains may not be seen: profiles still may."""
    path = object_of(error).get("path")
    return isinstance(path, list) and path[-1:] == [_VERIFIED]


def _addressed(node: object) -> Iterator[Addressed]:
    """Yield each address of a member, and what vouches for it."""
    body = object_of(node)
    number, profile = number_of(body.get("databaseId"), "a member"), body.get("email")
    for one in list_of(body.get(_VERIFIED) or []):
        if isinstance(one, str):
            yield Addressed(number, one, "organization")
    if isinstance(profile, str) and profile:
        yield Addressed(number, profile, "profile")
