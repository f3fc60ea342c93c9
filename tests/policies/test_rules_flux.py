"""Services that follow Flux's policies, are discovered, or say their places: what the rules make of a repository."""

from collections.abc import Iterator

import pytest

from policies.codes import Code
from policies.images.selection import Fate
from policies.manifests import references
from policies.manifests.places import Reference
from policies.pins import Shelf, files_under
from policies.rulebook import seen as rules_seen
from policies.rulebook import service as rules_service
from policies.rulebook.document import Entry
from policies.rulebook.findings import Findings, RulesError, Weight
from policies.rulebook.flux_lint import flux_findings
from policies.rulebook.parse import parse
from policies.rulebook.people import People
from policies.rulebook.seen import Flux, says
from policies.rulebook.text import Table, Text
from policies.rules.hash import rules_hash
from policies.rules.rules import Position, Rules, Service, effective

ENVIRONMENTS = """\
environments:
  staging:    {path: apps/staging, channel: deploys, approvals: none}
  production: {path: apps/production, channel: deploys, approvals: 1, after: staging}
"""
FOLLOWING = "services: {web: {versions: {flux: shop/web}}}\n"
REPOSITORY = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: {name: web, namespace: shop}
spec: {image: ghcr.io/acme/web, interval: 5m, exclusionList: [-debug$]}
"""
POLICY = """\
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: web, namespace: shop}
spec: {imageRepositoryRef: {name: web}, policy: {semver: {range: 1.x}}}
"""
SYNC = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps}
spec: {interval: 5m, path: PATH}
"""
MARKED = 'image: ghcr.io/acme/web:1.0.0 # {"$imagepolicy": "shop:web"}\n'
UNMARKED = "kind: Pod\nspec: {containers: [{name: web, image: 'ghcr.io/acme/web:1.0.0'}]}\n"
STAGING = POLICY.replace("1.x", "'>=1.0.0'")
AUTOMATION = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata: {name: writer, namespace: shop}
spec:
  interval: 10m
  sourceRef: {kind: GitRepository, name: fleet}
  git: {commit: {author: {email: bot@example.com}}}
  update: {path: ./apps}
"""


class Repository:
    """Files as rules see them; ``asked`` says whether they looked."""

    def __init__(self, **files: str) -> None:
        self.files = {
            f"{name.replace('__', '/').replace('_', '-')}.yaml": text.encode() for name, text in files.items()
        }
        self.asked = False

    def flux(self) -> Flux:
        self.asked = True
        return rules_seen.read(self.files)

    def references(self, folders: tuple[str, ...]) -> Iterator[Reference]:
        self.asked = True
        for path in files_under(folders, self.files):
            yield from references.find(path, self.files[path]).references


def rules_of(text: str, **files: str) -> Rules:
    return parse({"promotion/r.yaml": (ENVIRONMENTS + text).encode()}, Repository(**files))


def refused(text: str, **files: str) -> str:
    with pytest.raises(RulesError) as error:
        rules_of(text, **files)
    return str(error.value)


def meant(rules: Rules, environment: str, service: str = "web") -> Service:
    rule = effective(rules, environment, service)
    assert rule is not None
    return rule.service


TWO_CLUSTERS = {
    "clusters__staging__apps": SYNC.replace("PATH", "./apps/staging"),
    "clusters__staging__images": REPOSITORY + STAGING,
    "clusters__production__apps": SYNC.replace("PATH", "./apps/production"),
    "clusters__production__images": REPOSITORY + POLICY,
}


def test_each_environment_has_the_policy_of_its_own_cluster() -> None:
    rules = rules_of(FOLLOWING, **TWO_CLUSTERS)

    tags = ["1.0.0", "2.0.0", "2.1.0-debug", "latest"]
    staging, production = (meant(rules, name) for name in ("staging", "production"))

    assert (staging.select(tags).best, production.select(tags).best) == ("2.0.0", "1.0.0")
    assert staging.select(tags).fates["2.1.0-debug"] is Fate.FILTERED
    assert staging.image == production.image == rules.services["web"].image == "ghcr.io/acme/web"
    assert staging.policy == "shop/web"
    assert (staging.trouble, production.trouble) == (None, None)


def test_the_rule_that_is_bound_does_not_depend_on_versions() -> None:
    plain = rules_of("services: {web: {image: ghcr.io/acme/web, versions: 1.x}}\n")

    assert rules_hash(rules_of(FOLLOWING, **TWO_CLUSTERS)) == rules_hash(plain)


def test_a_cluster_that_applies_folders_elsewhere_reads_them_too() -> None:
    rules = rules_of(
        FOLLOWING,
        clusters__staging__sync=SYNC.replace("PATH", "./clusters/staging"),
        clusters__staging__apps=SYNC.replace("PATH", "./apps/staging"),
        clusters__staging__infra=SYNC.replace("PATH", "infra/staging"),
        infra__staging__images=REPOSITORY + STAGING,
        clusters__production__apps=SYNC.replace("PATH", "./apps/production"),
        clusters__production__images=REPOSITORY + POLICY,
    )

    assert [meant(rules, name).select(["2.0.0"]).best for name in rules.environments] == ["2.0.0", None]


def test_a_policy_of_no_cluster_is_for_all() -> None:
    rules = rules_of(FOLLOWING, shared__images=REPOSITORY + POLICY)

    assert [meant(rules, name).trouble for name in rules.environments] == [None, None]


def test_no_policy_is_borrowed_for_one_in_a_file_that_cannot_be_read() -> None:
    text = FOLLOWING.replace("versions", "image: ghcr.io/acme/web, versions")
    files = {
        "clusters__staging__apps": SYNC.replace("PATH", "./apps/staging"),
        "clusters__staging__images": REPOSITORY + POLICY + "a: [",
        "shared__images": REPOSITORY + POLICY,
    }

    rules = rules_of(text, **files)

    troubles = [meant(rules, name).trouble for name in rules.environments]
    assert [one.code if one else None for one in troubles] == [Code.FLUX_MISSING, None]


def test_cluster_says_what_the_files_do_not() -> None:
    files = {"one__images": REPOSITORY + STAGING, "two__images": REPOSITORY + POLICY}
    text = ENVIRONMENTS.replace("path: apps/s", "cluster: one, path: apps/s").replace(
        "path: apps/p", "cluster: two, path: apps/p"
    )
    unclear = rules_of(FOLLOWING.replace("versions", "image: ghcr.io/acme/web, versions"), **files)

    rules = parse({"promotion/r.yaml": (text + FOLLOWING).encode()}, Repository(**files))

    troubles = [meant(unclear, name).trouble for name in unclear.environments]
    assert [one.code if one else None for one in troubles] == [Code.FLUX_AMBIGUOUS, Code.FLUX_AMBIGUOUS]
    assert [meant(rules, name).select(["2.0.0"]).best for name in rules.environments] == ["2.0.0", None]


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", Code.FLUX_MISSING, "missing: there is no ImagePolicy shop/web"),
        (
            REPOSITORY + POLICY + POLICY,
            Code.FLUX_AMBIGUOUS,
            "ambiguous: ImagePolicy shop/web stands more than",
        ),
        (REPOSITORY + POLICY.replace("1.x", "'!'"), Code.FLUX_INVALID, "InvalidPolicy: f.yaml:9: "),
        (POLICY, Code.FLUX_INVALID, "DependencyNotReady: "),
        (
            REPOSITORY.replace("acme/web", "acme/web:1") + POLICY,
            Code.FLUX_INVALID,
            "ImageURLInvalid: f.yaml:4",
        ),
        (
            REPOSITORY.replace("acme/web", "acme/api") + POLICY,
            Code.FLUX_INVALID,
            "ghcr.io/acme/api; expected",
        ),
        (
            REPOSITORY + POLICY.replace("{imageR", "{suspend: true, imageR"),
            Code.FLUX_SUSPENDED,
            "ImagePolicy shop/web is suspended",
        ),
    ],
    ids=["missing", "ambiguous", "policy", "repository", "url", "another image", "suspended"],
)
def test_a_policy_that_says_nothing_is_a_trouble_of_its_place(text: str, code: Code, says: str) -> None:
    rules = rules_of(FOLLOWING.replace("versions", "image: ghcr.io/acme/web, versions"), f=text)

    trouble = meant(rules, "staging").trouble

    assert trouble is not None
    assert trouble.code is code
    assert says in trouble.detail
    told = [one for one in flux_findings(rules, Repository(f=text).flux()) if "says nothing in" in one.what]
    assert {one.weight for one in told} == {Weight.WARNING}
    assert len(told) == len(rules.environments)


REFUSALS = {
    "no image anywhere": (
        FOLLOWING,
        {},
        "4:35: 'web' has no image: missing: there is no ImagePolicy shop/web",
    ),
    "two images": (
        FOLLOWING,
        TWO_CLUSTERS | {"clusters__staging__images": REPOSITORY.replace("/web,", "/other,") + POLICY},
        "ImagePolicy shop/web is for ghcr.io/acme/other in staging, ghcr.io/acme/web in production; expected one",
    ),
    "two ways": (
        "services: {web: {versions: {flux: a/b, semver: 1.x}}}\n",
        {},
        "versions says flux and 'semver'",
    ),
    "no name": (
        "services: {web: {versions: {flux: a/b/c}}}\n",
        {},
        "flux is 'a/b/c'; expected an ImagePolicy",
    ),
    "a placeholder in cluster": ("", {}, "cluster has <service>; expected a folder"),
    "one name for two policies": (
        "discover: {flux: policies}\n",
        {
            "f": REPOSITORY + POLICY + "---\n" + (REPOSITORY + POLICY).replace("shop", "till"),
            "apps__staging__a": UNMARKED,
        },
        "4:18: shop/web, till/web would all be the service web",
    ),
    "a reserved name": (
        "discover: {images: 'ghcr.io/acme/*'}\ndefaults: {versions: 1.x}\n",
        {"apps__staging__a": UNMARKED.replace("acme/web", "acme/all")},
        "4:20: all is a word of the commands",
    ),
    "one name for two images": (
        "discover: {images: ['ghcr.io/acme/*', 'ghcr.io/till/*']}\ndefaults: {versions: 1.x}\n",
        {"apps__staging__a": UNMARKED, "apps__staging__b": UNMARKED.replace("acme", "till")},
        "ghcr.io/acme/web, ghcr.io/till/web would all be the service web",
    ),
    "images without versions": (
        "discover: {images: 'ghcr.io/acme/*'}\n",
        {},
        "discover has images, but no versions",
    ),
    "an open host": (
        "discover: {images: '*/acme/web'}\ndefaults: {versions: 1.x}\n",
        {},
        "expected a whole host",
    ),
    "what flux discovers": ("discover: {flux: everything}\n", {}, "flux is 'everything'; expected policies"),
    "what discovers": ("discover: {charts: all}\n", {}, "unknown key in discover 'charts'"),
    "a chart elsewhere": (
        "services: {web: {chart: https://a/b, versions: 1.x}}\n",
        {},
        "expected oci://HOST/PATH",
    ),
    "a chart and an image": (
        "services: {web: {chart: 'oci://a.io/b', image: a.io/b, versions: 1.x}}\n",
        {},
        "image and chart; expected one of the two",
    ),
    "at without environment": (
        "services: {web: {image: a.io/b, versions: 1.x, at: 'a.yaml: b'}}\n",
        {},
        "at says not in which environment",
    ),
    "at in another environment": (
        "services: {web: {image: a.io/b, versions: 1.x, at: {staging: 'apps/production/a.yaml: b'}}}\n",
        {},
        "apps/production/a.yaml is in a path of production; expected a file of staging",
    ),
    "at in the rules": (
        "services: {web: {image: a.io/b, versions: 1.x, at: {staging: 'promotion/a.yaml: b'}}}\n",
        {},
        "promotion/a.yaml is in the folder of the rules",
    ),
    "at of two": (
        "services: {web: {image: a.io/b, versions: 1.x, at: {staging: 'a.yaml: b', production: 'a.yaml: b'}}}\n",
        {},
        "a.yaml: b is the place of web in production and web in staging",
    ),
    "at without a key": (
        "services: {web: {image: a.io/b, versions: 1.x, at: {staging: {file: a.yaml}}}}\n",
        {},
        "an address has not both file and key",
    ),
    "at of no file": (
        "services: {web: {image: a.io/b, versions: 1.x, at: {staging: 'a.txt: b'}}}\n",
        {},
        "'a.txt' cannot be written to; expected .yaml",
    ),
    "at with a colon": (
        "services: {web: {image: a.io/b, versions: 1.x, at: {staging: {file: 'a.yaml: b', key: c}}}}\n",
        {},
        "file holds a colon and a space; expected the path of a file alone",
    ),
    "at of no places": (
        "services: {web: {image: a.io/b, versions: 1.x, at: {staging: []}}}\n",
        {},
        "at has 0 places; expected 1 to 100 places",
    ),
    "at of nothing": (
        "services: {web: {image: a.io/b, versions: 1.x, at: {staging: }}}\n",
        {},
        "at is empty",
    ),
    "discovered by no word": ("discover: {flux: [policies]}\n", {}, "flux is a list; expected text"),
    "discovered by no image": (
        "discover: {images: 'ghcr.io/acme/*:1'}\ndefaults: {versions: 1.x}\n",
        {},
        "'ghcr.io/acme/x:1' is not an image repository",
    ),
    "a chart with a tag": (
        "services: {web: {chart: 'oci://a.io/b:1', versions: 1.x}}\n",
        {},
        "'a.io/b:1' is not an image repository",
    ),
    "an empty policy": ("services: {web: {versions: {flux: ''}}}\n", {}, "flux is empty"),
    "at of nowhere": (
        "services: {web: {image: a.io/b, versions: 1.x, at: {stagin: 'a.yaml: b'}}}\n",
        {},
        "unknown environment 'stagin'; expected 'staging'",
    ),
}


@pytest.mark.parametrize(("text", "files", "says"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_followed_or_found_is_refused_with_its_line(
    text: str, files: dict[str, str], says: str
) -> None:
    if "placeholder" in says or "cluster has" in says:
        whole = ENVIRONMENTS.replace("path: apps/staging", "path: apps/staging, cluster: c/<service>")
        with pytest.raises(RulesError, match=says):
            parse({"promotion/r.yaml": whole.encode()}, Repository())
        return
    assert says in refused(text, **files)


@pytest.mark.parametrize("file", [MARKED, UNMARKED], ids=["marked", "by image"])
def test_a_policy_whose_image_stands_somewhere_is_a_service(file: str) -> None:
    unused = (REPOSITORY + POLICY).replace("web", "unused")

    rules = rules_of(
        "discover: {flux: policies}\n", f=REPOSITORY + POLICY + "---\n" + unused, apps__staging__a=file
    )

    assert list(rules.services) == ["web"]
    assert meant(rules, "staging").select(["1.2.0"]).best == "1.2.0"


def test_each_image_that_matches_is_a_service_and_listed_ones_win() -> None:
    pods = "".join(f"---\n{UNMARKED.replace('web', name)}" for name in ("web", "api", "team/deep", "cart"))
    text = """\
defaults: {versions: 1.x}
discover: {images: 'ghcr.io/acme/*'}
services: {shop: {image: ghcr.io/acme/web, versions: 2.x}, cart: {image: ghcr.io/other/cart}}
"""

    rules = rules_of(text, apps__staging__a=pods)

    assert {name: str(one.image) for name, one in rules.services.items()} == {
        "shop": "ghcr.io/acme/web",
        "cart": "ghcr.io/other/cart",
        "api": "ghcr.io/acme/api",
    }
    assert rules.services["api"].versions_text == "1.x"


def test_a_repository_is_looked_at_only_where_rules_ask() -> None:
    repository = Repository()
    parse(
        {"promotion/r.yaml": (ENVIRONMENTS + "services: {a: {image: a.io/b, versions: 1.x}}\n").encode()},
        repository,
    )

    assert not repository.asked


def test_two_policies_of_one_image_are_told_apart_by_their_markers() -> None:
    canary = (REPOSITORY + POLICY).replace("name: web", "name: canary")
    file = f"a:\n  {MARKED}b:\n  {MARKED.replace('shop:web', 'shop:canary').replace('1.0.0', '1.1.0')}"
    text = "services: {web: {versions: {flux: shop/web}}, canary: {versions: {flux: shop/canary}}}\n"

    rules = rules_of(text, f=f"{REPOSITORY}{POLICY}---\n{canary}", apps__staging__a=file)

    found = references.find("apps/staging/a.yaml", file.encode())
    shelf = Shelf.of([found], [one.policy for one in rules.there.values()])
    pins = {name: shelf.place_of(meant(rules, "staging", name)).pin.image[0].tag for name in rules.services}
    assert pins == {"web": "1.0.0", "canary": "1.1.0"}


def test_a_marker_on_another_image_is_said_not_written() -> None:
    rules = rules_of(FOLLOWING, f=REPOSITORY + POLICY)
    found = references.find("a.yaml", MARKED.replace("acme/web", "acme/other").encode())

    place = Shelf.of([found], ["shop/web"]).place_of(meant(rules, "staging"))

    assert place.references == ()
    assert place.pin.problem is Code.UNREADABLE


def test_a_listed_follower_keeps_its_name_beside_discovery() -> None:
    text = "services: {shop: {versions: {flux: shop/web}}}\ndiscover: {flux: policies}\n"

    rules = rules_of(text, f=REPOSITORY + POLICY, apps__staging__a=MARKED)

    assert list(rules.services) == ["shop"]


def test_the_defaults_may_follow_a_policy_of_each_service() -> None:
    text = "defaults: {versions: {flux: shop/<service>}, image: ghcr.io/acme/<service>}\nservices: {web: , api: }\n"

    rules = rules_of(text, f=REPOSITORY + POLICY)

    assert meant(rules, "staging").select(["1.2.0"]).best == "1.2.0"
    trouble = meant(rules, "staging", "api").trouble
    assert trouble is not None
    assert trouble.code is Code.FLUX_MISSING
    assert rules.services["api"].image == "ghcr.io/acme/api"


def test_one_text_is_the_place_where_there_is_one_environment() -> None:
    text = """\
environments: {staging: {path: apps/staging, channel: deploys, approvals: none}}
services: {web: {image: ghcr.io/acme/web, versions: 1.x, at: 'a.json: web'}}
"""

    rules = parse({"promotion/r.yaml": text.encode()})

    assert [str(one) for one in meant(rules, "staging").addresses] == ["a.json: web"]


def test_a_service_of_one_image_in_each_of_two_places_says_where() -> None:
    text = """\
services:
  one: {image: a.io/b, versions: 1.x, at: {staging: 'a.yaml: one', production: 'b.yaml: one'}}
  two: {image: a.io/b, versions: 1.x, at: {staging: 'a.yaml: two', production: 'b.yaml: two'}}
"""

    rules = rules_of(text)

    assert list(rules.services) == ["one", "two"]
    assert "have one image and are both looked for" in refused(
        text.replace(", production: 'b.yaml: two'", "")
    )


def test_a_chart_is_a_repository_like_others() -> None:
    rules = rules_of("services: {identity: {chart: 'oci://ghcr.io/acme/charts/identity', versions: 2.x}}\n")

    rule = effective(rules, "staging", "identity")

    assert rule is not None
    assert rule.canonical()["images"] == ["ghcr.io/acme/charts/identity"]


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        (UNMARKED, UNMARKED.replace("1.0.0", "1.1.0"), True),
        (REPOSITORY + POLICY, STAGING + "---\n" + REPOSITORY, False),
        (f"{REPOSITORY}---\n{UNMARKED}", f"{REPOSITORY}---\n{UNMARKED.replace('1.0.0', '1.1.0')}", True),
        (SYNC, SYNC.replace("PATH", "./other"), False),
        ("kind: Namespace\n", "kind: Namespace\nmetadata: {name: a}\n", False),
    ],
    ids=["nothing of Flux", "a policy", "an image beside one", "a sync", "a namespace"],
)
def test_a_file_says_the_same_where_nothing_of_flux_has_changed(
    before: str, after: str, *, is_same: bool
) -> None:
    assert (says("a.yaml", before.encode()) == says("a.yaml", after.encode())) is is_same


def test_the_namespace_of_a_kustomization_counts_its_images_do_not() -> None:
    text = "namespace: shop\nimages: [{name: a, newTag: '1'}]\n"

    first, second, third = (
        says("a/kustomization.yaml", one.encode())
        for one in (text, text.replace("'1'", "'2'"), text.replace("shop", "till"))
    )

    assert first == second != third


def test_lint_reports_flux_documents_with_their_reasons_and_the_patch_for_a_second_writer() -> None:
    files = {"f": REPOSITORY + POLICY.replace("1.x", "'!'"), "w": AUTOMATION}
    rules = rules_of(FOLLOWING, **files)

    found = list(flux_findings(rules, Repository(**files).flux()))

    said = [str(one) for one in found]
    assert any(one.startswith("f.yaml:9:1: InvalidPolicy: ") for one in said)
    assert any("spec.interval has no effect here" in one for one in said)
    (writer,) = [one for one in found if one.patch]
    assert writer.weight is Weight.ERROR
    assert "so that nothing moves in staging, production; expected suspend: true" in str(writer)
    assert "+  suspend: true\n" in writer.patch
    suspended = AUTOMATION.replace("spec:\n", "spec:\n  suspend: true\n")
    assert not [
        one for one in flux_findings(rules, Repository(w=suspended).flux()) if one.weight is Weight.ERROR
    ]


def test_an_address_may_be_a_table() -> None:
    text = "services: {web: {image: a.io/b, versions: 1.x, at: {staging: {file: apps/staging/a.yaml, key: b.c}}}}\n"

    plain = text.replace("{file: apps/staging/a.yaml, key: b.c}", "'apps/staging/a.yaml: b.c'")

    found = meant(rules_of(text), "staging").addresses

    assert found
    assert found == meant(rules_of(plain), "staging").addresses


def test_discovery_passes_over_what_is_listed_and_what_has_no_image() -> None:
    listed = "services: {web: {image: ghcr.io/acme/web, versions: 1.x}}\ndiscover: {flux: policies}\n"

    rules = rules_of(listed, f=REPOSITORY + POLICY, g=POLICY.replace("web", "lost"), apps__staging__a=MARKED)

    assert list(rules.services) == ["web"]


def test_where_nothing_is_looked_up_a_policy_of_flux_is_no_way_to_choose() -> None:
    at, findings, nobody = Position("typed", 1, 1), Findings(), People({}, {}, frozenset())
    follows = Table(at, ((Text(at, "flux"), Text(at, "shop/web")),))
    entry = Entry(
        Text(at, "web"), Table(at, ((Text(at, "versions"), follows), (Text(at, "image"), Text(at, "a.io/b"))))
    )

    assert (
        rules_service.service(entry, rules_service.defaults({}, nobody, findings), nobody, findings) is None
    )
    with pytest.raises(RulesError, match="flux is not looked up here"):
        findings.check()


def test_a_policy_that_says_what_runs_is_no_finding() -> None:
    rules = rules_of(FOLLOWING, f=REPOSITORY + POLICY, apps__staging__a=MARKED)

    assert {one.trouble for one in rules.there.values()} == {None}
    told = flux_findings(rules, Repository(f=REPOSITORY + POLICY).flux())
    assert [one for one in told if "says nothing in" in one.what] == []
