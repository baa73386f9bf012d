"""Random despatch advices as suppliers could mean them."""

import dataclasses
import datetime as dt
from decimal import Decimal

from hypothesis import strategies as st

from integrations.despatch.types import DespatchAdvice, DespatchLine, Package, SupplierHint

_IDENT = st.text("ABCDEFXYZabc0123456789-/._#+:?'*", min_size=1, max_size=14).filter(
    lambda text: text.upper() not in ("NA", "N/A")
)
_TEXT = st.text("abc ÄÖÜäöüß€&<>\"';:+?.,0123456789", max_size=30).map(lambda text: " ".join(text.split()))
_GTIN = st.sampled_from(["", "4012345000016", "40123455", "00012345600012"])
_SERIAL = st.text("ABCXYZ0123456789-/", min_size=2, max_size=12)


@st.composite
def lines(draw: st.DrawFn, number: int) -> DespatchLine:
    serials = draw(st.lists(_SERIAL, max_size=7))
    return DespatchLine(
        number=str(number),
        quantity=draw(st.decimals(Decimal(0), Decimal(99999), places=3, allow_nan=False))
        if not serials
        else Decimal(len(serials)),
        unit=draw(st.sampled_from(["C62", "PCE", "Stk", "MTR", ""])),
        supplier_article=draw(_IDENT),
        our_product=draw(st.one_of(st.just(""), _IDENT)),
        ean=draw(_GTIN),
        text=draw(_TEXT),
        serials=tuple(serials),
        batch=draw(st.one_of(st.just(""), _SERIAL)),
        order_number=draw(_IDENT),
        order_line=draw(st.one_of(st.just(""), _SERIAL)),
        packages=(draw(_SERIAL),) if draw(st.booleans()) else (),
    )


@st.composite
def advices(draw: st.DrawFn) -> DespatchAdvice:
    found = [draw(lines(number)) for number in range(1, draw(st.integers(1, 4)) + 1)]
    return DespatchAdvice(
        format="",
        delivery_note=draw(_IDENT),
        lines=tuple(found),
        supplier=SupplierHint(name=draw(_TEXT), gln=draw(st.sampled_from(["", "4012345000108"]))),
        despatched_on=draw(st.one_of(st.none(), st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)))),
        orders=tuple(dict.fromkeys(line.order_number for line in found)),
        packages=tuple(Package(number) for number in dict.fromkeys(number for line in found for number in line.packages)),
        shipment=draw(st.one_of(st.just(""), _IDENT)),
        note=draw(_TEXT),
    )


def bare(advice: DespatchAdvice) -> DespatchAdvice:
    """Without what only the reader adds: format, places and hints."""
    return dataclasses.replace(
        advice, format="", hints=(), lines=tuple(dataclasses.replace(line, place="") for line in advice.lines)
    )
