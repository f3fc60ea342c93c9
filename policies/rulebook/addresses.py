"""``at:`` of services: files and key paths where the search would not find a reference, by environment."""

from collections.abc import Iterator, Mapping

from policies.errors import PolicyError
from policies.manifests.at_path import At
from policies.rulebook.document import Entry
from policies.rulebook.fields import Fields, fields, text_of
from policies.rulebook.findings import Findings
from policies.rulebook.keys import ADDRESS_KEYS
from policies.rulebook.path import is_inside
from policies.rulebook.text import Items, Node, Table, Text
from policies.rules.rules import Environment

MAX_ADDRESSES = 100  # of one service in one environment
_EXPECTED = 'a table of environments, each with "FILE: KEY.PATH" or {file: FILE, key: KEY.PATH}'


def addresses(
    section: Mapping[str, Entry], environments: Mapping[str, Environment], findings: Findings
) -> dict[tuple[str, str], tuple[At, ...]]:
    """Return the addresses that services say, by environment and service.

    One that stands in another environment's folders, or that two places name, is refused.
    """
    found: dict[tuple[str, str], tuple[At, ...]] = {}
    taken: dict[str, str] = {}
    for service, entry in section.items():
        said = entry.node.get("at") if isinstance(entry.node, Table) else None
        for name, node in _by_environment(said, environments, findings):
            read = [pair for one in _items(node, findings) if (pair := _address(one, findings))]
            for text, at in read:
                _check(text, at, name, environments, findings)
                place = f"{service} in {name}"
                other = taken.setdefault(str(at), place)
                if other != place:
                    findings.add(text.at, f"{at} is the place of {place} and {other}", "a place for each")
            found[name, service] = tuple(dict.fromkeys(at for _, at in read))
    return found


def _by_environment(
    said: Node | None, environments: Mapping[str, Environment], findings: Findings
) -> Iterator[tuple[str, Node]]:
    """Yield each environment with what is said for it; one text alone is for the only environment."""
    if said is None:
        return
    if not isinstance(said, Table) and len(environments) == 1:
        yield next(iter(environments)), said
    elif not isinstance(said, Table):
        findings.add(said.at, "at says not in which environment", _EXPECTED)
    else:
        for key, node in said.entries:
            if key.value in environments:
                yield key.value, node
            else:
                findings.unknown(key.at, "environment", key.value, environments)


def _items(node: Node, findings: Findings) -> tuple[Node, ...]:
    items = node.items if isinstance(node, Items) else (node,)
    if not 1 <= len(items) <= MAX_ADDRESSES:
        findings.add(node.at, f"at has {len(items)} places", f"1 to {MAX_ADDRESSES} places")
        return ()
    return items


def _address(node: Node, findings: Findings) -> tuple[Text, At] | None:
    text = _of_table(node, findings) if isinstance(node, Table) else text_of(node, "at", findings)
    if text is None:
        return None
    try:
        return text, At.parse(text.value)
    except PolicyError as error:
        findings.refuse(text.at, error)
        return None


def _of_table(node: Table, findings: Findings) -> Text | None:
    found: Fields | None = fields(node, ADDRESS_KEYS, findings)
    file, key = (found.text("file"), found.text("key")) if found else (None, None)
    if found is not None and (file is None or key is None):
        found.missing(node.at, "an address has not both file and key", "{file: FILE, key: KEY.PATH}")
    if file is None or key is None:
        return None
    if ": " in file.value:
        findings.add(file.at, "file holds a colon and a space", "the path of a file alone")
        return None
    return Text(file.at, f"{file.value}: {key.value}")


def _check(
    text: Text, at: At, name: str, environments: Mapping[str, Environment], findings: Findings
) -> None:
    """Refuse what belongs to another environment, or to the rules."""
    if is_inside(at.path, text.at.file.rpartition("/")[0] or "."):
        findings.add(text.at, f"{at.path} is in the folder of the rules", "a file outside of it")
    for other, where in environments.items():
        folders = [path for path in where.paths if "<" not in path]
        if other != name and any(is_inside(at.path, folder) for folder in folders):
            findings.add(text.at, f"{at.path} is in a path of {other}", f"a file of {name}")
