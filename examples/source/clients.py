"""The customers of the story, read from `texts/clients.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Client:
    """One customer. `hours` are the billed hours aimed at per month; `days` are special dates of the story."""

    number: str
    name: str
    short: str
    domain: str
    address: tuple[str, str, str]
    software: str
    pcs: int
    hours: tuple[float, float, float]
    people: tuple[str, ...]
    house_site: str = "KOE"
    manager: str = "Corinna Feldhüter"
    delivery: str = "post"
    billing: str = "central"
    sites: tuple[str, ...] = ()
    datev: str = ""
    payment_days: str = ""
    mandate: str = ""
    hour_price: str = "112.00"
    day_price: str = "860.00"
    travel_price: str = "39.00"
    after: str = "50"
    weekend: str = "100"
    backup: str = "customer"
    newer_price: str = ""
    agreement: bool = True
    invoice_email: bool = False
    on_site: float = 0.22
    free: float = 0.07
    late: int = 0
    unapproved: int = 0
    days: tuple[str, ...] = ()
    since: str = "2019-04-01"
    noted_later: bool = False


def _frozen(row: dict[str, Any]) -> dict[str, Any]:
    """Lists of TOML as tuples, so that a customer can be a key."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


def _clients() -> tuple[Client, ...]:
    text = (Path(__file__).parent / "texts" / "clients.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)["client"]
    return tuple(Client(**_frozen(row)) for row in rows)


CLIENTS: tuple[Client, ...] = _clients()
BY_NUMBER = {client.number: client for client in CLIENTS}
