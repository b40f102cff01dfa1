"""The docs as Markdown, made of the pages themselves so that the two cannot differ; and their index for machines."""

from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from flask import Response, render_template, request, url_for
from markdownify import MarkdownConverter

from blueprints import web
from blueprints.auth.decorators import anyone
from blueprints.docs.reference import show_reference
from blueprints.docs.views import REFERENCE, blueprint
from blueprints.docs.views import page as show_page

MEDIA_TYPE = "text/markdown; charset=utf-8"
FOR_THE_SCREEN = "button, svg, [role=status], a[type='text/markdown']"
CONVERTER = MarkdownConverter(
    heading_style="ATX", bullets="-", code_language_callback=lambda pre: pre.get("data-language", "")
)


@blueprint.get("/docs/<page>.md")
@anyone
def show_markdown(page: str) -> Response:
    """A page of the docs, without its frame."""
    html = show_reference() if page == REFERENCE else show_page(page)
    return Response(as_markdown(html), content_type=MEDIA_TYPE)


@blueprint.get("/llms.txt")
@anyone
def show_llms() -> Response:
    """What there is to read, for language models (llmstxt.org)."""
    text = render_template("docs/llms.txt", base_url=web.public_url(), api_root=web.API_ROOT)
    return Response(text, content_type="text/plain; charset=utf-8")


def as_markdown(html: str) -> str:
    """The article of a page as Markdown, with links that lead to Markdown again."""
    article = BeautifulSoup(html, "html.parser").article
    if article is None:
        raise ValueError("The page has no article.")
    for element in article.select(FOR_THE_SCREEN):
        element.decompose()
    for element in article.select(".qk-code-head"):
        element.name = "p"
    for element in article.select(".qk-note"):
        element.name = "blockquote"
    for link in article.select("a[href^='#']"):
        link.unwrap()
    for link in article.select("a[href]"):
        _lead_to_markdown(link)
    text: str = CONVERTER.convert_soup(article)
    return f"{text.strip()}\n"


def _lead_to_markdown(link: Tag) -> None:
    """Give a link its whole address; to another page of the docs, that of its Markdown."""
    here = f"{web.public_url()}{request.path}"
    parts = urlsplit(urljoin(here, str(link["href"])))
    is_page = parts.path.startswith(f"{url_for('docs.index')}/") and not parts.path.endswith(".md")
    link["href"] = parts._replace(path=f"{parts.path}.md" if is_page else parts.path).geturl()
