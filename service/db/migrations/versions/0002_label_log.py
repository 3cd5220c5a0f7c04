"""The label log: entries, inner nodes, head"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.db.types import BigSerial, Digest, JsonValue, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_entry",
        sa.Column("index", BigSerial, autoincrement=False, nullable=False),
        sa.Column("leaf_hash", Digest(), nullable=False),
        sa.Column("label_id", sa.String(length=100), nullable=False),
        sa.Column("record", JsonValue, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_log_entry")),
    )
    with op.batch_alter_table("log_entry", schema=None) as batch_op:
        batch_op.create_index("ix_log_entry_created_at", ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_log_entry_label_id"), ["label_id"], unique=False)

    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", BigSerial, nullable=False),
        sa.Column("frontier", JsonValue, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_head")),
    )
    op.create_table(
        "log_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", BigSerial, autoincrement=False, nullable=False),
        sa.Column("hash", Digest(), nullable=False),
        sa.PrimaryKeyConstraint("level", "index", name=op.f("pk_log_node")),
    )


def downgrade() -> None:
    op.drop_table("log_node")
    op.drop_table("log_head")
    with op.batch_alter_table("log_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_log_entry_label_id"))
        batch_op.drop_index("ix_log_entry_created_at")

    op.drop_table("log_entry")
