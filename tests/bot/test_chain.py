"""Commits read as entries: each of the one form, signed by the one key, allowed where it stands."""

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bot.chains.chain import Chain, Entries, grow, read_entry
from bot.promoting.promoter import propose, rule_of
from bot.repository.objects import BOT, EMPTY_TREE, Identity, Oid, RawCommit, write_commit
from bot.signing import Signer
from policies.entries.entry import Entry, EntryError, Kind, Pinned, UnknownKindError, parse
from policies.errors import PolicyError
from policies.ledger.state import State
from tests.bot.ledger_worlds import WEB, World, bot, digest, said
from tests.policies.ledger_builders import shelf, shown
from tests.repositories import git, make_bare, tip

PAGE = Path(__file__).parents[2] / "docs" / "ledger.md"
BLOCKS = dict(re.findall(r"^```text (\S+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))
SIGNER = Signer.generate()
AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
GENESIS = Entry(
    kind=Kind.GENESIS,
    at="2026-11-23T10:00:00Z",
    key="genesis/2026",
    seq=1,
    commit=shelf().line[0],
    branch="main",
    signer=SIGNER.public_key,
)


def _raw(
    message: str,
    *,
    parents: tuple[Oid, ...] = (),
    tree: Oid = EMPTY_TREE,
    signer: Signer | None = SIGNER,
    at: datetime = AT,
    who: Identity = BOT,
) -> RawCommit:
    payload = write_commit(tree, parents, who, at, message)
    signature = signer.sign(payload) if signer else ""
    return _of(write_commit(tree, parents, who, at, message, signature=signature))


def _of(data: bytes) -> RawCommit:
    oid = hashlib.sha1(b"commit %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return RawCommit(Oid(oid), data)


def _chain() -> Chain:
    return Chain("2026", State("2026"))


def test_genesis_is_read_and_names_its_signer() -> None:
    chain = _chain()

    grow(chain, [_raw(GENESIS.message())], shelf())

    assert chain.faults == []
    assert chain.signer == SIGNER.public_key
    assert chain.tip == chain.entries[0][0]
    assert chain.entries[0][1] == GENESIS


def test_an_empty_chain_has_no_end_and_no_signer() -> None:
    assert _chain().tip is None
    assert _chain().signer == ""


def test_a_copy_grows_by_itself() -> None:
    chain = _chain()
    other = chain.copy()

    grow(other, [_raw(GENESIS.message())], shelf())

    assert (len(chain.entries), chain.tip) == (0, None)
    assert len(other.entries) == 1


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=40))
def test_entries_are_a_list_whose_copies_grow_apart(told: list[tuple[int, bool]]) -> None:
    found, plain = Entries(), list[tuple[Oid, Entry]]()
    kept: list[tuple[Entries, list[tuple[Oid, Entry]]]] = []

    for number, is_copied in told:
        if is_copied:
            kept.append((found, list(plain)))
            found = found.copy()
            kept[-1][0].copy().append((Oid("e" * 40), GENESIS))  # what is lost leaves nothing
        one = (Oid(f"{number:040x}"), replace(GENESIS, seq=len(plain) + 1))
        found.append(one)
        plain.append(one)

    for entries, meant in (*kept, (found, plain)):
        assert list(entries) == meant
        assert entries[1:] == tuple(meant[1:])
        assert {number for number in range(21) if entries.has(f"{number:040x}")} == {
            int(oid, 16) for oid, _ in meant
        }
        assert not entries.has("e" * 40)


OTHER = Oid("1" * 40)
LINE = GENESIS.line().decode()
MISFORMED: dict[str, tuple[RawCommit, str]] = {
    "a tree with files": (_raw(GENESIS.message(), tree=OTHER), "empty tree"),
    "two parents": (_raw(GENESIS.message(), parents=(OTHER, Oid("2" * 40))), "one parent"),
    "a parent that the entry does not name": (_raw(GENESIS.message(), parents=(OTHER,)), "another parent"),
    "no signature": (_raw(GENESIS.message(), signer=None), "not signed"),
    "another's signature": (_raw(GENESIS.message(), signer=Signer.generate()), "signature"),
    "another time": (_raw(GENESIS.message(), at=AT + timedelta(seconds=1)), "time"),
    "another subject": (_raw(f"genesis: 2027 (#1)\n\n{LINE}\n"), "subject"),
    "two lines": (_raw(f"genesis: 2026 (#1)\n\n{LINE}\n{LINE}\n"), "one line"),
    "more after the line": (_raw(f"genesis: 2026 (#1)\n\n{LINE}\n\nSigned-off-by: x\n"), "one line"),
    "no line": (_raw("genesis: 2026 (#1)\n"), "one line"),
    "a line that is no entry": (_raw("genesis: 2026 (#1)\n\n{}\n"), "version"),
}


@pytest.mark.parametrize(("raw", "words"), MISFORMED.values(), ids=MISFORMED)
def test_a_commit_of_another_form_is_no_entry(raw: RawCommit, words: str) -> None:
    with pytest.raises(EntryError, match=words):
        read_entry(raw, "")


def test_an_entry_by_two_people_is_no_entry() -> None:
    raw = _raw(GENESIS.message())
    data = raw.data.replace(b"committer Countersign <", b"committer Somebody <")

    with pytest.raises(PolicyError):
        read_entry(_of(data), "")


def test_only_genesis_may_name_its_own_key() -> None:
    entry = replace(shown(), at=GENESIS.at, seq=1, key="shown/x")

    with pytest.raises(EntryError, match="signature"):
        read_entry(_raw(entry.message()), "")


@pytest.mark.parametrize(
    "raw",
    [_of(b"junk"), _of(b"tree x\n\nhello\n"), _raw("hello\n"), _raw("a\n\n\udcff".encode("utf-8", "replace").decode())],
    ids=["no header", "a broken header", "no line", "no text"],
)  # fmt: skip
def test_junk_is_a_fault_that_names_its_commit_and_ends_the_reading(raw: RawCommit) -> None:
    chain = _chain()

    grow(chain, [raw, _raw(GENESIS.message())], shelf())

    assert [(fault.oid, fault.is_newer) for fault in chain.faults] == [(raw.oid, False)]
    assert raw.oid[:12] in str(chain.faults[0])
    assert not chain.entries


def test_what_a_newer_program_wrote_is_told_apart() -> None:
    chain = _chain()
    line = LINE.replace('"kind":"genesis"', '"kind":"jubilee"')

    grow(chain, [_raw(f"jubilee: 2026 (#1)\n\n{line}\n")], shelf())

    assert [fault.is_newer for fault in chain.faults] == [True]
    with pytest.raises(UnknownKindError):
        parse(line.encode())


def test_an_entry_that_is_not_allowed_is_noted_and_the_reading_goes_on() -> None:
    chain = _chain()
    first = _raw(GENESIS.message())
    second = replace(shown(), at=GENESIS.at, seq=2, prev=first.oid, key="shown/mine")
    raw = _raw(second.message(), parents=(first.oid,))

    grow(chain, [first, raw], shelf())

    assert [(fault.oid, fault.seq) for fault in chain.faults] == [(raw.oid, 2)]
    assert "not allowed" in str(chain.faults[0])
    assert len(chain.entries) == 2


def test_the_bot_writes_the_entry_that_the_page_works_out(tmp_path: Path) -> None:
    files = {name: BLOCKS[name] for name in ("apps/production/kustomization.yaml", "promotion/rules.yaml")}
    secret = BLOCKS["signing-key"].split("\n")[0]
    signer = Signer(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(secret.encode()).digest()))
    remote = make_bare(tmp_path / "r.git", [files])
    found = World(remote, bot(remote, tmp_path / "c", signer), signer, AT - timedelta(minutes=1))
    found.desk.mirror.fetch()
    image = Pinned(WEB, "1.1.0", digest("1.1.0"))

    found.done(
        lambda look, _tip: propose(
            look,
            found.desk.writer,
            said("carol"),
            rule=rule_of(look, "production", "web"),
            image=(image,),
            note="fixes the cart",
        )
    )

    assert tip(remote) == BLOCKS["first-oid"].strip()
    assert found.ledger_tip == BLOCKS["oid"].strip()
    assert git(remote, "cat-file", "commit", found.ledger_tip) + "\n" == BLOCKS["commit"]
    assert found.promotion.head == BLOCKS["head-oid"].strip()
    assert [line for _, entry in found.entries for line in [entry.line().decode()]] == [
        BLOCKS["entry-1"].split("\n")[0],
        BLOCKS["entry-2"].split("\n")[0],
        BLOCKS["line"].strip(),
    ]
