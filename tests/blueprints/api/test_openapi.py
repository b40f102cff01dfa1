"""The published description: valid, cacheable, and saying no more and no less than the API does."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import ValidationError
from openapi_spec_validator import validate
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from blueprints.api.problems import CATALOGUE, METHOD_NOT_ALLOWED
from blueprints.api.schemas import QueryString, Schema
from models import Plan, Scope
from tests.api_client import ApiClient, Caller, make_caller
from tests.described import description
from tests.factories import make_api_key, make_subscriber, set_plan
from tests.whole_console import running

PATH = "/v1/api/openapi.json"
UNKNOWN = "wl_000000000000"
BODIES: dict[str, Any] = {
    "create_subscriber": {"email": "ada@example.org"},
    "create_subscribers": {"subscribers": [{"email": "ada@example.org"}]},
}

Operation = tuple[str, str, dict[str, Any]]


def operations(app: Flask) -> list[Operation]:
    """Each operation with its method and path."""
    paths = description(app)["paths"]
    return [(method.upper(), path, said) for path, item in paths.items() for method, said in item.items()]


def call(caller: Caller, operation: Operation, api: ApiClient | None = None, **kwargs: Any) -> TestResponse:
    """Send what succeeds, but for what `kwargs` says."""
    method, path, said = operation
    kwargs = {"json": BODIES[said["operationId"]]} | kwargs if "requestBody" in said else kwargs
    return (api or caller.api).send(
        method, path.format(waitlist_id=kwargs.pop("waitlist_id", caller.waitlist.public_id)), **kwargs
    )


def test_it_is_valid_openapi(client: FlaskClient) -> None:
    response = client.get(PATH)

    document = response.get_json()
    validate(document)
    assert document["openapi"].startswith("3.1.")
    assert document["servers"] == [{"url": "http://localhost"}]


def test_everybody_may_read_and_keep_it(app: Flask, client: FlaskClient) -> None:
    first = client.get(PATH)
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert "Vary" not in first.headers
    assert first.headers.getlist("X-Content-Type-Options") == ["nosniff"]

    again = client.get(PATH, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert client.get("/v1/api/key").headers["Cache-Control"] == "private, no-store"


def test_it_names_the_public_address(app: Flask) -> None:
    with running(app, PUBLIC_URL="https://queuekey.example") as public:
        text = public.test_client().get(PATH).text

    assert '"servers":[{"url":"https://queuekey.example"}]' in text
    assert "localhost" not in text


def test_every_route_and_method_is_described_and_no_other(app: Flask) -> None:
    routes = {
        (method, rule.rule.replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert {(method, path) for method, path, _ in operations(app)} == routes


def test_every_operation_names_the_scope_that_it_needs(app: Flask) -> None:
    for method, path, said in operations(app):
        access = app.view_functions[f"api.{said['operationId']}"].access  # type: ignore[union-attr]
        expected = [] if access == "public" else [{"key": [access] if access in set(Scope) else []}]
        assert said["security"] == expected, (method, path)


def test_every_problem_is_described_and_no_other(app: Flask) -> None:
    document = description(app)
    codes = {problem.code for problem in CATALOGUE}

    assert set(document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]) == codes
    shown = {
        code
        for response in document["components"]["responses"].values()
        for code in response["content"]["application/problem+json"]["examples"]
    }
    assert shown == codes - {METHOD_NOT_ALLOWED.code}


def test_requests_are_read_with_the_schemas_that_are_described(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[type[Schema]] = set()
    of_query, parse = QueryString.from_query_string.__func__, Schema.parse.__func__  # type: ignore[attr-defined]

    def noted(original: Callable[..., Any]) -> Any:
        def method(cls: type[Schema], value: Any) -> Any:
            read.add(cls)
            return original(cls, value)

        return classmethod(method)

    monkeypatch.setattr(QueryString, "from_query_string", noted(of_query))
    monkeypatch.setattr(Schema, "parse", noted(parse))
    for operation in operations(app):
        read.clear()
        assert call(make_caller(app), operation).status_code < 300
        made = app.view_functions[f"api.{operation[2]['operationId']}"].contract  # type: ignore[union-attr]
        assert {cls for cls in read if issubclass(cls, QueryString)} == {made.query}
        bodies = {cls for cls in read if not issubclass(cls, QueryString)}
        assert made.body in bodies if made.body else not bodies


def test_every_parameter_of_the_schemas_is_described_and_no_other(app: Flask) -> None:
    for _, path, said in operations(app):
        made = app.view_functions[f"api.{said['operationId']}"].contract  # type: ignore[union-attr]
        named = {(parameter["in"], parameter["name"]) for parameter in said.get("parameters", [])}
        in_path = {("path", "waitlist_id")} if "{waitlist_id}" in path else set()
        assert named == in_path | {("query", name) for name in made.query.model_fields}


def test_links_lead_to_operations_and_parameters_that_there_are(app: Flask) -> None:
    parameters = {
        said["operationId"]: {parameter["name"] for parameter in said.get("parameters", [])}
        for _, _, said in operations(app)
    }
    responses = [response for _, _, said in operations(app) for response in said["responses"].values()]
    links = [link for response in responses for link in response.get("links", {}).values()]

    assert links
    for link in links:
        assert link["parameters"].keys() <= parameters[link["operationId"]]


def refused(app: Flask, operation: Operation, code: str, monkeypatch: pytest.MonkeyPatch) -> TestResponse:
    """An answer with this problem."""
    caller = make_caller(app)
    if code == "insufficient_scope":
        (needed,) = operation[2]["security"][0]["key"]
        _, token = make_api_key(caller.organisation, scopes=[scope for scope in Scope if scope.value != needed])
        return call(caller, operation, ApiClient(app, token))
    if code == "feature_not_allowed":
        set_plan(caller.organisation, Plan.FREE)
    if code == "rate_limited":
        monkeypatch.setitem(app.config, "RATELIMIT_PRO", 1)
        call(caller, operation)
    if code in {"internal_error", "unavailable"}:
        error = RuntimeError("away") if code == "internal_error" else OperationalError("SELECT", {}, Exception("away"))

        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr(QueryString, "from_query_string", fail)
    tokens = {"missing_token": None, "invalid_token": "qu_live_x"}
    api = ApiClient(app, tokens[code]) if code in tokens else None
    sent: dict[str, dict[str, Any]] = {
        "invalid_request": {"headers": {"Host": "evil.example"}},
        "not_found": {"waitlist_id": UNKNOWN},
        "body_too_large": {"json": {"email": "x" * 2_000_000}},
        "unsupported_media_type": {"headers": {"Content-Encoding": "gzip"}},
        "validation_failed": {"query_string": {"unknown": "1"}},
    }
    return call(caller, operation, api, **sent.get(code, {}))


def test_every_refusal_that_is_described_can_be_had(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    document = description(app)
    seen = 0
    for operation in operations(app):
        for status, response in operation[2]["responses"].items():
            if "$ref" not in response:
                continue
            named = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
            for code in named["content"]["application/problem+json"]["examples"]:
                with monkeypatch.context() as changed:
                    answer = refused(app, operation, code, changed)
                assert (str(answer.status_code), answer.get_json()["code"]) == (status, code)
                seen += 1
    assert seen > 40


def test_every_success_that_is_described_can_be_had(app: Flask) -> None:
    for operation in operations(app):
        caller = make_caller(app)
        had = {call(caller, operation).status_code, call(caller, operation).status_code}
        if operation[2]["operationId"] == "show_description":
            had.add(304)  # test_everybody_may_read_and_keep_it
        assert {status for status in operation[2]["responses"] if status < "400"} == set(map(str, had))


def test_an_answer_that_is_not_described_fails_whatever_test_met_it(app: Flask) -> None:
    caller = make_caller(app)
    make_subscriber(caller.waitlist)
    said = description(app)["paths"]["/v1/api/waitlists/{waitlist_id}/subscribers"]["get"]["responses"]["200"]
    schema = description(app)["components"]["schemas"]["Subscriber"]["properties"]["email"]
    caller.api.get(caller.path)

    with pytest.MonkeyPatch.context() as without_link:
        without_link.delitem(said["headers"], "Link")
        with pytest.raises(AssertionError, match="Link"):
            caller.api.get(caller.path)
    with pytest.MonkeyPatch.context() as other_type:
        other_type.setitem(schema, "type", "integer")
        with pytest.raises(ValidationError, match="integer"):
            caller.api.get(caller.path)
    assert caller.api.get(caller.path).status_code == 200
