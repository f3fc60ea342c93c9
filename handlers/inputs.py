"""Everything that comes from outside, and what becomes of it where it cannot be read. A test walks this list."""

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What happens to an input that cannot be read; in every case the process goes on."""

    ANSWERED = "refused, and whoever sent it is told why"
    QUARANTINED = "refused, and noted in the ledger as `quarantine`, at most 20 a day"
    DROPPED = "of no effect: it is not read, or dropped"
    WAITS = "not believed: what leans on it waits, and says so"
    TOLD = "of no effect, and the channel is told once"
    READ_ONLY = "the ledger is only read until somebody has looked"
    REFUSES_TO_START = "the program ends with exit code 2 and says which setting"


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that comes from outside: by which module it is read, what becomes of junk, and where that is told."""

    name: str
    reader: str
    fate: Fate
    told: str


INPUTS = (
    Input("a request that Slack did not sign", "handlers.http", Fate.ANSWERED, "401; the log"),
    Input(
        "a request that Slack signed", "handlers.http", Fate.QUARANTINED, "400 with what is wrong; the log"
    ),
    Input("an envelope on Slack's socket", "handlers.slack.socket_mode", Fate.DROPPED, "the log"),
    Input(
        "the fields of a command or a button",
        "handlers.slack.speaking",
        Fate.ANSWERED,
        "the person alone, in Slack",
    ),
    Input("an answer of Slack's API", "handlers.slack.errors", Fate.WAITS, "the log, and what a pass leaves"),
    Input("a webhook that GitHub did not sign", "handlers.webhooks", Fate.ANSWERED, "401; the log"),
    Input(
        "a webhook's body",
        "handlers.webhooks",
        Fate.DROPPED,
        "nowhere: a pass looks for itself",
    ),
    Input(
        "an answer of the forge",
        "bot.forge.bodies",
        Fate.QUARANTINED,
        "what a pass leaves; the channel (stuck)",
    ),
    Input(
        "a team at the forge or in Slack",
        "bot.looking.rosters",
        Fate.QUARANTINED,
        "`members-unknown` in what a pass leaves",
    ),
    Input("who signs in with a code", "bot.sign_in", Fate.QUARANTINED, "the person alone, in Slack"),
    Input(
        "an answer of a registry",
        "bot.registries.oci",
        Fate.QUARANTINED,
        "the channel (registry-silent), `plan`, `why`",
    ),
    Input(
        "an answer of a gate outside",
        "bot.looking.outside",
        Fate.QUARANTINED,
        "`gate-unknown` on the card and in `why`",
    ),
    Input(
        "an entry of another writer",
        "bot.chains.chain",
        Fate.READ_ONLY,
        "every channel; `verify`: entry-invalid",
    ),
    Input(
        "trailers on a commit of the target branch",
        "bot.claims",
        Fate.TOLD,
        "the channel; `doctor`; `verify`",
    ),
    Input(
        "rules",
        "policies.rulebook.parse",
        Fate.TOLD,
        "the channel (rules-broken), `lint`; the last good ones hold",
    ),
    Input("settings", "bot.settings", Fate.REFUSES_TO_START, "stderr, with where to get it"),
)
