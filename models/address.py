"""An e-mail address: checked, and reduced to what makes two spellings the same person."""

import unicodedata
from typing import NamedTuple, Self

from email_validator import EmailNotValidError, validate_email

from models.base import RuleBroken

SHOWN_MAX = 320


class EmailAddress(NamedTuple):
    """An address as it was sent, and the keys derived from it in Python, so that both engines agree."""

    shown: str
    identity: str
    search: str

    @classmethod
    def parse(cls, text: str, field: str = "email") -> Self:
        """Check the syntax (RFC 5321, RFC 6531) without asking the DNS; raises RuleBroken for `field`."""
        if len(text) > SHOWN_MAX:  # past every limit of the RFCs: not worth the time that reading it would take
            raise RuleBroken(field, "The email address is too long.")
        try:
            valid = validate_email(text, strict=True, check_deliverability=False)
        except EmailNotValidError as error:
            raise RuleBroken(field, str(error)) from None
        domain = valid.ascii_domain or valid.domain
        local = unicodedata.normalize("NFC", valid.local_part).lower()
        return cls(shown=text, identity=f"{local}@{domain.lower()}", search=text.lower())
