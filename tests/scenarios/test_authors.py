"""Who wrote the code between the two images may not approve it; where that is not known, it is said and recorded."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answers import NotRecorded, Recorded
from handlers.slack.questions import Question, Status, Why
from handlers.slack.reports import reply
from policies.canonical import Json
from policies.entries.authors import MAX_ACCOUNTS
from policies.entries.entry import Entry
from policies.ledger.state import Stage
from policies.words import Approve, Propose, Rollback
from sandbox.gitops import CHECKOUT
from tests.scenarios.offices import Office, office_in

RULE = "approvals: 2 of release-managers"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        made.change_rules(
            "rules.yaml", RULE, "approvals: 1 of release-managers\n    exclude: [requester, authors]"
        )
        yield made


def source(office: Office) -> None:
    """Keep the code of the service in the forge's one repository, with a tag for each version."""
    office.change_rules("rules.yaml", "versions: 1.x}", "versions: 1.x, source: example/gitops}")


def code(office: Office, version: str, *logins: str, message: str = "Work on it\n") -> None:
    """Tag a version after a commit by each of these."""
    for login in logins:
        files: dict[str, str | None] = {f"code/{version}/{login}.txt": version}
        office.world.forge.push_to_branch("code", files, message, login=login)
    tip = office.world.forge.snapshot()["branches"].get("code") or "main"
    office.world.git.run("tag", f"v{version}", tip)


def told(entry: Entry) -> dict[str, Json]:
    found = entry.evidence["authors"]
    assert isinstance(found, dict)
    return found


def commit(office: Office, login: str) -> str:
    """Commit some code as somebody; no tag names it."""
    files: dict[str, str | None] = {f"code/{login}-{office.clock.at:%s}.txt": login}
    return office.world.forge.push_to_branch("code", files, "Work on it\n", login=login)


def built(office: Office, version: str, revision: str, source: str = "") -> None:
    """Push an image that says which commit it was built of."""
    home = f"{office.world.addresses['forge']}/example/gitops"
    labels = {
        "org.opencontainers.image.revision": revision,
        "org.opencontainers.image.source": source or home,
    }
    office.world.push(CHECKOUT, version, labels=labels)


def asked(office: Office, version: str) -> str:
    """Let staging take an image that is there, let Carol ask for production."""
    office.look()
    answer = office.say("carol", Propose(CHECKOUT, version, "production", "we want it"))
    assert isinstance(answer, Recorded), answer
    return answer.promotion


def answered(office: Office, question: Question) -> str:
    """Return what somebody is answered in Slack."""
    return reply(office.engine, question, user="U0ADA").text


def runs(office: Office, version: str, by: str = "ada") -> None:
    """Let a version come to production, so that its digest is known."""
    assert isinstance(office.say(by, Approve(asked(office, version))), Recorded)


@pytest.mark.parametrize("is_named", [True, False], ids=["a source in the rules", "a repository of ours"])
def test_the_commits_that_the_images_name_are_asked_about(office: Office, *, is_named: bool) -> None:
    if is_named:
        source(office)
    built(office, "1.4.2", commit(office, "ada-l"))
    runs(office, "1.4.2")
    built(office, "1.4.3", commit(office, "bob"))
    promotion = asked(office, "1.4.3")

    refused = office.say("bob", Approve(promotion))

    assert isinstance(refused, NotRecorded)
    assert refused.code == "author"
    found = told(office.entries("propose")[-1])
    assert (found["known"], found["people"], found["ways"]) == (True, ["bob"], ["labels"])
    assert "by tags: " in str(found["why"])
    shown = str(office.world.slack.workspace.messages("C0DEPLOYS")[-1].blocks)
    assert "the images alone say which commits they are" in shown


def test_a_label_that_hides_an_author_hides_nobody_whom_the_tags_name(office: Office) -> None:
    source(office)
    code(office, "1.4.1", "ada-l")
    office.world.git.run("tag", "v1.4.2", first := commit(office, "ada-l"))
    built(office, "1.4.2", first)
    runs(office, "1.4.2", "bob")
    harmless = commit(office, "carol")
    office.world.git.run("tag", "v1.4.3", commit(office, "bob"))
    built(office, "1.4.3", harmless)

    refused = office.say("bob", Approve(asked(office, "1.4.3")))

    assert isinstance(refused, NotRecorded)
    assert refused.code == "author"
    found = told(office.entries("propose")[-1])
    assert (found["people"], found["ways"]) == (["bob", "carol"], ["labels", "tags"])


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        ("the same commit", "names no commit after that of the one that runs"),
        ("a branch", "no commit"),
        ("another repository", "do not both name"),
        ("a commit that is not there", "is not there"),
    ],
)
def test_a_label_that_cannot_be_used_is_said_and_is_no_knowledge(office: Office, lie: str, why: str) -> None:
    source(office)
    first = commit(office, "ada-l")
    built(office, "1.4.2", first)
    runs(office, "1.4.2")
    second = commit(office, "bob")
    revision = {"the same commit": first, "a branch": "main", "a commit that is not there": "a" * 40}
    elsewhere = "https://elsewhere.example/example/gitops" if lie == "another repository" else ""
    built(office, "1.4.3", revision.get(lie, second), elsewhere)

    asked(office, "1.4.3")

    found = told(office.entries("propose")[-1])
    assert found["known"] is False
    assert why in str(found["why"])


def test_an_author_is_refused_and_somebody_else_approves(office: Office) -> None:
    source(office)
    code(office, "1.4.1", "ada-l")
    code(office, "1.4.2", "bob", "carol")
    promotion = office.asked("1.4.2")
    shown = str(office.world.slack.workspace.messages("C0DEPLOYS")[-1].blocks)
    assert "who may therefore not approve" in shown

    refused = office.say("bob", Approve(promotion))
    assert isinstance(refused, NotRecorded)
    assert refused.code == "author"
    assert [entry.why for entry in office.entries("refused")] == ["author"]

    assert isinstance(office.say("ada", Approve(promotion)), Recorded)
    assert office.stage(promotion) is Stage.LANDED
    for kind in ("propose", "intent"):
        (entry,) = office.entries(kind)
        found = told(entry)
        assert str(found.pop("why")).startswith("by labels: the digest of ")
        assert found == {
            "known": True,
            "people": ["bob", "carol"],
            "logins": ["bob", "carol"],
            "ids": [77, 1093],
            "ways": ["tags"],
        }


def test_a_co_author_is_an_author(office: Office) -> None:
    source(office)
    code(office, "1.4.1", "ada-l")
    trailer = "Work on it\n\nCo-authored-by: Bob <77+bob@users.noreply.github.com>\n"
    code(office, "1.4.2", "carol", message=trailer)
    promotion = office.asked("1.4.2")

    answer = office.say("bob", Approve(promotion))

    assert isinstance(answer, NotRecorded)
    assert answer.code == "author"


@pytest.mark.parametrize("what", ["no source", "no tags", "a silent forge"])
def test_where_it_is_not_known_that_is_said_and_recorded_and_nobody_is_excluded(
    office: Office, what: str
) -> None:
    if what != "no source":
        source(office)
    if what == "a silent forge":
        code(office, "1.4.1", "ada-l")
        code(office, "1.4.2", "bob")
        office.world.forge.fail(503, times=50, address="/compare/v1.4.1...v1.4.2")
        office.world.forge.fail(503, times=50, address="/compare/1.4.1...1.4.2")
    promotion = office.asked("1.4.2")
    shown = str(office.world.slack.workspace.messages("C0DEPLOYS")[-1].blocks)
    assert "Who wrote the code is not known" in shown

    assert isinstance(office.say("bob", Approve(promotion)), Recorded)

    assert office.stage(promotion) is Stage.LANDED
    for kind in ("propose", "intent"):
        (entry,) = office.entries(kind)
        found = told(entry)
        assert (found["known"], found["people"], found["logins"]) == (False, [], [])
        assert "by labels: " in str(found["why"])
        assert "by tags: " in str(found["why"])


def test_a_commit_whose_author_nobody_knows_is_counted_and_said(office: Office) -> None:
    source(office)
    code(office, "1.4.1", "ada-l")
    made = office.commit("v1.4.1", "Unknown")
    office.world.git.run("tag", "v1.4.2", made)
    office.asked("1.4.2")

    (entry,) = office.entries("propose")
    found = told(entry)
    assert (found["known"], found["people"], found["logins"], found["unnamed"]) == (True, [], [], 1)
    assert "1 commits name nobody" in str(office.world.slack.workspace.messages("C0DEPLOYS")[-1].blocks)


def test_where_a_list_of_authors_was_cut_the_merge_waits_until_the_forge_tells_them_again(
    office: Office,
) -> None:
    office.clock.wind(days=6)  # from when on it decides
    source(office)
    code(office, "1.4.1", "ada-l")
    many = (
        f"Co-authored-by: x <{n}+x-{n}@users.noreply.github.com>" for n in range(5000, 5000 + MAX_ACCOUNTS)
    )
    code(office, "1.4.2", "bob", message="Work on it\n\n" + "\n".join(many) + "\n")
    promotion = office.asked("1.4.2")
    first = told(office.entries("propose")[-1])
    assert (len(first["ids"]), first["people"]) == (MAX_ACCOUNTS, ["bob"])  # type: ignore[arg-type]  # a list
    office.engine.desk.authors.kept.clear()
    tip = office.world.git.text("rev-parse", "v1.4.2").strip()
    office.world.git.run("tag", "--delete", "v1.4.2")

    assert isinstance(office.say("ada", Approve(promotion)), Recorded)
    left = office.engine.run_pass().left
    assert office.stage(promotion) is Stage.OPEN
    assert [one for one in left if "the forge tells fewer of those who wrote the code" in one]
    assert "refused" not in office.kinds()
    since = f"{office.clock.at:%Y-%m-%d %H:%M} UTC"
    office.clock.wind(minutes=20)
    office.look()
    waits = f"than it did with the request, since {since}; it is looked up again at each pass"
    assert waits in office.told()
    for question in (Status(CHECKOUT, "production"), Why(CHECKOUT, "1.4.2", "production")):
        assert waits in answered(office, question)

    office.world.git.run("tag", "v1.4.2", tip)
    for _ in range(3):
        office.look()
        office.clock.wind(minutes=10)
    assert office.stage(promotion) is Stage.LANDED
    assert office.findings() == []


def test_who_is_told_as_an_author_only_before_the_merge_makes_room_for_somebody_else(office: Office) -> None:
    source(office)
    code(office, "1.4.1", "ada-l")
    promotion = office.asked("1.4.2")  # no tag says yet what it was made of
    code(office, "1.4.2", "bob")

    answer = office.say("bob", Approve(promotion))

    assert isinstance(answer, Recorded)
    assert [one.code.value for one in answer.waits] == ["author"]
    assert office.stage(promotion) is Stage.OPEN
    since = f"{office.clock.at:%Y-%m-%d %H:%M} UTC"
    waits = f"may not approve: bob, since {since}; somebody else approves it, too"
    office.clock.wind(minutes=5)
    office.look()
    assert waits in office.told().replace("'}, {'type': 'text', 'text': '", "")
    assert waits in answered(office, Why(CHECKOUT, "1.4.2", "production"))
    (card,) = [
        one for one in office.world.slack.workspace.messages("C0DEPLOYS") if promotion in str(one.blocks)
    ]
    assert "'text': 'Approve'" in str(card.blocks)

    assert isinstance(office.say("ada", Approve(promotion)), Recorded)
    assert office.stage(promotion) is Stage.LANDED
    assert office.findings() == []


def test_the_way_back_asks_for_no_authors(office: Office) -> None:
    source(office)
    code(office, "1.4.1", "ada-l")
    code(office, "1.4.2", "bob")
    promotion = office.asked("1.4.2")
    office.say("ada", Approve(promotion))
    assert office.stage(promotion) is Stage.LANDED

    answer = office.say("bob", Rollback(CHECKOUT, "carts are empty", "", ("production",)))

    assert isinstance(answer, Recorded), answer
    assert office.stage(answer.promotion) is Stage.LANDED
