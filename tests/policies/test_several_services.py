"""A bump of several services: read back as it was written, judged one by one, told apart by whoever reads it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from policies.allowed.reperformed import judged
from policies.codes import Code
from policies.entries.entry import Beside, Entry, Kind, Pinned, Sighting, parse
from policies.ledger.population import population
from tests.policies.ledger_builders import Story, pinned, story

CART = "ghcr.io/example/cart"


def _cart(tag: str) -> tuple[Pinned, ...]:
    return (pinned(tag, repository=CART),)


def _ready() -> Story:
    """A story in which both services have a version to move to."""
    found = story()
    for name in ("staging", "production"):
        found.book.stood[name, "cart"] = _cart("1.0.0")
    seen = (
        Sighting("cart", CART, "1.1.0", _cart("1.1.0")[0].digest),
        Sighting("web", "ghcr.io/example/web", "1.1.0", pinned("1.1.0").digest),
    )
    found.add(Entry(kind=Kind.SEEN, at="", key="", seen=seen))
    return found


def _both(found: Story) -> Entry:
    """Move cart and web together: the first by name stands where a bump of one has its own."""
    web = found.bump("1.1.0")
    assert web.rule
    beside = Beside("web", web.image, web.previous, web.rule, {"registry": {"digest": web.image[0].digest}})
    rule = found.rule("staging", "cart")
    return replace(
        web, service="cart", image=_cart("1.1.0"), previous=_cart("1.0.0"), rule=rule, also=(beside,)
    )


def test_it_is_read_back_and_taken_apart_as_it_was_written() -> None:
    found = _ready()
    entry = found.complete(_both(found))

    assert parse(entry.line()) == entry
    cart, web = entry.each
    assert (cart.service, cart.also, web.service, web.also) == ("cart", (), "web", ())
    assert (cart.change, cart.commit) == (web.change, web.commit) == (entry.change, entry.commit)
    assert (web.evidence, cart.evidence) == (entry.also[0].evidence, entry.evidence)


def test_each_of_them_has_moved_and_is_a_change_of_its_own() -> None:
    found = _ready()
    entry = found.add(_both(found))

    for name in ("cart", "web"):
        move = found.state.last_move("staging", name)
        assert move
        assert (move.image[0].tag, move.commit, move.seq) == ("1.1.0", entry.commit, entry.seq)
        assert found.state.marks[name] == entry
    changes = population(found.state, found.entries)
    assert [one.id for one in changes] == [f"#{entry.seq}/cart", f"#{entry.seq}/web"]


def test_the_gates_of_each_are_asked_again() -> None:
    found = _ready()

    said = judged(found.state, found.complete(_both(found)), found.book)

    names = [one.gate for one in said if one.service == "cart"]
    assert names
    assert names == [one.gate for one in said if one.service == "web"]


def _web(entry: Entry, **changes: object) -> Entry:
    return replace(entry, also=(replace(entry.also[0], **changes),))  # type: ignore[arg-type]  # a test's choice


WRONG: dict[str, tuple[Callable[[Entry], Entry], Code]] = {
    "twice": (lambda entry: replace(entry, also=(*entry.also, entry.also[0])), Code.OUT_OF_LINE),
    "out of order": (lambda entry: _web(entry, service="aaa"), Code.OUT_OF_LINE),
    "too many": (
        lambda entry: replace(
            entry, also=tuple(replace(entry.also[0], service=f"web-{number:03}") for number in range(100))
        ),
        Code.OUT_OF_LINE,
    ),
    "an image that is not its": (lambda entry: _web(entry, image=_cart("1.1.0")), Code.NO_RULE),
    "never sighted": (lambda entry: _web(entry, image=(pinned("1.2.0"),)), Code.NOT_SEEN),
    "a step back": (lambda entry: _web(entry, previous=(pinned("1.5.0"),)), Code.DOWNGRADE),
}


@pytest.mark.parametrize(("spoil", "code"), WRONG.values(), ids=WRONG)
def test_one_that_may_not_move_refuses_all(spoil: Callable[[Entry], Entry], code: Code) -> None:
    found = _ready()
    entry = _both(found)
    assert found.reasons(entry) == []

    refused = found.reasons(spoil(entry))

    assert code in {one.code for one in refused}
