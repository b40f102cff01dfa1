"""The reference: for everybody, with and without scripts, of files from the package."""

import re
from html import unescape

from flask import Flask
from flask.testing import FlaskClient

from blueprints.docs.reference import SWAGGER_UI
from models import Role
from tests.console import sign_in
from tests.factories import make_user
from tests.whole_console import running


def test_it_is_open_to_everybody_and_has_its_place_among_the_docs(app: Flask, client: FlaskClient) -> None:
    for visitor in (client, sign_in(app, make_user(role=Role.MEMBER))):
        html = visitor.get("/docs/api").text
        assert '<a href="/docs/api" aria-current="page">API reference</a>' in html
        assert '<a href="/docs/api">API reference</a>' in visitor.get("/docs/errors").text
    assert client.get("/docs/api/").status_code == 404


def test_without_scripts_every_call_of_the_description_is_listed(client: FlaskClient) -> None:
    html = unescape(client.get("/docs/api").text.replace("<wbr>", ""))
    rows = re.findall(r"<code>([A-Z]+ /[^<]+)</code></th><td[^>]*>([^<]+)</td><td[^>]*>([^<]+)</td>", html)

    description = client.get("/v1/api/openapi.json").get_json()
    said = {
        (f"{method.upper()} {path}", call["summary"])
        for path, item in description["paths"].items()
        for method, call in item.items()
    }
    assert {(call, summary) for call, summary, _ in rows} == said
    needs = {call: need for call, _, need in rows}
    assert needs["GET /v1/api/key"] == "any key"
    assert needs["GET /v1/api/openapi.json"] == "nothing"
    assert needs["POST /v1/api/waitlists/{waitlist_id}/subscribers/batch"] == "subscribers:write"


def test_the_two_files_come_from_the_package_and_may_be_kept(client: FlaskClient) -> None:
    html = client.get("/docs/api").text
    for name, media_type in (("swagger-ui.css", "text/css"), ("swagger-ui-bundle.js", "text/javascript")):
        response = client.get(f"/docs/api/{name}")
        assert f'"/docs/api/{name}"' in html
        assert response.mimetype == media_type
        assert response.data == (SWAGGER_UI / name).read_bytes()
        assert "no-store" not in response.headers["Cache-Control"]
        assert client.get(f"/docs/api/{name}", headers={"If-None-Match": response.headers["ETag"]}).status_code == 304
    for name in ("index.css", "oauth2-redirect.html", "LICENSE", "../VERSION"):
        assert client.get(f"/docs/api/{name}").status_code == 404


def test_the_policy_is_that_of_every_page(client: FlaskClient) -> None:
    reference, other = client.get("/docs/api"), client.get("/docs/errors")

    assert reference.headers["Content-Security-Policy"] == other.headers["Content-Security-Policy"]
    assert "unsafe" not in reference.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son[a-z]+=", reference.text)


def test_the_description_is_read_from_where_the_page_is(app: Flask) -> None:
    with running(app, PUBLIC_URL="https://queuekey.example") as public:
        html = public.test_client().get("/docs/api").text

    assert 'data-description="/v1/api/openapi.json"' in html
