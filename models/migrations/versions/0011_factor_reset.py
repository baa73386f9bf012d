"""Whoever takes a second factor away says how the person was known."""

import sqlalchemy as sa
from alembic import op

revision = "0011_factor_reset"
down_revision = "0010_access"
branch_labels = None
depends_on = None

RULE = "ck_login__reset_says_how_known"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.add_column("login", sa.Column("factor_reset_at", sa.DateTime(timezone=True)))
    op.add_column("login", sa.Column("factor_reset_proof", sa.Text()))
    op.create_check_constraint(op.f(RULE), "login", "(factor_reset_at IS NULL) = (factor_reset_proof IS NULL)")


def downgrade() -> None:
    op.drop_constraint(op.f(RULE), "login")
    op.drop_column("login", "factor_reset_proof")
    op.drop_column("login", "factor_reset_at")
