"""Forms of values as JSON Schema has them, for editors. A schema is coarser than the parser: it has no places.

Scalars are read as text, so a form takes what YAML makes of them: numbers, true and false.
"""

from enum import StrEnum

from policies.canonical import Json

Form = dict[str, Json]

SCALAR: tuple[str, ...] = ("string", "number", "boolean")
TEXT: Form = {"type": list(SCALAR)}
FLAG: Form = {"enum": [True, False, "true", "false"]}
DURATION: Form = {
    "type": ["string", "number"],
    "maximum": 0,
    "pattern": r"^(\+?0|\+?(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h|d))+)$",
}
NAME_PATTERN = "^[a-z0-9][a-z0-9-]{0,62}$"
NAME: Form = {"type": ["string", "number"], "pattern": NAME_PATTERN}
CHANNEL: Form = {"type": ["string", "number"], "pattern": r"^(#?[^\sA-Z]{1,80}|#?[CG][A-Z0-9]{1,79})$"}
FOLDER: Form = {"type": ["string", "number"], "pattern": r"^[^/\s][^\\*?]*$", "maxLength": 512}
REPOSITORY: Form = {"type": "string", "minLength": 1}
ADDRESS: Form = {"type": "string", "pattern": "^https://"}


def pattern(expression: str) -> Form:
    """Return text of a form."""
    return {"type": list(SCALAR), "pattern": expression}


def choice(words: type[StrEnum]) -> Form:
    """Return one of some words."""
    return {"enum": [str(word) for word in words]}


def number(most: int) -> Form:
    """Return a whole number from 1, which may be quoted."""
    return {"type": ["integer", "string"], "minimum": 1, "maximum": most, "pattern": "^[1-9][0-9]{0,8}$"}


def several(form: Form, least: int = 1, most: int = 100) -> Form:
    """Return one of a form, or a list of them."""
    return {"anyOf": [form, listed(form, least, most)]}


def listed(form: Form, least: int = 1, most: int = 100) -> Form:
    """Return a list."""
    return {"type": "array", "items": form, "minItems": least, "maxItems": most}


def named(form: Form, names: Form | None = None) -> Form:
    """Return a table of names; nothing written under a name is nothing said."""
    return {
        "type": ["object", "null"],
        "propertyNames": names or {"pattern": NAME_PATTERN},
        "additionalProperties": form,
    }
