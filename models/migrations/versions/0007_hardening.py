"""Roles get no more than their work needs; the trail of the portal cannot be left out (see `security.harden`)."""

from alembic import op

from models.migrations.security import as_role, unwatch

revision = "0007_hardening"
down_revision = "0006_maintenance_kept"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    # a mass load may write one entry of its own; a page of the portal never is one, whatever its session says
    op.execute("""
        CREATE FUNCTION drehkreuz_watched() RETURNS boolean LANGUAGE sql STABLE AS $$
            SELECT current_setting('drehkreuz.bulk', true) IS DISTINCT FROM '1'
                OR current_user IN (current_database() || '_portal_staff', current_database() || '_portal_customer')
        $$
    """)
    as_role("REVOKE INSERT ON audit_entry FROM {staff}")
    as_role("ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE USAGE, SELECT ON SEQUENCES FROM {customer}")
    as_role("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {customer}")


def downgrade() -> None:
    unwatch()
    op.execute("DROP FUNCTION drehkreuz_watched()")
    as_role("GRANT INSERT ON audit_entry TO {staff}")
