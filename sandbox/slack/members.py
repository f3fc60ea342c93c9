"""Who and what a Slack workspace is made of: users, channels, user groups, the installed app; a sample of each."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot; ``team`` is set for somebody of another workspace (Slack Connect)."""

    id: str
    name: str
    real_name: str = ""
    email: str = ""
    team: str = ""
    is_bot: bool = False
    is_admin: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    deleted: bool = False
    is_email_confirmed: bool = True
    is_invited_user: bool = False
    is_workflow_bot: bool = False
    is_connector_bot: bool = False
    workspaces: tuple[str, ...] = ()  # of an organization with several, where the user is of one

    def as_json(self, home: str) -> dict[str, Any]:
        """Write the user as ``users.info`` does to an app of the workspace ``home``."""
        team = self.team or home
        shown = self.real_name or self.name
        answer: dict[str, Any] = {
            "id": self.id,
            "team_id": team,
            "name": self.name,
            "deleted": self.deleted,
            "real_name": shown,
            "tz": "Etc/UTC",
            "tz_label": "UTC",
            "tz_offset": 0,
            "profile": {
                "real_name": shown,
                "display_name": self.name,
                "team": team,
                **({"email": self.email} if self.email else {}),
            },
            "is_bot": self.is_bot,
            "is_email_confirmed": self.is_email_confirmed,
            "is_app_user": False,
            "updated": 0,
        }
        rare = ("is_invited_user", "is_workflow_bot", "is_connector_bot")
        answer |= {flag: True for flag in rare if getattr(self, flag)}
        if self.workspaces:
            answer["enterprise_user"] = {
                "id": self.id,
                "enterprise_id": "E0SANDBOX",
                "enterprise_name": "Sandbox",
                "is_admin": False,
                "is_owner": False,
                "is_primary_owner": False,
                "teams": list(self.workspaces),
            }
        if team != home:
            answer["is_stranger"] = True
        if not self.deleted:  # Slack leaves the flags out of a deactivated account
            answer |= {
                "is_admin": self.is_admin,
                "is_owner": False,
                "is_primary_owner": False,
                "is_restricted": self.is_restricted,
                "is_ultra_restricted": self.is_ultra_restricted,
            }
        return answer


@dataclass(frozen=True, slots=True)
class Channel:
    """A public or private channel, or a direct message (``is_im``), with the ids of who is in it."""

    id: str
    name: str
    members: frozenset[str] = frozenset()
    is_private: bool = False
    is_archived: bool = False
    is_im: bool = False

    def partner(self, own: str) -> str:
        """Return the other person of a direct message."""
        return next((member for member in sorted(self.members) if member != own), own)


@dataclass(frozen=True, slots=True)
class Usergroup:
    """A user group: its handle (without @) and members; ``disabled`` groups have no say."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...] = ()
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class SlackApp:
    """The installed app: its ids, the bot user that speaks for it, and its slash commands."""

    id: str = "A0SANDBOX"
    bot_id: str = "B0BOT"
    user: str = "U0BOT"
    name: str = "Countersign"
    commands: tuple[str, ...] = ("/promote",)


@dataclass(frozen=True, slots=True)
class World:
    """How a workspace looks when it opens."""

    team: str = "T0SANDBOX"
    domain: str = "sandbox"
    name: str = "Sandbox"
    app: SlackApp = field(default_factory=SlackApp)
    users: tuple[User, ...] = ()
    channels: tuple[Channel, ...] = ()
    usergroups: tuple[Usergroup, ...] = ()


def sample_world() -> World:
    """Return Ada, Bob and Carol, Dan who is a guest, the bot, and two channels."""
    people = frozenset({"U0ADA", "U0BOB", "U0CAROL", "U0DAN"})
    return World(
        users=(
            User("U0ADA", "ada", "Ada", "ada@example.com", is_admin=True),
            User("U0BOB", "bob", "Bob", "bob@example.com"),
            User("U0CAROL", "carol", "Carol", "carol@example.com"),
            User("U0DAN", "dan", "Dan", "dan@example.com", is_restricted=True),
            User("U0BOT", "countersign", "Countersign", is_bot=True),
        ),
        channels=(
            Channel("C0DEPLOYS", "deploys", people | {"U0BOT"}),
            Channel("C0INCIDENTS", "incidents", people | {"U0BOT"}),
        ),
        usergroups=(
            Usergroup("S0RELEASE", "release-managers", "Release managers", ("U0ADA", "U0BOB", "U0CAROL")),
        ),
    )
