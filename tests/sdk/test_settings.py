"""Token and address: found in the environment, checked before anything is sent, and complained of kindly."""

import pytest

from models import token
from queuekey import AsyncQueuekey, ConfigurationError, Queuekey
from queuekey.settings import Token, base_url

CLIENTS = pytest.mark.parametrize("client", [Queuekey, AsyncQueuekey])
GOOD_URL = "https://queuekey.example"


@CLIENTS
def test_token_and_address_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, client: type[Queuekey] | type[AsyncQueuekey]
) -> None:
    live = token.generate()
    monkeypatch.setenv("QUEUEKEY_TOKEN", f"{live}\n")
    monkeypatch.setenv("QUEUEKEY_URL", f"{GOOD_URL}/v1/api/")

    assert repr(client()) == f"<{client.__name__} {GOOD_URL} {token.prefix(live)}…>"


@CLIENTS
def test_absent_settings_are_named(
    monkeypatch: pytest.MonkeyPatch, client: type[Queuekey] | type[AsyncQueuekey]
) -> None:
    monkeypatch.delenv("QUEUEKEY_TOKEN", raising=False)
    monkeypatch.delenv("QUEUEKEY_URL", raising=False)

    with pytest.raises(ConfigurationError, match="Set QUEUEKEY_TOKEN"):
        client(url=GOOD_URL)
    with pytest.raises(ConfigurationError, match="Set QUEUEKEY_URL"):
        client(token.generate())


def test_every_token_that_queuekey_makes_passes() -> None:
    for _ in range(200):
        Token(token.generate()).check()
    for random in ("0" * 30, "A" * 30, "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"):
        Token(f"qu_live_{random}{token.checksum(random)}").check()


def test_a_token_with_a_slip_in_it_is_refused_in_words_that_help() -> None:
    live = token.generate()
    other = "1" if live[20] != "1" else "2"

    for wrong, words in [
        (live[:-1], "43 characters, not 44. Was it cut off"),
        (f"{live}x", "45 characters, not 44"),
        (f"{live[:20]}{other}{live[21:]}", "checksum does not fit"),
        (f"{live[:-1]}é", "checksum does not fit"),
        (f"{live[:20]}\n{live[21:]}", "checksum does not fit"),
        (f"Bearer {live}", "does not begin with qu_live_"),
        (GOOD_URL, "does not begin with qu_live_"),
    ]:
        with pytest.raises(ConfigurationError, match=words) as refused:
            Queuekey(wrong, GOOD_URL)
        assert wrong not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["http://localhost:5000", "http://127.0.0.1", "http://127.8.0.1:80/", "http://[::1]:5000", "http://app.localhost"],
)
def test_plain_http_is_for_this_machine(url: str) -> None:
    assert base_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://queuekey.example", "would send the token in the clear"),
        ("http://10.0.0.7:5000", "would send the token in the clear"),
        ("http://localhost.evil.example", "would send the token in the clear"),
        ("http://127.0.0.1.evil.example", "would send the token in the clear"),
        ("http://127.0.0.1@evil.example", "without user, query or fragment"),
        ("https://user:pass@queuekey.example", "without user, query or fragment"),
        ("https://queuekey.example?x=1", "without user, query or fragment"),
        ("https://queuekey.example#x", "without user, query or fragment"),
        ("waitlists.example", "is no address"),
        ("ftp://queuekey.example", "is no address"),
        ("https://:443", "is no address"),
        ("https://queuekey.example:port", "is no address"),
        ("https://queue key.example", "is no address"),
        ("https://queuekey.example\\@localhost", "without user, query or fragment"),
        ("https://[::1", "is no address"),
    ],
)
def test_other_addresses_are_refused_without_being_repeated(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        Queuekey(token.generate(), url)

    assert url not in str(refused.value)
