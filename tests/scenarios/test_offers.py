"""Gates that ask outside, before anybody asks for a version: what waits for them is told before somebody presses."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bot.answers import NotRecorded, Recorded
from bot.index import Index
from bot.looking.outside import Outside
from bot.registries import signatures
from bot.verify import verify
from policies.entries.entry import Bot
from policies.entries.facts import from_json
from policies.ledger.state import Stage
from policies.words import Approve, Propose
from sandbox.gitops import CHECKOUT
from sandbox.registry import images
from sandbox.world import OWNER
from tests.asked_outside import looked_up
from tests.bot.signed_images import payload_of, pem_of, sign
from tests.bot.sigstore_world import IDENTITY, ISSUER, Sigstore, referring
from tests.scenarios.offices import Office, office_in

NAME = f"{OWNER}/{CHECKOUT}"
KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        yield made


def guarded(office: Office, keys: str = "") -> None:
    """Let production ask for a signature and a label."""
    pem = pem_of(KEY).replace("\n", "\n            ").rstrip()
    gates = f"    gates:\n      - labels: {{has: qa=passed}}\n      - signature:\n          key: |\n            {pem}\n"
    office.change_rules("rules.yaml", "    after: staging\n", f"    after: staging\n{gates}{keys}")


def pushed(office: Office, version: str, qa: str = "passed") -> str:
    """Push a version, let staging take it, and let what is known of it be looked up; return its digest."""
    image = images.image(f"{CHECKOUT} {version}", labels={"qa": qa})
    digest = office.world.registry.push(NAME, version, image)
    for _ in range(2):
        office.look()
    return digest


def signed(office: Office, digest: str) -> None:
    """Sign an image, and let it be looked up again."""
    repository = office.engine.look().rules.services[CHECKOUT].image
    sign(office.world.registry, NAME, digest, KEY, payload=payload_of(repository, digest))
    office.clock.wind(minutes=6)
    office.look()


@pytest.mark.skipif(not signatures.is_installed(), reason="the extra is not installed")
def test_a_keyless_signature_is_judged_by_the_trust_root_of_the_repository(office: Office) -> None:
    ours, others, root = Sigstore(), Sigstore(), "promotion/trusted_root.json"
    gate = f"    gates: [{{signature: {{identity: {IDENTITY}, issuer: {ISSUER}, trust-root: {root}}}}}]\n"
    office.change_rules("rules.yaml", "    after: staging\n", f"    after: staging\n{gate}")
    registry, image = office.world.registry, images.image(f"{CHECKOUT} 1.4.2")
    digest = registry.push(NAME, "1.4.2", image)
    registry.list_referrers(does=True)
    registry.push(NAME, "signature", referring(image.top, ours.bundle(ours.leaf(), digest)))
    office.look()
    office.look()
    assert codes(office, "1.4.2") == ("trust-root-missing", "not-requested")

    trusts(office, root, others)
    assert codes(office, "1.4.2") == ("signature-invalid", "not-requested")
    trusts(office, root, ours)
    assert codes(office, "1.4.2") == ("not-requested",)


def trusts(office: Office, path: str, sigstore: Sigstore) -> None:
    """Commit another trust root, and look: what was known by the one before counts no more."""
    files: dict[str, str | None] = {path: sigstore.trust_root().decode()}
    office.world.forge.push_to_branch("main", files, "Trust somebody\n", login="bob")
    office.look()


def codes(office: Office, version: str) -> tuple[str, ...]:
    candidate = office.engine.why("production", CHECKOUT, version)
    assert candidate
    return candidate.codes


def shown(office: Office) -> str:
    return str(office.world.slack.workspace.messages("C0DEPLOYS")[-1].blocks)


def asked(office: Office, where: str = "manifests") -> int:
    return sum(one.target.startswith(f"/v2/{NAME}/{where}/sha256") for one in office.world.registry.seen())


def test_what_waits_for_a_signature_says_so_before_anybody_presses(office: Office) -> None:
    guarded(office)
    digest = pushed(office, "1.4.2")

    assert codes(office, "1.4.2") == ("signature-missing", "not-requested")
    assert "1.4.2" in shown(office)
    assert "the image has no signature" in shown(office)
    answer = office.say("carol", Propose(CHECKOUT, "", "production", "we want it"))
    assert isinstance(answer, NotRecorded)
    assert (answer.code, answer.detail) == ("nothing-to-promote", "1.4.2")
    assert [one.code for one in answer.waits] == ["signature-missing"]

    signed(office, digest)

    assert codes(office, "1.4.2") == ("not-requested",)
    assert "no signature" not in shown(office)
    answer = office.say("carol", Propose(CHECKOUT, "", "production", "we want it"))
    assert isinstance(answer, Recorded)
    office.clock.wind(hours=1)
    for person in ("ada", "bob"):
        office.say(person, Approve(answer.promotion))
    office.look()
    assert office.stage(answer.promotion) is Stage.LANDED
    (intent,) = office.entries("intent")
    (proposed,) = office.entries("propose")
    assert all(one.looked > proposed.time for one in from_json(intent.evidence["facts"]))


def test_of_a_version_whose_content_failed_there_is_no_card_but_why_names_it(office: Office) -> None:
    guarded(office)
    signed(office, pushed(office, "1.4.2"))
    signed(office, pushed(office, "1.4.3", qa="failed"))

    assert codes(office, "1.4.3") == ("label-differs", "not-requested")
    assert codes(office, "1.4.2") == ("not-requested",)
    texts = [one.text for one in office.world.slack.workspace.messages("C0DEPLOYS")]
    offered = [one for one in texts if "can be asked for" in one and CHECKOUT in one]
    assert len(offered) == 1
    assert "1.4.2" in offered[0]


def test_what_an_answer_is_good_for_is_not_asked_again(office: Office) -> None:
    guarded(office)
    signed(office, pushed(office, "1.4.2"))
    office.world.registry.forget()

    office.look()
    office.clock.wind(hours=1)
    office.look()

    assert codes(office, "1.4.2") == ("not-requested",)
    engine, view = office.engine, office.engine.desk.view(office.clock.at)
    restarted = Outside(engine.contents, engine.forge, engine.index)
    assert looked_up(restarted, view) == engine.desk.answers.facts
    assert asked(office) == asked(office, "blobs") == 0


def test_an_index_that_cannot_be_used_costs_only_what_it_remembers(office: Office) -> None:
    guarded(office)
    pushed(office, "1.4.2")
    engine, closed = office.engine, Index.open(None)
    closed.close()

    found = looked_up(Outside(engine.contents, engine.forge, closed), engine.desk.view(office.clock.at))

    assert {one.code for facts in found.values() for one in facts} == {"", "signature-missing"}


def test_the_bot_asks_only_for_what_has_passed_and_says_what_was_looked_up(office: Office) -> None:
    guarded(office, "    opens: at-once\n")
    digest = pushed(office, "1.4.2")
    assert office.engine.look().state.promotions == {}

    signed(office, digest)

    (promotion,) = office.engine.look().state.promotions.values()
    (entry,) = office.entries("propose")
    assert isinstance(promotion.by, Bot)
    assert {one.gate for one in from_json(entry.evidence["facts"])} == {"labels", "signature"}
    desk = office.engine.desk
    assert verify(desk.mirror, desk.book, folder="promotion").findings == []
