"""What is taken and shown."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, EmailStr


class Signup(BaseModel):
    """Somebody who joins."""

    model_config = ConfigDict(extra="forbid")

    email: EmailStr
    referred_by: str | None = None


class SubscriberOut(BaseModel):
    """A subscriber with their place."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    email: str
    joined_at: datetime
    position: int
    referral_code: str
    referral_count: int


class Page(BaseModel):
    """Some of the line, and how many there are."""

    items: list[SubscriberOut]
    total: int
    page: int
    limit: int
