"""Chains: the ledger's branches read as signed chains, year after year."""
