"""What rows must say about each other: keys once per file, names that exist, of the right customer. All set-based."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from actions.company import files as f
from actions.company.cells import quoted
from actions.company.findings import ERRORS_KEPT, HINTS_KEPT_PER_KIND, WHOLE_LINE, Findings
from actions.company.spec import Column, File, Ref
from actions.company.tables import BAD, LINE, current, same_key, stage
from models.parties import Customer

BERLIN = "Europe/Berlin"


@dataclass(frozen=True, slots=True)
class Bench:
    """Where checks work: the session, what they found so far, the files that lie in temporary tables, and which of them are
    torn: what such a file names after its fault is not known, so nothing is said about who refers to it.

    A query given to `errors` or `hints` yields one row per finding, its first column the line; `say` makes the sentence.
    """

    session: Session
    findings: Findings
    staged: Collection[File]
    torn: Collection[File] = ()

    def errors(self, file: File, column: str, found: sa.Select[Any], say: Callable[[Any], str]) -> None:
        """Note every row that the query finds as an error."""
        rows, more = self._fetch(found, ERRORS_KEPT)
        for row in rows:
            self.findings.error(file.name, row[0], column, say(row))
        self.findings.more_errors(more)

    def hints(self, file: File, column: str, kind: str, found: sa.Select[Any], say: Callable[[Any], str]) -> None:
        """Note every row that the query finds as a hint."""
        rows, more = self._fetch(found, HINTS_KEPT_PER_KIND)
        for row in rows:
            self.findings.hint(file.name, row[0], column, kind, say(row))
        self.findings.more_hints(more)

    def _fetch(self, found: sa.Select[Any], limit: int) -> tuple[Sequence[Any], int]:
        counted = found.add_columns(sa.func.count().over()).order_by(found.selected_columns[0]).limit(limit)
        rows = self.session.execute(counted).all()
        return rows, rows[0][-1] - len(rows) if rows else 0


def check_rows(bench: Bench) -> None:
    """All checks between rows of the files, and between them and what is stored by name."""
    staged = bench.staged
    for file in staged:
        _keys_once(bench, file)
        for column in file.columns:
            if column.ref is not None:
                _exists(bench, file, column, column.ref)
    if f.PRODUCTS in staged:
        _price_codes(bench)
    if f.USAGE in staged:
        _metered_lines(bench)
    if f.CUSTOMERS in staged:
        _mandates(bench)
    if f.OPENINGS in staged:
        _openings(bench)
    if f.HOUSE_SITES in staged:
        _main_sites(bench)
    if f.ENTRIES in staged:
        _work_before_arrival(bench)
        _approvers(bench)


def _keys_once(bench: Bench, file: File) -> None:
    rows = stage(file)
    keys = [rows.c[name] for name in file.key]
    if not keys:
        found = sa.select(rows.c[LINE]).where(rows.c[LINE] > sa.select(sa.func.min(rows.c[LINE])).scalar_subquery())
        bench.errors(file, WHOLE_LINE, found, lambda _row: "zweite Zeile; erlaubt ist eine, das Haus gibt es einmal")
        return
    first = sa.func.min(rows.c[LINE]).over(partition_by=keys).label("first")
    readable = sa.or_(~rows.c[BAD], sa.and_(*(key.is_not(None) for key in keys)))
    keyed = sa.select(rows.c[LINE], first, *keys).where(readable).subquery()
    found = sa.select(keyed).where(keyed.c[LINE] > keyed.c.first)
    names = ", ".join(file.key)

    def say(row: Any) -> str:
        key = ", ".join(quoted(str(value)) if value is not None else "(leer)" for value in row[2 : 2 + len(keys)])
        return f"{key} steht schon in Zeile {row.first}; erlaubt ist jede Angabe von {names} einmal"

    bench.errors(file, names if len(keys) == 1 else "+".join(file.key), found, say)


def _named(bench: Bench, ref: Ref) -> list[sa.Select[Any]]:
    """The names that a reference may use, with the customer's number when it must be the row's own."""
    file = f.BY_NAME[ref.file]
    own = ref.model.__table__
    name = own.c[ref.attr].label("name")
    if ref.scoped:
        customer = Customer.__table__
        stored = sa.select(name, customer.c.number.label("customer")).join(customer, customer.c.id == own.c.customer_id)
    else:
        stored = sa.select(name)
    if file not in bench.staged:
        return [stored]
    rows = stage(file)
    written = next(c.name for c in file.columns if c.target == ref.attr)
    names = [rows.c[written].label("name")]
    if ref.scoped:
        names.append(rows.c.customer.label("customer"))
    return [sa.select(*names), stored]


def _exists(bench: Bench, file: File, column: Column, ref: Ref) -> None:
    if f.BY_NAME[ref.file] in bench.torn:
        return
    rows = stage(file)
    value = rows.c[column.name]
    missing: ColumnElement[bool] = value.is_not(None)
    if ref.scoped:
        missing = sa.and_(missing, rows.c.customer.is_not(None))
    for names in _named(bench, ref):
        known = names.subquery()
        match = known.c.name == value
        if ref.scoped:
            match = sa.and_(match, known.c.customer == rows.c.customer)
        missing = sa.and_(missing, ~sa.exists(sa.select(sa.literal(1)).select_from(known).where(match)))
    shown = [rows.c[LINE], value, rows.c.customer] if ref.scoped else [rows.c[LINE], value]

    def say(row: Any) -> str:
        where = f"weder in {ref.file} noch in Drehkreuz"
        whose = f" bei Kunde {quoted(row[2])}" if ref.scoped else ""
        return f"{ref.word} {quoted(row[1])} gibt es{whose} {where}; legen Sie den Satz an oder berichtigen Sie die Angabe"

    bench.errors(file, column.name, sa.select(*shown).where(missing), say)


def _price_codes(bench: Bench) -> None:
    ref = Ref(f.PRICES.model, "code", "", "prices.csv", "Preisschlüssel")
    _exists(bench, f.PRODUCTS, f.PRODUCTS.by_name["price_code"], ref)


def _union(bench: Bench, file: File, *names: str) -> sa.Subquery:
    """Some columns of a file as they will be: its rows, and what is stored and not among them."""
    stored = current(file)
    old = sa.select(*(stored.c[name] for name in names))
    if file not in bench.staged:
        return old.subquery()
    rows = stage(file)
    kept = old.where(~sa.exists(sa.select(sa.literal(1)).select_from(rows).where(same_key(file, rows, stored))))
    return sa.union_all(sa.select(*(rows.c[name] for name in names)), kept).subquery()


def _metered_lines(bench: Bench) -> None:
    rows, lines = stage(f.USAGE), _union(bench, f.CONTRACT_LINES, "contract", "line")
    known = sa.exists(sa.select(sa.literal(1)).where(lines.c.contract == rows.c.contract, lines.c.line == rows.c.line))
    found = sa.select(rows.c[LINE], rows.c.contract, rows.c.line).where(~known, ~rows.c[BAD])
    bench.errors(
        f.USAGE, "line", found,
        lambda row: f"Position {quoted(row[2])} hat der Vertrag {quoted(row[1])} nicht; "
        "erlaubt sind Positionen aus contract_lines.csv",
    )  # fmt: skip


def _mandates(bench: Bench) -> None:
    """A mandate reference belongs to one customer; the database keeps it unique."""
    rows, customer = stage(f.CUSTOMERS), Customer.__table__
    first = sa.func.min(rows.c[LINE]).over(partition_by=rows.c.mandate_reference).label("first")
    reference = rows.c.mandate_reference
    referenced = sa.select(rows.c[LINE], reference, first).where(reference.is_not(None)).subquery()
    bench.errors(
        f.CUSTOMERS, "mandate_reference", sa.select(referenced).where(referenced.c[LINE] > referenced.c.first),
        lambda row: f"{quoted(row[1])} steht schon in Zeile {row[2]}; erlaubt ist jede Mandatsreferenz einmal",
    )  # fmt: skip
    taken = (
        sa.select(rows.c[LINE], rows.c.mandate_reference, customer.c.number)
        .join(customer, customer.c.mandate_reference == rows.c.mandate_reference)
        .where(customer.c.number != rows.c.number)
    )
    bench.errors(
        f.CUSTOMERS, "mandate_reference", taken,
        lambda row: f"{quoted(row[1])} gehört in Drehkreuz dem Kunden {quoted(row[2])}; jede Mandatsreferenz gibt es einmal",
    )  # fmt: skip


def _openings(bench: Bench) -> None:
    rows, contracts = stage(f.OPENINGS), _union(bench, f.CONTRACTS, "number", "kind", "starts_on")
    joined = sa.select(rows.c[LINE], contracts.c.kind, contracts.c.starts_on)
    joined = joined.join(contracts, contracts.c.number == rows.c.contract)
    bench.errors(
        f.OPENINGS, "contract", joined.where(contracts.c.kind != "kontingent"),
        lambda row: f"der Vertrag ist {row[1]}; einen Anfangsbestand hat nur ein Vertrag der Art kontingent",
    )  # fmt: skip
    early = sa.and_(rows.c.as_of < contracts.c.starts_on - 1, rows.c.minutes != 0)
    bench.hints(
        f.OPENINGS, "as_of", "early", joined.where(early),
        lambda row: f"Stichtag liegt vor dem Vertragsbeginn {row[2]}",
    )  # fmt: skip


def _main_sites(bench: Bench) -> None:
    sites = _union(bench, f.HOUSE_SITES, "main")
    count = bench.session.scalar(sa.select(sa.func.count()).where(sites.c.main)) or 0
    if count != 1:
        bench.findings.hint(f.HOUSE_SITES.name, 1, "main", "count", f"{count} Hauptstandorte; üblich ist einer")


def _work_before_arrival(bench: Bench) -> None:
    rows, tickets = stage(f.ENTRIES), _union(bench, f.TICKETS, "number", "received_at")
    arrival = sa.cast(sa.func.timezone(BERLIN, tickets.c.received_at), sa.Date)
    found = sa.select(rows.c[LINE], arrival, rows.c.ticket).join(tickets, tickets.c.number == rows.c.ticket)
    bench.hints(
        f.ENTRIES, "work_date", "before_ticket", found.where(rows.c.work_date < arrival),
        lambda row: f"Arbeit vor dem Eingang des Tickets {row[2]} am {row[1]}",
    )  # fmt: skip


def _approvers(bench: Bench) -> None:
    rows, people = stage(f.ENTRIES), _union(bench, f.EMPLOYEES, "email")
    known = sa.exists(sa.select(sa.literal(1)).where(people.c.email == rows.c.approved_by))
    found = sa.select(rows.c[LINE], rows.c.approved_by).where(rows.c.approved_by.is_not(None), ~known)
    bench.hints(
        f.ENTRIES, "approved_by", "unknown", found,
        lambda row: f"{quoted(row[1])} ist kein Mitarbeiter dieses Hauses",
    )  # fmt: skip
