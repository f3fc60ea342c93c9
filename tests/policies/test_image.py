"""Image references as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.images.image import Digest, ImageReference, Repository, Tag

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        ("alpine", "index.docker.io", "library/alpine"),
        ("docker.io/alpine", "index.docker.io", "library/alpine"),
        ("docker.io/library/alpine", "index.docker.io", "library/alpine"),
        ("example/app", "index.docker.io", "example/app"),
        ("ghcr.io/example/app", "ghcr.io", "example/app"),
        ("localhost/app", "localhost", "app"),
        ("localhost:5000/app", "localhost:5000", "app"),
        ("[::1]:5000/a/b", "[::1]:5000", "a/b"),
    ],
)
def test_a_repository_knows_its_registry(text: str, host: str, path: str) -> None:
    repository = Repository.parse(text)

    assert (repository, repository.host, repository.path) == (text, host, path)
    assert repository.canonical == f"{host}/{path}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "ghcr.io/Foo",
        "ghcr.io/foo/",
        "ghcr.io//foo",
        "ghcr.io/a:1",
        "-x.io/a",
        "h.io:x/a",
        "h.io:123456/a",
        "a" * 256,
    ],
)
def test_what_is_no_repository_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match="expected"):
        Repository.parse(text)


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest"),
    [
        ("alpine", "alpine", None, None),
        ("alpine:3.20", "alpine", "3.20", None),
        ("localhost:5000/app", "localhost:5000/app", None, None),
        (f"localhost:5000/app:1@{DIGEST}", "localhost:5000/app", "1", DIGEST),
        (f"app@{DIGEST}", "app", None, DIGEST),
    ],
)
def test_a_reference_is_split_and_written_back(
    text: str, repository: str, tag: str | None, digest: str | None
) -> None:
    reference = ImageReference.parse(text)

    assert (reference.repository, reference.tag, reference.digest) == (repository, tag, digest)
    assert str(reference) == text


@pytest.mark.parametrize(
    "text", ["app:", "app@", "app:a b", "app@sha256:ab", ":1", "app:1:2", f"app@{DIGEST}@{DIGEST}"]
)
def test_a_broken_reference_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match="expected"):
        ImageReference.parse(text)


@pytest.mark.parametrize("text", ["", "-a", ".a", "a b", "a\n", "a" * 129, "1.0+b", "\u00e9"])
def test_what_is_no_tag_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match="is not a tag; expected"):
        Tag.parse(text)


@pytest.mark.parametrize("text", ["", "sha256:", "sha256:" + "AB" * 32, DIGEST + "\n", "sha512:" + "a" * 128])
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match="is not a digest; expected"):
        Digest.parse(text)


@given(st.text() | st.text("ab./:@[]_-", max_size=16))
def test_the_canonical_spelling_is_that_of_itself(text: str) -> None:
    try:
        repository = Repository.parse(text)
    except PolicyError:
        return
    if len(repository.canonical) <= 255:
        assert Repository.parse(repository.canonical).canonical == repository.canonical
