"""Numbers as Go reads them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.images.number import parse_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1.0),
        ("-62", -62.0),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1_000", 1000.0),
        ("1e1_0", 1e10),
        ("0x10p0", 16.0),
        ("0X_1.8P-1", 0.75),
        ("0x0p99999", 0.0),
        ("1e-999", 0.0),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("20240101123456789", 20240101123456788.0),
    ],
)
def test_a_number_is_read(text: str, number: float) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " 1",
            "1\n",
            "\u0661",
            "1a",
            "0x10",
            "1e999",
            "-1e999",
            "0x1p99999",
            "-nan",
            "+nan",
            "infi",
            "1e",
            ".",
            "+",
        ),
        *("_1", "1_", "1__0", "1_.5", "1._5", "0x1_p0", "0x_.8p0", "1_e3", "\u2177", "0b1", "1.2.3"),
    ],
)
def test_what_go_refuses_is_no_number(text: str) -> None:
    assert parse_number(text) is None


def test_nan_is_read_without_a_sign() -> None:
    number = parse_number("NaN")

    assert number is not None
    assert math.isnan(number)


@given(st.floats(allow_nan=False))
def test_what_python_writes_is_read_back(number: float) -> None:
    assert parse_number(repr(number)) == number
    if math.isfinite(number):
        assert parse_number(number.hex()) == number


@given(st.text() | st.text("0123456789.eEpPxX_+-infaN", max_size=12))
def test_any_text_is_a_number_or_none(text: str) -> None:
    number = parse_number(text)

    assert number is None or isinstance(number, float)
