"""How long the campaign is: short inside the tests, long by ``make campaign``; each volume can be set."""

import os
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Length:
    """Volumes. ``COUNTERSIGN_CAMPAIGN`` sets them: ``long``, or ``long,machine_runs=3000,lives=3``."""

    is_long: bool = False
    machine_runs: int = 6
    machine_steps: int = 25
    model_states: int = 150_000
    jobs: int = 2
    minutes: int = 0
    lives: int = 1
    kills: int = 0
    moments: int = 0
    seed: int = 1
    mutants: int = 400  # for each reader
    reasons: int = 10
    files: int = 8
    tampered_entries: int = 10
    outside_pairs: int = 0  # 0 = every trouble in every state
    contention_batch: int = 1  # entries that go together at most
    contention_entries: int = 16
    contention_writers: int = 8
    soak_passes: int = 30
    bumps: int = 6
    bump_kills: int = 6


LONG = Length(
    is_long=True,
    machine_runs=200,
    machine_steps=50,
    model_states=3_000_000,
    lives=3,
    kills=5_000,
    moments=2_000,
    mutants=200_000,
    reasons=200,
    files=800,
    tampered_entries=10_000,
    contention_entries=20_000,
    contention_batch=50,
    soak_passes=20_000,
    bumps=2_000,
    bump_kills=1_000,
)


def length(text: str) -> Length:
    """Read what was set. Raises: ValueError, which names what is known."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    found = LONG if "long" in words else Length()
    known = {one.name for one in fields(Length)} - {"is_long"}
    counts: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if word == "long":
            continue
        if name not in known or not equals or not value.isdigit():
            raise ValueError(
                f"COUNTERSIGN_CAMPAIGN: {word!r}; expected long, or NAME=COUNT with {sorted(known)}"
            )
        counts[name] = int(value)
    return replace(found, **counts)


LENGTH = length(os.environ.get("COUNTERSIGN_CAMPAIGN", ""))
