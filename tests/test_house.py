"""The house: locks, targets, crash points, words that do not belong here, and `make setup` on a bare machine."""

import ast
import os
import re
import shutil
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bot.faults import POINTS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKS = ("run", "sigstore", "test")
TARGETS = (
    "setup", "demo", "demo-script", "test", "check", "fix", "papers", "lock", "campaign", "laws", "bench", "mutants",
    "clean", "help",
)  # fmt: skip
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; .+?)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)

# Put together here, so that this file does not hold them itself.
UNFINISHED = re.compile(r"\b(?:{})\b".format("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X"))))
HOSTS = re.compile(
    "|".join((r"pypi\." + "org", r"python" + r"hosted\.", r"npm" + r"js\.", r"crates\." + "io"))
)
PLACES = re.compile(r"(?<![\w/.])/(?:{})/".format("|".join(("wo" + "rk", "ro" + "ot", "opt/" + "wheels"))))


def lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")


def pins(name: str) -> dict[str, str]:
    return {canonicalize_name(found[1]): found[2] for found in PIN.finditer(lock(name))}


def tracked() -> Iterator[tuple[str, str]]:
    """Yield the text files that Git has or would be given."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, done.stdout.decode().split("\0")):
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            yield name, path.read_bytes().decode("utf-8", "replace")


# Locks


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_pins_with_hashes_and_nothing_else(name: str) -> None:
    rest = re.sub(r"^ *#.*\n", "", PIN.sub("", lock(name)), flags=re.MULTILINE)

    assert rest.strip() == ""
    assert len(pins(name)) > 30


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_place(name: str) -> None:
    assert "://" not in lock(name)
    assert "--index" not in lock(name)
    assert "--find" not in lock(name)


def test_what_is_tested_is_what_runs() -> None:
    assert pins("run").items() <= pins("sigstore").items() <= pins("test").items()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("run", PROJECT["dependencies"]),
        ("sigstore", [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["sigstore"]]),
        (
            "test",
            [
                *PROJECT["dependencies"],
                *(one for extra in PROJECT["optional-dependencies"].values() for one in extra),
            ],
        ),
    ],
    ids=LOCKS,
)
def test_every_dependency_is_locked_as_it_is_asked_for(name: str, wanted: list[str]) -> None:
    locked = pins(name)

    for requirement in map(Requirement, wanted):
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in requirements/{name}.txt: make lock"
        assert requirement.specifier.contains(version), f"{requirement} is locked to {version}: make lock"


# Programs and targets


def test_the_program_is_called_countersign() -> None:
    assert list(PROJECT["scripts"]) == ["countersign"]
    module, _, function = PROJECT["scripts"]["countersign"].partition(":")
    assert callable(getattr(import_module(module), function))


def test_every_target_is_there_and_is_told_by_help() -> None:
    done = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert sorted(line.split()[0] for line in done.stdout.splitlines()) == sorted(TARGETS)
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert sorted(phony.split()) == sorted(TARGETS)


def test_targets_that_need_the_environment_make_it() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    rules = dict(re.findall(r"^([a-z-]+):([^#\n]*)## ", makefile, re.MULTILINE))

    assert {name for name in rules if rules[name].split() != ["setup"]} == {"setup", "help", "clean"}


@pytest.mark.parametrize("name", [".ci/run", "scripts/setup", "scripts/lock"])
def test_scripts_can_be_run(name: str) -> None:
    path = ROOT / name
    shell = path.read_text("utf-8").splitlines()[0].rpartition("/")[2].split()[-1]

    assert path.stat().st_mode & stat.S_IXUSR
    subprocess.run([shell, "-n", str(path)], check=True)


def test_the_server_is_started_as_the_platforms_do() -> None:
    assert (ROOT / "Procfile").read_text("utf-8") == "web: countersign serve\n"


def test_every_change_has_a_line() -> None:
    fragments = [path for path in (ROOT / "changelog.d").glob("*.md") if path.name != "README.md"]

    for path in fragments:
        assert len(path.read_text("utf-8").splitlines()) == 1, path.name


# Crash points


def passed() -> tuple[set[str], set[str]]:
    """Return the points that are passed: those said in full, and those put together from words of the code."""
    files = [path for floor in ("bot", "handlers") for path in (ROOT / floor).rglob("*.py")]
    trees = [ast.parse(path.read_text("utf-8")) for path in files]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    said: set[str] = set()
    joined: set[str] = set()
    for node in nodes:
        if not (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "point"
        ):
            continue
        match node.args:
            case [ast.Constant(value=str(name))]:
                said.add(name)
            case [ast.JoinedStr(values=parts)]:
                gaps = [part.value if isinstance(part, ast.Constant) else None for part in parts]
                assert gaps.count(None) == 1, ast.unparse(node)
                joined |= {"".join(word if gap is None else str(gap) for gap in gaps) for word in words}
            case _:
                pytest.fail(f"the name of a crash point stands where it is passed: {ast.unparse(node)}")
    return said, joined


def test_every_crash_point_that_is_passed_is_in_the_table() -> None:
    assert passed()[0] - POINTS.keys() == set()


def test_every_crash_point_in_the_table_is_passed() -> None:
    said, joined = passed()

    assert POINTS.keys() - said - joined == set()


# Words


def test_nothing_is_left_unfinished_in_the_source() -> None:
    found = [f"{name}: {hit[0]}" for name, text in tracked() if (hit := UNFINISHED.search(text))]

    assert found == []


def test_no_file_names_a_package_host_or_a_place_on_one_machine() -> None:
    found = [
        f"{name}: {hit[0]}"
        for name, text in tracked()
        for words in (HOSTS, PLACES)
        if (hit := words.search(text))
    ]

    assert found == []


# Setting up, on a machine of shell scripts


FAKE_PYTHON = """#!/bin/sh
case "$*" in
*version_info*|*"import pip"*) exit ${OLD:-0} ;;
--version) echo "Python 3.12.1" ;;
"-m venv --clear .venv")
    rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python; echo "$PWD/.venv" > .venv/bin/activate
    echo venv >> log ;;
*"--editable ."*) echo editable >> log; touch .venv/bin/countersign; chmod +x .venv/bin/countersign ;;
*"-m pip"*) echo pip >> log; [ ! -e offline ] || { echo "no network" >&2; exit 2; } ;;
esac
"""
TOOLS = ("sh", "dirname", "id", "sed", "cat", "grep", "rm", "mkdir", "cp", "touch", "chmod")


class Bare:
    """A machine with a shell and little else, and a checkout that is to be set up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)
        self.checkout = folder / "checkout"
        for name in ("scripts/setup", "requirements/test.txt", "pyproject.toml"):
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.checkout / name)

    def has(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def setup(self, **environment: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", str(self.checkout / "scripts" / "setup")]
        given = {"PATH": str(self.bin), **environment}
        return subprocess.run(command, env=given, capture_output=True, text=True, check=False, timeout=60)

    def log(self) -> list[str]:
        path = self.checkout / "log"
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    return Bare(tmp_path)


@pytest.fixture
def ready(bare: Bare) -> Bare:
    bare.has("git", "echo git version 2.38.0")
    bare.has("python3", FAKE_PYTHON)
    return bare


def advice(bare: Bare) -> str:
    done = bare.setup(OLD="1")
    assert (done.returncode, done.stdout, bare.log()) == (1, "", [])
    told, line = done.stderr.splitlines()
    assert told == (
        "setup: Countersign needs Python 3.11 or later with venv, and git 2.38 or later. On Debian or Ubuntu:"
    )
    return line.replace("sudo ", "")


def test_what_is_missing_is_told_in_one_line(bare: Bare) -> None:
    assert advice(bare) == "apt-get update && apt-get install -y git python3 python3-venv"


def test_only_what_is_missing_is_told(bare: Bare) -> None:
    bare.has("git", "echo git version 2.50.1 of somebody")

    assert advice(bare) == "apt-get update && apt-get install -y python3 python3-venv"


@pytest.mark.parametrize("version", ["2.37.9", "1.99.0", "unknown"])
def test_an_old_git_is_not_enough(ready: Bare, version: str) -> None:
    ready.has("git", f"echo git version {version}")

    done = ready.setup()

    _, line = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert re.search(r"apt-get update && (?:sudo )?apt-get install -y git(?:/[a-z]+-backports)?$", line)


def test_an_old_python_is_not_enough(ready: Bare) -> None:
    assert advice(ready) == "apt-get update && apt-get install -y python3.11 python3.11-venv"


def test_setting_up_twice_is_setting_up_once(ready: Bare) -> None:
    first, second = ready.setup(), ready.setup()

    assert (first.returncode, second.returncode) == (0, 0)
    assert ready.log() == ["venv", "pip", "editable"]
    assert first.stdout.startswith("setup: making .venv with Python 3.12.1")
    assert first.stdout.endswith("setup: done: .venv/bin/countersign\n")
    assert (second.stdout, first.stderr, second.stderr) == ("", "", "")


def test_other_requirements_are_installed_into_the_same_environment(ready: Bare) -> None:
    ready.setup()
    with (ready.checkout / "requirements" / "test.txt").open("a") as file:
        file.write("# moved\n")

    ready.setup()

    assert ready.log() == ["venv", "pip", "editable", "pip", "editable"]


def test_a_checkout_that_was_moved_gets_a_new_environment(ready: Bare) -> None:
    ready.setup()
    ready.checkout = ready.checkout.rename(ready.folder / "moved")

    ready.setup()

    assert ready.log() == ["venv", "pip", "editable"] * 2


def test_a_checkout_behind_a_link_keeps_its_environment(ready: Bare) -> None:
    ready.setup()
    (ready.folder / "link").symlink_to(ready.checkout)
    ready.checkout = ready.folder / "link"

    ready.setup()

    assert ready.log() == ["venv", "pip", "editable"]


def test_what_broke_off_is_done_at_the_next_time(ready: Bare) -> None:
    (ready.checkout / "offline").touch()
    failed = ready.setup()
    (ready.checkout / "offline").unlink()

    done = ready.setup()

    assert failed.returncode == 1
    assert failed.stderr.splitlines() == [
        "no network",
        "setup: this did not work; what is above says why. Nothing is lost: run it again.",
    ]
    assert done.returncode == 0
    assert ready.log() == ["venv", "pip", "pip", "editable"]


def test_the_newest_python_is_taken(ready: Bare) -> None:
    ready.has("python3.13", FAKE_PYTHON)
    ready.has("python3.14", "exit 127")

    done = ready.setup()

    assert f"({ready.bin}{os.sep}python3.13)" in done.stdout


# What people are told to type


NAMES_THE_COMMAND = {  # the constant, the setting and its default, and names of doors that no message shows
    "handlers/slack/blocks.py",
    "bot/settings.py",
    "bot/settings_checks.py",
    "handlers/doors.py",
}


def test_no_sentence_fixes_how_the_slash_command_is_called() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{said.lineno}"
        for folder in ("bot", "handlers", "policies")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.relative_to(ROOT).as_posix() not in NAMES_THE_COMMAND
        for said in said_in(ast.parse(path.read_text("utf-8")))
        if "/promote" in str(said.value)
    ]

    assert found == []


def said_in(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield the strings of a module that are no docstrings."""
    papers = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in papers:
            yield node
