"""The record is re-performed from a clone alone: what does not fit is found, by name."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot import wording
from bot.ledger import Appended, Proposal
from bot.repository.push import Ok, RefUpdate
from bot.signing import Signer
from bot.verify import Finding, Report
from policies.canonical import Json
from policies.entries.change import change_hash
from policies.entries.entry import Both, By, Entry, Kind, Pinned, RuleAt, write_time
from policies.ledger.keys import bump_key, promotion_id
from policies.ledger.order import Between
from policies.ledger.people import ACCOUNTS_DECIDE
from policies.rules.hash import rules_hash
from policies.rules.rules import effective
from policies.words import Approve, Reject
from tests.bot.ledger_worlds import (
    FILES,
    FLAGS,
    RULES,
    WEB,
    World,
    digest,
    kustomization,
    person,
    world,
)
from tests.repositories import commit_to, git, tip

PRODUCTION = "apps/production/kustomization.yaml"
STAGING = "apps/staging/kustomization.yaml"


def _day(folder: Path) -> World:
    """A version that moved in staging and in production, and one that was rejected."""
    found = world(folder)
    found.stage("1.1.0")
    found.promote("1.1.0")
    found.stage("1.2.0")
    found.ask("1.2.0")
    found.say("ada", Reject(found.promotion.id, "too late in the day"))
    return found


def _open(folder: Path) -> World:
    found = world(folder)
    found.stage("1.1.0")
    found.ask("1.1.0")
    return found


def _audit(found: World, folder: Path) -> Report:
    return found.audit(folder / "audit")


# --- what is well --------------------------------------------------------------------------------------------


def test_a_day_by_the_rules_has_no_finding(tmp_path: Path) -> None:
    found = _day(tmp_path)
    found.roll_back("production", "1.0.0")
    found.intend()
    found.land(found.merge())
    found.roll_back("staging", "1.1.0")

    report = _audit(found, tmp_path)

    assert report.findings == []
    assert report.entries == len(found.entries)
    assert report.commits == 5
    assert report.attested > 0
    assert report.tip == found.ledger_tip
    later = found.audit(tmp_path / "later", "2099-01-01T00:00:00Z")
    assert (later.commits, later.entries) == (0, report.entries)


def test_since_is_no_way_past_by_dating_a_commit_back(tmp_path: Path) -> None:
    found = _day(tmp_path)
    newest = found.entries[-1][1].at
    moved = next(entry.at for _, entry in reversed(found.entries) if entry.kind is Kind.BUMP)
    _by_hand(found)  # its commit is a year older than the ledger

    report = found.audit(tmp_path / "later", "2099-01-01T00:00:00Z")

    assert [one.what for one in report.findings] == ["unrecorded-move"]
    assert report.commits == 1
    (change,) = report.unrecorded
    assert change.at < newest
    assert change.between == Between(moved, "")


def test_a_move_that_is_older_than_a_commit_before_it_may_have_come_later(tmp_path: Path) -> None:
    found = _day(tmp_path)
    moved = next(entry.at for _, entry in reversed(found.entries) if entry.kind is Kind.BUMP)
    tree, names = git(found.remote, "rev-parse", "main^{tree}"), ["-c", "user.name=A", "-c", "user.email=a@b"]

    def commit(of: str, at: str) -> None:
        said = ["commit-tree", of, "-p", tip(found.remote), "-m", "By hand"]
        made = git(found.remote, *names, *said, environment={"GIT_COMMITTER_DATE": at})
        git(found.remote, "update-ref", "refs/heads/main", made)

    _by_hand(found)
    with_move = git(found.remote, "rev-parse", "main^{tree}")
    git(found.remote, "update-ref", "refs/heads/main", f"{tip(found.remote)}^")
    commit(tree, "2027-03-19T10:00:00Z")
    commit(with_move, "2026-11-24T10:00:00Z")

    (change,) = _audit(found, tmp_path).unrecorded

    assert (change.at, change.between) == ("2026-11-24T10:00:00Z", Between(moved, ""))


@pytest.mark.parametrize("later", [0, 1, 3600])
def test_since_is_no_way_past_by_dating_an_entry_back(tmp_path: Path, later: int) -> None:
    found = _day(tmp_path)
    newest = found.entries[-1][1].at
    assert _audit(found, tmp_path).newest == newest
    since = write_time(found.entries[-1][1].time + timedelta(seconds=later))
    _made_up_external(found)
    oid, lie = found.entries[-1]
    assert lie.kind is Kind.EXTERNAL
    found.rewrite(found.entries[-2][0])
    found.sneak(replace(lie, at="2026-01-02T03:04:05Z"))

    report = found.audit(tmp_path / "later", since)

    assert "entry-made-up" in {one.what for one in report.findings}
    assert oid not in {one.oid for one in report.findings}
    around = f"and those around it say between {newest} and now: one of them is wrong"
    assert report.notes == [f"#{found.entries[-1][1].seq} is dated 2026-01-02T03:04:05Z, {around}"]


@pytest.mark.parametrize(
    "files",
    [
        {"README.md": "another shop\n"},
        {STAGING: "# a comment\n" + kustomization("1.2.0", digest("1.2.0"))},
        {"apps/staging/service.yaml": "kind: Service\n"},
        {"promotion/rules.yaml": RULES + "# a comment\n"},
    ],
    ids=["a paper", "a comment beside the pin", "another file", "the rules"],
)
def test_a_commit_that_moves_no_image_is_no_finding(tmp_path: Path, files: dict[str, str]) -> None:
    found = _day(tmp_path)
    if STAGING in files:
        text = git(found.remote, "show", f"main:{STAGING}")
        files = {STAGING: f"# a comment\n{text}\n"}
    commit_to(found.remote, files)

    assert _audit(found, tmp_path).findings == []


def test_a_move_by_hand_that_was_written_down_and_reviewed_is_no_finding(tmp_path: Path) -> None:
    found = _day(tmp_path)
    commit_to(found.remote, {PRODUCTION: kustomization("1.2.0", digest("1.2.0"))})
    found.run()
    opened = _audit(found, tmp_path)
    seq = next(iter(found.state.open))
    review = Entry(kind=Kind.REVIEW, at=write_time(found.at), key=f"review/2026/{seq}", by=person("dan"))
    review = replace(review, closes=seq, note="it was agreed", evidence={"account": dict(FLAGS)})
    found.sneak(review)

    assert [one.what for one in opened.findings] == ["review-missing"]
    assert _audit(found, tmp_path).findings == []


# --- what is not ---------------------------------------------------------------------------------------------


def _by_hand(found: World) -> None:
    commit_to(found.remote, {PRODUCTION: kustomization("1.2.0", digest("1.2.0"))})


def _by_hand_in_staging(found: World) -> None:
    commit_to(found.remote, {STAGING: kustomization("1.0.0")})


def _copied_trailers(found: World) -> None:
    """Dress a move by hand with the message of one that was approved."""
    message = git(found.remote, "log", "--format=%B", "-1", "--grep=Approved-By", "main") + "\n"
    commit_to(found.remote, {PRODUCTION: kustomization("1.2.0", digest("1.2.0"))}, message=message)


def _merged_by_hand(found: World) -> None:
    """Merge what was only asked for."""
    found.ask("1.2.0")
    found.merge(message="Merge it\n")


def _merged_with_more(found: World) -> None:
    """Merge what is approved, and something beside it."""
    _approve_all(found)
    found.land(found.merge(also={"apps/production/secret.yaml": "kind: Secret\n"}))


def _merged_with_another_pin(found: World) -> None:
    _approve_all(found)
    found.land(found.merge(also={PRODUCTION: kustomization("1.9.0", digest("1.9.0"))}))


def _approve_all(found: World) -> None:
    asked = found.ask("1.2.0")
    for name in ("ada", "bob"):
        assert isinstance(found.say(name, Approve(asked.id)), Appended)
    found.intend()


def _other_trailers(found: World) -> None:
    """Say in the landing commit that somebody else approved."""
    _approve_all(found)
    commit = found.merge()
    text = git(found.remote, "cat-file", "commit", commit).replace("bob (slack", "dan (slack") + "\n"
    other = git(found.remote, "hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode())
    git(found.remote, "update-ref", "refs/heads/main", other)
    found.land(other)


def _more_trailers(found: World) -> None:
    """Add to the landing commit that somebody else approved, too."""
    _approve_all(found)
    commit = found.merge()
    text = git(found.remote, "cat-file", "commit", commit).replace(
        "Pull-Request:", "Approved-By: eve\nPull-Request:"
    )
    other = git(found.remote, "hash-object", "-t", "commit", "-w", "--stdin", stdin=f"{text}\n".encode())
    git(found.remote, "update-ref", "refs/heads/main", other)
    found.land(other)


def _rewritten_entry(found: World) -> None:
    """Put another reason into the last entry, without signing it anew."""
    text = git(found.remote, "cat-file", "commit", found.ledger_tip).replace("too late", "too dull") + "\n"
    found.rewrite(git(found.remote, "hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode()))


def _entry_by_another_key(found: World) -> None:
    found.sneak(_freeze(found), signer=Signer.generate())


def _unsigned_entry(found: World) -> None:
    entry = replace(_freeze(found), seq=len(found.entries) + 1, prev=found.ledger_tip)
    names = ["-c", "user.name=Countersign", "-c", "user.email=countersign@localhost"]
    tree = git(found.remote, "hash-object", "-t", "tree", "-w", "/dev/null")
    message = entry.message()
    found.rewrite(git(found.remote, *names, "commit-tree", tree, "-p", found.ledger_tip, "-m", message))


def _junk(found: World) -> None:
    commit_to(found.remote, {"a": "b"}, branch="ledger/2026", message="hello\n")


def _cut_back(found: World) -> None:
    oids = [oid for oid, _ in found.entries]
    found.rewrite(oids[3])


def _gone(found: World) -> None:
    found.rewrite("")


def _rewritten_target(found: World) -> None:
    git(found.remote, "update-ref", "refs/heads/main", commit_to(found.remote, FILES, branch="x", parents=[]))


TAMPERED: dict[str, tuple[Callable[[World], None], str]] = {
    "a move by hand": (_by_hand, "unrecorded-move"),
    "a move by hand in staging": (_by_hand_in_staging, "unrecorded-move"),
    "a move by hand with copied trailers": (_copied_trailers, "unrecorded-move"),
    "a pull request merged by hand": (_merged_by_hand, "unrecorded-move"),
    "a merge with something beside it": (_merged_with_more, "content-differs"),
    "a merge with another pin": (_merged_with_another_pin, "content-differs"),
    "a landing that names other people": (_other_trailers, "trailers-differ"),
    "a landing that names more people": (_more_trailers, "trailers-differ"),
    "an entry rewritten": (_rewritten_entry, "entry-invalid"),
    "an entry made up with another key": (_entry_by_another_key, "entry-invalid"),
    "an entry without a signature": (_unsigned_entry, "entry-invalid"),
    "junk on the branch": (_junk, "entry-invalid"),
    "a ledger cut back": (_cut_back, "ledger-cut"),
    "a ledger that is gone": (_gone, "ledger-missing"),
    "a target branch rewritten": (_rewritten_target, "branch-rewritten"),
}


@pytest.mark.parametrize(("tamper", "what"), TAMPERED.values(), ids=TAMPERED)
def test_tampering_is_found_and_named(tmp_path: Path, tamper: Callable[[World], None], what: str) -> None:
    found = _day(tmp_path)
    tamper(found)

    findings = _audit(found, tmp_path).findings

    assert what in {one.what for one in findings}
    assert all(_names_something(one) for one in findings)


def _names_something(finding: Finding) -> bool:
    return re.search(r"\b[0-9a-f]{8,}", str(finding)) is not None and len(finding.oid) == 40


# --- signed with the ledger's own key ------------------------------------------------------------------------


def _freeze(found: World) -> Entry:
    entry = Entry(
        kind=Kind.FREEZE, at=write_time(found.at), key="", by=person("ada"), environment="production"
    )
    return replace(entry, trigger="click-9", note="an incident", evidence={"account": dict(FLAGS)})


def _requester(found: World) -> None:
    found.sneak(found.approval("carol"))


def _stranger(found: World) -> None:
    found.sneak(found.approval("dan"))


def _other_change(found: World) -> None:
    found.sneak(found.approval("ada", change="0" * 64))


def _no_account(found: World) -> None:
    found.sneak(found.approval("ada", evidence={}))


def _no_quorum(found: World) -> None:
    """Approve once, intend, merge, and write all of it down."""
    assert isinstance(found.say("ada", Approve(found.promotion.id)), Appended)
    now = found.promotion
    accounts: dict[str, Json] = {"ada": dict(FLAGS)}
    intent = found.about(Kind.INTENT, image=now.image, change=now.change, rule=now.rule, head=now.head)
    found.sneak(replace(intent, evidence={"accounts": accounts}))
    commit = found.merge()
    merged = found.about(Kind.MERGED, head=now.head, commit=commit)
    found.sneak(merged, found.about(Kind.LANDED, commit=commit, image=now.image, previous=now.previous))


def _bump(found: World, environment: str, tag: str, **changes: object) -> Entry:
    """Move a place at once, by the bot's own parts, and return the entry; the commit waits in the clone."""
    look = found.desk.view(found.at)
    place = look.place(environment, "web")
    rules = look.rules.rules
    rule = effective(rules, environment, "web")
    assert rule
    image = Pinned(WEB, tag, digest(tag))
    edits = found.desk.writer.edits(place, rule, (image,))
    change = change_hash(edits)
    entry = Entry(
        kind=Kind.BUMP,
        at=write_time(found.at),
        key=bump_key(environment, look.tips.target, change),
        environment=environment,
        service="web",
        image=(image,),
        previous=look.world.pin(environment, "web").image,
        change=change,
        rule=RuleAt(look.rules.commit, look.rules.files, rule.hash),
    )
    entry = replace(entry, **changes)  # type: ignore[arg-type]  # a test's choice
    message = wording.move_message(entry, folder="promotion", tip=found.ledger_tip)
    return replace(
        entry, commit=found.desk.writer.build(look.tips.target, edits, message=message, at=found.at)
    )


def _guarded_bump(found: World) -> None:
    entry = _bump(found, "production", "1.1.0")
    found.sneak(entry, commit=entry.commit)


def _bump_back(found: World) -> None:
    entry = _bump(found, "staging", "1.0.0")
    found.sneak(entry, commit=entry.commit)


def _bump_back_with_a_lie(found: World) -> None:
    """Go back, and say that something older stood there."""
    entry = _bump(found, "staging", "1.0.0", previous=(Pinned(WEB, "0.9.0"),))
    found.sneak(entry, commit=entry.commit)


def _bump_with_a_lie(found: World) -> None:
    """Go forward, and say that something else stood there."""
    found.publish("1.3.0")
    found.done(lambda _look, _tip: Proposal())
    entry = _bump(found, "staging", "1.3.0", previous=(Pinned(WEB, "1.0.9"),))
    found.sneak(entry, commit=entry.commit)


def _never_ran(found: World) -> None:
    base = _bump(found, "production", "1.7.0")
    key = f"rollback/production/web/{'+'.join(one.digest or one.tag for one in base.previous)}/1"
    rest = {"by": person("dan"), "note": "back", "evidence": {"account": dict(FLAGS)}, "commit": ""}
    found.sneak(found.about(Kind.ENDED, why="superseded"))
    entry = replace(base, kind=Kind.ROLLBACK, key=key, promotion=promotion_id("2026", key), **rest)  # type: ignore[arg-type]
    found.sneak(replace(entry, head="1" * 40))


def _superseded(found: World) -> None:
    assert isinstance(found.say("ada", Approve(found.promotion.id)), Appended)
    found.sneak(found.about(Kind.ENDED, why="superseded"))


def _void_to_another(found: World) -> None:
    now = found.promotion
    image = (Pinned(WEB, "1.7.0", digest("1.7.0")),)
    rest = {"previous": now.previous, "rule": now.rule, "head": now.head, "why": "change-moved"}
    found.sneak(found.about(Kind.VOID, image=image, change="0" * 64, voided=now.change, **rest))


def _rules_aside(found: World) -> None:
    """Judge by the rules of a pull request that nobody merged."""
    relaxed = RULES.replace("approvals: 2 of release-managers", "approvals: 1")
    commit = commit_to(
        found.remote, {"promotion/rules.yaml": relaxed}, branch="relax", parents=[tip(found.remote)]
    )
    git(found.remote, "update-ref", "refs/heads/countersign/relax", commit)
    found.desk.mirror.fetch()
    rules = found.desk.book.rules(commit)
    assert rules
    rule = RuleAt(commit, ("promotion/rules.yaml",), rules_hash(rules))
    found.sneak(
        Entry(kind=Kind.RULES, at=write_time(found.at), key=f"rules/{commit}", commit=commit, rule=rule)
    )


def _rules_back(found: World) -> None:
    """Go back to rules that were in force before."""
    first = found.state.rules
    assert first
    commit_to(found.remote, {"promotion/rules.yaml": RULES.replace("approvals: 2", "approvals: 3")})
    found.run()
    found.sneak(replace(first, key=f"rules/{first.commit}", at=write_time(found.at)))


def _unfreeze(found: World) -> None:
    freeze = replace(_freeze(found), key="freeze/production/click-9")
    entry = replace(freeze, kind=Kind.UNFREEZE, key="unfreeze/production/click-10", by=person("dan"))
    found.sneak(freeze, replace(entry, trigger="click-10"))


def _unguarded_external(found: World) -> None:
    """Move production by hand and write it down as if nobody had to look."""
    commit = commit_to(found.remote, {PRODUCTION: kustomization("1.7.0", digest("1.7.0"))})
    image = (Pinned(WEB, "1.7.0", digest("1.7.0")),)
    entry = Entry(
        kind=Kind.EXTERNAL, at=write_time(found.at), key="", environment="production", service="web"
    )
    found.sneak(replace(entry, commit=commit, image=image, previous=(Pinned(WEB, "1.0.0"),), why="unguarded"))


def _made_up_external(found: World) -> None:
    """Say that a commit which moved nothing put an image into staging."""
    commit = commit_to(found.remote, {"README.md": "x\n"})
    entry = Entry(kind=Kind.EXTERNAL, at=write_time(found.at), key="", environment="staging", service="web")
    image = (Pinned(WEB, "1.7.0", digest("1.7.0")),)
    found.sneak(replace(entry, commit=commit, image=image, previous=(Pinned(WEB, "1.0.0"),), why="unguarded"))


def _external_without_image(found: World) -> None:
    """Write a move by hand down without saying to what."""
    commit = commit_to(found.remote, {STAGING: kustomization("1.7.0", digest("1.7.0"))})
    entry = Entry(kind=Kind.EXTERNAL, at=write_time(found.at), key="", environment="staging", service="web")
    found.sneak(replace(entry, commit=commit, why="unguarded"))


def _hidden_behind_an_intent(found: World) -> None:
    """Let an intent stand, and move something else by a merge of its head."""
    for name in ("ada", "bob"):
        assert isinstance(found.say(name, Approve(found.promotion.id)), Appended)
    found.intend()
    found.merge(also={STAGING: kustomization("1.7.0", digest("1.7.0"))})


def _stale_rules(found: World) -> None:
    """Go on by looser rules after the branch has stricter ones."""
    commit_to(found.remote, {"promotion/rules.yaml": RULES.replace("approvals: 2", "approvals: 3")})
    for name in ("ada", "bob"):
        found.sneak(found.approval(name))
    now = found.promotion
    accounts: dict[str, Json] = {name: dict(FLAGS) for name in ("ada", "bob")}
    intent = found.about(Kind.INTENT, image=now.image, change=now.change, rule=now.rule, head=now.head)
    found.sneak(replace(intent, evidence={"accounts": accounts}))
    commit = found.merge()
    merged = found.about(Kind.MERGED, head=now.head, commit=commit)
    found.sneak(merged, found.about(Kind.LANDED, commit=commit, image=now.image, previous=now.previous))


def _rules_that_are_no_commit(found: World) -> None:
    """Name a file or a folder where the rules' commit has to stand."""
    rules = next(entry for _, entry in found.entries if entry.kind is Kind.RULES)
    assert rules.rule
    for what in (":promotion/rules.yaml", "^{tree}"):
        name = git(found.remote, "rev-parse", f"main{what}")
        lie = replace(rules, at=write_time(found.at), commit=name, rule=replace(rules.rule, commit=name))
        found.sneak(replace(lie, key=""))


def _another_branch(found: World) -> None:
    """Begin a ledger about a branch that is not the target."""
    genesis = found.entries[0][1]
    found.rewrite("")
    found.desk.mirror.fetch()
    entry = replace(genesis, branch="release")
    oid = found.desk.mirror.entry_commit(None, message=entry.message(), at=entry.time, signer=found.signer)
    moves = [RefUpdate("refs/heads/ledger/2026", None, oid)]
    assert isinstance(found.desk.mirror.push(moves), Ok)


def _erased_without_words(found: World) -> None:
    """Let two people erase an entry that has no words, so that it looks as if it had some."""
    found.at = ACCOUNTS_DECIDE + timedelta(hours=9)
    found.stage("1.2.0")
    both = Both(person("ada"), person("bob"))
    accounts: dict[str, Json] = {name: dict(FLAGS) for name in ("ada", "bob")}
    entry = Entry(kind=Kind.REDACT, at=write_time(found.at), key="", by=both, note="it names a customer")
    found.sneak(replace(entry, erases=len(found.entries), evidence={"accounts": accounts}))


SNEAKED: dict[str, tuple[Callable[[World], None], str]] = {
    "an approval by the requester": (_requester, "entry-invalid"),
    "an approval by a stranger": (_stranger, "entry-invalid"),
    "an approval for another change": (_other_change, "entry-invalid"),
    "an approval without an account": (_no_account, "entry-invalid"),
    "an intent without a quorum": (_no_quorum, "entry-invalid"),
    "a bump in a guarded environment": (_guarded_bump, "entry-invalid"),
    "a bump that goes back": (_bump_back, "entry-invalid"),
    "a bump that goes back with a lie": (_bump_back_with_a_lie, "entry-invalid"),
    "a bump with a lie": (_bump_with_a_lie, "content-differs"),
    "a rollback to what never ran": (_never_ran, "entry-invalid"),
    "an end as superseded of what is approved": (_superseded, "entry-invalid"),
    "a void to another version": (_void_to_another, "entry-invalid"),
    "rules of a branch that nobody merged": (_rules_aside, "entry-invalid"),
    "rules that go back": (_rules_back, "entry-invalid"),
    "an unfreeze by somebody who may not": (_unfreeze, "entry-invalid"),
    "a guarded move by hand said to be unguarded": (_unguarded_external, "entry-invalid"),
    "a move by hand that was none": (_made_up_external, "entry-made-up"),
    "a move by hand to nothing said": (_external_without_image, "entry-made-up"),
    "a move hidden behind an intent": (_hidden_behind_an_intent, "unrecorded-move"),
    "rules that the branch has no more": (_stale_rules, "rule-older"),
    "rules that are no commit": (_rules_that_are_no_commit, "entry-invalid"),
    "an erasure where no words are": (_erased_without_words, "entry-invalid"),
    "a ledger of another branch": (_another_branch, "other-branch"),
}


@pytest.mark.parametrize(("sneak", "what"), SNEAKED.values(), ids=SNEAKED)
def test_what_the_ledgers_own_key_signed_against_the_rules_is_found(
    tmp_path: Path, sneak: Callable[[World], None], what: str
) -> None:
    found = _open(tmp_path)
    assert _audit(found, tmp_path).findings == []
    sneak(found)

    findings = _audit(found, tmp_path).findings

    assert what in {one.what for one in findings}
    assert all(_names_something(one) for one in findings)


@pytest.mark.parametrize(
    ("reviewer", "slack", "more"), [("adele", "U0ADA", ["entry-invalid"]), ("dan", "U0DAN", [])]
)
def test_who_approved_what_came_out_otherwise_does_not_close_it_under_another_name(
    tmp_path: Path, reviewer: str, slack: str, more: list[str]
) -> None:
    found = world(tmp_path)
    found.at = ACCOUNTS_DECIDE + timedelta(hours=9)
    found.stage("1.1.0")
    found.ask("1.1.0")
    for name in ("ada", "bob"):
        assert isinstance(found.say(name, Approve(found.promotion.id)), Appended)
    found.intend()
    commit = found.merge(also={PRODUCTION: kustomization("1.9.0", digest("1.9.0"))})
    found.sneak(
        found.about(Kind.MERGED, head=found.promotion.head, commit=commit),
        found.about(Kind.MISMATCH, commit=commit, why="other-content"),
    )
    renamed = RULES.replace("ada: {slack", "adele: {slack").replace("[ada,", "[adele,")
    commit_to(found.remote, {"promotion/rules.yaml": renamed})
    found.run()
    (seq,) = found.state.open
    by = By(reviewer, "button", "T0", slack)
    review = Entry(kind=Kind.REVIEW, at=write_time(found.at), key="", by=by, closes=seq)
    found.sneak(replace(review, note="it was agreed", evidence={"account": dict(FLAGS)}))

    assert sorted(one.what for one in _audit(found, tmp_path).findings) == ["content-differs", *more]
