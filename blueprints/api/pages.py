"""The Link header that leads from page to page (RFC 8288)."""

from urllib.parse import urlencode

from flask import request

from blueprints import web
from blueprints.api.schemas import LIMIT_DEFAULT, ListQuery


def link_header(query: ListQuery, total: int) -> str:
    """Links to the first, previous, next and last page, as far as there are such pages."""
    last = max(1, -(-total // query.limit))
    pages = {"first": 1}
    if query.page > 1:
        pages["prev"] = min(query.page - 1, last)
    if query.page < last:
        pages["next"] = query.page + 1
    pages["last"] = last
    return ", ".join(f'<{_address(query, page)}>; rel="{rel}"' for rel, page in pages.items())


def _address(query: ListQuery, page: int) -> str:
    parameters = {"page": page, "limit": query.limit, "q": query.q}
    if query.limit == LIMIT_DEFAULT:
        del parameters["limit"]
    if not query.q:
        del parameters["q"]
    return f"{web.public_url()}{request.path}?{urlencode(parameters)}"
