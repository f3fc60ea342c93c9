"""What registries said is kept at once, of those who asked the later ones', and nothing that nobody asks for now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.looking import asking
from bot.looking.asking import Questions, Told
from bot.looking.builds import Builds
from bot.looking.survey import Answers
from policies.images.evidence import DigestAnswer, Silence, Silent, TagAnswer, TagList
from policies.images.image import Digest, Repository, Tag
from policies.ledger.state import State
from policies.rulebook.parse import parse
from policies.rules.rules import Host, Rules
from tests.bot.ledger_worlds import digest

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WEB, CART = Repository("r.example/web"), Repository("r.example/cart")
RULES = """\
environments:
  staging: {path: s, channel: c, approvals: none}
services:
  web: {image: r.example/web, versions: 1.x}
  cart: {image: r.example/cart, versions: 1.x}
registries: {r.example: {concurrency: 4}}
"""
SILENT = Silence(Silent.SLOW, "slow")


def rules(old: str = "", new: str = "") -> Rules:
    assert old in RULES
    return parse({"promotion/r.yaml": RULES.replace(old, new).encode()})


@dataclass
class Shop:
    """A registry as values: the tags of each repository, all of whose digests follow from their names."""

    tags_of: dict[Repository, TagAnswer] = field(default_factory=dict)
    asked: list[object] = field(default_factory=list)

    def tags(
        self, repositories: Iterable[Repository], _hosts: Mapping[str, Host]
    ) -> Mapping[Repository, TagAnswer]:
        """Return the tags of each repository."""
        wanted = list(repositories)
        self.asked += wanted
        return {one: self.tags_of.get(one, SILENT) for one in wanted}

    def digests(
        self, images: Iterable[tuple[Repository, Tag]], _hosts: Mapping[str, Host]
    ) -> Mapping[tuple[Repository, Tag], DigestAnswer]:
        """Return the digest that each tag names."""
        wanted = list(images)
        self.asked += wanted
        return {(image, tag): Digest(digest(tag)) if tag != "9.9.9" else SILENT for image, tag in wanted}


def questions(answers: Answers, *images: Repository, at: datetime = AT, by: Rules | None = None) -> Questions:
    return asking.questions(by or RULED, State("2026"), answers, images, at)


RULED = rules()


def test_of_what_is_asked_the_digests_of_what_is_selected_are_asked_too_and_of_nothing_else() -> None:
    answers, shop = Answers(), Shop({WEB: TagList(("1.0.0", "1.1.0")), CART: TagList(("1.0.0",))})

    told = asking.asked(shop, questions(answers, WEB))

    assert shop.asked == [WEB, (WEB, Tag("1.1.0"))]
    assert (answers.tags, answers.digests, answers.asked) == ({}, {}, {}), (
        "nothing is known before it is kept"
    )
    asking.keep(told, RULED, answers)
    assert answers.asked == {WEB: AT}
    assert answers.digests == {(WEB, Tag("1.1.0")): digest("1.1.0")}


def test_nothing_is_asked_where_nothing_is_to_be_asked() -> None:
    answers, shop = Answers(), Shop()

    asking.keep(asking.asked(shop, questions(answers), Builds(shop, None)), RULED, answers)

    assert shop.asked == []


@pytest.mark.parametrize(("asked_about", "looked_into"), [(WEB, []), (CART, [(CART, Tag("main-1"))])])
def test_nobody_waits_for_when_images_of_others_were_built(
    asked_about: Repository, looked_into: list[object]
) -> None:
    newest = rules("cart, versions: 1.x", "cart, versions: {newest-build: true}")
    answers = Answers(tags={CART: TagList(("main-1",))})
    shop = Shop({WEB: TagList(("1.0.0",)), CART: TagList(("main-1",))})

    asking.asked(shop, questions(answers, asked_about, by=newest), Builds(shop, None))

    assert [one for one in shop.asked if one == (CART, Tag("main-1"))] == looked_into


def test_an_answer_does_not_take_the_place_of_one_that_was_asked_for_later() -> None:
    answers, shop = Answers(), Shop({WEB: TagList(("1.0.0",)), CART: TagList(("1.0.0",))})
    of_a_pass = asking.asked(shop, questions(answers, WEB, CART))
    shop.tags_of[WEB] = TagList(("1.0.0", "1.1.0"))
    later = AT + timedelta(seconds=30)
    asking.keep(asking.asked(shop, questions(answers, WEB, at=later)), RULED, answers)

    asking.keep(of_a_pass, RULED, answers)

    assert answers.tags == {WEB: TagList(("1.0.0", "1.1.0")), CART: TagList(("1.0.0",))}
    assert answers.asked == {WEB: later, CART: AT}
    # what the list that is left out had selected is known all the same: it harms nobody
    assert set(answers.digests) == {(WEB, Tag("1.1.0")), (WEB, Tag("1.0.0")), (CART, Tag("1.0.0"))}


def test_a_digest_that_was_asked_for_later_stays() -> None:
    answers = Answers()
    before, later = questions(answers, WEB), questions(answers, WEB)
    old, new = ({(WEB, Tag("1.0.0")): Digest(digest(one))} for one in ("old", "new"))

    asking.keep(Told(later, digests=new), RULED, answers)
    asking.keep(Told(before, digests=old), RULED, answers)

    assert answers.digests == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  web: {image: r.example/web, versions: 1.x}\n", ""),
        ("concurrency: 4", "private: true"),
    ],
    ids=["no service has it any more", "it is asked otherwise now"],
)
def test_what_the_rules_do_not_ask_for_any_more_is_not_kept(old: str, new: str) -> None:
    answers, shop = Answers(), Shop({WEB: TagList(("1.0.0",))})
    told = asking.asked(shop, questions(answers, WEB))

    asking.keep(told, rules(old, new), answers)

    assert (answers.tags, answers.digests, answers.asked) == ({}, {}, {})
    assert asking.due(RULED, answers, AT, ["staging"]) == [CART, WEB], (
        "it is asked as soon as it is meant again"
    )


def test_other_rules_that_ask_for_the_same_are_told() -> None:
    answers, shop = Answers(), Shop({WEB: TagList(("1.0.0",))})

    asking.keep(asking.asked(shop, questions(answers, WEB)), rules("channel: c", "channel: d"), answers)

    assert answers.tags == {WEB: TagList(("1.0.0",))}


def test_an_image_that_is_asked_for_by_name_is_kept_where_the_registry_has_it() -> None:
    answers, shop = Answers(), Shop()
    exact = [(WEB, Tag("1.0.0")), (WEB, Tag("9.9.9"))]

    told = asking.asked(shop, asking.questions(RULED, State("2026"), answers, (), AT, exact=exact))
    asking.keep(told, RULED, answers)

    assert told.digests[exact[1]] == SILENT
    assert answers.digests == {exact[0]: digest("1.0.0")}


def test_what_was_chosen_while_nobody_waited_is_kept_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, shop = Answers(), Shop({WEB: TagList(("1.0.0", "1.1.0"))})
    asking.keep(asking.asked(shop, questions(answers, WEB)), RULED, answers)
    shop.tags_of[WEB] = listed = TagList(("1.0.0", "1.1.0", "1.2.0"))
    wanted = questions(answers, WEB)
    told = asking.asked(shop, wanted)
    web = RULED.services["web"]

    assert answers.choices.best(web, answers.tags[WEB]) == "1.1.0", "of the list that everybody knows"  # type: ignore[arg-type]
    asking.keep(told, RULED, answers)

    monkeypatch.setattr("bot.looking.choices.stand", None)
    monkeypatch.setattr("bot.looking.choices.advance", None)
    assert answers.choices.best(web, listed) == "1.2.0", "nothing is chosen again"
