"""The mirror on real repositories: what it sees, what it writes, and what it answers when others are faster."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import PermanentError, SettingsError, TransientError
from bot.repository import clone
from bot.repository import mirror as module
from bot.repository.git import Answer, Git
from bot.repository.mirror import Anchor, Mirror
from bot.repository.objects import EMPTY_TREE, Identity, Oid, branch_ref, file_path, oid_of
from bot.repository.push import Lost, Ok, RefUpdate, Refused, Unknown
from bot.signing import Signer, split_signature, verify
from policies.errors import PolicyError
from tests.repositories import Link, commit_to, git, hook, log, make_bare, read_files, tip

AT = datetime(2026, 3, 1, 12, 0, 0, 900_000, tzinfo=UTC)
SIGNER = Signer.generate()
NOWHERE = Oid("1" * 40)
MAIN, LEDGER = "refs/heads/main", "refs/heads/ledger/2026"
TREE = {
    "README.md": "hello\n",
    "apps/staging/kustomization.yaml": "images: []\n",
    "apps/staging/deep/er/values.yaml": "tag: 1\n",
    "apps/staging-2/values.yaml": "tag: 2\n",
    "apps/link.yaml": Link("../README.md"),
}
HOSTILE = [
    "", "--exec=sh", "-D", "--output=f", "main", "HEAD", "refs/heads/../x", "refs/heads/a..b", "refs/heads/-x",
    "refs/heads/x.lock", "refs/heads/a b", "refs/heads/a\nb", "refs/heads/a:refs/heads/main", "refs/heads/*",
    "+refs/heads/main", "refs/heads/", "refs/heads//x", "refs/heads/x/", "refs/heads/x@{1}", "refs/heads/.x",
    "refs/heads/x~1", "refs/heads/x^", "refs/heads/x\\y", "refs/heads/x.", "refs/heads/a\0b", "refs/tags/v1",
    "refs/heads/" + "x" * 300, "refs/heads/ledger/2026:", "refs/heads/x\x7f", "refs/heads/x?",
]  # fmt: skip


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return make_bare(tmp_path / "gitops.git", [TREE, {"README.md": "hello again\n"}])


@pytest.fixture
def mirror(remote: Path, tmp_path: Path) -> Mirror:
    return Mirror.open(str(remote), tmp_path / "state" / "mirror")


def bump(mirror: Mirror, content: str = "tag: 3\n", base: Oid | None = None) -> Oid:
    parent = base or mirror.tips().target
    return mirror.commit([parent], {"apps/staging-2/values.yaml": content.encode()}, message="Bump\n", at=AT)


def _refs(place: Path) -> str:
    return git(place, "for-each-ref", "--format=%(objectname) %(refname)")


def entry(mirror: Mirror, parent: Oid | None = None, number: int = 1) -> Oid:
    return mirror.entry_commit(parent, message=f"genesis: x (#{number})\n\n{{}}", at=AT, signer=SIGNER)


def empty(place: Path, pattern: str) -> None:
    """Leave of some objects what a power cut leaves: nothing."""
    found = list((place / "objects").glob(pattern))
    assert found
    for stored in found:
        stored.chmod(0o644)
        stored.write_bytes(b"")


# Opening


def test_an_empty_disk_is_filled_and_used_again(remote: Path, tmp_path: Path) -> None:
    place = tmp_path / "not" / "yet" / "there"

    first = Mirror.open(str(remote), place).tips()
    kept = (place / "HEAD").stat().st_ino
    second = Mirror.open(str(remote), place).tips()

    assert first.target == second.target == tip(remote)
    assert (place / "HEAD").stat().st_ino == kept


def test_the_clone_of_another_repository_is_made_anew(remote: Path, tmp_path: Path) -> None:
    other = make_bare(tmp_path / "other.git", [{"a": "1"}])
    place = tmp_path / "mirror"
    Mirror.open(str(other), place)

    mirror = Mirror.open(str(remote), place)

    assert mirror.tips().target == tip(remote)
    assert mirror.known([Oid(tip(other))]) == set()


def test_a_clone_killed_half_way_is_made_anew(remote: Path, tmp_path: Path) -> None:
    place = tmp_path / "mirror"
    script = (
        "import sys; from pathlib import Path; from bot import faults; from bot.repository.mirror import Mirror\n"
        "faults.arm('before-clone-ready'); Mirror.open(sys.argv[1], Path(sys.argv[2]))"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script, str(remote), str(place)],
        cwd=Path(__file__).resolve().parents[2],
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert not place.exists()

    mirror = Mirror.open(str(remote), place)

    assert mirror.tips().target == tip(remote)
    assert {path.name for path in tmp_path.iterdir()} == {"gitops.git", "mirror", "mirror.lock"}


def test_a_folder_that_only_looks_like_a_clone_is_made_anew(remote: Path, tmp_path: Path) -> None:
    place = tmp_path / "mirror"
    git(tmp_path, "init", "--bare", "--quiet", str(place))

    assert Mirror.open(str(remote), place).tips().target == tip(remote)


def test_somebody_elses_folder_is_left_alone(remote: Path, tmp_path: Path) -> None:
    place = tmp_path / "home"
    place.mkdir()
    (place / "letter.txt").write_text("dear Ada", "utf-8")

    with pytest.raises(PermanentError, match="in the way"):
        Mirror.open(str(remote), place)

    assert (place / "letter.txt").read_text("utf-8") == "dear Ada"


def test_an_object_that_a_power_cut_emptied_is_fetched_again(remote: Path, tmp_path: Path) -> None:
    place = tmp_path / "mirror"
    bump(Mirror.open(str(remote), place))
    empty(place, "??/*")

    mirror = Mirror.open(str(remote), place)

    assert mirror.push([RefUpdate(MAIN, mirror.tips().target, bump(mirror))]) == Ok()


@pytest.mark.parametrize("files", ["??/*", "pack/*.pack", "pack/*.idx"])
def test_damage_while_running_is_mended_by_the_next_fetch(
    remote: Path, mirror: Mirror, tmp_path: Path, files: str
) -> None:
    ours = bump(mirror)
    empty(tmp_path / "state" / "mirror", files)

    with pytest.raises(TransientError, match="the next fetch makes it anew"):
        mirror.first_parents(ours)

    assert mirror.message(mirror.fetch().target) == "Commit 2\n"
    assert mirror.push([RefUpdate(MAIN, mirror.tips().target, bump(mirror))]) == Ok()


def test_damage_met_by_a_fetch_is_mended_there(remote: Path, mirror: Mirror, tmp_path: Path) -> None:
    new = commit_to(remote, {"README.md": "4\n"}, message="Commit 4\n")
    empty(tmp_path / "state" / "mirror", "pack/*.idx")

    assert mirror.fetch().target == new
    assert mirror.message(Oid(new)) == "Commit 4\n"


def test_a_clone_that_vanished_while_running_is_made_anew(mirror: Mirror, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "state" / "mirror")

    assert mirror.message(mirror.fetch().target) == "Commit 2\n"


def test_locks_of_a_killed_git_are_taken_away(remote: Path, mirror: Mirror, tmp_path: Path) -> None:
    place = tmp_path / "state" / "mirror"
    for name in ("packed-refs.lock", "refs/remotes/origin/main.lock"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).touch()
    new = commit_to(remote, {"README.md": "3\n"})

    assert mirror.fetch().target == new


def test_an_empty_repository_says_what_to_do(tmp_path: Path) -> None:
    empty = make_bare(tmp_path / "empty.git")

    with pytest.raises(PermanentError, match="is empty; push a first commit"):
        Mirror.open(str(empty), tmp_path / "mirror")
    with pytest.raises(PermanentError, match=r"branch 'main' is not in the repository.*COUNTERSIGN_BRANCH"):
        Mirror.open(str(empty), tmp_path / "mirror", branch="main")

    assert not (tmp_path / "mirror").exists()


def test_a_place_without_a_repository_is_named(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"no repository at .*nowhere"):
        Mirror.open(str(tmp_path / "nowhere"), tmp_path / "mirror")
    (tmp_path / "folder").mkdir()
    with pytest.raises(PermanentError, match="does not appear to be a git repository"):
        Mirror.open(str(tmp_path / "folder"), tmp_path / "mirror")


def test_a_repository_of_the_other_object_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sha256.git"
    git(tmp_path, "init", "--bare", "--quiet", "--object-format=sha256", "--initial-branch=main", str(path))
    commit_to(path, {"a": "1"})

    with pytest.raises(PermanentError, match="only SHA-1 repositories are supported"):
        Mirror.open(str(path), tmp_path / "mirror")
    with pytest.raises(PermanentError, match="only SHA-1 repositories are supported"):
        Mirror.open(str(path), tmp_path / "mirror", branch="main")


@pytest.mark.parametrize(
    ("branches", "head", "chosen"),
    [
        pytest.param(["trunk", "main"], "trunk", "trunk", id="what-head-says"),
        pytest.param(["trunk"], "main", "trunk", id="the-only-one"),
        pytest.param(["master", "main", "x"], "none", "main", id="main"),
        pytest.param(["master", "x"], "none", "master", id="master"),
        pytest.param(["trunk", "ledger/2026", "countersign/a/b/c"], "none", "trunk", id="not-our-own"),
    ],
)
def test_the_target_is_what_deploys(tmp_path: Path, branches: Sequence[str], head: str, chosen: str) -> None:
    path = make_bare(tmp_path / "r.git", branch=head)
    for branch in branches:
        commit_to(path, {"a": branch}, branch=branch)

    assert Mirror.open(str(path), tmp_path / "mirror").branch == chosen


def test_a_target_that_cannot_be_guessed_is_asked_for(tmp_path: Path) -> None:
    path = make_bare(tmp_path / "r.git", branch="none")
    for branch in ("one", "two"):
        commit_to(path, {"a": branch}, branch=branch)

    with pytest.raises(PermanentError, match="COUNTERSIGN_BRANCH says which one"):
        Mirror.open(str(path), tmp_path / "mirror")
    assert Mirror.open(str(path), tmp_path / "mirror", branch="two").tips().target == tip(path, "two")


@pytest.mark.parametrize("branch", ["ledger/2026", "countersign/a/b/c"])
def test_the_bots_own_branches_are_no_target(remote: Path, tmp_path: Path, branch: str) -> None:
    with pytest.raises(PermanentError, match="one of the bot's own"):
        Mirror.open(str(remote), tmp_path / "mirror", branch=branch)


@pytest.mark.parametrize(
    "url", ["ext::sh -c touch% x", "--upload-pack=x", "http://host/x", "git://host/x", "", "a\nb"]
)
def test_an_address_that_is_none_is_a_setting_to_mend(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERSIGN_REPOSITORY"):
        Mirror.open(url, tmp_path / "mirror")


# Reading


def test_a_fetch_sees_target_ledgers_and_promotions_only(remote: Path, mirror: Mirror) -> None:
    branches = (
        "ledger/2025",
        "ledger/2026",
        "ledger/odd",
        "countersign/production/web/0a1b2c3d4e5f",
        "feature",
    )
    made = {name: commit_to(remote, {"b": name}, branch=name, parents=[]) for name in branches}

    tips = mirror.fetch()

    assert tips.target == tip(remote)
    assert tips.ledgers == {"2025": made["ledger/2025"], "2026": made["ledger/2026"]}
    assert tips.promotions == {branches[3]: made[branches[3]]}
    assert mirror.known([Oid(made["feature"])]) == set()
    blob = git(remote, "ls-tree", "main").split()[2]
    assert mirror.known([Oid(blob), Oid(git(remote, "rev-parse", "main^{tree}"))]) == set(), "no commits"


def test_a_clone_made_beside_a_ledger_has_what_a_fetch_has(
    remote: Path, mirror: Mirror, tmp_path: Path
) -> None:
    for name in ("ledger/2025", "ledger/2026", "countersign/production/web/0a1b2c3d4e5f", "feature"):
        commit_to(remote, {"b": name}, branch=name, parents=[])
    mirror.fetch()

    later = Mirror.open(str(remote), tmp_path / "later")

    assert later.tips() == mirror.tips()
    assert _refs(tmp_path / "later") == _refs(tmp_path / "state" / "mirror")


@pytest.mark.parametrize("broken", ["main", "ledger/2026"])
def test_no_clone_is_left_where_a_branch_cannot_be_had(remote: Path, tmp_path: Path, broken: str) -> None:
    commit_to(remote, {"b": "1"}, branch="ledger/2026", parents=[])
    oid = tip(remote, broken)
    (remote / "objects" / oid[:2] / oid[2:]).unlink()

    with pytest.raises((TransientError, PermanentError)):
        Mirror.open(str(remote), tmp_path / "mirror", branch="main")

    assert not (tmp_path / "mirror").exists()


def test_a_target_that_is_not_there_is_named_beside_a_ledger(remote: Path, tmp_path: Path) -> None:
    commit_to(remote, {"b": "1"}, branch="ledger/2026", parents=[])

    with pytest.raises(PermanentError, match="branch 'prod' is not in the repository"):
        Mirror.open(str(remote), tmp_path / "mirror", branch="prod")


def test_branches_that_are_gone_are_forgotten(remote: Path, mirror: Mirror) -> None:
    commit_to(remote, {"b": "1"}, branch="countersign/a")
    mirror.fetch()
    git(remote, "branch", "-D", "countersign/a")
    deeper = commit_to(remote, {"b": "1"}, branch="countersign/a/b/c")

    assert mirror.fetch().promotions == {"countersign/a/b/c": deeper}


def test_a_rewritten_remote_is_seen_not_an_error(remote: Path, mirror: Mirror) -> None:
    before = mirror.fetch().target
    rewritten = commit_to(remote, {"README.md": "other\n"}, parents=[])

    after = mirror.fetch().target

    assert after == rewritten
    assert not mirror.is_ancestor(before, after)
    assert mirror.message(before) == "Commit 2\n"


def test_a_target_that_was_deleted_is_named(remote: Path, mirror: Mirror) -> None:
    git(remote, "update-ref", "-d", MAIN)

    with pytest.raises(PermanentError, match="branch 'main' is not in the repository"):
        mirror.fetch()


def test_a_shallow_clone_says_what_to_do(remote: Path, tmp_path: Path) -> None:
    commit_to(remote, {"more.yaml": "tag: 4\n"})
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{remote}", str(shallow))

    with pytest.raises(PermanentError, match=r"shallow clone.*git fetch --unshallow"):
        Mirror.open(str(shallow), tmp_path / "of-it").fetch()


def test_a_line_that_was_asked_for_is_kept_until_another_end_is(
    remote: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = mirror.fetch().target
    one = mirror.parents(two)[0]
    mirror.first_parents(two).clear()
    mirror.first_parents(two, since=one)
    asked: list[object] = []
    run = Git.run

    def noted(self: Git, arguments: Sequence[str], **how: Any) -> Answer:
        asked.append(arguments)
        return run(self, arguments, **how)

    monkeypatch.setattr(Git, "run", noted)

    assert [mirror.first_parents(two), mirror.first_parents(two, since=one)] == [[two, one], [two]]
    assert asked == []
    assert mirror.first_parents(one) == [one]
    assert mirror.first_parents(two) == [two, one]
    assert len(asked) == 2


def test_history_is_read_in_its_order(remote: Path, mirror: Mirror) -> None:
    two = mirror.fetch().target
    side = commit_to(remote, {"side": "1"}, branch="side", parents=[two], message="Side\n")
    merge = Oid(commit_to(remote, {"README.md": "merged\n"}, parents=[two, side], message="Merge\n"))
    tips = mirror.fetch()
    one = mirror.parents(two)[0]

    assert tips.target == merge
    assert mirror.first_parents(merge) == [merge, two, one]
    assert mirror.first_parents(merge, since=one) == [merge, two]
    assert mirror.first_parents(merge, limit=1) == [merge]
    assert mirror.first_parents(two, since=two) == []
    assert [raw.oid for raw in mirror.raw_commits(merge)] == [one, two, side, merge]
    assert [raw.oid for raw in mirror.raw_commits(merge, since=two)] == [side, merge]
    assert mirror.parents(merge) == (two, side)
    assert mirror.parents(one) == ()


def test_a_folder_has_its_own_history(remote: Path, mirror: Mirror) -> None:
    one = mirror.parents(mirror.tips().target)[0]
    three = commit_to(remote, {"apps/staging/deep/er/values.yaml": "tag: 2\n"})
    commit_to(remote, {"apps/staging-2/values.yaml": "tag: 3\n"})

    assert mirror.touching(mirror.fetch().target, "apps/staging") == [three, one]


def test_moves_say_where_the_ledger_ended(remote: Path, mirror: Mirror) -> None:
    first, second, third = ("1" * 40, "2" * 40, "3" * 40)
    one = commit_to(
        remote, {"a": "1"}, message=f"Move\n\nService: x\nLedger: {first}\nLedger-Signature: signed\n"
    )
    commit_to(remote, {"a": "2"}, message=f"Cite\n\nLedger: {second}\n\nnot the last paragraph\n")
    commit_to(remote, {"a": "3"}, message="Cut\n\nLedger: 1234\n")
    commit_to(remote, {"a": "4"}, message=f"Two\n\nLedger: {second}\nLedger: {third}\n")
    last = commit_to(remote, {"a": "5"}, message=f"Move\n\nLedger: {third}\nLedger-Key: x\n")
    target = mirror.fetch().target

    newest = Anchor(Oid(last), Oid(third))
    assert mirror.anchors(target, limit=50) == [newest, Anchor(Oid(one), Oid(first), "signed")]
    assert mirror.anchors(target, limit=1) == [newest]


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_what_we_made_is_added_to_what_git_said(
    remote: Path, mirror: Mirror, tmp_path: Path, limit: int
) -> None:
    commit_to(remote, {"a": "1"}, message=f"Move\n\nLedger: {'1' * 40}\nLedger-Signature: signed\n")
    last = mirror.fetch().target
    mirror.anchors(last, limit=limit)
    messages = [
        f"Move\n\nLedger: {'2' * 40}\nLedger-Signature: s2\n",
        "Move\n\nService: x\n",
        f"Move\n\nLedger: {'3' * 40}\nLedger: {'4' * 40}\n",
        f"Move\n\nfirst\n\nService: x\nLedger: {'5' * 40}\n",
    ]
    for number, message in enumerate(messages):
        content = {"README.md": f"{number}\n".encode()}
        last = mirror.commit([last], content, message=message, at=AT)
    assert isinstance(mirror.push([RefUpdate(MAIN, mirror.tips().target, last)]), Ok)

    asked_anew = Mirror.open(str(remote), tmp_path / "another")
    asked_anew.fetch()
    assert mirror.anchors(last, limit=limit) == asked_anew.anchors(last, limit=limit)
    assert mirror.anchors(last, limit=limit)[0].tip == "5" * 40


def test_ancestry_with_the_unknown_is_no(mirror: Mirror) -> None:
    two = mirror.tips().target
    one = mirror.parents(two)[0]

    assert mirror.is_ancestor(one, two)
    assert mirror.is_ancestor(two, two)
    assert not mirror.is_ancestor(two, one)
    assert not mirror.is_ancestor(NOWHERE, two)
    assert not mirror.is_ancestor(two, NOWHERE)


def test_an_ancestor_is_asked_for_once(remote: Path, mirror: Mirror, tmp_path: Path) -> None:
    two = mirror.tips().target
    one = mirror.parents(two)[0]
    later = commit_to(remote, {"a": "1"})
    assert mirror.is_ancestor(one, two)
    assert not mirror.is_ancestor(two, Oid(later))  # it is not here yet

    assert mirror.is_ancestor(two, mirror.fetch().target)
    shutil.rmtree(tmp_path / "state" / "mirror")

    assert mirror.is_ancestor(one, two)


def test_a_commit_tells_who_and_when(remote: Path, mirror: Mirror) -> None:
    oid = Oid(commit_to(remote, {"a": "1"}, message="Über uns\n\nText\n", author="Bob ﻿ <bob@example.com>"))
    mirror.fetch()

    info = mirror.commit_info(oid)

    assert info.message == "Über uns\n\nText\n"
    # What cannot be seen is not hidden either.
    assert info.author == Identity("Bob \ufffd", "bob@example.com")
    assert info.committed_at.tzinfo is UTC
    assert info.parents == (mirror.parents(oid)[0],)


def test_what_is_not_there_is_said(mirror: Mirror) -> None:
    tree = Oid(git(mirror._directory, "rev-parse", f"{mirror.tips().target}^{{tree}}"))

    with pytest.raises(PermanentError, match="is not a commit"):
        mirror.message(NOWHERE)
    with pytest.raises(PermanentError, match="is not a commit"):
        mirror.message(tree)
    with pytest.raises(PermanentError, match="is not a file"):
        mirror.blobs([NOWHERE])
    with pytest.raises(PermanentError, match="is not a file"):
        mirror.blobs([tree])


@pytest.mark.parametrize(
    ("prefixes", "paths"),
    [
        (
            [""],
            {
                "README.md",
                "apps/staging/kustomization.yaml",
                "apps/staging/deep/er/values.yaml",
                "apps/staging-2/values.yaml",
            },
        ),
        (["apps/staging"], {"apps/staging/kustomization.yaml", "apps/staging/deep/er/values.yaml"}),
        (["apps/staging/"], {"apps/staging/kustomization.yaml", "apps/staging/deep/er/values.yaml"}),
        (["apps/staging/deep", "README.md"], {"apps/staging/deep/er/values.yaml", "README.md"}),
        (["apps/link.yaml", "apps/*", "nowhere", ":(glob)**"], set()),
        ([], set()),
    ],
)
def test_a_listing_has_the_regular_files_below(mirror: Mirror, prefixes: list[str], paths: set[str]) -> None:
    target = mirror.tips().target

    listing = mirror.listing(target, prefixes)

    assert set(listing) == paths
    assert set(mirror.blobs(listing.values())) == set(listing.values())


def test_a_listing_leaves_out_what_is_no_file(remote: Path, mirror: Mirror) -> None:
    blob = git(remote, "rev-parse", "main:README.md")
    tree = git(
        remote,
        "mktree",
        "--missing",
        stdin=f"160000 commit {NOWHERE}\tsub\n120000 blob {blob}\tlink\n100755 blob {blob}\trun\n".encode()
        + b'100644 blob %b\t"bad\\377name"\n' % blob.encode(),
    )
    commit = git(
        remote, "-c", "user.name=x", "-c", "user.email=x", "commit-tree", tree, "-p", "main", "-m", "x"
    )
    git(remote, "update-ref", MAIN, commit)
    before = mirror.tips().target
    target = mirror.fetch().target

    assert mirror.listing(target, [""]) == {"run": blob}
    assert "bad\\xffname" in mirror.changed_paths(before, target)


def test_files_are_read_once_and_remembered(mirror: Mirror, tmp_path: Path) -> None:
    listing = mirror.listing(mirror.tips().target, ["README.md"])
    first = mirror.blobs(listing.values())
    shutil.rmtree(tmp_path / "state" / "mirror")

    assert mirror.blobs(listing.values()) == first == {listing["README.md"]: b"hello again\n"}


def test_memory_for_files_has_an_end(remote: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_KEPT_BYTES", 15)
    listing = mirror.listing(mirror.tips().target, [""])

    assert set(mirror.blobs(listing.values())) == set(listing.values())
    assert sum(map(len, mirror._kept.values())) <= 15
    assert set(mirror.blobs(listing.values())) == set(listing.values())


def test_a_file_that_is_too_large_is_named(
    remote: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BLOB_BYTES", 10)
    listing = mirror.listing(mirror.tips().target, ["README.md"])

    with pytest.raises(PermanentError, match=f"{listing['README.md']} has 12 bytes; at most 10"):
        mirror.blobs(listing.values())


def test_changed_paths_name_both_sides_of_a_rename(remote: Path, mirror: Mirror) -> None:
    before = mirror.tips().target
    commit_to(remote, {"README.md": None, "docs/LIESMICH.md": "hello again\n", "é ü": "1"})

    assert mirror.changed_paths(before, mirror.fetch().target) == ["README.md", "docs/LIESMICH.md", "é ü"]


# Writing


def test_a_commit_replaces_these_files_and_nothing_else(remote: Path, mirror: Mirror) -> None:
    commit_to(remote, {"apps/staging/a.b": "x", "apps/staging/a": "y", "apps/staging/a-b/z": "z"})
    target = mirror.fetch().target
    before = read_files(remote)
    files = {"apps/staging/deep/er/values.yaml": b"tag: 9\r\n\xff", "README.md": b"", "apps/staging/a": b"Y"}

    oid = mirror.commit([target], files, message="Bump\n\nPromotion: x\n", at=AT)
    pushed = mirror.push([RefUpdate(MAIN, target, oid)])

    after = read_files(remote)
    assert pushed == Ok()
    assert after == {
        **before,
        **{path: content.decode("utf-8", "surrogateescape") for path, content in files.items()},
    }
    assert sorted(mirror.changed_paths(target, oid)) == sorted(files)
    git(remote, "fsck", "--strict", "--no-dangling")
    info = mirror.commit_info(oid)
    assert (info.message, info.parents) == ("Bump\n\nPromotion: x\n", (target,))
    assert info.author == info.committer == Identity("Countersign", "countersign@localhost")
    assert info.committed_at == AT.replace(microsecond=0)


def test_the_mode_of_a_file_stays(remote: Path, mirror: Mirror) -> None:
    blob = git(remote, "rev-parse", "main:README.md")
    tree = git(remote, "mktree", stdin=f"100755 blob {blob}\trun.sh\n".encode())
    commit = git(
        remote, "-c", "user.name=x", "-c", "user.email=x", "commit-tree", tree, "-p", "main", "-m", "x"
    )
    git(remote, "update-ref", MAIN, commit)
    target = mirror.fetch().target

    oid = mirror.commit([target], {"run.sh": b"#!/bin/sh\n"}, message="Edit\n", at=AT)

    assert git(mirror._directory, "ls-tree", oid).startswith("100755 blob")


def test_equal_commits_are_one_commit(mirror: Mirror) -> None:
    assert bump(mirror) == bump(mirror)


def test_a_commit_may_have_two_parents(mirror: Mirror) -> None:
    target = mirror.tips().target
    one = bump(mirror)

    merged = mirror.commit([target, one], {"README.md": b"m"}, message="Merge\n", at=AT)

    assert mirror.parents(merged) == (target, one)


@pytest.mark.parametrize(
    "path",
    [
        "nowhere.yaml",
        "apps/nowhere/x.yaml",
        "apps/link.yaml",
        "apps/staging",
        "README.md/x",
        "apps/link.yaml/x",
    ],
)
def test_only_regular_files_that_are_there_are_replaced(mirror: Mirror, path: str) -> None:
    with pytest.raises(PermanentError, match=r"is not a (regular file|folder) at commit"):
        mirror.commit([mirror.tips().target], {path: b"x"}, message="x\n", at=AT)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x",
        "apps/../../x",
        "./README.md",
        "apps//x",
        "apps/",
        "a\nb",
        "a\0b",
        ".git/config",
        "x/.GIT/y",
        "\u202e",
    ],
)
def test_hostile_paths_are_refused(mirror: Mirror, path: str) -> None:
    with pytest.raises(PolicyError, match="not a path"):
        mirror.commit([mirror.tips().target], {path: b"x"}, message="x\n", at=AT)


def test_an_entry_has_exactly_these_bytes(mirror: Mirror) -> None:
    first = entry(mirror)
    second = entry(mirror, first, 2)

    [one, two] = mirror.raw_commits(second)
    payload, signature = split_signature(two.data)

    who = "Countersign <countersign@localhost> 1772366400 +0000"
    assert payload.decode() == (
        f"tree {EMPTY_TREE}\nparent {first}\nauthor {who}\ncommitter {who}\n\ngenesis: x (#2)\n\n{{}}"
    )
    assert signature is not None
    assert verify(SIGNER.public_key, payload, signature)
    assert b"parent" not in one.data
    assert (
        f"\ngpgsig {signature.rstrip()}".replace("\n", "\n ").replace("\n gpgsig", "\ngpgsig")
        in two.data.decode()
    )


@pytest.mark.parametrize(
    ("message", "at"),
    [("", AT), (" \n", AT), ("a\0b", AT), ("x", datetime(2026, 3, 1))],  # noqa: DTZ001  that is the point
)
def test_a_commit_that_cannot_be_is_refused(mirror: Mirror, message: str, at: datetime) -> None:
    with pytest.raises(PolicyError):
        mirror.entry_commit(None, message=message, at=at, signer=SIGNER)


@pytest.mark.parametrize(
    ("name", "email"), [("", "a"), ("A\nB", "a"), ("A <b>", "a"), ("A", "a>"), ("A", "a\0")]
)
def test_an_author_cannot_leave_the_line(name: str, email: str) -> None:
    with pytest.raises(PolicyError, match="cannot be the author"):
        Identity(name, email)


# Pushing


def test_move_and_entry_go_out_together(remote: Path, mirror: Mirror) -> None:
    target, one, two = mirror.tips().target, bump(mirror), entry(mirror)

    assert mirror.push([RefUpdate(MAIN, target, one), RefUpdate(LEDGER, None, two)]) == Ok()
    assert (tip(remote), tip(remote, "ledger/2026")) == (one, two)
    tips = mirror.fetch()
    assert (tips.target, tips.ledgers) == (one, {"2026": two})


def test_what_was_pushed_is_remembered_as_if_fetched(remote: Path, mirror: Mirror) -> None:
    ref = "refs/heads/countersign/production/web/0a1b2c3d4e5f"
    moves = [RefUpdate(MAIN, mirror.tips().target, bump(mirror)), RefUpdate(ref, None, bump(mirror, "x"))]
    assert mirror.push(moves) == Ok()

    mirror.remember(moves)

    assert mirror.tips() == mirror.fetch()
    gone = RefUpdate(ref, moves[1].new, None)
    assert mirror.push([gone]) == Ok()
    mirror.remember([gone])
    assert mirror.tips().promotions == {}


def test_who_comes_second_has_lost_and_moved_nothing(remote: Path, mirror: Mirror, tmp_path: Path) -> None:
    other = Mirror.open(str(remote), tmp_path / "other")
    target = mirror.tips().target
    assert mirror.push([RefUpdate(MAIN, target, bump(mirror))]) == Ok()
    before = tip(remote)

    answer = other.push(
        [RefUpdate(LEDGER, None, entry(other)), RefUpdate(MAIN, target, bump(other, "tag: 4\n"))]
    )

    assert isinstance(answer, Lost)
    assert (tip(remote), tip(remote, "ledger/2026")) == (before, "")


def test_a_branch_that_must_not_exist_but_does_is_lost(mirror: Mirror, remote: Path, tmp_path: Path) -> None:
    other = Mirror.open(str(remote), tmp_path / "other")
    assert mirror.push([RefUpdate(LEDGER, None, entry(mirror))]) == Ok()

    assert isinstance(other.push([RefUpdate(LEDGER, None, entry(other, number=2))]), Lost)


def test_the_same_push_again_is_fine(mirror: Mirror) -> None:
    updates = [RefUpdate(MAIN, mirror.tips().target, bump(mirror)), RefUpdate(LEDGER, None, entry(mirror))]

    assert [mirror.push(updates), mirror.push(updates)] == [Ok(), Ok()]


def test_a_race_inside_the_host_is_lost(remote: Path, mirror: Mirror) -> None:
    rival = commit_to(remote, {"README.md": "rival\n"}, branch="rival", parents=[tip(remote)])
    hook(remote, "pre-receive", f"env -u GIT_QUARANTINE_PATH git update-ref {MAIN} {rival}")

    answer = mirror.push(
        [RefUpdate(MAIN, mirror.tips().target, bump(mirror)), RefUpdate(LEDGER, None, entry(mirror))]
    )

    assert isinstance(answer, Lost)
    assert (tip(remote), tip(remote, "ledger/2026")) == (rival, "")


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("pre-receive", "echo 'reviews are required' >&2; exit 1"),
        ("update", 'echo "reviews are required" >&2; test "$1" != refs/heads/main'),
    ],
)
def test_what_the_host_forbids_is_refused_with_its_words(
    remote: Path, mirror: Mirror, name: str, script: str
) -> None:
    hook(remote, name, script)
    before = tip(remote)

    answer = mirror.push([RefUpdate(MAIN, Oid(before), bump(mirror)), RefUpdate(LEDGER, None, entry(mirror))])

    assert isinstance(answer, Refused)
    assert "reviews are required" in answer.detail
    assert (tip(remote), tip(remote, "ledger/2026")) == (before, "")


def test_a_host_that_does_not_answer_is_unknown_and_nobody_is_left(
    remote: Path, mirror: Mirror, tmp_path: Path
) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    hook(remote, "pre-receive", f"exec 9>{fifo}; sleep 600")

    answer = mirror.push([RefUpdate(MAIN, mirror.tips().target, bump(mirror))], timeout_seconds=2)

    os.set_blocking(reading, True)
    assert isinstance(answer, Unknown)
    assert os.read(reading, 1) == b""  # comes only when the hook and its sleep are dead
    os.close(reading)
    assert log(remote) == ["Commit 2", "Commit 1"]


def test_a_host_that_dies_on_the_way_is_unknown(remote: Path, mirror: Mirror) -> None:
    hook(remote, "pre-receive", "kill -9 $PPID; sleep 1")

    assert isinstance(mirror.push([RefUpdate(MAIN, mirror.tips().target, bump(mirror))]), Unknown)


def test_a_host_that_is_gone_is_refused(remote: Path, mirror: Mirror) -> None:
    update = RefUpdate(MAIN, mirror.tips().target, bump(mirror))
    shutil.rmtree(remote)

    assert isinstance(mirror.push([update]), Refused)


def test_a_promotion_is_rebuilt_and_deleted_on_condition(remote: Path, mirror: Mirror) -> None:
    ref, short = (
        "refs/heads/countersign/production/web/0a1b2c3d4e5f",
        "countersign/production/web/0a1b2c3d4e5f",
    )
    one, two = bump(mirror, "one\n"), bump(mirror, "two\n")
    assert mirror.push([RefUpdate(ref, None, one)]) == Ok()
    assert mirror.push([RefUpdate(ref, one, two)]) == Ok()

    assert isinstance(mirror.push([RefUpdate(ref, one, None)]), Lost)
    assert tip(remote, short) == two
    assert mirror.push([RefUpdate(ref, two, None)]) == Ok()
    assert tip(remote, short) == ""


def test_target_and_ledger_only_grow(remote: Path, mirror: Mirror) -> None:
    target = mirror.tips().target
    stranger = entry(mirror)
    for update in (
        RefUpdate(MAIN, target, stranger),
        RefUpdate(MAIN, target, None),
        RefUpdate(LEDGER, stranger, entry(mirror, number=2)),
        RefUpdate(LEDGER, stranger, None),
    ):
        with pytest.raises(PolicyError, match="only ever grows"):
            mirror.push([update])

    assert tip(remote) == target


def test_one_push_moves_a_branch_once(mirror: Mirror) -> None:
    update = RefUpdate(MAIN, mirror.tips().target, bump(mirror))

    with pytest.raises(PolicyError, match="twice"):
        mirror.push([update, update])
    assert mirror.push([]) == Ok()


@pytest.mark.parametrize("ref", HOSTILE)
def test_hostile_branches_are_refused(mirror: Mirror, ref: str) -> None:
    with pytest.raises(PolicyError, match="name"):
        mirror.push([RefUpdate(ref, None, mirror.tips().target)])


@pytest.mark.parametrize("branch", ["--upload-pack=x", "a:b", "a b", "*", "", "../x", "x.lock"])
def test_a_hostile_target_is_refused(remote: Path, tmp_path: Path, branch: str) -> None:
    with pytest.raises(PolicyError, match="not a name for a branch"):
        Mirror.open(str(remote), tmp_path / "mirror", branch=branch)


CALLS: dict[str, Callable[[Mirror, Oid], object]] = {
    "first_parents": lambda mirror, oid: mirror.first_parents(oid),
    "first_parents since": lambda mirror, oid: mirror.first_parents(mirror.tips().target, since=oid),
    "is_ancestor": lambda mirror, oid: mirror.is_ancestor(oid, mirror.tips().target),
    "commit_info": lambda mirror, oid: mirror.commit_info(oid),
    "listing": lambda mirror, oid: mirror.listing(oid, [""]),
    "blobs": lambda mirror, oid: mirror.blobs([oid]),
    "known": lambda mirror, oid: mirror.known([oid]),
    "changed_paths": lambda mirror, oid: mirror.changed_paths(oid, mirror.tips().target),
    "raw_commits": lambda mirror, oid: mirror.raw_commits(oid),
    "commit": lambda mirror, oid: mirror.commit([oid], {}, message="x", at=AT),
    "second parent": lambda mirror, oid: mirror.commit([mirror.tips().target, oid], {}, message="x", at=AT),
    "entry_commit": lambda mirror, oid: mirror.entry_commit(oid, message="x", at=AT, signer=SIGNER),
    "push new": lambda mirror, oid: mirror.push([RefUpdate("refs/heads/x", None, oid)]),
    "push old": lambda mirror, oid: mirror.push([RefUpdate("refs/heads/x", oid, None)]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_hostile_ids_reach_no_command(mirror: Mirror, call: Callable[[Mirror, Oid], object]) -> None:
    for text in (
        "--output=f",
        "HEAD",
        "main",
        "",
        "1" * 39,
        "1" * 41,
        "1" * 64,
        "A" * 40,
        "1" * 40 + "\n",
        "-" + "1" * 39,
    ):
        with pytest.raises(PolicyError, match="not an object id"):
            call(mirror, Oid(text))


def test_no_hook_of_the_clone_is_run(remote: Path, mirror: Mirror, tmp_path: Path) -> None:
    place, ran = tmp_path / "state" / "mirror", tmp_path / "ran"
    for name in ("reference-transaction", "pre-push", "post-update", "pre-auto-gc"):
        hook(place, name, f"touch {ran}")
    git(place, "config", "core.hooksPath", str(place / "hooks"))
    commit_to(remote, {"README.md": "3\n"})

    mirror.fetch()
    assert mirror.push([RefUpdate(MAIN, mirror.tips().target, bump(mirror))]) == Ok()
    mirror.tidy()

    assert not ran.exists()


def test_many_fetches_do_not_leave_many_packs(
    remote: Path, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clone, "MAX_PACKS", 3)
    unpushed = bump(mirror)
    for number in range(6):
        commit_to(remote, {"README.md": f"{number}\n"})
        mirror.fetch()

    assert len(list((tmp_path / "state" / "mirror" / "objects" / "pack").glob("*.pack"))) <= 3
    assert len(mirror.first_parents(mirror.tips().target)) == 8
    assert mirror.message(unpushed) == "Bump\n"


def test_tidying_keeps_what_is_there(remote: Path, mirror: Mirror, tmp_path: Path) -> None:
    unpushed = bump(mirror)

    mirror.tidy()

    assert mirror.push([RefUpdate(MAIN, mirror.tips().target, unpushed)]) == Ok()
    assert mirror.fetch().target == tip(remote) == unpushed


@given(st.text(max_size=30))
def test_what_passes_for_a_name_is_a_name_for_git_too(text: str) -> None:
    try:
        ref = branch_ref(f"refs/heads/{text}")
    except PolicyError:
        return
    done = subprocess.run(["git", "check-ref-format", ref], check=False)

    assert done.returncode == 0


@given(st.text(max_size=60))
def test_what_passes_for_a_path_stays_inside(text: str) -> None:
    try:
        path = file_path(text)
    except PolicyError:
        return

    assert os.path.normpath(f"/top/{path}") == f"/top/{path}"
    assert "\n" not in path


@given(st.text(max_size=60))
def test_ids_are_forty_digits(text: str) -> None:
    with pytest.raises(PolicyError):
        oid_of(text)
