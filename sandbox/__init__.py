"""The outside world on a laptop: a registry, a forge over a real bare repository, a Slack workspace."""
