"""What registries answered, put together."""

import pytest

from policies.images.evidence import Silence, Silent, TagAnswer, TagList, listed_by_all

ONE, OTHER = TagList(("1.0.0", "1.1.0")), TagList(("1.1.0", "1.2.0"), whole=False)
SILENT = Silence(Silent.SLOW, "asked for 30 s")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([ONE], ONE),
        ([ONE, OTHER], TagList(("1.1.0",), whole=False)),
        ([ONE, SILENT, OTHER], SILENT),
    ],
    ids=["one list", "what both have", "one that is silent"],
)
def test_what_all_have_is_listed(answers: list[TagAnswer], expected: TagAnswer) -> None:
    assert listed_by_all(answers) == expected


def test_names_that_are_handed_in_are_kept_and_compared_once() -> None:
    before, names = frozenset({"1.0.0"}), frozenset({"1.0.0", "1.1.0"})
    found = TagList(("1.0.0", "1.1.0"), names=names, compared=(before, frozenset({"told"})))

    assert found.names is names
    assert found.beside(before) == {"told"}
    assert found.beside(frozenset({"1.1.0"})) == {"1.0.0"}
