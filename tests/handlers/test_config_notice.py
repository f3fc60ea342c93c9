"""The notice of changed files names the pull requests that brought them, with a way to each that the forge told."""

from bot.cards import Notice
from handlers.slack.notice_messages import notice_detail
from handlers.slack.spans import Line, Link

PAGE = "https://github.com/example/gitops/pull"


def details(pulls: str) -> tuple[Line, ...]:
    facts = {"environment": "production", "commit": "c" * 40, "number": "#7", "pulls": pulls}
    return notice_detail(Notice(what="x", channel="deploys", code="config-unreviewed", facts=facts))


def test_each_pull_request_is_a_link() -> None:
    (point,) = details(f"#418 {PAGE}/418, #419 {PAGE}/419")

    assert point == ("pull requests: ", Link(f"{PAGE}/418", "#418"), ", ", Link(f"{PAGE}/419", "#419"))


def test_one_without_an_address_is_named() -> None:
    assert details("#418") == (("pull request: ", "#418"),)


def test_many_are_counted() -> None:
    (point,) = details(", ".join(f"#{number} {PAGE}/{number}" for number in range(1, 13)))

    assert len([span for span in point if isinstance(span, Link)]) == 10
    assert point[-1] == "2 more"
