"""Offers that can be accepted; and what a contract owed while it ran stays included when the house comes to it later."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.migrations.security import audited, tenant_table

revision = "0009_offers"
down_revision = "0008_run_notices"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
COVERED_BY_DAY_OF_WORK = "AND NEW.work_date >= c.starts_on AND (c.ends_on IS NULL OR NEW.work_date <= c.ends_on);"
COVERED_BY_DAY_OWED = """AND (NEW.work_date >= c.starts_on AND (c.ends_on IS NULL OR NEW.work_date <= c.ends_on)
           OR d.nominal_on >= c.starts_on AND (c.ends_on IS NULL OR d.nominal_on <= c.ends_on));"""


def _cover(old: str, new: str) -> None:
    """Put another condition into the guard of charged work, whatever else later migrations made of it."""
    op.execute(f"""
        DO $do$
        DECLARE body text := pg_get_functiondef('drehkreuz_check_work'::regproc);
        BEGIN
            IF position($was${old}$was$ IN body) = 0 THEN
                RAISE EXCEPTION 'drehkreuz_check_work is not the function that this migration knows';
            END IF;
            EXECUTE replace(body, $was${old}$was$, $is${new}$is$);
        END $do$
    """)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table(
        "offer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("monthly", sa.Numeric(14, 2), nullable=False),
        sa.Column("setup", sa.Numeric(14, 2)),
        sa.Column("updates", sa.Numeric(14, 2)),
        sa.Column("vat_rate", sa.Numeric(6, 2), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("archive_key", sa.Text(), nullable=False),
        sa.Column("accepted_on", sa.Date()),
        sa.Column("accepted_by", sa.Text()),
        sa.Column("entered_by", sa.Text()),
        sa.Column("contract_id", sa.BigInteger()),
        sa.Column("new_contract", sa.Boolean(), nullable=False),
        sa.Column("line_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("plan_id", sa.BigInteger()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_offer"),
        sa.UniqueConstraint("number", name="uq_offer__number"),
        sa.UniqueConstraint("customer_id", "id", name="uq_offer__customer_id_id"),
        sa.CheckConstraint("valid_until >= made_on", name="ck_offer__valid_after_made"),
        sa.CheckConstraint(
            "(accepted_on IS NULL) = (accepted_by IS NULL) AND (accepted_on IS NULL) = (contract_id IS NULL)",
            name="ck_offer__accepted_says_by_whom",
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_offer__customer_id"),
        sa.ForeignKeyConstraint(
            ["customer_id", "contract_id"], ["contract.customer_id", "contract.id"], name="fk_offer__customer_id_contract_id"
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "plan_id"], ["agreed_check.customer_id", "agreed_check.id"], name="fk_offer__customer_id_plan_id"
        ),
    )
    op.create_index("ix_offer__customer_id", "offer", ["customer_id"])
    tenant_table("offer")
    audited("offer")
    _cover(COVERED_BY_DAY_OF_WORK, COVERED_BY_DAY_OWED)


def downgrade() -> None:
    _cover(COVERED_BY_DAY_OWED, COVERED_BY_DAY_OF_WORK)
    op.drop_table("offer")
