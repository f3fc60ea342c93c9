"""Trailers that say of a commit on the target branch that it is ours, where the ledger does not: copied or made up.

Nothing is ever decided from them; people are told, so that nobody takes such a commit for one that was approved.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot import wording
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from policies.entries.promotion import Stage
from policies.ledger.state import State

NEWEST = 50  # commits that carry such trailers, which are looked at in a pass
MAX_TOLD = 5  # of them at once: whoever pushes hundreds fills no channel
_OURS = frozenset({"Promotion", "Ledger", "Ledger-Key", "Ledger-Signature"})
_UNDER_WAY = frozenset({Stage.MERGING, Stage.MERGED})
_OVER = frozenset({Stage.LANDED, Stage.MISMATCH})


@dataclass(frozen=True, slots=True)
class Claim:
    """A commit that says it is ours: the names of the trailers, and the environment that it names ('' = none)."""

    commit: Oid
    names: tuple[str, ...]
    environment: str = ""

    @property
    def said(self) -> str:
        """The names in a sentence."""
        return ", ".join(self.names)


def made_up(mirror: Mirror, state: State, target: Oid, *, limit: int = NEWEST) -> tuple[Claim, ...]:
    """Return the commits after genesis whose trailers name what the ledger does not know of them, newest first."""
    if state.genesis is None:
        return ()
    found = mirror.claiming(target, sorted(_OURS), since=Oid(state.genesis.commit), limit=limit)
    return tuple(_claims(mirror, state, [one for one in found if one not in state.ours]))


def _claims(mirror: Mirror, state: State, commits: Iterable[Oid]) -> Iterator[Claim]:
    for commit in commits:
        trailers = wording.parse_trailers(mirror.message(commit))
        stands = {name: value for name, value in trailers if name in _OURS}
        if stands and not _is_explained(state, stands):
            environment = next((value for name, value in trailers if name == "Environment"), "")
            yield Claim(commit, tuple(stands), environment)


def _is_explained(state: State, stands: dict[str, str]) -> bool:
    """Whether it is a merge that is being written down, one by hand, or one whose entries two people gave up."""
    if stands.get("Ledger") in state.forks:
        return True
    promotion = state.promotions.get(stands.get("Promotion", ""))
    if promotion is None:
        return False
    by_hand = stands.keys() == {"Promotion"} and promotion.stage not in _OVER
    return by_hand or promotion.stage in _UNDER_WAY
