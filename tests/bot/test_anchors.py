"""Anchors: what a commit says of the ledger's end counts where the bot's own key vouches for it."""

from pathlib import Path

import pytest

from bot.claims import made_up
from bot.promoting.desk import Desk
from bot.signing import Signer, is_vouched, vouch
from bot.wording import parse_trailers
from tests.bot.ledger_worlds import World, bot, digest, kustomization, world
from tests.repositories import commit_to, git, tip

LOST = "5" * 40
PRODUCTION = "apps/production/kustomization.yaml"


@pytest.fixture
def told(tmp_path: Path) -> World:
    """Move a version in staging and in production."""
    found = world(tmp_path)
    found.stage("1.1.0")
    found.promote("1.1.0")
    return found


def message(*trailers: str) -> str:
    """Return a commit's message that ends with trailers."""
    return "Mend a word\n\n" + "\n".join(trailers) + "\n"


def newcomer(told: World, folder: Path, signer: Signer | None = None) -> Desk:
    """Return a bot with an empty disk."""
    return bot(told.remote, folder / "newcomer", signer or told.signer)


def because(desk: Desk) -> str:
    """Say why nothing may be appended."""
    return desk.ledger.read_only_because(desk.mirror.fetch())


@pytest.mark.parametrize(
    "trailers",
    [
        (f"Ledger: {LOST}",),
        (f"Ledger: {LOST}", "Ledger-Signature: AAAA", "Ledger-Key: bump/staging/1/2"),
        (f"Ledger: {LOST}", f"Ledger-Signature: {vouch(Signer.generate(), LOST)}"),
    ],
    ids=["plain", "malformed", "by another key"],
)
def test_a_made_up_trailer_stops_nobody_and_is_named(
    told: World, tmp_path: Path, trailers: tuple[str, ...]
) -> None:
    commit = commit_to(told.remote, {"README.md": "a shop\n"}, message=message(*trailers))

    assert because(newcomer(told, tmp_path)) == because(told.desk) == ""
    told.stage("1.2.0")
    report = told.audit(tmp_path / "audit")

    assert report.findings == []
    assert [commit[:12] in one and LOST[:12] in one for one in report.notes] == [True]


def test_true_ends_are_not_hidden_behind_made_up_ones(
    told: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.ledger.ANCHORS", 3)
    landed = tip(told.remote)
    told.rewrite(told.entries[0][0])
    for number in range(4):
        commit_to(told.remote, {"README.md": f"shop {number}\n"}, message=message(f"Ledger: {LOST}"))

    assert f"commit {landed[:12]} names; somebody rewrote history" in because(newcomer(told, tmp_path))


COPIED = ("Promotion", "Environment", "Ledger", "Ledger-Signature", "Ledger-Key")


def _claims(told: World, desk: Desk) -> list[tuple[str, str]]:
    tips = desk.mirror.fetch()
    return [
        (one.commit, one.environment)
        for one in made_up(desk.mirror, desk.ledger.read(tips).state, tips.target)
    ]


def test_copied_and_invented_trailers_are_told_with_and_without_a_move(told: World, tmp_path: Path) -> None:
    stands = dict(parse_trailers(git(told.remote, "log", "-1", "--format=%B", "main")))
    copied = commit_to(
        told.remote, {"README.md": "a shop\n"}, message=message(*(f"{n}: {stands[n]}" for n in COPIED))
    )
    moved = {PRODUCTION: kustomization("1.2.0", digest("1.2.0"))}
    invented = commit_to(told.remote, moved, message=message("Promotion: 0123456789ab", "Ledger-Key: bump/x"))
    commit_to(told.remote, {"README.md": "shops\n"}, message="Mend\n\nLedger: is a word\n\nand no trailer\n")

    assert _claims(told, told.desk) == [(invented, ""), (copied, "production")]
    report = told.audit(tmp_path / "audit")
    named = [one for one in report.notes if "copied or made up" in one]
    assert [invented[:12] in named[0], copied[:12] in named[1]] == [True, True]
    assert [one.what for one in report.findings] == ["unrecorded-move"]
    told.run()
    assert _claims(told, told.desk) == [(invented, ""), (copied, "production")], (
        "an external is no word of ours"
    )


def test_our_own_commits_and_a_merge_by_hand_claim_nothing_that_is_not_so(told: World) -> None:
    assert _claims(told, told.desk) == []
    told.stage("1.2.0")
    promotion = told.ask("1.2.0")
    commit_to(
        told.remote, {PRODUCTION: kustomization("1.2.0")}, message=message(f"Promotion: {promotion.id}")
    )

    assert _claims(told, told.desk) == []


def test_the_word_for_one_end_does_not_vouch_for_another(told: World, tmp_path: Path) -> None:
    stands = dict(parse_trailers(git(told.remote, "log", "-1", "--format=%B", "main")))
    copied = message(f"Ledger: {LOST}", f"Ledger-Signature: {stands['Ledger-Signature']}")
    commit_to(told.remote, {"README.md": "a shop\n"}, message=copied)

    assert because(newcomer(told, tmp_path)) == ""
    assert len(told.audit(tmp_path / "audit").notes) == 1


def test_a_true_trailer_that_is_repeated_is_true_still(told: World, tmp_path: Path) -> None:
    stands = dict(parse_trailers(git(told.remote, "log", "-1", "--format=%B", "main")))
    again = message(*(f"{name}: {stands[name]}" for name in ("Ledger", "Ledger-Signature")))
    commit_to(told.remote, {"README.md": "a shop\n"}, message=again)

    assert because(newcomer(told, tmp_path)) == ""
    report = told.audit(tmp_path / "audit")
    assert report.findings == []
    assert ["they are copied or made up" in one for one in report.notes] == [True]


def test_a_move_by_hand_with_a_made_up_trailer_is_a_finding(told: World, tmp_path: Path) -> None:
    files = {PRODUCTION: kustomization("1.2.0", digest("1.2.0"))}
    commit = commit_to(told.remote, files, message=message(f"Ledger: {LOST}"))

    report = told.audit(tmp_path / "audit")

    assert [(one.what, one.oid) for one in report.findings] == [("unrecorded-move", commit)]


@pytest.mark.parametrize("left", [1, 4, 8], ids=["to genesis", "before the bump", "before the intent"])
def test_an_empty_disk_still_sees_that_the_ledger_was_cut(told: World, tmp_path: Path, left: int) -> None:
    landed = tip(told.remote)

    told.rewrite(told.entries[left - 1][0])

    assert f"commit {landed[:12]} names; somebody rewrote history" in because(newcomer(told, tmp_path))
    assert "ledger-cut" in {one.what for one in told.audit(tmp_path / "audit").findings}


def test_without_any_ledger_every_trailer_counts(told: World, tmp_path: Path) -> None:
    told.rewrite("")

    assert "names" in because(newcomer(told, tmp_path, Signer.generate()))


def test_the_newest_move_vouches_for_the_intent_that_let_it_happen(told: World) -> None:
    stands = dict(parse_trailers(git(told.remote, "log", "-1", "--format=%B", tip(told.remote))))

    assert stands["Ledger"] == told.promotion.intent
    assert is_vouched([told.signer.public_key], stands["Ledger"], stands["Ledger-Signature"])
    assert not is_vouched(
        [Signer.generate().public_key, "", "x y"], stands["Ledger"], stands["Ledger-Signature"]
    )


@pytest.mark.parametrize("said", ["", "é", "A" * 86 + "==", "====", "\n"])
def test_what_is_no_signature_vouches_for_nothing(said: str) -> None:
    assert not is_vouched([Signer.generate().public_key], LOST, said)
