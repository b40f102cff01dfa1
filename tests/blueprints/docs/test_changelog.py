"""The changelog: one file, which the page shows whole."""

import re
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints.docs import changelog
from tests.source import ROOT


def test_every_line_of_the_file_is_on_the_page(client: FlaskClient) -> None:
    page = unescape(re.sub(r"<[^>]+>", "", client.get("/docs/changelog").text))
    shown = "".join(page.split())

    lines = [line.lstrip("#- ") for line in (ROOT / changelog.FILE).read_text().splitlines()]

    assert len(lines) > 10
    for line in lines:
        assert "".join(line.replace("`", "").split()) in shown, line


def test_the_page_has_one_title_and_the_versions_below_it(client: FlaskClient) -> None:
    html = client.get("/docs/changelog").text

    assert re.findall(r"<h1>([^<]*)</h1>", html) == ["Changelog"]
    assert re.findall(r"<h2>([^<]*)</h2>", html)[0] == "Unreleased"
    assert "<h3>Added</h3>" in html
    assert "<code>GET /v1/api/key</code>" in html


def test_html_in_the_file_stays_text(
    app: Flask, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / changelog.FILE).write_text("# Changelog\n\n## 1.0\n\n- <img src=x onerror=alert(1)> and *more*\n")
    with monkeypatch.context() as patch:
        patch.setattr(app, "root_path", str(tmp_path))
        html = client.get("/docs/changelog").text

    assert "&lt;img src=x onerror=alert(1)&gt; and <em>more</em>" in html
    assert "<img" not in html
