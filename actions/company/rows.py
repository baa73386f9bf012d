"""What the cells of one row must say together, and what is unusual about it.

One function per question: what asks for a cell that could not be read says nothing, the others are answered all the same.
"""

import contextlib
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actions.company.findings import Findings
from kit import clock
from rules.cadence import first_day, parse

DAY_MINUTES = 24 * 60


class UnreadError(Exception):
    """A question needs a cell that is wrong by itself; that error stands already."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row whose cells were looked at one by one; `unread` names those that could not be understood."""

    file: str
    line: int
    values: dict[str, Any]
    findings: Findings
    unread: frozenset[str] = frozenset()

    def __getitem__(self, name: str) -> Any:
        if name in self.unread:
            raise UnreadError(name)
        return self.values[name]

    def error(self, column: str, text: str) -> None:
        """Impossible."""
        self.findings.error(self.file, self.line, column, text)

    def hint(self, column: str, kind: str, text: str) -> None:
        """Unusual but possible."""
        self.findings.hint(self.file, self.line, column, kind, text)

    def not_before(self, column: str, start: str) -> None:
        """A day must not lie before another one."""
        if self[column] and self[start] and self[column] < self[start]:
            self.error(column, f"{self[column]} liegt vor {start} {self[start]}; erlaubt ist derselbe Tag oder später")

    def hardly_before(self, column: str, start: str) -> None:
        """A day seldom lies before another one."""
        if self[column] and self[start] and self[column] < self[start]:
            self.hint(column, "order", f"{self[column]} liegt vor {start} {self[start]}")


def _german_postal_code(row: Row, country: str = "DE") -> None:
    code = row["postal_code"]
    if country == "DE" and not (len(code) == 5 and code.isascii() and code.isdigit()):
        row.hint("postal_code", "shape", f"»{code}« ist keine deutsche Postleitzahl")


def house_address(row: Row) -> None:
    _german_postal_code(row)


def house_tax(row: Row) -> None:
    if not row["tax_number"] and not row["vat_id"]:
        row.hint("tax_number", "missing", "weder Steuernummer noch USt-IdNr.: ohne eine von beiden darf keine Rechnung hinaus")


def customer_address(row: Row) -> None:
    _german_postal_code(row, row["country"])


def customer_delivery(row: Row) -> None:
    if row["delivery"] == "xrechnung" and not row["leitweg_id"]:
        row.error("leitweg_id", "fehlt; delivery xrechnung verlangt eine Leitweg-ID, zum Beispiel 991-01234-38")


def customer_mandate(row: Row) -> None:
    mandate = ("mandate_reference", "mandate_signed_on", "mandate_kind")
    given = [name for name in mandate if row[name] is not None]
    if given:
        for name in (*mandate, "iban"):
            if row[name] is None:
                row.error(name, f"fehlt zum SEPA-Mandat ({', '.join(given)}); {', '.join(mandate)} und iban gehören zusammen")


def agreement(row: Row) -> None:
    if row["signed_on"] is None and row["version"] > 1:
        row.hint("signed_on", "unsigned", "Fassung ohne Unterschrift: ihre Preise gelten erst ab dem Tag der Unterschrift")


def contract_days(row: Row) -> None:
    row.not_before("ends_on", "starts_on")


def contract_terms(row: Row) -> None:
    terms = ("kontingent_hours_per_month", "kontingent_hour_price")
    for name in terms:
        if row["kind"] == "kontingent" and row[name] is None:
            row.error(name, "fehlt; kind kontingent verlangt Stunden je Monat und Preis je Stunde")
        if row["kind"] != "kontingent" and row[name] is not None:
            row.hint(name, "unused", f"bleibt ohne Wirkung, der Vertrag ist {row['kind']}")
    if row["kontingent_hours_per_month"] == 0:
        row.hint(terms[0], "zero", "Kontingent ohne Stunden")


def contract_line(row: Row) -> None:
    row.not_before("valid_to", "valid_from")


def asset_delivery(row: Row) -> None:
    row.hardly_before("delivered_on", "bought_on")


def asset_warranty(row: Row) -> None:
    row.hardly_before("warranty_until", "bought_on")


def order_days(row: Row) -> None:
    row.hardly_before("expected_on", "ordered_on")


def order_quantity(row: Row) -> None:
    if row["quantity"] == 0:
        row.hint("quantity", "zero", "Menge 0")


def check(row: Row) -> None:
    if first_day(parse(row["cadence"]), row["starts_on"]) is None:
        row.hint("cadence", "empty", "ergibt keinen einzigen Termin")


def ticket(row: Row) -> None:
    if row["received_at"] > clock.now():
        row.hint("received_at", "future", "Eingang liegt in der Zukunft")


def entry_reason(row: Row) -> None:
    if not row["billable"] and not row["non_billable_reason"]:
        row.error("non_billable_reason", "fehlt; billable no verlangt einen Grund")
    if row["billable"] and row["non_billable_reason"]:
        row.hint("non_billable_reason", "unused", "Grund angegeben, obwohl berechnet wird")


def entry_minutes(row: Row) -> None:
    if row["minutes"] == 0:
        row.hint("minutes", "zero", "0 Minuten")
    if row["minutes"] > DAY_MINUTES:
        row.hint("minutes", "long", f"{row['minutes']} Minuten sind mehr als ein Tag")


def entry_trips(row: Row) -> None:
    if row["place"] == "remote" and row["trips"]:
        row.hint("trips", "remote", "Anfahrt bei Fernwartung")


def entry_day(row: Row) -> None:
    if row["work_date"] > clock.today():
        row.hint("work_date", "future", "Arbeitstag liegt in der Zukunft")


def entry_span(row: Row) -> None:
    start, end = row["started_at"], row["ended_at"]
    if start and clock.local(start).date() != row["work_date"]:
        row.hint("started_at", "other_day", f"Beginn liegt nicht am Arbeitstag {row['work_date']}")
    if start and end:
        if end < start:
            row.error("ended_at", "Ende liegt vor dem Beginn; erlaubt ist derselbe Zeitpunkt oder später")
        elif end - start < dt.timedelta(minutes=row["minutes"]):
            row.hint("minutes", "span", "mehr Minuten als zwischen Beginn und Ende liegen")


def entry_approval(row: Row) -> None:
    by, at = row["approved_by"], row["approved_at"]
    if by and not at:
        row.error("approved_at", "fehlt zu approved_by; erlaubt sind beide oder keines")
    if at and not by:
        row.hint("approved_by", "nobody", "freigegeben, aber nicht von wem")
    if at and clock.local(at).date() < row["work_date"]:
        row.hint("approved_at", "before_work", "Freigabe liegt vor dem Arbeitstag")


Rule = Callable[[Row], None]

RULES: dict[str, tuple[Rule, ...]] = {
    "house.csv": (house_address, house_tax),
    "customers.csv": (customer_address, customer_delivery, customer_mandate),
    "agreements.csv": (agreement,),
    "contracts.csv": (contract_days, contract_terms),
    "contract_lines.csv": (contract_line,),
    "assets.csv": (asset_delivery, asset_warranty),
    "tickets.csv": (ticket,),
    "service_entries.csv": (entry_reason, entry_minutes, entry_trips, entry_day, entry_span, entry_approval),
    "checks.csv": (check,),
    "purchase_orders.csv": (order_days, order_quantity),
}


def ask(row: Row) -> None:
    """Put every question of its file to a row."""
    for rule in RULES.get(row.file, ()):
        with contextlib.suppress(UnreadError):
            rule(row)
