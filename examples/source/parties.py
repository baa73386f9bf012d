"""customers.csv, sites.csv, contacts.csv, agreements.csv from the list of customers."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from examples.source.clients import CLIENTS, Client
from examples.source.house import mail
from examples.source.table import Row, ascii_name, dice, iban, leitweg_id, vat_id

_FUNCTIONS = {
    "M": "main",
    "R": "service_report",
    "I": "invoice",
    "C": "ticket_created",
    "S": "ticket_status",
    "K": "credential_release",
}
_PORTAL = {"a": "admin", "i": "insight", "r": "reporter"}


@dataclass(frozen=True)
class Person:
    """A contact of a customer; `salute` is how the technicians write about the person."""

    salute: str
    first: str
    last: str
    email: str
    functions: str
    portal: str
    site: str


def position(client: Client) -> int:
    """1 for the first customer, and so on: the seed of account and telephone numbers."""
    return int(client.number[1:]) - 1000


@cache
def people(client: Client) -> tuple[Person, ...]:
    found = []
    for line in client.people:
        letter, *names, rights = line.split(" ")
        rights, _, site = rights.partition("@")
        functions, _, portal = rights.partition("/")
        title = " ".join(n for n in names if n in {"Dr.", "Schwester", "Käpt’n"})
        plain = [n for n in names if n not in {"Dr.", "Schwester", "Käpt’n"}]
        first, last = plain[0], " ".join(plain[1:])
        found.append(
            Person(
                ("Frau" if letter == "f" else "Herr") + (" Dr. " if title == "Dr." else " ") + last.replace("-der-", " der "),
                first,
                last.replace("van-der-", "van der "),
                f"{ascii_name(first)}.{ascii_name(last)}@{client.domain}.example",
                "|".join(_FUNCTIONS[f] for f in functions),
                _PORTAL.get(portal, "none"),
                site,
            )
        )
    return tuple(found)


def site_codes(client: Client) -> list[str]:
    return [line.split(";")[0] for line in client.sites]


def _mandate(client: Client) -> Row:
    if not client.mandate:
        return {}
    return {
        "iban": iban("37099999", 7_000_000_000 + position(client) * 7919),
        "mandate_reference": f"SZB-{client.number}-01",
        "mandate_signed_on": f"20{20 + position(client) % 6}-0{1 + position(client) % 9}-15",
        "mandate_kind": client.mandate,
    }


def customers() -> Iterator[Row]:
    for client in CLIENTS:
        number = position(client)
        private = client.name.endswith("e. V.") or client.number == "K1005"
        yield {
            "number": client.number,
            "name": client.name,
            **dict(zip(("street", "postal_code", "city"), client.address, strict=True)),
            "country": "DE" if number % 3 == 0 else "",
            "vat_id": "" if private else vat_id(99_000_000 + number * 4_397),
            "billing": client.billing,
            "datev_consultant_no": client.datev,
            "account_manager": mail(*client.manager.split(" ")),
            "house_site": client.house_site,
            "delivery": client.delivery,
            "leitweg_id": leitweg_id("059990099099", "12001") if client.delivery == "xrechnung" else "",
            "invoice_email": f"rechnung@{client.domain}.example" if client.invoice_email else "",
            "payment_days": client.payment_days,
            **_mandate(client),
            "customer_since": client.since,
            "sap_card_code": f"C{10000 + number}",
            "debtor_account": str(10000 + number),
        }


def sites() -> Iterator[Row]:
    names = ["code", "name", "street", "postal_code", "city", "travel_price", "bills_to", "receives_goods", "receives_services"]
    for client in CLIENTS:
        for line in client.sites:
            yield {"customer": client.number, **dict(zip(names, line.split(";"), strict=True))}


def contacts() -> Iterator[Row]:
    number = 200
    for client in CLIENTS:
        for person in people(client):
            number += 1
            mobile = number % 7 == 0
            yield {
                "customer": client.number,
                "site": person.site,
                "first_name": person.first,
                "last_name": person.last,
                "email": person.email,
                "phone": f"+4917604069{number % 100:03d}" if mobile else f"+492214710{number}",
                "functions": person.functions,
                "portal": person.portal,
            }


_HOURS = ("mo-fr 08:00-17:00", "mo-fr 07:30-17:30", "mo-do 08:00-17:00|fr 08:00-15:00")
_PURPOSES = (
    "Betreuung der gesamten IT einschließlich Arbeitsplätzen, Servern und Netzwerk auf Zuruf",
    "Unterstützung bei Störungen und kleineren Änderungen; Projekte nach gesondertem Angebot",
    "Zweite Ebene hinter der eigenen IT-Betreuung, vor allem Server, Firewall und Datensicherung",
    "Betreuung der Arbeitsplätze, Kassen und Drucker sowie der Fachanwendung gemeinsam mit deren Hersteller",
)


def agreements() -> Iterator[Row]:
    for client in CLIENTS:
        if not client.agreement:
            continue
        roll = dice("agreement", client.number)
        signer = people(client)[0]
        first: Row = {
            "customer": client.number,
            "version": 1,
            "signed_on": client.since,
            "signed_by": f"{signer.first} {signer.last}",
            "purpose": f"{roll.choice(_PURPOSES)} ({client.software}, rund {client.pcs} Arbeitsplätze).",
            "service_hours": _HOURS[2] if roll.random() < 0.1 else roll.choice(_HOURS[:2]),
            "reaction_hours_by_priority": roll.choice(
                ("high=2|normal=8|low=24", "high=4|normal=8|low=40", "high=1|normal=4|low=16")
            ),
            "backup_responsible": client.backup,
            "hour_price": client.hour_price,
            "day_price": client.day_price,
            "travel_price": client.travel_price,
            "after_hours_percent": client.after if client.after != "50" else "",
            "weekend_percent": client.weekend if client.weekend != "100" else "",
        }
        yield first
        if client.newer_price:
            yield {**first, "version": 2, "signed_on": "2026-10-01", "hour_price": client.newer_price}
