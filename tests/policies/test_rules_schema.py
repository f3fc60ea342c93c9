"""The schema that editors use says no where the parser takes a file, and no to what it can see is wrong."""

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its types are a package of their own

from policies.rulebook.parse import RulesError, parse
from policies.rulebook.schema import schema
from tests.policies.test_rules_keys import SAMPLES, text_of, written
from tests.policies.test_rules_parse import FIRST, REFUSALS
from tests.policies.twelve_services import PEOPLE, SERVICES

VALIDATOR = Draft202012Validator(json.loads(schema()))
# YAML 1.2.2, 10.3.2: tags of plain scalars in the core schema
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}


def complaints(text: str) -> list[str]:
    """Return what an editor would underline."""
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    return [one.message for one in VALIDATOR.iter_errors(_value(node) if node else None)]


def _value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _value(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_value(one) for one in node.value]
    assert isinstance(node, yaml.ScalarNode)
    return node.value if node.style else _plain(node.value)


def _plain(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def is_taken(text: str) -> bool:
    try:
        parse({"promotion/rules.yaml": text.encode()})
    except RulesError:
        return False
    return True


TAKEN = {
    "the first example": FIRST,
    "nothing": "",
    "sections of nothing": "environments:\nservices:\nteams: {}\n",
    **{name: text for name in SAMPLES if is_taken(text := written(name))},
}


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_what_the_parser_takes_is_no_mistake_for_editors(text: str) -> None:
    assert is_taken(text)
    assert complaints(text) == []


@pytest.mark.parametrize("text", [PEOPLE, SERVICES], ids=["people", "services"])
def test_one_file_of_several_is_no_mistake_for_editors(text: str) -> None:
    """Each file is looked at alone: what others define is not missed. What has a row is marked, as it is refused."""
    rows = ("images", "groups")

    assert [one for one in complaints(text) if not any(row in one for row in rows)] == []


# Names that others define, places, and what a range or a pattern means are nothing that a schema sees.
UNSEEN = frozenset(
    {
        "a pattern without end",
        "an environment among many",
        "more approvals than people",
        "more approvals than people in two teams",
        "an unknown team",
        "a team twice in a line",
        "an unknown environment before it",
        "after itself",
        "after twice",
        "a circle",
        "a span of nothing",
        "a span of half a second",
        "a rollback without approvals",
        "a path upwards",
        "the whole repository",
        "one path in another",
        "two environments in one path",
        "one environment in another",
        "two environments in one path of a service",
        "the rules themselves",
        "no versions",
        "no image",
        "an image with a tag",
        "a name that the default image cannot bear",
        "no range",
        "two ways to choose",
        "no way to choose",
        "no pattern",
        "extract without tags",
        "an unknown owner",
        "two services with one image",
        "one Slack id twice",
        "one login twice in other letters",
        "an unknown member",
        "a member twice",
        "a team in a team",
        "a team named as a person",
        "a port that is none",
    }
)


@pytest.mark.parametrize("name", REFUSALS)
def test_what_editors_are_told_the_parser_says_as_well(name: str) -> None:
    text = REFUSALS[name][0]
    try:
        told = complaints(text)
    except yaml.YAMLError:
        return  # an editor says so itself

    assert not is_taken(text)
    assert bool(told) != (name in UNSEEN)


@given(
    st.sampled_from(["soak", "age", "expire", "merge-within", "interval"]),
    st.sampled_from(
        ["", "0", "90s", "1h30m", "1.5h", "2d", "1d12h", "5", "h", "-1h", "1 h", "µs", "10us", ".5s"]
    ),
)
def test_durations_are_alike_for_editor_and_parser(key: str, text: str) -> None:
    whole = text_of(f"{key}: {text}")

    if is_taken(whole):
        assert complaints(whole) == []


_LINES = [
    "none",
    "1",
    "2 of oncall",
    "1 of owners or ada",
    "[1, 2 of oncall]",
    "'1'",
    "0",
    "101",
    "of",
    "[none]",
    "1 of",
]


@given(st.sampled_from(_LINES))
def test_approvals_are_alike_for_editor_and_parser(text: str) -> None:
    whole = text_of(f"approvals: {text}")

    assert bool(complaints(whole)) != is_taken(whole)
