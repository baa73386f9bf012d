"""Proof of a check stays with its ticket: from the end of the ticket on no result, from its closing on no screenshot changes."""

from alembic import op

revision = "0005_kept_proof"
down_revision = "0004_goods"
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
    op.execute(RESULT.format(ended="(TG_OP = 'DELETE' AND t.state = 'resolved')"))
    op.execute(EVIDENCE)
    op.execute(PROVEN.format(from_state="OLD.state <> NEW.state"))


def downgrade() -> None:
    op.execute(PROVEN.format(from_state="OLD.state NOT IN ('resolved', 'closed')"))
    op.execute("DROP TRIGGER closed ON check_evidence; DROP FUNCTION drehkreuz_check_evidence_closed()")
    op.execute(RESULT.format(ended="false"))
