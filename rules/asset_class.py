"""Which class of device a product is, by the words of its name, and who owns what is delivered. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

OTHER = "device"

_WORDS: tuple[tuple[str, str], ...] = (
    (r"dockingstation|docking|dock\b", "dock"),
    (r"notebook|laptop|ultrabook", "notebook"),
    (r"bildschirm|monitor|display", "screen"),
    (r"access[- ]?point|wlan", "access_point"),
    (r"firewall|utm\b", "firewall"),
    (r"netzspeicher|\bnas\b", "nas"),
    (r"\busv\b|\bups\b", "ups"),
    (r"switch", "switch"),
    (r"kopierer|multifunktion", "copier"),
    (r"drucker|printer", "printer"),
    (r"telefonanlage|\btk-anlage", "phone_system"),
    (r"telefon|headset", "phone"),
    (r"server", "server"),
    (r"\bpc\b|arbeitsplatz|workstation|thin ?client|rechner", "workstation"),
)
"""First hit counts: a docking station for notebooks is a docking station."""


def asset_class(product_name: str) -> str:
    """The class of a product, such as `notebook`; `device` when its name says nothing."""
    name = product_name.lower()
    return next((found for pattern, found in _WORDS if re.search(pattern, name)), OTHER)


@dataclass(frozen=True, slots=True)
class RentalTerms:
    """A rental contract on the day of the delivery. No classes listed: it covers every device; no site: every place."""

    contract: int
    site: int | None = None
    classes: frozenset[str] = frozenset()


def rental_for(asset_class_: str, site: int | None, rentals: Iterable[RentalTerms]) -> int | None:
    """The rental contract that a delivered device belongs to: it is the house's then. None: it is the customer's own.

    A contract for exactly this site goes before one for the whole customer, one with this class before one with none.
    """
    fitting = [
        r for r in rentals if (r.site is None or r.site == site) and (not r.classes or asset_class_ in r.classes)
    ]  # fmt: skip
    fitting.sort(key=lambda r: (r.site is None, not r.classes, r.contract))
    return fitting[0].contract if fitting else None
