"""Places in JSON documents, as RFC 6901 names them."""

from typing import Any

import pytest

from policies.errors import PolicyError
from policies.texts import json_pointer

DOCUMENT: Any = {"a": [1, {"b/c": True, "m~n": "x"}], "": 0, "z": None, "f": 1.5}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", DOCUMENT),
        ("/a/0", 1),
        ("/a/1/b~1c", True),
        ("/a/1/m~0n", "x"),
        ("/", 0),
        ("/z", None),
    ],
)
def test_a_place_is_found(pointer: str, value: Any) -> None:
    assert json_pointer.at(DOCUMENT, pointer) == value


@pytest.mark.parametrize(
    "pointer", ["/b", "/a/2", "/a/-1", "/a/x", "/a/0/0", "/a/" + "9" * 5000, "/z/0", "/a/\u0661"]
)
def test_a_place_that_is_not_there_is_said(pointer: str) -> None:
    with pytest.raises(PolicyError, match="there is nothing at"):
        json_pointer.at(DOCUMENT, pointer)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("open", "open"),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (1.5, "1.5"),
        (None, ""),
        ([], ""),
        ({}, ""),
    ],
)
def test_a_value_is_written_as_rules_write_it(value: Any, text: str) -> None:
    assert json_pointer.spelled(value) == text
