"""``merges: atomic``: the merge and its entries are one push; a freeze that comes in between stops it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ledger import NotAllowed
from bot.promoting import atomic
from bot.promoting.desk import Desk
from bot.promoting.promoter import Said, stand
from policies.codes import Code
from policies.entries.entry import By
from policies.ledger.state import Stage
from policies.validator import ACCOUNT_FLAGS
from policies.words import Approve, Freeze, Rollback
from sandbox.gitops import CHECKOUT
from tests.scenarios.offices import TEAM, Office, office_in

RULE = "approvals: 2 of release-managers"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        made.change_rules("rules.yaml", RULE, f"{RULE}\n    merges: atomic")
        yield made


def merges(office: Office) -> int:
    """Count the merges that the forge was asked for."""
    return sum(one.target.endswith("/merge") and one.method == "PUT" for one in office.world.forge.seen())


def approved(office: Office, promotion: str) -> None:
    office.say("ada", Approve(promotion))
    office.say("bob", Approve(promotion))


def test_the_merge_is_ours_and_the_forge_sees_the_pull_request_as_merged(office: Office) -> None:
    promotion = office.asked("1.4.2")
    head = office.engine.look().state.promotions[promotion].head
    approved(office, promotion)

    assert office.stage(promotion) is Stage.LANDED
    assert merges(office) == 0
    parents = office.world.git.text("show", "-s", "--format=%P", "main").split()
    assert parents[1:] == [head]
    (pull,) = office.world.forge.snapshot()["pulls"]
    assert pull["state"] == "merged"
    (merged,) = office.entries("merged")
    assert (merged.evidence, merged.commit) == (
        {"pushed": True},
        office.world.git.text("rev-parse", "main").strip(),
    )
    message = office.world.git.text("show", "-s", "--format=%B", "main")
    assert message.startswith("production: checkout-api 1.4.1 -> 1.4.2\n")
    assert f"Promotion: {promotion}" in message


def test_a_branch_that_may_not_be_pushed_to_waits_and_lands_later(office: Office) -> None:
    promotion = office.asked("1.4.2")
    office.world.forge.protect("main")
    approved(office, promotion)

    assert office.stage(promotion) is Stage.OPEN
    assert [entry.why for entry in office.entries("abort")] == ["refused"]
    assert merges(office) == 0, "nothing falls back to the forge"

    office.world.forge.unprotect("main")
    office.clock.wind(minutes=2)
    office.look()

    assert office.stage(promotion) is Stage.LANDED


def test_a_freeze_between_intent_and_push_stops_it_and_the_way_back_passes(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = office.asked("1.4.2")
    approved(office, first)
    promotion = office.asked("1.4.3")
    real, refused = atomic.land, []

    said = Said(By("carol", "button", TEAM, "U0CAROL"), {"account": dict(ACCOUNT_FLAGS)}, "another-replica")

    def frozen_first(desk: Desk, *rest: object, **more: object) -> object:
        word = Freeze(("production",), "the big sale")
        desk.append(lambda look, _tip: stand(look, said, word), office.clock.at)
        answer = real(desk, *rest, **more)  # type: ignore[arg-type]  # handed on as they came
        refused.append(answer)
        return answer

    monkeypatch.setattr(atomic, "land", frozen_first)
    approved(office, promotion)
    monkeypatch.undo()

    assert isinstance(refused[0], NotAllowed)
    assert refused[0].refusal.code == Code.FROZEN
    assert [entry.why for entry in office.entries("abort")] == ["frozen"]
    assert office.stage(promotion) is Stage.OPEN
    office.say("ada", Rollback(CHECKOUT, "carts are empty", "", ("production",)))
    assert "newTag: 1.4.3" not in office.world.git.text("show", "main:apps/production/kustomization.yaml")


def test_what_was_pushed_is_looked_at_on_the_remote_before_it_is_said_to_have_landed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    promotion = office.asked("1.4.2")
    before = office.world.git.text("rev-parse", "main").strip()
    real = atomic.land

    def pushed_over(desk: Desk, *rest: object, **more: object) -> object:
        answer = real(desk, *rest, **more)  # type: ignore[arg-type]  # handed on as they came
        office.world.git.text("update-ref", "refs/heads/main", before)
        return answer

    monkeypatch.setattr(atomic, "land", pushed_over)
    approved(office, promotion)
    monkeypatch.undo()

    assert office.stage(promotion) is Stage.MISMATCH
    assert [one.why for one in office.entries("mismatch")] == ["not-on-branch"]
    assert office.entries("landed") == []
