"""A dossier judges again by the evidence that the branch holds, whatever words two people took out."""

from dataclasses import replace
from pathlib import Path

from bot.dossier import dossiers
from bot.ledger import Appended, Proposal
from bot.promoting.promoter import Said, judge, stand
from policies.canonical import Json
from policies.entries.entry import Both, Entry, Kind, write_time
from policies.ledger.keys import expected_key
from policies.ledger.population import population
from policies.verdict import Passed
from policies.words import Approve, Hold
from tests.bot.ledger_worlds import FILES, FLAGS, RULES, World, person, said, world

ELSEWHERE = RULES.replace("2 of release-managers", "[1 of security, 1 of release-managers]").replace(
    "teams: {", "teams: {security: 'github:acme/security', "
)


def _members(found: World) -> dict[str, Json]:
    return {"members": {"security": ["dan"]}, "members_looked": write_time(found.at)}


def _approved(found: World) -> None:
    promotion = found.ask("1.1.0")
    assert isinstance(found.say("ada", Approve(promotion.id)), Appended)
    by = said("dan")
    speaker = Said(by.by, {**by.evidence, **_members(found)}, by.trigger)
    found.done(
        lambda look, _tip: judge(look, speaker, Approve(promotion.id), look.state.promotions[promotion.id])
    )
    found.intend(more=_members(found))
    found.land(found.merge())


def _redacted(found: World, seq: int) -> None:
    both = Both(person("ada"), person("bob"))
    accounts: dict[str, Json] = {"ada": dict(FLAGS), "bob": dict(FLAGS)}
    entry = Entry(
        kind=Kind.REDACT, at=write_time(found.at), key="", by=both, note="a name", erases=seq,
        evidence={"accounts": accounts},
    )  # fmt: skip
    found.done(lambda look, _tip: Proposal((replace(entry, key=expected_key(look.state, entry)),)))


def test_a_member_whose_name_is_what_was_redacted_still_counts(tmp_path: Path) -> None:
    found = world(tmp_path, {**FILES, "promotion/rules.yaml": ELSEWHERE})
    found.stage("1.1.0")
    _approved(found)
    ((_, hold),) = found.done(
        lambda look, _tip: stand(look, said("dan", look.at), Hold("web", "dan", "production"))
    )
    _redacted(found, hold.seq)
    desk = found.desk
    chain = desk.ledger.read(desk.mirror.fetch())

    (page,) = [
        one
        for one in dossiers(chain, desk.mirror, desk.book, population(chain.state, chain.shown))
        if one.change.environment == "production"
    ]

    assert "approvals" in {one.gate for one in page.gates}
    assert [one for one in page.gates if not isinstance(one.verdict, Passed)] == []
