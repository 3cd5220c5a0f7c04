"""The manifest store in the label's row, and the name of contents that share a file"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    by_digest = sa.text("content_at IS NULL")
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.add_column(sa.Column("manifest_store", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("content_at", sa.String(length=80), nullable=True))
        batch_op.drop_index("ix_label_content_until")
        batch_op.create_index(
            "ix_label_content_until",
            ["content_until"],
            unique=False,
            sqlite_where=by_digest,
            postgresql_where=by_digest,
        )


def downgrade() -> None:
    """Bytes that only the new columns lead to are lost to the older version."""
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.drop_index("ix_label_content_until")
        batch_op.create_index("ix_label_content_until", ["content_until"], unique=False)
        batch_op.drop_column("content_at")
        batch_op.drop_column("manifest_store")
