"""The scripted day, played once by its own command, and what it leaves behind, read with real git."""

import http.client
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from sandbox.checks import CHECKS, Outcome
from sandbox.git import Git
from sandbox.record import Landing, Record, Recorded

HOME = Path(__file__).resolve().parents[2]
KINDS = {
    "genesis", "bump", "propose", "approve", "reject", "refused", "void", "intent", "merged", "landed", "rollback",
}  # fmt: skip
PRODUCTION_MOVES = [
    ("1.4.1", "1.4.2", "carol", ["ada-l", "bob"]),
    ("1.4.2", "1.4.1", "ada-l", ["ada-l"]),
    ("1.4.1", "1.5.1", "carol", ["ada-l", "bob"]),
]

pytestmark = pytest.mark.timeout(240)


@dataclass(frozen=True)
class Day:
    """What the command printed, and where it left the world."""

    folder: Path
    output: str

    @property
    def repository(self) -> Path:
        """The bare GitOps repository."""
        return self.folder / "gitops.git"

    def git(self, *arguments: str) -> str:
        """Run git on the repository with nothing of this machine's settings."""
        clean = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "LC_ALL": "C.UTF-8",
        }
        command = ["git", "-C", str(self.repository), *arguments]
        return subprocess.run(command, env=clean, capture_output=True, check=True, text=True).stdout.strip()

    def entries(self) -> dict[str, dict[str, Any]]:
        """Return the ledger: each entry's commit and its one line, oldest first."""
        branch = self.git("for-each-ref", "--format=%(refname)", "refs/heads/ledger/")
        oids = self.git("rev-list", "--reverse", branch).splitlines()
        return {oid: json.loads(self.git("show", "-s", "--format=%b", oid)) for oid in oids}

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the entries of a kind."""
        return [entry for entry in self.entries().values() if entry["kind"] == kind]

    def landings(self) -> list[str]:
        """Return the target branch's commits since genesis, oldest first."""
        since = self.of("genesis")[0]["commit"]
        return self.git("rev-list", "--first-parent", "--reverse", f"{since}..main").splitlines()

    def trailers(self, commit: str) -> dict[str, list[str]]:
        """Return a commit's trailers as git reads them."""
        found: dict[str, list[str]] = {}
        for line in self.git("show", "-s", "--format=%(trailers:only,unfold)", commit).splitlines():
            name, _, value = line.partition(": ")
            found.setdefault(name, []).append(value)
        return found

    def production_moves(self) -> list[dict[str, list[str]]]:
        """Return the trailers of each commit that moved production."""
        found = [self.trailers(commit) for commit in self.landings()]
        return [trailers for trailers in found if trailers["Environment"] == ["production"]]


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sandbox", "demo", *arguments]
    return subprocess.run(
        command, cwd=HOME, stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True, timeout=200
    )


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    folder = tmp_path_factory.mktemp("day") / "kept"
    done = demo("--script", "--keep", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return Day(folder, done.stdout)


def test_the_day_leaves_entries_of_each_kind(day: Day) -> None:
    kinds = {entry["kind"] for entry in day.entries().values()}

    assert kinds >= KINDS


def test_each_entry_stands_on_the_one_before(day: Day) -> None:
    before = ""
    for number, (oid, entry) in enumerate(day.entries().items(), start=1):
        assert (entry["seq"], entry["prev"]) == (number, before)
        before = oid


@pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is absent: git cannot verify signatures"
)
def test_git_verifies_each_entry_with_the_key_that_was_left(day: Day, tmp_path: Path) -> None:
    asked = ["ssh-keygen", "-y", "-f", str(day.folder / "signing_key")]
    public = subprocess.run(asked, capture_output=True, check=True, text=True).stdout.strip()
    allowed = tmp_path / "allowed_signers"
    allowed.write_text(f"bot {public}\n", "utf-8")

    for oid in day.entries():
        trust = ("-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={allowed}")
        day.git(*trust, "verify-commit", oid)
    assert day.of("genesis")[0]["signer"] == " ".join(public.split()[:2])


def test_the_key_is_for_its_owner_alone(day: Day) -> None:
    assert stat.S_IMODE((day.folder / "signing_key").stat().st_mode) == 0o600


def test_each_landing_commit_points_into_the_ledger(day: Day) -> None:
    entries = day.entries()
    keys = {entry["key"] for entry in entries.values()}

    for commit in day.landings():
        trailers = day.trailers(commit)
        assert trailers["Ledger"][0] in entries
        assert trailers["Ledger-Key"][0] in keys
        assert re.fullmatch(r"promotion@[0-9a-f]{40} sha256:[0-9a-f]{64}", trailers["Rule"][0])


def test_production_moved_only_at_the_word_of_the_people_named(day: Day) -> None:
    moves = [
        (
            tag(trailers, "Previous"),
            tag(trailers, "Image"),
            names(trailers, "Requested-By")[0],
            names(trailers, "Approved-By"),
        )
        for trailers in day.production_moves()
    ]

    assert moves == PRODUCTION_MOVES


def test_a_move_in_production_changes_one_line(day: Day) -> None:
    for commit in day.landings():
        counts = day.git("diff", "--numstat", f"{commit}^1", commit).splitlines()

        assert [count.split("\t")[:2] for count in counts] == [["1", "1"]]


def test_production_names_the_digest_that_landed_last(day: Day) -> None:
    landed = day.of("landed")[-1]["image"][0]

    text = day.git("show", "main:apps/production/kustomization.yaml")

    assert f"newTag: {landed['tag']}@{landed['digest']} # what runs in production" in text


def test_what_was_rejected_or_voided_never_landed(day: Day) -> None:
    ended = {entry["promotion"] for kind in ("reject", "void") for entry in day.of(kind)}

    assert len(ended) == 2
    assert not ended & {entry["promotion"] for entry in day.of("landed")}


def test_who_asked_is_refused_and_the_record_says_so(day: Day) -> None:
    refused = day.of("refused")[0]
    asked = {entry["promotion"]: entry["by"]["person"] for entry in day.of("propose")}

    assert refused["why"] == "requester"
    assert asked[refused["promotion"]] == "carol"


def test_the_ledger_can_be_verified_from_the_repository_alone(day: Day, tmp_path: Path) -> None:
    alone = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "verify"],
        cwd=HOME,
        env={**alone, "COUNTERSIGN_REPOSITORY": str(day.repository)},
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_conversation_is_printed(day: Day) -> None:
    said: Sequence[str] = (
        "carol: /promote checkout-api 1.4.2 to production because",
        "dan clicks [Approve]",
        "bob clicks [Reject...]",
        "(only visible to carol)",
        "Ledger-Key: ",
        "What moved, and who trusted it",
    )

    assert [line for line in said if line not in day.output] == []


@pytest.mark.parametrize(
    ("expectation", "spoiled"),
    [
        ("the ledger has entries", lambda left: replace(left, entries=without(left, "void"))),
        (
            "each entry carries",
            lambda left: replace(left, entries=[replace(one, is_signed=False) for one in left.entries]),
        ),
        ("exactly the moves", lambda left: replace(left, landings=[*left.landings, left.landings[-1]])),
        ("each landing commit has", lambda left: replace(left, landings=stripped(left, "Rule"))),
        ("each landing commit names who", lambda left: replace(left, landings=stripped(left, "Approved-By"))),
        ("each landing commit points", lambda left: replace(left, entries=without(left, "intent"))),
        ("the ledger names each", lambda left: replace(left, landings=left.landings[1:])),
        ("nobody approved", lambda left: replace(left, entries=without(left, "refused"))),
        ("each rollback", lambda left: replace(left, entries=without(left, "rollback"))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_days_own_checks_find_what_is_spoiled(
    day: Day, expectation: str, spoiled: Callable[[Outcome], Outcome]
) -> None:
    record = Record(Git(day.repository))
    entries = record.entries()
    nowhere = cast("Any", None)  # these checks look at entries and commits alone
    left = Outcome(nowhere, nowhere, record, entries, record.landings(str(entries[0]["commit"])))
    find = next(find for name, find in CHECKS.items() if name.startswith(expectation))

    assert not find(left)
    assert find(spoiled(left))


def test_an_interrupted_demo_takes_the_bot_with_it() -> None:
    command = [sys.executable, "-m", "sandbox", "demo", "--terminal"]
    with subprocess.Popen(
        command, cwd=HOME, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        address = next(line for line in process.stdout if "/healthz" in line).split()[-1]
        assert status(address) == 200

        process.send_signal(signal.SIGINT)
        process.stdout.read()

        assert process.wait(30) == 130
    with pytest.raises(ConnectionRefusedError):
        status(address)


def test_the_demo_without_a_script_takes_lines_until_quit() -> None:
    lines = "ada: /promote nonsense\nzoe: hello\nada clicks Approve\nlog\nquit\n"

    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "demo", "--terminal"],
        cwd=HOME, input=lines, capture_output=True, check=False, text=True, timeout=100,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "ada: /promote nonsense" in done.stdout
    assert "there is no zoe; there are ada, bob, carol, dan" in done.stdout
    assert "ada sees no button 'Approve'" in done.stdout
    assert "Say who may promote what" in done.stdout


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", "utf-8")

    done = demo("--script", "--keep", str(tmp_path))

    assert done.returncode == 2
    assert "notes.txt" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def status(address: str) -> int:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status
    finally:
        connection.close()


def without(left: Outcome, kind: str) -> list[Recorded]:
    return [entry for entry in left.entries if entry.kind != kind]


def stripped(left: Outcome, name: str) -> list[Landing]:
    return [
        replace(one, trailers=tuple(pair for pair in one.trailers if pair[0] != name))
        for one in left.landings
    ]


def names(trailers: Mapping[str, Sequence[str]], name: str) -> list[str]:
    return [value.partition(" ")[0] for value in trailers.get(name, ())]


def tag(trailers: Mapping[str, Sequence[str]], name: str) -> str:
    return trailers[name][0].partition("@")[0].rpartition(":")[2]
