"""Spans, comments and limits of the YAML reader."""

import contextlib

import pytest
import yaml as library
from hypothesis import given
from hypothesis import strategies as st

from policies.texts import yaml_text
from policies.texts.yaml_nodes import AliasNode, ListNode, MapNode, Node, ScalarNode

FRAGMENTS = (
    *(
        "a: ",
        "b: 1 # c\n",
        "- ",
        "x\n",
        "\n",
        "  ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "&a ",
        "*a ",
        "!!str ",
        "'q' ",
        '"d"',
    ),
    *(
        "|\n",
        ">-\n",
        "--- ",
        "...\n",
        "? ",
        ": ",
        "# n\n",
        "\r\n",
        "é",
        "\N{LINE SEPARATOR}",
        "\t",
        "%YAML 1.1\n",
    ),
    *("\\", "<<: ", "\N{ZERO WIDTH NO-BREAK SPACE}"),
)
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join)


def scalars(node: Node) -> list[ScalarNode]:
    match node:
        case ScalarNode():
            return [node]
        case AliasNode():
            return []
        case MapNode():
            return [found for pair in node.items for side in pair for found in scalars(side)]
        case ListNode():
            return [found for item in node.items for found in scalars(item)]


@pytest.mark.parametrize(
    ("text", "span", "comment"),
    [
        ("a: x # c", "x", "# c"),
        ("a: 'x'   # c", "'x'", "# c"),
        ("a: &n x # c", "x", "# c"),
        ('a: !!str "x" # c', '"x"', "# c"),
        ("a: !<tag:yaml.org,2002:str> x", "x", ""),
        ("a: &n !!str x", "x", ""),
        ("a: &n\n  # between\n  x # c", "x", "# c"),
        ("a: [y, x] # not its own", "x", ""),
        ("a: {b: x # c\n  }", "x", "# c"),
        ("a: [ x, # c\n b]", "x", "# c"),
        ("a: x#no", "x#no", ""),
        ("\ufeffa: x # c\r\n", "x", "# c"),
        ("é: x # ü", "x", "# ü"),
    ],
)
def test_a_scalar_knows_its_text_and_its_comment(text: str, span: str, comment: str) -> None:
    read = yaml_text.read(text.encode())

    found = [node for root in read.documents for node in scalars(root) if text[node.start : node.end] == span]

    assert [node.comment for node in found] == [comment]


@pytest.mark.parametrize(
    ("text", "obstacle"),
    [
        ("a: |\n  x\n", "a block scalar"),
        ("a: >-\n  x\n", "a block scalar"),
        ("a: x\n  y\n", "a scalar over several lines"),
        ('a: "x\\\n  y"\n', "a scalar over several lines"),
        ("a: !!float 1\n", "a scalar with the tag 'tag:yaml.org,2002:float'"),
        ("a:\n", "an empty value"),
        ("a: &n\n", "an empty value"),
        ("a: x\n", None),
        ("a: ''\n", None),
        ("a: ! x\n", None),
    ],
)
def test_what_cannot_be_replaced_in_its_place_says_so(text: str, obstacle: str | None) -> None:
    assert scalars(yaml_text.read(text.encode()).documents[0])[1].obstacle == obstacle


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"a: 1\nb: \xe9\n", "not-utf-8", 2),
        (b"\xff\xfea\x00", "not-utf-8", 1),
        (b"\xef\xbb\xbf\xef\xbb\xbfa: 1", "not-utf-8", 1),
        (b"b: 1\na: {{ .Values.x }}\n c: 2\n", "template", 2),
        (b"a: [1\nb: 2\n", "unparsable", 2),
        (b"a: 1\nb: \x07\n", "unparsable", 2),
        (b"a: " + b"[" * 300, "too-deep", 1),
        (b"a: &x 1\nb: [" + b"*x, " * 10_001 + b"]", "too-large", 2),
        (b"\n[" + b"a," * 500_001 + b"]", "too-large", 2),
        (b"#" * (8 * 1024 * 1024 + 1), "too-large", 1),
        (b"a: 1\n--- foo\nb: 2\n", "unparsable", 3),
    ],
    ids=[
        "latin-1",
        "utf-16",
        "two-boms",
        "template",
        "open-list",
        "control",
        "deep",
        "aliases",
        "values",
        "large",
        "separator",
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(content: bytes, code: str, line: int) -> None:
    with pytest.raises(yaml_text.YamlRefused) as refused:
        yaml_text.read(content)

    assert (refused.value.code, refused.value.line) == (code, line)


def test_an_alias_bomb_is_read_without_being_expanded() -> None:
    lines = ["a0: &a0 x"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]

    assert len(yaml_text.read("\n".join(lines).encode()).documents) == 1


def test_a_line_of_a_megabyte_is_read() -> None:
    content = b"a: " + b"x" * 1_000_000 + b" # c\nb: 1\n"

    assert scalars(yaml_text.read(content).documents[0])[1].comment == "# c"


def test_an_anchor_that_is_defined_twice_means_the_latest() -> None:
    root = yaml_text.read(b"a: &x 1\nb: *x\nc: &x 2\nd: *x\ne: {<<: {f: *x}}\n").documents[0]

    assert isinstance(root, MapNode)
    assert [root.text(key) for key in "bd"] == ["1", "2"]


def test_a_value_is_read_through_a_merge() -> None:
    root = yaml_text.read(b"base: &b {repository: x}\nimage: {<<: *b, tag: 1}\n").documents[0]

    assert isinstance(root, MapNode)
    image = root.get("image")
    assert isinstance(image, MapNode)
    assert (image.text("repository"), image.text("tag"), image.text("none")) == ("x", "1", None)


def test_an_anchor_inside_itself_has_no_target() -> None:
    root = yaml_text.read(b"a: &a {b: *a}\n").documents[0]

    assert isinstance(root, MapNode)
    inner = root.get("a")
    assert isinstance(inner, MapNode)
    assert inner.text("b") is None


@given(TEXTS | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = yaml_text.read(text.encode("utf-8", "surrogatepass"))
    except yaml_text.YamlRefused:
        return
    for root in read.documents:
        for node in scalars(root):
            written = read.text[node.start : node.end]
            if node.obstacle is None:
                assert written == node.value if not node.style else library.safe_load(written) == node.value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(yaml_text.YamlRefused):
        yaml_text.read(content)
