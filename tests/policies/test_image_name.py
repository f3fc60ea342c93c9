"""Image names as Flux reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.images.image_name import (
    ImageName,
    is_private,
    parse_image_repository,
    parse_registry,
    parse_repository,
    scheme,
)

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("alpine", "index.docker.io/library/alpine:latest"),
        ("docker.io/alpine:3", "index.docker.io/library/alpine:3"),
        ("example/app", "index.docker.io/example/app:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app:1", "localhost:5000/app:1"),
        ("host:5000/app", "host:5000/app:latest"),
        ("[::1]:5000/app", "[::1]:5000/app:latest"),
        ("ghcr.io//app/", "ghcr.io//app/:latest"),
        (f"alpine:3@{DIGEST}", f"index.docker.io/library/alpine@{DIGEST}"),
        (f"ghcr.io/a/b@{DIGEST}", f"ghcr.io/a/b@{DIGEST}"),
    ],
)
def test_a_name_has_a_canonical_spelling(text: str, canonical: str) -> None:
    name = ImageName.parse(text)

    assert str(name) == canonical
    assert name.text == text
    assert name.identifier == (name.tag or name.digest)


def test_other_defaults_stand_in() -> None:
    assert str(ImageName.parse("app", registry="r.example", tag="stable")) == "r.example/app:stable"
    assert str(ImageName.parse("docker.io/app", registry="r.example")) == "index.docker.io/library/app:latest"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "alpine:",
            "Alpine",
            "ghcr.io/Foo/bar",
            "GHCR.io/Foo/bar",
            "b@char/image",
            "a b",
            "a\n",
            f"{'a' * 250}@{DIGEST}",
            "a:b c",
            "a.b/",
        ),
        *(
            "a:" + "t" * 129,
            "a" * 256,
            "app@sha256:abc",
            f"app@{DIGEST}@{DIGEST}",
            f"app:@{DIGEST}",
            "app@md5:" + "a" * 32,
        ),
        *(
            "h.io:x/app",
            "[::1/app",
            "[1.2.3.4]:5000/app",
            "[::1%25eth0]/app",
            "u@h.io/app",
            "h%20.io/app",
            "[::1]x/app",
        ),
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match="expected"):
        ImageName.parse(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://ghcr.io/app", "'https://'"),
        ("oci://ghcr.io/app", "'oci://'"),
        ("ghcr.io/app:1.0", "':1.0'"),
        ("127.0.0.1:5000/app:1.0", "':1.0'"),
        (f"ghcr.io/app@{DIGEST}", f"':{DIGEST.removeprefix('sha256:')}'"),
    ],
)
def test_an_image_repository_is_a_bare_name(text: str, found: str) -> None:
    with pytest.raises(PolicyError, match=f"should not include .*; remove {found}"):
        parse_image_repository(text)


def test_an_image_repository_keeps_what_was_written() -> None:
    name = parse_image_repository("docker.io/library/alpine")

    assert (name.text, name.repository) == ("docker.io/library/alpine", "index.docker.io/library/alpine")


@pytest.mark.parametrize(
    ("registry", "spoken"),
    [
        *(
            ("localhost:8080", "http"),
            ("localhost", "https"),
            ("x.localhost", "http"),
            ("x.localhost:123456", "https"),
        ),
        *(
            ("127.0.0.1", "http"),
            ("127.0.0.1:5000", "http"),
            ("127.0.0.2", "https"),
            ("::1", "http"),
            ("[::1]:5000", "http"),
        ),
        *(
            ("[2001:db8::1]", "https"),
            ("10.0.0.1:5000", "http"),
            ("registry.local", "https"),
            ("ghcr.io", "https"),
        ),
    ],
)
def test_what_is_near_is_spoken_to_in_plain_http(registry: str, spoken: str) -> None:
    assert scheme(registry) == spoken
    assert scheme(registry, insecure=True) == "http"


@pytest.mark.parametrize(
    ("registry", "private"),
    [
        *(("10.2.3.4:5000", True), ("172.16.0.1", True), ("172.31.255.255", True), ("192.168.0.1", True)),
        *(
            ("172.32.0.1", False),
            ("10.256.0.0", False),
            ("010.2.3.4", False),
            ("8.8.8.8", False),
            ("ten", False),
        ),
    ],
)
def test_private_addresses_are_known(registry: str, *, private: bool) -> None:
    assert is_private(registry) is private


def test_nothing_means_docker_hub() -> None:
    assert parse_registry("") == parse_registry("docker.io") == "index.docker.io"
    assert parse_registry("", default="r.example") == "r.example"


@given(st.text() | st.text("ab./:@[]_-%A", max_size=20))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        name = ImageName.parse(text)
    except PolicyError:
        return
    assert ImageName.parse(str(name)) == ImageName(str(name), name.registry, name.path, name.tag, name.digest)
    assert parse_repository(name.repository) == (name.registry, name.path)
