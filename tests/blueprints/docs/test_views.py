"""The docs: open to everybody, and written from the definitions that the API enforces."""

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints.api.body import BATCH_LIMIT_BYTES, BODY_LIMIT_BYTES
from blueprints.api.problems import CATALOGUE
from blueprints.api.schemas import BATCH_MAX, LIMIT_DEFAULT, LIMIT_MAX, Q_MAX
from blueprints.docs.views import PAGES, SAMPLE_WAITLIST_ID
from models import Plan, Role, Scope, Waitlist, db, writing
from tests.api_client import ApiClient, make_caller
from tests.console import sign_in
from tests.factories import ACTOR, in_context, make_organisation, make_user, make_waitlist
from tests.whole_console import running


def text_of(client: FlaskClient, page: str) -> str:
    """What a reader of the page sees, without its marks."""
    response = client.get(f"/docs/{page}")
    assert response.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]+>", "", response.text)).split())


@in_context
def archive(waitlist: Waitlist) -> None:
    with writing():
        db.session.get_one(Waitlist, waitlist.id).archive(ACTOR)


def test_the_docs_begin_with_the_quick_start(client: FlaskClient) -> None:
    assert client.get("/docs").location == "/docs/quick-start"
    assert next(iter(PAGES)) == "quick-start"


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_open_to_everybody(app: Flask, client: FlaskClient, page: str) -> None:
    member = sign_in(app, make_user(role=Role.MEMBER))

    for visitor in (client, member, sign_in(app, make_user())):
        html = visitor.get(f"/docs/{page}").text
        for other in PAGES:
            is_here = ' aria-current="page"' if other == page else ""
            assert f'<a href="/docs/{other}"{is_here}>' in html


@pytest.mark.parametrize("page", ["nowhere", "layout", "rate_limits", "Errors", "errors/", "..%2fbase", "errors.html"])
def test_any_other_page_is_not_found(client: FlaskClient, page: str) -> None:
    assert client.get(f"/docs/{page}").status_code == 404
    assert client.get("/docs/errors").status_code == 200


def test_every_link_within_the_docs_leads_somewhere(client: FlaskClient) -> None:
    pages = {f"/docs/{page}": client.get(f"/docs/{page}").text for page in PAGES}

    for path, html in pages.items():
        links = [link for link in re.findall(r'href="([^"]+)"', html) if link.startswith(("/docs/", "#"))]
        assert links
        for link in links:
            page, _, anchor = link.partition("#")
            assert not page or client.get(page).status_code == 200, link
            assert not anchor or anchor == "main" or f'id="{anchor}"' in pages[page or path], link


def test_scopes_are_listed_as_the_keys_page_offers_them(client: FlaskClient) -> None:
    html = client.get("/docs/authentication").text

    assert 'id="scopes"' in html
    for scope in Scope:
        row = re.search(rf"<tr[^>]*>(?:(?!</tr>).)*{re.escape(scope.value)}(?:(?!</tr>).)*</tr>", html, re.DOTALL)
        assert row is not None
        assert scope.label in row[0]
        assert scope.hint in row[0]


def test_every_error_has_its_entry_at_the_address_that_the_api_gives(app: Flask, client: FlaskClient) -> None:
    html = client.get("/docs/errors").text
    for problem in CATALOGUE:
        entry = re.search(rf'<tr[^>]* id="{problem.code}">.*?</tr>', html, re.DOTALL)
        assert entry is not None
        assert f">{problem.status}<" in entry[0]
        assert problem.when in unescape(entry[0])
        assert problem.what_to_do in unescape(entry[0])
    assert len(re.findall(r'<tr[^>]* id="', html)) == len(CATALOGUE)

    problem_type = ApiClient(app, None).get("/v1/api/waitlists/x/subscribers").get_json()["type"]
    path, _, anchor = problem_type.removeprefix("http://localhost").partition("#")
    assert f'id="{anchor}"' in client.get(path).text


def test_an_error_that_is_added_to_the_api_is_in_the_docs(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = CATALOGUE[0]._replace(code="tea_pot", status=418)
    monkeypatch.setitem(app.extensions, "queuekey.problems", (*CATALOGUE, added))

    assert 'id="tea_pot"' in client.get("/docs/errors").text


def test_limits_are_those_of_the_settings(app: Flask, client: FlaskClient) -> None:
    assert "Pro600Team3,000" in text_of(client, "rate-limits").replace(" ", "")
    with running(app, RATELIMIT_PRO=7, RATELIMIT_TEAM=1234, RATELIMIT_FAILED_AUTH=99, API_KEY_LIMIT=5) as other:
        visitor = other.test_client()
        said = text_of(visitor, "rate-limits")
        assert "Pro7Team1,234" in said.replace(" ", "")
        assert "99 failed authentications" in said
        assert 'q=7;w=60 RateLimit: "per-key";r=6' in said
        assert "switched off" not in said
        assert "up to 5 at a time" in text_of(visitor, "authentication")
    assert Plan.FREE.label not in re.findall(r'rowheader" scope="row">(\w+)<', client.get("/docs/rate-limits").text)


def test_limits_that_are_switched_off_are_said_to_be_off(app: Flask) -> None:
    with running(app, RATELIMIT_ENABLED=0) as other:
        assert "Limits are switched off" in text_of(other.test_client(), "rate-limits")


def test_bounds_are_those_that_the_api_keeps(client: FlaskClient) -> None:
    said = text_of(client, "subscribers")

    assert f"1 to {LIMIT_MAX}, default {LIMIT_DEFAULT}" in said
    assert f"at most {Q_MAX} characters" in said
    assert f"at most {BODY_LIMIT_BYTES // 1024} KiB" in said
    said = text_of(client, "export-and-batch")
    assert f"1 to {BATCH_MAX:,} rows" in said
    assert f"at most {BATCH_LIMIT_BYTES // 1024} KiB" in said


def test_samples_have_the_address_where_they_are_read(app: Flask, client: FlaskClient) -> None:
    sample = f"/v1/api/waitlists/{SAMPLE_WAITLIST_ID}/subscribers"

    here = client.get("/docs/subscribers", headers={"Host": "127.0.0.1:8080"})
    assert f"http://127.0.0.1:8080{sample}" in here.text.replace("<wbr>", "")
    with running(app, PUBLIC_URL="https://queuekey.example") as public:
        html = public.test_client().get("/docs/subscribers").text.replace("<wbr>", "")
    assert f"https://queuekey.example{sample}" in html
    assert "http://localhost" not in html


def test_samples_name_a_waitlist_of_the_reader(app: Flask, client: FlaskClient) -> None:
    ours, theirs = make_organisation(), make_organisation()
    member = sign_in(app, make_user(ours, role=Role.MEMBER))
    foreign = make_waitlist(theirs)
    assert SAMPLE_WAITLIST_ID in member.get("/docs/subscribers").text

    own, archived = make_waitlist(ours), make_waitlist(ours)
    archive(archived)

    html = member.get("/docs/subscribers").text
    assert own.public_id in html
    assert archived.public_id not in html
    assert foreign.public_id not in html
    assert own.public_id not in client.get("/docs/subscribers").text


def test_the_quick_start_says_where_a_waitlists_id_goes_until_it_knows_one(app: Flask, client: FlaskClient) -> None:
    organisation = make_organisation()
    member = sign_in(app, make_user(organisation, role=Role.MEMBER))
    for visitor in (client, member):
        said = text_of(visitor, "quick-start")
        assert f"Put your waitlist’s ID in the place of {SAMPLE_WAITLIST_ID}" in said
        assert "your newest waitlist" not in said

    waitlist = make_waitlist(organisation)

    said = text_of(member, "quick-start").replace(" ", "")
    assert "Putyourwaitlist’sID" not in said
    assert "thisQueuekey’saddressandyournewestwaitlist" in said
    assert said.count(waitlist.public_id) == 6


def test_a_leaked_keys_changes_are_found_in_the_log_as_the_docs_say(app: Flask) -> None:
    caller = make_caller(app)
    admin = sign_in(app, make_user(caller.organisation))
    assert caller.api.post(caller.path, {"email": "ada@example.org"}).status_code == 201
    html = admin.get("/docs/keeping-keys-safe").text
    (log,) = re.findall(r'<a href="([^"]+)">activity log</a> for the prefix', html)

    page = admin.get(log, query_string={"q": caller.token[:12]}).text

    assert "ada@example.org" in page
    assert "Nothing matches" in admin.get(log, query_string={"q": "qu_live_0000"}).text


def test_authentication_leads_to_keeping_keys_safe(client: FlaskClient) -> None:
    html = client.get("/docs/authentication").text

    assert '<a href="/docs/keeping-keys-safe">Keeping keys safe</a> says' in html


@pytest.mark.parametrize("page", PAGES)
def test_what_can_be_copied_has_its_button(client: FlaskClient, page: str) -> None:
    html = client.get(f"/docs/{page}").text
    blocks = re.findall(r'<pre id="([^"]+)" data-language="([^"]+)">', html)

    assert len(blocks) == html.count("<pre")
    for name, language in blocks:
        is_answer = language in {"json", "jsonl", "http"}
        assert (f'data-copy="{name}"' in html) is not is_answer
