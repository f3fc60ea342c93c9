"""Mutants of what comes from outside: refused with a reason, or read; the process goes on."""

import pytest

from tests.campaign.fuzz import SINKS, Fuzz, Sink, fuzz, mutant
from tests.campaign.length import LENGTH


def test_mutants_are_refused_with_a_reason_or_read() -> None:
    found = fuzz(LENGTH.mutants, LENGTH.seed)

    assert found.wrong == []
    assert set(found.tried) == {one.name for one in SINKS}
    assert {name for name in ("entry", "rules", "tag list") if not found.refused[name]} == set()


def test_what_is_right_is_read() -> None:
    found = Fuzz()

    for sink in SINKS:
        for seed in sink.seeds:
            found.give(sink, seed, 0)

    assert found.wrong == []
    assert [one for one in ("entry", "rules", "payload", "manifest", "image") if found.refused[one]] == []


@pytest.mark.parametrize(
    "error", [KeyError("x"), RecursionError(), UnicodeDecodeError("utf-8", b"", 0, 1, "x")]
)
def test_what_nobody_foresaw_is_wrong(error: Exception) -> None:
    def read(_raw: bytes) -> object:
        raise error

    found = Fuzz()
    found.give(Sink("a reader", (b"",), read, (ValueError,) if isinstance(error, KeyError) else ()), b"x", 3)

    assert len(found.wrong) == 1
    assert "a reader #3" in found.wrong[0]


def test_a_seed_finds_a_mutant_again() -> None:
    assert [mutant((b"hello",), 7, 3)] == [mutant((b"hello",), 7, 3)]
    assert len({mutant((b"hello world",), 7, one) for one in range(50)}) > 40
