"""What a person may ask, as values: read-only commands; and what was not understood."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """What runs where; one service, one environment, or both '' = everything."""

    service: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """What stands in the way of a version ('' = the one that would be next), in an environment ('' = each)."""

    service: str
    version: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a version ('' = the one that would be next) brings over what runs, in an environment ('' = each)."""

    service: str
    version: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """What the registries have at this moment, of a service or group ('' = of all)."""

    service: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """Which promotions are under way."""


@dataclass(frozen=True, slots=True)
class History:
    """What was moved."""

    service: str


@dataclass(frozen=True, slots=True)
class Who:
    """Who may approve a service where."""

    service: str


@dataclass(frozen=True, slots=True)
class Stats:
    """How often and how fast versions landed; of one service, one environment, or both '' = everything."""

    service: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class WhoAmI:
    """Whom the rules take the asker for."""


@dataclass(frozen=True, slots=True)
class LinkMe:
    """Show which account at the forge is the asker's, and have it remembered."""


@dataclass(frozen=True, slots=True)
class Help:
    """How one says things; one word, or '' = all of them."""

    word: str = ""


@dataclass(frozen=True, slots=True)
class Everything:
    """What may be asked for, in one environment or ('') each; a button of the answer asks for all of it."""

    environment: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class AllApprovals:
    """What waits for the asker's approval, in one environment or ('') each; a button of the answer approves it."""

    environment: str = ""
    note: str = ""


Question = (
    Status
    | Everything
    | AllApprovals
    | Why
    | Changes
    | Check
    | Pending
    | History
    | Who
    | Stats
    | WhoAmI
    | LinkMe
    | Help
)


@dataclass(frozen=True, slots=True)
class Misunderstood:
    """What could not be read. ``given``: the person's text, so that nothing is lost; ``corrected``: whole commands."""

    sentence: str
    given: str = ""
    corrected: tuple[str, ...] = ()
