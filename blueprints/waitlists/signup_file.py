"""A file with signups to import: CSV with a header (RFC 4180), or plain lines of addresses."""

import csv
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from models import EmailAddress, RuleBroken

LINE_BYTES_MAX = 1 << 20
DELIMITERS = (",", ";", "\t")  # the second is what spreadsheets write where the comma is the decimal sign
OPEN_QUOTE = "A quote opens here that is never closed."
NOT_UTF8 = "\N{REPLACEMENT CHARACTER}"


class Row(NamedTuple):
    """One row: where it stands in the file, and what it says or why it cannot be read."""

    where: str
    email: str = ""
    referred_by: str | None = None
    problem: str = ""

    def address(self) -> EmailAddress:
        """The checked address. Raises RuleBroken for a row without a usable one."""
        if self.problem or NOT_UTF8 in self.email:
            raise RuleBroken("email", self.problem or "The line is not UTF-8.")
        if not self.email:
            raise RuleBroken("email", "There is no address.")
        return EmailAddress.parse(self.email)


def read_signups(file: BinaryIO, tell_progress: Callable[[int], object]) -> Iterator[Row]:
    """The rows of a file, one at a time; `tell_progress` is told of every line's length in bytes.

    Raises RuleBroken when the first line neither names a column “email” nor is an address itself.
    """
    lines = _decoded(file, tell_progress)
    first = next(lines, "")
    delimiter = next((mark for mark in DELIMITERS if "email" in _names(first, mark)), None)
    if delimiter is None:
        if "@" not in first or any(mark in first for mark in DELIMITERS):
            raise RuleBroken("file", "The first line must name a column “email”, or be an address.")
        yield Row(_where(1, 1), first.strip())
        delimiter, names = DELIMITERS[0], ["email"]
    else:
        names = _names(first, delimiter)
    yield from _rows(lines, delimiter, names)


def _rows(lines: Iterator[str], delimiter: str, names: list[str]) -> Iterator[Row]:
    ended: list[bool] = []
    reader = csv.reader(_watched(lines, ended), delimiter=delimiter)
    while True:
        began = reader.line_num + 2  # the first line was read before the reader began to count
        try:
            cells = next(reader, None)
        except csv.Error as error:
            where = _where(began, reader.line_num + 1)
            is_one_line = began == reader.line_num + 1
            yield Row(where, problem=f"The line is not CSV: {error}." if is_one_line else OPEN_QUOTE)
            continue
        if cells is None:
            return
        where = _where(began, reader.line_num + 1)
        if ended:  # a whole row does not ask for another line
            yield Row(where, problem=OPEN_QUOTE)
        elif any(cells):
            row = dict(zip(names, map(str.strip, cells), strict=False))
            yield Row(where, row.get("email", ""), row.get("referred_by") or None)


def _watched(lines: Iterator[str], ended: list[bool]) -> Iterator[str]:
    yield from lines
    ended.append(True)


def _decoded(file: BinaryIO, tell_progress: Callable[[int], object]) -> Iterator[str]:
    encoding = "utf-8-sig"  # the first line may begin with a byte order mark
    while line := file.readline(LINE_BYTES_MAX):
        tell_progress(len(line))
        yield line.decode(encoding, errors="replace")
        encoding = "utf-8"


def _names(line: str, delimiter: str) -> list[str]:
    return [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]


def _where(first: int, last: int) -> str:
    return f"Line {first}" if first == last else f"Lines {first}–{last}"
