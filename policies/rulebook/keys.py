"""The keys of each table of the rules: the form of their values and what they mean, for parser, schema and editor."""

from dataclasses import dataclass, replace
from enum import StrEnum

from policies.rulebook.forms import (
    ADDRESS,
    CHANNEL,
    DURATION,
    FLAG,
    FOLDER,
    NAME,
    NAME_PATTERN,
    REPOSITORY,
    TEXT,
    Form,
    choice,
    listed,
    named,
    number,
    pattern,
    several,
)
from policies.rulebook.outside_gates import KINDS
from policies.rules.terms import (
    AUTHORS,
    REQUESTER,
    ConfigRule,
    DigestRule,
    Evidence,
    Merges,
    Opens,
    Takes,
    Via,
)

MAX_CONCURRENCY = 100


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table."""

    name: str
    form: Form
    means: str
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one kind of table; ``elsewhere`` are those that only the table that it is part of may hold."""

    what: str
    keys: tuple[Key, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """The keys' names, in the order in which people read them."""
        return tuple(key.name for key in self.keys)

    def without(self, what: str, *names: str) -> "Keys":
        """Return the keys of a table that may hold most of these."""
        left = (replace(key, is_required=False) for key in self.keys if key.name not in names)
        return Keys(what, tuple(left), names)

    def form(self) -> Form:
        """Return the schema of such a table."""
        return {
            "type": "object",
            "properties": {key.name: {**key.form, "description": key.means} for key in self.keys},
            "required": [key.name for key in self.keys if key.is_required],
            "additionalProperties": False,
        }


def _one_of(words: type[StrEnum]) -> Form:
    return {"enum": [str(word) for word in words]}


_NAME = NAME_PATTERN.strip("^$")
_COUNT = r"[1-9][0-9]?|100"
_LINE = rf"({_COUNT})( +of +{_NAME}( +or +{_NAME})*)?"
LINES: Form = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": 100},
        {"type": "string", "pattern": rf"^({_LINE})$"},
        listed(
            {"type": ["string", "integer"], "minimum": 1, "maximum": 100, "pattern": rf"^({_LINE})$"}, most=20
        ),
    ]
}
_SAID = rf"none|as +{_NAME}|observe"
APPROVALS: Form = {"anyOf": [*LINES["anyOf"], {"type": "string", "pattern": f"^({_SAID})$"}]}  # type: ignore[misc]
_EXCLUDED: Form = {"enum": [REQUESTER, AUTHORS]}
NAMES = several(NAME)
OLD_NAMES = several(NAME, most=20)
PATHS = several(FOLDER)

_GATE: Form = {
    "type": "object",
    "properties": {
        "name": NAME,
        **{
            kind: {
                "type": "object",
                "properties": {
                    name: {**several(TEXT), "description": one.expected} for name, one in settings.items()
                },
                "required": [name for name, one in settings.items() if one.is_required],
                "additionalProperties": False,
            }
            for kind, settings in KINDS.items()
        },
    },
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 2,
}

ROLLBACK = Keys(
    "rollback",
    (
        Key("approvals", LINES, "who may put back what ran before: one person at least"),
        Key("tell", CHANNEL, "a channel that hears of it, too"),
        Key("review", DURATION, "how long somebody who had no part has to look at it afterwards"),
        Key("skips", several(TEXT), "gates that do not stop it"),
    ),
)
EMERGENCY = Keys(
    "emergency",
    (
        Key("approvals", LINES, "who may call it: one person at least", is_required=True),
        Key("tell", CHANNEL, "a channel that hears of it, too"),
        Key("review", DURATION, "how long somebody who had no part has to look at it afterwards"),
        Key("skips", several(TEXT), "gates that do not stop it; never digest, signature or record"),
    ),
)
AFTER = Keys("after", (Key("any", NAMES, "environments of which one is enough", is_required=True),))
ENVIRONMENT = Keys(
    "an environment",
    (
        Key(
            "path",
            PATHS,
            "folder or folders in which its references are; <service> is the service's name",
            is_required=True,
        ),
        Key("channel", CHANNEL, "where it is said: a name or an id", is_required=True),
        Key(
            "approvals",
            APPROVALS,
            "none, 2, 2 of TEAM, 1 of owners or TEAM, or a list: each line by others",
            is_required=True,
        ),
        Key(
            "after",
            {"anyOf": [NAMES, AFTER.form()]},
            "environments in which exactly this digest has run before; {any: [...]}: in one of them",
        ),
        Key("digest", choice(DigestRule), "whether the digest is written beside the tag"),
        Key("exclude", several(_EXCLUDED, least=0), "who may not approve"),
        Key("expire", DURATION, "how long a request stays open"),
        Key("merge-within", DURATION, "how long after the last approval it still merges by itself"),
        Key("interval", DURATION, "how often registries are asked"),
        Key("rollback", ROLLBACK.form(), "what is asked before something is put back"),
        Key("catch-up", FLAG, "whether versions that were there at the first look move by themselves"),
        Key("evidence", choice(Evidence), "where an approval has to be given to count"),
        Key("cluster", PATHS, "folder or folders whose Flux documents are meant there"),
        Key("takes", choice(Takes), "newest that may, or same: what the environment before runs now"),
        Key("via", _one_of(Via), "how a move reaches the branch"),
        Key("opens", choice(Opens), "when a pull request is opened"),
        Key("merges", _one_of(Merges), "who merges what is approved"),
        Key("soak", DURATION, "how long it has to run well in the environment before"),
        Key("age", DURATION, "how long ago it has to be seen first"),
        Key(
            "limit",
            pattern(r"^(none|[1-9][0-9]{0,8} +per +\S+)$"),
            "how many moves within a span, such as 4 per 1h",
        ),
        Key(
            "jump",
            {"anyOf": [pattern(r"^(any|0|[1-9][0-9]?)$"), {"type": "integer", "minimum": 0, "maximum": 99}]},
            "how many major versions a move may climb without a person, or any",
        ),
        Key("freeze", several(TEXT, least=0), "windows, dates, or closed: when nothing moves"),
        Key(
            "gates",
            several(_GATE, least=0, most=20),
            "who else is asked: http, prometheus, signature, labels, checks",
        ),
        Key("health", several(TEXT, least=0), "commit statuses or checks that say that it runs"),
        Key("emergency", EMERGENCY.form(), "who may pass gates, and which"),
        Key("pulled-from", REPOSITORY, "under which name images are pulled here, with <service> or <image>"),
        Key("config", choice(ConfigRule), "what happens to changes in its reach that move no image"),
        Key("zone", TEXT, "the zone of its times"),
        Key(
            "notify",
            several(pattern(r"^\S+$")),
            "who is pinged when a decision is open: people, teams, @here, Slack ids",
        ),
        Key("like", NAME, "an environment whose keys count where nothing else is said here"),
        Key("was", OLD_NAMES, "names that it had before"),
    ),
)
EXCEPTION = ENVIRONMENT.without(
    "an exception", "path", "channel", "after", "interval", "cluster", "config", "like", "was"
)
EXCEPTIONS = Key("exceptions", named(EXCEPTION.form()), "keys that are other for a service")
ENVIRONMENT_KEYS = Keys(ENVIRONMENT.what, (*ENVIRONMENT.keys, EXCEPTIONS))

_TABLE_OF_VERSIONS = Keys(
    "versions",
    (
        Key("semver", TEXT, "a range, as Flux reads it"),
        Key("alphabetical", {"enum": ["asc", "desc"]}, "the last, or the first, by alphabet"),
        Key("numerical", {"enum": ["asc", "desc"]}, "the highest, or the lowest, number"),
        Key("tags", TEXT, "a pattern (RE2) that tags match"),
        Key("extract", TEXT, "what of the match is compared, such as $ts"),
        Key("flux", REPOSITORY, "an ImagePolicy as NAMESPACE/NAME, alone"),
        Key("newest-build", {"enum": [True, "true"]}, "the tag whose image was built last"),
        Key("digest-of", TEXT, "the digest of a tag that moves, such as main"),
    ),
)
VERSIONS = _TABLE_OF_VERSIONS
_VERSIONS: Form = {"anyOf": [TEXT, VERSIONS.form()]}
_ADDRESS: Form = {
    "anyOf": [
        {"type": "string", "pattern": ": "},
        {
            "type": "object",
            "properties": {"file": TEXT, "key": TEXT},
            "required": ["file", "key"],
            "additionalProperties": False,
        },
    ]
}
ADDRESS_KEYS = Keys("an address", (Key("file", TEXT, "its path"), Key("key", TEXT, "keys with dots between")))

SERVICE = Keys(
    "a service",
    (
        Key("image", REPOSITORY, "the repository, without tag"),
        Key("images", listed(REPOSITORY, most=20), "repositories that have one version"),
        Key("chart", {"type": "string", "pattern": "^oci://"}, "a chart in a registry, oci://HOST/PATH"),
        Key("versions", _VERSIONS, "the versions that may run: a semver range, or how to choose"),
        Key("owner", NAME, "a team or a person: owners in an approval line"),
        Key(
            "at",
            {"anyOf": [several(_ADDRESS), named(several(_ADDRESS))]},
            "file and key where the search finds nothing",
        ),
        Key("channel", CHANNEL, "where it is said instead of the environment's channel"),
        Key("source", REPOSITORY, "where its code is: OWNER/NAME at the forge, or an address"),
        Key("links", named(ADDRESS), "addresses that its cards show"),
        Key("environments", NAMES, "where it exists; everywhere, if left out"),
        Key(
            "platforms",
            several(pattern(r"^[a-z0-9]+/[a-z0-9]+(/[a-z0-9.]+)?$")),
            "what an image has to be built for",
        ),
        Key("was", OLD_NAMES, "names that it had before"),
    ),
)
DEFAULTS = SERVICE.without("defaults", "images", "chart", "at", "was")
PERSON = Keys(
    "a person",
    (
        Key("slack", pattern("^[UW][A-Z0-9]{1,31}$"), "the user id (not the name)"),
        Key("github", pattern("^[A-Za-z0-9](-?[A-Za-z0-9])*$"), "the login"),
    ),
)
REGISTRY = Keys(
    "a registry",
    (
        Key("http", FLAG, "whether it may be asked without TLS"),
        Key("private", FLAG, "whether it may have a private address"),
        Key("ca", TEXT, "a file with the authority that signed its certificate"),
        Key("concurrency", number(MAX_CONCURRENCY), "how many requests at once"),
        Key("interval", DURATION, "how often it is asked"),
    ),
)
CALENDAR = Keys(
    "calendar",
    (
        Key("zone", TEXT, "such as Europe/Berlin; UTC, if left out"),
        Key(
            "working",
            several(TEXT),
            "hours at which people work, such as Mon-Fri 08:00-18:00; always, if left out",
        ),
        Key(
            "closed",
            several(TEXT, least=0, most=1000),
            "dates on which nobody works, such as 2026-12-24..2027-01-01",
        ),
    ),
)
IDENTITY = Keys(
    "identity",
    (
        Key(
            "email",
            several(TEXT, most=20),
            "domains whose verified addresses show whose accounts are one human's; off, if left out",
            is_required=True,
        ),
        Key(
            "approve",
            FLAG,
            "whether who is known by an address alone fills lines of approvals; false, if left out",
        ),
    ),
)
DISCOVER = Keys(
    "discover",
    (
        Key("flux", {"enum": ["policies"]}, "a service of each ImagePolicy"),
        Key("images", several(REPOSITORY), "a service of each image, * stands for part of a name"),
    ),
)
