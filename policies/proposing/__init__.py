"""Proposing: from a repository without rules to rules that could be its own."""
