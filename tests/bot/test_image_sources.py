"""Which repository an image may name as its source: the service's own, or one of our owner at our forge."""

import pytest

from bot.looking.image_sources import repository_of

HOME = "https://github.com/acme"


@pytest.mark.parametrize(
    ("said", "source", "expected"),
    [
        ("https://github.com/acme/web", "acme/web", "acme/web"),
        ("https://GitHub.com/Acme/Web.git", "acme/web", "Acme/Web"),
        ("https://github.com/acme/web/tree/main", "https://github.com/acme/web", "acme/web"),
        ("https://git.example.com/acme/web", "https://git.example.com/acme/web", "acme/web"),
        ("https://github.com/acme/web", "", "acme/web"),
        ("https://github.com/other/web", "", ""),
        ("https://github.com/acme/other", "acme/web", ""),
        ("https://github.com.evil.example/acme/web", "acme/web", ""),
        ("https://acme@github.com/acme/web", "acme/web", ""),
        ("https://github.com:444/acme/web", "acme/web", ""),
        ("https://github.com/\u0430cme/web", "", ""),
        ("https://github.com/acme/we%2fb", "", ""),
        ("https://github.com/acme/..", "", ""),
        ("https://github.com/acme", "", ""),
        ("git@github.com:acme/web.git", "acme/web", ""),
        ("acme/web", "acme/web", ""),
        ("https://github.com/acme/web", "https://git.example.com/acme/web", ""),
        ("https://[/acme/web", "acme/web", ""),
    ],
)
def test_a_repository_that_may_be_asked(said: str, source: str, expected: str) -> None:
    assert repository_of(said, source, HOME) == expected
