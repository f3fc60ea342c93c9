"""What an auditor gets from a clone: pages for a sample, an index of everything, one row a change."""

import csv
import hashlib
import io
import json
import re
import shlex
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bot.ledger import Appended, NotWritten, Proposal
from bot.promoting.poller import externals
from bot.settings import NAMES, Settings
from handlers.shell import cli, page
from handlers.shell.export import COLUMNS
from policies.entries.entry import Kind
from policies.words import Approve, Reject
from tests.bot.ledger_worlds import RULES, World, bot, kustomization, world
from tests.repositories import commit_to, git

PRE = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)
DAY = ("--from", "2026-11-23", "--to", "2026-11-23")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let nothing be set but a home."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def told(tmp_path: Path) -> World:
    """Tell a day: moved by rule, approved, rejected with a hostile reason, moved by hand twice."""
    found = world(tmp_path)
    found.stage("1.1.0")
    found.promote("1.1.0")
    found.stage("1.2.0")
    second = found.ask("1.2.0")
    refused = found.say("carol", Approve(second.id))
    assert not isinstance(refused, Appended)
    found.say("ada", Reject(second.id, "<script>alert(1)</script> =cmd|'/c calc' \u202egnp.exe"))
    commit_to(found.remote, {"apps/production/kustomization.yaml": kustomization("1.0.0")})
    found.run()
    return found


def run(capsysbinary: pytest.CaptureFixture[bytes], *arguments: str) -> tuple[int, str, str]:
    """Run a command; return its exit code and what it printed."""
    capsysbinary.readouterr()
    code = cli.main(arguments, cli.Doors(_no_server, lambda _: None))
    said = capsysbinary.readouterr()
    return code, said.out.decode(), said.err.decode()


def _no_server(_: Settings, *, is_observing: bool) -> None:
    raise AssertionError("nobody asked for a server")


class Reader(HTMLParser):
    """Collects tags with their attributes."""

    def __init__(self, content: str) -> None:
        """Read a page."""
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))


def pages_of(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the names and contents of the pages."""
    for path in sorted(folder.iterdir()):
        yield path.name, path.read_text("utf-8")


def test_every_change_is_counted_and_has_a_page(
    told: World, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out, err = run(capsysbinary, "evidence", str(told.remote), *DAY, "--out", "pages")

    assert code == 1
    assert "1 finding of verify (1 review-missing)" in err
    assert out == "5 changes, 5 pages in pages\n"
    index = (tmp_path / "pages" / "index.html").read_text("utf-8")
    for sort, count in (("standard", 2), ("normal", 2), ("emergency", 0), ("unauthorised", 1)):
        assert f"<tr><td>{sort}</td><td>" in index
        assert f"</td><td>{count}</td><td>" in index
    assert "1 not reviewed" in index
    assert '<tr><th>Findings of verify</th><td><span class="bad">1, in the whole repository' in index
    assert len(list((tmp_path / "pages").glob("change-*.html"))) == 5


def test_a_page_has_the_rule_the_gates_the_people_and_the_diff(
    told: World, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    run(capsysbinary, "evidence", str(told.remote), *DAY, "--out", "pages")

    promoted = next(one for one in told.state.promotions.values() if one.commit)
    shown = (tmp_path / "pages" / f"change-{promoted.id}.html").read_text("utf-8")

    assert "promotion/rules.yaml:3:   production: {path: apps/production, channel: deploys" in shown
    assert "<td>approvals</td><td>2 of release-managers</td><td>own</td><td>promotion/rules.yaml:3:" in shown
    assert promoted.rule.hash in {
        hashlib.sha256(unescape(one).encode()).hexdigest() for one in PRE.findall(shown)
    }
    assert "release-managers</th><td>ada, bob, carol" in shown
    assert "<td>approvals</td><td>passed</td>" in shown
    for gate in ("hold", "freeze", "previous"):
        assert f"<td>{gate}</td><td>passed</td>" in shown
    for gate in ("signature", "http", "soak", "age", "limit", "takes", "window", "config", "health"):
        assert f'<td>{gate}</td><td><span class="dim">not asked by the rule</span></td>' in shown
    assert "<h2>What was looked up outside of the clone (attested)</h2>" in shown
    assert shown.count("<td>approved</td>") == 2
    assert "ada (slack:T0/U0ADA), by button" in shown
    assert f"<ins>+    newTag: 1.1.0@{promoted.image[0].digest}</ins>" in shown
    for oid, entry in told.entries:
        if entry.promotion == promoted.id:
            assert f"git verify-commit {oid}    # {entry.kind} #{entry.seq}" in shown
    assert f"git diff {git(told.remote, 'rev-parse', f'{promoted.commit}^1')} {promoted.commit}" in shown


def test_a_page_loads_nothing_and_runs_nothing_of_others(
    told: World, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    run(capsysbinary, "evidence", str(told.remote), *DAY, "--out", "pages")

    for name, content in pages_of(tmp_path / "pages"):
        found = Reader(content).tags
        assert {tag for tag, _ in found}.isdisjoint({"script", "img", "link", "iframe", "object", "base"}), (
            name
        )
        for tag, attributes in found:
            assert not any(one in attributes for one in ("src", "srcset", "onerror", "onload")), (name, tag)
            if href := attributes.get("href"):
                assert href.endswith(".html") or href.startswith("https://"), href
        assert "\u202e" not in content
    shown = "".join(content for _, content in pages_of(tmp_path / "pages"))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_the_same_clone_gives_the_same_bytes_and_the_same_seed_the_same_sample(
    told: World, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    sampled = (*DAY, "--sample", "1", "--seed", "7")
    for folder in ("one", "two"):
        code, out, err = run(capsysbinary, "evidence", str(told.remote), *sampled, "--out", folder)
        assert code == 1, err
        assert out.startswith("5 changes, 2 pages")  # one that was drawn, and the exception

    assert list(pages_of(tmp_path / "one")) == list(pages_of(tmp_path / "two"))
    index = (tmp_path / "one" / "index.html").read_text("utf-8")
    assert index.count("<tr><td>#") + index.count('<tr><td><a href="change-') >= 2


def test_a_plain_clone_is_enough(
    told: World, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    git(tmp_path, "clone", "--quiet", str(told.remote), "plain")

    of_clone = run(capsysbinary, "ledger", "export", str(tmp_path / "plain"), "--csv")
    of_remote = run(capsysbinary, "ledger", "export", str(told.remote), "--csv")

    assert of_clone[:2] == of_remote[:2]
    assert of_clone[0] == 1


def test_what_no_entry_tells_of_is_a_change_too(
    told: World, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    moved = commit_to(told.remote, {"apps/production/kustomization.yaml": kustomization("1.1.0")})
    made = git(told.remote, "show", "-s", "--format=%cs", moved)

    code, out, err = run(
        capsysbinary, "evidence", str(told.remote), "--from", made, "--to", made, "--out", "pages"
    )
    _, exported, _ = run(capsysbinary, "ledger", "export", str(told.remote), "--json")

    assert code == 1
    assert "2 findings of verify (1 review-missing, 1 unrecorded-move)" in err, out
    index = (tmp_path / "pages" / "index.html").read_text("utf-8")
    assert f"unrecorded-move {moved[:12]}" in index
    shown = (tmp_path / "pages" / f"change-{moved[:12]}-production-web.html").read_text("utf-8")
    assert f"change-{moved[:12]}-production-web.html" in index
    assert "no entry tells of it" in shown
    assert "<ins>+    newTag: 1.1.0" in shown
    row = json.loads(exported)["rows"][-1]
    assert (row["commit"], row["sort"], row["why"]) == (moved, "unauthorised", "unrecorded-move")
    assert (row["review"], row["entries"]) == ("missing", [])
    assert [one.split("@")[0].split(":")[-1] for one in row["image"] + row["previous"]] == ["1.1.0", "1.0.0"]


def test_of_days_without_it_an_unrecorded_move_is_no_row_but_a_finding(
    told: World, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    commit_to(told.remote, {"apps/production/kustomization.yaml": kustomization("1.1.0")})

    code, out, _ = run(capsysbinary, "ledger", "export", str(told.remote), "--json", "--to", "2025-01-01")

    read = json.loads(out)
    assert (code, read["rows"], read["findings"]) == (1, [], 2)


@pytest.mark.parametrize(
    ("days", "count"),
    [
        (("2025-01-01", "2025-12-31"), 1),  # as its commit says
        (("2026-01-01", "2026-11-22"), 0),
        (DAY[1::2], 6),  # as its place on the branch says
        (("2026-11-24", "2026-11-25"), 1),
    ],
)
def test_a_move_that_was_dated_back_counts_when_it_may_have_come(
    told: World, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], days: tuple[str, str], count: int
) -> None:
    commit_to(told.remote, {"apps/production/kustomization.yaml": kustomization("1.1.0")})
    asked = ("--from", days[0], "--to", days[1])

    _, out, _ = run(capsysbinary, "ledger", "export", str(told.remote), "--json", *asked)
    run(capsysbinary, "evidence", str(told.remote), *asked, "--out", "pages")

    rows = json.loads(out)["rows"]
    assert len(rows) == count
    index = (tmp_path / "pages" / "index.html").read_text("utf-8")
    spans = [one["between"] for one in rows if one["between"]]
    moved = next(entry.at for _, entry in reversed(told.entries) if entry.kind is Kind.BUMP)
    assert spans == ([[moved, ""]] if count else [])
    assert (f"; by its place it came between {moved} and now" in index) is bool(count)


def test_the_index_tells_who_changed_the_rules_and_what_they_did_not_see(
    told: World, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    without = RULES.replace("  web:", "  other:")
    commit_to(told.remote, {"promotion/rules.yaml": without}, message="Leave <web> out\n\nFor a while\n")
    commit_to(told.remote, {"apps/production/kustomization.yaml": kustomization("1.1.0")})
    back = commit_to(told.remote, {"promotion/rules.yaml": RULES})
    told.run()

    run(capsysbinary, "evidence", str(told.remote), *DAY, "--out", "pages")
    run(
        capsysbinary,
        "evidence",
        str(told.remote),
        "--from",
        "2026-01-01",
        "--to",
        "2026-01-01",
        "--out",
        "none",
    )

    index = (tmp_path / "pages" / "index.html").read_text("utf-8")
    assert "Ada &lt;ada@example.com&gt;: Leave &lt;web&gt; out\n" in index
    assert f"{back} 2025-" in index
    assert "For a while" not in index
    seen = (
        "web in production became ghcr.io/example/web:1.1.0, from ghcr.io/example/web:1.0.0, unseen by rules"
    )
    assert f'<span class="bad">{seen}</span>' in index
    none = (tmp_path / "none" / "index.html").read_text("utf-8")
    assert "<h2>The rules that changed</h2>\n<p>None on these days.</p>" in none


def test_a_ledger_that_was_cut_is_said_and_one_that_is_gone_is_no_empty_one(
    told: World, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    branch = f"refs/heads/ledger/{told.state.year}"
    landed = next(entry for _, entry in told.entries if entry.kind is Kind.LANDED)
    git(told.remote, "update-ref", branch, landed.prev)
    cut = run(capsysbinary, "ledger", "export", str(told.remote), "--json")
    git(told.remote, "update-ref", "-d", branch)
    gone = run(capsysbinary, "ledger", "export", str(told.remote), "--csv")
    unread = run(capsysbinary, "evidence", str(told.remote), *DAY, "--out", "pages")

    assert cut[0] == 1
    assert " ledger-cut" in cut[2]
    assert any(one["why"] == "unrecorded-move" for one in json.loads(cut[1])["rows"])
    for code, out, err in (gone, unread):
        assert (code, out) == (1, "")
        assert "ledger-missing" in err
        assert "names an entry" in err
        assert "no pass has been made" not in err
    assert not (tmp_path / "pages").exists()


CLONES = {"a plain one": (), "a bare one": ("--bare",)}


@pytest.mark.parametrize("how", CLONES.values(), ids=CLONES)
def test_a_clone_of_one_branch_is_told_how_it_gets_the_ledger_and_then_is_verified(
    told: World, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], how: tuple[str, ...]
) -> None:
    given = tmp_path / "given"
    one = ("--single-branch", "--branch", "main")
    git(tmp_path, "clone", "-q", *how, *one, f"file://{told.remote}", str(given))

    code, out, _ = run(capsysbinary, "verify", str(given))

    assert code == 1
    found = re.search(r"a clone of one branch lacks it: run `git ([^`]*)` there", out)
    assert found
    git(given, *shlex.split(found[1]))
    code, out, _ = run(capsysbinary, "verify", str(given))
    assert "ledger-missing" not in out
    assert (code, f"{len(told.entries)} entries" in out) == (1, True), "one review is missing"


def test_a_clone_whose_history_is_cut_off_is_told_how_it_gets_the_rest(
    told: World, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    given = tmp_path / "given"
    git(tmp_path, "clone", "-q", "--depth=2", "--no-single-branch", f"file://{told.remote}", str(given))

    code, out, err = run(capsysbinary, "verify", str(given))

    assert (code, out) == (3, "")
    assert "is a shallow clone; expected the whole history: run `git fetch --unshallow` there" in err
    git(given, "fetch", "-q", "--unshallow")
    code, out, _ = run(capsysbinary, "verify", str(given))
    assert f"{len(told.entries)} entries" in out


def test_rows_are_in_the_auditors_words(told: World, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    code, out, err = run(capsysbinary, "ledger", "export", str(told.remote), "--json")

    assert code == 1, err
    read = json.loads(out)
    assert read["schema"] == "countersign.export/1"
    assert read["findings"] == 1
    assert read["tip"] == told.ledger_tip
    rows = [(one["sort"], one["outcome"], one["review"]) for one in read["rows"]]
    assert rows == [
        ("standard", "moved", "not asked"),
        ("normal", "landed", "not asked"),
        ("standard", "moved", "not asked"),
        ("normal", "rejected", "not asked"),
        ("unauthorised", "moved", "missing"),
    ]
    landed = read["rows"][1]
    assert [one.split()[0] for one in landed["approved_by"]] == ["ada", "bob"]
    assert landed["requested_by"] == "carol (slack:T0/U0CAROL)"
    assert set(landed) == set(COLUMNS)


def test_no_cell_of_the_table_is_a_formula(told: World, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    second = told.ask("1.2.0")
    told.say("ada", Reject(second.id, "=HYPERLINK(1)"))

    _, out, _ = run(capsysbinary, "ledger", "export", str(told.remote), "--csv")

    rows = list(csv.reader(io.StringIO(out, newline="")))
    assert rows[0] == list(COLUMNS)
    assert all(len(row) == len(COLUMNS) for row in rows)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert rows[-1][COLUMNS.index("end_note")] == "'=HYPERLINK(1)"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "2026-11-23", "--to", "2026-11-22"), "after --to"),
        (("--from", "yesterday", "--to", "2026-11-22"), "expected a day"),
        ((*DAY, "--seed", "a b"), "--seed"),
        ((*DAY, "--out", "."), "there already"),
    ],
    ids=["turned-round", "no-day", "seed", "not-empty"],
)
def test_wrong_use_is_named(
    told: World, capsysbinary: pytest.CaptureFixture[bytes], arguments: tuple[str, ...], said: str
) -> None:
    code, _, err = run(capsysbinary, "evidence", str(told.remote), *arguments)

    assert code == 2
    assert said in err


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "https://a\n.example", "//a.example"]
)
def test_an_address_of_another_kind_is_no_link(address: str) -> None:
    assert "<a " not in page.link(address)


def test_a_period_without_changes_is_said(told: World, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    code, out, _ = run(
        capsysbinary,
        "evidence",
        str(told.remote),
        "--from",
        "2025-01-01",
        "--to",
        "2025-01-02",
        "--out",
        "none",
    )

    assert (code, out) == (1, "0 changes, 0 pages in none\n")  # what verify finds is said for any days


def test_verify_needs_a_plain_clone_and_nothing_else(
    told: World, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    git(tmp_path, "clone", "--quiet", str(told.remote), "plain")
    behind = git(tmp_path / "plain", "rev-parse", "main~1")
    git(
        tmp_path / "plain", "update-ref", "refs/heads/main", behind
    )  # what was fetched counts, not what was pulled

    code, out, _ = run(capsysbinary, "verify", str(tmp_path / "plain"), "--json")

    read = json.loads(out)
    assert code == 1
    assert (read["schema"], read["tip"]) == ("countersign.verify/1", told.ledger_tip)
    assert read["entries"] == len(told.entries)
    assert 0 < read["attested"] < read["entries"]
    assert [one["what"] for one in read["findings"]] == ["review-missing"]


def test_nobody_writes_to_a_plain_clone(
    told: World, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    git(tmp_path, "clone", "--quiet", str(told.remote), "plain")
    before = git(tmp_path / "plain", "for-each-ref")
    commit_to(told.remote, {"apps/staging/kustomization.yaml": kustomization("1.0.0")})
    git(tmp_path / "plain", "fetch", "--quiet")
    desk = bot(tmp_path / "plain", tmp_path / "state" / "clone", told.signer)
    other = World(tmp_path / "plain", desk, told.signer, told.at)

    answer = other.append(lambda look, _tip: Proposal(tuple(externals(look, desk.mirror, desk.book, set()))))

    assert isinstance(answer, NotWritten)
    assert "somebody's clone" in answer.detail
    assert git(tmp_path / "plain", "for-each-ref", "refs/heads") == "\n".join(
        line for line in before.splitlines() if "refs/heads" in line
    )


def test_an_end_from_elsewhere_is_looked_for(told: World, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    known, lost = told.entries[5][0][:12], "ab" * 6

    fine = run(capsysbinary, "verify", str(told.remote), "--anchor", known, "--json")
    cut = run(capsysbinary, "verify", str(told.remote), "--anchor", lost, "--json")
    wrong = run(capsysbinary, "verify", str(told.remote), "--anchor", "#412")

    assert "ledger-cut" not in fine[1]
    assert [one["oid"] for one in json.loads(cut[1])["findings"] if one["what"] == "ledger-cut"] == [lost]
    assert (wrong[0], "hexadecimal" in wrong[2]) == (2, True)
