"""Who calls: a live key of an organisation on a paid plan, with the scope that the call needs."""

import hashlib
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select

from .database import SessionDep
from .models import ApiKey

PAID_PLANS = {"pro", "team"}
bearer = HTTPBearer()


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def get_key(session: SessionDep, credentials: Annotated[HTTPAuthorizationCredentials, Security(bearer)]) -> ApiKey:
    """The key of the token."""
    is_live = (ApiKey.digest == digest(credentials.credentials), ApiKey.revoked_at.is_(None))
    key = session.scalar(select(ApiKey).where(*is_live))
    if key is None:
        raise HTTPException(401, "Unknown key.")
    if key.organisation.plan not in PAID_PLANS:
        raise HTTPException(403, "The plan does not have the API.")
    return key


KeyDep = Annotated[ApiKey, Depends(get_key)]


def require(scope: str) -> Callable[[ApiKey], None]:
    """A dependency that refuses keys without the scope."""

    def check(key: KeyDep) -> None:
        if scope not in key.scopes:
            raise HTTPException(403, f"The key lacks {scope}.")

    return check
