"""Every request and response: request id, origin check, security headers, the error page."""

import time
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address
from secrets import token_hex
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, render_template, request
from flask.globals import app_ctx, request_ctx
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from blueprints import request_log

API_ROOT = "/v1/api"
RETRY_AFTER_SECONDS = 1
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SEARCH_PARAMETER = "q"  # whatever people search for: the page that searches says what is wrong with it
FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",  # Bootstrap's ticks and arrows
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
PAGE_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
API_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "private, no-store"),
    ("Vary", "Authorization"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
# An answer that says itself how long it may be kept is for everybody.
PUBLIC_API_HEADERS = tuple(header for header in API_HEADERS if header[0] not in {"Cache-Control", "Vary"})
ERROR_SENTENCES = {
    400: "The request could not be understood. Check the address, or go back and try again.",
    403: "Your account may not open this. Ask an admin of your organisation.",
    404: "There is nothing at this address, or it belongs to another organisation.",
    405: "This address cannot be used in that way.",
    411: "What was sent does not say how long it is.",
    413: "What was sent is too large.",
    429: "That was a little fast. Wait a minute, then try again.",
    500: "Something went wrong on our side. It has been noted; try again in a moment.",
    503: "The database is busy or away. Nothing was changed; try again in a moment.",
}

UNKNOWN_HOST = "Queuekey does not answer at this host name. If it should, set PUBLIC_URL to it."
STALE_FORM = "This form is out of date: perhaps you signed in or out meanwhile. Go back, reload it and try again."
FOREIGN_FORM = "This form was sent from another site. Open the page here and try again."


def init_app(app: Flask) -> None:
    """Attach the hooks that every request and response passes."""
    app.before_request(_begin)
    app.register_error_handler(CSRFError, lambda _error: error_page(400, STALE_FORM))
    app.after_request(_finish)


def is_api() -> bool:
    """Whether the request is for the customer API, known path or not."""
    path = request_ctx.request.path  # this and what else every call passes does without the proxies' detour
    return path.startswith(API_ROOT) and path[len(API_ROOT) :][:1] in {"", "/"}


def public_url() -> str:
    """Scheme and host as the outside sees them, without a slash: PUBLIC_URL or else the request's own.

    Empty for a request whose host is none of ours, so that no answer repeats it.
    """
    if public := app_ctx.app.config["PUBLIC_URL"]:
        return str(public)
    here = request_ctx.request
    return f"{here.scheme}://{here.host}" if _is_host_known() else ""


def client_address() -> str | None:
    """The address that the request came from; None for what a trusted proxy says that is no address.

    An IPv4 client of a socket that listens on both is told as what it is (RFC 4291 §2.5.5.2).
    """
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def error_page(status: int, sentence: str = "") -> ResponseReturnValue:
    """An error as a page for people; the one for 503 where the database is not there to say who reads it."""
    title = HTTPStatus(status).phrase
    sentence = sentence or ERROR_SENTENCES.get(status, "The request could not be answered.")
    words = {"status": status, "title": title, "sentence": sentence}
    if status >= 500:  # past the context processors, which ask the database who is signed in
        return current_app.jinja_env.get_template("error.html").render(words), status
    with suppress(*DATABASE_AWAY):
        return render_template("error.html", **words), status
    return error_page(503)


def _is_host_known() -> bool:
    """Whether the request is for one of our hosts, on whatever port; two at once arrive as none."""
    return _hostname(request_ctx.request.host) in app_ctx.app.config["OUR_HOSTS"]


@lru_cache(maxsize=64)
def _hostname(host: str) -> str | None:
    return urlsplit(f"//{host}").hostname


def _begin() -> ResponseReturnValue | None:
    """Number the request, and refuse it where no view should see it."""
    noted = app_ctx.g
    noted.request_id, noted.began = token_hex(16), time.perf_counter()
    if not _is_host_known() and request.blueprint != "health":  # probes come by address
        return _refuse_unknown_host()
    if not is_api():
        _refuse_unreadable()
        _refuse_foreign_origin()
    return None


def _refuse_unknown_host() -> ResponseReturnValue:
    """Answer nothing that could make links to a host that somebody else chose (OWASP: host header injection)."""
    if is_api():
        abort(400, description=f"The Host header is not ours. {UNKNOWN_HOST}")
    return Response(f"{UNKNOWN_HOST}\n", 400, content_type="text/plain; charset=utf-8")


def _refuse_unreadable() -> None:
    """Let nothing into the console that no page of it sends, and that PostgreSQL could not take as text.

    Flask-WTF would take a JSON body for a form. Of a form in chunks nobody could say whether it came whole.
    """
    if "Transfer-Encoding" in request.headers:
        abort(411)
    said = (pair for pair in request.args.items(multi=True) if pair[0] != SEARCH_PARAMETER)
    texts = [request.path, *(text for pair in said for text in pair)]
    if any(not _is_storable(text) for text in texts):
        abort(400)
    is_form = request.method in SAFE_METHODS or request.mimetype in FORM_TYPES
    if not is_form and request.routing_exception is None:
        abort(400)


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _refuse_foreign_origin() -> None:
    """Let no other site's page change anything, beside the CSRF token (OWASP: verify the origin)."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin", public_url())
    if site not in {"same-origin", "none"} or origin.lower() != public_url().lower():
        abort(403, description=FOREIGN_FORM)


def _finish(response: Response) -> Response:
    headers, noted = response.headers, app_ctx.g
    if is_api():
        headers.extend(PUBLIC_API_HEADERS if "Cache-Control" in headers else API_HEADERS)
    else:
        headers.extend((name, value) for name, value in PAGE_HEADERS if name not in headers)
        if not _is_static():
            headers["Cache-Control"] = "no-store"
    headers.add("X-Request-Id", noted.get("request_id", ""))
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    if app_ctx.app.config["PUBLIC_URL"].startswith("https://"):
        headers.add("Strict-Transport-Security", "max-age=31536000")
    request_log.write(response.status_code)
    return response


def _is_static() -> bool:
    return request.endpoint in {"static", "bootstrap.static", "docs.static"}


def is_local_path(target: str) -> bool:
    """Whether a `next` parameter leads to a page of this site, whatever a browser makes of it.

    Browsers read a backslash as a slash and drop tabs and line breaks (WHATWG URL), so nothing but
    printable ASCII without a backslash is let through.
    """
    is_plain = target.isascii() and target.isprintable() and " " not in target and "\\" not in target
    return is_plain and target.startswith("/") and not target.startswith("//")
