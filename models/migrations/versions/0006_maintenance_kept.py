"""Maintenance: changes of plans are remembered so that they can be undone; proof of a check stays with its ticket."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.migrations.security import audited, tenant_table

revision = "0006_maintenance_kept"
down_revision = "0005_restoration"
branch_labels = None
depends_on = None

# a result may be corrected until the ticket is closed, but not taken away once the ticket has ended
RESULT = """
CREATE OR REPLACE FUNCTION drehkreuz_check_result_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM due_date d JOIN ticket t ON t.id = d.ticket_id WHERE d.id = OLD.due_date_id
               AND (t.state = 'closed' OR {ended}))
       OR (TG_OP = 'UPDATE' AND NEW.due_date_id <> OLD.due_date_id) THEN
        RAISE EXCEPTION 'frozen: % of check_result.% refused, its ticket is closed', TG_OP, OLD.id USING ERRCODE = 'DK001';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
"""
EVIDENCE = """
CREATE FUNCTION drehkreuz_check_evidence_closed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    result bigint := CASE WHEN TG_OP = 'INSERT' THEN NEW.check_result_id ELSE OLD.check_result_id END;
BEGIN
    IF TG_OP = 'UPDATE' OR EXISTS (
        SELECT 1 FROM check_result r JOIN due_date d ON d.id = r.due_date_id JOIN ticket t ON t.id = d.ticket_id
        WHERE r.id = result AND t.state = 'closed'
    ) THEN
        RAISE EXCEPTION 'frozen: % of the evidence of check_result.% refused', TG_OP, result USING ERRCODE = 'DK001';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER closed BEFORE INSERT OR UPDATE OR DELETE ON check_evidence FOR EACH ROW
    EXECUTE FUNCTION drehkreuz_check_evidence_closed();
"""
# every step to an end is proven, also the one from resolved to closed
PROVEN = """
DROP TRIGGER proven ON ticket;
CREATE TRIGGER proven BEFORE UPDATE OF state ON ticket FOR EACH ROW
    WHEN (NEW.state IN ('resolved', 'closed') AND {from_state}) EXECUTE FUNCTION drehkreuz_ticket_proven();
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table('plan_change',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=False),
    sa.Column('agreed_check_id', sa.BigInteger(), nullable=False),
    sa.Column('successor_id', sa.BigInteger(), nullable=True),
    sa.Column('sentence', sa.Text(), nullable=False),
    sa.Column('made_by', sa.Text(), nullable=False),
    sa.Column('before', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('after', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('undone_by', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('(undone_at IS NULL) = (undone_by IS NULL)', name=op.f('ck_plan_change__undone_says_by_whom')),
    sa.ForeignKeyConstraint(['customer_id', 'agreed_check_id'], ['agreed_check.customer_id', 'agreed_check.id'], name=op.f('fk_plan_change__customer_id_agreed_check_id')),
    sa.ForeignKeyConstraint(['customer_id', 'successor_id'], ['agreed_check.customer_id', 'agreed_check.id'], name=op.f('fk_plan_change__customer_id_successor_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_plan_change__customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plan_change'))
    )
    op.create_index(op.f('ix_plan_change__agreed_check_id'), 'plan_change', ['agreed_check_id'], unique=False)
    op.create_index(op.f('ix_plan_change__customer_id'), 'plan_change', ['customer_id'], unique=False)
    tenant_table("plan_change", customer_may=())
    audited("plan_change")
    op.execute(RESULT.format(ended="(TG_OP = 'DELETE' AND t.state = 'resolved')"))
    op.execute(EVIDENCE)
    op.execute(PROVEN.format(from_state="OLD.state <> NEW.state"))


def downgrade() -> None:
    op.drop_table('plan_change')
    op.execute(PROVEN.format(from_state="OLD.state NOT IN ('resolved', 'closed')"))
    op.execute("DROP TRIGGER closed ON check_evidence; DROP FUNCTION drehkreuz_check_evidence_closed()")
    op.execute(RESULT.format(ended="false"))
