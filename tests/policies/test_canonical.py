"""One way to write a value; and the worked entry of docs/ledger.md, computed from the page's own text."""

import hashlib
import json
import re
from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from policies.canonical import Json, canonical, digest_of
from policies.entries.entry import SHAPES, parse
from policies.ledger.keys import expected_key, promotion_id
from policies.ledger.state import State
from policies.rulebook.parse import parse as parse_rules
from policies.rules.hash import rules_hash
from policies.rules.rules import effective
from policies.validator import refuse
from tests.policies.ledger_builders import Shelf

PAGE = Path(__file__).parents[2] / "docs" / "ledger.md"
BLOCKS = dict(re.findall(r"^```text (\S+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))
PLAIN: st.SearchStrategy[Json] = st.recursive(
    st.text() | st.booleans() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(PLAIN)
def test_the_canonical_form_reads_back_and_is_one_line_of_ascii(value: Json) -> None:
    line = canonical(value)

    assert json.loads(line) == value
    assert canonical(json.loads(line)) == line
    assert line.isascii()
    assert b"\n" not in line


@given(PLAIN, PLAIN)
def test_two_values_have_one_form_only_where_they_are_one_value(one: Json, other: Json) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)

    assert (canonical(one) == canonical(other)) is same
    assert (digest_of(one) == digest_of(other)) is same


@given(st.dictionaries(st.text(), st.integers()))
def test_the_order_in_which_names_were_said_does_not_matter(value: dict[str, Json]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")], ids=str)
def test_what_json_has_not_is_not_written(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical(value)  # type: ignore[arg-type]  # wrong on purpose


# --- the page ------------------------------------------------------------------------------------------------


def _text(name: str) -> str:
    return str(BLOCKS[name]).removesuffix("\n")


def _lines(name: str) -> list[str]:
    return _text(name).split("\n")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _oid(kind: str, content: bytes) -> str:
    return hashlib.sha1(
        b"%s %d\0" % (kind.encode(), len(content)) + content, usedforsecurity=False
    ).hexdigest()


def _tree(files: dict[str, str]) -> str:
    """Compute a tree of folders and files by hand, as git would."""
    names = sorted({path.split("/")[0] for path in files})
    entries = b""
    for name in names:
        if name in files:
            mode, oid = b"100644", _oid("blob", files[name].encode())
        else:
            below = {
                path[len(name) + 1 :]: text for path, text in files.items() if path.startswith(f"{name}/")
            }
            mode, oid = b"40000", _tree(below)
        entries += mode + b" " + name.encode() + b"\0" + bytes.fromhex(oid)
    return _oid("tree", entries)


FILES = {name: BLOCKS[name] for name in ("apps/production/kustomization.yaml", "promotion/rules.yaml")}


def test_the_first_commit_holds_the_two_files() -> None:
    assert _lines("first-commit")[0] == f"tree {_tree(FILES)}"
    assert _text("first-oid") == _oid("commit", BLOCKS["first-commit"].encode())


def test_the_change_is_the_hash_of_its_list() -> None:
    rows = json.loads(_text("change-list"))

    assert json.dumps(sorted(rows), separators=(",", ":")) == _text("change-list")
    assert _text("change") == _sha256(_text("change-list"))
    for path, _, old, _ in rows:
        assert FILES[path].count(old) == 1


def test_the_rule_is_the_hash_of_its_canonical_form() -> None:
    rule, rule_hash, all_hash = _lines("effective-rule")
    rules = parse_rules({"promotion/rules.yaml": FILES["promotion/rules.yaml"].encode()})
    found = effective(rules, "production", "web")

    assert rule_hash == _sha256(rule)
    assert all_hash == _sha256(f'["{rule_hash}"]')
    assert found
    assert found.canonical() == json.loads(rule)
    assert (found.hash, rules_hash(rules)) == (rule_hash, all_hash)


def test_the_promotion_follows_from_the_key() -> None:
    image = json.loads(_text("line"))["image"]
    named, promotion = _lines("promotion")

    assert _text("key") == f"propose/production/web/{image[0]['digest']}/1"
    assert named == f"2026/{_text('key')}"
    assert promotion == _sha256(named)[:12] == promotion_id("2026", _text("key"))


def test_the_head_is_the_change_and_nothing_else() -> None:
    files = dict(FILES)
    for path, _, old, new in json.loads(_text("change-list")):
        files[path] = files[path].replace(old, new)

    assert _lines("head-commit")[:2] == [f"tree {_tree(files)}", f"parent {_text('first-oid')}"]
    assert _text("head-oid") == _oid("commit", BLOCKS["head-commit"].encode())


def test_the_line_says_what_the_page_has_worked_out() -> None:
    line = json.loads(_text("line"))

    assert json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=True) == _text("line")
    assert line["key"] == _text("key")
    assert line["promotion"] == _lines("promotion")[1]
    assert line["change"] == _text("change")
    assert line["head"] == _text("head-oid")
    assert line["prev"] == _lines("entry-2")[1]
    rule = {
        "commit": _text("first-oid"),
        "files": ["promotion/rules.yaml"],
        "hash": _lines("effective-rule")[1],
    }
    assert line["rule"] == rule


def test_the_commit_is_signed_by_the_key() -> None:
    secret, public = _lines("signing-key")
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(secret.encode()).digest())
    payload, commit = BLOCKS["payload"].encode(), BLOCKS["commit"].encode()

    def string(content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + content

    signed = (
        b"SSHSIG"
        + string(b"git")
        + string(b"")
        + string(b"sha512")
        + string(hashlib.sha512(payload).digest())
    )
    blob = b"SSHSIG\0\0\0\1" + string(b64decode(public.split()[1])) + string(b"git") + string(b"")
    blob += string(b"sha512") + string(string(b"ssh-ed25519") + string(key.sign(signed)))
    header = commit[commit.index(b"gpgsig ") : commit.index(b"\n\n")]
    armor = header.replace(b"gpgsig ", b"").replace(b"\n ", b"\n").split(b"\n")

    assert key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() == public
    assert commit.replace(header + b"\n\n", b"\n") == payload
    assert b64decode(b"".join(armor[1:-1])) == blob
    assert _text("oid") == _oid("commit", commit)


def test_the_commit_carries_the_line_under_its_subject() -> None:
    entry = parse(_text("line").encode())

    assert BLOCKS["payload"].split("\n\n", 1)[1] == entry.message() == f"{entry.subject}\n\n{_text('line')}\n"
    assert f"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nparent {entry.prev}\n" in BLOCKS["payload"]


def test_the_validator_lets_all_three_through() -> None:
    rules = parse_rules({"promotion/rules.yaml": FILES["promotion/rules.yaml"].encode()})
    shelf = Shelf({_text("first-oid"): rules}, {}, [_text("first-oid")])
    state = State("2026")

    for line, oid in (_lines("entry-1"), _lines("entry-2"), [_text("line"), _text("oid")]):
        entry = parse(line.encode())
        assert entry.key == expected_key(state, entry)
        assert refuse(state, entry, shelf) is None
        state.apply(entry, oid)


def test_the_page_names_every_kind_with_its_fields() -> None:
    row = re.compile(
        r"^\| ([a-z, ]+) \| ([^|]*) \| [^|]* \| (?:bot|person|person, or bot|either|two) \|$", re.MULTILINE
    )
    found = row.findall(PAGE.read_text("utf-8"))
    rows = {kind.strip(): fields for kinds, fields in found for kind in kinds.split(",")}

    assert set(rows) == {kind.value for kind in SHAPES}
    for kind, (must, may) in SHAPES.items():
        if kind not in {"resume", "unblock", "unfreeze", "rollback"}:
            first, _, optional = rows[kind].partition("[")
            assert {one.strip() for one in first.split(",")} - {""} == must
            assert {one.strip(" ]") for one in optional.split(",")} - {""} == may
