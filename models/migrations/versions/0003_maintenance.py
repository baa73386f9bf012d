"""Maintenance: catalogue of checks, needs analysis in versions, due-ledger, proof, and the guards of all of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.migrations.security import audited, frozen_rows, house_table, tenant_table

revision = "0003_maintenance"
down_revision = "0002_guards"
branch_labels = None
depends_on = None

FUNCTIONS = """
-- what was agreed in a signed version never changes; a new agreement is a new version
CREATE FUNCTION drehkreuz_agreed_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    parent bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.needs_analysis_id ELSE NEW.needs_analysis_id END;
BEGIN
    IF EXISTS (SELECT 1 FROM needs_analysis n WHERE n.id = parent AND n.agreed_on IS NOT NULL)
       OR (TG_OP = 'UPDATE' AND OLD.needs_analysis_id <> parent) THEN
        RAISE EXCEPTION 'frozen: % of a line of needs_analysis.% refused, the version is agreed', TG_OP, parent
            USING ERRCODE = 'DK001';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- whoever changes what the dates follow from (an import, a person) has the ledger brought in line by the next round
CREATE FUNCTION drehkreuz_plan_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.written_until := NULL;
    RETURN NEW;
END $$;

-- the ledger shows the outcome of each date; the result is the one place where it is said
CREATE FUNCTION drehkreuz_check_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE due_date SET outcome = NULL WHERE id = OLD.due_date_id;
    ELSE
        UPDATE due_date SET outcome = NEW.outcome WHERE id = NEW.due_date_id;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION drehkreuz_check_result_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM due_date d JOIN ticket t ON t.id = d.ticket_id WHERE d.id = OLD.due_date_id AND t.state = 'closed')
       OR (TG_OP = 'UPDATE' AND NEW.due_date_id <> OLD.due_date_id) THEN
        RAISE EXCEPTION 'frozen: % of check_result.% refused, its ticket is closed', TG_OP, OLD.id USING ERRCODE = 'DK001';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- proof per check before the ticket can end (S110)
CREATE FUNCTION drehkreuz_ticket_proven() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    missing bigint;
BEGIN
    SELECT count(*) INTO missing FROM due_date d WHERE d.ticket_id = NEW.id AND d.outcome IS NULL;
    IF missing > 0 THEN
        RAISE EXCEPTION 'unproven: ticket % has % due date(s) without a result', NEW.number, missing USING ERRCODE = 'DK002';
    END IF;
    RETURN NEW;
END $$;

-- a date cannot slip into a ticket that has ended; the lock keeps it from ending meanwhile
CREATE FUNCTION drehkreuz_due_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.outcome IS NULL AND EXISTS (
        SELECT 1 FROM (SELECT state FROM ticket WHERE id = NEW.ticket_id FOR SHARE) t WHERE t.state IN ('resolved', 'closed')
    ) THEN
        RAISE EXCEPTION 'unproven: due date of plan % put into a ticket that has ended', NEW.agreed_check_id
            USING ERRCODE = 'DK002';
    END IF;
    RETURN NEW;
END $$;

-- charged work on checks: nothing that a flat contract covers, and for dates that were caught up never more than agreed (U25)
CREATE FUNCTION drehkreuz_check_work() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    cover text;
    agreed bigint;
    charged bigint;
    late boolean;
    ticket_no text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM due_date d WHERE d.ticket_id = NEW.ticket_id) THEN
        RETURN NEW;
    END IF;
    PERFORM 1 FROM ticket WHERE id = NEW.ticket_id FOR NO KEY UPDATE;
    SELECT min(c.number) INTO cover
    FROM due_date d JOIN agreed_check a ON a.id = d.agreed_check_id JOIN contract c ON c.id = a.contract_id
    WHERE d.ticket_id = NEW.ticket_id AND c.kind <> 'kontingent'
      AND NEW.work_date >= c.starts_on AND (c.ends_on IS NULL OR NEW.work_date <= c.ends_on);
    IF cover IS NOT NULL THEN
        RAISE EXCEPTION 'covered: work on this check is covered by contract %', cover USING ERRCODE = 'DK003';
    END IF;
    SELECT CASE WHEN count(*) = count(a.duration_minutes) THEN sum(a.duration_minutes) END,
           bool_or(d.due_on < (t.received_at AT TIME ZONE 'Europe/Berlin')::date), min(t.number)
    INTO agreed, late, ticket_no
    FROM due_date d JOIN agreed_check a ON a.id = d.agreed_check_id JOIN ticket t ON t.id = d.ticket_id
    WHERE d.ticket_id = NEW.ticket_id;
    IF late AND agreed IS NOT NULL THEN
        SELECT coalesce(sum(e.minutes), 0) INTO charged FROM service_entry e
        WHERE e.ticket_id = NEW.ticket_id AND e.billable AND e.id <> NEW.id;
        IF charged + NEW.minutes > agreed THEN
            RAISE EXCEPTION 'agreed: ticket % was caught up, % of % agreed minutes are charged already', ticket_no, charged, agreed
                USING ERRCODE = 'DK003';
        END IF;
    END IF;
    RETURN NEW;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER agreed_line BEFORE INSERT OR UPDATE OR DELETE ON needs_analysis_line FOR EACH ROW
    EXECUTE FUNCTION drehkreuz_agreed_line();
CREATE TRIGGER plan_changed BEFORE UPDATE OF cadence, starts_on, ends_on, shift ON agreed_check FOR EACH ROW
    WHEN ((OLD.cadence, OLD.starts_on, OLD.ends_on, OLD.shift) IS DISTINCT FROM (NEW.cadence, NEW.starts_on, NEW.ends_on, NEW.shift))
    EXECUTE FUNCTION drehkreuz_plan_changed();
CREATE TRIGGER outcome AFTER INSERT OR UPDATE OF outcome OR DELETE ON check_result FOR EACH ROW
    EXECUTE FUNCTION drehkreuz_check_outcome();
CREATE TRIGGER closed BEFORE UPDATE OR DELETE ON check_result FOR EACH ROW
    EXECUTE FUNCTION drehkreuz_check_result_closed();
CREATE TRIGGER proven BEFORE UPDATE OF state ON ticket FOR EACH ROW
    WHEN (NEW.state IN ('resolved', 'closed') AND OLD.state NOT IN ('resolved', 'closed'))
    EXECUTE FUNCTION drehkreuz_ticket_proven();
CREATE TRIGGER living_ticket BEFORE INSERT OR UPDATE OF ticket_id ON due_date FOR EACH ROW
    WHEN (NEW.ticket_id IS NOT NULL) EXECUTE FUNCTION drehkreuz_due_ticket();
CREATE TRIGGER check_work BEFORE INSERT OR UPDATE OF billable, minutes, ticket_id, work_date ON service_entry FOR EACH ROW
    WHEN (NEW.billable) EXECUTE FUNCTION drehkreuz_check_work();
CREATE TRIGGER audit_update AFTER UPDATE ON due_date FOR EACH ROW
    WHEN (current_setting('drehkreuz.bulk', true) IS DISTINCT FROM '1' AND NEW.cause = 'person' AND NEW.state <> 'created'
          AND OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION drehkreuz_audit();
"""

AGREED = "EXISTS (SELECT 1 FROM needs_analysis n WHERE n.id = needs_analysis_id AND n.agreed_on IS NOT NULL)"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table('check_catalogue',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('topic', sa.Text(), nullable=True),
    sa.Column('skill', sa.Text(), nullable=True),
    sa.Column('purpose', sa.Text(), nullable=True),
    sa.Column('cadence', sa.Text(), nullable=False),
    sa.Column('duration_minutes', sa.Integer(), nullable=False),
    sa.Column('checklist', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('readings', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('duration_minutes > 0', name=op.f('ck_check_catalogue__duration_positive')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_check_catalogue')),
    sa.UniqueConstraint('key', name=op.f('uq_check_catalogue__key'))
    )
    op.create_index('uq_check_catalogue__title', 'check_catalogue', [sa.literal_column('lower(title)')], unique=True)
    op.create_table('company_day',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_company_day')),
    sa.UniqueConstraint('day', name=op.f('uq_company_day__day'))
    )
    op.create_table('check_proof',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=False),
    sa.Column('month', sa.String(length=7), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('content_sha256', sa.String(length=64), nullable=False),
    sa.Column('archive_key', sa.Text(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name=op.f('ck_check_proof__month_format')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_check_proof__customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_check_proof')),
    sa.UniqueConstraint('customer_id', 'month', 'version', name=op.f('uq_check_proof__customer_id_month_version'))
    )
    op.create_index(op.f('ix_check_proof__customer_id'), 'check_proof', ['customer_id'], unique=False)
    op.create_table('needs_analysis_document',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=False),
    sa.Column('needs_analysis_id', sa.BigInteger(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('archive_key', sa.Text(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('added_by', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['customer_id', 'needs_analysis_id'], ['needs_analysis.customer_id', 'needs_analysis.id'], name=op.f('fk_needs_analysis_document__customer_id_needs_analysis_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_needs_analysis_document__customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_needs_analysis_document')),
    sa.UniqueConstraint('needs_analysis_id', 'sha256', name=op.f('uq_needs_analysis_document__needs_analysis_id_sha256'))
    )
    op.create_index(op.f('ix_needs_analysis_document__customer_id'), 'needs_analysis_document', ['customer_id'], unique=False)
    op.create_table('needs_analysis_line',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=False),
    sa.Column('needs_analysis_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('check', sa.Text(), nullable=False),
    sa.Column('cadence', sa.Text(), nullable=True),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('duration_minutes', sa.Integer(), nullable=False),
    sa.Column('window_opens', sa.Time(), nullable=True),
    sa.Column('window_closes', sa.Time(), nullable=True),
    sa.Column('technician_id', sa.BigInteger(), nullable=True),
    sa.Column('catch_up', sa.Enum('all', 'latest', 'one_listing', 'skip', name='catchup', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('shift', sa.Enum('none', 'next_workday', 'previous_workday', name='shift', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('site_id', sa.BigInteger(), nullable=True),
    sa.Column('contract_id', sa.BigInteger(), nullable=True),
    sa.Column('checklist', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('remark', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('(window_opens IS NULL) = (window_closes IS NULL)', name=op.f('ck_needs_analysis_line__whole_window')),
    sa.CheckConstraint('duration_minutes > 0', name=op.f('ck_needs_analysis_line__duration_positive')),
    sa.ForeignKeyConstraint(['customer_id', 'contract_id'], ['contract.customer_id', 'contract.id'], name=op.f('fk_needs_analysis_line__customer_id_contract_id')),
    sa.ForeignKeyConstraint(['customer_id', 'needs_analysis_id'], ['needs_analysis.customer_id', 'needs_analysis.id'], name=op.f('fk_needs_analysis_line__customer_id_needs_analysis_id')),
    sa.ForeignKeyConstraint(['customer_id', 'site_id'], ['site.customer_id', 'site.id'], name=op.f('fk_needs_analysis_line__customer_id_site_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_needs_analysis_line__customer_id')),
    sa.ForeignKeyConstraint(['technician_id'], ['employee.id'], name=op.f('fk_needs_analysis_line__technician_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_needs_analysis_line')),
    sa.UniqueConstraint('customer_id', 'id', name=op.f('uq_needs_analysis_line__customer_id_id')),
    sa.UniqueConstraint('needs_analysis_id', 'position', name=op.f('uq_needs_analysis_line__needs_analysis_id_position'))
    )
    op.create_index(op.f('ix_needs_analysis_line__customer_id'), 'needs_analysis_line', ['customer_id'], unique=False)
    op.create_index('uq_needs_analysis_line__check', 'needs_analysis_line', ['needs_analysis_id', 'check', 'site_id'], unique=True, postgresql_nulls_not_distinct=True)
    op.create_table('needs_analysis_ticket',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=False),
    sa.Column('needs_analysis_id', sa.BigInteger(), nullable=False),
    sa.Column('ticket_id', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['customer_id', 'needs_analysis_id'], ['needs_analysis.customer_id', 'needs_analysis.id'], name=op.f('fk_needs_analysis_ticket__customer_id_needs_analysis_id')),
    sa.ForeignKeyConstraint(['customer_id', 'ticket_id'], ['ticket.customer_id', 'ticket.id'], name=op.f('fk_needs_analysis_ticket__customer_id_ticket_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_needs_analysis_ticket__customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_needs_analysis_ticket')),
    sa.UniqueConstraint('needs_analysis_id', 'ticket_id', name=op.f('uq_needs_analysis_ticket__needs_analysis_id_ticket_id'))
    )
    op.create_index(op.f('ix_needs_analysis_ticket__customer_id'), 'needs_analysis_ticket', ['customer_id'], unique=False)
    op.create_index(op.f('ix_needs_analysis_ticket__ticket_id'), 'needs_analysis_ticket', ['ticket_id'], unique=False)
    op.create_table('due_date',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=False),
    sa.Column('agreed_check_id', sa.BigInteger(), nullable=False),
    sa.Column('nominal_on', sa.Date(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('state', sa.Enum('planned', 'created', 'skipped', 'moved', name='duestate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('cause', sa.Enum('person', 'pause', 'missed', 'superseded', 'closed', 'taken_over', name='cause', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('moved_to', sa.Date(), nullable=True),
    sa.Column('ticket_id', sa.BigInteger(), nullable=True),
    sa.Column('technician_id', sa.BigInteger(), nullable=True),
    sa.Column('slot_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.Enum('done', 'failed', 'skipped', name='checkoutcome', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("(state = 'created') = (ticket_id IS NOT NULL)", name=op.f('ck_due_date__created_has_ticket')),
    sa.CheckConstraint("(state = 'moved') = (moved_to IS NOT NULL)", name=op.f('ck_due_date__moved_says_where')),
    sa.CheckConstraint("outcome IS NULL OR state = 'created'", name=op.f('ck_due_date__outcome_needs_ticket')),
    sa.CheckConstraint("state NOT IN ('skipped', 'moved') OR (cause IS NOT NULL AND coalesce(length(trim(reason)), 0) > 0)", name=op.f('ck_due_date__left_out_says_why')),
    sa.ForeignKeyConstraint(['customer_id', 'agreed_check_id'], ['agreed_check.customer_id', 'agreed_check.id'], name=op.f('fk_due_date__customer_id_agreed_check_id')),
    sa.ForeignKeyConstraint(['customer_id', 'ticket_id'], ['ticket.customer_id', 'ticket.id'], name=op.f('fk_due_date__customer_id_ticket_id')),
    sa.ForeignKeyConstraint(['technician_id'], ['employee.id'], name=op.f('fk_due_date__technician_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_due_date')),
    sa.UniqueConstraint('agreed_check_id', 'due_on', name=op.f('uq_due_date__agreed_check_id_due_on')),
    sa.UniqueConstraint('customer_id', 'id', name=op.f('uq_due_date__customer_id_id'))
    )
    op.create_index('ix_due_date__open', 'due_date', ['due_on', 'agreed_check_id'], unique=False, postgresql_where=sa.text("state = 'planned'"))
    op.create_index('ix_due_date__ticket', 'due_date', ['ticket_id'], unique=False, postgresql_where=sa.text('ticket_id IS NOT NULL'))
    op.create_index('ix_due_date__unproven', 'due_date', ['due_on', 'agreed_check_id'], unique=False, postgresql_where=sa.text("state = 'created' AND outcome IS NULL"))
    op.create_index('uq_due_date__living', 'due_date', ['agreed_check_id', 'nominal_on'], unique=True, postgresql_where=sa.text("state IN ('planned', 'created')"))
    op.create_table('plan_pause',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=False),
    sa.Column('agreed_check_id', sa.BigInteger(), nullable=False),
    sa.Column('first_on', sa.Date(), nullable=False),
    sa.Column('last_on', sa.Date(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('set_by', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('last_on IS NULL OR last_on >= first_on', name=op.f('ck_plan_pause__ends_after_start')),
    sa.CheckConstraint('length(trim(reason)) > 0', name=op.f('ck_plan_pause__has_reason')),
    sa.ForeignKeyConstraint(['customer_id', 'agreed_check_id'], ['agreed_check.customer_id', 'agreed_check.id'], name=op.f('fk_plan_pause__customer_id_agreed_check_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_plan_pause__customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plan_pause'))
    )
    op.create_index(op.f('ix_plan_pause__agreed_check_id'), 'plan_pause', ['agreed_check_id'], unique=False)
    op.create_index(op.f('ix_plan_pause__customer_id'), 'plan_pause', ['customer_id'], unique=False)
    op.create_table('check_result',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=False),
    sa.Column('due_date_id', sa.BigInteger(), nullable=False),
    sa.Column('outcome', sa.Enum('done', 'failed', 'skipped', name='checkoutcome', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('performed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('performed_by_id', sa.BigInteger(), nullable=False),
    sa.Column('readings', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('items', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('incident_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("outcome = 'done' OR coalesce(length(trim(reason)), 0) > 0", name=op.f('ck_check_result__reason_unless_done')),
    sa.ForeignKeyConstraint(['customer_id', 'due_date_id'], ['due_date.customer_id', 'due_date.id'], name=op.f('fk_check_result__customer_id_due_date_id')),
    sa.ForeignKeyConstraint(['customer_id', 'incident_id'], ['ticket.customer_id', 'ticket.id'], name=op.f('fk_check_result__customer_id_incident_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_check_result__customer_id')),
    sa.ForeignKeyConstraint(['performed_by_id'], ['employee.id'], name=op.f('fk_check_result__performed_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_check_result')),
    sa.UniqueConstraint('customer_id', 'id', name=op.f('uq_check_result__customer_id_id')),
    sa.UniqueConstraint('due_date_id', name=op.f('uq_check_result__due_date_id'))
    )
    op.create_index(op.f('ix_check_result__customer_id'), 'check_result', ['customer_id'], unique=False)
    op.create_table('check_evidence',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=False),
    sa.Column('check_result_id', sa.BigInteger(), nullable=False),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('content_type', sa.Text(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('archive_key', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['customer_id', 'check_result_id'], ['check_result.customer_id', 'check_result.id'], name=op.f('fk_check_evidence__customer_id_check_result_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_check_evidence__customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_check_evidence')),
    sa.UniqueConstraint('check_result_id', 'sha256', name=op.f('uq_check_evidence__check_result_id_sha256'))
    )
    op.create_index(op.f('ix_check_evidence__customer_id'), 'check_evidence', ['customer_id'], unique=False)
    op.add_column('agreed_check', sa.Column('line_id', sa.BigInteger(), nullable=True))
    op.add_column('agreed_check', sa.Column('site_id', sa.BigInteger(), nullable=True))
    op.add_column('agreed_check', sa.Column('asset_id', sa.BigInteger(), nullable=True))
    op.add_column('agreed_check', sa.Column('window_opens', sa.Time(), nullable=True))
    op.add_column('agreed_check', sa.Column('window_closes', sa.Time(), nullable=True))
    op.add_column('agreed_check', sa.Column('ends_on', sa.Date(), nullable=True))
    op.add_column('agreed_check', sa.Column('follows_id', sa.BigInteger(), nullable=True))
    op.add_column('agreed_check', sa.Column('written_until', sa.Date(), nullable=True))
    op.add_column('agreed_check', sa.Column('fault', sa.Text(), nullable=True))
    op.create_index(op.f('ix_agreed_check__technician_id'), 'agreed_check', ['technician_id'], unique=False)
    op.create_index('ix_agreed_check__written_until', 'agreed_check', ['written_until', 'id'], unique=False)
    op.create_foreign_key(op.f('fk_agreed_check__customer_id_line_id'), 'agreed_check', 'needs_analysis_line', ['customer_id', 'line_id'], ['customer_id', 'id'])
    op.create_foreign_key(op.f('fk_agreed_check__customer_id_asset_id'), 'agreed_check', 'asset', ['customer_id', 'asset_id'], ['customer_id', 'id'])
    op.create_foreign_key(op.f('fk_agreed_check__customer_id_site_id'), 'agreed_check', 'site', ['customer_id', 'site_id'], ['customer_id', 'id'])
    op.create_foreign_key(op.f('fk_agreed_check__customer_id_follows_id'), 'agreed_check', 'agreed_check', ['customer_id', 'follows_id'], ['customer_id', 'id'])
    op.add_column('needs_analysis', sa.Column('prepared_by_id', sa.BigInteger(), nullable=True))
    op.add_column('needs_analysis', sa.Column('archive_key', sa.Text(), nullable=True))
    op.add_column('needs_analysis', sa.Column('sha256', sa.String(length=64), nullable=True))
    op.create_foreign_key(op.f('fk_needs_analysis__prepared_by_id'), 'needs_analysis', 'employee', ['prepared_by_id'], ['id'])

    house_table("check_catalogue", customer_reads=True)
    house_table("company_day", customer_reads=True)
    for table in ("needs_analysis_line", "needs_analysis_document", "needs_analysis_ticket"):
        tenant_table(table, visible=AGREED)
    for table in ("plan_pause", "due_date", "check_result", "check_evidence", "check_proof"):
        tenant_table(table)
    op.execute("ALTER POLICY own ON needs_analysis USING (customer_id = drehkreuz_customer() AND agreed_on IS NOT NULL)")
    op.execute(FUNCTIONS)
    op.execute(TRIGGERS)
    for table in ("check_catalogue", "company_day", "needs_analysis", "needs_analysis_line", "plan_pause", "check_result"):
        audited(table)
    frozen_rows("needs_analysis", "OLD.agreed_on IS NOT NULL", ("archive_key", "sha256"))
    frozen_rows("due_date", "OLD.state = 'created'", ("outcome", "technician_id", "slot_at"))
    frozen_rows("check_proof", "true")


def downgrade() -> None:
    op.execute("""
        DROP TRIGGER plan_changed ON agreed_check;
        DROP TRIGGER proven ON ticket;
        DROP TRIGGER check_work ON service_entry;
        DROP TRIGGER frozen ON needs_analysis;
        DROP TRIGGER audit_insert_delete ON needs_analysis;
        DROP TRIGGER audit_update ON needs_analysis;
        ALTER POLICY own ON needs_analysis USING (customer_id = drehkreuz_customer());
    """)
    op.drop_constraint(op.f('fk_needs_analysis__prepared_by_id'), 'needs_analysis', type_='foreignkey')
    op.drop_column('needs_analysis', 'sha256')
    op.drop_column('needs_analysis', 'archive_key')
    op.drop_column('needs_analysis', 'prepared_by_id')
    op.drop_constraint(op.f('fk_agreed_check__customer_id_follows_id'), 'agreed_check', type_='foreignkey')
    op.drop_constraint(op.f('fk_agreed_check__customer_id_site_id'), 'agreed_check', type_='foreignkey')
    op.drop_constraint(op.f('fk_agreed_check__customer_id_asset_id'), 'agreed_check', type_='foreignkey')
    op.drop_constraint(op.f('fk_agreed_check__customer_id_line_id'), 'agreed_check', type_='foreignkey')
    op.drop_index('ix_agreed_check__written_until', table_name='agreed_check')
    op.drop_index(op.f('ix_agreed_check__technician_id'), table_name='agreed_check')
    op.drop_column('agreed_check', 'fault')
    op.drop_column('agreed_check', 'written_until')
    op.drop_column('agreed_check', 'follows_id')
    op.drop_column('agreed_check', 'ends_on')
    op.drop_column('agreed_check', 'window_closes')
    op.drop_column('agreed_check', 'window_opens')
    op.drop_column('agreed_check', 'asset_id')
    op.drop_column('agreed_check', 'site_id')
    op.drop_column('agreed_check', 'line_id')
    op.drop_table('check_evidence')
    op.drop_table('check_result')
    op.drop_table('plan_pause')
    op.drop_table('due_date')
    op.drop_table('needs_analysis_ticket')
    op.drop_table('needs_analysis_line')
    op.drop_table('needs_analysis_document')
    op.drop_table('check_proof')
    op.drop_table('company_day')
    op.drop_table('check_catalogue')
    for function in ("agreed_line", "plan_changed", "check_outcome", "check_result_closed", "ticket_proven", "due_ticket", "check_work"):
        op.execute(f"DROP FUNCTION drehkreuz_{function}()")
