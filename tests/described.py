"""Whether an answer of the customer API is one that its published description has."""

from functools import cache
from typing import Any

from flask import Flask
from jsonschema import Draft202012Validator
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from blueprints.api.openapi import describe
from blueprints.api.problems import METHOD_NOT_ALLOWED

# What every answer of any web server has, or of this one.
COMMON_HEADERS = {"Content-Type", "Content-Length", "Cache-Control", "Vary", "Date", "Strict-Transport-Security"}
COMMON_HEADERS |= {"X-Content-Type-Options", "Content-Security-Policy"}


@cache
def description(app: Flask) -> dict[str, Any]:
    """The published description."""
    with app.app_context():
        return describe(app, "http://localhost")


def assert_described(app: Flask, method: str, path: str, response: TestResponse) -> None:
    """Nothing about the answer is a surprise to who has read the description."""
    document = description(app)
    operation = _operation(app, method, path.partition("?")[0])
    if operation is None or method == "OPTIONS":
        return
    if response.status_code == METHOD_NOT_ALLOWED.status:
        assert response.headers["Allow"]
        return
    said = operation["responses"].get(str(response.status_code))
    assert said is not None, f"{method} {path} is not said to answer {response.status_code}"
    said = _resolved(document, said)
    _assert_headers(document, said, response)
    if method == "HEAD":
        return
    content = said.get("content", {})
    if not content:
        assert not response.data
        return
    assert response.content_type in content
    if response.is_json or response.content_type == "application/problem+json":
        schema = content[response.content_type]["schema"] | {"components": document["components"]}
        Draft202012Validator(schema).validate(response.get_json(force=True))


def _operation(app: Flask, method: str, path: str) -> dict[str, Any] | None:
    """The operation that the path leads to; None where there is no such path."""
    looked_up = "GET" if method == "HEAD" else method
    try:
        endpoint, _ = app.url_map.bind("localhost").match(path, looked_up)
    except HTTPException:
        return None
    operations = (each for item in description(app)["paths"].values() for each in item.values())
    return next((each for each in operations if f"api.{each['operationId']}" == endpoint), None)


def _assert_headers(document: dict[str, Any], said: dict[str, Any], response: TestResponse) -> None:
    """Those that it must have are there, and no others but what every answer has."""
    described = {name: _resolved(document, header) for name, header in said.get("headers", {}).items()}
    there = set(response.headers.keys())
    missing = {name for name, header in described.items() if header.get("required")} - there
    assert not missing, f"headers that were promised: {missing}"
    surprising = there - COMMON_HEADERS - described.keys()
    assert not surprising, f"headers that are not described: {surprising}"


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to."""
    found: Any = document
    for step in part["$ref"].split("/")[1:] if "$ref" in part else ():
        found = found[step]
    return found if "$ref" in part else part
