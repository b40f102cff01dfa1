"""Waitlists in the console."""

import re

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import Organisation, Role, Waitlist
from tests.console import hidden_fields, sign_in, submit
from tests.factories import all_rows, events, make_organisation, make_subscriber, make_user, make_waitlist

NEVER_ISSUED = "wl_000000000000"


def admin_of(app: Flask, organisation: Organisation) -> FlaskClient:
    return sign_in(app, make_user(organisation))


def member_of(app: Flask, organisation: Organisation) -> FlaskClient:
    return sign_in(app, make_user(organisation, role=Role.MEMBER))


def only_waitlist() -> Waitlist:
    (waitlist,) = all_rows(Waitlist)
    return waitlist


def move(client: FlaskClient, waitlist: Waitlist, verb: str) -> TestResponse:
    """Archive or restore, with the token of a form that is there in either state."""
    return submit(client, f"/waitlists/{waitlist.public_id}/{verb}", page="/account")


def shown_addresses(response: TestResponse) -> list[str]:
    return re.findall(r"<bdi>([^<]+@[^<]+)</bdi>", response.text)


def test_the_start_page_leads_to_the_waitlists(app: Flask, client: FlaskClient) -> None:
    assert client.get("/").location == "/waitlists"
    assert client.get("/waitlists").location == "/login?next=/waitlists"
    assert member_of(app, make_organisation()).get("/waitlists").status_code == 200


def test_the_list_has_the_organisations_own_waitlists_with_their_size(app: Flask) -> None:
    ours, theirs = make_organisation(), make_organisation()
    waitlist = make_waitlist(ours, "Autumn")
    make_subscriber(waitlist)
    make_subscriber(waitlist)
    make_waitlist(theirs, "Somebody else's")

    page = member_of(app, ours).get("/waitlists").text

    assert waitlist.public_id in page
    assert "Autumn" in page
    assert re.search(r'data-label="Subscribers"[^>]*>2<', page)
    assert "Somebody else" not in page


def test_an_empty_list_offers_admins_alone_to_create_one(app: Flask) -> None:
    organisation = make_organisation()

    assert 'href="/waitlists/new"' in admin_of(app, organisation).get("/waitlists").text
    assert 'href="/waitlists/new"' not in member_of(app, organisation).get("/waitlists").text


def test_an_admin_creates_a_waitlist_with_one_event(app: Flask) -> None:
    organisation = make_organisation()
    admin = make_user(organisation, name="Ada")
    client = sign_in(app, admin)

    response = submit(client, "/waitlists/new", {"name": " Summer ", "has_referrals": "y", "referral_skip": "7"})

    waitlist = only_waitlist()
    assert response.location == f"/waitlists/{waitlist.public_id}"
    assert (waitlist.name, waitlist.referral_skip, waitlist.has_referrals) == ("Summer", 7, True)
    assert waitlist.organisation_id == organisation.id
    (event,) = events("waitlist.created")
    assert (event.actor_type, event.actor_id, event.actor_name) == ("user", admin.id, "Ada")
    assert (event.target_id, event.ip) == (waitlist.public_id, "127.0.0.1")
    assert "Created “Summer”." in client.get(response.location).text


def test_a_waitlist_without_referrals_is_created_where_the_box_is_not_ticked(app: Flask) -> None:
    submit(admin_of(app, make_organisation()), "/waitlists/new", {"name": "Quiet", "referral_skip": "5"})

    assert not only_waitlist().has_referrals


def test_a_waitlists_page_has_its_id_its_figures_and_its_line(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation, referral_skip=3)
    first = make_subscriber(waitlist, "first@example.org")
    make_subscriber(waitlist, "second@example.org", referred_by=first.referral_code)

    response = member_of(app, organisation).get(f"/waitlists/{waitlist.public_id}")

    assert f'id="waitlist-id" class="qk-nowrap">{waitlist.public_id}<' in response.text
    assert shown_addresses(response) == ["first@example.org", "second@example.org"]
    figures = re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", response.text)
    assert figures == [
        ("Subscribers", "2"),
        ("Joined in the last 7 days", "2"),
        ("Came by referral", "1"),
        ("Places per referral", "3"),
    ]


def test_settings_are_linked_for_admins_alone(app: Flask) -> None:
    organisation = make_organisation()
    page = f"/waitlists/{make_waitlist(organisation).public_id}"

    assert f'href="{page}/settings"' in admin_of(app, organisation).get(page).text
    assert f'href="{page}/settings"' not in member_of(app, organisation).get(page).text


def test_an_admin_changes_the_settings_with_one_event(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation, "Before", referral_skip=5)
    client, path = admin_of(app, organisation), f"/waitlists/{waitlist.public_id}/settings"

    page = client.get(path).text
    assert re.search(r'name="name"[^>]*value="Before"', page)
    assert re.search(r'name="has_referrals"[^>]*checked|checked[^>]*name="has_referrals"', page)
    response = submit(client, path, {"name": "After", "referral_skip": "9"})

    assert response.location == f"/waitlists/{waitlist.public_id}"
    changed = only_waitlist()
    assert (changed.name, changed.referral_skip, changed.has_referrals) == ("After", 9, False)
    (event,) = events("waitlist.updated")
    assert event.details["name"] == {"from": "Before", "to": "After"}
    assert "Saved." in client.get(response.location).text


def test_saving_settings_as_they_are_writes_nothing(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation, "Same", referral_skip=5)
    same = {"name": "Same", "referral_skip": "5", "has_referrals": "y"}

    response = submit(admin_of(app, organisation), f"/waitlists/{waitlist.public_id}/settings", same)

    assert response.status_code == 302
    assert events("waitlist.updated") == []


def test_wrong_settings_are_named_and_change_nothing(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation, "Before")
    path = f"/waitlists/{waitlist.public_id}/settings"

    response = submit(admin_of(app, organisation), path, {"name": "a\u200bb", "referral_skip": "5"})

    assert response.status_code == 422
    assert 'id="name-error">Use 100 printable characters' in response.text
    assert only_waitlist().name == "Before"
    assert events("waitlist.updated") == []


def test_archived_waitlists_stay_readable_and_can_be_restored(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation, "Spring")
    client, page = admin_of(app, organisation), f"/waitlists/{waitlist.public_id}"

    assert "Archived “Spring”." in client.get(move(client, waitlist, "archive").location).text
    assert only_waitlist().is_archived
    assert "This waitlist is archived." in client.get(page).text
    assert "Archived</span>" in client.get("/waitlists").text
    assert f'action="{page}/restore"' in client.get(f"{page}/settings").text
    move(client, waitlist, "archive")
    assert len(events("waitlist.archived")) == 1

    move(client, waitlist, "restore")
    move(client, waitlist, "restore")
    assert not only_waitlist().is_archived
    assert len(events("waitlist.restored")) == 1
    assert f'action="{page}/archive"' in client.get(f"{page}/settings").text


def test_members_read_but_cannot_change(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation, "Spring")
    member, page = member_of(app, organisation), f"/waitlists/{waitlist.public_id}"
    before = len(events())

    assert member.get(page).status_code == 200
    for path in ("/waitlists/new", f"{page}/settings"):
        assert member.get(path).status_code == 403
        assert submit(member, path, {"name": "Changed", "referral_skip": "9"}, page="/account").status_code == 403
    assert move(member, waitlist, "archive").status_code == 403
    assert move(member, waitlist, "restore").status_code == 403

    unchanged = only_waitlist()
    assert (unchanged.name, unchanged.is_archived, len(events())) == ("Spring", False, before)


def test_somebody_elses_waitlist_is_answered_like_one_that_does_not_exist(app: Flask) -> None:
    ours, theirs = make_organisation(), make_organisation()
    foreign = make_waitlist(theirs, "Theirs")
    client = admin_of(app, ours)
    before = len(events())
    wishes = {"name": "Mine now", "referral_skip": "1"}

    for public_id in (foreign.public_id, NEVER_ISSUED, "wl_short", "wl_00000000000é", "0"):
        page = f"/waitlists/{public_id}"
        answers = [
            client.get(page),
            client.get(f"{page}/settings"),
            submit(client, f"{page}/settings", wishes, page="/account"),
            submit(client, f"{page}/archive", page="/account"),
            submit(client, f"{page}/restore", page="/account"),
        ]
        assert [answer.status_code for answer in answers] == [404] * 5
        assert all("Theirs" not in answer.text for answer in answers)

    unchanged = only_waitlist()
    assert (unchanged.name, unchanged.is_archived, len(events())) == ("Theirs", False, before)
    assert admin_of(app, theirs).get(f"/waitlists/{foreign.public_id}").status_code == 200


def test_an_anonymous_visitor_changes_nothing(app: Flask, client: FlaskClient) -> None:
    waitlist = make_waitlist(name="Spring")
    token = hidden_fields(client.get("/login").text)

    for path in (
        "/waitlists/new",
        f"/waitlists/{waitlist.public_id}/settings",
        f"/waitlists/{waitlist.public_id}/archive",
    ):
        response = client.post(path, data=token | {"name": "Changed", "referral_skip": "9"})
        assert (response.status_code, response.location) == (302, "/login")

    assert (only_waitlist().name, only_waitlist().is_archived) == ("Spring", False)


def test_names_are_shown_literally(app: Flask) -> None:
    organisation = make_organisation()
    name = '"><img src=x onerror=alert(1)>{{7*7}}</script>'
    waitlist = make_waitlist(organisation, name)
    client, page = admin_of(app, organisation), f"/waitlists/{waitlist.public_id}"

    for path in ("/waitlists", page, f"{page}/settings"):
        html = client.get(path).text
        assert "<img src=x" not in html
        assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}&lt;/script&gt;" in html
