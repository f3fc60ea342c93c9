"""What a clone says at a commit: which rules are in force, and what stands in the places that they name."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from bot.looking.book import Book, RulesAt
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from policies.codes import Code
from policies.entries.entry import Pinned
from policies.pins import Place, edits_to
from policies.rules.rules import Rules, effective
from policies.texts.edit import apply
from tests.repositories import commit_to, git, make_bare

ENVIRONMENTS = """\
environments:
  staging:    {path: apps/staging, channel: deploys, approvals: none}
  production: {path: apps/production, channel: deploys, approvals: 1, after: staging}
"""
FLUX = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: {name: web, namespace: shop}
spec: {image: ghcr.io/acme/web, interval: 5m}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: web, namespace: shop}
spec: {imageRepositoryRef: {name: web}, policy: {semver: {range: RANGE}}}
"""
FOLLOWING = "services: {web: {versions: {flux: shop/web}}}\n"
POD = "kind: Pod\nspec: {containers: [{name: NAME, image: 'ghcr.io/acme/NAME:1.0.0'}]}\n"
DIGEST = f"sha256:{'a' * 64}"


class Clone:
    """A bare repository and the book that reads a clone of it."""

    def __init__(self, folder: Path) -> None:
        self.repository = make_bare(folder / "gitops.git", [{"README.md": "#\n"}])
        self.mirror = Mirror.open(str(self.repository), folder / "clone")
        self.folder = folder

    def commit(self, **files: str | None) -> Oid:
        """Commit files by their paths, two underscores for a slash."""
        named = {name.replace("__", "/") + ".yaml": text for name, text in files.items()}
        return Oid(commit_to(self.repository, named))

    def in_force(self, book: Book | None = None) -> RulesAt:
        """Return the rules in force at the tip, as a process sees them that has just begun."""
        tip = self.mirror.fetch().target
        found = (book or Book(self.mirror, "promotion")).rules_in_force(tip)
        assert isinstance(found, RulesAt), found
        return found


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def best(rules: Rules, *tags: str) -> str | None:
    rule = effective(rules, "staging", "web")
    assert rule is not None
    return rule.service.select(tags).best


def test_plain_rules_are_those_of_the_commit_that_wrote_them(clone: Clone) -> None:
    wrote = clone.commit(promotion__r=ENVIRONMENTS + "services: {web: {image: a.io/web, versions: 1.x}}\n")
    clone.commit(infra__flux=FLUX.replace("RANGE", "1.x"))

    assert clone.in_force().commit == wrote


def test_rules_that_follow_flux_are_those_of_the_commit_that_changed_a_document(clone: Clone) -> None:
    book = Book(clone.mirror, "promotion")
    clone.commit(infra__flux=FLUX.replace("RANGE", "1.x"), infra__pod=POD)
    wrote = clone.commit(promotion__r=ENVIRONMENTS + FOLLOWING)
    first = clone.in_force(book)
    widened = clone.commit(infra__flux=FLUX.replace("RANGE", "'>=1.0.0'"))
    clone.commit(infra__pod=POD.replace("1.0.0", "1.1.0"), infra__flux2="# nothing\n")

    found = clone.in_force(book)

    assert (first.commit, found.commit) == (wrote, widened)
    assert (best(first.rules, "1.0.0", "2.0.0"), best(found.rules, "1.0.0", "2.0.0")) == ("1.0.0", "2.0.0")
    assert clone.in_force().commit == widened, "a process that has just begun sees the same"
    assert book.rules(wrote) == first.rules


def test_a_document_that_came_and_went_does_not_take_the_rules_back(clone: Clone) -> None:
    clone.commit(infra__flux=FLUX.replace("RANGE", "1.x"), promotion__r=ENVIRONMENTS + FOLLOWING)
    clone.commit(far__away__more=FLUX.replace("RANGE", "1.x").replace("web", "other"))
    went = clone.commit(far__away__more=None)

    assert clone.in_force().commit == went


def test_documents_that_break_the_rules_leave_the_last_good_ones_in_force(clone: Clone) -> None:
    wrote = clone.commit(infra__flux=FLUX.replace("RANGE", "1.x"), promotion__r=ENVIRONMENTS + FOLLOWING)
    broke = clone.commit(infra__flux=None)

    broken = clone.in_force()
    mended = clone.commit(infra__flux=FLUX.replace("RANGE", "2.x"))

    assert (broken.commit, broken.broken_at) == (wrote, broke)
    assert "'web' has no image" in str(broken.newer_is_broken)
    assert clone.in_force().commit == mended
    assert clone.in_force().newer_is_broken is None


def test_discovery_sees_new_images_and_no_new_tags(clone: Clone) -> None:
    text = "discover: {images: 'ghcr.io/acme/*'}\ndefaults: {versions: 1.x}\n"
    clone.commit(promotion__r=ENVIRONMENTS + text, apps__staging__a=POD.replace("NAME", "web"))
    came = clone.commit(apps__staging__b=POD.replace("NAME", "api"))
    clone.commit(apps__staging__a=POD.replace("NAME", "web").replace("1.0.0", "1.1.0"))

    found = clone.in_force()

    assert found.commit == came
    assert list(found.rules.services) == ["api", "web"]


ADDRESSES = """\
services:
  web:
    image: ghcr.io/acme/web
    versions: 1.x
    at:
      staging: "config/staging.json: web.version"
      production: [{file: config/production.toml, key: web.tag}, "config/other.yaml: image"]
"""
PLACES = {
    "config/staging.json": '{"web": {"version": "1.0.0"}}\n',
    "config/production.toml": '[web] # the one\ntag = "1.0.0"\n',
    "config/other.yaml": "image: ghcr.io/acme/web:1.0.0 # as well\n",
    "apps/staging/pod.yaml": POD.replace("NAME", "web"),
}


def places(clone: Clone) -> tuple[Rules, dict[str, Place]]:
    found = clone.in_force()
    here = Book(clone.mirror, "promotion").places(clone.mirror.tips().target, found.rules)
    return found.rules, {environment: place for (environment, _), place in here.items()}


def test_at_is_the_place_and_nothing_else_is(clone: Clone) -> None:
    commit_to(clone.repository, {"promotion/r.yaml": ENVIRONMENTS + ADDRESSES, **PLACES})

    rules, here = places(clone)

    assert {name: one.pin.image for name, one in here.items()} == {
        "staging": (Pinned("ghcr.io/acme/web", "1.0.0"),),
        "production": (Pinned("ghcr.io/acme/web", "1.0.0"),),
    }
    written = {}
    for name, place in here.items():
        rule = effective(rules, name, "web")
        assert rule is not None
        for edit in edits_to(place, rule, (Pinned("ghcr.io/acme/web", "1.1.0", DIGEST),)):
            written[edit.path] = apply(PLACES[edit.path].encode(), [edit]).decode()
    assert written == {
        "config/staging.json": '{"web": {"version": "1.1.0"}}\n',
        "config/production.toml": f'[web] # the one\ntag = "1.1.0@{DIGEST}"\n',
        "config/other.yaml": f"image: ghcr.io/acme/web:1.1.0@{DIGEST} # as well\n",
    }


def test_a_service_has_a_place_where_it_exists_and_nowhere_else(clone: Clone) -> None:
    said = ENVIRONMENTS + ADDRESSES.replace("  web:\n", "  web:\n    environments: staging\n")
    commit_to(clone.repository, {"promotion/r.yaml": said, **PLACES})

    _, here = places(clone)

    assert list(here) == ["staging"]


@pytest.mark.parametrize(
    ("path", "text", "code", "says"),
    [
        ("config/staging.json", None, Code.NO_REFERENCE, "config/staging.json is not there"),
        ("config/staging.json", "{}", Code.UNREADABLE, "is not in the file"),
        ("config/staging.json", "{", Code.UNREADABLE, "config/staging.json:1: "),
        (
            "config/staging.json",
            '{"web": {"version": "a.io/b:1"}}',
            Code.UNREADABLE,
            "holds a.io/b; expected",
        ),
    ],
    ids=["no file", "no key", "no JSON", "another image"],
)
def test_an_address_that_cannot_be_used_is_said(
    clone: Clone, path: str, text: str | None, code: Code, says: str
) -> None:
    commit_to(clone.repository, {"promotion/r.yaml": ENVIRONMENTS + ADDRESSES, **PLACES})
    commit_to(clone.repository, {path: text})

    place = places(clone)[1]["staging"]

    assert (place.references, place.pin.problem) == ((), code)
    assert says in place.pin.detail


def test_a_chart_is_found_where_a_release_and_its_repository_stand_apart(clone: Clone) -> None:
    release = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: identity, namespace: shop}
spec: {chart: {spec: {chart: identity, version: 2.0.0, sourceRef: {kind: HelmRepository, name: charts}}}}
"""
    source = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: shop}
spec: {type: oci, url: 'oci://ghcr.io/acme/charts'}
"""
    text = "services: {identity: {chart: 'oci://ghcr.io/acme/charts/identity', versions: 2.x}}\n"
    clone.commit(promotion__r=ENVIRONMENTS + text, apps__staging__a=release, apps__staging__b=source)

    place = places(clone)[1]["staging"]

    assert place.pin.image == (Pinned("ghcr.io/acme/charts/identity", "2.0.0"),)
    assert [one.where for one in place.references[0].scalars] == ["chart:HelmRelease/shop/identity"]


def test_a_huge_file_is_nobodys_document(clone: Clone) -> None:
    clone.commit(infra__flux=FLUX.replace("RANGE", "1.x"), promotion__r=ENVIRONMENTS + FOLLOWING)
    clone.commit(big="a: " + "x" * 40_000_000)

    assert best(clone.in_force().rules, "1.0.0") == "1.0.0"
    assert git(clone.repository, "rev-list", "--count", "main") == "3"


def test_what_stood_in_a_place_is_told_of_the_line_since_a_commit(clone: Clone) -> None:
    rules = f"{ENVIRONMENTS}services: {{web: {{image: ghcr.io/acme/web, versions: 1.x}}}}\n"
    before = clone.commit(promotion__rules=rules, apps__staging__pod=_pod("1.0.0"))
    since = clone.commit(apps__staging__pod=_pod("1.1.0"))
    clone.commit(apps__production__pod=_pod("1.0.0"))
    clone.commit(apps__staging__pod=_pod("1.2.0"))
    clone.mirror.fetch()
    book = Book(clone.mirror, "promotion")
    read = book.rules(before)
    assert read

    assert _tags(book.stood_after(since, read, "staging", "web")) == ["1.1.0", "1.2.0"]
    assert _tags(book.stood_after(before, read, "staging", "web")) == ["1.0.0", "1.2.0", "1.1.0"]
    assert _tags(book.stood_after("f" * 40, read, "staging", "web")) == ["", "1.2.0", "1.1.0", "1.0.0"]
    assert _tags(book.stood_after(since, read, "staging", "cart")) == []
    assert _tags(book.stood_after(since, read, "nowhere", "web")) == []


def _pod(tag: str) -> str:
    return POD.replace("NAME", "web").replace("1.0.0", tag)


def _tags(found: Iterable[tuple[Pinned, ...]]) -> list[str]:
    return [one[0].tag if one else "" for one in found]
