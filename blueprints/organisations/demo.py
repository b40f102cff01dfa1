"""What a fresh installation starts with: an organisation, its admin, and a waitlist with people in line."""

from typing import NamedTuple, Self

from models import Actor, EmailAddress, Organisation, Plan, Role, Subscriber, User, Waitlist
from models.user import random_password

ORGANISATION = "Acorn"
ADMIN = "Robin Oak"
EMAIL = "admin@example.org"

# Name and, for those who were referred, by whom.
LINE = (
    ("ada", None),
    ("grace", None),
    ("alan", "ada"),
    ("edsger", None),
    ("barbara", "ada"),
    ("donald", "grace"),
    ("margaret", None),
    ("dennis", "margaret"),
    ("radia", "margaret"),
    ("ken", None),
    ("frances", "margaret"),
    ("tony", "radia"),
)


class Demo(NamedTuple):
    """What was made, and the one copy of the admin's password."""

    organisation: Organisation
    admin: User
    password: str
    waitlist: Waitlist

    @classmethod
    def create(cls, actor: Actor) -> Self | None:
        """Fill an empty database in the open transaction; None, and nothing written, if it is in use."""
        if not Organisation.none_yet():
            return None
        organisation = Organisation.create(ORGANISATION, Plan.PRO, actor)
        password = random_password()
        admin = User.create(organisation, EMAIL, Role.ADMIN, password, actor, name=ADMIN)
        waitlist = Waitlist.create(organisation, "Spring launch", actor)
        codes: dict[str | None, str | None] = {None: None}
        for name, referrer in LINE:
            address = EmailAddress.parse(f"{name}@example.org")
            subscriber = Subscriber.join(waitlist, address, actor, referred_by=codes[referrer])
            codes[name] = subscriber.referral_code
        return cls(organisation, admin, password, waitlist)
