"""Entries of the ledger as values, and what they attest."""
