"""What the holder of the ledger's own key may append of health, configuration, identity and repair."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from policies.allowed.repair import MAX_QUARANTINES
from policies.canonical import Json
from policies.codes import Code
from policies.entries.entry import Bot, Entry, Kind, Link
from policies.ledger.checkpoint import sum_of
from policies.ledger.state import Stage
from tests.policies.ledger_builders import (
    FLAGS,
    RULES,
    SIGNER,
    Story,
    at_stage,
    hash_of,
    oid,
    person,
    pinned,
    shelf,
    story,
)

Made = Callable[[], tuple[Story, Entry]]
OTHER_KEY = "ssh-ed25519 " + "B" * 68


def _staged() -> Story:
    return story().staged("1.1.0")


def _health(kind: Kind = Kind.HEALTHY, /, **changes: Any) -> tuple[Story, Entry]:
    found = _staged()
    return found, found.health(kind, **changes)


def _seen_before(kind: Kind, then: Kind) -> tuple[Story, Entry]:
    found = _staged()
    found.add(found.health(kind))
    return found, found.health(then, after=1)


def _of_what_was_left() -> tuple[Story, Entry]:
    found = _staged()
    entry = found.health()
    found.staged("1.2.0")
    found.book.line.append(found.entries[-1][1].commit)
    return found, replace(entry, key="")


def _on_a_commit_with_another_pin() -> tuple[Story, Entry]:
    found = _staged()
    entry = found.health(after=1)
    found.book.later[entry.commit, "staging", "web"] = (pinned("1.3.0"),)
    return found, entry


def _before_its_move() -> tuple[Story, Entry]:
    found = _staged()
    found.health()
    return found, found.health(commit=oid("first"))


def _before_rules() -> tuple[Story, Entry]:
    found = Story(shelf())
    found.add(found.genesis())
    return found, story().health()


def _config(*names: str, **changes: object) -> tuple[Story, Entry]:
    found = story()
    return found, found.config(*(names or ("a", "b")), **changes)


def _config_again(**changes: object) -> tuple[Story, Entry]:
    found = story()
    found.add(found.config("a", "b"))
    return found, found.config("c", **changes)


def _config_off_the_line() -> tuple[Story, Entry]:
    found, entry = _config("a", "b")
    found.book.line.remove(oid("a"))
    return found, entry


def _link(name: str = "carol", /, **changes: object) -> tuple[Story, Entry]:
    found = story()
    return found, found.linked(name, **changes)


def _link_proved(**proof: Json) -> tuple[Story, Entry]:
    found, entry = _link()
    forge = entry.evidence["forge"]
    assert isinstance(forge, dict)
    return found, replace(entry, evidence={**entry.evidence, "forge": {**forge, **proof}})


def _link_to(**changes: object) -> tuple[Story, Entry]:
    found, entry = _link()
    assert entry.linked
    linked = replace(entry.linked, **changes)  # type: ignore[arg-type]  # named by the tests below
    return found, found.linked_by(linked)


def _linked_twice() -> tuple[Story, Entry]:
    found = story()
    first = found.add(found.linked("carol"))
    assert first.linked
    second = found.linked("dan")
    assert second.linked
    stolen = replace(second.linked, forge_id=first.linked.forge_id, forge_login="carol-renamed")
    return found, found.linked_by(stolen)


def _key(signer: str = OTHER_KEY, /, **changes: object) -> tuple[Story, Entry]:
    found = story()
    return found, found.word(Kind.IDENTITY, Bot(), **({"signer": signer, "why": "rotated"} | changes))


def _sum(state: str = "") -> tuple[Story, Entry]:
    found = at_stage(Stage.LANDED)
    found.add(found.stand(Kind.HOLD, person("dan")))
    found.add(found.stand(Kind.BLOCK, person("dan")))
    found.add(found.stand(Kind.FREEZE, person("dan")))
    return found, found.word(Kind.CHECKPOINT, Bot(), state=state or sum_of(found.state))


def _both(kind: Kind, /, *names: str, **changes: object) -> tuple[Story, Entry]:
    found = story()
    about: dict[str, object] = {"erases": 2} if kind is Kind.REDACT else {"lost": oid("lost")}
    return found, found.both(kind, *names, **(about | changes))


def _both_again(kind: Kind) -> tuple[Story, Entry]:
    found, entry = _both(kind)
    found.add(entry)
    return found, replace(entry, key=entry.key)


def _ends(*named: Json, as_list: bool = True) -> dict[str, object]:
    flags: dict[str, Json] = {"active": True, "bot": False, "guest": False, "home": True}
    return {"evidence": {"accounts": {"ada": flags, "bob": flags}, "ends": list(named) if as_list else 1}}


def _quarantine(count: int) -> tuple[Story, Entry]:
    found = story()
    for number in range(count):
        found.add(found.junk(f"junk {number}"))
    return found, found.junk("one more")


def _spoken_by_two(kind: Kind) -> tuple[Story, Entry]:
    found = at_stage(Stage.OPEN)
    both = found.both(kind).by
    if kind is Kind.APPROVE:
        return found, found.about(kind, by=both)
    return found, found.stand(kind, person("ada"), by=both)


def _told_by_a_linked_account(**changes: object) -> tuple[Story, Entry]:
    found = at_stage(Stage.LANDED)
    link = found.add(found.linked("carol")).linked
    assert link
    by = replace(person("carol"), forge_id=link.forge_id, forge_login=link.forge_login)
    return found, found.stand(Kind.HOLD, replace(by, **changes))  # type: ignore[arg-type]  # fields of By


TWO = (Kind.REDACT, Kind.FORK)
FORBIDDEN: list[tuple[str, Made, Code]] = [
    # health
    ("health said by a person", lambda: _health(by=person("ada")), Code.NOT_AN_APPROVER),
    ("health without what was looked at", lambda: _health(evidence={}), Code.EVIDENCE_MISSING),
    (
        "health of no service",
        lambda: _health(service="nothing"),
        Code.NO_RULE,
    ),
    (
        "health of an image that does not stand there",
        lambda: _health(image=(pinned("1.2.0"),)),
        Code.CHANGE_MOVED,
    ),
    (
        "health of another digest",
        lambda: _health(image=(pinned("1.1.0", digest=pinned("x").digest),)),
        Code.CHANGE_MOVED,
    ),
    (
        "health of two images where one stands",
        lambda: _health(image=(pinned("1.1.0"),) * 2),
        Code.CHANGE_MOVED,
    ),
    ("health of what was left since", _of_what_was_left, Code.OUT_OF_LINE),
    ("health on a commit with another pin", _on_a_commit_with_another_pin, Code.CHANGE_MOVED),
    ("health on a commit before the move", _before_its_move, Code.OUT_OF_LINE),
    ("health on a commit that is nowhere", lambda: _health(commit=oid("x")), Code.OUT_OF_LINE),
    ("health before there are rules", _before_rules, Code.CHANGE_MOVED),
    ("healthy twice", lambda: _seen_before(Kind.HEALTHY, Kind.HEALTHY), Code.OUT_OF_LINE),
    ("unhealthy twice", lambda: _seen_before(Kind.UNHEALTHY, Kind.UNHEALTHY), Code.OUT_OF_LINE),
    # configuration
    ("a configuration said by a person", lambda: _config(by=person("ada")), Code.NOT_AN_APPROVER),
    ("a configuration that leaves commits out", lambda: _config_again(since=oid("first")), Code.OUT_OF_LINE),
    ("a configuration that goes back", lambda: _config("b", "first"), Code.OUT_OF_LINE),
    ("a configuration of commits elsewhere", _config_off_the_line, Code.OUT_OF_LINE),
    ("a configuration that ends elsewhere", lambda: _config(commit=oid("first")), Code.OUT_OF_LINE),
    ("a configuration of one commit twice", lambda: _config("a", "a"), Code.OUT_OF_LINE),
    ("a configuration of no environment", lambda: _config(environment="qa"), Code.NO_RULE),
    ("a configuration with another judgment", lambda: _config(why="ignored"), Code.OUT_OF_LINE),
    # identity
    ("a link of another person", lambda: _link(by=person("ada")), Code.NOT_AN_APPROVER),
    ("a link under a name that is not the login", lambda: _link_to(person="eve"), Code.UNKNOWN_PERSON),
    ("a link by the bot", lambda: _link(by=Bot()), Code.NOT_AN_APPROVER),
    ("a link by the bot with a code", lambda: _link(by=Bot(), why="email"), Code.NOT_AN_APPROVER),
    ("a link to another's chat account", lambda: _link_to(slack_user="U0DAN"), Code.UNKNOWN_PERSON),
    (
        "a link to a login that the rules give to another",
        lambda: _link_to(forge_login="ADA-L"),
        Code.LINKED_ELSEWHERE,
    ),
    ("a link to a number that is another's", _linked_twice, Code.LINKED_ELSEWHERE),
    ("a link against the rules", lambda: _link("ada"), Code.UNKNOWN_PERSON),
    ("a link without a number", lambda: _link_to(forge_id=0), Code.EVIDENCE_MISSING),
    (
        "a link without the forge's word",
        lambda: (f := story(), f.linked("carol", evidence={"account": dict(FLAGS)})),
        Code.EVIDENCE_MISSING,
    ),
    ("a link whose word names another number", lambda: _link_proved(id=1), Code.EVIDENCE_MISSING),
    ("a link whose word names another login", lambda: _link_proved(login="x"), Code.EVIDENCE_MISSING),
    ("a link whose word has no ground", lambda: _link_proved(proof=""), Code.EVIDENCE_MISSING),
    ("a link that is nothing", lambda: _key(""), Code.OUT_OF_LINE),
    (
        "a link and a key at once",
        lambda: (f := story(), f.linked("carol", signer=OTHER_KEY)),
        Code.OUT_OF_LINE,
    ),
    (
        "a key by a person",
        lambda: (f := story(), f.word(Kind.IDENTITY, person("ada"), signer=OTHER_KEY)),
        Code.NOT_AN_APPROVER,
    ),
    ("the key that signs already", lambda: _key(SIGNER), Code.OUT_OF_LINE),
    (
        "a word by an account that is linked under another number",
        lambda: _told_by_a_linked_account(forge_id=1),
        Code.UNKNOWN_PERSON,
    ),
    (
        "a word by a login that nothing links",
        lambda: (f := story(), f.stand(Kind.HOLD, replace(person("carol"), forge_login="x"))),
        Code.UNKNOWN_PERSON,
    ),
    # sums
    ("a sum of another state", lambda: _sum(hash_of("x")), Code.OUT_OF_LINE),
    (
        "a sum by a person",
        lambda: (f := story(), f.word(Kind.CHECKPOINT, person("ada"), state=sum_of(f.state))),
        Code.NOT_AN_APPROVER,
    ),
    # erasure and repair
    *(
        (f"{kind} by one person", lambda kind=kind: _both(kind, by=person("ada")), Code.APPROVALS_MISSING)
        for kind in TWO
    ),
    *(
        (f"{kind} by the bot", lambda kind=kind: _both(kind, by=Bot()), Code.APPROVALS_MISSING)
        for kind in TWO
    ),
    *(
        (f"{kind} by one person twice", lambda kind=kind: _both(kind, "ada", "ada"), Code.APPROVALS_MISSING)
        for kind in TWO
    ),
    *(
        (
            f"{kind} by one who approves nowhere",
            lambda kind=kind: _both(kind, "ada", "dan"),
            Code.NOT_AN_APPROVER,
        )
        for kind in TWO
    ),
    *(
        (f"{kind} by one who is unknown", lambda kind=kind: _both(kind, "ada", "eve"), Code.UNKNOWN_PERSON)
        for kind in TWO
    ),
    *(
        (
            f"{kind} whose second account was not looked up",
            lambda kind=kind: _both(kind, evidence={"accounts": {"ada": dict(FLAGS)}}),
            Code.ACCOUNT,
        )
        for kind in TWO
    ),
    *(
        (
            f"{kind} without any account",
            lambda kind=kind: _both(kind, evidence={"account": dict(FLAGS)}),
            Code.ACCOUNT,
        )
        for kind in TWO
    ),
    *(
        (f"{kind} without a reason", lambda kind=kind: _both(kind, note=""), Code.NOTE_MISSING)
        for kind in TWO
    ),
    ("an erasure of genesis", lambda: _both(Kind.REDACT, erases=1), Code.NOT_STANDING),
    ("an erasure of what is not there", lambda: _both(Kind.REDACT, erases=99), Code.NOT_STANDING),
    ("a second erasure", lambda: _both_again(Kind.REDACT), Code.OUT_OF_LINE),
    ("a fork with ends that are none", lambda: _both(Kind.FORK, **_ends("x")), Code.OUT_OF_LINE),
    (
        "a fork with ends of another shape",
        lambda: _both(Kind.FORK, **_ends(1, as_list=False)),
        Code.OUT_OF_LINE,
    ),
    ("a second end of one fork", lambda: _both_again(Kind.FORK), Code.OUT_OF_LINE),
    *(
        (f"{kind} by two people together", lambda kind=kind: _spoken_by_two(kind), code)
        for kind, code in (
            (Kind.APPROVE, Code.UNKNOWN_PERSON),
            (Kind.HOLD, Code.NOT_AN_APPROVER),
            (Kind.RESUME, Code.UNKNOWN_PERSON),
        )
    ),
    # junk
    (
        "junk noted by a person",
        lambda: (f := story(), replace(f.junk("x"), by=person("ada"))),
        Code.NOT_AN_APPROVER,
    ),
    ("more junk than a day holds", lambda: _quarantine(MAX_QUARANTINES), Code.TOO_MANY),
]


@pytest.mark.parametrize(
    ("made", "code"), [(made, code) for _, made, code in FORBIDDEN], ids=[name for name, _, _ in FORBIDDEN]
)
def test_nobody_may_append(made: Made, code: Code) -> None:
    found, entry = made()

    refusal = found.refusal(entry)

    assert refusal is not None
    assert refusal.code is code


def _after_a_day_of_junk() -> tuple[Story, Entry]:
    found, entry = _quarantine(MAX_QUARANTINES)
    found.at = found.at.replace(day=found.at.day + 1)
    return found, entry


def _again_after_it_moved() -> tuple[Story, Entry]:
    found = _staged()
    found.add(found.health())
    found.staged("1.2.0")
    return found, found.health()


ALLOWED: list[tuple[str, Made]] = [
    ("healthy on the commit that moved it", _health),
    ("unhealthy at first", lambda: _health(Kind.UNHEALTHY)),
    ("healthy on a later commit with the same pin", lambda: (f := _staged(), f.health(after=2))),
    ("healthy since before the ledger", lambda: (f := story(), f.health())),
    ("healthy, then not", lambda: _seen_before(Kind.HEALTHY, Kind.UNHEALTHY)),
    ("unhealthy, then mended", lambda: _seen_before(Kind.UNHEALTHY, Kind.HEALTHY)),
    ("healthy again after it moved", _again_after_it_moved),
    ("a configuration", _config),
    ("a configuration after another", _config_again),
    ("a link by oneself", _link),
    (
        "another link of one person",
        lambda: (
            f := _link()[0],
            f.add(f.linked("carol")),
            f.linked_by(Link("carol", "T0", "U0CAROL", 905, "carol-new")),
        )[::2],
    ),
    ("a word by a linked account", _told_by_a_linked_account),
    ("another key", _key),
    ("the sum of the state", _sum),
    ("an erasure by two", lambda: _both(Kind.REDACT)),
    ("a fork of several ends", lambda: _both(Kind.FORK, **_ends(oid("lost too")))),
    ("a fork ended by two", lambda: _both(Kind.FORK, "bob", "carol")),
    ("junk", lambda: _quarantine(0)),
    ("junk on another day", _after_a_day_of_junk),
]


@pytest.mark.parametrize("made", [made for _, made in ALLOWED], ids=[name for name, _ in ALLOWED])
def test_the_rule_lets_through(made: Made) -> None:
    found, entry = made()

    found.add(entry)


def test_health_is_remembered_by_place_and_forgotten_when_it_moves() -> None:
    found = _staged()
    assert found.state.health_of("staging", "web") is None

    found.add(found.health())
    found.add(found.health(Kind.UNHEALTHY, after=1))

    last = found.state.health_of("staging", "web")
    assert last is not None
    assert (last.is_healthy, last.image, last.seq) == (False, (pinned("1.1.0"),), found.state.seq)
    assert [one.is_healthy for one in found.state.health["staging", "web"]] == [True, False]
    found.staged("1.2.0")
    assert found.state.health_of("staging", "web") is None


def test_another_key_a_link_an_erasure_and_a_fork_are_remembered() -> None:
    found, entry = _key()
    found.add(entry)
    link = found.add(found.linked("carol")).linked
    found.add(found.both(Kind.REDACT, erases=2))
    found.add(found.both(Kind.FORK, lost=oid("lost"), **_ends(oid("lost too"))))

    assert found.state.signer == OTHER_KEY
    assert found.state.links == {"carol": link}
    assert found.state.redacted == {2: found.state.seq - 1}
    assert found.state.forks == {oid("lost"): found.state.seq, oid("lost too"): found.state.seq}


def test_a_sum_tells_states_apart() -> None:
    found = story(RULES)
    before = sum_of(found.state)

    found.add(found.junk("x"))

    assert sum_of(found.state) != before
    assert sum_of(found.state.copy()) == sum_of(found.state)


@pytest.mark.parametrize("made", [made for _, made, _ in FORBIDDEN], ids=[name for name, _, _ in FORBIDDEN])
def test_all_that_speaks_against_an_entry_can_be_told(made: Made) -> None:
    found, entry = made()

    reasons = found.reasons(entry)

    assert reasons
    assert reasons[0] == found.refusal(entry)
