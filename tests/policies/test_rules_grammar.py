"""What each key refuses, with its place: the grammar of keys that came with exceptions, times, gates and people."""

import pytest

from policies.rulebook.parse import RulesError, parse
from tests.policies.test_rules_keys import URL, text_of


def with_environment(text: str, more: str) -> str:
    return text.replace("services:\n", f"{more}services:\n", 1)


def refused(text: str) -> list[str]:
    with pytest.raises(RulesError) as caught:
        parse({"p.yaml": text.encode()})
    return [f"{one.what}; expected {one.expected}" for one in caught.value.findings]


IN_ENVIRONMENT: dict[str, tuple[str, str]] = {
    "a choice": ("takes: old", "takes is 'old'; expected newest or same"),
    "a limit without span": ("limit: 4", "limit is '4'; expected a form such as 4 per 1h, or none"),
    "a limit of an odd span": ("limit: 4 per 5", "'5' is not a duration; expected a form such as 30m"),
    "a limit of a blink": (
        "limit: 4 per 1ms",
        "limit is '4 per 1ms'; expected whole seconds, from 1s to 366d",
    ),
    "a jump in words": ("jump: much", "jump is 'much'; expected 0, 1, 2 ... 99, or any"),
    "a window": ("freeze: Someday", "'Someday' is not a window; expected Fri 15:00"),
    "many windows": (
        f"freeze: [{', '.join(['2026-12-24'] * 51)}]",
        "freeze has 51 entries; expected at most 50",
    ),
    "closed without dates": (
        "freeze: closed",
        "freeze is closed and the calendar has no closed; expected calendar: {closed: ...}",
    ),
    "a zone": ("zone: Berlin", "'Berlin' is not a time zone; expected a name such as Europe/Berlin"),
    "a gate in a word": ("gates: http", "a gate is 'http'; expected a table such as {http: {url: ...}}"),
    "a gate of two kinds": (
        "gates: [{http: {url: x}, checks: {}}]",
        "a gate has 2 kinds; expected one of http",
    ),
    "an unknown gate": (
        "gates: [{htp: {}}]",
        "unknown kind of gate 'htp'; expected 'http', did you mean that?",
    ),
    "a gate's settings in a word": ("gates: [{http: x}]", "http is 'x'; expected a table with url, json, is"),
    "a gate without its setting": ("gates: [{http: {}}]", "http has no url; expected url: an address"),
    "a gate's odd setting": (
        f"gates: [{{http: {{url: '{URL}', ur: x}}}}]",
        "'ur' is no setting of http; expected one of",
    ),
    "a gate's table of settings": (
        "gates: [{http: {url: {a: b}}}]",
        "url is a table; expected text, or a list of texts",
    ),
    "a gate's name": (f"gates: [{{http: {{url: '{URL}'}}, name: A}}]", "'A' cannot be a gate's name"),
    "a gate's name that is a list": (
        f"gates: [{{http: {{url: '{URL}'}}, name: [a]}}]",
        "name is a list; expected text",
    ),
    "two gates of one name": (
        "gates: [{labels: {has: a=b}}, {labels: {has: a=c}}]",
        "two gates are called labels; expected a name for each",
    ),
    "many gates": (
        f"gates: [{', '.join(['{labels: {has: a=b}}'] * 21)}]",
        "gates has 21 gates; expected at most 20",
    ),
    "much health": (
        f"health: [{', '.join(f'h{n}' for n in range(21))}]",
        "health has 21 names; expected at most 20",
    ),
    "a long name of health": (
        f"health: {'h' * 256}",
        "health has a name of 256 characters; expected at most 255",
    ),
    "an emergency of nobody": (
        "emergency: {tell: x}",
        "emergency has no approvals; expected approvals: 1 of TEAM",
    ),
    "an emergency without asking": (
        "emergency: {approvals: none}",
        "emergency asks nobody; expected 1 or more: an emergency is the word of one person at least",
    ),
    "an emergency in a word": ("emergency: yes", "emergency is 'yes'; expected a table with approvals"),
    "an emergency that skips the digest": (
        "emergency: {approvals: 1, skips: digest}",
        "emergency skips digest, which nothing may skip; expected some of ",
    ),
    "an emergency that skips what is none": (
        "emergency: {approvals: 1, skips: soke}",
        "unknown gate in skips 'soke'; expected 'soak', did you mean that?",
    ),
    "a channel of incidents": (
        "emergency: {approvals: 1, tell: The Room}",
        "'The Room' is not a channel; expected",
    ),
    "pulled from a tag": ("pulled-from: a.io/<image>:1", "expected"),
    "pulled from one for all": (
        "pulled-from: a.io/b",
        "pulled-from is 'a.io/b' for all; expected a repository with",
    ),
    "an exception in a word": (
        "exceptions: {web: yes}",
        "an exception is 'yes'; expected a table with approvals",
    ),
    "who is nobody": (
        "notify: [onkall]",
        "unknown team or person 'onkall'; expected 'oncall', did you mean that?",
    ),
    "many who are pinged": (
        f"notify: [{', '.join(f'U0{n}X' for n in range(21))}]",
        "notify has 21 names; expected at most 20",
    ),
    "an old name": ("was: Prod", "'Prod' cannot be an environment's name"),
    "after in a table": ("after: {all: [staging]}", "unknown key in after 'all'; expected"),
    "after any of none": ("after: {any: []}", "after has no environments; expected one at least"),
    "after any of what is unknown": (
        "after: {any: stagin}",
        "unknown environment 'stagin'; expected 'staging'",
    ),
    "like nobody": ("like: stagin", "unknown environment 'stagin'; expected 'staging', did you mean that?"),
    "an exception of a key that is for all": (
        "exceptions: {web: {path: x}}",
        "an exception has path; expected path outside of an exception",
    ),
    "an exception of nobody": (
        "exceptions: {wep: {soak: 1h}}",
        "unknown service 'wep'; expected 'web', did you mean that?",
    ),
    "an exception's value": ("exceptions: {web: {soak: soon}}", "'soon' is not a duration; expected"),
}
IN_SERVICE: dict[str, tuple[str, str]] = {
    "no images": ("images: []", "images has 0 repositories; expected 1 to 20"),
    "images and a chart": (
        "images: [a.io/b]\n    chart: oci://a.io/c",
        "images beside image or chart; expected one of them",
    ),
    "an image twice": (
        "images: [alpine, docker.io/library/alpine]",
        "images has a repository twice; expected each once",
    ),
    "an image that is none": ("images: [a.io/b, A]", "expected"),
    "a source": ("source: checkout", "source is 'checkout'; expected OWNER/NAME at the forge"),
    "links in a word": ("links: x", "links is 'x'; expected a table of names, each with an address"),
    "a link that is none": (
        "links: {a: http://x}",
        "'http://x' is not an address; expected an address such as https",
    ),
    "a link with a login": ("links: {a: 'https://me@x/'}", "'https://me@x/' is not an address; expected"),
    "a link that is no text": ("links: {a: [b]}", "link 'a' is a list; expected text"),
    "a link's name": ("links: {A: https://x.io}", "'A' cannot be a link's name"),
    "many links": (
        f"links: {{{', '.join(f'l{n}: https://x.io' for n in range(11))}}}",
        "links has 11 addresses; expected at most 10",
    ),
    "a platform": ("platforms: linux", "platform is 'linux'; expected a form such as linux/amd64"),
    "an environment": (
        "environments: stagin",
        "unknown environment 'stagin'; expected 'staging', did you mean that?",
    ),
    "a place of a service that is none": (
        "versions: nope\n    at: {staging: 'x.yaml: a'}",
        "'nope' is not a version",
    ),
    "a place with a colon": (
        "at: {staging: {file: 'x: y', key: a}}",
        "file holds a colon and a space",
    ),
    "an old name": ("was: [ok, Web]", "'Web' cannot be a service's name"),
}
AT_TOP: dict[str, tuple[str, str]] = {
    "working hours": (
        "calendar: {working: [always]}",
        "'always' is not a window; expected Mon-Fri 08:00-18:00",
    ),
    "dates": ("calendar: {closed: christmas}", "'christmas' is no date of the calendar; expected 2026-12-24"),
    "many dates": (
        f"calendar: {{closed: [{', '.join(['2026-12-24'] * 1001)}]}}",
        "closed has 1001 entries; expected at most 1000",
    ),
    "a zone of the calendar": ("calendar: {zone: [a, b]}", "zone is a list; expected text"),
    "a group of one": ("groups: {shop: web}", "group 'shop' has 1 services; expected 2 to 50 services"),
    "a group of strangers": (
        "groups: {shop: [web, ape]}",
        "unknown service 'ape'; expected 'api', did you mean that?",
    ),
    "a group named as a service": (
        "groups: {web: [web, api]}",
        "web is a service already; expected another name",
    ),
    "a group named as an environment": (
        "groups: {production: [web, api]}",
        "production is an environment already; expected another name for the group",
    ),
    "a group named as a word of commands": (
        "groups: {rollback: [web, api]}",
        "rollback is a word of the commands; expected another name for a group",
    ),
    "a service in two groups": (
        "groups: {shop: [web, api], back: [api, web]}",
        "api is in group shop already; expected a service in one group",
    ),
    "a group in a table": (
        "groups: {shop: {web: api}}",
        "group 'shop' is a table; expected text, or a list of texts",
    ),
}


@pytest.mark.parametrize(("text", "finding"), IN_ENVIRONMENT.values(), ids=IN_ENVIRONMENT)
def test_a_key_of_an_environment_is_refused(text: str, finding: str) -> None:
    assert any(finding in one for one in refused(text_of(text)))


@pytest.mark.parametrize(("text", "finding"), IN_SERVICE.values(), ids=IN_SERVICE)
def test_a_key_of_a_service_is_refused(text: str, finding: str) -> None:
    assert any(finding in one for one in refused(text_of(service=text)))


@pytest.mark.parametrize(("text", "finding"), AT_TOP.values(), ids=AT_TOP)
def test_a_section_is_refused(text: str, finding: str) -> None:
    assert any(finding in one for one in refused(text_of(top=text)))


TEAMS: dict[str, tuple[str, str]] = {
    "a team of the forge without its name": (
        "github:acme",
        "team 'github:acme'; expected github:ORGANISATION/TEAM",
    ),
    "a user group without id": ("slack:night", "team 'slack:night'; expected github:ORGANISATION/TEAM"),
    "a team of tables": ("[{a: b}]", "a member is a table; expected text"),
    "a team in a list": (
        "[ada, 'github:acme/x']",
        "member 'github:acme/x'; expected a person, or the team alone",
    ),
}


@pytest.mark.parametrize(("team", "finding"), TEAMS.values(), ids=TEAMS)
def test_a_team_that_cannot_be_looked_up_is_refused(team: str, finding: str) -> None:
    text = text_of().replace("teams: {oncall:", f"teams: {{night: {team}, oncall:")

    assert any(finding in one for one in refused(text))


def test_an_environment_in_a_word_is_like_nothing() -> None:
    found = refused(with_environment(text_of(), "  eu: production\n"))

    assert any(one.startswith("an environment is 'production'; expected a table") for one in found)
