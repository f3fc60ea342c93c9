"""Which digest stands beside a selected tag."""

import pytest

from policies.errors import PolicyError
from policies.images.digest_reflection import (
    DigestReflection,
    Latest,
    Reflected,
    asks_again,
    asks_registry,
    reflect,
)

NEVER, IF_NOT_PRESENT, ALWAYS = DigestReflection
BEFORE = Reflected(Latest("app", "1", "d1"), Latest("app", "0", "d0"))


@pytest.mark.parametrize(
    ("policy", "tag", "before", "after"),
    [
        pytest.param(NEVER, "1", None, Reflected(Latest("app", "1")), id="never: none"),
        pytest.param(
            NEVER, "1", BEFORE, Reflected(Latest("app", "1"), BEFORE.latest), id="never: taken away"
        ),
        pytest.param(
            IF_NOT_PRESENT, "1", None, Reflected(Latest("app", "1", "new")), id="not present: asked"
        ),
        pytest.param(IF_NOT_PRESENT, "1", BEFORE, BEFORE, id="present: kept"),
        pytest.param(
            IF_NOT_PRESENT, "2", BEFORE, Reflected(Latest("app", "2", "new"), BEFORE.latest), id="another tag"
        ),
        pytest.param(
            ALWAYS, "1", BEFORE, Reflected(Latest("app", "1", "new"), BEFORE.latest), id="always: asked again"
        ),
    ],
)
def test_a_digest_is_reflected(
    policy: DigestReflection, tag: str, before: Reflected | None, after: Reflected
) -> None:
    assert reflect(policy, "app", tag, before=before, answer="new") == after


def test_a_missing_digest_is_looked_up() -> None:
    before = Reflected(Latest("app", "1"))

    assert asks_registry(IF_NOT_PRESENT, "app", "1", before)
    assert asks_registry(IF_NOT_PRESENT, "other", "1", BEFORE)
    assert not asks_registry(IF_NOT_PRESENT, "app", "1", BEFORE)


def test_an_unchanged_answer_changes_nothing() -> None:
    assert reflect(ALWAYS, "app", "1", before=BEFORE, answer="d1") == BEFORE


def test_only_always_asks_again() -> None:
    assert [policy for policy in DigestReflection if asks_again(policy)] == [ALWAYS]


def test_policies_are_read() -> None:
    assert DigestReflection.parse("") is NEVER
    assert DigestReflection.parse("Always") is ALWAYS
    with pytest.raises(PolicyError, match="'always' is no digest reflection; expected Never"):
        DigestReflection.parse("always")
