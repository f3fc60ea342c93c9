"""Flux's image documents, read as values."""
