"""What is stored stays where a file must not turn it back, and what a file would change of it.

A folder may be older than the database it meets: an export of last month, the list of the old system once more. So before
rows are compared, the file's rows take over what only goes forward:

* **Approval.** An approval that stands is never withdrawn by a file that has none or an older one; what the back office
  sent back to the technician, and an approval that was taken back here, is not brought back by a file.
* **Reported.** `reported_elsewhere` is never emptied (else work already billed would be billed again). Our own report's
  number on the very entry that stands on that report is our own export coming home and changes nothing.
* **Tickets** that are resolved or closed are not opened again.
"""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.company import files as f
from actions.company.checking import Bench
from actions.company.spec import File
from actions.company.staging import Staged, analyse
from actions.company.tables import CHANGED, ID, KEPT, LINE, current, differs, same_key, stage
from models.billing import ServiceReport
from models.plumbing import AuditEntry
from models.service_desk import Ticket
from models.work import EntryState, ServiceEntry

_DONE = ("resolved", "closed")


def merge(bench: Bench, staged: Collection[Staged]) -> None:
    """Take over what only goes forward."""
    for one in staged:
        if one.file is f.ENTRIES:
            _keep_approvals(bench, one)
            _keep_reports(bench)
        elif one.file is f.TICKETS:
            _keep_done_tickets(bench)


def compare(session: Session, file: File) -> None:
    """Mark which rows are stored already, and which of them would change."""
    rows, stored = stage(file), current(file)
    session.execute(
        sa.update(rows)
        .where(same_key(file, rows, stored))
        .values({rows.c[ID]: stored.c[ID], rows.c[CHANGED]: differs(file, rows, stored)})
    )
    analyse(session, file)


def _keep_approvals(bench: Bench, staged: Staged) -> None:
    rows, entry, shown = stage(f.ENTRIES), ServiceEntry.__table__, current(f.ENTRIES)
    same = sa.and_(entry.c.key == rows.c.id, shown.c[ID] == entry.c.id)
    # the audit trail knows which approvals were taken back: a file that still carries one does not bring it back
    trail = AuditEntry.__table__
    was = sa.cast(trail.c.before["approved_at"].astext, sa.DateTime(timezone=True))
    withdrawn = sa.exists(
        sa.select(sa.literal(1)).where(
            trail.c.table_name == "service_entry", trail.c.row_id == entry.c.id, was == rows.c.approved_at
        )
    )
    refused = sa.and_(
        same,
        rows.c.approved_at.is_not(None),
        entry.c.state == EntryState.CAPTURED.value,
        sa.or_(entry.c.returned_reason.is_not(None), withdrawn),
    )
    bench.hints(
        f.ENTRIES, "approved_at", "returned",
        sa.select(rows.c[LINE], entry.c.returned_reason).where(refused),
        lambda row: "nicht übernommen: diese Freigabe wurde in Drehkreuz zurückgenommen"
        f"{f' ({row[1]})' if row[1] else ''}; geben Sie die Leistung dort frei",
    )  # fmt: skip
    approved = entry.c.approved_at.is_not(None)
    if "approved_at" in staged.present:
        older = sa.or_(rows.c.approved_at.is_(None), rows.c.approved_at < entry.c.approved_at)
    else:
        older = sa.true()
    bench.session.execute(
        sa.update(rows)
        .where(same, sa.or_(refused, sa.and_(approved, older)))
        .values(
            {
                rows.c[KEPT]: approved,
                rows.c.approved_at: shown.c.approved_at,
                rows.c.approved_by: shown.c.approved_by,
            }
        )
    )


def _keep_reports(bench: Bench) -> None:
    rows, stored = stage(f.ENTRIES), current(f.ENTRIES)
    raw, report = ServiceEntry.__table__, ServiceReport.__table__
    same = same_key(f.ENTRIES, rows, stored)
    bench.session.execute(
        sa.update(rows)
        .where(same, rows.c.reported_elsewhere.is_(None), stored.c.reported_elsewhere.is_not(None))
        .values({rows.c.reported_elsewhere: stored.c.reported_elsewhere})
    )
    mine = sa.exists(sa.select(sa.literal(1)).where(raw.c.key == rows.c.id, raw.c.report_id == report.c.id))
    found: sa.Select[Any] = (
        sa.select(rows.c[LINE], rows.c.reported_elsewhere)
        .join(report, report.c.number == rows.c.reported_elsewhere)
        .where(~mine)
    )
    bench.hints(
        f.ENTRIES, "reported_elsewhere", "foreign", found,
        lambda row: f"{row[1]} ist hier die Nummer eines Berichts ohne diese Leistung; sie gilt als anderswo berichtet",
    )  # fmt: skip


def _keep_done_tickets(bench: Bench) -> None:
    rows, ticket = stage(f.TICKETS), Ticket.__table__
    back = sa.and_(
        ticket.c.number == rows.c.number,
        sa.or_(
            sa.and_(ticket.c.state.in_(_DONE), rows.c.state.not_in(_DONE)),
            sa.and_(ticket.c.state == "closed", rows.c.state == "resolved"),
        ),
    )
    bench.hints(
        f.TICKETS, "state", "reopened",
        sa.select(rows.c[LINE], rows.c.state, ticket.c.state).select_from(sa.join(rows, ticket, back)),
        lambda row: f"{row[1]} nicht übernommen: in Drehkreuz ist das Ticket {row[2]}; öffnen Sie es dort, falls nötig",
    )  # fmt: skip
    bench.session.execute(sa.update(rows).where(back).values({rows.c.state: ticket.c.state}))
