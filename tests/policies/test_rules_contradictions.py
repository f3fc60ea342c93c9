"""What rules say that cannot mean anything together, each with where it is said."""

import pytest

from policies.rulebook.flux_lint import flux_findings
from policies.rulebook.lint import lint
from policies.rulebook.parse import parse
from policies.rulebook.seen import Flux, Sync
from tests.policies.test_rules_keys import text_of
from tests.policies.twelve_services import encoded

Sample = tuple[str, str]


def told(text: str) -> list[str]:
    rules = parse({"p.yaml": text.encode()})
    return [str(one).removeprefix("p.yaml:") for one in lint(rules, {})]


def at(text: str, words: str) -> str:
    """Return line and column of words."""
    before = text[: text.index(words)]
    return f"{before.count(chr(10)) + 1}:{len(before.rpartition(chr(10))[2]) + 1}"


FIRST = "    path: apps/production\n    channel: deploys\n    after: staging\n"
FOUND: dict[str, Sample] = {
    "soak for nothing": (
        text_of("soak: 1h").replace("    after: staging\n", ""),
        "soak: 1h||soak of production waits for nothing: no environment comes before it; expected after, or age",
    ),
    "the same as nothing": (
        text_of("takes: same").replace("    after: staging\n", ""),
        "takes: same||takes of production is same, and no environment comes before it; expected after",
    ),
    "approvals as what does not come before": (
        text_of("approvals: as other", top="").replace(
            "environments:\n", "environments:\n  other: {path: o, channel: c, approvals: 1}\n"
        ),
        "approvals: as other||approvals of production are as other, which does not come before it; expected",
    ),
    "a freeze without an end": (
        text_of("freeze: [Mon-Fri, Sat 00:00 - Mon 08:00]"),
        "freeze: [Mon-Fri||freeze of production never ends; expected windows with a time between them",
    ),
    "reviews of a commit": (
        text_of("evidence: review\n    via: commit"),
        "evidence: review||evidence of production is review, and there is no pull request to review; expected via",
    ),
    "people who merge a commit": (
        text_of("merges: by-hand\n    via: commit"),
        "merges: by-hand||merges of production is by-hand, and there is no pull request to merge; expected via",
    ),
    "merge-within of nobody": (
        text_of("approvals: none\n    merge-within: 1h"),
        "merge-within: 1h||merge-within of production means nothing: nobody is asked there; expected approvals",
    ),
    "a jump that people see": (
        text_of("jump: 0"),
        "jump: 0||jump of production means nothing: people approve what moves there; expected this key left out",
    ),
    "an emergency of nobody": (
        text_of("approvals: none\n    emergency: {approvals: 1}"),
        "emergency: {||emergency of production means nothing: nobody is asked there; expected approvals",
    ),
    "an exception of nobody": (
        text_of("exceptions: {web: {approvals: none, expire: 2h}}"),
        "expire: 2h||expire of web in production means nothing: nobody is asked there; expected approvals",
    ),
    "health of another": (
        text_of("health: [it]").replace(
            "services:\n",
            "  eu: {like: production, path: eu}\nservices:\n",
        ),
        "eu: {like||health of eu is that of production: it; expected health of eu itself",
    ),
    "never there": (
        text_of(service="environments: production"),
        "environments: production||web is in production and not in staging before it, so that it never moves there",
    ),
    "an exception that nobody can fill": (
        text_of("exceptions: {api: {approvals: 1 of owners}}"),
        "api: {image||approvals of production cannot be filled for api (no owner); expected enough different people",
    ),
}


@pytest.mark.parametrize(("text", "finding"), FOUND.values(), ids=FOUND)
def test_a_contradiction_is_told_where_it_is_said(text: str, finding: str) -> None:
    words, expected = finding.split("||")
    found = [one for one in told(text) if one.startswith(f"{at(text, words)}: {expected}")]

    assert len(found) == 1, told(text)


GOOD = {
    "soak": text_of("soak: 1h"),
    "one of those before is enough": text_of(
        "after: {any: [staging, other]}", service="environments: [staging, production]"
    ).replace("environments:\n", "environments:\n  other: {path: o, channel: c, approvals: none}\n", 1),
    "a freeze with an end": text_of("freeze: [Fri 15:00 - Mon 08:00, 2026-12-24]"),
    "an approval as before": text_of("approvals: as first\n    after: first")
    .replace("    after: staging\n", "")
    .replace("environments:\n", "environments:\n  first: {path: o, channel: c, approvals: 1 of oncall}\n", 1),
    "reviews": text_of("evidence: review"),
    "health of its own": text_of("health: [it]").replace(
        "services:\n", "  eu: {like: production, path: eu, health: [its]}\nservices:\n"
    ),
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_what_fits_together_is_not_told(text: str) -> None:
    words = (
        "waits for nothing",
        "comes before it",
        "come before it",
        "never",
        "no pull request",
        "means nothing",
    )

    assert [one for one in told(text) if any(word in one for word in (*words, "is that of"))] == []


def test_the_example_contradicts_itself_nowhere() -> None:
    assert [str(one) for one in lint(parse(encoded()), {})] == []


@pytest.mark.parametrize(
    ("folder", "kustomized", "is_found"),
    [
        ("", (), True),
        ("promotion", (), True),
        ("", ("",), False),
        ("apps", (), False),
        ("promotio", (), False),
    ],
    ids=["the whole repository", "the folder itself", "with a kustomization", "beside it", "a like name"],
)
def test_rules_in_what_flux_applies_are_refused(
    folder: str, kustomized: tuple[str, ...], *, is_found: bool
) -> None:
    rules = parse({"promotion/rules.yaml": text_of().encode()})
    flux = Flux(syncs=(Sync("clusters/it.yaml", folder),))

    found = [str(one) for one in flux_findings(rules, flux, kustomized)]

    where = folder or "the whole repository"
    told = (
        f"promotion/rules.yaml:1:1: the rules in promotion are in what Flux applies: clusters/it.yaml applies {where}; "
        "expected rules outside of it, or a kustomization file there that names its resources"
    )
    assert found == ([told] if is_found else [])
