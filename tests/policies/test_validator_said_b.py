"""More that nobody may append, for what is said of it; and what stands at the very edge of what may be appended."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from policies.allowed.words import RULED_DECIDE
from policies.canonical import Json
from policies.codes import Code
from policies.entries.entry import Beside, Bot, Both, By, Entry, Kind, Member, parse_time, write_time
from policies.ledger.keys import expected_key
from policies.ledger.people import ACCOUNTS_DECIDE
from policies.ledger.state import LIFTS, Stage
from policies.validator import every_refusal
from tests.policies import group_worlds as group
from tests.policies.ledger_builders import (
    FLAGS,
    RULES,
    Story,
    at_stage,
    change_rules,
    oid,
    person,
    pinned,
    shelf,
    story,
)
from tests.policies.test_allowed_reviews import BOB, reviewed
from tests.policies.test_allowed_self_merging import SELF_MERGING
from tests.policies.test_authors import AUTHORS, BY_BOB
from tests.policies.test_authors import asked as written_by
from tests.policies.test_emails import APPROVES, BY_ERIN, met
from tests.policies.test_emails import said as shows
from tests.policies.test_rollout import US, asks, ready

SHORTLY = timedelta(seconds=1)
Made = Callable[[], tuple[Story, Entry]]
WITHOUT_WEB = RULES.replace("  web: {image: ghcr.io/example/web, versions: 1.x}\n", "")
CART = "ghcr.io/example/cart"


def _bare() -> Story:
    """A ledger that has no rules yet."""
    found = Story(shelf())
    found.add(found.genesis())
    return found


def _unread(found: Story) -> Story:
    """Let nobody be able to read the rules any more."""
    assert found.state.rules
    del found.book.versions[found.state.rules.commit]
    return found


# --- moves ---------------------------------------------------------------------------------------------------------


def _two_images() -> tuple[Story, Entry]:
    found = story(
        RULES.replace("web: {image: ghcr.io/example/web", f"web: {{images: [ghcr.io/example/web, {CART}-2]")
    )
    found.add(found.seen("1.1.0"))
    return found, found.bump("1.1.0")


def _unseen_of_two() -> tuple[Story, Entry]:
    found = story()
    found.book.stood["staging", "cart"] = (pinned("1.0.0", repository=CART),)
    web = found.bump("1.1.0")
    assert web.rule
    beside = Beside("web", web.image, web.previous, web.rule, {})
    cart = replace(
        web, image=(pinned("1.1.0", repository=CART),), previous=found.book.stood["staging", "cart"]
    )
    return found, replace(cart, service="cart", rule=found.rule("staging", "cart"), also=(beside,))


def _bump_by_pull_request() -> tuple[Story, Entry]:
    found = story(SELF_MERGING)
    found.add(found.seen("1.1.0"))
    return found, found.bump("1.1.0")


def _lent(evidence: Json) -> tuple[Story, Entry]:
    found = ready()
    return found, asks(found, evidence={"as": evidence})


def _lent_to_a_person() -> tuple[Story, Entry]:
    found = ready()
    entry = asks(found, by=person("carol"), why="")
    return found, replace(entry, evidence={**entry.evidence, "account": dict(FLAGS)})


def _lent_to_members() -> tuple[Story, Entry]:
    found = ready()
    return found, asks(found, members=(Member("web", 1),))


def _asked_again_by_the_bot() -> tuple[Story, Entry]:
    found = ready()
    found.add(asks(found))
    rejected = found.word(Kind.REJECT, person("ada"), environment=US, service="web")
    found.add(replace(rejected, promotion=found.promotion(US).id, note="not here"))
    return found, asks(found)


def _reviewed_later(text: str, **changes: object) -> tuple[Story, Entry]:
    found = story(text).asked().approved().landed()
    return found, found.rollback("1.0.0", **changes)  # type: ignore[arg-type]  # fields of the entry


REVIEWED = RULES.replace("approvals: 2", "rollback: {approvals: 1, review: 2d}\n    approvals: 2")

# --- words at the forge and in chat ----------------------------------------------------------------------------------


def _review_before_rules() -> tuple[Story, Entry]:
    entry = reviewed(story().asked())
    found = _bare()
    return found, replace(entry, at=write_time(found.at), key="")


def _review(by: By) -> tuple[Story, Entry]:
    found = story().asked()
    return found, reviewed(found, by)


def _review_by_an_address() -> tuple[Story, Entry]:
    found = met(APPROVES).asked()
    by = By("erin-k", "review", forge_id=4242, forge_login="erin-k")
    return found, reviewed(found, by, review_login="erin-k", review_user=4242)


def _one_with_two_accounts() -> tuple[Story, Entry]:
    found = story()
    one = person("ada")
    return found, found.both(Kind.FORK, lost=oid("lost"), by=Both(one, replace(one, slack_user="U0DAN")))


def _fork_before_rules() -> tuple[Story, Entry]:
    found = _bare()
    return found, found.both(Kind.FORK, lost=oid("lost"))


def _fork_by_an_address() -> tuple[Story, Entry]:
    found = met(APPROVES)
    entry = found.both(Kind.FORK, lost=oid("lost"), by=Both(person("ada"), BY_ERIN))
    accounts: dict[str, Json] = {"accounts": {"ada": dict(FLAGS), "erin-k": dict(FLAGS)}}
    return found, shows(found, replace(entry, evidence=accounts))


def _stranger_with_a_login() -> tuple[Story, Entry]:
    found = story()
    return found, found.stand(Kind.HOLD, replace(person("eve"), forge_id=5, forge_login="eve"))


def _by_an_address(kind: Kind) -> tuple[Story, Entry]:
    found = met()
    if kind in {Kind.HOLD, Kind.BLOCK, Kind.FREEZE, Kind.RESUME, Kind.UNBLOCK, Kind.UNFREEZE}:
        return found, shows(found, found.stand(kind, BY_ERIN))
    found.staged("1.1.0")
    if kind is Kind.PROPOSE:
        return found, shows(found, replace(found.propose("1.1.0"), by=BY_ERIN))
    found.add(shows(found, replace(found.propose("1.1.0"), by=BY_ERIN)))
    return found, shows(found, found.about(kind, BY_ERIN))


def _by_an_address_that_nothing_shows() -> tuple[Story, Entry]:
    found = met()
    return found, found.stand(Kind.HOLD, BY_ERIN)


# --- holds, blocks, freezes ------------------------------------------------------------------------------------------


def _ends_as_it_begins() -> tuple[Story, Entry]:
    found = story()
    return found, found.stand(Kind.FREEZE, person("dan"), until=write_time(found.at))


def _hold(by: By | Bot, **changes: object) -> tuple[Story, Entry]:
    found = story()
    about = {"environment": "staging", "image": (pinned("1.0.0"),), "previous": (pinned("1.1.0"),)}
    return found, found.stand(Kind.HOLD, by, **(about | changes))


def _doubt(**changes: object) -> tuple[Story, Entry]:
    return _hold(Bot(), **({"why": "downgrade"} | changes))


def _held(kind: Kind, by: By | Bot, first: By | Bot | None = None, **changes: object) -> tuple[Story, Entry]:
    found = story()
    found.add(found.stand(Kind.HOLD, first or person("ada")))
    return found, found.stand(kind, by, **changes)


def _held_by_two() -> tuple[Story, Entry]:
    found, entry = _held(Kind.HOLD, person("ada"))
    return found, replace(entry, by=Both(person("ada"), person("bob")))


def _frozen_unread(kind: Kind) -> tuple[Story, Entry]:
    found = story()
    found.add(found.stand(Kind.FREEZE, person("ada")))
    entry = found.stand(kind, person("dan"))
    return _unread(found), entry


def _lifts(*numbers: int) -> tuple[Story, Entry]:
    found = story()
    for where in ("staging", "production"):
        found.add(found.stand(Kind.HOLD, person("ada"), environment=where))
    entry = found.stand(Kind.RESUME, person("ada"))
    return found, replace(entry, evidence={**entry.evidence, LIFTS: list(numbers)})


OWNED = RULES.replace("2 of release-managers", "1 of owners").replace(
    "  web: {image: ghcr.io/example/web, versions: 1.x}\n  cart: {image: ghcr.io/example/cart, versions: 1.x}\n",
    "  web: {image: ghcr.io/example/web, versions: 1.x, owner: dan}\n"
    "  cart: {image: ghcr.io/example/cart, versions: 1.x, owner: carol}\n",
)


def _unblocked(environment: str, by: str, text: str = RULES) -> tuple[Story, Entry]:
    found = story(text)
    found.add(found.stand(Kind.BLOCK, person("ada"), environment=environment))
    return found, found.stand(Kind.UNBLOCK, person(by), environment=environment)


def _unfrozen_when_over() -> tuple[Story, Entry]:
    found = story()
    until = write_time(found.at + timedelta(hours=1))
    found.add(found.stand(Kind.FREEZE, person("ada"), until=until))
    found.at += timedelta(hours=2)
    return found, found.stand(Kind.UNFREEZE, person("ada"))


# --- what is said of a promotion -------------------------------------------------------------------------------------


def _when_gone(kind: Kind, by: str = "dan", at: datetime = RULED_DECIDE) -> tuple[Story, Entry]:
    found = story().asked()
    change_rules(found, WITHOUT_WEB)
    return found, found.about(kind, person(by), at=write_time(at))


def _over() -> tuple[Story, Entry]:
    found = at_stage(Stage.REJECTED)
    return found, found.about(Kind.APPROVE, person("bob"))


def _by_an_author() -> tuple[Story, Entry]:
    found = written_by(BY_BOB)
    return found, found.about(Kind.APPROVE, person("bob"))


def _under_another_name() -> tuple[Story, Entry]:
    found = Story(shelf(), at=ACCOUNTS_DECIDE)
    found.add(found.genesis())
    found.add(found.rules_at(found.book.line[0]))
    found.asked().approved("bob")
    text = RULES.replace(
        "bob: {slack: U0BOB, github: bob}", "bob: {slack: U0NEW}\n  robert: {slack: U0BOB, github: bob}"
    )
    change_rules(found, text.replace("[ada, bob, carol]", "[ada, bob, carol, robert]"))
    return found, found.about(Kind.APPROVE, replace(person("bob"), person="robert"))


def _renewed_nothing() -> tuple[Story, Entry]:
    found = story().asked()
    entry = found.about(Kind.APPROVE, person("ada"))
    return found, replace(entry, evidence={**entry.evidence, "renews": 3})


def _of_nothing(kind: Kind) -> tuple[Story, Entry]:
    found = story().asked()
    return found, found.about(kind, person("ada"), promotion="f" * 12)


def _by_the_bot(kind: Kind) -> tuple[Story, Entry]:
    found = story().asked()
    return found, found.about(kind, Bot())


def _cancelled_of_the_bot() -> tuple[Story, Entry]:
    found = ready()
    found.add(asks(found))
    word = found.word(Kind.CANCEL, person("dan"), environment=US, service="web")
    return found, replace(word, promotion=found.promotion(US).id)


def _void(**changes: object) -> tuple[Story, Entry]:
    found = story().asked()
    return found, found.about(Kind.VOID, **changes)


def _void_of_nothing_moved() -> tuple[Story, Entry]:
    found = story().asked()
    now = found.promotion()
    return found, found.about(Kind.VOID, rule=None, image=now.image, change=now.change, voided=now.change)


def _wordless() -> tuple[Story, Entry]:
    found = Story(shelf(), at=parse_time("2026-11-26T00:00:00Z"))
    found.add(found.genesis())
    found.add(found.rules_at(found.book.line[0]))
    seen = found.add(found.seen("1.1.0"))
    return found, found.both(Kind.REDACT, erases=seen.seq)


def _other_ends(*named: Json) -> tuple[Story, Entry]:
    found = story()
    entry = found.both(Kind.FORK, lost=oid("lost"))
    return found, replace(entry, evidence={**entry.evidence, "ends": list(named)})


MATCHED = (Kind.APPROVE, Kind.REJECT, Kind.RESUME, Kind.UNBLOCK, Kind.UNFREEZE)
FORBIDDEN: list[tuple[str, Made, Code]] = [
    ("one of two images", _two_images, Code.NO_RULE),
    ("two services that nobody saw", _unseen_of_two, Code.NOT_SEEN),
    ("a bump where moves go by pull request", _bump_by_pull_request, Code.OUT_OF_LINE),
    ("approvals that a person brings along", _lent_to_a_person, Code.NOT_AN_APPROVER),
    ("approvals for members", _lent_to_members, Code.CHANGE_MOVED),
    ("approvals of nothing", lambda: _lent({"promotion": "0" * 12}), Code.CHANGE_MOVED),
    ("approvals of what has no name", lambda: _lent("production"), Code.CHANGE_MOVED),
    (
        "the bot asks where people ask",
        lambda: (f := ready(), asks(f.staged("1.2.0"), "1.2.0", "production")),
        Code.UNKNOWN_PERSON,
    ),
    ("the bot asks again", _asked_again_by_the_bot, Code.ALREADY_ASKED),
    (
        "a way back with a review that nobody asks for",
        lambda: _reviewed_later(RULES, until="2026-11-30T09:00:00Z"),
        Code.OUT_OF_LINE,
    ),
    ("a way back without its review", lambda: _reviewed_later(REVIEWED), Code.OUT_OF_LINE),
    ("an erasure of what has no words", _wordless, Code.NOT_STANDING),
    ("a fork whose other end is a number", lambda: _other_ends(1), Code.OUT_OF_LINE),
    ("a review before there are rules", _review_before_rules, Code.UNKNOWN_PERSON),
    ("a review by a stranger", lambda: _review(replace(BOB, person="mallory")), Code.UNKNOWN_PERSON),
    ("a review by who is known by an address", _review_by_an_address, Code.MATCHED),
    ("a review by a Slack account", lambda: _review(replace(BOB, slack_user="U0BOB")), Code.OUT_OF_LINE),
    ("a review in a Slack workspace", lambda: _review(replace(BOB, slack_team="T0")), Code.OUT_OF_LINE),
    ("a fork by one with two accounts", _one_with_two_accounts, Code.APPROVALS_MISSING),
    ("a fork before there are rules", _fork_before_rules, Code.UNKNOWN_PERSON),
    ("a fork by who is known by an address", _fork_by_an_address, Code.MATCHED),
    ("a stranger with a login", _stranger_with_a_login, Code.UNKNOWN_PERSON),
    *(
        (f"{kind} by who is known by an address", lambda kind=kind: _by_an_address(kind), Code.MATCHED)
        for kind in MATCHED
    ),
    ("an unapproval by who is known by an address", lambda: _by_an_address(Kind.UNAPPROVE), Code.NOT_APPROVED),
    ("a word by an address that nothing shows", _by_an_address_that_nothing_shows, Code.EVIDENCE_MISSING),
    ("a freeze that ends as it begins", _ends_as_it_begins, Code.OUT_OF_LINE),
    ("a doubt by a person", lambda: _hold(person("dan"), why="downgrade"), Code.OUT_OF_LINE),
    ("a hold that names what came", lambda: _hold(person("dan"), previous=()), Code.OUT_OF_LINE),
    ("a hold that names what was left", lambda: _hold(person("dan"), image=()), Code.OUT_OF_LINE),
    ("a hold by the bot that names an image", lambda: _hold(Bot()), Code.OUT_OF_LINE),
    ("a doubt of nothing", lambda: _doubt(image=(), previous=()), Code.OUT_OF_LINE),
    ("a doubt of a tag alone", lambda: _doubt(image=(pinned("1.0.0", digest=""),)), Code.OUT_OF_LINE),
    ("a doubt in no environment", lambda: _doubt(environment="qa"), Code.NO_RULE),
    ("a doubt in every place", lambda: _doubt(environment=""), Code.NO_RULE),
    ("a doubt of a step forward", lambda: _doubt(image=(pinned("1.2.0"),)), Code.OUT_OF_LINE),
    ("a hold by two where one stands", _held_by_two, Code.NOT_AN_APPROVER),
    ("a hold in the place of the bot's", lambda: _held(Kind.HOLD, person("dan"), Bot()), Code.NOT_AN_APPROVER),
    ("a hold by a stranger in another's place", lambda: _held(Kind.HOLD, person("eve")), Code.UNKNOWN_PERSON),
    ("a freeze when nobody can read the rules", lambda: _frozen_unread(Kind.FREEZE), Code.UNKNOWN_PERSON),
    ("an unfreeze when nobody can read the rules", lambda: _frozen_unread(Kind.UNFREEZE), Code.UNKNOWN_PERSON),
    ("a resume of what it names twice", lambda: _lifts(4, 3, 3), Code.OUT_OF_LINE),
    ("a resume of nothing of two", _lifts, Code.NOT_STANDING),
    ("an unblock by another service's owner", lambda: _unblocked("production", "carol", OWNED), Code.NOT_AN_APPROVER),
    ("an unfreeze of what is over", _unfrozen_when_over, Code.NOT_STANDING),
    ("an approval of what is over", _over, Code.CLOSED),
    ("a rejection of what the rules have no more", lambda: _when_gone(Kind.REJECT), Code.NOT_AN_APPROVER),
    ("a cancellation of what the rules have no more", lambda: _when_gone(Kind.CANCEL), Code.NOT_AN_APPROVER),
    ("an approval by an author", _by_an_author, Code.AUTHOR),
    ("an approval under another name", _under_another_name, Code.ALREADY_APPROVED),
    ("a renewal of nothing", _renewed_nothing, Code.NOT_APPROVED),
    ("an unapproval of nothing", lambda: _of_nothing(Kind.UNAPPROVE), Code.CLOSED),
    ("a cancellation of nothing", lambda: _of_nothing(Kind.CANCEL), Code.CLOSED),
    ("an unapproval by the bot", lambda: _by_the_bot(Kind.UNAPPROVE), Code.UNKNOWN_PERSON),
    ("a cancellation by the bot", lambda: _by_the_bot(Kind.CANCEL), Code.UNKNOWN_PERSON),
    ("a cancellation of what the bot asked for", _cancelled_of_the_bot, Code.NOT_AN_APPROVER),
    ("a void that names no rule", lambda: _void(rule=None), Code.RULE_MOVED),
    ("a void that names no rule, of what has not moved", _void_of_nothing_moved, Code.RULE_MOVED),
    ("a void for other members", lambda: _void(members=(Member("web", 1),)), Code.NOT_WHOLE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("made", "code"), [(made, code) for _, made, code in FORBIDDEN], ids=[name for name, _, _ in FORBIDDEN]
)
def test_nobody_may_append(made: Made, code: Code) -> None:
    found, entry = made()

    assert code in {one.code for one in found.reasons(entry)}


# --- what may be appended, at the edge -------------------------------------------------------------------------------


def _spoken_by(via: str) -> tuple[Story, Entry]:
    found = story()
    return found, found.stand(Kind.HOLD, person("dan", via))


def _reviewed_without_slack() -> tuple[Story, Entry]:
    text = RULES.replace("dan: {slack: U0DAN}", "dan: {github: dan-d}")
    found = story(text.replace("[ada, bob, carol]", "[ada, bob, carol, dan]")).asked()
    by = By("dan", "review", forge_id=12, forge_login="dan-d")
    entry = reviewed(found, by, review_user=12, review_login="dan-d")
    return found, replace(
        entry, evidence={key: one for key, one in entry.evidence.items() if key != "account"}
    )


def _own_review_dismissed() -> tuple[Story, Entry]:
    found = story().asked().approved("ada")
    found.add(reviewed(found))
    return found, reviewed(found, BOB, Kind.UNAPPROVE, review_state="DISMISSED")


def _reviewed_anew_elsewhere() -> tuple[Story, Entry]:
    found = story().asked()
    found.add(reviewed(found))
    newer = {"review_id": 918274, "review_commit": oid("another head")}
    return found, reviewed(found, BOB, Kind.UNAPPROVE, **newer)


def _back_by_an_author() -> tuple[Story, Entry]:
    text = AUTHORS.replace("approvals: 2", "rollback: {approvals: 2 of release-managers}\n    approvals: 2")
    found = story(text).asked()
    for name in ("ada", "bob"):
        found.add(found.about(Kind.APPROVE, person(name)))
    evidence = {**found.about(Kind.INTENT).evidence, "authors": BY_BOB | {"people": []}}
    found.add(found.about(Kind.INTENT, evidence=evidence))
    for kind in (Kind.MERGED, Kind.LANDED):
        found.add(found.about(kind))
    told: dict[str, Json] = {"account": dict(FLAGS), "authors": BY_BOB}
    found.add(found.rollback("1.0.0", "carol", evidence=told))
    return found, found.about(Kind.APPROVE, person("bob"))


def _renewed_for_a_member() -> tuple[Story, Entry]:
    """Cart's last approval is too old, and web's is not."""
    text = group.TEXT.replace(
        "approvals: 2 of release-managers",
        "approvals: 2 of release-managers\n    exceptions: {cart: {merge-within: 1h}}",
    )
    found = group.asked(group.shop(text), {"web": "1.2.0", "cart": "1.2.0"})
    for name in ("ada", "bob"):
        found.add(group.about(found, Kind.APPROVE, person(name)))
    found.at += timedelta(hours=2)
    mine = next(one.seq for one in found.promotion("production", "shop").approvals if one.by.person == "ada")
    entry = group.about(found, Kind.APPROVE, person("ada"))
    return found, replace(entry, evidence={**entry.evidence, "renews": mine})


ALLOWED: list[tuple[str, Made]] = [
    *((f"a word by {via}", lambda via=via: _spoken_by(via)) for via in ("button", "command", "modal", "shortcut")),
    *(
        (f"{kind} by who is known by an address", lambda kind=kind: _by_an_address(kind))
        for kind in (Kind.PROPOSE, Kind.CANCEL, Kind.HOLD, Kind.BLOCK, Kind.FREEZE)
    ),
    (
        "a rejection of what the rules have no more, as it was once",
        lambda: _when_gone(Kind.REJECT, at=RULED_DECIDE - SHORTLY),
    ),
    ("a cancellation by who asked, when the rules have it no more", lambda: _when_gone(Kind.CANCEL, "carol")),
    ("a review by who has no Slack account", _reviewed_without_slack),
    ("a review that was dismissed beside another's approval", _own_review_dismissed),
    ("a review that another one of another head replaces", _reviewed_anew_elsewhere),
    ("a way back by who wrote what is left", _back_by_an_author),
    ("a go for one member", _renewed_for_a_member),
    ("an unblock where nobody is asked", lambda: _unblocked("staging", "dan")),
    ("an unblock by the owner", lambda: _unblocked("production", "dan", OWNED)),
]  # fmt: skip


@pytest.mark.parametrize("made", [made for _, made in ALLOWED], ids=[name for name, _ in ALLOWED])
def test_the_rule_lets_through(made: Made) -> None:
    found, entry = made()

    assert found.reasons(entry) == []
    found.add(entry)


@pytest.mark.parametrize(
    ("since", "is_kept"),
    [(ACCOUNTS_DECIDE - SHORTLY, False), (ACCOUNTS_DECIDE, True), (ACCOUNTS_DECIDE + SHORTLY, True)],
    ids=["before", "as they begin to decide", "after"],
)
@pytest.mark.parametrize("by", [BY_ERIN, person("dan")], ids=["by an address", "by Git"])
def test_who_is_known_by_an_address_ends_nothing_of_others_sooner(
    by: By, since: datetime, *, is_kept: bool
) -> None:
    found = met()
    found.add(found.stand(Kind.HOLD, person("ada"), environment="staging"))
    found.at = since
    sooner = found.stand(Kind.HOLD, by, environment="staging", until=write_time(since + timedelta(hours=1)))

    refused = {one.code for one in found.reasons(shows(found, sooner))}

    assert refused == ({Code.NOT_AN_APPROVER} if is_kept and by == BY_ERIN else set())


def _after_approvals() -> tuple[Story, Kind]:
    found = story().asked()
    found.at += timedelta(hours=1)
    return found.approved("ada"), Kind.REBASED


def _after_a_void() -> tuple[Story, Kind]:
    found = story().asked()
    found.at += timedelta(hours=1)
    found.add(found.about(Kind.VOID))
    return found, Kind.REBASED


def _after_it_landed() -> tuple[Story, Kind]:
    found = at_stage(Stage.MERGED)
    found.at += timedelta(hours=1)
    found.add(found.about(Kind.LANDED))
    return found, Kind.REFUSED


@pytest.mark.parametrize("make", [_after_approvals, _after_a_void, _after_it_landed])
@pytest.mark.parametrize(("seconds", "is_too_old"), [(299, False), (300, False), (301, True)])
def test_an_entry_may_be_five_minutes_older_than_the_last_word_of_its_promotion(
    make: Callable[[], tuple[Story, Kind]], seconds: int, *, is_too_old: bool
) -> None:
    found, kind = make()
    _, last = found.entries[-1]
    entry = found.about(kind, at=write_time(last.time - timedelta(seconds=seconds)))

    said = [str(one) for one in found.reasons(entry)]

    old = ["out-of-line: it is older than what was said of the promotion before"]
    assert said == (old if is_too_old else [])


def test_what_is_out_of_line_is_told_by_its_number_and_twelve_digits_of_its_parent() -> None:
    found = story()
    entry = replace(found.complete(found.seen("1.1.0")), prev=oid("x"))

    assert f"it is #3 after {oid('x')[:12]}, expected #3" in [
        one.detail for one in every_refusal(found.state, entry, found.book)
    ]


def test_of_keys_that_differ_the_first_120_characters_are_told() -> None:
    found = story().asked()
    entry = found.about(Kind.APPROVE, person("ada"))
    expected = found.complete(entry).key

    said = [one.detail for one in found.reasons(replace(entry, key="k" * 200))]

    assert len(expected) > 120
    assert f"its key is {'k' * 120}, expected {expected[:120]}" in said


@pytest.mark.parametrize(("count", "is_said"), [(100, False), (101, True)])
def test_a_hundred_services_move_by_one_entry(count: int, *, is_said: bool) -> None:
    found = story()
    web = found.bump("1.1.0")
    assert web.rule
    others = tuple(
        Beside(f"web-{number:03}", web.image, web.previous, web.rule) for number in range(1, count)
    )

    said = [one.detail for one in found.reasons(replace(web, also=others))]

    assert ("expected each service once, in order, at most 100 together" in said) is is_said


def test_a_word_by_the_bot_has_nobody_in_its_key() -> None:
    found = story().asked()
    now = found.promotion()

    key = expected_key(found.state, found.about(Kind.APPROVE, Bot()))

    assert key == f"approve/{now.id}/{now.change}/{now.rule.hash}//1"


def test_an_approval_alone_renews() -> None:
    found = story().asked().approved("ada")
    entry = found.about(Kind.UNAPPROVE, person("ada"))

    again = replace(entry, evidence={**entry.evidence, "renews": 4})

    assert expected_key(found.state, again) == expected_key(found.state, entry)


def test_a_refusal_of_nobody_has_nobody_in_its_key() -> None:
    found = story().asked()
    entry = found.about(Kind.REFUSED, evidence={})

    assert expected_key(found.state, entry) == f"refused/{found.promotion().id}//requester"
