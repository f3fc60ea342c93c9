"""What the rules can say in words and the engine does not act on yet: refused, so that nothing is silently ignored.

Whoever builds one deletes its row, runs ``make papers``, and gives docs/rules.md its row and its example.
"""

from collections.abc import Mapping
from types import MappingProxyType

# table.key, or a section -> what is missing
NOT_YET: Mapping[str, str] = MappingProxyType({})
