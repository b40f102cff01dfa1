"""Count every line anew, in chunks of 2^16, 2^12 and 2^8 keys instead of 2^20, 2^15, 2^10 and 2^5.

The first was found to cost a deep page half as much again: every level is a row of counts to be passed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COUNT_ANEW = sa.text(
    "INSERT INTO line_counts (waitlist_id, shift, chunk, count)"
    " SELECT waitlist_id, :shift, line_key >> :shift, count(*) FROM subscribers GROUP BY 1, 3"
)


def upgrade() -> None:
    """Do."""
    _count_in(16, 12, 8)


def downgrade() -> None:
    """Undo."""
    _count_in(20, 15, 10, 5)


def _count_in(*shifts: int) -> None:
    op.execute("DELETE FROM line_counts")
    for shift in shifts:
        op.execute(COUNT_ANEW.bindparams(sa.bindparam("shift", shift, sa.Integer)))
