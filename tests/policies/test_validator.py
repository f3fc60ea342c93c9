"""What the holder of the ledger's own key may append, and what nobody may."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from policies.codes import Code
from policies.entries.entry import SHAPES, Bot, Entry, Kind, Pinned, write_time
from policies.ledger.keys import bump_key
from policies.ledger.state import ENDINGS, TRANSITIONS, Stage
from policies.rules.rules import Apart, Line
from policies.validator import _CHECKS, _WHO, Refusal, refuse
from tests.policies.ledger_builders import (
    FLAGS,
    RULES,
    Story,
    at_stage,
    change_rules,
    hash_of,
    oid,
    person,
    pinned,
    shelf,
    shown,
    story,
)

Made = Callable[[], tuple[Story, Entry]]
ALONE = RULES.replace("approvals: 2 of release-managers", "approvals: 2 of release-managers\n    expire: 3h")


def _open(*people: str) -> Story:
    found = story().asked()
    return found.approved(*people) if people else found


def _code(made: tuple[Story, Entry]) -> Code | None:
    found, entry = made
    refusal = found.refusal(entry)
    return Code(refusal.code) if refusal else None


def _approve(found: Story, name: str = "ada", /, **changes: object) -> tuple[Story, Entry]:
    return found, found.about(Kind.APPROVE, person(name), **changes)


def _approve_as(evidence: dict[str, object]) -> tuple[Story, Entry]:
    return _approve(_open(), evidence=evidence)


def _via(kind: Kind, via: str) -> tuple[Story, Entry]:
    found = story().staged("1.1.0") if kind is Kind.PROPOSE else _open("ada")
    if kind is Kind.PROPOSE:
        return found, found.propose("1.1.0", by=person("carol", via))
    return found, found.about(kind, person("bob", via))


def _bump(**changes: object) -> tuple[Story, Entry]:
    found = story()
    found.add(found.seen("1.1.0"))
    return found, found.bump("1.1.0", **changes)


def _after_a_bump(tag: str, **changes: object) -> tuple[Story, Entry]:
    found = story().staged("1.5.0")
    found.add(found.seen(tag))
    return found, found.bump(tag, **changes)


def _rolled_back(tag: str = "1.0.0", name: str = "bob", /, **changes: object) -> tuple[Story, Entry]:
    found = at_stage(Stage.LANDED)
    return found, found.rollback(tag, name, **changes)  # type: ignore[arg-type]  # a place, or fields of the entry


def _rollback_open() -> Story:
    found = at_stage(Stage.LANDED)
    found.add(found.rollback("1.0.0"))
    return found


def _void(found: Story, **changes: object) -> tuple[Story, Entry]:
    return found, found.about(Kind.VOID, **changes)


def _void_of_a_rollback() -> tuple[Story, Entry]:
    return _void(_rollback_open())


def _intent(*people: str, **changes: object) -> tuple[Story, Entry]:
    found = _open(*people)
    return found, found.about(Kind.INTENT, **changes)


def _intent_late() -> tuple[Story, Entry]:
    found = _open("ada", "bob")
    found.at += timedelta(hours=5)
    return found, found.about(Kind.INTENT)


def _intent_frozen() -> tuple[Story, Entry]:
    found = _open("ada", "bob")
    found.add(found.stand(Kind.FREEZE, person("dan")))
    return found, found.about(Kind.INTENT)


def _intent_held() -> tuple[Story, Entry]:
    found = _open("ada", "bob")
    found.add(found.stand(Kind.HOLD, person("dan")))
    return found, found.about(Kind.INTENT)


def _intent_blocked() -> tuple[Story, Entry]:
    found = _open("ada", "bob")
    found.add(found.stand(Kind.BLOCK, person("dan"), image=(pinned("1.1.0", digest=""),)))
    return found, found.about(Kind.INTENT)


def _intent_unstaged() -> tuple[Story, Entry]:
    found = story()
    found.add(found.propose("1.1.0"))
    found.approved()
    return found, found.about(Kind.INTENT)


def _intent_after_the_team_shrank() -> tuple[Story, Entry]:
    found = _open("ada", "bob")
    change_rules(found, RULES.replace("[ada, bob, carol]", "[ada, carol]"))
    return found, found.about(Kind.INTENT)


def _intent_without_looking_again() -> tuple[Story, Entry]:
    return _intent("ada", "bob", evidence={"accounts": {"ada": dict(FLAGS)}})


def _intent_of_a_guest() -> tuple[Story, Entry]:
    accounts = {"ada": dict(FLAGS), "bob": {**FLAGS, "guest": True}}
    return _intent("ada", "bob", evidence={"accounts": accounts})


def _rule_moved(kind: Kind) -> tuple[Story, Entry]:
    found = _open("ada", "bob") if kind is Kind.INTENT else _open("ada")
    change_rules(found, RULES.replace("2 of release-managers", "1 of release-managers"))
    return found, found.about(kind, Bot() if kind is Kind.INTENT else person("bob"))


def _old_rule(kind: Kind) -> tuple[Story, Entry]:
    """Name the rule that is in force no more, as the promotion does."""
    found, entry = _rule_moved(kind)
    return found, replace(entry, rule=found.promotion().rule)


def _expired_approval() -> tuple[Story, Entry]:
    found = _open()
    found.at += timedelta(hours=25)
    return _approve(found)


def _backdated() -> tuple[Story, Entry]:
    found = _open()
    found.at += timedelta(hours=25)
    return _approve(found, at=write_time(found.at - timedelta(hours=26)))


def _superseded_when_approved() -> tuple[Story, Entry]:
    found = _open("ada")
    return found, found.about(Kind.ENDED, why="superseded")


def _superseded_when_approved_by_one_who_left() -> tuple[Story, Entry]:
    found = _open("ada")
    change_rules(found, RULES.replace("[ada, bob, carol]", "[bob, carol]"))
    return found, found.about(Kind.ENDED, why="superseded")


def _ended(why: str) -> tuple[Story, Entry]:
    found = _open()
    return found, found.about(Kind.ENDED, why=why)


def _expired_when_removed() -> tuple[Story, Entry]:
    found = at_stage(Stage.OPEN)
    change_rules(found, RULES.replace("  web: {image: ghcr.io/example/web, versions: 1.x}\n", ""))
    found.at += timedelta(days=3)
    return found, found.about(Kind.ENDED, why="expired")


def _rules(commit: str, **changes: object) -> tuple[Story, Entry]:
    """Offer rules: `first` and `third` are on the line, in force is `second`; `aside` is on a branch."""
    found = story()
    change_rules(found, RULES.replace("2 of", "1 of"))
    for name in ("third", "aside"):
        found.book.versions[oid(name)] = found.book.versions[oid("first")]
    found.book.line.append(oid("third"))
    return found, found.rules_at(oid(commit), **changes)


def _unreadable_rules() -> tuple[Story, Entry]:
    found, entry = _rules("third")
    del found.book.versions[oid("third")]
    return found, entry


def _first_rules_aside() -> tuple[Story, Entry]:
    found = Story(shelf())
    found.add(found.genesis())
    found.book.versions[oid("aside")] = found.book.versions[oid("first")]
    return found, found.rules_at(oid("aside"))


def _frozen_by_ada(kind: Kind, by: str | None, **changes: object) -> tuple[Story, Entry]:
    """Ada, who may approve, has frozen production for good."""
    found = story()
    found.add(found.stand(Kind.FREEZE, person("ada")))
    return found, found.stand(kind, person(by) if by else Bot(), **changes)


def _in_an_hour(found: Story) -> str:
    return write_time(found.at + timedelta(hours=1))


def _short_freeze(by: str | None) -> tuple[Story, Entry]:
    found, entry = _frozen_by_ada(Kind.FREEZE, by)
    return found, replace(entry, until=_in_an_hour(found))


def _short_freeze_after_a_mismatch() -> tuple[Story, Entry]:
    found = at_stage(Stage.MISMATCH)
    return found, found.stand(Kind.FREEZE, Bot(), until=_in_an_hour(found))


def _held_by_ada(kind: Kind, by: str, **changes: object) -> tuple[Story, Entry]:
    found = story()
    found.add(found.stand(Kind.HOLD, person("ada")))
    return found, found.stand(kind, person(by), **changes)


def _external(tag: str = "1.2.0", place: str = "production", /, **changes: object) -> tuple[Story, Entry]:
    found = story()
    return found, found.external(tag, place, **changes)


def _external_of_ours() -> tuple[Story, Entry]:
    found = at_stage(Stage.LANDED)
    return found, found.external("1.1.0", commit=found.promotion().commit)


def _reviewed(by: str, **changes: object) -> tuple[Story, Entry]:
    found = at_stage(Stage.MISMATCH)
    opened = next(iter(found.state.open))
    return found, found.word(Kind.REVIEW, person(by), **({"closes": opened, "note": "fine"} | changes))


def _landed(kind: Kind, **changes: object) -> tuple[Story, Entry]:
    found = at_stage(Stage.MERGED)
    return found, found.about(kind, **changes)


def _cart() -> Pinned:
    return pinned("1.1.0", repository="ghcr.io/example/cart")


def _noteless(kind: Kind) -> tuple[Story, Entry]:
    found = _open()
    return found, found.about(kind, person("ada"), note="")


def _again() -> tuple[Story, Entry]:
    found = story().staged("1.1.0")
    found.add(found.seen("1.2.0"))
    return found, found.bump("1.2.0", commit=found.entries[-2][1].commit)


def _known_before() -> tuple[Story, Entry]:
    found = story()
    found.add(found.seen("1.1.0", before=True))
    return found, found.bump("1.1.0")


def _bump_on_hold() -> tuple[Story, Entry]:
    found, entry = _bump()
    found.add(found.stand(Kind.HOLD, person("dan")))
    return found, replace(found.bump("1.1.0"), key=entry.key)


def _bump_beside() -> tuple[Story, Entry]:
    """A rollback opened while staging asked people; then it asks nobody any more."""
    found = story(RULES.replace("approvals: none", "approvals: 1"))
    found.add(found.seen("1.1.0"))
    last = found.rollback("1.0.0", environment="staging", commit="", head=oid("h"))
    found.add(last)
    change_rules(found, RULES)
    return found, found.bump("1.1.0")


def _propose_in_staging() -> tuple[Story, Entry]:
    found = story()
    return found, found.propose("1.1.0", environment="staging", rule=found.rule("staging"))


def _proposed_again() -> tuple[Story, Entry]:
    found = _rollback_open()
    found.add(found.about(Kind.INTENT))
    found.add(found.about(Kind.MERGED))
    found.add(found.about(Kind.LANDED))
    return found, found.propose("1.1.0")


def _forward_again() -> tuple[Story, Entry]:
    found, _ = _proposed_again()
    return found, found.rollback("1.1.0")


def _void_nothing() -> tuple[Story, Entry]:
    found = _open()
    now = found.promotion()
    return found, found.about(Kind.VOID, image=now.image, change=now.change, why="change-moved")


def _strict_rollback(by: str) -> tuple[Story, Entry]:
    found = story(
        RULES.replace("approvals: 2", "rollback: {approvals: 1 of release-managers}\n    approvals: 2")
    )
    found.asked().approved().landed()
    return found, found.rollback("1.0.0", by)


def _two_for_staging() -> tuple[Story, Entry]:
    found = story().staged("1.1.0")
    commit = found.book.line[-1]
    was = found.book.versions[commit]
    staging = replace(was.environments["staging"], rollback=Apart((Line(2),)))
    found.book.versions[commit] = replace(was, environments={**was.environments, "staging": staging})
    return found, found.rollback("1.0.0", environment="staging")


def _other_hash() -> object:
    return replace(story().rule("staging"), commit=oid("third"), hash=hash_of("x"))


def _external_first() -> tuple[Story, Entry]:
    found = Story(shelf())
    found.add(found.genesis())
    return found, found.external("1.2.0")


def _propose_first() -> tuple[Story, Entry]:
    made = story().propose("1.1.0")
    found = Story(shelf())
    found.add(found.genesis())
    return found, made


def _unblock(by: str, **changes: object) -> tuple[Story, Entry]:
    found = _rollback_open()
    return found, found.stand(
        Kind.UNBLOCK, person(by), **({"image": (pinned("1.1.0", digest=""),)} | changes)
    )


def _block_over_a_rollback() -> tuple[Story, Entry]:
    found = _rollback_open()
    return found, found.stand(Kind.BLOCK, person("dan"), environment="production", image=(pinned("1.1.0"),))


def _stand(kind: Kind, **changes: object) -> tuple[Story, Entry]:
    found = story()
    return found, found.stand(kind, person("dan"), **changes)


def _approve_the_head() -> tuple[Story, Entry]:
    found = _open()
    return _approve(found, head=found.promotion().head)


def _approve_a_little_early() -> tuple[Story, Entry]:
    found = _open("ada")
    return _approve(found, "bob", at=write_time(found.at - timedelta(minutes=4)))


def _rebuilt_under_old_rules() -> tuple[Story, Entry]:
    found = _open("ada")
    change_rules(found, RULES + "# a comment\n")
    return found, found.about(Kind.REBASED, rule=found.promotion().rule)


def _rollback_in_staging() -> tuple[Story, Entry]:
    found = story().staged("1.1.0")
    return found, found.rollback("1.0.0", environment="staging")


def _taken_back() -> tuple[Story, Entry]:
    found = _open("ada")
    found.add(found.about(Kind.UNAPPROVE, person("ada")))
    return _approve(found)


def _untouched_rule() -> tuple[Story, Entry]:
    found = _open("ada", "bob")
    change_rules(found, RULES.replace("[ada, bob, carol]", "[ada, bob, carol, dan]"))
    return found, found.about(Kind.INTENT)


def _second_intent() -> tuple[Story, Entry]:
    found = at_stage(Stage.MERGING)
    found.add(found.about(Kind.ABORT))
    return found, found.about(Kind.INTENT)


def _void_by_rule() -> tuple[Story, Entry]:
    found = _open("ada")
    change_rules(found, RULES.replace("2 of", "1 of"))
    now = found.promotion()
    rest = {"image": now.image, "change": now.change, "voided": now.rule.hash}
    return _void(found, why="rule-moved", **rest)


def _void_by_file() -> tuple[Story, Entry]:
    found = _open("ada")
    return _void(found, why="change-moved", image=found.promotion().image)


def _bump_after_a_hold() -> tuple[Story, Entry]:
    found, _ = _bump()
    found.add(found.stand(Kind.HOLD, person("dan"), until=_in_an_hour(found)))
    found.at += timedelta(hours=2)
    return found, found.bump("1.1.0")


def _frozen_rollback() -> tuple[Story, Entry]:
    found = at_stage(Stage.LANDED)
    found.add(found.stand(Kind.FREEZE, person("ada")))
    return found, found.rollback("1.0.0", "dan")


def _two_places() -> tuple[Story, Entry]:
    found = story()
    first = found.add(found.external("1.2.0"))
    return found, found.external("1.2.0", "staging", commit=first.commit)


def _unfrozen_by_who_set_it() -> tuple[Story, Entry]:
    found = story()
    found.add(found.stand(Kind.FREEZE, person("dan")))
    return found, found.stand(Kind.UNFREEZE, person("dan"))


def _longer_freeze() -> tuple[Story, Entry]:
    found = story()
    found.add(found.stand(Kind.FREEZE, Bot(), until=_in_an_hour(found)))
    return found, found.stand(Kind.FREEZE, Bot())


def _freeze_again() -> tuple[Story, Entry]:
    found = story()
    found.add(found.stand(Kind.FREEZE, person("ada"), until=_in_an_hour(found)))
    found.at += timedelta(hours=2)
    return found, found.stand(Kind.FREEZE, person("dan"))


def _resumed_in_staging() -> tuple[Story, Entry]:
    found = story()
    found.add(found.stand(Kind.HOLD, person("ada"), environment="staging"))
    return found, found.stand(Kind.RESUME, person("dan"), environment="staging")


def _resumed_where_nobody_asks() -> tuple[Story, Entry]:
    found = story(RULES.replace("approvals: 2 of release-managers", "approvals: none"))
    found.add(found.stand(Kind.HOLD, person("ada")))
    return found, found.stand(Kind.RESUME, person("dan"))


# what nobody may append, whoever signs: a sentence, what makes it, and the reason that must be given
FORBIDDEN: list[tuple[str, Made, Code]] = [
    ("an approval by the requester", lambda: _approve(_open(), "carol"), Code.REQUESTER),
    ("an approval by a linked stranger", lambda: _approve(_open(), "dan"), Code.NOT_AN_APPROVER),
    ("an approval by somebody unknown", lambda: _approve(_open(), "eve"), Code.UNKNOWN_PERSON),
    (
        "an approval by another's account",
        lambda: _approve(_open(), "ada", by=replace(person("ada"), slack_user="U0DAN")),
        Code.UNKNOWN_PERSON,
    ),
    (
        "an approval by another's forge login",
        lambda: _approve(_open(), "carol", by=replace(person("ada"), forge_login="bob")),
        Code.UNKNOWN_PERSON,
    ),
    (
        "an approval without an account",
        lambda: _approve(_open(), by=replace(person("ada"), slack_user="", slack_team="")),
        Code.UNKNOWN_PERSON,
    ),
    ("an approval by the bot", lambda: _approve(_open(), by=Bot()), Code.UNKNOWN_PERSON),
    ("an approval for another change", lambda: _approve(_open(), change=hash_of("x")), Code.CHANGE_MOVED),
    (
        "an approval of another image",
        lambda: _approve(_open(), image=(pinned("1.1.0", digest=pinned("1.9.0").digest),)),
        Code.CHANGE_MOVED,
    ),
    ("an approval of another head", lambda: _approve(_open(), head=oid("x")), Code.HEAD_MOVED),
    ("a second approval by one person", lambda: _approve(_open("ada")), Code.OUT_OF_LINE),
    ("an approval of one's own rollback", lambda: _approve(_rollback_open(), "bob"), Code.ALREADY_APPROVED),
    ("an approval of what has expired", _expired_approval, Code.EXPIRED),
    ("an approval that is dated back", _backdated, Code.OUT_OF_LINE),
    (
        "an approval of nothing",
        lambda: _approve(_open(), promotion="0" * 12),
        Code.CLOSED,
    ),
    ("an approval for another place", lambda: _approve(_open(), service="cart"), Code.OUT_OF_LINE),
    ("an approval without account evidence", lambda: _approve_as({}), Code.ACCOUNT),
    ("an approval with a text as evidence", lambda: _approve_as({"account": "fine"}), Code.ACCOUNT),
    (
        "an approval with one flag missing",
        lambda: _approve_as({"account": {"active": True, "bot": False, "guest": False}}),
        Code.ACCOUNT,
    ),
    (
        "an approval with numbers for flags",
        lambda: _approve_as({"account": {"active": 1, "bot": 0, "guest": 0, "home": 1}}),
        Code.ACCOUNT,
    ),
    *(
        (
            f"an approval by an account whose {flag} is {not FLAGS[flag]}".lower(),
            lambda flag=flag: _approve_as({"account": {**FLAGS, flag: not FLAGS[flag]}}),
            Code.ACCOUNT,
        )
        for flag in FLAGS
    ),
    ("an approval under a rule that moved", lambda: _rule_moved(Kind.APPROVE), Code.RULE_MOVED),
    ("an approval under a rule that is past", lambda: _old_rule(Kind.APPROVE), Code.RULE_MOVED),
    ("a proposal by review", lambda: _via(Kind.PROPOSE, "review"), Code.ACCOUNT),
    ("a proposal by link", lambda: _via(Kind.PROPOSE, "link"), Code.ACCOUNT),
    ("a review at the forge that nothing shows", lambda: _via(Kind.APPROVE, "review"), Code.NOT_ATTESTED),
    ("an unapproval of another's word", lambda: _via(Kind.UNAPPROVE, "button"), Code.NOT_APPROVED),
    ("an unapproval under a rule that moved", lambda: _rule_moved(Kind.UNAPPROVE), Code.RULE_MOVED),
    ("a rejection without a reason", lambda: _noteless(Kind.REJECT), Code.NOTE_MISSING),
    (
        "a rejection by a linked stranger",
        lambda: (f := _open(), f.about(Kind.REJECT, person("dan"))),
        Code.NOT_AN_APPROVER,
    ),
    (
        "a cancellation by a linked stranger",
        lambda: (f := _open(), f.about(Kind.CANCEL, person("dan"))),
        Code.NOT_AN_APPROVER,
    ),
    # moves without asking
    (
        "a bump in a guarded environment",
        lambda: _bump(environment="production", rule=story().rule("production")),
        Code.GUARDED,
    ),
    ("a bump by a person", lambda: _bump(by=person("ada")), Code.NOT_AN_APPROVER),
    ("a bump that goes back", lambda: _after_a_bump("1.2.0"), Code.DOWNGRADE),
    (
        "a bump that goes back and lies about it",
        lambda: _after_a_bump("1.2.0", previous=(pinned("1.0.0"),)),
        Code.DOWNGRADE,
    ),
    ("a bump of another service's image", lambda: _bump(image=(_cart(),)), Code.NO_RULE),
    ("a bump without a digest", lambda: _bump(image=(pinned("1.1.0", digest=""),)), Code.DIGEST_UNKNOWN),
    (
        "a bump to another digest than was seen",
        lambda: _bump(image=(pinned("1.1.0", digest=pinned("x").digest),)),
        Code.DIGEST_MOVED,
    ),
    ("a bump of what nobody saw", lambda: (f := story(), f.bump("1.1.0")), Code.NOT_SEEN),
    ("a bump under another rule", lambda: _bump(rule=story().rule("production")), Code.RULE_MOVED),
    ("a bump where no rule is", lambda: _bump(service="nothing"), Code.NO_RULE),
    ("a bump whose key names no commit", lambda: _bump(key="bump/staging/x/y"), Code.OUT_OF_LINE),
    (
        "a bump with the key of something else",
        lambda: _bump(key=f"merged/{'0' * 12}"),
        Code.OUT_OF_LINE,
    ),
    ("a bump by a commit that has its entry", _again, Code.OUT_OF_LINE),
    ("a bump of what was there before", _known_before, Code.KNOWN_BEFORE),
    ("a bump of a service on hold", _bump_on_hold, Code.HELD),
    ("a bump beside an open rollback", _bump_beside, Code.OPEN_ELSEWHERE),
    # asking
    ("a proposal where nobody is asked", _propose_in_staging, Code.NOT_GUARDED),
    ("a second open proposal", lambda: (f := _open(), f.propose("1.3.0")), Code.OPEN_ELSEWHERE),
    (
        "a proposal with another's id",
        lambda: (f := story().staged("1.1.0"), f.propose("1.1.0", promotion="0" * 12)),
        Code.OUT_OF_LINE,
    ),
    ("a proposal that goes back", lambda: (f := at_stage(Stage.LANDED), f.propose("1.0.0")), Code.DOWNGRADE),
    (
        "a proposal of what was rolled back",
        _proposed_again,
        Code.BLOCKED,
    ),
    # merging
    ("an intent without any approval", _intent, Code.APPROVALS_MISSING),
    ("an intent without a quorum", lambda: _intent("ada"), Code.APPROVALS_MISSING),
    ("an intent for another head", lambda: _intent("ada", "bob", head=oid("x")), Code.HEAD_MOVED),
    ("an intent for another change", lambda: _intent("ada", "bob", change=hash_of("x")), Code.CHANGE_MOVED),
    (
        "an intent for another image",
        lambda: _intent("ada", "bob", image=(pinned("1.3.0"),)),
        Code.CHANGE_MOVED,
    ),
    ("an intent long after the last approval", _intent_late, Code.WAITING_FOR_A_GO),
    ("an intent while frozen", _intent_frozen, Code.FROZEN),
    ("an intent while held", _intent_held, Code.HELD),
    ("an intent of a blocked version", _intent_blocked, Code.BLOCKED),
    ("an intent of what never ran before", _intent_unstaged, Code.NOT_IN_PREVIOUS),
    ("an intent after an approver left the team", _intent_after_the_team_shrank, Code.APPROVALS_MISSING),
    ("an intent that looked up not everybody again", _intent_without_looking_again, Code.ACCOUNT),
    ("an intent counting a guest", _intent_of_a_guest, Code.ACCOUNT),
    ("an intent under a rule that moved", lambda: _rule_moved(Kind.INTENT), Code.RULE_MOVED),
    ("an intent by a person", lambda: _intent("ada", "bob", by=person("ada")), Code.NOT_AN_APPROVER),
    (
        "an abort of another head",
        lambda: (f := at_stage(Stage.MERGING), f.about(Kind.ABORT, head=oid("x"))),
        Code.HEAD_MOVED,
    ),
    (
        "a merge of another head",
        lambda: (f := at_stage(Stage.MERGING), f.about(Kind.MERGED, head=oid("x"))),
        Code.HEAD_MOVED,
    ),
    (
        "a merge of another place",
        lambda: (f := at_stage(Stage.MERGING), f.about(Kind.MERGED, service="cart")),
        Code.OUT_OF_LINE,
    ),
    ("a landing of another commit", lambda: _landed(Kind.LANDED, commit=oid("x")), Code.OUT_OF_LINE),
    (
        "a landing of another image",
        lambda: _landed(Kind.LANDED, image=(pinned("1.3.0"),)),
        Code.CHANGE_MOVED,
    ),
    ("a mismatch of another commit", lambda: _landed(Kind.MISMATCH, commit=oid("x")), Code.OUT_OF_LINE),
    # voiding and ending
    ("a void to another version", lambda: _void(_open(), image=(pinned("1.3.0"),)), Code.CHANGE_MOVED),
    ("a void of a rollback to another digest", _void_of_a_rollback, Code.CHANGE_MOVED),
    (
        "a void to a digest that the change does not show",
        lambda: _void(_open(), change=hash_of("production 1.1.0"), voided=hash_of("production 1.1.0")),
        Code.OUT_OF_LINE,
    ),
    (
        "a void to another digest with another reason",
        lambda: _void(_open(), why="change-moved"),
        Code.OUT_OF_LINE,
    ),
    ("a void of something else", lambda: _void(_open(), voided=hash_of("x")), Code.OUT_OF_LINE),
    ("a void where nothing moved", _void_nothing, Code.OUT_OF_LINE),
    ("a void under another rule", lambda: _void(_open(), rule=story().rule("staging")), Code.RULE_MOVED),
    ("an end as superseded of what is approved", _superseded_when_approved, Code.OUT_OF_LINE),
    (
        "an end as superseded of what somebody approved who left",
        _superseded_when_approved_by_one_who_left,
        Code.OUT_OF_LINE,
    ),
    ("an end as expired before its time", lambda: _ended("expired"), Code.OUT_OF_LINE),
    ("an end as expired of what was removed", _expired_when_removed, Code.OUT_OF_LINE),
    ("an end as removed while the rules have it", lambda: _ended("removed"), Code.OUT_OF_LINE),
    ("an end in a way of its own", lambda: _ended("forgotten"), Code.OUT_OF_LINE),
    (
        "a rebuilt head with another change",
        lambda: (f := _open(), f.about(Kind.REBASED, change=hash_of("x"))),
        Code.CHANGE_MOVED,
    ),
    ("a rebuilt head under rules that are past", _rebuilt_under_old_rules, Code.RULE_MOVED),
    # going back
    ("a rollback to what never ran", lambda: _rolled_back("1.9.0"), Code.NEVER_RAN),
    (
        "a rollback to what ran, as another digest",
        lambda: _rolled_back("1.0.0", image=(pinned("1.0.0", digest=pinned("x").digest),)),
        Code.NEVER_RAN,
    ),
    (
        "a rollback to no digest",
        lambda: _rolled_back(image=(pinned("1.0.0", digest=""),)),
        Code.DIGEST_UNKNOWN,
    ),
    ("a rollback to what was rolled back", _forward_again, Code.BLOCKED),
    ("a rollback without a reason", lambda: _rolled_back(note=""), Code.NOTE_MISSING),
    ("a rollback to another's image", lambda: _rolled_back(image=(_cart(),)), Code.NO_RULE),
    ("a rollback by the bot", lambda: _rolled_back(by=Bot()), Code.UNKNOWN_PERSON),
    ("a rollback in a guarded place by commit", lambda: _rolled_back(commit=oid("x")), Code.OUT_OF_LINE),
    ("a rollback in a guarded place without a head", lambda: _rolled_back(head=""), Code.OUT_OF_LINE),
    ("a rollback where no rule is", lambda: _rolled_back(service="nothing"), Code.NO_RULE),
    (
        "a rollback by somebody whom its rule does not name",
        lambda: _strict_rollback("dan"),
        Code.NOT_AN_APPROVER,
    ),
    ("a rollback by one where two are asked, by commit", _two_for_staging, Code.APPROVALS_MISSING),
    # rules, facts
    ("rules that go backwards", lambda: _rules("first"), Code.OUT_OF_LINE),
    ("rules off the target branch", lambda: _rules("aside"), Code.OUT_OF_LINE),
    ("first rules off the target branch", _first_rules_aside, Code.OUT_OF_LINE),
    ("rules that do not parse", _unreadable_rules, Code.NO_RULE),
    ("rules with another's hash", lambda: _rules("third", rule=_other_hash()), Code.RULE_MOVED),
    ("rules with another's commit", lambda: _rules("third", rule=story().rule("staging")), Code.RULE_MOVED),
    (
        "a sighting without a digest",
        lambda: (f := story(), replace(e := f.seen("1.1.0"), seen=(replace(e.seen[0], digest=""),))),
        Code.DIGEST_UNKNOWN,
    ),
    ("a move by hand that is ours", _external_of_ours, Code.OUT_OF_LINE),
    ("a guarded move by hand said to be unguarded", lambda: _external(why="unguarded"), Code.OUT_OF_LINE),
    ("a move by hand without saying which", lambda: _external(why=""), Code.OUT_OF_LINE),
    ("a move by hand in no environment", lambda: _external(environment="qa"), Code.NO_RULE),
    ("a move by hand of no service", lambda: _external(service="nothing"), Code.NO_RULE),
    ("a move by hand before there are rules", _external_first, Code.NO_RULE),
    ("a review by somebody who asked", lambda: _reviewed("carol"), Code.REQUESTER),
    ("a review by somebody who approved", lambda: _reviewed("ada"), Code.REQUESTER),
    ("a review of nothing", lambda: _reviewed("dan", closes=1), Code.NOT_STANDING),
    ("a review without a word", lambda: _reviewed("dan", note=""), Code.NOTE_MISSING),
    (
        "a refusal of nobody known",
        lambda: (f := _open(), f.about(Kind.REFUSED, evidence={"person": "eve"})),
        Code.UNKNOWN_PERSON,
    ),
    (
        "a refusal of nothing",
        lambda: (f := _open(), f.about(Kind.REFUSED, promotion="0" * 12)),
        Code.CLOSED,
    ),
    # standing still
    (
        "an unfreeze by somebody who may not",
        lambda: _frozen_by_ada(Kind.UNFREEZE, "dan"),
        Code.NOT_AN_APPROVER,
    ),
    ("an unfreeze by the bot", lambda: _frozen_by_ada(Kind.UNFREEZE, None), Code.UNKNOWN_PERSON),
    (
        "an unfreeze without a reason",
        lambda: _frozen_by_ada(Kind.UNFREEZE, "ada", note=""),
        Code.NOTE_MISSING,
    ),
    (
        "an unfreeze of what is not frozen",
        lambda: (f := story(), f.stand(Kind.UNFREEZE, person("ada"))),
        Code.NOT_STANDING,
    ),
    ("a short freeze in the place of a long one", lambda: _short_freeze("dan"), Code.NOT_AN_APPROVER),
    (
        "a long freeze in the place of a long one",
        lambda: _frozen_by_ada(Kind.FREEZE, "dan"),
        Code.NOT_AN_APPROVER,
    ),
    (
        "a short freeze by the bot in the place of a person's",
        lambda: _short_freeze(None),
        Code.NOT_AN_APPROVER,
    ),
    (
        "a short freeze by the bot in the place of a mismatch's",
        _short_freeze_after_a_mismatch,
        Code.NOT_AN_APPROVER,
    ),
    ("a hold in the place of another's", lambda: _held_by_ada(Kind.HOLD, "dan"), Code.NOT_AN_APPROVER),
    ("a resume by somebody who may not", lambda: _held_by_ada(Kind.RESUME, "dan"), Code.NOT_AN_APPROVER),
    (
        "a resume in one place of what is held everywhere",
        lambda: _held_by_ada(Kind.RESUME, "ada", environment="staging"),
        Code.NOT_STANDING,
    ),
    ("an unblock by somebody who may not", lambda: _unblock("dan"), Code.NOT_AN_APPROVER),
    (
        "an unblock of another digest",
        lambda: _unblock("ada", image=(pinned("1.1.0", digest=pinned("x").digest),)),
        Code.NOT_STANDING,
    ),
    ("a block in the place of a rollback's", _block_over_a_rollback, Code.NOT_AN_APPROVER),
    ("a freeze of nothing", lambda: _stand(Kind.FREEZE, environment="qa"), Code.NO_RULE),
    ("a hold of nothing", lambda: _stand(Kind.HOLD, service="nothing"), Code.NO_RULE),
    ("a freeze without a reason", lambda: _stand(Kind.FREEZE, note=""), Code.NOTE_MISSING),
    (
        "a freeze that ends before it begins",
        lambda: _stand(Kind.FREEZE, until="2026-11-23T08:00:00Z"),
        Code.OUT_OF_LINE,
    ),
    (
        "a freeze by the bot without a code",
        lambda: (f := story(), f.stand(Kind.FREEZE, Bot(), why="")),
        Code.NOTE_MISSING,
    ),
    # the line itself
    ("a second genesis", lambda: (f := story(), f.genesis()), Code.OUT_OF_LINE),
    ("a beginning without genesis", lambda: (Story(shelf()), shown()), Code.OUT_OF_LINE),
    (
        "a key that stands already",
        lambda: (f := story(), replace(f.genesis(), kind=Kind.GENESIS)),
        Code.OUT_OF_LINE,
    ),
    (
        "a key of another's making",
        lambda: (story(), replace(shown(), key="shown/mine")),
        Code.OUT_OF_LINE,
    ),
    ("a proposal before there are rules", _propose_first, Code.UNKNOWN_PERSON),
]


@pytest.mark.parametrize(
    ("made", "code"), [(made, code) for _, made, code in FORBIDDEN], ids=[name for name, _, _ in FORBIDDEN]
)
def test_nobody_may_append(made: Made, code: Code) -> None:
    assert _code(made()) is code


# what must be possible: a sentence and what makes it
ALLOWED: list[tuple[str, Made]] = [
    ("an approval by two of the team, by command", lambda: _via(Kind.APPROVE, "command")),
    ("an approval of the head that is there", _approve_the_head),
    ("an approval a little before the last word", _approve_a_little_early),
    ("an approval after it was taken back", _taken_back),
    ("an unapproval of one's own", lambda: (f := _open("ada"), f.about(Kind.UNAPPROVE, person("ada")))),
    ("a rejection with a reason", lambda: (f := _open(), f.about(Kind.REJECT, person("bob")))),
    ("a cancellation by the requester", lambda: (f := _open(), f.about(Kind.CANCEL, person("carol")))),
    ("a cancellation by an approver", lambda: (f := _open(), f.about(Kind.CANCEL, person("ada")))),
    ("a rebuilt head", lambda: (f := _open("ada"), f.about(Kind.REBASED))),
    ("an intent when every line is filled", lambda: _intent("ada", "bob")),
    ("an intent after the rules moved without touching the rule", _untouched_rule),
    ("a second intent after an abort", _second_intent),
    ("a void to another digest", lambda: _void(_open("ada"))),
    ("a void by a rule that moved", _void_by_rule),
    ("a void by a file that moved", _void_by_file),
    ("an end as superseded while nobody has approved", lambda: _ended("superseded")),
    (
        "an end as superseded of a rollback",
        lambda: (f := _rollback_open(), f.about(Kind.ENDED, why="superseded")),
    ),
    ("a bump after a hold has ended", _bump_after_a_hold),
    ("a rollback by one person while frozen", _frozen_rollback),
    ("an intent of a rollback while frozen", lambda: (f := _rollback_open(), f.about(Kind.INTENT))),
    ("a rollback in staging by commit", _rollback_in_staging),
    ("rules that come after", lambda: _rules("third")),
    ("two moves by one commit by hand", _two_places),
    ("a move by hand in staging", lambda: _external("1.2.0", "staging")),
    ("a review by a bystander", lambda: _reviewed("dan")),
    ("an unfreeze by an approver", lambda: _frozen_by_ada(Kind.UNFREEZE, "bob")),
    ("an unfreeze by who set it", _unfrozen_by_who_set_it),
    ("another freeze by an approver", lambda: _short_freeze("bob")),
    ("a longer freeze by the bot after its own", _longer_freeze),
    ("a freeze after another has ended", _freeze_again),
    ("a resume by an approver", lambda: _held_by_ada(Kind.RESUME, "bob")),
    ("a resume where nobody is asked", _resumed_in_staging),
    ("a resume everywhere where no environment asks", _resumed_where_nobody_asks),
    ("an unblock by an approver", lambda: _unblock("ada")),
    ("a freeze by the bot with a code", lambda: (f := story(), f.stand(Kind.FREEZE, Bot()))),
    ("a refusal of a known person", lambda: (f := _open(), f.about(Kind.REFUSED))),
    ("a refusal after the end", lambda: (f := at_stage(Stage.CLOSED), f.about(Kind.REFUSED))),
    ("where a card is", lambda: (story(), shown())),
]


@pytest.mark.parametrize("made", [made for _, made in ALLOWED], ids=[name for name, _ in ALLOWED])
def test_the_rule_lets_through(made: Made) -> None:
    found, entry = made()

    found.add(entry)


@pytest.mark.parametrize("does", ["bump", "rollback"])
def test_what_is_only_observed_is_moved_by_nobody(does: str) -> None:
    found = story().staged("1.1.0")
    change_rules(found, RULES.replace("approvals: none", "approvals: observe"))
    found.add(found.seen("1.2.0"))
    entry = found.bump("1.2.0") if does == "bump" else found.rollback("1.0.0", environment="staging")

    refusal = refuse(found.state, found.complete(entry), found.book)

    assert refusal is not None
    assert refusal.code is Code.OBSERVED


def test_an_entry_out_of_line_is_refused() -> None:
    found = story()
    entry = found.complete(shown())

    for bent in (replace(entry, seq=9), replace(entry, prev=oid("x"))):
        refusal = refuse(found.state, bent, found.book)
        assert refusal
        assert refusal.code is Code.OUT_OF_LINE


# (stage, kind) -> where a kind about a promotion may stand at all; OPEN is approved by two here
MAY_STAND: dict[Kind, set[Stage]] = {
    Kind.APPROVE: {Stage.OPEN},
    Kind.UNAPPROVE: {Stage.OPEN},
    Kind.REJECT: {Stage.OPEN},
    Kind.CANCEL: {Stage.OPEN},
    Kind.REBASED: {Stage.OPEN},
    Kind.VOID: {Stage.OPEN},
    Kind.ENDED: {Stage.OPEN},
    Kind.INTENT: {Stage.OPEN},
    Kind.ABORT: {Stage.MERGING},
    Kind.MERGED: {Stage.MERGING},
    Kind.LANDED: {Stage.MERGED},
    Kind.MISMATCH: {Stage.MERGED},
    Kind.REFUSED: set(Stage),
}
BY = {Kind.APPROVE: "dan", Kind.UNAPPROVE: "ada", Kind.REJECT: "ada", Kind.CANCEL: "carol"}
WIDE = RULES.replace("[ada, bob, carol]", "[ada, bob, carol, dan]")


@pytest.mark.parametrize("kind", MAY_STAND, ids=str)
@pytest.mark.parametrize("stage", Stage, ids=str)
def test_each_kind_stands_only_where_the_table_says(stage: Stage, kind: Kind) -> None:
    found = at_stage(stage)
    if stage is not Stage.REMOVED:
        change_rules(found, WIDE)
    by = person(BY[kind]) if kind in BY else Bot()
    entry = found.about(kind, by)
    if kind is Kind.LANDED and not entry.commit:
        entry = replace(entry, commit=oid("x"))

    refusal = found.refusal(entry)

    if stage in MAY_STAND[kind]:
        assert refusal is None
        found.add(entry)
        after = ENDINGS["closed"] if kind is Kind.ENDED else TRANSITIONS.get((stage, kind), stage)
        assert found.promotion().stage is after
    else:
        assert refusal is not None
        assert refusal.code in {Code.CLOSED, Code.OUT_OF_LINE}


def test_what_the_table_of_steps_names_may_stand_there() -> None:
    for stage, kind in TRANSITIONS:
        assert stage in MAY_STAND[kind]


def test_every_kind_has_its_speaker_and_its_check() -> None:
    assert set(_WHO) == set(_CHECKS) == set(Kind) == set(SHAPES)


def test_a_refusal_reads_as_code_and_detail() -> None:
    assert str(Refusal(Code.CLOSED)) == "closed"
    assert str(Refusal(Code.CLOSED, "it has ended")) == "closed: it has ended"


def test_a_bump_names_the_commit_before_it() -> None:
    found, entry = _bump()

    assert (
        _code((found, replace(entry, key=bump_key("staging", oid("b"), hash_of("other")))))
        is Code.OUT_OF_LINE
    )
    assert _code((found, replace(entry, key=bump_key("qa", oid("b"), entry.change)))) is Code.OUT_OF_LINE
    assert _code((found, replace(entry, key=bump_key("staging", oid("b"), entry.change)))) is None


def _waits_for_a_go() -> Story:
    """It is approved by two, and then some hours pass: one of them has to say it anew."""
    found = at_stage(Stage.OPEN)
    found.at += timedelta(hours=5)
    return found


def _renewed(found: Story, who: str = "ada", **changes: object) -> Entry:
    mine = next((one.seq for one in found.promotion().approvals if one.by.person == who), 1)
    entry = found.about(Kind.APPROVE, person(who))
    return replace(entry, evidence={**entry.evidence, "renews": changes.get("renews", mine)})  # type: ignore[dict-item]


def test_an_approver_gives_the_go_by_approving_anew() -> None:
    found = _waits_for_a_go()
    assert str(found.refusal(found.about(Kind.INTENT))).startswith("waiting-for-a-go")

    entry = found.add(_renewed(found))

    approvals = found.promotion().approvals
    assert entry.key.endswith("/ada/2")
    assert sorted(one.by.person for one in approvals) == ["ada", "bob"]
    assert max(one.at for one in approvals) == entry.time
    assert found.refusal(found.about(Kind.INTENT)) is None


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: (at_stage(Stage.OPEN), "ada", {}), Code.ALREADY_APPROVED),
        (lambda: (_waits_for_a_go(), "ada", {"renews": 3}), Code.ALREADY_APPROVED),
        (lambda: (_waits_for_a_go(), "ada", {"renews": True}), Code.ALREADY_APPROVED),
        (lambda: (_waits_for_a_go(), "carol", {}), Code.REQUESTER),
        (lambda: (_open(), "ada", {}), Code.NOT_APPROVED),
        (lambda: (_waits_for_a_go(), "ada", {"renews": 0}), Code.ALREADY_APPROVED),
    ],
    ids=[
        "needs no go",
        "another's number",
        "no number",
        "the requester",
        "nothing to renew",
        "no number at all",
    ],
)
def test_a_go_that_nobody_waits_for_is_refused(
    make: Callable[[], tuple[Story, str, dict[str, object]]], code: Code
) -> None:
    found, who, changes = make()

    refusal = found.refusal(_renewed(found, who, **changes))

    assert refusal is not None
    assert refusal.code is code


def test_a_go_that_is_pressed_twice_counts_once() -> None:
    found = _waits_for_a_go()
    first = found.add(_renewed(found))

    again = found.complete(found.about(Kind.APPROVE, person("ada")))

    assert again.key == first.key


@pytest.mark.parametrize("made", [made for _, made, _ in FORBIDDEN], ids=[name for name, _, _ in FORBIDDEN])
def test_all_that_speaks_against_an_entry_can_be_told(made: Made) -> None:
    found, entry = made()

    reasons = found.reasons(entry)

    assert reasons
    assert reasons[0] == found.refusal(entry)
