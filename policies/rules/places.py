"""An environment and a service, as the rules mean them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from policies.images import tag_list
from policies.images.builds import NO_BUILDS, Build, Builds, together
from policies.images.image import Repository, Tag
from policies.images.selection import Fate, Selection, SelectionPolicy, select
from policies.manifests.at_path import At
from policies.rules.terms import (
    DEFAULT_EXPIRE,
    DEFAULT_INTERVAL,
    DEFAULT_MERGE_WITHIN,
    REQUESTER,
    Apart,
    ConfigRule,
    DigestRule,
    Evidence,
    Limit,
    Line,
    Merges,
    Opens,
    OutsideGate,
    Position,
    Takes,
    Trouble,
    Via,
)
from policies.times.calendar import Window

ONE_PERSON = Apart((Line(1),))
ONE_MAJOR = 1  # how many major versions a move may climb without a person, where the rules are silent
NO_TIME = timedelta(0)


@dataclass(frozen=True, slots=True)
class Environment:
    """Where references live and what is asked before they move. No lines of approvals = nobody is asked.

    ``clusters`` are the folders whose Flux documents are meant there; none = those that its Kustomizations show.
    ``soak`` and ``age`` of no time are not asked. ``zone`` is that of its times, '' = UTC. ``approvals_as`` is the
    environment whose approvals fill its lines, '' = its own do. ``pulled_from`` has <service> or <image> in it, '' =
    images are pulled under the name that the service says.
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
    rollback: Apart = ONE_PERSON
    interval: timedelta = DEFAULT_INTERVAL
    catch_up: bool = False
    clusters: tuple[str, ...] = ()
    after_any: bool = False
    takes: Takes = Takes.NEWEST
    via_said: Via | None = None
    opens: Opens = Opens.ON_REQUEST
    merges: Merges = Merges.WHEN_APPROVED
    soak: timedelta = NO_TIME
    age: timedelta = NO_TIME
    limit: Limit | None = None
    jump: int | None = ONE_MAJOR  # none = any number
    freeze: tuple[Window, ...] = ()
    gates: tuple[OutsideGate, ...] = ()
    health: tuple[str, ...] = ()
    evidence: Evidence = Evidence.SLACK
    emergency: Apart | None = None
    pulled_from: str = ""
    config: ConfigRule = ConfigRule.RECORD
    zone: str = ""
    notify: tuple[str, ...] = ()
    like: str = ""
    approvals_as: str = ""
    is_observed: bool = False
    was: tuple[str, ...] = ()

    @property
    def is_guarded(self) -> bool:
        """Whether the environment asks for approvals."""
        return bool(self.approvals)

    @property
    def via(self) -> Via:
        """What is said, else commit where nobody is asked, else a pull request."""
        return self.via_said or (Via.PULL_REQUEST if self.is_guarded else Via.COMMIT)

    @property
    def is_self_merging(self) -> bool:
        """Whether nobody is asked, and moves go by pull requests that the bot merges when their checks let it."""
        return not self.is_guarded and not self.is_observed and self.via is Via.PULL_REQUEST

    @property
    def has_promotions(self) -> bool:
        """Whether a move is a promotion: asked for, judged, and landed when nothing waits any more."""
        return self.is_guarded or self.is_self_merging

    @property
    def has_pull_requests(self) -> bool:
        """Whether promotions go by pull request; else the bot pushes what is approved itself, and needs no forge."""
        return self.has_promotions and self.via is Via.PULL_REQUEST

    @property
    def is_by_commit(self) -> bool:
        """Whether promotions go without a pull request: then nobody but the bot can land one."""
        return self.has_promotions and not self.has_pull_requests

    def paths_of(self, service: str) -> tuple[str, ...]:
        """Return the folders in which this service's references are looked for."""
        return tuple(path.replace("<service>", service) for path in self.paths)


@dataclass(frozen=True, slots=True)
class Service:
    """Images of one version, the versions that may run, and who owns it ('' = nobody is named).

    ``policy`` is the ImagePolicy that it follows, '' = none: then ``versions``, ``exclusions`` and ``trouble`` may
    differ between environments, and ``Rules.there`` has what is meant in each, as it has the ``addresses`` at which
    its references are (none = they are looked for). ``marked_only``: another service has the same image, so that
    only markers of the policy say which reference is whose. ``environments`` are those in which it exists, none = all.
    ``channel`` is where it is said, '' = in the environment's. ``links`` are name and address.
    """

    name: str
    images: tuple[Repository, ...]
    versions: SelectionPolicy
    versions_text: str
    at: Position
    owner: str = ""
    policy: str = ""
    exclusions: tuple[str, ...] = ()
    trouble: Trouble | None = None
    marked_only: bool = False
    addresses: tuple[At, ...] = ()
    channel: str = ""
    source: str = ""
    links: tuple[tuple[str, str], ...] = ()
    environments: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    was: tuple[str, ...] = ()

    @property
    def image(self) -> Repository:
        """The first image: what is shown, and whose tags are the versions."""
        return self.images[0]

    def is_in(self, environment: str) -> bool:
        """Whether the service exists in an environment."""
        return not self.environments or environment in self.environments

    def select(self, tags: Iterable[str], builds: Builds = NO_BUILDS) -> Selection:
        """Choose among a repository's tags; those that its ImageRepository leaves out are filtered.

        ``builds`` is asked where the order is that of builds.
        """
        names = list(tags)
        times = self._times(names, builds) if self.versions.needs_builds else {}
        if not self.exclusions:
            return select(self.versions, names, times)
        found = select(self.versions, tag_list.without_excluded(names, self.exclusions), times)
        return replace(found, fates={**dict.fromkeys(names, Fate.FILTERED), **found.fates})

    def _times(self, names: Iterable[str], builds: Builds) -> dict[str, Build]:
        """Return when each version was built: when the last of its images was."""
        of_tags = {
            name: together(builds.get((image, Tag(name), self.platforms)) for image in self.images)
            for name in names
        }
        return {name: one for name, one in of_tags.items() if one is not None}
