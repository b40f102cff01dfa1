"""The schemas of the description: the very types that requests are read with and answers are made of."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import TypeAdapter

from blueprints.api.answers import Problem
from blueprints.api.contract import Answer, Contract
from blueprints.api.problems import CATALOGUE
from blueprints.api.schemas import QueryString

PREFIX = "#/components/schemas/"


class Schemas:
    """The JSON schemas of some calls; those with a name are described once and referred to."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        contracts = list(contracts)
        types = [made.body for made in contracts if made.body is not None]
        types += [answer.body for made in contracts for answer in made.answers.values() if answer.body is not None]
        inputs: list[tuple[Any, Literal["validation"], TypeAdapter[Any]]]
        inputs = [(type_, "validation", TypeAdapter(type_)) for type_ in (*types, Problem)]
        found, definitions = TypeAdapter.json_schemas(inputs, ref_template=PREFIX + "{model}")
        self._by_type = {type_: _untitled(schema) for (type_, _), schema in found.items()}
        self._definitions = _untitled(definitions["$defs"])
        codes = [problem.code for problem in CATALOGUE]
        self._definitions["Problem"]["properties"]["code"]["enum"] = codes

    def components(self) -> dict[str, Any]:
        """Every schema that has a name and is referred to."""
        said = repr((self._by_type, self._definitions))
        return {name: schema for name, schema in sorted(self._definitions.items()) if f"'{PREFIX}{name}'" in said}

    def reference(self, type_: Any) -> dict[str, Any]:
        """The schema of a body, or where it is."""
        schema: dict[str, Any] = self._by_type[type_]
        return schema

    def written_as(self, media_type: str, answer: Answer) -> dict[str, Any]:
        """An answer's schema; for a file of lines, what one of them holds."""
        schema = self.reference(answer.body)
        if media_type == "application/json":
            return schema
        return {"type": "string", "contentMediaType": media_type, "contentSchema": schema}

    @staticmethod
    def query_parameters(query: type[QueryString]) -> list[dict[str, Any]]:
        """The parameters that a query string may have; null is not a thing that one can say there."""
        parameters = []
        for name, schema in _untitled(query.model_json_schema()).get("properties", {}).items():
            description = schema.pop("description")
            parts = [part for part in schema.pop("anyOf", ()) if part != {"type": "null"}]
            said = {key: value for part in (schema, *parts) for key, value in part.items() if value is not None}
            parameters.append({"name": name, "in": "query", "description": description, "schema": said})
        return parameters


def _untitled(schema: Any) -> Any:
    """Without the titles that pydantic makes of names."""
    if isinstance(schema, list):
        return [_untitled(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _untitled(value) for key, value in schema.items() if key != "title" or not isinstance(value, str)}
