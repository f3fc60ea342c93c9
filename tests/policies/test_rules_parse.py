"""What the files of ``promotion/`` say, and every way in which they are refused."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.images.selection import Numerical, Order, Semver
from policies.rulebook.fields import RESERVED
from policies.rulebook.findings import MAX_FINDINGS
from policies.rulebook.parse import Finding, RulesError, parse
from policies.rules.rules import Apart, DigestRule, Host, Line, Person, Position, Rules, Team, Via, effective

# DESIGN section 4, first example.
FIRST = """\
# promotion/rules.yaml
environments:
  staging:    {path: apps/staging, channel: deploys, approvals: none}
  production: {path: apps/production, channel: deploys, approvals: 1, after: staging}
services:
  checkout-api: {image: ghcr.io/example/checkout-api, versions: 1.x}
"""

ENVIRONMENTS = """\
environments:
  staging:
    path: apps/staging
    approvals: none
    channel: deploys-staging
  production:
    path: [./apps//production/, clusters/<service>/production]
    after: staging
    approvals: [1 of owners, 1 of release-managers]
    rollback: {approvals: 1 of owners or oncall}
    exclude: [requester]
    expire: 1d
    merge-within: 1h30m
    interval: 10s
    digest: keep
    evidence: slack
    catch-up: true
    channel: "#deploys"
"""
SERVICES = """\
defaults: {image: ghcr.io/acme/<service>, versions: ">=1.0.0", owner: platform}
services:
  cart-api:
  identity: {versions: 2.x, owner: bob}
  web: {versions: {numerical: asc, tags: '^main-[0-9a-f]+-(?P<ts>\\d+)$', extract: $ts}}
"""
PEOPLE = """\
people: {ada: {slack: U0ADA, github: ada-l}, bob: {slack: U0BOB}, carol: {github: Carol}}
teams:
  {release-managers: [ada, bob, carol], platform: [ada], oncall: [bob]}
registries:
  localhost:5000: {http: true, private: true}
  docker.io: {concurrency: 4}
"""


def rules_of(text: str) -> Rules:
    return parse({"promotion/rules.yaml": text.encode()})


def refused(text: str) -> list[str]:
    """Return the findings of a text that is refused, without the name of the file."""
    with pytest.raises(RulesError) as caught:
        rules_of(text)
    return [str(finding).removeprefix("promotion/rules.yaml:") for finding in caught.value.findings]


def test_the_first_example_of_the_design_is_read() -> None:
    rules = rules_of(FIRST)

    staging, production = rules.environments["staging"], rules.environments["production"]
    assert (staging.paths, staging.approvals, staging.via) == (("apps/staging",), (), Via.COMMIT)
    assert (production.approvals, production.after) == ((Line(1),), ("staging",))
    assert (staging.digest, production.digest) == (DigestRule.KEEP, DigestRule.PIN)
    assert production.at == Position("promotion/rules.yaml", 4, 3)
    assert rules.services["checkout-api"].image == "ghcr.io/example/checkout-api"
    assert rules.services["checkout-api"].versions_text == "1.x"
    assert rules.files == ("promotion/rules.yaml",)


def test_what_is_left_out_has_the_values_of_the_design() -> None:
    production = rules_of(FIRST).environments["production"]

    assert production.exclude == ("requester",)
    assert production.expire == timedelta(hours=24)
    assert production.merge_within == timedelta(hours=4)
    assert production.interval == timedelta(minutes=5)
    assert production.rollback == Apart((Line(1),))
    assert production.catch_up is False


def test_all_files_of_the_folder_are_one_document() -> None:
    files = {
        "promotion/services.yaml": SERVICES,
        "promotion/environments.yaml": ENVIRONMENTS,
        "promotion/people.yml": PEOPLE,
        "promotion/README.md": "environments: [",
    }

    rules = parse({name: text.encode() for name, text in files.items()})

    production = rules.environments["production"]
    assert production.paths == ("apps/production", "clusters/<service>/production")
    assert production.approvals == (Line(1, ("owners",)), Line(1, ("release-managers",)))
    assert production.rollback == Apart((Line(1, ("owners", "oncall")),))
    assert (production.expire, production.merge_within) == (timedelta(days=1), timedelta(minutes=90))
    assert (production.interval, production.digest) == (timedelta(seconds=10), DigestRule.KEEP)
    assert (production.catch_up, production.channel) == (True, "deploys")
    assert rules.files == ("promotion/environments.yaml", "promotion/people.yml", "promotion/services.yaml")
    assert list(rules.services) == ["cart-api", "identity", "web"]
    assert rules.people["ada"] == Person("ada", "U0ADA", "ada-l")
    assert rules.teams["release-managers"] == Team("release-managers", ("ada", "bob", "carol"))
    assert rules.registries == {
        "localhost:5000": Host(http=True, private=True),
        "index.docker.io": Host(concurrency=4),
    }


def test_a_service_takes_from_the_defaults_what_it_does_not_say() -> None:
    services = rules_of(SERVICES + PEOPLE).services

    assert (services["cart-api"].image, services["cart-api"].owner) == ("ghcr.io/acme/cart-api", "platform")
    assert services["cart-api"].versions_text == ">=1.0.0"
    assert (services["identity"].versions_text, services["identity"].owner) == ("2.x", "bob")
    web = services["web"].versions
    assert web.choose == Numerical(Order.ASC)
    assert web.tags is not None
    assert (web.tags.pattern, web.tags.extract) == (r"^main-[0-9a-f]+-(?P<ts>\d+)$", "$ts")
    assert services["web"].versions_text.startswith("numerical: asc, tags: ^main-")


@pytest.mark.parametrize("text", ["1.10", "1", "1.0"])
def test_a_range_that_looks_like_a_number_stays_as_it_is_written(text: str) -> None:
    service = rules_of(f"services: {{a: {{image: ghcr.io/e/a, versions: {text}}}}}").services["a"]

    assert service.versions_text == text
    assert isinstance(service.versions.choose, Semver)
    assert service.versions.choose.range.text == text


@pytest.mark.parametrize("text", ["no", "on", "y", "1_000", "0x1f", "2026-11-20"])
def test_no_word_turns_into_another_type(text: str) -> None:
    found = rules_of(FIRST.replace("channel: deploys", f"channel: {text}")).environments["staging"]

    assert found.channel == text


def test_a_time_of_day_is_text() -> None:
    assert refused(FIRST.replace("1.x", "15:00"))[0].startswith("6:65: '15:00' is not a version range")


def test_no_files_are_no_rules() -> None:
    assert parse({}) == parse({"promotion/README.md": b"\xff"}) == Rules({}, {})


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "environments:\nservices:\n", "\ufeff"])
def test_empty_files_and_sections_say_nothing(text: str) -> None:
    assert rules_of(text) == Rules({}, {}, files=("promotion/rules.yaml",))


def test_a_byte_order_mark_is_passed_over() -> None:
    assert rules_of("\ufeff" + FIRST).environments == rules_of(FIRST).environments


def test_windows_line_ends_are_line_ends() -> None:
    assert rules_of(FIRST.replace("\n", "\r\n")) == rules_of(FIRST)


ENVIRONMENT = "environments:\n  e:\n    path: apps/e\n    channel: c\n    approvals: 1\n"
TEAM = "people: {ada: {slack: U0ADA}, bob: {slack: U0BOB}}\nteams: {duo: [ada, bob]}\n"

REFUSALS = {
    "a path that is a table": (
        ENVIRONMENT.replace("apps/e", "{a: b}"),
        "3:11: path is a table; expected text, or a list of texts",
    ),
    "a path that is a list in a list": (
        ENVIRONMENT.replace("apps/e", "[[a]]"),
        "3:12: path is a list; expected text",
    ),
    "a registry in a word": (
        "registries: {ghcr.io: http}\n",
        "1:23: a registry is 'http'; expected a table with http, private, ca, concurrency",
    ),
    "a list for versions": (
        "services:\n  a: {image: ghcr.io/e/a, versions: [1.x]}\n",
        "2:37: versions is a list; expected a table with semver, alphabetical, numerical, tags, extract",
    ),
    "an order that is empty": (
        "services:\n  a: {image: ghcr.io/e/a, versions: {numerical: }}\n",
        "2:49: numerical is empty; expected text",
    ),
    "a pattern without end": (
        f"services:\n  a: {{image: ghcr.io/e/a, versions: {{numerical: asc, tags: {'a' * 1001}}}}}\n",
        "2:60: tags has 1001 characters; expected at most 1000",
    ),
    "an environment among many": (
        "environments:\n"
        + "".join(f"  e{n:02}: {{path: e{n:02}, channel: c, approvals: none}}\n" for n in range(40))
        + "  z: {path: z, channel: c, approvals: none, after: quite-another}\n",
        "42:52: unknown environment 'quite-another'; expected one of e00, e01, e02,",
    ),
    # text: the finding
    "no approvals": (
        "environments:\n  e:\n    path: a\n    channel: c\n",
        "2:3: 'e' has no approvals; expected approvals: none, 2, or 2 of TEAM (it has to be said)",
    ),
    "no path": (
        "environments:\n  e: {channel: c, approvals: none}\n",
        "2:3: 'e' has no path; expected path: a folder such as apps/staging",
    ),
    "no channel": (
        "environments:\n  e: {path: a, approvals: none}\n",
        "2:3: 'e' has no channel; expected channel: the name or id of a channel",
    ),
    "nothing in it": (
        "environments:\n  e:\n",
        "2:5: an environment is empty; expected a table with path, channel",
    ),
    "a key that is none": (
        ENVIRONMENT + "    chanel: x\n",
        "6:5: unknown key in an environment 'chanel'; expected 'channel', did you mean that?",
    ),
    "approvals misspelled": (
        "environments:\n  e: {path: a, channel: c, aprovals: 2}\n",
        "2:28: unknown key in an environment 'aprovals'; expected 'approvals', did you mean that?",
    ),
    "a section that is none": (
        "servces: {}\n",
        "1:1: unknown key 'servces'; expected 'services', did you mean that?",
    ),
    "a section that is a list": ("services: [a]\n", "1:11: services is a list; expected a table of names"),
    "a file that is a list": ("- a\n", "1:1: the file is a list; expected a table with environments"),
    "excluded nonsense": (
        ENVIRONMENT + "    exclude: [requestor]\n",
        "6:15: unknown word in exclude 'requestor'; expected 'requester', did you mean that?",
    ),
    "zero approvals": (
        ENVIRONMENT.replace("approvals: 1", "approvals: 0"),
        "5:16: 0 approvals; expected 1 to 100, or none where nobody is asked",
    ),
    "fewer than zero approvals": (
        ENVIRONMENT.replace("approvals: 1", "approvals: -1 of duo") + TEAM,
        "5:16: -1 approvals; expected 1 to 100, or none where nobody is asked",
    ),
    "more approvals than people": (
        ENVIRONMENT.replace("approvals: 1", "approvals: 3 of duo") + TEAM,
        "5:16: 3 approvals are asked and duo has 2; expected as many as there are people, or fewer",
    ),
    "more approvals than people in two teams": (
        ENVIRONMENT.replace("approvals: 1", "approvals: 3 of duo or ada") + TEAM,
        "5:16: 3 approvals are asked and duo and ada have 2; expected as many as there are people, or fewer",
    ),
    "an unknown team": (
        ENVIRONMENT.replace("approvals: 1", "approvals: [1 of duos]") + TEAM,
        "5:17: unknown team or person 'duos'; expected 'duo', did you mean that?",
    ),
    "a team twice in a line": (
        ENVIRONMENT.replace("approvals: 1", "approvals: 1 of duo or duo") + TEAM,
        "5:16: 'duo' is written twice; expected each name once",
    ),
    "approvals in words": (
        ENVIRONMENT.replace("approvals: 1", "approvals: two"),
        "5:16: 'two' does not say who approves; expected none, 2, 2 of TEAM",
    ),
    "none among lines": (
        ENVIRONMENT.replace("approvals: 1", "approvals: [none]"),
        "5:17: 'none' does not say who approves; expected none, 2, 2 of TEAM",
    ),
    "no lines": (
        ENVIRONMENT.replace("approvals: 1", "approvals: []"),
        "5:16: approvals has 0 lines; expected 1 to 20 lines, or none",
    ),
    "approvals as a table": (
        ENVIRONMENT.replace("approvals: 1", "approvals: {a: b}"),
        "5:16: approvals is a table; expected text, or a list of texts",
    ),
    "approvals empty": (
        ENVIRONMENT.replace("approvals: 1", "approvals:"),
        "5:15: approvals is empty; expected text",
    ),
    "an unknown environment before it": (
        FIRST.replace("after: staging", "after: stagin"),
        "4:78: unknown environment 'stagin'; expected 'staging', did you mean that?",
    ),
    "after itself": (
        ENVIRONMENT + "    after: e\n",
        "6:12: e comes after itself; expected another environment",
    ),
    "after nobody": (
        ENVIRONMENT + "    after: []\n",
        "6:12: after has no environments; expected one at least, or this key left out",
    ),
    "after twice": (
        FIRST.replace("after: staging", "after: [staging, staging]"),
        "4:88: 'staging' is written twice; expected each environment once",
    ),
    "a circle": (
        FIRST.replace("approvals: none", "approvals: none, after: production"),
        "3:78: staging, production come after one another in a circle; expected an environment that comes first",
    ),
    "digest of its own": (
        ENVIRONMENT + "    digest: pinned\n",
        "6:13: digest is 'pinned'; expected pin or keep",
    ),
    "catch-up in words": (
        ENVIRONMENT + "    catch-up: yes\n",
        "6:15: catch-up is 'yes'; expected true or false",
    ),
    "a span without a unit": (
        ENVIRONMENT + "    expire: 24\n",
        "6:13: '24' is not a duration; expected a form such as 30m, 1h30m or 2d",
    ),
    "a span of nothing": (
        ENVIRONMENT + "    interval: 0s\n",
        "6:15: interval is '0s'; expected whole seconds, from 1s to 366d",
    ),
    "a span of half a second": (
        ENVIRONMENT + "    expire: 1500ms\n",
        "6:13: expire is '1500ms'; expected whole seconds, from 1s to 366d",
    ),
    "a rollback of nobody": (
        ENVIRONMENT + "    rollback: {approvals: none}\n",
        "6:27: rollback asks nobody; expected 1 or more: a rollback is the word of one person at least",
    ),
    "a rollback without approvals": (
        ENVIRONMENT + "    rollback: {}\n",
        "6:15: rollback has no approvals; expected approvals: 1 of TEAM",
    ),
    "a rollback by number": (
        ENVIRONMENT + "    rollback: 1\n",
        "6:15: rollback is '1'; expected a table with approvals",
    ),
    "a channel that is a comment": (
        ENVIRONMENT.replace("channel: c", "channel: #c"),
        "4:13: channel is empty; expected text (what begins with # is a comment, unless quoted)",
    ),
    "a channel in capitals": (
        ENVIRONMENT.replace("channel: c", "channel: Deploys"),
        "4:14: 'Deploys' is not a channel; expected a name such as deploys in small letters",
    ),
    "a path upwards": (
        ENVIRONMENT.replace("apps/e", "apps/../e"),
        "3:11: path 'apps/../e' leaves the repository's files; expected a folder",
    ),
    "an absolute path": (
        ENVIRONMENT.replace("apps/e", "/apps/e"),
        "3:11: path '/apps/e' is absolute; expected a folder",
    ),
    "a pattern": (
        ENVIRONMENT.replace("apps/e", "apps/*"),
        "3:11: path 'apps/*' is a pattern or not plain; expected a folder",
    ),
    "the whole repository": (
        ENVIRONMENT.replace("apps/e", "./"),
        "3:11: path './' is not a folder; expected a folder of the repository",
    ),
    "no paths": (ENVIRONMENT.replace("apps/e", "[]"), "3:11: path has 0 folders; expected 1 to 100 folders"),
    "one path in another": (
        ENVIRONMENT.replace("apps/e", "[apps, apps/e]"),
        "3:18: path apps/e overlaps with apps; expected folders beside each other",
    ),
    "two environments in one path": (
        FIRST.replace("apps/production", "apps/staging/"),
        "4:22: path apps/staging of production overlaps with a path of staging; expected folders that",
    ),
    "one environment in another": (
        FIRST.replace("apps/staging", "apps"),
        "4:22: path apps/production of production overlaps with a path of staging; expected folders that",
    ),
    "two environments in one path of a service": (
        FIRST.replace("apps/staging", "apps/<service>").replace("apps/production", "apps/checkout-api"),
        "4:22: path apps/checkout-api of production overlaps with a path of staging; expected folders that",
    ),
    "the rules themselves": (
        ENVIRONMENT.replace("apps/e", "promotion/e"),
        "3:11: path of e is in the folder of the rules; expected a folder outside of promotion",
    ),
    "no versions": (
        "services:\n  a: {image: ghcr.io/e/a}\n",
        "2:3: 'a' has no versions; expected versions, such as 1.x, here or in defaults",
    ),
    "no image": (
        "services:\n  a: {versions: 1.x}\n",
        "2:3: 'a' has no image; expected image, here or in defaults (there <service> is the name)",
    ),
    "an image with a tag": (
        "services:\n  a: {image: ghcr.io/e/a:1.0, versions: 1.x}\n",
        "2:14: 'ghcr.io/e/a:1.0' is not an image repository; expected ",
    ),
    "a name that the default image cannot bear": (
        "defaults: {image: ghcr.io/e/<service>, versions: 1.x}\nservices:\n  a-:\n",
        "3:3: 'ghcr.io/e/a-' is not an image repository; expected ",
    ),
    "no range": (
        "services:\n  a: {image: ghcr.io/e/a, versions: latest}\n",
        "2:37: 'latest' is not a version range; found 'latest' in it; expected terms such as",
    ),
    "two ways to choose": (
        "services:\n  a: {image: ghcr.io/e/a, versions: {semver: 1.x, numerical: asc}}\n",
        "2:37: versions says semver and numerical; expected one of semver, alphabetical, numerical",
    ),
    "no way to choose": (
        "services:\n  a: {image: ghcr.io/e/a, versions: {tags: x}}\n",
        "2:37: versions says not how to choose; expected one of semver, alphabetical, numerical",
    ),
    "no order": (
        "services:\n  a: {image: ghcr.io/e/a, versions: {numerical: up}}\n",
        "2:49: 'up' is not an order; expected asc or desc",
    ),
    "no pattern": (
        "services:\n  a: {image: ghcr.io/e/a, versions: {numerical: asc, tags: '('}}\n",
        "2:60: '(' is not a pattern",
    ),
    "extract without tags": (
        "services:\n  a: {image: ghcr.io/e/a, versions: {numerical: asc, extract: $x}}\n",
        "2:63: extract without tags; expected tags: a pattern whose groups extract names",
    ),
    "a chart": ("services:\n  a: {chart: x, versions: 1.x}\n", "2:14: chart is 'x'; expected oci"),
    "a service in a word": ("services:\n  a: x\n", "2:6: a service is 'x'; expected a table with image"),
    "an unknown owner": (
        "services:\n  a: {image: ghcr.io/e/a, versions: 1.x, owner: dou}\n" + TEAM,
        "2:49: unknown team or person 'dou'; expected 'duo', did you mean that?",
    ),
    "two services with one image": (
        FIRST + "  again: {image: ghcr.io/example/checkout-api, versions: 2.x}\n",
        "7:3: again and checkout-api have one image and are both looked for in apps/staging; expected an image",
    ),
    "a default that is none": (
        "defaults: {imagee: x}\n",
        "1:12: unknown key in defaults 'imagee'; expected 'image'",
    ),
    "a name in capitals": (
        "services:\n  Cart: {image: ghcr.io/e/a, versions: 1.x}\n",
        "2:3: 'Cart' cannot be a service's name; expected at most 63 of a-z 0-9 -, not beginning with -",
    ),
    "a long name": (
        f"teams:\n  {'a' * 64}: [ada]\npeople: {{ada: {{slack: U1}}}}\n",
        f"2:3: '{'a' * 60}'... cannot be a team's name",
    ),
    "a name of letters that look alike": (
        "people: {\u0430da: {slack: U1}}\n",
        "1:10: '\\u0430da' cannot be a person's name",
    ),
    "a person without accounts": (
        "people: {ada: {}}\n",
        "1:10: 'ada' is not linked; expected slack, github or both",
    ),
    "a person in a word": (
        "people: {ada: U0ADA}\n",
        "1:15: a person is 'U0ADA'; expected a table with slack, github",
    ),
    "a Slack name": (
        "people: {ada: {slack: '@ada'}}\n",
        "1:23: '@ada' is not a Slack user id; expected an id such as U0ADA (not the name)",
    ),
    "no GitHub login": (
        "people: {ada: {github: ada--l}}\n",
        "1:24: 'ada--l' is not a GitHub login; expected a login such as ada-l",
    ),
    "one Slack id twice": (
        "people:\n  ada: {slack: U1}\n  bob: {slack: U1}\n",
        "3:16: u1 is ada already; expected each slack account at one person",
    ),
    "one login twice in other letters": (
        "people:\n  ada: {github: Ada}\n  bob: {github: adA}\n",
        "3:17: ada is ada already; expected each github account at one person",
    ),
    "an unknown member": (
        "people: {ada: {slack: U1}}\nteams: {t: [adda]}\n",
        "2:13: unknown person 'adda'; expected 'ada', did you mean that?",
    ),
    "a member twice": (
        TEAM.replace("[ada, bob]", "[ada, ada]"),
        "2:20: 'ada' is written twice; expected each person",
    ),
    "a team in a team": (
        TEAM.replace("[ada, bob]}", "[ada], all-of: [duo]}"),
        "2:30: duo is a team; expected people: a team has no teams in it",
    ),
    "nobody in a team": (
        TEAM.replace("[ada, bob]", "[]"),
        "2:14: team 'duo' has nobody; expected one person at least",
    ),
    "a team in a word": (
        TEAM.replace("[ada, bob]", "ada"),
        "2:14: a team is 'ada'; expected a list of people, such as [ada, bob], or github:ORGANISATION/TEAM",
    ),
    "a team named as a person": (
        TEAM.replace("duo:", "ada:"),
        "2:9: ada is a person already; expected another name for the team",
    ),
    "a registry that is none": (
        "registries: {GHCR.io: {}}\n",
        "1:14: 'GHCR.io' is not a registry; expected a host",
    ),
    "a port that is none": (
        "registries: {'a:70000': {}}\n",
        "1:14: 'a:70000' is not a registry; expected a host",
    ),
    "too much at once": (
        "registries: {ghcr.io: {concurrency: 1000}}\n",
        "1:37: concurrency is '1000'; expected a whole number from 1 to 100",
    ),
    "http in words": ("registries: {ghcr.io: {http: on}}\n", "1:30: http is 'on'; expected true or false"),
    "a table where text is": ("registries: {ghcr.io: {ca: {}}}\n", "1:28: ca is a table; expected text"),
}


@pytest.mark.parametrize(("text", "finding"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_names_the_place_what_was_found_and_what_is_expected(text: str, finding: str) -> None:
    findings = refused(text)

    assert findings[0].startswith(finding)
    assert len(findings) == 1


@pytest.mark.parametrize("word", sorted(RESERVED))
@pytest.mark.parametrize(
    ("form", "place"),
    [
        ("environments: {'WORD': {path: a, channel: c, approvals: none}}", "1:16"),
        ("services: {'WORD': {image: ghcr.io/e/a, versions: 1.x}}", "1:12"),
        ("people: {'WORD': {slack: U1}}", "1:10"),
        ("people: {ada: {slack: U1}}\nteams: {'WORD': [ada]}", "2:9"),
    ],
    ids=["environment", "service", "person", "team"],
)
def test_a_word_of_the_commands_is_no_name(word: str, form: str, place: str) -> None:
    assert refused(form.replace("WORD", word))[0].startswith(f"{place}: {word} is a word of the commands")


@pytest.mark.parametrize(
    ("form", "what"),
    [
        ("environments: {'WORD': {path: a, channel: c, approvals: noneWAS}}", "an environment"),
        ("services: {'WORD': {image: ghcr.io/e/a, versions: 1.xWAS}}", "a service"),
    ],
    ids=["environment", "service"],
)
def test_what_became_a_word_of_the_commands_keeps_its_past_under_another_name(form: str, what: str) -> None:
    (finding,) = refused(form.replace("WORD", "redact").replace("WAS", ""))

    assert finding.endswith(
        f"expected another name for {what}, and `was: [redact]`, which keeps what the ledger knows of it"
    )
    rules = rules_of(form.replace("WORD", "other").replace("WAS", ", was: [redact]"))
    found = [one.was for one in rules.environments.values()] + [one.was for one in rules.services.values()]
    assert found == [("redact",)]


def test_every_finding_is_told_in_the_order_of_the_files() -> None:
    files = {
        "p/b.yaml": b"services:\n  a: {image: x, versions: nope}\n  c: {image: 'X:1', versions: 1.x}\n",
        "p/a.yaml": b"environments:\n  e: {path: /x, approvals: 0, channel: X}\n",
    }

    with pytest.raises(RulesError) as caught:
        parse(files)

    places = [(finding.at.file, finding.at.line, finding.at.column) for finding in caught.value.findings]
    assert places == [
        ("p/a.yaml", 2, 13),
        ("p/a.yaml", 2, 28),
        ("p/a.yaml", 2, 40),
        ("p/b.yaml", 2, 27),
        ("p/b.yaml", 3, 14),
    ]
    assert isinstance(caught.value, PolicyError)
    assert str(caught.value).splitlines()[0] == str(caught.value.findings[0])


def test_a_name_is_defined_once_in_all_files() -> None:
    service = b"services:\n  a: {image: ghcr.io/e/a, versions: 1.x}\n"

    with pytest.raises(RulesError) as caught:
        parse({"p/a.yaml": service, "p/b.yaml": b"\n" + service})

    assert str(caught.value) == (
        "p/b.yaml:3:3: 'a' is defined twice in services, first at p/a.yaml:2:3; "
        "expected a name defined once in all files"
    )


def test_a_file_that_cannot_be_read_hides_no_names_of_others() -> None:
    with pytest.raises(RulesError) as caught:
        parse({"p/people.yaml": b"teams: [", "p/rules.yaml": ENVIRONMENTS.encode()})

    assert [finding.at.file for finding in caught.value.findings] == ["p/people.yaml"]


def test_services_of_one_image_may_live_in_folders_of_their_own() -> None:
    one = "{image: ghcr.io/example/checkout-api, versions: 1.x}"
    text = FIRST.replace("apps/staging", "apps/<service>/s").replace("apps/production", "apps/<service>/p")

    assert set(rules_of(f"{text}  again: {one}\n").services) == {"checkout-api", "again"}


def test_two_spellings_of_one_image_are_one_image() -> None:
    text = FIRST.replace("ghcr.io/example/checkout-api", "alpine")

    findings = refused(text + "  again: {image: docker.io/library/alpine, versions: 1.x}\n")

    assert findings[0].startswith("7:3: again and checkout-api have one image")


def test_a_finding_shows_what_is_hidden_in_a_name() -> None:
    findings = refused(FIRST.replace("apps/staging", "apps").replace("production:", "product\u200bion:"))

    assert findings[0].startswith(
        "4:3: hidden or control character U+200B in 'product\\u200bion'; expected one line"
    )
    assert findings[-1].startswith(
        "4:23: path apps/production of product\\u200bion overlaps with a path of staging"
    )


def test_a_hostile_file_gets_no_more_findings_than_can_be_read() -> None:
    assert len(refused("".join(f"key{number}: x\n" for number in range(5000)))) == MAX_FINDINGS


def test_one_folder_for_a_hundred_services_of_one_image_is_told_up_to_the_cap() -> None:
    services = "".join(f"  s{number}: {{image: ghcr.io/e/a, versions: 1.x}}\n" for number in range(200))

    assert (
        len(refused(ENVIRONMENT + f"  f: {{path: f, channel: c, approvals: 1}}\nservices:\n{services}"))
        == 100
    )


def test_what_is_wrong_in_the_defaults_is_told_once() -> None:
    text = "defaults: {image: ghcr.io/e/<service>, versions: nope, owner: nobody}\nservices:\n  a:\n  b:\n"

    assert [line.split(":")[1] for line in refused(text)] == ["50", "63"]


def test_two_circles_are_two_findings() -> None:
    after = {"a": "b", "b": "a", "c": "d", "d": "[c, a]", "e": "a"}
    text = "".join(
        f"  {one}: {{path: {one}, channel: c, approvals: 1, after: {by}}}\n" for one, by in after.items()
    )

    assert [line.partition(": ")[2].split(" come")[0] for line in refused(f"environments:\n{text}")] == [
        "a, b",
        "c, d",
    ]


def test_each_folder_of_two_environments_is_told_once_for_both() -> None:
    text = FIRST.replace("apps/staging", "[a, b]").replace("apps/production", "[a/x, b/y]")

    assert len(refused(text)) == 1


def test_more_folders_than_can_be_compared_are_refused() -> None:
    paths = ", ".join(f"p{number}/<service>" for number in range(100))
    services = "".join(f"  s{number}:\n" for number in range(5001))
    text = ENVIRONMENT.replace("apps/e", f"[{paths}]") + (
        f"defaults: {{image: ghcr.io/e/<service>, versions: 1.x}}\nservices:\n{services}"
    )

    assert refused(text) == ["2:3: paths with <service> make 500100 folders; expected at most 500000"]


def test_more_files_than_rules_need_are_refused() -> None:
    with pytest.raises(RulesError, match="there are 1001 files; expected at most 1000"):
        parse({f"p/{number:04}.yaml": b"" for number in range(1001)})


def test_the_effective_rule_does_not_change_with_comments_and_order_of_files() -> None:
    one = rules_of(f"# why\n{FIRST}")
    head, tail = FIRST.split("services:")
    other = parse({"p/z.yaml": head.encode(), "p/a.yaml": f"services:{tail}".encode()})

    hashes = [effective(rules, "production", "checkout-api") for rules in (one, other)]
    assert len({rule.hash for rule in hashes if rule}) == 1


VOCABULARY = """
environments services people teams defaults registries path channel approvals after digest exclude rollback image
versions owner slack github none 1 2 -1 owners staging ada <service> apps/<service> ../x semver 1.x tags ( extract $1
numerical asc true 1h 0s like soak U0ADA ghcr.io/e/a <<
"""
WORDS = st.sampled_from(VOCABULARY.split()) | st.text(max_size=5)
NODES = st.recursive(
    WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)


def yaml_of(node: object) -> str:
    """Write a node as flow YAML, each text in double quotes with escapes."""
    match node:
        case dict():
            return "{" + ", ".join(f"{yaml_of(key)}: {yaml_of(value)}" for key, value in node.items()) + "}"
        case list():
            return "[" + ", ".join(yaml_of(item) for item in node) + "]"
        case _:
            return (
                '"'
                + "".join(f"\\U{ord(letter):08x}" if letter in '"\\' else letter for letter in str(node))
                + '"'
            )


def is_read_or_refused(files: dict[str, bytes]) -> None:
    for finding in findings_of(files):
        assert finding.at.line >= 1
        assert finding.at.column >= 1
        assert str(finding).isprintable()


def findings_of(files: dict[str, bytes]) -> tuple[Finding, ...]:
    try:
        parse(files)
    except RulesError as error:
        return error.findings
    return ()


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    is_read_or_refused({"a.yaml": content})


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_is_read_or_refused(one: str, other: str) -> None:
    is_read_or_refused({"a.yaml": one.encode("utf-8", "replace"), "b.yaml": other.encode("utf-8", "replace")})


@given(NODES)
def test_any_tree_is_read_or_refused(node: object) -> None:
    is_read_or_refused({"a.yaml": yaml_of(node).encode("utf-8", "replace")})


@given(st.dictionaries(st.sampled_from(["environments", "services", "people", "teams", "defaults"]), NODES))
def test_any_document_is_read_or_refused(sections: dict[str, object]) -> None:
    is_read_or_refused({"a.yaml": yaml_of(sections).encode("utf-8", "replace")})


@given(st.data())
def test_a_bitten_file_is_read_or_refused(data: st.DataObject) -> None:
    text = (ENVIRONMENTS + SERVICES + PEOPLE).encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))

    is_read_or_refused({"a.yaml": text[:start] + data.draw(st.binary(max_size=8)) + text[end:]})
