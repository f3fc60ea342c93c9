"""Selection: the tag that a policy takes, the order of the others, and why not they."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.images.image import Tag
from policies.images.number import parse_number
from policies.images.selection import Fate, Order, SelectionPolicy, best, newer, select
from policies.images.version import Version
from policies.images.version_range import Range

SEMVER = SelectionPolicy.semver(">=1.0.0")
BRANCH = (r"^main-[0-9a-f]+-(?P<ts>\d+)$", "$ts")
POLICIES = [
    SEMVER,
    SelectionPolicy.semver("1.x || >=2.0.0-0"),
    SelectionPolicy.semver("*", r"^v?([0-9.]+)-", "$1"),
    SelectionPolicy.alphabetical("asc"),
    SelectionPolicy.alphabetical("desc", "a|1"),
    SelectionPolicy.alphabetical("asc", r"(\d)", "$1"),
    SelectionPolicy.numerical("asc"),
    SelectionPolicy.numerical("desc", r"^main-(.*)-", "$1"),
    SelectionPolicy.numerical("asc", r"^v?([0-9]+)\.", "$1"),
]
TAGS = st.sampled_from(
    [
        *("1.0.0", "v1.0.0", "1.0.0-rc1", "1.2.0", "01.2.0", "2.0.0-a", "2.0.0", "1.2", "latest", "1.2.0-x"),
        *(
            "main-1-a",
            "main-1-b",
            "main-1.0-a",
            "main-02-c",
            "main-x-a",
            "main-nan-a",
            "7",
            "07",
            "7.0",
            "nan",
            "inf",
        ),
        *("", "a\nb", "a b", "main-3-\n", "\u00e9", "1.0.0+b", "-1"),
    ]
)


@pytest.mark.parametrize(
    ("policy", "tags", "ranked"),
    [
        pytest.param(SEMVER, "0.9.0 1.0.0 1.10.0 1.9.0", "1.10.0 1.9.0 1.0.0", id="versions"),
        pytest.param(
            SEMVER, "1.0.0 v1.0.0 1.0.0+b", "v1.0.0 1.0.0+b 1.0.0", id="equal versions: descending bytes"
        ),
        pytest.param(SEMVER, "latest 1.2 1.2.0-rc1 0.1.0", "", id="nothing eligible"),
        pytest.param(SelectionPolicy.alphabetical(), "b a Z _", "b a _ Z", id="bytes"),
        pytest.param(SelectionPolicy.alphabetical("DESC"), "b a Z _", "Z _ a b", id="bytes, the first"),
        pytest.param(SelectionPolicy.numerical(), "9 10 -1 inf", "inf 10 9 -1", id="numbers"),
        pytest.param(SelectionPolicy.numerical("desc"), "9 10 -1", "-1 9 10", id="numbers, the first"),
        pytest.param(
            SelectionPolicy.numerical(), "1.0 01 1", "01 1 1.0", id="equal numbers: ascending bytes"
        ),
        pytest.param(
            SelectionPolicy.numerical("desc"), "1.0 01 1", "01 1 1.0", id="equal numbers, the first"
        ),
        pytest.param(
            SelectionPolicy.numerical(), "nan 1 -inf", "1 -inf nan", id="what is not comparable is last"
        ),
        pytest.param(
            SelectionPolicy.numerical("", *BRANCH),
            "main-ff-9 main-aa-10 dev-aa-99",
            "main-aa-10 main-ff-9",
            id="numbers behind a filter",
        ),
        pytest.param(
            SelectionPolicy.semver("*", r"^(.*)-alpine", "$1"),
            "1.0.0-alpine 1.1.0-alpine2 1.1.0-alpine1 2.0.0",
            "1.1.0-alpine1 1.0.0-alpine",
            id="versions behind a filter, of one value the smaller tag",
        ),
    ],
)
def test_eligible_tags_are_ranked(policy: SelectionPolicy, tags: str, ranked: str) -> None:
    selection = select(policy, tags.split())

    assert selection.ranked == tuple(ranked.split())
    assert selection.best == next(iter(ranked.split()), None)
    assert all(isinstance(tag, Tag) for tag in selection.ranked)


def test_every_tag_has_a_fate() -> None:
    policy = SelectionPolicy.semver("1.x", r"^v?(\d+\.\d+.*)$", "$1")
    tags = ["1.2.0", "v1.2.0", "1.1.0", "1.2", "2.0.0", "1.3.0-rc1", "main", "1.5.0\n", ""]

    assert select(policy, tags).fates == {
        "1.2.0": Fate.SELECTED,
        "v1.2.0": Fate.SAME_VALUE,
        "1.1.0": Fate.OLDER,
        "1.2": Fate.NOT_A_VERSION,
        "2.0.0": Fate.OUT_OF_RANGE,
        "1.3.0-rc1": Fate.PRERELEASE,
        "main": Fate.FILTERED,
        "1.5.0\n": Fate.NOT_A_TAG,
        "": Fate.NOT_A_TAG,
    }


def test_one_tag_that_is_no_number_spoils_a_numerical_policy() -> None:
    selection = select(SelectionPolicy.numerical(), ["2", "1", "latest", "1e999"])

    assert (selection.best, selection.ranked) == (None, ())
    assert selection.error.startswith("'latest' is not a number")
    assert selection.fates == {
        "2": Fate.UNDECIDED,
        "1": Fate.UNDECIDED,
        "latest": Fate.NOT_A_NUMBER,
        "1e999": Fate.NOT_A_NUMBER,
    }


def test_no_tags_are_no_error() -> None:
    assert [select(policy, []).error for policy in POLICIES] == [""] * len(POLICIES)
    assert [select(policy, []).best for policy in POLICIES] == [None] * len(POLICIES)


@pytest.mark.parametrize(
    ("policy", "one", "other", "answer"),
    [
        (SEMVER, "1.0.1", "1.0.0", True),
        (SEMVER, "1.0.0", "1.0.1", False),
        (SEMVER, "v1.0.0", "1.0.0", False),
        (SEMVER, "0.2.0", "0.1.0", True),
        (SEMVER, "1.0.0", "1.0.0-rc1", True),
        (SEMVER, "latest", "1.0.0", None),
        (SEMVER, "1.0.0", "1.2", None),
        (SelectionPolicy.alphabetical(), "b", "a", True),
        (SelectionPolicy.alphabetical("desc"), "b", "a", False),
        (SelectionPolicy.alphabetical("desc"), "a", "b", True),
        (SelectionPolicy.alphabetical("desc"), "a", "a", False),
        (SelectionPolicy.numerical(), "10", "9", True),
        (SelectionPolicy.numerical(), "10", "nan", None),
        (SelectionPolicy.numerical("", *BRANCH), "main-a-10", "main-b-9", True),
        (SelectionPolicy.numerical("", *BRANCH), "main-a-10", "9", None),
    ],
)
def test_a_step_forward_is_one_in_the_order(
    policy: SelectionPolicy, one: str, other: str, *, answer: bool | None
) -> None:
    assert newer(policy, one, other) is answer


def test_a_policy_is_built_from_the_first_choice_that_is_set() -> None:
    assert SelectionPolicy.of(semver=">=1.0.0", numerical="asc") == SEMVER
    assert SelectionPolicy.of(alphabetical="", numerical="asc") == SelectionPolicy.alphabetical("asc")
    assert SelectionPolicy.of(numerical="DESC") == SelectionPolicy.numerical("desc")
    with pytest.raises(PolicyError, match="chooses nothing; expected one of semver"):
        SelectionPolicy.of(pattern="x")


def test_an_unknown_order_is_refused() -> None:
    assert Order.parse("dEsC") is Order.DESC
    with pytest.raises(PolicyError, match="'newest' is not an order; expected asc or desc"):
        SelectionPolicy.alphabetical("newest")


@given(st.sampled_from(POLICIES), st.lists(TAGS, max_size=8), st.randoms())
def test_the_order_and_repetition_of_tags_do_not_matter(
    policy: SelectionPolicy, tags: list[str], random: Random
) -> None:
    selection = select(policy, tags)
    shuffled = [*tags, *tags[:2]]
    random.shuffle(shuffled)

    assert select(policy, shuffled) == selection
    assert select(policy, shuffled).fates == selection.fates


@given(st.sampled_from(POLICIES), st.lists(TAGS, max_size=8), TAGS)
def test_adding_a_worse_tag_changes_nothing(policy: SelectionPolicy, tags: list[str], added: str) -> None:
    before = select(policy, tags)
    if before.best is not None and newer(policy, before.best, added):
        assert select(policy, [*tags, added]).best == before.best


@given(st.sampled_from(POLICIES), st.lists(TAGS, max_size=8))
def test_the_quick_way_finds_the_same_best(policy: SelectionPolicy, tags: list[str]) -> None:
    assert best(policy, iter(tags)) == select(policy, tags).best


@given(st.sampled_from(POLICIES), st.lists(TAGS, max_size=8))
def test_every_name_has_one_fate_and_the_best_leads(policy: SelectionPolicy, tags: list[str]) -> None:
    selection = select(policy, tags)
    fates = selection.fates

    assert set(fates) == set(tags)
    assert {tag for tag, fate in fates.items() if fate in {Fate.SELECTED, Fate.OLDER}} == set(
        selection.ranked
    )
    assert [tag for tag, fate in fates.items() if fate is Fate.SELECTED] == list(selection.ranked[:1])
    assert all(tag.isprintable() for tag in selection.ranked)
    for better, worse in zip(selection.ranked, selection.ranked[1:], strict=False):
        assert not newer(policy, worse, better)


@given(st.lists(TAGS.filter(str.isprintable), min_size=1, max_size=8), st.sampled_from(Order))
def test_numbers_are_chosen_as_by_a_walk_over_the_stored_list(tags: list[str], order: Order) -> None:
    """Flux walks its list, in descending bytes, and stays where the next number is worse."""
    numbers = [(tag, parse_number(tag)) for tag in sorted(set(tags) - {"nan"}, reverse=True)]
    chosen: tuple[str, float] | None = None
    for tag, number in numbers:
        if number is None:
            chosen = None
            break
        if chosen is None or not (number < chosen[1] if order is Order.ASC else number > chosen[1]):
            chosen = (tag, number)

    expected = chosen and chosen[0]
    assert select(SelectionPolicy.numerical(order), set(tags) - {"nan"}).best == expected


@given(st.lists(TAGS, max_size=8), st.sampled_from(["*", "*-0", "1.x", ">=1.2.0-0 || 1.0.0"]))
def test_versions_are_chosen_as_by_a_walk_over_the_stored_list(tags: list[str], range_text: str) -> None:
    """Flux walks its list, in descending bytes, and goes on only to what is greater."""
    range_ = Range.parse(range_text)
    chosen: Version | None = None
    for tag in sorted(tags, reverse=True):
        version = _version(tag)
        if version and range_.admits(version) and (chosen is None or version > chosen):
            chosen = version

    assert select(SelectionPolicy.semver(range_text), tags).best == (chosen.original if chosen else None)


def _version(tag: str) -> Version | None:
    try:
        return Version.parse_tag(tag)
    except PolicyError:
        return None
