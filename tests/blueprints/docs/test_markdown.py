"""The docs as Markdown: what the page says, all of it, and links that lead on."""

import re
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from markdown_it import MarkdownIt

from blueprints.docs.markdown import as_markdown
from blueprints.docs.views import PAGES
from tests.console import sign_in
from tests.factories import make_organisation, make_user, make_waitlist
from tests.whole_console import running

READER = MarkdownIt("commonmark").enable("table")  # somebody else's reading of what we wrote
FOR_THE_SCREEN = (".btn", ".qk-said", "svg", ".qk-docs-head a")


def article(client: FlaskClient, page: str) -> Tag:
    """What a page says, without what only a screen needs."""
    found = BeautifulSoup(client.get(f"/docs/{page}").text, "html.parser").article
    assert found is not None
    for element in found.select(",".join(FOR_THE_SCREEN)):
        element.decompose()
    return found


def markdown(client: FlaskClient, page: str) -> str:
    """The Markdown of a page."""
    response = client.get(f"/docs/{page}.md")
    assert response.status_code == 200
    return response.text


def read(text: str) -> BeautifulSoup:
    """Markdown as somebody else renders it."""
    return BeautifulSoup(READER.render(text), "html.parser")


def letters(element: Tag) -> str:
    """Everything said, whatever the space between."""
    return "".join(element.get_text().split())


@pytest.mark.parametrize("page", PAGES)
def test_the_markdown_says_what_the_page_says(client: FlaskClient, page: str) -> None:
    shown, rendered = article(client, page), read(markdown(client, page))

    assert letters(rendered) == letters(shown)
    for marks in ("h1", "h2", "h3", "li", "table", "tr", "thead th", "blockquote"):
        same = ".qk-note" if marks == "blockquote" else marks
        assert len(rendered.select(marks)) == len(shown.select(same)), marks
    for shown_row, row in zip(shown.select("tr"), rendered.select("tr"), strict=True):
        assert [letters(cell) for cell in row.select("th, td")] == [
            letters(cell) for cell in shown_row.select("th, td")
        ]


@pytest.mark.parametrize("page", PAGES)
def test_code_is_as_it_stands_on_the_page_and_says_its_language(client: FlaskClient, page: str) -> None:
    fences = [token for token in READER.parse(markdown(client, page)) if token.type == "fence"]
    blocks = article(client, page).select("pre")

    assert [(fence.info, fence.content.rstrip("\n")) for fence in fences] == [
        (block["data-language"], block.get_text()) for block in blocks
    ]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_leads_to_its_markdown(client: FlaskClient, page: str) -> None:
    html = client.get(f"/docs/{page}").text

    assert f'<link rel="alternate" type="text/markdown" href="/docs/{page}.md">' in html
    assert f'<a href="/docs/{page}.md" type="text/markdown">View as Markdown</a>' in html
    response = client.get(f"/docs/{page}.md")
    assert response.content_type == "text/markdown; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert client.head(f"/docs/{page}.md").status_code == 200


@pytest.mark.parametrize("name", ["nowhere", "layout", "errors.md", "../errors", "Errors", "quick_start", ""])
def test_markdown_of_no_page_is_not_found(client: FlaskClient, name: str) -> None:
    assert client.get(f"/docs/{name}.md").status_code == 404
    assert client.get("/docs/errors.md").status_code == 200


def test_links_are_whole_and_lead_to_markdown_within_the_docs(app: Flask, client: FlaskClient) -> None:
    with running(app, PUBLIC_URL="http://queuekey.example:8080") as public:
        visitor = public.test_client()
        links = [
            str(link["href"])
            for page in PAGES
            for link in read(visitor.get(f"/docs/{page}.md", base_url="http://queuekey.example:8080").text).select("a")
        ]
    assert len(links) > 10
    for link in links:
        assert link.startswith("http://queuekey.example:8080/")
        path = urlsplit(link).path
        assert path.endswith(".md") or not path.startswith("/docs/")
        assert client.get(path).status_code in {200, 302}, link


def test_the_markdown_has_the_readers_own_waitlist(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    reader = sign_in(app, make_user(organisation))

    assert f"/waitlists/{waitlist.public_id}/subscribers?limit=1" in markdown(reader, "quick-start")
    assert waitlist.public_id not in markdown(app.test_client(), "quick-start")


def test_a_page_without_an_article_has_no_markdown(client: FlaskClient) -> None:
    html = client.get("/login").text

    with pytest.raises(ValueError, match="no article"):
        as_markdown(html)


def test_the_index_for_machines_has_the_form_of_llmstxt_and_names_every_page(client: FlaskClient) -> None:
    response = client.get("/llms.txt", headers={"Host": "127.0.0.1:8080"})
    assert response.status_code == 200
    assert response.content_type == "text/plain; charset=utf-8"
    blocks = response.text.split("\n\n")
    assert blocks[0] == "# Queuekey"
    assert re.fullmatch("> .+", blocks[1])
    assert [block for block in blocks if block.startswith("#")] == [
        "# Queuekey",
        "## Docs",
        "## Description",
        "## Optional",
    ]
    entries = [line for line in response.text.splitlines() if line.startswith("- ")]
    named = dict(re.findall(r"^- \[([^]]+)\]\((\S+)\): .+$", response.text, re.MULTILINE))

    assert len(named) == len(entries)
    assert named.pop("OpenAPI 3.1") == "http://127.0.0.1:8080/v1/api/openapi.json"
    assert named == {page.title: f"http://127.0.0.1:8080/docs/{name}.md" for name, page in PAGES.items()}
    assert all(client.get(urlsplit(address).path).status_code == 200 for address in named.values())
    assert client.get("/v1/api/openapi.json").status_code == 200


def test_machines_and_people_read_without_signing_in_what_holds_no_secret(app: Flask, client: FlaskClient) -> None:
    signed_in = sign_in(app, make_user(make_organisation("Fernhill")))

    for path in ("/llms.txt", *(f"/docs/{page}.md" for page in PAGES)):
        assert client.get(path).status_code == 200
        assert "csrf" not in signed_in.get(path).text
