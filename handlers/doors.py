"""The doors: every way in by which somebody or something can decide. Tests walk this list, and hold it to the code."""

from dataclasses import dataclass
from enum import StrEnum

from policies.entries.entry import Kind

WORDS = (
    Kind.PROPOSE,
    Kind.APPROVE,
    Kind.UNAPPROVE,
    Kind.REJECT,
    Kind.CANCEL,
    Kind.ROLLBACK,
    Kind.HOLD,
    Kind.RESUME,
    Kind.BLOCK,
    Kind.UNBLOCK,
    Kind.FREEZE,
    Kind.UNFREEZE,
    Kind.EMERGENCY,
    Kind.REVIEW,
)
TOGETHER = (Kind.REDACT, Kind.FORK)  # said by two people
PASS = (Kind.BUMP, Kind.PROPOSE, Kind.INTENT)  # what the rules let happen by itself


class Way(StrEnum):
    """How a door is reached; the first ones as an entry says by what its person spoke."""

    COMMAND = "command"
    BUTTON = "button"
    MODAL = "modal"
    SHORTCUT = "shortcut"
    REVIEW = "review"
    LINK = "link"
    HOME = "home"
    BRANCH = "branch"
    COMMAND_LINE = "command-line"
    SCHEDULE = "schedule"
    WEBHOOK = "webhook"


SLACK = frozenset({Way.COMMAND, Way.BUTTON, Way.MODAL, Way.SHORTCUT, Way.HOME})


@dataclass(frozen=True, slots=True)
class Door:
    """One way in: where it enters, and the entries that may come of it; none = it only shows or asks."""

    name: str
    way: Way
    enters: str  # a gesture of ``handlers.slack.Floor``, a command, a route, or who looks there
    carries: tuple[Kind, ...] = ()


DOORS = (
    Door("/promote ...", Way.COMMAND, "command", WORDS),
    Door("Approve, on a card or in the App Home", Way.BUTTON, "approve", (Kind.APPROVE,)),
    Door("Reject..., which opens its form", Way.BUTTON, "reject"),
    Door("the form of Reject...", Way.MODAL, "rejected", (Kind.REJECT,)),
    Door("Promote, on a candidate", Way.BUTTON, "promote", (Kind.PROPOSE,)),
    Door("Roll back..., which opens its form", Way.BUTTON, "roll_back"),
    Door("the form of Roll back...", Way.MODAL, "rolled_back", (Kind.ROLLBACK,)),
    Door("Confirm, on what somebody else asked for", Way.BUTTON, "confirm", TOGETHER),
    Door("Ask for all, below the list of /promote all", Way.BUTTON, "ask_all", (Kind.PROPOSE,)),
    Door("Approve all, below the list of /promote approve all", Way.BUTTON, "approve_all", (Kind.APPROVE,)),
    Door("a corrected command", Way.BUTTON, "run", WORDS),
    Door("Promote an image..., in the App Home", Way.BUTTON, "form"),
    Door("the shortcut Promote an image", Way.SHORTCUT, "form"),
    Door("the shortcut Promote this", Way.SHORTCUT, "form"),
    Door("the form that asks for a version", Way.MODAL, "asked", (Kind.PROPOSE,)),
    Door("the App Home", Way.HOME, "home"),
    Door("a button that is a link", Way.BUTTON, "link"),
    Door("a button of another version", Way.BUTTON, "unknown"),
    Door(
        "/promote link, and a code that is typed at GitHub",
        Way.LINK,
        "bot.promoting.linking",
        (Kind.IDENTITY,),
    ),
    Door(
        "a review at GitHub", Way.REVIEW, "bot.promoting.reviews", (Kind.APPROVE, Kind.UNAPPROVE, Kind.REJECT)
    ),
    Door("a commit on the branch of a promotion", Way.BRANCH, "bot.promoting.reconciler", (Kind.ENDED,)),
    Door("countersign pass", Way.COMMAND_LINE, "pass", PASS),
    Door("countersign retire", Way.COMMAND_LINE, "retire", (Kind.ENDED,)),
    Door("countersign serve, at each tick", Way.SCHEDULE, "serve", PASS),
    Door("POST /webhooks, which wakes a pass", Way.WEBHOOK, "/webhooks", PASS),
)

# what is asked from the command line and decides nothing; `init` and `set` write to the files that they are given
LOOKS = frozenset(
    {
        "demo",
        "doctor",
        "evidence",
        "history",
        "init",
        "ledger export",
        "ledger rebuild",
        "ledger show",
        "lint",
        "plan",
        "rules",
        "select",
        "set",
        "simulate",
        "verify",
        "why",
    }
)
SHOWS = frozenset({"/healthz", "/metrics"})  # routes that only tell
SLACK_ROUTE = "/slack/events"  # where Slack's requests come in, to the doors of ``SLACK``
