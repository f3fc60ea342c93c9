"""The floor that speaks: Slack commands, buttons and views, webhooks, the command line."""
