"""The changelog: the repository's own file, as a page."""

from pathlib import Path

from flask import current_app
from markdown_it import MarkdownIt

FILE = "CHANGELOG.md"
MARKDOWN = MarkdownIt("commonmark", {"html": False})  # so that what is HTML in the file stays text
TITLE_TOKENS = 3  # the file's own title, which the page has already: its beginning, its words, its end


def as_html() -> str:
    """The file without its title, as HTML."""
    text = (Path(current_app.root_path) / FILE).read_text(encoding="utf-8")
    html: str = MARKDOWN.renderer.render(MARKDOWN.parse(text)[TITLE_TOKENS:], MARKDOWN.options, {})
    return html
