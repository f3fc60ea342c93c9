"""The image recipe and the Kustomize base, parsed: they fit each other, the code and its settings."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.__main__ import STOP_SECONDS, SWITCHES
from bot.measures import Measures
from bot.settings import NAMES, load
from handlers.http import web
from handlers.metrics import Standing, page
from handlers.serving import GRACE_SECONDS
from handlers.shell import cli

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
BASE = DEPLOY / "base"
# What is no setting of ours but read by Python, git or us as the systems' own conventions have it.
COMMON = {"HOME", "PATH", "PYTHONDONTWRITEBYTECODE", "XDG_STATE_HOME"}
KEY = "COUNTERSIGN_SIGNING_KEY"


def instructions() -> list[tuple[str, str]]:
    """Read the recipe: instruction and rest, continued lines joined, comments gone."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Containerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in lines if line.strip()]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for name, rest in instructions():
        if name == "FROM":
            found.append([])
        if found:
            found[-1].append((name, rest))
    return found


def last(name: str) -> str:
    return [rest for one, rest in stages()[-1] if one == name][-1]


def image_environment() -> dict[str, str]:
    return dict(
        word.split("=", 1) for one, rest in stages()[-1] if one == "ENV" for word in shlex.split(rest)
    )


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((BASE / name).read_text("utf-8")))


KUSTOMIZATION = documents("kustomization.yaml")[0]
DEPLOYMENT, BUDGET = documents("deployment.yaml")
(SERVICE,) = documents("service.yaml")
POD = DEPLOYMENT["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
MOUNTS = {one["name"]: one for one in CONTAINER["volumeMounts"]}
VOLUMES = {one["name"]: one for one in POD["volumes"]}


def config() -> dict[str, str]:
    (generator,) = KUSTOMIZATION["configMapGenerator"]
    return dict(line.split("=", 1) for line in generator["literals"])


def secrets() -> list[str]:
    lines = (DEPLOY / "secret.env.example").read_text("utf-8").splitlines()
    found = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Z_]+=", line) for line in found), "an example holds no value"
    return [line.rstrip("=") for line in found]


# The image


def test_packages_are_held_to_their_hashes_and_come_from_no_host_that_is_named_here() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    installs = [rest for name, rest in instructions() if name == "RUN" and "pip install" in rest]

    assert "://" not in text
    assert not re.search(r"--(?:extra-)?index|--find-links|--trusted-host", text)
    assert len(installs) == 2
    assert all("--require-hashes" in one or "--no-deps --no-build-isolation" in one for one in installs)
    assert all("--no-deps" in one for one in installs)  # a lock leaves nothing to resolve


def test_it_is_built_in_one_stage_and_runs_in_another() -> None:
    build, run = stages()

    assert not [rest for name, rest in run if "pip" in rest]
    assert ("COPY", "--from=build /opt/countersign /opt/countersign") in run
    assert "git" in " ".join(rest for name, rest in run if name == "RUN").split()
    assert build[0][1].split()[0] == run[0][1].split()[0], "the same Python, or the environment is broken"


def test_all_of_the_program_is_copied_and_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = {one.rstrip("*") for one in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    copied = {word for name, rest in stages()[0] if name == "COPY" for word in rest.split()[:-1]}
    chosen = "requirements/${REQUIREMENTS}.txt"

    assert copied == packages | {chosen, "pyproject.toml", project["project"]["readme"]}
    assert all((ROOT / one).exists() for one in copied - {chosen})


def test_its_packages_are_those_that_run_it_or_with_an_argument_those_of_keyless_signatures_too() -> None:
    build, _ = stages()
    order = [name for name, rest in build if name == "ARG" or "REQUIREMENTS" in rest]
    choices = {name: (ROOT / f"requirements/{name}.txt").read_text("utf-8") for name in ("run", "sigstore")}

    assert ("ARG", "REQUIREMENTS=run") in build, "named in the stage that asks for it, or it is empty there"
    assert order == ["ARG", "COPY"]
    (copied,) = [rest.split()[1] for name, rest in build if name == "COPY" and "REQUIREMENTS" in rest]
    (installs,) = [rest for name, rest in build if "--require-hashes" in rest]
    assert copied in installs.split()
    assert ("\nsigstore==" in choices["run"], "\nsigstore==" in choices["sigstore"]) == (False, True)


def test_what_runs_is_the_program_that_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    assert yaml.safe_load(last("ENTRYPOINT")) == list(project["project"]["scripts"])
    assert yaml.safe_load(last("CMD")) == ["serve"] == CONTAINER["args"]
    assert (ROOT / "Procfile").read_text("utf-8").split() == ["web:", *project["project"]["scripts"], "serve"]


# The cluster


def test_all_files_are_named_and_there() -> None:
    assert sorted([*KUSTOMIZATION["resources"], "kustomization.yaml"]) == sorted(
        one.name for one in BASE.iterdir()
    )


def test_two_bots_are_there_also_while_one_is_exchanged() -> None:
    spec = DEPLOYMENT["spec"]

    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert BUDGET["spec"]["minAvailable"] == 1


def test_it_may_do_nothing_but_serve() -> None:
    user = int(last("USER").partition(":")[0])
    inside = CONTAINER["securityContext"]

    assert user > 0
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["runAsUser"] == user == POD["securityContext"]["fsGroup"]
    assert inside["readOnlyRootFilesystem"] is True
    assert inside["allowPrivilegeEscalation"] is False
    assert inside["capabilities"] == {"drop": ["ALL"]}
    assert POD["automountServiceAccountToken"] is False


def test_what_is_written_is_written_where_that_is_possible() -> None:
    writable = {one["mountPath"] for name, one in MOUNTS.items() if "emptyDir" in VOLUMES[name]}
    environment = image_environment()
    settings = load({**environment, **config()})

    assert environment["HOME"] in writable
    assert config()["XDG_STATE_HOME"] == environment["XDG_STATE_HOME"]
    assert any(settings.database.is_relative_to(path) for path in writable)
    assert set(MOUNTS) == set(VOLUMES)
    assert all(one.get("readOnly") for name, one in MOUNTS.items() if "secret" in VOLUMES[name])


def test_the_key_and_the_logins_are_where_the_settings_say() -> None:
    assert config()[KEY].startswith(MOUNTS["signing"]["mountPath"] + "/")
    assert config()["DOCKER_CONFIG"] == MOUNTS["docker"]["mountPath"]
    assert [one["path"] for one in VOLUMES["docker"]["secret"]["items"]] == ["config.json"]


def test_every_probe_asks_a_route_on_the_port_that_is_set() -> None:
    settings = load({**image_environment(), **config()})
    (port,) = CONTAINER["ports"]
    probes = [CONTAINER[name]["httpGet"] for name in ("readinessProbe", "livenessProbe")]
    no_app: Any = None  # by Socket Mode: health is told all the same
    paths = {getattr(route, "path", "") for route in web(no_app, secret="", health=dict).routes}
    annotations = DEPLOYMENT["spec"]["template"]["metadata"]["annotations"]

    assert port["containerPort"] == settings.port == int(last("EXPOSE"))
    assert all(probe["path"] in paths and probe["port"] == port["name"] for probe in probes)
    assert annotations["prometheus.io/port"] == str(settings.port)
    assert SERVICE["spec"]["ports"][0]["targetPort"] == port["name"]


def test_it_is_given_longer_to_end_than_it_takes() -> None:
    assert POD["terminationGracePeriodSeconds"] > STOP_SECONDS + GRACE_SECONDS + 5


# Settings


@pytest.mark.parametrize("name", sorted({*image_environment(), *config(), *secrets()}))
def test_every_name_is_a_setting(name: str) -> None:
    assert name in NAMES or name in COMMON


def test_what_is_given_is_all_that_the_bot_needs() -> None:
    samples = {
        "GITHUB_TOKEN": "sample",
        "GITHUB_WEBHOOK_SECRET": "sample",
        "SLACK_BOT_TOKEN": "xoxb-sample",
        "SLACK_SIGNING_SECRET": "sample",
    }

    assert sorted(samples) == secrets()
    settings = load({**image_environment(), **config(), **samples})
    settings.need_all()
    assert settings.unknown == ()


def test_no_secret_stands_in_a_file() -> None:
    secret = [name for name in NAMES if re.search("TOKEN|SECRET|PRIVATE", name)]

    assert not set(secret) & set(config())
    assert not set(secret) & set(image_environment())
    (generator,) = KUSTOMIZATION["configMapGenerator"]
    assert [next(iter(one.values()))["name"] for one in CONTAINER["envFrom"]] == [generator["name"]] * 2
    assert [next(iter(one)) for one in CONTAINER["envFrom"]] == ["configMapRef", "secretRef"]


# The page for operators


PAGE = (ROOT / "docs" / "operate.md").read_text("utf-8")


def test_every_measure_is_told_and_no_other() -> None:
    shown = page(Measures(), Standing(1.0, is_writable=True, promotions={"open": 1}))
    names = set(re.findall(r"^# TYPE (\S+)", shown, re.MULTILINE))

    assert set(re.findall(r"\bcountersign_\w+", PAGE)) == names


def test_every_setting_that_it_names_is_there() -> None:
    named = set(re.findall(r"\b(?:COUNTERSIGN|GITHUB|SLACK)_[A-Z_]+", PAGE))

    assert len(named) >= 5
    assert named <= {*NAMES, *SWITCHES}


def test_every_command_that_it_names_is_there() -> None:
    named = set(re.findall(r"`countersign ([a-z]+)", PAGE))
    known = {one.name or getattr(one.callback, "__name__", "") for one in cli.app.registered_commands}
    known |= {one.name for one in cli.app.registered_groups}

    assert named == {"ledger", "serve", "verify"}
    assert named <= known


def test_every_key_of_health_is_told() -> None:
    told = re.search(r'`(\{"ok"[^`]*\})`', PAGE)

    assert told is not None
    assert set(re.findall(r'"(\w+)"', told[1])) == {
        *("ok", "pass_age_seconds", "ledger_writable", "looked", "commit", "problem")
    }
