"""JSON as every response has it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask


def test_times_are_in_utc_with_whole_seconds(app: Flask) -> None:
    assert (
        app.json.dumps({"at": datetime(2026, 5, 3, 18, 30, 12, 999_999, tzinfo=UTC)}) == '{"at":"2026-05-03T18:30:12Z"}'
    )
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    assert app.json.loads(app.json.dumps(datetime(2026, 11, 1, 0, tzinfo=kathmandu))).startswith(
        "2026-11-01T00:00:00+05:45"
    )


def test_no_response_holds_nan_or_what_json_has_no_form_for(app: Flask) -> None:
    assert app.json.dumps([float("nan"), float("inf")]) == "[null,null]"
    with pytest.raises(TypeError):
        app.json.dumps(object())


def test_letters_stay_letters(app: Flask) -> None:
    assert app.json.dumps("é😀") == '"é😀"'
    assert app.json.loads('"\\u00e9"') == "é"
