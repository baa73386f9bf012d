"""How long the house must keep what it issued and received (§ 147 AO, § 257 HGB, § 14b UStG). Pure: no clock.

The period starts with the end of the calendar year in which the document came to be, so it is counted in whole years from
there: a voucher of any day of 2026 may go from 1 January 2035 on. The table of `docs/rules/aufbewahrung.md` is tested.
"""

import datetime as dt
import enum


class RecordClass(enum.StrEnum):
    """What kind of record it is in the eyes of the tax law; the value is stored beside the object."""

    VOUCHER = "voucher"  # Buchungsbeleg: invoices, service reports that explain them, bank and SAP hand-overs: 8 years
    BOOK = "book"  # Handelsbuch and what explains the system: booking batches, audit trail, Verfahrensdokumentation: 10
    LETTER = "letter"  # Handels- und Geschäftsbrief: business mail in and out, agreements after their end: 6 years


YEARS = {RecordClass.VOUCHER: 8, RecordClass.BOOK: 10, RecordClass.LETTER: 6}
"""Whole years after the year of the document. Vouchers: 8 since 1 January 2025 (Viertes Bürokratieentlastungsgesetz)."""


def retain_until(record_class: RecordClass, day: dt.date) -> dt.date:
    """The first day on which a record of that day may go: 1 January of the year after the last year of keeping."""
    return dt.date(day.year + YEARS[record_class] + 1, 1, 1)


LIMITATION = 3
"""Whole years after the year in which a claim arose (§§ 195, 199 Abs. 1 BGB)."""


def limitation(day: dt.date) -> dt.date:
    """The first day on which ordinary claims out of that day are barred: until then one has to know who it was."""
    return dt.date(day.year + LIMITATION + 1, 1, 1)
