"""Small writers of each format, made for the tests alone: an advice in, text as a supplier would send it out."""

import csv
import io
from collections.abc import Sequence
from xml.sax.saxutils import escape

from pydifact.control import Characters

from integrations.despatch.types import CsvMapping, DespatchAdvice, DespatchLine

MAPPING = CsvMapping(
    columns={
        "delivery_note": "Beleg", "date": "Tag", "order": "Auftrag", "order_line": "Zeile", "supplier_article": "Nr",
        "our_product": "Ihre Nr", "ean": "Code", "text": "Was", "quantity": "Stück", "unit": "Einh", "serials": "Serien",
        "batch": "Los", "package": "Karton",
    },
    serial_separator="|",
)  # fmt: skip


GLN, EAN = ' type="gln"', ' type="ean"'


def _tag(name: str, value: object, attributes: str = "") -> str:
    return f"<{name}{attributes}>{escape(str(value))}</{name}>" if value not in ("", None) else ""


def opentrans(advice: DespatchAdvice, *, prefix: str = "bmecat:", namespaces: bool = True, date_suffix: str = "") -> str:
    """openTRANS 2.1; `prefix` for the BMEcat parts."""
    b = prefix if namespaces else ""
    uri = ' xmlns="http://www.opentrans.org/XMLSchema/2.1"'
    if prefix:
        uri += f' xmlns:{prefix.rstrip(":")}="http://www.bmecat.org/bmecat/2005"'
    items = "".join(_opentrans_line(line, b) for line in advice.lines)
    party = (
        f"<PARTY>{_tag(f'{b}PARTY_ID', advice.supplier.gln, GLN)}<PARTY_ROLE>supplier</PARTY_ROLE>"
        f"<ADDRESS>{_tag(f'{b}NAME', advice.supplier.name)}</ADDRESS></PARTY>"
    )
    packages = "".join(f"<PACKAGE>{_tag('PACKAGE_ID', package.number)}</PACKAGE>" for package in advice.packages)
    day = f"{advice.despatched_on}{date_suffix}" if advice.despatched_on else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<DISPATCHNOTIFICATION{uri if namespaces else ""} version="2.1">'
        f"<DISPATCHNOTIFICATION_HEADER><DISPATCHNOTIFICATION_INFO>{_tag('DISPATCHNOTIFICATION_ID', advice.delivery_note)}"
        f"{_tag('DISPATCHNOTIFICATION_DATE', day)}<PARTIES>{party}</PARTIES>{_tag('SHIPMENT_ID', advice.shipment)}"
        f"<LOGISTIC_DETAILS_INFO><PACKAGE_INFO>{packages}</PACKAGE_INFO></LOGISTIC_DETAILS_INFO>"
        f"{_tag('REMARKS', advice.note)}</DISPATCHNOTIFICATION_INFO></DISPATCHNOTIFICATION_HEADER>"
        f"<DISPATCHNOTIFICATION_ITEM_LIST>{items}</DISPATCHNOTIFICATION_ITEM_LIST><DISPATCHNOTIFICATION_SUMMARY>"
        f"<TOTAL_ITEM_NUM>{len(advice.lines)}</TOTAL_ITEM_NUM></DISPATCHNOTIFICATION_SUMMARY></DISPATCHNOTIFICATION>"
    )


def _opentrans_line(line: DespatchLine, b: str) -> str:
    serials = "".join(_tag("SERIAL_NUMBER", serial) for serial in line.serials)
    packages = "".join(f"<PACKAGE>{_tag('PACKAGE_ID', number)}</PACKAGE>" for number in line.packages)
    return (
        f"<DISPATCHNOTIFICATION_ITEM>{_tag('LINE_ITEM_ID', line.number)}<PRODUCT_ID>{_tag(f'{b}SUPPLIER_PID', line.supplier_article)}"
        f"{serials}{_tag(f'{b}LOT_NUMBER', line.batch)}{_tag(f'{b}INTERNATIONAL_PID', line.ean, EAN)}"
        f"{_tag(f'{b}BUYER_PID', line.our_product)}{_tag(f'{b}DESCRIPTION_SHORT', line.text)}</PRODUCT_ID>"
        f"{_tag('QUANTITY', line.quantity)}{_tag(f'{b}ORDER_UNIT', line.unit)}<ORDER_REFERENCE>{_tag('ORDER_ID', line.order_number)}"
        f"{_tag('LINE_ITEM_ID', line.order_line)}</ORDER_REFERENCE><LOGISTIC_DETAILS><PACKAGE_INFO>{packages}</PACKAGE_INFO>"
        f"</LOGISTIC_DETAILS></DISPATCHNOTIFICATION_ITEM>"
    )


def ubl(advice: DespatchAdvice, *, envelope: bool = False) -> str:
    """UBL 2.1, on wish in a Standard Business Document."""
    names = "urn:oasis:names:specification:ubl:schema:xsd"
    gln = _tag("cbc:EndpointID", advice.supplier.gln, ' schemeID="0088"')
    units = "".join(
        f"<cac:TransportHandlingUnit>{_tag('cbc:ID', p.number)}</cac:TransportHandlingUnit>" for p in advice.packages
    )
    text = (
        f'<DespatchAdvice xmlns="{names}:DespatchAdvice-2" xmlns:cac="{names}:CommonAggregateComponents-2" '
        f'xmlns:cbc="{names}:CommonBasicComponents-2">{_tag("cbc:ID", advice.delivery_note)}{_tag("cbc:IssueDate", advice.despatched_on)}'
        f"{_tag('cbc:Note', advice.note)}<cac:DespatchSupplierParty><cac:Party>{gln}<cac:PartyName>"
        f"{_tag('cbc:Name', advice.supplier.name)}</cac:PartyName></cac:Party></cac:DespatchSupplierParty>"
        f"<cac:Shipment>{_tag('cbc:ID', advice.shipment)}{units}</cac:Shipment>{''.join(map(_ubl_line, advice.lines))}</DespatchAdvice>"
    )
    if envelope:
        head = "<StandardBusinessDocumentHeader><DocumentIdentification><Type>DespatchAdvice</Type></DocumentIdentification></StandardBusinessDocumentHeader>"
        text = f'<sh:StandardBusinessDocument xmlns:sh="http://example.example/sbdh">{head}{text}</sh:StandardBusinessDocument>'
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + text


def _ubl_line(line: DespatchLine) -> str:
    instances = "".join(f"<cac:ItemInstance>{_tag('cbc:SerialID', serial)}</cac:ItemInstance>" for serial in line.serials)
    if line.batch:
        instances += f"<cac:ItemInstance><cac:LotIdentification>{_tag('cbc:LotNumberID', line.batch)}</cac:LotIdentification></cac:ItemInstance>"
    order = f"<cac:OrderReference>{_tag('cbc:ID', line.order_number)}</cac:OrderReference>"
    units = "".join(
        f"<cac:TransportHandlingUnit>{_tag('cbc:ID', number)}</cac:TransportHandlingUnit>" for number in line.packages
    )
    ids = "".join(
        f"<cac:{name}ItemIdentification>{_tag('cbc:ID', value)}</cac:{name}ItemIdentification>"
        for name, value in (("Buyers", line.our_product), ("Sellers", line.supplier_article), ("Standard", line.ean))
    )
    unit = f' unitCode="{escape(line.unit, {chr(34): "&quot;"})}"'
    return (
        f"<cac:DespatchLine>{_tag('cbc:ID', line.number)}{_tag('cbc:DeliveredQuantity', line.quantity, unit)}"
        f"{_tag('cbc:OutstandingQuantity', line.outstanding)}{_tag('cbc:OutstandingReason', line.outstanding_reason)}"
        f"<cac:OrderLineReference>{_tag('cbc:LineID', line.order_line)}{order}</cac:OrderLineReference>"
        f"<cac:Item>{_tag('cbc:Name', line.text)}{ids}{instances}</cac:Item>"
        f"<cac:Shipment><cbc:ID>NA</cbc:ID>{units}</cac:Shipment></cac:DespatchLine>"
    )


def desadv(
    advice: DespatchAdvice, *, characters: Characters | None = None, una: bool = True, between: str = "", release: str = "96A"
) -> str:
    """One DESADV in an interchange; service characters as given, `between` after every segment."""
    c = characters or Characters()
    segments: list[list[Sequence[str] | str]] = [
        ["UNB", ["UNOW", "4"], "SENDER", "HAUS", ["20261102", "0618"], "7712", "", "DESADV"],
        ["UNH", "1", ["DESADV", "D", release, "UN"]],
        ["BGM", "351", advice.delivery_note, "9"],
    ]
    if advice.despatched_on:
        segments.append(["DTM", ["137", f"{advice.despatched_on:%Y%m%d}", "102"]])
    if advice.shipment:
        segments.append(["RFF", ["AAS", advice.shipment]])
    segments.append(["NAD", "SU", [advice.supplier.gln, "", "9"], "", advice.supplier.name])
    if advice.note:
        segments.append(["FTX", "AAI", "", "", advice.note])
    segments.append(["CPS", "1"])
    segments += [["GIN", "BJ", package.number] for package in advice.packages]
    for line in advice.lines:
        segments += _desadv_line(line)
    segments.append(["CNT", ["2", str(len(advice.lines))]])
    segments.append(["UNT", str(len(segments)), "1"])
    segments.append(["UNZ", "1", "7712"])
    body = between.join(_segment(segment, c) for segment in segments)
    return (f"UNA{c}{between}" if una else "") + body + between


def _desadv_line(line: DespatchLine) -> list[list[Sequence[str] | str]]:
    found: list[list[Sequence[str] | str]] = [["LIN", line.number, "", [line.ean, "EN"] if line.ean else ""]]
    if line.supplier_article:
        found.append(["PIA", "1", [line.supplier_article, "SA"]])
    if line.our_product:
        found.append(["PIA", "1", [line.our_product, "BP"]])
    if line.batch:
        found.append(["PIA", "1", [line.batch, "NB"]])
    if line.text:
        found.append(["IMD", "F", "", ["", "", "", line.text]])
    found.append(["QTY", ["12", str(line.quantity), line.unit]])
    found += [["GIN", "BN", *line.serials[at : at + 5]] for at in range(0, len(line.serials), 5)]
    if line.order_number:
        found.append(["RFF", ["ON", line.order_number, line.order_line]])
    if line.packages:
        found += [["PCI", "33E"], ["GIN", "BJ", *line.packages]]
    return found


def _segment(parts: list[Sequence[str] | str], c: Characters) -> str:
    def released(text: str) -> str:
        special = c.component_separator + c.data_separator + c.escape_character + c.segment_terminator
        return "".join(c.escape_character + char if char in special else char for char in text)

    elements = [
        released(part) if isinstance(part, str) else c.component_separator.join(released(piece) for piece in part)
        for part in parts
    ]
    return c.data_separator.join(elements) + c.segment_terminator


def csv_list(advice: DespatchAdvice, *, delimiter: str = ";") -> str:
    """A list in the shape of `MAPPING`."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(MAPPING.columns.values())
    for line in advice.lines:
        day = f"{advice.despatched_on:%d.%m.%Y}" if advice.despatched_on else ""
        writer.writerow(
            [
                advice.delivery_note, day, line.order_number, line.order_line, line.supplier_article, line.our_product, line.ean,
                line.text, str(line.quantity).replace(".", ","), line.unit, "|".join(line.serials), line.batch,
                line.packages[0] if line.packages else "",
            ]
        )  # fmt: skip
    return out.getvalue()
