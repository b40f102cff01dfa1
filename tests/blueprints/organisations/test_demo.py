"""What a fresh installation starts with."""

from concurrent.futures import ThreadPoolExecutor, wait

from flask import Flask

from blueprints.organisations.demo import Demo
from models import Organisation, User, writing
from tests.factories import ACTOR, count, events, make_organisation


def set_up(app: Flask) -> bool:
    """Whether there was something to set up."""
    with app.app_context(), writing():
        return Demo.create(ACTOR) is not None


def test_a_second_set_up_waits_for_the_first_and_then_changes_nothing(app: Flask) -> None:
    with ThreadPoolExecutor(1) as elsewhere:
        with app.app_context(), writing():
            first = Demo.create(ACTOR)
            second = elsewhere.submit(set_up, app)
            early, _ = wait([second], timeout=0.5)

        assert first is not None
        assert early == set()
        assert second.result(timeout=10) is False
    assert (count(Organisation), count(User), len(events("user.created"))) == (1, 1, 1)


def test_an_installation_in_use_is_not_set_up_again(app: Flask) -> None:
    make_organisation()

    assert not set_up(app)

    assert (count(Organisation), count(User)) == (1, 0)
