"""German words and colours for the values that the database keeps. A test sees that no member is missing."""

import enum

from actions import words
from models.assets import Location, Owner, ReplacementReason
from models.billing import (
    Charge,
    Face,
    GroupUnit,
    InvoiceKind,
    InvoiceState,
    ItemState,
    ProposalState,
    ReportState,
    RunState,
)
from models.goods import DeliveryState, ReceiptState
from models.handover import HandOverState
from models.maintenance import CheckOutcome
from models.parties import PortalLevel, StaffRole
from models.plumbing import MailState, RunTrouble
from models.service_desk import Priority, TicketKind, TicketState
from models.watching import AccessKind, Unusual
from models.work import EntryState, Place, WorkKind
from rules.cadence import Shift
from rules.catch_up import CatchUp
from rules.due_ledger import Cause, DueState
from rules.expiry import ExpiryKind, NoticeState
from rules.receiving import DifferenceKind

LABELS: dict[type[enum.StrEnum], dict[str, str]] = {
    RunState: {
        "open": "offen",
        "released": "freigegeben",
        "running": "läuft",
        "waiting": "wartet",
        "done": "abgeschlossen",
    },
    ItemState: {"planned": "geplant", "issued": "ausgestellt", "done": "erledigt", "withdrawn": "zurückgezogen"},
    ReportState: {"planned": "geplant", "numbered": "nummeriert", "issued": "ausgestellt"},
    InvoiceKind: words.INVOICE_KINDS,
    InvoiceState: {
        "planned": "geplant",
        "numbered": "nummeriert",
        "issued": "ausgestellt",
        "sent": "versendet",
        "cancelled": "storniert",
    },
    Face: {"post": "Post", "email_einvoice": "E-Rechnung per Mail", "xrechnung": "XRechnung"},
    Charge: {"invoice": "Rechnung", "kontingent": "Kontingent", "split": "geteilt", "none": "nicht berechnet"},
    GroupUnit: {"hour": "Std.", "day": "Tage", "trip": "Fahrten"},
    ProposalState: {"proposed": "vorgeschlagen", "released": "freigegeben", "rejected": "abgelehnt"},
    HandOverState: {"queued": "wartet", "in_flight": "unterwegs", "posted": "gebucht", "failed": "fehlgeschlagen"},
    MailState: {
        "queued": "wartet",
        "in_flight": "unterwegs",
        "accepted": "angenommen",
        "bounced": "nicht zustellbar",
        "unclear": "unklar",
        "cancelled": "zurückgezogen",
    },
    RunTrouble: words.RUN_TROUBLES,
    AccessKind: {
        "document": "Dokument",
        "mail": "Mail",
        "bank_data": "Bankdaten",
        "staff_list": "Personenliste",
        "export": "Export",
        "sign_in": "Anmeldung",
        "refused": "abgewiesen",
    },
    Unusual: {
        "many_reads": "ungewöhnlich viel gelesen",
        "many_refusals": "oft abgewiesen",
        "new_device": "neues Gerät",
        "locked_out": "gesperrt",
    },
    EntryState: {"captured": "erfasst", "approved": "freigegeben", "reported": "berichtet", "invoiced": "berechnet"},
    Place: {"remote": "Fernwartung", "on_site": "vor Ort"},
    WorkKind: {
        "standard": "Servicezeit",
        "after_hours": "außerhalb der Servicezeit",
        "weekend": "Wochenende",
        "project_day": "Projekttag",
    },
    TicketKind: {
        "incident": "Störung",
        "request": "Anfrage",
        "maintenance": "Wartung",
        "pick_and_pack": "Kommissionieren und Packen",
        "alert": "Alarm",
        "onboarding": "Einführung",
        "documentation": "Dokumentation",
        "replacement": "Austausch",
        "task": "Aufgabe",
    },
    TicketState: {
        "new": "neu",
        "open": "in Arbeit",
        "waiting": "wartet",
        "resolved": "gelöst",
        "closed": "geschlossen",
    },
    Priority: {"high": "hoch", "normal": "normal", "low": "niedrig"},
    StaffRole: words.ROLES,
    ReceiptState: {"booked": "ungeprüft", "checked": "geprüft"},
    DeliveryState: {
        "picking": "zu kommissionieren",
        "picked": "zu packen",
        "packed": "zu versenden",
        "shipped": "versendet",
        "void": "entfallen",
    },
    DifferenceKind: {
        "unknown_article": "unbekannter Artikel",
        "unknown_order": "unbekannte Bestellung",
        "not_ordered": "nicht bestellt",
        "over_delivery": "zu viel geliefert",
        "under_delivery": "zu wenig geliefert",
        "serial_missing": "Seriennummern fehlen",
        "serial_surplus": "zu viele Seriennummern",
        "serial_twice": "Seriennummer doppelt",
        "serial_known": "Seriennummer bekannt",
        "counted_less": "weniger gezählt",
        "counted_more": "mehr gezählt",
        "told_otherwise": "anders gemeldet",
    },
    Owner: {"customer": "Kunde", "house": "Haus (Miete)"},
    Location: {"on_site": "beim Kunden", "data_centre": "im Rechenzentrum"},
    ReplacementReason: {"defect": "Defekt", "technology": "Firmware-Pflege endet", "lifecycle": "Laufzeit endet"},
    ExpiryKind: {
        "warranty": "Garantie",
        "licence": "Lizenz",
        "firmware": "Firmware-Pflege",
        "lifecycle": "Mietgerät, fünf Jahre",
        "mandate": "Lastschriftmandat",
    },
    NoticeState: {"planned": "vorgetragen", "told": "gemeldet", "past": "schon vorbei", "void": "überholt"},
    CatchUp: {
        "all": "alle einzeln nachholen",
        "latest": "nur den jüngsten nachholen",
        "one_listing": "alle in einem Ticket nachholen",
        "skip": "nicht nachholen",
    },
    Shift: {
        "none": "bleibt auch an freien Tagen",
        "next_workday": "rückt auf den nächsten Arbeitstag",
        "previous_workday": "rückt auf den vorigen Arbeitstag",
    },
    DueState: {"planned": "geplant", "created": "mit Ticket", "skipped": "ausgelassen", "moved": "verlegt"},
    Cause: {
        "person": "von Hand",
        "pause": "ausgesetzt",
        "missed": "versäumt",
        "superseded": "durch späteren Termin ersetzt",
        "closed": "Kunde nicht mehr betreut",
        "taken_over": "vor der Übernahme",
    },
    CheckOutcome: {"done": "erledigt", "failed": "fehlgeschlagen", "skipped": "ausgelassen"},
    PortalLevel: {"none": "kein Zugang", "reporter": "Melden", "insight": "Einsehen", "admin": "Verwalten"},
}

WORDS: dict[str, dict[str, str]] = {
    "billing": {"central": "über die Zentrale", "per_site": "je Niederlassung"},
    "delivery": {"post": "Post", "email_einvoice": "E-Rechnung per Mail", "xrechnung": "XRechnung"},
    "mandate": {"core": "Basislastschrift", "b2b": "Firmenlastschrift"},
    "function": {
        "service_report": "Empfänger der Serviceberichte",
        "ticket_created": "Nachricht bei neuen Tickets",
        "ticket_status": "Nachricht bei Statusänderungen",
        "credential_release": "gibt Zugangsdaten frei",
        "invoice": "Rechnungen",
        "main": "Hauptansprechpartner",
    },
    "portal": {"none": "kein Zugang", "reporter": "Melden", "insight": "Einsehen", "admin": "Verwalten"},
    "backup": {"customer": "der Kunde", "house": "das Haus"},
    "contract": {
        "kontingent": "Kontingent",
        "rental": "Miete",
        "data_centre": "Rechenzentrum",
        "managed": "Managed Services",
    },
    "rest": {"paid_out": "wird ausgezahlt", "served": "wird noch abgeleistet"},
    "meter": {
        "fixed": "fest",
        "devices": "je Gerät",
        "mailboxes": "je Postfach",
        "gigabytes": "je Gigabyte",
        "servers": "je Server",
    },
    "lifecycle": {"prospect": "Interessent", "onboarding": "in Einführung", "active": "aktiv", "closed": "beendet"},
    "fit": {"too_tight": "zu knapp", "too_generous": "zu großzügig", "fits": "passt", "too_early": "noch zu früh"},
    "ledger": {"grant": "Gutschrift", "usage": "Leistung", "correction": "Überbuchung berechnet"},
    "asset": {
        "access_point": "Access-Point",
        "copier": "Kopierer",
        "device": "Gerät",
        "dock": "Dockingstation",
        "firewall": "Firewall",
        "nas": "Netzspeicher",
        "notebook": "Notebook",
        "phone": "Telefon",
        "phone_system": "Telefonanlage",
        "printer": "Drucker",
        "screen": "Bildschirm",
        "server": "Server",
        "switch": "Switch",
        "ups": "USV",
        "workstation": "Arbeitsplatz",
    },
    "event": {
        "assigned": "übernommen",
        "check_result": "Prüfergebnis",
        "closed": "geschlossen",
        "created": "angelegt",
        "linked": "verknüpft mit",
        "opened": "angelegt",
        "packed": "gepackt",
        "picked": "kommissioniert",
        "picking": "Kommissionieren begonnen",
        "replaced": "Gerät ersetzt",
        "resolved": "gelöst",
        "shipped": "versendet",
        "solved": "hat sich gelöst",
        "unpacked": "Packstück wieder geöffnet",
        "void": "entfallen",
    },
    "outcome": {"done": "erledigt", "failed": "fehlgeschlagen", "skipped": "ausgelassen"},
    "mail": {
        "service_report": "Servicebericht",
        "invoice": "Rechnung",
        "invitation": "Einladung",
        "password_reset": "Kennwort",
        "access_changed": "Zugang geändert",
        "bounce_notice": "Rückläufer",
        "goods_difference": "Abweichungen",
    },
    "report": {
        "planned": "geplant",
        "numbered": "nummeriert",
        "issued": "ausgestellt",
        "queued": "wartet auf Versand",
        "in_flight": "unterwegs",
        "accepted": "angenommen",
        "bounced": "nicht zustellbar",
        "unclear": "unklar",
        "cancelled": "zurückgezogen",
    },
    "group": {
        "standard": "Servicezeit",
        "after_hours": "außerhalb der Servicezeit",
        "weekend": "Wochenende",
        "project_day": "Projekttage",
        "trip": "Anfahrten",
    },
}
"""Words for values that are no enum of the model: kinds of mail, a report's way including its mail's."""

TONES = {
    "green": {"done", "accepted", "sent", "posted", "approved", "resolved", "checked", "shipped", "told"},
    "blue": {"released", "running", "issued", "in_flight", "reported", "open", "picked", "packed"},
    "yellow": {"waiting", "queued", "captured", "proposed", "planned", "numbered", "new", "booked", "picking"},
    "orange": {"unclear", "late", "new_device", "refused"},
    "red": {"failed", "crashed", "bounced", "rejected", "high", "many_reads", "many_refusals", "locked_out"},
}
"""Colour of a badge by value; whatever is not named is grey. The word always stands beside the colour."""


def label(value: object, kind: str = "") -> str:
    """The German word: of an enum's member, or of a plain value of the named kind."""
    if isinstance(value, enum.StrEnum) and type(value) in LABELS:
        return LABELS[type(value)][value.value]
    text = str(value)
    return WORDS.get(kind, {}).get(text, text)


def role(value: str | None) -> str:
    """The German word of a role that a row names as plain text."""
    return words.role(value)


def invoice_kind(value: str) -> str:
    """The German word of a kind of invoice that came as plain text."""
    return LABELS[InvoiceKind].get(value, value)


def hand_over_state(value: str) -> str:
    """The German word of a hand-over's state that came as plain text."""
    return LABELS[HandOverState].get(value, value)


def proposal_state(value: str) -> str:
    """The German word of a decision that came as plain text."""
    return LABELS[ProposalState].get(value, value)


def correction_rule(value: str) -> str:
    """A contract's rule in words: `below_months=2` reads »unter −2 Monatsgutschriften«."""
    name, _, number = value.partition("=")
    return {
        "quarter_end": "zum Ende des Quartals",
        "below_months": f"sobald mehr als {number} Monatsgutschriften fehlen",
        "after_months": f"nach {number} Monaten im Minus",
        "never": "nie von selbst",
    }.get(name, value)


def run_state(value: str) -> str:
    """The German word of a run's state that came as plain text."""
    return LABELS[RunState].get(value, value)


def tone(value: object) -> str:
    """The colour of its badge."""
    text = value.value if isinstance(value, enum.Enum) else str(value)
    return next((colour for colour, values in TONES.items() if text in values), "secondary")
