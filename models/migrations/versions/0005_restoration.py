"""After a restore: the hold, mails that had left, numbers that were given."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.migrations.security import audited, house_table

revision = "0005_restoration"
down_revision = "0004_goods"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def _identity() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def upgrade() -> None:
    op.create_table(
        "restoration",
        _identity(),
        sa.Column("backup", sa.Text(), nullable=False),
        sa.Column("backup_made_at", INSTANT, nullable=False),
        sa.Column("restored_at", INSTANT, nullable=False),
        sa.Column("reconciled_at", INSTANT),
        sa.Column("lifted_at", INSTANT),
        sa.Column("lifted_by", sa.Text()),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_restoration"),
    )
    op.create_index(
        "uq_restoration__open", "restoration", [sa.text("(true)")], unique=True, postgresql_where=sa.text("lifted_at IS NULL")
    )
    op.create_table(
        "earlier_mail",
        _identity(),
        sa.Column("restoration_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("recipients", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("subject", sa.Text()),
        sa.Column("sent_at", INSTANT),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_earlier_mail"),
        sa.ForeignKeyConstraint(["restoration_id"], ["restoration.id"], name="fk_earlier_mail__restoration_id"),
        sa.UniqueConstraint("message_id", name="uq_earlier_mail__message_id"),
    )
    op.create_index("ix_earlier_mail__restoration_id", "earlier_mail", ["restoration_id"])
    op.create_table(
        "lost_number",
        _identity(),
        sa.Column("restoration_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("earlier_mail_id", sa.BigInteger()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("decided_at", INSTANT),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decision", sa.Text()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lost_number"),
        sa.ForeignKeyConstraint(["restoration_id"], ["restoration.id"], name="fk_lost_number__restoration_id"),
        sa.ForeignKeyConstraint(["earlier_mail_id"], ["earlier_mail.id"], name="fk_lost_number__earlier_mail_id"),
        sa.UniqueConstraint("number", name="uq_lost_number__number"),
    )
    for column in ("restoration_id", "earlier_mail_id"):
        op.create_index(f"ix_lost_number__{column}", "lost_number", [column])
    for table in ("restoration", "earlier_mail", "lost_number"):
        house_table(table)
    audited("restoration")
    audited("lost_number")


def downgrade() -> None:
    for table in ("lost_number", "earlier_mail", "restoration"):
        op.drop_table(table)
