"""What a process finds that is born after another was killed, state by state: one list, and the sweep lives it.

Each row: the step of the life, the crash point that killed, and what stood there then: the newest entries, the newest
pull request, how many branches of ours, what moved and is not yet recorded. Every row ends as a life ends that nobody
kills, which ``sweep.killed`` judges: each entry once, each move once, every invariant.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.campaign.sweep import Day, atomic, steps, wrongly_merged

HALF = "landed"


@dataclass(frozen=True, slots=True)
class Row:
    """One death, and what is found after it."""

    step: str
    point: str
    found: str


@dataclass(frozen=True, slots=True)
class Life:
    """One life and its deaths; to its end or to the step ``last``; ``rules`` changes what is asked."""

    name: str
    rows: tuple[Row, ...]
    last: str = ""
    rules: Callable[[str], str] = str
    day: Day = steps


LIVES = (
    Life(
        "a whole day",
        (
            Row("a ledger begins", "before-clone-ready", "no entry; pull request none; 0 of our branches"),
            Row(
                "a bump, seen by two", "after-bump-push", "genesis bump; pull request none; 0 of our branches"
            ),
            Row("asked", "before-message", "bump propose; pull request open; 1 of our branches"),
            Row(
                "cancelled", "before-branch-delete", "propose cancel; pull request closed; 1 of our branches"
            ),
            Row("asked again", "after-message", "cancel propose; pull request open; 1 of our branches"),
            Row("rejected", "after-branch-delete", "propose reject; pull request closed; 0 of our branches"),
            Row(
                "asked once more",
                "after-branch-push",
                "reject propose; pull request closed; 1 of our branches",
            ),
            Row(
                "its rule changes",
                "before-branch-push",
                "reject propose; pull request closed; 1 of our branches",
            ),
            Row("ada approves 1", "after-ledger-push", "void approve; pull request open; 1 of our branches"),
            Row("bob approves 1", "before-edit", "approve approve; pull request open; 1 of our branches"),
            Row("frozen", "before-index", "landed freeze; pull request closed; 0 of our branches"),
            Row("rolled back", "after-pull-request", "freeze rollback; pull request open; 1 of our branches"),
            Row("back", "before-merge", "rollback intent; pull request open; 1 of our branches"),
            Row(
                "back", "after-merge", "rollback intent; pull request closed; 1 of our branches; 1 unrecorded"
            ),
            Row("thawed", "after-answer", "landed unfreeze; pull request closed; 0 of our branches"),
            Row(
                "a second bump", "before-bump-push", "landed unfreeze; pull request closed; 0 of our branches"
            ),
            Row(
                "asked for the second",
                "before-pull-request",
                "bump propose; pull request closed; 1 of our branches",
            ),
            Row(
                "ada approves 2", "before-ledger-push", "bump propose; pull request closed; 1 of our branches"
            ),
            Row("bob approves 2", "after-status", "approve intent; pull request open; 1 of our branches"),
            Row(
                "an emergency", "after-branch-push", "bump emergency; pull request closed; 1 of our branches"
            ),
            Row("it lands", "before-status", "emergency intent; pull request open; 1 of our branches"),
            Row("it lands", "before-merge", "emergency intent; pull request open; 1 of our branches"),
            Row("reviewed", "after-view", "merged landed; pull request closed; 0 of our branches"),
            Row(
                "files change", "before-ledger-push", "landed review; pull request closed; 0 of our branches"
            ),
            Row("files change", "after-ledger-push", "review config; pull request closed; 0 of our branches"),
            Row(
                "moved by hand",
                "before-ledger-push",
                "review config; pull request closed; 0 of our branches; 1 unrecorded",
            ),
            Row(
                "moved by hand",
                "after-ledger-push",
                "config external; pull request closed; 0 of our branches",
            ),
            Row("that is reviewed", "before-view", "external review; pull request closed; 0 of our branches"),
        ),
    ),
    Life(
        "to the merge",
        (
            Row(
                "a bump, seen by two", "after-withdraw", "genesis bump; pull request none; 0 of our branches"
            ),
            Row("asked", "after-index", "bump propose; pull request open; 1 of our branches"),
            Row("cancelled", "after-close", "propose cancel; pull request closed; 1 of our branches"),
            Row("rejected", "after-comment", "propose reject; pull request open; 1 of our branches"),
            Row("its rule changes", "after-describe", "propose void; pull request open; 1 of our branches"),
            Row("ada approves 1", "after-edit", "void approve; pull request open; 1 of our branches"),
            Row("landed", "before-ledger-push", "approve approve; pull request open; 1 of our branches"),
            Row("landed", "before-merge", "approve intent; pull request open; 1 of our branches"),
            Row(
                "landed",
                "after-merge",
                "approve intent; pull request closed; 1 of our branches; 1 unrecorded",
            ),
        ),
        last=HALF,
    ),
    Life(
        "past the merge",
        (
            Row(
                "a bump, seen by two", "before-withdraw", "genesis bump; pull request none; 0 of our branches"
            ),
            Row("cancelled", "before-close", "propose cancel; pull request open; 1 of our branches"),
            Row("rejected", "before-comment", "propose reject; pull request open; 1 of our branches"),
            Row("asked once more", "before-answer", "reject propose; pull request open; 1 of our branches"),
            Row("its rule changes", "before-describe", "propose void; pull request open; 1 of our branches"),
            Row("bob approves 1", "before-ledger-push", "void approve; pull request open; 1 of our branches"),
            Row(
                "bob approves 1",
                "after-merge",
                "approve intent; pull request closed; 1 of our branches; 1 unrecorded",
            ),
            Row(
                "landed",
                "before-ledger-push",
                "approve intent; pull request closed; 1 of our branches; 1 unrecorded",
            ),
            Row("landed", "after-ledger-push", "merged landed; pull request closed; 1 of our branches"),
        ),
        last=HALF,
    ),
    Life(
        "a merge of our own",
        (
            Row(
                "bob approves 1", "after-ledger-push", "approve approve; pull request open; 1 of our branches"
            ),
            Row("landed", "before-ledger-push", "approve approve; pull request open; 1 of our branches"),
            Row("landed", "after-ledger-push", "approve intent; pull request open; 1 of our branches"),
            Row("landed", "before-bump-push", "approve intent; pull request open; 1 of our branches"),
            Row("landed", "after-bump-push", "intent merged; pull request closed; 1 of our branches"),
        ),
        last=HALF,
        rules=atomic,
    ),
    Life(
        "a merge that is not what was approved",
        (
            Row("a mismatch", "before-ledger-push", "approve approve; pull request open; 1 of our branches"),
            Row("a mismatch", "after-ledger-push", "approve intent; pull request open; 1 of our branches"),
            Row(
                "a mismatch",
                "after-merge",
                "approve intent; pull request closed; 1 of our branches; 1 unrecorded",
            ),
        ),
        last="a mismatch",
        day=wrongly_merged,
    ),
)
