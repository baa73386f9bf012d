"""The end state of a home as plain values, and how two of them differ.

All rows of all tables count, but for what may differ whatever happened on the way: surrogate ids, instants, bytes, hashes that
carry an instant, counters of attempts, and which of the numbers of a range went to which row (the numbers themselves count).
"""

import json
import re
from collections import Counter
from email import message_from_bytes
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

import models  # noqa: F401 - every table
from actions import archive_check
from actions.archive import store
from integrations.archive.port import ArchivedRef
from integrations.mail.sink import sunk_mails
from kit.database import unit_of_work
from kit.settings import home
from models.base import Base
from models.billing import Invoice
from models.parties import Customer
from models.plumbing import ArchivedObject, MailState, NumberRange, OutboxMail
from models.service_desk import Ticket

ASIDE = {
    "audit_entry",
    "outbox_event",
    "number_range",
    "import_batch",
    "login_attempt",
    "login_session",
    "run_notice",
    "access_entry",
    "access_notice",
    "upload_day",
}
"""Tables that tell how it came about, not what is so; numbers are counted for themselves."""
PASSING = {"attempts", "chain", "error", "fault", "flow_run_id", "message_id", "reply", "sha256", "size", "version", "snapshot"}
"""Columns that may differ although the end is the same."""
DOUBTS = sa.select(Ticket.id).where(Ticket.dedup_key.startswith("mail-unclear:"))
"""Tasks that ask a person about a mail exist only where a kill left a doubt; they are counted apart."""

GROUPINGS = {"datev_file", "postal_batch"}
"""Files with whatever was ready: an invoice that waited for a person's word about a mail comes in the next one."""
_GROUPING = re.compile(r"^key=(datev|post)/")
_MESSAGE = re.compile(r"\bdk\.[a-z2-7]{32}\b")
"""Message-IDs are made from numbers, and which row got which number may differ."""
_NUMBER = re.compile(r"\b([A-Z]{1,4})-(\d{4})-\d{6}\b")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_HASH = re.compile(r"\b[0-9a-f]{12,64}\b")
_ROW = re.compile(r"(?<=:)\d+(?=:|$)")
"""Ids of rows in keys of our own (`pick:3:2:KA-1`)."""


def look(sink: str) -> dict[str, Any]:
    """The end of a home: what there is, what is wrong by itself, what a person would count."""
    with unit_of_work("crash-test") as session:
        return {"state": end_state(session), "faults": faults(session, Path(sink)), "counted": counted(session)}


def end_state(session: Session) -> dict[str, Any]:
    """What there is, in a form that two runs can be compared by."""
    return {
        "rows": {table.name: _rows(session, table) for table in Base.metadata.sorted_tables if table.name not in ASIDE},
        "numbers": _numbers(session),
        "handed over": _handed_over(session),
        "sap files": sorted(_plain(path.name) for path in (home() / "sap").rglob("*") if path.is_file()),
    }


def _rows(session: Session, table: sa.Table) -> list[str]:
    columns = [column for column in table.columns if _counts(column)]
    statement = sa.select(*columns)
    if "customer_id" in table.c:
        statement = statement.add_columns(Customer.number.label("of_customer")).outerjoin_from(
            table, Customer, Customer.id == table.c.customer_id
        )
    if table.name == Ticket.__tablename__:
        statement = statement.where(table.c.id.not_in(DOUBTS))
    elif "ticket_id" in table.c:
        statement = statement.where(sa.or_(table.c.ticket_id.is_(None), table.c.ticket_id.not_in(DOUBTS)))
    found = session.execute(statement).mappings()
    rows = (" · ".join(f"{name}={_plain(value)}" for name, value in row.items()) for row in found)
    return sorted(rows)


def _counts(column: sa.Column[Any]) -> bool:
    if column.name == "id" or column.foreign_keys or column.name in PASSING:
        return False
    return not isinstance(column.type, (sa.DateTime, sa.LargeBinary))


def _plain(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)
    text = _MESSAGE.sub("dk.#", _NUMBER.sub(r"\1-\2-n", text))
    return _ROW.sub("#", _HASH.sub("#", _INSTANT.sub("@", text)))


def _handed_over(session: Session) -> dict[str, int]:
    """Invoices that stand in a DATEV file, and those that lie in a postal batch."""
    counts = sa.select(sa.func.count(Invoice.datev_file_id), sa.func.count(Invoice.postal_batch_id))
    datev, post = session.execute(counts).one()
    return {"DATEV": datev, "Post": post}


def _numbers(session: Session) -> dict[str, list[int]]:
    """Prefix and year -> highest number given and how many distinct ones stand on rows: equal means no gap, none twice."""
    found: Counter[str] = Counter()
    for table in Base.metadata.sorted_tables:
        for name in {"number", "inventory_no", "note_number"} & set(table.c.keys()):
            for value in session.scalars(sa.select(table.c[name]).where(table.c[name].is_not(None)).distinct()):
                if match := _NUMBER.fullmatch(str(value)):
                    found[f"{match[1]}-{match[2]}"] += 1
    ranges = {f"{row.prefix}-{row.year}": row.last for row in session.scalars(sa.select(NumberRange))}
    for key in ranges:
        if key.startswith("T-"):
            ranges[key] -= _doubts(session)
            found[key] -= _doubts(session)
    return {key: [last, found[key]] for key, last in sorted(ranges.items()) if last or found[key]}


def _doubts(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(DOUBTS.subquery())) or 0


def differences(actual: dict[str, Any], expected: dict[str, Any], *, doubted: bool = False) -> list[str]:
    """German sentences, one per difference; empty when both ends are the same.

    Args:
        actual: the end after kills.
        expected: the end of the undisturbed run.
        doubted: a person was asked about a mail, so what follows it came later: into how many files the invoices were put may
            differ then, but not which of them were handed over.
    """
    found = []
    for table, rows in expected["rows"].items():
        if doubted and table in GROUPINGS:
            continue
        wanted, there = (Counter(_apart(each, doubted=doubted)) for each in (rows, actual["rows"].get(table, [])))
        found += [f"{table}: fehlt {count}-mal: {row[:300]}" for row, count in (wanted - there).items()]
        found += [f"{table}: {count}-mal zu viel: {row[:300]}" for row, count in (there - wanted).items()]
    if actual["handed over"] != expected["handed over"]:
        found.append(f"Übergebene Rechnungen: {actual['handed over']} statt {expected['handed over']}")
    if actual["numbers"] != expected["numbers"]:
        found.append(f"Nummernkreise [höchste, vergebene]: {actual['numbers']} statt {expected['numbers']}")
    if actual["sap files"] != expected["sap files"]:
        found.append(f"SAP-Dateien: {len(actual['sap files'])} statt {len(expected['sap files'])}")
    return found


def _apart(rows: list[str], *, doubted: bool) -> list[str]:
    return [row for row in rows if not (doubted and _GROUPING.match(row))]


def faults(session: Session, sink: Path) -> list[str]:
    """What must hold in any end, whatever the undisturbed run says: numbers, mails, archive, chain."""
    gaps = [
        f"Nummernkreis {key}: höchste {last}, vergeben {count}"
        for key, (last, count) in _numbers(session).items()
        if last != count
    ]
    return [*gaps, *_mail_faults(session, sink), *_archive_faults(session)]


def _mail_faults(session: Session, sink: Path) -> list[str]:
    arrived = Counter(str(message_from_bytes(kept.raw).get("Message-ID", "")) for kept in sunk_mails(sink))
    found = [f"Mail {ident} kam {count}-mal an" for ident, count in arrived.items() if count > 1]
    states = dict(session.execute(sa.select(OutboxMail.message_id, OutboxMail.state)).tuples().all())
    found += [f"Mail {ident} kam an, steht aber auf {states.get(ident, 'nichts')}" for ident in arrived
              if states.get(ident) is not MailState.ACCEPTED]  # fmt: skip
    found += [f"Mail {ident} gilt als angenommen, kam aber nicht an" for ident, state in states.items()
              if state is MailState.ACCEPTED and ident not in arrived]  # fmt: skip
    return found


def _archive_faults(session: Session) -> list[str]:
    found = []
    for row in session.scalars(sa.select(ArchivedObject)):
        try:
            store().verify(ArchivedRef(row.key, row.sha256, row.size, row.version or ""))
        except Exception as fault:  # noqa: BLE001 - each one is told
            found.append(f"Archiv {row.key}: {fault}")
    return found + [f"Kette {link.key}: {link.why}" for link in archive_check.broken_links(session)]


COUNTED = {
    "ticket": "Tickets", "service_report": "Serviceberichte", "invoice": "Rechnungen", "kontingent_entry": "Kontobuchungen",
    "sap_document": "SAP-Belege", "goods_receipt": "Wareneingänge", "delivery": "Lieferungen", "asset": "Assets",
    "check_proof": "Prüfnachweise", "outbox_mail": "Mails", "archived_object": "Archivobjekte",
}  # fmt: skip


def counted(session: Session) -> dict[str, int]:
    """What a person would count at the end."""
    tables = Base.metadata.tables
    found = {word: session.scalar(sa.select(sa.func.count()).select_from(tables[name])) or 0 for name, word in COUNTED.items()}
    files = sa.or_(ArchivedObject.key.startswith("datev/"), ArchivedObject.key.startswith("post/"))  # see GROUPINGS
    grouped = session.scalar(sa.select(sa.func.count()).select_from(ArchivedObject).where(files)) or 0
    return found | {"Tickets": found["Tickets"] - _doubts(session), "Archivobjekte": found["Archivobjekte"] - grouped}
