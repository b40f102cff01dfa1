"""However much is wrong with an object, the answer stays short."""

from flask import Flask

from blueprints.api.schemas import ERRORS_MAX, FIELD_MAX
from tests.api_client import make_caller, problem


def test_an_answer_names_so_many_errors_and_no_more(app: Flask) -> None:
    caller = make_caller(app)
    junk = {f"field{number}": 0 for number in range(ERRORS_MAX * 3)}

    wrong = problem(caller.api.post(caller.path, junk), 422, "validation_failed")["errors"]
    batch = caller.api.post(f"{caller.path}/batch", {"subscribers": [junk, {"email": "ada@example.org"}]}).get_json()

    assert len(wrong) == len(batch["results"][0]["errors"]) == ERRORS_MAX
    assert batch["results"][1]["status"] == "created"


def test_a_long_name_of_a_field_is_cut(app: Flask) -> None:
    caller = make_caller(app)

    document = problem(
        caller.api.post(caller.path, {"email": "a@example.org", "x" * 50_000: 1}), 422, "validation_failed"
    )

    assert document["errors"] == [{"field": "x" * FIELD_MAX, "message": "There is no such field."}]
