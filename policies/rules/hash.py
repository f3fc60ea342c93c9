"""One hash for all that judges: what a `rules` entry names."""

from policies.canonical import digest_of
from policies.rules.rules import Rules, effective


def rules_hash(rules: Rules) -> str:
    """Return the sha256 of the hashes of all effective rules: by environment, then service, in the files' order."""
    return digest_of(
        [
            rule.hash
            for environment in rules.environments
            for service in rules.services
            if (rule := effective(rules, environment, service))
        ]
    )
