"""What the orchestration tells of runs that are late, crashed or failed."""

import sqlalchemy as sa
from alembic import op

from models.migrations.security import house_table

revision = "0008_run_notices"
down_revision = "0007_hardening"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TROUBLE = sa.Enum("late", "crashed", "failed", name="runtrouble", native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "run_notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("flow_run_id", sa.Text(), nullable=False),
        sa.Column("trouble", TROUBLE, nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("run_name", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("told_at", INSTANT, nullable=False),
        sa.Column("settled_at", INSTANT),
        sa.Column("settled_by", sa.Text()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_run_notice"),
        sa.UniqueConstraint("flow_run_id", "trouble", name="uq_run_notice__flow_run_id_trouble"),
    )
    op.create_index("ix_run_notice__open", "run_notice", ["told_at"], postgresql_where=sa.text("settled_at IS NULL"))
    house_table("run_notice")


def downgrade() -> None:
    op.drop_table("run_notice")
