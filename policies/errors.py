"""What a policy says when it is misused: the caller handed it something that means nothing."""


class PolicyError(ValueError):
    """Text or a value from outside does not mean anything here; the message says what was expected."""
