"""What a spreadsheet makes of a text: nothing that is exported as CSV is calculated or hides."""

import unicodedata

FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # full width: some spreadsheets calculate those too
UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # Unicode categories: NUL, TAB, line breaks, text direction


def safe_cell(value: str | None) -> str:
    """A cell on one line, with an apostrophe before what a spreadsheet would calculate (OWASP, CSV injection)."""
    text = value or ""
    if not text.isprintable():
        text = "".join(_escaped(char) if unicodedata.category(char) in UNPRINTABLE else char for char in text)
    return f"'{text}" if text.lstrip().startswith(FORMULA_STARTS) else text


def _escaped(char: str) -> str:
    """A character that nobody would see, as JSON writes it (RFC 8259 §7)."""
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
