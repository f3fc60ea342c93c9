"""Looking: everything that is known at one moment, gathered from the outside worlds."""
