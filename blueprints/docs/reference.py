"""The interactive reference: Swagger UI, from its package, reads the API's own description."""

from importlib.resources import files
from typing import NamedTuple

from flask import Response, current_app, render_template, send_from_directory

from blueprints import web
from blueprints.auth.decorators import anyone
from blueprints.docs.views import blueprint

SWAGGER_UI = files("flask_swagger_ui") / "dist"


class Call(NamedTuple):
    """A call of the API, for a reader without scripts."""

    method: str
    path: str
    summary: str
    scope: str


@blueprint.get("/docs/api")
@anyone
def show_reference() -> str:
    """Every call, to be read and to be tried."""
    description = current_app.extensions["queuekey.openapi"](current_app, web.public_url())
    calls = [
        Call(method.upper(), path, said["summary"], _scope(said["security"]))
        for path, operations in description["paths"].items()
        for method, said in operations.items()
    ]
    return render_template("docs/api.html", calls=calls)


@blueprint.get("/docs/api/swagger-ui.css", endpoint="static", defaults={"filename": "swagger-ui.css"})
@blueprint.get("/docs/api/swagger-ui-bundle.js", endpoint="static", defaults={"filename": "swagger-ui-bundle.js"})
@anyone
def send_swagger_ui(filename: str) -> Response:
    """One of the two files of the package that the page needs."""
    return send_from_directory(str(SWAGGER_UI), filename)


def _scope(security: list[dict[str, list[str]]]) -> str:
    """What a call needs, in words or as the name of a scope."""
    if not security:
        return "nothing"
    return " ".join(security[0]["key"]) or "any key"
