"""The Link header that leads from page to page (RFC 8288)."""

from urllib.parse import urlencode

from flask.globals import request_ctx

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
    path, rest = f"{web.public_url()}{request_ctx.request.path}", _rest(query)
    return ", ".join(f'<{path}?page={page}{rest}>; rel="{rel}"' for rel, page in pages.items())


def _rest(query: ListQuery) -> str:
    """The parameters that all pages share, as far as they are not what goes without saying."""
    if query.limit == LIMIT_DEFAULT and not query.q:
        return ""
    limit = {} if query.limit == LIMIT_DEFAULT else {"limit": query.limit}
    q = {"q": query.q} if query.q else {}
    return f"&{urlencode(limit | q)}"
