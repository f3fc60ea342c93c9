"""What is asked of a rollback and of an emergency, apart from the way forward."""

from datetime import timedelta

from policies.gates import SKIPPABLE
from policies.rulebook.approvals import lines
from policies.rulebook.channel import channel_of
from policies.rulebook.fields import Fields, fields, once
from policies.rulebook.keys import EMERGENCY, ROLLBACK, Keys
from policies.rulebook.people import People
from policies.rulebook.waits import YEAR
from policies.rules.places import ONE_PERSON
from policies.rules.terms import Apart, Line

# What makes a move traceable can be skipped by nobody.
NEVER_SKIPPED = ("digest", "signature", "record")


def rollback(found: Fields, people: People) -> Apart:
    """Read ``rollback``: one person, unless more is asked."""
    return _apart(found, "rollback", ROLLBACK, people) or ONE_PERSON


def emergency(found: Fields, people: People) -> Apart | None:
    """Read ``emergency``; nothing = there is none."""
    text = found.node("emergency")
    return _apart(found, "emergency", EMERGENCY, people) if text is not None else None


def _apart(found: Fields, key: str, keys: Keys, people: People) -> Apart | None:
    node = found.node(key)
    inner = fields(node, keys, found.findings) if node else None
    if inner is None:
        return None
    return Apart(
        approvals=_lines(inner, key, people),
        tell=channel_of(inner, "tell"),
        review=_review(inner),
        skips=_skips(inner, key),
    )


def _lines(inner: Fields, key: str, people: People) -> tuple[Line, ...]:
    asked = inner.node("approvals")
    if asked is None:
        if key == "emergency" or not inner.entries:
            inner.missing(inner.at, f"{key} has no approvals", "approvals: 1 of TEAM")
        return ONE_PERSON.approvals
    found = lines(asked, people, inner.findings)
    if not found:
        expected = (
            f"1 or more: {'an' if key == 'emergency' else 'a'} {key} is the word of one person at least"
        )
        inner.findings.add(asked.at, f"{key} asks nobody", expected)
    return found


def _review(inner: Fields) -> timedelta | None:
    second = timedelta(seconds=1)
    span = inner.span("review", default=timedelta(0), least=second, most=YEAR)
    return span or None


def _skips(inner: Fields, key: str) -> tuple[str, ...]:
    texts = inner.texts("skips") or ()
    for text in texts:
        if text.value in NEVER_SKIPPED:
            expected = f"some of {', '.join(SKIPPABLE)}"
            inner.findings.add(text.at, f"{key} skips {text.value}, which nothing may skip", expected)
        elif text.value not in SKIPPABLE:
            inner.findings.unknown(text.at, "gate in skips", text.value, SKIPPABLE)
    return once(texts, "gate", inner.findings)
