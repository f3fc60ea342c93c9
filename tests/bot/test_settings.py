"""Settings: each wrong one is named with what is expected, each missing one with where to get it, no secret shown."""

import stat
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from bot import faults
from bot.errors import SettingsError
from bot.settings import NAMES, SIGNING_KEY_FILE, SOURCES, load
from bot.signing import Signer
from tests.bot.forge_worlds import app_key, pem
from tests.repositories import private_key

HOME = {"HOME": "/home/bot"}
WHOLE = {
    **HOME,
    "COUNTERSIGN_REPOSITORY": "https://github.com/example/gitops.git",
    "GITHUB_TOKEN": "ghp_samplesample",
    "SLACK_BOT_TOKEN": "xoxb-sample",
    "SLACK_SIGNING_SECRET": "5ec2e7",
}


def test_nothing_needs_to_be_set() -> None:
    settings = load(HOME)

    assert (settings.repository, settings.branch, settings.rules) == ("", "", "promotion")
    assert (settings.command, settings.port, settings.tick_seconds) == ("/promote", 3000, 15)
    assert (settings.slack_api_url, settings.github_url) == ("https://slack.com/api/", "")
    assert (settings.has_chat, settings.has_forge, settings.fault, settings.unknown) == (False, False, "", ())
    assert settings.docker_config == Path("/home/bot/.docker")


def test_by_default_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_BRANCH", "  release ")

    assert load().branch == "release"


def test_a_whole_set_is_enough_for_everything() -> None:
    settings = load(WHOLE)

    settings.need_repository()
    settings.need_all()

    assert (settings.has_chat, settings.has_forge) == (True, True)
    assert settings.forge_repository == "example/gitops"


def test_an_empty_variable_is_none() -> None:
    assert load({**HOME, "PORT": "", "COUNTERSIGN_COMMAND": " ", "GITHUB_TOKEN": "\n"}) == load(HOME)


def test_all_that_is_missing_is_named_with_where_to_get_it() -> None:
    with pytest.raises(SettingsError) as repository:
        load(HOME).need_repository()
    with pytest.raises(SettingsError) as chat:
        load(HOME).need_chat()
    with pytest.raises(SettingsError) as forge:
        load({**HOME, "COUNTERSIGN_REPOSITORY": "/srv/gitops.git"}).need_forge()
    with pytest.raises(SettingsError) as everything:
        load(HOME).need_all()

    assert str(repository.value) == (
        "not set:\nCOUNTERSIGN_REPOSITORY: the URL or path of your GitOps repository;"
        " all that is looked at and moved is there"
    )
    assert str(chat.value) == (
        "not set:\n"
        "SLACK_BOT_TOKEN: the bot token xoxb-... of your Slack app, under OAuth & Permissions;"
        " cards are shown and people's accounts looked up with it\n"
        "SLACK_SIGNING_SECRET: the signing secret of your Slack app, under Basic Information;"
        " or, for Socket Mode, SLACK_APP_TOKEN: an app-level token xapp-... made there, with connections:write;"
        " it proves that a click comes from Slack"
    )
    load({**HOME, "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}).need_chat()
    assert [line.partition(":")[0] for line in str(forge.value).splitlines()[1:]] == [
        "COUNTERSIGN_FORGE_REPOSITORY",
        "GITHUB_TOKEN",
    ]
    apps = {"GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY"}  # asked for where half of it is there
    assert all(f"{name}: " in str(everything.value) for name in SOURCES.keys() - apps)


def test_a_forge_of_which_nothing_is_set_is_asked_for_when_the_rules_are_known() -> None:
    chat = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    whole = {**HOME, **chat, "COUNTERSIGN_REPOSITORY": "/srv/gitops.git"}

    load(whole).need_all()

    assert load(whole).has_forge is False
    for half in ({"GITHUB_TOKEN": "ghp_sample"}, {"GITHUB_APP_ID": "4711"}):
        with pytest.raises(SettingsError, match="COUNTERSIGN_FORGE_REPOSITORY"):
            load({**whole, **half}).need_all()


APP = {
    **{name: value for name, value in WHOLE.items() if name != "GITHUB_TOKEN"},
    "GITHUB_APP_ID": "4711",
    "GITHUB_APP_PRIVATE_KEY": "-----BEGIN RSA PRIVATE KEY-----",
}


def test_an_app_serves_as_well_as_a_token() -> None:
    settings = load(APP)

    settings.need_all()

    assert (settings.has_forge, settings.is_app, load(WHOLE).is_app) == (True, True, False)


@pytest.mark.parametrize("missing", ["GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY"])
def test_half_an_app_is_not_made_up_for_by_a_token(missing: str) -> None:
    half = {name: value for name, value in APP.items() if name != missing} | {"GITHUB_TOKEN": "ghp_sample"}

    with pytest.raises(SettingsError) as caught:
        load(half).need_forge()

    assert load(half).has_forge is False
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()[1:]] == [missing]
    assert all(name in SOURCES["GITHUB_TOKEN"] for name in ("GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY"))


def test_the_apps_key_is_its_text_or_the_file_that_has_it(tmp_path: Path) -> None:
    text = pem(app_key())
    path = tmp_path / "app.pem"
    path.write_text(text)
    given = (text, text.replace("\n", "\\n"), text.replace("\n", "\r\n"), str(path))

    keys = [load({**APP, "GITHUB_APP_PRIVATE_KEY": one}).app_key() for one in given]

    assert {key.private_numbers() for key in keys} == {app_key().private_numbers()}


def test_a_key_that_no_app_has_is_refused_and_not_shown(tmp_path: Path) -> None:
    sesame, binary = tmp_path / "sesame", tmp_path / "binary"
    sesame.write_text("-----BEGIN RSA PRIVATE KEY-----\nopen\n-----END RSA PRIVATE KEY-----\n")
    binary.write_bytes(b"\xff\xfe")
    elliptic = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    locked = app_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"sesame"))
    short = generate_private_key(65_537, 1024)  # noqa: S505  too short: that is the point
    wrong = {
        sesame.read_text(): "it is no private key that can be read; expected the .pem file",
        str(sesame): "it is no private key that can be read; expected the .pem file",
        str(binary): "it is no plain text",
        str(tmp_path): "Is a directory",
        "sesame": "No such file",
        elliptic.decode(): "it is no RSA key of 2048 bits or more",
        pem(short): "it is no RSA key of 2048 bits or more",
        locked.decode(): "it is no private key that can be read",
    }

    for value, says in wrong.items():
        with pytest.raises(SettingsError) as caught:
            load({**APP, "GITHUB_APP_PRIVATE_KEY": value}).app_key()
        assert str(caught.value).startswith("GITHUB_APP_PRIVATE_KEY: ")
        assert says in str(caught.value)
        assert "sesame" not in str(caught.value).replace(str(sesame), "")
        assert caught.value.__cause__ is None


WRONG = {
    "an App by name": ("GITHUB_APP_ID", "countersign", "is no App id; expected a number"),
    "an App of other digits": ("GITHUB_APP_ID", "٤٧", "is no App id; expected a number"),
    "a port of words": ("PORT", "http", "'http' is not a number from 1 to 65535"),
    "a port too high": ("PORT", "65536", "is not a number from 1 to 65535"),
    "a port in other digits": ("PORT", "٣٠٠٠", "is not a number from 1 to 65535"),
    "a tick of nothing": ("COUNTERSIGN_TICK", "0", "is not a number from 1 to 3600"),
    "a command of words": ("COUNTERSIGN_COMMAND", "promote it", "expected one such as /promote"),
    "a branch with a space": ("COUNTERSIGN_BRANCH", "my branch", "expected a short name such as main"),
    "a branch like an option": ("COUNTERSIGN_BRANCH", "--upload-pack=x", "expected a short name"),
    "rules outside": ("COUNTERSIGN_RULES", "../etc", "expected a folder such as promotion"),
    "rules at an absolute path": ("COUNTERSIGN_RULES", "/etc", "expected a folder such as promotion"),
    "a forge repository by URL": ("COUNTERSIGN_FORGE_REPOSITORY", "https://x/y", "expected OWNER/NAME"),
    "a repository like an option": ("COUNTERSIGN_REPOSITORY", "-x", "COUNTERSIGN_REPOSITORY is https://"),
    "a repository by ftp": ("COUNTERSIGN_REPOSITORY", "ftp://h/x", "is no way to reach a repository here"),
    "a forge in the clear": ("COUNTERSIGN_GITHUB_URL", "http://ghe.example", "expected https://HOST/PATH"),
    "a Slack with a login": ("SLACK_API_URL", "https://u:p@slack.com/", "expected https://HOST/PATH"),
    "a Slack that is none": ("SLACK_API_URL", "https://[", "expected https://HOST/PATH"),
    "a Slack in two lines": ("SLACK_API_URL", "https://a\n.b", "expected https://HOST/PATH"),
    "a token of another kind": ("SLACK_BOT_TOKEN", "xoxp-secret1", "expected xoxb-..."),
    "an app token of another kind": ("SLACK_APP_TOKEN", "xoxb-secret1", "expected xapp-..."),
    "a token of two words": ("GITHUB_TOKEN", "ghp_secret1 secret1", "expected one word"),
    "a webhook secret with a bell": ("GITHUB_WEBHOOK_SECRET", "secret1\a", "expected one word"),
    "a crash point of no name": ("COUNTERSIGN_FAULT", "after-lunch", "is not a crash point"),
    "a crash point never passed": ("COUNTERSIGN_FAULT", "after-merge:0", "is not a crash point"),
}


@pytest.mark.parametrize(("name", "value", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_named_with_what_is_expected(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({**HOME, name: value})

    assert str(caught.value).startswith(f"{name}: ")
    assert says in str(caught.value)
    assert "secret1" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load({**HOME, "PORT": "x", "COUNTERSIGN_RULES": "..", "SLACK_BOT_TOKEN": "secret"})

    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "COUNTERSIGN_RULES",
        "SLACK_BOT_TOKEN",
        "PORT",
    ]


def test_no_secret_is_shown() -> None:
    secrets = {
        "COUNTERSIGN_REPOSITORY": "https://ghp_sesame@github.com/example/gitops",
        "COUNTERSIGN_SIGNING_KEY": "sesame",
        "GITHUB_APP_PRIVATE_KEY": "sesame",
        "GITHUB_TOKEN": "sesame",
        "GITHUB_WEBHOOK_SECRET": "sesame",
        "SLACK_APP_TOKEN": "xapp-sesame",
        "SLACK_BOT_TOKEN": "xoxb-sesame",
        "SLACK_SIGNING_SECRET": "sesame",
    }
    settings = load({**HOME, **secrets})

    assert "sesame" not in f"{settings!r}{settings}"


def test_a_name_that_means_nothing_is_noticed() -> None:
    settings = load({**HOME, "COUNTERSIGN_REPO": "x", "COUNTERSIGN_TEST_REAL": "1", "REPO": "x"})

    assert settings.unknown == ("COUNTERSIGN_REPO",)


@pytest.mark.parametrize("point", ["after-merge", "before-index:3"])
def test_what_a_crash_point_may_be_is_what_can_be_armed(point: str) -> None:
    faults.arm(load({**HOME, "COUNTERSIGN_FAULT": point}).fault)
    faults.arm("")


# Where things are kept


PLACES: dict[str, tuple[Mapping[str, str], str]] = {
    "home": ({}, "/home/bot/.local/state/countersign/"),
    "state": ({"XDG_STATE_HOME": "/var/lib"}, "/var/lib/countersign/"),
    "a state that XDG ignores": ({"XDG_STATE_HOME": "lib"}, "/home/bot/.local/state/countersign/"),
}


@pytest.mark.parametrize(("given", "folder"), PLACES.values(), ids=PLACES)
def test_the_state_folder_is_the_repositorys_own(given: Mapping[str, str], folder: str) -> None:
    settings = load({**WHOLE, **given})

    assert settings.database.name == "index.sqlite"
    assert str(settings.state_folder).startswith(folder)
    assert len(settings.state_folder.name) == 16


def test_the_state_folder_does_not_depend_on_the_login() -> None:
    folders = {
        load({**HOME, "COUNTERSIGN_REPOSITORY": f"https://{login}github.com/{name}"}).state_folder
        for login in ("", "ghp_x@", "ada:ghp_y@")
        for name in ("example/gitops", "example/other")
    }

    assert len(folders) == 2


@pytest.mark.parametrize(
    ("given", "path"), [("/srv/x.sqlite", "/srv/x.sqlite"), ("~/x.sqlite", "/home/bot/x.sqlite")]
)
def test_the_database_may_be_elsewhere(given: str, path: str) -> None:
    settings = load({**WHOLE, "COUNTERSIGN_DATABASE": given})

    assert (settings.database, settings.state_folder) == (Path(path), Path(path).parent)


FORGES = {
    "https": ("https://github.com/example/gitops", "", "example/gitops"),
    "git suffix": ("https://github.com/example/gitops.git", "", "example/gitops"),
    "login": ("https://ghp_x@github.com/example/git.ops/", "", "example/git.ops"),
    "scp": ("git@github.com:example/gitops.git", "", "example/gitops"),
    "ssh": ("ssh://git@github.com/example/gitops.git", "", "example/gitops"),
    "ssh over 443": ("ssh://git@ssh.github.com:443/example/gitops.git", "", "example/gitops"),
    "enterprise": ("git@ghe.example:example/gitops", "https://ghe.example/api/v3", "example/gitops"),
    "enterprise not named": ("git@ghe.example:example/gitops", "", ""),
    "another host": ("https://gitlab.example/example/gitops", "", ""),
    "hosts that look alike": ("https://github.com.example/example/gitops", "", ""),
    "deeper": ("https://github.com/example/gitops/tree/main", "", ""),
    "path": ("/srv/example/gitops.git", "", ""),
    "file": ("file:///srv/gitops.git", "", ""),
}


@pytest.mark.parametrize(("repository", "url", "expected"), FORGES.values(), ids=FORGES)
def test_the_forge_repository_is_read_from_the_address(repository: str, url: str, expected: str) -> None:
    settings = load({**HOME, "COUNTERSIGN_REPOSITORY": repository, "COUNTERSIGN_GITHUB_URL": url})

    assert settings.forge_repository == expected


def test_a_forge_repository_that_is_said_wins() -> None:
    assert load({**WHOLE, "COUNTERSIGN_FORGE_REPOSITORY": "a/b.c"}).forge_repository == "a/b.c"


URLS = {
    "github itself": ("https://api.github.com/", ""),
    "enterprise": ("https://ghe.example/api/v3/", "https://ghe.example/api/v3"),
    "the sandbox": ("http://localhost:4711", "http://localhost:4711"),
}


@pytest.mark.parametrize(("given", "expected"), URLS.values(), ids=URLS)
def test_a_forge_address_has_one_spelling(given: str, expected: str) -> None:
    assert load({**HOME, "COUNTERSIGN_GITHUB_URL": given}).github_url == expected


def test_slacks_address_ends_with_a_slash() -> None:
    assert (
        load({**HOME, "SLACK_API_URL": "http://127.0.0.1:1/api"}).slack_api_url == "http://127.0.0.1:1/api/"
    )


# The signing key


def test_a_key_may_be_given_as_text_or_path(tmp_path: Path) -> None:
    text = private_key()
    path = tmp_path / "key"
    path.write_text(text)
    expected = Signer.from_openssh(text).public_key

    for given in (text, text.replace("\n", "\\n"), str(path)):
        signer, made = load({**HOME, "COUNTERSIGN_SIGNING_KEY": given}).signer(tmp_path / "state")
        assert (signer.public_key, made) == (expected, False)
    assert not (tmp_path / "state").exists()


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    settings = load({**HOME, "COUNTERSIGN_DATABASE": str(tmp_path / "state" / "x.sqlite")})

    first, made = settings.signer()
    second, made_again = settings.signer(tmp_path / "state")

    kept = tmp_path / "state" / SIGNING_KEY_FILE
    assert (made, made_again) == (True, False)
    assert first.public_key == second.public_key == Signer.from_openssh(kept.read_text()).public_key
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir()] == [SIGNING_KEY_FILE]


def test_a_key_that_others_could_read_is_closed_again(tmp_path: Path) -> None:
    settings = load(HOME)
    settings.signer(tmp_path)
    (tmp_path / SIGNING_KEY_FILE).chmod(0o644)

    settings.signer(tmp_path)

    assert stat.S_IMODE((tmp_path / SIGNING_KEY_FILE).stat().st_mode) == 0o600


def test_processes_that_make_a_key_together_keep_one(tmp_path: Path) -> None:
    settings = load(HOME)
    together = threading.Barrier(8)
    keys: list[str] = []

    def make() -> None:
        together.wait()
        keys.append(settings.signer(tmp_path)[0].public_key)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(keys), len(set(keys))) == (8, 1)


KEYS = {
    "nothing there": ("/nowhere/secret1", "neither the text of a key nor the path of a file"),
    "a key without its frame": ("secret1" * 20, "neither the text of a key nor the path of a file"),
    "too long for a path": ("secret1" * 2000, "neither the text of a key nor the path of a file"),
    "a broken key": ("-----BEGIN OPENSSH PRIVATE KEY-----\nsecret1\n", "is not an OpenSSH private key"),
}


@pytest.mark.parametrize(("given", "says"), KEYS.values(), ids=KEYS)
def test_a_key_that_is_none_is_refused_and_not_shown(tmp_path: Path, given: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({**HOME, "COUNTERSIGN_SIGNING_KEY": given}).signer(tmp_path)

    assert str(caught.value).startswith("COUNTERSIGN_SIGNING_KEY: ")
    assert says in str(caught.value)
    assert "secret1" not in str(caught.value)


def test_a_kept_key_that_is_broken_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / SIGNING_KEY_FILE).write_text("half a key")

    with pytest.raises(SettingsError, match="signing_key: the signing key is not an OpenSSH private key"):
        load(HOME).signer(tmp_path)
    assert (tmp_path / SIGNING_KEY_FILE).read_text() == "half a key"


def test_a_key_that_cannot_be_kept_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(
        SettingsError, match=r"^COUNTERSIGN_SIGNING_KEY: it is not set, and .* cannot be kept"
    ):
        load(HOME).signer(tmp_path / "file")


def test_every_setting_is_of_one_of_our_families() -> None:
    families = ("COUNTERSIGN_", "SLACK_", "GITHUB_", "PORT", "DOCKER_CONFIG")

    assert all(name.startswith(families) for name in NAMES)
    assert set(SOURCES) <= set(NAMES)
