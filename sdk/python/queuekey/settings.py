"""Where Queuekey answers and with which token: checked before anything is sent, and never shown."""

import os
import re
import zlib
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from queuekey.errors import ConfigurationError

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MARK = "qu_live_"
LENGTH = 44
CHECKSUM_LENGTH = 6
PREFIX_LENGTH = len(MARK) + 4
API_ROOT = "/v1/api"


class Token:
    """A token that nobody prints by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def of(cls, given: "str | Token | None") -> "Token":
        """The given token, or else that of QUEUEKEY_TOKEN; not checked yet."""
        if isinstance(given, Token):
            return given
        return cls((given or os.environ.get("QUEUEKEY_TOKEN", "")).strip())

    def check(self) -> None:
        """Raise ConfigurationError if this cannot be a token: most slips show without a request."""
        if not self._text:
            raise ConfigurationError(
                "There is no token. Set QUEUEKEY_TOKEN to the token that was shown when the key was created."
            )
        if not self._text.startswith(MARK):
            raise ConfigurationError(f"The token does not begin with {MARK}. Is something else in QUEUEKEY_TOKEN?")
        if len(self._text) != LENGTH:
            raise ConfigurationError(f"The token has {len(self._text)} characters, not {LENGTH}. Was it cut off?")
        if not re.fullmatch("[0-9A-Za-z]+", self._text[len(MARK) :], re.ASCII) or not self._fits():
            raise ConfigurationError("The token's checksum does not fit: a character of it is wrong. Copy it again.")

    def header(self) -> str:
        """The whole of it, as the Authorization header has it."""
        return f"Bearer {self._text}"

    def __repr__(self) -> str:
        """Its prefix, which the console shows as well."""
        return f"{self._text[:PREFIX_LENGTH]}…" if self._text.startswith(MARK) and self._fits() else "…"

    def _fits(self) -> bool:
        """Whether the last 6 characters are the CRC32 of those before them, in base62."""
        number = zlib.crc32(self._text[:-CHECKSUM_LENGTH].encode())
        digits = ""
        for _ in range(CHECKSUM_LENGTH):
            number, digit = divmod(number, 62)
            digits = BASE62[digit] + digits
        return digits == self._text[-CHECKSUM_LENGTH:]


def base_url(given: str | None) -> str:
    """The given address, or else that of QUEUEKEY_URL, without a slash at its end. Raises ConfigurationError."""
    text = (given or os.environ.get("QUEUEKEY_URL", "")).strip()
    if not text:
        raise ConfigurationError(
            "There is no address. Set QUEUEKEY_URL to where Queuekey answers, such as https://queuekey.example."
        )
    complaint = _complaint(text)
    if complaint:
        raise ConfigurationError(complaint)
    return text.rstrip("/").removesuffix(API_ROOT)


def _complaint(text: str) -> str:
    """What is wrong with an address, without repeating it: the token may have been put there."""
    try:
        parts = urlsplit(text)
        host = parts.hostname if parts.port != 0 else None
        httpx.URL(text)  # which is stricter
    except (ValueError, httpx.InvalidURL):
        host = None
    if not host or parts.scheme not in {"http", "https"} or not re.fullmatch(r"[\w.:%-]+", host):
        return "QUEUEKEY_URL is no address. It begins with https:// and a host, such as https://queuekey.example."
    if parts.username is not None or parts.query or parts.fragment:
        return "QUEUEKEY_URL is an address without user, query or fragment: the token belongs into QUEUEKEY_TOKEN."
    if parts.scheme == "http" and not _is_local(host):
        return "QUEUEKEY_URL begins with http://, which would send the token in the clear. Use https://."
    return ""


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
