"""Checks on a promotion's head or on the target branch: asked of the commit that is there now."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.index import Index
from bot.ledger import Proposal
from bot.looking.outside import Outside
from policies.codes import Code
from policies.entries.entry import Kind
from policies.entries.facts import Finding
from tests.asked_outside import looked_up
from tests.bot.forge_worlds import ADA, AppWorld, app_world
from tests.bot.ledger_worlds import FILES, RULES, World, digest, world
from tests.repositories import commit_to, git, tip

GATED = RULES.replace(
    "after: staging}",
    "after: staging, gates: [checks: {names: ci, on: head}, {checks: {names: ci, on: target}, name: main}]}",
)
ABOUT = ("production", "web", (digest("1.1.0"),))


@dataclass
class Checked:
    """A promotion under way whose head has its checks, as the target branch has, at a forge that tells it."""

    world: World
    forge: AppWorld
    outside: Outside

    def report(self, commit: str) -> None:
        """Let the checks of a commit succeed."""
        git(self.world.remote, "push", "-q", "-f", str(self.forge.path), "refs/heads/*:refs/heads/*")
        self.forge.twin.set_status(commit, "ci", "success", login=ADA.login)

    def look(self) -> None:
        """Ask at the time of the world, as a pass does."""
        git(self.world.remote, "push", "-q", "-f", str(self.forge.path), "refs/heads/*:refs/heads/*")
        self.world.desk.mirror.fetch()
        self.world.desk.answers.facts = looked_up(self.outside, self.world.desk.view(self.world.at))

    def known(self) -> dict[str, Finding]:
        """Return what counts now of each gate."""
        found = self.world.desk.view(self.world.at).world.facts_of(*ABOUT)
        return {one.gate: one.verdict for one in found}


@pytest.fixture
def checked(tmp_path: Path) -> Iterator[Checked]:
    with ExitStack() as stack:
        found = world(tmp_path / "world", {**FILES, "promotion/rules.yaml": GATED})
        forge = stack.enter_context(app_world(tmp_path))
        index = Index.open(None)
        stack.callback(index.close)
        made = Checked(found, forge, Outside(None, forge.forge(), index))
        found.stage("1.1.0")
        head = found.ask("1.1.0").head
        made.report(head)
        made.report(tip(found.remote))
        made.look()
        yield made


def test_checks_of_a_head_do_not_count_for_the_one_that_took_its_place(checked: Checked) -> None:
    found = checked.world
    assert checked.known() == {"checks": Finding.PASSED, "main": Finding.PASSED}
    old = found.promotion
    head = commit_to(found.remote, {"README.md": "anew\n"}, branch=f"countersign/production/web/{old.id}")
    entry = found.about(
        Kind.REBASED, key=f"rebased/{old.id}/{head}", change=old.change, rule=old.rule, head=head
    )

    found.done(lambda _look, _tip: Proposal((entry,)))

    assert checked.known() == {"main": Finding.PASSED}  # in the very pass that built it anew
    checked.outside.known.clear()
    checked.outside._is_recalled = False  # a process that starts again has the answers of the old head
    checked.look()
    assert checked.known() == {"checks": Finding.WAITING, "main": Finding.PASSED}
    assert {one.code for one in checked.outside.known.values()} == {"", Code.CHECKS_PENDING}
    checked.report(head)
    checked.world.at += timedelta(minutes=1)
    checked.look()
    assert checked.known() == {"checks": Finding.PASSED, "main": Finding.PASSED}


def test_checks_of_the_target_branch_do_not_count_for_what_came_upon_it(checked: Checked) -> None:
    commit = commit_to(checked.world.remote, {"README.md": "more\n"})
    checked.world.desk.mirror.fetch()

    assert checked.known() == {"checks": Finding.PASSED}
    checked.look()
    assert checked.known() == {"checks": Finding.PASSED, "main": Finding.WAITING}
    checked.report(commit)
    checked.world.at += timedelta(minutes=1)
    checked.look()
    assert checked.known() == {"checks": Finding.PASSED, "main": Finding.PASSED}
