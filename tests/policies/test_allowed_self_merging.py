"""Where nobody is asked and moves go by pull request: the bot asks by itself, and commits nothing."""

from dataclasses import replace
from typing import Any

import pytest

from policies.codes import Code
from policies.entries.entry import Bot, By, Entry, Kind
from policies.ledger.keys import expected_key, promotion_id
from policies.ledger.rollout import asks
from policies.rules.rules import effective
from tests.policies.ledger_builders import RULES, Story, hash_of, oid, person, pinned, story

SELF_MERGING = RULES.replace("approvals: none}", "approvals: none, via: pull-request}")


BOT = Bot()


def asked(found: Story, tag: str = "1.1.0", by: Bot | By = BOT, /, **changes: Any) -> Entry:
    """Ask for a version in staging."""
    entry = found.word(
        Kind.PROPOSE,
        by,
        environment="staging",
        service="web",
        image=(pinned(tag),),
        previous=(pinned("1.0.0"),),
        change=hash_of(f"staging {tag}"),
        rule=found.rule("staging"),
        head=oid(f"head {tag}"),
        why="at-once" if isinstance(by, Bot) else "",
    )
    entry = replace(entry, **changes)
    key = expected_key(found.state, entry)
    return replace(entry, key=key, promotion=promotion_id(found.state.year, key))


def code(found: Story, entry: Entry) -> Code | None:
    refusal = found.refusal(entry)
    return Code(refusal.code) if refusal else None


@pytest.mark.parametrize(
    ("text", "seen", "by", "expected"),
    [
        (SELF_MERGING, "1.1.0", Bot(), None),
        (SELF_MERGING, "1.1.0", person("ada"), None),
        (SELF_MERGING, "1.2.0", Bot(), Code.NOT_SEEN),
        (RULES, "1.1.0", Bot(), Code.NOT_GUARDED),
        (RULES, "1.1.0", person("ada"), Code.NOT_GUARDED),
    ],
    ids=["by the bot", "by a person", "never seen", "by commit, the bot", "by commit, a person"],
)
def test_a_version_is_asked_for_where_moves_go_by_pull_request(
    text: str, seen: str, by: Bot | By, expected: Code | None
) -> None:
    found = story(text)
    found.add(found.seen(seen))

    assert code(found, asked(found, "1.1.0", by)) is expected


def test_the_bot_asks_for_nothing_that_it_could_not_have_moved() -> None:
    found = story(SELF_MERGING)
    found.add(found.seen("1.1.0", "0.9.0"))
    assert code(found, asked(found, "0.9.0")) is Code.DOWNGRADE

    found.add(found.stand(Kind.HOLD, person("ada"), environment="staging"))
    assert code(found, asked(found)) is Code.HELD


def test_nothing_is_committed_there() -> None:
    found = story(SELF_MERGING)
    found.add(found.seen("1.1.0"))

    assert code(found, found.bump("1.1.0")) is Code.OUT_OF_LINE


def test_it_is_merged_without_anybody() -> None:
    found = story(SELF_MERGING)
    found.add(found.seen("1.1.0"))
    entry = found.add(asked(found))
    promotion = found.state.promotions[entry.promotion]
    intent = Entry(
        kind=Kind.INTENT,
        at="",
        key="",
        environment="staging",
        service="web",
        promotion=promotion.id,
        image=promotion.image,
        change=promotion.change,
        rule=promotion.rule,
        head=promotion.head,
        evidence={"accounts": {}},
    )

    assert code(found, intent) is None


def test_only_such_an_environment_is_asked_for_by_itself() -> None:
    for text, expected in ((SELF_MERGING, True), (RULES, False)):
        found = story(text)
        rule = effective(found.book.versions[found.book.line[0]], "staging", "web")
        assert rule
        assert asks(rule.environment) is expected
