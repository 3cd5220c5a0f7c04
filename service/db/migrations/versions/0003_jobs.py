"""Batch jobs, their effects, the outbox of web hooks; on PostgreSQL the queue engine's own schema"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from service.db.types import Digest, JsonValue, UtcDateTime
from service.jobs.postgres import SCHEMA, install_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=32), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.Column("fingerprint", Digest(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("webhook_url", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_job_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("client_id", "idempotency_key", name=op.f("uq_job_client_id_idempotency_key")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_finished_at"), ["finished_at"], unique=False)

    op.create_table(
        "job_effect",
        sa.Column("effect", Digest(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("label_id", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(["label_id"], ["label.id"], name=op.f("fk_job_effect_label_id_label")),
        sa.PrimaryKeyConstraint("effect", name=op.f("pk_job_effect")),
    )
    op.create_table(
        "job_item",
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("object_key", sa.Text(), nullable=True),
        sa.Column("input_sha256", Digest(), nullable=True),
        sa.Column("statement", JsonValue, nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("label_id", sa.String(length=100), nullable=True),
        sa.Column("error", JsonValue, nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_item_job_id_job")),
        sa.ForeignKeyConstraint(["label_id"], ["label.id"], name=op.f("fk_job_item_label_id_label")),
        sa.PrimaryKeyConstraint("job_id", "index", name=op.f("pk_job_item")),
    )
    with op.batch_alter_table("job_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_item_input_sha256"), ["input_sha256"], unique=False)
        batch_op.create_index("ix_job_item_state_updated_at", ["state", "updated_at"], unique=False)

    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=80), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_webhook_delivery_client_id_client")),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_webhook_delivery_job_id_job")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
    )
    with op.batch_alter_table("webhook_delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_delivery_job_id"), ["job_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_webhook_delivery_state"), ["state"], unique=False)

    _engine(install_sql)


def downgrade() -> None:
    _engine(lambda: f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    with op.batch_alter_table("webhook_delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_delivery_state"))
        batch_op.drop_index(batch_op.f("ix_webhook_delivery_job_id"))

    op.drop_table("webhook_delivery")
    with op.batch_alter_table("job_item", schema=None) as batch_op:
        batch_op.drop_index("ix_job_item_state_updated_at")
        batch_op.drop_index(batch_op.f("ix_job_item_input_sha256"))

    op.drop_table("job_item")
    op.drop_table("job_effect")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_finished_at"))
        batch_op.drop_index(batch_op.f("ix_job_client_id"))

    op.drop_table("job")


def _engine(sql: Callable[[], str]) -> None:
    """Run the engine's own statements in this migration's transaction; SQLite has no engine tables."""
    connection = op.get_bind().connection.driver_connection
    if connection is not None and op.get_bind().dialect.name == "postgresql":
        connection.execute(sql())
