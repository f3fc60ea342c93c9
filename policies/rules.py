"""The rules of ``promotion/*.yaml`` as values, and the effective rule that judges one service in one environment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from policies import tag_list
from policies.at_path import At
from policies.canonical import Json, digest_of
from policies.codes import Code
from policies.image import Repository
from policies.selection import Fate, Selection, SelectionPolicy, select

DEFAULT_EXPIRE = timedelta(hours=24)
DEFAULT_INTERVAL = timedelta(minutes=5)
DEFAULT_MERGE_WITHIN = timedelta(hours=4)
OWNERS = "owners"  # in an approval line: the service's owner
REQUESTER = "requester"  # in `exclude`: who asked may not approve


@dataclass(frozen=True, slots=True)
class Position:
    """Where a rule was written, for people: file, line and column, both from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class DigestRule(StrEnum):
    """Whether a move writes the digest beside the tag (``pin``) or keeps the form that is there."""

    PIN = "pin"
    KEEP = "keep"


class Via(StrEnum):
    """How a move reaches the target branch."""

    COMMIT = "commit"
    PULL_REQUEST = "pull-request"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of ``approvals``: so many different people out of these teams or persons; nobody named = any linked."""

    count: int
    of: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.count} of {' or '.join(self.of)}" if self.of else f"{self.count}"


@dataclass(frozen=True, slots=True)
class Environment:
    """Where references live and what is asked before they move. No lines of approvals = nobody is asked.

    ``clusters`` are the folders whose Flux documents are meant there; none = those that its Kustomizations show.
    """

    name: str
    paths: tuple[str, ...]
    channel: str
    approvals: tuple[Line, ...]
    at: Position
    after: tuple[str, ...] = ()
    digest: DigestRule = DigestRule.KEEP
    exclude: tuple[str, ...] = (REQUESTER,)
    expire: timedelta = DEFAULT_EXPIRE
    merge_within: timedelta = DEFAULT_MERGE_WITHIN
    rollback: tuple[Line, ...] = (Line(1),)
    interval: timedelta = DEFAULT_INTERVAL
    catch_up: bool = False
    clusters: tuple[str, ...] = ()

    @property
    def is_guarded(self) -> bool:
        """Whether the environment asks for approvals."""
        return bool(self.approvals)

    @property
    def via(self) -> Via:
        """Commit where nobody is asked, else a pull request."""
        return Via.PULL_REQUEST if self.is_guarded else Via.COMMIT

    def paths_of(self, service: str) -> tuple[str, ...]:
        """Return the folders in which this service's references are looked for."""
        return tuple(path.replace("<service>", service) for path in self.paths)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the versions of a service are not known in an environment; ``detail`` begins with Flux's own reason."""

    code: Code
    detail: str


@dataclass(frozen=True, slots=True)
class Service:
    """An image, the versions of it that may run, and who owns it ('' = nobody is named).

    ``policy`` is the ImagePolicy that it follows, '' = none: then ``versions``, ``exclusions`` and ``trouble`` may
    differ between environments, and ``Rules.there`` has what is meant in each, as it has the ``addresses`` at which
    its references are (none = they are looked for). ``marked_only``: another service has the same image, so that
    only markers of the policy say which reference is whose.
    """

    name: str
    image: Repository
    versions: SelectionPolicy
    versions_text: str
    at: Position
    owner: str = ""
    policy: str = ""
    exclusions: tuple[str, ...] = ()
    trouble: Trouble | None = None
    marked_only: bool = False
    addresses: tuple[At, ...] = ()

    def select(self, tags: Iterable[str]) -> Selection:
        """Choose among a repository's tags; those that its ImageRepository leaves out are filtered."""
        if not self.exclusions:
            return select(self.versions, tags)
        names = list(tags)
        found = select(self.versions, tag_list.without_excluded(names, self.exclusions))
        return replace(found, fates={**dict.fromkeys(names, Fate.FILTERED), **found.fates})


@dataclass(frozen=True, slots=True)
class Person:
    """One human: ids decide, names decorate. ``slack`` is a user id, ``github`` a login; '' = not linked there."""

    name: str
    slack: str = ""
    github: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """What the rules allow for one registry host."""

    http: bool = False
    private: bool = False
    ca: str = ""
    concurrency: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that ``promotion/`` says, as one document. Orders are those of the files, files by name.

    ``there`` holds a service as it is meant in an environment, by both names, where that says more than the service.
    """

    environments: Mapping[str, Environment]
    services: Mapping[str, Service]
    people: Mapping[str, Person] = field(default_factory=dict)
    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    registries: Mapping[str, Host] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    there: Mapping[tuple[str, str], Service] = field(default_factory=dict)

    def service_in(self, environment: str, service: str) -> Service | None:
        """Return a service as it is meant in an environment."""
        return self.there.get((environment, service)) or self.services.get(service)

    def meanings(self, service: str) -> tuple[Service, ...]:
        """Return what a service is meant to be in one environment or another, each meaning once."""
        plain = self.services[service]
        found = [self.there.get((name, service), plain) for name in self.environments] or [plain]
        return tuple({id(one): one for one in found}.values())

    def person_of_slack(self, user: str) -> Person | None:
        """Return who this Slack user id is, as reviewed in Git."""
        return next((person for person in self.people.values() if user and person.slack == user), None)

    def members(self, named: tuple[str, ...], service: Service) -> frozenset[str]:
        """Return the people whom an approval line names: members of teams, owners, persons. Nobody named = all."""
        if not named:
            return frozenset(self.people)
        return frozenset(person for name in named for person in self._named(name, service))

    def _named(self, name: str, service: Service) -> tuple[str, ...]:
        if name == OWNERS:
            return self._named(service.owner, service) if service.owner not in {"", OWNERS} else ()
        return self.teams.get(name) or ((name,) if name in self.people else ())

    def downstream(self, environment: str) -> tuple[str, ...]:
        """Return the environments that come after this one, near ones first, each once."""
        found: list[str] = []
        reached = [environment]
        for name in reached:
            for other in self.environments.values():
                if name in other.after and other.name not in found:
                    found.append(other.name)
                    reached.append(other.name)
        return tuple(found)

    def upstream(self, environment: str) -> tuple[str, ...]:
        """Return the environments that come before this one, near ones first, each once."""
        reached = [environment]
        for name in reached:
            before = self.environments[name].after if name in self.environments else ()
            reached.extend(other for other in before if other not in reached)
        return tuple(reached[1:])


@dataclass(frozen=True, slots=True)
class EffectiveRule:
    """The rule that judges one service in one environment, in its canonical form."""

    environment: Environment
    service: Service

    def canonical(self) -> dict[str, Json]:
        """Return the judging keys as resolved: durations in seconds, team names not members, no versions."""
        where = self.environment
        return {
            "after": list(where.after),
            "approvals": _lines(where.approvals),
            "digest": where.digest.value,
            "environment": where.name,
            "exclude": list(where.exclude),
            "expire": _seconds(where.expire),
            "images": [self.service.image],
            "merge-within": _seconds(where.merge_within),
            "owner": self.service.owner,
            "path": list(where.paths_of(self.service.name)),
            "rollback": _lines(where.rollback),
            "service": self.service.name,
            "via": where.via.value,
        }

    @property
    def hash(self) -> str:
        """The sha256 of the canonical form, 64 hexadecimal digits: what an approval binds to."""
        return digest_of(self.canonical())


def effective(rules: Rules, environment: str, service: str) -> EffectiveRule | None:
    """Return the rule for a service in an environment, or nothing where one of them is not in the rules."""
    where, what = rules.environments.get(environment), rules.service_in(environment, service)
    return EffectiveRule(where, what) if where and what else None


def _lines(lines: tuple[Line, ...]) -> list[Json]:
    return [{"count": line.count, "of": list(line.of)} for line in lines]


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
