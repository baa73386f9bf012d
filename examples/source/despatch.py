"""Despatch advices that answer the open purchase orders, one in each format a supplier sends.

Complete (openTRANS), partial (UBL), two customer orders in one delivery (EDIFACT), complete by CSV; the last one, openTRANS
without namespaces, brings one piece too few and an article nobody ordered: what a clerk has to clear up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from examples.source.house import products
from examples.source.table import dice
from examples.source.things import purchase_orders

_TRACKED = {str(p["code"]) for p in products() if p["serial_tracked"] == "yes"}
_NAMES = {str(p["code"]): str(p["name"]) for p in products()}


@dataclass(frozen=True)
class Line:
    """A delivered line: which order line it answers, how many came and with which serial numbers."""

    order: str
    order_line: str
    product: str
    name: str
    quantity: int
    missing: int
    serials: tuple[str, ...]


def _delivered(order: str, short: dict[str, int] | None = None) -> list[Line]:
    lines = []
    for row in (r for r in purchase_orders() if r["number"] == order):
        missing = (short or {}).get(row["line"], 0)
        quantity = int(row["quantity"]) - missing
        roll = dice("serials", order, row["line"])
        sign = row["product"].replace("-", "")
        number = quantity if row["product"] in _TRACKED else 0
        serials = tuple(f"{sign}{2600000 + roll.randrange(90_000) * 10 + index}" for index in range(number))
        lines.append(Line(order, row["line"], row["product"], _NAMES[row["product"]], quantity, missing, serials))
    return lines


def gln(twelve: str) -> str:
    """A global location number with its check digit (weights 1 and 3)."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(twelve))
    return f"{twelve}{-total % 10}"


_HOUSE, _FALKE, _HOCH = gln("401234500001"), gln("401234500010"), gln("401234500030")


def opentrans(number: str, day: str, supplier: str, lines: list[Line], *, plain: bool = False) -> str:
    """DISPATCHNOTIFICATION of openTRANS 2.1; `plain` leaves out the namespaces, as some shop systems do."""
    b = "" if plain else "bmecat:"
    spaces = "" if plain else ' xmlns="http://www.opentrans.org/XMLSchema/2.1" xmlns:bmecat="http://www.bmecat.org/bmecat/2005"'
    items = ""
    for index, line in enumerate(lines, 1):
        serials = "".join(f"\n        <{b}SERIAL_NUMBER>{serial}</{b}SERIAL_NUMBER>" for serial in line.serials)
        items += f"""
    <DISPATCHNOTIFICATION_ITEM>
      <LINE_ITEM_ID>{index}</LINE_ITEM_ID>
      <PRODUCT_ID>
        <{b}SUPPLIER_PID>{line.product}</{b}SUPPLIER_PID>{serials}
        <{b}BUYER_PID>{line.product}</{b}BUYER_PID>
        <{b}DESCRIPTION_SHORT lang="deu">{escape(line.name)}</{b}DESCRIPTION_SHORT>
      </PRODUCT_ID>
      <QUANTITY>{line.quantity}</QUANTITY>
      <{b}ORDER_UNIT>C62</{b}ORDER_UNIT>
      <ORDER_REFERENCE>
        <ORDER_ID>{line.order}</ORDER_ID>
        <LINE_ITEM_ID>{line.order_line}</LINE_ITEM_ID>
      </ORDER_REFERENCE>
      <LOGISTIC_DETAILS>
        <PACKAGE_INFO>
          <PACKAGE>
            <PACKAGE_ID>{number}-{1 + index // 3}</PACKAGE_ID>
            <PACKAGE_ORDER_UNIT_QUANTITY>{line.quantity}</PACKAGE_ORDER_UNIT_QUANTITY>
          </PACKAGE>
        </PACKAGE_INFO>
      </LOGISTIC_DETAILS>
    </DISPATCHNOTIFICATION_ITEM>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<DISPATCHNOTIFICATION{spaces} version="2.1">
  <DISPATCHNOTIFICATION_HEADER>
    <CONTROL_INFO>
      <GENERATION_DATE>{day}T16:42:10+01:00</GENERATION_DATE>
    </CONTROL_INFO>
    <DISPATCHNOTIFICATION_INFO>
      <DISPATCHNOTIFICATION_ID>{number}</DISPATCHNOTIFICATION_ID>
      <DISPATCHNOTIFICATION_DATE>{day}</DISPATCHNOTIFICATION_DATE>
      <PARTIES>
        <PARTY>
          <{b}PARTY_ID type="gln">{_FALKE}</{b}PARTY_ID>
          <PARTY_ROLE>supplier</PARTY_ROLE>
          <ADDRESS><{b}NAME>{escape(supplier)}</{b}NAME></ADDRESS>
        </PARTY>
        <PARTY>
          <{b}PARTY_ID type="gln">{_HOUSE}</{b}PARTY_ID>
          <PARTY_ROLE>delivery</PARTY_ROLE>
          <ADDRESS>
            <{b}NAME>Sülzbogen Systemhaus GmbH</{b}NAME>
            <{b}STREET>Am Sülzbogen 12</{b}STREET>
            <{b}ZIP>51103</{b}ZIP>
            <{b}CITY>Köln</{b}CITY>
          </ADDRESS>
        </PARTY>
      </PARTIES>
      <SHIPMENT_ID>00340999{number[-6:]}</SHIPMENT_ID>
    </DISPATCHNOTIFICATION_INFO>
  </DISPATCHNOTIFICATION_HEADER>
  <DISPATCHNOTIFICATION_ITEM_LIST>{items}
  </DISPATCHNOTIFICATION_ITEM_LIST>
  <DISPATCHNOTIFICATION_SUMMARY>
    <TOTAL_ITEM_NUM>{len(lines)}</TOTAL_ITEM_NUM>
  </DISPATCHNOTIFICATION_SUMMARY>
</DISPATCHNOTIFICATION>
"""


def ubl(number: str, day: str, supplier: str, lines: list[Line]) -> str:
    """UBL 2.1 DespatchAdvice with the elements of Peppol BIS Despatch Advice 3."""
    items = ""
    for index, line in enumerate(lines, 1):
        rest = f"""
    <cbc:OutstandingQuantity unitCode="C62">{line.missing}</cbc:OutstandingQuantity>
    <cbc:OutstandingReason>Rest folgt in Kalenderwoche 46</cbc:OutstandingReason>"""
        serials = "".join(
            f"\n      <cac:ItemInstance><cbc:SerialID>{serial}</cbc:SerialID></cac:ItemInstance>" for serial in line.serials
        )
        items += f"""
  <cac:DespatchLine>
    <cbc:ID>{index}</cbc:ID>
    <cbc:DeliveredQuantity unitCode="C62">{line.quantity}</cbc:DeliveredQuantity>{rest if line.missing else ""}
    <cac:OrderLineReference>
      <cbc:LineID>{line.order_line}</cbc:LineID>
      <cac:OrderReference><cbc:ID>{line.order}</cbc:ID></cac:OrderReference>
    </cac:OrderLineReference>
    <cac:Item>
      <cbc:Name>{escape(line.name)}</cbc:Name>
      <cac:BuyersItemIdentification><cbc:ID>{line.product}</cbc:ID></cac:BuyersItemIdentification>
      <cac:SellersItemIdentification><cbc:ID>{line.product}</cbc:ID></cac:SellersItemIdentification>{serials}
    </cac:Item>
  </cac:DespatchLine>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<DespatchAdvice xmlns="urn:oasis:names:specification:ubl:schema:xsd:DespatchAdvice-2"
  xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:CustomizationID>urn:fdc:peppol.eu:poacc:trns:despatch_advice:3</cbc:CustomizationID>
  <cbc:ProfileID>urn:fdc:peppol.eu:poacc:bis:despatch_advice:3</cbc:ProfileID>
  <cbc:ID>{number}</cbc:ID>
  <cbc:IssueDate>{day}</cbc:IssueDate>
  <cbc:IssueTime>07:12:00</cbc:IssueTime>
  <cbc:Note>Teillieferung</cbc:Note>
  <cac:OrderReference><cbc:ID>{lines[0].order}</cbc:ID></cac:OrderReference>
  <cac:DespatchSupplierParty>
    <cac:Party><cac:PartyName><cbc:Name>{escape(supplier)}</cbc:Name></cac:PartyName></cac:Party>
  </cac:DespatchSupplierParty>
  <cac:DeliveryCustomerParty>
    <cac:Party>
      <cbc:EndpointID schemeID="0088">{_HOUSE}</cbc:EndpointID>
      <cac:PartyName><cbc:Name>Sülzbogen Systemhaus GmbH</cbc:Name></cac:PartyName>
    </cac:Party>
  </cac:DeliveryCustomerParty>
  <cac:Shipment>
    <cbc:ID>1</cbc:ID>
    <cac:Delivery>
      <cac:EstimatedDeliveryPeriod><cbc:StartDate>{day}</cbc:StartDate></cac:EstimatedDeliveryPeriod>
    </cac:Delivery>
  </cac:Shipment>{items}
</DespatchAdvice>
"""


def _release(text: str) -> str:
    """Service characters of EDIFACT within data are announced by a question mark."""
    return "".join("?" + sign if sign in "?'+:" else sign for sign in text)


def desadv(number: str, day: str, lines: list[Line]) -> str:
    """EDIFACT DESADV D.96A in ISO 8859-1 (UNOC); at most five serial numbers per GIN segment."""
    date = day.replace("-", "")
    body = [
        "UNH+1+DESADV:D:96A:UN:EAN005",
        f"BGM+351+{number}+9",
        f"DTM+137:{date}:102",
        f"DTM+11:{date}:102",
        f"RFF+ON:{lines[0].order}",
        f"NAD+SU+{_HOCH}::9++Hochwald Serverwerk KG",
        f"NAD+DP+{_HOUSE}::9++Sülzbogen Systemhaus GmbH+Am Sülzbogen 12+Köln++51103+DE",
        "CPS+1",
        "PAC+2++CT",
    ]
    for index, line in enumerate(lines, 1):
        body += [f"LIN+{index}++{line.product}:BP", f"PIA+1+{line.product}:SA"]
        body += [f"IMD+F++:::{_release(line.name[:35])}", f"QTY+12:{line.quantity}:PCE"]
        body += [f"GIN+BN+{'+'.join(line.serials[i : i + 5])}" for i in range(0, len(line.serials), 5)]
        body.append(f"RFF+ON:{line.order}:{line.order_line}")
    body += [f"CNT+2:{len(lines)}"]
    body.append(f"UNT+{len(body) + 1}+1")
    head = f"UNB+UNOC:3+{_HOCH}:14+{_HOUSE}:14+{date[2:]}:0618+{number}"
    return "UNA:+.? '\r\n" + "".join(f"{segment}'\r\n" for segment in [head, *body, f"UNZ+1+{number}"])


def table(number: str, day: str, lines: list[Line]) -> str:
    """The list of a small supplier: semicolons, German date and decimals."""
    year, month, date = day.split("-")
    head = "Lieferschein;Lieferdatum;Ihre Bestellung;Pos.;Artikel-Nr.;Bezeichnung;Menge;Einheit;Seriennummern"
    rows = [
        f"{number};{date}.{month}.{year};{x.order};{x.order_line};{x.product};{x.name};{x.quantity},00;Stk;"
        + ", ".join(x.serials)
        for x in lines
    ]
    return "\r\n".join([head, *rows, ""])


def files() -> Iterator[tuple[str, bytes]]:
    """Name and content of each despatch advice."""
    complete = opentrans("LS-884120", "2026-10-28", "Falkenau Distribution AG", _delivered("B-2026-0418"))
    yield "2026-10-28_falkenau_LS-884120.xml", b"\xef\xbb\xbf" + complete.encode()
    partial = ubl("LN-26-5531", "2026-10-29", "Querfeld Netzwerktechnik GmbH", _delivered("B-2026-0419", {"2": 2}))
    yield "2026-10-29_querfeld_LN-26-5531.xml", partial.encode()
    yield "2026-11-02_hochwald_77120043.edi", desadv("77120043", "2026-11-02", _delivered("B-2026-0421")).encode("latin-1")
    yield "2026-10-30_kueppers_LS20260877.csv", table("LS20260877", "2026-10-30", _delivered("B-2026-0423")).encode("cp1252")
    stranger = Line("B-2026-0424", "9", "TAS-0099", "Notebooktasche 14 Zoll, schwarz", 2, 0, ())
    odd = [*_delivered("B-2026-0424", {"1": 1}), stranger]
    text = opentrans("LS-884377", "2026-11-04", "Falkenau Distribution AG", odd, plain=True)
    yield "2026-11-04_falkenau_LS-884377_abweichung.xml", text.encode()
