"""The places of a change as docs/ledger.md names them: each of its examples is found in files of that form."""

import re
from pathlib import Path

import pytest

from policies.images.image import Digest, Repository, Tag
from policies.manifests import at_path, charts, references
from policies.manifests.at_path import At
from policies.manifests.places import Reference

PAGE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text("utf-8")
ROWS = PAGE.split("| place | `where` | such as |\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
EXAMPLES = [re.findall(r"`([^`]+)`", row)[-1] for row in ROWS]
APP = "ghcr.io/x/app"
NEW = Digest("sha256:" + "a" * 64)
OLD = "sha256:" + "b" * 64

FILES = {
    "kustomization.yaml": f"images: [{{name: {APP}, newTag: '1.0', digest: '{OLD}'}}]\n",
    "deployment.yaml": f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec:
  template:
    spec:
      containers:
        - name: web
          image: {APP}:1.0 # {{"$imagepolicy": "flux-system:app"}}
        - name: side
          image: {APP}:1.0
""",
    "values.yaml": f"""\
image:
  repository: {APP}
  tag: "1.0" # {{"$imagepolicy": "flux-system:app:tag"}}
""",
    "release.yaml": f"""\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: identity, namespace: shop}}
spec:
  chart: {{spec: {{chart: identity, version: 1.0.0, sourceRef: {{kind: HelmRepository, name: all}}}}}}
  values:
    image: {{repository: {APP}, tag: "1.0"}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {{name: all, namespace: shop}}
spec: {{url: "oci://ghcr.io/x"}}
""",
    "source.yaml": f"""\
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: podinfo, namespace: flux-system}}
spec: {{url: "oci://ghcr.io/x/podinfo", ref: {{tag: 1.0.0, digest: "{OLD}"}}}}
""",
}


def _found() -> list[Reference]:
    held = [references.find(path, text.encode()) for path, text in FILES.items()]
    at = At.parse("apps/web.json: web.image.tag")
    addressed = at_path.find(at, b'{"web": {"image": {"tag": "1.0"}}}', Repository.parse(APP))
    return [one for each in (*held, charts.resolve(held), addressed) for one in each.references]


def _edited() -> dict[str, str]:
    edits = [edit for one in _found() for edit in references.rewrite(one, Tag("2.0.0"), NEW, pin=True)]
    return {edit.where: edit.new for edit in edits}


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_of_the_page_is_a_place_that_is_written(example: str) -> None:
    assert example in _edited()


def test_the_page_has_an_example_for_each_kind_of_place() -> None:
    assert {where.partition(":")[0] for where in _edited()} == {one.partition(":")[0] for one in EXAMPLES}


def test_what_is_written_has_the_form_that_the_page_says() -> None:
    written = _edited()

    assert written["workload:Deployment/shop/web/side"] == f"{APP}:2.0.0@{NEW}"
    assert written["marker:flux-system:app:tag"] == f"2.0.0@{NEW}"
    assert written[f"kustomize:{APP}:newTag"] == "2.0.0"
    assert written[f"kustomize:{APP}:digest"] == NEW
    assert written["chart:HelmRelease/shop/identity"] == "2.0.0"
    assert written["chart:OCIRepository/flux-system/podinfo"] == "2.0.0"


def test_objects_of_one_file_that_call_a_place_the_same_stand_in_front_of_it() -> None:
    one = FILES["release.yaml"].split("---\n", 1)[0]
    other = one.replace("name: identity,", "name: web,")

    found = references.find("both.yaml", f"{one}---\n{other}".encode())

    told = re.search(r"stands in front of it: `([^`]+)`", PAGE)
    assert told
    assert told[1] in {scalar.where for each in found.references for scalar in each.scalars}
