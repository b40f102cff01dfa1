"""What the API answers is what its types say: nothing more, nothing less."""

from datetime import UTC, datetime

import orjson
from flask import Flask
from pydantic import TypeAdapter

from blueprints.api import answers
from blueprints.json_format import OPTIONS
from models import Entry
from tests.api_client import make_caller

ENTRY = Entry(8401, "Ada@example.org", datetime(2026, 5, 3, 18, 30, 12, 345678, UTC), 42, "K7M9PX", 3)


def test_a_subscriber_is_written_as_the_contract_has_it() -> None:
    assert orjson.loads(orjson.dumps(answers.subscriber(ENTRY), option=OPTIONS)) == {
        "id": "8401",
        "email": "Ada@example.org",
        "joined_at": "2026-05-03T18:30:12Z",
        "position": 42,
        "referral_code": "K7M9PX",
        "referral_count": 3,
    }


def test_every_answer_has_the_fields_of_its_type_and_no_others(app: Flask) -> None:
    caller = make_caller(app)
    created = caller.api.post(caller.path, {"email": "ada@example.org"}).data
    key = caller.api.get("/v1/api/key").data

    for type_, said in ((answers.Subscriber, created), (answers.Key, key)):
        assert set(orjson.loads(said)) == type_.__required_keys__
        TypeAdapter(type_).validate_json(said)
