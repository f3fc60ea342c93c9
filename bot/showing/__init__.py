"""Showing: which cards and notices should be there, and where they stand."""
