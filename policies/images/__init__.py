"""Images: their names, tags and versions, and which one a policy selects."""
