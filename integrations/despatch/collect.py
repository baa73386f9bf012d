"""What all readers share: gathering lines and hints, and the last look at a whole advice."""

import dataclasses
import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from integrations.despatch.limits import MAX_HINTS, MAX_LINES, MAX_SERIALS
from integrations.despatch.types import DespatchAdvice, DespatchError, DespatchLine, Package, SupplierHint
from integrations.despatch.values import PIECES


@dataclass(slots=True)
class Draft:
    """A despatch advice while it is read."""

    format: str
    delivery_note: str = ""
    lines: list[DespatchLine] = field(default_factory=list)
    supplier: SupplierHint = field(default_factory=SupplierHint)
    despatched_on: dt.date | None = None
    expected_on: dt.date | None = None
    orders: dict[str, None] = field(default_factory=dict)
    packages: dict[str, Package] = field(default_factory=dict)
    shipment: str = ""
    carrier: str = ""
    notes: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    serials: int = 0

    def hint(self, sentence: str) -> None:
        """Remember what was odd; each sentence once."""
        if sentence and sentence not in self.hints[-MAX_HINTS:]:
            self.hints.append(sentence)

    def order(self, number: str) -> None:
        """Remember a purchase order that the advice refers to."""
        if number:
            self.orders.setdefault(number)

    def add(self, line: DespatchLine) -> None:
        """Take a line, with hints on what does not fit together.

        Raises:
            DespatchError: more lines or serials than one delivery can have.
        """
        self.order(line.order_number)
        self.serials += len(line.serials)
        if self.serials > MAX_SERIALS:
            raise DespatchError(
                f"{line.place}: Das Lieferavis nennt mehr als {MAX_SERIALS} Seriennummern. Bitte prüfen Sie die Datei mit "
                "dem Lieferanten."
            )
        if len(self.lines) >= MAX_LINES:
            raise DespatchError(
                f"{line.place}: Das Lieferavis hat mehr als {MAX_LINES} Positionen. Bitte lassen Sie es vom Lieferanten teilen."
            )
        self._look_at(line)
        self.lines.append(line)

    def package(self, package: Package) -> None:
        """Take a package; what is already known of it is completed, never overwritten."""
        known = self.packages.get(package.number)
        if known is None:
            self.packages[package.number] = package
        else:
            weight = known.weight_kg if known.weight_kg is not None else package.weight_kg
            self.packages[package.number] = Package(known.number, known.kind or package.kind, weight)

    def _look_at(self, line: DespatchLine) -> None:
        if not (line.supplier_article or line.our_product or line.ean):
            self.hint(f"{line.place}: Die Zeile nennt keine Artikelnummer.")
        if not line.serials:
            return
        if line.unit.upper() in PIECES and len(line.serials) != line.quantity:
            self.hint(f"{line.place}: {len(line.serials)} Seriennummern bei einer Menge von {line.quantity.normalize():f}.")
        twice = [serial for serial, count in Counter(line.serials).items() if count > 1]
        if twice:
            self.hint(f"{line.place}: Seriennummern stehen mehrfach in der Zeile: {', '.join(twice[:5])}.")

    def finish(self) -> DespatchAdvice:
        """The finished advice.

        Raises:
            DespatchError: it has no delivery note number or no line.
        """
        if not self.delivery_note:
            raise DespatchError(
                "Das Lieferavis nennt keine Lieferscheinnummer; ohne sie lässt sich die Lieferung nicht zuordnen. "
                "Bitte lassen Sie es vom Lieferanten berichtigen.",
                supplier_fault=True,
            )
        if not self.lines:
            raise DespatchError(
                f"Das Lieferavis {self.delivery_note} enthält keine Positionen. Bitte lassen Sie es vom Lieferanten "
                "vollständig neu senden.",
                supplier_fault=True,
            )
        self._orders_of_lines()
        self._serials_of_others()
        hints = tuple(self.hints[:MAX_HINTS])
        if len(self.hints) > MAX_HINTS:
            hints += (f"{len(self.hints) - MAX_HINTS} weitere Hinweise gleicher Art.",)
        return DespatchAdvice(
            format=self.format,
            delivery_note=self.delivery_note,
            lines=tuple(self.lines),
            supplier=self.supplier,
            despatched_on=self.despatched_on,
            expected_on=self.expected_on,
            orders=tuple(self.orders),
            packages=tuple(self.packages.values()),
            shipment=self.shipment,
            carrier=self.carrier,
            note="\n".join(dict.fromkeys(note for note in self.notes if note)),
            hints=hints,
        )

    def _orders_of_lines(self) -> None:
        """A line without an order belongs to the advice's only one; with several nobody can say which."""
        bare = [index for index, line in enumerate(self.lines) if not line.order_number]
        if not bare or not self.orders:
            return
        if len(self.orders) > 1:
            self.hint(f"{len(bare)} Zeilen nennen keine Bestellung, das Lieferavis aber mehrere; bitte von Hand zuordnen.")
            return
        only = next(iter(self.orders))
        for index in bare:
            self.lines[index] = dataclasses.replace(self.lines[index], order_number=only)

    def _serials_of_others(self) -> None:
        seen: dict[tuple[str, str], str] = {}
        for line in self.lines:
            article = line.supplier_article or line.our_product or line.ean
            for serial in line.serials:
                first = seen.setdefault((article, serial), line.place)
                if first != line.place:
                    self.hint(f"{line.place}: Die Seriennummer {serial} steht schon in {first}.")
