"""YAML as text with places, and what of YAML is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.rulebook.findings import Findings
from policies.rulebook.text import MAX_BYTES, MAX_DEPTH, Items, Node, Table, Text, read


def plain(node: Node | None) -> object:
    """Return a node without its places."""
    match node:
        case Text():
            return node.value
        case Items():
            return [plain(item) for item in node.items]
        case Table():
            return {key.value: plain(value) for key, value in node.entries}
        case None:
            return None


def read_well(content: bytes) -> Node | None:
    findings = Findings()
    node = read("f", content, findings)
    assert not findings.found
    return node


def refused(content: bytes) -> list[str]:
    findings = Findings()
    read("f", content, findings)
    return [str(finding) for finding in findings.found]


@pytest.mark.parametrize(
    "text",
    [
        "1.10",
        "no",
        "yes",
        "15:00",
        "2026-12-24",
        "null",
        "~",
        "0o17",
        "1e3",
        "true",
        ".inf",
        "1_000",
        "=",
        "-1",
    ],
)
def test_every_scalar_is_the_text_that_is_written(text: str) -> None:
    assert plain(read_well(f"a: {text}\nb: [{text}]\n{text}: c\n".encode())) == {
        "a": text,
        "b": [text],
        text: "c",
    }


def test_quotes_and_folds_are_read_as_yaml_says() -> None:
    text = b"a: 'it''s'\nb: \"\\u00e9\"\nc: >-\n  one\n  two\nd:\n- e: {f: [g, h]}\ni:\n"

    assert plain(read_well(text)) == {
        "a": "it's",
        "b": "\xe9",
        "c": "one two",
        "d": [{"e": {"f": ["g", "h"]}}],
        "i": "",
    }


def test_places_count_from_one_in_lines_and_letters() -> None:
    root = read_well("# \xe9\na:\n  \xe9\xe9: [x, 'y']\n".encode())

    assert isinstance(root, Table)
    inner = root.get("a")
    assert isinstance(inner, Table)
    key, items = inner.entries[0]
    assert isinstance(items, Items)
    assert [str(node.at) for node in (root, key, items, *items.items)] == [
        "f:2:1",
        "f:3:3",
        "f:3:7",
        "f:3:8",
        "f:3:11",
    ]


@pytest.mark.parametrize("content", [b"", b"\n", b"# only a comment\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_nothing(content: bytes) -> None:
    assert read_well(content) is None


DEEP = "[" * (MAX_DEPTH + 2)


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (b"a: &x b", "f:1:4: anchor '&x'; expected no anchors: aliases are not followed"),
        (b"a: &x {b: c}", "f:1:4: anchor '&x'; expected no anchors: aliases are not followed"),
        (b"&x a: b", "f:1:1: anchor '&x'; expected no anchors: aliases are not followed"),
        (b"a: *x", "f:1:4: alias '*x'; expected the value itself: aliases are not followed"),
        (b"*x : a", "f:1:1: alias '*x'; expected the value itself: aliases are not followed"),
        (b"<<: {a: b}", "f:1:1: merge key <<; expected the keys themselves: merge keys are not followed"),
        (
            b"a: !!int 1",
            "f:1:4: tag 'tag:yaml.org,2002:int'; expected no tags: each value is text, typed by its key",
        ),
        (b"a: ! 1", "f:1:4: tag '!'; expected no tags: each value is text, typed by its key"),
        (b"a: !!python/object:x {}", "f:1:4: tag 'tag:yaml.org,2002:python/object:x'; expected no tags"),
        (b"[a]: b", "f:1:1: a key that is no text; expected a name before the colon"),
        (b"a: b\n---\nc: d", "f:2:1: a second document; expected one document in a file"),
        (b"a: 1\nb: 2\na: 3", "f:3:1: 'a' is written twice, first in line 1; expected each key once"),
        (
            b"a: [\n",
            "f:2:1: this is not YAML: did not find expected node content; expected YAML, with values",
        ),
        (b"a:\n\tb: c", "f:2:1: this is not YAML: found character that cannot start any token; expected"),
        (b"a: \xff", "f:1:4: byte 0xff is not UTF-8; expected text in UTF-8"),
        ("\u00e9\n\u00e9".encode() + b"\xc3", "f:2:2: byte 0xc3 is not UTF-8; expected text in UTF-8"),
        ("a: b".encode("utf-16"), "f:1:1: byte 0xff is not UTF-8; expected text in UTF-8"),
        (b"a: \xed\xa0\x80", "f:1:4: byte 0xed is not UTF-8; expected text in UTF-8"),
        (b"a\x00: b", "f:1:2: hidden or control character U+0000; expected text in which nothing is hidden"),
        (b"# a\rb: c", "f:1:4: hidden or control character U+000D; expected text in which nothing is hidden"),
        ("# a\u2028b: c".encode(), "f:1:4: hidden or control character U+2028; expected text in which"),
        ("# a\x85b: c".encode(), "f:1:4: hidden or control character U+0085; expected text in which"),
        ("b: c # \u202ea".encode(), "f:1:8: hidden or control character U+202E; expected text in which"),
        (
            "a: b\u200bc".encode(),
            "f:1:4: hidden or control character U+200B in 'b\\u200bc'; expected one line",
        ),
        ("a: b\u00a0c".encode(), "f:1:4: hidden or control character U+00A0 in 'b\\xa0c'; expected one line"),
        ("a: b\ufe0f".encode(), "f:1:4: hidden or control character U+FE0F in 'b\\ufe0f'; expected one line"),
        ("a: b\ue000".encode(), "f:1:4: hidden or control character U+E000 in 'b\\ue000'; expected one line"),
        (b'a: "b\\nc"', "f:1:4: hidden or control character U+000A in 'b\\nc'; expected one line of text"),
        (b'"a\\eb": c', "f:1:1: hidden or control character U+001B in 'a\\x1bb'; expected one line of text"),
        (b"a: |\n  b\n", "f:1:4: hidden or control character U+000A in 'b\\n'; expected one line of text"),
        (
            DEEP.encode(),
            f"f:1:{MAX_DEPTH + 2}: lists and tables inside each other; expected at most 12 levels",
        ),
        (b"{a: " * 200_000, "f:1:53: lists and tables inside each other; expected at most 12 levels"),
        (b"#" * (MAX_BYTES + 1), "f:1:1: the file has 1000001 bytes; expected at most 1000000"),
    ],
)
def test_what_could_hide_something_is_refused(content: bytes, finding: str) -> None:
    findings = refused(content)

    assert findings[0].startswith(finding)
    assert len(findings) == 1


@pytest.mark.parametrize("style", ["|", "|-", ">", ">-"])
def test_a_public_key_may_stand_there_as_its_file_has_it(style: str) -> None:
    lines = ["-----BEGIN PUBLIC KEY-----", "MFkwEwYHKoZI+/zj0CAQYI", "MFk=", "-----END PUBLIC KEY-----"]
    text = f"a: {style}\n" + "".join(f"  {one}\n" for one in lines)

    assert plain(read_well(text.encode())) == {"a": " ".join(lines)}


def test_of_a_key_that_is_written_twice_the_first_counts() -> None:
    findings = Findings()

    assert plain(read("f", b"a: 1\na: 2\n", findings)) == {"a": "1"}
    assert not findings.is_blind


TREES = st.recursive(
    st.from_regex(r"[a-z0-9.:/<>=|#&*!%@' -]{0,12}", fullmatch=True),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), inner)
    ),
    max_leaves=15,
)


def flow(tree: object) -> str:
    match tree:
        case dict():
            return "{" + ", ".join(f'"{key}": {flow(value)}' for key, value in tree.items()) + "}"
        case list():
            return "[" + ", ".join(flow(item) for item in tree) + "]"
        case _:
            return f'"{tree}"'


@given(TREES)
def test_what_is_written_is_what_is_read(tree: object) -> None:
    assert plain(read_well(flow(tree).encode())) == tree
