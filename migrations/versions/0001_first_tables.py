"""The first tables, and the triggers that keep the activity log append-only."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TRIGRAMS = {
    "sqlite": (
        """CREATE VIRTUAL TABLE subscriber_search USING fts5(
            email_search, content = '', tokenize = 'trigram case_sensitive 1')""",
    ),
    # btree_gin lets the waitlist stand in the same index: a search reads no other list. The list of pending
    # entries, which every search reads through, is kept short.
    "postgresql": (
        "CREATE EXTENSION IF NOT EXISTS pg_trgm",
        "CREATE EXTENSION IF NOT EXISTS btree_gin",
        """CREATE INDEX ix_subscribers_search ON subscribers
        USING gin (waitlist_id, email_search gin_trgm_ops) WITH (gin_pending_list_limit = 256)""",
    ),
}

APPEND_ONLY = {
    "sqlite": (
        """CREATE TRIGGER activity_events_no_update BEFORE UPDATE ON activity_events
        BEGIN SELECT RAISE(ABORT, 'activity events are append-only'); END""",
        # INSERT OR REPLACE fires no DELETE trigger on a connection without recursive_triggers, which any other
        # program's is.
        """CREATE TRIGGER activity_events_no_replace BEFORE INSERT ON activity_events
        WHEN NEW.id > 0 AND EXISTS (SELECT 1 FROM activity_events WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'activity events are append-only'); END""",
        """CREATE TRIGGER activity_events_no_delete BEFORE DELETE ON activity_events
        BEGIN SELECT RAISE(ABORT, 'activity events are append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION refuse_change_of_activity() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'activity events are append-only'; END $$""",
        """CREATE TRIGGER activity_events_append_only BEFORE UPDATE OR DELETE ON activity_events
        FOR EACH ROW EXECUTE FUNCTION refuse_change_of_activity()""",
        """CREATE TRIGGER activity_events_no_truncate BEFORE TRUNCATE ON activity_events
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_activity()""",
    ),
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "organisations",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("plan", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("plan IN ('free', 'pro', 'team')", name=op.f("ck_organisations_plan")),
        sa.CheckConstraint("slug <> ''", name=op.f("ck_organisations_slug")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("slug", name=op.f("uq_organisations_slug")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "activity_events",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("organisation_id", BIG_ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("actor_type", sa.String(length=16), nullable=False),
        sa.Column("actor_id", BIG_ID, nullable=True),
        sa.Column("actor_name", sa.String(length=320), nullable=False),
        sa.Column("actor_email", sa.String(length=320), nullable=True),
        sa.Column("actor_prefix", sa.String(length=16), nullable=True),
        sa.Column("target_type", sa.String(length=32), nullable=False),
        sa.Column("target_id", sa.String(length=64), nullable=False),
        sa.Column("target_label", sa.String(length=320), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=512), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("details", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.CheckConstraint("actor_type IN ('user', 'api_key', 'system')", name=op.f("ck_activity_events_actor_type")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_activity_events_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_events")),
        sqlite_autoincrement=True,
    )
    for name, columns in (
        ("organisation_id_at_id", ["organisation_id", "at", "id"]),
        ("organisation_id_action_at_id", ["organisation_id", "action", "at", "id"]),
        ("organisation_id_actor_type_at_id", ["organisation_id", "actor_type", "at", "id"]),
    ):
        op.create_index(f"ix_activity_events_{name}", "activity_events", columns)

    op.create_table(
        "users",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("organisation_id", BIG_ID, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_identity", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.String(length=60), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('admin', 'member')", name=op.f("ck_users_role")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_users_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_identity", name=op.f("uq_users_email_identity")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_users_organisation_id"), "users", ["organisation_id"])

    op.create_table(
        "waitlists",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("organisation_id", BIG_ID, nullable=False),
        sa.Column("public_id", sa.String(length=15), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("has_referrals", sa.Boolean(), nullable=False),
        sa.Column("referral_skip", sa.Integer(), nullable=False),
        sa.Column("next_join_number", BIG_ID, nullable=False),
        sa.Column("subscribers_count", BIG_ID, nullable=False),
        sa.Column("referred_count", BIG_ID, nullable=False),
        sa.CheckConstraint("subscribers_count >= 0", name=op.f("ck_waitlists_subscribers_count")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("ck_waitlists_name")),
        sa.CheckConstraint("next_join_number >= 1", name=op.f("ck_waitlists_next_join_number")),
        sa.CheckConstraint("referral_skip BETWEEN 1 AND 100", name=op.f("ck_waitlists_referral_skip")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_waitlists_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlists")),
        sa.UniqueConstraint("public_id", name=op.f("uq_waitlists_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_waitlists_organisation_id"), "waitlists", ["organisation_id"])

    op.create_table(
        "api_keys",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("organisation_id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.String(255), nullable=False),
        sa.Column("prefix", sa.String(length=12), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("form_value", sa.String(length=64), nullable=True),
        sa.Column("created_by_id", BIG_ID, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("ck_api_keys_name")),
        sa.CheckConstraint("scopes <> ''", name=op.f("ck_api_keys_scopes")),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_api_keys_digest")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_api_keys_created_by_id_users")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_api_keys_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
        sa.UniqueConstraint("form_value", name=op.f("uq_api_keys_form_value")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_api_keys_organisation_id_revoked_at", "api_keys", ["organisation_id", "revoked_at"])

    op.create_table(
        "subscribers",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("waitlist_id", BIG_ID, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_identity", sa.String(length=320), nullable=False),
        sa.Column("email_search", sa.String(length=320), nullable=False),
        sa.Column("join_number", BIG_ID, nullable=False),
        sa.Column("priority_score", BIG_ID, nullable=False),
        sa.Column("line_key", BIG_ID, sa.Computed("join_number - priority_score", persisted=True), nullable=False),
        sa.Column("referral_code", sa.String(length=6), nullable=True),
        sa.Column("referral_count", sa.Integer(), nullable=False),
        sa.Column("referred_by_id", BIG_ID, nullable=True),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("referral_count >= 0 AND priority_score >= 0", name=op.f("ck_subscribers_referrals")),
        sa.ForeignKeyConstraint(
            ["referred_by_id"], ["subscribers.id"], name=op.f("fk_subscribers_referred_by_id_subscribers")
        ),
        sa.ForeignKeyConstraint(["waitlist_id"], ["waitlists.id"], name=op.f("fk_subscribers_waitlist_id_waitlists")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscribers")),
        sa.UniqueConstraint("waitlist_id", "email_identity", name=op.f("uq_subscribers_waitlist_id_email_identity")),
        sa.UniqueConstraint("waitlist_id", "join_number", name=op.f("uq_subscribers_waitlist_id_join_number")),
        sa.UniqueConstraint("waitlist_id", "referral_code", name=op.f("uq_subscribers_waitlist_id_referral_code")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscribers_line", "subscribers", ["waitlist_id", "line_key", sa.text("join_number DESC")])
    op.create_table(
        "line_counts",
        sa.Column("waitlist_id", BIG_ID, nullable=False),
        sa.Column("shift", sa.Integer(), nullable=False),
        sa.Column("chunk", BIG_ID, nullable=False),
        sa.Column("count", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(["waitlist_id"], ["waitlists.id"], name=op.f("fk_line_counts_waitlist_id_waitlists")),
        sa.PrimaryKeyConstraint("waitlist_id", "shift", "chunk", name=op.f("pk_line_counts")),
        sqlite_with_rowid=False,
    )
    for statement in TRIGRAMS[op.get_bind().dialect.name]:
        op.execute(statement)
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Undo."""
    if op.get_bind().dialect.name == "sqlite":
        op.drop_table("subscriber_search")
    for table in ("line_counts", "subscribers", "api_keys", "waitlists", "users", "activity_events", "organisations"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change_of_activity()")
