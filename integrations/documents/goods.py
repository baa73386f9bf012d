"""Papers of a delivery: pick list with barcodes for the shelf, packing list, delivery note (DIN 5008) and labels."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import barcode
from markupsafe import Markup, escape

from integrations.documents import text
from integrations.documents.address import envelope
from integrations.documents.contents import ContactPerson, House, Party
from integrations.documents.engine import engine
from rules.receiving import amount

MODULE = 1.0
QUIET = 10
"""Modules of white on either side, as Code 128 asks for (ISO/IEC 15417)."""
NARROWEST = 0.19
"""Millimetres per module that an office printer sets cleanly at 300 dpi and a hand scanner or phone still reads."""
COLUMN, SERIAL, HEAD, LABEL = 54.0, 52.0, 60.0, 84.0
"""Millimetres of a barcode in the column of articles, of a serial, of the delivery, on a label: wider when the content asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One position."""

    article: str
    name: str
    quantity: Decimal
    unit: str = "Stück"
    bin: str = ""
    serials: tuple[str, ...] = ()
    tracked: bool = False
    """Each piece has a serial number."""
    on_shelf: bool = True
    """False for licences and services: nothing to fetch."""
    order: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryContent:
    """What all papers of one delivery say."""

    house: House
    contact: ContactPerson
    customer: Party
    """To whom it goes: head office or the site."""
    day: dt.date
    ticket: str
    customer_order: str
    supplier: str
    supplier_note: str
    items: tuple[Item, ...]
    open_items: tuple[Item, ...] = ()
    """Of the same order, still to come."""
    number: str = ""
    """Our delivery note; empty until the parcel is packed."""
    parcels: int = 0
    scan_code: str = ""
    """What the scanner reads to open the delivery's page."""


def _modules(content: str) -> str:
    """Bars (1) and gaps (0); empty for what Code 128 cannot carry."""
    if not content or not content.isascii() or not content.isprintable():
        return ""
    return str(barcode.get_barcode_class("code128")(content).build()[0])


def code_width(content: str, at_least: float) -> float:
    """Millimetres that the code of `content` takes, quiet zones included: never below NARROWEST per module."""
    return max(at_least, (len(_modules(content)) + 2 * QUIET) * NARROWEST)


def code128(content: str, at_least: float, height: float = 34.0) -> Markup:
    """Code 128 as one path; nothing for what the code cannot carry. The text under it is the template's."""
    modules = _modules(content)
    if not modules:
        return Markup("")
    bars, start = [], None
    for index, bit in enumerate(f"{modules}0"):
        if bit == "1" and start is None:
            start = index
        elif bit == "0" and start is not None:
            bars.append(
                f"M{(start + QUIET) * MODULE:g} 0h{(index - start) * MODULE:g}v{height:g}h-{(index - start) * MODULE:g}z"
            )
            start = None
    width = (len(modules) + 2 * QUIET) * MODULE
    return Markup(  # noqa: S704 - bars are ours, the text is escaped
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" preserveAspectRatio="none" '
        f'style="width:{code_width(content, at_least):.1f}mm">'
        f"<title>Strichcode {escape(content)}</title>"
        f'<path fill="#000000" d="{"".join(bars)}"/></svg>'
    )


def render_pick_list(content: DeliveryContent) -> bytes:
    """For the shelf: bins, quantities, a barcode per article and per serial. Raises: RenderError."""
    values = _values(content, f"Kommissionierliste {content.ticket}") | {
        "items": [_pick_row(index, item) for index, item in enumerate(content.items, 1)],
        "scan": code128(content.scan_code, HEAD),
    }
    return engine().pdf("pick_list", values, made=content.day)


def _pick_row(index: int, item: Item) -> dict[str, Any]:
    return {
        "index": index,
        "item": item,
        "quantity": amount(item.quantity),
        "code": code128(item.article, COLUMN) if item.on_shelf else "",
        "wide": code_width(item.article, COLUMN) > COLUMN,
        "serials": [{"text": serial, "code": code128(serial, SERIAL)} for serial in item.serials],
        "missing": max(0, int(item.quantity) - len(item.serials)) if item.tracked else 0,
    }


def render_packing_list(content: DeliveryContent) -> bytes:
    """Lies in the parcel: what is in it, with serial numbers. Raises: RenderError."""
    values = _values(content, f"Packliste {content.number}") | {"items": _rows(tuple(i for i in content.items if i.on_shelf))}
    return engine().pdf("packing_list", values, made=content.day)


def render_delivery_note(content: DeliveryContent) -> bytes:
    """Lieferschein after DIN 5008 with what is still to come. Raises: RenderError."""
    info = [
        ("Lieferschein", content.number),
        ("Datum", text.day(content.day)),
        ("Kundennummer", content.customer.number),
        ("Ihr Auftrag", content.customer_order or "–"),
        ("Packstücke", str(content.parcels)),
    ]
    values = _values(content, f"Lieferschein {content.number}") | {
        "items": _rows(content.items),
        "open_items": _rows(content.open_items),
        "info": info,
        "partial": bool(content.open_items),
        "recorded": any(item.tracked for item in content.items),
    }
    return engine().pdf("delivery_note", values, made=content.day)


def render_label(content: DeliveryContent) -> bytes:
    """One label per parcel, A6. Raises: RenderError."""
    values = _values(content, f"Versandetikett {content.number}") | {
        "labels": [f"{index} von {content.parcels}" for index in range(1, content.parcels + 1)],
        "code": code128(content.number, LABEL),
    }
    return engine().pdf("label", values, made=content.day)


def _rows(items: tuple[Item, ...]) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "item": item,
            "quantity": f"{amount(item.quantity)} {item.unit}".strip(),
            "serials": ", ".join(item.serials),
        }
        for index, item in enumerate(items, 1)
    ]


def _values(content: DeliveryContent, title: str) -> dict[str, Any]:
    return {"c": content, "title": title, "address": envelope(content.customer)}
