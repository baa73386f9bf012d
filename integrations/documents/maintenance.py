"""Two papers of maintenance: the Bedarfsanalyse (what was agreed) and the Prüfnachweis (what was done). Plain values in."""

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.documents import text
from integrations.documents.contents import ContactPerson, House, Party
from integrations.documents.engine import engine

NO_CONTRACT = (
    "Diese Bedarfsanalyse ist kein Vertrag: Sie hat keine Laufzeit, keine Kündigungsfrist und keinen eigenen Preis. "
    "Sie hält fest, welche Prüfungen wir für Sie ausführen, und Sie können jede davon jederzeit ändern oder abbestellen. "
    "Abgerechnet wird die Arbeit so, wie es zwischen uns vereinbart ist: aus Ihrem Kontingent, im Rahmen des genannten "
    "Vertrags oder nach Aufwand."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedLine:
    """One check as it is agreed; all German words."""

    title: str
    purpose: str
    interval: str
    first: dt.date | None
    """The first date; None = the dates are still open."""
    minutes: int
    window: str
    """E.g. `22:00–02:00 Uhr`; empty = during service hours."""
    responsible: str
    shift: str
    catch_up: str
    cover: str
    site: str = ""
    remark: str = ""
    checklist: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsAnalysisContent:
    """Bedarfsanalyse of one version."""

    house: House
    customer: Party
    contact: ContactPerson
    version: int
    made_on: dt.date
    agreed_on: dt.date | None = None
    agreed_by: str = ""
    lines: tuple[AgreedLine, ...] = ()
    notes: str = ""

    @property
    def signed(self) -> bool:
        return self.agreed_on is not None


class Outcome(enum.StrEnum):
    """How a due date ended, as the customer reads it."""

    DONE = "erledigt"
    FAILED = "Mangel gefunden"
    SKIPPED = "ausgelassen"
    OPEN = "in Arbeit"
    PLANNED = "geplant"
    MOVED = "verlegt"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofLine:
    """One due date of the month."""

    due_on: dt.date
    outcome: Outcome
    done_at: dt.datetime | None = None
    technician: str = ""
    ticket: str = ""
    incident: str = ""
    reason: str = ""
    note: str = ""
    readings: tuple[tuple[str, str], ...] = ()
    """(label with unit, value)."""
    evidence: int = 0
    """Screenshots and files kept with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofCheck:
    """One agreed check with its dates of the month."""

    title: str
    interval: str
    site: str = ""
    last_done: dt.date | None = None
    """The last time it was really done, up to the end of the month; None = never."""
    next_due: dt.date | None = None
    lines: tuple[ProofLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckProofContent:
    """Prüfnachweis of one customer and month."""

    house: House
    customer: Party
    contact: ContactPerson
    month: dt.date
    version: int
    issued_on: dt.date
    checks: tuple[ProofCheck, ...] = field(default_factory=tuple)

    @property
    def lines(self) -> list[ProofLine]:
        return [line for check in self.checks for line in check.lines]

    def count(self, *outcomes: Outcome) -> int:
        """Dates of the month with one of these outcomes."""
        return sum(line.outcome in outcomes for line in self.lines)


def render_needs_analysis(content: NeedsAnalysisContent) -> bytes:
    """PDF/A-3u, tagged. A draft says so on every page. Raises: RenderError."""
    title = "Bedarfsanalyse" if content.signed else "Bedarfsanalyse (Entwurf)"
    state = f"vereinbart am {text.day(content.agreed_on)}" if content.agreed_on else f"Entwurf vom {text.day(content.made_on)}"
    values = {
        "c": content,
        "title": title,
        "subject": text.joined((f"Version {content.version}", state, f"Kundennummer {content.customer.number}")),
        "address": address_lines(content.customer),
        "no_contract": NO_CONTRACT,
        "groups": [_agreed(line) for line in content.lines],
        "notes": text.paragraphs(content.notes),
        "agreed": f"{content.agreed_by}, {text.day(content.agreed_on)}" if content.agreed_on else "",
    } | frame(content.house, content.contact, "dieser Bedarfsanalyse")
    return engine().pdf("needs_analysis", values, made=content.agreed_on or content.made_on)


def _agreed(line: AgreedLine) -> dict[str, Any]:
    first = f"erstmals {text.day(line.first)}" if line.first else "Termine noch offen"
    when = text.joined((line.interval, first, f"etwa {line.minutes} Minuten"))
    rows = [
        ("Wann", when),
        ("Fenster", line.window or "während der Servicezeit, nach Anruf vor Arbeitsbeginn"),
        ("Wer", line.responsible),
        ("Freie Tage", line.shift),
        ("Versäumte Termine", line.catch_up),
        ("Abrechnung", line.cover),
        ("Hinweis", line.remark),
    ]
    return {
        "title": text.joined((line.title, line.site)),
        "purpose": line.purpose,
        "rows": [(label, value) for label, value in rows if value],
        "checklist": line.checklist,
    }


def render_check_proof(content: CheckProofContent) -> bytes:
    """PDF/A-3u, tagged. The first page says for each check when it was done last. Raises: RenderError."""
    version = f"Stand {content.version}" if content.version > 1 else ""
    made = f"erstellt am {text.day(content.issued_on)}"
    values = {
        "c": content,
        "title": f"Prüfnachweis {text.month(content.month)}",
        "subject": text.joined((f"Kundennummer {content.customer.number}", made, version)),
        "address": address_lines(content.customer),
        "opening": _opening(content),
        "facts": _facts(content),
        "overview": [_overview(check) for check in content.checks],
        "checks": [_check(check) for check in content.checks if check.lines],
    } | frame(content.house, content.contact, "diesem Nachweis")
    return engine().pdf("check_proof", values, made=content.issued_on)


def _opening(content: CheckProofContent) -> str:
    if not content.lines:
        return "Guten Tag, in diesem Monat stand keine der mit Ihnen vereinbarten Prüfungen an."
    return (
        "Guten Tag, hier sehen Sie für jede Prüfung, die wir mit Ihnen vereinbart haben, wann sie zuletzt stattfand und was "
        "dabei herauskam. Ausgelassene Termine nennen wir mit ihrem Grund."
    )


def _facts(content: CheckProofContent) -> list[dict[str, str]]:
    counts = (
        ("Termine im Monat", len(content.lines) - content.count(Outcome.MOVED)),
        ("erledigt", content.count(Outcome.DONE)),
        ("Mangel gefunden", content.count(Outcome.FAILED)),
        ("ausgelassen", content.count(Outcome.SKIPPED)),
        ("noch offen", content.count(Outcome.OPEN, Outcome.PLANNED)),
    )
    return [
        {"label": label, "value": str(count)} for label, count in counts if count or label in ("Termine im Monat", "erledigt")
    ]


def _overview(check: ProofCheck) -> dict[str, str]:
    return {
        "title": text.joined((check.title, check.site)),
        "interval": check.interval,
        "last": text.day(check.last_done) if check.last_done else "noch nie",
        "next": text.day(check.next_due) if check.next_due else "–",
        "state": _worst(check.lines),
    }


def _worst(lines: Sequence[ProofLine]) -> str:
    """The one word that a reader needs: a defect before an open date before a skipped one."""
    found = {line.outcome for line in lines}
    order = (Outcome.FAILED, Outcome.OPEN, Outcome.PLANNED, Outcome.SKIPPED, Outcome.DONE, Outcome.MOVED)
    return next((outcome.value for outcome in order if outcome in found), "kein Termin")


def _check(check: ProofCheck) -> dict[str, Any]:
    return {"title": text.joined((check.title, check.site)), "lines": [_line(line) for line in check.lines]}


def _line(line: ProofLine) -> dict[str, Any]:
    done = f"am {text.day(line.done_at.date())}" if line.done_at and line.done_at.date() != line.due_on else ""
    incident = f"Störungsticket {line.incident}" if line.incident else ""
    proof = f"{line.evidence} {'Beleg' if line.evidence == 1 else 'Belege'} archiviert" if line.evidence else ""
    details = [
        text.joined((line.technician, f"Ticket {line.ticket}" if line.ticket else "", incident, proof)),
        _reason(line),
        text.joined(tuple(f"{label}: {value}" for label, value in line.readings)),
        *text.paragraphs(line.note),
    ]
    return {
        "day": f"{text.weekday(line.due_on)} {text.day(line.due_on)}",
        "outcome": text.joined((line.outcome.value, done), " "),
        "details": "\n".join(detail for detail in details if detail),
    }


def _reason(line: ProofLine) -> str:
    """Said by the technician with its label; what the ledger says explains itself."""
    if not line.reason or line.done_at is None:
        return line.reason
    return f"{'Mangel' if line.outcome is Outcome.FAILED else 'Grund'}: {line.reason}"


def address_lines(party: Party) -> list[str]:
    """A party's address, a line each."""
    street = f"{party.postal_code} {party.city}"
    return [part for part in (party.name, party.site_name, party.attention, party.street, street) if part]


def frame(house: House, contact: ContactPerson, about: str) -> dict[str, str]:
    """Margin texts of every page."""
    who = text.joined((f"{contact.name}, {contact.role}" if contact.role else contact.name, contact.phone, contact.email))
    place = f"{house.postal_code} {house.city}"
    return {
        "ask": f"Fragen zu {about}? {who}",
        "imprint": text.joined((house.name, house.street, place, house.portal_url)),
    }
