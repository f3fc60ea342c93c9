"""``via: commit`` where people approve: no pull request, no forge; the bot pushes what is approved with its entry."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import assembly
from bot.answers import NotRecorded, Recorded
from bot.errors import SettingsError
from bot.promoting import atomic
from bot.promoting.desk import Desk
from bot.promoting.promoter import Said, stand
from bot.promoting.reconciler import Reconciler
from bot.settings import load
from policies.entries.entry import By
from policies.ledger.state import Stage
from policies.validator import ACCOUNT_FLAGS
from policies.words import Approve, Block, Freeze, Hold, Reject, Rollback, Unfreeze
from sandbox.gitops import CHECKOUT
from tests.scenarios.offices import TEAM, Office, office_in

RULE = "approvals: 2 of release-managers"
PLACE = "apps/production/kustomization.yaml"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path, has_forge=False) as made:
        assert made.engine.forge is None
        with pytest.raises(SettingsError, match="GITHUB_TOKEN"):
            assembly.need_forge(load({"HOME": str(tmp_path)}), made.engine)
        made.change_rules("rules.yaml", RULE, f"{RULE}\n    via: commit")
        assembly.need_forge(load({"HOME": str(tmp_path)}), made.engine)
        yield made


def branches(office: Office) -> list[str]:
    """Return the promotions' branches on the remote."""
    return office.world.git.text("branch", "--list", "countersign/*").split()


def approved(office: Office, version: str) -> str:
    promotion = office.asked(version)
    for name in ("ada", "bob"):
        said = office.say(name, Approve(promotion))
        assert isinstance(said, Recorded), said
    return promotion


def test_what_people_approve_is_one_commit_with_its_record_and_no_forge_is_asked(office: Office) -> None:
    since = len(office.world.forge.seen())
    promotion = office.asked("1.4.2")
    assert branches(office) == [f"countersign/production/{CHECKOUT}/{promotion}"]
    shown = office.told()
    assert f"countersign/production/{CHECKOUT}/{promotion}" in shown
    assert "Pull request" not in shown
    assert isinstance(office.say("ada", Approve(promotion[:8])), Recorded), "the beginning of its id names it"
    before = office.world.git.text("rev-parse", "main").strip()
    office.say("bob", Approve(promotion))

    assert office.stage(promotion) is Stage.LANDED
    assert office.world.git.text("rev-list", "--parents", "-1", "main").split()[1:] == [before]
    message = office.world.git.text("show", "-s", "--format=%B", "main")
    assert message.startswith("production: checkout-api 1.4.1 -> 1.4.2\n")
    assert f"Promotion: {promotion}\n" in message
    assert "Pull-Request" not in message
    assert [one.evidence for one in office.entries("merged")] == [{"pushed": True}]
    assert "pull_request" not in office.entries("intent")[0].evidence
    assert branches(office) == []
    report = office.engine.run_pass()
    assert report.left == [], "nothing is missed for want of a forge"
    assert office.findings() == []

    back = office.say("ada", Rollback(CHECKOUT, "carts are empty", "", ("production",)))
    assert isinstance(back, Recorded), back
    assert office.stage(back.promotion) is Stage.LANDED
    assert "newTag: 1.4.1" in office.world.git.text("show", f"main:{PLACE}")
    assert office.findings() == []
    assert len(office.world.forge.seen()) == since


def test_a_freeze_that_comes_in_between_stops_the_push_and_a_change_of_main_voids(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = atomic.land
    said = Said(By("carol", "button", TEAM, "U0CAROL"), {"account": dict(ACCOUNT_FLAGS)}, "another-replica")

    def frozen_first(desk: Desk, *rest: object, **more: object) -> object:
        word = Freeze(("production",), "the big sale")
        desk.append(lambda look, _tip: stand(look, said, word), office.clock.at)
        return real(desk, *rest, **more)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(atomic, "land", frozen_first)
    promotion = approved(office, "1.4.2")
    monkeypatch.undo()
    assert [entry.why for entry in office.entries("abort")] == ["frozen"]
    assert office.stage(promotion) is Stage.OPEN
    office.say("carol", Unfreeze("production", "it is over"))

    text = office.world.git.text("show", f"main:{PLACE}")
    assert "newTag: 1.4.1" in text
    other = text.replace("newTag: 1.4.1", "newTag: 1.4.0") + "\n"
    office.world.forge.push_to_branch("main", {PLACE: other}, "By hand\n", login="bob")
    office.look()

    assert [entry.why for entry in office.entries("void")] == ["change-moved"]
    now = office.engine.look().state.promotions[promotion]
    assert (now.stage, now.approvals) == (Stage.OPEN, ())
    for name in ("ada", "bob"):
        office.say(name, Approve(promotion))
    assert office.stage(promotion) is Stage.LANDED
    assert [one.split()[0] for one in office.findings()] == ["review-missing"], "the move by hand alone"


def test_a_branch_that_somebody_takes_away_ends_it_and_a_word_by_number_says_what_to_type(
    office: Office,
) -> None:
    promotion = office.asked("1.4.2")
    unknown = office.say("ada", Approve("#418"))
    assert isinstance(unknown, NotRecorded)
    assert unknown.choices == (promotion,)
    office.world.forge.delete_branch(branches(office)[0])
    office.look()
    assert office.stage(promotion) is Stage.CLOSED
    assert "its branch was taken away or changed" in office.told()

    again = office.asked("1.4.3")
    assert isinstance(office.say("bob", Reject(again, "not today")), Recorded)
    office.look()
    assert branches(office) == []

    office.change_rules("rules.yaml", "via: commit", "via: commit\n    opens: at-once")
    office.world.push(CHECKOUT, "1.4.4")
    office.look()
    assert [one.why for one in office.entries("propose")][2:] == ["at-once"], (
        "the bot asks without a forge, too"
    )


@pytest.mark.parametrize(
    ("word", "why", "is_late"),
    [
        (Hold(CHECKOUT, "an incident", "production"), "held", False),
        (Block(CHECKOUT, "1.4.2", "it loses carts"), "blocked", False),
        (Hold(CHECKOUT, "an incident"), "held", True),
        (Block(CHECKOUT, "1.4.2", "it loses carts"), "blocked", True),
    ],
    ids=["held", "blocked", "held at the last moment", "blocked at the last moment"],
)
def test_what_people_put_in_the_way_after_the_intent_stops_the_push(
    office: Office, monkeypatch: pytest.MonkeyPatch, word: Hold | Block, why: str, *, is_late: bool
) -> None:
    said = Said(By("carol", "button", TEAM, "U0CAROL"), {"account": dict(ACCOUNT_FLAGS)}, "another-replica")
    where, name = (atomic, "land") if is_late else (Reconciler, "_intend")
    real = getattr(where, name)

    def between(found: Desk | Reconciler, *rest: object, **more: object) -> object:
        desk = found.desk if isinstance(found, Reconciler) else found
        answer = None if is_late else real(found, *rest, **more)
        desk.append(lambda look, _tip: stand(look, said, word), office.clock.at)
        return real(found, *rest, **more) if is_late else answer

    monkeypatch.setattr(where, name, between)
    promotion = approved(office, "1.4.2")

    assert [entry.why for entry in office.entries("abort")] == [why]
    assert office.stage(promotion) is Stage.OPEN
    assert "newTag: 1.4.1" in office.world.git.text("show", f"main:{PLACE}")
    assert office.entries("merged") == []
