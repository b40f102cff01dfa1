"""The form of a waitlist: what it takes, and how it says what is wrong."""

import re

import pytest
from flask import Flask

from models import Waitlist
from tests.console import sign_in, submit
from tests.factories import all_rows, count, events, make_organisation, make_user


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "Give the waitlist a name."),
        ("name", "   ", "Give the waitlist a name."),
        ("name", "a" * 101, "Use 100 printable characters or fewer."),
        ("name", "a\0b", "Use 100 printable characters or fewer."),
        ("name", "a\u202eb", "Use 100 printable characters or fewer."),
        ("referral_skip", "", "Use a whole number from 1 to 100."),
        ("referral_skip", "0", "Use a whole number from 1 to 100."),
        ("referral_skip", "101", "Use a whole number from 1 to 100."),
        ("referral_skip", "five", "Use a whole number from 1 to 100."),
        ("referral_skip", "5\0", "Use a whole number from 1 to 100."),
        ("referral_skip", "9" * 5000, "Use a whole number from 1 to 100."),
    ],
)
def test_a_wrong_field_is_named_and_what_was_typed_stays(app: Flask, field: str, value: str, words: str) -> None:
    client = sign_in(app, make_user())
    good = {"name": "Kept name", "has_referrals": "y", "referral_skip": "42"}
    before = len(events())

    response = submit(client, "/waitlists/new", good | {field: value})

    assert response.status_code == 422
    assert re.search(rf'id="{field}-error">{re.escape(words)}<', response.text)
    other, kept = ("referral_skip", "42") if field == "name" else ("name", "Kept name")
    assert re.search(rf'name="{other}"[^>]*value="{kept}"', response.text)
    assert (count(Waitlist), len(events())) == (0, before)
    assert submit(client, "/waitlists/new", good).status_code == 302
    assert (count(Waitlist), len(events())) == (1, before + 1)


def test_a_form_without_its_fields_is_a_wrong_form_and_no_fault(app: Flask) -> None:
    client = sign_in(app, make_user())

    assert submit(client, "/waitlists/new").status_code == 422
    assert count(Waitlist) == 0


def test_fields_that_the_form_does_not_have_change_nothing(app: Flask) -> None:
    ours, theirs = make_organisation(), make_organisation()
    extra = {"organisation_id": str(theirs.id), "public_id": "wl_000000000000", "next_join_number": "99"}

    submit(sign_in(app, make_user(ours)), "/waitlists/new", {"name": "Ours", "referral_skip": "5"} | extra)

    (waitlist,) = all_rows(Waitlist)
    assert (waitlist.organisation_id, waitlist.next_join_number) == (ours.id, 1)
    assert waitlist.public_id != "wl_000000000000"
