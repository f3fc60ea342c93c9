"""What Git shows of a place since its last move, where the rules in force say to look."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from policies.allowed.asked import TOLD_DECIDES
from policies.entries.entry import Pinned
from policies.rules.rules import Rules
from tests.policies.ledger_builders import Shelf, Story, pinned, shelf

BY_HAND = "b" * 40
PAPER = Path(__file__).parents[2] / "docs/ledger.md"


@dataclass
class Exact(Shelf):
    """A clone that looks only where the rules say."""

    def stood_after(
        self, commit: str, rules: Rules, environment: str, service: str
    ) -> Iterator[tuple[Pinned, ...]]:
        """Yield what stood there, of an environment that these rules have."""
        if environment in rules.environments:
            yield from super().stood_after(commit, rules, environment, service)


def _moved_by_hand() -> Story:
    """Let 1.2.0 run in production by a commit of the ledger's own, and 1.2.5 by hand after it."""
    plain = shelf()
    found = Story(Exact(plain.versions, plain.stood, plain.line))
    found.add(found.genesis())
    found.add(found.rules_at(found.book.line[0]))
    found.asked("1.2.0").approved().landed()
    move = found.state.last_move("production", "web")
    assert move
    found.book.line += [move.commit, BY_HAND]
    found.book.later[BY_HAND, "production", "web"] = (pinned("1.2.5"),)
    found.staged("1.3.0")
    found.at = TOLD_DECIDES
    return found


def test_what_stands_by_hand_is_looked_for_where_the_rules_in_force_say() -> None:
    found = _moved_by_hand()

    assert found.reasons(found.propose("1.3.0", previous=(pinned("1.2.5"),))) == []


def test_rules_that_cannot_be_read_any_more_show_nothing_by_hand() -> None:
    found = _moved_by_hand()
    entry = found.propose("1.3.0", previous=(pinned("1.2.5"),))
    assert found.state.rules
    del found.book.versions[found.state.rules.commit]

    assert "1.2.0 stands there, and it says 1.2.5" in {one.detail for one in found.reasons(entry)}


def test_the_paper_says_since_when_it_is_asked() -> None:
    assert f"Since {TOLD_DECIDES:%Y-%m-%d} `previous` of bump" in PAPER.read_text()
