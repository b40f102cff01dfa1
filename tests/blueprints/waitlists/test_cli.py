"""Waitlists from the command line, and the import of subscribers."""

import json
from pathlib import Path

import pytest
from flask import Flask

from blueprints.waitlists import cli
from models import Subscriber, Waitlist
from tests.api_client import ApiClient, subscribers_path
from tests.commands import refusal, run, succeed
from tests.factories import all_rows, count, events, make_api_key, make_organisation, make_subscriber, make_waitlist

CREATE = ["waitlists", "create", "Spring launch", "--organisation", "fernhill"]


def import_file(app: Flask, folder: Path, waitlist: Waitlist, content: bytes) -> list[str]:
    """Import a file with this content; the lines that were printed."""
    file = folder / "signups.csv"
    file.write_bytes(content)
    return succeed(app, "subscribers", "import", str(file), "--waitlist", waitlist.public_id).splitlines()


def addresses() -> list[str]:
    """Everybody's address in the order of joining."""
    return [subscriber.email for subscriber in all_rows(Subscriber)]


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
        ["Id", "Name", "Subscribers"],
        [spring.public_id, "Spring", "1"],
        [autumn.public_id, "Autumn", "0", "archived"],
    ]


def test_an_import_puts_everybody_in_line_in_the_order_of_the_file(app: Flask, tmp_path: Path) -> None:
    waitlist = make_waitlist()
    present = make_subscriber(waitlist, "first@example.org")
    content = f"name,Email ,referred_by\r\nAda,Ada@example.org,\r\nAlan, alan@example.org,{present.referral_code}\r\n"

    printed = import_file(app, tmp_path, waitlist, content.encode())

    assert printed == ["2 created, 0 already there, 0 bad"]
    assert addresses() == ["first@example.org", "Ada@example.org", "alan@example.org"]
    referrer, ada, alan = all_rows(Subscriber)
    assert (referrer.referral_count, alan.referred_by_id, ada.referred_by_id) == (1, referrer.id, None)
    _, *imported = events("subscriber.created")
    assert [event.target_label for event in imported] == ["Ada@example.org", "alan@example.org"]
    assert {event.details["command"] for event in imported} == {"subscribers import"}
    assert {event.actor_type for event in imported} == {"system"}


def test_importing_a_file_again_changes_nothing(app: Flask, tmp_path: Path) -> None:
    waitlist = make_waitlist()
    content = b"email\nada@example.org\nADA@example.org\nalan@example.org\n"

    assert import_file(app, tmp_path, waitlist, content) == ["2 created, 1 already there, 0 bad"]
    assert import_file(app, tmp_path, waitlist, content) == ["0 created, 3 already there, 0 bad"]

    assert addresses() == ["ada@example.org", "alan@example.org"]
    assert len(events("subscriber.created")) == 2


def test_bad_lines_are_listed_by_number_and_the_rest_is_imported(app: Flask, tmp_path: Path) -> None:
    content = (
        b"email,note,referred_by\n"
        b"ada@example.org,,\n"
        b"nobody,,\n"
        b"\n"
        b",,ABCDEF\n"
        b'alan@example.org,"two\nlines",\n'
        b"b\xe4r@example.org,,\n"
        b"eve@example.org,,ZZZZZZ\n"
        b"grace@example.org\n"
        b'"open@example.org,\n'
        b"never@example.org,\n"
    )

    printed = import_file(app, tmp_path, make_waitlist(), content)

    assert printed[0] == "3 created, 0 already there, 5 bad"
    assert [line.partition(":")[0] for line in printed[1:]] == ["Line 3", "Line 5", "Line 8", "Line 9", "Lines 11–12"]
    assert [line.partition(": ")[2] for line in printed[2:5]] == [
        "There is no address.",
        "The line is not UTF-8.",
        "No subscriber of this waitlist has this referral code.",
    ]
    assert addresses() == ["ada@example.org", "alan@example.org", "grace@example.org"]
    assert len(events("subscriber.created")) == 3


def test_a_line_that_is_not_csv_is_a_bad_line(app: Flask, tmp_path: Path) -> None:
    content = b"email\nada@example.org\n" + b"x" * 200_000 + b"\nalan@example.org\n"

    printed = import_file(app, tmp_path, make_waitlist(), content)

    assert printed[0] == "2 created, 0 already there, 1 bad"
    assert printed[1].startswith("Line 3: The line is not CSV")
    assert addresses() == ["ada@example.org", "alan@example.org"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfemail\r\nada@example.org\r\nalan@example.org\r\n",
        b"\xef\xbb\xbfada@example.org\nalan@example.org",
        b"ada@example.org\n\nalan@example.org\n",
        b"name;EMAIL\nAda;ada@example.org\nAlan;alan@example.org\n",
        b"email\tname\nada@example.org\tAda\nalan@example.org\tAlan\n",
        b'"email","name"\n"ada@example.org","Lovelace, Ada"\n"alan@example.org",""\n',
    ],
    ids=["header", "no header", "blank lines", "semicolons", "tabs", "quoted"],
)
def test_files_as_spreadsheets_and_lists_write_them_are_imported(app: Flask, tmp_path: Path, content: bytes) -> None:
    assert import_file(app, tmp_path, make_waitlist(), content) == ["2 created, 0 already there, 0 bad"]
    assert addresses() == ["ada@example.org", "alan@example.org"]


@pytest.mark.parametrize(
    "content", [b"", b"name\nAda\n", b"Ada,ada@example.org\n", "email\nada@example.org".encode("utf-16")]
)
def test_a_file_without_a_column_of_addresses_is_refused(app: Flask, tmp_path: Path, content: bytes) -> None:
    waitlist = make_waitlist()
    file = tmp_path / "signups.csv"
    file.write_bytes(content)

    said = refusal(app, "subscribers", "import", str(file), "--waitlist", waitlist.public_id)

    assert said == "The first line must name a column “email”, or be an address."
    assert count(Subscriber) == 0
    assert import_file(app, tmp_path, waitlist, b"email\nada@example.org\n") == ["1 created, 0 already there, 0 bad"]


@pytest.mark.parametrize(
    ("file", "waitlist", "status", "words"),
    [
        ("absent.csv", "", 2, "does not exist"),
        (".", "", 2, "is a directory"),
        ("signups.csv", "wl_000000000000", 1, "There is no waitlist “wl_000000000000”."),
        ("signups.csv", "\udcff", 2, "not valid UTF-8"),
    ],
)
def test_an_import_without_a_file_or_a_waitlist_is_refused(
    app: Flask, tmp_path: Path, file: str, waitlist: str, status: int, words: str
) -> None:
    here = make_waitlist()
    (tmp_path / "signups.csv").write_text("email\nada@example.org\n")

    said = refusal(
        app, "subscribers", "import", str(tmp_path / file), "--waitlist", waitlist or here.public_id, status=status
    )

    assert words in said
    assert count(Subscriber) == 0


def test_an_import_is_written_batch_by_batch(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "BATCH", 2)
    waitlist = make_waitlist()
    content = "email\n" + "".join(f"s{number}@example.org\n" for number in range(5))

    assert import_file(app, tmp_path, waitlist, content.encode()) == ["5 created, 0 already there, 0 bad"]

    assert addresses() == [f"s{number}@example.org" for number in range(5)]
    assert [subscriber.join_number for subscriber in all_rows(Subscriber)] == [1, 2, 3, 4, 5]


def test_the_progress_bar_is_for_terminals_only(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "signups.csv").write_text("email\nada@example.org\n")

    result = run(app, "subscribers", "import", str(tmp_path / "signups.csv"), "--waitlist", make_waitlist().public_id)

    assert result.exit_code == 0
    assert result.stderr == ""
