"""What the files of an environment say of a service, together."""

from dataclasses import replace

import pytest

from policies.codes import Code
from policies.entries.entry import Pinned
from policies.errors import PolicyError
from policies.images.image import Repository
from policies.manifests import at_path
from policies.manifests.at_path import At
from policies.manifests.references import find
from policies.pins import Place, Shelf, edits_to, files_under, place_at, place_of
from policies.rules.rules import DigestRule, EffectiveRule, effective
from policies.texts.edit import apply
from tests.policies.ledger_builders import pinned, rules

RULES = rules()
WEB = RULES.services["web"]


def _place(files: dict[str, str]) -> Place:
    return Shelf.of(find(path, text.encode()) for path, text in files.items()).place_of(WEB)


def _rule(digest: DigestRule) -> EffectiveRule:
    rule = effective(RULES, "staging", "web")
    assert rule
    return replace(rule, environment=replace(rule.environment, digest=digest))


def _kustomize(tag: str, more: str = "") -> str:
    return f"images:\n  - name: ghcr.io/example/web\n    newTag: {tag}\n{more}"


def _workload(image: str) -> str:
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n"
        f"      containers:\n        - name: web\n          image: {image}\n"
    )


D1, D2 = pinned("a").digest, pinned("b").digest
IMAGE = "ghcr.io/example/web"
STOOD: dict[str, tuple[dict[str, str], tuple[Pinned, ...], Code | None]] = {
    "one place": ({"a/kustomization.yaml": _kustomize("1.0.0")}, (pinned("1.0.0", digest=""),), None),
    "one place with its digest": (
        {"a/kustomization.yaml": _kustomize("1.0.0", f"    digest: {D1}\n")},
        (pinned("1.0.0", digest=D1),),
        None,
    ),
    "two places that agree": (
        {"a/x.yaml": _workload(f"{IMAGE}:1.0.0"), "a/y.yaml": _workload(f"{IMAGE}:1.0.0@{D1}")},
        (pinned("1.0.0", digest=D1),),
        None,
    ),
    "two tags": (
        {"a/x.yaml": _workload(f"{IMAGE}:1.0.0"), "a/y.yaml": _workload(f"{IMAGE}:1.1.0")},
        (),
        Code.AMBIGUOUS,
    ),
    "two digests": (
        {"a/x.yaml": _workload(f"{IMAGE}:1.0.0@{D1}"), "a/y.yaml": _workload(f"{IMAGE}:1.0.0@{D2}")},
        (),
        Code.AMBIGUOUS,
    ),
    "no place": ({"a/x.yaml": _workload("ghcr.io/example/other:1.0.0")}, (), Code.NO_REFERENCE),
    "no files": ({}, (), Code.NO_REFERENCE),
    "a pattern over it": (
        {
            "a/kustomization.yaml": "images: [{name: 'ghcr.io/example/.*', newTag: 2.0.0}]\n",
            "a/b/x.yaml": _workload(f"{IMAGE}:1.0.0"),
        },
        (),
        Code.UNREADABLE,
    ),
    "a digest alone that wins over the tag": (
        {
            "a/kustomization.yaml": f"images: [{{name: {IMAGE}, digest: '{D1}'}}]\n",
            "a/x.yaml": _workload(f"{IMAGE}:1.0.0"),
        },
        (),
        Code.UNREADABLE,
    ),
    "a digest alone in another folder": (
        {
            "b/kustomization.yaml": f"images: [{{name: ghcr.io/other/web, digest: '{D1}'}}]\n",
            "a/x.yaml": _workload(f"{IMAGE}:1.0.0"),
        },
        (pinned("1.0.0", digest=""),),
        None,
    ),
    "a pattern alone": (
        {"a/kustomization.yaml": "images: [{name: '(.*)/web', newTag: 2.0.0}]\n"},
        (),
        Code.UNREADABLE,
    ),
    "a pattern that it does not fit, and one in another folder": (
        {
            "a/kustomization.yaml": "images: [{name: 'ghcr.io/other/.*', newTag: 2.0.0}]\n",
            "b/kustomization.yaml": "images: [{name: 'ghcr.io/example/.*', newTag: 2.0.0}]\n",
            "a/x.yaml": _workload(f"{IMAGE}:1.0.0"),
        },
        (pinned("1.0.0", digest=""),),
        None,
    ),
    "a file that cannot be read": ({"a/x.yaml": "image: [\n"}, (), Code.NO_REFERENCE),
    "an image without a tag": ({"a/x.yaml": _workload(IMAGE)}, (), Code.NO_REFERENCE),
    "a workload under its kustomization": (
        {"a/kustomization.yaml": _kustomize("1.1.0"), "a/b/x.yaml": _workload(f"{IMAGE}:1.0.0")},
        (pinned("1.1.0", digest=""),),
        None,
    ),
    "a workload beside the kustomization of another folder": (
        {"a/kustomization.yaml": _kustomize("1.1.0"), "b/x.yaml": _workload(f"{IMAGE}:1.0.0")},
        (),
        Code.AMBIGUOUS,
    ),
    "a workload under the root's kustomization": (
        {"kustomization.yaml": _kustomize("1.1.0"), "b/x.yaml": _workload(f"{IMAGE}:1.0.0")},
        (pinned("1.1.0", digest=""),),
        None,
    ),
    "a kustomization with a marker": (
        {
            "a/kustomization.yaml": _kustomize('"1.1.0" # {"$imagepolicy": "flux-system:web:tag"}'),
            "a/x.yaml": _workload(f"{IMAGE}:1.0.0"),
        },
        (pinned("1.1.0", digest=""),),
        None,
    ),
}


@pytest.mark.parametrize(("files", "image", "problem"), STOOD.values(), ids=STOOD)
def test_what_files_say_together(
    files: dict[str, str], image: tuple[Pinned, ...], problem: Code | None
) -> None:
    pin = _place(files).pin

    assert (pin.image, pin.problem) == (image, problem)


def test_what_cannot_be_used_says_where() -> None:
    files, _, _ = STOOD["two tags"]

    assert _place(files).pin.detail == "1.0.0 in a/x.yaml:9, 1.1.0 in a/y.yaml:9"
    assert "a/x.yaml" in _place({"a/x.yaml": "image: [\n"}).pin.detail
    assert _place({}).pin.detail == f"no file there names {IMAGE} with a tag"


def test_one_spelling_of_a_repository_is_as_good_as_another() -> None:
    short = replace(WEB, images=(type(WEB.image)("alpine"),))
    found = [find("a/x.yaml", _workload("docker.io/library/alpine:3.20").encode())]

    assert Shelf.of(found).place_of(short).pin.image == (Pinned("alpine", "3.20"),)
    assert place_of(short, found[0].references, ()).pin.image == (Pinned("alpine", "3.20"),)


@pytest.mark.parametrize(
    ("digest", "after"),
    [
        (DigestRule.KEEP, _kustomize("1.1.0")),
        (DigestRule.PIN, _kustomize(f"1.1.0@{pinned('1.1.0').digest}")),
    ],
    ids=str,
)
def test_a_move_writes_the_form_that_the_rule_asks_for(digest: DigestRule, after: str) -> None:
    files = {"a/kustomization.yaml": _kustomize("1.0.0")}

    edits = edits_to(_place(files), _rule(digest), (pinned("1.1.0"),))

    assert apply(files["a/kustomization.yaml"].encode(), edits) == after.encode()


def test_a_move_to_what_stands_there_edits_nothing() -> None:
    files = {"a/kustomization.yaml": _kustomize("1.0.0")}

    assert edits_to(_place(files), _rule(DigestRule.KEEP), (pinned("1.0.0", digest=""),)) == ()


def test_a_pin_without_a_digest_is_refused() -> None:
    files = {"a/kustomization.yaml": _kustomize("1.0.0")}

    with pytest.raises(PolicyError):
        edits_to(_place(files), _rule(DigestRule.PIN), (pinned("1.1.0", digest=""),))


def test_a_move_edits_every_place_that_counts_and_no_other() -> None:
    files, _, _ = STOOD["a workload under its kustomization"]
    more = {**files, "c/x.yaml": _workload(f"{IMAGE}:1.1.0")}

    edits = edits_to(_place(more), _rule(DigestRule.KEEP), (pinned("1.2.0"),))

    assert {edit.path for edit in edits} == {"a/kustomization.yaml", "c/x.yaml"}


@pytest.mark.parametrize(
    ("folders", "found"),
    [
        (("a",), ("a/b/y", "a/x")),
        (("a/b",), ("a/b/y",)),
        (("a/x",), ("a/x",)),
        (("",), ("a/b/y", "a/x", "ab/z")),
        ((".",), ("a/b/y", "a/x", "ab/z")),
        (("b", "ab"), ("ab/z",)),
        ((), ()),
    ],
    ids=str,
)
def test_a_folder_holds_what_is_below_it(folders: tuple[str, ...], found: tuple[str, ...]) -> None:
    assert files_under(folders, ["ab/z", "a/x", "a/b/y"]) == found


ADDRESS = At.parse("config.json: web")


@pytest.mark.parametrize(
    ("content", "tag", "problem"),
    [
        ('{"web": "1.0.0"}', "1.0.0", None),
        ('{"web": "ghcr.io/example/web:1.0.0"}', "1.0.0", None),
        ('{"web": "ghcr.io/example/other:1.0.0"}', "", Code.UNREADABLE),
        ("{}", "", Code.UNREADABLE),
        (None, "", Code.NO_REFERENCE),
    ],
    ids=["a tag", "an image", "another image", "nothing", "no file"],
)
def test_an_address_says_what_stands_there(content: str | None, tag: str, problem: Code | None) -> None:
    found = None if content is None else at_path.find(ADDRESS, content.encode(), WEB.image)

    place = place_at(WEB, {ADDRESS: found})

    assert (place.pin.image[0].tag if place.pin.image else "", place.pin.problem) == (tag, problem)
    assert bool(place.references) is (problem is None)


def test_two_addresses_with_different_tags_are_ambiguous() -> None:
    other = At.parse("other.json: web")
    found = {
        at: at_path.find(at, f'{{"web": "{tag}"}}'.encode(), WEB.image)
        for at, tag in ((ADDRESS, "1.0.0"), (other, "1.1.0"))
    }

    assert place_at(WEB, found).pin.problem is Code.AMBIGUOUS


def test_the_images_of_one_version_have_one_version() -> None:
    both = replace(WEB, images=(WEB.images[0], Repository.parse("ghcr.io/example/worker")))
    files = {
        "a.yaml": _workload("ghcr.io/example/web:1.0.0"),
        "b.yaml": _workload("ghcr.io/example/worker:1.1.0"),
    }

    place = Shelf.of(find(path, text.encode()) for path, text in files.items()).place_of(both)

    assert place.pin.problem is Code.AMBIGUOUS
    assert "one version for all of them" in place.pin.detail


@pytest.mark.parametrize("followed", ["shop/web", "shop/other"])
def test_a_marker_that_another_service_follows_is_not_this_ones(followed: str) -> None:
    marked = _workload('ghcr.io/example/web:1.0.0 # {"$imagepolicy": "shop:web"}')
    shelf = Shelf.of([find("a.yaml", marked.encode())], [followed])

    assert bool(shelf.place_of(WEB).references) is (followed == "shop/other")
    assert bool(shelf.place_of(replace(WEB, policy="shop/none")).references) is (followed == "shop/other")
