"""The proposed rules as the text of three files, with comments for whoever reads them first."""

from collections.abc import Mapping, Sequence

from policies.proposing.places import Place
from policies.proposing.services import Draft
from policies.rulebook.findings import visible
from policies.texts.quoting import written

PLACEHOLDER = "replace-me"
PLACEHOLDER_SLACK = "U0REPLACEME"
TEAM = "release-managers"
CHANNEL = "deploys"


def environments_text(places: Sequence[Place], befores: Mapping[str, Sequence[str]]) -> str:
    """Write environments.yaml."""
    lines = [
        "# Where references live, and what is asked before they move. Keys: docs/rules.md.",
        "environments:",
    ]
    for place in places:
        lines.append(f"  {_key(place.name)}:")
        lines += [f"    path: {_listed(place.paths)}"]
        if befores[place.name]:
            lines.append(f"    after: {_listed(befores[place.name])}")
        lines.append(f"    approvals: {f'1 of {TEAM}' if place.is_guarded else 'none'}")
        lines.append(f"    channel: {CHANNEL} # a channel of your Slack")
    return _file(lines, "environments:", is_empty=not places)


def services_text(services: Sequence[Draft], aside: Sequence[Draft]) -> str:
    """Write services.yaml: what is promoted, then as comments what may be."""
    lines = ["# Images, and the versions of them that may run.", "services:"]
    for one in services:
        remark = _remark(one.versions.remark if one.versions else "")
        lines.append(f"  {_entry(one)}{remark}")
    text = _file(lines, "services:", is_empty=not services)
    offered = [one for one in aside if one.versions is not None]
    if not offered:
        return text
    more = ["", "# Not proposed; whatever you promote yourselves goes under services: without its #."]
    more += [
        f"#  {_entry(one)} # {_comment(one.places[0] if one.is_outsider else one.why)}" for one in offered
    ]
    return text + "\n".join([*more, ""])


def people_text() -> str:
    """Write people.yaml: one placeholder, of whom ``countersign lint`` and ``doctor`` complain until it is gone."""
    return f"""\
# Who is who: ids decide. Slack: a person's profile, ..., Copy member ID. Two people at least: nobody approves alone.
people:
  {PLACEHOLDER}: {{slack: {PLACEHOLDER_SLACK}}} # such as ada: {{slack: U0ADA, github: ada-l}}
teams:
  {TEAM}: [{PLACEHOLDER}]
"""


def _entry(one: Draft) -> str:
    versions = one.versions.text if one.versions else "''"
    return f"{_key(one.name)}: {{image: {written(one.image, '')}, versions: {versions}}}"


def _key(name: str) -> str:
    return written(name, "")


def _listed(names: Sequence[str]) -> str:
    quoted = [_text(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"


def _text(value: str) -> str:
    """Quote a path or name. JSON's escapes are YAML's, for what is not ASCII."""
    if value.isascii():
        return written(value, "")
    return '"' + "".join(_escaped(letter) for letter in value) + '"'


def _escaped(letter: str) -> str:
    return f"\\U{ord(letter):08x}" if not letter.isascii() else f"\\{letter}" if letter in '"\\' else letter


def _remark(text: str) -> str:
    return f" # {_comment(text)}" if text else ""


def _comment(text: str) -> str:
    return visible(text)[:200]


def _file(lines: Sequence[str], section: str, *, is_empty: bool) -> str:
    """Join lines; a section without entries is a comment, for nothing may be written under it."""
    kept = [f"# {line}" if is_empty and line == section else line for line in lines]
    return "\n".join([*kept, ""])
