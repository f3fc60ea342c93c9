"""What a row says of a version: whether a person's word is all that it waits for."""

import pytest

from policies.codes import Code
from policies.rows import Candidate, Standing
from policies.verdict import Waiting


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((), True),
        ((Code.NOT_REQUESTED,), True),
        ((Code.KNOWN_BEFORE, Code.NOT_REQUESTED, Code.APPROVALS_MISSING), True),
        ((Code.NOT_REQUESTED, Code.SOAKING), False),
        ((Code.FROZEN,), False),
    ],
    ids=["nothing", "a request", "people", "time, too", "a freeze"],
)
def test_a_version_may_be_asked_for_where_nothing_but_people_is_missing(
    codes: tuple[Code, ...], *, expected: bool
) -> None:
    found = Candidate("1.1.0", "", Standing.WAITING, tuple(Waiting(one, "") for one in codes))

    assert found.may_be_asked_for is expected
