"""An auditor finds an emergency that nobody reviewed, and nothing else of it."""

from pathlib import Path

import pytest

from bot.index import Index
from bot.promoting.apart import Ground, emergency, review
from bot.promoting.promoter import rule_of
from bot.wording import landing, parse_trailers
from policies.entries.entry import Pinned, write_time
from policies.words import Emergency, Review
from tests.bot.ledger_worlds import FILES, RULES, WEB, World, digest, said, world
from tests.repositories import git

RULE = "emergency: {approvals: 1 of release-managers, skips: [previous]}"


def _world(tmp_path: Path, environment: str) -> World:
    text = RULES.replace(f"path: apps/{environment},", f"path: apps/{environment}, {RULE},")
    return world(tmp_path, {**FILES, "promotion/rules.yaml": text})


def _called(found: World, environment: str) -> None:
    found.tags.append("1.1.0")
    word = Emergency("web", "1.1.0", environment, "payments fail")
    image = (Pinned(WEB, "1.1.0", digest("1.1.0")),)
    found.done(
        lambda look, tip: emergency(
            look,
            Ground(found.desk.writer, "main", tip),
            said("ada", look.at),
            word,
            rule=rule_of(look, environment, "web"),
            image=image,
        )
    )


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_an_emergency_without_its_review_is_the_one_finding(tmp_path: Path, environment: str) -> None:
    found = _world(tmp_path, environment)
    _called(found, environment)
    if environment == "production":
        assert found.audit(tmp_path / "before").findings == [], "it is not over yet"
        found.intend()
        found.land(found.merge())
    commit = found.promotion.commit

    (finding,) = found.audit(tmp_path / "open").findings

    assert (finding.what, finding.oid) == ("review-missing", commit)
    (seq,) = found.state.open
    found.done(lambda look, _tip: review(look, said("bob", look.at), Review(f"#{seq}", "it was right"), seq))
    assert found.audit(tmp_path / "closed").findings == []


def test_an_index_that_follows_hears_of_what_an_emergency_took_the_place_of(tmp_path: Path) -> None:
    found = _world(tmp_path, "production")
    found.stage("1.1.0")
    taken = found.ask("1.1.0").id
    index = Index.open(None)
    index.follow(found.desk.ledger.read(found.desk.mirror.fetch()))

    _called(found, "production")
    index.follow(found.desk.ledger.read(found.desk.mirror.fetch()))

    followed = index.dump()
    index.rebuild(found.desk.ledger.read(found.desk.mirror.fetch()))
    assert followed == index.dump()
    assert any(taken in row and "superseded" in row for row in followed)
    index.close()


def _landing(found: World) -> dict[str, str]:
    return dict(parse_trailers(git(found.remote, "log", "-1", "--format=%B", "main")))


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_landing_says_that_it_was_an_emergency_and_what_it_skipped(
    tmp_path: Path, environment: str
) -> None:
    found = _world(tmp_path, environment)
    _called(found, environment)
    if environment == "production":
        found.intend()
        found.land(found.merge())

    (opened,) = found.state.open.values()
    assert opened.due is not None
    said_ = _landing(found)
    assert (said_["Emergency"], said_["Skipped"]) == (f"review until {write_time(opened.due)}", "previous")


@pytest.mark.parametrize(
    ("is_marked", "says_urgency", "found_"),
    [(False, False, 0), (False, True, 0), (True, True, 0), (True, False, 2)],
    ids=["of an older release", "landed by a newer one", "as promised", "not as promised"],
)
def test_a_landing_that_does_not_keep_what_its_intent_promises_is_a_finding(
    tmp_path: Path, *, is_marked: bool, says_urgency: bool, found_: int
) -> None:
    found = _world(tmp_path, "production")
    _called(found, "production")
    found.intend(is_marked=is_marked)
    found.land(found.merge(says_urgency=says_urgency))

    findings = [one for one in found.audit(tmp_path / "audit").findings if one.what != "review-missing"]

    assert [one.what for one in findings] == ["trailers-differ"] * found_


@pytest.mark.parametrize("made_up", ["Emergency: review until 2027-01-01T00:00:00Z", "Skipped: soak"])
def test_a_landing_that_says_something_else_of_it_is_a_finding(tmp_path: Path, made_up: str) -> None:
    found = _world(tmp_path, "production")
    _called(found, "production")
    found.intend(is_marked=False)
    now = found.promotion
    title, body = landing(
        now,
        folder="promotion",
        url="https://forge.example/1",
        intent=now.intent,
        key=now.intent_key,
        proof=found.desk.writer.proof(now.intent),
    )
    found.land(found.merge(message=f"{title}\n\n{body}\n{made_up}\n"))

    findings = {one.what for one in found.audit(tmp_path / "audit").findings}

    assert "trailers-differ" in findings
