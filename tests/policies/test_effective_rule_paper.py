"""The effective rule as docs/ledger.md tells it: its tables beside the code's keys, and a reader made from them."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from policies.gates import TABLE, Before
from policies.rulebook.parse import parse
from policies.rules.rules import Rules, effective, moving_rule

PAGE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text("utf-8")
UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
Said = Mapping[str, Any]


def _table(heading: str) -> dict[str, tuple[str, str]]:
    """Return key -> form and built-in value, both as the page has them."""
    rows = PAGE.split(f"| {heading} | form | built-in | what |\n", 1)[1].split("\n\n", 1)[0]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()[1:]]
    return {name.strip("`"): (form.strip("`"), built_in.strip("`")) for name, form, built_in, _ in cells}


ALWAYS, LATER = _table("always there"), _table("left out when built-in")

WORLD: dict[str, Any] = {
    "calendar": {
        "zone": "Europe/Berlin",
        "working": ["Mon-Fri 08:00-18:00"],
        "closed": ["2026-12-24..2027-01-01", "2026-05-01"],
    },
    "environments": {
        "staging": {"path": "apps/staging", "channel": "deploys", "approvals": "none"},
        "qa": {"path": "apps/qa/<service>", "channel": "deploys", "approvals": "observe", "takes": "newest"},
        "production": {
            "path": ["apps/production/<service>", "apps/shared"],
            "channel": "deploys",
            "approvals": ["1 of owners or oncall", "2"],
            "after": {"any": ["staging", "qa"]},
            "exclude": ["authors", "requester"],
            "expire": "90m",
            "merge-within": "2d",
            "takes": "newest",
            "soak": "1h30m",
            "age": "36h",
            "limit": "4 per 90m",
            "jump": "any",
            "freeze": ["Fri 15:00 - Mon 08:00", "22:00-06:00", "2026-12-24..2027-01-01", "closed"],
            "gates": [
                {"http": {"url": "https://example.com/state", "json": "/status/open", "is": ["yes", "1"]}},
                {"prometheus": {"url": "https://example.com", "query": "up", "is": "> 0"}, "name": "load"},
            ],
            "health": ["ready", "smoke"],
            "evidence": "1 review",
            "emergency": {"approvals": "1 of oncall", "tell": "incidents", "skips": ["soak", "freeze"]},
            "rollback": {"approvals": "1 of owners", "review": "2d"},
            "config": "guard",
            "merges": "atomic",
            "zone": "Europe/London",
        },
        "mirror": {
            "path": "apps/mirror",
            "channel": "deploys",
            "approvals": "as production",
            "after": "staging",
            "takes": "same",
            "pulled-from": "mirror.example.com/<image>",
            "soak": "0s",
            "jump": "1",
            "config": "record",
        },
    },
    "services": {
        "web": {
            "image": "ghcr.io/example/web",
            "versions": "1.x",
            "owner": "release-managers",
            "source": "example/web",
            "platforms": ["linux/amd64", "linux/arm64"],
        },
        "shop": {"image": "ghcr.io/example/shop", "versions": "1.x"},
    },
    "people": {
        name: {"slack": f"U0{name.upper()}", "github": name} for name in ("ada", "bob", "carol", "dave")
    },
    "teams": {"release-managers": ["ada", "bob", "carol", "dave"], "oncall": ["bob", "carol", "dave"]},
    "identity": {"email": ["example.com"], "approve": True},
}
WINDOWS = {"22:00-06:00": "Mon-Sun 22:00-06:00"}


def _rules(world: Said = WORLD) -> Rules:
    return parse({"promotion/rules.yaml": json.dumps(world).encode()})


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _seconds(value: str) -> int:
    return sum(int(count) * UNITS[unit] for count, unit in re.findall(r"([0-9]+)([dhms])", value))


def _lines(value: Any) -> list[Any]:
    if value in ("none", "observe"):
        return []
    parts = [one.partition(" of ") for one in _list(value)]
    return [{"count": int(count), "of": names.split(" or ") if names else []} for count, _, names in parts]


def _span(value: str) -> str:
    left, found = _seconds(value), ""
    for unit, size in UNITS.items():
        count, left = divmod(left, size)
        found += f"{count}{unit}" if count else ""
    return found


FORMS: dict[str, Callable[[Any], Any]] = {
    "text": str,
    "texts": _list,
    "seconds": _seconds,
    "lines": _lines,
    "true": bool,
    "list": list,
    "object": dict,
}


def _built_in(form: str, cell: str, *, is_asked: bool) -> Any:
    if choice := re.fullmatch(
        r"([a-z-]+)` where `approvals` has a line(?: or says `as`)?, else `([a-z-]+)", cell
    ):
        return choice[1] if is_asked else choice[2]
    if form == "text":
        return cell.strip('"')
    return {} if form == "object" else json.loads(cell)


def _said(where: str, what: str) -> dict[str, Any]:
    """Return by key what the rules say of a service in an environment, where they say something."""
    service = WORLD["services"][what]
    said = dict(WORLD["environments"][where])
    if str(said["approvals"]).startswith("as "):
        said["approvals-as"] = said["approvals"][3:]
        said["approvals"] = WORLD["environments"][said["approvals-as"]]["approvals"]
    said["observed"] = said["approvals"] == "observe"
    if isinstance(said.get("after"), dict):
        said |= {"after": said["after"]["any"], "after-any": True}
    name = service["image"].rpartition("/")[2]
    said |= {
        "environment": where,
        "service": what,
        "owner": service.get("owner", ""),
        "images": [said.get("pulled-from", service["image"]).replace("<image>", name)],
        "path": [path.replace("<service>", what) for path in _list(said["path"])],
        "platforms": service.get("platforms", []),
        "source": service.get("source", "") if "authors" in said.get("exclude", ()) else "",
        "email-approves": WORLD["identity"]["approve"],
        "group": next((all_ for all_ in WORLD.get("groups", {}).values() if what in all_), []),
        "calendar": WORLD["calendar"],
        "zone": said.get("zone", WORLD["calendar"]["zone"]),
        "freeze": [WINDOWS.get(one, one) for one in said.get("freeze", ())],
        "gates": [_gate(one) for one in said.get("gates", ())],
    }
    if back := said.pop("rollback", None):
        said["rollback"] = back["approvals"]
        said["rollback-rest"] = {"review": _seconds(back["review"])}
    if urgent := said.get("emergency"):
        said["emergency"] = {"approvals": _lines(urgent["approvals"]), "review": 0, "skips": urgent["skips"]}
    if "limit" in said:
        count, _, span = said["limit"].partition(" per ")
        said["limit"] = f"{count} per {_span(span)}"
    return said


def _gate(gate: Said) -> dict[str, Any]:
    kind = next(key for key in gate if key != "name")
    settings = {key: _list(value) for key, value in gate[kind].items()}
    return {"kind": kind, "name": gate.get("name", kind), "settings": settings}


def _read(where: str, what: str) -> dict[str, Any]:
    """Make the object from the page's two tables."""
    said, found = _said(where, what), {}
    is_asked = bool(_lines(said["approvals"]))
    for name, (form, cell) in ALWAYS.items():
        silent = None if name in said else _built_in(form, cell, is_asked=is_asked)
        found[name] = FORMS[form](said[name]) if name in said else silent
    for name, (form, cell) in LATER.items():
        value = FORMS[form](said[name]) if name in said else None
        if value is not None and value != _later_built_in(form, cell):
            found[name] = value
    return found


def _later_built_in(form: str, cell: str) -> Any:
    return _built_in(form, cell, is_asked=False)


def _hash(value: Any) -> str:
    line = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(line.encode()).hexdigest()


def test_the_page_names_exactly_the_keys_that_the_code_can_write() -> None:
    rule = effective(_rules(), "staging", "web")

    assert rule
    assert list(LATER) == list(rule.may_be_left_out())
    assert set(ALWAYS) == set(rule.canonical()) - set(LATER)
    assert list(ALWAYS) == sorted(ALWAYS)


def test_the_world_below_says_every_key_but_that_of_groups() -> None:
    said = {key for where in WORLD["environments"] for key in _read(where, "web")}

    assert said == {*ALWAYS, *LATER} - {"group"}


@pytest.mark.parametrize("service", WORLD["services"])
@pytest.mark.parametrize("environment", WORLD["environments"])
def test_a_reader_made_from_the_page_comes_to_the_same_hash(environment: str, service: str) -> None:
    rule = effective(_rules(), environment, service)

    assert rule
    assert rule.canonical() == _read(environment, service)
    assert rule.hash == _hash(_read(environment, service))


def test_a_group_is_its_members_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WORLD, "groups", {"front": ["shop", "web"]})
    rule = moving_rule(_rules(), "mirror", "front")

    assert rule
    members = [_read("mirror", name) for name in ("shop", "web")]
    assert members[0]["group"] == ["shop", "web"]
    assert rule.hash == _hash({"group": ["shop", "web"], "members": members})


@pytest.mark.parametrize(("mark", "stands"), [("alone", Before.ALONE), ("merge", Before.MERGED)])
def test_the_page_names_the_gates_that_the_validator_asks(mark: str, stands: Before) -> None:
    told = re.search(rf"under \*{mark}\* in [^`]*(?:`at`[^`]*`facts`: |: )`([a-z -]+)`", PAGE)

    assert told
    assert told[1].split() == [row.name for row in TABLE if stands in row.before]
