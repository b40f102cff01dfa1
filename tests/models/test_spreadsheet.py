"""Cells of a CSV file that a spreadsheet opens."""

import pytest

from models.spreadsheet import safe_cell


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "  =", "\u00a0="])
def test_a_cell_never_calculates(start: str) -> None:
    assert safe_cell(f"{start}cmd|'/c calc'!A0") == f"'{start}cmd|'/c calc'!A0"
    assert safe_cell("Ada=Grace@example.org") == "Ada=Grace@example.org"


@pytest.mark.parametrize(
    ("char", "shown"),
    [
        ("\0", r"\u0000"),
        ("\t", r"\u0009"),
        ("\r\n", r"\u000d\u000a"),
        ("\x1b", r"\u001b"),
        ("\u2028", r"\u2028"),
        ("\u202e", r"\u202e"),
        ("\U000e0001", r"\udb40\udc01"),
    ],
)
def test_a_cell_stays_on_one_line_and_hides_nothing(char: str, shown: str) -> None:
    assert safe_cell(f"{char}=a{char}") == f"{shown}=a{shown}"


def test_nothing_is_an_empty_cell() -> None:
    assert safe_cell(None) == safe_cell("") == ""
