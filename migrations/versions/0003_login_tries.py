"""Count tries to sign in where all processes see them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Do."""
    op.create_table(
        "login_tries",
        sa.Column("pair", sa.String(length=64), nullable=False),
        sa.Column("times", sa.JSON(), nullable=False),
        sa.Column("latest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pair", name=op.f("pk_login_tries")),
    )
    op.create_index(op.f("ix_login_tries_latest"), "login_tries", ["latest"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("login_tries")
