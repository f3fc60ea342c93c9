"""Promoting: from what people say, and what is ready, to entries, commits and merges."""
