"""What the ledger adds up to: the fold of entries, their keys, and what is asked of it."""
