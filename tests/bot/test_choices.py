"""The choices that are kept are those of a selection made anew."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.looking.choices import Choices
from policies.images.evidence import TagList
from policies.images.selection import SelectionPolicy
from tests.policies.ledger_builders import rules

WEB = rules().services["web"]
SERVICES = [
    replace(WEB, versions=SelectionPolicy.semver("1.x")),
    replace(WEB, versions=SelectionPolicy.semver("*"), exclusions=("-debug$", "^1")),
    replace(WEB, versions=SelectionPolicy.numerical()),
    replace(WEB, versions=SelectionPolicy.alphabetical("asc", r"(\d)", "$1")),
]
TAGS = st.sampled_from(["1.0.0", "v1.0.0", "1.1.0", "2.0.0", "2.0.0-debug", "7", "07", "latest"])
LISTS = st.lists(TAGS, max_size=5, unique=True).map(tuple).map(TagList)


@given(st.lists(st.tuples(st.sampled_from(SERVICES), LISTS), max_size=8))
def test_every_answer_is_that_of_a_selection(asked: list[tuple[object, TagList]]) -> None:
    choices = Choices()

    for service, answer in asked:
        assert isinstance(service, type(WEB))
        assert choices.best(service, answer) == service.select(answer.tags).best
        assert choices.best(service, answer) == service.select(answer.tags).best


def test_who_chooses_ahead_changes_nothing_for_others_before_it_is_taken_over() -> None:
    choices, (web, *_) = Choices(), SERVICES
    old, new = TagList(("1.0.0",)), TagList(("1.0.0", "1.1.0"))
    choices.best(web, old)

    ahead = choices.ahead()

    assert ahead.best(web, new) == "1.1.0"
    assert choices._kept[web.images, web.versions][0] is old
    choices.take(ahead)
    assert choices._kept[web.images, web.versions][0] is new


def test_what_others_chose_meanwhile_is_not_lost() -> None:
    choices, (web, _, other, _) = Choices(), SERVICES
    listed = TagList(("7", "1.0.0"))
    ahead = choices.ahead()
    ahead.best(web, listed)
    choices.best(other, listed)

    choices.take(ahead)

    assert len(choices._kept) == 2
