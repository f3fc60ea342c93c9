"""The rules as values: what they say, and which one judges a service in an environment."""
