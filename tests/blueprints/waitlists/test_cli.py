"""Waitlists from the command line."""

import json

import pytest
from flask import Flask

from models import Waitlist
from tests.api_client import ApiClient, subscribers_path
from tests.commands import refusal, succeed
from tests.factories import all_rows, count, events, make_api_key, make_organisation, make_subscriber, make_waitlist

CREATE = ["waitlists", "create", "Spring launch", "--organisation", "fernhill"]


def test_creating_a_waitlist_prints_its_id_and_leaves_one_event(app: Flask) -> None:
    make_organisation("Fernhill")

    public_id = succeed(app, *CREATE)

    (waitlist,) = all_rows(Waitlist)
    assert (waitlist.public_id, waitlist.name) == (public_id, "Spring launch")
    assert (waitlist.referral_skip, waitlist.has_referrals) == (5, True)
    (event,) = events("waitlist.created")
    assert (event.actor_type, event.target_id) == ("system", public_id)
    assert event.details["command"] == "waitlists create"


def test_a_waitlist_is_created_with_its_referral_settings_as_json(app: Flask) -> None:
    make_organisation("Fernhill")

    made = json.loads(succeed(app, *CREATE, "--referral-skip", "100", "--no-referrals", "--json"))

    (waitlist,) = all_rows(Waitlist)
    assert made == {"id": waitlist.public_id}
    assert (waitlist.referral_skip, waitlist.has_referrals) == (100, False)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([" ", "--organisation", "fernhill"], 1, "Give the waitlist a name."),
        (["Spring", "--organisation", "nowhere"], 1, "There is no organisation “nowhere”."),
        (["Spring"], 2, "Missing option '--organisation'"),
        (["Spring", "--organisation", "fernhill", "--referral-skip", "0"], 2, "1<=x<=100"),
        (["Spring", "--organisation", "fernhill", "--referral-skip", "101"], 2, "1<=x<=100"),
        (["Spring", "--organisation", "fernhill", "--referral-skip", "two"], 2, "'two'"),
    ],
)
def test_a_bad_waitlist_is_refused_and_leaves_nothing(
    app: Flask, arguments: list[str], status: int, words: str
) -> None:
    make_organisation("Fernhill")

    assert words in refusal(app, "waitlists", "create", *arguments, status=status)

    assert count(Waitlist) == 0
    assert events("waitlist.created") == []
    assert succeed(app, *CREATE).startswith("wl_")


def test_an_archived_waitlist_is_closed_to_the_api_until_it_is_restored(app: Flask) -> None:
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    client = ApiClient(app, make_api_key(organisation)[1])
    assert client.get(subscribers_path(waitlist)).status_code == 200

    assert succeed(app, "waitlists", "archive", waitlist.public_id) == "Archived “Spring launch”."
    assert client.get(subscribers_path(waitlist)).status_code == 404
    again = succeed(app, "waitlists", "archive", waitlist.public_id)
    assert again == "“Spring launch” was archived already. Nothing was changed."

    assert succeed(app, "waitlists", "restore", waitlist.public_id) == "Restored “Spring launch”."
    assert client.get(subscribers_path(waitlist)).status_code == 200
    again = succeed(app, "waitlists", "restore", waitlist.public_id)
    assert again == "“Spring launch” was not archived. Nothing was changed."

    details = [(event.action, event.details) for event in events() if event.action.startswith("waitlist.")][1:]
    assert details == [
        ("waitlist.archived", {"command": "waitlists archive"}),
        ("waitlist.restored", {"command": "waitlists restore"}),
    ]


@pytest.mark.parametrize("command", ["archive", "restore"])
@pytest.mark.parametrize("public_id", ["wl_000000000000", "", "spring", "\udcff"])
def test_a_waitlist_that_is_none_is_neither_archived_nor_restored(app: Flask, command: str, public_id: str) -> None:
    make_waitlist()

    refusal(app, "waitlists", command, public_id, status=2 if public_id == "\udcff" else 1)

    assert all_rows(Waitlist)[0].archived_at is None
    assert events("waitlist.archived") == events("waitlist.restored") == []


def test_listing_waitlists_shows_those_of_the_organisation(app: Flask) -> None:
    organisation = make_organisation("Fernhill")
    spring, autumn = make_waitlist(organisation, "Spring"), make_waitlist(organisation, "Autumn")
    make_waitlist(make_organisation("Elsewhere"))
    make_subscriber(spring)
    succeed(app, "waitlists", "archive", autumn.public_id)

    lines = succeed(app, "waitlists", "list", "--organisation", "fernhill").splitlines()

    assert [line.split() for line in lines] == [
        ["Id", "Name", "Subscribers", "State"],
        [spring.public_id, "Spring", "1", "open"],
        [autumn.public_id, "Autumn", "0", "archived"],
    ]
