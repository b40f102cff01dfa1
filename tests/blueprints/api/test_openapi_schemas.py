"""Schemas of the description, made of the types that serve."""

from blueprints.api import answers
from blueprints.api.contract import Answer, Contract
from blueprints.api.openapi_schemas import Schemas
from blueprints.api.schemas import (
    BATCH_MAX,
    LIMIT_DEFAULT,
    LIMIT_MAX,
    PAGE_MAX,
    Batch,
    ExportQuery,
    ListQuery,
    QueryString,
)

BATCH = Contract({200: Answer("", answers.BatchOutcome)}, QueryString, Batch)


def test_a_schema_with_a_name_is_described_once_and_referred_to() -> None:
    schemas = Schemas([BATCH])

    assert schemas.reference(Batch) == {"$ref": "#/components/schemas/Batch"}
    components = schemas.components()
    rows = components["Batch"]["properties"]["subscribers"]
    assert (rows["minItems"], rows["maxItems"]) == (1, BATCH_MAX)
    assert rows["items"] == {"$ref": "#/components/schemas/Signup"}
    assert components["Signup"]["properties"]["email"]["format"] == "email"
    assert components["Signup"]["required"] == ["email"]
    assert components["Signup"]["additionalProperties"] is False
    assert "EmailAddress" not in components  # nobody refers to it


def test_bounds_and_defaults_are_those_that_are_kept() -> None:
    page, limit, q = Schemas.query_parameters(ListQuery)

    assert page["schema"] == {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": 1}
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT}
    assert q["name"] == "q"
    assert Schemas.query_parameters(QueryString) == []


def test_null_is_no_value_of_a_parameter() -> None:
    _, after = Schemas.query_parameters(ExportQuery)

    assert after["schema"] == {"type": "string", "pattern": "^[1-9][0-9]{0,18}$", "examples": ["8401"]}


def test_lines_of_a_file_are_described_as_what_they_hold() -> None:
    answer = Answer("", answers.Key, media_types=("application/jsonl",))
    schemas = Schemas([Contract({200: answer}, QueryString, None)])

    assert schemas.written_as("application/json", answer) == {"$ref": "#/components/schemas/Key"}
    assert schemas.written_as("application/jsonl", answer)["contentSchema"] == {"$ref": "#/components/schemas/Key"}
