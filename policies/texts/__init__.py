"""Texts as trees with places: YAML, JSON and TOML read with spans, and edited in place."""
