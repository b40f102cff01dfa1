"""A page of a waitlist's line as the console shows it."""

import re
from typing import NamedTuple, Self

from flask import request, url_for

from blueprints import web
from models import Entry, Waitlist, line

PER_PAGE = 25
Q_MAX = 254
_PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


class LinePage(NamedTuple):
    """Some entries, their places among all that match, and the addresses of the neighbouring pages."""

    items: list[Entry]
    total: int
    first: int
    last: int
    previous_url: str | None
    next_url: str | None

    @classmethod
    def of(cls, waitlist: Waitlist, number: int, q: str) -> Self:
        """Page `number`, counted from 1, of the subscribers whose address contains `q`."""
        offset = (number - 1) * PER_PAGE
        found = line.page(waitlist, offset=offset, limit=PER_PAGE, q=q)
        last = offset + len(found.entries)
        previous_url = _address(waitlist, number - 1, q) if number > 1 else None
        next_url = _address(waitlist, number + 1, q) if last < found.total and found.entries else None
        return cls(found.entries, found.total, offset + 1, last, previous_url, next_url)


def wanted_page() -> int:
    """The page that the request asks for; the first one for anything that is no page number."""
    number = request.args.get("page", "")
    return int(number) if _PAGE_NUMBER.fullmatch(number) else 1


def wanted_text() -> str:
    """What the request searches for, without the blanks around it; NUL as browsers show it, for no column holds it."""
    return request.args.get(web.SEARCH_PARAMETER, "").replace("\0", "\ufffd").strip()[:Q_MAX]


def _address(waitlist: Waitlist, number: int, q: str) -> str:
    page = number if number > 1 else None
    return url_for("waitlists.show", waitlist_id=waitlist.public_id, q=q or None, page=page)
