"""The demo's page: what a visitor sees and does."""
