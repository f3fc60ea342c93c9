"""Faults that no test can notice, each with the reason; by module and by what the fault says of itself."""

from collections.abc import Mapping
from types import MappingProxyType

ARGUED: Mapping[str, str] = MappingProxyType(
    {
        "policies.ledger.rollout: False -> True": "zip's strict: the lengths are compared before",
    }
)
