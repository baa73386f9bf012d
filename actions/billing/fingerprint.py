"""What a month was computed from, by names that a person knows, so that a refused release can say what changed.

Everything that changes what is billed, to whom it goes and what the papers say about both is one named part with a short
hash. A part without a name here would let a release pass that nobody has seen; a test walks the columns of the tables.
"""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from models.parties import Customer, House, Site
from rules import monthly_types as rule
from rules.differences import german
from rules.snapshot import written

HOUSE = ""
"""The key of the issuer among the customers' numbers."""

Parts = dict[str, str]
"""German name of an input -> short hash of its value."""


def short(value: object) -> str:
    """A short hash of one value; equal values have equal ones."""
    return hashlib.sha256(written(value).encode()).hexdigest()[:12]


def house_values(house: House | None) -> dict[str, Any]:
    """What every paper says about the issuer, by German names; nothing while there is no house."""
    if house is None:
        return {}
    return {
        "Name und Anschrift": [(house.name, house.street, house.postal_code, house.city), house.email, house.phone],
        "Steuernummern": (house.tax_number, house.vat_id),
        "Bankverbindung": (house.iban, house.bic, house.creditor_id),
        "Registereintrag": (house.register_court, house.register_no),
    }


def party_values(customer: Customer, sites: Sequence[Site]) -> dict[str, Any]:
    """Who pays and how the bill travels, beside what the amounts are computed from; by German names."""
    return {
        "Name oder Anschrift": {
            "name": customer.name,
            "street": customer.street,
            "postal_code": customer.postal_code,
            "city": customer.city,
            "country": customer.country,
        },
        "USt-IdNr.": customer.vat_id,
        "Zustellung der Rechnung": customer.delivery.value,
        "Leitweg-ID": customer.leitweg_id,
        "Adresse für Rechnungen": customer.invoice_email,
        "Zahlungsziel": customer.payment_days,
        "Konten für SAP und DATEV": {"sap": customer.sap_card_code, "debtor": customer.debtor_account},
        **{
            f"Name oder Anschrift der Niederlassung {site.code}": {
                "name": site.name,
                "street": site.street,
                "postal_code": site.postal_code,
                "city": site.city,
            }
            for site in sites
        },
    }


def _given_values(given: rule.CustomerMonth) -> dict[str, Any]:
    values: dict[str, Any] = {"Abrechnung zentral oder je Standort": given.billing, "Umsatzsteuersatz": given.vat_rate}
    for site in given.sites:
        values[f"Zahler oder Anfahrtspreis der Niederlassung {site.code}"] = site
    for agreement in given.agreements:
        values[f"Kooperationsvereinbarung, Fassung {agreement.version},"] = agreement
    for contract in given.kontingente:
        values[f"Vertrag {contract.number}"] = dataclasses.replace(contract, opening=None, ledger=())
        if contract.opening is not None:
            values[f"Anfangsbestand des Kontingents {contract.number}"] = contract.opening
        if contract.ledger:
            values[f"Kontingent-Buchungen zu {contract.number}"] = contract.ledger
    for flat in given.flat_contracts:
        values[f"Vertrag {flat.number}"] = flat
    return values


def parts_of(values: Mapping[str, Any]) -> Parts:
    """Named values as named hashes."""
    return {name: short(value) for name, value in values.items()}


def parts(given: rule.CustomerMonth, party: Parts, receivers: Mapping[str, Sequence[str]], last_month: object) -> Parts:
    """All named parts of a customer's month.

    Args:
        given: what the amounts are computed from; its entries are named one by one elsewhere.
        party: `party_values` as hashes.
        receivers: paying site's code (empty = head office) -> addresses that receive the report.
        last_month: what the month is compared with.
    """
    mails = {
        f"Empfänger des Serviceberichts{f' für {site}' if site else ''}": list(emails) for site, emails in receivers.items()
    }
    return party | parts_of({**_given_values(given), **mails, "Vergleich mit dem Vormonat": last_month})


def changes(before: Mapping[str, dict[str, Any]], now: Mapping[str, dict[str, Any]]) -> list[str]:
    """German sentences on what differs between two fingerprints, a line per customer."""
    named = {number: what for number, what in before.items() if number != HOUSE}
    found = [f"{number}: nicht mehr im Lauf" for number in named if number not in now]
    earlier = bool(named) and not any("parts" in what for what in named.values())
    for number, mine in now.items():
        old = before.get(number)
        if old is None:
            if number != HOUSE:
                found.append(f"{number}: neu im Lauf ({german(Decimal(mine['net']))} € netto)")
        elif old["hash"] != mine["hash"] and (what := _change(old, mine)):
            found.append(f"{number or 'Eigenes Haus'}: {what}")
    if earlier and not found:
        return ["Die Vorschau stammt von einem früheren Stand des Programms, der weniger Angaben festhielt."]
    return sorted(found)


def _change(old: dict[str, Any], new: dict[str, Any]) -> str:
    told = _entries(old["entries"], new["entries"])
    if "parts" in old:
        told += _parts(old["parts"], new["parts"])
    if old["net"] != new["net"]:
        told.append(f"netto {german(Decimal(old['net']))} → {german(Decimal(new['net']))} €")
    return "; ".join(told)


def _entries(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    told = []
    for word, ids in (
        ("geändert", [i for i, h in new.items() if i in old and old[i] != h]),
        ("neu", [i for i in new if i not in old]),
        ("entfallen", [i for i in old if i not in new]),
    ):
        if ids:
            named = ", ".join(sorted(ids)[:5]) + (f" und {len(ids) - 5} weitere" if len(ids) > 5 else "")
            told.append(f"Leistung {named} {word}")
    return told


def _parts(old: Parts, new: Parts) -> list[str]:
    return [
        *(f"{name} geändert" for name in new if name in old and old[name] != new[name]),
        *(f"{name} neu" for name in new if name not in old),
        *(f"{name} entfallen" for name in old if name not in new),
    ]
