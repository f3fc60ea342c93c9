"""A tag that moves, from the command line: a pass moves its digest, ``why`` answers by it."""

from tests.handlers.test_cli import IMAGE, RULES, Cli, app
from tests.repositories import commit_to, read_file

__all__ = ["app"]  # the fixture

FOLLOWING = RULES.replace("versions: 1.x", "versions: {{digest-of: latest}}")


def test_a_pass_moves_the_digest_of_a_tag(app: Cli) -> None:
    first = app.registry.push(IMAGE, "latest", "one")
    text = read_file(app.repository, "apps/staging/deployment.yaml").replace(":1.0.0", ":latest")
    host = text.partition("image: ")[2].partition("/")[0]
    commit_to(
        app.repository,
        {"promotion/rules.yaml": FOLLOWING.format(host=host), "apps/staging/deployment.yaml": text},
    )
    assert app.run("pass")[0] == 0
    second = app.registry.push(IMAGE, "latest", "two")

    assert app.run("pass")[0] == 0

    assert f":latest@{second}" in read_file(app.repository, "apps/staging/deployment.yaml")
    why = app.read("why", "checkout-api", "staging", second[:13])
    assert (why["current"], why["versions"][0]["verdict"]) == (f"latest@{second[:19]}", "current")
    assert first != second
