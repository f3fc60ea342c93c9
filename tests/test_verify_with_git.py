"""docs/verify-with-git.md: every block is run as it stands, in a plain clone, where all is well and where it is not."""

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.signing import Signer
from policies.entries.entry import Entry, Kind, Pinned
from tests.bot.ledger_worlds import WEB, World, digest, kustomization, world
from tests.repositories import commit_to, git, read_file, tip

PAPER = (Path(__file__).parents[1] / "docs" / "verify-with-git.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAPER, re.MULTILINE | re.DOTALL)
needs_ssh = pytest.mark.usefixtures("ssh_keygen")  # git asks it about signatures


@pytest.fixture
def told(tmp_path: Path) -> World:
    """Move a version in staging and in production."""
    found = world(tmp_path)
    found.stage("1.1.0")
    found.promote("1.1.0")
    return found


NAMES = [
    *("where", "keys", "signed", "form", "parents", "entries"),
    *("trailers", "touched", "places", "patches", "rules", "rest"),
]
STAGING, PRODUCTION = (f"apps/{one}/kustomization.yaml" for one in ("staging", "production"))


def run(told: World, folder: Path, shell: str = "sh") -> dict[str, str]:
    """Clone, run all blocks in one shell, and return what each printed."""
    git(folder, "clone", "--quiet", "--no-local", str(told.remote), "plain")
    script = "".join(f"{block}\necho '--- end'\n" for block in BLOCKS)
    kept = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(folder), "TMPDIR": str(folder)}
    kept |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        [shell, "-u"],
        input=script,
        env=kept,
        cwd=folder / "plain",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    told_by = [one.strip() for one in done.stdout.split("--- end\n")]
    return dict(zip(NAMES, told_by, strict=False))


@needs_ssh
@pytest.mark.parametrize("shell", ["sh", "bash", "dash"])
def test_every_block_says_what_the_paper_says(told: World, tmp_path: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    before = sorted(one.name for one in tmp_path.iterdir())
    first, landed = git(told.remote, "rev-list", "--max-parents=0", "main"), told.entries[-1][1]

    said = run(told, tmp_path, shell)

    assert said["where"] == f"refs/verify/ledger/2026, about main since {first}"
    assert said["keys"] == f"#1 {told.signer.public_key}"
    assert said["signed"] == ""
    assert said["form"].splitlines() == [
        "refs/verify/ledger/2026 1",
        "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    ]
    assert said["parents"] == ""
    assert "genesis: 2026 (#1)" in said["entries"]
    assert f"landed: production web {told.promotion.id} " in said["entries"]
    assert '"kind":"approve"' in said["entries"]
    assert said["trailers"] == ""
    assert said["touched"] == ""
    assert f"{landed.commit}: production web in {PRODUCTION}" in said["places"].splitlines()
    assert (
        len(said["places"].splitlines())
        == len(git(told.remote, "rev-list", "--first-parent", "main").split()) - 1
    )
    assert re.fullmatch("the same patch: [0-9a-f]{40}", said["patches"])
    assert said["rules"].startswith("promotion/rules.yaml\n# promotion/rules.yaml\n")
    assert "2 of release-managers" in said["rules"]
    plain = tmp_path / "plain"
    assert sorted(one.name for one in tmp_path.iterdir()) == [*before, "plain"]  # nor anything in TMPDIR
    assert git(plain, "status", "--porcelain") == ""
    assert git(plain, "for-each-ref", "refs/verify") == ""


@needs_ssh
def test_what_is_wrong_is_printed(told: World, tmp_path: Path) -> None:
    made_up = replace(told.approval("ada"), key="approve/made/up")
    stranger = told.sneak(made_up, signer=Signer.generate())
    lost = f"Mend a word\n\nLedger: {'5' * 40}\nLedger-Key: bump/staging/1/2\n"
    commit = commit_to(told.remote, {"README.md": "a shop\n"}, message=lost)
    no_end = commit_to(
        told.remote, {"README.md": "shops\n"}, message="Mend\n\nLedger-Key: intent/made/up/1\n"
    )
    by_hand = commit_to(
        told.remote, {PRODUCTION: kustomization("1.2.0", digest("1.2.0"))}, message="By hand\n"
    )

    said = run(told, tmp_path)

    assert said["signed"] == f"not signed: {stranger}"
    assert sorted(said["trailers"].splitlines()) == sorted([
        f"{commit} names an end that is not in the ledger: {'5' * 40}",
        f"{commit} has no signature of the end that it names",
        f"{commit} names no entry: bump/staging/1/2",
        f"{no_end} names no end of the ledger",
        f"{no_end} names no entry: intent/made/up/1",
    ])  # fmt: skip
    assert said["touched"].startswith(f"{by_hand[:7]} Ada: By hand\n")
    assert "README" not in said["touched"]


def test_an_entry_about_health_names_no_move(told: World, tmp_path: Path) -> None:
    by_hand = commit_to(told.remote, {PRODUCTION: kustomization("1.2.0")}, message="By hand\n")
    health = _on(told, Kind.UNHEALTHY, by_hand, "staging", "1.1.0")
    told.sneak(replace(health, evidence={"statuses": "bad"}, key=f"unhealthy/staging/web/{by_hand}/1"))

    assert run(told, tmp_path)["touched"].startswith(f"{by_hand[:7]} Ada: By hand\n")


def test_a_commit_that_moves_more_than_its_entries_say_is_printed(told: World, tmp_path: Path) -> None:
    files = {STAGING: kustomization("1.2.0"), PRODUCTION: kustomization("1.3.0")}
    by_hand = commit_to(told.remote, files, message="By hand\n")
    told.sneak(_on(told, Kind.EXTERNAL, by_hand, "staging", "1.2.0"))

    said = run(told, tmp_path)

    assert said["touched"] == ""
    assert (
        f"{by_hand}: staging web in {PRODUCTION} {STAGING}\n  not named: +    newTag: 1.3.0" in said["places"]
    )
    assert "newTag: 1.2.0" not in said["places"]


def _on(told: World, kind: Kind, commit: str, environment: str, tag: str) -> Entry:
    """Begin an entry about a commit in a place."""
    image = (Pinned(str(WEB), tag),)
    blank = told.about(kind, environment=environment, commit=commit, image=image)
    return replace(blank, promotion="")


@needs_ssh
def test_a_key_that_was_replaced_does_not_count_any_more(told: World, tmp_path: Path) -> None:
    new = Signer.generate()
    key = f"identity/key/{hashlib.sha256(new.public_key.encode()).hexdigest()}"
    blank = replace(told.about(Kind.IDENTITY, key=key), environment="", service="", promotion="")
    rotated = told.sneak(replace(blank, signer=new.public_key))
    told.sneak(told.approval("ada"), signer=new)
    old = told.sneak(replace(told.approval("bob"), key="approve/made/up"))
    number = git(told.remote, "log", "-1", "--format=%s", rotated).rpartition("(")[2].rstrip(")")

    said = run(told, tmp_path)

    assert said["keys"].splitlines() == [f"#1 {told.signer.public_key}", f"{number} {new.public_key}"]
    assert said["signed"] == f"not signed: {old}"


def test_what_was_cleared_last_is_what_has_to_land(told: World, tmp_path: Path) -> None:
    other = commit_to(
        told.remote, {PRODUCTION: kustomization("9.9.9")}, branch="aside", parents=[tip(told.remote)]
    )
    key = f"intent/{told.promotion.id}/{other}/2"
    told.sneak(replace(told.intent(), head=other, key=key))

    said = run(told, tmp_path)

    assert said["patches"].startswith(f"not shown to be the same: {other} and ")


def test_a_head_that_the_clone_lacks_is_no_proof(told: World, tmp_path: Path) -> None:
    content = {PRODUCTION: read_file(told.remote, PRODUCTION)}
    squashed = commit_to(told.remote, content, parents=[git(told.remote, "rev-parse", "main^1")])
    head = told.promotion.head
    for ref in git(told.remote, "for-each-ref", "--format=%(refname)", f"--contains={head}").split():
        git(told.remote, "update-ref", "-d", ref)
    landed = told.about(Kind.LANDED, commit=squashed, image=told.promotion.image)
    told.sneak(replace(landed, key=f"landed/{told.promotion.id}/again"))

    assert run(told, tmp_path)["patches"].splitlines() == [
        f"not in this clone: {head}",
        f"not shown to be the same: {head} and {squashed}",
    ]

    shutil.rmtree(tmp_path / "plain")
    git(told.remote, "update-ref", "refs/pull/1/head", head)
    assert run(told, tmp_path)["patches"].startswith("the same patch: ")


def test_a_gap_is_printed(told: World, tmp_path: Path) -> None:
    last = told.entries[-1][1]
    told.desk.mirror.fetch()
    entry = replace(
        told.about(Kind.LANDED, commit=last.commit, image=last.image), seq=99, prev=told.ledger_tip
    )
    oid = told.desk.mirror.entry_commit(
        told.ledger_tip, message=replace(entry, key="x").message(), at=entry.time, signer=told.signer
    )
    git(told.remote, "fetch", "--quiet", str(told.remote.parent / "clone"), oid, check=False)
    shutil.copytree(told.remote.parent / "clone" / "objects", told.remote / "objects", dirs_exist_ok=True)
    told.rewrite(oid)
    folder = tmp_path / "aside"
    folder.mkdir()

    assert "gap at 12" in run(told, folder)["form"]


@needs_ssh
def test_a_new_year_goes_on_where_the_old_one_ended(told: World, tmp_path: Path) -> None:
    told.at = datetime(2027, 1, 2, 9, 0, tzinfo=UTC)
    told.desk.mirror.fetch()
    told.desk.turn(told.at)

    said = run(told, tmp_path)

    assert said["where"].startswith("refs/verify/ledger/2026\nrefs/verify/ledger/2027, about main since ")
    assert len(said["keys"].splitlines()) == 2
    assert said["form"].splitlines()[:2] == ["refs/verify/ledger/2026 1", "refs/verify/ledger/2027 1"]
    assert len(said["form"].splitlines()) == 3
    assert [said[one] for one in ("signed", "parents", "trailers", "touched")] == [""] * 4
    assert said["patches"].startswith("the same patch: ")
    assert "genesis: 2027 (#" in said["entries"]


def test_two_signatures_are_printed(told: World, tmp_path: Path) -> None:
    raw = git(told.remote, "cat-file", "commit", told.ledger_tip)
    header = re.findall(r"^gpgsig .*?END SSH SIGNATURE-----\n", raw, re.MULTILINE | re.DOTALL)[0]
    doubled = f"{raw.replace(header, header * 2, 1)}\n".encode()
    told.rewrite(git(told.remote, "hash-object", "-t", "commit", "-w", "--stdin", stdin=doubled))

    assert f"two signatures: {tip(told.remote, 'ledger/2026')}" in run(told, tmp_path)["form"]
