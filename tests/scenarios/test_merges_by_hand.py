"""``merges: by-hand``: people merge what is cleared, while it is; the bot writes down who did, and merges nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answers import Recorded
from policies.ledger.state import Stage
from policies.words import Approve, Freeze, Reject, Review, Rollback, Unapprove, Unfreeze
from sandbox.forge.twin import RefusalError
from sandbox.gitops import CHECKOUT
from tests.scenarios.offices import Clock, Office, office_in

RULE = "approvals: 2 of release-managers"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path, Clock()) as made:
        made.change_rules("rules.yaml", RULE, f"{RULE}\n    merges: by-hand")
        made.world.forge.require_checks(["countersign"])
        yield made


def merges(office: Office) -> int:
    """Count the merges that the bot asked the forge for."""
    return sum(one.target.endswith("/merge") and one.method == "PUT" for one in office.world.forge.seen())


def pull(office: Office) -> tuple[int, str]:
    """Return number and words of the newest pull request."""
    newest = max(office.world.forge.snapshot()["pulls"], key=lambda one: int(one["number"]))
    return newest["number"], newest["body"]


def cleared(office: Office, version: str) -> str:
    """Let a version be asked for and approved by both managers."""
    promotion = office.asked(version)
    for name in ("ada", "bob"):
        office.say(name, Approve(promotion))
    now = office.engine.look().state.promotions[promotion]
    assert now.is_cleared, now.stage
    return promotion


def test_people_merge_what_is_cleared_and_the_record_is_whole(office: Office) -> None:
    promotion = office.asked("1.4.2")
    number, words = pull(office)
    assert "somebody merges it here" in words
    with pytest.raises(RefusalError):
        office.world.forge.merge_pull(number, login="bob")
    office.say("ada", Approve(promotion))
    said = office.say("bob", Approve(promotion))

    assert isinstance(said, Recorded)
    assert [one.code.value for one in said.waits] == ["merges-by-hand"]
    assert "merge it at GitHub" in office.told()
    _, words = pull(office)
    assert words.rstrip().splitlines()[-1].startswith("Ledger-Key: intent/")

    office.say("carol", Freeze(("production",), "the big sale"))
    with pytest.raises(RefusalError):
        office.world.forge.merge_pull(number, login="bob")
    assert "Ledger-Key" not in pull(office)[1]
    office.clock.wind(minutes=1)
    office.say("carol", Unfreeze("production", "it is over"))
    assert office.stage(promotion) is Stage.OPEN, "a freeze in between asks again"
    office.clock.wind(minutes=1)
    office.say("bob", Unapprove(promotion))
    office.clock.wind(minutes=1)
    for name in ("bob", "ada"):
        office.say(name, Approve(promotion))
    assert office.engine.look().state.promotions[promotion].is_cleared
    office.say("bob", Unapprove(promotion))
    assert office.stage(promotion) is Stage.OPEN, "what is cleared can still be taken back"
    office.clock.wind(minutes=1)
    office.say("bob", Approve(promotion))

    commit = office.world.forge.merge_pull(number, login="bob", method="squash")
    office.look()

    assert office.stage(promotion) is Stage.LANDED
    (merged,) = office.entries("merged")
    assert merged.commit == commit
    assert merged.evidence["by_hand"]["login"] == "bob"  # type: ignore[index,call-overload]  # JSON
    assert [one.why for one in office.entries("abort")] == ["withdrawn", "withdrawn"]
    assert not office.entries("external")
    assert "merged at GitHub by " in office.told()
    assert office.findings() == []

    waiting = cleared(office, "1.4.3")
    back = office.say("bob", Rollback(CHECKOUT, "carts are empty", "", ("production",)))
    assert isinstance(back, Recorded)
    assert office.stage(back.promotion) is Stage.LANDED, "the way back waits for nobody's browser"
    assert office.stage(waiting) is Stage.CLOSED, "and takes the place of what waits for somebody to merge it"
    assert merges(office) == 1
    assert office.findings() == []


def test_what_was_merged_before_it_was_allowed_is_told_as_a_move_by_others(office: Office) -> None:
    early = office.asked("1.4.2")
    office.say("ada", Approve(early))
    office.world.forge.require_checks([])
    office.world.forge.merge_pull(pull(office)[0], login="bob")
    office.look()

    assert office.stage(early) is Stage.CLOSED
    assert not office.entries("merged")
    (external,) = office.entries("external")
    assert "before it was allowed" in office.told()
    assert "without Countersign" in office.told()
    (finding,) = office.findings()
    assert finding.startswith("review-missing")
    assert isinstance(office.say("carol", Review(f"#{external.seq}", "Bob was on call")), Recorded)

    rejected = cleared(office, "1.4.3")
    assert isinstance(office.say("bob", Reject(rejected, "not today")), Recorded)
    assert office.stage(rejected) is Stage.REJECTED
    late = cleared(office, "1.4.4")
    path = "apps/production/kustomization.yaml"
    text = office.world.git.text("show", f"main:{path}")
    office.world.forge.push_to_branch("main", {path: f"# ours\n{text}\n"}, "Say whose it is\n", login="ada-l")
    office.look()
    assert len(office.entries("rebased")) == 1, "what would conflict is built anew"
    assert office.engine.look().state.promotions[late].is_cleared, "and approvals stand"
    office.clock.wind(hours=5)  # nobody has looked since: the check is green still
    office.world.forge.merge_pull(pull(office)[0], login="bob")
    office.look()

    assert office.stage(late) is Stage.CLOSED
    assert [one.why for one in office.entries("abort")][-1] == "merged-early"
    assert len(office.entries("external")) == 2
    (finding,) = office.findings()
    assert finding.startswith("review-missing")

    waiting = cleared(office, "1.4.5")
    office.engine.retire()
    last = office.entries("ended")[-1]
    assert (last.promotion, last.note) == (waiting, "Countersign was retired"), "nothing is left cleared"
    assert merges(office) == 0
