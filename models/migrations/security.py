"""What every migration needs for a new table: whose rows they are, who may touch them, what is remembered of changes.

The names of the cluster roles carry the database's name; SQL asks `current_database()` so that a migration never does.
"""

from alembic import op

CUSTOMER = "drehkreuz_customer()"


def _as_role(statement: str) -> None:
    """Run a statement in which `{app}`, `{staff}` and `{customer}` stand for this database's roles."""
    op.execute(
        "DO $do$ BEGIN EXECUTE format($f$"
        + statement.replace("%", "%%").replace("{app}", "%1$I").replace("{staff}", "%2$I").replace("{customer}", "%3$I")
        + "$f$, current_database() || '_app', current_database() || '_portal_staff', current_database() || '_portal_customer');"
        " END $do$"
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
    _as_role(f"CREATE POLICY house ON {table} TO {{app}}, {{staff}} USING (true) WITH CHECK (true)")
    _as_role(f"CREATE POLICY own ON {table} TO {{customer}} USING ({own}) WITH CHECK ({own})")
    grant(table, "{customer}", customer_may)


def grant(table: str, role: str, rights: tuple[str, ...]) -> None:
    """Grant rights on a table to `{app}`, `{staff}` or `{customer}`."""
    if rights:
        _as_role(f"GRANT {', '.join(rights)} ON {table} TO {role}")


def house_table(table: str, *, customer_reads: bool = False) -> None:
    """A table of the house: `app` and `portal_staff` by default privileges, the customer at most reads."""
    if customer_reads:
        grant(table, "{customer}", ("SELECT",))


def revoke_change(table: str) -> None:
    """Append-only: nobody but the owner may update or delete."""
    _as_role(f"REVOKE UPDATE, DELETE ON {table} FROM {{app}}, {{staff}}")


def audited(table: str, *, without: tuple[str, ...] = (), only_if: str = "") -> None:
    """Write each change of a row to the audit trail, except mass loads that write their own entry.

    Args:
        table: the table.
        without: columns that never enter the trail (secrets, raw bytes).
        only_if: a further condition for updates, with OLD and NEW.
    """
    quiet = "current_setting('drehkreuz.bulk', true) IS DISTINCT FROM '1'"
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
