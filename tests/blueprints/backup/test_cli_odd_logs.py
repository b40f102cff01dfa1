"""A log in which some events make no sense."""

from pathlib import Path

import pytest
from flask import Flask

from models import ApiKey, Subscriber
from tests.blueprints.backup.test_cli import write_log
from tests.commands import run
from tests.factories import all_rows, make_api_key, make_organisation, make_waitlist


@pytest.mark.parametrize(
    ("action", "id_", "label", "details"),
    [
        ("api_key.revoked", "1 OR 1=1", "crm-sync", {}),
        ("user.deactivated", "9" * 23, "ada@example.org", {}),
        ("user.deactivated", "-1", "ada@example.org", {}),
        ("subscriber.created", "9", "no address", {}),
        ("subscriber.created", "9", "ada@example.org", {"referred_by": "ZZZZZZ"}),
    ],
)
def test_an_event_that_makes_no_sense_is_named_and_keeps_no_other_from_being_done(
    app: Flask, tmp_path: Path, action: str, id_: str, label: str, details: dict[str, str]
) -> None:
    organisation = make_organisation("Fernhill")
    waitlist = make_waitlist(organisation)
    first, second = (make_api_key(organisation)[0] for _ in range(2))
    revocations = [("api_key.revoked", str(key.id), key.name, {"prefix": key.prefix}) for key in (first, second)]
    here = {"waitlist_id": waitlist.public_id}
    log = write_log(tmp_path, revocations[0], (action, id_, f"{label}\x1b[2J\n", here | details), revocations[1])

    result = run(app, "after-restore", "--log", str(log))

    assert result.exit_code == 1
    assert f"{action} “{label}\ufffd[2J\ufffd” (event 1001): makes no sense" in result.stdout
    assert "Everybody is signed out." in result.stdout
    assert result.stderr.strip() == "Error: 1 events make no sense. All others were seen to."
    assert all(key.revoked_at for key in all_rows(ApiKey))
    assert all_rows(Subscriber) == []
