"""Small checks of JSON that can be put together; each names what is wrong by JSON pointer, in Slack's words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that Slack would refuse, and where it stands (RFC 6901)."""

    pointer: str
    message: str

    def __str__(self) -> str:
        """Write it as Slack's answers do."""
        return f"{self.message} [json-pointer:{self.pointer}]"


Check = Callable[[Any, str], Iterator[Problem]]


def string(*, most: int | None = None, least: int = 0) -> Check:
    """Expect a string of ``least`` to ``most`` characters."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(at, "must provide a string")
        elif len(value) < least:
            yield Problem(at, f"must be more than {least - 1} characters")
        elif most is not None and len(value) > most:
            yield Problem(at, f"must be less than {most + 1} characters")

    return check


def one_of(*allowed: str) -> Check:
    """Expect one of a few words."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        if value not in allowed:
            yield Problem(at, f"must be a valid enum value, one of: {', '.join(allowed)}")

    return check


def boolean(value: Any, at: str) -> Iterator[Problem]:
    """Expect true or false."""
    if not isinstance(value, bool):
        yield Problem(at, "must provide a boolean")


def integer(least: int, most: int) -> Check:
    """Expect a whole number in bounds."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield Problem(at, "must provide a number")
        elif not least <= value <= most:
            yield Problem(at, f"must be between {least} and {most}")

    return check


def anything(_value: Any, _at: str) -> Iterator[Problem]:
    """Expect nothing in particular."""
    return iter(())


def items(of: Check, *, most: int, least: int = 1) -> Check:
    """Expect a list of ``least`` to ``most`` elements, each as ``of`` says."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(at, "must be an array")
            return
        if len(value) > most:
            yield Problem(at, f"no more than {most} items allowed")
        if len(value) < least:
            yield Problem(at, f"no fewer than {least} items allowed")
        for index, element in enumerate(value):
            yield from of(element, f"{at}/{index}")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Expect an object with these keys and no others."""
    known = {**required, **(optional or {})}

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(at, "must be an object")
            return
        for key in required:
            if key not in value:
                yield Problem(at, f"missing required field: {key}")
        for key, member in value.items():
            place = f"{at}/{_escaped(key)}"
            if key in known:
                yield from known[key](member, place)
            else:
                yield Problem(place, f"invalid additional property: {key}")

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """Expect an object whose ``type`` is one of ``kinds``, and shaped as that kind is."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(at, "must be an object")
        elif "type" not in value:
            yield Problem(at, "missing required field: type")
        elif not isinstance(value["type"], str) or value["type"] not in kinds:
            yield Problem(f"{at}/type", f"unsupported type: {value['type']}")
        else:
            yield from kinds[value["type"]](value, at)

    return check


def also(*checks: Check) -> Check:
    """Expect all of ``checks`` of the same value."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        for one in checks:
            yield from one(value, at)

    return check


def _escaped(key: Any) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
