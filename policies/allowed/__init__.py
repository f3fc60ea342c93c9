"""Whether an entry is allowed where it stands: one module for each family of kinds."""
