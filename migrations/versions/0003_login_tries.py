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
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("pair", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("minute", "pair", name=op.f("pk_login_tries")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("login_tries")
