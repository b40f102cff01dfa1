"""Whatever is done to keys, plans and people, in whatever order: the application agrees with a model of it."""

import pytest
from flask import Flask
from hypothesis.stateful import run_state_machine_as_test

from tests.machine import Machine, profile


def test_the_application_agrees_with_a_model_of_it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "RATELIMIT_ENABLED", False)
    monkeypatch.setattr(Machine, "app", app, raising=False)

    run_state_machine_as_test(Machine, settings=profile(6, 30))
