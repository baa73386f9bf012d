"""Guards: tenant rows, audit trail, and documents that never change once they have their number."""

from alembic import op

from models.migrations.security import audited, frozen_rows, grant, house_table, revoke_change, tenant_table

revision = "0002_guards"
down_revision = "0001_first_model"
branch_labels = None
depends_on = None

TENANT = (
    "site",
    "contact",
    "cooperation_agreement",
    "contract",
    "contract_line",
    "kontingent_opening",
    "usage_reading",
    "ticket",
    "attachment",
    "needs_analysis",
    "agreed_check",
    "service_entry",
    "asset",
    "licence",
    "service_report",
    "service_report_line",
    "service_report_group",
    "invoice",
    "invoice_line",
    "kontingent_entry",
    "correction_proposal",
)
HOUSE_ONLY_TENANT = ("ticket_event", "purchase_order_line", "billing_item", "billing_exclusion", "sap_document")
# what has no number yet is a plan of the house, not a document of the customer
VISIBLE = {
    "service_report": "number IS NOT NULL",
    "invoice": "number IS NOT NULL",
    "service_report_line": "EXISTS (SELECT 1 FROM service_report r WHERE r.id = report_id)",
    "service_report_group": "EXISTS (SELECT 1 FROM service_report r WHERE r.id = report_id)",
    "invoice_line": "EXISTS (SELECT 1 FROM invoice i WHERE i.id = invoice_id)",
}
READABLE = ("house", "house_site", "price", "product")

FUNCTIONS = """
CREATE FUNCTION drehkreuz_customer() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('drehkreuz.customer', true), '')::bigint
$$;

CREATE FUNCTION drehkreuz_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('drehkreuz.now', true), '')::timestamptz, now())
$$;

CREATE FUNCTION drehkreuz_actor() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('drehkreuz.actor', true), ''), session_user)
$$;

-- the trail is written with the owner's rights, so that no role can write or skip it by itself
CREATE FUNCTION drehkreuz_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    hidden text;
BEGIN
    IF TG_NARGS > 0 THEN
        FOREACH hidden IN ARRAY TG_ARGV LOOP
            before := before - hidden;
            after := after - hidden;
        END LOOP;
    END IF;
    IF TG_OP = 'UPDATE' THEN  -- keep what changed, and the id to find it by
        SELECT jsonb_object_agg(b.key, b.value), jsonb_object_agg(b.key, after -> b.key) INTO before, after
        FROM jsonb_each(before) b WHERE b.value IS DISTINCT FROM after -> b.key;
    END IF;
    INSERT INTO audit_entry (at, actor, action, table_name, row_id, before, after, created_at)
    VALUES (drehkreuz_now(), drehkreuz_actor(), lower(TG_OP), TG_TABLE_NAME, coalesce(NEW.id, OLD.id), before, after,
            drehkreuz_now());
    RETURN NULL;
END $$;

CREATE FUNCTION drehkreuz_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before jsonb;
    after jsonb;
    allowed text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        before := to_jsonb(OLD);
        after := to_jsonb(NEW);
        IF TG_NARGS > 0 THEN
            FOREACH allowed IN ARRAY TG_ARGV LOOP
                before := before - allowed;
                after := after - allowed;
            END LOOP;
        END IF;
        IF before = after THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'frozen: % of %.% refused, the document or record is issued', TG_OP, TG_TABLE_NAME, OLD.id
        USING ERRCODE = 'DK001';
END $$;

-- a line belongs to a document that has no number yet, or it does not move at all
CREATE FUNCTION drehkreuz_frozen_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    parent bigint;
    issued boolean;
BEGIN
    parent := (to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END) ->> TG_ARGV[1])::bigint;
    EXECUTE format('SELECT number IS NOT NULL FROM %I WHERE id = $1', TG_ARGV[0]) INTO issued USING parent;
    IF issued THEN
        RAISE EXCEPTION 'frozen: % of a line of %.% refused, the document is issued', TG_OP, TG_ARGV[0], parent
            USING ERRCODE = 'DK001';
    END IF;
    IF TG_OP = 'UPDATE' AND (to_jsonb(OLD) ->> TG_ARGV[1])::bigint <> parent THEN
        RAISE EXCEPTION 'frozen: a line never moves to another document' USING ERRCODE = 'DK001';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- a booking of the ledger stays; only a month that was released but not yet issued can be withdrawn with its customer
CREATE FUNCTION drehkreuz_frozen_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM billing_item i WHERE i.id = OLD.item_id AND i.state = 'planned') THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'frozen: % of kontingent_entry.% refused, the ledger only grows', TG_OP, OLD.id
        USING ERRCODE = 'DK001';
END $$;

CREATE FUNCTION drehkreuz_forward_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.last < OLD.last OR NEW.prefix <> OLD.prefix OR NEW.year <> OLD.year THEN
        RAISE EXCEPTION 'frozen: a number range only counts up' USING ERRCODE = 'DK001';
    END IF;
    RETURN NEW;
END $$;
"""

ENTRY_PROGRESS = ("state", "report_id")
REPORT_PROGRESS = ("state", "archive_key", "sha256", "mail_id", "fault")
INVOICE_PROGRESS = (
    "state",
    "archive_key",
    "xml_archive_key",
    "paper_archive_key",
    "check_archive_key",
    "sha256",
    "mail_id",
    "postal_batch_id",
    "datev_file_id",
    "sent_at",
    "fault",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(FUNCTIONS)
    tenant_table("customer", column="id")
    for table in TENANT:
        tenant_table(table, visible=VISIBLE.get(table, ""))
    tenant_table("message", visible="direction <> 'internal'")
    for table in HOUSE_ONLY_TENANT:
        tenant_table(table, customer_may=())
    for table in READABLE:
        house_table(table, customer_reads=True)
    grant("employee", "{customer}", ("SELECT (id, first_name, last_name)",))

    for table in (
        "customer",
        "site",
        "contact",
        "cooperation_agreement",
        "contract",
        "contract_line",
        "kontingent_opening",
        "employee",
        "house",
        "price",
        "billing_run",
        "correction_proposal",
        "agreed_check",
        "asset",
        "purchase_order_line",
    ):
        audited(table)
    audited("licence", without=("key",))
    audited(
        "login",
        without=("password_hash", "totp_secret", "totp_last_step"),
        only_if="OLD.password_hash IS DISTINCT FROM NEW.password_hash OR OLD.active IS DISTINCT FROM NEW.active"
        " OR OLD.totp_secret IS DISTINCT FROM NEW.totp_secret",
    )
    audited("api_token", without=("token_sha256", "last_used_at"), only_if="OLD.active IS DISTINCT FROM NEW.active")
    audited("invoice", only_if="OLD.state IS DISTINCT FROM NEW.state")
    # release and report of a month move thousands of entries; the run itself is the record of that
    audited(
        "service_entry",
        only_if="OLD.report_id IS NOT DISTINCT FROM NEW.report_id AND"
        " (NEW.state IN ('captured', 'approved') OR OLD.state IS NOT DISTINCT FROM NEW.state)",
    )

    revoke_change("audit_entry")
    revoke_change("ticket_event")
    frozen_rows("audit_entry", "true")
    frozen_rows("ticket_event", "true")
    frozen_rows("billing_run", "OLD.snapshot IS NOT NULL", ("state", "last_visit_at", "finished_at"))
    frozen_rows("service_entry", "OLD.report_id IS NOT NULL OR OLD.state IN ('reported', 'invoiced')", ENTRY_PROGRESS)
    frozen_rows("service_report", "OLD.number IS NOT NULL", REPORT_PROGRESS)
    frozen_rows("invoice", "OLD.number IS NOT NULL", INVOICE_PROGRESS)
    frozen_rows("archived_object", "true", ("verified_at", "fault", "chain"))
    frozen_rows(
        "outbox_mail",
        "OLD.state <> 'queued'",
        (
            "state",
            "attempts",
            "retry_at",
            "in_flight_at",
            "accepted_at",
            "reply",
            "refused",
            "error",
            "raw",
            "archive_key",
        ),
    )
    for table, parent, column in (
        ("service_report_line", "service_report", "report_id"),
        ("service_report_group", "service_report", "report_id"),
        ("invoice_line", "invoice", "invoice_id"),
    ):
        op.execute(
            f"CREATE TRIGGER frozen_line BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
            f" EXECUTE FUNCTION drehkreuz_frozen_line('{parent}', '{column}')"
        )
    op.execute(
        "CREATE TRIGGER frozen_ledger BEFORE UPDATE OR DELETE ON kontingent_entry FOR EACH ROW"
        " EXECUTE FUNCTION drehkreuz_frozen_ledger()"
    )
    op.execute(
        "CREATE TRIGGER forward_only BEFORE UPDATE OR DELETE ON number_range FOR EACH ROW"
        " EXECUTE FUNCTION drehkreuz_forward_number()"
    )
    # a released entry is unlocked only while its report has no number: withdrawn together with its customer
    op.execute("""
        CREATE FUNCTION drehkreuz_entry_unlock() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT 1 FROM service_report r WHERE r.id = OLD.report_id AND r.number IS NOT NULL) THEN
                RAISE EXCEPTION 'frozen: service_entry.% stands on an issued report', OLD.id USING ERRCODE = 'DK001';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER unlock BEFORE UPDATE ON service_entry FOR EACH ROW
            WHEN (OLD.report_id IS NOT NULL AND OLD.report_id IS DISTINCT FROM NEW.report_id)
            EXECUTE FUNCTION drehkreuz_entry_unlock();
    """)


def downgrade() -> None:
    op.execute("""
        DO $do$
        DECLARE r record;
        BEGIN
            FOR r IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
                     WHERE NOT tgisinternal AND tgname IN ('frozen', 'frozen_line', 'frozen_ledger', 'forward_only',
                                                          'audit_insert_delete', 'audit_update', 'unlock') LOOP
                EXECUTE format('DROP TRIGGER %I ON %s', r.tgname, r.tab);
            END LOOP;
            FOR r IN SELECT policyname, tablename FROM pg_policies WHERE schemaname = 'public' LOOP
                EXECUTE format('DROP POLICY %I ON %I', r.policyname, r.tablename);
                EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', r.tablename);
            END LOOP;
        END $do$
    """)
    for function in (
        "audit",
        "frozen",
        "frozen_line",
        "frozen_ledger",
        "forward_number",
        "entry_unlock",
        "customer",
        "now",
        "actor",
    ):
        op.execute(f"DROP FUNCTION drehkreuz_{function}()")
