"""Writing booking batches: one row per invoice and VAT rate, one file per fiscal year and 99,999 rows.

A cancellation is a Generalumkehr: the row names the opposite side and carries the mark, and DATEV books it as a negative
amount on the side of the original, so that turnover figures do not swell. It bears the cancelled invoice's number in
Belegfeld 1, so that the open item is settled, and its own number in the text and in Beleginfo 1.
"""

import calendar
import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Literal

from integrations.datev.fields import COLUMNS, Value, encodable
from integrations.datev.types import DatevBooking, DatevClient, DatevError, DatevFile, DatevInvoice
from kit.clock import local

MAX_ROWS = 99_999
_VOUCHER = re.compile(r"[A-Za-z0-9_$&%*+/-]{1,36}")
_LABEL = re.compile(r"[\w.\-/ ]{0,30}")
_TEXT_LENGTH = 60
_END = "\r\n"


def booking_rows(invoice: DatevInvoice, client: DatevClient) -> tuple[DatevBooking, ...]:
    """Gross per VAT rate, debtor against revenue account; what is zero is not booked. Raises: DatevError."""
    place = f"Rechnung {invoice.number}"
    _check_account(invoice.debtor_account, client.account_length + 1, f"{place}, Debitorenkonto", "beim Kunden")
    voucher = invoice.reverses or invoice.number
    for number in (invoice.number, voucher):
        if not _VOUCHER.fullmatch(number):
            raise DatevError(
                f"{place}: {number!r} ist kein Belegfeld; erlaubt sind bis zu 36 Zeichen A-Z, 0-9 und _ $ & % * + - /."
            )
    charged = sorted((rate, gross) for rate, gross in invoice.gross_by_rate.items() if gross)
    return tuple(_row(invoice, client, rate, gross, voucher) for rate, gross in reversed(charged))


def _row(invoice: DatevInvoice, client: DatevClient, rate: int, gross: Decimal, voucher: str) -> DatevBooking:
    account = client.revenue_accounts.get(rate)
    if account is None:
        raise DatevError(
            f"Rechnung {invoice.number}: kein Erlöskonto für {rate} % Umsatzsteuer; bitte in den Einstellungen ergänzen."
        )
    _check_account(account, client.account_length, f"Erlöskonto {rate} %", "in den Einstellungen")
    owed = gross > 0
    side: Literal["S", "H"] = "S" if owed != bool(invoice.reverses) else "H"
    text = f"Storno {invoice.number}: {invoice.text}" if invoice.reverses else invoice.text
    return DatevBooking(
        amount=abs(gross),
        side=side,
        account=invoice.debtor_account,
        contra_account=account,
        voucher_date=invoice.issued_on,
        voucher=voucher,
        text=encodable(text)[:_TEXT_LENGTH],
        reverses=bool(invoice.reverses),
        own_number=invoice.number if invoice.reverses else "",
        cost_centre=invoice.cost_centre,
        mandate_reference=invoice.mandate_reference,
        supplied_on=invoice.supplied_until,
        due_on=invoice.due_on,
    )


def write_batches(
    invoices: Iterable[DatevInvoice], client: DatevClient, *, name: str, created_at: dt.datetime
) -> tuple[DatevFile, ...]:
    """The files for these invoices, in order of date and number; the same invoices give the same bytes.

    `name` is shown in DATEV as the batch's label (30 characters), `created_at` stands in the header. Raises: DatevError.
    """
    _check_client(client, name)
    ordered = sorted(invoices, key=lambda i: (i.issued_on, i.number))
    files: list[DatevFile] = []
    for year_start, of_year in groupby(ordered, key=lambda i: fiscal_year_start(i.issued_on, client.fiscal_year_first_month)):
        rows = [row for invoice in of_year for row in booking_rows(invoice, client)]
        for first in range(0, len(rows), MAX_ROWS):
            part = rows[first : first + MAX_ROWS]
            files.append(_file(part, BatchHead(client, year_start, name, created_at, *_months(part)), len(files) + 1))
    return tuple(files)


def fiscal_year_start(day: dt.date, first_month: int) -> dt.date:
    """First day of the fiscal year (Wirtschaftsjahr) that holds `day`."""
    return dt.date(day.year if day.month >= first_month else day.year - 1, first_month, 1)


def _months(rows: Sequence[DatevBooking]) -> tuple[dt.date, dt.date]:
    first, last = rows[0].voucher_date, rows[-1].voucher_date
    return first.replace(day=1), last.replace(day=calendar.monthrange(last.year, last.month)[1])


@dataclass(frozen=True, slots=True)
class BatchHead:
    """What the first line of a file says."""

    client: DatevClient
    year_start: dt.date
    name: str
    created_at: dt.datetime
    first: dt.date
    last: dt.date

    def line(self) -> str:
        """31 fields."""
        client, made = self.client, local(self.created_at)
        fields: list[str] = [
            '"EXTF"',
            "700",
            "21",
            '"Buchungsstapel"',
            "13",
            f"{made:%Y%m%d%H%M%S}{made.microsecond // 1000:03d}",
            "",  # imported: filled by DATEV
            '"RE"',  # origin
            '""',
            '""',
            str(client.consultant),
            str(client.client),
            f"{self.year_start:%Y%m%d}",
            str(client.account_length),
            f"{self.first:%Y%m%d}",
            f"{self.last:%Y%m%d}",
            f'"{self.name}"',
            f'"{client.initials}"',
            "1",  # Finanzbuchführung
            "0",  # independent of the purpose of accounting
            "1" if client.finalised else "0",
            '"EUR"',
            "",
            '""',
            "",
            "",
            f'"{client.chart}"',
            "",
            "",
            '""',
            '""',
        ]
        return ";".join(fields)


def _file(rows: Sequence[DatevBooking], head: BatchHead, sequence: int) -> DatevFile:
    names = ";".join(column.name for column in COLUMNS)
    lines = [head.line(), names, *(_line(row, head.client) for row in rows)]
    slug = re.sub(r"[^A-Za-z0-9]+", "-", head.name).strip("-") or "Buchungsstapel"
    total = sum((row.amount if row.side == "S" else -row.amount for row in rows), Decimal(0))
    content = (_END.join(lines) + _END).encode("cp1252")
    return DatevFile(f"EXTF_{slug}_{head.first:%Y%m}-{head.last:%Y%m}_{sequence}.csv", content, len(rows), total)


def _line(row: DatevBooking, client: DatevClient) -> str:
    place = f"Rechnung {row.own_number or row.voucher}"
    values: dict[str, Value] = {
        "Umsatz (ohne Soll/Haben-Kz)": row.amount,
        "Soll/Haben-Kennzeichen": row.side,
        "Konto": row.account,
        "Gegenkonto (ohne BU-Schlüssel)": row.contra_account,
        "Belegdatum": row.voucher_date,
        "Belegfeld 1": row.voucher,
        "Buchungstext": row.text,
        "KOST1 - Kostenstelle": row.cost_centre,
        "SEPA-Mandatsreferenz": row.mandate_reference,
        "Festschreibung": 1 if client.finalised else 0,
        "Leistungsdatum": row.supplied_on,
        "Datum Zuord. Steuerperiode": row.supplied_on,
        "Fälligkeit": row.due_on,
    }
    if row.reverses:
        values |= {"Generalumkehr (GU)": "1", "Beleginfo - Art 1": "Stornorechnung", "Beleginfo - Inhalt 1": row.own_number}
    return ";".join(column.written(values.get(column.name), place) for column in COLUMNS)


def _check_account(account: str, length: int, place: str, where: str) -> None:
    if not (account.isascii() and account.isdigit() and len(account) == length):
        raise DatevError(f"{place} {account!r}: erwartet werden genau {length} Ziffern; bitte {where} berichtigen.")


def _check_client(client: DatevClient, name: str) -> None:
    faults = {
        f"Beraternummer {client.consultant}: erlaubt ist 1001 bis 9999999": 1001 <= client.consultant <= 9_999_999,
        f"Mandantennummer {client.client}: erlaubt ist 1 bis 99999": 1 <= client.client <= 99_999,
        f"Sachkontenlänge {client.account_length}: erlaubt ist 4 bis 8": 4 <= client.account_length <= 8,
        f"Beginn des Wirtschaftsjahrs {client.fiscal_year_first_month}: erlaubt ist Monat 1 bis 12": (
            1 <= client.fiscal_year_first_month <= 12
        ),
        f"Diktatkürzel {client.initials!r}: erlaubt sind zwei Buchstaben": re.fullmatch(r"[A-Z]{2}", client.initials)
        is not None,
        f"Bezeichnung {name!r}: erlaubt sind 30 Zeichen, Buchstaben, Ziffern und . - /": (
            _LABEL.fullmatch(name) is not None and encodable(name) == name
        ),
    }
    for fault, fine in faults.items():
        if not fine:
            raise DatevError(f"DATEV: {fault}; bitte die Einstellungen berichtigen.")
