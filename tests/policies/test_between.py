"""Versions between two: as the order has them, with when they were seen and whether somebody blocked them."""

from hypothesis import given
from hypothesis import strategies as st

from policies.entries.entry import Kind
from policies.ledger.between import Between, between
from policies.ledger.newness import is_newer
from policies.rules.rules import EffectiveRule, effective
from tests.policies.ledger_builders import IMAGE, Story, person, pinned, rules, story

TAGS = ("1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "2.0.0", "latest")
RULES = rules()


def _rule(environment: str = "production") -> EffectiveRule:
    found = effective(RULES, environment, "web")
    assert found
    return found


def _between(found: Story, one: str, other: str, tags: tuple[str, ...] = TAGS) -> tuple[Between, ...]:
    rule = _rule()
    return between(RULES, found.state, rule, rule.service.select(tags), (one, other))


def test_versions_between_two_are_named_newest_first_with_when_they_were_seen() -> None:
    found = story()
    found.add(found.seen("1.1.0"))

    told = _between(found, "1.4.0", "1.0.0")

    assert [one.version for one in told] == ["1.3.0", "1.2.0", "1.1.0"]
    known = found.state.seen.get(("web", IMAGE, "1.1.0"))
    assert known
    assert told[-1] == Between("1.1.0", known.at)
    assert told[0].seen is None


def test_a_block_there_or_in_an_environment_before_is_said() -> None:
    found = story()
    found.add(found.stand(Kind.BLOCK, person("ada"), environment="staging", image=(pinned("1.1.0"),)))

    told = _between(found, "1.2.0", "1.0.0")

    assert [(one.version, one.is_blocked) for one in told] == [("1.1.0", True)]


def test_what_has_no_place_in_the_order_has_nothing_in_between() -> None:
    assert _between(story(), "latest", "1.0.0") == ()


@given(st.permutations(TAGS), st.sampled_from(TAGS), st.sampled_from(TAGS))
def test_it_is_the_same_from_both_ends_and_everything_lies_between(
    tags: list[str], one: str, other: str
) -> None:
    found = story()
    rule = _rule()

    told = _between(found, one, other, tuple(tags))

    assert told == _between(found, other, one)
    new, old = (one, other) if is_newer(rule.service, found.state, one, other) else (other, one)
    versions = [each.version for each in told]
    assert all(is_newer(rule.service, found.state, each, old) for each in versions)
    assert all(is_newer(rule.service, found.state, new, each) for each in versions)
    assert versions == sorted(versions, reverse=True)
