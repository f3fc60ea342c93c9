"""Every command in the papers: run here, run by another test that is named, or said to be run by hand."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.settings import NAMES, SOURCES, load
from handlers.shell import cli
from sandbox.world import opened
from tests.repositories import git

ROOT = Path(__file__).parents[1]
PAPERS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS = {
    "countersign", ".venv/bin/countersign", "docker", "export", "gh", "git", "kubectl", "make", "podman", "ssh-keygen",
}  # fmt: skip
ELSEWHERE = {"verify-with-git.md": "tests/test_verify_with_git.py"}  # every block of it is run there


@dataclass(frozen=True)
class Hand:
    """Run by hand, or not at all, and why not."""

    said: str


HERE = "tests/test_paper_commands.py::test_the_walk_through_the_papers"
KEY = "tests/test_paper_commands.py::test_a_key_made_as_the_papers_say_is_taken"
SETTING = Hand("sets a variable; what it means is held by tests/bot/test_settings.py")
NO_CLUSTER = Hand("not run: needs a cluster; deploy/ is held by tests/test_deploy.py")
PROOF: dict[str, str | Hand] = {
    "make demo-script": "tests/scenarios/test_day.py",
    "make test": Hand("this run; .ci/run runs it on a fresh machine"),
    "make setup": "tests/test_house.py",
    ".venv/bin/countersign demo --script --keep /tmp/day": "tests/scenarios/test_day.py",
    ".venv/bin/countersign ledger show /tmp/day/gitops.git": HERE,
    ".venv/bin/countersign verify /tmp/day/gitops.git": HERE,
    "export COUNTERSIGN_REPOSITORY=git@github.com:example/gitops.git": SETTING,
    "export COUNTERSIGN_REPOSITORY=https://github.com/OWNER/NAME.git": SETTING,
    'export PATH="$PWD/.venv/bin:$PATH"': SETTING,
    "export GITHUB_APP_ID=123456": SETTING,
    "export GITHUB_APP_PRIVATE_KEY=/etc/countersign/app.pem": SETTING,
    "export SLACK_BOT_TOKEN=xoxb-...": SETTING,
    "export SLACK_APP_TOKEN=xapp-...": SETTING,
    'export COUNTERSIGN_SIGNING_KEY="$PWD/signing_key"': KEY,
    "git clone https://github.com/example/countersign.git && cd countersign": Hand("the address is a sample"),
    "git fetch && git log -1 origin/main": HERE,
    "countersign --version": HERE,
    "countersign init": HERE,
    "countersign init . --write": HERE,
    "countersign lint": HERE,
    "countersign lint .": HERE,
    "countersign plan": HERE,
    "countersign rules production checkout-api": "tests/handlers/test_rules_command.py",
    "countersign why checkout-api production 1.4.2": HERE,
    "countersign history checkout-api": "tests/handlers/test_replay.py",
    "countersign simulate --rules ../changed/promotion": "tests/handlers/test_replay.py",
    "countersign verify": HERE,
    "countersign verify REPOSITORY": HERE,
    "countersign doctor": "tests/handlers/test_doctor.py",
    "countersign serve": "tests/scenarios/test_day.py",
    "countersign serve --observe": "tests/scenarios/test_observe.py",
    "countersign retire --dry-run": "tests/scenarios/test_retire.py",
    "countersign retire": "tests/scenarios/test_retire.py",
    "countersign evidence REPOSITORY --from 2026-01-01 --to 2026-12-31 --sample 25 --seed 2026 --out evidence":
        "tests/handlers/test_audit.py",
    "countersign ledger export REPOSITORY --csv > changes.csv": "tests/handlers/test_audit.py",
    "countersign select --versions 1.x --tags tags.txt": "tests/handlers/test_select.py",
    "countersign select --policy clusters/production --name flux-system/checkout --image ghcr.io/example/checkout":
        "tests/handlers/test_select.py",
    "countersign select --versions '{numerical: asc, tags: \"^main-[0-9a-f]+-(?P<ts>[0-9]+)$\", extract: $ts}'"
    " --tags - < tags.txt": "tests/handlers/test_select.py",
    "countersign set apps/staging --image flux-system:checkout=ghcr.io/example/checkout:1.4.2":
        "tests/handlers/test_set.py",
    "countersign set . --policies clusters/staging --tags tags.json --dry-run > bump.patch":
        "tests/handlers/test_set.py",
    "countersign set . --all-to 0.0.0-proof --dry-run": "tests/handlers/test_set.py",
    "docker login ghcr.io": Hand("docker's own; what it leaves is read in tests/bot/test_registry_login.py"),
    "ssh-keygen -t ed25519 -N '' -C countersign -f signing_key": KEY,
    "ssh-keygen -t ed25519 -N '' -C countersign -f key": KEY,
    "gh api repos/OWNER/NAME/rulesets --jq '.[].id' | xargs -I{} gh api repos/OWNER/NAME/rulesets/{}"
    " --jq '{name, bypass_actors}'": Hand("not run: needs an administrator's login at GitHub"),
    "kubectl create secret generic countersign-signing --from-file=key=key": NO_CLUSTER,
    "kubectl create secret generic countersign --from-env-file=secret.env": NO_CLUSTER,
    "kubectl create secret docker-registry countersign-registries ...": NO_CLUSTER,
    "kubectl apply -k your-overlay": NO_CLUSTER,
}  # fmt: skip


def commands() -> Iterator[tuple[str, str]]:
    """Yield file and command of each fenced or indented block that is for a shell."""
    for path in PAPERS:
        if path.name in ELSEWHERE:
            continue
        text = path.read_text("utf-8")
        fenced = re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
        blocks = [body for info, body in fenced if info in {"", "sh", "console"}]
        blocks += re.findall(r"(?:^    countersign [^\n]*\n)+", text, re.MULTILINE)
        for block in blocks:
            lines = block.splitlines()
            is_prompted = any(line.startswith("$ ") for line in lines)
            for line in lines:
                if is_prompted and not line.startswith("$ "):
                    continue  # what it prints
                command = re.sub(r"\s+# .*$", "", line.removeprefix("$ ").strip())
                if command and command.split()[0] in PROGRAMS:
                    yield path.name, command


def test_every_command_has_its_proof_and_every_proof_its_command() -> None:
    named = dict.fromkeys(command for _, command in commands())

    assert [one for one in named if one not in PROOF] == [], "say in PROOF how it is run"
    assert [one for one in PROOF if one not in named] == [], "no paper has it any more"


TESTS = sorted({one for one in PROOF.values() if isinstance(one, str)} | {*ELSEWHERE.values()})


@pytest.mark.parametrize("where", TESTS)
def test_a_proof_is_a_test_that_is_there(where: str) -> None:
    path, _, name = where.partition("::")

    assert (ROOT / path).is_file()
    assert f"def {name or 'test_'}" in (ROOT / path).read_text("utf-8")


def test_every_word_that_the_papers_give_countersign_is_a_command() -> None:
    known = {
        one.name or (one.callback.__name__ if one.callback else "") for one in cli.app.registered_commands
    }
    known |= {"ledger"}
    wrong = [
        (path.name, word)
        for path in PAPERS
        for word in re.findall(r"`countersign ([a-z]+)", path.read_text("utf-8"))
        if word not in known
    ]

    assert wrong == []


def test_every_setting_stands_in_the_paper_and_each_source_in_a_sentence() -> None:
    paper = (ROOT / "docs" / "connect.md").read_text("utf-8")
    table = paper.partition("## Settings")[2]

    assert [name for name in NAMES if f"`{name}`" not in table and name != "COUNTERSIGN_FAULT"] == []
    assert set(SOURCES) <= set(NAMES)


def test_every_link_of_the_papers_leads_somewhere() -> None:
    dead = [
        (path.name, link)
        for path in PAPERS
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
        if "://" not in link and not (path.parent / link).exists()
    ]

    assert dead == []


def test_a_key_made_as_the_papers_say_is_taken(tmp_path: Path, ssh_keygen: str) -> None:
    command = "ssh-keygen -t ed25519 -N '' -C countersign -f signing_key"
    assert command in PROOF
    subprocess.run([ssh_keygen, *shlex.split(command)[1:]], cwd=tmp_path, check=True, capture_output=True)

    signer, is_new = load(
        {"HOME": str(tmp_path), "COUNTERSIGN_SIGNING_KEY": str(tmp_path / "signing_key")}
    ).signer()

    assert not is_new
    assert signer.public_key.split()[1] == (tmp_path / "signing_key.pub").read_text().split()[1]


@pytest.mark.timeout(120)
def test_the_walk_through_the_papers(tmp_path: Path) -> None:
    with opened(tmp_path / "world") as world:
        bare, clone = str(world.git.repository), tmp_path / "clone"
        git(tmp_path, "clone", "--quiet", bare, str(clone))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "COUNTERSIGN_REPOSITORY": bare,
            "COUNTERSIGN_SIGNING_KEY": str(world.signing_key),
        }

        def run(line: str, *, code: int = 0) -> str:
            is_address = {"REPOSITORY", "/tmp/day/gitops.git"}  # noqa: S108  as the papers call it
            arguments = [bare if one in is_address else one for one in shlex.split(line)]
            done = subprocess.run(
                [sys.executable, "-m", "bot", *arguments[1:]],
                cwd=clone,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == code, f"{line}: {done.returncode}: {done.stdout}{done.stderr}"
            return done.stdout

        assert run("countersign --version").startswith("countersign ")
        run("countersign lint")
        assert "checkout-api" in run("countersign plan")
        world.push("checkout-api", "1.4.2")
        assert "1.4.2" in run("countersign why checkout-api production 1.4.2")
        run("countersign pass")
        run("countersign verify REPOSITORY")
        assert "genesis" in run(".venv/bin/countersign ledger show /tmp/day/gitops.git")
        git(clone, "fetch", "--quiet")
        assert "staging: checkout-api" not in git(clone, "log", "-1", "--format=%s", "origin/main"), (
            "the first pass"
        )
        git(clone, "rm", "--quiet", "-r", "promotion")
        assert "+++ b/promotion/environments.yaml" in run("countersign init .")
        run("countersign init . --write")
        assert (clone / "promotion" / "services.yaml").is_file()
        assert "replace-me" in run("countersign lint .")
