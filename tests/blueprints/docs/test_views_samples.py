"""Every sample of the docs, as it stands on the page, does what the page says.

A page is one session in a shell, from its first sample to its last.
"""

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from blueprints.docs.views import PAGES
from models import Organisation, Waitlist
from models.token import generate
from tests import shell
from tests.browser.conftest import on_sqlite, serving
from tests.console import hidden_fields
from tests.factories import PASSWORD, make_api_key, make_organisation, make_subscriber, make_user, make_waitlist
from tests.source import ROOT

pytestmark = on_sqlite

RUNS = {"sh": "{text}", "python": "python {id}.py", "javascript": "node {id}.mjs"}
FILES = {"python": "py", "javascript": "mjs", "toml": "toml"}
ANSWERS = {"json", "jsonl", "http"}
PATTERNS = {"regex", "toml"}


class Sample(NamedTuple):
    """A block of code on a page."""

    id: str
    language: str
    title: str
    text: str


class Reader(NamedTuple):
    """Somebody who reads the docs with a new token in the clipboard."""

    organisation: Organisation
    waitlist: Waitlist
    token: str


@pytest.fixture
def reader(app: Flask) -> Reader:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    for email in ("lin@example.org", "kim@example.org"):
        make_subscriber(waitlist, email)
    return Reader(organisation, waitlist, make_api_key(organisation)[1])


def samples(reader: Reader, page: str, address: str) -> list[Sample]:
    """What stands on a page for somebody of the organisation, signed in at this address."""
    email = make_user(reader.organisation).email
    with httpx.Client(base_url=address) as client:
        fields = hidden_fields(client.get("/login").text) | {"email": email, "password": PASSWORD}
        assert client.post("/login", data=fields).status_code == 302
        html = client.get(f"/docs/{page}").text
    return [_sample(pre) for pre in BeautifulSoup(html, "html.parser").select("pre")]


def _sample(pre: Any) -> Sample:
    title = pre.find_previous(class_="qk-code-head").span.get_text()
    return Sample(pre["id"], pre["data-language"], title, pre.get_text())


class Session(NamedTuple):
    """Where a page's samples were run, and what each of them printed."""

    folder: Path
    samples: list[Sample]

    def printed(self, sample: Sample) -> str:
        """What came of a sample: in its file, where it names one, or else on the screen."""
        named = re.search(r" -o (\S+)", sample.text)
        return (self.folder / (named[1] if named else f"../{sample.id}.out")).read_text()

    def status(self, sample: Sample) -> str:
        """The status of a call by curl."""
        return (self.folder / f"../{sample.id}.err").read_text()

    def answered(self) -> Iterator[tuple[Sample, Sample]]:
        """Each answer that is shown, with the call before it."""
        call = None
        for sample in self.samples:
            if sample.language in ANSWERS:
                assert call is not None, f"{sample.id} answers nothing"
                yield call, sample
            if sample.language == "sh":
                call = sample


def session(app: Flask, reader: Reader, page: str, folder: Path, *, has_curl: bool = True) -> Session:
    """Run all samples of a page, one after the other, in one shell."""
    with serving(app) as address:
        found = samples(reader, page, address)
        assert {sample.language for sample in found} <= {*RUNS, *ANSWERS, *PATTERNS}
        work = folder / "work"
        shutil.copytree(ROOT / "sdk", work / "sdk", ignore=shutil.ignore_patterns(".*", "__pycache__"))
        (work / "strayed.env").write_text(f"TOKEN={reader.token}\n")
        for sample in found:
            if sample.language in FILES:
                (work / f"{sample.id}.{FILES[sample.language]}").write_text(sample.text)
        script = "\n".join(
            f"{{\n{RUNS[sample.language].format(**sample._asdict())}\n}} >../{sample.id}.out 2>../{sample.id}.err"
            for sample in found
            if sample.language in RUNS
        )
        shell.run(script, work, variables(folder, reader, page, has_curl=has_curl), f"{reader.token}\nqu_live_not\n")
    return Session(work, found)


def variables(folder: Path, reader: Reader, page: str, *, has_curl: bool) -> dict[str, str]:
    """The shell's: the token is there already but for the page that says how it gets there. pip asks no index."""
    site = str(folder / "site")
    pip = {"PIP_TARGET": site, "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    known = {} if page == "quick-start" else {"QUEUEKEY_TOKEN": reader.token}
    return shell.environment(folder / "shell", has_curl=has_curl, PYTHONPATH=site, **pip, **known)


def shape(value: object) -> object:
    """The fields of an answer and the kinds of their values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(inner)) for inner in value})
    return type(value).__name__


def assert_alike(shown: Sample, real: str) -> None:
    """The answer on the page has what the real one has, no field more and none less."""
    if shown.language == "json":
        assert shape(json.loads(shown.text)) == shape(json.loads(real))
    elif shown.language == "jsonl":
        lines = [[shape(json.loads(line)) for line in text.splitlines()] for text in (shown.text, real)]
        assert lines[0][0] == lines[1][0]
        assert all(line == lines[0][0] for line in lines[0] + lines[1])
    else:
        got = [re.sub(r"\d+", "9", line) for line in real.splitlines()]
        assert [line for line in shown.text.splitlines() if re.sub(r"\d+", "9", line) not in got] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_sample_works_and_is_answered_as_the_page_says(
    app: Flask, reader: Reader, page: str, tmp_path: Path
) -> None:
    done = session(app, reader, page, tmp_path)

    for call, shown in done.answered():
        assert_alike(shown, done.printed(call))
        if said := re.fullmatch(r"Answer, (\d{3})", shown.title):
            assert done.status(call) == said[1], call.id
    for call in done.samples:
        if call.text.startswith("curl"):
            is_refusal_shown = any(call == answered and "422" in shown.title for answered, shown in done.answered())
            assert done.status(call).startswith("4" if is_refusal_shown else "2"), call.id


def test_the_quick_start_ends_with_the_same_line_in_every_language(app: Flask, reader: Reader, tmp_path: Path) -> None:
    done = session(app, reader, "quick-start", tmp_path)

    in_line = "1 lin@example.org\n2 kim@example.org\n3 grace@example.org\n"
    by_id = {sample.id: sample for sample in done.samples}
    assert done.printed(by_id["python-call"]) == in_line
    assert done.printed(by_id["javascript-call"]) == in_line
    assert done.printed(by_id["environment"]) == ""
    (first,) = json.loads(done.printed(by_id["curl-list"]))["items"]
    assert first["email"] == "lin@example.org"


def test_a_strayed_token_is_found_and_told_from_what_is_none(app: Flask, reader: Reader, tmp_path: Path) -> None:
    done = session(app, reader, "keeping-keys-safe", tmp_path)

    by_id = {sample.id: sample for sample in done.samples}
    assert f"strayed.env:1:TOKEN={reader.token}" in done.printed(by_id["grep"])
    assert done.printed(by_id["checksum"]) == f"{reader.token[:12]} True\nqu_live_not False\n"
    (rule,) = tomllib.loads(by_id["gitleaks"].text)["rules"]
    for pattern in (by_id["pattern"].text, rule["regex"]):
        assert all(re.fullmatch(pattern, token) for token in (reader.token, *(generate() for _ in range(100))))
        assert not re.search(pattern, reader.token[:-1])
    assert all(keyword in reader.token for keyword in rule["keywords"])


def test_without_curl_what_stands_in_for_it_sends_the_same(app: Flask, reader: Reader, tmp_path: Path) -> None:
    for page in ("subscribers", "rate-limits", "export-and-batch", "errors"):
        done = session(app, reader, page, tmp_path / page, has_curl=False)
        answers = [*done.answered()]
        assert answers
        for call, shown in answers:
            assert_alike(shown, done.printed(call))


@pytest.mark.parametrize("page", PAGES)
def test_samples_of_one_page_have_names_of_their_own(client: FlaskClient, page: str) -> None:
    html = client.get(f"/docs/{page}").text
    found = [str(pre["id"]) for pre in BeautifulSoup(html, "html.parser").select("pre")]

    assert len(set(found)) == len(found)
    assert found or page in {"api", "changelog"}
