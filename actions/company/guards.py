"""What stands fast in the database and what a file therefore must not change.

Every refusal names the record, what holds it, and the way that remains.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from actions.company import files as f
from actions.company.cells import quoted
from actions.company.checking import Bench
from actions.company.findings import WHOLE_LINE
from actions.company.guards_checks import check_charged_work, check_proof
from actions.company.spec import File
from actions.company.tables import CHANGED, ID, KEPT, LINE, OWNER, current, differs, stage, table_of
from models.billing import BillingExclusion, BillingItem, BillingRun, KontingentEntry, ServiceReport, ServiceReportGroup
from models.contracts import Contract
from models.parties import Customer
from models.work import EntryState, ServiceEntry

AGREED_PRICES = ("signed_on", "hour_price", "day_price", "travel_price", "after_hours_percent", "weekend_percent")
KONTINGENT_TERMS = ("kind", "starts_on", "kontingent_hours_per_month", "kontingent_hour_price")
WORK = (
    "ticket", "technician", "work_date", "started_at", "ended_at", "minutes", "place", "trips", "kind", "text", "billable",
    "non_billable_reason",
)  # fmt: skip


def hold(session: Session, file: File) -> None:
    """Lock the stored rows that would change, so that nobody releases or changes them while we look."""
    table, rows = table_of(file.model), stage(file)
    ids = sa.select(rows.c[ID]).where(rows.c[CHANGED])
    held = sa.select(table.c.id).where(table.c.id.in_(ids)).order_by(table.c.id).with_for_update().subquery()
    session.execute(sa.select(sa.func.count()).select_from(held))


def check_stored(bench: Bench) -> None:
    """All checks of changes against what stands fast."""
    staged = bench.staged
    for file in staged:
        if file.fixed_owner:
            _same_customer(bench, file)
    if f.ENTRIES in staged:
        _locked_entries(bench)
        _approved_entries(bench)
        check_charged_work(bench)
    if f.TICKETS in staged:
        check_proof(bench)
    if f.AGREEMENTS in staged:
        _used_agreements(bench)
    if f.CONTRACTS in staged:
        _booked_contracts(bench)
    if f.OPENINGS in staged:
        _booked_openings(bench)


def changed_columns(file: File, names: tuple[str, ...] = ()) -> ColumnElement[Any]:
    """The names of the columns in which a staged row differs from what is stored, as one text."""
    rows, stored = stage(file), current(file)
    parts = [sa.case((rows.c[n].is_distinct_from(stored.c[n]), n)) for n in names or tuple(file.by_name)]
    return sa.func.concat_ws(", ", *parts)


def _changes(file: File, names: tuple[str, ...] = ()) -> sa.Select[Any]:
    """Staged rows that change something stored (of these columns): line and the columns."""
    rows, stored = stage(file), current(file)
    return (
        sa.select(rows.c[LINE], changed_columns(file, names).label("columns"))
        .join(stored, stored.c[ID] == rows.c[ID])
        .where(rows.c[CHANGED], differs(file, rows, stored, names))
    )


def _same_customer(bench: Bench, file: File) -> None:
    rows, stored, customer = stage(file), current(file), Customer.__table__
    found = (
        sa.select(rows.c[LINE], rows.c[file.key[0]], customer.c.number)
        .join(stored, stored.c[ID] == rows.c[ID])
        .join(customer, customer.c.id == stored.c[OWNER])
        .where(rows.c[CHANGED], customer.c.number != rows.c.customer)
    )
    bench.errors(
        file, "customer", found,
        lambda row: f"{quoted(row[1])} gehört in Drehkreuz dem Kunden {quoted(row[2])} und wechselt ihn nicht; "
        "vergeben Sie eine neue Nummer",
    )  # fmt: skip


def _locked_entries(bench: Bench) -> None:
    """Released, reported, booked in the ledger or listed as covered: such work is a fact of an issued or released month."""
    rows, entry, report = stage(f.ENTRIES), ServiceEntry.__table__, ServiceReport.__table__
    ledger, excluded, item, run = (m.__table__ for m in (KontingentEntry, BillingExclusion, BillingItem, BillingRun))
    booked = sa.exists(sa.select(sa.literal(1)).where(ledger.c.entry_id == entry.c.id))
    first = sa.select(sa.func.min(run.c.month)).join(excluded, excluded.c.run_id == run.c.id)
    covered = first.where(excluded.c.entry_id == entry.c.id).scalar_subquery()
    taken = sa.select(run.c.month).join(item, item.c.run_id == run.c.id)
    released = taken.where(item.c.id == report.c.item_id).scalar_subquery()
    locked = sa.or_(
        entry.c.report_id.is_not(None),
        entry.c.state.in_((EntryState.REPORTED.value, EntryState.INVOICED.value)),
        booked,
        covered.is_not(None),
    )
    found = (
        _changes(f.ENTRIES)
        .add_columns(rows.c.id, report.c.number, released.label("released"), covered.label("covered"))
        .join(entry, entry.c.id == rows.c[ID])
        .outerjoin(report, report.c.id == entry.c.report_id)
        .where(locked)
    )

    def say(row: Any) -> str:
        if row.number:
            why = f"steht im Servicebericht {row.number}"
            way = "berichtigen Sie sie in Drehkreuz durch eine Gegenbuchung"
        elif row.released:
            why = f"ist im Rechnungslauf {row.released} freigegeben"
            way = "nehmen Sie dort den Kunden aus dem Lauf zurück oder berichtigen Sie sie danach durch eine Gegenbuchung"
        elif row.covered:
            why = f"ist im Rechnungslauf {row.covered} als vom Vertrag abgedeckt geführt"
            way = "erfassen Sie eine berichtigende Leistung"
        else:
            why = "ist im Kontingent gebucht"
            way = "erfassen Sie eine berichtigende Leistung"
        return f"Leistung {quoted(row.id)} {why} und ändert sich nicht mehr ({row.columns}); {way}"

    bench.errors(f.ENTRIES, WHOLE_LINE, found, say)


def _approved_entries(bench: Bench) -> None:
    """Approved work changes only together with an approval that is not older: else nobody approved what it then says."""
    rows, entry = stage(f.ENTRIES), ServiceEntry.__table__
    found = (
        _changes(f.ENTRIES, WORK)
        .add_columns(rows.c.id, entry.c.approved_at)
        .join(entry, entry.c.id == rows.c[ID])
        .where(rows.c[KEPT], entry.c.state == EntryState.APPROVED.value, entry.c.report_id.is_(None))
    )
    shown = f.INSTANT.write
    bench.errors(
        f.ENTRIES, "approved_at", found,
        lambda row: f"Leistung {quoted(row.id)} ist in Drehkreuz seit {shown(row.approved_at)} freigegeben, "
        f"die Datei ändert {row.columns} ohne oder mit älterer Freigabe; "
        "nehmen Sie die Freigabe in Drehkreuz zurück oder geben Sie die neue hier an",
    )  # fmt: skip


def _used_agreements(bench: Bench) -> None:
    """A version that states the price of a released or issued report keeps its prices and the day they hold from."""
    rows, group = stage(f.AGREEMENTS), ServiceReportGroup.__table__
    used = sa.exists(sa.select(sa.literal(1)).where(group.c.agreement_id == rows.c[ID]))
    found = _changes(f.AGREEMENTS, AGREED_PRICES).add_columns(rows.c.customer, rows.c.version).where(used)
    bench.errors(
        f.AGREEMENTS, WHOLE_LINE, found,
        lambda row: f"Fassung {row.version} des Kunden {quoted(row.customer)} steht schon in einem Servicebericht; "
        f"{row.columns} ändert sich nicht mehr, legen Sie eine neue Fassung an",
    )  # fmt: skip


def _booked_contracts(bench: Bench) -> None:
    """A Kontingent with bookings keeps its hours, price, kind and start; its end never moves before the last booking.

    A contract's terms carry no date of their own: new hours or a new price would also meet months that were granted,
    invoiced and shown to the customer, and what a report has said stays said. A house that wants to correct an error so
    ends the contract with its last booked month and starts a new one with the right terms the day after; what was wrong
    before is put right by a correction document that the customer sees. Everything else of the contract (overdraft,
    correction rule, rounding, what happens to the rest) may change at any time: it only meets months not yet released.
    """
    rows, ledger, contract = stage(f.CONTRACTS), KontingentEntry.__table__, Contract.__table__
    last = sa.select(sa.func.max(ledger.c.day)).where(ledger.c.contract_id == rows.c[ID]).scalar_subquery()
    found = _changes(f.CONTRACTS, KONTINGENT_TERMS).add_columns(rows.c.number, last.label("last")).where(last.is_not(None))
    bench.errors(
        f.CONTRACTS, WHOLE_LINE, found,
        lambda row: f"Vertrag {quoted(row.number)} hat Kontingentbuchungen bis {row.last}; "
        f"{row.columns} ändert sich nicht mehr, beenden Sie ihn zum Monatsende und legen Sie einen neuen Vertrag an",
    )  # fmt: skip
    ended = (
        sa.select(rows.c[LINE], rows.c.number, last.label("last"))
        .join(contract, contract.c.id == rows.c[ID])
        .where(rows.c[CHANGED], rows.c.ends_on.is_distinct_from(contract.c.ends_on), rows.c.ends_on < last)
    )
    bench.errors(
        f.CONTRACTS, "ends_on", ended,
        lambda row: f"Vertrag {quoted(row.number)} hat Kontingentbuchungen bis {row.last}; erlaubt ist ein Ende ab diesem Tag",
    )  # fmt: skip


def _booked_openings(bench: Bench) -> None:
    """An opening replaces everything up to its day; once months are booked on it, it would rewrite balances already shown."""
    rows, ledger, contract = stage(f.OPENINGS), KontingentEntry.__table__, Contract.__table__
    booked = sa.exists(sa.select(sa.literal(1)).where(ledger.c.contract_id == contract.c.id))
    found = (
        sa.select(rows.c[LINE], rows.c.contract)
        .join(contract, contract.c.number == rows.c.contract)
        .where(booked, sa.or_(rows.c[ID].is_(None), rows.c[CHANGED]))
    )
    bench.errors(
        f.OPENINGS, "contract", found,
        lambda row: f"das Kontingent {quoted(row.contract)} hat schon Buchungen, sein Anfangsbestand steht fest; "
        "gleichen Sie den Bestand durch eine Korrektur in Drehkreuz aus",
    )  # fmt: skip
