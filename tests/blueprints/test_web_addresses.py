"""The address that a request came from."""

import pytest
from flask import Flask

from blueprints import web


@pytest.mark.parametrize(
    ("remote", "told"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("unix:", None),
        ("", None),
    ],
)
def test_a_client_has_one_address_whichever_socket_it_came_by(app: Flask, remote: str, told: str | None) -> None:
    with app.test_request_context(environ_base={"REMOTE_ADDR": remote}):
        assert web.client_address() == told
