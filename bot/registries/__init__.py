"""Registries: what they list, what hangs on their images, and who signed it."""
