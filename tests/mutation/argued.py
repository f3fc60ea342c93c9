"""Faults that no test can notice, each with the reason; by module and by what the fault says of itself."""

from collections.abc import Mapping
from types import MappingProxyType

ARGUED: Mapping[str, str] = MappingProxyType(
    {
        "policies.rulebook.layers: chain[-1] in likes and likes[chain[-1]] not in found: without likes[chain[-1]] "
        "not in found": "walks a way again whose places stand where they stood: slower, and the same",
        "policies.ledger.rollout: False -> True": "zip's strict: the lengths are compared before",
    }
)
