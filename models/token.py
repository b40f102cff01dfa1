"""The shape of a token: made, checked and digested without a database."""

import hashlib
import re
import secrets
import zlib

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MARK = "qu_live_"
RANDOM_LENGTH = 30
CHECKSUM_LENGTH = 6
TOKEN_LENGTH = len(MARK) + RANDOM_LENGTH + CHECKSUM_LENGTH
PREFIX_LENGTH = len(MARK) + 4

# For secret scanners; the README gives it to them.
TOKEN_PATTERN = rf"{MARK}[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}"
_SHAPE = re.compile(TOKEN_PATTERN, re.ASCII)


def generate() -> str:
    """A new token: 44 characters, 178 bits of them from the operating system's random source."""
    random = "".join(secrets.choice(BASE62) for _ in range(RANDOM_LENGTH))
    return MARK + random + checksum(random)


def checksum(random: str) -> str:
    """CRC32 (as in zlib) over the mark and the random part: 6 base62 digits, most significant first."""
    number = zlib.crc32((MARK + random).encode("ascii"))
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits


def is_well_formed(text: str) -> bool:
    """Whether length, mark, alphabet and checksum fit: a typing error costs no look-up."""
    if len(text) != TOKEN_LENGTH or not _SHAPE.fullmatch(text):
        return False
    return checksum(text[len(MARK) : -CHECKSUM_LENGTH]) == text[-CHECKSUM_LENGTH:]


def digest(token: str) -> bytes:
    """SHA-256 of the whole token, 32 bytes: what is stored in its place.

    178 random bits leave nothing to guess, so no stretching is needed (NIST SP 800-63B, 5.1.2.2).
    """
    return hashlib.sha256(token.encode("ascii")).digest()


def prefix(token: str) -> str:
    """The part that may be shown: the mark and the next 4 characters."""
    return token[:PREFIX_LENGTH]
