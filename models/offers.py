"""Angebot: a rented device or service with options; accepted, it says what came of it (S139, S140)."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CustomerScoped, Money, Percent, same_customer


class Offer(CustomerScoped):
    """One numbered offer. Its terms stand on paper in the archive; the row knows them as values, and who accepted what."""

    __tablename__ = "offer"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "id"),
        same_customer("contract_id", "contract"),
        same_customer("plan_id", "agreed_check"),
        sa.CheckConstraint("valid_until >= made_on", name="valid_after_made"),
        sa.CheckConstraint(
            "(accepted_on IS NULL) = (accepted_by IS NULL) AND (accepted_on IS NULL) = (contract_id IS NULL)",
            name="accepted_says_by_whom",
        ),
    )
    number: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    subject: Mapped[str]
    """What the option keeps up to date, a key of `actions.maintenance.options.UPDATES`."""
    monthly: Mapped[Money]
    """Net EUR by the month."""
    setup: Mapped[Money | None]
    """Net EUR, once; empty = not offered."""
    updates: Mapped[Money | None]
    """Net EUR by the month; empty = not offered."""
    vat_rate: Mapped[Percent]
    made_on: Mapped[dt.date]
    valid_until: Mapped[dt.date]
    archive_key: Mapped[str]
    accepted_on: Mapped[dt.date | None]
    accepted_by: Mapped[str | None]
    """The person of the customer who signed."""
    entered_by: Mapped[str | None]
    contract_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    """The contract that holds it now."""
    new_contract: Mapped[bool] = mapped_column(default=False)
    """Whether that contract came of this offer."""
    line_ids: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger), default=list)
    """The contract lines that came of it."""
    plan_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    """The maintenance schedule of the option "updates"."""
