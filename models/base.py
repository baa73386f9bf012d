"""Conventions of the one data model: names of constraints, types, the record and the tenant."""

import datetime as dt
import enum
from decimal import Decimal
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from kit import clock

Money = Annotated[Decimal, mapped_column(sa.Numeric(14, 2))]
Price = Annotated[Decimal, mapped_column(sa.Numeric(14, 4))]
Quantity = Annotated[Decimal, mapped_column(sa.Numeric(14, 4))]
Percent = Annotated[Decimal, mapped_column(sa.Numeric(6, 2))]
Month = Annotated[str, mapped_column(sa.String(7))]
"""A calendar month as `YYYY-MM`; the arithmetic lives in `rules.month`."""
TextList = Annotated[list[str], mapped_column(ARRAY(sa.Text), default=list)]
Json = Annotated[dict[str, Any], mapped_column(JSONB, default=dict)]

MONTH_CHECK = "~ '^[0-9]{4}-(0[1-9]|1[0-2])$'"


class Base(DeclarativeBase):
    """Every table: constraint names that say table and columns, text enums with a check, instants with time zone."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s__%(column_0_N_name)s",
            "uq": "uq_%(table_name)s__%(column_0_N_name)s",
            "ck": "ck_%(table_name)s__%(constraint_name)s",
            "fk": "fk_%(table_name)s__%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        str: sa.Text,
        int: sa.BigInteger,
        bytes: sa.LargeBinary,
        dt.datetime: sa.DateTime(timezone=True),
        enum.StrEnum: sa.Enum(
            enum.StrEnum,
            native_enum=False,
            create_constraint=True,
            length=32,
            values_callable=lambda members: [member.value for member in members],
        ),
    }


class Record(Base):
    """A row with its own identity and the instant of its birth by our clock."""

    __abstract__ = True
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True, sort_order=-10)
    created_at: Mapped[dt.datetime] = mapped_column(default=clock.now, sort_order=90)

    def __repr__(self) -> str:
        key = sa.inspect(self).identity
        return f"<{type(self).__name__} {key[0] if key else 'new'}>"


class CustomerScoped(Record):
    """A row that belongs to one customer. Row-level security lets a customer's session see only its own.

    The pair (customer_id, id) is unique so that other tenant rows can point to it *with* their tenant: a row of one
    customer can then never refer to a row of another, whatever a route does.
    """

    __abstract__ = True

    @declared_attr
    @classmethod
    def customer_id(cls) -> Mapped[int]:
        return mapped_column(sa.ForeignKey("customer.id"), index=True, sort_order=-9)


def same_customer(column: str, target: str, **options: Any) -> sa.ForeignKeyConstraint:
    """A reference inside one tenant: (customer_id, column) -> target(customer_id, id)."""
    return sa.ForeignKeyConstraint(["customer_id", column], [f"{target}.customer_id", f"{target}.id"], **options)
