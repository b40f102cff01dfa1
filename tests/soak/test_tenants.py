"""Random calls into another organisation: nothing of it is shown, and nothing is changed."""

import random

from flask import Flask

from tests.soak.report import figure, trials
from tests.tenants import METHODS, Visitor, choices, filled, make_tenant, rows, rules_with_ids

CALLS = 10_000


def test_ten_thousand_random_calls_reach_nothing_of_another_organisation(app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = False
    ours, theirs = make_tenant(app, "Mallory"), make_tenant(app, "Victoria")
    seed, number = random.randrange(2**32), trials(CALLS)
    chance = random.Random(seed)
    before, leaks = rows(), 0
    targets = [
        (rule, kind, value)
        for rule in rules_with_ids(app)
        for kind in rule.arguments
        for value in choices(kind, theirs.ids)
    ]

    for _ in range(number):
        rule, kind, value = chance.choice(targets)
        visitor: Visitor = chance.choice(list(ours.visitors.values()))
        method = chance.choice(METHODS)
        answer = visitor.send(method, filled(rule, {**theirs.ids, kind: value}))
        is_shown = any(secret in answer.text for secret in theirs.secrets) and answer.status_code != 302
        is_let_in = answer.status_code < 300 and method != "OPTIONS"
        leaks += is_shown or is_let_in

    app.config["RATELIMIT_ENABLED"] = True
    engine = str(app.config["DATABASE_URL"]).partition(":")[0]
    figure(f"random calls across organisations that reached anything, {engine}, seed {seed}", leaks, number)
    assert leaks == 0
    assert rows() == before
    control = next(rule for rule in rules_with_ids(app) if rule.endpoint == "api.list_subscribers")
    assert ours.visitors["both"].send("GET", filled(control, ours.ids)).status_code == 200
