"""Whether what an entry says stood in a place stood there: by the ledger, or by Git since the ledger's last move."""

from policies.allowed.asked import Asked, No, Refusal
from policies.allowed.cases import stood_at_first
from policies.codes import Code
from policies.entries.entry import Pinned, Share
from policies.entries.remembered import are_same
from policies.ledger.digest_versions import told_apart
from policies.rules.rules import Rules


def stood(asked: Asked) -> No:
    """Is ``previous`` what stands in each place that it is about? A step back is measured from it."""
    if not asked.is_told_rightly:
        return
    for share in asked.entry.shares:
        stands = _known(asked, share.service)
        if stands and not are_same(share.previous, stands) and not _stood_since(asked, share):
            said, is_there = told_apart(share.previous, stands)
            text = f"{is_there} stands there, and it says {said or 'nothing'}"
            yield Refusal(Code.OUT_OF_LINE, f"{share.service}: {text}" if asked.entry.group else text)


def _known(asked: Asked, service: str) -> tuple[Pinned, ...]:
    """Return what stands there as the ledger knows it; nothing where it does not."""
    move = asked.state.last_move(asked.entry.environment, service)
    return move.image if move else stood_at_first(asked, asked.entry.environment, service)


def _stood_since(asked: Asked, share: Share) -> bool:
    """Whether Git shows it there since the last move: one by hand may have no entry yet, rules may look elsewhere."""
    environment, genesis, rules = asked.entry.environment, asked.state.genesis, asked.rules or Rules({}, {})
    begun = asked.state.last_move(environment, share.service) or genesis
    found = asked.book.stood_after(begun.commit if begun else "", rules, environment, share.service)
    return any(are_same(share.previous, one) for one in found)
