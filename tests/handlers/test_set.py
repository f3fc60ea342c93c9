"""``countersign set``: marked scalars are written, nothing else, and what was not done is named."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import orjson
import pytest
import yaml

from bot.errors import PermanentError
from bot.folder import Folder
from handlers.shell import set as setting
from policies.images.image import Digest, Tag
from policies.manifests import references
from policies.manifests.setters import latest
from policies.texts import edit
from tests.handlers.offline_line import Type, typist
from tests.real_registry import RealRegistry

DIGEST = "sha256:" + "9b1c" * 16
OTHER = "sha256:" + "0" * 64
MARKER = '{"$imagepolicy": "shop:app"}'
MARKED = """\
# the shop's
spec:
    image:  "ghcr.io/example/app:1.0.0"   # {"$imagepolicy": "shop:app"}

    tag: 1.0 # {"$imagepolicy": "shop:app:tag"}
"""
WRITTEN = MARKED.replace("app:1.0.0", "app:1.10").replace("tag: 1.0 ", 'tag: "1.10" ')
FLUX = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: {name: app, namespace: shop}
spec: {image: ghcr.io/example/app, interval: 5m}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: app, namespace: shop}
spec: {imageRepositoryRef: {name: app}, policy: {semver: {range: 1.x}}}
"""
REPOSITORIES = Path(
    os.environ.get("SHARED_REPOSITORIES") or Path(__file__).parents[3] / "shared" / "repositories"
)
NAMES = ("flux2-kustomize-helm-example", "k8s-gitops")


@pytest.fixture
def set_(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Type:
    """Return what types ``set`` with arguments."""
    type_ = typist(capsys, monkeypatch)
    return lambda *arguments, stdin="": type_("set", *arguments, stdin=stdin)


def put(folder: Path, **files: str | bytes) -> Path:
    """Write files; two underscores are a slash, one a dot."""
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def test_marked_scalars_are_written_and_nothing_else(set_: Type, tmp_path: Path) -> None:
    put(tmp_path, apps__a_yaml=MARKED, apps__b_yaml="image: a:1\n", c_txt=MARKED)
    (tmp_path / "apps/a.yaml").chmod(0o640)

    said = set_(tmp_path, "--image", "shop:app=ghcr.io/example/app:1.10")

    assert (tmp_path / "apps/a.yaml").read_text() == WRITTEN
    assert (tmp_path / "c.txt").read_text() == MARKED
    assert stat.S_IMODE((tmp_path / "apps/a.yaml").stat().st_mode) == 0o640
    assert sorted(path.name for path in (tmp_path / "apps").iterdir()) == ["a.yaml", "b.yaml"]
    assert said.code == 0
    assert said.out.splitlines() == [
        "apps/a.yaml:3 marker:shop:app ghcr.io/example/app:1.0.0 -> ghcr.io/example/app:1.10",
        "apps/a.yaml:5 marker:shop:app:tag 1.0 -> 1.10",
    ]
    assert said.err == "2 values in 1 files set; nothing else in them changes\n"


def test_setting_twice_is_setting_once(set_: Type, tmp_path: Path) -> None:
    put(tmp_path, a_yaml=MARKED)
    set_(tmp_path, "--image", "shop:app=ghcr.io/example/app:1.10")
    before = (tmp_path / "a.yaml").stat()

    said = set_(tmp_path, "--image", "shop:app=ghcr.io/example/app:1.10")

    assert (said.code, said.out) == (0, "")
    assert (tmp_path / "a.yaml").stat().st_ino == before.st_ino


def test_a_dry_run_prints_a_diff_that_git_applies(set_: Type, tmp_path: Path) -> None:
    put(tmp_path, a_yaml=MARKED.replace("\n", "\r\n"), b_yaml=MARKED.rstrip("\n"))
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)

    said = set_(tmp_path, "--image", "shop:app=ghcr.io/example/app:1.10", "--dry-run")

    assert (tmp_path / "b.yaml").read_text() == MARKED.rstrip("\n")
    assert "a.yaml:3 marker:shop:app ghcr.io" in said.err
    subprocess.run(["git", "-C", tmp_path, "apply", "-"], input=said.out.encode(), check=True)
    assert (tmp_path / "a.yaml").read_bytes() == WRITTEN.replace("\n", "\r\n").encode()
    assert (tmp_path / "b.yaml").read_text() == WRITTEN.rstrip("\n")


def test_one_file_may_be_named_and_digests_go_where_they_belong(set_: Type, tmp_path: Path) -> None:
    put(tmp_path, a_yaml=MARKED + '    d: "" # {"$imagepolicy": "shop:app:digest"}\n')

    said = set_(tmp_path / "a.yaml", "--image", f"shop:app=ghcr.io/example/app:1.1.0@{DIGEST}", "--json")

    assert said.json["schema"] == "countersign.set/1"
    assert said.json["written"] == ["a.yaml"]
    assert [one["new"] for one in said.json["changed"]] == [
        f"ghcr.io/example/app:1.1.0@{DIGEST}",
        "1.1.0",
        DIGEST,
    ]
    assert f'd: "{DIGEST}"' in (tmp_path / "a.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(MARKED + "x: [\n", "unparsable", id="not YAML"),
        pytest.param("{{- if .Values.x }}\n" + MARKED, "template", id="a template"),
        pytest.param(MARKED.replace("app:tag", "app:tags"), "marker-suffix", id="a suffix"),
        pytest.param('a: &x 1\nb: *x # {"$imagepolicy": "shop:app:tag"}\n', "alias", id="an alias"),
        pytest.param('a: |\n  x # {"$imagepolicy": "shop:app"}\n', "block-scalar", id="a block"),
        pytest.param(MARKED + "sops: {mac: x}\n", "encrypted", id="sops"),
        pytest.param(MARKED.encode() + b"# \xe9\n", "not-utf-8", id="not UTF-8"),
        pytest.param(
            b"#" * (8 * 1024 * 1024) + b"\n" + MARKED.encode(), "too-large", id="the marker far behind"
        ),
        pytest.param(b"#" * (8 * 1024 * 1024) + b"\nimage: a\n", "", id="large, without a marker"),
    ],
)
def test_what_is_refused_is_named_and_left_alone(
    set_: Type, tmp_path: Path, text: str | bytes, code: str
) -> None:
    put(tmp_path, bad_yaml=text, good_yaml=MARKED)
    before = (tmp_path / "bad.yaml").read_bytes()

    said = set_(tmp_path, "--image", "shop:app=ghcr.io/example/app:1.10")

    assert (tmp_path / "good.yaml").read_text() == WRITTEN
    if code == "marker-suffix":
        assert b"app:1.10" in (tmp_path / "bad.yaml").read_bytes()
    else:
        assert (tmp_path / "bad.yaml").read_bytes() == before
    assert said.code == (1 if code else 0)
    assert bool(re.search(rf"not done: bad\.yaml:\d+: {code}: .+", said.err)) is bool(code)


def test_a_marker_without_policy_is_a_note_that_strict_minds(set_: Type, tmp_path: Path) -> None:
    put(tmp_path, a_yaml=MARKED)

    lenient = set_(tmp_path, "--image", "shop:web=ghcr.io/example/web:1.0.0")
    strict = set_(tmp_path, "--image", "shop:web=ghcr.io/example/web:1.0.0", "--strict", "--json")

    assert (lenient.code, strict.code) == (0, 1)
    assert "note: a.yaml:3: marker-policy: " in lenient.err
    assert [(one["line"], one["code"], one["note"]) for one in strict.json["not_done"]] == [
        (3, "marker-policy", True),
        (5, "marker-policy", True),
    ]
    assert (tmp_path / "a.yaml").read_text() == MARKED


def test_links_that_lead_outside_are_not_followed(set_: Type, tmp_path: Path) -> None:
    inside, outside = put(tmp_path / "in", a_yaml=MARKED), put(tmp_path / "out", b_yaml=MARKED)
    (inside / "file.yaml").symlink_to(outside / "b.yaml")
    (inside / "folder").symlink_to(outside)
    (inside / "again.yaml").symlink_to("a.yaml")
    (inside / "dangling.yaml").symlink_to("nothing.yaml")
    put(inside, _git__c_yaml=MARKED)

    said = set_(inside, "--image", "shop:app=ghcr.io/example/app:1.10", "--json")

    assert (outside / "b.yaml").read_text() == MARKED
    assert (inside / ".git/c.yaml").read_text() == MARKED
    assert (inside / "again.yaml").is_symlink()
    assert said.json["written"] == ["a.yaml"]
    assert sorted(one["file"] for one in said.json["not_done"]) == ["file.yaml", "folder"]
    assert said.code == 0


def test_hidden_folders_and_files_named_kustomization_are_read(set_: Type, tmp_path: Path) -> None:
    put(tmp_path, _github__a_yml=MARKED)
    (tmp_path / "Kustomization").write_text(MARKED)

    said = set_(tmp_path, "--image", "shop:app=ghcr.io/example/app:1.10", "--json")

    assert said.json["written"] == [".github/a.yml", "Kustomization"]


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    folder = Folder.open(put(tmp_path, a_yaml="new"))

    with pytest.raises(PermanentError, match=r"a\.yaml changed while"):
        folder.write("a.yaml", b"old", b"other")

    assert (tmp_path / "a.yaml").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]


def test_what_could_not_be_written_is_not_reported_as_written(tmp_path: Path) -> None:
    folder = Folder.open(put(tmp_path, a_yaml=MARKED, b__b_yaml=MARKED))
    report = setting.Report()
    wanted = {"shop:app": latest("ghcr.io/example/app:1.10")}
    setting.look(folder, setting.by_markers(wanted, folder.files()), report)
    shutil.rmtree(tmp_path / "b")

    setting._write(folder, report)

    assert "b/b.yaml cannot be written: No such file" in report.failed
    assert list(report.files) == ["a.yaml"]
    assert {change.path for _, change in report.changes} == {"a.yaml"}
    assert not report.is_fine(strict=False)


# --- by policies ----------------------------------------------------------------------------------------------


def test_policies_choose_from_the_tags_that_are_given(set_: Type, tmp_path: Path) -> None:
    put(tmp_path, a_yaml=MARKED, flux_yaml=FLUX)
    tags = orjson.dumps({"ghcr.io/example/app": ["1.0.0", "1.10.0", "2.0.0"], "other": {"tags": None}})

    said = set_(tmp_path, "--policies", tmp_path, "--tags", "-", stdin=tags)

    assert said.code == 0
    assert 'image:  "ghcr.io/example/app:1.10.0"   #' in (tmp_path / "a.yaml").read_text()


def test_a_policy_that_reflects_digests_gets_them(set_: Type, tmp_path: Path) -> None:
    reflecting = FLUX.replace("spec: {imageR", "spec: {digestReflectionPolicy: IfNotPresent, imageR")
    put(tmp_path, a_yaml=MARKED, flux_yaml=reflecting)
    tags = {"ghcr.io/example/app": {"tags": ["1.1.0"], "digests": {"1.1.0": DIGEST}}}

    without = set_(
        tmp_path, "--policies", tmp_path, "--tags", "-", stdin=b'{"ghcr.io/example/app": ["1.1.0"]}'
    )
    with_it = set_(tmp_path, "--policies", tmp_path, "--tags", "-", stdin=orjson.dumps(tags))

    assert without.code == 1
    assert "flux.yaml:6: digest-unknown: " in without.err
    assert with_it.code == 0
    assert f'app:1.1.0@{DIGEST}"' in (tmp_path / "a.yaml").read_text()
    assert 'tag: 1.1.0 # {"$im' in (tmp_path / "a.yaml").read_text()


@pytest.mark.parametrize(
    ("flux", "tags", "code", "exit_code"),
    [
        pytest.param(FLUX, '{"ghcr.io/example/app": ["2.0.0"]}', "not-selected", 1, id="nothing fits"),
        pytest.param(FLUX, "{}", "repository-unknown", 1, id="no tags"),
        pytest.param(FLUX.replace("range: 1.x", "range: nope"), "{}", "InvalidPolicy", 1, id="range"),
        pytest.param(FLUX.partition("---\n")[2], "{}", "DependencyNotReady", 1, id="no repository"),
        pytest.param(FLUX + "---\n" + FLUX.partition("---\n")[2], "{}", "ambiguous", 1, id="twice"),
        pytest.param(
            FLUX.replace("spec: {imageR", "spec: {suspend: true, imageR"), "{}", "suspended", 0, id="asleep"
        ),
    ],
)
def test_a_policy_that_cannot_be_followed_is_named(
    set_: Type, tmp_path: Path, flux: str, tags: str, *, code: str, exit_code: int
) -> None:
    put(tmp_path / "apps", a_yaml=MARKED)
    put(tmp_path, flux_yaml=flux)

    said = set_(tmp_path / "apps", "--policies", tmp_path / "flux.yaml", "--tags", "-", stdin=tags)

    assert said.code == exit_code
    assert f": {code}: " in said.err
    assert (tmp_path / "apps/a.yaml").read_text() == MARKED


def test_live_registries_are_asked_for_tags_and_digests(set_: Type, tmp_path: Path) -> None:
    with RealRegistry(tmp_path / "registry") as registry:
        digest = registry.push_index("example/app", "1.1.0", "b")
        flux = FLUX.replace("spec: {imageR", "spec: {digestReflectionPolicy: IfNotPresent, imageR")
        put(tmp_path / "in", a_yaml=MARKED, flux_yaml=flux.replace("ghcr.io", registry.host))

        said = set_(tmp_path / "in", "--policies", tmp_path / "in", "--live")

    assert said.code == 0
    assert f'"{registry.host}/example/app:1.1.0@{digest}"' in (tmp_path / "in/a.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param([], "say what to set", id="nothing"),
        pytest.param(["--image", "shop:app=a:1", "--all-to", "1"], "say what to set", id="two things"),
        pytest.param(["--image", "shop=a:1"], "NAMESPACE:NAME=IMAGE:TAG", id="no policy"),
        pytest.param(["--image", "shop:app=ghcr.io/a"], "has no tag", id="no tag"),
        pytest.param(["--image", "shop:app=ghcr.io/a:1@sha256:9"], "digest", id="half a digest"),
        pytest.param(["--policies", "."], "--policies needs tags", id="no tags"),
        pytest.param(["--image", "shop:app=a:1", "--live"], "--policies needs tags", id="tags for nothing"),
        pytest.param(["--all-to", "a b"], "not a tag", id="no tag to move to"),
        pytest.param(["--policies", "absent", "--tags", "-"], "absent cannot be read", id="no policies"),
        pytest.param(["--policies", "/dev/null", "--tags", "-"], "stdin:1: not JSON", id="no JSON"),
    ],
)
def test_wrong_use_is_exit_2_and_writes_nothing(
    set_: Type, tmp_path: Path, arguments: list[str], says: str
) -> None:
    put(tmp_path, a_yaml=MARKED)

    said = set_(tmp_path, *arguments)

    assert (said.code, said.out) == (2, "")
    assert says in said.err
    assert (tmp_path / "a.yaml").read_text() == MARKED


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        ('["x"]', "stdin:1: a list, not an object of repositories; expected {REPOSITORY: [TAG, ...]}"),
        ('{\n"ghcr.io/x/a": "1"}', "stdin:2: text; expected a list of tags under 'ghcr.io/x/a'"),
        (
            '{\n"ghcr.io/x/a": [\n"1",\nnull]}',
            "stdin:4: null among the tags; expected text, in double quotes",
        ),
        (
            '{\n"https://x": []}',
            "stdin:2: 'https://x' is not an image repository; expected HOST/PATH without tag",
        ),
        (
            '{"ghcr.io/x/a": {"tags": ["1"],\n"digests": {\n"1": "sha256:z"}}}',
            "stdin:3: 'sha256:z' is not a digest; expected sha256: and 64 hexadecimal digits",
        ),
        (
            '{"ghcr.io/x/a": {"tags": ["1"],\n"digests": 3}}',
            "stdin:2: a number under digests of 'ghcr.io/x/a'; expected an object of tags and their digests",
        ),
        ('{"a/b": [],\n"a/b": []}', "stdin:2: the key 'a/b' stands twice in its"),
    ],
)
def test_bad_tags_are_refused_with_their_line_and_what_was_expected(
    set_: Type, tmp_path: Path, tags: str, says: str
) -> None:
    put(tmp_path, a_yaml=MARKED, flux_yaml=FLUX)

    said = set_(tmp_path, "--policies", tmp_path, "--tags", "-", stdin=tags)

    assert (said.code, said.out) == (2, "")
    assert says in said.err
    assert (tmp_path / "a.yaml").read_text() == MARKED


@pytest.mark.parametrize(
    "text",
    [
        *(f'a: x # {{"$imagepolicy": "shop:app{suffix}"}}\n' for suffix in (":foo", "/x", "")),
        *(
            f"{line}\nb: 1 # {MARKER}\n"
            for line in ("- a", "a: [", "a: *b", "metadata: x", "a: caf\udce9", "a: \x01")
        ),
        f"a: &b x\nc: *b # {MARKER}\n",
        f"a: | # {MARKER}\n  x\n",
        f"a: {{{{ .x }}}} # {MARKER}\n",
        f"a: !!int 3 # {MARKER}\n",
        f"a: 1 # {MARKER}\na: 2 # {MARKER}\n",
        f"a: x # {MARKER}\nsops: {{mac: x}}\n",
        f"metadata: {{annotations: {{config.kubernetes.io/path: x}}}}\na: x # {MARKER}\n",
        f'newTag: x # {MARKER[:-2]}:tag"}}\ndigest: sha256:0\n',
        f"{'[' * 300}{']' * 300} # {MARKER}\n",
    ],
)
def test_whatever_is_not_done_is_named_with_file_line_and_what_was_expected(
    set_: Type, tmp_path: Path, text: str
) -> None:
    (tmp_path / "a.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))

    said = set_(tmp_path, "--image", "shop:other=a/b:1", "--image", "shop:app=a/b:2", "--json")

    for one in said.json["not_done"]:
        assert (one["file"], one["line"] > 0) == ("a.yaml", True)
        assert "expected" in one["detail"], one
    assert said.json["not_done"] or said.json["changed"]


def test_a_folder_that_is_not_there_is_named(set_: Type, tmp_path: Path) -> None:
    said = set_(tmp_path / "absent", "--all-to", "1")

    assert said.code == 2
    assert "there is no folder or file" in said.err


# --- every reference of real repositories ---------------------------------------------------------------------


@pytest.fixture(params=NAMES)
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a copy of a real repository."""
    place = REPOSITORIES / request.param
    if not place.is_dir():
        pytest.skip(f"{request.param} is not in {REPOSITORIES} (SHARED_REPOSITORIES)")
    copy: Path = tmp_path / request.param
    shutil.copytree(place, copy, symlinks=True)
    return copy


def test_all_references_at_once_change_only_their_bytes(set_: Type, repository: Path) -> None:
    before = tree(repository)

    said = set_(repository, "--all-to", f"9.9.9@{OTHER}", "--json")

    after = tree(repository)
    assert said.json["changed"]
    assert said.json["failed"] == ""
    assert {path for path in before if before[path] != after[path]} == set(said.json["written"])
    for path in said.json["written"]:
        changed = [
            (one["line"], one["old"], one["new"]) for one in said.json["changed"] if one["file"] == path
        ]
        assert_only_these_changed(before[path], after[path], changed)
    assert set_(repository, "--all-to", f"9.9.9@{OTHER}", "--json").json["changed"] == []


def test_each_reference_alone_changes_only_its_bytes(repository: Path) -> None:
    count = 0
    for path, content in tree(repository).items():
        for reference in references.find(path, content).references:
            edits = references.rewrite(reference, Tag("9.9.9"), Digest(OTHER), pin=False)
            after = edit.apply(content, edits)

            lines = [content.decode().count("\n", 0, one.start) + 1 for one in edits]
            assert edits
            changed = [(line, one.old, one.new) for line, one in zip(lines, edits, strict=True)]
            assert_only_these_changed(content, after, changed)
            count += 1
    assert count


CHART = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
spec:
  chart:
    spec:
      chart: web
      version: 1.4.2 # ours
      sourceRef: {kind: HelmRepository, name: charts}
"""
CHARTS = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: shop}
spec: {type: oci, url: "oci://ghcr.io/example/charts"}
"""


def test_a_chart_moves_whose_repository_stands_in_another_file(set_: Type, tmp_path: Path) -> None:
    put(tmp_path, apps__web_yaml=CHART, sources__charts_yaml=CHARTS)

    said = set_(tmp_path, "--all-to", "2.0.0_b", "--json")

    assert said.code == 0
    assert [(one["file"], one["line"], one["old"], one["new"]) for one in said.json["changed"]] == [
        ("apps/web.yaml", 8, "1.4.2", "2.0.0+b")
    ]
    assert (tmp_path / "apps/web.yaml").read_text() == CHART.replace("1.4.2", "2.0.0+b")


@pytest.mark.parametrize(
    ("charts", "tag", "code", "expected", "exit_code"),
    [
        pytest.param(CHARTS, "latest", "not-a-version", "expected a tag such as 1.2.3", 1, id="no version"),
        pytest.param("", "2.0.0", "chart-source", "expected it there", 0, id="no repository"),
    ],
)
def test_a_chart_that_does_not_move_is_named_with_its_line(
    *, set_: Type, tmp_path: Path, charts: str, tag: str, code: str, expected: str, exit_code: int
) -> None:
    put(tmp_path, web_yaml=CHART, charts_yaml=charts)

    said = set_(tmp_path, "--all-to", tag)

    assert said.code == exit_code
    assert f"web.yaml:8: {code}: " in said.err
    assert expected in said.err
    assert (tmp_path / "web.yaml").read_text() == CHART


def test_a_digest_is_not_made_up(set_: Type, tmp_path: Path) -> None:
    text = f"kind: Pod\nspec: {{containers: [{{name: a, image: 'a/b:1@{DIGEST}'}}, {{name: b, image: 'a/c:1'}}]}}\n"
    put(tmp_path, a_yaml=text)

    said = set_(tmp_path, "--all-to", "2")

    assert said.code == 1
    assert "digest-unknown" in said.err
    assert (tmp_path / "a.yaml").read_text() == text.replace("a/c:1", "a/c:2")


def tree(root: Path) -> dict[str, bytes]:
    """Return all files by their paths."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def assert_only_these_changed(before: bytes, after: bytes, changed: list[tuple[int, str, str]]) -> None:
    """Hold two files against each other: equal but for the values in the lines that are named."""
    old, new = before.split(b"\n"), after.split(b"\n")
    assert len(old) == len(new)
    by_line: dict[int, list[tuple[str, str]]] = {}
    for line, one, other in changed:
        by_line.setdefault(line, []).append((one, other))
    for number, (written, found) in enumerate(zip(old, new, strict=True), start=1):
        expected = written
        for value, instead in by_line.get(number, ()):
            assert value.encode() in expected
            expected = expected.replace(value.encode(), instead.encode(), 1)
        assert found in {expected, *(quoted(expected, instead) for _, instead in by_line.get(number, ()))}
    values = {(value, instead) for _, value, instead in changed}
    for first, second in zip(scalars(before), scalars(after), strict=True):
        assert first == second or (first[1], second[1]) in values


def quoted(line: bytes, value: str) -> bytes:
    """Put a value into double quotes, as an edit may have to."""
    return line.replace(value.encode(), f'"{value}"'.encode(), 1)


def scalars(content: bytes) -> list[tuple[str, str]]:
    """Return everything that a reader of YAML sees, in order: kind of event and value."""
    events = yaml.parse(content.decode(), Loader=yaml.CSafeLoader)
    return [(type(event).__name__, str(getattr(event, "value", ""))) for event in events]
