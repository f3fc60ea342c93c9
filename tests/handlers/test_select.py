"""``countersign select``: the choice alone on stdout, everything else said where it does not disturb."""

from pathlib import Path

import pytest

from tests.handlers.offline_line import Type, typist
from tests.real_registry import RealRegistry

TAGS = ["1.0.0", "1.2.0", "v1.3.0-rc1", "2.0.0", "latest", "sha256-ab.sig"]
REPOSITORY = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: {name: app, namespace: shop}
spec: {image: ghcr.io/example/app, interval: 5m, exclusionList: ["^2"]}
---
"""
POLICY = """\
apiVersion: image.toolkit.fluxcd.io/v1beta2
kind: ImagePolicy
metadata: {name: app, namespace: shop}
spec: {imageRepositoryRef: {name: app}, policy: {semver: {range: ">=1.0.0"}}}
---
"""


@pytest.fixture
def select(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Type:
    """Return what types ``select`` with arguments."""
    type_ = typist(capsys, monkeypatch)
    return lambda *arguments, stdin="": type_("select", *arguments, stdin=stdin)


@pytest.mark.parametrize(
    ("versions", "choice"),
    [
        pytest.param("1.x", "1.2.0", id="a range"),
        pytest.param(">=1.0.0", "2.0.0", id="a range that YAML would take for a block"),
        pytest.param("'>=1.0.0-0 <2'", "v1.3.0-rc1", id="a range in quotes"),
        pytest.param("{semver: 1.0.x}", "1.0.0", id="YAML in braces"),
        pytest.param("semver: 1.0.x", "1.0.0", id="YAML with a key"),
        pytest.param("{alphabetical: desc, tags: '^[0-9]'}", "1.0.0", id="alphabetical"),
        pytest.param(r"{numerical: asc, tags: '^v?(\d+)\.', extract: $1}", "2.0.0", id="numerical"),
    ],
)
def test_the_choice_stands_alone_on_stdout(select: Type, versions: str, choice: str) -> None:
    said = select("--versions", versions, "--tags", "-", stdin="\n".join(TAGS))

    assert (said.code, said.out, said.err) == (0, f"{choice}\n", "")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\n".join(TAGS), id="lines"),
        pytest.param("\r\n".join(["", *TAGS, "", TAGS[0]]), id="CRLF, empty lines, a tag twice"),
        pytest.param("\N{ZERO WIDTH NO-BREAK SPACE}" + "\n".join(TAGS), id="byte order mark"),
        pytest.param(str(TAGS).replace("'", '"'), id="a JSON list"),
        pytest.param(f'{{"name": "app", "tags": {TAGS}}}'.replace("'", '"'), id="a registry's answer"),
    ],
)
def test_tags_are_read_as_people_have_them(select: Type, tmp_path: Path, text: str) -> None:
    file = tmp_path / "tags"
    file.write_bytes(text.encode())

    assert select("--versions", "*", "--tags", file).out == "2.0.0\n"


def test_a_policy_is_read_with_its_repository(select: Type, tmp_path: Path) -> None:
    file = tmp_path / "flux.txt"  # any name will do
    file.write_text(REPOSITORY + POLICY, "utf-8")

    said = select("--policy", file, "--tags", "-", "--json", stdin="\n".join(TAGS))

    assert said.json == {
        "schema": "countersign.select/1",
        "selected": "1.2.0",
        "error": "",
        "policy": {"name": "shop/app", "semver": ">=1.0.0"},
        "image": "ghcr.io/example/app",
        "counts": {"excluded": 1, "not-a-version": 2, "older": 1, "prerelease": 1, "selected": 1},
    }


def test_without_its_repository_the_default_exclusions_hold_and_that_is_said(
    select: Type, tmp_path: Path
) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY, "utf-8")

    said = select("--policy", tmp_path, "--tags", "-", "--json", stdin="\n".join(TAGS))

    assert said.json["selected"] == "2.0.0"
    assert said.json["counts"]["excluded"] == 1
    assert "ImageRepository shop/app, which is not in these files" in said.err


def test_one_of_several_policies_is_named(select: Type, tmp_path: Path) -> None:
    file = tmp_path / "flux.yaml"
    file.write_text(
        POLICY + POLICY.replace("{name: app, n", "{name: web, n").replace(">=1.0.0", "1.0.x"), "utf-8"
    )

    unnamed = select("--policy", file, "--tags", "-", stdin="1.0.0\n1.2.0")
    named = select("--policy", file, "--name", "shop/web", "--tags", "-", stdin="1.0.0\n1.2.0")
    unknown = select("--policy", file, "--name", "shop/api", "--tags", "-", stdin="1.0.0\n1.2.0")

    assert (unnamed.code, unnamed.out) == (2, "")
    assert "--name, one of: shop/app, shop/web" in unnamed.err
    assert (named.code, named.out) == (0, "1.0.0\n")
    assert unknown.code == 2
    assert "no ImagePolicy shop/api" in unknown.err


def test_explain_shows_the_fate_of_every_tag(select: Type) -> None:
    said = select("--versions", "1.x", "--tags", "-", "--explain", stdin="\n".join([*TAGS, "a\x1b[31mb"]))

    lines = said.out.splitlines()
    assert lines[0] == "1.2.0"
    assert [line.split()[:2] for line in lines[1:]] == [
        ["TAG", "CODE"],
        ["1.2.0", "selected"],
        ["1.0.0", "older"],
        [r"a\x1b[31mb", "not-a-version"],
        ["latest", "not-a-version"],
        ["sha256-ab.sig", "not-a-version"],
        ["2.0.0", "out-of-range"],
        ["v1.3.0-rc1", "prerelease"],
    ]


def test_explain_as_json_lists_every_tag_with_what_its_code_means(select: Type) -> None:
    said = select("--versions", "1.x", "--tags", "-", "--explain", "--json", stdin="1.0.0\n2.0.0")

    assert [(one["tag"], one["code"]) for one in said.json["tags"]] == [
        ("1.0.0", "selected"),
        ("2.0.0", "out-of-range"),
    ]
    assert all(one["meaning"] for one in said.json["tags"])


@pytest.mark.parametrize(
    ("versions", "tags", "says"),
    [
        pytest.param("3.x", "\n".join(TAGS), " out-of-range", id="nothing fits"),
        pytest.param("3.x", "", "there are no tags", id="no tags"),
        pytest.param("{numerical: asc}", "1\nx", "'x' is not a number", id="a tag spoils the order"),
    ],
)
def test_nothing_selected_is_exit_1_and_said_on_stderr(
    select: Type, versions: str, tags: str, says: str
) -> None:
    said = select("--versions", versions, "--tags", "-", stdin=tags)

    assert (said.code, said.out) == (1, "")
    assert says in said.err


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        pytest.param([], "", "--policy FILE, or --versions", id="nothing asked"),
        pytest.param(["--versions", "1.x"], "", "where the tags are", id="no tags"),
        pytest.param(["--versions", "1.x", "--name", "a/b", "--tags", "-"], "", "--name picks", id="name"),
        pytest.param(["--versions", "1.y", "--tags", "-"], "", "not a version range", id="range"),
        pytest.param(["--versions", "{", "--tags", "-"], "", "this is not YAML", id="no YAML"),
        pytest.param(["--versions", "{latest: yes}", "--tags", "-"], "", "one of alphabetical", id="key"),
        pytest.param(["--versions", "{numerical: up}", "--tags", "-"], "", "asc or desc", id="order"),
        pytest.param(["--versions", "{semver: 1, tags: '('}", "--tags", "-"], "", "RE2", id="pattern"),
        pytest.param(["--versions", "1.x", "--tags", "absent"], "", "absent cannot be read", id="no file"),
        pytest.param(["--versions", "1.x", "--tags", "-"], '["a",\n1', "stdin:2: not JSON", id="no JSON"),
        pytest.param(
            ["--versions", "1.x", "--tags", "-"],
            '["a",\n1]',
            "stdin:2: 1 among the tags; expected text",
            id="a number",
        ),
        pytest.param(
            ["--versions", "1.x", "--tags", "-"],
            '{"a": 1}',
            "stdin:1: an object; expected a list",
            id="an object",
        ),
        pytest.param(
            ["--versions", "1.x", "--tags", "-"],
            '{"tags": [],\n"tags": []}',
            "stdin:2: the key 'tags'",
            id="twice",
        ),
        pytest.param(
            ["--versions", "1.x", "--tags", "-"],
            "[" + "9" * 9_999 + "]",
            "stdin:1: not JSON",
            id="a long number",
        ),
        pytest.param(
            ["--policy", "-", "--tags", "t"], "a: [\n", "-:2: unparsable: not YAML", id="no YAML of Flux"
        ),
        pytest.param(
            ["--policy", "-", "--tags", "t"], "a: b\n", "-:1: no ImagePolicy; expected", id="no policy there"
        ),
        pytest.param(
            ["--policy", "-", "--tags", "t"],
            POLICY.replace("/v1beta2", "/v9"),
            "has the version 'v9'; expected one of v1",
            id="a version",
        ),
        pytest.param(["--versions", "1.x", "--tags", "-"], "[" * 99_999, "stdin:1: ", id="deep"),
        pytest.param(["--versions", "1.x", "--tags", "-"], b"1.0.0\n\xff", "stdin:2: a byte", id="no UTF-8"),
        pytest.param(["--versions", "1.x", "--image", "https://a/b"], "", "not an image repo", id="image"),
        pytest.param(["--policy", "absent", "--tags", "-"], "", "absent cannot be read", id="no policy"),
        pytest.param(["--policy", "-", "--tags", "-"], "", "stdin holds one", id="both from stdin"),
    ],
)
def test_wrong_use_is_exit_2_and_says_what_was_expected(
    select: Type, arguments: list[str], stdin: str | bytes, says: str
) -> None:
    said = select(*arguments, stdin=stdin)

    assert (said.code, said.out) == (2, "")
    assert says in said.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(POLICY.replace(">=1.0.0", "nope"), "flux.yaml:4: InvalidPolicy: ", id="a range"),
        pytest.param("kind: Other\n", "no ImagePolicy", id="nothing of Flux"),
        pytest.param(POLICY + "{{ end }\n", "flux.yaml:6: template", id="a template"),
        pytest.param(POLICY + REPOSITORY + REPOSITORY, "ambiguous", id="two repositories"),
        pytest.param(
            POLICY + REPOSITORY.replace("ghcr.io", "https://ghcr.io"), "ImageURLInvalid", id="a scheme"
        ),
        pytest.param(
            POLICY.replace("Ref: {", "Ref: {namespace: infra, ") + REPOSITORY.replace("shop", "infra"),
            "AccessDenied",
            id="another namespace's",
        ),
    ],
)
def test_an_invalid_policy_is_refused_with_file_line_and_reason(
    select: Type, tmp_path: Path, text: str, says: str
) -> None:
    file = tmp_path / "flux.yaml"
    file.write_text(text, "utf-8")

    said = select("--policy", file, "--tags", "-", stdin="1.0.0")

    assert (said.code, said.out) == (2, "")
    assert says in said.err


def test_a_suspended_policy_is_answered_with_a_note(select: Type, tmp_path: Path) -> None:
    file = tmp_path / "flux.yaml"
    file.write_text(REPOSITORY + POLICY.replace("spec: {", "spec: {suspend: true, "), "utf-8")

    said = select("--policy", file, "--tags", "-", stdin="1.0.0")

    assert (said.code, said.out) == (0, "1.0.0\n")
    assert "is suspended" in said.err


def test_a_live_registry_is_asked(select: Type, tmp_path: Path) -> None:
    with RealRegistry(tmp_path / "registry") as registry:
        registry.push_index("example/app", "1.0.0", "a")
        registry.push_index("example/app", "1.1.0", "b")

        found = select("--versions", "1.x", "--image", f"{registry.host}/example/app")
        absent = select("--versions", "1.x", "--image", f"{registry.host}/example/absent")

    assert (found.code, found.out) == (0, "1.1.0\n")
    assert (absent.code, absent.out) == (3, "")
    assert "repository-unknown" in absent.err
