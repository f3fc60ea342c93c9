"""What the holder of the ledger's own key may not append beside the rest: of facts, groups, health, links, merges."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from policies.allowed.asked import TOLD_DECIDES
from policies.canonical import Json
from policies.codes import Code
from policies.entries.entry import Beside, By, Entry, Kind, Link, Pinned, RuleAt, write_time
from policies.ledger.people import ACCOUNTS_DECIDE
from policies.ledger.state import Stage
from policies.rules.hash import rules_hash
from policies.rules.rules import ConfigRule
from tests.policies.gate_worlds import ruled
from tests.policies.group_worlds import TEXT, about, asked, bump, image, landed, rollback, seen, shop
from tests.policies.ledger_builders import (
    FILES,
    FLAGS,
    RULES,
    START,
    Story,
    at_stage,
    change_rules,
    oid,
    person,
    pinned,
    rules,
    shelf,
    story,
)
from tests.policies.test_allowed_by_commit import BY_COMMIT, PUSHED
from tests.policies.test_allowed_identity import ERIN
from tests.policies.test_allowed_reviews import BOB, FORGE_FLAGS, reviewed
from tests.policies.test_emails import APPROVES, BY_ERIN, ON, TEAM, matched, met, said
from tests.policies.test_emails import ERIN as MATCH
from tests.policies.test_group_emergency import CALLED, CALM, called, emergency
from tests.policies.test_validator_groups import BOTH, GROWN, ready

Made = Callable[[], tuple[Story, Entry]]
WEB = "  web: {image: ghcr.io/example/web, versions: 1.x}\n"


# --- facts ---------------------------------------------------------------------------------------------------------


def _year(**carried: Json) -> tuple[Story, Entry]:
    found = Story(story().book)
    return found, replace(found.genesis(), carried={"year": "2025", "tables": {}, **carried})


def _first_rules(genesis: str, commit: str) -> tuple[Story, Entry]:
    """Offer the first rules of a ledger whose branch begins at another commit; `older` comes before `first`."""
    found = Story(shelf())
    found.book.line = [oid("older"), oid("first"), oid("later")]
    found.book.versions = dict.fromkeys(found.book.line, found.book.versions[oid("first")])
    if genesis:
        found.add(replace(found.genesis(), commit=oid(genesis)))
    return found, found.rules_at(oid(commit))


def _next_rules(text: str = RULES, **changes: Any) -> tuple[Story, Entry]:
    found = story()
    found.book.line.append(oid("next"))
    found.book.versions[oid("next")] = rules(text)
    return found, found.rules_at(oid("next"), **changes)


def _under_anothers_commit() -> tuple[Story, Entry]:
    found, entry = _next_rules()
    return found, replace(
        entry, rule=RuleAt(oid("first"), FILES, rules_hash(found.book.versions[oid("next")]))
    )


RENAMED = RULES.replace("  web: {", "  shop: {was: [web], ")


def _files(config: ConfigRule, why: str) -> tuple[Story, Entry]:
    found = ruled(story(), config=config)
    return found, found.config("a", why=why)


def _files_without_a_genesis() -> tuple[Story, Entry]:
    found = story()
    entry = found.config("a")
    found.state.genesis = None
    return found, entry


def _refused(who: Json, *, is_readable: bool = True) -> tuple[Story, Entry]:
    found = at_stage(Stage.OPEN)
    entry = found.about(Kind.REFUSED, evidence={"person": who})
    if not is_readable:
        found.book.versions.clear()
    return found, entry


# --- groups --------------------------------------------------------------------------------------------------------


def _beside() -> tuple[Story, Entry]:
    found = seen(ready(), {"search": "1.1.0"})
    web = Beside("web", (image("1.1.0", "web"),), (image("1.0.0", "web"),), found.rule("staging", "web"))
    return found, replace(bump(found, BOTH), also=(web,))


def _two_services() -> tuple[Story, Entry]:
    found = shop(TEXT.replace("groups: {shop: [web, cart]}\n", ""))
    seen(found, {"web": "1.1.0", "cart": "1.1.0"})
    entry = found.bump("1.1.0")
    assert entry.rule
    web = Beside("web", entry.image, entry.previous, entry.rule)
    cart: dict[str, Any] = {"image": (image("1.1.0", "cart"),), "previous": (image("1.0.0", "cart"),)}
    return found, replace(entry, service="cart", rule=found.rule("staging", "cart"), also=(web,), **cart)


def _search_as_the_groups(kind: Kind) -> tuple[Story, Entry]:
    """Begin something of search under the number of what is asked for the group."""
    found = asked(shop(), BOTH)
    number = found.promotion("production", "shop").id
    make = found.rollback if kind is Kind.ROLLBACK else found.propose
    entry = make("1.1.0", "ada", service="search", image=(image("1.1.0", "search"),), promotion=number)
    entry = replace(entry, kind=kind, key="", note="now", previous=(image("1.0.0", "search"),))
    return found, replace(entry, rule=found.rule("production", "search"))


def _without_the_group() -> tuple[Story, Entry]:
    found = asked(shop(), BOTH)
    return found, about(found, Kind.APPROVE, person("ada"), group="")


TWO_IMAGES = TEXT.replace(
    "cart: {image: ghcr.io/example/cart,", "cart: {images: [ghcr.io/example/cart, ghcr.io/example/back],"
)


def _grown_and_forgotten() -> tuple[Story, Entry]:
    """Void what was asked for of a group under rules that cannot be read any more."""
    found = shop(GROWN)
    asked(found, BOTH)
    seen(found, {"search": "1.1.0"})
    was = found.promotion("production", "shop")
    change_rules(found, GROWN.replace("approvals: 2 of", "approvals: 1 of"))
    del found.book.versions[was.rule.commit]
    rule = bump(found, BOTH, environment="production").rule
    return found, about(found, Kind.VOID, rule=rule)


def _unknown_versions() -> tuple[Story, Entry]:
    found = shop(TEXT.replace("cart, versions: 1.x", "cart, versions: {flux: flux-system/cart}"))
    seen(found, {"web": "1.1.0"})
    return found, bump(found, {"web": "1.1.0"})


def _back(found: Story, *services: str) -> tuple[Story, Entry]:
    return found, rollback(found, dict.fromkeys(services, "1.0.0"))


ONE_KNOWS = TEXT.replace(
    CALM,
    f"    exceptions: {{web: {{emergency: {{approvals: 1 of release-managers, review: 2d}}}}}}\n{CALM}",
)
AGED = TEXT.replace("approvals: none}", "approvals: none, exceptions: {cart: {age: 1m}}}")


def _noted(**gates: Json) -> tuple[Story, Entry]:
    found = seen(shop(AGED), BOTH)
    return found, bump(found, BOTH, evidence={"gates": gates})


HTTP = "gates: [http: {url: 'https://status.example.com/ok', is: 'true', json: /ok}]"
GATED = RULES.replace("approvals: none}", f"approvals: none, {HTTP}}}")


def _looked(*, is_told: bool = True) -> tuple[Story, Entry]:
    found = story(GATED)
    found.add(found.seen("1.1.0"))
    fact: Json = {
        "gate": "http",
        "verdict": "passed",
        "code": "",
        "detail": "",
        "looked": write_time(found.at),
    }
    return found, found.bump("1.1.0", evidence={"facts": [fact]} if is_told else {})


CHECKED = RULES.replace(CALM, f"{CALM}\n    gates: [checks: {{names: ci, 'on': head}}]")


# --- health --------------------------------------------------------------------------------------------------------

OTHER = pinned("1.0.0", repository="ghcr.io/example/back")


def _two_images(*images: Pinned) -> tuple[Story, Entry]:
    """Say that two images run where web and back stand."""
    found = story()
    found.book.stood["staging", "web"] = (pinned("1.0.0"), OTHER)
    return found, replace(found.health(), image=images)


def _moved_by_others() -> tuple[Story, Entry]:
    """Say that what somebody put there by hand runs, before the ledger knows of it."""
    found = story().staged("1.1.0")
    entry = replace(found.health(after=1), image=(pinned("1.3.0"),))
    found.book.later[entry.commit, "staging", "web"] = entry.image
    return found, entry


# --- links ---------------------------------------------------------------------------------------------------------


def _linked(link: Link = ERIN, /, *, again: Link | None = None, text: str = RULES) -> tuple[Story, Entry]:
    found = story(text)
    if again:
        found.add(found.linked_by(link))
    return found, found.linked_by(again or link)


def _before_rules() -> tuple[Story, Entry]:
    found = Story(shelf())
    found.add(found.genesis())
    return found, found.linked_by(ERIN)


def _matched(text: str = ON, **changes: Any) -> tuple[Story, Entry]:
    found = story(text)
    return found, matched(found, **changes)


def _after_a_match(link: Link, at: datetime | None = None) -> tuple[Story, Entry]:
    found = met()
    found.at = at or found.at
    return found, found.linked_by(link)


GUEST: dict[str, Json] = {**FLAGS, "guest": True}
FAY = RULES.replace("[ada, bob, carol]", "[ada, bob, fay]").replace(
    "teams:", "  fay: {github: fay-f}\nteams:"
)


# --- merges --------------------------------------------------------------------------------------------------------


def _intent(*people: str, text: str = RULES, **changes: Any) -> tuple[Story, Entry]:
    found = story(text).asked().approved(*people)
    return found, found.about(Kind.INTENT, **changes)


def _counting_a_match() -> tuple[Story, Entry]:
    found = met(APPROVES.replace("2 of release-managers", "1 of release-managers"))
    found.asked("1.1.0")
    found.add(said(found, found.about(Kind.APPROVE, BY_ERIN)))
    return found, said(found, found.about(Kind.INTENT), emails={})


def _counting_a_review(by: By = BOB, text: str = RULES, /, **evidence: Json) -> tuple[Story, Entry]:
    found = story(text).asked().approved("ada")
    found.add(reviewed(found, by, review_login=by.forge_login, review_user=by.forge_id))
    return found, found.about(Kind.INTENT, evidence=evidence)


def _counting_who_left_the_chat() -> tuple[Story, Entry]:
    """Merge on the word of Ada, whom the rules now know at the forge alone."""
    found = story().asked().approved()
    change_rules(found, RULES.replace("ada: {slack: U0ADA, github: ada-l}", "ada: {github: ada-l}"))
    return found, found.about(Kind.INTENT, evidence={"accounts": {"bob": dict(FLAGS)}})


def _counting_nobody_known(at: datetime = START, **looked: Json) -> tuple[Story, Entry]:
    """Merge on the review of somebody whose Slack account the rules give to another since."""
    text = TEAM.replace("2 of release-managers", "1 of release-managers")
    found = story(text)
    found.at = at
    found.add(found.linked_by(ERIN))
    found.asked()
    by = By("erin-k", "review", forge_id=4242, forge_login="erin-k")
    members: dict[str, Json] = {
        "members": {"release-managers": ["erin-k"]},
        "members_looked": write_time(found.at),
    }
    found.add(reviewed(found, by, review_login="erin-k", review_user=4242, **members))
    change_rules(found, text.replace("teams:", "  eve: {slack: U0ERIN}\nteams:"))
    return found, found.about(Kind.INTENT, evidence={**members, **looked})


ERIN_LOOKED_UP: dict[str, Json] = {
    "accounts": {"erin-k": dict(FLAGS)},
    "forge_accounts": {"erin-k": dict(FORGE_FLAGS)},
}


def _removed(text: str) -> tuple[Story, Entry]:
    """Push what the rules have no more."""
    found = story(text).asked().approved()
    found.add(found.about(Kind.INTENT))
    change_rules(found, text.replace(WEB, ""))
    return found, found.about(Kind.MERGED, evidence=PUSHED)


def _judged_by_nothing() -> tuple[Story, Entry]:
    found = at_stage(Stage.MERGING)
    entry = found.about(Kind.MERGED)
    del found.book.versions[found.promotion().rule.commit]
    return found, entry


def _of_nothing(kind: Kind, stage: Stage) -> tuple[Story, Entry]:
    found = at_stage(stage)
    return found, found.about(kind, promotion="f" * 12)


def _landing_of_nothing_that_says_what_stood_there() -> tuple[Story, Entry]:
    found, entry = _of_nothing(Kind.LANDED, Stage.MERGED)
    found.at = TOLD_DECIDES
    return found, replace(entry, previous=(pinned("1.0.0"),))


FORBIDDEN: list[tuple[str, Made, Code]] = [
    ("a year that does not say where the last one ended", _year, Code.OUT_OF_LINE),
    ("a year after its own", lambda: _year(year="2027", tip=oid("tip")), Code.OUT_OF_LINE),
    ("rules before there is a genesis", lambda: _first_rules("", "first"), Code.OUT_OF_LINE),
    ("rules under another's commit", _under_anothers_commit, Code.RULE_MOVED),
    ("rules that rename, without saying it", lambda: _next_rules(RENAMED), Code.RULE_MOVED),
    ("files where nobody looks at them", lambda: _files(ConfigRule.IGNORE, "recorded"), Code.OUT_OF_LINE),
    ("files where nobody looks, without a word", lambda: _files(ConfigRule.IGNORE, ""), Code.OUT_OF_LINE),
    ("files before there is a genesis", _files_without_a_genesis, Code.OUT_OF_LINE),
    ("a refusal of what is no name", lambda: _refused(["carol"]), Code.UNKNOWN_PERSON),
    # groups
    ("a group beside a service", _beside, Code.NOT_WHOLE),
    *(
        (
            f"{kind} of a service as the group's",
            lambda kind=kind: _search_as_the_groups(kind),
            Code.OUT_OF_LINE,
        )
        for kind in (Kind.PROPOSE, Kind.ROLLBACK, Kind.EMERGENCY)
    ),
    ("an approval that names no group", _without_the_group, Code.OUT_OF_LINE),
    (
        "a member with one image of two",
        lambda: (f := seen(shop(TWO_IMAGES), BOTH), bump(f, BOTH)),
        Code.NO_RULE,
    ),
    ("a group asked for under rules that are gone", _grown_and_forgotten, Code.NOT_WHOLE),
    ("a group of which a member's versions are unknown", _unknown_versions, Code.NOT_WHOLE),
    ("a way back of a group that never moved", lambda: _back(shop(), "web", "cart"), Code.NOT_WHOLE),
    ("a way back of a part", lambda: _back(landed(shop(), BOTH), "web"), Code.NOT_WHOLE),
    (
        "an emergency of which one member knows none",
        lambda: (f := called(ONE_KNOWS), emergency(f, BOTH, by=person("dan"))),
        Code.NO_EMERGENCY,
    ),
    (
        "gates noted of a member that has none",
        lambda: _noted(cart={"age": "passed 1m"}, web={}),
        Code.OUT_OF_LINE,
    ),
    ("a bump without what its gate was told", lambda: _looked(is_told=False), Code.GATE_UNKNOWN),
    ("an intent without its checks", lambda: _intent(text=CHECKED), Code.GATE_UNKNOWN),
    # health
    (
        "health of two images of which one is another's",
        lambda: _two_images(pinned("1.0.0"), replace(OTHER, tag="1.1.0")),
        Code.CHANGE_MOVED,
    ),
    ("health of what others put there", _moved_by_others, Code.CHANGE_MOVED),
    # links
    (
        "a link by another account",
        lambda: (f := story(), replace(f.linked_by(ERIN), by=BY_ERIN)),
        Code.UNKNOWN_PERSON,
    ),
    ("a link by a guest", lambda: (f := story(), _as_a_guest(f.linked_by(ERIN))), Code.ACCOUNT),
    ("a link before there are rules", _before_rules, Code.NO_RULE),
    ("a match that the rules switch off", lambda: _matched(TEAM), Code.NO_RULE),
    (
        "a match of somebody of Git",
        lambda: _matched(link=replace(MATCH, person="carol", slack_user="U0CAROL")),
        Code.UNKNOWN_PERSON,
    ),
    ("a match that nobody looked at", lambda: _matched(emails={}), Code.EVIDENCE_MISSING),
    ("a match of a guest", lambda: _matched(account=GUEST), Code.ACCOUNT),
    ("a link as it stands", lambda: _linked(again=ERIN), Code.OUT_OF_LINE),
    ("a link to another number", lambda: _linked(again=replace(ERIN, forge_id=5000)), Code.LINKED_ELSEWHERE),
    (
        "a link to another Slack account and login",
        lambda: _linked(again=replace(ERIN, slack_user="U0OTHER", forge_login="erin-new")),
        Code.UNKNOWN_PERSON,
    ),
    (
        "a link in the place of a match, by another Slack account",
        lambda: _after_a_match(replace(ERIN, slack_user="U0OTHER")),
        Code.LINKED_ELSEWHERE,
    ),
    # merges
    (
        "an intent that does not say who wrote the code",
        lambda: _intent(text=RULES.replace(CALM, f"{CALM}\n    exclude: [requester, authors]")),
        Code.EVIDENCE_MISSING,
    ),
    ("an intent counting a match that nobody looked at", _counting_a_match, Code.EVIDENCE_MISSING),
    (
        "an intent counting a review by an account that nobody looked at",
        lambda: _counting_a_review(accounts={"ada": dict(FLAGS), "bob": dict(FLAGS)}),
        Code.ACCOUNT,
    ),
    ("an intent counting who left the chat", _counting_who_left_the_chat, Code.ACCOUNT),
    ("an intent counting whom nobody knows any more", _counting_nobody_known, Code.ACCOUNT),
    (
        "an intent counting whom nobody knows any more, looked up all the same",
        lambda: _counting_nobody_known(TOLD_DECIDES, **ERIN_LOOKED_UP, looked=write_time(TOLD_DECIDES)),
        Code.UNKNOWN_PERSON,
    ),
    ("an abort of nothing", lambda: _of_nothing(Kind.ABORT, Stage.MERGING), Code.CLOSED),
    ("a landing of nothing", lambda: _of_nothing(Kind.LANDED, Stage.MERGED), Code.CLOSED),
    ("a landing of nothing from somewhere", _landing_of_nothing_that_says_what_stood_there, Code.CLOSED),
    ("a mismatch of nothing", lambda: _of_nothing(Kind.MISMATCH, Stage.MERGED), Code.CLOSED),
    ("a push of what the rules have no more", lambda: _removed(BY_COMMIT), Code.NO_RULE),
    ("a merge by rules that are gone", _judged_by_nothing, Code.NO_RULE),
]


def _as_a_guest(entry: Entry) -> Entry:
    return replace(entry, evidence={**entry.evidence, "account": GUEST})


@pytest.mark.parametrize(
    ("made", "code"), [(made, code) for _, made, code in FORBIDDEN], ids=[name for name, _, _ in FORBIDDEN]
)
def test_nobody_may_append(made: Made, code: Code) -> None:
    found, entry = made()

    assert code in {one.code for one in found.reasons(entry)}


def _landing_from(tag: str, at: datetime) -> tuple[Story, Entry]:
    found = at_stage(Stage.MERGED)
    found.at = at
    return found, found.about(Kind.LANDED, previous=(pinned(tag),))


ALLOWED: list[tuple[str, Made]] = [
    ("first rules that came after genesis", lambda: _first_rules("first", "later")),
    ("first rules from before genesis", lambda: _first_rules("first", "older")),
    (
        "rules that rename",
        lambda: _next_rules(RENAMED, evidence={"renamed": {"services": {"web": "shop"}}}),
    ),
    ("a refusal under rules that cannot be read", lambda: _refused("carol", is_readable=False)),
    ("a landing that says what stood there", lambda: _landing_from("1.0.0", TOLD_DECIDES)),
    ("an older landing that says else", lambda: _landing_from("0.9.0", TOLD_DECIDES - timedelta(minutes=1))),
    ("several services together", _two_services),
    ("an emergency of a group", lambda: (f := called(CALLED), emergency(f, BOTH))),
    ("gates noted of the member that has one", lambda: _noted(cart={"age": "passed 1m"})),
    ("a bump with what its gate was told", _looked),
    ("health of two images", lambda: _two_images(pinned("1.0.0"), OTHER)),
    (
        "a link of whom the rules know at the forge alone",
        lambda: _linked(Link("fay", "T0", "U0FAY", 9, "fay-f"), text=FAY),
    ),
    (
        "a link to an account that a match gave to another",
        lambda: _after_a_match(Link("erin-k-4242", "T0", "U0REAL", 4242, "erin-k"), ACCOUNTS_DECIDE),
    ),
    (
        "an older intent counting whom nobody knows any more",
        lambda: _counting_nobody_known(START, **ERIN_LOOKED_UP),
    ),
    (
        "an intent counting a review by somebody without Slack",
        lambda: _counting_a_review(
            By("fay", "review", forge_id=9, forge_login="fay-f"),
            FAY,
            accounts={"ada": dict(FLAGS)},
            forge_accounts={"fay": dict(FORGE_FLAGS)},
        ),
    ),
]


@pytest.mark.parametrize("made", [made for _, made in ALLOWED], ids=[name for name, _ in ALLOWED])
def test_the_rule_lets_through(made: Made) -> None:
    found, entry = made()

    assert found.reasons(entry) == []
    found.add(entry)
