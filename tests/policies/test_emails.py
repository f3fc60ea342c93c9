"""Matches by e-mail: off unless the rules name domains, weaker than Git and links, attested anew with each word."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from policies.canonical import Json
from policies.codes import Code
from policies.entries.carried import carry, restore
from policies.entries.emails import EMAIL, attested
from policies.entries.entry import Bot, By, Entry, EntryError, Kind, Link, parse, write_time
from policies.entries.mail_domains import address_of, is_domain, is_public
from policies.entries.tables import Tables
from policies.ledger.people import ACCOUNTS_DECIDE, everybody, known
from policies.rulebook.findings import RulesError
from policies.rulebook.parse import parse as parse_rules
from policies.rules.rules import Rules, effective
from tests.policies.ledger_builders import RULES, Story, change_rules, person, rules, story
from tests.policies.test_allowed_reviews import reviewed

DOMAIN = "acme.example"
TEAM = RULES.replace("release-managers: [ada, bob, carol]", "release-managers: github:acme/managers")
ON = f"{TEAM}identity: {{email: [{DOMAIN}]}}\n"
APPROVES = f"{TEAM}identity: {{email: [{DOMAIN}], approve: true}}\n"
ERIN = Link("erin-k", "T0", "U0ERIN", 4242, "erin-k", DOMAIN)
BY_ERIN = replace(person("erin"), person="erin-k")


def matched(found: Story, link: Link = ERIN, **changes: Json) -> Entry:
    """Let the bot write down that two accounts have one address; ``changes`` of its evidence."""
    entry = found.linked_by(replace(link, domain=""))
    proof = entry.evidence["forge"]
    assert isinstance(proof, Mapping)
    evidence: dict[str, Json] = {
        **entry.evidence,
        "account": {"active": True, "bot": False, "guest": False, "home": True},
        "forge": {**proof, "proof": EMAIL},
        **attested(link.person, link.domain, "organization", write_time(found.at)),
    }
    return replace(entry, by=Bot(), linked=link, evidence={**evidence, **changes})


def said(found: Story, entry: Entry, *, looked: timedelta = timedelta(), **changes: Json) -> Entry:
    """Add to a word of Erin's what shows that the match holds, and that she is in the team."""
    at = write_time(found.at - looked)
    evidence = {
        **entry.evidence,
        **attested("erin-k", DOMAIN, "profile", at),
        "members": {"release-managers": ["erin-k", "ada"]},
        "members_looked": write_time(found.at),
    }
    return replace(entry, evidence={**evidence, **changes})


def code(found: Story, entry: Entry) -> Code | None:
    refusal = found.refusal(entry)
    return Code(refusal.code) if refusal else None


def met(text: str = ON) -> Story:
    found = story(text)
    found.add(matched(found))
    return found


def test_nobody_is_matched_unless_the_rules_say_so() -> None:
    off, found = story(TEAM), story(ON)

    assert code(off, matched(off)) is Code.NO_RULE
    assert code(found, matched(found)) is None
    other = replace(ERIN, domain="other.example")
    assert code(found, matched(found, other)) is Code.NO_RULE


def test_a_match_is_known_as_one_and_ends_with_the_rule_that_allows_it() -> None:
    found = met()
    state = found.state

    who = known(rules(ON), state.links, state.forge_ids, "erin-k")

    assert who is not None
    assert (who.slack, who.forge_id, who.domain, who.is_in_git) == ("U0ERIN", 4242, DOMAIN, False)
    for text in (TEAM, ON.replace(DOMAIN, "other.example")):
        assert known(rules(text), state.links, state.forge_ids, "erin-k") is None
    named = ON.replace("people:\n", "people:\n  erin-k: {github: erin-k}\n")
    there = known(rules(named), state.links, state.forge_ids, "erin-k")
    assert there is not None
    assert (there.slack, there.domain) == ("", "")


@pytest.mark.parametrize(
    ("link", "evidence", "expected"),
    [
        (replace(ERIN, person="carol", slack_user="U0CAROL"), {}, Code.UNKNOWN_PERSON),
        (replace(ERIN, person="erin"), {}, Code.UNKNOWN_PERSON),
        (replace(ERIN, slack_user="U0ADA"), {}, Code.LINKED_ELSEWHERE),
        (ERIN, {"account": {"active": True, "bot": False, "guest": True, "home": True}}, Code.ACCOUNT),
        (ERIN, {"forge_account": {"active": True, "bot": True}}, Code.ACCOUNT),
        (ERIN, {"emails": {}}, Code.EVIDENCE_MISSING),
        (ERIN, {"emails": "all"}, Code.EVIDENCE_MISSING),
        (ERIN, attested("erin-k", "other.example", "profile", "2026-11-23T09:00:00Z"), Code.EVIDENCE_MISSING),
        (ERIN, attested("erin-k", DOMAIN, "hearsay", "2026-11-23T09:00:00Z"), Code.EVIDENCE_MISSING),
        (ERIN, attested("erin-k", DOMAIN, "profile", "2020-01-01T00:00:00Z"), Code.EVIDENCE_MISSING),
        (ERIN, {"forge": {"id": 4242, "login": "erin-k", "proof": "device"}}, Code.EVIDENCE_MISSING),
    ],
    ids=[
        "somebody of Git", "another name", "an account of Git's", "a guest", "a bot", "no look", "no object",
        "another domain", "nobody vouches", "an old look", "another proof",
    ],
)  # fmt: skip
def test_a_match_that_does_not_hold_is_refused(link: Link, evidence: dict[str, Json], expected: Code) -> None:
    found = story(ON)

    assert code(found, matched(found, link, **evidence)) is expected


def test_a_person_does_not_match_themselves() -> None:
    found = story(ON)

    assert code(found, replace(matched(found), by=BY_ERIN)) is Code.NOT_AN_APPROVER


def test_who_is_known_by_an_address_asks_and_stops_and_does_nothing_else() -> None:
    found = met()
    found.staged("1.1.0")

    assert code(found, said(found, replace(found.propose("1.1.0"), by=BY_ERIN))) is None
    assert code(found, said(found, found.stand(Kind.HOLD, BY_ERIN))) is None
    found.add(found.propose("1.1.0"))
    assert code(found, said(found, found.about(Kind.APPROVE, BY_ERIN))) is Code.MATCHED
    assert code(found, said(found, found.about(Kind.REJECT, BY_ERIN, note="no"))) is Code.MATCHED


def test_a_hold_is_not_lifted_by_another_one_of_somebody_known_by_an_address() -> None:
    found = met()
    found.add(found.stand(Kind.HOLD, person("ada")))

    replaced = found.stand(Kind.HOLD, BY_ERIN, until=write_time(found.at + timedelta(minutes=1)))

    assert code(found, said(found, replaced)) is not None


@pytest.mark.parametrize(
    ("looked", "changes"),
    [
        (timedelta(hours=1), {}),
        (timedelta(), {"emails": {}}),
        (timedelta(), attested("ada", DOMAIN, "profile", "")),
    ],
)
def test_a_word_shows_that_both_accounts_have_the_address_at_that_moment(
    looked: timedelta, changes: dict[str, Json]
) -> None:
    found = met()

    word = said(found, found.stand(Kind.HOLD, BY_ERIN), looked=looked, **changes)

    assert code(found, word) is Code.EVIDENCE_MISSING


def test_where_the_rules_let_a_match_approve_it_is_shown_again_before_the_merge() -> None:
    found = met(APPROVES.replace("2 of release-managers", "1 of release-managers"))
    found.asked("1.1.0")
    found.add(said(found, found.about(Kind.APPROVE, BY_ERIN)))

    intent = found.about(Kind.INTENT)

    assert code(found, said(found, intent)) is None
    assert code(found, said(found, intent, emails={})) is Code.EVIDENCE_MISSING


def test_two_who_speak_together_are_not_known_by_an_address() -> None:
    found = met(APPROVES)
    both = found.both(Kind.FORK, "ada", "erin", lost="a" * 40)
    assert not isinstance(both.by, Bot)
    entry = replace(both, by=replace(both.by, other=BY_ERIN))  # type: ignore[arg-type]

    assert Code.MATCHED in [one.code for one in found.reasons(entry)]


def test_a_review_by_somebody_known_by_an_address_does_not_count() -> None:
    found = met(APPROVES).asked("1.1.0")
    by = By("erin-k", "review", forge_id=4242, forge_login="erin-k")

    assert Code.MATCHED in [one.code for one in found.reasons(reviewed(found, by))]


def test_switching_approvals_by_address_on_voids_what_was_given_before() -> None:
    hashes = {
        rule.hash for text in (TEAM, ON, APPROVES) if (rule := effective(rules(text), "production", "web"))
    }

    assert len(hashes) == 2


def test_what_somebody_shows_takes_the_place_of_a_match_and_not_the_other_way_round() -> None:
    found = met()
    other = Link("erin-k", "T0", "U0ERIN", 777, "erin-private")
    assert code(found, matched(found, replace(other, domain=DOMAIN))) is Code.LINKED_ELSEWHERE
    found.add(found.linked_by(other))

    assert found.state.links["erin-k"] == other
    assert code(found, matched(found)) is Code.LINKED_ELSEWHERE


def test_a_match_ends_where_somebody_else_shows_that_the_account_is_theirs() -> None:
    found = met()
    truly = Link("erin-k-4242", "T0", "U0REAL", 4242, "erin-k")

    found.add(found.linked_by(truly))

    assert list(found.state.links) == ["erin-k-4242"]


@pytest.mark.parametrize(
    "second",
    [
        Link("erin-k-4243", "T0", "U0ERIN", 4243, "erin-k", DOMAIN),
        Link("erin-k-4242", "T0", "U0OTHER", 4242, "erin-k", DOMAIN),
        Link("erin-new", "T0", "U0OTHER", 4242, "erin-new", DOMAIN),
    ],
    ids=[
        "a login registered anew",
        "the address at another Slack account",
        "renamed, at another Slack account",
    ],
)
def test_a_match_does_not_move_to_another_account(second: Link) -> None:
    found = met()

    assert code(found, matched(found, second)) is Code.LINKED_ELSEWHERE


BEFORE = ACCOUNTS_DECIDE - timedelta(hours=1)  # of older ledgers, which are judged as they were


@pytest.mark.parametrize("text", [ON, TEAM], ids=["while it counts", "when the rules match nobody any more"])
@pytest.mark.parametrize(
    ("at", "expected"), [(ACCOUNTS_DECIDE, Code.LINKED_ELSEWHERE), (BEFORE, None)], ids=["now", "before"]
)
def test_who_was_matched_does_not_link_under_a_second_name(
    text: str, at: datetime, expected: Code | None
) -> None:
    found = met()
    change_rules(found, text)
    found.at = at
    second = Link("erin-k-4242", "T0", "U0ERIN", 4242, "erin-k")

    assert code(found, found.linked_by(second)) is expected
    assert code(found, found.linked_by(replace(second, person="erin-k"))) is None


def test_who_was_matched_links_as_whom_the_rules_name() -> None:
    found = met()
    change_rules(found, ON.replace("people:\n", "people:\n  erin: {slack: U0ERIN}\n"))
    found.at = ACCOUNTS_DECIDE
    named = Link("erin", "T0", "U0ERIN", 4242, "erin-k")

    found.add(found.linked_by(named))

    assert list(found.state.links.values()) == [named]


def asked_by_erin(at: datetime) -> Story:
    """Let Erin, known by her address, ask for a version; then the rules name her."""
    found = met()
    found.at = at
    found.staged("1.1.0")
    found.add(said(found, replace(found.propose("1.1.0"), by=BY_ERIN)))
    return found


NAMED = "people:\n  erin: {slack: U0ERIN, github: erin-k}\n"
NAMED_ANEW = "people:\n  erin: {slack: U0ERIN, github: erin-two}\n"
NAMED_AT_FORGE_ALONE = "people:\n  erin: {github: erin-k}\n"
NAMED_AT_FORGE = "people:\n  erin: {slack: U0NEW, github: erin-k}\n"


@pytest.mark.parametrize(
    ("people", "by"),
    [
        (NAMED, By("erin", "button", "T0", "U0ERIN")),
        (NAMED, By("erin", "review", forge_id=4242, forge_login="erin-k")),
        (NAMED_ANEW, By("erin", "review", forge_id=999, forge_login="erin-two")),
        (NAMED_AT_FORGE, By("erin", "button", "T0", "U0NEW", 4242, "erin-k")),
        (NAMED_AT_FORGE_ALONE, By("erin", "review", forge_id=4242, forge_login="erin-k")),
    ],
    ids=["in Slack", "by a review", "another account reviews", "another account in Slack", "none in Slack"],
)
@pytest.mark.parametrize("is_now", [True, False])
def test_nobody_approves_their_own_request_under_a_second_name(
    people: str,
    by: By,
    is_now: bool,  # noqa: FBT001  a table's column
) -> None:
    found = asked_by_erin(ACCOUNTS_DECIDE if is_now else BEFORE)
    change_rules(found, ON.replace("people:\n", people))
    members: dict[str, Json] = {
        "members": {"release-managers": ["erin"]},
        "members_looked": write_time(found.at),
    }
    account = {"review_user": by.forge_id, "review_login": by.forge_login}
    word = (
        reviewed(found, by, Kind.APPROVE, **account) if by.via == "review" else found.about(Kind.APPROVE, by)
    )

    codes = [one.code for one in found.reasons(replace(word, evidence={**word.evidence, **members}))]

    assert codes == ([Code.REQUESTER] if is_now else [])


@pytest.mark.parametrize(("at", "expected"), [(ACCOUNTS_DECIDE, None), (BEFORE, Code.NOT_AN_APPROVER)])
def test_who_asked_takes_it_back_under_a_second_name(at: datetime, expected: Code | None) -> None:
    found = asked_by_erin(at)
    change_rules(found, ON.replace("people:\n", NAMED))

    assert code(found, found.about(Kind.CANCEL, By("erin", "button", "T0", "U0ERIN"))) is expected


@pytest.mark.parametrize(
    ("at", "others", "expected"),
    [
        (ACCOUNTS_DECIDE, ["erin-k"], Code.ALREADY_APPROVED),
        (ACCOUNTS_DECIDE, [], None),
        (BEFORE, ["erin-k"], None),
    ],
    ids=["both fill a line", "the first name fills none", "in an older ledger"],
)
def test_nobody_approves_twice_under_two_names(
    at: datetime, others: list[Json], expected: Code | None
) -> None:
    found = met(APPROVES)
    found.at = at
    found.asked("1.1.0")
    found.add(said(found, found.about(Kind.APPROVE, BY_ERIN)))
    change_rules(found, APPROVES.replace("people:\n", NAMED))
    word = found.about(Kind.APPROVE, By("erin", "button", "T0", "U0ERIN"))
    members: dict[str, Json] = {"release-managers": ["erin", *others]}

    assert code(found, said(found, word, members=members)) is expected


@pytest.mark.parametrize(
    ("text", "at", "by", "until", "expected"),
    [
        (ON, ACCOUNTS_DECIDE, "ada", timedelta(seconds=1), Code.NOT_AN_APPROVER),
        (ON, ACCOUNTS_DECIDE, "ada", timedelta(hours=2), None),
        (ON, ACCOUNTS_DECIDE, "ada", timedelta(hours=3), None),
        (ON, ACCOUNTS_DECIDE, "ada", None, None),
        (ON, ACCOUNTS_DECIDE, "erin", timedelta(seconds=1), None),
        (APPROVES, ACCOUNTS_DECIDE, "ada", timedelta(seconds=1), None),
        (ON, BEFORE, "ada", timedelta(seconds=1), None),
    ],
    ids=["sooner", "then", "later", "open", "her own", "where a match approves", "in an older ledger"],
)
def test_who_is_known_by_an_address_ends_nothing_of_others_sooner(
    text: str, at: datetime, by: str, until: timedelta | None, expected: Code | None
) -> None:
    found = met(text)
    found.at = at
    end = write_time(at + timedelta(hours=2))
    first = found.stand(
        Kind.FREEZE, person("ada") if by == "ada" else BY_ERIN, environment="staging", until=end
    )
    found.add(said(found, first))
    sooner = at if until and until > timedelta(hours=1) else found.at

    second = found.stand(Kind.FREEZE, BY_ERIN, environment="staging")
    second = replace(second, until=write_time(sooner + until)) if until else second

    assert code(found, said(found, second)) is expected


def test_a_match_is_read_back_and_carried_over() -> None:
    found = met()
    (_, entry) = found.entries[-1]
    assert parse(entry.line()) == entry
    assert b'"domain":"acme.example"' in entry.line()
    other = Tables("2027")

    restore(other, carry(found.state, found.entries, found.at))

    assert other.links == found.state.links
    with pytest.raises(EntryError, match="no mail domain"):
        parse(entry.line().replace(b'{"domain":"acme.example","forge"', b'{"domain":"Acme example","forge"'))


def test_without_matches_teams_are_left_as_they_are() -> None:
    found = story(TEAM)

    assert [one.domain for one in everybody(rules(TEAM), found.state.links, {})] == [""] * len(
        rules(TEAM).people
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ada@acme.example", "ada@acme.example"),
        ("Ada.L@ACME.example", "ada.l@acme.example"),
        ("ada+x@acme.example", None),
        ("ada@sub.acme.example", None),
        ("ada@acme.example.evil.example", None),
        ("ada@evil.example@acme.example", None),
        ("\u0430da@acme.example", None),
        ("ada@\u0430cme.example", None),
        ("ad\u212a@acme.example", None),
        ('"ada"@acme.example', None),
        (".ada@acme.example", None),
        ("ada.@acme.example", None),
        ("a..da@acme.example", None),
        ("ada@acme.example.", None),
        ("ada@acme.example\n", None),
        (" ada@acme.example", None),
        ("@acme.example", None),
        ("ada", None),
        ("", None),
        ("a" * 65 + "@acme.example", None),
    ],
)
def test_an_address_is_compared_exactly_or_not_at_all(text: str, expected: str | None) -> None:
    found = address_of(text, [DOMAIN])

    assert (found and found[0]) == expected


@pytest.mark.parametrize(
    ("domain", "is_one", "is_everybodys"),
    [
        ("acme.example", True, False),
        ("mail.acme.co.uk", True, False),
        ("gmail.com", True, True),
        ("x.gmail.com", True, True),
        ("users.noreply.github.com", True, True),
        ("notgmail.com", True, False),
        ("acme", False, False),
        ("Acme.example", False, False),
        ("xn--cme-8na.example", False, False),
        ("\u0430cme.example", False, False),
        ("acme.example.", False, False),
        ("-acme.example", False, False),
        ("a" * 64 + ".example", False, False),
        ("a." * 126 + "example", False, False),
    ],
)
def test_a_domain_is_one_of_an_organization(domain: str, *, is_one: bool, is_everybodys: bool) -> None:
    assert is_domain(domain) is is_one
    assert is_public(domain) is is_everybodys


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("identity: {email: [gmail.com]}", "anybody has an address at gmail.com"),
        ("identity: {email: acme}", "no mail domain"),
        ("identity: {email: ['*.acme.example']}", "no mail domain"),
        ("identity: {approve: true}", "email"),
        ("identity: {email: [acme.example, acme.example]}", "twice"),
        ("identity: {email: [acme.example], approve: maybe}", "approve"),
        ("identity: {mail: [acme.example]}", "mail"),
    ],
)
def test_what_cannot_say_who_somebody_is_is_refused(text: str, said: str) -> None:
    with pytest.raises(RulesError) as refused:
        parse_rules({"a.yaml": f"{RULES}{text}\n".encode()})

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "domains"), [("", ()), ("identity:\n", ()), (f"identity: {{email: {DOMAIN}}}\n", (DOMAIN,))]
)
def test_it_is_off_unless_domains_are_named(text: str, domains: tuple[str, ...]) -> None:
    found: Rules = parse_rules({"a.yaml": f"{RULES}{text}".encode()})

    assert found.identity.email == domains
    assert not found.identity.approve


def test_rules_that_change_leave_a_match_alone_and_it_counts_no_more() -> None:
    found = met()
    change_rules(found, TEAM)
    word: Any = found.stand(Kind.HOLD, BY_ERIN)

    assert code(found, said(found, word)) is Code.UNKNOWN_PERSON
