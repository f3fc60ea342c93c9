"""What guards find, to the letter: people read it, and the ledger's keys are made of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from policies import guards
from policies.codes import Code
from policies.entries.entry import MAX_NOTE, Kind, write_time
from policies.guards import Finding
from policies.images.evidence import TagList
from policies.images.image import Digest, Repository, Tag
from policies.verdict import Waiting
from tests.policies.ledger_builders import IMAGE, RULES, START, hash_of, pinned, rules, story

TEN = tuple(f"1.{number}.0" for number in range(10))
OLD, NEW, OTHER = pinned("1.0.0"), pinned("1.1.0"), Digest(pinned("x").digest)


def test_lost_tags_are_counted_and_three_of_them_named() -> None:
    assert guards.lost("web", TEN, TagList(TEN[4:]), ()) == Finding(
        service="web",
        code=Code.TAGS_LOST,
        trigger="tags-lost/9a847ac5d493ab98",
        detail="4 of 10 tags are gone: 1.0.0, 1.1.0, 1.2.0, ...",
        lost=TEN[:4],
    )


def test_what_was_told_before_is_counted_no_more() -> None:
    found = guards.lost("web", TEN, TagList(TEN[7:]), TEN[:4])

    assert found
    assert (found.detail, found.lost) == ("3 of 6 tags are gone: 1.4.0, 1.5.0, 1.6.0, ...", TEN[4:7])


def test_a_list_that_is_cut_short_says_after_how_many() -> None:
    assert guards.cut_short("web", TagList(TEN, whole=False)) == Finding(
        service="web",
        code=Code.TAGS_CUT_SHORT,
        trigger="tags-cut-short",
        detail="the list goes on behind its first 10 tags",
    )


def test_a_tag_that_moved_says_what_it_was_and_what_it_is() -> None:
    found = story()
    found.add(found.seen("1.1.0"))
    answers = {(Repository(IMAGE), Tag("1.1.0")): OTHER}

    assert list(guards.moved(rules(), found.state, answers)) == [
        Finding(
            service="web",
            code=Code.DIGEST_MOVED,
            trigger=f"digest-moved/{OTHER}",
            detail=f"1.1.0 was {NEW.digest[:19]} when it was first seen and is {OTHER[:19]} now",
            image=(pinned("1.1.0", digest=OTHER),),
        )
    ]


def test_what_moves_where_it_is_followed_is_found_where_it_is_not() -> None:
    """Web follows the tag, so that it moves there; cart has the same image and does not."""
    apart = RULES.replace("apps/staging", "staging/<service>").replace("apps/production", "apps/<service>")
    same = apart.replace("ghcr.io/example/cart", IMAGE)
    followed = same.replace("versions: 1.x}\n  cart", "versions: {digest-of: 1.1.0}}\n  cart")
    found = story(same)
    found.add(found.seen("1.1.0"))
    of_cart = found.seen("1.1.0", service="cart")
    found.add(replace(of_cart, seen=(replace(of_cart.seen[0], repository=IMAGE),)))
    answers = {(Repository(IMAGE), Tag("1.1.0")): OTHER}

    assert [one.service for one in guards.moved(rules(same), found.state, answers)] == ["web", "cart"]
    assert [one.service for one in guards.moved(rules(followed), found.state, answers)] == ["cart"]


def test_what_moved_is_told_in_the_order_of_the_rules_and_of_services_that_the_rules_still_have() -> None:
    same = RULES.replace("apps/staging", "staging/<service>").replace("apps/production", "apps/<service>")
    same = same.replace("ghcr.io/example/cart", IMAGE)
    found = story(same)
    for service in ("cart", "web"):
        seen = found.seen("1.1.0", service=service)
        found.add(replace(seen, seen=(replace(seen.seen[0], repository=IMAGE),)))
    answers = {(Repository(IMAGE), Tag("1.1.0")): OTHER, (Repository(IMAGE), Tag("1.2.0")): OTHER}

    told = [one.service for one in guards.moved(rules(same), found.state, answers)]
    fewer = replace(rules(same), services={"cart": rules(same).services["cart"]})

    assert told == ["web", "cart"]
    assert [one.service for one in guards.moved(fewer, found.state, answers)] == ["cart"]


@pytest.mark.parametrize(("digest", "named"), [(NEW.digest, NEW.digest), ("", "1.1.0")])
def test_a_jump_is_told_by_its_digest_or_by_its_tag(digest: str, named: str) -> None:
    image = (replace(NEW, digest=digest),)

    assert guards.jumped("web", "staging", image, "two above") == Finding(
        service="web",
        code=Code.MAJOR_JUMP,
        trigger=f"major-jump/{named}",
        detail="two above",
        image=image,
        environment="staging",
    )


def test_a_step_back_is_told_by_both_of_its_ends() -> None:
    found = guards.step_back("web", "staging", (OLD,), (NEW,), "older")

    assert found == Finding(
        service="web",
        code=Code.DOWNGRADE,
        trigger="downgrade/2ee64ce0a93f6c6e",
        detail="older",
        image=(OLD,),
        environment="staging",
        previous=(NEW,),
    )
    steps = [((NEW,), (OLD,)), ((OLD,), (OLD,)), ((NEW,), (NEW,)), ((OLD,), (NEW, OLD))]
    others = [guards.step_back("web", "staging", to, stood, "older").trigger for to, stood in steps]
    assert found.trigger not in others
    assert len(set(others)) == len(others)


def test_an_image_of_no_age_is_told_by_its_digests() -> None:
    found = guards.ageless("web", "staging", (OLD, NEW), "nobody saw it")

    assert found == Finding(
        service="web",
        code=Code.AGE_UNKNOWN,
        trigger=f"age-unknown/{OLD.digest}+{NEW.digest}",
        detail="nobody saw it",
        image=(OLD, NEW),
        environment="staging",
    )
    many = guards.ageless("web", "staging", (OLD, NEW, OLD, NEW), "nobody saw it")
    assert many.trigger == f"age-unknown/{OLD.digest}+{NEW.digest}+{OLD.digest}+{NEW.digest}"[:200]
    assert len(many.trigger) == 200


def _made(code: Code, *image: str) -> Finding:
    return Finding("web", code, "t", "said", tuple(pinned(one) for one in image), "staging")


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (_made(Code.TAGS_LOST), Kind.HOLD),
        (_made(Code.TAGS_CUT_SHORT), Kind.HOLD),
        (_made(Code.DIGEST_MOVED, "1.1.0"), Kind.BLOCK),
        (_made(Code.MAJOR_JUMP, "3.0.0"), Kind.BLOCK),
        (_made(Code.DOWNGRADE, "1.0.0"), Kind.HOLD),
        (_made(Code.AGE_UNKNOWN, "1.0.0"), Kind.HOLD),
    ],
    ids=lambda one: one.code if isinstance(one, Finding) else "",
)
def test_an_image_is_blocked_unless_somebody_has_to_answer(made: Finding, kind: Kind) -> None:
    assert made.kind is kind
    assert made.waiting == Waiting(made.code, "said")
    assert made.sight == ("staging", "web", "t")


def _entry(lost: Sequence[str], detail: str = "some are gone") -> dict[str, object]:
    made = Finding("web", Code.TAGS_LOST, "tags-lost/7", detail, lost=tuple(lost))
    entry = guards.entry_of(made, at=START, first=START - timedelta(hours=1))
    assert (entry.kind, entry.service, entry.environment, entry.image) == (Kind.HOLD, "web", "", ())
    assert (entry.why, entry.trigger, entry.key) == ("tags-lost", "tags-lost/7", "hold/web/tags-lost/7")
    assert entry.at == write_time(START)
    return {"note": entry.note, **entry.evidence}


def test_a_finding_becomes_an_entry_with_both_times_at_which_it_was_seen() -> None:
    assert _entry(["1.0.0"]) == {
        "note": "some are gone",
        "detail": "some are gone",
        "sighted": ["2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z"],
        "lost": ["1.0.0"],
    }
    assert "lost" not in _entry([])


def test_an_entry_names_no_more_than_it_may() -> None:
    tags = [hash_of(str(number)) for number in range(201)]
    found = _entry(tags, "x" * (MAX_NOTE + 1))

    assert found["lost"] == tags[:200]
    assert found["note"] == "x" * 280
    assert found["detail"] == "x" * 281


def test_an_entry_of_a_step_names_what_stands_there() -> None:
    made = guards.step_back("web", "staging", (OLD,), (NEW,), "older")

    entry = guards.entry_of(made, at=START, first=START)

    assert (entry.environment, entry.image, entry.previous) == ("staging", (OLD,), (NEW,))


def test_a_service_that_was_not_asked_is_neither_sighted_nor_confirmed() -> None:
    made = _made(Code.TAGS_LOST)

    assert guards.sighted([made], {}, {"cart": START}) == {}
    assert guards.sighted([made], {}, {"web": START}) == {made.sight: START}
    assert guards.confirmed([made], {}, {"web": START}, timedelta(hours=1)) == ()
