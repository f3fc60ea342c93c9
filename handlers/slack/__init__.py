"""Slack: commands, buttons, forms and messages."""
