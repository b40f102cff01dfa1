"""The floor: a bare Flask route that returns the bytes of FLOOR_BODY and does nothing else."""

import os
from pathlib import Path

from flask import Flask, Response


def create_app() -> Flask:
    """The application of one route, at the product's own path."""
    app = Flask(__name__)
    body = Path(os.environ["FLOOR_BODY"]).read_bytes()

    @app.get("/v1/api/waitlists/<waitlist_id>/subscribers")
    def subscribers(waitlist_id: str) -> Response:
        return Response(body, content_type="application/json")

    return app
