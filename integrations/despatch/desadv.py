"""EDIFACT DESADV, D.96A to D.01B and later, EANCOM subsets among them.

Source: UN/EDIFACT directories (DESADV segment table, code lists 1001, 1153, 1225, 2005, 6063, 7143, 7405) and EANCOM 1997/2002.
Order of reading: head up to the first CPS or LIN; each CPS is a level of packing; each LIN a line of the level it stands in.
"""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from integrations.despatch.collect import Draft
from integrations.despatch.edifact import Interchange, Message, Segment
from integrations.despatch.edivalues import day, expand, joined
from integrations.despatch.kinds import (
    ADVICE_CODES,
    CANCELLED,
    DOCUMENT_CODES,
    EDIFACT_TYPES,
    OTHER_FUNCTIONS,
    named_as_advice,
    wrong_document,
)
from integrations.despatch.types import DespatchAdvice, DespatchError, DespatchLine, Package, SupplierHint
from integrations.despatch.values import gln, gtin, ident, quantity, soft_quantity

_ARTICLE = {
    "EN": "ean", "SRV": "ean", "UP": "ean", "UA": "ean", "EAN": "ean", "GTIN": "ean",
    "SA": "supplier_article", "VN": "supplier_article", "VP": "supplier_article",
    "BP": "our_product", "IN": "our_product",
}  # fmt: skip
_KILOS = {"KGM": Decimal(1), "GRM": Decimal("0.001"), "TNE": Decimal(1000)}
_REASONS = {
    "BP": "Teillieferung, Rest folgt",
    "CP": "Teillieferung, gilt als vollständig",
    "AC": "Mehrlieferung",
    "BK": "Rest folgt",
}
_SHIPMENT_REFERENCES = ("AAS", "CN", "BM", "SSI")


def read_all(interchange: Interchange, file_name: str = "") -> list[DespatchAdvice]:
    """Every despatch advice of a file.

    Raises:
        DespatchError: there is none, or one is not readable.
    """
    advices = [message for message in interchange.messages if message.type == "DESADV"]
    if not advices:
        raise _no_advice(interchange.messages[0], file_name)
    others = [
        f"Die Datei enthält außerdem {EDIFACT_TYPES.get(message.type, f'eine Nachricht {message.type[:10]}')}; sie wurde "
        "nicht gelesen."
        for message in interchange.messages
        if message.type != "DESADV"
    ]
    return [_Reader(message, [*interchange.hints, *others]).read() for message in advices]


def _no_advice(message: Message, file_name: str) -> DespatchError:
    said = "der Dateiname" if named_as_advice(file_name) else ""
    if "DESADV" in message.application.upper():
        said = "die Übertragung (UNB)"
    name = message.type
    found = EDIFACT_TYPES.get(name, f"eine EDIFACT-Nachricht {name[:10] or 'ohne Typ'}")
    return wrong_document(found, message.head.place, said)


@dataclass(slots=True)
class _Level:
    """One CPS: its parent and its packages."""

    parent: str = ""
    packages: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Line:
    """A LIN group while it is read."""

    number: str
    place: str
    at: Segment
    articles: dict[str, str] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)
    quantity: Decimal | None = None
    unit: str = ""
    serials: list[str] = field(default_factory=list)
    batches: dict[str, None] = field(default_factory=dict)
    order: str = ""
    order_line: str = ""
    packages: dict[str, None] = field(default_factory=dict)
    outstanding: Decimal | None = None
    reason: str = ""
    best_before: dt.date | None = None
    in_package: bool = False
    packed: Decimal | None = None
    """Sum over packages, for senders who give no quantity of the line."""


class _Reader:
    """One message to one advice."""

    def __init__(self, message: Message, hints: list[str]) -> None:
        self._message = message
        self._draft = Draft("desadv", hints=list(hints))
        self._line: _Line | None = None
        self._levels: dict[str, _Level] = {}
        self._level = _Level()
        self._party = ""
        self._supplier: dict[str, str] = {}
        self._supplier_role = ""
        self._pac = ""
        self._weight: Decimal | None = None
        self._note_numbers: dict[str, str] = {}

    def read(self) -> DespatchAdvice:
        """Raises: DespatchError, with segment, fault and remedy."""
        for segment in self._message:
            handler = self._HANDLERS.get(segment.tag)
            if handler is not None:
                handler(self, segment)
        self._end_line()
        draft = self._draft
        for key in ("DQ", "AAU"):
            if number := self._note_numbers.get(key):
                draft.delivery_note = number
                break
        draft.supplier = SupplierHint(**self._supplier)
        return draft.finish()

    def _bgm(self, segment: Segment) -> None:
        code, function = segment.get(1), segment.get(3)
        if code in DOCUMENT_CODES:
            raise wrong_document(f"{DOCUMENT_CODES[code]} (BGM {code})", segment.place, "der Nachrichtentyp (UNH)")
        if code not in ADVICE_CODES:
            self._draft.hint(f"{segment.place}: Die Dokumentart {code[:20]} ist unbekannt; als Lieferavis gelesen.")
        if function in CANCELLED:
            raise DespatchError(
                f"{segment.place}: Die Nachricht {CANCELLED[function]} das Lieferavis {segment.get(2)[:40]}; sie meldet "
                "keine Lieferung. "
                "Bitte klären Sie mit dem Lieferanten, was geliefert wird."
            )
        self._draft.hint(OTHER_FUNCTIONS.get(function, ""))
        self._draft.delivery_note = ident(segment.get(2), segment.place, "Die Lieferscheinnummer")

    def _dtm(self, segment: Segment) -> None:
        kind, told = segment.get(1), segment.get(1, 1)
        found = day(told, segment.get(1, 2))
        if found is None:
            if told:
                self._draft.hint(f"{segment.place}: »{told[:40]}« ist kein Datum und wurde nicht übernommen.")
        elif self._line is not None:
            if kind in ("361", "36"):
                self._line.best_before = found
        elif kind == "11" or (kind == "137" and self._draft.despatched_on is None):
            self._draft.despatched_on = found
        elif kind in ("17", "132", "358", "69", "2") and (self._draft.expected_on is None or kind in ("17", "132")):
            self._draft.expected_on = found

    def _rff(self, segment: Segment) -> None:
        kind, number, sub = segment.get(1), segment.get(1, 1), segment.get(1, 2)
        number = ident(number, segment.place, "Die Referenznummer")
        line = self._line
        if kind in ("ON", "CO") and line is not None and (kind == "ON" or not line.order):
            line.order, line.order_line = number, sub or line.order_line
        elif kind == "ON":
            self._draft.order(number)
        elif line is not None and kind == "LI":
            line.order_line = number
        elif line is not None and kind == "SE":
            line.serials.append(number)
        elif line is not None and kind == "BT":
            line.batches.setdefault(number)
        elif self._party and kind in ("VA", "FC"):
            if self._party == self._supplier_role and kind == "VA":
                self._supplier["vat_id"] = number
        elif line is None and kind in ("DQ", "AAU"):
            self._note_numbers.setdefault(kind, number)
        elif line is None and kind in _SHIPMENT_REFERENCES and not self._draft.shipment:
            self._draft.shipment = number

    def _nad(self, segment: Segment) -> None:
        role = segment.get(1)
        self._party = role
        name = joined(segment.composite(4)) or joined(segment.composite(3))
        if role in ("CA", "FW") and not self._draft.carrier:
            self._draft.carrier = name or segment.get(2)
        if role == "SU" or (role in ("SE", "SH", "SF") and not self._supplier_role):
            number, agency = segment.get(2), segment.get(2, 2)
            self._supplier_role = role
            self._supplier = {"name": name}
            if gln(number) and agency in ("9", ""):
                self._supplier["gln"] = gln(number)
            elif agency == "92":
                self._supplier["supplier_no"] = number

    def _com(self, segment: Segment) -> None:
        if self._party and self._party == self._supplier_role:
            for index in range(1, 4):
                if segment.get(index, 1) == "EM":
                    self._supplier.setdefault("email", segment.get(index))

    def _tdt(self, segment: Segment) -> None:
        if segment.get(1) in ("20", "12", "") and not self._draft.carrier:
            self._draft.carrier = segment.get(5, 3) or segment.get(5)

    def _ftx(self, segment: Segment) -> None:
        if self._line is None:
            self._draft.notes.append(joined(segment.composite(4)))

    def _cps(self, segment: Segment) -> None:
        self._end_line()
        self._party, self._pac, self._weight = "", "", None
        self._level = self._levels[segment.get(1)] = _Level(parent=segment.get(2))

    def _pac_segment(self, segment: Segment) -> None:
        self._pac, self._weight = segment.get(3), None
        if self._line is not None:
            self._line.in_package = True

    def _mea(self, segment: Segment) -> None:
        if self._line is None or self._line.in_package:
            measured = segment.get(2) or segment.get(1)
            unit, value = segment.get(3), soft_quantity(segment.get(3, 1))
            if measured in ("AAB", "AAD", "G") and unit in _KILOS and value is not None:
                self._weight = value * _KILOS[unit]

    def _pci(self, _segment: Segment) -> None:
        if self._line is not None:
            self._line.in_package = True

    def _gin(self, segment: Segment) -> None:
        kind = segment.get(1)
        pairs = [segment.composite(index) for index in range(2, 2 + max(len(segment.elements) - 1, 0))]
        if kind in ("BJ", "AW", "ML"):
            for number in (first for pair in pairs for first in self._range(segment, pair) if first):
                self._package(number)
        elif kind in ("BN", "SN") and self._line is not None:
            for pair in pairs:
                self._line.serials.extend(self._range(segment, pair))
        elif kind in ("BX", "BXA") and self._line is not None:
            self._line.batches.update(dict.fromkeys(pair[0] for pair in pairs if pair and pair[0]))
        elif kind in ("BN", "SN"):
            self._draft.hint(f"{segment.place}: Seriennummern außerhalb einer Position wurden nicht übernommen.")
        else:
            self._draft.hint(f"{segment.place}: Die Kennzeichnung {kind[:10]} wurde nicht übernommen.")

    def _range(self, segment: Segment, pair: list[str]) -> list[str]:
        """All numbers from the first to the second, when both differ in trailing digits only."""
        first = ident(pair[0] if pair else "", segment.place, "Die Nummer")
        last = ident(pair[1] if len(pair) > 1 else "", segment.place, "Die Nummer")
        if not last or last == first:
            return [first] if first else []
        numbers = expand(first, last)
        if numbers is None:
            self._draft.hint(
                f"{segment.place}: Der Bereich {first} bis {last} lässt sich nicht auflösen; diese Nummern wurden nicht "
                "übernommen."
            )
            return []
        return numbers

    def _package(self, number: str) -> None:
        self._draft.package(Package(number, self._pac, self._weight))
        if self._line is not None:
            self._line.packages.setdefault(number)
        else:
            self._level.packages.append(number)

    def _lin(self, segment: Segment) -> None:
        self._end_line()
        self._party = ""
        number = segment.get(1) or str(len(self._draft.lines) + 1)
        self._line = _Line(ident(number, segment.place, "Die Positionsnummer"), f"Position {number}", segment)
        self._article(segment, 3)

    def _pia(self, segment: Segment) -> None:
        if self._line is not None:
            for index in range(2, 7):
                self._article(segment, index)

    def _article(self, segment: Segment, index: int) -> None:
        line = self._line
        number, kind = segment.get(index), segment.get(index, 1)
        if line is None or not number:
            return
        if kind == "NB":
            line.batches.setdefault(number)
            return
        if kind == "SN":
            line.serials.append(ident(number, segment.place, "Die Seriennummer"))
            return
        where = _ARTICLE.get(kind)
        if where == "ean" and not gtin(number):
            self._draft.hint(f"{segment.place}: »{number[:40]}« ist keine GTIN und wurde nicht übernommen.")
        elif where is not None:
            line.articles.setdefault(
                where, gtin(number) if where == "ean" else ident(number, segment.place, "Die Artikelnummer")
            )

    def _imd(self, segment: Segment) -> None:
        if self._line is not None:
            self._line.text.append(joined(segment.composite(3)[3:5]))

    def _qty(self, segment: Segment) -> None:
        line = self._line
        if line is None:
            return
        kind = segment.get(1)
        if line.in_package:
            if kind == "12":
                packed = quantity(segment.get(1, 1), f"{line.place}, {segment.place}")
                line.packed = packed if line.packed is None else line.packed + packed
                line.unit = line.unit or segment.get(1, 2)
        elif kind in ("12", "46"):
            value = quantity(segment.get(1, 1), f"{line.place}, {segment.place}")
            if line.quantity is not None and line.quantity != value and kind == "12":
                self._draft.hint(
                    f"{segment.place}: {line.place} nennt zwei Liefermengen; übernommen ist {line.quantity.normalize():f}."
                )
            if line.quantity is None:
                line.quantity, line.unit = value, segment.get(1, 2)
        elif kind == "83":
            line.outstanding = soft_quantity(segment.get(1, 1))

    def _qvr(self, segment: Segment) -> None:
        if self._line is not None:
            code = segment.get(2)
            self._line.reason = _REASONS.get(code, code)

    def _end_line(self) -> None:
        line, self._line = self._line, None
        if line is None:
            return
        amount = line.packed if line.quantity is None else line.quantity
        if amount is None:
            raise DespatchError(
                f"{line.place}, {line.at.place}: Die Liefermenge (QTY+12) fehlt. "
                "Bitte lassen Sie das Lieferavis vom Lieferanten berichtigen.",
                supplier_fault=True,
            )
        self._draft.add(
            DespatchLine(
                number=line.number,
                quantity=amount,
                unit=line.unit,
                supplier_article=line.articles.get("supplier_article", ""),
                our_product=line.articles.get("our_product", ""),
                ean=line.articles.get("ean", ""),
                text=joined(line.text),
                serials=tuple(line.serials),
                batch=", ".join(line.batches),
                order_number=line.order,
                order_line=line.order_line,
                packages=tuple(line.packages) or self._packages_here(),
                outstanding=line.outstanding,
                outstanding_reason=line.reason,
                best_before=line.best_before,
                place=line.place,
            )
        )

    def _packages_here(self) -> tuple[str, ...]:
        """Packages of the level the line stands in, else of the nearest level around it."""
        level, steps = self._level, 0
        while not level.packages and level.parent in self._levels and steps < 10:
            level, steps = self._levels[level.parent], steps + 1
        return tuple(dict.fromkeys(level.packages))

    def _cnt(self, segment: Segment) -> None:
        told = segment.get(1, 1)
        count = len(self._draft.lines) + (self._line is not None)
        if segment.get(1) == "2" and told.isascii() and told.isdigit() and (told.lstrip("0")[:9] or "0") != str(count):
            self._draft.hint(f"{segment.place} nennt {told[:9]} Positionen, gelesen sind {count}.")

    _HANDLERS = {
        "BGM": _bgm, "DTM": _dtm, "RFF": _rff, "NAD": _nad, "COM": _com, "TDT": _tdt, "FTX": _ftx, "CPS": _cps,
        "PAC": _pac_segment, "MEA": _mea, "PCI": _pci, "GIN": _gin, "LIN": _lin, "PIA": _pia, "IMD": _imd, "QTY": _qty,
        "QVR": _qvr, "CNT": _cnt,
    }  # fmt: skip
