"""JSON as every response has it: orjson, times in UTC with a Z and whole seconds."""

from typing import Any

import orjson
from flask import Response
from flask.json.provider import JSONProvider

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


class OrjsonProvider(JSONProvider):
    """Flask's JSON in orjson's hands; it writes no NaN and escapes nothing that HTML would read."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Serialise; raises TypeError for what JSON has no form for."""
        return orjson.dumps(obj, option=OPTIONS).decode()

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """The answer with the value as its body, which is bytes from the start."""
        body = orjson.dumps(self._prepare_response_obj(args, kwargs), option=OPTIONS)
        return Response(body, mimetype="application/json")

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse trusted JSON; requests go through blueprints/api/body.py instead."""
        return orjson.loads(s)
