"""How ``changes`` words what a version brings: values in, sentences out."""

from bot.looking.source_commits import Sourced
from bot.ports import Compared, SourceCommit
from bot.promoting.brings import MAX_PLACES, Brings
from handlers.slack import changes
from handlers.slack.blocks import message_of
from handlers.slack.questions import Changes
from policies.codes import Code
from policies.decide import Candidate, Standing
from policies.entries.entry import Pinned
from tests.handlers.samples import DIGEST, IMAGE, EngineOfValues

NEXT = Candidate("1.4.3", DIGEST, Standing.WAITING)


def brings(environment: str = "production", *sourced: Sourced) -> Brings:
    before, after = (Pinned(IMAGE, tag) for tag in ("1.4.1", "1.4.3"))
    return Brings(environment, "checkout-api", (before,), (after,), "1.4.1", "1.4.3", NEXT, sourced=sourced)


def compared(total: int, listed: int, behind: int = 0) -> Sourced:
    commits = tuple(SourceCommit(f"{n:040x}", f"Step {n}") for n in range(listed))
    return Sourced("tags", "acme/web", Compared(commits, total, behind))


def told(*found: Brings) -> str:
    return changes.said(EngineOfValues(brought=found), Changes("checkout-api")).text


def test_more_commits_than_are_listed_are_counted_and_what_is_lacking_is_said() -> None:
    said = told(brings("production", compared(900, 200, 2)))

    assert "900 commits of acme/web (by tags of the source), too many to be listed" in said
    assert "it lacks 2 commits of the other one's history" in said
    assert "Step" not in said


def test_the_newest_commits_are_listed_and_the_rest_is_counted() -> None:
    said = told(brings("production", compared(12, 12)))

    assert said.index("Step 11") < said.index("Step 2")
    assert "Step 1\n" not in said
    assert "and 2 more" in said


def test_the_same_commits_are_listed_once() -> None:
    said = told(brings("staging", compared(1, 1)), brings("production", compared(1, 1)))

    assert said.count("Step 0") == 1
    assert "1 commit of acme/web (by tags of the source), as above" in said


def test_images_of_one_commit_bring_none() -> None:
    assert "No commit of acme/web: both were built of the same one" in told(brings("staging", compared(0, 0)))


def test_a_place_of_which_nothing_is_known_says_why() -> None:
    silent = Brings(
        "staging", "checkout-api", current="1.4.1", codes=(Code.UNREADABLE.value,), detail="line 3"
    )

    assert "1.4.1 runs, " in told(silent)
    assert "line 3" in told(silent)


def test_no_more_places_than_a_bound_are_told_and_that_is_said() -> None:
    found = [brings(f"p{n}") for n in range(MAX_PLACES)]

    assert f"No more than {MAX_PLACES} places are told at once" in told(*found)


def test_what_commits_say_is_never_markup() -> None:
    odd = SourceCommit("a" * 40, "<!channel> *bold* <https://evil.example|Approve>", "mallory")
    found = Sourced("labels", "acme/web", Compared((odd,), 1, 0, "javascript:alert(1)"))

    message = message_of(changes.said(EngineOfValues(brought=(brings("staging", found),)), Changes("x")))

    assert "<!channel>" not in message.text
    assert "javascript:" not in str(message.blocks)
    assert "mrkdwn" not in str(message.blocks)
