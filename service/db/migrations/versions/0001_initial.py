"""Labels, clients, contests, cached verifications, audit"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.db.types import BigSerial, Digest, JsonValue, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", BigSerial, autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("details", JsonValue, nullable=False),
        sa.Column("previous_hash", Digest(), nullable=False),
        sa.Column("hash", Digest(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_table(
        "client",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.Column("scopes", JsonValue, nullable=False),
        sa.Column("profiles", JsonValue, nullable=True),
        sa.Column("identities", JsonValue, nullable=True),
        sa.Column("label_rate", sa.String(length=40), nullable=False),
        sa.Column("verify_rate", sa.String(length=40), nullable=False),
        sa.Column("label_concurrency", sa.Integer(), nullable=False),
        sa.Column("verify_concurrency", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
        sa.UniqueConstraint("name", name=op.f("uq_client_name")),
    )
    op.create_table(
        "verification",
        sa.Column("key", Digest(), nullable=False),
        sa.Column("asset_sha256", Digest(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("report", JsonValue, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_verification")),
    )
    with op.batch_alter_table("verification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verification_asset_sha256"), ["asset_sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_verification_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "client_key",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=32), nullable=False),
        sa.Column("secret_sha256", Digest(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_client_key_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_key")),
    )
    with op.batch_alter_table("client_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_client_key_client_id"), ["client_id"], unique=False)

    op.create_table(
        "label",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("client_id", sa.String(length=32), nullable=True),
        sa.Column("input_sha256", Digest(), nullable=False),
        sa.Column("output_sha256", Digest(), nullable=False),
        sa.Column("manifest_sha256", Digest(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("carrier", sa.String(length=20), nullable=False),
        sa.Column("profiles", JsonValue, nullable=False),
        sa.Column("layers", JsonValue, nullable=False),
        sa.Column("disclosure", JsonValue, nullable=False),
        sa.Column("identity_name", sa.String(length=100), nullable=False),
        sa.Column("cert_fingerprint", Digest(), nullable=False),
        sa.Column("receipt", JsonValue, nullable=False),
        sa.Column("content_size", BigSerial, nullable=False),
        sa.Column("content_until", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.Column("log_index", BigSerial, nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_label_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
    )
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_label_cert_fingerprint"), ["cert_fingerprint"], unique=False)
        batch_op.create_index(batch_op.f("ix_label_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_label_content_until"), ["content_until"], unique=False)
        batch_op.create_index("ix_label_created_at_id", ["created_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_label_identity_name"), ["identity_name"], unique=False)
        batch_op.create_index(batch_op.f("ix_label_input_sha256"), ["input_sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_label_manifest_sha256"), ["manifest_sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_label_output_sha256"), ["output_sha256"], unique=False)

    op.create_table(
        "contest",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("label_id", sa.String(length=100), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["label_id"], ["label.id"], name=op.f("fk_contest_label_id_label")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_contest")),
    )
    with op.batch_alter_table("contest", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contest_label_id"), ["label_id"], unique=False)
        batch_op.create_index("ix_contest_state_created_at", ["state", "created_at"], unique=False)

    op.create_table(
        "idempotency",
        sa.Column("client_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", Digest(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("locked_until", UtcDateTime(), nullable=False),
        sa.Column("attempt", sa.String(length=32), nullable=False),
        sa.Column("label_id", sa.String(length=100), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["label_id"], ["label.id"], name=op.f("fk_idempotency_label_id_label")),
        sa.PrimaryKeyConstraint("client_id", "key", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_expires_at"), ["expires_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_expires_at"))

    op.drop_table("idempotency")
    with op.batch_alter_table("contest", schema=None) as batch_op:
        batch_op.drop_index("ix_contest_state_created_at")
        batch_op.drop_index(batch_op.f("ix_contest_label_id"))

    op.drop_table("contest")
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_label_output_sha256"))
        batch_op.drop_index(batch_op.f("ix_label_manifest_sha256"))
        batch_op.drop_index(batch_op.f("ix_label_input_sha256"))
        batch_op.drop_index(batch_op.f("ix_label_identity_name"))
        batch_op.drop_index("ix_label_created_at_id")
        batch_op.drop_index(batch_op.f("ix_label_content_until"))
        batch_op.drop_index(batch_op.f("ix_label_client_id"))
        batch_op.drop_index(batch_op.f("ix_label_cert_fingerprint"))

    op.drop_table("label")
    with op.batch_alter_table("client_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_client_key_client_id"))

    op.drop_table("client_key")
    with op.batch_alter_table("verification", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_verification_expires_at"))
        batch_op.drop_index(batch_op.f("ix_verification_asset_sha256"))

    op.drop_table("verification")
    op.drop_table("client")
    op.drop_table("audit")
