"""When images were built: what is believed of it, which version that makes the newest, and what it never does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from policies.codes import Code
from policies.decide import Standing, decide_row, why
from policies.entries.entry import Entry, write_time
from policies.errors import PolicyError
from policies.images.builds import NO_BUILDS, Build, Builds, Said, judged, together
from policies.images.evidence import TagList
from policies.images.image import Digest, Repository, Tag
from policies.images.selection import Fate, SelectionPolicy, best, eligible, newer, select
from policies.ledger.facts import built_in
from policies.ledger.newness import is_newer
from policies.proposing.versions import of_policy
from policies.verdict import Waiting
from policies.world import Pin, World
from tests.policies.ledger_builders import IMAGE, RULES, Story, pinned, story

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WEB = Repository(IMAGE)
ANY = SelectionPolicy.newest_build("true")
MAIN = SelectionPolicy.newest_build("true", "^main-")
TEXT = RULES.replace(
    "ghcr.io/example/web, versions: 1.x", "ghcr.io/example/web, versions: {newest-build: true}"
)

SAID: dict[str, tuple[Said, datetime | None, bool]] = {
    "by its configuration": ((("2026-11-20T10:00:00Z",),), datetime(2026, 11, 20, 10, tzinfo=UTC), False),
    "with nanoseconds and a zone": (
        (("2026-11-20T11:00:00.123456789+01:00",),),
        datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC),
        False,
    ),
    "by an annotation": ((("", "2026-11-20T10:00:00Z"),), datetime(2026, 11, 20, 10, tzinfo=UTC), False),
    "the last platform counts": (
        (("2026-11-20T10:00:00Z",), ("2026-11-20T10:30:00Z",)),
        datetime(2026, 11, 20, 10, 30, tzinfo=UTC),
        False,
    ),
    "an annotation beside the epoch": (
        (("1970-01-01T00:00:00Z", "2026-11-20T10:00:00Z"),),
        datetime(2026, 11, 20, 10, tzinfo=UTC),
        False,
    ),
    "a clock that is a little ahead": ((("2026-11-23T09:04:00Z",),), NOW + timedelta(minutes=4), False),
    "nothing": ((("", ""),), None, False),
    "no image of the platforms": ((), None, False),
    "one platform says nothing": ((("2026-11-20T10:00:00Z",), ("",)), None, False),
    "the epoch": ((("1970-01-01T00:00:00Z",),), None, True),
    "another constant": ((("0001-01-01T00:00:00Z",),), None, True),
    "the future": ((("2026-11-23T09:06:00Z",),), None, True),
    "no instant": ((("yesterday",),), None, True),
}


@pytest.mark.parametrize(("said", "at", "is_untrusted"), SAID.values(), ids=SAID)
def test_what_is_believed(said: Said, at: datetime | None, is_untrusted: bool) -> None:  # noqa: FBT001  a table's column
    found = judged(said, NOW)

    assert (found.at, found.is_untrusted) == (at, is_untrusted)
    assert bool(found.detail) == (at is None)


def test_a_version_of_several_images_was_built_when_the_last_was() -> None:
    early, late, unknown = Build(NOW - timedelta(days=1)), Build(NOW), Build(None, "nothing says it")

    assert together([early, late]) == late
    assert together([early, unknown]) == unknown
    assert together([early, None]) is None


def _built(**hours: int) -> dict[str, Build]:
    return {name.replace("_", "-"): Build(NOW + timedelta(hours=one)) for name, one in hours.items()}


def test_the_newest_build_is_chosen_whatever_its_name() -> None:
    found = select(ANY, ["9.9", "main", "a"], {**_built(main=3, a=2), "9.9": Build(NOW)})

    assert found.ranked == ("main", "a", "9.9")
    assert found.fates == {"main": Fate.SELECTED, "a": Fate.OLDER, "9.9": Fate.OLDER}


def test_of_equal_builds_the_last_by_name_stands_first() -> None:
    times = _built(a=1, b=1, c=1)

    assert (
        select(ANY, ["b", "c", "a"], times).ranked
        == select(ANY, ["a", "b", "c"], times).ranked
        == ("c", "b", "a")
    )


def test_nothing_is_chosen_while_one_was_not_looked_at() -> None:
    found = select(ANY, ["a", "b"], _built(a=1))

    assert (found.best, found.ranked, found.code) == (None, (), "build-unread")
    assert found.error == "when 1 of 2 tags were built was not looked up yet"
    assert set(found.fates.values()) == {Fate.BUILD_UNREAD}


def test_what_cannot_be_known_is_never_chosen_and_stops_nobody_else() -> None:
    times = {**_built(a=1), "b": Build(None, "?"), "c": Build(None, "?", is_untrusted=True)}

    found = select(ANY, ["a", "b", "c"], times)

    assert found.ranked == ("a",)
    assert (found.fates["b"], found.fates["c"]) == (Fate.BUILD_UNKNOWN, Fate.BUILD_UNTRUSTED)


def test_where_nothing_says_when_it_was_built_that_is_said() -> None:
    found = select(
        ANY, ["b", "a"], {"a": Build(None, "it says nothing"), "b": Build(None, "?", is_untrusted=True)}
    )

    assert (found.best, found.code) == (None, "build-unknown")
    assert found.error == "of 2 tags none says when it was built; a: it says nothing"
    assert select(ANY, [], {}).error == ""


def test_only_what_the_filter_lets_through_has_to_be_known() -> None:
    assert eligible(MAIN, ["main-1", "dev-1", "bad\n", "main-2"]) == ("main-1", "main-2")
    assert select(MAIN, ["main-1", "dev-1"], _built(main_1=1)).best == "main-1"
    assert newer(MAIN, "main-2", "main-1") is None  # a name says nothing of it


@pytest.mark.parametrize(
    ("text", "extract", "expected"),
    [("yes", "", "newest-build is 'yes'; expected true"), ("true", "$ts", "extract beside newest-build")],
)
def test_what_makes_no_sense_is_refused(text: str, extract: str, expected: str) -> None:
    with pytest.raises(PolicyError, match=expected):
        SelectionPolicy.newest_build(text, "^(?P<ts>.*)$", extract)


# --- in a decision ------------------------------------------------------------------------------------------


def _seen(found: Story, tag: str, at: datetime, *, before: bool = False) -> Entry:
    row = {"service": "web", "repository": IMAGE, "tag": tag, "at": write_time(at)}
    return replace(found.seen(tag, before=before), evidence={"built": [row]})


def _world(found: Story, builds: Builds = NO_BUILDS, *, current: str = "1.0.0") -> World:
    tags = ("1.0.0", "nightly", "old")
    return World(
        rules=found.book.versions[found.book.line[-1]],
        commit=found.book.line[-1],
        state=found.state,
        pins={("staging", "web"): Pin((pinned(current),))},
        tags={WEB: TagList(tags)},
        digests={(WEB, Tag(tag)): Digest(pinned(tag).digest) for tag in tags},
        baseline=found.book.stood,
        builds=builds,
    )


def _known(**hours: int | None) -> Builds:
    times = {"1.0.0": Build(NOW)} | {
        name: Build(NOW + timedelta(hours=one)) if one is not None else Build(None, "it says nothing")
        for name, one in hours.items()
    }
    return {(WEB, Tag(name), ()): one for name, one in times.items()}


def test_a_service_waits_until_all_of_its_builds_were_looked_at() -> None:
    found = story(TEXT)

    row = decide_row(_world(found), "staging", "web", found.at)

    assert row
    assert (row.verdict, row.codes) == (Standing.WAITING, ("build-unread",))
    one = why(_world(found), "staging", "web", "nightly", found.at)
    assert one
    assert one.reasons == (Waiting(Fate.BUILD_UNREAD, "its registry was not asked yet"),)


def test_the_newest_build_may_move_and_older_ones_are_behind() -> None:
    found = story(TEXT)
    found.add(_seen(found, "nightly", NOW + timedelta(hours=2)))

    row = decide_row(_world(found, _known(nightly=2, old=-1)), "staging", "web", found.at)

    assert row
    assert [(one.version, one.verdict) for one in row.candidates] == [("nightly", Standing.READY)]


def test_where_nobody_knows_how_old_is_what_runs_only_the_newest_is_offered() -> None:
    found = story(TEXT)

    row = decide_row(_world(found, _known(nightly=2, old=-1), current="gone"), "staging", "web", found.at)

    assert row
    assert [one.version for one in row.candidates] == ["nightly"]


def test_a_version_whose_build_nobody_knows_waits_and_says_why() -> None:
    found = story(TEXT)

    one = why(_world(found, _known(nightly=None, old=-1)), "staging", "web", "nightly", found.at)

    assert one
    assert (one.verdict, one.reasons) == (
        Standing.WAITING,
        (Waiting(Fate.BUILD_UNKNOWN, "it says nothing"),),
    )


def test_an_older_build_is_a_step_back_for_the_validator_too() -> None:
    found = story(TEXT)
    found.add(_seen(found, "nightly", NOW + timedelta(hours=2)))
    found.add(found.bump("nightly"))
    found.add(_seen(found, "old", NOW))

    refused = found.refusal(found.bump("old"))

    assert refused
    assert refused.code is Code.DOWNGRADE


def test_what_was_built_before_the_first_look_is_known_before() -> None:
    found = story(TEXT)
    found.add(_seen(found, "nightly", NOW, before=True))
    found.add(_seen(found, "old", NOW - timedelta(hours=1)))  # a new name for an older build

    refused = found.refusal(found.bump("old"))

    assert refused
    assert refused.code is Code.KNOWN_BEFORE


def test_the_order_rests_on_what_the_ledger_noted() -> None:
    found = story(TEXT)
    found.add(_seen(found, "nightly", NOW + timedelta(hours=2)))
    found.add(_seen(found, "old", NOW))
    service = found.book.versions[found.book.line[-1]].services["web"]

    assert is_newer(service, found.state, "nightly", "old") is True
    assert is_newer(service, found.state, "old", "nightly") is False
    assert is_newer(service, found.state, "old", "never-seen") is None


def test_only_well_formed_times_are_read_from_an_entry() -> None:
    row = {"service": "web", "repository": IMAGE, "tag": "1", "at": "2026-11-23T09:00:00Z"}

    assert built_in({"built": [row, {**row, "tag": "2", "at": "soon"}, {"tag": "3"}, "4"]}) == {
        ("web", IMAGE, "1"): NOW
    }
    assert built_in({"built": "x"}) == {}
    assert built_in({}) == {}


def test_the_policy_is_written_as_rules_have_it() -> None:
    assert of_policy(ANY).text == "{newest-build: true}"
    assert of_policy(MAIN).text == "{newest-build: 'true', tags: '^main-'}"


def test_the_best_alone_is_not_known_from_names() -> None:
    assert best(ANY, ["a", "b"]) is None
