"""The plan page."""

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from models import Feature, Plan, Role
from tests.console import sign_in
from tests.factories import make_api_key, make_organisation, make_user, revoke, set_plan
from tests.whole_console import everything, running


def plan_page(client: FlaskClient) -> str:
    response = client.get("/plan")
    assert response.status_code == 200
    return unescape(response.text)


def rows(html: str) -> list[str]:
    """The rows of the table of plans, without marks."""
    found = re.findall(r"<tr[^>]*>(?:(?!<th role=.columnheader).)*?</tr>", html, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in found]


@pytest.mark.parametrize("plan", list(Plan))
def test_every_plan_is_listed_with_what_it_allows(app: Flask, plan: Plan) -> None:
    html = plan_page(sign_in(app, make_user(make_organisation("Fernhill", plan), role=Role.MEMBER)))

    assert f"Fernhill</bdi> is on the {plan.label} plan." in html
    found = rows(html)
    assert [row.split()[0] for row in found] == [each.label for each in Plan]
    for each, row in zip(Plan, found, strict=True):
        assert ("Current" in row) == (each is plan)
        assert (Feature.API_KEYS.label in row) == each.allows(Feature.API_KEYS)
        assert row.endswith({Plan.FREE: "None", Plan.PRO: "600", Plan.TEAM: "3,000"}[each])
        assert ("50 active keys" in row) == each.allows(Feature.API_KEYS)


def test_figures_are_those_of_the_settings(app: Flask) -> None:
    user = make_user()
    with running(app, RATELIMIT_PRO=1234, API_KEY_LIMIT=7) as other:
        pro = rows(plan_page(sign_in(other, user)))[1]

    assert pro.endswith("1,234")
    assert "7 active keys" in pro


def test_a_lapsed_plan_says_how_many_keys_are_paused(app: Flask) -> None:
    organisation = make_organisation("Fernhill", Plan.TEAM)
    admin, member = (sign_in(app, make_user(organisation, role=role)) for role in Role)
    make_api_key(organisation)
    make_api_key(organisation)
    revoked, _ = make_api_key(organisation)
    revoke(revoked)
    make_api_key(make_organisation())
    assert "paused" not in plan_page(admin)

    set_plan(organisation, Plan.FREE)

    for client in (admin, member):
        assert "2 keys are paused, because <bdi>Fernhill</bdi> is on the Free plan." in plan_page(client)
    set_plan(organisation, Plan.PRO)
    assert "paused" not in plan_page(admin)


def test_one_paused_key_is_counted_as_one(app: Flask) -> None:
    organisation = make_organisation()
    make_api_key(organisation)
    set_plan(organisation, Plan.FREE)

    assert "1 key is paused" in plan_page(sign_in(app, make_user(organisation)))


def test_a_free_organisation_without_keys_has_nothing_paused(app: Flask) -> None:
    assert "paused" not in plan_page(sign_in(app, make_user(make_organisation(plan=Plan.FREE))))


@pytest.mark.parametrize("plan", list(Plan))
def test_admins_alone_are_led_to_the_keys(app: Flask, plan: Plan) -> None:
    organisation = make_organisation(plan=plan)
    admin, member = (sign_in(app, make_user(organisation, role=role)) for role in Role)

    assert 'href="/api-keys"' in plan_page(admin)
    assert 'href="/api-keys"' not in plan_page(member)


def test_the_page_is_for_reading_alone(app: Flask, client: FlaskClient) -> None:
    signed_in = sign_in(app, make_user())
    before = everything()

    assert client.get("/plan").location == "/login?next=/plan"
    assert "<form" not in plan_page(signed_in).partition("<main")[2]
    assert signed_in.post("/plan", data={"plan": "team"}).status_code == 405
    assert everything() == before
