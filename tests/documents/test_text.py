"""Text that a document can carry, and German formats."""

import datetime as dt
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.documents import text


@given(st.text())
def test_whatever_comes_in_only_what_the_font_has_goes_out(raw: str) -> None:
    cleaned = text.clean(raw)

    assert all(c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs"} for c in cleaned)
    assert set(cleaned) - {"\n", " "} <= text._covered()
    assert text.clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Größe ändern: Übergabe für Straße 5 – „ja“", "Größe ändern: Übergabe für Straße 5 – „ja“"),
        ("e\u0301lan", "élan"),
        ("a\x00b\x1b[0m", "ab[0m"),
        ("links \u202erechts\u202c", "links rechts"),
        ("gut 👍🏽 gemacht", "gut □ gemacht"),
        ("日本語", "□"),
        ("ﬁx ½ µ Ω Ж Łódź", "ﬁx ½ µ Ω Ж Łódź"),
        ("𝔘nicode ａｂｃ", "Unicode abc"),
        ("halb \ud800", "halb □"),
        ("eins\r\nzwei\tdrei", "eins\nzwei drei"),
        ("weich\u00adgetrennt\u200b", "weichgetrennt"),
    ],
)
def test_clean(raw: str, shown: str) -> None:
    assert text.clean(raw) == shown


def test_formats() -> None:
    assert text.euro(Decimal("1234567.5")) == "1.234.567,50\u00a0€"
    assert text.euro(Decimal("-0.1")) == "−0,10\u00a0€"
    assert text.price(Decimal("0.0825")) == "0,0825\u00a0€"
    assert text.price(Decimal("1E+2")) == "100,00\u00a0€"
    assert text.percent(Decimal("19.00")) == "19\u00a0%"
    assert text.percent(Decimal("5.50")) == "5,5\u00a0%"
    assert text.hours(735) == "12:15\u00a0Std."
    assert text.hours(-61) == "−1:01\u00a0Std."
    assert text.month(dt.date(2026, 3, 1)) == "März 2026"
    assert text.weekday(dt.date(2026, 10, 31)) == "Sa"
    assert text.period(dt.date(2026, 10, 1), dt.date(2026, 10, 1)) == "01.10.2026"
    assert text.iban("DE02120300000000202051") == "DE02\u00a01203\u00a00000\u00a00000\u00a02020\u00a051"
    assert text.masked_iban("DE02 1203 0000 0000 2020 51") == "DE02\u00a0…\u00a02051"
