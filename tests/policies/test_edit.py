"""Edits change the bytes of their scalars and nothing else, or are refused."""

import os
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policies.images.image import Digest, Tag
from policies.manifests import references
from policies.manifests.references import Reference
from policies.texts import edit as edit_module
from policies.texts import yaml_events, yaml_text
from policies.texts.edit import Edit, EditRefused, apply, splice

REPOSITORIES = Path(os.environ.get("REPOSITORIES_DIR", "../shared/repositories"))
MARKER = '{"$imagepolicy": "flux-system:app"}'
TAG_MARKER = '{"$imagepolicy": "flux-system:app:tag"}'
DIGEST = Digest("sha256:" + "a" * 64)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,12}", fullmatch=True).map(Tag.parse)


def edited(content: bytes, found: tuple[Reference, ...], tag: Tag, *, pin: bool = False) -> bytes:
    return apply(
        content, [edit for reference in found for edit in references.rewrite(reference, tag, DIGEST, pin=pin)]
    )


def moved(text: str | bytes, tag: str = "1.0.1", path: str = "a.yaml") -> bytes:
    """Set every reference of a text to ``tag``."""
    content = text.encode() if isinstance(text, str) else text
    return edited(content, references.find(path, content).references, Tag(tag))


OLD = "sha256:" + "b" * 64

# The hazards of the research: (before, after); what is not to be touched stands in both.
HAZARDS = {
    "plain": (f"image: r/a:1.0.0 # {MARKER}\n", f"image: r/a:1.0.1 # {MARKER}\n"),
    "double-quoted": (f'image: "r/a:1.0.0" # {MARKER}\n', f'image: "r/a:1.0.1" # {MARKER}\n'),
    "single-quoted": (f"image: 'r/a:1.0.0' # {MARKER}\n", f"image: 'r/a:1.0.1' # {MARKER}\n"),
    "crlf": (f"image: r/a:1.0.0 # {MARKER}\r\nb: 1\r\n", f"image: r/a:1.0.1 # {MARKER}\r\nb: 1\r\n"),
    "mixed line ends": (
        f"a: 1\r\nimage: r/a:1.0.0 # {MARKER}\nb: 2\r\n",
        f"a: 1\r\nimage: r/a:1.0.1 # {MARKER}\nb: 2\r\n",
    ),
    "lone carriage return": (f"a: 1\rimage: r/a:1.0.0 # {MARKER}\r", f"a: 1\rimage: r/a:1.0.1 # {MARKER}\r"),
    "byte order mark": (f"\ufeffimage: r/a:1.0.0 # {MARKER}\n", f"\ufeffimage: r/a:1.0.1 # {MARKER}\n"),
    "no last newline": (f"image: r/a:1.0.0 # {MARKER}", f"image: r/a:1.0.1 # {MARKER}"),
    "beyond ASCII before it": (
        f"é: ü€😀\nimage: r/a:1.0.0 # {MARKER}\n",
        f"é: ü€😀\nimage: r/a:1.0.1 # {MARKER}\n",
    ),
    "beyond ASCII on the line": (f"- {{é: 😀, image: r/a:1.0.0}}\nx: 1 # {MARKER}", None),
    "anchor": (f"a: &i r/a:1.0.0 # {MARKER}\nb: *i\n", f"a: &i r/a:1.0.1 # {MARKER}\nb: *i\n"),
    "anchor defined twice": (
        f"a: &i r/a:1.0.0 # {MARKER}\nb: *i\nc: &i r/a:1.0.0 # {MARKER}\nd: *i\n",
        f"a: &i r/a:1.0.1 # {MARKER}\nb: *i\nc: &i r/a:1.0.1 # {MARKER}\nd: *i\n",
    ),
    "alias": (f"a: &i r/a:1.0.0\nimage: *i # {MARKER}\n", None),
    "tag": (f"a: !!str r/a:1.0.0 # {MARKER}\n", f"a: !!str r/a:1.0.1 # {MARKER}\n"),
    "tag and anchor": (f"a: !!str &x 'r/a:1.0.0' # {MARKER}\n", f"a: !!str &x 'r/a:1.0.1' # {MARKER}\n"),
    "foreign tag": (f"a: !Ref r/a:1.0.0 # {MARKER}\n", f"a: !Ref r/a:1.0.1 # {MARKER}\n"),
    "typed": (f"a: !!int 3 # {MARKER}\n", None),
    "flow map": (f"a: {{image: r/a:1.0.0}} # {MARKER}\n", None),
    "flow map over lines": (
        f"a: {{image: r/a:1.0.0, # {MARKER}\n  b: 1}}\n",
        f"a: {{image: r/a:1.0.1, # {MARKER}\n  b: 1}}\n",
    ),
    "JSON": (
        f'{{"a": 1,\n "i": "r/a:1.0.0" # {MARKER}\n}}\n',
        f'{{"a": 1,\n "i": "r/a:1.0.1" # {MARKER}\n}}\n',
    ),
    "list item": (f"a:\n- r/a:1.0.0 # {MARKER}\n- b\n", f"a:\n- r/a:1.0.1 # {MARKER}\n- b\n"),
    "above a list item": (f"a:\n# {MARKER}\n- r/a:1.0.0\n", f"a:\n# {MARKER}\n- r/a:1.0.1\n"),
    "above an item, blank line between": (f"a:\n- b\n# {MARKER}\n\n- r/a:1.0.0\n", None),
    "above a value on its own line": (f"a:\n  # {MARKER}\n  r/a:1.0.0\n", f"a:\n  # {MARKER}\n  r/a:1.0.1\n"),
    "above an item of a flow list": (
        f"a: [\n# {MARKER}\nr/a:1.0.0, b]\n",
        f"a: [\n# {MARKER}\nr/a:1.0.1, b]\n",
    ),
    "behind the dash": (f"a:\n- # {MARKER}\n  r/a:1.0.0\n", f"a:\n- # {MARKER}\n  r/a:1.0.1\n"),
    "behind the key": (f"a: # {MARKER}\n  r/a:1.0.0\n", None),
    "above a map in a list": (f"a:\n# {MARKER}\n- image: r/a:1.0.0\n", None),
    "above a nested list": (f"a:\n# {MARKER}\n- - r/a:1.0.0\n", None),
    "below a list": (f"a:\n- r/a:1.0.0\n# {MARKER}\nb: r/a:1.0.0\n", None),
    "above a map key": (f"# {MARKER}\na: r/a:1.0.0\n", None),
    "two comment lines above an item": (f"a:\n# note\n# {MARKER}\n- r/a:1.0.0\n", None),
    "on a complex key": (f"? r/a:1.0.0 # {MARKER}\n: b\n", None),
    "no value": (f"image: # {MARKER}\nb: 1\n", None),
    "block scalar": (f"a: | # {MARKER}\n  r/a:1.0.0\n", None),
    "folded scalar": (f"a: >- # {MARKER}\n  r/a:1.0.0\n", None),
    "inside of a block": (f"a: |\n  image: r/a:1.0.0 # {MARKER}\n", None),
    "several lines, quoted": (f'a: "r/a:\\\n  1.0.0" # {MARKER}\n', None),
    "several lines, plain": (f"a: r/a\n  b # {MARKER}\n", None),
    "inside of quotes": (f"a: 'image: r/a:1.0.0 # {MARKER}'\n", None),
    "glued comment": (f"a: r/a:1.0.0# {MARKER}\n", None),
    "text behind the marker": (f"a: r/a:1.0.0 # {MARKER} x\n", None),
    "several documents": (
        f"# licence\n---\na: 1\n---\nimage: r/a:1.0.0 # {MARKER}\n---\n# none\n",
        f"# licence\n---\na: 1\n---\nimage: r/a:1.0.1 # {MARKER}\n---\n# none\n",
    ),
    "spaces": (f"image:   r/a:1.0.0   #  {MARKER}  \n\n\n", f"image:   r/a:1.0.1   #  {MARKER}  \n\n\n"),
    "template": (f"image: {{{{ .Values.image }}}} # {MARKER}\n", None),
    "template in quotes": (f"image: '{{{{ .Values.image }}}}:1' # {MARKER}\n", None),
    "equal keys": (f"a: r/a:1.0.0 # {MARKER}\na: r/a:1.0.0 # {MARKER}\n", None),
    "top-level list": (f"- value: r/a:1.0.0 # {MARKER}\n", None),
    "sops": (f"image: r/a:1.0.0 # {MARKER}\nsops: {{mac: x}}\n", None),
    "not UTF-8": (f"# caf\udce9\nimage: r/a:1.0.0 # {MARKER}\n", None),
    "tag of a number": (
        f"repository: r/a\ntag: 1.0 # {TAG_MARKER}\n",
        f"repository: r/a\ntag: 1.0.1 # {TAG_MARKER}\n",
    ),
    "merge key": (
        f"base: &b {{x: y}}\nweb:\n  <<: *b\n  image: r/a:1.0.0 # {MARKER}\n",
        f"base: &b {{x: y}}\nweb:\n  <<: *b\n  image: r/a:1.0.1 # {MARKER}\n",
    ),
    "merged and written again": (
        f"base: &b\n  image: r/a:1.0.0 # {MARKER}\nweb:\n  <<: *b\n  image: r/a:1.0.0\n",
        f"base: &b\n  image: r/a:1.0.1 # {MARKER}\nweb:\n  <<: *b\n  image: r/a:1.0.0\n",
    ),
    "directive": (
        f"%YAML 1.1\n---\nimage: r/a:1.0.0 # {MARKER}\n...\n",
        f"%YAML 1.1\n---\nimage: r/a:1.0.1 # {MARKER}\n...\n",
    ),
    "map on the line of its document": (
        f"--- {{image: r/a:1.0.0, # {MARKER}\n}}\n",
        f"--- {{image: r/a:1.0.1, # {MARKER}\n}}\n",
    ),
    "empty documents": (
        f"---\n---\nimage: r/a:1.0.0 # {MARKER}\n---\n---\n",
        f"---\n---\nimage: r/a:1.0.1 # {MARKER}\n---\n---\n",
    ),
    "tabs before the comment": (f"image: r/a:1.0.0\t# {MARKER}\t\n", f"image: r/a:1.0.1\t# {MARKER}\t\n"),
    "tab as indent": (f"a:\n\timage: r/a:1.0.0 # {MARKER}\n", None),
    "control character": (f"a: \x07\nimage: r/a:1.0.0 # {MARKER}\n", None),
    "null byte": (f"a: b\x00\nimage: r/a:1.0.0 # {MARKER}\n", None),
    "two byte order marks": (f"\ufeff\ufeffimage: r/a:1.0.0 # {MARKER}\n", None),
    "line separator in a string": (
        f"a: 'x\u2028y'\nimage: r/a:1.0.0 # {MARKER}\n",
        f"a: 'x\u2028y'\nimage: r/a:1.0.1 # {MARKER}\n",
    ),
    "next line character": (
        f"a: b\x85image: r/a:1.0.0 # {MARKER}\x85",
        f"a: b\x85image: r/a:1.0.1 # {MARKER}\x85",
    ),
    "escapes in quotes": (f'image: "r\\/a:1.0.0" # {MARKER}\n', f'image: "r/a:1.0.1" # {MARKER}\n'),
    "quoted key": (f'"image" : r/a:1.0.0 # {MARKER}\n', f'"image" : r/a:1.0.1 # {MARKER}\n'),
    "colon without space in flow": (
        f'{{"image":"r/a:1.0.0", # {MARKER}\n"b":1}}\n',
        f'{{"image":"r/a:1.0.1", # {MARKER}\n"b":1}}\n',
    ),
    "kustomize with a stale digest": (
        f"apiVersion: kustomize.config.k8s.io/v1beta1\nimages:\n- name: r/a\n  newTag: 1.0.0\n  digest: {OLD}\n",
        f"apiVersion: kustomize.config.k8s.io/v1beta1\nimages:\n- name: r/a\n  newTag: 1.0.1\n  digest: {DIGEST}\n",
    ),
    "kustomize in a flow list": (
        "apiVersion: kustomize.config.k8s.io/v1\nimages: [{name: r/a, newTag: 1.0.0}, {name: r/b, newTag: 1.0.0}]",
        "apiVersion: kustomize.config.k8s.io/v1\nimages: [{name: r/a, newTag: 1.0.1}, {name: r/b, newTag: 1.0.1}]",
    ),
    "values with CRLF, comments and blanks": (
        "\r\n# a\r\nimage:   # b\r\n  repository: r/a\r\n\r\n  tag:   '1.0.0'   # c\r\n\r\n",
        "\r\n# a\r\nimage:   # b\r\n  repository: r/a\r\n\r\n  tag:   '1.0.1'   # c\r\n\r\n",
    ),
    "values twice under one key": ("image: {repository: r/a, tag: 1.0.0, tag: 1.0.0}\n", None),
    "values of a template": ("repository: r/a\ntag: {{ .Values.tag | quote }}\n", None),
    "values of a template in quotes": ("repository: r/a\ntag: '{{ .Values.tag }}'\n", None),
    "workload in a folded list of JSON": (
        '{"kind": "Pod", "spec": {"containers":\r\n [{"name": "a", "image": "r/a:1.0.0"}]}}',
        '{"kind": "Pod", "spec": {"containers":\r\n [{"name": "a", "image": "r/a:1.0.1"}]}}',
    ),
    "port": (f"a: localhost:5000/a:1 # {MARKER}\n", f"a: localhost:5000/a:1.0.1 # {MARKER}\n"),
}


@pytest.mark.parametrize("name", HAZARDS)
def test_a_hazard_is_edited_rightly_or_refused_with_a_reason(name: str) -> None:
    before, after = HAZARDS[name]
    content = before.encode("utf-8", "surrogateescape")

    found = references.find("a.yaml", content)

    assert edited(content, found.references, Tag("1.0.1")) == (content if after is None else after.encode())
    assert bool(found.references) == (after is not None)
    assert after is not None or found.problems or "|\n" in before


@pytest.mark.parametrize(
    "tag", ["1.10", "on", "12345e7", "1e3", "20240131", "2024-01-31", "0123", "null", "1_000", "y"]
)
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_tag_that_would_change_type_is_quoted(tag: str, quote: str) -> None:
    text = f"repository: r/a\ntag: {quote}1.0{quote} # {TAG_MARKER}\n"

    after = moved(text, tag)

    written = quote or '"'
    assert after == f"repository: r/a\ntag: {written}{tag}{written} # {TAG_MARKER}\n".encode()
    assert yaml.safe_load(after)["tag"] == tag


def test_a_line_of_a_megabyte_is_edited() -> None:
    text = (
        f"a: {'x' * 1_000_000}\nb: y{' ' * 1_000_000}\nimage: r/a:1.0.0 # {MARKER} {' ' * 1_000_000}\nc: 1\n"
    )

    assert moved(text) == text.replace("1.0.0", "1.0.1").encode()


def test_an_alias_bomb_beside_it_does_not_matter() -> None:
    bomb = "\n".join(["a0: &a0 x", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))])
    text = f"{bomb}\nimage: r/a:1.0.0 # {MARKER}\n"

    assert moved(text) == text.replace("1.0.0", "1.0.1").encode()


def edit_of(text: str, old: str, new: str, *, start: int | None = None) -> Edit:
    begin = text.index(old) if start is None else start
    return Edit("a.yaml", "at:a", old, new, begin, begin + len(old))


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        ("a: y\n", "x", "z", "is not a scalar 'x'"),
        ("a: xx\n", "x", "z", "is not a scalar 'x'"),
        ("a: x\n  y\n", "x y", "z", "is not a scalar"),
        ("a: x\n", "x", "z\nb: 1", "printable ASCII"),
        ("a: !!int 1\n", "1", "2", "is not a scalar"),
    ],
)
def test_an_edit_of_another_text_is_refused(text: str, old: str, new: str, message: str) -> None:
    start = text.index(":") + 2
    with pytest.raises(EditRefused, match=message):
        apply(text.encode(), [Edit("a.yaml", "at:a", old, new, start, start + len(old))])


def test_a_result_that_differs_elsewhere_is_refused() -> None:
    other = yaml_events.events("a: x\nb: 2\n")

    with pytest.raises(EditRefused, match="differ at line 2"):
        splice("a: x\nb: 1\n", other, [edit_of("a: x", "x", "z")])


def test_edits_of_one_place_contradict_each_other() -> None:
    with pytest.raises(EditRefused, match="edit the same text"):
        apply(b"a: x\n", [edit_of("a: x", "x", "y"), edit_of("a: x", "x", "z")])


def test_edits_of_two_files_are_refused() -> None:
    other = Edit("b.yaml", "at:a", "x", "y", 3, 4)
    with pytest.raises(EditRefused, match="one file"):
        apply(b"a: x\n", [edit_of("a: x", "x", "y"), other])


def test_the_same_edit_twice_is_one_edit() -> None:
    edit = edit_of("a: x", "x", "z")

    assert apply(b"a: x\n", [edit, edit]) == b"a: z\n"


def test_an_edit_without_a_change_does_not_even_read() -> None:
    assert apply(b"a: [", [edit_of("a: x", "x", "x")]) == b"a: ["


def test_a_key_that_would_break_its_line_is_refused() -> None:
    text = f"? {'k' * 2000}\n: v\n"
    short = "a: 1\n"

    assert apply(text.encode(), [edit_of(text, "v", "w")]) == text.replace("v", "w").encode()
    with pytest.raises(EditRefused, match=r"cannot be read|would differ"):
        apply(short.encode(), [edit_of(short, "a", "b" * 2000)])


def files_of_repositories() -> list[Path]:
    return sorted(path for path in REPOSITORIES.rglob("*") if path.is_file() and not path.is_symlink())


def values_of(content: bytes) -> list[tuple[str, str]]:
    """Every scalar of a text, in order, with the type that YAML 1.1 gives it."""
    events = yaml.parse(content, Loader=yaml.CSafeLoader)
    resolver = yaml.SafeLoader("")
    return [
        (event.tag or resolver.resolve(yaml.ScalarNode, event.value, event.implicit), event.value)  # type: ignore[no-untyped-call]
        for event in events
        if isinstance(event, yaml.ScalarEvent)
    ]


@pytest.mark.skipif(not REPOSITORIES.is_dir(), reason=f"{REPOSITORIES} is not there; set REPOSITORIES_DIR")
@pytest.mark.parametrize("pin", [True, False], ids=["pin", "keep"])
def test_every_image_of_real_repositories_moves_and_nothing_else_does(pin: bool) -> None:  # noqa: FBT001  a table
    moves = 0
    for path in files_of_repositories():
        content = path.read_bytes()
        found = references.find(path.name, content).references
        before = values_of(content) if found else []
        for several in [*([reference] for reference in found), list(found)] if found else []:
            after = values_of(edited(content, tuple(several), Tag("9.10"), pin=pin))

            wanted = {
                edit.new for one in several for edit in references.rewrite(one, Tag("9.10"), DIGEST, pin=pin)
            }
            changed = [new for old, new in zip(before, after, strict=True) if old != new]
            assert len(changed) >= len(several)
            assert {value for _, value in changed} == wanted
            assert {kind for kind, _ in changed} == {"tag:yaml.org,2002:str"}
        moves += len(found)
    assert moves > 40


# Laws

NAMES = st.sampled_from(["ghcr.io/x/app", "localhost:5000/app", "alpine", "r.io/a_b/c"])
VALUES = st.builds("{}:{}".format, NAMES, TAGS)
WRITTEN = st.tuples(VALUES, st.sampled_from(["{}", "'{}'", '"{}"', "&x {}", "!!str {}", "!!str '{}'"])).map(
    lambda pair: pair[1].format(pair[0])
)
LINES = st.one_of(
    WRITTEN.map(lambda value: f"- image: {value} # {MARKER}\n"),
    WRITTEN.map(lambda value: f"- {value} #{MARKER}\n"),
    WRITTEN.map(lambda value: f"- {{a: b, image: {value}, # {MARKER}\n  c: 1}}\n"),
    TAGS.map(lambda tag: f"- repository: r.io/x/y\n  tag: '{tag}'\n"),
    TAGS.map(lambda tag: f"- webImage: r.io/x/y\n  webTag: '{tag}'\n  jobImage: r.io/z\n  jobTag: '1'\n"),
    TAGS.map(lambda tag: f"- repository: r.io/x/y\n  tag: {tag}@{DIGEST} # {TAG_MARKER}\n"),
    TAGS.map(lambda tag: f"- repository: r.io/x/y\n  tag: '{tag}'\n  digest: sha256:{'b' * 64}\n"),
    st.sampled_from(
        [
            "# comment é\n",
            "\n",
            "- text: |\n    image: x:1\n",
            "- 'é😀'\n",
            "- *x\n",
            "- r/a:1\n",
            "- a: on\n",
        ]
    ),
)
FILES = st.tuples(
    st.sampled_from(["", "\ufeff"]), st.lists(LINES, max_size=8).map("".join), st.sampled_from(["\n", "\r\n"])
).map(lambda file: (file[0] + "x-0: &x r/z:0\nlist:\n- first\n" + file[1]).replace("\n", file[2]).encode())


@given(FILES, TAGS, st.booleans())
def test_setting_twice_is_setting_once(content: bytes, tag: Tag, pin: bool) -> None:  # noqa: FBT001  hypothesis
    once = edited(content, references.find("a.yaml", content).references, tag, pin=pin)

    assert edited(once, references.find("a.yaml", once).references, tag, pin=pin) == once


@given(FILES, TAGS, TAGS)
def test_edits_of_different_scalars_commute(content: bytes, first: Tag, second: Tag) -> None:
    count = len(references.find("a.yaml", content).references)
    odd, even = range(0, count, 2), range(1, count, 2)

    def set_some(text: bytes, which: range, tag: Tag) -> bytes:
        found = references.find("a.yaml", text).references
        return edited(text, tuple(found[index] for index in which), tag, pin=True)

    one = set_some(set_some(content, odd, first), even, second)
    assert set_some(set_some(content, even, second), odd, first) == one


@given(FILES, TAGS, st.booleans())
def test_only_the_bytes_of_the_scalars_change(content: bytes, tag: Tag, pin: bool) -> None:  # noqa: FBT001  hypothesis
    found = references.find("a.yaml", content)
    text = content.decode()

    after = edited(content, found.references, tag, pin=pin).decode()

    spans = sorted(
        (scalar.start, scalar.end) for reference in found.references for scalar in reference.scalars
    )
    kept, last = "", 0
    for start, end in spans:
        kept += re.escape(text[last:start]) + r"[^\s]+"
        last = end
    assert re.fullmatch(kept + re.escape(text[last:]), after)


@given(FILES, TAGS)
def test_what_was_set_is_found_again(content: bytes, tag: Tag) -> None:
    found = references.find("a.yaml", content).references
    after = edited(content, found, tag, pin=True)

    again = references.find("a.yaml", after).references

    assert [(new.repository, new.tag, new.digest) for new in again] == [
        (old.repository, tag, DIGEST) for old in found
    ]


@given(st.text() | st.lists(LINES, max_size=4).map("".join), st.text(max_size=3), st.integers(0, 60))
def test_finding_raises_nothing_on_any_text(text: str, junk: str, at: int) -> None:
    content = ("image" + text[:at] + junk + text[at:]).encode("utf-8", "surrogatepass")

    assert all(problem.line >= 1 for problem in references.find("kustomization.yaml", content).problems)


PIECES = st.sampled_from(
    [
        *(
            "images:",
            "- ",
            "name: r/a",
            "newTag: ",
            "digest: ",
            "repository: r/a",
            "tag: ",
            "image: ",
            "containers:",
            "x: ",
        ),
        *(
            "kind: Pod",
            "\n",
            "\n  ",
            "\n- ",
            "\n  - ",
            "1@",
            "1",
            "r/a:1",
            "*x",
            "&x ",
            "|\n  1",
            "{{ x }}",
            "[",
            "]",
            "{",
            "}",
        ),
        *(
            ", ",
            "''",
            "---\n",
            f" # {MARKER}",
            f" # {TAG_MARKER}",
            ' # {"$imagepolicy": "n:a:digest"}',
            "sops: {mac: x}",
            "é",
        ),
    ]
)


@given(st.lists(PIECES, max_size=20).map("".join), st.booleans())
def test_what_is_found_in_any_mix_can_be_written(text: str, pin: bool) -> None:  # noqa: FBT001  hypothesis
    content = f"kind: Kustomization\n{text}\n".encode()
    found = references.find("kustomization.yaml", content).references

    after = edited(content, found, Tag("2"), pin=pin)

    again = references.find("kustomization.yaml", after).references
    assert [[scalar.where for scalar in one.scalars] for one in again] == [
        [scalar.where for scalar in one.scalars] for one in found
    ]


@given(st.binary(), st.sampled_from(["a.yaml", "kustomization.yaml", "Kustomization", "a.yml", "a.json", ""]))
def test_finding_raises_nothing_on_any_bytes(content: bytes, path: str) -> None:
    for prefix in (b"", b"image: ", b"images:\n- ", b'# "$imagepolicy"\nrepository: '):
        references.find(path, prefix + content)


def test_an_alias_has_no_leaves_and_nothing_is_not_something() -> None:
    (root,) = yaml_text.read(b"a: &x 1\nb: *x\n").documents

    with pytest.raises(EditRefused, match="an alias"):
        list(edit_module._leaves(root))
    assert not edit_module._is_same(None, yaml.StreamEndEvent())
