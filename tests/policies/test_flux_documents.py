"""Flux's image documents: what is read, which of them belong together, what is wrong, and who else writes."""

import subprocess
from pathlib import Path
from textwrap import indent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.flux import documents as flux_documents
from policies.flux.documents import FluxDocuments, ImagePolicy, Reason, Unresolved
from policies.images.digest_reflection import DigestReflection
from policies.images.selection import SelectionPolicy, select
from policies.texts.unified_diff import unified

REPOSITORY = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: {name: app, namespace: shop}
spec:
  image: ghcr.io/example/app
  interval: 5m
"""
POLICY = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: app, namespace: shop}
spec:
  imageRepositoryRef: {name: app}
  policy: {semver: {range: 1.x}}
"""
AUTOMATION = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata: {name: writer, namespace: shop}
spec:
  interval: 10m
  sourceRef: {kind: GitRepository, name: fleet}
  git: {commit: {author: {email: bot@example.com}}}
  update: {path: ./apps/staging}
"""


def documents(*texts: str, **files: str) -> FluxDocuments:
    """Read texts as one file, and files by their names (two underscores are a slash, one a dot)."""
    named = {name.replace("__", "/").replace("_", "."): text.encode() for name, text in files.items()}
    return flux_documents.read({"flux.yaml": "---\n".join(texts).encode(), **named})


def reasons(found: FluxDocuments) -> list[str]:
    """Return the codes of what is wrong, without notices."""
    return [problem.code for problem in found.problems if problem.code != Reason.NO_EFFECT]


@pytest.mark.parametrize("version", ["v1", "v1beta2", "v1beta1"])
def test_every_api_version_says_the_same(version: str) -> None:
    texts = [text.replace("io/v1", f"io/{version}") for text in (REPOSITORY, POLICY, AUTOMATION)]

    found = documents(*texts)

    assert [one.image for one in found.repositories] == ["ghcr.io/example/app"]
    assert [one.selection for one in found.policies] == [SelectionPolicy.semver("1.x")]
    assert [one.folder for one in found.automations] == ["apps/staging"]
    assert reasons(found) == []


def test_documents_know_where_they_stand() -> None:
    found = documents("# owned by the platform team\nkind: Other\n", REPOSITORY, POLICY)

    assert [(one.path, one.line) for one in found.repositories] == [("flux.yaml", 4)]
    assert [(one.path, one.line) for one in found.policies] == [("flux.yaml", 11)]


def test_the_items_of_a_list_are_read() -> None:
    items = indent(POLICY, "  ").replace("  apiVersion", "- apiVersion", 1)

    found = documents(f"apiVersion: v1\nkind: List\nitems:\n{items}")

    assert [str(one.name) for one in found.policies] == ["shop/app"]


def test_the_namespace_of_the_kustomization_beside_a_file_is_taken() -> None:
    bare = POLICY.replace(", namespace: shop", "")

    found = documents(apps__policy_yaml=bare, apps__kustomization_yaml="namespace: other\n")

    assert [str(one.name) for one in found.policies] == ["other/app"]
    assert [str(one.repository) for one in found.policies] == ["other/app"]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        pytest.param("semver: {range: 1.x}", SelectionPolicy.semver("1.x"), id="semver"),
        pytest.param("alphabetical: {order: desc}", SelectionPolicy.alphabetical("desc"), id="alphabetical"),
        pytest.param("numerical: {}", SelectionPolicy.numerical("asc"), id="numerical, by default ascending"),
        pytest.param(
            "numerical: {order: asc}, semver: {range: '*'}",
            SelectionPolicy.semver("*"),
            id="semver before all",
        ),
        pytest.param(
            "numerical: {order: asc}, alphabetical: {order: asc}",
            SelectionPolicy.alphabetical("asc"),
            id="alphabetical before numerical",
        ),
    ],
)
def test_the_first_way_to_choose_counts(written: str, wanted: SelectionPolicy) -> None:
    found = documents(REPOSITORY, POLICY.replace("semver: {range: 1.x}", written))

    assert [one.selection for one in found.policies] == [wanted]
    assert reasons(found) == []


def test_a_filter_passes_what_it_extracts() -> None:
    filtered = "  filterTags: {pattern: '^main-[0-9a-f]+-(?P<ts>[0-9]+)', extract: $ts}\n"

    found = documents(
        REPOSITORY, POLICY.replace("semver: {range: 1.x}", "numerical: {order: asc}") + filtered
    )

    selection = found.policies[0].selection
    assert selection is not None
    assert select(selection, ["main-ab-9", "main-cd-10", "1.0.0"]).best == "main-cd-10"


def test_digest_and_suspension_are_read() -> None:
    found = documents(
        REPOSITORY, POLICY + "  digestReflectionPolicy: Always\n  interval: 1h30m\n  suspend: true\n"
    )

    assert found.policies[0].digest is DigestReflection.ALWAYS
    assert found.policies[0].is_suspended
    assert reasons(found) == []


@pytest.mark.parametrize(
    ("change", "reason", "line", "says"),
    [
        pytest.param(("range: 1.x", "range: 1.x.y.z"), Reason.INVALID_POLICY, 6, "not a version", id="range"),
        pytest.param(
            ("{semver: {range: 1.x}}", "{}"), Reason.INVALID_POLICY, 6, "one of semver", id="no choice"
        ),
        pytest.param(
            ("1.x}}", "1.x}}\n  filterTags: {pattern: '(?=x)'}"),
            Reason.INVALID_POLICY,
            7,
            "RE2",
            id="pattern",
        ),
        pytest.param(
            ("semver: {range: 1.x}", "numerical: {order: up}"), Reason.INVALID, 6, "asc or desc", id="order"
        ),
        pytest.param(
            ("range: 1.x", "range: 1.10"), Reason.INVALID, 6, "quote it", id="a range that is a number"
        ),
        pytest.param(
            ("range: 1.x", "range: [1]"), Reason.INVALID, 6, "expected text", id="a range that is a list"
        ),
        pytest.param(("{name: app}", "{}"), Reason.INVALID, 5, "ImageRepository", id="no repository"),
        pytest.param(("{name: app,", "{"), Reason.INVALID, 1, "metadata.name", id="no name"),
        pytest.param(("1.x}}", "1.x}}\n  interval: 5m"), Reason.INVALID, 4, "Always only", id="interval"),
        pytest.param(
            ("1.x}}", "1.x}}\n  digestReflectionPolicy: Always"),
            Reason.INTERVAL_NOT_CONFIGURED,
            5,
            "beside digestReflectionPolicy: Always",
            id="Always without interval",
        ),
        pytest.param(
            ("1.x}}", "1.x}}\n  digestReflectionPolicy: Sometimes"),
            Reason.INVALID,
            7,
            "IfNotPresent",
            id="digest",
        ),
        pytest.param(
            ("{range: 1.x}", "{}"), Reason.INVALID, 6, "expected a range", id="semver without range"
        ),
        pytest.param(
            ("{range: 1.x}", "1.x"), Reason.INVALID, 6, "expected a map", id="semver that is no map"
        ),
        pytest.param(("1.x}}", "1.x}}\n  suspend: maybe"), Reason.INVALID, 7, "true or false", id="suspend"),
        pytest.param(("name: app, namespace: shop", "a"), Reason.INVALID, 1, "metadata.name", id="metadata"),
    ],
)
def test_an_invalid_policy_is_named_as_flux_names_it(
    change: tuple[str, str], reason: Reason, line: int, says: str
) -> None:
    text = POLICY.replace(*change)
    assert text != POLICY

    found = flux_documents.read({"policy.yaml": text.encode(), "repository.yaml": REPOSITORY.encode()})

    assert (reason, "policy.yaml") in [(one.code, one.path) for one in found.problems]
    problem = next(one for one in found.problems if one.code == reason)
    assert says in problem.detail
    assert "expected" in problem.detail or "quote" in problem.detail
    assert abs(problem.line - line) <= 1
    assert found.policies[0].selection is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(("ghcr.io", "https://ghcr.io"), Reason.IMAGE_URL_INVALID, id="a scheme"),
        pytest.param(("example/app", "example/app:1.0"), Reason.IMAGE_URL_INVALID, id="a tag"),
        pytest.param(("  image: ghcr.io/example/app\n", ""), Reason.INVALID, id="no image"),
        pytest.param(("interval: 5m", "interval: PT5M"), Reason.INVALID, id="interval"),
        pytest.param(("  interval: 5m\n", ""), Reason.INVALID, id="no interval"),
        pytest.param(("5m", "5m\n  provider: other"), Reason.INVALID, id="provider"),
        pytest.param(("5m", "5m\n  exclusionList: ['(']"), Reason.READ_OPERATION_FAILED, id="exclusion"),
        pytest.param(("5m", f"5m\n  exclusionList: {['x'] * 26}"), Reason.INVALID, id="26 exclusions"),
        pytest.param(("5m", "5m\n  exclusionList: x"), Reason.INVALID, id="exclusions that are no list"),
        pytest.param(("5m", "5m\n  accessFrom: {namespaceSelectors: a}"), Reason.INVALID, id="selectors"),
        pytest.param(
            ("  interval: 5m", "  interval: {a: b}"), Reason.INVALID, id="an interval that is a map"
        ),
        pytest.param(("io/v1\n", "io/v1alpha1\n"), Reason.INVALID, id="an old version"),
    ],
)
def test_an_invalid_repository_is_named_as_flux_names_it(change: tuple[str, str], reason: Reason) -> None:
    found = documents(REPOSITORY.replace(*change))

    assert reasons(found) == [reason]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        pytest.param("", (r"^.*\.sig$",), id="left out"),
        pytest.param("  exclusionList: []\n", (r"^.*\.sig$",), id="empty"),
        pytest.param('  exclusionList: ["-rc", ^v]\n', ("-rc", "^v"), id="own"),
    ],
)
def test_an_own_exclusion_list_replaces_the_default(written: str, wanted: tuple[str, ...]) -> None:
    assert documents(REPOSITORY + written).repositories[0].exclusions == wanted


def test_what_has_no_effect_is_listed_with_its_line() -> None:
    found = documents(REPOSITORY + "  secretRef: {name: login}\n  insecure: true\n  provider: generic\n")

    notices = [(one.line, one.detail.split(" ")[0]) for one in found.problems]
    assert (7, "spec.secretRef") in notices
    assert (8, "spec.insecure") in notices
    assert (6, "spec.interval") in notices
    assert not [detail for _, detail in notices if detail == "spec.provider"]
    assert found.repositories[0].invalid == ()


@pytest.mark.parametrize(
    ("access", "labels", "is_open"),
    [
        pytest.param("", "{tenant: a}", False, id="no accessFrom"),
        pytest.param("[{matchLabels: {}}]", "{}", True, id="no labels asked for"),
        pytest.param("[{matchLabels: {tenant: b}}]", "{tenant: b}", True, id="the label"),
        pytest.param("[{matchLabels: {tenant: b}}]", "{tenant: a}", False, id="another label"),
        pytest.param(
            "[{matchLabels: {a: b}}, {matchLabels: {tenant: a}}]", "{tenant: a}", True, id="one of two"
        ),
        pytest.param("[{matchLabels: {a: b, tenant: a}}]", "{tenant: a}", False, id="half of two labels"),
        pytest.param("[{matchLabels: {kubernetes.io/metadata.name: other}}]", "{}", True, id="by name"),
        pytest.param("[]", "{}", False, id="no selector"),
    ],
)
def test_a_repository_is_open_to_whom_its_access_list_selects(
    access: str, labels: str, *, is_open: bool
) -> None:
    repository = REPOSITORY + (f"  accessFrom: {{namespaceSelectors: {access}}}\n" if access else "")
    policy = POLICY.replace("{name: app}", "{name: app, namespace: shop}").replace(
        "{name: app, namespace: shop}", "{name: app, namespace: other}", 1
    )
    namespace = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: other, labels: {labels}}}\n"

    found = documents(repository, policy, namespace)

    assert reasons(found) == ([] if is_open else [Reason.ACCESS_DENIED])


def test_a_repository_that_is_nowhere_is_named() -> None:
    assert reasons(documents(POLICY)) == [Reason.DEPENDENCY_NOT_READY]


def test_the_repository_of_the_own_cluster_is_taken() -> None:
    other = REPOSITORY.replace("example/app", "mirror/app")
    found = documents(
        a__policy_yaml=POLICY, a__repository_yaml=REPOSITORY, b__policy_yaml=POLICY, b__repository_yaml=other
    )

    images = [flux_documents.repository_of(policy, found) for policy in found.policies]

    assert [getattr(one, "image", one) for one in images] == ["ghcr.io/example/app", "ghcr.io/mirror/app"]


def test_two_repositories_of_one_name_in_one_folder_are_ambiguous() -> None:
    assert reasons(documents(POLICY, REPOSITORY, REPOSITORY)) == [Reason.AMBIGUOUS]


def test_a_name_is_resolved_within_a_folder() -> None:
    found = documents(clusters__a__policy_yaml=POLICY, clusters__b__policy_yaml=POLICY)

    everywhere = flux_documents.resolve("shop/app", found)
    here = flux_documents.resolve("shop/app", found, "./clusters/b/")
    nowhere = flux_documents.resolve("shop/app", found, "clusters/bb")

    assert isinstance(everywhere, Unresolved)
    assert everywhere.reason is Reason.AMBIGUOUS
    assert "clusters/a/policy.yaml:1, clusters/b/policy.yaml:1" in everywhere.detail
    assert isinstance(here, ImagePolicy)
    assert here.path == "clusters/b/policy.yaml"
    assert isinstance(nowhere, Unresolved)
    assert nowhere.reason is Reason.MISSING
    assert "shop/app" in nowhere.detail


@pytest.mark.parametrize(
    ("name", "is_found"),
    [("shop/app", True), ("shop:app", True), ("app", True), ("other/app", False), ("shop/ap", False)],
)
def test_a_policy_is_found_by_its_namespace_and_name(name: str, *, is_found: bool) -> None:
    assert isinstance(flux_documents.resolve(name, documents(POLICY)), ImagePolicy) is is_found


def test_a_policy_without_namespace_is_whose_is_asked_for_but_a_written_one_comes_first() -> None:
    bare = POLICY.replace(", namespace: shop", "")
    both = documents(a_yaml=bare, b_yaml=POLICY)

    assert isinstance(flux_documents.resolve("any/app", documents(bare)), ImagePolicy)
    found = flux_documents.resolve("shop/app", both)
    assert isinstance(found, ImagePolicy)
    assert found.path == "b.yaml"


@pytest.mark.parametrize(
    ("folder", "path", "wanted"),
    [
        pytest.param("./apps/staging", "apps/staging", True, id="the folder"),
        pytest.param("./apps/staging", "apps/staging/web/values.yaml", True, id="a file in it"),
        pytest.param("./apps/staging", "apps", True, id="a folder around it"),
        pytest.param("./apps/staging", "apps/staging-eu", False, id="a longer name"),
        pytest.param("apps/../clusters", "clusters/a", True, id="a way around"),
        pytest.param("../../apps", "apps/staging", True, id="out of the repository is clamped"),
        pytest.param("", "anything", True, id="the repository"),
    ],
)
def test_an_automation_covers_its_path(folder: str, path: str, *, wanted: bool) -> None:
    found = documents(AUTOMATION.replace("./apps/staging", f"'{folder}'"))

    assert flux_documents.covers(found.automations[0], path) is wanted
    assert bool(flux_documents.covering(found, ["elsewhere.txt", path])) is (wanted or not folder)


def test_a_suspended_automation_covers_nothing_and_needs_no_patch() -> None:
    found = documents(AUTOMATION + "  suspend: true\n")

    assert not flux_documents.covers(found.automations[0], "apps/staging")
    assert found.automations[0].suspend_patch == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(("path: .", "strategy: Magic, path: ."), Reason.INVALID_UPDATE_STRATEGY, id="strategy"),
        pytest.param(("kind: Git", "kind: Oci"), Reason.INVALID_SOURCE_CONFIGURATION, id="source kind"),
        pytest.param((", name: fleet", ""), Reason.INVALID_SOURCE_CONFIGURATION, id="source name"),
        pytest.param(
            ("  git: {commit: {author: {email: bot@example.com}}}\n", ""),
            Reason.INVALID_SOURCE_CONFIGURATION,
            id="no git",
        ),
        pytest.param(
            ("10m", f"10m\n  policySelector: {{matchLabels: {{{'x' * 64}: a}}}}"),
            Reason.INVALID_POLICY_SELECTOR,
            id="a long label",
        ),
        pytest.param(
            ("10m", "10m\n  policySelector: {matchExpressions: [{key: a, operator: In}]}"),
            Reason.INVALID_POLICY_SELECTOR,
            id="In without values",
        ),
        pytest.param(
            ("10m", "10m\n  policySelector: {matchExpressions: [{key: /, operator: Exists}]}"),
            Reason.INVALID_POLICY_SELECTOR,
            id="a label without name",
        ),
        pytest.param(
            ("{commit: {", "{commit: {messageTemplate: '{{ .Updated.Images }}', "),
            Reason.REMOVED_TEMPLATE_FIELD,
            id="removed field",
        ),
    ],
)
def test_a_stalled_automation_is_named_and_still_covers(change: tuple[str, str], reason: Reason) -> None:
    text = AUTOMATION.replace(*change)
    assert text != AUTOMATION

    found = documents(text)

    assert reasons(found) == [reason]
    assert flux_documents.covers(found.automations[0], "apps/staging")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(AUTOMATION, id="block"),
        pytest.param(f"# a\n---\n{AUTOMATION}---\n{POLICY}", id="between others"),
        pytest.param(AUTOMATION.replace("\n", "\r\n"), id="CRLF"),
        pytest.param("\N{ZERO WIDTH NO-BREAK SPACE}" + AUTOMATION, id="byte order mark"),
        pytest.param(AUTOMATION + "  suspend: false\n", id="suspend: false"),
        pytest.param(AUTOMATION + "  suspend: false # until Monday", id="no newline at the end"),
        pytest.param(AUTOMATION + "  suspend:   # undecided\n", id="suspend without a value"),
        pytest.param(
            AUTOMATION.partition("spec:")[0] + "spec: {interval: 1m, sourceRef: {name: a}, git: {}}\n",
            id="flow",
        ),
        pytest.param("kind: List\nitems:\n- " + indent(AUTOMATION, "  ").lstrip(), id="in a list"),
    ],
)
def test_the_patch_suspends_and_git_takes_it(text: str, tmp_path: Path) -> None:
    file = tmp_path / "flux.yaml"
    file.write_bytes(text.encode())
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    patch = flux_documents.read({"flux.yaml": text.encode()}).automations[0].suspend_patch

    subprocess.run(["git", "-C", tmp_path, "apply", "-"], input=patch.encode(), check=True)

    after = flux_documents.read({"flux.yaml": file.read_bytes()})
    assert [one.is_suspended for one in after.automations] == [True]
    assert reasons(after) == reasons(flux_documents.read({"flux.yaml": text.encode()}))
    assert len(file.read_text("utf-8")) - len(text) <= len("    suspend: true\r\n")


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param("spec: later\n", id="no map"),
        pytest.param("spec: {}\n", id="an empty map"),
        pytest.param("spec:\n  suspend: [a]\n", id="suspend that is a list"),
        pytest.param("spec:\n  ? interval\n  : 1m\n", id="a key with a question mark"),
    ],
)
def test_without_a_sure_place_there_is_no_patch(spec: str) -> None:
    found = documents(AUTOMATION.partition("spec:")[0] + spec)

    assert [one.suspend_patch for one in found.automations] == [""]
    assert reasons(found)
    assert flux_documents.covers(found.automations[0], "anything")


@pytest.mark.parametrize(
    "selector",
    [
        "matchLabels: {app.kubernetes.io/part-of: shop, left-out: null}",
        "matchExpressions: [{key: a, operator: In, values: [b]}, {key: a, operator: Exists}]",
    ],
)
def test_a_selector_of_labels_is_fine(selector: str) -> None:
    assert reasons(documents(AUTOMATION + f"  policySelector: {{{selector}}}\n")) == []


def test_other_kinds_and_broken_neighbours_are_passed_over() -> None:
    open_to = REPOSITORY + "  accessFrom: {namespaceSelectors: [{matchLabels: {}}]}\n"

    found = documents(
        open_to,
        POLICY.replace("ImagePolicy", "ImageOther"),
        broken_yaml="kind: Namespace\nx: [\n",
        named_yaml="kind: Namespace\napiVersion: other/v1\n",
        a__kustomization_yaml="x: [namespace\n",
        b__kustomization_yaml="- namespace\n",
    )

    assert [str(one.name) for one in found.repositories] == ["shop/app"]
    assert found.problems == documents(open_to).problems
    assert found.namespaces == {}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(POLICY + "{{ if .Values.x }}\n", "template", id="a template"),
        pytest.param(POLICY + "x: [\n", "unparsable", id="not YAML"),
        pytest.param(POLICY + "sops: {mac: x}\n", "encrypted", id="sops"),
        pytest.param(POLICY + "# \udcff\n", "not-utf-8", id="not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(text: str, code: str) -> None:
    found = flux_documents.read({"a.yaml": text.encode("utf-8", "surrogateescape")})

    assert [(one.path, one.code) for one in found.problems] == [("a.yaml", code)]
    assert found.policies == ()


def test_other_files_are_not_read() -> None:
    assert documents("image: {{ template }}\n") == FluxDocuments()


WORDS = [word for text in (REPOSITORY, POLICY, AUTOMATION) for word in text.split()]


@given(st.lists(st.sampled_from([*WORDS, "\n", "\n  ", "*a", "&a ", "[", "null"])).map(" ".join))
def test_no_text_makes_reading_fail(text: str) -> None:
    content = text.encode() + b" # image.toolkit.fluxcd.io"

    found = flux_documents.read({"a.yaml": content, "kustomization.yaml": content})

    assert all(problem.line >= 1 for problem in found.problems)


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=30), st.data())
def test_a_diff_says_what_was_changed(lines: list[str], data: st.DataObject) -> None:
    before = "\n".join(lines)
    changed = data.draw(st.lists(st.sampled_from(["", "a", "b", "x"]), max_size=30))
    after = "\n".join(changed)

    diff = unified("a b.yaml", before, after)

    assert _applied(before, diff) == after


def _applied(before: str, diff: str) -> str:
    """Apply a unified diff by the book, checking each line that it names."""
    old, result, at = before.split("\n"), [], 0
    if not diff:
        return before
    body = diff.split("\n")[2:-1]
    for number, line in enumerate(body):
        bare = number + 1 < len(body) and body[number + 1].startswith("\\")
        if line.startswith("@@"):
            first = int(line.split()[1][1:].split(",")[0])
            count = int(line.split()[1].split(",")[1])
            start = first - 1 if count else first
            result += [f"{one}\n" for one in old[at:start]]
            at = start
        elif line[0] in " -":
            assert old[at] == line[1:]
            at += 1
        if line[0] in " +":
            result.append(line[1:] + ("" if bare else "\n"))
    rest = old[at:]
    return "".join(result) + "\n".join(rest)


def test_neighbours_share_a_hunk_and_what_goes_stands_before_what_comes() -> None:
    before, after = "a\nb\nc\nd\ne\nf", "A\nB\nc\nd\nE\nf"

    assert unified("x.yaml", before, after) == (
        "--- a/x.yaml\n+++ b/x.yaml\n@@ -1,6 +1,6 @@\n-a\n-b\n+A\n+B\n c\n d\n-e\n+E\n"
        " f\n\\ No newline at end of file\n"
    )


def test_a_diff_is_one_that_git_takes(tmp_path: Path) -> None:
    before = "".join(f"line {number}\n" for number in range(40)) + "last"
    after = (
        before.replace("line 3\n", "line three\n").replace("line 30", "line thirty").replace("last", "end")
    )
    (tmp_path / "a ä.yaml").write_text(before, "utf-8")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)

    diff = unified("a ä.yaml", before, after)
    subprocess.run(["git", "-C", tmp_path, "apply", "-"], input=diff.encode(), check=True)

    assert (tmp_path / "a ä.yaml").read_text("utf-8") == after
    assert diff.count("@@ -") == 3
