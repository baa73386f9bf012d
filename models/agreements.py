"""Kooperationsvereinbarung: informs, binds nobody (S97). Its versions are the source of every price."""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import CustomerScoped, Json, Percent, Price


class BackupResponsible(enum.StrEnum):
    """Datensicherungsverantwortung (S100)."""

    CUSTOMER = "customer"
    HOUSE = "house"


class CooperationAgreement(CustomerScoped):
    """One signed version with the six fields S98-S103. No term, no notice period, no invoice line of its own."""

    __tablename__ = "cooperation_agreement"
    __table_args__ = (sa.UniqueConstraint("customer_id", "version"), sa.UniqueConstraint("customer_id", "id"))
    version: Mapped[int] = mapped_column(sa.Integer)
    signed_on: Mapped[dt.date | None]
    signed_by: Mapped[str | None]
    purpose: Mapped[str | None]
    service_hours: Mapped[str | None]
    reaction_hours: Mapped[Json]
    """Hours by priority as written in the agreement, e.g. {"high": "2", "normal": "8"}."""
    backup_responsible: Mapped[BackupResponsible | None]
    hour_price: Mapped[Price]
    day_price: Mapped[Price | None]
    travel_price: Mapped[Price | None]
    after_hours_percent: Mapped[Percent | None]
    weekend_percent: Mapped[Percent | None]
