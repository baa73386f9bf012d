"""Rights: their names in the code, and which role has which. A page asks for a right, never for a role."""

from collections.abc import Iterable

from models.parties import PortalLevel, StaffRole

RIGHTS: dict[str, str] = {
    "konto.eigenes": "Eigenes Kennwort, zweiten Faktor und Anmeldungen verwalten",
    "uebersicht.sehen": "Übersicht des Hauses sehen",
    "aufgabe.sehen": "Aufgaben der eigenen Rollen sehen und erledigen",
    "leistung.eigene": "Eigene erfasste Leistungen sehen und berichtigen",
    "leistung.sehen": "Leistungen aller Techniker sehen",
    "leistung.freigeben": "Leistungen freigeben, berichtigen, zurückgeben und Freigaben zurücknehmen",
    "abrechnung.sehen": "Rechnungsläufe mit Vorschau, Fortschritt und Übergabe sehen",
    "abrechnung.freigeben": "Einen Monat zur Abrechnung freigeben",
    "abrechnung.korrigieren": "Vorgeschlagene Überbuchungen freigeben oder ablehnen",
    "abrechnung.stornieren": "Rechnungen stornieren",
    "abrechnung.uebergeben": "Übergaben an SAP und DATEV wiederholen, Postdruck bestätigen",
    "dokument.sehen": "Archivierte Berichte und Rechnungen öffnen",
    "post.sehen": "Postausgang mit Inhalt und Antwort des Mailservers sehen",
    "post.entscheiden": "Unklare Mails klären und Mails erneut senden",
    "verwaltung.zugaenge": "Zugänge einladen, sperren und zurücksetzen",
    "kunde.start": "Startseite des Kundenportals sehen",
}

_EVERYBODY = {"konto.eigenes"}
_STAFF = _EVERYBODY | {"uebersicht.sehen", "aufgabe.sehen"}

STAFF_ROLES: dict[StaffRole, frozenset[str]] = {
    StaffRole.TECHNICIAN: frozenset(_STAFF | {"leistung.eigene"}),
    StaffRole.DISPATCHER: frozenset(_STAFF | {"leistung.eigene", "leistung.sehen", "post.sehen"}),
    StaffRole.ACCOUNT_MANAGER: frozenset(
        _STAFF
        | {"leistung.eigene", "leistung.sehen", "abrechnung.sehen", "abrechnung.korrigieren", "dokument.sehen", "post.sehen"}
    ),
    StaffRole.BACK_OFFICE: frozenset(
        _STAFF | {name for name in RIGHTS if name.startswith(("leistung.", "abrechnung.", "dokument.", "post."))}
    ),
    StaffRole.MATERIALS: frozenset(_STAFF | {"leistung.eigene"}),
    StaffRole.MONITORING: frozenset(_STAFF | {"leistung.eigene", "post.sehen"}),
    StaffRole.SERVICE_HEAD: frozenset(name for name in RIGHTS if not name.startswith("kunde.")),
    StaffRole.OPERATOR: frozenset(
        _STAFF | {"abrechnung.sehen", "abrechnung.uebergeben", "post.sehen", "post.entscheiden", "verwaltung.zugaenge"}
    ),
}

CUSTOMER_LEVELS: dict[PortalLevel, frozenset[str]] = {
    PortalLevel.NONE: frozenset(),
    PortalLevel.REPORTER: frozenset(_EVERYBODY | {"kunde.start"}),
    PortalLevel.INSIGHT: frozenset(_EVERYBODY | {"kunde.start"}),
    PortalLevel.ADMIN: frozenset(_EVERYBODY | {"kunde.start"}),
}


def staff_rights(roles: Iterable[str]) -> frozenset[str]:
    """All rights that a person of the house has through its roles."""
    granted: frozenset[str] = frozenset(_STAFF)
    return granted.union(*(STAFF_ROLES[StaffRole(role)] for role in roles))


def customer_rights(level: PortalLevel) -> frozenset[str]:
    """All rights of a customer's contact with that level."""
    return CUSTOMER_LEVELS[level]
