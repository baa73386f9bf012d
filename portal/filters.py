"""How numbers, dates and times read in German pages."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import phonenumbers
from babel.numbers import format_currency, format_decimal

from kit import clock
from rules.month import Month

LOCALE = "de_DE"
MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember",
)  # fmt: skip
NOTHING = "–"


def euro(value: Decimal | str | None) -> str:
    """1.234,50 €"""
    return NOTHING if value is None else format_currency(Decimal(value), "EUR", locale=LOCALE)


def number(value: Decimal | str | float | None, places: int | None = None) -> str:
    """1.234,5; with `places` exactly so many decimals."""
    if value is None:
        return NOTHING
    pattern = "#,##0.####" if places is None else "#,##0" + ("." + "0" * places if places else "")
    return format_decimal(Decimal(str(value)), format=pattern, locale=LOCALE)


def signed_euro(value: Decimal | str | None) -> str:
    """+12,00 €, with the true minus sign below zero."""
    if value is None:
        return NOTHING
    amount = Decimal(value)
    return f"{'+' if amount > 0 else '−' if amount < 0 else '±'}{euro(abs(amount))}"


def date(value: dt.date | None) -> str:
    """02.11.2026"""
    return NOTHING if value is None else f"{value:%d.%m.%Y}"


def weekday(value: dt.date) -> str:
    """Mo 02.11."""
    return f"{('Mo', 'Di', 'Mi', 'Do', 'Fr', 'Sa', 'So')[value.weekday()]} {value:%d.%m.}"


def _instant(value: dt.datetime | str) -> dt.datetime:
    return clock.local(dt.datetime.fromisoformat(value) if isinstance(value, str) else value)


def moment(value: dt.datetime | str | None) -> str:
    """02.11.2026, 07:05 (Berlin)"""
    return NOTHING if value is None else f"{_instant(value):%d.%m.%Y, %H:%M}"


def clock_time(value: dt.datetime | str | None) -> str:
    """07:05 (Berlin)"""
    return NOTHING if value is None else f"{_instant(value):%H:%M}"


def iso(value: dt.datetime | dt.date) -> str:
    """Machine-readable, for `<time datetime>`."""
    return value.isoformat()


def month(value: Month | str) -> str:
    """Oktober 2026"""
    found = value if isinstance(value, Month) else Month.parse(value)
    return f"{MONTHS[found.number - 1]} {found.year}"


def hours(minutes: int | None) -> str:
    """90 -> 1:30 h; below zero with the true minus sign."""
    if minutes is None:
        return NOTHING
    whole, rest = divmod(abs(minutes), 60)
    return f"{'−' if minutes < 0 else ''}{whole}:{rest:02d} h"


def who(actor: str | None, names: Mapping[str, str] | None = None) -> str:
    """A person as the audit trail names it (`employee:name@haus.example`): by name where it is known, else the address."""
    if not actor:
        return NOTHING
    address = actor.removeprefix("employee:").removeprefix("contact:")
    return (names or {}).get(address, address)


def phone(value: str) -> str:
    """+49 2581 55500 in the national form, as people dial it; what is no number stays as it is."""
    try:
        found = phonenumbers.parse(value, "DE")
    except phonenumbers.NumberParseException:
        return value
    kind = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(found, kind.NATIONAL if found.country_code == 49 else kind.INTERNATIONAL)


def size(count: int) -> str:
    """Bytes as kB or MB."""
    return f"{number(count / 1_000_000, 1)} MB" if count >= 1_000_000 else f"{number(max(1, count // 1000))} kB"


FILTERS = {
    "euro": euro,
    "zahl": number,
    "euro_mit_vorzeichen": signed_euro,
    "datum": date,
    "wochentag": weekday,
    "zeitpunkt": moment,
    "uhrzeit": clock_time,
    "iso": iso,
    "monat": month,
    "stunden": hours,
    "groesse": size,
    "wer": who,
    "rufnummer": phone,
}
