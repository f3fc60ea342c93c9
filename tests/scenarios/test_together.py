"""Two people take words out of every view, and two people go on from a ledger that somebody rewrote."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bot.answers import Awaiting, NotRecorded, Recorded
from bot.promoting.together import MAX_ENDS, MAX_UNSURE
from bot.repository.mirror import Mirror
from bot.verify import verify
from handlers.shell import cli
from handlers.slack import second
from policies.entries.entry import Both, Kind
from policies.words import Confirm, Fork, Hold, Pair, Redact, Reject, Speaker
from sandbox.gitops import CHECKOUT
from sandbox.page.state import ledger_rows, shown
from sandbox.record import Record
from tests.scenarios.offices import TEAM, Office, office_in

SECRET = "mrs-example-of-elm-street-4"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as found:
        yield found


def speaker(person: str) -> Speaker:
    return Speaker(TEAM, f"U0{person.upper()}", "command", f"{person}-1")


def asked(office: Office, person: str, word: Pair) -> Awaiting:
    """Let a first person ask; the card's button carries it."""
    answer = office.engine.prepare(speaker(person), word)
    assert isinstance(answer, Awaiting), answer
    return answer


def confirmed(office: Office, person: str, of: Awaiting) -> Recorded | NotRecorded:
    """Let a second person press the button."""
    word = second.confirmed(second.written(of))
    assert word is not None
    return office.say(person, word)


def told(office: Office) -> str:
    """Return all that stands in the channels now."""
    workspace = office.world.slack.workspace
    found = [
        one for room in ("deploys", "incidents") for one in workspace.messages(workspace.channel(room).id)
    ]
    return repr([(one.text, one.blocks) for one in found])


def run(office: Office, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    for name, value in office.world.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_STATE_HOME", str(office.world.folder / "another-state"))
    return cli.main(arguments, cli.Doors(_no_server, lambda _: None))


def _no_server(*_: object, is_observing: bool) -> None:
    raise AssertionError(is_observing)


def test_words_that_two_people_took_out_are_shown_nowhere(
    office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    promotion = office.asked("1.4.2")
    office.say("ada", Reject(promotion, f"it names {SECRET}"))
    office.say("bob", Hold(CHECKOUT, f"{SECRET} complains", "production"))
    office.look()
    (database,) = tmp_path.rglob("*.sqlite")
    assert SECRET in told(office)
    assert SECRET.encode() in database.read_bytes() + database.with_name(f"{database.name}-wal").read_bytes()
    seqs = [one.seq for kind in ("reject", "hold") for one in office.entries(kind)]

    for seq in seqs:
        word = asked(office, "ada", Redact(seq, "it names a customer"))
        assert SECRET not in repr(word)
        assert isinstance(confirmed(office, "ada", word), NotRecorded)
        assert isinstance(confirmed(office, "bob", word), Recorded)
        assert isinstance(confirmed(office, "carol", word), NotRecorded)
    office.look()

    (first, _) = office.entries("redact")
    assert isinstance(first.by, Both)
    assert (first.by.one.person, first.by.other.person, first.note) == ("ada", "bob", "it names a customer")
    assert SECRET not in told(office)
    assert SECRET not in repr(office.engine.look().state.promotions[promotion])
    printed = ""
    for line in (
        "ledger show",
        "ledger show --json",
        "ledger export --csv",
        "ledger export --json",
        f"history {CHECKOUT}",
        f"evidence --from 2026-11-01 --to 2026-11-30 --out {tmp_path / 'pages'}",
        f"why {CHECKOUT} production",
    ):
        assert run(office, monkeypatch, *line.split()) == 0, capsys.readouterr()
        printed += "".join(capsys.readouterr())
    printed += "".join(page.read_text("utf-8") for page in (tmp_path / "pages").iterdir())
    assert SECRET not in printed
    assert f"(redacted, see #{first.seq})" in printed
    with sqlite3.connect(database) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    assert SECRET.encode() not in database.read_bytes()
    assert run(office, monkeypatch, "verify") == 0
    on_page = shown(Record(office.world.git).entries())
    assert SECRET not in repr([*ledger_rows(on_page), *(one.line for one in on_page)])
    assert {one.person for one in on_page if one.kind == "redact"} == {"ada and bob"}
    bytes_in_git = office.world.git.text("log", "--format=%B", "ledger/2026")
    assert SECRET in bytes_in_git  # what the paper says: only a fork takes them out of there


def test_two_people_bring_a_branch_back_that_is_gone_with_all_that_the_clone_has(office: Office) -> None:
    office.asked("1.4.2")
    git, desk = office.world.git, office.engine.desk
    before = [oid for oid, _ in desk.ledger.read(desk.mirror.tips()).entries]
    git.text("update-ref", "-d", "refs/heads/ledger/2026")
    office.look()
    assert isinstance(office.say("ada", Hold(CHECKOUT, "x", "production")), NotRecorded)

    word = asked(office, "ada", Fork("somebody deleted the branch"))
    assert word.what == Fork("somebody deleted the branch", before[-1])
    assert word.facts[-1] == "no entry that is known here is lost"
    assert any("brings it back" in one for one in word.facts)
    assert isinstance(confirmed(office, "ada", word), NotRecorded), "one person alone brings nothing back"
    assert desk.mirror.fetch().ledgers == {}
    assert isinstance(confirmed(office, "bob", word), Recorded)

    chain = desk.ledger.read(desk.mirror.fetch())
    after = [(oid, entry.kind) for oid, entry in chain.entries]
    assert [oid for oid, _ in after[: len(before)]] == before
    assert after[len(before)][1] is Kind.FORK
    (fork,) = office.entries("fork")
    assert isinstance(fork.by, Both)
    assert (fork.lost, fork.note) == (before[-1], "somebody deleted the branch")
    assert fork.evidence["lost"] == {"entries": 0, "said": "no entry that is known here is lost"}
    assert desk.ledger.read_only_because(desk.mirror.tips()) == ""
    assert isinstance(office.say("ada", Hold(CHECKOUT, "x", "production")), Recorded)
    assert office.findings() == []


def made_up(office: Office, ends: Sequence[str]) -> None:
    """Push commits to the target branch, each of which says that the ledger ended at one of these."""
    parent = office.world.git.text("rev-parse", "refs/heads/main").strip()
    lines: list[str] = []
    for number, end in enumerate(ends):
        message = f"Tidy up\n\nLedger: {end}\nLedger-Signature: {'A' * 88}\n"
        lines += ["commit refs/heads/main", "committer Eve <eve@example.com> 1795687200 +0000"]
        lines += [f"data {len(message)}", message]
        lines += [] if number else [f"from {parent}"]
    office.world.git.run("fast-import", "--quiet", stdin="\n".join((*lines, "")).encode())


def test_made_up_ends_without_number_do_not_keep_a_branch_from_coming_back(office: Office) -> None:
    office.asked("1.4.2")
    git, desk = office.world.git, office.engine.desk
    before = [oid for oid, _ in desk.ledger.read(desk.mirror.tips()).entries]
    ours = git.text("rev-list", "refs/heads/main").split()
    made_up(office, [*(f"{number:040x}" for number in range(1, MAX_ENDS + 2)), *ours, before[1]])
    git.text("update-ref", "-d", "refs/heads/ledger/2026")
    office.look()

    word = asked(office, "ada", Fork("somebody deleted the branch"))
    assert word.what == Fork("somebody deleted the branch", before[-1])
    assert f"and {MAX_UNSURE} other ends of the ledger" in word.facts
    assert any("nobody vouches for are left out" in one for one in word.facts)
    assert isinstance(confirmed(office, "bob", word), Recorded)

    chain = desk.ledger.read(desk.mirror.fetch())
    assert [oid for oid, _ in chain.entries][: len(before)] == before
    (fork,) = office.entries("fork")
    assert (fork.lost, len(fork.evidence["ends"])) == (before[-1], MAX_UNSURE)  # type: ignore[arg-type]  # a list
    assert desk.ledger.read_only_because(desk.mirror.tips()) == ""
    assert isinstance(office.say("ada", Hold(CHECKOUT, "x", "production")), Recorded)
    assert office.findings() == []


def test_what_stands_before_a_commit_that_is_no_entry_is_not_counted_as_lost(office: Office) -> None:
    office.asked("1.4.2")
    git, desk = office.world.git, office.engine.desk
    line = next(entry.line() for _, entry in desk.ledger.read(desk.mirror.tips()).entries).decode()
    made = office.commit("main", f"Tidy up\n\n{line}")
    git.text("update-ref", "refs/heads/main", made)
    made_up(office, ["1" * 40])
    made_up(office, [git.text("rev-parse", "main").strip()])
    git.text("update-ref", "-d", "refs/heads/ledger/2026")
    office.look()

    word = asked(office, "ada", Fork("somebody deleted the branch"))

    assert "nobody here knows" in word.facts[-1]


def test_a_branch_that_is_gone_and_that_no_clone_has_is_not_begun_anew(
    office: Office, tmp_path: Path
) -> None:
    office.asked("1.4.2")
    office.world.git.text("update-ref", "-d", "refs/heads/ledger/2026")
    desk = office.engine.desk
    newcomer = Mirror.open(office.world.settings["COUNTERSIGN_REPOSITORY"], tmp_path / "newcomer")
    newcomer.fetch()
    desk.mirror, desk.ledger.mirror = newcomer, newcomer
    desk.ledger._chain = None

    answer = office.engine.prepare(speaker("ada"), Fork("somebody deleted the branch"))

    assert isinstance(answer, NotRecorded)
    assert answer.code == "no-branch"
    assert desk.mirror.fetch().ledgers == {}


def test_two_people_go_on_from_a_ledger_that_was_cut_and_hear_first_what_is_lost(
    office: Office, tmp_path: Path
) -> None:
    office.asked("1.4.2")
    git = office.world.git
    chain = office.engine.desk.ledger.read(office.engine.desk.mirror.tips())
    entries = [(oid, entry) for oid, entry in chain.entries]
    lost = entries[-1][0]
    assert Kind.BUMP in {entry.kind for _, entry in entries[2:]}
    git.text("update-ref", "refs/heads/ledger/2026", entries[1][0])  # genesis and the rules are left
    office.look()
    gone = len(entries) - 2

    assert office.engine.desk.ledger.read_only_because(office.engine.desk.mirror.tips())
    assert f"{gone} known entries are lost" in told(office)
    assert isinstance(office.say("ada", Hold(CHECKOUT, "x", "production")), NotRecorded)
    word = asked(office, "ada", Fork("the branch was pushed over"))
    assert f"{gone} known entries are lost, #3 to #{len(entries)}" in word.facts[-1]
    assert word.what == Fork("the branch was pushed over", lost)
    other = Confirm(Fork("x", "5" * 40), speaker("ada"), office.clock.now())
    assert isinstance(office.say("bob", other), NotRecorded)
    assert isinstance(confirmed(office, "bob", word), Recorded)

    (fork,) = office.entries("fork")
    assert (fork.lost, fork.evidence["lost"]["entries"]) == (lost, gone)  # type: ignore[index, call-overload]
    assert office.engine.desk.ledger.read_only_because(office.engine.desk.mirror.tips()) == ""
    office.look()
    office.look()
    assert {"external", "fork"} <= set(office.kinds())  # what the lost entries moved is a move without one
    assert isinstance(office.say("ada", Hold(CHECKOUT, "x", "production")), Recorded)
    assert isinstance(office.engine.prepare(speaker("ada"), Fork("again")), NotRecorded)
    desk = office.engine.desk
    report = verify(desk.mirror, desk.book, folder="promotion", ends={"the daily line": lost[:12]})
    assert report.findings == []
    assert [f"#{fork.seq} gave it up" in note for note in report.notes] == [True] * len(report.notes)
    assert len(report.notes) > 1
