"""The API's description of itself as OpenAPI 3.1, put together from what serves the requests."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson
from flask import Flask, Response, current_app, request
from werkzeug.routing import Rule

from blueprints import web
from blueprints.api import openapi_problems, openapi_schemas
from blueprints.api.contract import Answer, Contract, contract
from blueprints.api.decorators import PUBLIC, public
from blueprints.api.schemas import QueryString
from blueprints.api.views import blueprint
from models import Scope
from models.waitlist import PUBLIC_ID_PATTERN

VERSION = "1.0.0"
MAX_AGE_SECONDS = 300
TAGS = {
    "subscribers": "Who is on a waitlist, and putting people on it.",
    "key": "The key that calls.",
    "description": "This description.",
}
HEADERS = {
    "X-Request-Id": "The number of the request: quote it when you ask for help.",
    "RateLimit-Policy": "The key's limit, while limits are on (draft-ietf-httpapi-ratelimit-headers).",
    "RateLimit": "What is left of the key's minute, while limits are on.",
    "Retry-After": "In how many seconds to try again.",
    "WWW-Authenticate": "What is wrong with the credential (RFC 6750 §3).",
    "Link": "The first, previous, next and last page (RFC 8288).",
    "X-Total-Count": "How many subscribers follow: if fewer arrive, the stream broke off.",
    "Content-Disposition": "A name for the file.",
    "ETag": "What the description is compared by.",
}
OPTIONAL_HEADERS = frozenset({"RateLimit-Policy", "RateLimit"})


@blueprint.get("/openapi.json")
@public
@contract({200: Answer("This description", dict[str, Any], headers=("ETag",)), 304: Answer("It has not changed")})
def show_description() -> Response:
    """The description of this API in OpenAPI 3.1."""
    QueryString.from_query_string(request.query_string)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    response = Response(_written(app, web.public_url()), mimetype="application/json")
    response.cache_control.public = True
    response.cache_control.max_age = MAX_AGE_SECONDS
    response.add_etag()
    response.make_conditional(request)
    return response


@lru_cache(maxsize=4)
def _written(app: Flask, base_url: str) -> bytes:
    return orjson.dumps(describe(app, base_url))


def describe(app: Flask, base_url: str) -> dict[str, Any]:
    """The whole document; `base_url`: where the reader finds this Queuekey."""
    rules = sorted((rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")), key=str)
    schemas = openapi_schemas.Schemas(_contract(app, rule) for rule in rules)
    paths: dict[str, dict[str, Any]] = {}
    for rule in rules:
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(_path(rule), {})[method.lower()] = _operation(app, rule, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Queuekey customer API", "version": VERSION, "description": _introduction(base_url)},
        "servers": [{"url": base_url}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": _SECURITY},
            "schemas": schemas.components() | openapi_problems.schemas(),
            "headers": {name: _header(name) for name in HEADERS},
            "responses": openapi_problems.responses(base_url),
        },
    }


_SECURITY = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "qu_live_…",
    "description": "A key's token. Its scopes: " + ", ".join(f"`{scope.value}` {scope.hint}" for scope in Scope) + ".",
}


def _introduction(base_url: str) -> str:
    return (
        "List a waitlist's subscribers with their live place in line, create them, export them. "
        "Every error is a problem document (RFC 9457); a path that exists but not for the method answers 405 with "
        f"`Allow`. More in the [docs]({base_url}/docs)."
    )


def _contract(app: Flask, rule: Rule) -> Contract:
    view: Any = app.view_functions[rule.endpoint]
    made: Contract = view.contract
    return made


def _path(rule: Rule) -> str:
    return rule.rule.replace("<", "{").replace(">", "}")


def _operation(app: Flask, rule: Rule, schemas: openapi_schemas.Schemas) -> dict[str, Any]:
    view: Any = app.view_functions[rule.endpoint]
    made, access = _contract(app, rule), view.access
    name = rule.endpoint.removeprefix("api.")
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": view.__doc__.partition("\n")[0].rstrip("."),
        "tags": [next(tag for tag in TAGS if tag.removesuffix("s") in name)],
        "security": [] if access == PUBLIC else [{"key": [access] if access in set(Scope) else []}],
        "responses": dict(_responses(made, access, rule, schemas)),
    }
    if parameters := [*map(_path_parameter, sorted(rule.arguments)), *schemas.query_parameters(made.query)]:
        operation["parameters"] = parameters
    if made.body is not None:
        content = {"application/json": {"schema": schemas.reference(made.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameter(name: str) -> dict[str, Any]:
    schema = {"type": "string", "pattern": f"^{PUBLIC_ID_PATTERN}$", "examples": ["wl_4fRtY7uJk2Qa"]}
    said = "The ID of one of the organisation's waitlists, from its page in the console."
    return {"name": name, "in": "path", "required": True, "description": said, "schema": schema}


def _responses(
    made: Contract, access: str, rule: Rule, schemas: openapi_schemas.Schemas
) -> Iterator[tuple[str, dict[str, Any]]]:
    limited = () if access == PUBLIC else ("RateLimit-Policy", "RateLimit")
    for status, answer in made.answers.items():
        response: dict[str, Any] = {
            "description": f"{answer.description}.",
            "headers": {name: header_reference(name) for name in ("X-Request-Id", *limited, *answer.headers)},
        }
        if answer.body is not None:
            response["content"] = {kind: {"schema": schemas.written_as(kind, answer)} for kind in answer.media_types}
        if answer.links:
            response["links"] = {name: _link(name, taken) for name, taken in answer.links.items()}
        yield str(status), response
    for status, problems in openapi_problems.of(made, access, bool(rule.arguments)):
        yield str(status), {"$ref": f"#/components/responses/{openapi_problems.name(problems)}"}


def _link(name: str, taken: Mapping[str, str]) -> dict[str, Any]:
    """A call on the same waitlist with something of the answer."""
    return {"operationId": name, "parameters": {"waitlist_id": "$request.path.waitlist_id", **taken}}


def header_reference(name: str) -> dict[str, str]:
    """Where a header is described."""
    return {"$ref": f"#/components/headers/{name}"}


def _header(name: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 0} if name in {"Retry-After", "X-Total-Count"} else {"type": "string"}
    return {"description": HEADERS[name], "required": name not in OPTIONAL_HEADERS, "schema": schema}
