"""Rights: their names in the code, and which role has which. A page asks for a right, never for a role."""

from collections.abc import Iterable

from models.parties import PortalLevel, StaffRole

RIGHTS: dict[str, str] = {
    "konto.eigenes": "Eigenes Kennwort, zweiten Faktor und Anmeldungen verwalten",
    "uebersicht.sehen": "Übersicht des Hauses sehen",
    "aufgabe.sehen": "Aufgaben der eigenen Rollen sehen und erledigen",
    "leistung.eigene": "Eigene erfasste Leistungen sehen und berichtigen",
    "stamm.sehen": "Kunden mit Anschriften, Ansprechpartnern, Vereinbarungen und Kontingentstand sehen",
    "stamm.pflegen": "Kunden, Niederlassungen, Ansprechpartner, Vereinbarungen und Verträge pflegen",
    "vertrag.sehen": "Verträge mit Preisen, Statistik und Kontingente im Blick sehen",
    "leistung.erfassen": "Leistungen auf Tickets erfassen",
    "leistung.sehen": "Leistungen aller Techniker sehen",
    "leistung.freigeben": "Leistungen freigeben, berichtigen, zurückgeben und Freigaben zurücknehmen",
    "abrechnung.sehen": "Rechnungsläufe mit Vorschau, Fortschritt und Übergabe sehen",
    "abrechnung.freigeben": "Einen Monat zur Abrechnung freigeben",
    "abrechnung.korrigieren": "Vorgeschlagene Überbuchungen freigeben oder ablehnen",
    "abrechnung.stornieren": "Rechnungen stornieren",
    "abrechnung.uebergeben": "Übergaben an SAP und DATEV wiederholen, Postdruck bestätigen",
    "dokument.sehen": "Archivierte Berichte und Rechnungen öffnen",
    "ware.sehen": "Bestellungen, Wareneingänge und Lieferungen sehen",
    "ware.bearbeiten": "Ware buchen, prüfen, kommissionieren, packen und versenden",
    "asset.sehen": "Assets, Lizenzen und ihre Enden sehen",
    "asset.bearbeiten": "Assets pflegen, Defekte melden, Austausch abschließen",
    "wartung.sehen": "Wartungspläne, Termine, Nachweise und Auslastung sehen",
    "wartung.ausfuehren": "Wartungstickets abarbeiten: Ergebnisse, Nachweise, Leistung",
    "wartung.planen": "Pläne und Termine verlegen, aussetzen und beenden, Betriebsruhe pflegen, Runden starten",
    "wartung.vereinbaren": "Bedarfsanalysen erstellen und unterschreiben lassen, Prüfnachweise ausstellen",
    "post.sehen": "Postausgang mit Inhalt und Antwort des Mailservers sehen",
    "post.entscheiden": "Unklare Mails klären und Mails erneut senden",
    "verwaltung.zugaenge": "Zugänge einladen, sperren und zurücksetzen",
    "verwaltung.zugriffe": "Auffällige Zugriffe und das Protokoll der Zugriffe auf Vertrauliches sehen",
    "betrieb.laeufe": "Auffällige Läufe sehen und als erledigt kennzeichnen",
    "kunde.start": "Startseite des Kundenportals sehen",
}

_EVERYBODY = frozenset({"konto.eigenes"})
_STAFF = _EVERYBODY | {"uebersicht.sehen", "aufgabe.sehen", "leistung.eigene", "asset.sehen", "ware.sehen", "stamm.sehen"}

STAFF_ROLES: dict[StaffRole, frozenset[str]] = {
    StaffRole.TECHNICIAN: _STAFF | {"leistung.erfassen", "asset.bearbeiten", "wartung.sehen", "wartung.ausfuehren"},
    StaffRole.DISPATCHER: _STAFF
    | {"vertrag.sehen", "leistung.erfassen", "leistung.sehen", "post.sehen"}
    | {"wartung.sehen", "wartung.ausfuehren", "wartung.planen"},
    StaffRole.ACCOUNT_MANAGER: _STAFF
    | {"leistung.sehen", "abrechnung.sehen", "abrechnung.korrigieren", "dokument.sehen", "post.sehen"}
    | {"wartung.sehen", "wartung.planen", "wartung.vereinbaren", "stamm.pflegen", "vertrag.sehen"},
    StaffRole.BACK_OFFICE: _STAFF
    | {"wartung.sehen", "stamm.pflegen", "vertrag.sehen"}
    | {name for name in RIGHTS if name.startswith(("leistung.", "abrechnung.", "dokument.", "post."))},
    StaffRole.MATERIALS: _STAFF | {"ware.bearbeiten", "asset.bearbeiten"},
    StaffRole.MONITORING: _STAFF | {"post.sehen"},
    StaffRole.SERVICE_HEAD: frozenset(name for name in RIGHTS if not name.startswith("kunde.")),
    StaffRole.OPERATOR: _STAFF
    | {
        "abrechnung.sehen",
        "abrechnung.uebergeben",
        "post.sehen",
        "post.entscheiden",
        "verwaltung.zugaenge",
        "verwaltung.zugriffe",
    }
    | {"betrieb.laeufe"},
}

CUSTOMER_LEVELS: dict[PortalLevel, frozenset[str]] = {
    PortalLevel.NONE: frozenset(),
    PortalLevel.REPORTER: _EVERYBODY | {"kunde.start"},
    PortalLevel.INSIGHT: _EVERYBODY | {"kunde.start"},
    PortalLevel.ADMIN: _EVERYBODY | {"kunde.start"},
}


def staff_rights(roles: Iterable[str]) -> frozenset[str]:
    """All rights that a person of the house has through its roles."""
    return _STAFF.union(*(STAFF_ROLES[StaffRole(role)] for role in roles))


def customer_rights(level: PortalLevel) -> frozenset[str]:
    """All rights of a customer's contact with that level."""
    return CUSTOMER_LEVELS[level]
