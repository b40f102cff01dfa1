"""E-mail addresses: which are taken, and which are the same person's."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models import EmailAddress, RuleBroken


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@example.org", "ada@EXAMPLE.org"),
        ("ä@example.org", "a\u0308@example.org"),  # composed, decomposed
        ("Ä@example.org", "a\u0308@example.org"),
        ("a@bücher.example.org", "a@xn--bcher-kva.example.org"),
        ("a@BÜCHER.example.org", "a@XN--BCHER-KVA.example.org"),
        ("a@faß.de", "a@xn--fa-hia.de"),
        ("postmaster@example.org", "PostMaster@example.org"),
    ],
)
def test_spellings_of_one_address_share_an_identity(one: str, other: str) -> None:
    assert EmailAddress.parse(one).identity == EmailAddress.parse(other).identity


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a@apple.com", "a@аpple.com"),  # the second with a Cyrillic letter
        ("a@faß.de", "a@fass.de"),
        ("a.b@gmail.com", "ab@gmail.com"),
        ("a+1@example.org", "a@example.org"),
        ("a@example.org", "á@example.org"),
    ],
)
def test_different_addresses_have_different_identities(one: str, other: str) -> None:
    assert EmailAddress.parse(one).identity != EmailAddress.parse(other).identity


def test_an_address_is_shown_as_it_was_sent_and_searched_in_lower_case() -> None:
    address = EmailAddress.parse("Ada@BÜCHER.Example.org")

    assert address.shown == "Ada@BÜCHER.Example.org"
    assert address.search == "ada@bücher.example.org"
    assert address.identity == "ada@xn--bcher-kva.example.org"


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("a" * 64 + "@example.org", "a" * 65 + "@example.org"),
        ("a" * 64 + "@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 57 + ".org", "a" * 64 + "@" + "b" * 63 + "." * 255),
        ("a@example.org", "a@b@example.org"),
        ("a@example.org", "a@example.org\r\nBcc: b@example.org"),
        ("a@example.org", "Ada <a@example.org>"),
        ("a@example.org", " a@example.org"),
        ("a@example.org", "a@example.org\n"),
        ("a@example.org", "a@localhost"),
        ("a@example.org", "a@[127.0.0.1]"),
        ("a@example.org", '"a b"@example.org'),
        ("a@example.org", "@example.org"),
        ("a@example.org", "a@"),
        ("a@example.org", ""),
    ],
)
def test_broken_syntax_is_refused(good: str, bad: str) -> None:
    assert EmailAddress.parse(good).shown == good
    with pytest.raises(RuleBroken) as refusal:
        EmailAddress.parse(bad)
    assert refusal.value.field == "email"


def test_an_address_of_254_characters_is_the_longest() -> None:
    local, domain = "a" * 64, ".".join(["b" * 63, "c" * 63, "d" * 57, "org"])

    assert len(f"{local}@{domain}") == 254
    assert EmailAddress.parse(f"{local}@{domain}")
    with pytest.raises(RuleBroken):
        EmailAddress.parse(f"{local}@d{domain}")


_addresses = st.builds("{}@{}".format, st.text(max_size=12), st.text(max_size=12) | st.just("example.org"))


@given(_addresses | st.text(max_size=30))
@example("İ@example.org")
@example("a@" + "ä" * 60 + ".org")
@settings(max_examples=300, deadline=None)
def test_exactly_what_email_validator_takes_is_taken(text: str) -> None:
    try:
        validate_email(text, strict=True, check_deliverability=False)
    except EmailNotValidError:
        with pytest.raises(RuleBroken):
            EmailAddress.parse(text)
    else:
        address = EmailAddress.parse(text)
        assert address.shown == text
        assert max(map(len, address)) <= 320


@pytest.mark.parametrize("part", ["a", "é", "a\u0301", ".", "@", '"', "x."])
def test_a_text_past_every_limit_is_refused_unread(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """A body is mostly one field long if somebody wants it so, and reading that much takes time."""

    def read(*_: object, **__: object) -> None:
        raise AssertionError("it was read")

    monkeypatch.setattr("models.address.validate_email", read)
    with pytest.raises(RuleBroken, match="too long"):
        EmailAddress.parse(part * 320 + "@example.org")
    with pytest.raises(AssertionError, match="it was read"):
        EmailAddress.parse("a@example.org")
