"""An offer of a managed service with its options as a document; booked, the option "updates" becomes a schedule (S140)."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import archive
from actions.billing.around import house_content, load_around
from actions.maintenance.catalogue import load_catalogue
from actions.maintenance.options import UPDATES
from actions.numbers import next_numbers
from integrations.documents.offer import OfferContent, OfferLine, render_offer
from kit import clock
from kit.errors import UsageError
from kit.settings import settings
from models.offers import Offer
from models.parties import Customer
from models.plumbing import ArchivedObject
from rules.cadence_german import describe
from rules.cadence_text import parse
from rules.retention import RecordClass

KIND = "offers"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is offered; net EUR. `setup` and `updates` are options, None = not offered.

    Args:
        title: the device or service, e.g. `Miet-Firewall Falkenau F40`.
        monthly: its rent.
        setup: once, for setting it up.
        updates: by the month, for keeping it up to date.
        subject: a key of `UPDATES`, what is kept up to date.
        valid_until: last day on which the customer may accept.
    """

    title: str
    monthly: Decimal
    setup: Decimal | None
    updates: Decimal | None
    subject: str
    valid_until: dt.date


def offer_content(session: Session, customer: Customer, asked: Asked, number: str) -> OfferContent:
    """What the paper says. Raises: UsageError for a day in the past or a subject that the catalogue does not have."""
    today = clock.today()
    if asked.valid_until < today:
        raise UsageError(
            f"Angebot: gültig bis {asked.valid_until:%d.%m.%Y} liegt in der Vergangenheit; wählen Sie einen späteren Tag."
        )
    around = load_around(session, [customer.id])
    lines = [
        OfferLine(title=asked.title, text="Miete des Geräts, Gerätegarantie inbegriffen.", net=asked.monthly, monthly=True)
    ]
    if asked.setup is not None:
        lines.append(
            OfferLine(
                title="Einrichtung", text="Wir richten das Gerät bei Ihnen ein und übergeben es.", net=asked.setup,
                monthly=False, option=True,
            )
        )  # fmt: skip
    if asked.updates is not None:
        lines.append(
            OfferLine(
                title="Laufende Aktualisierung",
                text=_updates(session, asked.subject),
                net=asked.updates,
                monthly=True,
                option=True,
            )
        )
    return OfferContent(
        house=house_content(around.house),
        customer=around.party(customer.id),
        contact=around.contact(customer.id),
        number=number,
        made_on=today,
        valid_until=asked.valid_until,
        subject=asked.title,
        lines=tuple(lines),
        vat_rate=Decimal(settings().service_vat_rate),
    )


def _updates(session: Session, subject: str) -> str:
    """What the schedule will do, in words: the customer reads the same that the plan then keeps."""
    entry = load_catalogue(session).of(UPDATES.get(subject, ""))
    if entry is None or not entry.active:
        raise UsageError(f"Prüfkatalog: Für »{subject}« gibt es keine Prüfung, die aktuell hält; nehmen Sie sie dort auf.")
    interval = describe(parse(entry.cadence), clock.today()).rstrip(".")
    return f"{entry.title}: {interval}, die Arbeit ist im Monatspreis enthalten."


def make_offer(session: Session, customer: Customer, asked: Asked) -> ArchivedObject:
    """Number the offer, set it and put it into the archive. Each call is an offer of its own.

    Raises:
        UsageError: see `offer_content`.
        RenderError, ArchiveUnavailableError.
    """
    offer_content(session, customer, asked, "AN-0")  # refuses before a number is taken
    (number,) = next_numbers(session, "AN", clock.today().year, 1)
    content = render_offer(offer_content(session, customer, asked, number))
    (kept,) = archive.keep(
        session, archive.Document(KIND, number, content, record_class=RecordClass.LETTER, customer_id=customer.id)
    )
    session.add(
        Offer(
            customer_id=customer.id, number=number, title=asked.title, subject=asked.subject, monthly=asked.monthly,
            setup=asked.setup, updates=asked.updates, vat_rate=Decimal(settings().service_vat_rate), made_on=clock.today(),
            valid_until=asked.valid_until, archive_key=kept.key,
        )
    )  # fmt: skip
    session.flush()
    return session.scalars(sa.select(ArchivedObject).where(ArchivedObject.key == kept.key)).one()


def offers_of(session: Session, customer_id: int, limit: int = 20) -> list[tuple[ArchivedObject, Offer | None]]:
    """The offers made to a customer, the newest first; one from before they were kept as values has its paper alone."""
    statement = (
        sa.select(ArchivedObject, Offer)
        .outerjoin(Offer, Offer.archive_key == ArchivedObject.key)
        .where(ArchivedObject.customer_id == customer_id, ArchivedObject.key.startswith(f"{KIND}/", autoescape=True))
    )
    return list(session.execute(statement.order_by(ArchivedObject.id.desc()).limit(limit)).tuples())
