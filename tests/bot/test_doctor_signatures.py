"""The doctor, of keyless signatures: nothing where nobody asks for them, else whether they can be verified."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.doctor import signatures as doctor_signatures
from bot.doctor.doctor import Mark, repository_checks
from bot.doctor.signatures import signature_checks
from bot.registries import signatures
from bot.settings import load
from sandbox.world import World, opened
from tests.bot.sigstore_world import IDENTITY, ISSUER, Sigstore

ROOT = "promotion/trusted_root.json"
GATE = f"    gates: [{{signature: {{identity: {IDENTITY}, issuer: {ISSUER}, trust-root: {ROOT}}}}}]\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path / "world") as one:
        yield one


def told(world: World, root: str | None = None, gate: str = GATE) -> list[tuple[Mark, str, str]]:
    """Commit rules that ask for keyless signatures, with such a trust root, and let the doctor look."""
    path = "promotion/rules.yaml"
    rules = world.git.text("show", f"main:{path}").replace(
        "    after: staging\n", f"    after: staging\n{gate}"
    )
    files: dict[str, str | None] = {path: rules, **({ROOT: root} if root else {})}
    world.forge.push_to_branch("main", files, "Ask for signatures\n", login="bob")
    _, seen = repository_checks(load({**world.settings, "HOME": str(world.folder / "home")}))
    assert seen
    return [(one.mark, one.detail, one.remedy) for one in signature_checks(seen)]


def test_where_nobody_asks_for_an_identity_nothing_is_said(world: World) -> None:
    assert told(world, gate="    soak: 1s\n") == []


def test_without_the_extra_it_says_what_installs_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_signatures, "is_installed", lambda: False)

    ((mark, detail, remedy),) = told(world)

    assert mark is Mark.FAIL
    assert "countersign[sigstore] is not installed" in detail
    assert "requirements/sigstore.txt" in remedy


@pytest.mark.skipif(not signatures.is_installed(), reason="the extra is not installed")
@pytest.mark.parametrize(
    ("root", "mark", "said"),
    [
        (None, Mark.FAIL, f"there is no {ROOT} on the target branch"),
        ("{}", Mark.FAIL, f"{ROOT}: it is no trust root: "),
        (Sigstore().trust_root().decode(), Mark.OK, f"the trust root is {ROOT}"),
    ],
    ids=["none", "garbage", "right"],
)
def test_the_trust_root_is_read(world: World, root: str | None, mark: Mark, said: str) -> None:
    ((found, detail, remedy),) = told(world, root)

    assert found is mark
    assert said in detail
    assert mark is Mark.OK or "promotion/rules.yaml:" in remedy
