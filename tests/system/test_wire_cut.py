"""Bodies that are cut off on their way: nothing comes of what has arrived."""

import socket
from contextlib import suppress
from urllib.parse import urlencode

import pytest

from tests.api_client import subscribers_path
from tests.factories import PASSWORD, make_api_key, make_organisation, make_user, make_waitlist
from tests.system.browser import FORM_TYPE, Browser
from tests.system.load import await_that
from tests.system.server import HOST, Server

NEW_PASSWORD = "another battery staple"


def send_and_hang_up(server: Server, request: bytes, how: int | None) -> bytes:
    """Send these bytes, shut that side of the connection (or all of it, for None), and read what comes."""
    received = b""
    with socket.create_connection((HOST, server.port), timeout=30) as connection:
        connection.sendall(request)
        if how is None:
            return received
        connection.shutdown(how)
        with suppress(ConnectionResetError):
            while part := connection.recv(65536):
                received += part
    return received


def lines_of(server: Server, path: str) -> int:
    """How many requests with a body to this address are in the log."""
    return server.log_text().count(f'"method":"POST","route":"{path}"')


@pytest.mark.parametrize("how", [socket.SHUT_WR, None], ids=["half closed", "closed"])
def test_of_a_form_that_was_cut_nothing_is_taken(server: Server, how: int | None) -> None:
    user, browser = make_user(), Browser(server)
    assert browser.sign_in(user.email).status == 302
    form = browser.hidden("/account") | {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    body, cookies = urlencode(form).encode(), "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    head = (
        f"POST /account HTTP/1.1\r\nHost: {HOST}:{server.port}\r\nCookie: {cookies}\r\nContent-Type: {FORM_TYPE}\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    before = lines_of(server, "/account")

    answer = send_and_hang_up(server, head.encode() + body[:-8], how)
    if how is None:
        await_that(lambda: lines_of(server, "/account") > before)
    else:
        assert answer.startswith(b"HTTP/1.1 400 ")

    assert Browser(server).sign_in(user.email, NEW_PASSWORD[:-8]).status == 422
    assert Browser(server).sign_in(user.email).status == 302
    assert server.send_bytes(head.encode() + body).startswith(b"HTTP/1.1 302 ")
    assert Browser(server).sign_in(user.email, NEW_PASSWORD).status == 302


def test_a_form_in_chunks_is_411_for_nobody_could_say_whether_it_came_whole(server: Server) -> None:
    head = f"POST /login HTTP/1.1\r\nHost: {HOST}:{server.port}\r\nContent-Type: {FORM_TYPE}\r\nConnection: close\r\n"

    assert server.send_bytes(f"{head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode()).startswith(b"HTTP/1.1 411 ")
    assert server.send_bytes(f"{head}Content-Length: 0\r\n\r\n".encode()).startswith(b"HTTP/1.1 400 ")


def test_a_sign_up_whose_length_never_came_is_400(server: Server) -> None:
    organisation = make_organisation()
    path, (_, token) = subscribers_path(make_waitlist(organisation)), make_api_key(organisation)
    body = b'{"email": "ada@example.org"}'

    def sign_up(length: int) -> bytes:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {HOST}:{server.port}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        )
        return head.encode() + body

    cut = send_and_hang_up(server, sign_up(len(body) + 5), socket.SHUT_WR)

    assert cut.startswith(b"HTTP/1.1 400 ")
    assert b"The body ends before the length that Content-Length names." in cut
    assert server.send_bytes(sign_up(len(body))).startswith(b"HTTP/1.1 201 ")
