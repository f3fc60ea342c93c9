"""When registries are asked again: by the shortest interval of the environments, or by their own."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.looking.asking import due
from bot.looking.survey import Answers
from policies.images.image import Repository
from policies.rulebook.parse import parse

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
RULES = """\
environments:
  staging: {path: s, channel: c, approvals: none, interval: 1m}
  production: {path: p, channel: c, approvals: 1, interval: 10m}
services:
  hub: {image: alpine, versions: 3.x}
  own: {image: r.example/own, versions: 1.x}
registries: HOSTS
"""
HUB, OWN = Repository("alpine"), Repository("r.example/own")


def wanted(hosts: str, minutes: float, *names: str) -> list[Repository]:
    """Return what is asked so many minutes after everything was."""
    rules = parse({"promotion/r.yaml": RULES.replace("HOSTS", hosts).encode()})
    answers = Answers()
    answers.asked.update({HUB: AT, OWN: AT})
    return due(rules, answers, AT + timedelta(minutes=minutes), names or ("staging", "production"))


@pytest.mark.parametrize(
    ("hosts", "minutes", "names", "expected"),
    [
        ("{}", 0.5, (), []),
        ("{}", 1, (), [HUB, OWN]),
        ("{}", 1, ("production",), []),
        ("{}", 5, ("nowhere",), [HUB, OWN]),
        ("{docker.io: {interval: 30m}}", 29, (), [OWN]),
        ("{docker.io: {interval: 30m}}", 30, (), [HUB, OWN]),
        ("{r.example: {interval: 10s}}", 0.5, (), [OWN]),
    ],
    ids=["early", "the shortest", "of one", "built in", "a slow registry", "in its time", "a quick registry"],
)
def test_a_registry_is_asked_by_its_interval(
    hosts: str, minutes: float, names: tuple[str, ...], expected: list[Repository]
) -> None:
    assert wanted(hosts, minutes, *names) == expected
