"""A service of the rules: an image, the versions of it that may run, an owner; what is left out comes from defaults."""

import re
from collections.abc import Callable, Mapping

from policies.errors import PolicyError
from policies.images.image import Repository
from policies.images.selection import SelectionPolicy
from policies.images.tag_filter import TagFilter
from policies.manifests.charts import OCI
from policies.rulebook.about import about
from policies.rulebook.document import Entry
from policies.rulebook.fields import Fields, fields, former_names, is_name, text_of
from policies.rulebook.findings import Findings, shown
from policies.rulebook.flux import NO_VERSIONS, Followed
from policies.rulebook.keys import DEFAULTS, SERVICE, VERSIONS
from policies.rulebook.path import PLACEHOLDER
from policies.rulebook.people import People
from policies.rulebook.text import Node, Table, Text
from policies.rules.rules import Position, Service

_CHOICES: dict[str, Callable[[str, str | None, str], SelectionPolicy]] = {
    "semver": SelectionPolicy.semver,
    "alphabetical": SelectionPolicy.alphabetical,
    "numerical": SelectionPolicy.numerical,
    "newest-build": SelectionPolicy.newest_build,
    "digest-of": SelectionPolicy.digest_of,
}
_POLICY = re.compile(r"(?:[a-z0-9][a-z0-9-]{0,62}/)?[a-z0-9][a-z0-9.-]{0,252}", re.ASCII)
_NO_IMAGE = Repository()  # of a service whose ImagePolicy will name it
_MAX_PATTERN = 1_000
MAX_IMAGES = 20


def defaults(section: Mapping[str, Entry], people: People, findings: Findings) -> Fields:
    """Read what services get that do not say it themselves."""
    at = next((entry.name.at for entry in section.values()), Position("", 1, 1))
    table = Table(at, tuple((entry.name, entry.node) for entry in section.values()))
    found = fields(table, DEFAULTS, findings) or Fields(at, {}, findings)
    _owner(found, people)
    _flux(found.node("versions"), "service", findings)
    _versions(found.node("versions"), findings)
    about("service", found, findings)
    return found


def service(
    entry: Entry, given: Fields, people: People, findings: Findings, followed: Followed | None = None
) -> Service | None:
    """Read one service; nothing written under its name means the defaults.

    ``followed`` looks up the ImagePolicy that ``versions`` may name.
    """
    is_name(entry.name, "a service", findings, can_say_was=True)
    is_empty = isinstance(entry.node, Text) and not entry.node.value
    own = Fields(entry.name.at, {}, findings) if is_empty else fields(entry.node, SERVICE, findings)
    if own is None:
        return None
    found = Fields(entry.name.at, {**given.entries, **own.entries}, findings, given.is_whole and own.is_whole)
    node, flux = found.node("versions"), _flux(found.node("versions"), entry.name.value, findings)
    is_own = bool(own.entries.keys() & {"image", "images", "chart"})
    images = _images(entry, found, own) if flux is None or is_own or "image" in found.entries else ()
    if node is None:
        expected = "versions, such as 1.x, here or in defaults"
        found.missing(entry.name.at, f"{shown(entry.name.value)} has no versions", expected)
    owner = _owner(found, people)
    versions = NO_VERSIONS if flux else _versions(node, findings)
    more = about(entry.name.value, found, findings)
    if versions is not None and versions.followed and len(images) > 1:
        expected = "a service for each image, and a group where they move together"
        found.findings.add(
            node.at if node else entry.name.at, "digest-of follows one image, not several", expected
        )
    if versions is None or node is None or (not images and (is_own or flux is None)):
        return None
    bare = Service(
        name=entry.name.value,
        images=images or (_NO_IMAGE,),
        versions=versions,
        versions_text=_spelled(node),
        at=entry.name.at,
        owner=owner,
        channel=more.channel,
        source=more.source,
        links=more.links,
        environments=more.environments,
        platforms=more.platforms,
        was=former_names(own, "a service"),
    )
    if flux is None:
        return bare
    if followed is None:
        findings.add(flux.at, "flux is not looked up here", f"one of {', '.join(_CHOICES)}")
        return None
    return followed.service(bare, flux, findings, said=images if is_own else (), given=images)


def _images(entry: Entry, found: Fields, own: Fields) -> tuple[Repository, ...]:
    """Read the repositories; none where one of them cannot be read."""
    texts = own.texts("images")
    if texts is None:
        one = _image(entry, found, own)
        return (one,) if one else ()
    if not 1 <= len(texts) <= MAX_IMAGES:
        own.findings.add(own.place("images"), f"images has {len(texts)} repositories", f"1 to {MAX_IMAGES}")
    if own.node("image") or own.node("chart"):
        own.findings.add(own.place("images"), "images beside image or chart", "one of them")
    read = [
        _repository(text.at, text.value.replace(PLACEHOLDER, entry.name.value), own.findings)
        for text in texts
    ]
    good = {one.canonical: one for one in read if one}
    if len(good) < len(texts) and None not in read:
        own.findings.add(own.place("images"), "images has a repository twice", "each once")
    return tuple(good.values()) if None not in read else ()


def _image(entry: Entry, found: Fields, own: Fields) -> Repository | None:
    """Read the repository: a chart's is one, too, and stands in an OCI registry."""
    name, chart = entry.name.value, own.text("chart")
    if chart is not None:
        return _chart(chart, own)
    if found.node("image") is None and own.node("chart") is None and own.node("images") is None:
        expected = f"image, here or in defaults (there {PLACEHOLDER} is the name)"
        found.missing(entry.name.at, f"{shown(name)} has no image", expected)
    text = found.text("image")
    if text is None:
        return None
    at = text.at if own.node("image") is not None else entry.name.at
    return _repository(at, text.value.replace(PLACEHOLDER, name), found.findings)


def _chart(text: Text, own: Fields) -> Repository | None:
    if own.node("image") is not None:
        own.findings.add(text.at, "image and chart", "one of the two")
    if not text.value.startswith(OCI):
        own.findings.add(text.at, f"chart is {shown(text.value)}", f"{OCI}HOST/PATH")
        return None
    return _repository(text.at, text.value.removeprefix(OCI), own.findings)


def _repository(at: Position, text: str, findings: Findings) -> Repository | None:
    try:
        return Repository.parse(text)
    except PolicyError as error:
        findings.refuse(at, error)
        return None


def _owner(found: Fields, people: People) -> str:
    text = found.text("owner")
    if text is None:
        return ""
    if text.value not in people.names:
        found.findings.unknown(text.at, "team or person", text.value, people.names)
    return text.value


def _flux(node: Node | None, name: str, findings: Findings) -> Text | None:
    """Return the ImagePolicy that ``versions`` names; it says all by itself."""
    found = node.get("flux") if isinstance(node, Table) else None
    if not isinstance(node, Table) or found is None:
        return None
    for key, _ in node.entries:
        if key.value != "flux":
            findings.add(key.at, f"versions says flux and {shown(key.value)}", "flux: NAMESPACE/NAME alone")
    text = text_of(found, "flux", findings)
    if text is None:
        return None
    policy = text.value.replace(PLACEHOLDER, name)
    if _POLICY.fullmatch(policy) is None:
        findings.add(text.at, f"flux is {shown(text.value)}", "an ImagePolicy as NAMESPACE/NAME, or its NAME")
        return None
    return Text(text.at, policy)


def _versions(node: Node | None, findings: Findings) -> SelectionPolicy | None:
    """Read what may run: text is a semver range, a table names how to choose."""
    match node:
        case None:
            return None
        case Text(at=at):
            node = Table(at, ((Text(at, "semver"), node),))
        case _:
            pass
    found = fields(node, VERSIONS, findings)
    if found is None or found.node("flux") is not None:
        return None
    chosen = [key for key in _CHOICES if key in found.entries]
    if len(chosen) > 1:
        findings.add(found.at, f"versions says {' and '.join(chosen)}", f"one of {', '.join(_CHOICES)}")
        return None
    if not chosen:
        found.missing(found.at, "versions says not how to choose", f"one of {', '.join(_CHOICES)}")
        return None
    return _policy(chosen[0], found)


def _policy(choice: str, found: Fields) -> SelectionPolicy | None:
    how, tags, extract = found.text(choice), found.text("tags"), found.text("extract")
    if extract and not tags:
        found.findings.add(extract.at, "extract without tags", "tags: a pattern whose groups extract names")
    if tags and len(tags.value) > _MAX_PATTERN:
        found.findings.add(tags.at, f"tags has {len(tags.value)} characters", f"at most {_MAX_PATTERN}")
        return None
    if how is None:
        return None
    pattern = _pattern(tags, found.findings)
    try:
        return _CHOICES[choice](how.value, pattern, extract.value if extract and pattern is not None else "")
    except PolicyError as error:
        found.findings.refuse(how.at, error)
        return None


def _pattern(tags: Text | None, findings: Findings) -> str | None:
    """Check the pattern by itself, so that what is wrong with it is told where it stands."""
    if tags is None:
        return None
    try:
        TagFilter.parse(tags.value)
    except PolicyError as error:
        findings.refuse(tags.at, error)
        return None
    return tags.value


def _spelled(node: Node) -> str:
    """Write ``versions`` in one line, as people read it."""
    if isinstance(node, Table):
        return ", ".join(f"{key.value}: {_spelled(value)}" for key, value in node.entries)
    return node.value if isinstance(node, Text) else ""
