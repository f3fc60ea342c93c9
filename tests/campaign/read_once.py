"""Many readers of one long ledger in one process: the form and signature of the same bytes are looked at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.chains import chain, signatures_ahead
from bot.chains.chain import SignedBy
from bot.repository.objects import RawCommit
from policies.entries.entry import Entry


@contextmanager
def read_once() -> Iterator[None]:
    """Remember what each commit was read as, under the key that it had to have; one that was refused is read again.

    Where an entry stands, and whether it may stand there, is asked by every reader anew: only what follows from the
    commit's own bytes is remembered. Forked processes begin with what was read before them.
    """
    read, many = chain.read_entry, signatures_ahead.MANY
    known: dict[tuple[bytes, str], Entry] = {}

    def remembered(
        raw: RawCommit,
        signer: str,
        signed_by: SignedBy = signatures_ahead.signed_by,
    ) -> Entry:
        """Read a commit, or say what it was read as."""
        if (entry := known.get((raw.data, signer))) is None:
            entry = known[raw.data, signer] = read(raw, signer)
        return entry

    chain.read_entry, signatures_ahead.MANY = remembered, 1 << 60
    try:
        yield
    finally:
        chain.read_entry, signatures_ahead.MANY = read, many
