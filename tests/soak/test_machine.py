"""Ten thousand steps of the machine that compares the application with a model of it."""

import pytest
from flask import Flask
from hypothesis.stateful import run_state_machine_as_test

from tests.machine import Machine, profile
from tests.soak.report import figure, trials

STEPS = 10_000
IN_ONE_RUN = 50
RUNS = 20


def test_the_application_agrees_with_its_model_in_ten_thousand_steps(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "RATELIMIT_ENABLED", False)
    monkeypatch.setattr(Machine, "app", app, raising=False)
    Machine.steps, number = 0, trials(STEPS, 200)

    while Machine.steps < number:
        run_state_machine_as_test(Machine, settings=profile(RUNS, IN_ONE_RUN))

    engine = str(app.config["DATABASE_URL"]).partition(":")[0]
    figure(f"T165: steps that differ from the model, {engine}", 0, Machine.steps)
