"""The Slack twin: a workspace, its Web API, and the people in it."""
