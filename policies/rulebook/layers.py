"""An environment's text in layers: ``like``, its exceptions, own keys, own exceptions; each wins over those before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from policies.rulebook.document import Entry
from policies.rulebook.fields import fields, kind_of, text_of
from policies.rulebook.findings import Findings, shown
from policies.rulebook.keys import EXCEPTION
from policies.rulebook.text import Node, Table, Text
from policies.rules.terms import Layer, Source

OWN_ALONE = frozenset({"path", "cluster", "was"})  # what no other environment hands on
MAX_EXCEPTIONS = 5_000  # of all environments, with those that ``like`` hands on

_Said = dict[str, tuple[Text, Node, Layer]]


@dataclass(frozen=True, slots=True)
class Layered:
    """Environments as they are after layering: each as one entry, alone and for each service with an exception.

    ``sources`` say where each key comes from, '' for the service = for all.
    """

    plain: Mapping[str, Entry]
    excepted: Mapping[tuple[str, str], Entry]
    sources: Mapping[tuple[str, str], Mapping[str, Source]]
    names: Mapping[tuple[str, str], Text] = field(default_factory=dict)  # services, as exceptions write them


def layered(section: Mapping[str, Entry], findings: Findings) -> Layered:
    """Lay each environment's keys over those of the one that it is like."""
    likes = _likes(section, findings)
    own = {name: _own(entry.node) for name, entry in section.items()}
    exceptions = {name: _exceptions(entry, findings) for name, entry in section.items()}
    plain: dict[str, Entry] = {}
    excepted: dict[tuple[str, str], Entry] = {}
    sources: dict[tuple[str, str], Mapping[str, Source]] = {}
    said: dict[str, _Said] = {}
    apart: dict[str, dict[str, _Said]] = {}
    left = MAX_EXCEPTIONS
    for name in _in_order(section, likes):
        entry, like = section[name], likes.get(name)
        said[name] = {**_handed_on(said[like] if like else {}), **own[name]}
        apart[name] = {}
        services = dict.fromkeys([*(apart[like] if like else ()), *exceptions[name]])
        left -= len(services)
        if left < 0:
            findings.add(
                entry.name.at, f"there are more than {MAX_EXCEPTIONS} exceptions", "fewer, or none by like"
            )
            break
        for service in services:
            base = apart[like].get(service, said[like]) if like else {}
            apart[name][service] = {
                **_handed_on(base),
                **own[name],
                **exceptions[name].get(service, {}),
            }
            excepted[name, service] = _entry(entry, apart[name][service])
            sources[name, service] = _sources(apart[name][service])
        plain[name] = _entry(entry, said[name])
        sources[name, ""] = _sources(said[name])
    names = {(name, key.value): key for name, entry in section.items() for key, _ in _written(entry)}
    ordered = {name: plain[name] for name in section if name in plain}
    return Layered(ordered, excepted, sources, names)


def _likes(section: Mapping[str, Entry], findings: Findings) -> dict[str, str]:
    """Return which environment each is like; none where that is unknown, or leads back to it."""
    found: dict[str, str] = {}
    for name, entry in section.items():
        node = entry.node.get("like") if isinstance(entry.node, Table) else None
        text = text_of(node, "like", findings) if node else None
        if text is None:
            continue
        if text.value == name:
            findings.add(text.at, f"{name} is like itself", "another environment")
        elif text.value not in section:
            findings.unknown(text.at, "environment", text.value, set(section) - {name})
        else:
            found[name] = text.value
    for circle in circles(found):
        at = section[circle[0]].place("like")
        findings.add(at, f"{', '.join(circle[:10])} are like each other in a circle", "one that stands alone")
        for one in circle:
            del found[one]
    return found


def circles(to: Mapping[str, str]) -> list[list[str]]:
    """Return the circles in which names lead to each other, each once, in the order of the names."""
    found: list[list[str]] = []
    walked: dict[str, str] = {}  # name -> from where it was reached
    for start in to:
        name = start
        while name in to and name not in walked:
            walked[name] = start
            name = to[name]
        if walked.get(name) == start:
            circle = [name]
            while to[circle[-1]] != name:
                circle.append(to[circle[-1]])
            found.append(circle)
    return found


def _in_order(section: Iterable[str], likes: Mapping[str, str]) -> Iterable[str]:
    """Return environments so that each comes after the one that it is like."""
    found: dict[str, None] = {}
    for name in section:
        chain = [name]
        while chain[-1] in likes and likes[chain[-1]] not in found:
            chain.append(likes[chain[-1]])
        found.update(dict.fromkeys(reversed(chain)))
    return found


def _own(node: Node) -> _Said:
    entries = node.entries if isinstance(node, Table) else ()
    return {key.value: (key, value, Layer.OWN) for key, value in entries if key.value != "exceptions"}


def _exceptions(entry: Entry, findings: Findings) -> dict[str, _Said]:
    node = entry.node.get("exceptions") if isinstance(entry.node, Table) else None
    if node is not None and not isinstance(node, Table):
        findings.add(node.at, f"exceptions is {kind_of(node)}", "a table of services, each with its keys")
    found: dict[str, _Said] = {}
    for service, keys in _written(entry):
        if not service.value:
            continue  # no service is called so; it is noted where names are looked up
        read = fields(keys, EXCEPTION, findings)
        if read is not None and not read.entries and read.is_whole:
            findings.add(
                keys.at, f"the exception of {shown(service.value)} says nothing", "keys that are other for it"
            )
        if read is not None:
            names = {key.value: key for key, _ in keys.entries} if isinstance(keys, Table) else {}
            found[service.value] = {
                key: (names[key], value, Layer.OWN_EXCEPTION) for key, value in read.entries.items()
            }
    return found


def _handed_on(said: _Said) -> _Said:
    """Return what another environment gives, by the layer from which it comes then."""
    excepted = {Layer.OWN_EXCEPTION, Layer.LIKE_EXCEPTION}
    return {
        key: (name, node, Layer.LIKE_EXCEPTION if was in excepted else Layer.LIKE)
        for key, (name, node, was) in said.items()
        if key not in OWN_ALONE
    }


def _entry(entry: Entry, said: _Said) -> Entry:
    if not isinstance(entry.node, Table):
        return entry
    return Entry(entry.name, Table(entry.node.at, tuple((key, node) for key, node, _ in said.values())))


def _sources(said: _Said) -> dict[str, Source]:
    return {key: Source(layer, name.at) for key, (name, _, layer) in said.items()}


def _written(entry: Entry) -> tuple[tuple[Text, Node], ...]:
    node = entry.node.get("exceptions") if isinstance(entry.node, Table) else None
    return node.entries if isinstance(node, Table) else ()
