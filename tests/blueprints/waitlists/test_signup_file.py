"""The import of subscribers from a file."""

from pathlib import Path

import pytest
from flask import Flask

from blueprints.waitlists import cli
from models import Subscriber, Waitlist
from tests.commands import refusal, run, succeed
from tests.factories import all_rows, count, events, make_subscriber, make_waitlist


def import_file(app: Flask, folder: Path, waitlist: Waitlist, content: bytes) -> list[str]:
    """Import a file with this content; the lines that were printed."""
    file = folder / "signups.csv"
    file.write_bytes(content)
    return succeed(app, "subscribers", "import", str(file), "--waitlist", waitlist.public_id).splitlines()


def addresses() -> list[str]:
    """Everybody's address in the order of joining."""
    return [subscriber.email for subscriber in all_rows(Subscriber)]


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


@pytest.mark.parametrize(
    "ending", [b"", b"\n", b"\nnever@example.org,\n", b"x" * 90_000 + b"\n" + b"y" * 90_000 + b'"\n']
)
def test_a_quote_that_is_never_closed_is_told_as_such_with_its_line(app: Flask, tmp_path: Path, ending: bytes) -> None:
    content = b'email,note\nada@example.org,"closed\nlater"\n"open@example.org,' + ending

    printed = import_file(app, tmp_path, make_waitlist(), content)

    assert printed[0] == "1 created, 0 already there, 1 bad"
    where, _, problem = printed[1].partition(": ")
    assert where == ("Line 4" if ending.count(b"\n") < 2 else "Lines 4–5")
    assert problem == "A quote opens here that is never closed."
    assert addresses() == ["ada@example.org"]


def test_a_quote_that_is_closed_in_the_last_line_is_read(app: Flask, tmp_path: Path) -> None:
    content = b'email,note\nada@example.org,"one\ntwo"'

    assert import_file(app, tmp_path, make_waitlist(), content) == ["1 created, 0 already there, 0 bad"]


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


def test_nobody_is_imported_into_an_archived_waitlist(app: Flask, tmp_path: Path) -> None:
    waitlist = make_waitlist()
    (tmp_path / "signups.csv").write_text("email\nada@example.org\n")
    command = ["subscribers", "import", str(tmp_path / "signups.csv"), "--waitlist", waitlist.public_id]
    succeed(app, "waitlists", "archive", waitlist.public_id)

    assert "is archived" in refusal(app, *command)

    assert count(Subscriber) == 0
    succeed(app, "waitlists", "restore", waitlist.public_id)
    assert succeed(app, *command) == "1 created, 0 already there, 0 bad"
