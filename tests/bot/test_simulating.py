"""A replay of the ledger under other rules."""

from bot.promoting.simulating import once
from policies.rules.rules import Rules


def test_git_is_asked_once_for_each_rules_and_place() -> None:
    asked: list[tuple[Rules, str, str]] = []

    def look(rules: Rules, environment: str, service: str) -> int:
        asked.append((rules, environment, service))
        return len(asked)

    old, new, answer = Rules({}, {}), Rules({}, {}), once(look)
    places = [(old, "staging", "web"), (new, "staging", "web"), (old, "production", "web")]

    assert [answer(*place) for place in [*places, *places]] == [1, 2, 3, 1, 2, 3]
    assert len(asked) == len(places)
