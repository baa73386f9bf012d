"""Fewer came than were recorded: licences and contract lines shrink with the delivery line that made them (S82)."""

from decimal import Decimal

from sqlalchemy.orm import Session

from kit import clock
from models.assets import Licence
from models.contracts import ContractLine
from models.goods import DeliveryLine


def withdraw(session: Session, line: DeliveryLine, given: Decimal) -> None:
    """Take so much of a delivery line back from what was recorded for it; devices follow their serials.

    A licence of which nothing is left goes. A contract line stays as a row, since a month may have billed it: with nothing
    left it ends on the day it began or, begun earlier, today.
    """
    if line.licence_id is not None:
        licence = session.get_one(Licence, line.licence_id, with_for_update=True)
        licence.count = max(Decimal(0), (licence.count or Decimal(0)) - given)
        if not line.quantity:
            line.licence_id = None
            session.flush()
            if not licence.count and not licence.key:
                session.delete(licence)
    if line.contract_line_id is not None:
        row = session.get_one(ContractLine, line.contract_line_id, with_for_update=True)
        row.quantity = line.quantity
        if not line.quantity:
            row.valid_to = max(row.valid_from or clock.today(), clock.today())
            line.contract_line_id = None
    session.flush()
