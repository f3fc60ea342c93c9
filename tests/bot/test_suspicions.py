"""Bad evidence over real Git: seen twice, written once, answered by a person; meanwhile nothing of it moves."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.ledger import Appended
from bot.promoting.promoter import stand
from bot.promoting.suspicions import Suspicions
from policies.decide import Standing, decide
from policies.entries.entry import Bot, Entry, Kind
from policies.images.evidence import Silence, Silent, TagList
from policies.images.image import Digest, Tag
from policies.words import Hold, Resume, Unblock
from tests.bot.ledger_worlds import FILES as WORLD_FILES
from tests.bot.ledger_worlds import RULES, WEB, World, digest, said, world

TEN = [f"1.0.{number}" for number in range(10)]
LOOK = timedelta(minutes=6)  # a little more than the interval


class Town:
    """A world whose registry is asked again and again."""

    def __init__(self, found: World) -> None:
        self.world = found

    def pass_(
        self, *, tags: list[str] | None = None, whole: bool = True, after: timedelta = LOOK
    ) -> list[Entry]:
        """Ask the registry, guard, and move what is ready; return what was written."""
        found, desk = self.world, self.world.desk
        found.at += after
        found.tags = found.tags if tags is None else tags
        desk.answers.tags[WEB] = TagList(tuple(found.tags), whole=whole)
        for tag in found.tags:
            desk.answers.digests.setdefault((WEB, Tag(tag)), Digest(digest(tag)))
        desk.answers.asked[WEB] = found.at
        last = decide(desk.view(found.at).world, found.at)
        desk.suspicions.examine(desk.view(found.at).world.rules, found.state, desk.answers, last)
        guarded = found.done(lambda look, _tip: desk.suspicions.entries(look))
        return [entry for _, entry in (*guarded, *found.run())]

    def kinds(self, **changes: object) -> list[Kind]:
        return [entry.kind for entry in self.pass_(**changes)]  # type: ignore[arg-type]  # handed on

    def codes(self) -> tuple[str, ...]:
        row = decide(self.world.desk.view(self.world.at).world, self.world.at).row("staging", "web")
        assert row
        return row.codes

    def answer(self, word: Resume | Unblock) -> None:
        answer = self.world.append(lambda look, _tip: stand(look, said("ada", look.at), word))
        assert isinstance(answer, Appended), answer


@pytest.fixture
def town(tmp_path: Path) -> Town:
    files = {**WORLD_FILES, "promotion/rules.yaml": RULES.replace("versions: 1.x", 'versions: ">=0"')}
    found = Town(world(tmp_path, files))
    found.pass_(tags=["1.0.0", *TEN[1:]])
    return found


def test_a_list_that_lost_its_tags_stops_its_service_until_somebody_answers(town: Town) -> None:
    assert town.kinds(tags=["1.0.9", "1.1.0"]) == [Kind.SEEN]  # a first sighting: nothing is written of it
    assert town.codes() == ("tags-lost",)
    assert town.kinds(after=timedelta(minutes=1)) == []  # too soon for a second

    (hold,) = town.pass_()

    assert (hold.kind, hold.why, hold.by, hold.service) == (Kind.HOLD, "tags-lost", Bot(), "web")
    assert "9 of 10 tags are gone" in hold.note
    assert town.kinds() == []  # told once
    assert town.codes() == ("held",)
    town.answer(Resume("web", "the registry was cleaned up"))
    assert town.kinds() == [Kind.BUMP]
    assert town.kinds(tags=["1.0.9", "1.1.0", "1.2.0"]) == [Kind.SEEN, Kind.BUMP]


def test_a_list_that_is_whole_again_was_nothing(town: Town) -> None:
    town.pass_(tags=["1.0.9"])
    assert town.kinds(tags=["1.0.0", *TEN[1:], "1.1.0"]) == [Kind.SEEN, Kind.BUMP]
    assert town.kinds(tags=["1.1.0"]) == []  # a first sighting again

    assert town.world.state.holds == {}


def test_a_list_that_was_cut_short_stops_its_service_once(town: Town) -> None:
    town.pass_(tags=[*TEN, "1.1.0"], whole=False)
    assert town.codes() == ("tags-cut-short",)
    (hold,) = town.pass_(whole=False)
    assert hold.why == "tags-cut-short"

    town.answer(Resume("web", "there are more than we read"))

    assert town.kinds(whole=False) == [Kind.BUMP]
    assert town.kinds(whole=False) == []


def test_an_empty_disk_holds_the_list_against_what_the_ledger_saw(town: Town) -> None:
    for number in range(1, 5):
        town.pass_(tags=[*town.world.tags, f"1.{number}.0"])
    town.world.desk.suspicions = Suspicions()

    town.pass_(tags=["1.0.0", "1.5.0"])

    assert town.codes() == ("tags-lost",)
    assert [entry.why for entry in town.pass_()] == ["tags-lost"]
    town.world.desk.suspicions = Suspicions()  # and forgets again: the ledger knows
    assert town.kinds() == []


def test_a_silent_registry_is_no_evidence(town: Town) -> None:
    town.world.desk.answers.tags[WEB] = Silence(Silent.SLOW, "slow")
    rules = town.world.desk.view(town.world.at).world.rules
    town.world.desk.suspicions.examine(rules, town.world.state, town.world.desk.answers, None)

    assert town.world.desk.suspicions.found == ()


def test_a_tag_that_moved_is_blocked_as_what_it_is_now(town: Town) -> None:
    other = Digest(digest("other"))
    town.world.desk.answers.digests[WEB, Tag("1.0.9")] = other
    assert town.kinds() == []
    (block,) = town.pass_()
    assert (block.kind, block.why, block.image[0].digest) == (Kind.BLOCK, "digest-moved", other)

    town.answer(Unblock("web", "1.0.9", "we pushed it again ourselves"))

    assert town.kinds() == []
    assert town.world.state.is_accepted("web", block.image[0])


def test_a_version_that_skips_a_major_one_waits_for_a_word(town: Town) -> None:
    assert town.kinds(tags=[*TEN, "3.0.0"]) == [Kind.SEEN]
    assert "major-jump" in town.codes()
    (block,) = town.pass_()
    assert (block.kind, block.why, block.environment) == (Kind.BLOCK, "major-jump", "staging")
    assert town.kinds() == []

    town.answer(Unblock("web", "3.0.0", "we skipped 2"))

    assert town.kinds() == [Kind.BUMP]


def test_a_person_who_holds_the_service_is_enough(town: Town) -> None:
    answer = town.world.append(
        lambda look, _tip: stand(look, said("ada", look.at), Hold("web", "an incident"))
    )
    assert isinstance(answer, Appended)
    town.pass_(tags=["1.0.9"])

    assert town.pass_() == []
    town.answer(Resume("web", "it is fine"))
    assert [entry.why for entry in town.pass_()] == ["tags-lost"]


def test_the_place_says_what_it_waits_for_before_anything_is_written(town: Town) -> None:
    town.pass_(tags=["1.0.9", "1.1.0"])
    row = decide(town.world.desk.view(town.world.at).world, town.world.at).row("staging", "web")

    assert row
    assert row.verdict is Standing.WAITING
    assert "are gone" in row.candidates[0].reasons[0].detail
