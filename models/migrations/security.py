"""What every migration needs for a new table: whose rows they are, who may touch them, what is remembered of changes.

The names of the cluster roles carry the database's name; SQL asks `current_database()` so that a migration never does.
"""

import sqlalchemy as sa
from alembic import op

CUSTOMER = "drehkreuz_customer()"


def as_role(statement: str) -> None:
    """Run a statement in which `{app}`, `{staff}`, `{customer}` and `{database}` stand for this database's names."""
    op.execute(_named(statement))


def _named(statement: str) -> str:
    places = {"{app}": "%1$I", "{staff}": "%2$I", "{customer}": "%3$I", "{database}": "%4$I"}
    text = statement.replace("%", "%%")
    for name, place in places.items():
        text = text.replace(name, place)
    return (
        f"DO $do$ BEGIN EXECUTE format($f${text}$f$, current_database() || '_app', current_database() || '_portal_staff',"
        " current_database() || '_portal_customer', current_database()); END $do$"
    )


def tenant_table(
    table: str, *, column: str = "customer_id", visible: str = "", customer_may: tuple[str, ...] = ("SELECT",)
) -> None:
    """Second wall: row-level security for a table of one customer's rows.

    Args:
        table: the table.
        column: its tenant column.
        visible: a further condition for what the customer may see, e.g. `direction <> 'internal'`.
        customer_may: the statements that the customer's role may run at all.
    """
    own = f"{column} = {CUSTOMER}" + (f" AND {visible}" if visible else "")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    as_role(f"CREATE POLICY house ON {table} TO {{app}}, {{staff}} USING (true) WITH CHECK (true)")
    as_role(f"CREATE POLICY own ON {table} TO {{customer}} USING ({own}) WITH CHECK ({own})")
    grant(table, "{customer}", customer_may)


def grant(table: str, role: str, rights: tuple[str, ...]) -> None:
    """Grant rights on a table to `{app}`, `{staff}` or `{customer}`."""
    if rights:
        as_role(f"GRANT {', '.join(rights)} ON {table} TO {role}")


def house_table(table: str, *, customer_reads: bool = False) -> None:
    """A table of the house: `app` and `portal_staff` by default privileges, the customer at most reads."""
    if customer_reads:
        grant(table, "{customer}", ("SELECT",))


def revoke_change(table: str) -> None:
    """Append-only: nobody but the owner may update or delete."""
    as_role(f"REVOKE UPDATE, DELETE ON {table} FROM {{app}}, {{staff}}")


def audited(table: str, *, without: tuple[str, ...] = (), only_if: str = "") -> None:
    """Write each change of a row to the audit trail, except mass loads that write their own entry.

    Args:
        table: the table.
        without: columns that never enter the trail (secrets, raw bytes).
        only_if: a further condition for updates, with OLD and NEW.
    """
    quiet = "current_setting('drehkreuz.bulk', true) IS DISTINCT FROM '1'"  # `harden` puts drehkreuz_watched() there
    hidden = ", ".join(f"'{column}'" for column in without)
    op.execute(
        f"CREATE TRIGGER audit_insert_delete AFTER INSERT OR DELETE ON {table} FOR EACH ROW "
        f"WHEN ({quiet}) EXECUTE FUNCTION drehkreuz_audit({hidden})"
    )
    changed = "OLD.* IS DISTINCT FROM NEW.*" + (f" AND ({only_if})" if only_if else "")
    op.execute(
        f"CREATE TRIGGER audit_update AFTER UPDATE ON {table} FOR EACH ROW "
        f"WHEN ({quiet} AND {changed}) EXECUTE FUNCTION drehkreuz_audit({hidden})"
    )


def frozen_rows(table: str, condition: str, may_change: tuple[str, ...] = ()) -> None:
    """Law 4: while `condition` holds for the old row, only `may_change` may change and the row cannot be deleted."""
    keys = ", ".join(f"'{column}'" for column in may_change) or "NULL"
    op.execute(
        f"CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW "
        f"WHEN ({condition}) EXECUTE FUNCTION drehkreuz_frozen({keys})"
    )


_QUIET = "(current_setting('drehkreuz.bulk'::text, true) IS DISTINCT FROM '1'::text)"
_WATCHED = "drehkreuz_watched()"
_REWRITE = """
DO $do$
DECLARE r record;
BEGIN
    FOR r IN SELECT t.tgname, t.tgrelid::regclass AS tab, pg_get_triggerdef(t.oid) AS def FROM pg_trigger t
             WHERE t.tgname IN ('audit_insert_delete', 'audit_update') AND NOT t.tgisinternal
               AND position($was${old}$was$ IN pg_get_triggerdef(t.oid)) > 0 LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', r.tgname, r.tab);
        EXECUTE replace(r.def, $was${old}$was$, $is${new}$is$);
    END LOOP;
END $do$
"""
_SEARCH_PATH = """
DO $do$
DECLARE r record;
BEGIN
    FOR r IN SELECT p.oid::regprocedure AS function FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
             WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'drehkreuz\\_%' AND l.lanname = 'plpgsql'
               AND NOT coalesce('search_path=pg_catalog, public, pg_temp' = ANY (p.proconfig), false) LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, public, pg_temp', r.function);
    END LOOP;
END $do$
"""


def unwatch() -> None:
    """Triggers of the trail ask for the session's word alone, as before revision 0007."""
    op.execute(_REWRITE.format(old=_WATCHED, new=_QUIET))


def harden(connection: sa.Connection) -> None:
    """What holds for every table and function of ours, those of the newest migration too; may be repeated.

    - Functions look into our schema before they look for temporary tables: else a role could put a table of its own in the
      place of the trail or of a document, and a trigger would believe it.
    - The database is closed to roles that are not named, temporary tables are for the house alone (plans, imports).
    - Nobody but the owner touches the number of the schema.
    """
    connection.execute(sa.text(_SEARCH_PATH))
    if connection.scalar(sa.text("SELECT to_regproc('drehkreuz_watched')")) is not None:
        connection.execute(sa.text(_REWRITE.format(old=_QUIET, new=_WATCHED)))
    for statement in (
        "REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC",
        "GRANT TEMPORARY ON DATABASE {database} TO {app}, {staff}",
        "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {app}, {staff}",
    ):
        connection.execute(sa.text(_named(statement)))
