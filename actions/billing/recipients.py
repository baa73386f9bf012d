"""Who receives the service report (question 3 of the onboarding, S37; U17)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.mail.headers import checked_address
from integrations.mail.types import MailContentError
from models.parties import Contact, ContactFunction


@dataclass(frozen=True, slots=True)
class Recipients:
    """E-mail addresses of one report's mail, in order.

    `fallback` says that nobody is named for reports and the main contact receives it instead (flagged, never silent).
    """

    emails: tuple[str, ...]
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """What choosing recipients needs to know of a contact."""

    email: str
    site_id: int | None
    functions: frozenset[str]


def choose(persons: Iterable[Person], paying_site: int | None) -> Recipients:
    """Contacts of the paying site with function service_report, else of the head office, else the main contact."""
    people = sorted(persons, key=lambda p: p.email)
    for site in dict.fromkeys((paying_site, None)):
        named = tuple(p.email for p in people if p.site_id == site and ContactFunction.SERVICE_REPORT in p.functions)
        if named:
            return Recipients(named)
    main = [p for p in people if ContactFunction.MAIN in p.functions]
    for site in dict.fromkeys((paying_site, None)):
        if here := tuple(p.email for p in main if p.site_id == site):
            return Recipients(here, fallback=True)
    return Recipients(tuple(p.email for p in main), fallback=True)


def same_addresses(first: Iterable[str], second: Iterable[str]) -> bool:
    """Whether both name the same mailboxes, as written by a person or as they went over the wire."""
    return {_wire(email) for email in first} == {_wire(email) for email in second}


def _wire(email: str) -> str:
    try:
        return checked_address(email).lower()
    except MailContentError:
        return email.lower()


def persons_of(session: Session, customer_ids: Sequence[int]) -> dict[int, list[Person]]:
    """Active contacts of these customers."""
    people: dict[int, list[Person]] = defaultdict(list)
    rows = session.execute(
        sa.select(Contact.customer_id, Contact.email, Contact.site_id, Contact.functions).where(
            Contact.customer_id.in_(customer_ids), Contact.active
        )
    )
    for customer_id, email, site_id, functions in rows:
        people[customer_id].append(Person(email, site_id, frozenset(functions)))
    return people
