"""Copy the line that is measured out of the product's SQLite file, and make a key."""

import json
import sqlite3
from argparse import ArgumentParser
from datetime import UTC, datetime
from itertools import islice

from django.core.management import BaseCommand, call_command
from django.db import connection, transaction

from waitlists.models import Organisation, OrganisationAPIKey, Subscriber, Waitlist

COLUMNS = (
    "id, email, email_identity, join_number, priority_score, referral_code, referral_count, referred_by_id, joined_at"
)


class Command(BaseCommand):
    """Makes tables, rows and a key, and prints the key."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The product's file, and the id of its waitlist."""
        parser.add_argument("source")
        parser.add_argument("waitlist")

    def handle(self, *_args: object, source: str, waitlist: str, **_options: object) -> None:
        """Do it."""
        call_command("migrate", run_syncdb=True, verbosity=0)
        with connection.constraint_checks_disabled(), transaction.atomic():
            organisation = Organisation.objects.create(name="Benchmarks", plan="team")
            line = Waitlist.objects.create(organisation=organisation, public_id=waitlist)
            rows = sqlite3.connect(source).execute(f"SELECT {COLUMNS} FROM subscribers ORDER BY id")
            names = [column[0] for column in rows.description]
            while batch := [dict(zip(names, row, strict=True)) for row in islice(rows, 5000)]:
                for row in batch:
                    row["joined_at"] = datetime.fromisoformat(row["joined_at"]).replace(tzinfo=UTC)
                Subscriber.objects.bulk_create([Subscriber(waitlist=line, **row) for row in batch])
            line.next_join_number = row["join_number"] + 1
            line.save()
            scopes = ["subscribers:read", "subscribers:write"]
            _, key = OrganisationAPIKey.objects.create_key(name="load", organisation=organisation, scopes=scopes)
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT setval(pg_get_serial_sequence('waitlists_subscriber', 'id'), max(id)) "
                        "FROM waitlists_subscriber"
                    )
        self.stdout.write(json.dumps({"key": key}))
