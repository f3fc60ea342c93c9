"""The JSON Schema of a file of the rules, for editors: made of the same tables as the parser."""

import json

from policies.canonical import Json
from policies.rulebook.document import SECTIONS
from policies.rulebook.forms import NAME, NAME_PATTERN, Form, listed, named
from policies.rulebook.keys import (
    CALENDAR,
    DEFAULTS,
    DISCOVER,
    ENVIRONMENT_KEYS,
    IDENTITY,
    PERSON,
    REGISTRY,
    SERVICE,
    Keys,
)

TITLE = "Countersign: one file of the rules folder"
PATH = "docs/schema/promotion.json"  # in the repository of Countersign
NAME_THERE = "schema.json"  # beside the rules: an editor finds it by its relative path
_MARK = "# yaml-language-server: $schema="  # the comment by which editors find a schema


def schema() -> str:
    """Return the schema as text. All files are one document, so that nothing at the top is required of one file."""
    found: dict[str, Json] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": TITLE,
        "type": ["object", "null"],
        "properties": _sections(),
        "additionalProperties": False,
    }
    return json.dumps(found, indent=1, ensure_ascii=True) + "\n"


def for_editors(text: str) -> str:
    """Return a file of the rules with the line by which editors complete and check it."""
    return f"{_MARK}{NAME_THERE}\n{text}"


def _sections() -> dict[str, Form]:
    forms: dict[str, Form] = {
        "environments": named(_whole(ENVIRONMENT_KEYS)),
        "services": named(_or_nothing(SERVICE.form())),
        "people": named({**PERSON.form(), "minProperties": 1}),
        "teams": named(_team()),
        "defaults": _or_nothing(DEFAULTS.form()),
        "registries": named(REGISTRY.form(), {"pattern": r"^[a-z0-9\[][a-z0-9.:\[\]-]*$"}),
        "discover": _or_nothing(DISCOVER.form()),
        "calendar": _or_nothing(CALENDAR.form()),
        "groups": named(listed(NAME, least=2, most=50)),
        "identity": _or_nothing(IDENTITY.form()),
    }
    means = {
        "environments": "where references live, and what is asked before they move",
        "services": "images, the versions that may run, owners",
        "people": "who is who, by id",
        "teams": "people under one name",
        "defaults": "what services get that do not say it themselves",
        "registries": "what is allowed for a registry's host",
        "discover": "services that need not be listed",
        "calendar": "when people work",
        "groups": "services that move together or not at all",
        "identity": "whether e-mail addresses say who is who",
    }
    return {name: {**forms[name], "description": means[name]} for name in SECTIONS}


def _whole(keys: Keys) -> Form:
    """Return an environment: one that is like another one has its keys."""
    form = keys.form()
    required = form.pop("required")
    return {
        **form,
        "required": ["path"],
        "anyOf": [{"required": ["like"]}, {"required": required}],
    }


def _or_nothing(form: Form) -> Form:
    return {**form, "type": ["object", "null"]}


def _team() -> Form:
    people = listed({"type": ["string", "number"], "pattern": NAME_PATTERN}, most=1_000)
    return {
        "anyOf": [
            people,
            {"type": "string", "pattern": r"^(github:[^/\s]+/[^/\s]+|slack:(@\S+|S[A-Z0-9]+))$"},
        ]
    }
