"""Copy the line that is measured out of the product's SQLite file, make a key and print it."""

import json
import secrets
import sqlite3
import sys
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy import func, insert, select, text

from .database import Base, Sessions, engine, is_sqlite
from .models import ApiKey, Organisation, Subscriber, Waitlist
from .security import digest

COLUMNS = (
    "id, email, email_identity, join_number, priority_score, referral_code, referral_count, referred_by_id, joined_at"
)


def main(source: str, waitlist: str) -> None:
    """Do it."""
    Base.metadata.create_all(engine)
    token = secrets.token_urlsafe(32)
    with Sessions() as session:
        scopes = ["subscribers:read", "subscribers:write"]
        organisation = Organisation(name="Benchmarks", plan="team")
        session.add(organisation)
        session.flush()
        key = ApiKey(
            organisation_id=organisation.id, name="load", prefix=token[:12], digest=digest(token), scopes=scopes
        )
        line = Waitlist(organisation_id=organisation.id, public_id=waitlist)
        session.add_all([key, line])
        session.flush()
        rows = sqlite3.connect(source).execute(f"SELECT {COLUMNS} FROM subscribers ORDER BY id")
        names = [column[0] for column in rows.description]
        while batch := [dict(zip(names, row, strict=True)) for row in islice(rows, 5000)]:
            for row in batch:
                row["joined_at"] = datetime.fromisoformat(row["joined_at"]).replace(tzinfo=UTC)
            session.execute(insert(Subscriber), [row | {"waitlist_id": line.id} for row in batch])
        line.next_join_number = (session.scalar(select(func.max(Subscriber.join_number))) or 0) + 1
        if not is_sqlite:
            session.execute(text("SELECT setval('subscribers_id_seq', (SELECT max(id) FROM subscribers))"))
        session.commit()
    print(json.dumps({"key": token}))


if __name__ == "__main__":
    main(*sys.argv[1:])
