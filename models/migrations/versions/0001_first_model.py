"""The first data model: parties, agreements, contracts, tickets, work, billing, plumbing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001_first_model"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table(
        "api_token",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("name", name=op.f("uq_api_token__name")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_api_token__token_sha256")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry__row", "audit_entry", ["table_name", "row_id"], unique=False)
    op.create_table(
        "billing_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "released",
                "running",
                "waiting",
                "done",
                name="runstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("snapshot", sa.Text(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("last_visit_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'open') = (released_at IS NULL)", name=op.f("ck_billing_run__released_says_when")),
        sa.CheckConstraint("(state = 'open') = (snapshot IS NULL)", name=op.f("ck_billing_run__released_has_snapshot")),
        sa.CheckConstraint("month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name=op.f("ck_billing_run__month_format")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_run")),
        sa.UniqueConstraint("month", name=op.f("uq_billing_run__month")),
    )
    op.create_table(
        "house",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("singleton", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("postal_code", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("tax_number", sa.Text(), nullable=True),
        sa.Column("vat_id", sa.Text(), nullable=True),
        sa.Column("iban", sa.Text(), nullable=True),
        sa.Column("bic", sa.Text(), nullable=True),
        sa.Column("creditor_id", sa.Text(), nullable=True),
        sa.Column("register_court", sa.Text(), nullable=True),
        sa.Column("register_no", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("portal_url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("singleton", name=op.f("ck_house__one_house")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_house")),
        sa.UniqueConstraint("singleton", name=op.f("uq_house__singleton")),
    )
    op.create_table(
        "house_site",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hotline", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("tariff_text", sa.Text(), nullable=True),
        sa.Column("main", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_house_site")),
        sa.UniqueConstraint("code", name=op.f("uq_house_site__code")),
    )
    op.create_table(
        "import_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("files", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
    )
    op.create_table(
        "inbox_item",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "done", "parked", name="inboxstate", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("archive_key", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_item")),
        sa.UniqueConstraint("channel", "key", name=op.f("uq_inbox_item__channel_key")),
    )
    op.create_index(
        "ix_inbox_item__waiting", "inbox_item", ["channel", "id"], unique=False, postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "login_attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempt")),
    )
    op.create_index("ix_login_attempt__address", "login_attempt", ["address", "at"], unique=False)
    op.create_index("ix_login_attempt__recent", "login_attempt", ["email", "at"], unique=False)
    op.create_table(
        "number_range",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_range")),
        sa.UniqueConstraint("prefix", "year", name=op.f("uq_number_range__prefix_year")),
    )
    op.create_table(
        "outbox_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("deployment", sa.Text(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("flow_run_id", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_event")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_event__key")),
    )
    op.create_index(
        "ix_outbox_event__waiting", "outbox_event", ["id"], unique=False, postgresql_where=sa.text("dispatched_at IS NULL")
    )
    op.create_table(
        "preview_fingerprint",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preview_fingerprint")),
        sa.UniqueConstraint("month", "snapshot", name=op.f("uq_preview_fingerprint__month_snapshot")),
    )
    op.create_table(
        "price",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "unit",
            sa.Enum(
                "hour", "day", "trip", "piece", "gb", "month", name="unit", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("net_price", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("vat_rate", sa.Numeric(precision=6, scale=2), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price")),
        sa.UniqueConstraint("code", "valid_from", name=op.f("uq_price__code_valid_from")),
    )
    op.create_table(
        "probe",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_probe")),
        sa.UniqueConstraint("key", name=op.f("uq_probe__key")),
    )
    op.create_table(
        "product",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "hardware",
                "software",
                "managed_service",
                "rental",
                "service",
                name="productkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("serial_tracked", sa.Boolean(), nullable=False),
        sa.Column("warranty_months", sa.Integer(), nullable=True),
        sa.Column("licence_months", sa.Integer(), nullable=True),
        sa.Column("price_code", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("code", name=op.f("uq_product__code")),
    )
    op.create_table(
        "supplier",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column(
            "despatch_format",
            sa.Enum(
                "opentrans", "ubl", "desadv", "csv", name="despatchformat", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier")),
        sa.UniqueConstraint("code", name=op.f("uq_supplier__code")),
    )
    op.create_table(
        "datev_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("archive_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["billing_run.id"], name=op.f("fk_datev_file__run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datev_file")),
        sa.UniqueConstraint("run_id", "sequence", name=op.f("uq_datev_file__run_id_sequence")),
    )
    op.create_table(
        "employee",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("skills", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("house_site_id", sa.BigInteger(), nullable=True),
        sa.Column("weekly_hours", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "roles <@ ARRAY['technician','dispatcher','account_manager','back_office','materials','monitoring','service_head','operator']::text[]",
            name=op.f("ck_employee__known_roles"),
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_employee__email_lower")),
        sa.ForeignKeyConstraint(["house_site_id"], ["house_site.id"], name=op.f("fk_employee__house_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employee")),
        sa.UniqueConstraint("email", name=op.f("uq_employee__email")),
    )
    op.create_table(
        "postal_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("archive_key", sa.Text(), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("printed_by", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["billing_run.id"], name=op.f("fk_postal_batch__run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_postal_batch")),
        sa.UniqueConstraint("run_id", "sequence", name=op.f("uq_postal_batch__run_id_sequence")),
    )
    op.create_table(
        "customer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("postal_code", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("vat_id", sa.Text(), nullable=True),
        sa.Column(
            "lifecycle",
            sa.Enum(
                "prospect",
                "onboarding",
                "active",
                "closed",
                name="lifecycle",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "billing",
            sa.Enum("central", "per_site", name="billingmode", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("datev_consultant_no", sa.Integer(), nullable=True),
        sa.Column("account_manager_id", sa.BigInteger(), nullable=True),
        sa.Column("house_site_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "delivery",
            sa.Enum(
                "post", "email_einvoice", "xrechnung", name="delivery", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("leitweg_id", sa.Text(), nullable=True),
        sa.Column("invoice_email", sa.Text(), nullable=True),
        sa.Column("payment_days", sa.Integer(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=True),
        sa.Column("mandate_reference", sa.String(length=35), nullable=True),
        sa.Column("mandate_signed_on", sa.Date(), nullable=True),
        sa.Column(
            "mandate_kind",
            sa.Enum("core", "b2b", name="mandatekind", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column("customer_since", sa.Date(), nullable=True),
        sa.Column("sap_card_code", sa.Text(), nullable=True),
        sa.Column("debtor_account", sa.Text(), nullable=True),
        sa.Column("technicians_keep_assets", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "delivery <> 'xrechnung' OR leitweg_id IS NOT NULL", name=op.f("ck_customer__xrechnung_needs_leitweg")
        ),
        sa.CheckConstraint(
            "datev_consultant_no IS NULL OR datev_consultant_no BETWEEN 1001 AND 9999999",
            name=op.f("ck_customer__datev_consultant_range"),
        ),
        sa.CheckConstraint("payment_days >= 0", name=op.f("ck_customer__payment_days_positive")),
        sa.ForeignKeyConstraint(["account_manager_id"], ["employee.id"], name=op.f("fk_customer__account_manager_id")),
        sa.ForeignKeyConstraint(["house_site_id"], ["house_site.id"], name=op.f("fk_customer__house_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("mandate_reference", name=op.f("uq_customer__mandate_reference")),
        sa.UniqueConstraint("number", name=op.f("uq_customer__number")),
    )
    op.create_table(
        "archived_object",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("retain_until", sa.Date(), nullable=False),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("chain", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_archived_object__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archived_object")),
        sa.UniqueConstraint("key", name=op.f("uq_archived_object__key")),
    )
    op.create_index(op.f("ix_archived_object__customer_id"), "archived_object", ["customer_id"], unique=False)
    op.create_index(op.f("ix_archived_object__reference"), "archived_object", ["reference"], unique=False)
    op.create_table(
        "cooperation_agreement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("signed_by", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("service_hours", sa.Text(), nullable=True),
        sa.Column("reaction_hours", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "backup_responsible",
            sa.Enum("customer", "house", name="backupresponsible", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column("hour_price", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("day_price", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("travel_price", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("after_hours_percent", sa.Numeric(precision=6, scale=2), nullable=True),
        sa.Column("weekend_percent", sa.Numeric(precision=6, scale=2), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_cooperation_agreement__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cooperation_agreement")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_cooperation_agreement__customer_id_id")),
        sa.UniqueConstraint("customer_id", "version", name=op.f("uq_cooperation_agreement__customer_id_version")),
    )
    op.create_index(op.f("ix_cooperation_agreement__customer_id"), "cooperation_agreement", ["customer_id"], unique=False)
    op.create_table(
        "needs_analysis",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=True),
        sa.Column("agreed_by", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_needs_analysis__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_needs_analysis")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_needs_analysis__customer_id_id")),
        sa.UniqueConstraint("customer_id", "version", name=op.f("uq_needs_analysis__customer_id_version")),
    )
    op.create_index(op.f("ix_needs_analysis__customer_id"), "needs_analysis", ["customer_id"], unique=False)
    op.create_table(
        "outbox_mail",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("recipients", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("archive_key", sa.Text(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "in_flight",
                "accepted",
                "bounced",
                "unclear",
                "cancelled",
                name="mailstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("in_flight_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("refused", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'accepted') <= (accepted_at IS NOT NULL)", name=op.f("ck_outbox_mail__accepted_says_when")
        ),
        sa.CheckConstraint("cardinality(recipients) > 0", name=op.f("ck_outbox_mail__has_recipient")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_outbox_mail__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_mail")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_mail__key")),
    )
    op.create_index(op.f("ix_outbox_mail__customer_id"), "outbox_mail", ["customer_id"], unique=False)
    op.create_index(op.f("ix_outbox_mail__message_id"), "outbox_mail", ["message_id"], unique=False)
    op.create_index(
        "ix_outbox_mail__queue",
        "outbox_mail",
        ["retry_at", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'in_flight')"),
    )
    op.create_table(
        "purchase_order_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("customer_order", sa.Text(), nullable=True),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_purchase_order_line__customer_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_purchase_order_line__product_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_purchase_order_line__supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_order_line")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_purchase_order_line__customer_id_id")),
        sa.UniqueConstraint("number", "line", name=op.f("uq_purchase_order_line__number_line")),
    )
    op.create_index(op.f("ix_purchase_order_line__customer_id"), "purchase_order_line", ["customer_id"], unique=False)
    op.create_table(
        "site",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("postal_code", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("receives_goods", sa.Boolean(), nullable=False),
        sa.Column("receives_services", sa.Boolean(), nullable=False),
        sa.Column("travel_price", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("bills_to_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "bills_to_id"], ["site.customer_id", "site.id"], name=op.f("fk_site__customer_id_bills_to_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_site__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("customer_id", "code", name=op.f("uq_site__customer_id_code")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_site__customer_id_id")),
    )
    op.create_index(op.f("ix_site__customer_id"), "site", ["customer_id"], unique=False)
    op.create_table(
        "billing_item",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("paying_site_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "planned", "issued", "done", "withdrawn", name="itemstate", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("reasons", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("last_month_net", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("blocked", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("statement", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "paying_site_id"],
            ["site.customer_id", "site.id"],
            name=op.f("fk_billing_item__customer_id_paying_site_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_billing_item__customer_id")),
        sa.ForeignKeyConstraint(["run_id"], ["billing_run.id"], name=op.f("fk_billing_item__run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_item")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_billing_item__customer_id_id")),
    )
    op.create_index(op.f("ix_billing_item__customer_id"), "billing_item", ["customer_id"], unique=False)
    op.create_index(op.f("ix_billing_item__run_id"), "billing_item", ["run_id"], unique=False)
    op.create_index(
        "uq_billing_item__live",
        "billing_item",
        ["run_id", "customer_id", "paying_site_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("functions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "portal",
            sa.Enum(
                "none", "reporter", "insight", "admin", name="portallevel", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "functions <@ ARRAY['service_report','ticket_created','ticket_status','credential_release','invoice','main']::text[]",
            name=op.f("ck_contact__known_functions"),
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_contact__email_lower")),
        sa.ForeignKeyConstraint(
            ["customer_id", "site_id"], ["site.customer_id", "site.id"], name=op.f("fk_contact__customer_id_site_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_contact__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("customer_id", "email", name=op.f("uq_contact__customer_id_email")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_contact__customer_id_id")),
    )
    op.create_index(op.f("ix_contact__customer_id"), "contact", ["customer_id"], unique=False)
    op.create_index(op.f("ix_contact__email"), "contact", ["email"], unique=False)
    op.create_table(
        "contract",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "kontingent",
                "rental",
                "data_centre",
                "managed",
                name="contractkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("kontingent_hours_per_month", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("kontingent_hour_price", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("overdraft_allowed", sa.Boolean(), nullable=False),
        sa.Column("correction_rule", sa.Text(), nullable=False),
        sa.Column("includes_travel", sa.Boolean(), nullable=False),
        sa.Column(
            "rest_at_end",
            sa.Enum("paid_out", "served", name="restatend", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("billing_unit_minutes", sa.Integer(), nullable=True),
        sa.Column("billing_minimum_minutes", sa.Integer(), nullable=True),
        sa.Column("prenotification_days", sa.Integer(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind <> 'kontingent' OR (kontingent_hours_per_month IS NOT NULL AND kontingent_hour_price IS NOT NULL)",
            name=op.f("ck_contract__kontingent_has_terms"),
        ),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_contract__ends_after_start")),
        sa.ForeignKeyConstraint(
            ["customer_id", "site_id"], ["site.customer_id", "site.id"], name=op.f("fk_contract__customer_id_site_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_contract__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_contract__customer_id_id")),
        sa.UniqueConstraint("number", name=op.f("uq_contract__number")),
    )
    op.create_index(op.f("ix_contract__customer_id"), "contract", ["customer_id"], unique=False)
    op.create_table(
        "agreed_check",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("check", sa.Text(), nullable=False),
        sa.Column("cadence", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=True),
        sa.Column("technician_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "catch_up",
            sa.Enum(
                "all", "latest", "one_listing", "skip", name="catchup", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "shift",
            sa.Enum(
                "none", "next_workday", "previous_workday", name="shift", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("needs_analysis_id", sa.BigInteger(), nullable=True),
        sa.Column("contract_id", sa.BigInteger(), nullable=True),
        sa.Column("checklist", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "contract_id"],
            ["contract.customer_id", "contract.id"],
            name=op.f("fk_agreed_check__customer_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "needs_analysis_id"],
            ["needs_analysis.customer_id", "needs_analysis.id"],
            name=op.f("fk_agreed_check__customer_id_needs_analysis_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_agreed_check__customer_id")),
        sa.ForeignKeyConstraint(["technician_id"], ["employee.id"], name=op.f("fk_agreed_check__technician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreed_check")),
        sa.UniqueConstraint("customer_id", "check", "starts_on", name=op.f("uq_agreed_check__customer_id_check_starts_on")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_agreed_check__customer_id_id")),
    )
    op.create_index(op.f("ix_agreed_check__customer_id"), "agreed_check", ["customer_id"], unique=False)
    op.create_table(
        "asset",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("inventory_no", sa.Text(), nullable=False),
        sa.Column("asset_class", sa.Text(), nullable=False),
        sa.Column("manufacturer", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("serial", sa.Text(), nullable=True),
        sa.Column("bought_on", sa.Date(), nullable=True),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column(
            "owner",
            sa.Enum("customer", "house", name="owner", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("warranty_until", sa.Date(), nullable=True),
        sa.Column("warranty_kind", sa.Text(), nullable=True),
        sa.Column("firmware_supported_until", sa.Date(), nullable=True),
        sa.Column(
            "location",
            sa.Enum("on_site", "data_centre", name="location", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column("contract_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "contract_id"],
            ["contract.customer_id", "contract.id"],
            name=op.f("fk_asset__customer_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "site_id"], ["site.customer_id", "site.id"], name=op.f("fk_asset__customer_id_site_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_asset__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_asset__customer_id_id")),
        sa.UniqueConstraint("customer_id", "inventory_no", name=op.f("uq_asset__customer_id_inventory_no")),
    )
    op.create_index(op.f("ix_asset__customer_id"), "asset", ["customer_id"], unique=False)
    op.create_index(op.f("ix_asset__serial"), "asset", ["serial"], unique=False)
    op.create_table(
        "contract_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("contract_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "meter",
            sa.Enum(
                "fixed",
                "devices",
                "mailboxes",
                "gigabytes",
                "servers",
                name="meter",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("quantity", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("unit_price", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("vat_rate", sa.Numeric(precision=6, scale=2), nullable=False),
        sa.Column("one_time", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("covered_asset_classes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "contract_id"],
            ["contract.customer_id", "contract.id"],
            name=op.f("fk_contract_line__customer_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_contract_line__customer_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_contract_line__product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_line")),
        sa.UniqueConstraint(
            "contract_id",
            "line",
            "valid_from",
            name=op.f("uq_contract_line__contract_id_line_valid_from"),
            postgresql_nulls_not_distinct=True,
        ),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_contract_line__customer_id_id")),
    )
    op.create_index(op.f("ix_contract_line__customer_id"), "contract_line", ["customer_id"], unique=False)
    op.create_table(
        "correction_proposal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("contract_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("price", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("net", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "proposed", "released", "rejected", name="proposalstate", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_correction_proposal__minutes_positive")),
        sa.ForeignKeyConstraint(
            ["customer_id", "contract_id"],
            ["contract.customer_id", "contract.id"],
            name=op.f("fk_correction_proposal__customer_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "item_id"],
            ["billing_item.customer_id", "billing_item.id"],
            name=op.f("fk_correction_proposal__customer_id_item_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_correction_proposal__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction_proposal")),
        sa.UniqueConstraint("contract_id", "month", name=op.f("uq_correction_proposal__contract_id_month")),
    )
    op.create_index(op.f("ix_correction_proposal__customer_id"), "correction_proposal", ["customer_id"], unique=False)
    op.create_index(op.f("ix_correction_proposal__item_id"), "correction_proposal", ["item_id"], unique=False)
    op.create_table(
        "kontingent_opening",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("contract_id", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "contract_id"],
            ["contract.customer_id", "contract.id"],
            name=op.f("fk_kontingent_opening__customer_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_kontingent_opening__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kontingent_opening")),
        sa.UniqueConstraint("contract_id", name=op.f("uq_kontingent_opening__contract_id")),
    )
    op.create_index(op.f("ix_kontingent_opening__customer_id"), "kontingent_opening", ["customer_id"], unique=False)
    op.create_table(
        "login",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("employee_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(contact_id IS NULL) = (customer_id IS NULL)", name=op.f("ck_login__contact_has_customer")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_login__email_lower")),
        sa.CheckConstraint("num_nonnulls(employee_id, contact_id) = 1", name=op.f("ck_login__one_person")),
        sa.ForeignKeyConstraint(
            ["customer_id", "contact_id"], ["contact.customer_id", "contact.id"], name=op.f("fk_login__customer_id_contact_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_login__customer_id")),
        sa.ForeignKeyConstraint(["employee_id"], ["employee.id"], name=op.f("fk_login__employee_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
        sa.UniqueConstraint("contact_id", name=op.f("uq_login__contact_id")),
        sa.UniqueConstraint("email", name=op.f("uq_login__email")),
        sa.UniqueConstraint("employee_id", name=op.f("uq_login__employee_id")),
    )
    op.create_table(
        "service_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("paying_site_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("planned", "numbered", "issued", name="reportstate", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archive_key", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("mail_id", sa.BigInteger(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'planned') = (number IS NULL)", name=op.f("ck_service_report__number_once_issued")),
        sa.CheckConstraint("state <> 'issued' OR archive_key IS NOT NULL", name=op.f("ck_service_report__issued_is_archived")),
        sa.CheckConstraint("(number IS NULL) = (issued_at IS NULL)", name=op.f("ck_service_report__issued_says_when")),
        sa.ForeignKeyConstraint(
            ["customer_id", "item_id"],
            ["billing_item.customer_id", "billing_item.id"],
            name=op.f("fk_service_report__customer_id_item_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "paying_site_id"],
            ["site.customer_id", "site.id"],
            name=op.f("fk_service_report__customer_id_paying_site_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_service_report__customer_id")),
        sa.ForeignKeyConstraint(["mail_id"], ["outbox_mail.id"], name=op.f("fk_service_report__mail_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_report")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_service_report__customer_id_id")),
        sa.UniqueConstraint("item_id", name=op.f("uq_service_report__item_id")),
        sa.UniqueConstraint("number", name=op.f("uq_service_report__number")),
    )
    op.create_index(op.f("ix_service_report__customer_id"), "service_report", ["customer_id"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "incident",
                "request",
                "maintenance",
                "pick_and_pack",
                "alert",
                "onboarding",
                "documentation",
                "replacement",
                "task",
                name="ticketkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "new",
                "open",
                "waiting",
                "resolved",
                "closed",
                name="ticketstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "priority",
            sa.Enum("high", "normal", "low", name="priority", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("assignee_id", sa.BigInteger(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("asset_id", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("dedup_key", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["assignee_id"], ["employee.id"], name=op.f("fk_ticket__assignee_id")),
        sa.ForeignKeyConstraint(
            ["customer_id", "contact_id"], ["contact.customer_id", "contact.id"], name=op.f("fk_ticket__customer_id_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "site_id"], ["site.customer_id", "site.id"], name=op.f("fk_ticket__customer_id_site_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_ticket__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_ticket__customer_id_id")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_ticket__dedup_key")),
        sa.UniqueConstraint("number", name=op.f("uq_ticket__number")),
    )
    op.create_index(op.f("ix_ticket__assignee_id"), "ticket", ["assignee_id"], unique=False)
    op.create_index(op.f("ix_ticket__customer_id"), "ticket", ["customer_id"], unique=False)
    op.create_index(
        "ix_ticket__open",
        "ticket",
        ["state", "received_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('new', 'open', 'waiting')"),
    )
    op.create_index(op.f("ix_ticket__received_at"), "ticket", ["received_at"], unique=False)
    op.create_table(
        "usage_reading",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("contract_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "contract_id"],
            ["contract.customer_id", "contract.id"],
            name=op.f("fk_usage_reading__customer_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_usage_reading__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_reading")),
        sa.UniqueConstraint("contract_id", "line", "day", "source", name=op.f("uq_usage_reading__contract_id_line_day_source")),
    )
    op.create_index(op.f("ix_usage_reading__customer_id"), "usage_reading", ["customer_id"], unique=False)
    op.create_table(
        "invoice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "service",
                "kontingent",
                "correction",
                "recurring",
                "cancellation",
                name="invoicekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("report_id", sa.BigInteger(), nullable=True),
        sa.Column("contract_id", sa.BigInteger(), nullable=True),
        sa.Column("paying_site_id", sa.BigInteger(), nullable=True),
        sa.Column("cancels_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "numbered",
                "issued",
                "sent",
                "cancelled",
                name="invoicestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "face",
            sa.Enum("post", "email_einvoice", "xrechnung", name="face", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("supply_from", sa.Date(), nullable=False),
        sa.Column("supply_to", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("net", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("vat", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("gross", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("archive_key", sa.Text(), nullable=True),
        sa.Column("xml_archive_key", sa.Text(), nullable=True),
        sa.Column("paper_archive_key", sa.Text(), nullable=True),
        sa.Column("check_archive_key", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("mail_id", sa.BigInteger(), nullable=True),
        sa.Column("postal_batch_id", sa.BigInteger(), nullable=True),
        sa.Column("datev_file_id", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'cancellation') = (cancels_id IS NOT NULL)", name=op.f("ck_invoice__cancellation_points_back")
        ),
        sa.CheckConstraint("(state = 'planned') = (number IS NULL)", name=op.f("ck_invoice__number_once_issued")),
        sa.CheckConstraint("kind <> 'service' OR report_id IS NOT NULL", name=op.f("ck_invoice__service_has_report")),
        sa.CheckConstraint(
            "state NOT IN ('issued', 'sent') OR archive_key IS NOT NULL", name=op.f("ck_invoice__issued_is_archived")
        ),
        sa.CheckConstraint("(number IS NULL) = (issued_at IS NULL)", name=op.f("ck_invoice__issued_says_when")),
        sa.CheckConstraint("gross = net + vat", name=op.f("ck_invoice__gross_is_sum")),
        sa.ForeignKeyConstraint(
            ["customer_id", "cancels_id"], ["invoice.customer_id", "invoice.id"], name="fk_invoice__cancels"
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "contract_id"],
            ["contract.customer_id", "contract.id"],
            name=op.f("fk_invoice__customer_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "item_id"],
            ["billing_item.customer_id", "billing_item.id"],
            name=op.f("fk_invoice__customer_id_item_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "paying_site_id"],
            ["site.customer_id", "site.id"],
            name=op.f("fk_invoice__customer_id_paying_site_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "report_id"],
            ["service_report.customer_id", "service_report.id"],
            name=op.f("fk_invoice__customer_id_report_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_invoice__customer_id")),
        sa.ForeignKeyConstraint(["datev_file_id"], ["datev_file.id"], name=op.f("fk_invoice__datev_file_id")),
        sa.ForeignKeyConstraint(["mail_id"], ["outbox_mail.id"], name=op.f("fk_invoice__mail_id")),
        sa.ForeignKeyConstraint(["postal_batch_id"], ["postal_batch.id"], name=op.f("fk_invoice__postal_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_invoice__customer_id_id")),
        sa.UniqueConstraint("number", name=op.f("uq_invoice__number")),
    )
    op.create_index(op.f("ix_invoice__customer_id"), "invoice", ["customer_id"], unique=False)
    op.create_index(op.f("ix_invoice__item_id"), "invoice", ["item_id"], unique=False)
    op.create_index("uq_invoice__cancels", "invoice", ["cancels_id"], unique=True)
    op.create_index(
        "uq_invoice__contract_month",
        "invoice",
        ["contract_id", "month", "kind"],
        unique=True,
        postgresql_where=sa.text("kind IN ('kontingent', 'correction') AND state <> 'cancelled'"),
    )
    op.create_index(
        "uq_invoice__service_report",
        "invoice",
        ["report_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'service' AND state <> 'cancelled'"),
    )
    op.create_table(
        "licence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("asset_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "asset_id"], ["asset.customer_id", "asset.id"], name=op.f("fk_licence__customer_id_asset_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_licence__customer_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_licence__product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licence")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_licence__customer_id_id")),
        sa.UniqueConstraint(
            "customer_id",
            "product_id",
            "expires_on",
            name=op.f("uq_licence__customer_id_product_id_expires_on"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_licence__customer_id"), "licence", ["customer_id"], unique=False)
    op.create_table(
        "login_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("login_id", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["login_id"], ["login.id"], name=op.f("fk_login_session__login_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_login_session__token_sha256")),
    )
    op.create_index(op.f("ix_login_session__login_id"), "login_session", ["login_id"], unique=False)
    op.create_table(
        "mail_token",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum("invitation", "password_reset", name="tokenpurpose", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("login_id", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["login_id"], ["login.id"], name=op.f("fk_mail_token__login_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_token")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_mail_token__token_sha256")),
    )
    op.create_index(op.f("ix_mail_token__login_id"), "mail_token", ["login_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "direction",
            sa.Enum("in", "out", "internal", name="messagedirection", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("archive_key", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "ticket_id"], ["ticket.customer_id", "ticket.id"], name=op.f("fk_message__customer_id_ticket_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_message__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_message__customer_id_id")),
        sa.UniqueConstraint("message_id", name=op.f("uq_message__message_id")),
    )
    op.create_index(op.f("ix_message__customer_id"), "message", ["customer_id"], unique=False)
    op.create_index(op.f("ix_message__ticket_id"), "message", ["ticket_id"], unique=False)
    op.create_table(
        "service_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("technician_id", sa.BigInteger(), nullable=False),
        sa.Column("work_date", sa.Date(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column(
            "place",
            sa.Enum("remote", "on_site", name="place", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("trips", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "standard",
                "after_hours",
                "weekend",
                "project_day",
                name="workkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("billable", sa.Boolean(), nullable=False),
        sa.Column("non_billable_reason", sa.Text(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "captured",
                "approved",
                "reported",
                "invoiced",
                name="entrystate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_reason", sa.Text(), nullable=True),
        sa.Column("reported_elsewhere", sa.Text(), nullable=True),
        sa.Column("report_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "report_id IS NULL OR state <> 'captured'", name=op.f("ck_service_entry__only_approved_is_released")
        ),
        sa.CheckConstraint(
            "state = 'captured' OR approved_at IS NOT NULL OR reported_elsewhere IS NOT NULL",
            name=op.f("ck_service_entry__approved_says_when"),
        ),
        sa.CheckConstraint(
            "billable OR coalesce(length(trim(non_billable_reason)), 0) > 0", name=op.f("ck_service_entry__billable_or_reason")
        ),
        sa.CheckConstraint("minutes >= 0", name=op.f("ck_service_entry__minutes_positive")),
        sa.CheckConstraint("report_id IS NULL OR reported_elsewhere IS NULL", name=op.f("ck_service_entry__reported_once")),
        sa.CheckConstraint("trips >= 0", name=op.f("ck_service_entry__trips_positive")),
        sa.ForeignKeyConstraint(
            ["customer_id", "ticket_id"],
            ["ticket.customer_id", "ticket.id"],
            name=op.f("fk_service_entry__customer_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_service_entry__customer_id")),
        sa.ForeignKeyConstraint(["technician_id"], ["employee.id"], name=op.f("fk_service_entry__technician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_entry")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_service_entry__customer_id_id")),
        sa.UniqueConstraint("key", name=op.f("uq_service_entry__key")),
    )
    op.create_index(op.f("ix_service_entry__customer_id"), "service_entry", ["customer_id"], unique=False)
    op.create_index(op.f("ix_service_entry__report_id"), "service_entry", ["report_id"], unique=False)
    op.create_index(op.f("ix_service_entry__ticket_id"), "service_entry", ["ticket_id"], unique=False)
    op.create_index(
        "ix_service_entry__unreported",
        "service_entry",
        ["work_date"],
        unique=False,
        postgresql_where=sa.text("report_id IS NULL AND reported_elsewhere IS NULL"),
    )
    op.create_index("ix_service_entry__work", "service_entry", ["customer_id", "work_date"], unique=False)
    op.create_table(
        "service_report_group",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("report_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column(
            "unit",
            sa.Enum("hour", "day", "trip", name="groupunit", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("price", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("vat_rate", sa.Numeric(precision=6, scale=2), nullable=False),
        sa.Column("net", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("agreement_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "report_id"],
            ["service_report.customer_id", "service_report.id"],
            name=op.f("fk_service_report_group__customer_id_report_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_service_report_group__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_report_group")),
        sa.UniqueConstraint("customer_id", "id", name=op.f("uq_service_report_group__customer_id_id")),
        sa.UniqueConstraint(
            "report_id", "kind", "price", "vat_rate", name=op.f("uq_service_report_group__report_id_kind_price_vat_rate")
        ),
    )
    op.create_index(op.f("ix_service_report_group__customer_id"), "service_report_group", ["customer_id"], unique=False)
    op.create_index(op.f("ix_service_report_group__report_id"), "service_report_group", ["report_id"], unique=False)
    op.create_table(
        "ticket_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "ticket_id"],
            ["ticket.customer_id", "ticket.id"],
            name=op.f("fk_ticket_event__customer_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_ticket_event__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_event")),
    )
    op.create_index(op.f("ix_ticket_event__customer_id"), "ticket_event", ["customer_id"], unique=False)
    op.create_index(op.f("ix_ticket_event__ticket_id"), "ticket_event", ["ticket_id"], unique=False)
    op.create_table(
        "attachment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("archive_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "message_id"],
            ["message.customer_id", "message.id"],
            name=op.f("fk_attachment__customer_id_message_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "ticket_id"], ["ticket.customer_id", "ticket.id"], name=op.f("fk_attachment__customer_id_ticket_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_attachment__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index(op.f("ix_attachment__customer_id"), "attachment", ["customer_id"], unique=False)
    op.create_index(op.f("ix_attachment__ticket_id"), "attachment", ["ticket_id"], unique=False)
    op.create_table(
        "billing_exclusion",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("contract_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "contract_id"],
            ["contract.customer_id", "contract.id"],
            name=op.f("fk_billing_exclusion__customer_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "entry_id"],
            ["service_entry.customer_id", "service_entry.id"],
            name=op.f("fk_billing_exclusion__customer_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_billing_exclusion__customer_id")),
        sa.ForeignKeyConstraint(["run_id"], ["billing_run.id"], name=op.f("fk_billing_exclusion__run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_exclusion")),
        sa.UniqueConstraint("run_id", "entry_id", name=op.f("uq_billing_exclusion__run_id_entry_id")),
    )
    op.create_index(op.f("ix_billing_exclusion__customer_id"), "billing_exclusion", ["customer_id"], unique=False)
    op.create_index(op.f("ix_billing_exclusion__entry_id"), "billing_exclusion", ["entry_id"], unique=False)
    op.create_index(op.f("ix_billing_exclusion__run_id"), "billing_exclusion", ["run_id"], unique=False)
    op.create_table(
        "invoice_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("price", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("vat_rate", sa.Numeric(precision=6, scale=2), nullable=False),
        sa.Column("net", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "group_id"],
            ["service_report_group.customer_id", "service_report_group.id"],
            name=op.f("fk_invoice_line__customer_id_group_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "invoice_id"],
            ["invoice.customer_id", "invoice.id"],
            name=op.f("fk_invoice_line__customer_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_invoice_line__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_line")),
        sa.UniqueConstraint("invoice_id", "group_id", name=op.f("uq_invoice_line__invoice_id_group_id")),
        sa.UniqueConstraint("invoice_id", "position", name=op.f("uq_invoice_line__invoice_id_position")),
    )
    op.create_index(op.f("ix_invoice_line__customer_id"), "invoice_line", ["customer_id"], unique=False)
    op.create_index(op.f("ix_invoice_line__invoice_id"), "invoice_line", ["invoice_id"], unique=False)
    op.create_table(
        "kontingent_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("contract_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "opening",
                "grant",
                "usage",
                "correction",
                "paid_out",
                name="ledgerkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.Column("item_id", sa.BigInteger(), nullable=True),
        sa.Column("invoice_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(kind = 'usage') = (entry_id IS NOT NULL)", name=op.f("ck_kontingent_entry__usage_has_entry")),
        sa.CheckConstraint("kind <> 'grant' OR minutes >= 0", name=op.f("ck_kontingent_entry__grant_gives")),
        sa.CheckConstraint("kind <> 'usage' OR minutes <= 0", name=op.f("ck_kontingent_entry__usage_takes")),
        sa.ForeignKeyConstraint(
            ["customer_id", "contract_id"],
            ["contract.customer_id", "contract.id"],
            name=op.f("fk_kontingent_entry__customer_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "entry_id"],
            ["service_entry.customer_id", "service_entry.id"],
            name=op.f("fk_kontingent_entry__customer_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "invoice_id"],
            ["invoice.customer_id", "invoice.id"],
            name=op.f("fk_kontingent_entry__customer_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "item_id"],
            ["billing_item.customer_id", "billing_item.id"],
            name=op.f("fk_kontingent_entry__customer_id_item_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_kontingent_entry__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kontingent_entry")),
    )
    op.create_index(op.f("ix_kontingent_entry__customer_id"), "kontingent_entry", ["customer_id"], unique=False)
    op.create_index("ix_kontingent_entry__day", "kontingent_entry", ["contract_id", "day"], unique=False)
    op.create_index(
        "uq_kontingent_entry__month",
        "kontingent_entry",
        ["contract_id", "month", "kind"],
        unique=True,
        postgresql_where=sa.text("kind IN ('grant', 'paid_out') OR (kind = 'correction' AND minutes > 0)"),
    )
    op.create_index(
        "uq_kontingent_entry__usage", "kontingent_entry", ["entry_id"], unique=True, postgresql_where=sa.text("kind = 'usage'")
    )
    op.create_table(
        "sap_document",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("adapter", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "in_flight",
                "posted",
                "failed",
                name="handoverstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("archive_key", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id", "invoice_id"],
            ["invoice.customer_id", "invoice.id"],
            name=op.f("fk_sap_document__customer_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_sap_document__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sap_document")),
        sa.UniqueConstraint("invoice_id", name=op.f("uq_sap_document__invoice_id")),
        sa.UniqueConstraint("key", name=op.f("uq_sap_document__key")),
    )
    op.create_index(op.f("ix_sap_document__customer_id"), "sap_document", ["customer_id"], unique=False)
    op.create_table(
        "service_report_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("report_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("raw_minutes", sa.Integer(), nullable=False),
        sa.Column("billed_minutes", sa.Integer(), nullable=False),
        sa.Column("usage_minutes", sa.Integer(), nullable=False),
        sa.Column("charged_minutes", sa.Integer(), nullable=False),
        sa.Column("charged_days", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("charged_trips", sa.Integer(), nullable=False),
        sa.Column(
            "charge",
            sa.Enum(
                "invoice", "kontingent", "split", "none", name="charge", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("contract_id", sa.BigInteger(), nullable=True),
        sa.Column("rule_version", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "charge <> 'none' OR (billed_minutes = 0 AND usage_minutes = 0)",
            name=op.f("ck_service_report_line__none_costs_nothing"),
        ),
        sa.CheckConstraint("billed_minutes >= 0 AND usage_minutes >= 0", name=op.f("ck_service_report_line__minutes_positive")),
        sa.ForeignKeyConstraint(
            ["customer_id", "contract_id"],
            ["contract.customer_id", "contract.id"],
            name=op.f("fk_service_report_line__customer_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "entry_id"],
            ["service_entry.customer_id", "service_entry.id"],
            name=op.f("fk_service_report_line__customer_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "report_id"],
            ["service_report.customer_id", "service_report.id"],
            name=op.f("fk_service_report_line__customer_id_report_id"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_service_report_line__customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_report_line")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_service_report_line__entry_id")),
    )
    op.create_index(op.f("ix_service_report_line__customer_id"), "service_report_line", ["customer_id"], unique=False)
    op.create_index(op.f("ix_service_report_line__report_id"), "service_report_line", ["report_id"], unique=False)
    op.create_foreign_key(
        "fk_ticket__customer_id_asset_id", "ticket", "asset", ["customer_id", "asset_id"], ["customer_id", "id"]
    )
    op.create_foreign_key(
        "fk_service_entry__customer_id_report_id",
        "service_entry",
        "service_report",
        ["customer_id", "report_id"],
        ["customer_id", "id"],
    )


def downgrade() -> None:
    op.drop_constraint("fk_ticket__customer_id_asset_id", "ticket")
    op.drop_constraint("fk_service_entry__customer_id_report_id", "service_entry")
    op.drop_index(op.f("ix_service_report_line__report_id"), table_name="service_report_line")
    op.drop_index(op.f("ix_service_report_line__customer_id"), table_name="service_report_line")
    op.drop_table("service_report_line")
    op.drop_index(op.f("ix_sap_document__customer_id"), table_name="sap_document")
    op.drop_table("sap_document")
    op.drop_index("uq_kontingent_entry__usage", table_name="kontingent_entry", postgresql_where=sa.text("kind = 'usage'"))
    op.drop_index(
        "uq_kontingent_entry__month",
        table_name="kontingent_entry",
        postgresql_where=sa.text("kind IN ('grant', 'paid_out') OR (kind = 'correction' AND minutes > 0)"),
    )
    op.drop_index("ix_kontingent_entry__day", table_name="kontingent_entry")
    op.drop_index(op.f("ix_kontingent_entry__customer_id"), table_name="kontingent_entry")
    op.drop_table("kontingent_entry")
    op.drop_index(op.f("ix_invoice_line__invoice_id"), table_name="invoice_line")
    op.drop_index(op.f("ix_invoice_line__customer_id"), table_name="invoice_line")
    op.drop_table("invoice_line")
    op.drop_index(op.f("ix_billing_exclusion__run_id"), table_name="billing_exclusion")
    op.drop_index(op.f("ix_billing_exclusion__entry_id"), table_name="billing_exclusion")
    op.drop_index(op.f("ix_billing_exclusion__customer_id"), table_name="billing_exclusion")
    op.drop_table("billing_exclusion")
    op.drop_index(op.f("ix_attachment__ticket_id"), table_name="attachment")
    op.drop_index(op.f("ix_attachment__customer_id"), table_name="attachment")
    op.drop_table("attachment")
    op.drop_index(op.f("ix_ticket_event__ticket_id"), table_name="ticket_event")
    op.drop_index(op.f("ix_ticket_event__customer_id"), table_name="ticket_event")
    op.drop_table("ticket_event")
    op.drop_index(op.f("ix_service_report_group__report_id"), table_name="service_report_group")
    op.drop_index(op.f("ix_service_report_group__customer_id"), table_name="service_report_group")
    op.drop_table("service_report_group")
    op.drop_index("ix_service_entry__work", table_name="service_entry")
    op.drop_index(
        "ix_service_entry__unreported",
        table_name="service_entry",
        postgresql_where=sa.text("report_id IS NULL AND reported_elsewhere IS NULL"),
    )
    op.drop_index(op.f("ix_service_entry__ticket_id"), table_name="service_entry")
    op.drop_index(op.f("ix_service_entry__report_id"), table_name="service_entry")
    op.drop_index(op.f("ix_service_entry__customer_id"), table_name="service_entry")
    op.drop_table("service_entry")
    op.drop_index(op.f("ix_message__ticket_id"), table_name="message")
    op.drop_index(op.f("ix_message__customer_id"), table_name="message")
    op.drop_table("message")
    op.drop_index(op.f("ix_mail_token__login_id"), table_name="mail_token")
    op.drop_table("mail_token")
    op.drop_index(op.f("ix_login_session__login_id"), table_name="login_session")
    op.drop_table("login_session")
    op.drop_index(op.f("ix_licence__customer_id"), table_name="licence")
    op.drop_table("licence")
    op.drop_index(
        "uq_invoice__service_report",
        table_name="invoice",
        postgresql_where=sa.text("kind = 'service' AND state <> 'cancelled'"),
    )
    op.drop_index(
        "uq_invoice__contract_month",
        table_name="invoice",
        postgresql_where=sa.text("kind IN ('kontingent', 'correction') AND state <> 'cancelled'"),
    )
    op.drop_index("uq_invoice__cancels", table_name="invoice")
    op.drop_index(op.f("ix_invoice__item_id"), table_name="invoice")
    op.drop_index(op.f("ix_invoice__customer_id"), table_name="invoice")
    op.drop_table("invoice")
    op.drop_index(op.f("ix_usage_reading__customer_id"), table_name="usage_reading")
    op.drop_table("usage_reading")
    op.drop_index(op.f("ix_ticket__received_at"), table_name="ticket")
    op.drop_index("ix_ticket__open", table_name="ticket", postgresql_where=sa.text("state IN ('new', 'open', 'waiting')"))
    op.drop_index(op.f("ix_ticket__customer_id"), table_name="ticket")
    op.drop_index(op.f("ix_ticket__assignee_id"), table_name="ticket")
    op.drop_table("ticket")
    op.drop_index(op.f("ix_service_report__customer_id"), table_name="service_report")
    op.drop_table("service_report")
    op.drop_table("login")
    op.drop_index(op.f("ix_kontingent_opening__customer_id"), table_name="kontingent_opening")
    op.drop_table("kontingent_opening")
    op.drop_index(op.f("ix_correction_proposal__item_id"), table_name="correction_proposal")
    op.drop_index(op.f("ix_correction_proposal__customer_id"), table_name="correction_proposal")
    op.drop_table("correction_proposal")
    op.drop_index(op.f("ix_contract_line__customer_id"), table_name="contract_line")
    op.drop_table("contract_line")
    op.drop_index(op.f("ix_asset__serial"), table_name="asset")
    op.drop_index(op.f("ix_asset__customer_id"), table_name="asset")
    op.drop_table("asset")
    op.drop_index(op.f("ix_agreed_check__customer_id"), table_name="agreed_check")
    op.drop_table("agreed_check")
    op.drop_index(op.f("ix_contract__customer_id"), table_name="contract")
    op.drop_table("contract")
    op.drop_index(op.f("ix_contact__email"), table_name="contact")
    op.drop_index(op.f("ix_contact__customer_id"), table_name="contact")
    op.drop_table("contact")
    op.drop_index(
        "uq_billing_item__live",
        table_name="billing_item",
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    op.drop_index(op.f("ix_billing_item__run_id"), table_name="billing_item")
    op.drop_index(op.f("ix_billing_item__customer_id"), table_name="billing_item")
    op.drop_table("billing_item")
    op.drop_index(op.f("ix_site__customer_id"), table_name="site")
    op.drop_table("site")
    op.drop_index(op.f("ix_purchase_order_line__customer_id"), table_name="purchase_order_line")
    op.drop_table("purchase_order_line")
    op.drop_index(
        "ix_outbox_mail__queue", table_name="outbox_mail", postgresql_where=sa.text("state IN ('queued', 'in_flight')")
    )
    op.drop_index(op.f("ix_outbox_mail__message_id"), table_name="outbox_mail")
    op.drop_index(op.f("ix_outbox_mail__customer_id"), table_name="outbox_mail")
    op.drop_table("outbox_mail")
    op.drop_index(op.f("ix_needs_analysis__customer_id"), table_name="needs_analysis")
    op.drop_table("needs_analysis")
    op.drop_index(op.f("ix_cooperation_agreement__customer_id"), table_name="cooperation_agreement")
    op.drop_table("cooperation_agreement")
    op.drop_index(op.f("ix_archived_object__reference"), table_name="archived_object")
    op.drop_index(op.f("ix_archived_object__customer_id"), table_name="archived_object")
    op.drop_table("archived_object")
    op.drop_table("customer")
    op.drop_table("postal_batch")
    op.drop_table("employee")
    op.drop_table("datev_file")
    op.drop_table("supplier")
    op.drop_table("product")
    op.drop_table("probe")
    op.drop_table("price")
    op.drop_table("preview_fingerprint")
    op.drop_index("ix_outbox_event__waiting", table_name="outbox_event", postgresql_where=sa.text("dispatched_at IS NULL"))
    op.drop_table("outbox_event")
    op.drop_table("number_range")
    op.drop_index("ix_login_attempt__recent", table_name="login_attempt")
    op.drop_index("ix_login_attempt__address", table_name="login_attempt")
    op.drop_table("login_attempt")
    op.drop_index("ix_inbox_item__waiting", table_name="inbox_item", postgresql_where=sa.text("state = 'waiting'"))
    op.drop_table("inbox_item")
    op.drop_table("import_batch")
    op.drop_table("house_site")
    op.drop_table("house")
    op.drop_table("billing_run")
    op.drop_index("ix_audit_entry__row", table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("api_token")
