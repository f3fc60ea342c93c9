"""Addresses: what git may be given, and where secrets go."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SettingsError
from bot.repository.remote import Remote


@pytest.mark.parametrize(
    ("text", "transport", "address"),
    [
        ("https://github.com/example/gitops.git", "https", "https://github.com/example/gitops.git"),
        ("https://GitHub.com:8443/example/gitops", "https", "https://github.com:8443/example/gitops"),
        ("https://ada:secret@host.example/x", "https", "https://host.example/x"),
        ("http://localhost:4000/example/gitops.git", "http", "http://localhost:4000/example/gitops.git"),
        ("http://127.0.0.1:4000/x", "http", "http://127.0.0.1:4000/x"),
        ("https://[::1]:8443/x", "https", "https://[::1]:8443/x"),
        (
            "ssh://git@host.example:2222/example/gitops.git",
            "ssh",
            "ssh://git@host.example:2222/example/gitops.git",
        ),
        ("git@github.com:example/gitops.git", "ssh", "git@github.com:example/gitops.git"),
        ("/srv/gitops.git", "file", "/srv/gitops.git"),
        ("file:///srv/git%20ops.git", "file", "/srv/git ops.git"),
    ],
)
def test_an_address_is_read(text: str, transport: str, address: str) -> None:
    remote = Remote.parse(text)

    assert (remote.transport, remote.address) == (transport, address)


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert Remote.parse("gitops.git").address == str(tmp_path / "gitops.git")


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "-x", "--upload-pack=sh", "ext::sh -c id", "http://host/x", "http://host:80/x", "http://localhost/x",
        "http://localhost.host:80/x", "git://host/x", "ftp://host/x",
        "https:///x", "https://host/x?token=1", "https://host/x#y", "https://host:99999999/x", "ssh://-oProxyCommand=sh/x",
        "ssh://u:p@host/x", "file://elsewhere/x", "https://host/x\nhttps://other/y", "fd::3", "https://[::1/x",
        "~nobody-of-this-name/x",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERSIGN_REPOSITORY"):
        Remote.parse(text)


@pytest.mark.parametrize(
    ("text", "token", "login"),
    [
        ("https://h.example/x", None, None),
        ("https://h.example/x", lambda: "t0ken", "x-access-token:t0ken"),
        ("https://ada:s%40crit@h.example/x", None, "ada:s@crit"),
        ("https://t0ken@h.example/x", None, "x-access-token:t0ken"),
        ("https://ada:old@h.example/x", lambda: "t0ken", "x-access-token:t0ken"),
        ("git@h.example:x", lambda: "t0ken", None),
        ("/srv/x", lambda: "t0ken", None),
    ],
)
def test_secrets_are_kept_for_their_host(
    text: str, token: Callable[[], str] | None, login: str | None
) -> None:
    remote = Remote.parse(text, token)

    assert (remote.credentials.login() if remote.credentials else None) == login
    assert remote.credentials is None or remote.credentials.url == "https://h.example/"
    assert not any(secret in repr(remote) for secret in ("t0ken", "s@crit", "s%40crit", "old"))


def test_who_gave_a_token_hears_that_it_was_refused() -> None:
    remote = Remote.parse("https://h.example/x", lambda: "t0ken", lambda token: token == "t0ken")
    credentials = remote.credentials
    assert credentials is not None
    assert credentials.refused is not None

    assert credentials.refused(credentials.login())
    assert not credentials.refused("x-access-token:another")


def test_only_a_path_opens_the_way_to_files() -> None:
    assert Remote.parse("/srv/x").config()["protocol.file.allow"] == "always"
    assert "protocol.file.allow" not in Remote.parse("https://h.example/x").config()
    assert "protocol.http.allow" not in Remote.parse("https://h.example/x").config()
    assert Remote.parse("http://localhost:4000/x").config()["protocol.http.allow"] == "always"


@given(st.text() | st.text(alphabet="~:/@-. ahtps[]0", max_size=40))
def test_whatever_is_accepted_is_no_option_and_no_helper(text: str) -> None:
    try:
        address = Remote.parse(text).address
    except SettingsError:
        return

    assert not address.startswith("-")
    assert "::" not in address.partition("/")[0]
