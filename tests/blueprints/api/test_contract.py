"""What a view says about itself, and that every view does."""

from flask import Flask

from blueprints.api.contract import Answer, Contract, contract
from blueprints.api.decorators import any_live_key, feature_required
from blueprints.api.schemas import QueryString, Signup
from models import Feature


def test_the_contract_stays_with_the_view_under_its_guards() -> None:
    answers = {200: Answer("Reached")}

    @feature_required(Feature.API_KEYS)
    @any_live_key
    @contract(answers, body=Signup)
    def view() -> str:
        return "reached"

    assert view.contract == Contract(answers, QueryString, Signup)  # type: ignore[attr-defined]


def test_every_view_of_the_api_has_one(app: Flask) -> None:
    views = {endpoint: view for endpoint, view in app.view_functions.items() if endpoint.startswith("api.")}

    assert views
    for endpoint, view in views.items():
        assert view.contract.answers, endpoint  # type: ignore[union-attr]
