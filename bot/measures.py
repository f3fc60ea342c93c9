"""Measures: what adapters count while they work, for an operator's graphs. Nothing is ever decided from them."""

import threading
from collections.abc import Mapping
from enum import StrEnum
from typing import Self

MAX_LABELS = 200  # values of one label; what comes after is counted under OTHER
OTHER = "other"


class Kind(StrEnum):
    """How a measure grows. Prometheus, "Metric types"."""

    COUNTER = "counter"
    GAUGE = "gauge"
    SUMMARY = "summary"


class Measure(StrEnum):
    """All that is counted, by the name under which it is shown."""

    kind: Kind
    says: str
    label: str

    def __new__(cls, name: str, kind: Kind, says: str, label: str = "") -> Self:
        """Keep beside the name how it grows, what it says, and its label ('' = none)."""
        made = str.__new__(cls, name)
        made._value_ = name
        made.kind, made.says, made.label = kind, says, label
        return made

    PASSES = "countersign_passes_total", Kind.COUNTER, "Passes that have ended."
    PASSES_FAILED = "countersign_passes_failed_total", Kind.COUNTER, "Passes that ended with an error."
    PASS_SECONDS = "countersign_pass_seconds", Kind.GAUGE, "How long the last pass took."
    REGISTRY_REQUESTS = (
        "countersign_registry_requests_total",
        Kind.COUNTER,
        "Requests to a registry, those for its tokens too.",
        "host",
    )
    LEDGER_ENTRIES = "countersign_ledger_entries_total", Kind.COUNTER, "Entries that we wrote."
    APPEND_SECONDS = (
        "countersign_ledger_append_seconds",
        Kind.SUMMARY,
        "From wanting to write to having written, with all tries.",
    )
    RACES_LOST = (
        "countersign_ledger_races_lost_total",
        Kind.COUNTER,
        "Pushes before which another writer came.",
    )
    PUSHES = (
        "countersign_pushes_total",
        Kind.COUNTER,
        "Pushes to the repository, by how they ended.",
        "outcome",
    )
    SECOND_REMOTE = (
        "countersign_second_remote_pushes_total",
        Kind.COUNTER,
        "Pushes of the ledger to the second remote, by how they ended.",
        "outcome",
    )
    CARDS_BEHIND = (
        "countersign_cards_behind",
        Kind.GAUGE,
        "Messages that do not yet show what they should.",
    )


class Measures:
    """Numbers by measure and label. Thread-safe."""

    def __init__(self) -> None:
        """Begin at zero, so that a rate can be drawn from the first moment."""
        self._lock = threading.Lock()
        self._values: dict[Measure, dict[str, float]] = {
            one: {} if one.label else {"": 0.0} for one in Measure
        }
        self._counts: dict[Measure, int] = {one: 0 for one in Measure if one.kind is Kind.SUMMARY}

    def count(self, measure: Measure, label: str = "", by: float = 1) -> None:
        """Count something that happened."""
        with self._lock:
            values = self._values[measure]
            if label not in values and len(values) >= MAX_LABELS:
                label = OTHER
            values[label] = values.get(label, 0.0) + by

    def put(self, measure: Measure, value: float) -> None:
        """Set what goes up and down."""
        with self._lock:
            self._values[measure][""] = value

    def observe(self, measure: Measure, seconds: float) -> None:
        """Add up how long something took."""
        with self._lock:
            self._values[measure][""] += seconds
            self._counts[measure] += 1

    def taken(self) -> Mapping[Measure, Mapping[str, float]]:
        """Return the numbers as they are now, by label ('' = none)."""
        with self._lock:
            return {measure: dict(values) for measure, values in self._values.items()}

    def times(self, measure: Measure) -> int:
        """Return how often something was observed."""
        with self._lock:
            return self._counts[measure]


MEASURES = Measures()  # of this process; adapters are made in many places, and count into the same
