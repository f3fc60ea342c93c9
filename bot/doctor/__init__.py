"""The doctor: what the bot needs of each outside world, looked at and told."""
