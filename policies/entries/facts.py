"""Facts from outside: what a gate was answered elsewhere, about one image in one place, and when it was looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from policies.canonical import Json
from policies.codes import Code
from policies.entries.entry import EntryError, parse_time, write_time
from policies.verdict import PASSED, Failed, Verdict, Waiting

MAX_AGE = timedelta(minutes=10)  # what was looked at longer ago is unknown
MAX_AGE_OF_CONTENT = timedelta(days=1)  # the same, of what hangs on a digest, while nothing moves by it
MAX_SKEW = timedelta(minutes=5)  # between the clock that looked and the one that asks
MAX_FACTS = 64
MAX_DETAIL = 200


class Finding(StrEnum):
    """What a look outside found."""

    PASSED = "passed"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Fact:
    """What one outside gate found. ``code`` '' where it passed; ``detail`` is one line for people; ``looked``: UTC.

    ``commit`` is that of which it was asked, '' where its image alone says that; an entry does not repeat it.
    """

    gate: str
    verdict: Finding
    code: str
    detail: str
    looked: datetime
    commit: str = ""


def verdict_of(facts: Iterable[Fact], gate: str, at: datetime, max_age: timedelta = MAX_AGE) -> Verdict:
    """Return what is known of a gate at that time (UTC). Unknown, missing and stale facts wait: they never pass."""
    fact = next((one for one in facts if one.gate == gate), None)
    if fact is None:
        return Waiting(Code.GATE_UNKNOWN, f"{gate} has not been looked at yet")
    if not -MAX_SKEW <= at - fact.looked <= max_age:
        return Waiting(Code.GATE_UNKNOWN, f"{gate} was looked at too long ago")
    if fact.verdict is Finding.PASSED:
        return PASSED
    what = Waiting if fact.verdict is Finding.WAITING else Failed
    return what(_code(fact), fact.detail)


def _code(fact: Fact) -> Code:
    return Code(fact.code) if fact.code in set(Code) else Code.GATE_UNKNOWN


def to_json(facts: Iterable[Fact]) -> list[Json]:
    """Write facts as an entry's evidence holds them."""
    return [
        {
            "gate": one.gate,
            "verdict": one.verdict.value,
            "code": one.code,
            "detail": one.detail[:MAX_DETAIL],
            "looked": write_time(one.looked),
        }
        for one in facts
    ]


def from_json(value: Json) -> tuple[Fact, ...]:
    """Read an entry's facts. What is not of the form is left out, and so unknown; of two about a gate none counts."""
    rows = value[:MAX_FACTS] if isinstance(value, list) else []
    found = [fact for row in rows if (fact := _fact(row))]
    gates = [one.gate for one in found]
    return tuple(one for one in found if gates.count(one.gate) == 1)


def _fact(row: Json) -> Fact | None:
    if not isinstance(row, dict) or row.keys() != {"gate", "verdict", "code", "detail", "looked"}:
        return None
    texts = {name: text for name, text in row.items() if isinstance(text, str)}
    if len(texts) != len(row) or texts["verdict"] not in set(Finding):
        return None
    try:
        looked = parse_time(texts["looked"])
    except EntryError:
        return None
    return Fact(texts["gate"], Finding(texts["verdict"]), texts["code"], texts["detail"], looked)
