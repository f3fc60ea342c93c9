"""The search that leaves out what cannot be the highest version leaves out nothing else."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.images.selection import SelectionPolicy, best, select
from policies.images.version import MAX_NUMBER, Version
from policies.images.version_screen import reaching

MANY = [f"build-{number}" for number in range(2_001)]
NUMBERS = st.sampled_from([0, 1, 2, 9, 10, 11, 19, 20, 99, 100, 109, 190, 999, 1000, MAX_NUMBER])
SPELLED = st.builds(lambda zeros, number: f"{'0' * zeros}{number}", st.sampled_from([0, 0, 0, 1, 4]), NUMBERS)
VERSIONS = st.builds(
    lambda v, numbers, tail: v + ".".join(numbers) + tail,
    st.sampled_from(["", "v"]),
    st.lists(SPELLED, min_size=1, max_size=3),
    st.sampled_from(["", "-rc.1", "-0.0", "+a.b.c", "-a.b.c", ".x", "_1"]),
)
RANGES = st.sampled_from(
    ["*", "1.x", "~1.10", "^0.9", ">=9 <20", "<2", ">1.9.9-0", "1.x || >=100", ">3 <2", "2 - 10.1"]
)


@given(st.lists(VERSIONS, max_size=12), st.tuples(NUMBERS, NUMBERS, NUMBERS), NUMBERS)
def test_no_version_that_reaches_is_left_out(
    texts: list[str], least: tuple[int, int, int], highest: int
) -> None:
    kept = set(reaching([*MANY, *texts], least, highest))

    assert {text for text in texts if _reaches(text, least, highest)} <= kept
    assert kept <= set(texts)


@given(RANGES, st.lists(VERSIONS, max_size=12), st.integers(0, 9))
def test_the_best_of_many_is_that_of_a_selection(range_: str, texts: list[str], seed: int) -> None:
    policy = SelectionPolicy.semver(range_)
    tags = [*MANY, *texts]
    random.Random(seed).shuffle(tags)  # noqa: S311  an order

    assert best(policy, tags) == select(policy, tags).best


@pytest.mark.parametrize("pattern", [r"^app-(.*)$", r"^(?:app|web)-(.*)$"])
def test_the_best_of_many_is_found_by_its_extracted_value(pattern: str) -> None:
    policy = SelectionPolicy.semver("<5", pattern, "$1")
    tags = [
        f"{name}-{major}.{minor}.0" for name in ("app", "web") for major in range(9) for minor in range(300)
    ]

    assert best(policy, tags) == select(policy, tags).best == "app-4.299.0"


def test_a_name_of_several_lines_is_not_several_names() -> None:
    tags = [*MANY, "1.0.0", "x\n9.0.0", "9.0.0\n"]

    assert best(SelectionPolicy.semver("*"), tags) == "1.0.0"


def _reaches(text: str, least: tuple[int, int, int], highest: int) -> bool:
    """Say it slowly."""
    try:
        version = Version.parse(text)
    except PolicyError:
        return False
    return (version.major, version.minor, version.patch) >= least and version.major <= highest
