"""Rows inserted as arrays arrive as they would have arrived one by one."""

import datetime as dt
import enum
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from kit import bulk


class Colour(enum.StrEnum):
    """A value that a column keeps as text."""

    RED = "red"
    BLUE = "blue"


class Base(DeclarativeBase):
    """Tables of this file only."""


class Pebble(Base):
    """One of many."""

    __tablename__ = "pebble"
    __table_args__ = {"prefixes": ["TEMPORARY"]}

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(sa.Text, unique=True)
    colour: Mapped[Colour] = mapped_column(
        sa.Enum(Colour, native_enum=False, values_callable=lambda kinds: [k.value for k in kinds])
    )
    weight: Mapped[Decimal | None] = mapped_column(sa.Numeric(12, 2))
    found: Mapped[dt.datetime] = mapped_column(sa.DateTime(timezone=True))
    about: Mapped[dict[str, object]] = mapped_column(JSONB)
    kept: Mapped[bool] = mapped_column(default=True)


FOUND = dt.datetime(2026, 10, 25, 2, 30, tzinfo=dt.UTC)


@pytest.fixture
def beach(session: Session) -> Session:
    """A transaction with the table."""
    Base.metadata.create_all(session.connection())
    return session


def pebble(name: str | None, colour: Colour = Colour.RED, weight: str | None = None) -> dict[str, object]:
    """One row."""
    grams = Decimal(weight) if weight else None
    return {"name": name, "colour": colour, "weight": grams, "found": FOUND, "about": {"name": name, "of": [1, "ü"]}}


def test_every_kind_of_value_arrives(beach: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 2)
    rows = [
        pebble(None),
        pebble('a "quoted", {braced} \\ name', Colour.BLUE, "12.30"),
        pebble("NULL"),
        pebble("ä\nö", weight="-0.01"),
        pebble(""),
    ]
    bulk.insert_rows(beach, Pebble, rows)
    found = beach.scalars(sa.select(Pebble).order_by(Pebble.id)).all()
    assert [{name: getattr(row, name) for name in rows[0]} for row in found] == rows
    assert all(row.kept for row in found)


def test_constraints_see_each_row(beach: Session) -> None:
    with pytest.raises(IntegrityError, match="pebble_name_key"), beach.begin_nested():
        bulk.insert_rows(beach, Pebble, [pebble("twice"), pebble("twice")])


def test_no_rows_are_no_statement(beach: Session) -> None:
    bulk.insert_rows(beach, Pebble, [])
    assert beach.scalar(sa.select(sa.func.count()).select_from(Pebble)) == 0
