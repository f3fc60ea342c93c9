"""What is written into people's repositories: lines that mean what was meant, whatever a name holds."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import wording
from policies.entries.entry import By, Kind
from policies.errors import PolicyError
from policies.ledger.state import Stage
from policies.rules.rules import Merges, effective
from tests.policies.ledger_builders import at_stage, oid, person, pinned, rules, story
from tests.repositories import commit_to, git, make_bare

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_characters="\x7f"), min_size=1)


def _is_plain(line: str) -> bool:
    return line == line.strip() and not any("\x7f" <= char <= "\x9f" for char in line)


@given(
    st.lists(st.tuples(NAMES, VALUES.filter(_is_plain)), min_size=1, max_size=6), st.lists(VALUES, max_size=2)
)
def test_trailers_parse_back_to_what_was_meant(trailers: list[tuple[str, str]], body: list[str]) -> None:
    message = wording.commit_message("subject", body, trailers)

    assert wording.parse_trailers(message) == trailers


@given(st.text(), st.text())
def test_no_value_ever_forges_a_trailer(first: str, value: str) -> None:
    try:
        message = wording.commit_message(first, [], [("Service", value)])
    except PolicyError:
        return

    assert wording.parse_trailers(message) == [("Service", value)]
    assert message.count("\n") == 3


@pytest.mark.parametrize(
    "value",
    ["", " a", "a ", "a\nApproved-By: eve", "a\rb", "a\x00b", "a\u2028b", "a\x85b"],
    ids=[
        "nothing",
        "a space before",
        "a space behind",
        "a line",
        "a return",
        "a zero",
        "a separator",
        "a next line",
    ],
)
def test_a_value_that_is_no_plain_line_is_refused(value: str) -> None:
    with pytest.raises(PolicyError, match="plain line"):
        wording.commit_message("subject", [], [("Service", value)])


def test_a_trailer_with_a_name_of_its_own_kind_is_refused() -> None:
    with pytest.raises(PolicyError, match="parse back"):
        wording.commit_message("subject", [], [("Not a name", "x")])


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("subject\n", []),
        ("subject\n\nA: b\n", [("A", "b")]),
        ("subject\n\nA: b\nno trailer\n", []),
        ("subject\n\nA: b\n\nbody\n", []),
        ("subject\n\nA:\n", []),
        ("A: b\n", []),
    ],
    ids=["a subject alone", "one", "a line between", "not at the end", "no value", "a subject like one"],
)
def test_only_a_last_paragraph_of_trailers_has_trailers(message: str, found: list[tuple[str, str]]) -> None:
    assert wording.parse_trailers(message) == found


def test_git_reads_the_same_trailers(tmp_path: Path) -> None:
    found = at_stage(Stage.MERGING)
    now = found.promotion()
    title, message = wording.landing(
        now, folder="promotion", url="https://forge.example/1", intent=now.intent, key=now.intent_key
    )
    text = f"{title}\n\n{message}\n"
    remote = make_bare(tmp_path / "r.git", [{"a": "b"}])
    commit = commit_to(remote, {"a": "c"}, message=text)

    read = git(remote, "log", "-1", "--format=%(trailers:only,unfold)", commit).splitlines()

    assert [tuple(line.split(": ", 1)) for line in read if line] == wording.parse_trailers(text)


def test_a_landing_says_who_asked_who_approved_and_why_it_was_allowed() -> None:
    now = at_stage(Stage.MERGING).promotion()

    title, message = wording.landing(
        now, folder="promotion", url="https://forge.example/pull/1", intent=now.intent, key=now.intent_key
    )

    assert title == "production: web 1.0.0 -> 1.1.0"
    assert message == (
        "Approved by ada-l and bob.\n\n"
        f"Promotion: {now.id}\n"
        "Environment: production\n"
        "Service: web\n"
        "Image: ghcr.io/example/web:1.1.0\n"
        f"Digest: {pinned('1.1.0').digest}\n"
        f"Previous: {pinned('1.0.0')}\n"
        f"Rule: promotion@{now.rule.commit} sha256:{now.rule.hash}\n"
        "Requested-By: carol (slack:T0/U0CAROL)\n"
        "Approved-By: ada-l (slack:T0/U0ADA github:ada-l/583) 2026-11-23T09:05:00Z\n"
        "Approved-By: bob (slack:T0/U0BOB github:bob/77) 2026-11-23T09:06:00Z\n"
        "Pull-Request: https://forge.example/pull/1\n"
        f"Ledger: {now.intent}\n"
        f"Ledger-Key: {now.intent_key}"
    )


def test_a_landing_of_a_rollback_says_so() -> None:
    found = at_stage(Stage.LANDED)
    found.add(found.rollback("1.0.0", "dan"))
    now = found.promotion()

    title, message = wording.landing(now, folder="promotion", url="u", intent=oid("x"), key="k")

    assert title == "production: web 1.1.0 -> 1.0.0"
    assert message.startswith("Rolled back by dan.\n\n")


def test_a_move_without_asking_points_to_its_entry_and_to_where_the_ledger_ended() -> None:
    entry = story().bump("1.1.0")

    message = wording.move_message(entry, folder="promotion", tip=oid("tip"))

    trailers = dict(wording.parse_trailers(message))
    assert message.startswith("staging: web 1.0.0 -> 1.1.0\n\nMoved by rule: nobody is asked here.\n\n")
    assert trailers["Ledger"] == oid("tip")
    assert trailers["Ledger-Key"] == entry.key
    assert "Promotion" not in trailers
    assert "Requested-By" not in trailers
    assert "Ledger" not in dict(wording.parse_trailers(wording.move_message(entry, folder="p", tip="")))


def test_a_rollback_by_commit_names_who_asked() -> None:
    found = story().staged("1.1.0")
    entry = found.rollback("1.0.0", "dan", environment="staging")

    message = wording.move_message(entry, folder="promotion", tip=oid("tip"))

    assert "\n\nRolled back by dan (slack:T0/U0DAN).\n\n" in message
    assert dict(wording.parse_trailers(message))["Promotion"] == entry.promotion


def test_a_move_from_nothing_to_no_digest_says_no_more_than_is_known() -> None:
    image, nothing = (pinned("1.1.0", digest=""),), ()

    assert wording.subject("staging", "web", nothing, image) == "staging: web nothing -> 1.1.0"
    assert wording.image_trailers(image, nothing) == [("Image", "ghcr.io/example/web:1.1.0")]


@pytest.mark.parametrize(
    ("by", "text"),
    [
        (person("ada"), "ada-l (slack:T0/U0ADA github:ada-l/583)"),
        (person("carol"), "carol (slack:T0/U0CAROL)"),
        (By("bob", "review", forge_id=77, forge_login="bob"), "bob (github:bob/77)"),
    ],
    ids=["both", "chat", "forge"],
)
def test_people_are_named_by_login_and_ids(by: By, text: str) -> None:
    assert wording.person(by) == text


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (timedelta(), "0m"),
        (timedelta(seconds=59), "0m"),
        (timedelta(minutes=12), "12m"),
        (timedelta(hours=3, minutes=12), "3h12m"),
        (timedelta(hours=2), "2h"),
        (timedelta(days=1, minutes=1), "1d1m"),
    ],
    ids=str,
)
def test_spans_read_as_people_write_them(time: timedelta, text: str) -> None:
    assert wording.span(time) == text


def test_a_branch_commit_carries_its_promotion_and_no_more() -> None:
    assert wording.branch_message("0" * 12, "subject") == f"subject\n\nPromotion: {'0' * 12}\n"


def test_a_pull_request_says_what_moves_and_what_is_asked() -> None:
    found = at_stage(Stage.OPEN)
    now = found.promotion()
    rule = effective(rules(), "production", "web")
    assert rule

    title, body = wording.pull_request(now, rule, folder="promotion")
    _, back = wording.pull_request(replace(now, kind=Kind.ROLLBACK), rule, folder="promotion")

    assert title == "production: web 1.0.0 -> 1.1.0"
    assert "- approvals asked: 2 of release-managers\n" in body
    assert "- approvals asked: 1\n" in back
    assert now.change[:12] in body
    assert body.endswith(f"\nPromotion: {now.id}\n")


def test_a_pull_request_that_people_merge_says_so_and_ends_with_what_the_bot_would_say() -> None:
    now = at_stage(Stage.MERGING).promotion()
    rule = effective(rules(), "production", "web")
    assert rule
    theirs = replace(rule, environment=replace(rule.environment, merges=Merges.BY_HAND))
    _, block = wording.landing(now, folder="promotion", url="u", intent=oid("x"), key="k")

    _, body = wording.pull_request(now, theirs, folder="promotion", block=block)
    _, back = wording.pull_request(replace(now, kind=Kind.ROLLBACK), theirs, folder="promotion")

    assert "somebody merges it here: Countersign does not." in body
    assert wording.parse_trailers(body) == wording.parse_trailers(f"x\n\n{block}\n")
    assert "somebody merges it here" not in back


def test_what_lands_without_a_pull_request_names_none() -> None:
    now = at_stage(Stage.MERGING).promotion()

    _, message = wording.landing(now, folder="promotion", url="", intent=oid("x"), key="k")

    assert "Pull-Request" not in dict(wording.parse_trailers(f"x\n\n{message}\n"))
    assert "Approved-By" in dict(wording.parse_trailers(f"x\n\n{message}\n"))


def test_a_move_that_nobody_asked_for_names_no_requester() -> None:
    now = at_stage(Stage.MERGING).promotion()
    entry = story().bump("1.1.0")

    _, message = wording.landing(
        replace(now, by=entry.speaker), folder="p", url="u", intent=oid("x"), key="k"
    )

    assert "Requested-By" not in message
