"""``gates``: who outside is asked, each ``{KIND: {setting: ...}}``, with a name where a kind is there twice."""

from policies.rulebook.fields import Fields, is_name, kind_of, text_of, texts_of
from policies.rulebook.findings import Findings
from policies.rulebook.outside_gates import KINDS, complaints
from policies.rulebook.text import Items, Node, Table, Text
from policies.rules.terms import OutsideGate

MAX_GATES = 20


def gates(found: Fields) -> tuple[OutsideGate, ...]:
    """Read the list; two gates of one name are noted."""
    node, findings = found.node("gates"), found.findings
    if node is None:
        return ()
    items = node.items if isinstance(node, Items) else (node,)
    if len(items) > MAX_GATES:
        findings.add(node.at, f"gates has {len(items)} gates", f"at most {MAX_GATES}")
        return ()
    read: dict[str, OutsideGate] = {}
    for item in items:
        gate = _gate(item, findings)
        if gate and gate.name in read:
            findings.add(
                item.at, f"two gates are called {gate.name}", "a name for each, such as name: load-test"
            )
        elif gate:
            read[gate.name] = gate
    return tuple(read.values())


def _gate(node: Node, findings: Findings) -> OutsideGate | None:
    if not isinstance(node, Table):
        findings.add(node.at, f"a gate is {kind_of(node)}", "a table such as {http: {url: ...}}")
        return None
    said = [(key, value) for key, value in node.entries if key.value != "name"]
    if len(said) != 1:
        findings.add(node.at, f"a gate has {len(said)} kinds", f"one of {', '.join(KINDS)}")
        return None
    kind, value = said[0]
    if kind.value not in KINDS:
        findings.unknown(kind.at, "kind of gate", kind.value, KINDS)
        return None
    named = node.get("name")
    name = text_of(named, "name", findings) if named else kind
    if name is None or (name is not kind and not is_name(name, "a gate", findings)):
        return None
    return OutsideGate(kind.value, name.value, _settings(kind, value, findings), kind.at)


def _settings(kind: Text, node: Node, findings: Findings) -> dict[str, tuple[str, ...]]:
    """Read a kind's settings and hold them against its own table."""
    if not isinstance(node, Table):
        findings.add(
            node.at, f"{kind.value} is {kind_of(node)}", f"a table with {', '.join(KINDS[kind.value])}"
        )
        return {}
    said = {key.value: (key, texts_of(value, key.value, findings)) for key, value in node.entries}
    settings = {
        name: tuple(text.value for text in texts) for name, (_, texts) in said.items() if texts is not None
    }
    if len(settings) == len(said):
        for one in complaints(kind.value, settings):
            at = said[one.setting][0].at if one.setting in said else kind.at
            findings.add(at, one.what, one.expected)
    return settings
