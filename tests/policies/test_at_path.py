"""``at:`` in YAML, JSON and TOML: found by keys, told by content, changed in its bytes alone."""

import json
import tomllib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.images.image import Digest, Repository, Tag
from policies.manifests import at_path, references
from policies.manifests.at_path import At
from policies.manifests.places import Found, ProblemCode, ReferenceKind
from policies.texts import edit as edit_module
from policies.texts import json_text, toml_text
from policies.texts.edit import Edit, EditRefused, apply
from policies.texts.key_path import KeyPath
from policies.texts.yaml_text import YamlRefused

OLD, NEW = "sha256:" + "b" * 64, Digest("sha256:" + "a" * 64)
OURS = Repository("ghcr.io/x/app")


def found(path: str, text: str | bytes, keys: str, repository: Repository | None = OURS) -> Found:
    content = text if isinstance(text, bytes) else text.encode()
    return at_path.find(At(path, KeyPath.parse(keys)), content, repository)


def moved(path: str, content: bytes, keys: str, tag: str = "2.0", *, pin: bool = False) -> bytes:
    (reference,) = found(path, content, keys).references
    return apply(content, references.rewrite(reference, Tag(tag), NEW, pin=pin))


@pytest.mark.parametrize(
    ("path", "keys", "before", "after"),
    [
        ("v.yaml", "web.image.tag", "web: {image: {tag: 1.0}} # x\n", 'web: {image: {tag: "2.0"}} # x\n'),
        ("v.yaml", "c[name=app].image", "c:\n- {name: x}\n- {name: app, image: r/a:1}\n", None),
        ("v.yml", "c[1]", "c: [r/a:1, 'r/a:1']\n", "c: [r/a:1, 'r/a:2.0']\n"),
        ("v.yaml", "[0].t", "- t: v1\n", '- t: "2.0"\n'),
        ("v.yaml", '"a.b"."c d"', "a.b: {c d: v1}\n", 'a.b: {c d: "2.0"}\n'),
        ("v.yaml", "a", "---\nb: 1\n---\na: v1\n", '---\nb: 1\n---\na: "2.0"\n'),
        ("v.json", "a.b", '{"a" : {"b":"1.0"},\r\n "c": [1.0, null]}', None),
        ("v.json", "a[1].x", '{"a": [[], {"x": "r\\/a:1"}]}', None),
        ("v.json", "é", '\ufeff{"é": "1.0", "u": "\\ud83d"}', None),
        ("v.toml", "a.b", '# x\r\n[a]\r\nb = "1.0" # y\r\n', None),
        ("v.toml", "a.b", "a.b = '1.0'\n", "a.b = '2.0'\n"),
        ("v.toml", "a.b", "a = { b = '1.0', c = [1, 2] }\n", "a = { b = '2.0', c = [1, 2] }\n"),
        ("v.toml", "a[1].b", "[[a]]\nb = '1.0'\n[[a]]\nb = '1.0'\n", "[[a]]\nb = '1.0'\n[[a]]\nb = '2.0'\n"),
        (
            "v.toml",
            "a[1].c.b",
            "[[a]]\n[a.c]\nb='1'\n[[a]]\n[a.c]\nb='1'\n",
            "[[a]]\n[a.c]\nb='1'\n[[a]]\n[a.c]\nb='2.0'\n",
        ),
        (
            "v.toml",
            "a[name=x].b",
            "a = [{name='x', b='1'},\n # c\n]\n",
            "a = [{name='x', b='2.0'},\n # c\n]\n",
        ),
        (
            "v.toml",
            'a."b.c"',
            "[a]\n\"b.c\" = '1' # '''\nd = '''\nb = '1'\n'''\ne = 1979-05-27 07:32:00\n",
            "[a]\n\"b.c\" = '2.0' # '''\nd = '''\nb = '1'\n'''\ne = 1979-05-27 07:32:00\n",
        ),
    ],
)
def test_a_scalar_is_moved_and_nothing_else(path: str, keys: str, before: str, after: str | None) -> None:
    result = moved(path, before.encode(), keys).decode()

    wanted = (
        before.replace("1.0", "2.0", 1)
        if "1.0" in before
        else before.replace("app, image: r/a:1", "app, image: r/a:2.0")
    )
    wanted = wanted.replace('"r\\/a:1"', '"r/a:2.0"')
    assert result == (wanted if after is None else after)
    assert moved(path, result.encode(), keys).decode() == result


@pytest.mark.parametrize(
    ("value", "repository", "pin", "keep"),
    [
        ("v1", OURS, f"v2@{NEW}", "v2"),
        (f"v1@{OLD}", OURS, f"v2@{NEW}", f"v2@{NEW}"),
        (OLD, OURS, str(NEW), str(NEW)),
        ("r/a:v1", None, f"r/a:v2@{NEW}", "r/a:v2"),
        (f"r/a@{OLD}", None, f"r/a:v2@{NEW}", f"r/a@{NEW}"),
        ("localhost:5000/a:v1", OURS, f"localhost:5000/a:v2@{NEW}", "localhost:5000/a:v2"),
        ("app:v1", OURS, f"app:v2@{NEW}", "app:v2"),
        (f"app@{OLD}", Repository("app"), f"app:v2@{NEW}", f"app@{NEW}"),
        (f"app@{OLD}", OURS, f"v2@{NEW}", f"v2@{NEW}"),
    ],
)
@pytest.mark.parametrize("form", ["v.json", "v.toml", "v.yaml"])
def test_what_a_scalar_holds_is_told_by_its_content(
    form: str, value: str, repository: Repository | None, pin: str, keep: str
) -> None:
    text = {"v.json": '{"a": "%s"}', "v.toml": 'a = "%s"', "v.yaml": "a: '%s'"}[form] % value

    (reference,) = found(form, text, "a", repository).references

    assert (reference.kind, reference.scalars[0].where) == (ReferenceKind.AT, "at:a")
    for wanted, is_pin in ((pin, True), (keep, False)):
        assert [edit.new for edit in references.rewrite(reference, Tag("v2"), NEW, pin=is_pin)] == [wanted]


@pytest.mark.parametrize("keys", ["i.tag", "i.digest"])
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("v.yaml", f"i: {{digest: '{OLD}', tag: v1}}"),
        ("v.json", f'{{"i": {{"tag": "v1", "digest": "{OLD}"}}}}'),
        ("v.toml", f"[i]\ndigest = '{OLD}'\ntag = \"v1\"\n"),
    ],
)
def test_tag_and_digest_beside_each_other_move_together(path: str, text: str, keys: str) -> None:
    after = moved(path, text.encode(), keys, "v2").decode()

    assert after == text.replace(OLD, NEW).replace("v1", "v2")
    (reference,) = found(path, text, keys).references
    assert sorted(scalar.where for scalar in reference.scalars) == ["at:i.digest", "at:i.tag"]


@pytest.mark.parametrize(
    ("path", "text", "keys", "code"),
    [
        ("v.yaml", "a: v1", "b", ProblemCode.MISSING),
        ("v.yaml", "a: {b: v1}", "a", ProblemCode.NOT_AN_IMAGE),
        ("v.yaml", "a: [v1]", "a[1]", ProblemCode.MISSING),
        ("v.yaml", "a: v1\n---\na: v1", "a", ProblemCode.AMBIGUOUS),
        ("v.yaml", "a: v1\na: v2", "a", ProblemCode.AMBIGUOUS),
        ("v.yaml", "x: {a: v1}\nx: {a: v2}", "x.a", ProblemCode.AMBIGUOUS),
        ("v.yaml", "a: [{name: x, t: v1}, {name: x, t: v2}]", "a[name=x].t", ProblemCode.AMBIGUOUS),
        ("v.yaml", "x: &x {t: v1}\na: *x", "a.t", ProblemCode.ALIAS),
        ("v.yaml", "x: &x v1\na: *x", "a", ProblemCode.ALIAS),
        ("v.yaml", "a: |\n  v1\n", "a", ProblemCode.BLOCK_SCALAR),
        ("v.yaml", "a: {{ .x }}", "a", ProblemCode.TEMPLATE),
        ("v.yaml", "a: '{{ .x }}'", "a", ProblemCode.TEMPLATE),
        ("v.yaml", "a: v1\nsops: {mac: x}", "a", ProblemCode.ENCRYPTED),
        ("v.yaml", "a: a b", "a", ProblemCode.NOT_AN_IMAGE),
        ("v.yaml", "a: ghcr.io/x/app", "a", ProblemCode.NOT_AN_IMAGE),
        ("v.yaml", "a:", "a", ProblemCode.NOT_AN_IMAGE),
        ("v.yaml", b"a: caf\xe9", "a", ProblemCode.NOT_UTF_8),
        ("v.json", '{"a": 1.10}', "a", ProblemCode.NOT_AN_IMAGE),
        ("v.json", '{"a": null}', "a", ProblemCode.NOT_AN_IMAGE),
        ("v.json", '{"a": "v1", "a": "v1"}', "a", ProblemCode.DUPLICATE),
        ("v.json", '{"x": {"b": 1, "\\u0062": 2}, "a": "v1"}', "a", ProblemCode.DUPLICATE),
        ("v.json", '{"a": "v1",}', "a", ProblemCode.UNPARSABLE),
        ("v.json", '{"a": "v1"} x', "a", ProblemCode.UNPARSABLE),
        ("v.json", '// x\n{"a": "v1"}', "a", ProblemCode.UNPARSABLE),
        ("v.json", '{"a": "v\n1"}', "a", ProblemCode.UNPARSABLE),
        ("v.json", "[" * 100_000, "a", ProblemCode.TOO_DEEP),
        ("v.json", '{"a": "v1", "sops": {"mac": "x"}}', "a", ProblemCode.ENCRYPTED),
        ("v.toml", "a = 1.10", "a", ProblemCode.NOT_AN_IMAGE),
        ("v.toml", "a = '''v1'''", "a", ProblemCode.BLOCK_SCALAR),
        ("v.toml", "a = 'v1'\na = 'v2'", "a", ProblemCode.UNPARSABLE),
        ("v.toml", "a = 'v1", "a", ProblemCode.UNPARSABLE),
        ("v.toml", "a = " + "[" * 100_000, "a", ProblemCode.UNPARSABLE),
        ("v.toml", "a" + ".a" * 100_000 + " = 1", "a", ProblemCode.UNPARSABLE),
        ("v.toml", "#" + "x" * 2_000_000, "a", ProblemCode.TOO_LARGE),
        ("v.ini", "a = v1", "a", ProblemCode.UNPARSABLE),
    ],
)
def test_what_cannot_be_written_is_said(path: str, text: str | bytes, keys: str, code: ProblemCode) -> None:
    seen = found(path, text, keys)

    assert seen.references == ()
    assert [problem.code for problem in seen.problems] == [code]
    assert all(problem.path == path and problem.detail.isprintable() for problem in seen.problems)


def test_a_tag_alone_needs_the_name_of_its_repository() -> None:
    for value in ("v1", OLD, f"v1@{OLD}"):
        seen = found("v.yaml", f"a: '{value}'", "a", None)
        assert [problem.code for problem in seen.problems] == [ProblemCode.NOT_AN_IMAGE]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "apps/v.yaml: web.image.tag",
            "v.json: a[0].b",
            'v.toml: "a.b".c',
            "a/Kustomization: x[name=a b].y",
        ),
        'v.yaml: "a\\"b\\\\".c[3][k=v]',
    ],
)
def test_a_place_is_written_as_it_is_read(text: str) -> None:
    assert str(At.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "v.yaml",
            "v.yaml:a",
            "v.yaml: ",
            "/v.yaml: a",
            "../v.yaml: a",
            "a/../v.yaml: a",
            "./v.yaml: a",
        ),
        *(
            "a//v.yaml: a",
            "v.ini: a",
            "v.yaml: .a",
            "v.yaml: a.",
            "v.yaml: a..b",
            "v.yaml: a[",
            "v.yaml: a[x]",
        ),
        *(
            "v.yaml: a[-1]",
            "v.yaml: a b",
            'v.yaml: "a',
            "v.yaml: a\x07",
            "v.yaml: " + "a" * 2000,
            "v\n.yaml: a",
        ),
        *("v.yaml: " + "a." * 200 + "a", 'v.yaml: a"b"'),
    ],
)
def test_what_names_no_place_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match="expected"):
        At.parse(text)


@pytest.mark.parametrize("path", ["v.json", "v.toml"])
def test_an_edit_of_another_text_is_refused(path: str) -> None:
    text = b'{"a": "x", "n": 1}' if path == "v.json" else b'a = "x"\nn = 1\n'
    start = text.index(b'"x"')

    for old, new, where in (
        ("y", "z", start),
        ("x", "z", start + 1),
        ("x", "é", start),
        ("1", "2", text.index(b"1")),
    ):
        with pytest.raises(EditRefused):
            apply(text, [Edit(path, "at:a", old, new, where, where + 3)])
    with pytest.raises(EditRefused, match="same text"):
        apply(text, [Edit(path, "at:a", "x", new, start, start + 3) for new in "yz"])
    with pytest.raises(YamlRefused):
        apply(b"\xff", [Edit(path, "at:a", "x", "y", 0, 3)])


def test_a_result_that_says_anything_else_is_refused() -> None:
    text = b"a = 'x'\n"

    with pytest.raises(EditRefused, match="cannot be read"):
        apply(text, [Edit("v.toml", "at:a", "x", "it's", 4, 7)])
    with pytest.raises(EditRefused, match="differ at line 1"):
        edit_module._prove_tree(toml_text.read, [("None y", None)], b"a = 'y'", {})


@pytest.mark.parametrize(
    "text",
    [
        "a = [1 2]",
        "a = ['x' 'y']",
        "a = { b = 1 ; }",
        "a = {{",
        "= 1",
        "[a",
        "[[a]",
        "a b",
        '"\\z" = 1',
        "a = 1 2",
    ],
)
def test_what_is_no_toml_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(YamlRefused, match="not TOML") as refused:
        toml_text.read(text.encode())

    assert (refused.value.code, refused.value.line) == ("unparsable", 1)


def test_json_with_too_many_values_is_refused() -> None:
    with pytest.raises(YamlRefused, match="more than"):
        json_text.read(b"[" + b"1," * 500_001 + b"1]")


# Laws

TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,12}", fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
JSONS = st.builds(
    lambda rest, first, second, indent, is_ascii: json.dumps(
        {"x": rest, "one": first, "list": [{"name": "n", "two": second}], "y": rest},
        indent=indent,
        ensure_ascii=is_ascii,
    ).encode("utf-8", "replace"),
    VALUES,
    TAGS,
    TAGS,
    st.sampled_from([None, 0, 2, "\t"]),
    st.booleans(),
)
LINES = st.sampled_from(
    [
        *(
            "# x = 'y'",
            "[a]\nb = 1",
            "[[c]]",
            'd.e = """\none = \'1\'""""',
            "f = '''x''''",
            "g = [ 1, # ]\n 2 ]",
        ),
        *(
            'h = { i = \'j\', k.l = "m\\"" }',
            "n = 1979-05-27 07:32:00",
            "'o p' = nan",
            '"\\u00e9" = 0x1F',
        ),
    ]
)
TOMLS = st.tuples(st.lists(LINES, max_size=4, unique=True), TAGS, TAGS, st.sampled_from(["\n", "\r\n"])).map(
    lambda file: (
        (f"one = '{file[1]}' # a\n" + "\n".join(file[0]) + f'\n[[list]]\nname = "n"\ntwo = "{file[2]}"\n')
        .replace("\n", file[3])
        .encode()
    )
)
ONE, TWO = "one", "list[name=n].two"


@given(JSONS, TAGS, TAGS)
def test_edits_of_json_commute_and_change_those_values_alone(content: bytes, one: str, two: str) -> None:
    after = moved("v.json", moved("v.json", content, ONE, one), TWO, two)

    assert moved("v.json", moved("v.json", content, TWO, two), ONE, one) == after
    assert moved("v.json", after, ONE, one) == after
    wanted = json.loads(content)
    wanted["one"], wanted["list"][0]["two"] = one, two
    assert json.loads(after) == wanted


@given(TOMLS, TAGS, TAGS)
def test_edits_of_toml_commute_and_change_those_values_alone(content: bytes, one: str, two: str) -> None:
    after = moved("v.toml", moved("v.toml", content, ONE, one), TWO, two)

    assert moved("v.toml", moved("v.toml", content, TWO, two), ONE, one) == after
    assert moved("v.toml", after, ONE, one) == after
    wanted = tomllib.loads(content.decode())
    wanted["one"], wanted["list"][0]["two"] = one, two
    assert repr(tomllib.loads(after.decode())) == repr(wanted)


@given(
    JSONS | TOMLS | st.binary(),
    st.text(max_size=3),
    st.integers(0, 80),
    st.sampled_from(["json", "toml", "yaml"]),
)
def test_finding_raises_nothing_on_any_bytes(content: bytes, junk: str, at: int, suffix: str) -> None:
    mixed = content[:at] + junk.encode("utf-8", "replace") + content[at:]

    for keys in (ONE, TWO, "x[0]", "[0]"):
        at_path.find(At(f"v.{suffix}", KeyPath.parse(keys)), mixed, OURS)


@given(st.text(alphabet='{}[]",: \n1eE.-+tfn\\u0', max_size=20))
def test_json_is_what_pythons_own_reader_takes_but_for_equal_keys(text: str) -> None:
    assert _outcome(lambda: json_text.read(text.encode())) in {
        _outcome(lambda: json.loads(text)),
        "duplicate",
    }


def _outcome(read: Callable[[], object]) -> str:
    try:
        read()
    except YamlRefused as refused:
        return refused.code
    except ValueError:
        return "unparsable"
    return "read"


@given(st.text())
def test_reading_a_place_raises_nothing_but_its_own_error(text: str) -> None:
    for place in (text, f"v.yaml: {text}"):
        try:
            read = At.parse(place)
        except PolicyError:
            continue
        assert At.parse(str(read)) == read


@pytest.mark.parametrize("text", ['{"a" 1}', "[1 2]", '{"a": 1 "b": 2}'])
def test_json_without_its_marks_is_refused(text: str) -> None:
    with pytest.raises(YamlRefused, match="not JSON at character"):
        json_text.read(text.encode())
