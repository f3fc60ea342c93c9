"""How far a move goes, and which way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.bump import bump
from policies.images.version import Version

NUMBERS = st.integers(0, 2)
VERSIONS = st.builds(
    lambda numbers, prerelease, v: f"{v}{'.'.join(map(str, numbers))}{prerelease}",
    st.tuples(NUMBERS, NUMBERS, NUMBERS),
    st.sampled_from(["", "-rc.1", "-rc.2", "-alpha"]),
    st.sampled_from(["", "v"]),
)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1.4.1", "1.4.2", "patch"),
        ("1.4.1", "1.5.0", "minor"),
        ("1.4.1", "v2.0.0", "major"),
        ("1.4.1", "4.0.0", "3 majors"),
        ("2.0.0", "1.9.0", "major down"),
        ("3.0.0", "1.9.0", "2 majors down"),
        ("1.0.0-rc.1", "1.0.0", "prerelease"),
        ("1.0.0", "1.0.0-rc.1", "prerelease down"),
        ("ghcr.io/x/web:1.0.0@sha256:ab", "ghcr.io/x/web:1.0.1@sha256:cd", "patch"),
        ("localhost:5000/web", "localhost:5000/web:1.0.0", "None"),
        ("1.0.0", "v1.0.0", "None"),
        ("1.0.0+a", "1.0.0+b", "None"),
        ("main-1", "main-2", "None"),
        ("1.2", "1.3", "None"),
        ("1" * 5000 + ".0.0", "1.0.0", "None"),
    ],
)
def test_a_bump_is_said_in_a_word_or_two(old: str, new: str, said: str) -> None:
    assert str(bump(old, new)) == said


@given(VERSIONS, VERSIONS)
def test_the_way_is_that_of_the_order_by_which_tags_are_chosen(old: str, new: str) -> None:
    before, after = Version.parse(old), Version.parse(new)

    found = bump(old, new)

    assert (found is None) is (before == after)
    assert found is None or found.is_down is (after < before)
    assert str(bump(new, old)) == (f"{found} down".replace(" down down", "") if found else "None")
