"""Ten thousand steps of the machine that compares the application with a model of it."""

import pytest
from flask import Flask
from hypothesis.stateful import run_state_machine_as_test

from tests.machine import Machine, profile
from tests.soak.report import figure, trials

STEPS = 10_000
IN_ONE_RUN = 50


def test_the_application_agrees_with_its_model_in_ten_thousand_steps(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "RATELIMIT_ENABLED", False)
    monkeypatch.setattr(Machine, "app", app, raising=False)
    runs = trials(STEPS // IN_ONE_RUN, 4)

    run_state_machine_as_test(Machine, settings=profile(runs, IN_ONE_RUN))

    engine = str(app.config["DATABASE_URL"]).partition(":")[0]
    figure(f"T165: steps that differ from the model, {engine}", 0, runs * IN_ONE_RUN)
