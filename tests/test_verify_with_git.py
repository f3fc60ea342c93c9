"""docs/verify-with-git.md: every block is run as it stands, in a plain clone, where all is well and where it is not."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bot.signing import Signer
from policies.entries.entry import Kind
from tests.bot.ledger_worlds import World, digest, kustomization, world
from tests.repositories import commit_to, git

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


def run(told: World, folder: Path) -> list[str]:
    """Clone, run all blocks in one shell, and return what each printed."""
    git(folder, "clone", "--quiet", str(told.remote), "plain")
    script = "".join(f"{block}\necho '--- end'\n" for block in BLOCKS)
    kept = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(folder)}
    kept |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["sh", "-u"], input=script, env=kept, cwd=folder / "plain", capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return [one.strip() for one in done.stdout.split("--- end\n")]


@needs_ssh
def test_every_block_says_what_the_paper_says(told: World, tmp_path: Path) -> None:
    where, keys, signed, form, parents, entries, moves, rest, patches, rules, *_ = run(told, tmp_path)

    assert where == "refs/remotes/origin/ledger/2026"
    assert keys == f'countersign@localhost namespaces="git" {told.signer.public_key}'
    assert signed == ""
    assert form.splitlines() == ["1", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"]
    assert parents == ""
    assert "genesis: 2026 (#1)" in entries
    assert f"landed: production web {told.promotion.id} " in entries
    assert '"kind":"approve"' in entries
    assert moves == ""
    assert "Commit 1" in rest
    assert len(rest.splitlines()[0].split()) >= 3
    assert len(patches.splitlines()) == 1
    assert "2 of release-managers" in rules


@needs_ssh
def test_what_is_wrong_is_printed(told: World, tmp_path: Path) -> None:
    made_up = replace(told.approval("ada"), key="approve/made/up")
    stranger = told.sneak(made_up, signer=Signer.generate())
    lost = f"Mend a word\n\nLedger: {'5' * 40}\nLedger-Key: bump/staging/1/2\n"
    commit = commit_to(told.remote, {"README.md": "a shop\n"}, message=lost)
    files = {"apps/production/kustomization.yaml": kustomization("1.2.0", digest("1.2.0"))}
    by_hand = commit_to(told.remote, files, message="By hand\n")

    _, _, signed, _, _, _, moves, rest, *_ = run(told, tmp_path)

    assert signed == f"not signed: {stranger}"
    assert moves.splitlines() == [
        f"{commit} names an end that is not in the ledger: {'5' * 40}",
        f"{commit} names no entry: bump/staging/1/2",
    ]
    assert f"{by_hand[:7]} Ada: By hand" in rest


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

    assert "gap at 12" in run(told, folder)[3]
