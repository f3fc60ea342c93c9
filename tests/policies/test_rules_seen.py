"""What rules see of a repository's documents, whatever bytes they are."""

import pytest

from policies.rulebook import seen as rules_seen
from policies.rulebook.flux_lint import flux_findings
from policies.rulebook.seen import Nothing
from tests.policies.ledger_builders import rules

SYNC = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\n"


def test_a_repository_of_rules_alone_holds_nothing() -> None:
    assert Nothing().references(("apps",)) == ()
    assert Nothing().flux() == rules_seen.read({})


@pytest.mark.parametrize(
    ("text", "folders"),
    [
        (SYNC + "spec: {path: ./apps}\n", ["apps"]),
        (SYNC, []),
        (SYNC + "spec: text\n", []),
        (SYNC + "spec: [\n", []),
        (SYNC.replace("Kustomization", "Other") + "spec: {path: ./apps}\n", []),
        ("- " + SYNC.replace("\n", "\n  "), []),
    ],
    ids=["a folder", "no spec", "a spec that is text", "no YAML", "another kind", "a list"],
)
def test_only_a_whole_kustomization_says_what_flux_applies(text: str, folders: list[str]) -> None:
    assert [one.folder for one in rules_seen.read({"flux/apps.yaml": text.encode()}).syncs] == folders


def test_what_is_wrong_with_a_file_itself_is_told_of_its_references_alone() -> None:
    flux = rules_seen.read({"a.yaml": b"apiVersion: image.toolkit.fluxcd.io/v1\nkind: [\n"})

    assert flux.documents.problems
    assert list(flux_findings(rules(), flux)) == []
