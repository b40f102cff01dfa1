"""Listing and creating subscribers."""

from flask import Flask

from tests.api_client import ApiClient, body, subscribers_path
from tests.factories import events, make_api_key, make_organisation, make_subscriber, make_waitlist


def test_a_key_lists_subscribers_in_line_order(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation, referral_skip=2)
    for letter in "abcdef":
        last = make_subscriber(waitlist, f"{letter}@example.org")
    make_subscriber(waitlist, "g@example.org", referred_by=last.referral_code)
    _, token = make_api_key(organisation)

    response = ApiClient(app, token).get(subscribers_path(waitlist))

    assert response.status_code == 200
    assert [item["email"][0] for item in body(response)["items"]] == list("abcfdeg")
    assert [item["position"] for item in body(response)["items"]] == [1, 2, 3, 4, 5, 6, 7]
    assert body(response)["total"] == 7


def test_a_key_creates_a_subscriber_with_one_event(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    key, token = make_api_key(organisation, name="crm-sync")

    response = ApiClient(app, token).post(subscribers_path(waitlist), {"email": "Ada@example.org"})

    assert response.status_code == 201, response.text
    assert body(response)["email"] == "Ada@example.org"
    (event,) = events("subscriber.created")
    assert (event.actor_type, event.actor_id, event.actor_name) == ("api_key", key.id, "crm-sync")
