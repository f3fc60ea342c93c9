"""An auditor finds an emergency that nobody reviewed, and nothing else of it."""

from pathlib import Path

import pytest

from bot.apart import Ground, emergency, review
from bot.promoter import rule_of
from policies.entry import Pinned
from policies.words import Emergency, Review
from tests.bot.ledger_worlds import FILES, RULES, WEB, World, digest, said, world

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
            said("ada"),
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
    found.done(lambda look, _tip: review(look, said("bob"), Review(f"#{seq}", "it was right"), seq))
    assert found.audit(tmp_path / "closed").findings == []
