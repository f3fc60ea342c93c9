"""A tag that moves: each digest that it names is a version of its own, through the whole life of one."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.answers import NotRecorded
from bot.ledger import Appended, NotAllowed, Proposal
from bot.looking.survey import Survey
from bot.promoting.apart import Ground, rollback, rollback_target
from bot.promoting.poller import bumps
from bot.promoting.promoter import Declined, propose, rule_of, stand
from bot.signing import Signer
from policies import guards
from policies.codes import Code
from policies.decide import Candidate, Row, Standing, decide, why
from policies.entries.entry import Entry, Kind, Pinned
from policies.images.evidence import TagList
from policies.images.image import Digest, Tag
from policies.rules.rules import EffectiveRule, effective
from policies.words import Approve, Block, Resume, Rollback, Unblock
from tests.bot.ledger_worlds import FILES as WORLD_FILES
from tests.bot.ledger_worlds import RULES, WEB, World, bot, digest, said
from tests.bot.test_suspicions import LOOK
from tests.repositories import Files, make_bare, read_file

FOLLOWING = RULES.replace("versions: 1.x", "versions: {digest-of: latest}").replace(
    "after: staging}", "after: staging, soak: 1h}"
)
STAGING = "apps/staging/kustomization.yaml"
LATEST = Tag("latest")


def _files(rules: str = FOLLOWING) -> Files:
    return {
        path: text.replace("newTag: 1.0.0", "newTag: latest") if isinstance(text, str) else text
        for path, text in {**WORLD_FILES, "promotion/rules.yaml": rules}.items()
    }


def _name(what: str) -> str:
    """Return how the version of an image is called."""
    return f"latest@{digest(what)[:19]}"


def _image(what: str) -> tuple[Pinned, ...]:
    return (Pinned(WEB, "latest", digest(what)),)


def _push(found: World, what: str) -> list[Entry]:
    """Let the tag name another image, ask for it, guard, and move what is ready."""
    desk = found.desk
    found.at += LOOK
    desk.answers.tags[WEB] = TagList(("latest", "1.0.0"))
    desk.answers.digests[WEB, LATEST] = Digest(digest(what))
    desk.answers.asked[WEB] = found.at
    look = desk.view(found.at)
    desk.suspicions.examine(look.world.rules, look.state, desk.answers, decide(look.world, found.at))
    guarded = found.done(lambda look, _tip: desk.suspicions.entries(look))
    return [entry for _, entry in (*guarded, *found.run())]


def _row(found: World, environment: str = "staging") -> Row:
    row = decide(found.desk.view(found.at).world, found.at).row(environment, "web")
    assert row
    return row


def _told(candidates: tuple[Candidate, ...]) -> list[tuple[str, Standing]]:
    return [(one.version, one.verdict) for one in candidates]


@pytest.fixture
def found(tmp_path: Path) -> World:
    """A world that follows ``latest``, which named one image at the first look and a second one since."""
    signer = Signer.generate()
    remote = make_bare(tmp_path / "gitops.git", [_files()])
    town = World(remote, bot(remote, tmp_path / "clone", signer), signer)
    town.desk.mirror.fetch()
    _push(town, "first")
    _push(town, "second")
    return town


def test_what_was_there_first_waits_for_a_person_and_what_comes_moves_by_its_digest(found: World) -> None:
    (bump,) = [entry for _, entry in found.entries if entry.kind is Kind.BUMP]

    assert bump.image == _image("second")
    assert f"newTag: latest@{digest('second')}" in read_file(found.remote, STAGING)
    assert _row(found).current == _name("second")
    assert [one.digest for _, entry in found.entries for one in entry.seen] == [
        digest("first"),
        digest("second"),
    ]


def test_that_it_moves_is_what_this_tag_does(found: World) -> None:
    rules = found.desk.view(found.at).world.rules

    assert list(guards.moved(rules, found.state, found.desk.answers.digests)) == []
    assert [entry.kind for entry in _push(found, "third")] == [Kind.SEEN, Kind.BUMP]
    assert _row(found).codes == ("current",)


def test_each_digest_soaks_by_itself_and_is_asked_for_by_it(found: World, tmp_path: Path) -> None:
    _push(found, "third")
    found.at += 10 * LOOK  # an hour
    _push(found, "fourth")
    row = _row(found, "production")

    assert [(one.version, "soaking" in one.codes) for one in row.candidates[:3]] == [
        (_name("fourth"), True),
        (_name("third"), False),
        (_name("second"), False),
    ]
    image = row.candidates[1].images(_rule(found))
    assert image == _image("third")
    promotion = _ask(found, image)
    for name in ("ada", "bob"):
        assert isinstance(found.say(name, Approve(promotion)), Appended)
    _push(found, "fifth")  # the tag goes on: what was approved stays what it is
    assert found.promotion.image == _image("third")
    found.intend()
    found.land(found.merge())
    assert _row(found, "production").current == _name("third")
    assert found.audit(tmp_path / "auditor").findings == []


def _rule(found: World) -> EffectiveRule:
    rule = effective(found.desk.view(found.at).world.rules, "production", "web")
    assert rule
    return rule


def _ask(found: World, image: tuple[Pinned, ...]) -> str:
    found.done(
        lambda look, _tip: propose(
            look,
            found.desk.writer,
            said("carol", look.at),
            rule=rule_of(look, "production", "web"),
            image=image,
            note="",
        )
    )
    return found.promotion.id


def test_a_version_is_named_by_the_beginning_of_its_digest(found: World) -> None:
    _push(found, "third")
    look = found.desk.view(found.at)

    for name in (digest("second")[:13], digest("second"), f"latest@{digest('second')[:11]}", _name("second")):
        one = why(look.world, "production", "web", name, found.at)
        assert one
        assert one.version == _name("second")


def test_a_digest_is_blocked_rolled_back_and_never_comes_back_by_itself(found: World) -> None:
    _push(found, "third")
    assert rollback_target(found.desk.view(found.at), "staging", "web", "") == _image("second")
    assert rollback_target(found.desk.view(found.at), "staging", "web", digest("second")[:14]) == _image(
        "second"
    )

    _roll_back(found, "second")

    assert _row(found).current == _name("second")
    assert [entry.kind for entry in _push(found, "third")] == []
    assert "blocked" in _row(found).codes
    assert [entry.kind for entry in _push(found, "third")] == []  # no hold beside the block
    assert _push(found, "fourth")[-1].image == _image("fourth")


def _roll_back(found: World, what: str) -> None:
    word = Rollback("web", "errors", digest(what)[:19], ("staging",))
    found.done(
        lambda look, tip: rollback(
            look,
            Ground(found.desk.writer, "main", tip),
            said("dan", look.at),
            word,
            {"staging": _image(what)},
        )
    )


def test_a_person_blocks_and_unblocks_one_digest(found: World) -> None:
    third = digest("third")
    answer = found.append(
        lambda look, _tip: stand(look, said("ada", look.at), Block("web", digest("second")[:15], "broken"))
    )
    assert isinstance(answer, Appended)
    assert [image for _, _, image in found.state.blocks] == list(_image("second"))
    assert _push(found, "third")[-1].image[0].digest == third

    assert isinstance(
        found.append(
            lambda look, _tip: stand(
                look, said("ada", look.at), Unblock("web", digest("second")[:15], "fine")
            )
        ),
        Appended,
    )
    assert found.state.blocks == {}
    with pytest.raises(Declined) as caught:
        stand(found.desk.view(found.at), said("ada"), Block("web", "sha256:ffff", "unknown"))
    assert isinstance(caught.value.answer, NotRecorded)
    assert caught.value.answer.code == "unknown-version"


def test_a_tag_that_goes_back_is_held_and_a_person_answers(found: World) -> None:
    _push(found, "third")

    assert [entry.kind for entry in _push(found, "second")] == []
    assert _row(found).codes == ("downgrade",)
    (hold,) = _push(found, "second")
    assert (hold.kind, hold.why, hold.image, hold.previous) == (
        Kind.HOLD, "downgrade", _image("second"), _image("third"),
    )  # fmt: skip

    answer = found.append(
        lambda look, _tip: stand(look, said("ada", look.at), Resume("web", "third was withdrawn"))
    )
    assert isinstance(answer, Appended)
    assert [entry.kind for entry in _push(found, "second")] == [Kind.BUMP]


def test_a_digest_that_was_never_sighted_is_not_moved(found: World) -> None:
    found.desk.answers.digests[WEB, LATEST] = Digest(digest("third"))

    def made(look: Survey, tip: str) -> Proposal:
        entry = bumps(
            look, found.desk.decide(look), found.desk.writer, branch="main", tip=tip, stuck=[]
        ).entries[0]
        return Proposal((replace(entry, image=_image("other")),))

    answer = found.append(made)
    assert isinstance(answer, NotAllowed)
    assert answer.refusal.code is Code.NOT_SEEN
