"""The two calls."""

import os
import secrets
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query, Response
from sqlalchemy import and_, func, or_, select, update

from .database import SessionDep
from .models import ActivityEvent, Subscriber, Waitlist
from .schemas import Page, Signup, SubscriberOut
from .security import KeyDep, require

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CONSTANT_TOTAL = int(os.environ.get("CONSTANT_TOTAL", "0"))  # the variant that counts nobody

app = FastAPI()


def get_waitlist(waitlist_id: str, key: KeyDep, session: SessionDep) -> Waitlist:
    """The caller's waitlist of this id."""
    is_theirs = (Waitlist.public_id == waitlist_id, Waitlist.organisation_id == key.organisation_id)
    waitlist = session.scalar(select(Waitlist).where(*is_theirs))
    if waitlist is None:
        raise HTTPException(404, "No such waitlist.")
    return waitlist


WaitlistDep = Annotated[Waitlist, Depends(get_waitlist)]


@app.get("/waitlists/{waitlist_id}/subscribers", dependencies=[Depends(require("subscribers:read"))])
def list_subscribers(
    waitlist: WaitlistDep,
    session: SessionDep,
    page: Annotated[int, Query(ge=1)] = 1,
    limit: Annotated[int, Query(ge=1, le=200)] = 25,
) -> Page:
    """One page of the line, and how many are on all pages."""
    is_here = Subscriber.waitlist_id == waitlist.id
    in_line = (Subscriber.line_key, Subscriber.join_number.desc())
    place = func.row_number().over(order_by=in_line)
    rows = session.execute(
        select(Subscriber, place).where(is_here).order_by(*in_line).offset((page - 1) * limit).limit(limit)
    )
    items = [_shown(subscriber, position) for subscriber, position in rows]
    total = CONSTANT_TOTAL or session.scalar(select(func.count()).select_from(Subscriber).where(is_here)) or 0
    return Page(items=items, total=total, page=page, limit=limit)


@app.post("/waitlists/{waitlist_id}/subscribers", dependencies=[Depends(require("subscribers:write"))], status_code=201)
def create_subscriber(
    signup: Signup, waitlist: WaitlistDep, key: KeyDep, session: SessionDep, response: Response
) -> SubscriberOut:
    """Join: 201, or 200 for a known address."""
    is_known = (Subscriber.waitlist_id == waitlist.id, Subscriber.email_identity == signup.email.lower())
    known = session.scalar(select(Subscriber).where(*is_known))
    if known is not None:
        response.status_code = 200
        return _shown(known, _place(session, known))
    referrer = _referrer(session, waitlist, signup.referred_by) if signup.referred_by else None
    is_this = Waitlist.id == waitlist.id
    took = update(Waitlist).where(is_this).values(next_join_number=Waitlist.next_join_number + 1)
    next_number = session.execute(took.returning(Waitlist.next_join_number)).scalar_one()
    subscriber = Subscriber(
        waitlist_id=waitlist.id,
        email=signup.email,
        email_identity=signup.email.lower(),
        join_number=next_number - 1,
        referral_code="".join(secrets.choice(ALPHABET) for _ in range(6)),
        referred_by_id=referrer.id if referrer else None,
    )
    session.add(subscriber)
    if referrer is not None:
        referrer.priority_score = Subscriber.priority_score + waitlist.referral_skip
        referrer.referral_count = Subscriber.referral_count + 1
    session.flush()
    event = ActivityEvent(
        organisation_id=waitlist.organisation_id,
        action="subscriber.created",
        actor_name=key.name,
        actor_prefix=key.prefix,
        target_id=str(subscriber.id),
        target_label=subscriber.email,
        details={"waitlist_id": waitlist.public_id},
    )
    session.add(event)
    session.commit()
    return _shown(subscriber, _place(session, subscriber))


def _referrer(session: SessionDep, waitlist: Waitlist, code: str) -> Subscriber:
    is_theirs = (Subscriber.waitlist_id == waitlist.id, Subscriber.referral_code == code)
    referrer = session.scalar(select(Subscriber).where(*is_theirs))
    if referrer is None:
        raise HTTPException(422, "Unknown referral code.")
    return referrer


def _place(session: SessionDep, one: Subscriber) -> int:
    is_ahead = or_(
        Subscriber.line_key < one.line_key,
        and_(Subscriber.line_key == one.line_key, Subscriber.join_number > one.join_number),
    )
    ahead = select(func.count()).select_from(Subscriber).where(Subscriber.waitlist_id == one.waitlist_id, is_ahead)
    return (session.scalar(ahead) or 0) + 1


def _shown(subscriber: Subscriber, position: int) -> SubscriberOut:
    return SubscriberOut(
        id=subscriber.id,
        email=subscriber.email,
        joined_at=subscriber.joined_at,
        position=position,
        referral_code=subscriber.referral_code,
        referral_count=subscriber.referral_count,
    )
