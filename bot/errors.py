"""What the world can do to us, sorted by what one can do about it."""


class BotError(Exception):
    """The world failed; the message names the thing and the next step."""


class TransientError(BotError):
    """It may work at the next pass."""


class PermanentError(BotError):
    """A person must act before it can work; the message says who and how."""


class UnreadableError(PermanentError):
    """What came from outside has no form that we know; the message says what was expected, and repeats nothing."""


class SettingsError(PermanentError):
    """A setting is missing or means nothing; the message names it and where to get it."""
