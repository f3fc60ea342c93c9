"""Following markers by the names of their policies, and saying what was not done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.images.image import ImageReference, Repository, Tag
from policies.manifests import setters
from policies.manifests.places import ProblemCode

DIGEST = "sha256:" + "a" * 64
POLICIES = {"n:a": setters.latest("r.io/x/a:2.0"), "n:d": setters.latest(f"r.io/x/d:2.0@{DIGEST}")}


def marker(value: str) -> str:
    return f'# {{"$imagepolicy": "{value}"}}'


@pytest.mark.parametrize(
    ("policy", "written"),
    [
        *(("n:a", "r.io/x/a:2.0"), ("n:a:tag", '"2.0"'), ("n:a:name", "r.io/x/a"), ("n:a:digest", '""')),
        *(("n:d", f"r.io/x/d:2.0@{DIGEST}"), ("n:d:tag", '"2.0"'), ("n:d:digest", DIGEST)),
    ],
)
def test_each_form_gets_its_part(policy: str, written: str) -> None:
    done = setters.set_markers("a.yaml", f"a: old {marker(policy)}\n".encode(), POLICIES)

    assert done.content == f"a: {written} {marker(policy)}\n".encode()
    assert [change.where for change in done.changes] == [f"marker:{policy}"]
    assert done.problems == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"a: x {marker('m:a')}", ProblemCode.MARKER_POLICY),
        (f"a: x {marker('n:a:foo')}", ProblemCode.MARKER_SUFFIX),
        (f"a: x {marker('n')}", ProblemCode.MARKER_INERT),
        (f"a: &x y\nb: *x {marker('n:a')}", ProblemCode.ALIAS),
        (f"a: | {marker('n:a')}\n  x\n", ProblemCode.BLOCK_SCALAR),
        (f"a: x {marker('n:a')}\nsops: {{mac: x}}", ProblemCode.ENCRYPTED),
        (
            f"a: x {marker('n:a')}\nmetadata: {{annotations: {{config.kubernetes.io/path: b}}}}",
            ProblemCode.FOREIGN_PATH,
        ),
        *(
            (f"a: x {marker('n:a')}\n{odd}\n", ProblemCode.NOT_AN_OBJECT)
            for odd in (
                "---\n- b",
                "---\ntext",
                "metadata: x",
                "metadata: [x]",
                "metadata: {annotations: [x]}",
            )
        ),
        (f"a: x {marker('n:a')}\nb: *nothing", ProblemCode.UNPARSABLE),
        (f"a: !!int 3 {marker('n:a')}", ProblemCode.NOT_AN_IMAGE),
        (f"a: {{{{ .x }}}} {marker('n:a')}", ProblemCode.TEMPLATE),
        (f"a: [x {marker('n:a')}", ProblemCode.UNPARSABLE),
        (f"- a: x {marker('n:a')}", ProblemCode.NOT_AN_OBJECT),
        (f"a: caf\udce9 {marker('n:a')}", ProblemCode.NOT_UTF_8),
    ],
)
def test_what_was_not_done_is_named_and_the_file_is_as_it_was(text: str, code: ProblemCode) -> None:
    content = text.encode("utf-8", "surrogateescape")

    done = setters.set_markers("a.yaml", content, POLICIES)

    assert (done.content, done.changes) == (content, ())
    assert {problem.code for problem in done.problems} == {code}


@pytest.mark.parametrize(
    "beside",
    [
        *(
            "---\n",
            "---\nnull\n",
            "---\n# nothing\n",
            "metadata:\n",
            "metadata: {annotations: x}\n",
            "kind: [x]\n",
        ),
        "metadata: {annotations: {config.kubernetes.io/path: c/a.yaml}}\n",
    ],
)
def test_what_flux_reads_all_the_same_is_written(beside: str) -> None:
    content = f"a: !own x {marker('n:a')}\n{beside}".encode()

    done = setters.set_markers("b/c/a.yaml", content, POLICIES, folder="b")

    assert (done.content, done.problems) == (content.replace(b"x #", b"r.io/x/a:2.0 #"), ())


@pytest.mark.parametrize(
    ("beside", "codes"),
    [
        (f"digest: {DIGEST}", [ProblemCode.STALE_DIGEST]),
        (f"digest: {DIGEST} {marker('n:a:digest')}", []),
        ("digest: ''", []),
        ("digest:", []),
        ("name: x", []),
    ],
)
@pytest.mark.parametrize("key", ["newTag", "tag"])
def test_a_digest_that_stays_beside_a_new_tag_is_named(
    key: str, beside: str, codes: list[ProblemCode]
) -> None:
    text = f"images:\n- {key}: '1.0' {marker('n:a:tag')}\n  {beside}\n"

    done = setters.set_markers("a.yaml", text.encode(), POLICIES)
    again = setters.set_markers("a.yaml", done.content, POLICIES)

    assert f"{key}: '2.0'".encode() in done.content
    assert [problem.code for problem in done.problems] == codes
    assert [problem.line for problem in done.problems] == [3] * len(codes)
    assert again.problems == ()


def test_of_equal_keys_the_first_is_written_and_the_second_named() -> None:
    line = f"a: x {marker('n:a:tag')}\n"

    done = setters.set_markers("a.yaml", (line * 2).encode(), POLICIES)

    assert done.content == (line.replace("x", '"2.0"') + line).encode()
    assert [(problem.code, problem.line) for problem in done.problems] == [(ProblemCode.AMBIGUOUS, 2)]


def test_a_value_that_stands_there_already_is_no_change() -> None:
    content = f"a: r.io/x/a:2.0 {marker('n:a')}\n\n\n".encode()

    assert setters.set_markers("a.yaml", content, POLICIES) == setters.Setting(content, (), ())


@pytest.mark.parametrize("path", ["a.json", "a.YAML", "kustomization", "a.yaml.bak"])
def test_other_files_are_left_alone(path: str) -> None:
    content = f"a: x {marker('n:a')}".encode()

    assert setters.set_markers(path, content, POLICIES) == setters.Setting(content, (), ())


@given(st.text(max_size=40), st.sampled_from(["n:a", "n:a:tag", "n:d:digest", "m:x"]), st.integers(0, 60))
def test_setting_twice_is_setting_once_on_any_text(junk: str, policy: str, at: int) -> None:
    text = f"a:\n- x {marker(policy)}\nb: 'y' {marker(policy)}\n"
    content = (text[:at] + junk + text[at:]).encode("utf-8", "surrogatepass")

    once = setters.set_markers("a.yaml", content, POLICIES)
    twice = setters.set_markers("a.yaml", once.content, POLICIES)

    assert (twice.content, twice.changes) == (once.content, ())


@pytest.mark.parametrize(
    "text",
    [
        "r.io/x/a",
        "localhost:5000/a",
        "R/A:1",
        "r/a:",
        "r/a:1@sha256:aa",
        "r/a:x y",
        "r/a@" + DIGEST,
        "r/a:" + "x" * 129,
    ],
)
def test_a_latest_image_without_a_tag_or_with_a_bad_name_is_refused(text: str) -> None:
    with pytest.raises(PolicyError):
        setters.latest(text)


@pytest.mark.parametrize(
    ("path", "folder", "inside", "outside"),
    [
        ("", "", "a.yaml", None),
        ("./", "", "a/b.yaml", None),
        ("./apps", "apps", "apps/a.yaml", "apps2/a.yaml"),
        ("/apps/", "apps", "apps/b/a.yaml", "a.yaml"),
        ("../../apps", "apps", "apps/a.yaml", "b/apps/a.yaml"),
        ("a/../apps", "apps", "apps/a.yaml", "a/apps"),
        ("apps/a.yaml", "apps/a.yaml", "apps/a.yaml", "apps/a.yaml.bak"),
    ],
)
def test_an_update_never_leaves_its_path(path: str, folder: str, inside: str, outside: str | None) -> None:
    assert setters.scope({"strategy": "Setters", "path": path}) == folder
    assert setters.in_scope(inside, folder)
    assert outside is None or not setters.in_scope(outside, folder)


@pytest.mark.parametrize("update", [None, {"strategy": "Other"}, {"strategy": "setters"}])
def test_another_strategy_is_refused(update: dict[str, str] | None) -> None:
    with pytest.raises(PolicyError, match="expected Setters"):
        setters.scope(update)


def test_a_value_that_cannot_be_written_is_named() -> None:
    image = ImageReference(Repository("r/a"), Tag("1\nImage: x"), None)

    done = setters.set_markers("a.yaml", f"a: x {marker('n:a')}\n".encode(), {"n:a": image})

    assert done.changes == ()
    assert [problem.code for problem in done.problems] == [ProblemCode.UNPARSABLE]
